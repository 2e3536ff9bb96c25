"""What an entry says of its operation holds in numbers, and what holds in numbers is said.

Algebra and checks rely on these facts: abs(exp(x)) is exp(x) because exp is never negative.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
from mpmath import mpf, workdps

from cgcli.evaluate.elements import is_ill_conditioned
from cgcli.graph.node import apply, variable
from cgcli.graph.operation import (
    ANALYTIC,
    BOUNDED,
    CHOOSES,
    EVEN,
    IDEMPOTENT,
    ILL_CONDITIONED,
    INCREASING,
    NON_NEGATIVE,
    NOTHING,
    ODD,
    REPEATS,
    STEPWISE,
    Facts,
    Inverse,
    Operation,
)
from cgcli.graph.rules import Partial, Partials
from cgcli.transform.formulas import partial
from tests.for_each import for_each
from tests.reference_cases_linear import CASES
from tests.reference_values import PARAMETERS, reference
from tests.support import (
    ELEMENTWISE,
    OTHERS,
    argument_names,
    defaults,
    differentiable,
    key,
    literal,
    node,
    samples,
    tame_points,
    value,
)  # fmt: skip

Function = Callable[[Any], Any]

UNARY = {name: op for name, op in ELEMENTWISE.items() if len(op.arrays) == 1 and not op.variadic}
EDGES = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1e308, -1e308]
NUMBERS = np.concatenate([EDGES, samples((-np.inf, np.inf), 2000, np.random.default_rng(0))])
BETWEEN = np.array([-3.7, -0.3, 0.2, 1.6])  # the steps of functions that have some
ORDINARY = np.linspace(-4.01, 4, 200)


def functions(operation: Operation) -> list[Function]:
    """The operation as a function of one array, for each choice of its static parameters."""

    def function(params: tuple[Any, ...]) -> Function:
        def kernel(x: Any) -> Any:
            with np.errstate(all="ignore"):
                return operation.kernel(x, *params)

        return kernel

    return [function(params) for params in (defaults(operation), *PARAMETERS.get(key(operation), []))]


def same(one: Any, other: Any) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.allclose(one, other, rtol=1e-15, atol=0, equal_nan=True))


def rises(f: Function) -> bool:
    """Whether f never falls by more than rounding, on a domain that is one interval."""
    values = f(np.sort(NUMBERS[~np.isnan(NUMBERS)]))
    inside = np.flatnonzero(~np.isnan(values))
    values = values[inside]
    before, after = values[:-1], values[1:]
    falls = (after < before) & ~np.isclose(after, before, rtol=1e-14, atol=0)
    return bool(np.all(np.diff(inside) == 1) and not np.any(falls))


HOLDS: dict[str, tuple[Facts, Callable[[Function], bool]]] = {
    "odd": (ODD, lambda f: same(f(-NUMBERS), -f(NUMBERS))),
    "even": (EVEN, lambda f: same(f(-NUMBERS), f(NUMBERS))),
    "increasing": (INCREASING, rises),
    "idempotent": (IDEMPOTENT, lambda f: same(f(f(NUMBERS)), f(NUMBERS))),
    "non-negative": (NON_NEGATIVE, lambda f: not np.any(f(NUMBERS) < 0)),
    "bounded": (BOUNDED, lambda f: bool(np.nanmax(np.abs(f(NUMBERS))) <= 4)),
    "stepwise": (
        STEPWISE,
        lambda f: np.isnan(f(np.array([np.nan]))).all() and same(f(BETWEEN - 1e-3), f(BETWEEN + 1e-3)),
    ),
}


@for_each("called", HOLDS)
@for_each("name", UNARY)
def test_a_fact_is_stated_just_where_it_holds(name: str, called: str) -> None:
    """Protects simplification from a wrong fact, and from missing a true one; at 0, -0, inf and nan too."""
    operation = UNARY[name]
    fact, test = HOLDS[called]
    holds = all(map(test, functions(operation)))
    assert holds == (operation.facts & fact != NOTHING), f"{name} is {'' if holds else 'not '}{called}"


@for_each("name", [name for name in ELEMENTWISE if name not in UNARY])
def test_an_operation_of_several_numbers_is_never_negative_just_where_it_says_so(name: str) -> None:
    operation = ELEMENTWISE[name]
    rng = np.random.default_rng(0)
    columns = [
        np.concatenate([rng.permutation(EDGES), rng.normal(size=500), rng.integers(-3, 4, 100)])
        for _ in argument_names(operation)
    ]
    with np.errstate(all="ignore"):
        holds = not np.any(operation.kernel(*columns) < 0)
    assert holds == (operation.facts & NON_NEGATIVE != NOTHING)
    of_several = NON_NEGATIVE | ANALYTIC | STEPWISE | CHOOSES | ILL_CONDITIONED  # the others are of one argument
    assert operation.facts & ~of_several == NOTHING


@for_each("name", [name for name, op in OTHERS.items() if op.facts & NON_NEGATIVE])
def test_an_operation_on_arrays_is_never_negative_where_it_says_so(name: str) -> None:
    for case in CASES[name]:
        for seed in range(5):
            at = case.sample(seed)
            assert not np.any(value(node(case.program, at), at) < 0), case.program


def is_chosen(result: Any, given: Iterable[Any]) -> bool:
    """Whether each number of a result is one of those given, the negative of one, or 0."""
    known = np.concatenate([[0.0], *(np.ravel(each) for each in given)])
    return bool(np.isin(np.abs(result), np.abs(known[~np.isnan(known)]))[~np.isnan(result)].all())


@for_each("name", ELEMENTWISE)
def test_an_operation_chooses_just_where_it_says_so(name: str) -> None:
    """Protects what takes such a value for as exact as the arguments, and a guard of 1 and 0 for a guard still."""
    operation = ELEMENTWISE[name]
    rng = np.random.default_rng(0)
    size = (50, len(argument_names(operation)))
    rows = [*rng.normal(size=size), *rng.choice(EDGES, size=size)]
    with np.errstate(all="ignore"):
        holds = all(is_chosen(operation.kernel(*map(np.float64, row), *defaults(operation)), row) for row in rows)
    assert holds == (operation.facts & CHOOSES != NOTHING)


@for_each("name", [name for name, op in OTHERS.items() if op.arrays])
def test_an_operation_on_arrays_chooses_just_where_it_says_so(name: str) -> None:
    """Of whole numbers, too, among which there are ties."""
    points = [(case.program, case.sample(seed)) for case in CASES[name] for seed in range(3)]
    whole = [(program, {name: np.round(array) for name, array in at.items()}) for program, at in points]
    holds = all(is_chosen(value(node(program, at), at), at.values()) for program, at in points + whole)
    assert holds == (OTHERS[name].facts & CHOOSES != NOTHING)


@for_each("name", [name for name, op in OTHERS.items() if op.arrays])
def test_an_operation_repeats_elements_just_where_it_says_so(name: str) -> None:
    """Protects the count of memory: what numpy shows several times takes it once."""
    repeats = False
    for case in CASES[name]:
        at = {argument: np.asarray(array) for argument, array in case.sample(0).items()}
        result = value(node(case.program, at), at)
        repeats |= any(array.size < np.size(result) and np.shares_memory(array, result) for array in at.values())
    assert repeats == (OTHERS[name].facts & REPEATS != NOTHING)


# ---- condition numbers ----------------------------------------------------------------

NEAR_1 = [1 + sign * 2.0**-power for power in (30, 40) for sign in (-1, 1)]
SCATTERED = [sign * size for size in (math.log(2), 1.0, 1.5, *NEAR_1, 2.0**-30, 2.0**9, 2.0**30, 2.0**40)
             for sign in (1, -1)]  # fmt: skip
ROUNDING = mpf(2) ** -53
ILL = 2**27


def condition(function: Callable[..., Any], point: tuple[float, ...]) -> float:
    """How many times as far as an operand, relatively, a value moves; 0 where it is no number, or none of float64."""
    with workdps(50):
        try:
            exact = function(*map(mpf, point))
            moved = [function(*(mpf(x) * (1 + ROUNDING * (at == place)) for place, x in enumerate(point)))
                     for at in range(len(point))]  # fmt: skip
            if not (isinstance(exact, mpf) and 1e-300 < abs(exact) < 1e300):
                return 0.0
            return float(max(abs(each / exact - 1) for each in moved if isinstance(each, mpf)) / ROUNDING)
        except (ArithmeticError, ValueError):
            return 0.0


def is_flagged(operation: Operation, point: Sequence[float]) -> bool:
    inputs = tuple(variable(name) for name in argument_names(operation))
    made = apply(operation, inputs, defaults(operation))
    with np.errstate(all="ignore"):
        values = dict(zip([*inputs, made], [*point, float(operation.kernel(*point, *made.params))], strict=True))
        return any(is_ill_conditioned(made, at, values) for at in range(len(inputs)))


@for_each("name", [name for name, op in ELEMENTWISE.items() if op.rules and len(op.arrays) < 3])
def test_an_operation_is_ill_conditioned_just_where_it_says_so(name: str) -> None:
    """Protects the warning of lost digits; the points are near 1, far from it, and where terms cancel."""
    operation = ELEMENTWISE[name]
    count = len(argument_names(operation))
    params = tuple(mpf(param) if isinstance(param, float) else param for param in defaults(operation))
    found = {point: condition(lambda *args: reference(name)(*args, *params), point)
             for point in product(SCATTERED, repeat=count)}  # fmt: skip
    holds = not operation.why_no_derivative and any(number > ILL for number in found.values())
    assert holds == (operation.facts & ILL_CONDITIONED != NOTHING)
    if holds:
        assert all(is_flagged(operation, point) for point, number in found.items() if 4 * ILL < number < 2**45)
        ordinary = zip(*tame_points(operation, 20, np.random.default_rng(0)), strict=True)
        assert not any(is_flagged(operation, tuple(map(float, point))) for point in ordinary)


# ---- the complex step -----------------------------------------------------------------


def complex_step_agrees(operation: Operation) -> bool:
    """Whether Im f(x + ih)/h is the derivative by each argument, at ordinary points of the domain."""
    points = list(zip(*tame_points(operation, 20, np.random.default_rng(1)), strict=True))
    for params in (defaults(operation), *PARAMETERS.get(key(operation), [])):
        for at in differentiable(operation):
            for point in points:
                moved = [item + 1e-20j if place == at else item for place, item in enumerate(point)]
                try:
                    slope = np.imag(operation.kernel(*moved, *params)) / 1e-20
                except TypeError:  # it takes no complex numbers
                    return False
                truth = value(partial(apply(operation, tuple(map(literal, point)), params), at), {})
                if not np.isclose(slope, truth, rtol=1e-9, atol=1e-12):
                    return False
    return True


@for_each(
    "name", [name for name, op in ELEMENTWISE.items() if op.rules and isinstance(op.rules[0], Partial | Partials)]
)
def test_a_complex_step_may_pass_just_where_it_is_the_derivative(name: str) -> None:
    """Protects `cg check`. What is analytic in pieces only, as max, has a kink."""
    operation = ELEMENTWISE[name]
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        agrees = complex_step_agrees(operation)
    if operation.facts & ANALYTIC or operation.kink is None:
        assert agrees == (operation.facts & ANALYTIC != NOTHING)


# ---- inverses -------------------------------------------------------------------------


def undoes(f: Function, g: Function, x: Any) -> Any:
    """Where f(g(x)) = x."""
    return np.isclose(f(g(x)), x, rtol=1e-7, atol=1e-7)


@for_each("name", [name for name, op in UNARY.items() if op.inverse is not None])
def test_an_inverse_undoes_its_function_just_where_it_says_so(name: str) -> None:
    inverse = UNARY[name].inverse
    assert isinstance(inverse, Inverse)
    (f,), (g,) = functions(UNARY[name]), functions(UNARY[inverse.name])
    domain = ORDINARY[np.isfinite(g(ORDINARY))]
    assert len(domain) > 20
    assert np.all(undoes(f, g, domain))
    stated = value(node(inverse.where or "x == x", {"x": ORDINARY}), {"x": ORDINARY})
    np.testing.assert_array_equal(undoes(g, f, ORDINARY), stated)


def test_no_inverse_is_missing() -> None:
    """Any two functions of the table that undo each other say so; what is the identity is no inverse."""
    one = {name: functions(op)[0] for name, op in UNARY.items() if not op.statics}
    known = {(name, op.inverse.name): op.inverse.where for name, op in UNARY.items() if op.inverse is not None}
    for f, g in ((f, g) for f in one for g in one if not np.all(one[f](ORDINARY) == ORDINARY)):
        inside = ORDINARY[np.isfinite(one[g](ORDINARY))]
        if np.all(undoes(one[f], one[g], inside)):
            assert (f, g) in known or known.get((g, f)) == "", f"{f}({g}(x)) = x"
