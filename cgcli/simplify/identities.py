"""The table of algebraic rules for single operations: each builds a simpler node, or says None.

Sums, products and powers have their own ways (canonical.py, powers.py). A rule may enlarge
the domain, as exp(ln(x)) -> x does, but changes no value that is finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial

from cgcli.graph.node import CONSTANT, Node, apply, constant_value
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import ABS, CBRT, CEIL, FLOOR, MAXIMUM, MINIMUM, ROUND, SIGN, SQRT, TRUNC
from cgcli.ops.functions import LN
from cgcli.ops.indexing import INDEX
from cgcli.ops.linalg import MATMUL
from cgcli.ops.logic import AND_OP, NOT_OP, OR_OP, STOP_GRADIENT, TRUTHS, WHERE
from cgcli.ops.shaping import DIAG, FLIP, RESHAPE, TRANSPOSE, reshape, transpose
from cgcli.ops.sums import BROADCAST, CUMSUM, MEAN, SUM
from cgcli.ops.table import operations
from cgcli.simplify.canonical import Canonical
from cgcli.simplify.coefficient import ONE
from cgcli.simplify.order import Key
from cgcli.simplify.product import EULER, EXP, Factors, Product

Args = tuple[Node, ...]
Rule = Callable[[Canonical, Operation, Args, Params], Node | None]

_BY_NAME = {operation.name: operation for operation in operations()}


def _named(*names: str) -> tuple[Operation, ...]:
    return tuple(_BY_NAME[name] for name in names)


# ---- functions ------------------------------------------------------------------------


def _ln(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    product = canonical.product_of(args[0])
    if product.powers or product.coefficient != 1 or set(product.exponents) != {EULER}:
        return None
    return canonical.sum(product.exponents[EULER])


def _odd(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    product = canonical.product_of(args[0])
    if product.coefficient >= 0:
        return None
    inside = canonical.product(product._replace(coefficient=-product.coefficient))
    return canonical.product(Product(-ONE, {canonical.make(op, inside): ONE}))


def _even(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    product = canonical.product_of(args[0])
    if product.coefficient >= 0:
        return None
    return canonical.make(op, canonical.product(product._replace(coefficient=-product.coefficient)))


def _abs(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    product = canonical.product_of(args[0])
    if product.exponents.keys() - {EULER}:
        return None
    inside = {base: n for base, n in product.powers.items() if n % 2 == 1 and base.op not in _NEVER_NEGATIVE}
    outside = {base: n for base, n in product.powers.items() if base not in inside}  # x^2, and x^0.5, where x >= 0
    if product.coefficient == 1 and not outside and not product.exponents:
        return None
    if inside:
        outside[canonical.make(ABS, canonical.product(Product(ONE, inside)))] = ONE
    return canonical.product(Product(abs(product.coefficient), outside, product.exponents))


def _again(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    return args[0] if args[0].op is op else None


# ---- choice and logic -----------------------------------------------------------------


def _where(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    condition, yes, no = args
    if yes is no:
        return yes
    value = constant_value(condition)
    if value is not None:
        return yes if value != 0 else no
    if condition.op is NOT_OP:
        return canonical.make(WHERE, condition.args[0], no, yes)
    return None


def _not(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (x,) = args
    return x.args[0] if x.op is NOT_OP and x.args[0].op in TRUTHS else None


def _truths(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    x, y = args
    if x is y and x.op in TRUTHS:
        return x
    return _in_order(canonical, op, args, params)


def _place(canonical: Canonical, node: Node) -> tuple[bool, Key]:
    """Where an operand stands: x == 0 and max(x, 0), numbers last."""
    return node.op is CONSTANT, canonical.order.factor(node)


def _extreme(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    kept = tuple(sorted(dict.fromkeys(args), key=partial(_place, canonical)))
    if len(kept) == 1:
        return kept[0]
    return canonical.make(op, *kept) if kept != args else None


def _in_order(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    kept = tuple(sorted(args, key=partial(_place, canonical)))
    return canonical.make(op, *kept) if kept != args else None


# ---- arrays ---------------------------------------------------------------------------


def _scalars_of(product: Product) -> tuple[Product, Product]:
    """A product's number and scalar factors, and the rest, which holds the array."""
    scalars = {base: n for base, n in product.powers.items() if not base.shape}
    arrays = {base: n for base, n in product.powers.items() if base.shape}
    return Product(product.coefficient, scalars), Product(ONE, arrays, product.exponents)


def _linear(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (x,) = args
    scalars, arrays = _scalars_of(canonical.product_of(x))
    uniform = not arrays.powers and not arrays.exponents and 0 not in x.shape
    if uniform and op in _KEEPS_UNIFORM:
        added = op is SUM
        count = Fraction(math.prod(x.shape), math.prod(apply(op, args, params).shape)) if added else ONE
        return canonical.product(scalars._replace(coefficient=scalars.coefficient * count))
    if op is BROADCAST or (scalars.coefficient == 1 and not scalars.powers):
        return None
    inside = canonical.fitted(canonical.product(arrays), x.shape)
    return _scaled(canonical, canonical.made_of(op, (inside,), params), scalars)


def _bilinear(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (left, a), (right, b) = (_scalars_of(canonical.product_of(arg)) for arg in args)
    if left.coefficient == right.coefficient == 1 and not left.powers and not right.powers:
        return None
    inside = tuple(canonical.fitted(canonical.product(part), arg.shape) for part, arg in zip((a, b), args, strict=True))
    return _scaled(canonical, canonical.made_of(op, inside, params), left, right)


def _scaled(canonical: Canonical, node: Node, *scalars: Product) -> Node:
    """The node times its scalar factors."""
    factors = Factors()
    for product in (*scalars, canonical.product_of(node)):
        factors.times(product)
    return canonical.product(factors.settled())


def _reshape(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (x,) = args
    new = params[0]
    assert isinstance(new, tuple)
    if x.op is RESHAPE or (x.op is TRANSPOSE and _in_a_line(x)):
        (x,) = x.args
        return x if x.shape == new else canonical.noted(reshape(x, new))
    if x.op is MATMUL and len(new) == 1:  # a matrix by a vector that was made a column, or a row by a matrix
        a, b = x.args
        if b.op is RESHAPE and b.shape[1:] == (1,) and len(b.args[0].shape) == 1 and len(a.shape) == 2:
            return canonical.make(MATMUL, a, b.args[0])
        if a.op is RESHAPE and a.shape[:-1] == (1,) and len(a.args[0].shape) == 1 and len(b.shape) == 2:
            return canonical.make(MATMUL, a.args[0], b)
    return x if x.shape == new else None


def _in_a_line(x: Node) -> bool:
    """Whether at most one axis is longer than 1, so that a transpose only renames axes."""
    return sum(size != 1 for size in x.shape) <= 1


def _transpose(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (x,) = args
    (outer,) = params
    assert isinstance(outer, tuple)
    if x.op is TRANSPOSE:
        (inner,) = x.params
        assert isinstance(inner, tuple)
        (x,) = x.args
        outer = tuple(inner[at] for at in outer)
        return x if outer == tuple(range(-len(outer), 0)) else canonical.noted(transpose(x, outer))
    if x.op is RESHAPE and _in_a_line(x):
        return _reshape(canonical, RESHAPE, (x,), (apply(op, args, params).shape,))
    if x.op is MATMUL and len(outer) == 2 and any(arg.op is TRANSPOSE for arg in x.args):
        a, b = (_transpose(canonical, op, (arg,), params) or canonical.noted(transpose(arg, outer)) for arg in x.args)
        return canonical.make(MATMUL, b, a)
    return x if outer == tuple(range(-len(outer), 0)) else None


def _sum_of_kept(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (x,) = args
    along, keep = params
    assert isinstance(along, tuple)
    if keep or len(along) != len(x.shape):
        return None
    if x.op in (RESHAPE, TRANSPOSE, FLIP):
        (x,) = x.args
        return canonical.made_of(op, (x,), (tuple(range(-len(x.shape), 0)), False)) if x.shape else x
    return None


_NEVER_NEGATIVE = (ABS, SQRT, EXP, *_named("cosh", "norm"))
_KEEPS_UNIFORM = (SUM, MEAN, TRANSPOSE, RESHAPE, FLIP, INDEX, BROADCAST)

_ODD = (CBRT, SIGN, *_named("sin", "tan", "csc", "cot", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf"))
_EVEN = _named("cos", "sec", "cosh")
_IDEMPOTENT = (FLOOR, CEIL, ROUND, TRUNC, SIGN, STOP_GRADIENT, *_named("relu"))

RULES: dict[Operation, list[Rule]] = {
    LN: [_ln],  # ln(exp(x)) = x
    ABS: [_abs],  # abs(-2*x) = 2*abs(x), abs(x^2) = x^2, abs(abs(x)) = abs(x)
    WHERE: [_where],  # where(c, a, a) = a, where(not c, a, b) = where(c, b, a)
    NOT_OP: [_not],  # not not c = c
    AND_OP: [_truths],  # c and c = c
    OR_OP: [_truths],  # c or c = c
    MAXIMUM: [_extreme],  # max(x, x, y) = max(x, y)
    MINIMUM: [_extreme],
    MATMUL: [_bilinear],  # (2*A) @ B = 2*(A @ B)
    RESHAPE: [_reshape],  # reshape(reshape(x)) = reshape(x), reshape(A @ reshape(v, [n, 1]), [m]) = A @ v
    TRANSPOSE: [_transpose],  # x.T.T = x, (A.T @ B).T = B.T @ A
    SUM: [_sum_of_kept],  # sum(x.T) = sum(x)
}
for _operation in _ODD:  # sin(-x) = -sin(x)
    RULES.setdefault(_operation, []).append(_odd)
for _operation in _EVEN:  # cos(-x) = cos(x)
    RULES.setdefault(_operation, []).append(_even)
for _operation in _IDEMPOTENT:  # floor(floor(x)) = floor(x)
    RULES.setdefault(_operation, []).append(_again)
for _operation in (*_KEEPS_UNIFORM, CUMSUM, DIAG):  # sum(2*x) = 2*sum(x)
    RULES.setdefault(_operation, []).append(_linear)
for _operation in operations():  # y == x is x == y
    if _operation.commutative and _operation not in RULES:
        RULES[_operation] = [_in_order]
