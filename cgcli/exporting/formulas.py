"""What an operation is in simpler ones, as formulas of the language: for a target that has no word for it."""

from __future__ import annotations

import math
from functools import reduce

from cgcli.annotations import Callable, Mapping, Sequence
from cgcli.graph.body import Body, inlined
from cgcli.graph.loops import Loop, States
from cgcli.graph.node import Node, apply, constant, is_given, rebuild, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.lowering.formula import expand, lower_formula, names_of
from cgcli.ops.determinants import COFACTOR
from cgcli.ops.reductions import SIZE
from cgcli.ops.special import ERFC_COEFFICIENTS
from cgcli.transform.exact import exact

_LARGEST = "top = max(x, axis=axis, keepdims=1); far = where(abs(top) == inf, 0, top); "
_MOST_MINORS = 6  # the rows of a matrix whose determinant's derivative is written
_MANY = 12  # rounds of formulas within formulas, which none has

_DIGAMMA = (
    "u = x < 0 ? 1 - x : x; z = u + 8; "
    "ln(z) - 1/(2*z) - (1/12 - (1/120 - (1/252 - (1/240 - (1/132 - 691/32760/z^2)/z^2)/z^2)/z^2)/z^2)/z^2 "
    "- (1/u + 1/(u + 1) + 1/(u + 2) + 1/(u + 3) + 1/(u + 4) + 1/(u + 5) + 1/(u + 6) + 1/(u + 7)) "
    "- (x >= 0 ? 0 : x == -inf ? nan : x == floor(x) ? inf : pi/tan(pi*(x - round(x))))"
)
_TRIGAMMA = (  # Abramowitz and Stegun, 6.4.12 and 6.4.7
    "u = x < 0 ? 1 - x : x; z = u + 8; w = 1/z^2; "
    "y = 1/z + w/2 + w/z*(1/6 - w*(1/30 - w*(1/42 - w*(1/30 - w*(5/66 - w*(691/2730 - w*7/6)))))) "
    "+ 1/u^2 + 1/(u + 1)^2 + 1/(u + 2)^2 + 1/(u + 3)^2 + 1/(u + 4)^2 + 1/(u + 5)^2 + 1/(u + 6)^2 + 1/(u + 7)^2; "
    "x >= 0 ? y : x == -inf ? nan : (pi/sin(pi*(x - round(x))))^2 - y"
)
_LGAMMA = (  # Stirling's series, eight places to the right; Abramowitz and Stegun, 6.1.40 and 6.1.17
    "u = x < 0.5 ? 1 - x : x; z = u > 1e10 ? u : u + 8; "
    "p = u > 1e10 ? 0 : ln(u*(u + 1)*(u + 2)*(u + 3)*(u + 4)*(u + 5)*(u + 6)*(u + 7)); "
    "s = (1/12 - (1/360 - (1/1260 - (1/1680 - (1/1188 - 691/360360/z^2)/z^2)/z^2)/z^2)/z^2)/z; "
    "l = u == inf ? inf : (z - 0.5)*ln(z) - z + ln(2*pi)/2 + s - p; "
    "x == 1 || x == 2 ? 0 : x >= 0.5 ? l : x == floor(x) ? (x == -inf ? x : inf) "
    ": ln(pi/abs(sin(pi*(x - round(x))))) - l"
)
_GAMMA = (
    "x >= 0.5 ? exp(lgamma(x)) : x == floor(x) ? (x == 0 ? 1/x : nan)"
    " : pi/(sin(pi*(x - round(x)))*(round(x)/2 == floor(round(x)/2) ? 1 : -1)*exp(lgamma(1 - x)))"
)


def _nested(coefficients: Sequence[float], variable: str) -> str:
    """A polynomial from the highest power down."""
    text = f"({coefficients[0]!r})"
    for coefficient in coefficients[1:]:
        text = f"({text}*{variable} + ({coefficient!r}))"
    return text


_ERFC_TAIL = (  # the polynomial of the kernel on arrays, and exp(-x^2) without the rounding of x^2
    "size = min(abs(x), 28); part = size/(size + 3); v = part - 0.5; "
    "high = size*134217729 - (size*134217729 - size); "
    f"y = (1 + part*{_nested(ERFC_COEFFICIENTS, 'v')})/(1 + size)*exp(-high*high)*exp((high - size)*(high + size)); "
    "x < 0 ? 2 - y : y"
)
_ERF = (
    "abs(x) < 0.5 ? 2/sqrt(pi)*x*(1 - x^2*(1/3 - x^2*(1/10 - x^2*(1/42 - x^2*(1/216 - x^2*(1/1320 - x^2*(1/9360 "
    "- x^2*(1/75600 - x^2*(1/685440 - x^2/6894720))))))))) : (x == x ? sign(x)*(1 - erfc(abs(x))) : x)"
)

FORMULAS: Mapping[str, str] = {
    "sec": "1/cos(x)",
    "csc": "1/sin(x)",
    "cot": "1/tan(x)",
    "sech": "1/cosh(x)",
    "asec": "acos(1/x)",
    "acsc": "asin(1/x)",
    "acot": "x == 0 ? pi/2 : atan(1/x)",
    "asech": "acosh(1/x)",
    "acsch": "asinh(1/x)",
    "acoth": "atanh(1/x)",
    "logit": "abs(x - 0.5) < 0.2 ? 2*atanh(2*x - 1) : ln(x/(1 - x))",
    "sinpi": "r = x - 2*round(x/2); a = abs(r); sign(r)*sin(pi*(a > 0.5 ? 1 - a : a))",
    "cospi": "sin(pi*(0.5 - abs(x - 2*round(x/2))))",
    "softsign": "abs(x) == inf ? sign(x) : x/(1 + abs(x))",
    "tanhshrink": "s = x^2; abs(x) < 0.1 ? x*s*(1/3 - s*(2/15 - s*(17/315 - s*(62/2835 - s*(1382/155925 "
                  "- s*21844/6081075))))) : x - tanh(x)",
    "exp2": "2^x",
    "log2": "ln(x)/ln(2)",
    "log10": "ln(x)/ln(10)",
    "expm1": "h = x/2; abs(x) < 0.5 ? 2*sinh(h)*exp(h) : exp(x) - 1",
    "log1p": "u = 1 + x; u == 1 ? x : (abs(x) < 0.5 ? ln(u)*x/(u - 1) : ln(u))",
    "sinh": "a = abs(x); h = exp(a/2); s = x^2; sign(x)*(a < 0.5 ? "
            "a*(1 + s/6*(1 + s/20*(1 + s/42*(1 + s/72*(1 + s/110)))))"
            " : h/2*h - 1/h/(2*h))",
    "cosh": "h = exp(abs(x)/2); h/2*h + 1/h/(2*h)",
    "tanh": "u = expm1(-2*abs(x)); -sign(x)*u/(2 + u)",
    "asinh": "a = abs(x); s = sqrt(a*a + 1); sign(x)*(a > 1e150 ? ln(a) + ln(2) : log1p(a + a*a/(1 + s)))",
    "acosh": "x > 1e150 ? ln(x) + ln(2) : ln(x + sqrt((x - 1)*(x + 1)))",
    "atanh": "sign(x)*log1p(2*abs(x)/(1 - abs(x)))/2",
    "hypot": "a = max(abs(x), abs(y)); b = min(abs(x), abs(y)); a == 0 || a == inf ? a : a*sqrt(1 + (b/a)^2)",
    "floor_divide": "floor(x/y)",
    "mod": "abs(y) == inf && abs(x) < inf ? (x == 0 || (x < 0) == (y < 0) ? x : y) "
           ": x == y*floor(x/y) ? 0*y : x - y*floor(x/y)",
    "fmod": "abs(y) == inf && abs(x) < inf ? x : x - y*trunc(x/y)",
    "cbrt": "sign(x)*abs(x)^(1/3)",
    "trunc": "sign(x)*floor(abs(x))",
    "ceil": "-floor(-x)",
    "round": "n = floor(x + 0.5); n - x == 0.5 && n/2 != floor(n/2) ? n - 1 : n",
    "sign": "x > 0 ? 1 : (x < 0 ? -1 : x)",
    "clip": "min(max(x, low), high)",
    "sigmoid": "a = exp(-abs(x)); (x < 0 ? a : 1)/(1 + a)",
    "softplus": "logaddexp(0, x)",
    "logaddexp": "x == y ? x + ln(2) : max(x, y) + log1p(exp(-abs(x - y)))",
    "xlogy": "x == 0 && y == y ? 0 : x*ln(y)",
    "relu": "max(x, 0)",
    "leaky_relu": "x > 0 ? x : slope*x",
    "elu": "x > 0 ? x : alpha*expm1(x)",
    "silu": "x*sigmoid(x)",
    "gelu": "x*erfc(-x/sqrt(2))/2",
    "erf": _ERF,
    "erfc": _ERFC_TAIL,
    "gamma": _GAMMA,
    "lgamma": _LGAMMA,
    "digamma": _DIGAMMA,
    "digamma'": _TRIGAMMA,
    "sinc'": "t = pi*x; s = t^2; abs(t) < 1 ? -pi*t*(1/3 - s*(1/30 - s*(1/840 - s*(1/45360 - s*(1/3991680 "
             "- s*(1/518918400 - s/93405312000)))))) : (cos(t) - sinc(x))/x",
    "sinc": "x == 0 ? 1 : sin(pi*x)/(pi*x)",
    "stop_gradient": "x",
    "mean": "sum(x, axis=axis, keepdims=keepdims)/size(x, axis=axis)",
    "norm": "top = max(abs(x), axis=axis, keepdims=1); far = where(top == 0 || top == inf, 1, top); "
            "max(far, axis=axis, keepdims=keepdims)*sqrt(sum((x/far)^2, axis=axis, keepdims=keepdims))",
    "logsumexp": _LARGEST + "max(far, axis=axis, keepdims=keepdims) + "
                 "ln(sum(exp(x - far), axis=axis, keepdims=keepdims))",
    "softmax": _LARGEST + "u = exp(x - far); u/sum(u, axis=axis, keepdims=1)",
    "log_softmax": _LARGEST + "x - far - ln(sum(exp(x - far), axis=axis, keepdims=1))",
}  # fmt: skip


class NotInTargetError(Exception):
    """An operation that a target has no word for, and that is no formula of what it has; the node that applies it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        super().__init__(node.op.name)


def in_terms_of(outputs: Sequence[Node], has: Callable[[Node], bool]) -> tuple[Node, ...]:
    """The outputs in operations that a target has. Raises NotInTargetError."""
    outputs = inlined(outputs)
    for _ in range(_MANY):
        lacking = [node for node in toposort(outputs) if not is_given(node) and (node.op is SIZE or not has(node))]
        if not lacking:
            return _with_bodies(outputs, has)
        unknown = next((node for node in lacking if not _has_formula(node)), None)
        if unknown is not None:
            raise NotInTargetError(unknown)
        lacks = {node.op for node in lacking}

        def make(op: Operation, args: tuple[Node, ...], params: Params, lacks: set[Operation] = lacks) -> Node:
            if op is SIZE:
                (axes,) = params
                assert isinstance(axes, tuple)
                return constant(float(math.prod(args[0].shape[axis] for axis in axes)))
            return in_simpler_ones(op, args, params) if op in lacks else exact(op, args, params)

        become = rebuild(outputs, make)
        outputs = [become[output] for output in outputs]
    raise AssertionError("a formula needs itself")


def _with_bodies(outputs: Sequence[Node], has: Callable[[Node], bool]) -> tuple[Node, ...]:
    """The outputs with what their loops hold in operations that a target has, too."""

    def make(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
        if isinstance(params, Loop | States):
            body = params.body
            params = params._replace(body=Body(body.parameters, in_terms_of(body.outputs, has)))
        return apply(op, args, params)

    become = rebuild(outputs, make)
    return tuple(become[output] for output in outputs)


def _has_formula(node: Node) -> bool:
    if node.op is SIZE or _is_of_several(node.op, node.args):
        return True
    if node.op is COFACTOR:
        return node.shape[-1] <= _MOST_MINORS
    return bool(_formula_of(node.op, node.params) or node.op.expansion)


def _formula_of(op: Operation, params: Params) -> str | None:
    """The formula of an operation; that of its first derivative stands under its name with a prime."""
    orders = (value for static, value in zip(op.statics, params, strict=False) if static.name == "order")
    return FORMULAS.get(op.name + "'" * sum(order for order in orders if isinstance(order, int)))


def _is_of_several(op: Operation, args: tuple[Node, ...]) -> bool:
    """Whether it is the maximum or the minimum of three numbers or more, which is that of two again and again."""
    return op.elementwise and op.name in ("max", "min") and len(args) > 2


def in_simpler_ones(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """An operation by its formula, or by what the table says that it stands for."""
    if _is_of_several(op, args):
        return reduce(lambda found, arg: apply(op, (found, arg)), args)
    formula = _by_minors(args[0].shape[-1]) if op is COFACTOR else _formula_of(op, params)
    return lower_formula(formula, names_of(op, args, params)) if formula else expand(op, args, params)


def _by_minors(size: int) -> str:
    """The cofactor matrix, each of its elements a determinant with its sign: exact for singular matrices too."""
    others = [[at for at in range(size) if at != left] for left in range(size)]
    minors = [[str([[f"a[{i}, {j}]" for j in columns] for i in rows]).replace("'", "") for columns in others]
              for rows in others]  # fmt: skip
    signed = [[f"{'-' * ((i + j) % 2)}det({minor})" for j, minor in enumerate(row)] for i, row in enumerate(minors)]
    return f"[{', '.join('[' + ', '.join(row) + ']' for row in signed)}]" if size > 1 else "ones([1, 1])"
