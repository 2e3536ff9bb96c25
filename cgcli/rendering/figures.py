"""Numbers as a picture writes them: short, and without what only a machine reads."""

from __future__ import annotations

import math

from cgcli.graph.node import Node, constant_value
from cgcli.printing.values import number

DIGITS = 4  # significant ones
SMALL, LARGE = 1e-3, 1e6  # outside of them an exponent is written, with few digits
_SHORT = 8  # a constant is written as it is when all of it takes no more characters than this
_CONSTANTS = {math.pi: "π", math.e: "e", math.tau: "τ", -math.pi: "−π"}


def figure(value: float, precision: int | None = None, digits: int = DIGITS) -> str:
    """A number that was computed. precision: significant digits, instead of `digits` and of two with an exponent."""
    if not math.isfinite(value):
        return "nan" if value != value else "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if precision is not None:
        return _without_zeros(f"{value:.{precision}g}")
    if value == int(value) and abs(value) < LARGE:
        return str(int(value))
    text = f"{value:.{digits}g}"
    return _without_zeros(f"{value:.1e}" if "e" in text or abs(value) < SMALL else text)


def typed(value: float, precision: int | None = None) -> str:
    """A number that stands in the program: all of it when that is short."""
    exact = "0" if value == 0 else _without_zeros(number(value))
    return exact if math.isfinite(value) and len(exact) <= _SHORT and precision is None else figure(value, precision)


def sign_of(node: Node) -> str:
    """What a number that has a name is written with: `π`; '' for anything else."""
    value = constant_value(node)
    return "" if value is None else _CONSTANTS.get(value, "")


def _without_zeros(text: str) -> str:
    """`1.0e-05` as `1e-5`."""
    mantissa, exponent_sign, exponent = text.partition("e")
    if exponent_sign:
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}e{int(exponent)}"
    return text
