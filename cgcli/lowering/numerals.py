"""Numerals with more digits than a float64 holds, as graphs of constants that it holds."""

from __future__ import annotations

import re

from cgcli.graph.node import Node, apply, constant
from cgcli.ops.arithmetic import ADD, MULTIPLY, NEG, POWER_OP
from cgcli.ops.many import IRRATIONAL

_NUMERAL = r"(?a:[\d_]*\.?\d[\d_]*\.?(?:[eE][-+]?\d+)?)"
_DIGITS = 15  # of a number that a float64 always tells from others
_SMALLEST, _LARGEST = 1e-290, 1e290  # between them a float64 has all its digits


def exact_numeral(value: float, text: str) -> Node:
    """The decimal number of a numeral. value: its float64, which tells the sign; text: how it is written, a sign
    and brackets around it included.

    A constant stands for the shortest decimal number that is read as its float64. Where that is another one, or the
    constant would mean pi, the numeral is made of its digits, fifteen at a time.
    """
    written = re.search(_NUMERAL, text)
    if written is None:  # a superscript
        return constant(value)
    if len(re.findall(r"\d", written[0].lower().partition("e")[0])) <= _DIGITS and _SMALLEST < abs(value) < _LARGEST:
        return constant(value)  # the only number of so few digits that is read as this float64
    from decimal import Decimal

    number = Decimal(written[0].replace("_", ""))
    if abs(value) not in IRRATIONAL and number == Decimal(repr(abs(value))):
        return constant(value)
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    whole = "".join(map(str, digits))
    first = len(whole) % _DIGITS or _DIGITS
    total = constant(float(whole[:first]))
    for at in range(first, len(whole), _DIGITS):
        total = apply(MULTIPLY, (total, constant(10.0**_DIGITS)))
        total = apply(ADD, (total, constant(float(whole[at : at + _DIGITS]))))
    if exponent:
        total = apply(MULTIPLY, (total, apply(POWER_OP, (constant(10.0), constant(float(exponent))))))
    return apply(NEG, (total,)) if value < 0 else total
