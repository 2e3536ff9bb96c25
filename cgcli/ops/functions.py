"""Elementary functions: exponentials, logarithms, trigonometric and hyperbolic functions.

Each line is an entry: name, meaning, kernel, then the partial derivative as a formula in
the arguments' names and `out`, the value itself. Formulas are chosen for their accuracy:
1/cosh(x)^2 keeps every digit where 1 - tanh(x)^2 cancels. Outside the real domain the
value is nan, and so is each partial to every order, even where its formula alone would be
finite: `where(out == out, 1/x, out)`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cgcli.graph.operation import POSITIVE, REAL, Kink, Operation
from cgcli.ops.entry import elementwise

_ABOVE_ONE = (1.0, float("inf"))
_UNIT = (-1.0, 1.0)


def _sec(x: Any) -> Any:
    return 1.0 / np.cos(x)


def _csc(x: Any) -> Any:
    return 1.0 / np.sin(x)


def _cot(x: Any) -> Any:
    return 1.0 / np.tan(x)


LN = elementwise("ln", "natural logarithm", np.log, "where(out == out, 1/x, out)", samples=POSITIVE, aliases="log",
                 domain="x > 0", example="ln(e^2)", latex=r"\ln")  # fmt: skip
LOG2 = elementwise("log2", "logarithm to base 2", np.log2, "where(out == out, 1/(x*ln(2)), out)", samples=POSITIVE,
                   domain="x > 0", example="log2(8)", latex=r"\log_{2}")  # fmt: skip
LOG10 = elementwise("log10", "logarithm to base 10", np.log10, "where(out == out, 1/(x*ln(10)), out)",
                    samples=POSITIVE, domain="x > 0", example="log10(1000)", latex=r"\log_{10}")  # fmt: skip

ENTRIES: tuple[Operation, ...] = (
    elementwise("exp", "e to the power x", np.exp, "out", example="exp(1)", latex=r"\exp"),
    elementwise("expm1", "exp(x) - 1, exact near 0", np.expm1, "exp(x)", example="expm1(1e-10)",
                latex="e^{#1} - 1"),
    elementwise("exp2", "2 to the power x", np.exp2, "out*ln(2)", example="exp2(10)", latex="2^{#1}"),
    LN,
    elementwise("log1p", "ln(1 + x), exact near 0", np.log1p, "where(out == out, 1/(1 + x), out)",
                samples=(-1.0, float("inf")), domain="x > -1", example="log1p(1e-10)",
                latex=r"\ln(1 + #1)"),
    LOG2,
    LOG10,

    elementwise("sin", "sine, x in radians", np.sin, "cos(x)", example="sin(90*deg)", latex=r"\sin"),
    elementwise("cos", "cosine, x in radians", np.cos, "-sin(x)", example="cos(pi)", latex=r"\cos"),
    elementwise("tan", "tangent, x in radians", np.tan, "1 + out^2", domain="cos(x) != 0", example="tan(1)",
                latex=r"\tan"),
    elementwise("asin", "inverse sine, in radians", np.arcsin, "1/sqrt((1 - x)*(1 + x))",
                samples=_UNIT, aliases="arcsin", domain="-1 <= x <= 1", example="asin(1)", latex=r"\arcsin"),
    elementwise("acos", "inverse cosine, in radians", np.arccos, "-1/sqrt((1 - x)*(1 + x))",
                samples=_UNIT, aliases="arccos", domain="-1 <= x <= 1", example="acos(-1)", latex=r"\arccos"),
    elementwise("atan", "inverse tangent, in radians", np.arctan, "1/(1 + x^2)", aliases="arctan", example="atan(1)",
                latex=r"\arctan"),
    elementwise("atan2", "angle of the point (x, y) from the x axis", np.arctan2,
                "h = hypot(x, y); where(h == 0, 0, x/h/h)", "h = hypot(x, y); where(h == 0, 0, -y/h/h)",
                arrays="y x", samples=(REAL, REAL), aliases="arctan2",
                kink=Kink(lambda y, x: (x == 0) & (y == 0), "the derivative of atan2 at (0, 0) is taken as 0"),
                example="atan2(1, -1)"),
    elementwise("sec", "1/cos(x)", _sec, "out*tan(x)", domain="cos(x) != 0", example="sec(pi)", latex=r"\sec"),
    elementwise("csc", "1/sin(x)", _csc, "-out*cot(x)", domain="sin(x) != 0", example="csc(pi/2)", latex=r"\csc"),
    elementwise("cot", "1/tan(x)", _cot, "-(1 + out^2)", domain="sin(x) != 0", example="cot(1)", latex=r"\cot"),

    elementwise("sinh", "hyperbolic sine", np.sinh, "cosh(x)", example="sinh(1)", latex=r"\sinh"),
    elementwise("cosh", "hyperbolic cosine", np.cosh, "sinh(x)", example="cosh(0)", latex=r"\cosh"),
    elementwise("tanh", "hyperbolic tangent", np.tanh, "1/cosh(x)^2", example="tanh(1)", latex=r"\tanh"),
    elementwise("asinh", "inverse hyperbolic sine", np.arcsinh, "1/hypot(1, x)", aliases="arcsinh", example="asinh(1)",
                latex=r"\operatorname{arsinh}"),
    elementwise("acosh", "inverse hyperbolic cosine", np.arccosh,
                "where(out == out, 1/(sqrt(x - 1)*sqrt(x + 1)), out)", samples=_ABOVE_ONE, aliases="arccosh",
                domain="x >= 1", example="acosh(1)", latex=r"\operatorname{arcosh}"),
    elementwise("atanh", "inverse hyperbolic tangent", np.arctanh,
                "where(out == out, 1/((1 - x)*(1 + x)), out)", samples=_UNIT, aliases="arctanh",
                domain="-1 < x < 1", example="atanh(0.5)", latex=r"\operatorname{artanh}"),
)  # fmt: skip
