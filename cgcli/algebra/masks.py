"""The algebraic rules for constant masks, which choose the elements of an array that a derivative counts."""

from __future__ import annotations

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import fraction_of
from cgcli.algebra.known import known_value
from cgcli.annotations import Any
from cgcli.evaluate.constants import computed
from cgcli.graph.node import Node, apply
from cgcli.graph.operation import Operation, Params
from cgcli.ops.lazily import np
from cgcli.ops.logic import AND_OP, WHERE


def masked(canonical: Canonical, op: Operation, args: tuple[Node, ...], params: Params) -> Node | None:
    """where(mask, x, y) with a constant mask: x or y where it holds everywhere or nowhere.

    where(mask, x, 0) is x if x has a value everywhere, which is 0 where the mask does not hold.
    """
    condition, yes, no = args
    mask = _known_mask(condition)
    if mask is None:
        return None
    shape = apply(op, args, params).shape
    if np.all(mask) or not np.any(mask):
        return canonical.fitted(yes if np.all(mask) else no, shape)
    if fraction_of(no) != 0:
        return None
    if not canonical.domains.is_total(yes):
        return _without_mask(canonical, op, args, mask != 0)
    inside = np.broadcast_to(mask != 0, shape) | ~np.broadcast_to(canonical.domains.patterns.of(yes), shape)
    return canonical.fitted(yes, shape) if np.all(inside) else None


def _known_mask(condition: Node) -> Any:
    """The value of a condition that is known; of `x and zeros`, too."""
    mask = known_value(condition)
    if mask is None and condition.op is AND_OP:
        return next(
            (value for arg in condition.args if (value := known_value(arg)) is not None and not np.any(value)), None
        )
    return mask


def _without_mask(canonical: Canonical, op: Operation, args: tuple[Node, ...], mask: Any) -> Node | None:
    """where([1, 0], [1, 0]*x, 0) = where([1, 0], x, 0)."""
    condition, yes, no = args
    product = canonical.product_of(yes)
    known = {base: known_value(base) for base, number in product.powers.items() if number == 1}
    ones = [base for base, value in known.items() if value is not None and np.all((value == 1) | ~mask)]
    return apply(op, (condition, canonical.product(product.without(ones)), no)) if ones else None


def times_masked(canonical: Canonical, op: Operation, args: tuple[Node, ...], params: Params) -> Node | None:
    """a @ where(mask, b, 0) = a @ b, if a is 0 wherever it meets an element that the mask leaves out."""
    for at, arg in enumerate(args):
        if arg.op is not WHERE or fraction_of(arg.args[2]) != 0 or not canonical.domains.is_total(arg.args[1]):
            continue
        mask = known_value(arg.args[0])
        if mask is None:
            continue
        left_out = np.broadcast_to(mask == 0, arg.shape).astype(float)
        pattern_of = canonical.domains.patterns.of
        patterns = [left_out if place == at else pattern_of(args[place]).astype(float) for place in (0, 1)]
        if not np.any(computed(op, patterns, params)):
            inside = canonical.fitted(arg.args[1], arg.shape)
            return apply(op, tuple(inside if place == at else args[place] for place in (0, 1)))
    return None
