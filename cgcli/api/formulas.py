"""Formulas in, formulas out: derivatives of programs, and programs in a simpler form, as text."""

from __future__ import annotations

from functools import partial, reduce
from itertools import starmap

from cgcli.algebra.algebraic import simplify as simplified
from cgcli.annotations import TYPE_CHECKING, Any, Collection, Iterator, Mapping, Sequence
from cgcli.api.arguments import holding_kinds
from cgcli.api.notices import Notice, has_no_formula, of_no_formula, warn
from cgcli.api.point import Point
from cgcli.api.program import Program, read
from cgcli.api.seeds import weights
from cgcli.api.sizes import Alike, at_all_sizes, at_any_sizes
from cgcli.api.values import arrays_of, cotangent_arrays
from cgcli.api.values import by_name as given_by_name
from cgcli.derivatives.formula import derivative, derivative_names
from cgcli.derivatives.matrices import matrix_derivative
from cgcli.errors import TooLargeError, UsageError
from cgcli.evaluate.constants import as_constant
from cgcli.graph.loops import names_kept
from cgcli.graph.node import Graph, Node, apply, constant, constant_elements, name_of, toposort
from cgcli.graph.shapes import all_axes, shape_text
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.sums import SUM, Reduce
from cgcli.printing.length import flat_length, parts_worth_naming
from cgcli.printing.names import names
from cgcli.printing.program import statements
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact
from cgcli.transform.substitute import rebuilt

if TYPE_CHECKING:
    from cgcli.api.prepared import Wrt

_LONGEST_FLAT = 10**6  # characters


@holding_kinds
def diff(
    program: Program | str,
    wrt: Wrt = None,
    order: int = 1,
    *,
    values: Mapping[str, Any] | None = None,
    cotangent: Sequence[Any] | None = None,
    latex: bool = False,
    flat: bool = False,
) -> str:
    """The derivative as a formula that a person would write: a program, which `parse` reads.

    wrt: a name, or several, which give a program of several outputs, `(d_x, d_y)`; all names without a
    number when left out. order: how often to differentiate by each. values: numbers replace their
    names, arrays tell their shapes. cotangent: a weight for each output, of its shape. latex: as LaTeX. flat: no
    names for shared parts.

    >>> diff("x^2*sin(x)", "x")
    'x^2*cos(x) + 2*x*sin(x)'
    >>> diff("x: [3]; sum(x^2)", "x")
    'x: [3]; 2*x'
    >>> diff("X: [m, n]; w: [n]; y: [m]; mean((X@w - y)^2)", "w")
    'X: [m, n]; w: [n]; y: [m]; 2*X.T @ (X@w - y)/m'

    Raises UsageError for an order that is no whole number from 1 to 170, a name that the program
    computes, and what has no formula, or none for all sizes m and n: several outputs without weights, most derivatives
    of an array by an array, and second ones by one; the Jacobian by one vector and the Hessian have one where their
    operations allow. UnknownNameError for a name that does not occur.
    """
    from cgcli.api.functions import check_order
    from cgcli.api.prepared import names_of

    check_order(order)
    point = at_any_sizes(read(program, names_of(wrt)), arrays_of(values or {}))
    found = derivatives(point, names_of(wrt), order, cotangent_arrays(cotangent))
    warn(found.notices)
    return found.latex(flat=flat) if latex else "; ".join(found.program(flat=flat))


@holding_kinds
def simplify(
    program: Program | str, values: Mapping[str, Any] | None = None, /, *, exact: bool = False, **named: Any
) -> str:
    """The program in a simpler form, with values in the place of their names: a program, which `parse` reads.

    exact: only what changes no value anywhere, nan and infinities included.

    >>> simplify("2*x + x*3 + a*x", a=4)
    '9*x'
    """
    point = at_any_sizes(read(program), arrays_of(given_by_name(values, named)))
    warn(point.notices())
    return simpler(point, only_exact=exact)


def simpler(point: Point, *, only_exact: bool = False, as_latex: bool = False) -> str:
    """The program at a point as text, in canonical form, or only_exact: without what changes a value anywhere.

    as_latex: as LaTeX, else as a program.
    """
    make, again = (exact, _kept) if only_exact else (apply, partial(simplified, named=True))

    def build(point: Point) -> Graph:
        with names_kept(point.graph.carried) as carried:
            return again(rebuilt(point.graph, make, _constants(point, point.inputs)))._replace(carried=carried)

    graphs = at_all_sizes(point, build, again)

    def named(graph: Graph) -> dict[Node, str] | None:
        return None if only_exact else names(graph, parts_worth_naming(graph, graph.labels))

    if as_latex:
        from cgcli.printing.latex import latex

        return graphs.latex(lambda graph, taken: latex(graph, named(graph), others=taken))
    return "; ".join(graphs.program(lambda graph: statements(graph, named(graph))))


def _kept(graph: Graph) -> Graph:
    return graph


def _constants(point: Point, inputs: Sequence[Node]) -> dict[Node, Node]:
    """Those inputs that have values, as constants."""
    bound = [node for node in inputs if name_of(node) in point.bindings]
    return {node: as_constant(point.bindings[name_of(node)]) for node in bound}


class Formulas(NamedTuple):
    """The derivatives of a program by some names, as a graph, or several that differ in sizes.

    notices: what is worth telling of them. result: what the program calls that which is differentiated, or ''.
    """

    graphs: Alike
    wrt: tuple[str, ...]
    order: int
    notices: list[Notice]
    result: str = ""

    def each(self) -> Iterator[tuple[str, Formulas]]:
        """The derivatives one by one, with their names: d_x, or d2_x for the second order."""
        keys = derivative_names(self.wrt, self.order)
        for key, name, graphs in zip(keys, self.wrt, self.graphs.each_output(), strict=True):
            yield key, self._replace(graphs=graphs, wrt=(name,), result="")

    def program(self, *, flat: bool = False) -> list[str]:
        """The statements of a program. flat: without names for shared parts; else those have one that are worth it.

        Raises TooLargeError when the text would be too long for anybody.
        """
        return self.graphs.program(lambda graph: statements(graph, _named(graph, flat)))

    def latex(self, *, flat: bool = False) -> str:
        """LaTeX: one formula, or lines with partial derivatives on the left. flat and the error are as in `program`."""
        from cgcli.printing.latex import Partials, latex

        partials = Partials(self.wrt, self.order, self.result)
        return self.graphs.latex(lambda graph, taken: latex(graph, _named(graph, flat), partials, taken))


def _named(graph: Graph, flat: bool) -> dict[Node, str]:
    """The parts that have names in the text."""
    if flat and (length := flat_length(graph)) > _LONGEST_FLAT:
        many = f"about {length:.2g} characters" if length < 10**15 else "more characters than any disk holds"
        raise TooLargeError(f"written out, the formula would take {many}",
                            hint="let its shared parts have names", topic="flat")  # fmt: skip
    return names(graph, [] if flat else parts_worth_naming(graph))


def derivatives(
    point: Point, wrt: Sequence[str] | None = None, order: int = 1, cotangents: Sequence[Any] | None = None
) -> Formulas:
    """The derivatives of the program at a point, where numbers replace their names, and arrays only tell their shapes.

    wrt: None for all names without a number. cotangents: arrays, a weight for each output. Raises what `diff` says.
    """
    numbers = _numbers(point)
    chosen = point.chosen(wrt)
    if wrt is None:
        chosen = [node for node in chosen if node not in numbers] or chosen
    point.check_present(chosen)
    point.check_any(chosen)
    by = tuple(map(name_of, chosen))

    def build(point: Point) -> Graph:
        with names_kept(point.graph.carried) as carried:
            graph, chosen = _differentiated(point, by, cotangents), point.chosen(by)
            matrix = _matrix(graph, chosen, order)
            if matrix is None:
                _check_shapes(graph.output, chosen, order)
            return (matrix or derivative(graph, chosen, order))._replace(carried=carried)

    found = at_all_sizes(point, build)
    output = _differentiated(point, by, cotangents).output
    unknown = starmap(has_no_formula, of_no_formula(toposort([output]), chosen))
    notices = [*point.notices(), *(_has_no_use(node) for node in chosen if node in numbers),
               *map(_counts_as_constant, _steps(output, chosen)), *unknown]  # fmt: skip
    return Formulas(found, by, order, notices, point.result)


def _numbers(point: Point) -> dict[Node, Node]:
    """The inputs that numbers are given for, as constants."""
    return _constants(point, [node for node in point.inputs if not node.shape])


def _differentiated(point: Point, wrt: Collection[str], cotangents: Sequence[Any] | None) -> Graph:
    """The graph with one output, in which all inputs with numbers are these, but for those to differentiate by."""
    known = {node: number for node, number in _numbers(point).items() if name_of(node) not in wrt}
    return _with_one_output(rebuilt(point.graph, known=known), cotangents)


def _has_no_use(node: Node) -> Notice:
    return Notice(f"the value of '{name_of(node)}' is not used: the formula holds for all of them",
                  "for the number, use grad", details={"kind": "unused"}, topic="grad")  # fmt: skip


def _counts_as_constant(node: Node) -> Notice:
    return Notice(f"{node.op.name} counts as a constant: {node.op.why_no_derivative}", details={"kind": "step"})


def _with_one_output(graph: Graph, cotangents: Sequence[Any] | None) -> Graph:
    """The graph, all elements of its results added up with the weights of the cotangents if there are any."""
    if cotangents is None and not graph.names:
        return graph
    pairs = zip(weights(graph, cotangents), graph.outputs, strict=True)
    # A result whose weight is 0 is left out, for it may be infinite.
    parts = [_weighed(output, weight) for weight, output in pairs if any(constant_elements(weight))]
    total = reduce(lambda sum_, part: apply(ADD, (sum_, part)), parts or [constant(0.0)])
    return graph._replace(outputs=(total,), names=())


def _weighed(output: Node, weight: Node) -> Node:
    axes = all_axes(weight.shape)
    product = apply(MULTIPLY, (weight, output))
    return apply(SUM, (product,), Reduce(axes, False)) if axes else product


def _matrix(graph: Graph, wrt: Sequence[Node], order: int) -> Graph | None:
    """The Jacobian or the Hessian by one vector, where one is asked for and has a formula."""
    one_vector = len(wrt) == 1 and len(wrt[0].shape) == 1
    return matrix_derivative(graph, wrt[0], order) if one_vector and (graph.output.shape or order > 1) else None


def _check_shapes(output: Node, wrt: Sequence[Node], order: int) -> None:
    """Raise UsageError for what has no formula."""
    array = next((node for node in wrt if node.shape), None)
    if array is None:
        return
    if output.shape:
        raise UsageError(
            f"the value has shape {shape_text(output.shape)}, and a gradient by the array '{name_of(array)}' "
            "needs a scalar",
            hint="jacobian gives all its derivatives as numbers", topic="scalar",
        )  # fmt: skip
    if order > 1:
        raise UsageError(
            f"'{name_of(array)}' is an array, and a derivative of order {order} needs numbers to differentiate by",
            hint="second derivatives by arrays come as numbers, from hessian",
            topic="second",
        )


def _steps(output: Node, wrt: Sequence[Node]) -> list[Node]:
    """The operations on the way from the names to the output that have no derivative, one of each kind.

    Conditions are not among them: only the branches of a choice have derivatives.
    """
    order = toposort([output])
    moving = set(wrt)
    for node in order:
        if any(arg in moving for arg in node.args):
            moving.add(node)
    found: dict[str, Node] = {}
    stack, seen = [output], {output}
    while stack:
        node = stack.pop()
        if node not in moving:
            continue
        if node.op.why_no_derivative:
            found.setdefault(node.op.name, node)
            continue
        smooth = [arg for at, arg in enumerate(node.args) if node.op.expansion or node.op.rule(at) is not None]
        stack += [arg for arg in smooth if arg not in seen]
        seen.update(smooth)
    return [node for node in found.values() if not node.op.evident]
