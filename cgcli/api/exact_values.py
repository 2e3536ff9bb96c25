"""Values of names with all their digits: texts, and Python's numbers that are no floats."""

from __future__ import annotations

from numbers import Rational, Real

from cgcli.annotations import Any
from cgcli.api.value_texts import exact_of_text
from cgcli.api.values import as_array
from cgcli.errors import DataError
from cgcli.evaluate.constants import as_constant
from cgcli.graph.node import Node

_ALL_WHOLE = 2**53  # up to here every integer is a float
_LONG = ("int64", "uint64", "object")  # numpy's types whose numbers may be no floats


def exact_of(value: Any, what: str) -> Node:
    """The graph of a value: of a text an expression, of a float the decimal number that Python prints for it.

    An integer, a Fraction, a Decimal and a number of mpmath are themselves, also in lists and in arrays. what: what
    messages call it. Raises as `of_text` and `as_array` do.
    """
    if not isinstance(value, str):
        listed = value.tolist() if str(getattr(value, "dtype", "")) in _LONG else value
        if not _beyond_floats(listed):
            return as_constant(as_array(value, what))
        try:
            value = _as_typed(listed, what)
        except ValueError:
            raise DataError(f"{what} has an integer of more digits than Python writes") from None
    (node,) = exact_of_text(value, what)
    return node


def _beyond_floats(value: Any) -> bool:
    """Whether a number may be none that floats have, or one in lists."""
    from decimal import Decimal

    if isinstance(value, list | tuple):
        return any(map(_beyond_floats, value))
    if isinstance(value, int):
        return abs(value) > _ALL_WHOLE
    return isinstance(value, Rational | Decimal) or hasattr(value, "_mpf_")


def _as_typed(value: Any, what: str) -> str:
    """What one would type for a number, or for lists of them."""
    from decimal import Decimal

    if isinstance(value, list | tuple):
        return f"[{', '.join(_as_typed(each, what) for each in value)}]"
    if isinstance(value, Rational):
        return str(int(value) if isinstance(value, int) else value)
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else str(float(value))
    if hasattr(value, "_mpf_"):
        sign, mantissa, exponent, _ = value._mpf_
        return f"{'-' * sign}{mantissa}*2^{exponent}" if mantissa or not exponent else str(float(value))
    if not isinstance(value, Real):
        raise DataError(f"{what} is not a number or a list of numbers")
    return repr(float(value))
