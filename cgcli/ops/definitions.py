"""Elementary functions and activations that are defined by others: each is a formula in the language.

It stands in place of the call, so that kernels, derivatives, bounds and digits are those of its parts, which are chosen
so that they keep their digits. What has none such is in elementary.py.
"""

from __future__ import annotations

from cgcli.graph.node import Node, apply, constant, constant_value
from cgcli.graph.operation import Params, Shorthand, Static
from cgcli.ops.arithmetic import CBRT, DIVIDE, EQUAL_TO, MOD, MULTIPLY, NEG, POWER_OP, ROUND, SQRT
from cgcli.ops.logic import AND_OP, LESS, WHERE
from cgcli.ops.statics import number, whole

_LARGEST = 1.7976931348623157e308


def _defined(
    name: str, doc: str, formula: str, *statics: Static, arrays: str = "x", aliases: str = "", domain: str = "",
    example: str = "",
) -> Shorthand:  # fmt: skip
    names = tuple(arrays.split())
    return Shorthand(name, doc, names, formula, statics, aliases=tuple(aliases.split()), domain=domain,
                     example=example or f"{name}({', '.join(['0.5'] * len(names))})")  # fmt: skip


def _rounded(args: tuple[Node, ...], params: Params) -> Node:
    """As numpy does it: by a power of ten, which is exact itself."""
    (x,), (digits,) = args, params
    assert isinstance(digits, int)
    scale = constant(10.0 ** abs(digits))
    there, back = (MULTIPLY, DIVIDE) if digits >= 0 else (DIVIDE, MULTIPLY)
    return apply(back, (apply(ROUND, (apply(there, (x, scale)),)), scale))


def _root(args: tuple[Node, ...], params: Params) -> Node:
    """By the dedicated kernels for 2 and 3: root(125, 3) is 5, not 4.999999999999999."""
    x, n = args
    dedicated = {2.0: SQRT, 3.0: CBRT}.get(constant_value(n) or 0.0)
    if dedicated:
        return apply(dedicated, (x,))
    turned = apply(AND_OP, (apply(LESS, (x, constant(0.0))), _is_odd(n)))
    exponent = apply(DIVIDE, (constant(1.0), n))
    mirrored = apply(NEG, (apply(POWER_OP, (apply(NEG, (x,)), exponent)),))
    return apply(WHERE, (turned, mirrored, apply(POWER_OP, (x, exponent))))


def _is_odd(n: Node) -> Node:
    known = constant_value(n)
    if known is not None:
        return constant(float(known % 2 == 1))
    return apply(EQUAL_TO, (apply(MOD, (n, constant(2.0))), constant(1.0)))


ENTRIES: tuple[Shorthand, ...] = (
    _defined("csch", "1/sinh(x)", "1/sinh(x)", domain="x != 0"),
    _defined("coth", "1/tanh(x)", "1/tanh(x)", domain="x != 0"),
    _defined("exp10", "10 to the power x", "10^x", example="exp10(3)"),
    _defined("degrees", "x radians in degrees", "x*(180/pi)", aliases="rad2deg", example="degrees(pi)"),
    _defined("radians", "x degrees in radians", "x*deg", aliases="deg2rad", example="radians(180)"),
    _defined("reciprocal", "1/x", "1/x", domain="x != 0", example="reciprocal(4)"),
    _defined("rsqrt", "1/sqrt(x)", "1/sqrt(x)", domain="x > 0", example="rsqrt(4)"),
    Shorthand("root", "the real n-th root of x, of a negative one for odd n", ("x", "n"), _root, aliases=("nthroot",),
              example="root(-32, 5)"),
    Shorthand("round", "x with so many digits behind the point, halves to even", ("x",), _rounded,
              (whole("digits", least=-300, most=300),), example="round(pi, 2)"),
    _defined("heaviside", "0 below 0, 1 above, and h at 0", "where(x == 0, h, (1 + sign(x))/2)", arrays="x h",
             example="heaviside(0, 0.5)"),
    _defined("copysign", "|x| with the sign of y, that of a 0 too", "abs(x)*sign(atan2(y, -1))", arrays="x y",
             example="copysign(3, -0.0)"),
    _defined("fmax", "the larger one; of a number and nan the number",
             "where(x != x, y, where(y != y, x, max(x, y)))", arrays="x y", example="fmax(nan, 3)"),
    _defined("fmin", "the smaller one; of a number and nan the number",
             "where(x != x, y, where(y != y, x, min(x, y)))", arrays="x y", example="fmin(nan, 3)"),
    _defined("nan_to_num", "numbers in place of nan and infinities",
             "where(x != x, nan, where(x == inf, posinf, where(x == -inf, neginf, x)))", number("nan", 0.0),
             number("posinf", _LARGEST), number("neginf", -_LARGEST), example="nan_to_num(nan)"),

    _defined("log_sigmoid", "ln(sigmoid(x)), exact for all x", "-softplus(-x)", aliases="logsigmoid",
             example="log_sigmoid(-1000)"),
    _defined("mish", "x*tanh(softplus(x))", "x*tanh(softplus(x))"),
    _defined("selu", "elu with alpha 1.673…, times 1.05…", "1.0507009873554805*elu(x, 1.6732632423543772)"),
    _defined("celu", "x where positive, else alpha*(exp(x/alpha) - 1)", "alpha*elu(x/alpha)", number("alpha", 1.0)),
    _defined("hardsigmoid", "x/6 + 1/2, kept between 0 and 1", "clip(x + 3, 0, 6)/6"),
    _defined("hardswish", "x*hardsigmoid(x)", "x*clip(x + 3, 0, 6)/6"),
    _defined("hardtanh", "x, kept between two numbers", "clip(x, min_val, max_val)", number("min_val", -1.0),
             number("max_val", 1.0), example="hardtanh(2)"),
    _defined("relu6", "x, kept between 0 and 6", "clip(x, 0, 6)", example="relu6(7)"),
    _defined("softshrink", "x moved towards 0 by lambd, and 0 nearer to it", "relu(x - lambd) - relu(-x - lambd)",
             number("lambd", 0.5), example="softshrink(2)"),
    _defined("hardshrink", "x, and 0 where |x| is not above lambd", "where(abs(x) <= lambd, 0, x)",
             number("lambd", 0.5), example="hardshrink(2)"),
    _defined("threshold", "x where it is above the threshold, else value", "where(x <= threshold, value, x)",
             arrays="x threshold value", example="threshold(2, 1, 0)"),
)  # fmt: skip
