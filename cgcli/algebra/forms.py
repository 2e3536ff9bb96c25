"""The forms that a piece of a formula can take: each is built once, and remembered over passes and formulas."""

from __future__ import annotations

from functools import partial

from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import HALF, UnwritableError, number_node
from cgcli.algebra.domain import Domains
from cgcli.algebra.elements import in_elements
from cgcli.algebra.identities import RULES
from cgcli.algebra.known import folded_array, is_known
from cgcli.algebra.powers import exponential, raised
from cgcli.algebra.product import EULER, UNIT, Product, Terms
from cgcli.algebra.rewrites import (
    COMMON_FACTORS,
    DENOMINATORS,
    EXPONENTIALS,
    absorbed,
    brought_together,
    collected,
    distributed,
    expanded,
    has_compound_factor,
    leveled,
    primitive,
    shared_factors,
    split,
    takeable,
    taken_out,
)
from cgcli.algebra.size import Sizes
from cgcli.annotations import Callable, Iterator, Sequence
from cgcli.graph.node import CONSTANT, Node
from cgcli.graph.operation import Operation, Params
from cgcli.ops.arithmetic import POWER_OP, SQRT
from cgcli.ops.functions import EXP
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact

_HALF = number_node(HALF)
_MOST_COLLECTED = 8  # terms of a sum of which some have a common factor
_WORTH_A_BRACKET = 3  # operations that it saves; 4*x*cos(x) - x^2*sin(x) + 2*sin(x) stays

Form = Callable[[], Node | None]
"""Builds a form; gives None, or raises UnwritableError, when there is none."""


class _Known(NamedTuple):
    """Forms that were built. under: the domains whose assumptions they depend on; None where on no assumption."""

    forms: list[Node]
    under: Domains | None


class Forms:
    """The forms of products, sums and single operations, those that rewrite most first. sizes: of nodes written out."""

    def __init__(self, canonical: Canonical, sizes: Sizes) -> None:
        self.canonical = canonical
        self._sizes = sizes
        self._known: dict[object, _Known] = {}

    def of(self, found: Product | Terms, whole: bool) -> list[Node]:
        """A product or a sum. whole: some operands are kept as they are, though they could be read as well."""
        if isinstance(found, Product):
            operands = len(found.powers) + len(found.exponents)
            return self._built((whole, found.key()), self._product(found, whole), operands)
        return self._built((whole, frozenset(found.items())), self._sum(found, whole), len(found))

    def of_operation(self, op: Operation, args: tuple[Node, ...], params: Params) -> list[Node]:
        """Any other operation."""
        return self._built((op, args, params), self._operation(op, args, params), len(args))

    def in_elements(self, node: Node) -> list[Node]:
        """An array, or what is computed from one, by its elements."""
        return self._built(node, iter([partial(in_elements, self.canonical, node)]), 1)

    def _built(self, key: object, forms: Iterator[Form], operands: int) -> list[Node]:
        """The forms that exist; of what is new, none any more when the budget is spent."""
        canonical, domains = self.canonical, self.canonical.domains
        known = self._known.get(key)
        if known is not None and known.under in (None, domains):
            domains.denials += known.under is not None
            return known.forms
        if canonical.budget.is_spent:
            return []
        before, found = domains.denials, list[Node]()
        for build in forms:
            canonical.budget.spend(1 + operands)
            try:
                form = build()
            except UnwritableError:
                continue
            if form is not None:
                found.append(form)
        self._known[key] = _Known(found, domains if domains.denials > before else None)
        return found

    def _operation(self, op: Operation, args: tuple[Node, ...], params: Params) -> Iterator[Form]:
        canonical = self.canonical
        if all(map(is_known, args)):
            yield partial(_folded, op, args, params)
        if op in (POWER_OP, SQRT):
            yield from self._power(*args)
        elif op is EXP:
            yield lambda: canonical.product(exponential(canonical, args[0]))
        for rule in RULES[op]:
            yield partial(rule, canonical, op, args, params)

    def _power(self, base: Node, exponent: Node = _HALF) -> Iterator[Form]:
        try:
            product = raised(self.canonical, base, exponent)
            spread = distributed(product, self.canonical)
        except UnwritableError:
            return
        yield partial(self.canonical.product, product)
        if spread is not None:
            yield partial(self.canonical.product, spread)

    def _product(self, product: Product, whole: bool) -> Iterator[Form]:
        spread = None if whole else distributed(product, self.canonical)
        if spread is not None:
            yield partial(self.canonical.product, spread)
        simpler = self._primitive(product)
        before = simpler is not None and not self._gets_a_divisor(product, simpler)
        for form in (simpler, product) if before else (product, simpler):
            if form is not None:
                yield partial(self.canonical.product, form, flip=not whole)
        yield lambda: self._product_of(split(product, self.canonical))
        if product.exponents:
            yield lambda: self._product_of(absorbed(product, self.canonical))

    def _sum(self, terms: Terms, whole: bool) -> Iterator[Form]:
        canonical = self.canonical
        common = None if whole else takeable(COMMON_FACTORS, terms, canonical)
        if common is not None and has_compound_factor(common):
            yield partial(taken_out, common, terms, canonical)
        yield partial(canonical.sum, terms)
        if common is not None and not has_compound_factor(common):
            yield partial(taken_out, common, terms, canonical)
        if len(terms) > 1:
            yield from self._rational(terms)
        if not whole and 3 <= len(terms) <= _MOST_COLLECTED:
            yield from self._collected(terms)

    def _collected(self, terms: Terms) -> Iterator[Form]:
        """A sum with what some terms have in common before a bracket, where that saves several operations."""
        for group, bases in shared_factors(terms, self.canonical).items():
            size = sum(_WORTH_A_BRACKET if base is EULER else 1 + self._sizes.of(base) for base in bases)
            if size * (len(group) - 1) >= _WORTH_A_BRACKET:
                yield partial(self._if_shorter, terms, group)

    def _if_shorter(self, terms: Terms, group: Sequence[Node]) -> Node | None:
        found = collected(terms, group, self.canonical)
        most = self._sizes.of(self.canonical.sum(terms)) - _WORTH_A_BRACKET
        return found if found is not None and self._sizes.of(found) <= most else None

    def _rational(self, terms: Terms) -> Iterator[Form]:
        """A sum of several terms multiplied out, with an exponential before a bracket, over a common denominator."""
        canonical = self.canonical
        try:
            wide = expanded(terms, canonical)
            common = None if wide is None else takeable(COMMON_FACTORS, wide, canonical)
            exponentials = takeable(EXPONENTIALS, terms, canonical)
            over_denominators = self._with_denominators(terms)
        except UnwritableError:
            return
        size = self._size(terms)
        if wide is not None:
            if self._size(wide) <= size:
                yield partial(canonical.sum, wide)
            if common is not None and self._size(wide) - self._saved(common, wide) <= size:
                yield partial(taken_out, common, wide, canonical)
        if exponentials is not None:
            yield partial(taken_out, exponentials, terms, canonical)
        for given, below in over_denominators:
            yield partial(taken_out, below, given, canonical)
            yield partial(brought_together, given, canonical, below, lambda inner: self._size(inner) <= size)

    def _with_denominators(self, terms: Terms) -> list[tuple[Terms, Product]]:
        """A sum with its common denominator; and as `leveled` writes it, where it then has another sum below.

        Raises UnwritableError.
        """
        below = takeable(DENOMINATORS, terms, self.canonical)
        found = [] if below is None else [(terms, below)]
        level = leveled(terms, self.canonical)
        if level is not None:
            known = {} if below is None else below.powers
            below = takeable(DENOMINATORS, level, self.canonical)
            if below is not None and any(map(self.canonical.is_sum, below.powers.keys() - known.keys())):
                found.append((level, below))
        return found

    def _size(self, terms: Terms) -> int:
        """How many operations a sum has, its coefficients apart."""
        return len(terms) + sum(map(self._sizes.of, terms))

    def _saved(self, common: Product, terms: Terms) -> int:
        """How many operations a sum loses at most when factors are taken out of its terms: each with its exponent."""
        bases = [*common.powers, *common.exponents]
        return len(terms) * sum(_WORTH_A_BRACKET + self._sizes.of(base) for base in bases)

    def _primitive(self, product: Product) -> Product | None:
        """The product with the contents of its sums before them; None where they have none, or it cannot be written."""
        try:
            return primitive(product, self.canonical)
        except UnwritableError:
            return None

    def _gets_a_divisor(self, product: Product, found: Product) -> bool:
        """Whether a product is over a number with the contents of its sums before them: x*(r/12 + 1) is."""
        divides = found.coefficient.denominator > product.coefficient.denominator
        return divides and any(UNIT in self.canonical.terms_of(base) for base in product.powers)

    def _product_of(self, found: Product | None) -> Node | None:
        return None if found is None else self.canonical.product(found)


def _folded(op: Operation, args: tuple[Node, ...], params: Params) -> Node | None:
    """An operation on constants as a constant, if that loses nothing, and is no larger than they are."""
    folded = exact(op, args, params)
    if not folded.shape and not any(arg.shape for arg in args):
        return folded if folded.op is CONSTANT else None
    return folded_array(op, args, params)
