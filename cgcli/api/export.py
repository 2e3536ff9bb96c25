"""A program, and its derivatives, as code of another language."""

from __future__ import annotations

import math
import re

from cgcli.annotations import TYPE_CHECKING, Any, Collection, Mapping, Sequence
from cgcli.api.arguments import holding_kinds
from cgcli.api.columns import results
from cgcli.api.notices import warn
from cgcli.api.point import Point, at_values
from cgcli.api.prepared import names_of
from cgcli.api.program import Program, read
from cgcli.api.values import arrays_of
from cgcli.errors import Span, TooLargeError, UsageError, did_you_mean
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.evaluate import evaluate
from cgcli.exporting.code import TooManyNumbersError
from cgcli.exporting.formulas import NotInTargetError
from cgcli.exporting.targets import TARGETS, Target
from cgcli.exporting.task import ReservedNameError, Task
from cgcli.graph.body import function_of, with_bodies
from cgcli.graph.loops import Loop, LoopAdjoint, States, loops_in
from cgcli.graph.node import (
    Graph,
    Node,
    apply,
    constant,
    constant_array,
    count_of_numbers,
    name_of,
    toposort,
    variable,
    variables,
)
from cgcli.graph.shapes import count_text, shape_text
from cgcli.lean import struct
from cgcli.ops.roots import ROOT
from cgcli.ops.shaping import STACK, reshape
from cgcli.ops.statics import Along
from cgcli.ops.table import entries_of
from cgcli.records import EMPTY
from cgcli.transform.differentiate import pullback, pushforward
from cgcli.transform.substitute import rebuilt, replaced
from cgcli.transform.trips import MOST_TRIPS, unrolled
from cgcli.version import __version__

if TYPE_CHECKING:
    from cgcli.api.prepared import Wrt

_NOT_WRITTEN = "cg eval and cg grad compute it"
_WITHOUT_DERIVATIVES = "--only-value writes the value without derivatives; cg grad computes them"
_MOST_PASSES = 64  # of forward mode, where loops are


@holding_kinds
def export(
    program: Program | str, to: str, *, wrt: Wrt = None, values: Mapping[str, Any] | None = None,
    only_value: bool = False, **options: Any,
) -> str:  # fmt: skip
    """The program and its derivatives as code of another language.

    to: c, js, python, numpy, jax, torch or sql. wrt: a name, or several; all that have no value when left out. values:
    constants of the code; for a name of wrt only the shape. only_value: no derivatives. options: `name` of the
    function, f unless given; `header` of c, for the declarations alone; `dialect` (duckdb, spark, postgres) and `table`
    of sql.

    The results are the value, then its derivatives in the order of wrt, as in `compile`; jax and torch get the value.

    >>> print(*[line for line in export("x^2", "c", header=True).splitlines() if line.startswith("void f(")])
    void f(double x, double *out);

    Raises UsageError for another target or option, for a name that is none in the target, and for an operation that the
    target has no word for, TooLargeError for arrays of too many numbers.
    """
    point = at_values(read(program, names_of(wrt)), arrays_of(values or {}))
    names: Sequence[str] | None = () if only_value else names_of(wrt)
    warn(point.notices(point.chosen(names)))
    return exported(point, names, target_of(to), **options)


def target_of(name: str) -> Target:
    """The target of a name. Raises UsageError where there is none."""
    if name not in TARGETS:
        hint = did_you_mean(name, TARGETS) or f"known: {', '.join(TARGETS)}"
        raise UsageError(f"there is no target '{name}'", hint=hint)
    return TARGETS[name]


def exported(point: Point, names: Sequence[str] | None, target: Target, **options: Any) -> str:
    """The code of a point's program.

    names: of the inputs to differentiate by; None for all that have no value, none for the value alone.
    """
    unknown = next((option for option in options if option not in target.options), None)
    if unknown is not None:
        raise UsageError(f"{target.name} has no option '{unknown}'",
                         hint=f"its options are: {', '.join(target.options) or 'none'}")  # fmt: skip
    name = options.pop("name", "f")
    if not (name.isidentifier() and name.isascii()) or name.startswith(("_", "cg_")):
        raise UsageError(f"'{name}' cannot be the name of a function", hint="letters and digits, as in: loss_1")
    arguments = point.chosen(point.program.inputs)
    known = {
        name_of(node) for node in arguments if name_of(node) in point.bindings and name_of(node) not in (names or ())
    }
    arguments = [node for node in arguments if name_of(node) not in known]
    wrt = [] if target.only_value else arguments if names is None else point.chosen(names)
    array = next((output for output in point.graph.outputs if output.shape), None)
    if wrt and array is not None:
        raise UsageError(f"the value has shape {shape_text(array.shape)}, and its derivatives are written of a scalar",
                         hint="write the value alone, or weigh its elements, as in: sum(w*y)")  # fmt: skip
    at_constants = _with_constants(point, known)
    at_constants = at_constants if target.loops else _unrolled(at_constants)
    found = results(at_constants, wrt)
    if wrt and loops_in(toposort(node for _, node in found)):
        found = _forward(at_constants, wrt, found)
    task = Task(point.program.text, __version__, name, tuple(arguments), tuple(found), at_constants.graph.labels)
    try:
        return target.write(task, **options)
    except ReservedNameError:
        raise UsageError(f"'{name}' is a word of {target.name}", hint="choose another: --name") from None
    except NotInTargetError as error:
        value = Task(task.text, __version__, name, task.inputs, tuple(results(at_constants, [])))
        raise _not_in(point, error.node, target, options, _lacks(value, target, options)) from None
    except TooManyNumbersError as error:
        raise TooLargeError(f"the arrays of this program are {count_text(error.count)} numbers, too many for the stack",
                            hint=_NOT_WRITTEN) from None  # fmt: skip


def _lacks(task: Task, target: Target, options: Mapping[str, Any] = EMPTY) -> bool:
    """Whether a target lacks an operation of a task."""
    try:
        target.write(task, **options)
    except NotInTargetError:
        return True
    except TooManyNumbersError:
        pass
    return False


def _with_constants(point: Point, names: Collection[str]) -> Point:
    """The point with values in the place of some names."""
    known = {node: as_constant(point.bindings[name_of(node)]) for node in point.inputs if name_of(node) in names}
    return point._replace(graph=rebuilt(point.graph, known=known)) if known else point


def _unrolled(point: Point) -> Point:
    """The point with the trips of its loops one after the other, where their number is known, and not large."""
    if not loops_in(toposort(point.graph.outputs)):
        return point

    def number(node: Node) -> float:
        if variables(toposort([node])):
            raise TooLargeError("the number of trips is not known")
        (value,) = evaluate([node], {})
        return float(value)

    try:
        written = unrolled(point.graph.outputs, number)
    except TooLargeError:
        return point
    return point._replace(graph=replaced(point.graph, written.become[()]))


def _not_in(point: Point, lacking: Node, target: Target, options: Mapping[str, Any], of_value: bool) -> UsageError:
    """The error for an operation that a target lacks, at the place in the program of what needs it.

    of_value: the value needs it, and not the derivatives alone.
    """
    graph = point.graph
    alike = (each for each in with_bodies(toposort(graph.outputs)) if each.op is lacking.op and each in graph.origins)
    node = _user_of(graph, target, options, of_value) or next(alike, lacking)
    span = graph.origins.get(node)
    hint = _NOT_WRITTEN if of_value else _WITHOUT_DERIVATIVES
    is_loop = isinstance(lacking.params, Loop | States)
    has_shape = lacking.op is not ROOT and any(each.shape for each in (lacking, *lacking.args))
    if target.name == "sql" and (is_loop or has_shape):
        span = span or graph.origins.get(lacking)
        if is_loop or not any(each.shape for each in point.inputs):
            hint = f"trips are written out, up to {MOST_TRIPS} in all, where their number is known; {_NOT_WRITTEN}"
            return UsageError("sql has no arrays or loops", span, source=graph.source, hint=hint)
        return UsageError("sql has no arrays", span, source=graph.source, hint="give each element a name of its own")
    if isinstance(lacking.params, LoopAdjoint):
        hint = "its derivative along a direction has a form: jvp f(x; dx)"
        return UsageError(
            f"cg does not write the adjoints of a loop for {target.name}", span, source=graph.source, hint=hint
        )
    called = _called(graph.source.text, span, node)
    what = f"'{called}'" if of_value else f"the derivative of '{called}'"
    needs = f", which needs '{lacking.op.name}'" if lacking.op.name != called else ""
    *others, last = ["", *(each.name for each in TARGETS.values()
                           if not _lacks(_alone(node, of_value or each.only_value), each))]  # fmt: skip
    if last:
        have = f"{', '.join(others[1:])} and {last} have" if others[1:] else f"{last} has"
        hint = f"{have} it; {hint}"
    return UsageError(f"cg does not write {what} for {target.name}{needs}", span, source=graph.source, hint=hint)


def _user_of(graph: Graph, target: Target, options: Mapping[str, Any], of_value: bool) -> Node | None:
    """The first operation of a program that is not written for a target, alone or with its derivatives."""
    tried = set()
    for node in with_bodies(toposort(graph.outputs)):
        is_block = isinstance(node.params, Loop | States) or function_of(node) is not None
        if node not in graph.origins or not node.args or is_block:  # of a block, what it holds is told
            continue
        alone = _alone(node, of_value)
        if alone.outputs in tried:
            continue
        tried.add(alone.outputs)
        if _lacks(alone, target, options):
            return node
    return None


def _alone(node: Node, of_value: bool) -> Task:
    """An operation as a program of its own. of_value: without its derivatives."""
    args = [variable(f"x{at}", arg.shape) for at, arg in enumerate(node.args)]
    alone = apply(node.op, tuple(args), node.params)
    weight = variable("weight", alone.shape)
    derivatives = [] if of_value else pullback([alone], [weight], args)
    found = [(f"r{at}", result) for at, result in enumerate((alone, *derivatives))]
    return Task("", __version__, "f", (*args, weight), tuple(found))


def _called(text: str, span: Span | None, node: Node) -> str:
    """What an operation is called where it stands: `median`, where that is what the program asks for."""
    found = re.match(r"[(\s]*(\w+)\s*\(", text[span.start : span.end]) if span else None
    return found[1] if found and entries_of(found[1]) else node.op.name


def _forward(point: Point, wrt: Sequence[Node], found: Sequence[tuple[str, Node]]) -> list[tuple[str, Node]]:
    """The results with derivatives by forward mode, in which a loop stays a loop that keeps nothing of its trips."""
    passes = count_of_numbers(wrt)
    if passes > _MOST_PASSES:
        raise TooLargeError(
            f"through loops, each of {passes} numbers takes a pass of its own; the limit is {_MOST_PASSES}",
            hint="differentiate by fewer: --wrt",
        )
    outputs = point.graph.outputs
    columns = [[pushforward(outputs, {node: unit}) for unit in _units(node)] for node in wrt]
    nodes: list[Node] = []
    for at, output in enumerate(outputs):
        nodes.append(output)
        for node, each in zip(wrt, columns, strict=True):
            tangents = tuple(tangent[at] for tangent in each)
            nodes.append(reshape(apply(STACK, tangents, Along(-1)), node.shape) if node.shape else tangents[0])
    return list(zip((name for name, _ in found), nodes, strict=True))


def _units(node: Node) -> list[Node]:
    """For each element of an input the tangent in which it alone moves."""
    size = math.prod(node.shape)
    if not node.shape:
        return [constant(1.0)]
    rows = ([float(at == place) for at in range(size)] for place in range(size))
    return [constant_array(struct.pack(f"<{size}d", *row), node.shape) for row in rows]
