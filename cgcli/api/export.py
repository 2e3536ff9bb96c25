"""A program, and its derivatives, as code of another language."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Collection, Mapping, Sequence
from cgcli.api.columns import results
from cgcli.api.notices import warn
from cgcli.api.point import Point, at_values
from cgcli.api.prepared import names_of
from cgcli.api.program import Program, read
from cgcli.api.values import arrays_of
from cgcli.errors import TooLargeError, UsageError, did_you_mean
from cgcli.evaluate.constants import as_constant
from cgcli.exporting.code import TooManyNumbersError
from cgcli.exporting.formulas import NotInTargetError
from cgcli.exporting.language import order_of
from cgcli.exporting.targets import TARGETS, Target
from cgcli.exporting.task import ReservedNameError, Task
from cgcli.graph.body import with_bodies
from cgcli.graph.loops import Loop, States, loops_in
from cgcli.graph.node import Node, apply, constant, constant_array, name_of, toposort
from cgcli.graph.shapes import count_text, shape_text
from cgcli.lean import struct
from cgcli.ops.roots import ROOT
from cgcli.ops.shaping import STACK, reshape
from cgcli.ops.statics import Along
from cgcli.transform.differentiate import pushforward
from cgcli.transform.substitute import rebuilt
from cgcli.version import __version__

if TYPE_CHECKING:
    from cgcli.api.prepared import Wrt

_NOT_WRITTEN = "cg eval and cg grad compute it"
_WITHOUT_DERIVATIVES = "--only-value writes the value without derivatives; cg grad computes them"
_MOST_PASSES = 64  # of forward mode, where loops are


def export(
    program: Program | str, to: str, *, wrt: Wrt = None, values: Mapping[str, Any] | None = None,
    only_value: bool = False, name: str = "f", **options: Any,
) -> str:  # fmt: skip
    """The program and its derivatives as code of another language.

    to: c, js, python, numpy, jax, torch or sql. wrt: a name, or several; all that have no value when left out. values:
    constants of the code; for a name of wrt only the shape. only_value: no derivatives. name: of the function.
    options: `header` of c, for the declarations alone; `dialect` (duckdb, spark, postgres) and `table` of sql.

    The results are the value, then its derivatives in the order of wrt, as in `compile`; jax and torch get the value.

    >>> print(*[line for line in export("x^2", "c", header=True).splitlines() if line.startswith("void f(")])
    void f(double x, double *out);

    Raises UsageError for another target or option, for a name that is none in the target, and for an operation that the
    target has no word for, TooLargeError for arrays of too many numbers.
    """
    point = at_values(read(program, names_of(wrt)), arrays_of(values or {}))
    names: Sequence[str] | None = () if only_value else names_of(wrt)
    warn(point.notices(point.chosen(names)))
    return exported(point, names, target_of(to), name, **options)


def target_of(name: str) -> Target:
    """The target of a name. Raises UsageError where there is none."""
    if name not in TARGETS:
        hint = did_you_mean(name, TARGETS) or f"known: {', '.join(TARGETS)}"
        raise UsageError(f"there is no target '{name}'", hint=hint)
    return TARGETS[name]


def exported(point: Point, names: Sequence[str] | None, target: Target, name: str, **options: Any) -> str:
    """The code of a point's program.

    names: of the inputs to differentiate by; None for all that have no value, none for the value alone.
    """
    unknown = next((option for option in options if option not in target.options), None)
    if unknown is not None:
        raise UsageError(f"{target.name} has no option '{unknown}'",
                         hint=f"its options are: {', '.join(target.options) or 'none'}")  # fmt: skip
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
    found = results(at_constants, wrt)
    if wrt and loops_in(toposort(node for _, node in found)):
        found = _forward(at_constants, wrt, found)
    task = Task(point.program.text, __version__, name, tuple(arguments), tuple(found))
    try:
        return target.write(task, **options)
    except ReservedNameError:
        raise UsageError(f"'{name}' is a word of {target.name}", hint="choose another: --name") from None
    except NotInTargetError as error:
        alone = Task(task.text, __version__, name, task.inputs, tuple(results(at_constants, [])))
        value_too = _lacking(alone, target, options)
        raise _not_in(point, value_too or error.node, target, value_too is None) from None
    except TooManyNumbersError as error:
        raise TooLargeError(f"the arrays of this program are {count_text(error.count)} numbers, too many for the stack",
                            hint=_NOT_WRITTEN) from None  # fmt: skip


def _lacking(task: Task, target: Target, options: Mapping[str, Any]) -> Node | None:
    """The operation of a task that is not written for a target, if there is one."""
    try:
        target.write(task, **options)
    except NotInTargetError as error:
        return error.node
    except TooManyNumbersError:
        pass
    return None


def _with_constants(point: Point, names: Collection[str]) -> Point:
    """The point with values in the place of some names."""
    known = {node: as_constant(point.bindings[name_of(node)]) for node in point.inputs if name_of(node) in names}
    return point._replace(graph=rebuilt(point.graph, known=known)) if known else point


def _not_in(point: Point, node: Node, target: Target, of_derivative: bool) -> UsageError:
    """The error for an operation that is not written for a target, at its place in the program.

    of_derivative: the value alone is written.
    """
    graph = point.graph
    same = [other for other in with_bodies(toposort(graph.outputs)) if other.op is node.op and other in graph.origins]
    written = [other for other in same if order_of(other.op, other.params) == order_of(node.op, node.params)]
    span = next((graph.origins[other] for other in written or same), None)
    hint = _WITHOUT_DERIVATIVES if of_derivative else _NOT_WRITTEN
    is_loop = isinstance(node.params, Loop | States)
    has_shape = node.op is not ROOT and any(each.shape for each in (node, *node.args))
    if target.name == "sql" and (is_loop or has_shape):
        if is_loop or not any(each.shape for each in point.inputs):
            hint = "write out each term or trip"
            return UsageError("sql has no arrays or loops", span, source=graph.source, hint=hint)
        return UsageError("sql has no arrays", span, source=graph.source, hint="give each element a name of its own")
    order = order_of(node.op, node.params)
    derivative = f" of order {order}" if order else ""
    needed = ", which a derivative needs" if of_derivative and not written else ""
    return UsageError(f"cg does not write '{node.op.name}'{derivative} for {target.name}{needed}", span,
                      source=graph.source, hint=hint)  # fmt: skip


def _forward(point: Point, wrt: Sequence[Node], found: Sequence[tuple[str, Node]]) -> list[tuple[str, Node]]:
    """The results with derivatives by forward mode, in which a loop stays a loop that keeps nothing of its trips."""
    passes = sum(math.prod(node.shape) for node in wrt)
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
