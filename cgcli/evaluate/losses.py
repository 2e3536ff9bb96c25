"""After an evaluation: what was lost on the way that a result depends on.

Where it came to 0, or next to it, lost is a term that a sum takes nothing of, as 1 in 1 + 1e20; a product or a power
below the smallest float; and what exp(x) or cos(x) differs from 1 by. Elsewhere it is the digits of a difference
whose terms were rounded, as of 1 - cos(x), or of a logarithm next to 1. Whether a result depends on it is tried: a
value is moved a little, and how far a result goes with it tells how far what was lost would have moved it.
"""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Iterator, Mapping, Sequence
from cgcli.evaluate.elements import LEAST, MOST_TRIPS, SMALL_SUM, is_ill_conditioned, somewhere
from cgcli.evaluate.evaluate import evaluate
from cgcli.evaluate.kernels import kernel_of
from cgcli.evaluate.notes import Note
from cgcli.graph.loops import Loop
from cgcli.graph.node import CONSTANT, Node, dependents, is_given, toposort
from cgcli.graph.operation import CHOOSES, ILL_CONDITIONED
from cgcli.graph.shapes import shape_of
from cgcli.ops.arithmetic import ADD, SUBTRACT
from cgcli.ops.lazily import np
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from cgcli.evaluate.evaluate import Array

MOST = 1000  # numbers in the arrays of a program that is looked through
_STEPS = 1024  # floats that a value is moved by: a root of it still moves
_TRIED = 20  # losses, for each of which what follows is computed again
_MATTERS = 1e-8  # of a result: less is what any rounding does to it
_NOTHING = 1e-300  # a result of this size counts as 0
_OWN = 30  # times as much as rounding the inputs, where a program loses digits that its result has

_NEARBY = 2.0**-20  # of an operand, or from 0


class _Loss(NamedTuple):
    """What a value leaves out. beside: a float near it. part: of the way there, at the most."""

    what: str
    beside: float
    part: float


def losses(outputs: Sequence[Node], values: Mapping[Node, Array]) -> Iterator[Note]:
    """Where elementwise operations lose what an output depends on, in the order of evaluation.

    values: of every node that the outputs need, all of them finite.
    """
    order = toposort(outputs)
    tried = 0
    for node in order:
        if is_given(node) or not node.op.elementwise:
            continue
        for index, value, operands in _elements(node, values):
            loss = _loss(node, value, operands)
            if loss is None or tried == _TRIED:
                continue
            tried += 1
            if _matters(node, index, loss, outputs, values):
                yield Note("lost", node, operands, index, loss.what)
                break


def roundings(outputs: Sequence[Node], values: Mapping[Node, Array]) -> Iterator[Note]:
    """Where an operation shows the rounding of its operands, as a difference, or ln next to 1, and an output needs it.

    values: of every node that the outputs need, all of them finite. Those are left out of which rounding the inputs
    moves the outputs as far: as no program for the same function could know them better.
    """
    order = toposort(outputs)
    found = [each for node in order for each in _rounded(node, values)][:_TRIED]
    if not found:
        return
    owns = {exact: _own_errors(outputs, order, values, exact=exact)
            for exact in {not note.node.op.elementwise for note, *_ in found}}  # fmt: skip
    told: set[Node] = set()
    for note, moved, index, error in found:
        if note.node in told:
            continue
        own = owns[not note.node.op.elementwise]
        beside = float(values[moved][index] if moved.shape else values[moved]) + 2 * error
        if any(
            somewhere((by / 2 > _MATTERS * abs(values[output]) + _NOTHING) & (by / 2 > _OWN * own[output]))
            for output, by in _moved(moved, index, beside, outputs, values)
        ):
            told.add(note.node)
            yield note


def roundings_in_trips(outputs: Sequence[Node], values: Mapping[Node, Array]) -> Iterator[Note]:
    """The same within the bodies of loops of few trips, in the first trip that has any: of what it hands on.

    Only where rounding the inputs does not move the outputs as far: a chaotic loop is none that loses digits.
    """
    from cgcli.evaluate.loops import values_in_trips

    order = toposort(outputs)
    for node in order:
        loop = node.params
        if not isinstance(loop, Loop) or (loop.trips or MOST_TRIPS) >= MOST_TRIPS:
            continue
        within = values_in_trips(loop, [values[arg] for arg in node.args])
        if found := next(filter(None, ([*roundings(loop.nexts, each)] for each in within)), []):
            own = _own_errors(outputs, order, values)
            if all(somewhere(own[output] * _OWN <= _MATTERS * abs(values[output])) for output in outputs):
                yield from found
            return


def _rounded(node: Node, values: Mapping[Node, Any]) -> Iterator[tuple[Note, Node, tuple[int, ...], float]]:
    """Where a value shows a rounding: what is told then, the node that was rounded, which element, and how far."""
    if not node.op.facts & ILL_CONDITIONED:
        return
    if not node.op.elementwise:
        for index, error in _cancelled(node, values):
            yield Note("lost", node, (), index, "digits to the rounding of its terms"), node, index, error
    else:
        for at, index, operands in _ill_conditioned(node, values):
            arg, note = node.args[at], Note("lost", node, operands, index, "digits to the rounding of its operands")
            yield note, arg, index if arg.shape else (), math.ulp(operands[at]) / 2


def _cancelled(node: Node, values: Mapping[Node, Any]) -> Iterator[tuple[tuple[int, ...], float]]:
    """The elements of a sum that are small beside their terms and not their sum: the first one, and its error."""
    args, kernel = [values[arg] for arg in node.args], kernel_of(node)
    with np.errstate(all="ignore"):
        small = np.asarray(abs(values[node]) < kernel(*map(np.abs, args), *node.params) * SMALL_SUM)
    if small.any():
        from fractions import Fraction

        exact = np.frompyfunc(Fraction, 1, 1)
        errors = abs(kernel(*map(exact, args), *node.params) - exact(values[node]))
        wrong = small & (errors > _MATTERS * np.abs(values[node]))
        for index in np.argwhere(wrong)[:1]:
            yield tuple(map(int, index)), float(np.asarray(errors)[tuple(index)])


def _ill_conditioned(
    node: Node, values: Mapping[Node, Any]
) -> Iterator[tuple[int, tuple[int, ...], tuple[float, ...]]]:
    """The computed operands whose rounding a value shows: their position, the first such element, its operands."""
    for at, arg in enumerate(node.args):
        if is_given(arg) or (arg.shape and arg.shape != node.shape):
            continue
        if not node.shape:
            if is_ill_conditioned(node, at, values):
                yield at, (), tuple(float(values[each]) for each in node.args)
            continue
        with np.errstate(all="ignore"):
            mask = is_ill_conditioned(node, at, values)
        if somewhere(mask):
            index = tuple(map(int, np.argwhere(mask)[0]))
            yield at, index, tuple(float(np.broadcast_to(values[each], node.shape)[index]) for each in node.args)


def _own_errors(
    outputs: Sequence[Node], order: Sequence[Node], values: Mapping[Node, Any], *, exact: bool = False
) -> dict[Node, Any]:
    """How far each output moves with half a unit in the last place of the inputs, and of constants with fractions.

    exact: whether whole numbers are the very ones that are meant, in inputs, too.
    """
    leaves = [node for node in order if is_given(node) and not (node.op is CONSTANT and _is_whole(values[node]))]
    own: dict[Node, Any] = dict.fromkeys(outputs, 0.0)
    for turn in (_alike, _by_turns):
        shaken = {}
        for at, node in enumerate(leaves):
            moving = values[node] % 1 != 0 if exact else True
            shaken[node] = values[node] * (1 + moving * turn(at, node.shape) * _STEPS * 2.0**-52)
        for output, other in zip(outputs, evaluate(outputs, {}, known=_known(order, values) | shaken), strict=True):
            before, moved = own[output], abs(other - values[output]) / (2 * _STEPS)
            if shape_of(moved):
                own[output] = np.maximum(before, moved)
            elif before == before and not moved <= before:  # the larger one, or nan
                own[output] = moved
    return own


def _alike(at: int, shape: tuple[int, ...]) -> Any:
    """All inputs and their elements up."""
    return 1


def _by_turns(at: int, shape: tuple[int, ...]) -> Any:
    """Up and down by turns; elements by different lengths, so that what is added up of them is seldom 0."""
    if not shape:
        return (-1) ** at
    count = at + np.arange(math.prod(shape))
    return ((-1.0) ** count * (1 - 0.5 * (count * 0.618 % 1))).reshape(shape)


def _known(order: Sequence[Node], values: Mapping[Node, Any]) -> dict[Node, Any]:
    """The values of what is given."""
    return {node: values[node] for node in order if is_given(node)}


def _is_whole(value: Any) -> bool:
    return not somewhere(value % 1 != 0)


def _elements(node: Node, values: Mapping[Node, Any]) -> Iterator[tuple[tuple[int, ...], float, tuple[float, ...]]]:
    """Each element of a node's value: its index, itself, and the operands that it comes from."""
    value, args = values[node], [values[arg] for arg in node.args]
    if not node.shape:
        yield (), float(value), tuple(map(float, args))
        return
    columns = [np.broadcast_to(arg, node.shape).ravel().tolist() for arg in args]
    for index, number, *operands in zip(np.ndindex(*node.shape), value.ravel().tolist(), *columns, strict=True):
        yield index, number, tuple(operands)


def _loss(node: Node, value: float, operands: Sequence[float]) -> _Loss | None:
    """What an operation on numbers loses, if it does."""
    op = node.op
    if op is ADD or op is SUBTRACT:
        left, right = operands
        smaller = left if abs(left) < abs(right) else right if op is ADD else -right
        if smaller and abs(value) == max(map(abs, operands)):
            step = _STEPS * math.ulp(value)
            return _Loss("the smaller term", value + math.copysign(step, smaller), abs(smaller) / step)
    elif abs(value) < LEAST:
        if all(abs(operand) >= LEAST for operand in operands) and _is_underflow(node, operands):
            return _Loss("a number below 1e-308", value + LEAST, 2.0**-53)
    elif value == 1 and len(operands) == 1 and 0 < abs(operands[0]) < _NEARBY and _at(node, 0.0) == 1:
        step = _STEPS * math.ulp(1.0)
        further = _at(node, math.copysign(_NEARBY, operands[0]))
        if further != 1:
            return _Loss("its difference from 1", 1.0 + math.copysign(step, further - 1.0), 1.0 / _STEPS)
    return None


def _is_underflow(node: Node, operands: Sequence[float]) -> bool:
    """Whether a value next to 0 is one below the smallest float, not a root, which other operands leave; nor a choice,
    nor a step."""
    if node.op.facts & CHOOSES or node.op.why_no_derivative:
        return False
    moved = (_at(node, *operands[:at], operand * (1 + step), *operands[at + 1 :])
             for at, operand in enumerate(operands) for step in (-_NEARBY, _NEARBY))  # fmt: skip
    return all(abs(value) < LEAST * 2 for value in moved)


def _at(node: Node, *operands: float) -> float:
    """The value of a node's operation of other numbers; nan where it has none."""
    if node.op.scalar is None:
        with np.errstate(all="ignore"):
            return float(node.op.kernel(*map(np.float64, operands), *node.params))
    try:
        return float(node.op.scalar(*operands, *node.params))
    except (ArithmeticError, ValueError):
        return math.nan


def _matters(
    node: Node, index: tuple[int, ...], loss: _Loss, outputs: Sequence[Node], values: Mapping[Node, Any]
) -> bool:
    """Whether an output would be another number, had the value of a node what was lost."""
    return any(
        somewhere(error * loss.part > _MATTERS * abs(values[output]) + _NOTHING)
        for output, error in _moved(node, index, loss.beside, outputs, values)
    )


def _moved(
    node: Node, index: tuple[int, ...], beside: float, outputs: Sequence[Node], values: Mapping[Node, Any]
) -> Iterator[tuple[Node, Any]]:
    """How far each output that a node reaches moves when one of the node's elements is another number."""
    moved: Any = beside
    if node.shape:
        moved = values[node].copy()
        moved[index] = beside
    after = dependents([node], toposort(outputs))
    known = {each: value for each, value in values.items() if each not in after}
    reached = [output for output in outputs if output in after]
    for output, other in zip(reached, evaluate(reached, {}, known={**known, node: moved}), strict=True):
        yield output, abs(other - values[output])
