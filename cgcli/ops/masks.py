"""Elements chosen by a mask, or by a bound, in the ways that are quick on many of them."""

from __future__ import annotations

import math

from cgcli.annotations import Any
from cgcli.lean import cache
from cgcli.ops.lazily import np

_MANY = 2**14  # elements, from which on numpy's own choice takes longer, as its guesses fail
_ROW = 2**13  # how often a number is written down, for numpy is slow to compare many with one


def bounded(extreme: Any, x: Any, bound: Any) -> Any:
    """numpy's maximum or minimum of x and a bound."""
    size = getattr(x, "size", 0)
    if size < 2 * _ROW or getattr(bound, "ndim", 0) or x.dtype != np.float64 or not x.flags.c_contiguous:
        return extreme(x, bound)
    row = _row(float(bound))
    result = np.empty(x.shape)
    if not (rest := size % _ROW):
        extreme(x.reshape(-1, _ROW), row, out=result.reshape(-1, _ROW))
        return result
    flat, into = x.reshape(-1), result.reshape(-1)
    extreme(flat[rest:].reshape(-1, _ROW), row, out=into[rest:].reshape(-1, _ROW))
    extreme(flat[:rest], row[:rest], out=into[:rest])
    return result


def _row(number: float) -> Any:
    return _zeros() if number == 0 and math.copysign(1.0, number) > 0 else np.full(_ROW, number)


@cache
def _zeros() -> Any:
    return np.zeros(_ROW)


def chosen(holds: Any, yes: Any, no: Any) -> Any:
    """`yes` where it holds, else `no`, as numpy's where, without a branch for each, which nobody can foretell.

    holds: bools.
    """
    yes, no = np.asarray(yes), np.asarray(no)
    if holds.size < _MANY or not yes.dtype == no.dtype == np.float64:
        return np.where(holds, yes, no)
    yes, no, bits = yes.view(np.int64), no.view(np.int64), _bits(holds)
    differing = yes ^ no if no.ndim or no else yes
    result = np.bitwise_and(differing, bits, out=bits if bits.shape == differing.shape else None)
    if differing is not yes:
        result = np.bitwise_xor(result, no, out=result if result.ndim >= no.ndim else None)
    return result.view(np.float64)


def masked(holds: Any, x: Any) -> Any:
    """x where it holds, else 0; arrays of one shape."""
    if x.dtype != np.float64:
        return np.where(holds, x, 0.0)
    bits = _bits(holds)
    return np.bitwise_and(bits, x.view(np.int64), out=bits).view(np.float64)


def _bits(holds: Any) -> Any:
    """All bits where it holds, else none."""
    bits = holds.astype(np.int64)
    return np.negative(bits, out=bits)
