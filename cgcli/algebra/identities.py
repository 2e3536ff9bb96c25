"""The table of algebraic rules for single operations: each builds a simpler node, or gives None.

Sums, products and powers are rewritten elsewhere (canonical.py, rewrites.py). A rule is an identity wherever both
sides have a value. Where it enlarges the domain, as exp(ln(x)) -> x does, it is used if the domain is known anyway.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

from cgcli.algebra.arrays import ARRAY_RULES, Args, Rule
from cgcli.algebra.branches import Choice
from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import HALF, ONE, ZERO, Decimal, Number, magnitude, number_node, number_of, whole
from cgcli.algebra.order import Key
from cgcli.algebra.product import EULER, PI, UNIT, Factors, Product, add, multiplied, quotient_of
from cgcli.graph.node import CONSTANT, Node, apply, constant, constant_value
from cgcli.graph.operation import EVEN, IDEMPOTENT, ODD, Operation, Params
from cgcli.ops.arithmetic import ABS, CBRT, EQUAL_TO, MAXIMUM, MINIMUM, SIGN
from cgcli.ops.functions import ACOS, ASIN, ATAN, COS, LN, LOG2, LOG10, SIN, TAN
from cgcli.ops.logic import AND_OP, GREATER, GREATER_EQUAL, LESS_EQUAL, NOT_EQUAL, NOT_OP, OR_OP, TRUTHS, WHERE

# ---- functions ------------------------------------------------------------------------


def _ln(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    product = canonical.product_of(args[0])
    numbers = {base: n for base, n in product.powers.items() if base.op is CONSTANT}
    if product.powers.keys() - numbers or set(product.exponents) - {EULER} or product.coefficient <= 0:
        return None
    if isinstance(product.coefficient, Decimal) or not (numbers or product.exponents or product.coefficient < 1):
        return None
    terms = dict(product.exponents.get(EULER, {}))
    add(terms, UNIT, numbers.pop(EULER, ZERO))
    for base, power in numbers.items():  # ln(sqrt(2)) = ln(2)/2
        terms[apply(LN, (base,))] = power
    for number, sign in ((product.coefficient.numerator, ONE), (product.coefficient.denominator, -ONE)):
        if number != 1:  # ln(1/2) = -ln(2)
            add(terms, apply(LN, (number_node(number),)), sign)
    return canonical.sum(terms)


def _sine(turn: Number) -> Product | None:
    """sin(turn*pi), where books have a root for it."""
    turn %= 2
    if turn > 1:
        found = _sine(turn - 1)
        return found and found._replace(coefficient=-found.coefficient)
    return _SINES.get(min(turn, 1 - turn))


def _at_multiple_of_pi(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    product = canonical.product_of(args[0])
    if product.powers != {PI: ONE} or product.exponents:
        return None
    sine, cosine = _sine(product.coefficient), _sine(product.coefficient + HALF)
    if sine is None or cosine is None:
        return None
    return canonical.product(quotient_of(sine, cosine) if op is TAN else multiplied(cosine if op is COS else sine))


def _angle(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    product = canonical.product_of(args[0])
    size = product._replace(coefficient=magnitude(product.coefficient))
    found = (_TANGENTS if op is ATAN else _SINES).items()
    turn = next((turn for turn, value in found if value == size), None)
    if turn is None:
        return None
    turn = turn if product.coefficient > 0 else -turn
    return canonical.product(Product(HALF - turn if op is ACOS else turn, {PI: ONE}))


def _odd(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    opposite = _without_signs(canonical, args[0])
    return opposite and canonical.product(Product(-ONE, {apply(op, (opposite,)): ONE}))


def _even(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    opposite = _without_signs(canonical, args[0])
    return opposite and apply(op, (opposite,))


def _without_signs(canonical: Canonical, x: Node) -> Node | None:
    """The negative of -2*x, or of -x - y; None where not all terms are negative."""
    terms = canonical.terms_of(x)
    if not terms or max(terms.values()) > 0:
        return None
    return canonical.sum({term: -coefficient for term, coefficient in terms.items()})


def _abs(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    product = canonical.product_of(args[0])
    if product.exponents.keys() - {EULER}:
        return None
    never_negative = canonical.domains.is_non_negative
    inside = {base: n for base, n in product.powers.items() if n % 2 == 1 and not never_negative(base)}
    outside = {base: n for base, n in product.powers.items() if base not in inside}  # x^2, and x^0.5, where x >= 0
    if product.coefficient == 1 and not outside and not product.exponents:
        return None
    if inside:
        add(outside, apply(ABS, (canonical.product(Product(ONE, inside)),)), ONE)
    return canonical.product(Product(magnitude(product.coefficient), outside, product.exponents))


def _cbrt(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    """cbrt(8*x^3*y) = 2*x*cbrt(y), cbrt(-2) = -(2^(1/3)), for x of either sign."""
    product = canonical.product_of(args[0])
    if not product.coefficient:
        return None
    root = Factors()
    root.times(Product(magnitude(product.coefficient)), Fraction(1, 3))
    number, rest = root.product(), product._replace(coefficient=ONE)
    if number.powers and (product.powers or product.exponents):  # cbrt(2*x)
        number, rest = Product(ONE), rest._replace(coefficient=magnitude(product.coefficient))
    cubes = {base: whole(n * Fraction(1, 3)) for base, n in product.powers.items() if n % 3 == 0}
    rest = rest.without(cubes)
    found = multiplied(number, Product(ONE if product.coefficient > 0 else -ONE, cubes))
    if rest != Product(ONE):
        found = multiplied(found, Product(ONE, {apply(op, (canonical.product(rest),)): ONE}))
    return canonical.product(found)


def _logarithm(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    """log2(8) = 3, log10(1000) = 3."""
    number, base = number_of(args[0]), 2 if op is LOG2 else 10
    if number is None or number <= 0:
        return None
    power = round(math.log(number, base))
    return number_node(power) if Fraction(base) ** power == number else None


def _inverse_undone(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (x,) = args
    return x.args[0] if op.inverse is not None and x.op.name == op.inverse.name else None


def _idempotent(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (x,) = args
    return x if x.op is op and x.params == params else None


# ---- choice and logic -----------------------------------------------------------------


def _where(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    condition, yes, no = args
    if yes is no:
        return yes
    holds = canonical.domains.holds(condition)
    if holds is not None:
        return canonical.fitted(yes if holds else no, apply(op, args).shape)
    choice = Choice(*args)
    if (plain := choice.plain()) != choice:
        return apply(WHERE, plain)
    product = canonical.product_of(yes)
    if condition.op in TRUTHS and product.powers.get(condition, ZERO) > 0:  # where(c, c*f, g) = where(c, f, g)
        rest = canonical.product(product.without((condition,)))
        if constant_value(no) == 0 and canonical.domains.is_total(rest):
            return yes
        return apply(WHERE, (condition, canonical.fitted(rest, yes.shape), no))
    known = choice.with_known_condition()
    return apply(WHERE, known) if known != choice else None


def _not(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    (x,) = args
    return x.args[0] if x.op is NOT_OP and x.args[0].op in TRUTHS else None


def _and_or(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    x, y = args
    if x is y and x.op in TRUTHS:
        return x
    for one, other in ((x, y), (y, x)):  # c and 1 is c, c and 0 is 0
        value = constant_value(one)
        if value is not None and value == value:
            absorbs = (value == 0) == (op is AND_OP)
            if absorbs or other.op in TRUTHS:
                return constant(float(value != 0)) if absorbs else other
    return _in_order(canonical, op, args, params)


def _operand_order(canonical: Canonical, node: Node) -> tuple[bool, Key]:
    """Where an operand stands: x == 0 and max(x, 0), numbers last."""
    return node.op is CONSTANT, canonical.order.factor(node)


def _extreme(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    kept = tuple(sorted(dict.fromkeys(args), key=partial(_operand_order, canonical)))
    if len(kept) == 1:
        return kept[0]
    return apply(op, kept) if kept != args else None


def _in_order(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    kept = tuple(sorted(args, key=partial(_operand_order, canonical)))
    return apply(op, kept) if kept != args else None


def _equals_extreme(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    for x, other in (args, args[::-1]):
        if other.op in _REACHES and len(other.args) == 2 and x in other.args:
            (rival,) = (arg for arg in other.args if arg is not x) if other.args.count(x) == 1 else (x,)
            return apply(_REACHES[other.op], (x, rival))
    return _in_order(canonical, op, args, params)


def _not_zero(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    for condition, other in (args, args[::-1]):
        if other is _ZERO and condition.op in TRUTHS:
            return condition
    return _in_order(canonical, op, args, params)


def _maximum(canonical: Canonical, op: Operation, args: Args, params: Params) -> Node | None:
    x = next((arg for arg in args if arg.op is SIGN), None)
    if x is None or len(args) != 2 or _ZERO not in args:
        return _extreme(canonical, op, args, params)
    return apply(GREATER, (x.args[0], _ZERO))


_ZERO = constant(0.0)
_REACHES = {MAXIMUM: GREATER_EQUAL, MINIMUM: LESS_EQUAL}

_ROOT_2, _ROOT_3 = ({constant(number): HALF} for number in (2.0, 3.0))
_SINES: dict[Number, Product] = {  # of so many times pi
    ZERO: Product(ZERO),
    Fraction(1, 6): Product(HALF),
    Fraction(1, 4): Product(HALF, _ROOT_2),
    Fraction(1, 3): Product(HALF, _ROOT_3),
    HALF: Product(ONE),
}
_TANGENTS: dict[Number, Product] = {
    Fraction(1, 6): Product(Fraction(1, 3), _ROOT_3),
    Fraction(1, 4): Product(ONE),
    Fraction(1, 3): Product(ONE, _ROOT_3),
}

_RULES: dict[Operation, list[Rule]] = {
    LN: [_ln],  # ln(exp(x)) = x, ln(1/2) = -ln(2)
    **{function: [_at_multiple_of_pi] for function in (SIN, COS, TAN)},  # cos(pi/4) = sqrt(2)/2
    **{function: [_angle] for function in (ASIN, ACOS, ATAN)},  # acos(-1) = pi
    LOG2: [_logarithm],  # log2(8) = 3
    LOG10: [_logarithm],
    CBRT: [_cbrt],  # cbrt(8*x^3) = 2*x
    ABS: [_abs],  # abs(-2*x) = 2*abs(x), abs(x^2) = x^2, abs(abs(x)) = abs(x)
    WHERE: [_where],  # where(c, a, a) = a, where(not c, a, b) = where(c, b, a), where(x^2 >= 0, a, b) = a
    NOT_OP: [_not],  # not not c = c
    AND_OP: [_and_or],  # c and c = c
    OR_OP: [_and_or],  # c or c = c
    MAXIMUM: [_maximum],  # max(x, x, y) = max(x, y), max(sign(x), 0) = x > 0
    MINIMUM: [_extreme],
    NOT_EQUAL: [_not_zero],  # (x > 0) != 0 is x > 0
    EQUAL_TO: [_equals_extreme],  # x == max(x, y) is x >= y, and y == x is x == y
}


class _Rules(dict[Operation, list[Rule]]):
    """The rules of each operation: its own, then those that its facts allow."""

    def __missing__(self, operation: Operation) -> list[Rule]:
        rules = [*_RULES.get(operation, ()), *ARRAY_RULES.get(operation, ())]
        if operation.commutative and not rules:
            rules.append(_in_order)  # y == x is x == y
        if operation.facts & ODD:
            rules.append(_odd)  # sin(-x) = -sin(x)
        if operation.facts & EVEN:
            rules.append(_even)  # cos(-x) = cos(x)
        if operation.facts & IDEMPOTENT:
            rules.append(_idempotent)  # floor(floor(x)) = floor(x)
        if operation.inverse is not None:
            rules.append(_inverse_undone)  # sin(asin(x)) = x
        self[operation] = rules
        return rules


RULES: dict[Operation, list[Rule]] = _Rules()
