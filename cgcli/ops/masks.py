"""Elements chosen by a mask, without a branch for each of them, which takes its time where nobody can foretell it."""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.ops.lazily import np

_MANY = 2**14  # elements, from which on numpy's own choice takes longer, as its guesses fail


def chosen(holds: Any, yes: Any, no: Any) -> Any:
    """`yes` where it holds, else `no`, as numpy's where. holds: bools."""
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
