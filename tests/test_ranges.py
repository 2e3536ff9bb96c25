"""Derivatives over the whole range of floats: what float64 holds is right, to second order, in every mode."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from mpmath import mp, mpf

import cgcli
from cgcli.graph.node import apply, constant, variable
from cgcli.lowering.formula import lower_formula
from cgcli.transform.differentiate import jvp, vjp
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.ordinary import ORDINARY
from tests.ranges import FIRST, SECOND, compared, inputs, jets, points
from tests.ranges import numbers as at_points
from tests.support import ELEMENTWISE, defaults, differentiable

INF, NAN = float("inf"), float("nan")
SLOW = {"gamma", "digamma", "logaddexp", "erf"}  # in mpmath


@for_each("name", [name for name in ELEMENTWISE if differentiable(ELEMENTWISE[name])])
def test_what_float64_holds_is_right(name: str) -> None:
    """Each operation, and ln, 1/f and the square of it, at points of every size, against mpmath."""
    operation = ELEMENTWISE[name]
    places = points(operation, 8 if name in SLOW else 16, seed=1)
    wrong = [
        found
        for found in compared(operation, places, jets(operation, places), ["f", "ln(f)", "1/f", "f^2"])
        if not (found.right or found.apart or found.wanted.beyond)
    ]
    assert not wrong, "\n".join(map(str, wrong[:5]))


# By these arguments a derivative does not depend on them, so that it sees no nan; a comparison has none.
LINEAR = {("add", 0), ("add", 1), ("subtract", 0), ("subtract", 1), ("multiply", 0), ("multiply", 1), ("divide", 0),
          ("neg", 0), ("xlogy", 0), ("where", 1), ("where", 2), ("stop_gradient", 0)}  # fmt: skip


@for_each("name", ELEMENTWISE)
def test_nan_goes_through_value_and_derivative(name: str) -> None:
    """In both modes, through steps as floor and sign too."""
    operation = ELEMENTWISE[name]
    args, one = inputs(operation), constant(1.0)
    out = apply(operation, tuple(args), defaults(operation))
    for at, arg in enumerate(args):
        columns = [[NAN if place == at else 0.5] for place in range(len(args))]
        asked = [out, jvp(out, {arg: one}), vjp(out, one, args)[at]]
        value, *slopes = np.ravel(np.broadcast_arrays(*at_points(asked, args, columns)))
        if np.isnan(value):
            assert np.isnan(slopes).all() == ((name, at) not in LINEAR)


class Row(NamedTuple):
    """A command on a program at a point, and the numbers that it gives, in the order of the names."""

    asked: str
    program: str
    point: str
    right: Sequence[float]


def exactly(formula: str) -> float:
    """A number by mpmath with 60 digits."""
    with mp.workdps(60):
        return float(
            eval(
                formula,
                {name: getattr(mp, name) for name in ("exp", "log", "tanh", "sinh", "cosh", "cbrt", "psi")}
                | {"mpf": mpf},
            )
        )


S, T = 0.19661193324148185, exactly("exp(-400)")
E40 = exactly("exp(40)/(1 + exp(40))**2")
PLANCK = "h = 6.62607015e-34; c = 299792458; k = 1.380649e-23; 2*h*c^2/l^5/(exp(h*c/(l*k*t)) - 1)"

ROWS = [
    Row("hessian", "ln(exp(x)+exp(y))", "x=400 y=399", [S, -S, -S, S]),
    Row("hessian", "ln(x*y)", "x=1e-100 y=1e-100", [-1e200, 0, 0, -1e200]),
    Row("hessian", "ln(gamma(x))", "x=130", [exactly("psi(1, 130)")]),
    Row("hessian", "ln(exp(-x^2))", "x=20", [-2]),
    Row("hessian", "ln(cosh(x))", "x=400", [0]),
    Row("hessian", "-ln(1/(1 + exp(-x)))", "x=400", [T]),
    Row("hessian", "ln(1 - 1/(1 + exp(-x)))", "x=-400", [-T]),
    Row("hessian", "ln(det(A))", "A=[[1e-100,0],[0,1e-100]]",
        [-1e200, 0, 0, 0, 0, 0, -1e200, 0, 0, -1e200, 0, 0, 0, 0, 0, -1e200]),
    Row("hessian", "ln(prod(x))", "x=[1e-100,1e-100]", [-1e200, 0, 0, -1e200]),
    Row("hessian", "sum(max(A @ sqrt(x), 5))", "x=[0,0] A=[[1,2],[3,4]]", [0] * 36),
    Row("hessian", "sum(relu(sqrt(x) @ A - 5))", "x=[0,0] A=[[1,2],[3,4]]", [0] * 36),
    Row("hessian", "tanh(x)", "x=400", [0]),
    Row("hessian", "tanh(x)", "x=5000", [0]),
    Row("hessian", "tanh(x/(2*y)) + x", "x=1 y=1e-4", [0, 0, 0, 0]),
    Row("grad", "tanh(x/(2*y)) + x", "x=1 y=1e-4", [1, 0]),
    Row("grad", "1/(1+exp(x))", "x=400", [-T]),
    Row("hessian", "1/(1+exp(x))", "x=400", [T]),
    Row("grad", "1/(exp(x)+exp(y))", "x=400 y=399",
        [exactly(f"-exp({at})/(exp(400)+exp(399))**2") for at in (400, 399)]),
    Row("grad", "1/cosh(x)", "x=400", [-2 * T]),
    Row("hessian", "1/cosh(x)", "x=400", [2 * T]),
    Row("hessian", "sigmoid(x)", "x=1e-10", [-1e-10 / 8]),
    Row("hessian", "asin(x)", "x=1e-10", [1e-10]),
    Row("hessian", "acos(x)", "x=1e-10", [-1e-10]),
    Row("hessian", "atanh(x)", "x=1e-10", [2e-10]),
    Row("grad", "exp2(x)", "x=1024", [exactly("mpf(2)**1024*log(2)")]),
    Row("eval", "log_softmax(x)", "x=[40,0]", [exactly("-exp(-40)/(1 + exp(-40)/2)"), -40]),
    Row("eval", "logsumexp(x)", "x=[0,-40]", [exactly("exp(-40)")]),
    Row("grad", "log_softmax(x)[0]", "x=[40,0]", [exactly("1/(1 + exp(40))"), -exactly("1/(1 + exp(40))")]),
    Row("grad", "softmax(x)[0]", "x=[40,0]", [E40, -E40]),
    Row("hessian", "logsumexp(x)", "x=[40,0]", [E40, -E40, -E40, E40]),
    Row("hessian", "logsumexp(x)", "x=[3,3]", [0.25, -0.25, -0.25, 0.25]),
    Row("hessian", "log_softmax(x)[0]", "x=[40,0]", [-E40, E40, E40, -E40]),
    Row("grad", "logsumexp(x)", "x=[inf,1]", [1, 0]),
    Row("grad", "floor(x)", "x=nan", [NAN]),
    Row("hessian", "2*sign(x)", "x=nan", [NAN]),
    Row("grad", "sum(x // y)", "x=[nan,7] y=[2,nan]", [NAN, NAN, NAN, NAN]),
    Row("grad", "floor(sqrt(x))", "x=0", [0]),  # a structural zero, not 0*inf
    Row("grad", "sum(round(A @ x) + A @ x)", "A=[[1,2],[3,4]] x=[nan,1] --wrt x", [NAN, NAN]),
    Row("grad", "sum(round(A @ x) + A @ x)", "A=[[1,2],[3,4]] x=[1,1] --wrt x", [4, 6]),
    Row("hessian", "sqrt(exp(x))", "x=500", [exactly("exp(250)/4")]),
    Row("hessian", "cbrt(silu(x)) + 3", "x=-650", [exactly(
        "-cbrt(650*exp(-650))*((1 - 1/mpf(650))**2/9 - 1/(3*mpf(650)**2))")]),
    Row("hessian", "abs(erf(cosh(x)))", "x=-563", [0]),
    Row("hessian", "gelu(sinh(x))", "x=-427", [0]),
    Row("hessian", "x^x", "x=1e-198", [1e198]),
    Row("hessian", "x^y", "x=1e-300 y=1e-300", [-1e300, 1e300, 1e300, exactly("log(mpf(10)**-300)**2")]),
    Row("grad", "atan2(cosh(x), x)", "x=-516", [exactly("(-516*sinh(-516) - cosh(516))/(516**2 + cosh(516)**2)")]),
    Row("hessian", "1/x^y", "x=30 y=130", [exactly(f"{part}/mpf(30)**130") for part in (
        "130*131/mpf(900)", "(130*log(30) - 1)/mpf(30)", "(130*log(30) - 1)/mpf(30)", "log(30)**2")]),
    *(Row("grad", "D(1/x^y, x)", f"x={x} y={y}", [exactly(f"{part}/mpf({x})**{y}") for part in (  # reverse mode twice
        f"{y}*{y + 1}/mpf({x * x})", f"({y}*log({x}) - 1)/mpf({x})")]) for x, y in [(30, -170), (2, 700), (30, 130)]),
    Row("hessian", "xlogy(x, 2*x)", "x=1e-260", [1e260]),
    Row("hessian", "xlogy(x, 2*x)", "x=1e240", [1e-240]),
    Row("grad", "x^0.6*x^0.4", "x=0", [1]),
    Row("grad", PLANCK, "l=1e-7 t=300 --wrt l", [2.9373920504247155e-180]),
]  # fmt: skip


def numbers(asked: str, answer: Any) -> list[float]:
    """The numbers of an answer, in the order of the names."""
    if asked == "eval":
        return [float(x) for x in np.ravel(answer["value"])]
    found = answer[asked].values()
    rows = found if asked == "grad" else [each for row in found for each in row.values()]
    return [NAN if x is None else x for each in rows for x in np.ravel(np.array(each, dtype=object))]


@for_each("row", ROWS)
def test_what_lost_its_range_once_is_right(row: Row, capsys: Capture) -> None:
    told = cg(capsys, row.asked, row.program, *row.point.split(), "--json", "-q")
    ours = numbers(row.asked, json.loads(told.out))
    bound = SECOND if row.asked == "hessian" else FIRST
    least = max(1e-13 * max(map(abs, row.right)), 1e-300) if 0 in row.right else 1e-300
    assert len(ours) == len(row.right)
    for one, right in zip(ours, row.right, strict=True):
        assert one == pytest.approx(right, rel=bound, abs=least, nan_ok=True)


# Each is 3*sqrt(x0) + 4*sqrt(x1), plus a constant, at A = [[1, 2], [3, 4]] and x = [0, 4].
UNCHOSEN = [
    "sum(max(A @ sqrt(x), 5))", "f(A, x) = max(A @ sqrt(x), 5); sum(f(A, x))", "sum(relu(A @ sqrt(x) - 5))",
    "sum(clip(A @ sqrt(x), 5, 100))", "max(A @ sqrt(x))", "sum(where(A @ sqrt(x) > 5, A @ sqrt(x), 5))",
    "(A @ sqrt(x))[1]", "sort(A @ sqrt(x))[1]", "quantile(A @ sqrt(x), 1)", "cummax(A @ sqrt(x))[1]",
    "sum(max_pool1d(reshape(A @ sqrt(x), [1, 1, 2]), 2))", "sum(max(einsum('ij,j->i', A, sqrt(x)), 5))",
    "sum(max(A @ sqrt(x), 5) @ eye(2))",
]  # fmt: skip


@for_each("program", UNCHOSEN)
def test_what_is_not_chosen_has_no_second_derivative_beside_an_infinite_one(program: str) -> None:
    """The first row of A is in no term that counts, so its derivatives are 0, not 0*inf: those of sqrt at 0 are inf."""
    found = cgcli.hessian(program)(A=[[1.0, 2.0], [3.0, 4.0]], x=[0.0, 4.0])
    mixed = np.array([[[0, 0], [0, 0]], [[INF, 0], [0, 1 / 4]]])  # 1/(2*sqrt(x)) in the second row
    assert found["A"]["A"] == pytest.approx(np.zeros((2, 2, 2, 2)))
    assert found["A"]["x"] == pytest.approx(mixed)
    assert found["x"]["A"] == pytest.approx(mixed.transpose(2, 0, 1))
    assert found["x"]["x"] == pytest.approx(np.array([[-INF, 0], [0, -4 / (4 * 8)]]))  # -A[1]/4*x^(-3/2)


@for_each("order", [0, 1, 2])
@for_each("pole", [0, -1, -2, -5, -20])
def test_the_gamma_functions_keep_their_digits_beside_a_pole(pole: int, order: int) -> None:
    for away in (0.1, -0.1, 1e-3, -1e-3, 1e-6, -1e-9, 1e-12):
        x = pole + away
        with mp.workdps(50):
            psi = mp.psi(order, mpf(x))
            right = [psi, mp.gamma(mpf(x)), mp.log(abs(mp.gamma(mpf(x))))]
        kernels = [ELEMENTWISE[name].kernel for name in ("digamma", "gamma", "lgamma")]
        ours = [kernels[0](x, order), kernels[1](x), kernels[2](x)]
        assert ours == pytest.approx(list(map(float, right)), rel=1e-13)


# Products of powers of one base, which are 0 at 0 where a derivative of a factor is infinite.
PRODUCTS = [
    "x*(1 - x**1.1)", "x*(1 - x**0.1)", "x*x**0.1", "x*(2*x**1.1)", "x**1.5*x", "-x*x**1.1/3", "x**2*x**0.5",
    "x*x**(4/3)", "x**0.5*x**0.6", "(x**0.6)**2", "x*sqrt(x)", "x**2*sqrt(x)", "exp(x)*x*sqrt(x)", "sin(x*x**1.2)",
    "x*cbrt(x)", "(x + x**1.2)*x",
]  # fmt: skip


@pytest.mark.parametrize("formula", PRODUCTS)
def test_a_derivative_at_the_zero_of_a_product_of_powers_is_its_limit(formula: str) -> None:
    """Of both orders, in each mode; judged so near to 0 that mpmath's limit is 0, inf or a number as float64."""
    names = {name: getattr(mp, name) for name in ("exp", "sin", "sqrt", "cbrt")}
    with mp.workdps(1500):
        near, step = mpf(10) ** -1000, mpf(10) ** -1040
        first, second = (
            float(mp.diff(lambda x: eval(formula, {**names, "x": x}), near, order, h=step)) for order in (1, 2)
        )
    x, one = variable("x"), constant(1.0)
    out = lower_formula(formula.replace("**", "^"), {"x": x})
    forward, (reverse,) = jvp(out, {x: one}), vjp(out, one, [x])
    twice = [jvp(forward, {x: one}), jvp(reverse, {x: one}), *vjp(forward, one, [x]), *vjp(reverse, one, [x])]
    found = np.ravel(at_points([forward, reverse, *twice], [x], [[0.0]]))
    assert found == pytest.approx([first] * 2 + [second] * 4, rel=1e-12, abs=1e-12)
    beyond = np.array(at_points([forward, reverse, *twice], [x], [[0.3, -0.3]]))
    value = at_points([out], [x], [[0.3, -0.3]])[0]
    assert np.array_equal(np.isnan(beyond), np.broadcast_to(np.isnan(value), beyond.shape))


@pytest.mark.parametrize("formula", ["x^2*x^-0.5", "x*(3*x^-0.5)", "sqrt(x)*sqrt(x) + x*ln(x)"])
def test_where_a_value_is_nan_its_derivative_is(formula: str) -> None:
    x, one = variable("x"), constant(1.0)
    out = lower_formula(formula.replace("**", "^"), {"x": x})
    found = at_points([out, jvp(out, {x: one}), *vjp(out, one, [x])], [x], [[0.0]])
    assert np.isnan(np.ravel(found)).all()


# What is lost in the user's own terms, and the node that the warning names.
LOST = [
    ("grad", "(x + 1e20) - 1e20", "x=1", "x + 1e20"),
    ("hessian", "ln(1 + exp(x))", "x=400", "1 + exp(x)"),
    ("eval", "ln(1 + exp(-x))", "x=40", "1 + exp(-x)"),
    ("eval", "1 - 1/(1 + exp(-x))", "x=40", "1 + exp(-x)"),
    ("eval", "(1 - cos(x))/x^2", "x=1e-9", "cos(x)"),
    ("eval", "(exp(x) - 1)/x", "x=1e-17", "exp(x)"),
    ("eval", "sqrt(x^2 + 1e-20) - 1", "x=1", "x^2 + 1e-20"),
    ("eval", "1e300*(x*x)", "x=1e-200", "x*x"),
    ("eval", "y + 1e300*(x*x)", "x=1e-200 y=1e-90", "x*x"),
    ("eval", "1e300*exp(-x)", "x=800", "exp(-x)"),
    ("eval", "(1 - sinc(x))/x^2", "x=1e-9", "sinc(x)"),
    ("eval", "1e300*erfc(x)*1e300", "x=28", "erfc(x)"),
    ("eval", "1e300*sum(ndtr(x))*1e300", "x=[-40,-41]", "ndtr(x)"),
    ("eval", "sum((x + 1e20) - 1e20)", "x=[0,1]", "x + 1e20"),
    ("eval", "1 - 1/(1 + exp(-x))", "x=36", "1 - 1/(1 + exp(-x))"),
    ("grad", "1 - 1/(1 + exp(-x))", "x=25", "1 - 1/(1 + exp(-x))"),
    ("hessian", "(1 - cos(x))/x^2", "x=1e-5", "1 - cos(x)"),
    ("eval", "sqrt(x^2 + 1) - x", "x=1e6", "sqrt(x^2 + 1) - x"),
    ("eval", "ln(1 + x)", "x=1e-9", "ln(1 + x)"),
    ("eval", "(1 + 1/n)^n", "n=1e12", "(1 + 1/n)^n"),
    ("eval", "-b + sqrt(b^2 - 4*a*c)", "a=1 b=1e6 c=1", "-b + sqrt(b^2 - 4*a*c)"),
    ("eval", "mean(x^2) - mean(x)^2", "x=[1e6,1000001,1000002]", "mean(x^2) - mean(x)^2"),
    ("eval", "sum(1 - cos(x))", "x=[1e-5,2e-5]", "1 - cos(x)"),
    ("jacobian", "1 - cos(x)", "x=[1,1e-5]", "1 - cos(x)"),
    ("eval", "s = 0; for i in 1..3 { s = s + (1 - cos(i*x)) }; s", "x=1e-5", "1 - cos(i*x)"),
    ("grad", "for i in 1..3 { x = 1 - cos(x) }; x", "x=0.01", "1 - cos(x)"),
    ("eval", "sum([1e20, 1, -1e20])", "", "sum([1e20, 1, -1e20])"),
    ("eval", "x + mean([1e17, 3, -1e17])", "x=0.5", "mean([1e17, 3, -1e17])"),
    ("eval", "a @ b", "a=[1e10,1,-1e10] b=[1e10,1,1e10]", "a @ b"),
    ("grad", "A @ [1e16, 1, -1e16] @ [1, 1]", "A=[[1,1,1],[1,2,1]]", "A @ [1e16, 1, -1e16]"),
]


@for_each(("asked", "program", "point", "named"), LOST)
def test_what_is_lost_has_a_warning_that_names_the_node(
    asked: str, program: str, point: str, named: str, capsys: Capture
) -> None:
    warnings = json.loads(cg(capsys, asked, program, *point.split(), "--json").out)["warnings"]
    assert [(each["kind"], each["node"]) for each in warnings] in ([("lost", named)], [("lost", f"({named})")])


@for_each(
    ("program", "point", "hint"),
    [
        ("1e16 + x - 1e16", "x=1", ""),  # no form of the table helps: none is offered
        ("-b + sqrt(b^2 - 4*a*c)", "a=1 b=1e6 c=1", ""),
        ("1e300*exp(-x)", "x=800", ""),
        ("(1 - cos(x))/x^2", "x=1e-9", "2*sin(x/2)^2 keeps it, in the place of (1 - cos(x))"),
        ("3*ln(1 + exp(-x))", "x=40", "softplus(-x) keeps it, in the place of ln(1 + exp(-x))"),  # not log1p(exp(-x))
        ("1 - 1/(1 + exp(-x))", "x=40", "sigmoid(-x) keeps it, in the place of 1 - 1/(1 + exp(-x))"),  # not of a part
        ("sqrt(1 + x) - 1", "x=1e-17", "x/(sqrt(x + 1) + 1) keeps it, in the place of sqrt(1 + x) - 1"),
        (
            "ln(1 + (x + 1e20)) - ln(1e20)",
            "x=1e11",  # log1p of x + 1e20, which has lost x, loses it too
            "log1p((x + 1)/1e+20) keeps it, in the place of ln(1 + (x + 1e20)) - ln(1e20)",
        ),
    ],
)
def test_the_hint_at_what_is_lost_names_the_form_that_fits(
    program: str, point: str, hint: str, capsys: Capture
) -> None:
    (warning,) = json.loads(cg(capsys, "eval", program, *point.split(), "--json").out)["warnings"]
    assert (warning["kind"], warning.get("hint", "")) == ("lost", hint)


@for_each(
    ("program", "point"),
    [
        ("x^2", "x=0"),
        ("(3*x - 6)^2", "x=2"),
        ("(0.1*x - 0.5)^2", "x=5"),
        ("(0.1*x - 0.3)^2", "x=3"),  # what rounding leaves of a residual is no fault of a program
        ("sin(x)^2 + cos(x)^2 - 1", "x=0.3"),
        ("exp(-x^2)", "x=40"),
        ("exp(-x^2)*1e10", "x=1000"),
        ("tanh(x)", "x=400"),
        ("ln(cosh(x))", "x=400"),
        ("relu(x) + 1e-20*x", "x=-1"),
        ("sqrt(x^2 + 1e-20)", "x=0"),
        ("(x + 1e-300)*y", "x=1 y=0"),
        ("x*y + x^3", "x=0 y=0"),
        ("where(x > 0, ln(1 + exp(-x)) , x)", "x=-40"),
        ("p = exp(x)/(1 + exp(x)); p*(1 - p)", "x=-800"),
        ("0.1*x - 0.3", "x=3.0000001"),  # as far as the last bit of x moves it
        ("x^2 - y", "x=3 y=9.00000001"),  # of exact terms
        ("(x + 1)^2 - x^2 - 2*x - 1", "x=0.3"),  # is 0, and nothing is right of what rounding leaves
        ("ln(1 + x) + 1", "x=1e-9"),  # is lost, and no result depends on it
        ("sin(3.141592653589793*x)", "x=1000"),
        ("for i in 1..6 { x = x - (x^2 - a)/(2*x) }; x", "x=1 a=2"),  # lost where it goes to 0, as it should
        ("for i in 1..60 { x = 3.9*x*(1 - x) }; x", "x=0.3"),  # no program knows better
        ("repeat 20 { x = x - (cos(x) - x)/(-sin(x) - 1) }; x", "x=1"),
        ("a = x; b = y; repeat 5 { c = (a - b)^2; a = (a + b)/2; b = sqrt(a^2 - c/4) }; a", "x=1 y=2"),
        ("sum((y - a*x)^2)", "y=[2,4,6.0000001] x=[1,2,3] a=2"),
    ],
)
def test_what_nothing_depends_on_is_no_loss(program: str, point: str, capsys: Capture) -> None:
    assert not cg(capsys, "hessian", program, *point.split()).err


@for_each("row", ORDINARY.strip().splitlines())
def test_ordinary_sums_have_no_warning(row: str, capsys: Capture) -> None:
    """Protects the warning of lost digits: residuals and balances are 0 but for the rounding of what is given."""
    program, _, point = row.partition("|")
    asked = [command for command in ("eval", "grad") if command == "eval" or point]
    found = [json.loads(done.out)["warnings"] for command in asked
             if (done := cg(capsys, command, program, *point.split(), "--json")).code == 0]  # fmt: skip
    assert found
    assert not any(found)
