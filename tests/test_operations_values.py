"""Every elementwise operation gives the right number: against mpmath, over its whole domain."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from cgcli.ops.masks import chosen
from tests.for_each import for_each
from tests.reference_values import BEYOND, PARAMETERS, VALUES, reference
from tests.support import ELEMENTWISE, argument_names, defaults, gap, intervals, samples

USUAL = 4.0  # ulp: what numpy promises of its vectorised functions
COUNT = 1000

ANY_ZERO = ["power", "clip", "max...", "min...", "elu"]  # where numpy has no rule for the sign of a 0
ON_NUMBERS = [name for name, operation in ELEMENTWISE.items() if operation.scalar]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, 3.0, -3.0, 5e-324, -5e-324, 700.0, 800.0, -800.0,
           1e308, -1e308, math.inf, -math.inf, math.nan]  # fmt: skip

CASES = [
    (name, params)
    for name, operation in ELEMENTWISE.items()
    for params in [defaults(operation), *PARAMETERS.get(name, [])]
]


def ulps(ours: float, truth: Any, scale: float = 0.0) -> float:
    """The distance to the true value in units of the last place of the larger of it and the scale."""
    nearest = float(truth)
    if ours == nearest:
        return 0.0
    if not math.isfinite(ours) or not math.isfinite(nearest):
        return math.inf
    return float(abs(mpf(ours) - truth) / math.ulp(max(abs(nearest), scale)))


def points(name: str) -> list[np.ndarray[Any, Any]]:
    """Sample points for each argument, in a fifth of which neighbouring arguments are equal."""
    rng = np.random.default_rng(len(name))
    drawn = [samples(interval, COUNT, rng) for interval in intervals(ELEMENTWISE[name])]
    count = min(map(len, drawn))
    columns = [column[:count] for column in drawn]
    for left, right, (low, high) in zip(columns, columns[1:], intervals(ELEMENTWISE[name])[1:], strict=False):
        same = (np.arange(count) % 5 == 0) & (left > low) & (left < high)
        right[same] = left[same]
    return columns


@pytest.mark.parametrize(("name", "params"), CASES)
def test_value_is_within_a_few_ulp_of_the_truth(name: str, params: tuple[Any, ...]) -> None:
    """On arrays; and on numbers within 1 ulp, or what the card says: never worse than in a row."""
    operation, columns = ELEMENTWISE[name], points(name)
    bound = BEYOND[name].ulps if name in BEYOND else USUAL
    with np.errstate(all="ignore"):
        values = operation.kernel(*columns, *params)
    assert len(columns[0]) >= COUNT / 2
    worst = worst_of_numbers = 0.0
    for point, of_array in zip(zip(*map(np.ndarray.tolist, columns), strict=True), values.tolist(), strict=True):
        scale = BEYOND[name].scale(point, params) if name in BEYOND else 0.0
        number = of_array if operation.scalar is None else operation.scalar(*point, *params)
        assert type(number) is float
        with mp.workdps(50):
            try:
                truth = reference(name)(*map(mpf, point), *params)
            except ZeroDivisionError:  # a pole: inf or nan, never a finite number
                assert not math.isfinite(of_array), f"{name}{point} = {of_array}"
                assert not math.isfinite(number), f"{name}{point} = {number}"
                continue
            distance = ulps(of_array, truth, scale)
            worst, worst_of_numbers = max(worst, distance), max(worst_of_numbers, ulps(number, truth, scale))
        assert distance <= bound, f"{name}{point} = {of_array}, but it is {float(truth)}: {distance:.1f} ulp"
    if operation.scalar is not None:
        assert worst_of_numbers <= operation.ulps, f"{name}: {worst_of_numbers:.2f} ulp"
        assert worst_of_numbers <= max(worst, 1.0), f"{name}: {worst_of_numbers:.2f} ulp, and {worst:.2f} in arrays"


@for_each("name", ON_NUMBERS)
def test_kernels_on_numbers_and_on_arrays_agree_at_every_edge(name: str) -> None:
    """Protects IEEE's results: zeros and their signs, infinities and nan come from the same arguments."""
    operation = ELEMENTWISE[name]
    assert operation.scalar is not None
    for point in itertools.product(SPECIAL, repeat=max(len(operation.arrays), operation.least * operation.variadic)):
        with np.errstate(all="ignore"):
            theirs = float(operation.kernel(*map(np.float64, point), *defaults(operation)))
        ours = operation.scalar(*point, *defaults(operation))
        assert type(ours) is float
        if (name, point) == ("power", (-math.inf, 0.5)):  # numpy takes the square root there; IEEE's pow is inf
            continue
        assert math.isnan(ours) == math.isnan(theirs), (point, ours, theirs)
        assert math.isnan(ours) or ours == pytest.approx(theirs, rel=1e-15, abs=0), (point, ours, theirs)
        same_sign = math.copysign(1, ours) == math.copysign(1, theirs)
        assert same_sign or math.isnan(ours) or (ours == 0 and name in ANY_ZERO), (point, ours, theirs)


@for_each("name", ELEMENTWISE)
def test_one_number_gives_what_an_array_gives(name: str) -> None:
    """numpy's vector loops and scalar calls may differ, but not by more than the bound between them."""
    operation, columns = ELEMENTWISE[name], [column[:50] for column in points(name)]
    params = defaults(operation)
    with np.errstate(all="ignore"):
        together = operation.kernel(*columns, *params)
        apart = [operation.kernel(*map(np.float64, point), *params) for point in zip(*columns, strict=True)]
    np.testing.assert_allclose(apart, together, rtol=4e-15, atol=0)


def test_the_references_name_only_what_is_in_the_table() -> None:
    assert set(VALUES) == set(ELEMENTWISE)
    assert set(PARAMETERS) | set(BEYOND) <= set(ELEMENTWISE)
    assert all(name in PARAMETERS for name, operation in ELEMENTWISE.items() if operation.statics)


def test_an_entry_without_a_reference_fails_with_what_to_add() -> None:
    with pytest.raises(AssertionError, match="give the operation 'no_such' a reference"):
        reference("no_such")


def test_the_measure_sees_one_ulp() -> None:
    assert ulps(math.nextafter(1.0, 2.0), mpf(1)) == 1.0
    assert ulps(math.nan, mpf(1)) == math.inf


@for_each("name", ELEMENTWISE)
def test_a_domain_is_given_for_each_argument(name: str) -> None:
    operation = ELEMENTWISE[name]
    assert len(intervals(operation)) == len(argument_names(operation))


@pytest.mark.parametrize(
    ("name", "params"), [("gamma", ()), ("lgamma", ()), *(("digamma", (order,)) for order in (0, 1, 2, 5))]
)
def test_the_gamma_family_left_of_0(name: str, params: tuple[int, ...]) -> None:
    """Beyond the domain of most uses, between poles: 12 digits, and no finite number on a pole."""
    kernel = ELEMENTWISE[name].kernel
    for x in np.random.default_rng(0).uniform(-20, 0, 300):
        with mp.workdps(50):
            truth = float(reference(name)(mpf(float(x)), *params))
        assert gap(kernel(x, *params), truth, 0.1 if name != "gamma" else 1e-300) < 1e-12, f"{name}{params} at {x}"
    with np.errstate(all="ignore"):
        assert not np.any(np.isfinite(kernel(np.array([0.0, -1.0, -2.0]), *params)))


def test_a_choice_gives_the_bits_of_numpys() -> None:
    """Protects nan, infinities and the sign of 0, whichever way many elements are chosen; broadcasting, too."""
    random = np.random.default_rng(4)
    many = random.choice(SPECIAL, (64, 256))
    for condition in (random.random((64, 256)) < 0.5, random.random((2, 64, 256)) < 0.1, many == many):
        for yes in (
            many,
            many[::-1],
            many[0],
            many[:, :1],
            many.T.reshape(256, 64).T,
            np.float64(-0.0),
            np.ones(256, int),
        ):
            for no in (0.0, -0.0, math.nan, many[1:2], random.normal(size=(64, 256)), many[:3, None, None, :1]):
                ours, theirs = chosen(condition, yes, no), np.where(condition, yes, no)
                assert (ours.shape, ours.dtype, ours.tobytes()) == (theirs.shape, theirs.dtype, theirs.tobytes())


@for_each(("name", "more"), [("relu", ()), ("clip", (-1.0, 1.5)), ("erfc", ()), *(("gelu", (n,)) for n in range(3))])
def test_a_number_among_many_has_the_bits_that_it_has_alone(name: str, more: tuple[float, ...]) -> None:
    """Protects what goes by blocks: their ends, numbers beyond the middle, nan, memory that is not in a row."""
    kernel = ELEMENTWISE[name].kernel
    random = np.random.default_rng(5)
    many = random.normal(0, 2, 2**16 + 77)
    many[random.choice(many.size, 400)] = random.choice([*SPECIAL, 5.6, np.nextafter(5.6, 6), 3.95, 3.97], 400)
    with np.errstate(all="ignore"):
        whole = kernel(many, *more)
        places = [*range(40), *range(2**15 - 9, 2**15 + 9), *range(many.size - 90, many.size)]
        places += np.flatnonzero(np.abs(many) > 3.5)[:600].tolist()
        alone = np.array([kernel(many[at], *more) for at in places])
        assert np.array_equal(whole[places], alone, equal_nan=True)
        assert np.array_equal(np.signbit(whole[places]), np.signbit(alone))
        apart = np.repeat(many, 2).reshape(-1, 2)[:, 0]
        assert np.array_equal(kernel(apart, *more), whole, equal_nan=True)
        assert kernel(many[:0], *more).shape == (0,)
        assert kernel(many[: 6 * 5461].reshape(2, 3, 5461), *more).shape == (2, 3, 5461)
