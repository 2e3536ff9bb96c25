"""Many digits: all of them right, with inputs as they are typed, and what rounding decides is said."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import cgcli
from cgcli.digits.evaluation import AtPrecision
from cgcli.evaluate.constants import OF_RULES, SYMBOLIC
from cgcli.ops import many
from cgcli.ops.table import operations
from tests.command import Capture, cg
from tests.digits import samples, truth
from tests.for_each import for_each
from tests.reference_values import PARAMETERS, VALUES
from tests.support import ELEMENTWISE

# Digits from published tables: OEIS A000796, A002193, A039661, A073005, A001620, and Rump (1988).
KNOWN = [
    ("pi", {}, "3.1415926535897932384626433832795028841971693993751"),
    ("sqrt(2)", {}, "1.4142135623730950488016887242096980785696718753769"),
    ("exp(pi)", {}, "23.140692632779269005729086367948547380266106242600"),
    ("gamma(1/3)", {}, "2.6789385347077476336556929409746776441286893779573"),
    ("-digamma(1)", {}, "0.57721566490153286060651209008240243104215933593992"),
    (
        "333.75*b^6 + a^2*(11*a^2*b^2 - b^6 - 121*b^4 - 2) + 5.5*b^8 + a/(2*b)",
        {"a": "77617", "b": "33096"},
        "-0.82739605994682136814116509547981629199903311578438",
    ),
]


@for_each(("text", "values", "digits"), KNOWN)
def test_known_constants(capsys: Capture, text: str, values: Mapping[str, str], digits: str) -> None:
    bound = [f"{name}={value}" for name, value in values.items()]
    count = len(digits.lstrip("-0.").replace(".", ""))
    found = cg(capsys, "eval", text, *bound, "--digits", str(count)).out.strip()
    assert found == digits.rstrip("0")


@for_each("sample", list(samples(Random(20), 20)))
def test_random_programs_have_thirty_right_digits(sample: Any) -> None:
    """Value and gradient, against mpmath on the text itself."""
    value, slopes = truth(sample, 30)
    found, grad = cgcli.value_and_grad(sample.text, digits=30)(dict(sample.values))
    for ours, exact in [(found, value), *((grad[name], slopes[name]) for name in slopes if name in grad)]:
        with mp.workdps(60):
            assert abs(ours - exact) <= 5 * abs(exact) * mpf(10) ** -30


POINTS = (mpf("0.3"), mpf("-0.4"), mpf("1.7"), mpf("2.5"))


@for_each("name", sorted(ELEMENTWISE))
def test_every_elementwise_kernel_has_its_digits(name: str) -> None:
    """Values, with those of reference_values.py, which are of mpmath too, but another's work."""
    operation = ELEMENTWISE[name]
    count = 2 if operation.variadic else len(operation.arrays)
    names = [f"a{at}" for at in range(count)]
    domain_like = {"acosh": 2, "lgamma": 3}
    for params in [(), *PARAMETERS.get(name, [])]:
        statics = dict(zip((static.name for static in operation.statics), params, strict=False))
        defaults = [static.default for static in operation.statics]
        given = [*params, *defaults[len(params) :]]
        keywords = "".join(f", {key}={value}" for key, value in statics.items())
        spelt = operation.name if operation.name not in ("not", "and", "or") else ""
        if not spelt:
            continue
        f = cgcli.value(f"{spelt}({', '.join(names)}{keywords})", digits=40)
        for point in zip(*(POINTS[at:] + POINTS[:at] for at in range(count)), strict=True):
            point = tuple(number + domain_like.get(name, 0) for number in point)
            with mp.workdps(80):
                numbers = [mpf(str(item)) if isinstance(item, mpf | float) else item for item in (*point, *given)]
                try:
                    exact = VALUES[name](*numbers)
                except (ZeroDivisionError, ValueError):
                    continue
                if isinstance(exact, mp.mpc):
                    continue
                found = f(*map(str, point))
                assert abs(found - exact) <= abs(exact) * mpf(10) ** -39, (name, point)


def test_every_operation_has_a_kernel_for_many_digits() -> None:
    assert [op.name for op in operations() if not (op.mp or op.expansion or op.python)] == []


def test_constants_of_rules_have_all_their_digits() -> None:
    """Protects derivatives: a float64 in a rule that stands for an irrational number is known as such."""
    assert many.IRRATIONAL.keys() == SYMBOLIC | OF_RULES
    written = re.findall(r"\d\.\d{12,}", " ".join(str(operation.rules) for operation in operations()))
    assert {*map(float, written)} <= OF_RULES
    with mp.workdps(30):
        for number in map(float, written):
            assert abs(many.number(mp, number) - mpf(number)) > 0
            assert float(many.number(mp, number)) == number


# Operations on arrays, whose values are those of float64 but for rounding.
ARRAYS = [
    "A @ A", "solve(A, b)", "inv(A)", "det(A)", "logdet(A @ A.T)", "cofactor(A)", "cofactor_along(A, A + 1)", "max(A)",
    "min(A, axis=0)", "argmax(A, axis=1)", "norm(b)", "logsumexp(A, axis=0)", "softmax(A)", "log_softmax(A)", "size(A)",
    "sum(A, axis=1)", "mean(A)", "cumsum(b)", "reshape(A, [-1])", "A.T", "flip(b)", "concat(b, b)", "[b, b]", "diag(A)",
    "diag(b)", "tril(A)", "A[0, 1:]", "put(b, [4], 1:3)", "pad(b, [1, 0])", "zeros([2])", "eye(2)",
    "arange(0, 1, 0.25)", "linspace(0, 1, 4)", 'einsum("ij,jk,k->i", A, A, b)',
    "unfold(b, 1, 1)", "fold(unfold(b, 2, 1), 2, 1)", "prod(A)",
    "var(A)", "std(b)", "mse(b, A)", "cross_entropy(A, [0, 1])", "onehot([0, 1], 3)", "broadcast(b, [2, 2])",
    "conv1d(reshape(b, [1, 1, 2]), ones([1, 1, 1]))", "max_pool2d(A, 2)", "avg_pool2d(A, 2)", "where(A > 1, A, b)",
    "hypot(A, b)", "A^2 - b/3",
    "eigvalsh(A)", "eigvecsh(A)", "over_gaps(A, b, 2*b)", "svdvals(A)", "svd_left(A[:, :1])", "svd_left(A[:1])",
    "svd_right(A)", "cholesky(A)", "orthonormal(A)", "orthonormal(A[:, 1:])", "logabsdet(A - 2)", "signdet(A - 2)",
    "pinv(A[:, :1])", "pinv(A[:1])", "pinv(A)", "expm(A)", "expm_along(A, A.T)",
]  # fmt: skip


@pytest.mark.parametrize("x", ["0.1", "-3.7", "40.25", "1e-30", "1.0000000000000001", "-299.3", "1.46"])
def test_the_gamma_function_to_very_many_digits(x: str) -> None:
    """Of more digits than 300 it is a sum of our own."""
    made = many.context(310)
    at = made.mpf(x)
    with mp.workdps(330):
        exact = mp.mpf(at)
        pairs = [(many.gamma(made, at), mp.gamma(exact)), (many.lgamma(made, at), mp.re(mp.loggamma(exact))),
                 (many.digamma(made, at, 0), mp.psi(0, exact))]  # fmt: skip
        assert all(abs(mp.mpf(found) / right - 1) < mp.mpf(10) ** -305 for found, right in pairs)


@for_each("text", ARRAYS)
def test_operations_on_arrays(text: str) -> None:
    """Values, and the derivative of their sum."""
    values = {"A": [[2.0, 1.5], [0.5, 3.0]], "b": [0.5, -1.25]}
    point = {name: values[name] for name in cgcli.parse(text).inputs}
    floats = cgcli.value(text)(point)
    many = cgcli.value(text, digits=25)(point)
    assert np.asarray(many, float) == pytest.approx(np.asarray(floats, float), rel=1e-12, abs=1e-12)
    if point:
        total = f"sum({text})" if np.shape(floats) else text
        slopes, exact = cgcli.grad(total)(point), cgcli.grad(total, digits=25)(point)
        for name, slope in slopes.items():
            assert np.asarray(exact[name], float) == pytest.approx(slope, rel=1e-11, abs=1e-11)


def test_linear_algebra_is_exact_for_fractions() -> None:
    """The inverse of Hilbert's matrix has whole elements, and float64 loses all digits of it (Choi 1983)."""
    size = 8
    hilbert = "[" + ", ".join("[" + ", ".join(f"1/{i + j + 1}" for j in range(size)) + "]" for i in range(size)) + "]"
    found = cgcli.value("inv(H)", digits=30)(H=hilbert)
    assert (found[0, 0], found[7, 7]) == (64, 176679360)
    determinant = cgcli.value("1/det(H)", digits=34)(H=hilbert)
    assert determinant == 365356847125734485878112256000000


@for_each(
    ("text", "exact"),
    [
        ("0.1", Fraction(1, 10)),
        ("1/3", Fraction(1, 3)),
        ("0.123456789012345678901234567890123456789", Fraction("0.123456789012345678901234567890123456789")),
        ("-123456789012345678901234567890.5", Fraction("-123456789012345678901234567890.5")),
        ("3.141592653589793", Fraction("3.141592653589793")),
        ("1.4426950408889634", Fraction("1.4426950408889634")),
        ("1_000_000_000_000_000_000_001", Fraction(10**21 + 1)),
        ("1e400", Fraction(10**400)),
        ("2e-400", Fraction(2, 10**400)),
    ],
)
def test_numerals_are_read_as_they_are_typed(text: str, exact: Fraction) -> None:
    """As values and within the program."""
    with mp.workdps(60):
        for found in (cgcli.value("x", digits=50)(text), cgcli.value(f"x - x + ({text})", digits=50)(1)):
            assert abs(found * exact.denominator - exact.numerator) <= 5 * abs(exact.numerator) * mpf(10) ** -50


@for_each(
    ("arguments", "printed"),
    [
        (["eval", "x*3", "x=0.1", "--digits", "30"], "0.3\n"),
        (["eval", "(1 - cos(x))/x^2", "x=1e-7", "--digits", "20"], "0.49999999999999958333\n"),
        (["eval", "(1 - cos(x))/x^2", "x=1e-200", "--digits", "20"], "0.5\n"),
        (["eval", "2^10", "--digits", "3"], "1.02e+3\n"),
        (["eval", "0.1 + 0.2 == 0.3", "--digits", "5"], "1\n"),
        (["eval", "floor(0.1*3*10)", "--digits", "5"], "3\n"),
        (["eval", "exp(-1e5)", "--digits", "5"], "3.5629e-43430\n"),
        (["eval", "[1/3, sqrt(2)]", "--digits", "20"], "[0.33333333333333333333, 1.4142135623730950488]\n"),
        (["eval", "A @ x", "A=[[0.1,0.2],[0.3,0.4]]", "x=[1,1]", "--digits", "30"], "[0.3, 0.7]\n"),
        (["grad", "x^2*ln(y)", "x=3", "y=2", "--digits", "20"],
         "value\t6.2383246250395077848\nd_x\t4.1588830833596718565\nd_y\t4.5\n"),
        (["grad", "x^2*ln(y)", "x=3", "y=2", "--digits", "20", "--mode", "forward"],
         "value\t6.2383246250395077848\nd_x\t4.1588830833596718565\nd_y\t4.5\n"),
        (["jvp", "sin(x)", "x=0", "--tangent", "x=1/3", "--digits", "20"], "value\t0\njvp\t0.33333333333333333333\n"),
        (["vjp", "[x, x/3]", "x=1", "--cotangent", "[0, 1/7]", "--digits", "20"],
         "value\t[1, 0.33333333333333333333]\nvjp_x\t0.047619047619047619048\n"),
        (["jacobian", "[x*y, x/y]", "x=1", "y=3", "--digits", "20"],
         "\tx\ty\nvalue[0]\t3\t1\nvalue[1]\t0.33333333333333333333\t-0.11111111111111111111\n"),
        (["hessian", "exp(x)*y", "x=1", "y=3", "--digits", "20"],
         "\tx\ty\nx\t8.1548454853771357061\t2.7182818284590452354\ny\t2.7182818284590452354\t0\n"),
        (["hessian", "exp(x)*y", "x=1", "y=3", "--tangent", "x=1/2", "--digits", "20"],
         "hvp_x\t4.077422742688567853\nhvp_y\t1.3591409142295226177\n"),
        (["trace", "ln(x)*y", "x=2", "y=3", "--digits", "25"],
         "forward primal trace  value\nx                     2\ny                     3\n"
         "v1 = ln(x)            0.6931471805599453094172321\nv2 = v1*y             2.079441541679835928251696\n"),
        (["eval", "f(x) = x^3; jvp f(x; dx) = 3*x^2*dx; f(y)", "y=1/3", "--digits", "20"], "0.037037037037037037037\n"),
        (["grad", "f(x) = x^3; jvp f(x; dx) = 5*dx; f(y)", "y=1/3", "--digits", "20"],
         "value\t0.037037037037037037037\nd_y\t5\n"),
        (["eval", "sqrt(2)", "--digits", "5", "--json"], '{"value": 1.4142, "warnings": []}\n'),
        (["eval", "sqrt(2)", "--digits", "20", "--json"], '{"value": "1.4142135623730950488", "warnings": []}\n'),
        (["eval", "exp(-1e5)", "--digits", "5", "--json"], '{"value": "3.5629e-43430", "warnings": []}\n'),
        (["grad", "x^2", "x=2", "--digits", "30", "--json"], '{"value": "4", "grad": {"x": "4"}, "warnings": []}\n'),
    ],
)  # fmt: skip
def test_commands(capsys: Capture, arguments: list[str], printed: str) -> None:
    assert cg(capsys, *arguments) == (0, printed, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["eval", "sin(pi)"], "a result is given as 0: computed with 1080 digits, no digit of it is certain"),
        (
            ["eval", "sin(x)^2 + cos(x)^2 == 1", "x=0.3"],
            "compares numbers that agree to 1080 digits: they count as equal",
        ),
        (
            ["eval", "1 - cos(x)", "x=1e-3000"],
            "is 0 to 1080 digits: whether it is 0, or only close to it, is not known",
        ),
        (["eval", "cos(x) == 1", "x=1e-3000"], "cos(x) == 1 compares numbers that agree to 1080 digits"),
        (["eval", "cos(x) == 1", "x=1e-300"], ""),
        (["eval", "cos(x) == 1", "x=0"], ""),
        (["eval", "cos(x) == 1 + 1e-3000", "x=0"], "compares numbers that agree to 1080 digits"),
        (["eval", "x == 1 + 1e-3000", "x=1"], ""),
        (["eval", "x - x == 0", "x=pi"], ""),
        (["eval", "sqrt(x) == 2", "x=4"], ""),
        (["eval", "logit(x)", "x=0.5"], ""),
        (["eval", "ndtri(x)", "x=1/2"], ""),
        (["eval", "cospi(x)", "x=-2.5"], ""),
        (["eval", "logit(x)", "x=1/3 + 1/6"], ""),
        (["eval", "sqrt(2)^2 == 2"], "compares numbers that agree to 1080 digits"),
        (
            ["eval", "floor(sin(x)^2 + cos(x)^2)", "x=0.3"],
            "rounds a number that agrees with a step of it to 1080 digits",
        ),
        (["eval", "floor(10*x)", "x=0.7"], ""),
        (["grad", "max(x, y)", "x=sqrt(2)", "y=1"], ""),
        (["grad", "hypot(x, y)", "x=sqrt(2)", "y=sqrt(2)"], ""),
        (["eval", "1/0"], "1/0 is infinite"),
        (["eval", "ln(x)", "x=-1"], "ln(-1) is nan"),
        (["eval", "x + 1", "x=nan"], "the input 'x' is nan"),
        (["grad", "abs(x)", "x=0"], "abs(0) is at a kink"),
    ],
)
def test_what_rounding_decides_is_said(capsys: Capture, arguments: list[str], said: str) -> None:
    found = cg(capsys, *arguments, "--digits", "20")
    assert found.code == 0
    assert said in found.err
    assert (said == "") == (found.err == "")


@for_each(
    ("x", "h", "exact"),
    [
        ("1e-9999", "1", "1e+9999"),
        ("1", "1e-9999", "1.64493406684822643647241516665e-9999"),  # pi^2/6 times h
        ("-1.5", "1e-9999", "9.37924664498912375386168994438e-9999"),
        ("1e900", "1e900", "0.693147180559945309417232121458"),
        ("1e-100", "-1", "1"),
    ],
)
def test_differences_of_digamma_have_their_digits_however_small_an_argument_is(
    capsys: Capture, x: str, h: str, exact: str
) -> None:
    """Protects time as well: with the digits of a sum of both, these took minutes. The values are mpmath's."""
    found = cg(capsys, "eval", "digamma_difference(x, h)", f"x={x}", f"h={h}", "--digits", "30")
    assert found == (0, f"{exact}\n", "")


@for_each(
    ("arguments", "message"),
    [
        (["eval", "1", "--digits", "0"], "invalid value for '--digits': '0' is no whole number from 1 to 1000"),
        (["eval", "1", "--digits", "many"], "invalid value for '--digits': 'many' is no whole number from 1 to 1000"),
        (["eval", "1", "--digits", "1001"], "'1001' is no whole number from 1 to 1000"),
        (["eval", "x", "x=0:1:3", "--digits", "9"], "--digits is for one point, and not for rows"),
        (["eval", "1", "--digits", "9", "--precision", "3"], "--digits and --precision both say how many digits"),
        (["eval", "exp(exp(exp(100)))", "--digits", "9"], "exp cannot be computed: an argument has"),
        (
            ["eval", "digamma_difference(x, -1)", "x=1e-9999", "--digits", "9"],
            "digamma_difference cannot be computed: one argument has 33236 bits more than the other",
        ),
        (["eval", "sum(ones([4000, 1000])*pi)", "--digits", "1000"], "numbers of 1015 digits take more than 2.147 GB"),
        (["eval", "x + 1", "--digits", "9"], "no value for 'x'"),
    ],
)
def test_bad_input(capsys: Capture, arguments: list[str], message: str) -> None:
    found = cg(capsys, *arguments)
    assert found.code in (1, 2)
    assert message in found.err
    assert "Traceback" not in found.err


def test_library() -> None:
    """As others are called: by name and in order; results of mpmath, in arrays where they are arrays."""
    found = cgcli.value("x/3", digits=30)(0.1)
    assert isinstance(found, mpf)
    assert mp.nstr(found, 30) == "0.0333333333333333333333333333333"
    value, slopes = cgcli.value_and_grad("sum(x^2)", digits=20)(x=[0.1, 0.2])
    assert (float(value), list(map(float, slopes["x"]))) == (0.05, [0.2, 0.4])
    assert cgcli.jvp("x @ y", digits=20)({"x": [1, 2], "y": [3, 4]}, {"x": [1, 0]}) == (11, 3)
    product, pulled = cgcli.vjp("x^2", digits=20)({"x": [1, 2, 3]}, [1, 0, 1])
    assert (product.tolist(), pulled["x"].tolist()) == ([1, 4, 9], [2, 0, 6])
    pair, both = cgcli.vjp("(x, x^2)", digits=20)({"x": 3}, {"x^2": 1})
    assert (pair, both) == ({"x": 3, "x^2": 9}, {"x": 6})
    assert cgcli.jacobian("[x*y, x + y]", digits=20)(2, 3)["x"].tolist() == [3, 1]
    assert cgcli.hessian("x^2*y", digits=20)(2, 3) == {"x": {"x": 6, "y": 4}, "y": {"x": 4, "y": 0}}
    assert cgcli.value("x", digits=25)(Fraction(1, 3)) == cgcli.value("1/3", digits=25)()
    with pytest.warns(cgcli.CgWarning, match="no digit of it is certain"):
        assert cgcli.value("sin(pi)", digits=20)() == 0


@for_each("digits", [0, 1001, 2.5, True, "30"])
def test_digits_that_are_none(digits: Any) -> None:
    with pytest.raises(cgcli.CgError, match="digits is a whole number"):
        cgcli.value("x", digits=digits)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["cos(x) == 1", "x=1e-300"], "0"),
        (["where(cos(x) < 1, 1, 2)", "x=1e-200"], "1"),
        (["x == 1 + 1e-3000", "x=1"], "0"),
        (["x > 0", "x=1e-400"], "1"),
    ],
)
def test_a_condition_is_decided_with_more_digits(capsys: Capture, arguments: list[str], value: str) -> None:
    """Where two runs agree, but on what rounding has made equal."""
    assert cg(capsys, "eval", *arguments, "--digits", "20") == (0, f"{value}\n", "")


def test_values_of_a_file_keep_their_digits(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    path.write_text('{"x": 0.12345678901234567890123, "w": [[1, 1e-30], [-2, 2]]}', encoding="utf-8")
    found = cg(capsys, "eval", "x + sum(w)", "--vars", str(path), "--digits", "40").out
    assert found == "1.123456789012345678901230000001\n"
    assert (
        cg(capsys, "eval", "x", "--vars", str(path), "x=1/3", "--digits", "20", "-q").out == "0.33333333333333333333\n"
    )


def test_many_digits_load_no_more_than_they_need() -> None:
    """Protects the start: a gradient of numbers takes no numpy, no `decimal`, no simplifier."""
    needless = {"numpy", "fractions", "decimal", "cgcli.algebra.algebraic", "cgcli.digits.bounds"}
    line = ["grad", "ln(x1) + x1*x2 - sin(x2)/3", "x1=2", "x2=0.5", "--digits", "50"]
    code = f"import sys; from cgcli.cli.main import run; run({line}); sys.exit(str({needless} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stderr.strip() == "set()"


def test_json_loses_nothing(capsys: Capture) -> None:
    """More digits than a float has are a text."""
    found = json.loads(cg(capsys, "jacobian", "[x/3, 2*x]", "x=1", "--digits", "30", "--json").out)
    assert found["jacobian"]["x"] == ["0.333333333333333333333333333333", "2"]
    assert found["value"] == ["0.333333333333333333333333333333", "2"]


@for_each("name", [name for name, operation in ELEMENTWISE.items() if operation.name.isidentifier()])
def test_two_runs_are_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects time and messages: what a derivative compares in itself asks for no more digits."""
    operation = ELEMENTWISE[name]
    if operation.name in ("not", "and", "or"):
        return
    names = [f"a{at}" for at in range(2 if operation.variadic else len(operation.arrays))]
    point = {each: value + 2 * (name == "acosh") for each, value in zip(names, (0.3, 0.45, 0.2), strict=False)}
    counts: list[int] = []

    def counted(*given: Any, **more: Any) -> AtPrecision:
        counts.append(given[1])
        return AtPrecision(*given, **more)

    monkeypatch.setattr("cgcli.digits.digits.AtPrecision", counted)
    cgcli.hessian(f"{operation.name}({', '.join(names)})", digits=20)(point)
    assert counts == [35, 85]


@for_each("text", ["max(x, y)", "max([x, y, 0])", "mod(x, y) + x", "round(x + y)*x", "clip(x, 0, y)"])
def test_exact_ties_are_no_doubt(text: str, capsys: Capture) -> None:
    """0.1 + 0.2 is 0.3 in decimal, and what compares and rounds fractions is certain."""
    found = cg(capsys, "eval", text, "x=0.3", "y=0.1 + 0.2", "--digits", "20")
    assert (found.code, found.err) == (0, "")
