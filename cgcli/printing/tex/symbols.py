"""Numbers as LaTeX, which pdflatex with amsmath and KaTeX both take."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from cgcli.printing.values import number

# What a number may be a simple multiple of, or a simple multiple of its inverse.
_FACTORS = (
    (1.0, ""), (math.pi, r"\pi"), (math.e, "e"), (math.sqrt(math.pi), r"\sqrt{\pi}"), (math.sqrt(2.0), r"\sqrt{2}"),
    (math.sqrt(math.tau), r"\sqrt{2 \pi}"), (math.log(2.0), r"\ln(2)"), (math.log(10.0), r"\ln(10)"),
)  # fmt: skip
_NOT_FINITE = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}
_LARGEST = 360  # numerator and denominator of what is taken for a fraction
_DYADIC = (2, 4, 8)  # denominators that are told from a decimal by nothing but taste ...
_DIGIT = 9  # ... so only with a numerator up to this


def decimal(value: float) -> str:
    """A number in decimals: `-2.5`, `1.5 \\cdot 10^{-5}`, `\\infty`."""
    return digits(number(value))


def digits(text: str) -> str:
    """A number as cg prints it, `1.23457e+08`, as LaTeX."""
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    mantissa, _, power = text.partition("e")
    exponent = int(power or 0)
    if "." not in text and text.endswith("000000"):
        leading = mantissa.strip("-0")
        exponent = len(mantissa.lstrip("-")) - 1
        mantissa = "-" * text.startswith("-") + leading[0] + "." * (len(leading) > 1) + leading[1:]
    if not exponent:
        return mantissa
    scale = f"10^{{{exponent}}}"
    return {"1": scale, "-1": f"-{scale}"}.get(mantissa, rf"{mantissa} \cdot {scale}")


@lru_cache(maxsize=4096)
def as_fraction(value: float) -> tuple[str, str] | None:
    """The numerator and denominator of a positive number that is plainly meant as an exact one, else None.

    Only a number that is the very float64 of that fraction: `1/3`, `\\pi/2`, `2/\\sqrt{\\pi}`. The denominator
    may be '1'.
    """
    if not 0 < value < math.inf or value.is_integer():
        return None
    if any((value * below).is_integer() and value * below <= _DIGIT for below in _DYADIC):
        return _ratio(Fraction(value), "", "")
    if len(repr(value)) <= 12:
        return None
    for factor, symbol in _FACTORS:
        ratio = Fraction(value / factor).limit_denominator(_LARGEST)
        if 0 < ratio.numerator <= _LARGEST and value in _products(ratio, factor):
            return _ratio(ratio, symbol, "")
        ratio = Fraction(value * factor).limit_denominator(_LARGEST)
        if 0 < ratio.numerator <= _LARGEST and value == ratio.numerator / (ratio.denominator * factor):
            return _ratio(ratio, "", symbol)
    return None


def _products(ratio: Fraction, factor: float) -> tuple[float, float]:
    above, below = ratio.numerator, ratio.denominator
    return above * factor / below, above / below * factor


def _ratio(ratio: Fraction, above: str, below: str) -> tuple[str, str]:
    return _times(ratio.numerator, above), _times(ratio.denominator, below)


def _times(count: int, symbol: str) -> str:
    return str(count) if not symbol else symbol if count == 1 else f"{count} {symbol}"
