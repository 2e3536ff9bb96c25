"""After an evaluation that met a nan, an infinity or a kink: where it was born.

Nothing here runs when nothing happened: the evaluator's floating-point flags and the
outputs tell. What lies in a branch that was not taken is no event.
"""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.elements import is_nan, is_not_finite, somewhere
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.loops import Loop
from cgcli.graph.node import Differentiated, Node, dependents, is_given, toposort
from cgcli.graph.rules import Branch, Transpose, TransposeOf
from cgcli.graph.shapes import shape_of
from cgcli.ops.fitting import ones_like
from cgcli.ops.lazily import np
from cgcli.ops.logic import AND_OP, WHERE
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array


class Note(NamedTuple):
    """An event at a node.

    kind: 'nan', 'infinity', 'kink' or 'lost'. operands: the arguments' values there. element: the index of the
    first bad one in an array, () for a scalar. chosen: what was chosen at a kink, or what is lost. advice: what to
    use instead, of these very operands.
    """

    kind: str
    node: Node
    operands: tuple[float, ...]
    element: tuple[int, ...] = ()
    chosen: str = ""
    advice: str = ""


def births(outputs: Sequence[Node], values: Mapping[Node, Array]) -> list[Note]:
    """Where nan and infinities came into the outputs' computation, in the order of evaluation.

    values: of every node that the outputs need. Infinities and nans of the inputs are
    reported only where one of them turns into the other.
    """
    order = toposort(outputs)
    born = {node: found for node in order if not is_given(node) and (found := _born(node, values))}
    relevant = _relevant(order, outputs, values, born)
    return [note for node in born if node in relevant for note in _birth(node, born[node], relevant[node], values)]


def kinks(nodes: Sequence[Node], outputs: Sequence[Node], values: Mapping[Node, Array]) -> list[Note]:
    """Where those of the nodes that have a derivative were evaluated at a kink."""
    relevant = _relevant(toposort(outputs), outputs, values, nodes)
    return [note for node in nodes if node in relevant for note in _kink(node, relevant[node], values)]


def matters(node: Node, outputs: Sequence[Node], values: Mapping[Node, Array]) -> bool:
    """Whether an output depends on a node at this point: not where it stands in a branch that was not taken."""
    return node in _relevant(toposort(outputs), outputs, values, [node])


def _born(node: Node, values: Mapping[Node, Array]) -> Mapping[str, Any]:
    """The elements that are nan, and those that are infinite, where the arguments are not; each kind if there are."""
    value = values[node]
    if not somewhere(is_not_finite(value)):
        return {}
    args = [values[arg] for arg in node.args]
    nans, others = [is_nan(arg) for arg in args], [is_not_finite(arg) for arg in args]
    if not node.op.elementwise:
        nans, others = [somewhere(each) for each in nans], [somewhere(each) for each in others]
    had_nan, was_finite = _any(nans), _any(others) ^ True
    is_born = is_nan(value)
    found = {"nan": is_born & (had_nan ^ True), "infinity": is_not_finite(value) & (is_born ^ True) & was_finite}
    return found if isinstance(node.params, Loop) or any(map(somewhere, found.values())) else {}


def _birth(node: Node, found: Mapping[str, Any], mask: Any, values: Mapping[Node, Array]) -> Iterator[Note]:
    args = [values[arg] for arg in node.args]
    if isinstance(node.params, Loop) and (inside := _in_first_trip(node.params, args, births)):
        yield from inside
        return
    for kind, born in found.items():
        born = born if mask is None else born & mask
        if somewhere(born):
            yield _note(kind, node, born, args)
            return


def _in_first_trip(loop: Loop, args: Sequence[Any], find: Callable[..., list[Note]]) -> list[Note]:
    """What is found in the first trip of a loop that has anything of the kind."""
    from cgcli.evaluate.loops import values_in_trips

    return next(filter(None, (find(loop.nexts, values) for values in values_in_trips(loop, args))), [])


def kinks_within(derivative: Differentiated, args: Sequence[Any]) -> list[Note]:
    """The kinks in the first trip that has any where a program differentiates. args: values of the outermost loop's."""
    from cgcli.evaluate.loops import values_within

    value, place, slope, within = derivative
    nodes = [node for node in dependents([place], toposort([value])) if node.op.kink is not None]
    nexts = within[-1].loop.nexts
    trips = values_within(derivative, args)
    found = (kinks(nodes, [value], values) for values in trips if matters(slope, nexts, values))
    return next(filter(None, found), [])


def _kinks_in_trip(nexts: Sequence[Node], values: Mapping[Node, Array]) -> list[Note]:
    return kinks([node for node in values if node.op.kink is not None], nexts, values)


def _kink(node: Node, mask: Any, values: Mapping[Node, Array]) -> Iterator[Note]:
    if node.op.kink is None:
        return
    args = [values[arg] for arg in node.args]
    if isinstance(node.params, Loop) and any(each.op.kink for each in toposort(node.params.nexts)):
        yield from _in_first_trip(node.params, args, _kinks_in_trip)
    if node.op.elementwise and not any(map(shape_of, args)):  # of floats, which needs no numpy
        holds = node.op.kink.holds(*args, *node.params)
    else:
        with np.errstate(all="ignore"):
            holds = node.op.kink.holds(*args, *node.params)
    holds = holds if mask is None else holds & mask
    if somewhere(holds):
        yield _note("kink", node, holds, args)._replace(chosen=node.op.kink.chosen)


def _note(kind: str, node: Node, where: Any, args: Sequence[Any]) -> Note:
    """The note for the first element of `where`."""
    index = tuple(int(at) for at in np.argwhere(where)[0]) if shape_of(where) else ()
    operands: tuple[float, ...] = ()
    if not any(map(shape_of, args)):
        operands = tuple(map(float, args))
    elif node.op.elementwise:
        operands = tuple(float(np.broadcast_to(arg, np.shape(where))[index]) for arg in args)
    found = node.op.advice
    told = found.of_arrays(*args, *node.params) if found and found.of_arrays and found.kind == kind else ""
    return Note(kind, node, operands, index, advice=told)


def _any(masks: Iterable[Any]) -> Any:
    result: Any = False
    for mask in masks:
        result = result | mask
    return result


def _relevant(
    order: Sequence[Node], outputs: Sequence[Node], values: Mapping[Node, Array], nodes: Iterable[Node]
) -> dict[Node, Any]:
    """For each of the nodes that reaches an output, which of its elements do: a mask, None for all."""
    between = dependents(nodes, order)
    masks: dict[Node, Any] = dict.fromkeys(outputs)
    for node in reversed(order):
        if node not in masks:
            continue
        mask = masks[node]
        for position, arg in enumerate(node.args):
            if arg not in between:
                continue
            passed = _passed(node, position, mask, values)
            if passed is not None and not somewhere(passed):
                continue
            if arg not in masks:
                masks[arg] = passed
            elif masks[arg] is not None:
                masks[arg] = None if passed is None or np.all(both := masks[arg] | passed) else both
    return masks


def _read(node: Node, position: int, mask: Any) -> Any:
    """The mask of an argument of an operation on arrays: by its transpose where it has one, else all or nothing."""
    rule = node.op.rule(position)
    wanted = ones_like(node) if mask is None else as_constant(np.broadcast_to(mask, node.shape))
    if isinstance(rule, TransposeOf) and rule.jointly:
        read = rule.build(wanted, node.args, node.params, position)
    elif isinstance(rule, TransposeOf):
        read = rule.build(wanted, tuple(map(ones_like, node.args)), node.params, position)
    elif isinstance(rule, Transpose) and not rule.mixes:
        read = rule.build(wanted, tuple(map(ones_like, node.args)), node.params)
    else:
        return None if mask is None or somewhere(mask) else False
    if mask is None and not read.op.gaps:
        return None
    (count,) = evaluate([read], {})
    return None if np.all(count) else count != 0


def _passed(node: Node, position: int, mask: Any, values: Mapping[Node, Array]) -> Any:
    """The mask of an argument, from that of one node that uses it."""
    rule = node.op.rule(position)
    if node.op is WHERE and isinstance(rule, Branch):
        taken = (values[node.args[0]] != 0) == rule.taken
        mask = taken if mask is None else taken & mask
    elif node.op is AND_OP and position == 1:  # of a derivative, the condition within a branch
        holds = values[node.args[0]] != 0
        mask = holds if mask is None else holds & mask
    if not node.op.elementwise:
        moved = next((arg for at, arg in enumerate(node.args) if isinstance(node.op.rule(at), Transpose)), None)
        if rule is None and moved is not None and not somewhere(values[moved] != 0):  # nothing is chosen or placed
            return False
        return _read(node, position, mask)
    if mask is None or not node.shape:
        return mask
    shape = node.args[position].shape
    mask = np.broadcast_to(mask, node.shape)
    extra = tuple(range(len(node.shape) - len(shape)))
    mask = np.any(mask, axis=extra) if extra else mask
    ones = tuple(at for at, size in enumerate(shape) if size == 1)
    return np.any(mask, axis=ones, keepdims=True) if ones else mask
