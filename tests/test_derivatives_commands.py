"""The commands jvp, vjp, jacobian, hessian and --order: exact output, PyTorch's numbers, every mode the same."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
import torch

from cgcli.derivatives.jacobian import Jacobian
from cgcli.evaluate.constants import as_constant
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Node
from cgcli.transform.differentiate import pullback, pushforward
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import float64, inputs, node

torch_jacobian: Any = torch.autograd.functional.jacobian
torch_hessian: Any = torch.autograd.functional.hessian

TOLERANCE = 1e-12  # relative, against PyTorch in float64

RESULTS: list[tuple[str, str]] = [
    ("jvp 'x^2*y' x=3 y=2 --tangent x=1,y=0", "value\t18\njvp\t12\n"),
    ("jvp 'x^2*y' x=3 y=2 --tangent x=1", "value\t18\njvp\t12\n"),
    ("jvp 'x^2*y' x=3 y=2 --tangent x=1 --tangent y=1", "value\t18\njvp\t21\n"),
    ("jvp 'x^2' x=3", "value\t9\njvp\t6\n"),
    ("jvp 'A @ x' A=[[1,2],[3,4]] x=[1,1] --tangent 'x=[1,-1]'", "value\t[3, 7]\njvp\t[-1, -1]\n"),
    ("jvp 'x*sum(w)' x=2 w=[1,2] --tangent 'x=1, w=[1, 0]'", "value\t6\njvp\t5\n"),
    ("jvp '(x*y, x + y)' x=3 y=2 --tangent x=1", "x*y\t6\njvp_(x*y)\t2\nx + y\t5\njvp_(x + y)\t1\n"),
    ("jvp '`a b`*x' '`a b`=2' x=3 --tangent '`a b`=1'", "value\t6\njvp\t3\n"),
    ("jvp 'x^3' x=2 --order 4", "value\t8\njvp\t12\njvp2\t12\njvp3\t6\njvp4\t0\n"),
    ("jvp 'x*y' x=2 y=3 --tangent x=1,y=1 --order 2", "value\t6\njvp\t5\njvp2\t2\n"),
    ("jvp '1/(1 - x)' x=0 --order 3 --taylor", "c0\t1\nc1\t1\nc2\t1\nc3\t1\n"),
    (
        "jvp 'x^3' x=2 --order 2 --json",
        '{"value": 8, "jvp": 12, "derivatives": [12, 12], "warnings": []}\n',
    ),
    ("jvp 'x^3' x=2 --order 2 --taylor --json", '{"value": 8, "jvp": 12, "taylor": [8, 12, 6], "warnings": []}\n'),
    ("jvp 'a = x^2; (a, x)' x=3 --json", '{"value": {"a": 9, "x": 3}, "jvp": {"a": 6, "x": 1}, "warnings": []}\n'),
    ("vjp 'A @ x' A=[[1,2],[3,4]] x=[1,1] --cotangent '[1,0]' --wrt x", "value\t[3, 7]\nvjp_x\t[1, 2]\n"),
    ("vjp '(x*y, x + y)' x=3 y=2 --cotangent '(1, 10)'", "x*y\t6\nx + y\t5\nvjp_x\t12\nvjp_y\t13\n"),
    ("vjp 'x^2' x=3 --json", '{"value": 9, "vjp": {"x": 6}, "warnings": []}\n'),
    ("jacobian '[x*y, sin(x)]' x=0 y=2", "\tx\ty\nvalue[0]\t2\t0\nvalue[1]\t1\t0\n"),
    ("jacobian 'a = x*y; b = [x, y]; (a, b)' x=3 y=2", "\tx\ty\na\t2\t3\nb[0]\t1\t0\nb[1]\t0\t1\n"),
    (
        "jacobian '[[1,2],[3,4]]*x' x=[1,1]",
        "\tx[0]\tx[1]\nvalue[0,0]\t1\t0\nvalue[0,1]\t0\t2\nvalue[1,0]\t3\t0\nvalue[1,1]\t0\t4\n",
    ),
    ("jacobian 'x^2' x=3", "\tx\nvalue\t6\n"),
    (
        "jacobian 'A @ x' A=[[1,2],[3,4]] x=[1,1] --wrt x --json",
        '{"value": [3, 7], "jacobian": {"x": [[1, 2], [3, 4]]}, "warnings": []}\n',
    ),
    (
        "jacobian 'a = x*y; (a, x)' x=3 y=2 --json",
        '{"value": {"a": 6, "x": 3}, "jacobian": {"a": {"x": 2, "y": 3}, "x": {"x": 1, "y": 0}}, "warnings": []}\n',
    ),
    ("hessian 'x^2*y' x=3 y=2", "\tx\ty\nx\t4\t6\ny\t6\t0\n"),
    (
        "hessian 'x[0]*x[1]*y' x=[1,2] y=3",
        "\tx[0]\tx[1]\ty\nx[0]\t0\t3\t2\nx[1]\t3\t0\t1\ny\t2\t1\t0\n",
    ),
    ("hessian 'x^2*y' x=3 y=2 --wrt x", "\tx\nx\t4\n"),
    ("hessian '(x^2, x^3)' x=2 --cotangent '(1,10)'", "\tx\nx\t122\n"),
    ("hessian 'sum(x)' x=[]", "\n"),
    ("jacobian 'x^2' x=[]", "\n"),
    ("jacobian '[sum(x), y]' x=[] y=1", "\ty\nvalue[0]\t0\nvalue[1]\t1\n"),
    ("hessian 'x^2' x=[1,2] --cotangent '[1,10]'", "\tx[0]\tx[1]\nx[0]\t2\t0\nx[1]\t0\t20\n"),
    (
        "hessian 'x^2*y' x=3 y=2 --json",
        '{"value": 18, "hessian": {"x": {"x": 4, "y": 6}, "y": {"x": 6, "y": 0}}, "warnings": []}\n',
    ),
    ("hessian 'sum(x^4)' x=[1,2,3] --tangent 'x=[1,0,0]'", "hvp_x\t[12, 0, 0]\n"),
    ("hessian 'x^2*y' x=3 y=2 --tangent y=1", "hvp_x\t6\nhvp_y\t0\n"),
    ("hessian 'x^2*y' x=3 y=2 --tangent y=1 --json", '{"value": 18, "hvp": {"x": 6, "y": 0}, "warnings": []}\n'),
    ("grad 'x^3' x=2 --order 3", "value\t8\nd_x\t12\nd2_x\t12\nd3_x\t6\n"),
    ("grad 'x^3*y' x=2 y=5 --wrt x --order 2", "value\t40\nd_x\t60\nd2_x\t60\n"),
    ("grad '2 + y' y=3 --wrt x --order 2 -q", "value\t5\nd_x\t0\nd2_x\t0\n"),  # x has no value, and needs none
    ("grad 'exp(x)' x=0 --order 2 --taylor", "c0\t1\nc1\t1\nc2\t0.5\n"),
    ("grad '(x^2, x)' x=3 --order 2", "x^2\t9\nd_(x^2)/d_x\t6\nd2_(x^2)/d_x\t2\nx\t3\nd_x/d_x\t1\nd2_x/d_x\t0\n"),
    (
        "grad 'x^3' x=2 --order 2 --json",
        '{"value": 8, "grad": {"x": 12}, "derivatives": [12, 12], "warnings": []}\n',
    ),
    # the zeros of a tangent or a cotangent are structural: 0*inf is never formed
    ("jvp 'sqrt(x) + y' x=0 y=1 --tangent x=0,y=1", "value\t1\njvp\t1\n"),
    ("jvp 'sum(sqrt(x))' x=[0,1] --tangent 'x=[0,1]'", "value\t1\njvp\t0.5\n"),
    ("vjp 'sqrt(x)' x=[0,1] --cotangent '[0,1]'", "value\t[0, 1]\nvjp_x\t[0, 0.5]\n"),
    ("vjp '(sqrt(x), x)' x=0 --cotangent '(0, 1)'", "sqrt(x)\t0\nx\t0\nvjp_x\t1\n"),
    ("grad 'sqrt(x)' x=[0,1] --cotangent '[0,1]'", "value\t[0, 1]\nd_x\t[0, 0.5]\n"),
]


@for_each(("line", "expected"), RESULTS)
def test_results_are_exact(line: str, expected: str, capsys: Capture) -> None:
    """Names, order and format of what is printed are promises to scripts."""
    assert cg(capsys, *shlex.split(line)) == (0, expected, "")


# Command lines, and what the error says, hint included; exit code 2.
MISTAKES: list[tuple[str, str, str]] = [
    ("jvp 'x*y' x=1 y=2", "in which direction do the inputs move?", "--tangent x=1,y=0"),
    ("jvp 'sum(x)' x=[1,2]", "in which direction do the inputs move?", "--tangent 'x=[…]'"),
    ("jvp 'x*y' x=1 y=2 --tangent z=1", "'z' has a tangent, and is no input of the program", "the inputs are: x, y"),
    ("jvp 'speed*y' speed=1 y=2 --tangent sped=1", "'sped' has a tangent, and is no input", "did you mean 'speed'?"),
    ("jvp 'x*y' x=1 y=2 --tangent x=1,x=2", "'x' has two tangents", "one for each name"),
    ("jvp 'x*y' x=1 y=2 --tangent x=[1,2]", "the tangent of 'x' has shape [2], and 'x'", "one number for each"),
    ("jvp 'x*y' x=1 y=2 --tangent 1", "--tangent '1' gives no tangent to a name", "--tangent x=1,y=0"),
    ("jvp 'x*y' x=1 y=2 --tangent x=", "the tangent of 'x' is missing", "a value is as in"),
    ("jvp 'x' x=1 --order 0", "order", "--help"),
    ("jvp 'x' x=1 --order 1.5", "order", "--help"),
    ("vjp '[x, x]' x=1", "the value has shape [2], and a gradient needs a scalar", "--cotangent '[…]'"),
    ("vjp '[x, x]' x=1 --cotangent '[1]'", "the cotangent has shape [1], and the value [2]", "one number for each"),
    ("jacobian 'x' x=1 --wrt y,x --mode backward", "mode", "--help"),
    ("hessian '[x, x]' x=1", "the value has shape [2], and a gradient needs a scalar", "--cotangent"),
    ("hessian '(x, y)' x=1 y=1", "the program has 2 results, and how much does each of them count?", "'(1, 0)'"),
    ("vjp '(x, y)' x=1 y=1", "the program has 2 results, and how much does each of them count?", "'(1, 0)'"),
    ("jacobian 3", "there is nothing to differentiate by", "as in: x^2"),
    ("hessian 3", "there is nothing to differentiate by", "as in: x^2"),
    ("grad x x=1 --order two", "'two' is no whole number from 1 to 170", "--help"),
    ("grad 'x*y' x=1 y=2 --order 2", "--order goes by one input that is a number", "--wrt x"),
    ("grad 'sum(x)' x=[1,2] --order 2", "and the inputs are: x [2]", "cg jvp --tangent"),
    ("grad 'x' x=1 --order 2 --mode reverse", "--order 2 is computed in forward mode", "leave out --mode reverse"),
    ("grad '2' --order 2", "there is nothing to differentiate by", "the expression has no names"),
]


@for_each(("line", "message", "hint"), MISTAKES)
def test_mistakes_are_explained(line: str, message: str, hint: str, capsys: Capture) -> None:
    code, out, err = cg(capsys, *shlex.split(line))
    assert (code, out) == (2, "")
    assert message in err
    assert hint in err


def test_a_jacobian_that_is_too_large_says_its_size_and_another_way(capsys: Capture) -> None:
    """10^10 numbers are refused before anything is computed."""
    code, out, err = cg(capsys, "jacobian", "zeros([100000]) + x*y", "x=1", "y=ones(100000)")
    assert (code, out) == (2, "")
    assert "the Jacobian would be 10000100000 numbers" in err
    assert "jvp" in err
    assert "vjp" in err


class Case(NamedTuple):
    """A program, its meaning in PyTorch, and a point."""

    program: str
    expected: Callable[..., Any]
    point: Mapping[str, Any]


MATRIX = [[2.0, 0.3, -0.4], [0.1, 1.5, 0.2], [0.7, -0.2, 1.1]]
VECTOR = [0.5, -1.2, 2.0]

CASES = [
    Case("sin(x)*exp(y)", lambda x, y: torch.sin(x) * torch.exp(y), {"x": 0.4, "y": -0.3}),
    Case("x^3*y^2", lambda x, y: x**3 * y**2, {"x": VECTOR, "y": [1.0, 2.0, -1.0]}),
    Case("A @ x", lambda a, x: a @ x, {"A": MATRIX, "x": VECTOR}),
    Case("x @ A @ x", lambda a, x: x @ a @ x, {"A": MATRIX, "x": VECTOR}),
    Case("inv(A)", torch.linalg.inv, {"A": MATRIX}),
    Case("solve(A, x)", torch.linalg.solve, {"A": MATRIX, "x": VECTOR}),
    Case("softmax(x)", lambda x: torch.softmax(x, -1), {"x": VECTOR}),
    Case("logsumexp(A @ x)", lambda a, x: torch.logsumexp(a @ x, -1), {"A": MATRIX, "x": VECTOR}),
    Case("x[::-1]*y", lambda x, y: x.flip(0) * y, {"x": VECTOR, "y": 2.0}),
    Case("cumsum(x^2)", lambda x: torch.cumsum(x**2, 0), {"x": VECTOR}),
    Case("x > 0 ? x^3 : exp(x)", lambda x: torch.where(x > 0, x**3, torch.exp(x)), {"x": VECTOR}),
    Case("norm(A)", torch.linalg.norm, {"A": MATRIX}),
    Case("sum(A^2, axis=0)", lambda a: (a**2).sum(0), {"A": MATRIX}),
    Case("concat(x, [y])", lambda x, y: torch.cat([x, y[None]]), {"x": VECTOR, "y": 2.0}),
]


def tensors(case: Case) -> tuple[Any, ...]:
    return tuple(torch.tensor(item, dtype=torch.float64) for item in case.point.values())


def at(case: Case) -> Callable[..., list[Any]]:
    bindings = {name: float64(item) for name, item in case.point.items()}
    return lambda outputs, more=(), quiet=True: evaluate(outputs, {**bindings, **dict(more)})


def nodes(case: Case) -> tuple[Node, list[Node]]:
    return node(case.program, case.point), inputs(case.point)


@for_each("mode", ["forward", "reverse", "auto"])
@for_each("case", CASES)
def test_the_jacobian_is_pytorchs_in_every_mode(case: Case, mode: Any) -> None:
    output, wrt = nodes(case)
    (blocks,) = Jacobian([output], wrt, mode)(at(case))
    truth = torch_jacobian(case.expected, tensors(case))
    for found, expected in zip(blocks, truth, strict=True):
        np.testing.assert_allclose(found, expected.numpy(), rtol=TOLERANCE, atol=TOLERANCE)


@for_each("case", CASES)
def test_the_hessian_is_pytorchs_and_so_is_its_product(case: Case) -> None:
    output, wrt = nodes(case)
    rng = np.random.default_rng(3)
    weight = rng.normal(size=output.shape)
    blocks = Jacobian(pullback([output], [as_constant(weight)], wrt), wrt, "forward")(at(case))
    weighed = torch.tensor(weight)
    truth = torch_hessian(lambda *args: (case.expected(*args) * weighed).sum(), tensors(case))
    for row, expected_row in zip(blocks, truth, strict=True):
        for found, expected in zip(row, expected_row, strict=True):
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-10, atol=1e-10)
    vector = [rng.normal(size=source.shape) for source in wrt]
    moving = {source: as_constant(item) for source, item in zip(wrt, vector, strict=True)}
    product = at(case)(pushforward(pullback([output], [as_constant(weight)], wrt), moving))
    for found, row in zip(product, blocks, strict=True):
        expected = sum(np.tensordot(block, item, np.ndim(item)) for block, item in zip(row, vector, strict=True))
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


# Functions and their Taylor coefficients at 0, from the table in any calculus book.
TAYLOR: list[tuple[str, Callable[[int], float]]] = [
    ("exp(x)", lambda k: 1 / math.factorial(k)),
    ("sin(x)", lambda k: [0, 1, 0, -1][k % 4] / math.factorial(k)),
    ("cosh(x)", lambda k: (k % 2 == 0) / math.factorial(k)),
    ("1/(1 - x)", lambda k: 1.0),
    ("ln(1 + x)", lambda k: (-1) ** (k + 1) / k if k else 0.0),
    ("atan(x)", lambda k: [0, 1, 0, -1][k % 4] / k if k else 0.0),
    ("sqrt(1 + x)", lambda k: math.prod((0.5 - at) / (at + 1) for at in range(k))),
    ("1/(1 - x)^2", lambda k: k + 1.0),
    ("x*exp(x)", lambda k: 1 / math.factorial(k - 1) if k else 0.0),
]


@for_each(("program", "coefficient"), TAYLOR)
def test_taylor_coefficients_are_those_of_the_book(
    program: str, coefficient: Callable[[int], float], capsys: Capture
) -> None:
    outcome = cg(capsys, "grad", program, "x=0", "--order", "12", "--taylor", "--json")
    found = json.loads(outcome.out)["taylor"]
    assert found == pytest.approx([coefficient(k) for k in range(13)], rel=1e-12, abs=1e-15)


# Points where an exponent becomes 0 in a derivative of higher order, and the true derivatives, from mpmath.
EXPONENTS: list[tuple[str, Callable[[Any], Any]]] = [
    ("x^x", lambda x: x**x),
    ("x^(x - 1)", lambda x: x ** (x - 1)),
    ("x^(x - 3)", lambda x: x ** (x - 3)),
    ("(x + 1)^(x - 3) - 1", lambda x: (x + 1) ** (x - 3) - 1),
    ("(x - 2)^(x - 3)", lambda x: (x - 2) ** (x - 3)),
    ("x^(3 - x)", lambda x: x ** (3 - x)),
]


@for_each(("program", "function"), EXPONENTS)
def test_powers_are_right_where_the_exponent_is_zero(
    program: str, function: Callable[[Any], Any], capsys: Capture
) -> None:
    """PyTorch is not: it cuts the derivative by the base off at exponent 0, and then differentiates that."""
    with mpmath.workdps(60):
        truth = [float(d) for d in mpmath.diffs(function, 3, 5)]
    found = json.loads(cg(capsys, "grad", program, "x=3", "--order", "5", "--json").out)
    assert [found["value"], *found["derivatives"]] == pytest.approx(truth, rel=1e-11)


def test_the_hessian_of_a_power_is_symmetric_at_exponent_zero(capsys: Capture) -> None:
    table = cg(capsys, "hessian", "x^y", "x=2", "y=0").out
    assert table == "\tx\ty\nx\t0\t0.5\ny\t0.5\t0.4804530139182014\n"


def test_an_order_beyond_bounds_names_one_that_is_within(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgcli.derivatives.series._MAX_NODES", 8)
    code, out, err = cg(capsys, "jvp", "x^x", "x=2", "--order", "170")
    assert (code, out) == (2, "")
    assert "ask for --order" in err


def test_all_orders_agree_with_the_hessian_along_a_direction(capsys: Capture) -> None:
    """The second derivative by t of f(x + t*v) is v'Hv."""
    point = ["x=[0.5,-1.2]", "y=2"]
    program = "sin(x[0]*y)*exp(x[1]) + y^3"
    series = json.loads(cg(capsys, "jvp", program, *point, "--tangent", "x=[1,2],y=-1", "--order", "2", "--json").out)
    table = cg(capsys, "hessian", program, *point).out.splitlines()[1:]
    matrix = np.array([[float(item) for item in line.split("\t")[1:]] for line in table])
    v = np.array([1, 2, -1])
    assert series["derivatives"][1] == pytest.approx(v @ matrix @ v, rel=1e-13)
    assert matrix == pytest.approx(matrix.T, rel=1e-13)


def test_a_jacobian_by_a_name_that_is_not_there_is_zero(capsys: Capture) -> None:
    code, out, err = cg(capsys, "jacobian", "[x, 2*x]", "x=1", "--wrt", "x,z")
    assert (code, out) == (0, "\tx\tz\nvalue[0]\t1\t0\nvalue[1]\t2\t0\n")
    assert "'z' is not in the expression: its derivative is 0" in err


def test_names_that_are_not_there_are_counted_when_they_are_many(capsys: Capture) -> None:
    err = cg(capsys, "grad", "x^2", "x=1", "--wrt", ",".join(f"n{at}" for at in range(1000))).err
    assert err.count("is not in the expression") == 20
    assert "980 more names are not in the expression: their derivatives are 0" in err


@for_each("command", ["jvp", "vjp", "jacobian", "hessian", "grad"])
def test_kinks_are_reported_by_every_command(command: str, capsys: Capture) -> None:
    code, out, err = cg(capsys, command, "abs(x)", "x=0")
    assert code == 0
    assert out
    assert "is at a kink" in err
    assert cg(capsys, command, "abs(x)", "x=0", "--strict").code == 1
    assert cg(capsys, command, "abs(x)", "x=0", "-q").err == ""


def test_a_constant_of_the_unit_vectors_names_does_not_disturb(capsys: Capture) -> None:
    """The variables that stand for unit vectors take no name of the program's."""
    code, out, _ = cg(capsys, "jacobian", "[d1*d2, d2*d3]", "d1=2", "d2=3", "d3=4")
    assert (code, out) == (0, "\td1\td2\td3\nvalue[0]\t3\t2\t0\nvalue[1]\t0\t4\t3\n")
