"""A value and its standard uncertainty as text, rounded as the Guide says: JCGM 100:2008, 7.2.6."""

from __future__ import annotations

import math
from decimal import Context, Decimal

from cgcli.annotations import Any
from cgcli.graph.shapes import as_lists
from cgcli.printing.values import nested, number

_CONTEXT = Context(prec=800)  # any float to any place
_PLAIN = range(-4, 16)  # exponents of numbers that are written without one


def rounded(value: float, error: float, digits: int | None = None) -> tuple[str, str]:
    """Both as text: the uncertainty with so many significant digits, 2 unless given, the value to the same place."""
    if not math.isfinite(value) or not math.isfinite(error) or error == 0:
        return number(value + 0.0), number(error)
    digits = digits or 2
    place = int(f"{error:.{digits - 1}e}".partition("e")[2]) - digits + 1
    ends = [_CONTEXT.quantize(Decimal(repr(float(each))), Decimal((0, (1,), place))) for each in (value, error)]
    ends[0] = abs(ends[0]) if not ends[0] else ends[0]
    if max(end.adjusted() for end in ends if end) in _PLAIN:
        return f"{ends[0]:f}", f"{ends[1]:f}"
    text, other = (f"{end:.{max(end.adjusted() - place, 0)}e}" if end else "0" for end in ends)
    return text, other


def uncertain(value: Any, error: Any, digits: int | None = None) -> str:
    """`11.65 ± 0.57`; of arrays `[1.0, 2.0] ± [0.1, 0.2]`."""
    lists = [as_lists(value), as_lists(error)]
    texts = [rounded(one, other, digits) for one, other in zip(_flat(lists[0]), _flat(lists[1]), strict=True)]
    return " ± ".join(_nested(item, [pair[at] for pair in texts]) for at, item in enumerate(lists))


def _flat(item: Any) -> list[float]:
    return [number for part in item for number in _flat(part)] if isinstance(item, list) else [item]


def _nested(lists: Any, texts: list[str]) -> str:
    """The texts in brackets as the numbers of the lists."""
    left = iter(texts)
    return nested(lists, None, lambda *_: next(left))
