"""A derivative of the user's own: `jvp f(x; dx) = …` replaces the derived one, in both modes; it must be linear."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from cgcli.errors import CgError
from cgcli.graph.node import Graph, Node
from cgcli.lowering.lower import lower
from cgcli.printing.program import program
from cgcli.rendering.dot import dot
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import vjp
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import Bindings, both_modes, inputs, ones, reverse, value

RELU = "relu(x) = max(x, 0); jvp relu(x; dx) = where(x > 0, dx, 0); "
TWICE = "f(x, y) = x*y; jvp f(x, y; dx, dy) = y*dx + 10*x*dy; "
SQUARE = "f(A) = A @ A; jvp f(A; dA) = dA @ A + A @ dA; "

# program | the point | the value | the gradient that the rule asks for, of the sum of all elements
GRADIENTS: list[tuple[str, Bindings, object, list[object]]] = [
    (RELU + "relu(x)", {"x": 0.0}, 0.0, [0.0]),
    (RELU + "3*relu(x^2)", {"x": 2.0}, 12.0, [12.0]),
    (RELU + "relu(x)", {"x": [-1.0, 0.0, 2.0]}, [0.0, 0.0, 2.0], [[0.0, 0.0, 1.0]]),
    (TWICE + "f(x, y)", {"x": 2.0, "y": 3.0}, 6.0, [3.0, 20.0]),
    (TWICE + "f(x, x)", {"x": 2.0}, 4.0, [22.0]),
    (TWICE + "f(x^2, f(x, y))", {"x": 2.0, "y": 3.0}, 24.0, [6 * 4.0 + 40.0 * 3.0, 40.0 * 20.0]),
    ("f(x) = exp(x); jvp f(u; v) = f(u)*v; f(3*x)", {"x": 0.0}, 1.0, [3.0]),
    ("step(x) = x > 0; jvp step(x; dx) = dx/(1 + abs(x))^2; step(x)", {"x": 1.0}, 1.0, [0.25]),
    ("step(x) = x > 0; jvp step(x; dx) = 0; sum(step(x)*x)", {"x": [2.0, -1.0]}, 2.0, [[1.0, 0.0]]),
    ("k = 3; f(x) = k*x; jvp f(x; dx) = k*dx; a = f(x); k = 4; f(x) + 10*a", {"x": 1.0}, 34.0, [34.0]),
    ("step(x) = x > 0; jvp step(x; dx) = 0; step(x)*x", {"x": 2.0}, 2.0, [1.0]),
    ("straight(x) = round(x); jvp straight(x; dx) = dx; straight(x)^2", {"x": 1.7}, 4.0, [4.0]),
    ("reverse(x) = x; jvp reverse(x; dx) = -dx; reverse(x)*y", {"x": 2.0, "y": 3.0}, 6.0, [-3.0, 2.0]),
    ("k = 3; f(x) = k*x; jvp f(x; dx) = k^2*dx; f(x)", {"x": 2.0}, 6.0, [9.0]),
    ("g(x) = x^3; f(x) = g(x) + 1; jvp f(x; dx) = g(x)*dx; f(x)", {"x": 2.0}, 9.0, [8.0]),
    ("f(x) = sum(x^2); jvp f(x; dx) = sum(x*dx); f(x)", {"x": [1.0, 2.0]}, 5.0, [[1.0, 2.0]]),
    ("f(x) = x; jvp f(x; dx) = where(x > 0, dx/x, 0); f(x)", {"x": [0.0, 2.0]}, [0.0, 2.0], [[0.0, 0.5]]),
    ("f(x) = cumsum(x); jvp f(x; dx) = cumsum(dx)*[1, 0, 2]; f(x)", {"x": [1.0, 1.0, 1.0]}, [1.0, 2.0, 3.0],
     [[3.0, 2.0, 2.0]]),
    ("f(x, y) = [x, y]; jvp f(x, y; dx, dy) = [dx + dy, 0]; f(x, y)", {"x": 1.0, "y": 2.0}, [1.0, 2.0], [1.0, 1.0]),
    ("stop_gradient(x)*x", {"x": 3.0}, 9.0, [3.0]),
    ("stop_gradient(x)^2", {"x": 3.0}, 9.0, [0.0]),
]  # fmt: skip


def floats(point: Bindings) -> Bindings:
    return {name: np.asarray(item, float)[()] for name, item in point.items()}


def output_of(text: str, point: Bindings) -> Node:
    return lower(parse(text), {name: np.shape(item) for name, item in point.items()}).output


@for_each(("text", "point", "expected", "gradient"), GRADIENTS)
def test_the_rule_is_the_derivative_in_both_modes(
    text: str, point: Bindings, expected: object, gradient: list[object]
) -> None:
    """Protects the user's word: exactly the rule, forward as written and reverse as its transpose."""
    point = floats(point)
    output = output_of(text, point)
    assert np.array_equal(value(output, point), np.asarray(expected))
    for mode in both_modes(output, np.ones(output.shape), point):
        assert [np.asarray(item).tolist() for item in mode] == [np.asarray(item).tolist() for item in gradient]


def test_a_true_rule_gives_the_derived_gradient_to_any_order() -> None:
    """Protects second derivatives: they come of the rule, which stands for the function's derivative wherever it is."""
    rng = np.random.default_rng(1)
    point = {"X": rng.normal(size=(3, 3))}
    own, plain = (output_of(text, point) for text in (SQUARE + "sum(f(X)*X)", "sum(X @ X*X)"))
    for _ in range(2):
        first, second = (value(node, point) for node in (own, plain))
        assert np.allclose(first, second, rtol=1e-13)
        own, plain = (vjp(node, ones(node), inputs(point))[0] for node in (own, plain))


def test_against_a_function_of_pytorch_with_a_backward_of_its_own() -> None:
    """Protects the transposition: PyTorch is told the same rule, transposed by hand."""

    class Clipped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: torch.autograd.function.FunctionCtx, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return torch.tanh(x)

        @staticmethod
        def backward(ctx: torch.autograd.function.FunctionCtx, *adjoints: torch.Tensor) -> torch.Tensor:
            (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
            return torch.where(x.abs() <= 1, -2 * x * adjoints[0], torch.zeros_like(x))

    text = "f(x) = tanh(x); jvp f(x; dx) = where(abs(x) <= 1, -2*x*dx, 0); sum(f(3*x)*x^2)"
    x = np.linspace(-1, 1, 7)
    tensor = torch.tensor(x, requires_grad=True)
    loss = (Clipped.apply(3 * tensor) * tensor**2).sum()  # type: ignore[no-untyped-call]
    loss.backward()
    assert tensor.grad is not None
    (ours,) = reverse(output_of(text, {"x": x}), 1.0, {"x": x})
    assert np.allclose(ours, tensor.grad.numpy(), rtol=1e-14, atol=1e-14)


# rule of f(x) = x^2 | the text underlined | part of the message
NOT_LINEAR = """
dx + 1 | dx + 1 | one of its terms has no tangent
dx - x | dx - x | one of its terms has no tangent
dx*dx | dx*dx | a product of tangents is not linear
2*dx^2 | dx^2 | power of a tangent is not linear
abs(dx) | abs(dx) | abs of a tangent is not linear
x + sin(dx) | sin(dx) | sin of a tangent is not linear
max(dx, 0) | max(dx, 0) | max of a tangent is not linear
x/dx | x/dx | divide of a tangent is not linear
floor(dx) | floor(dx) | floor of a tangent is not linear
mod(dx, 3) | mod(dx, 3) | mod of a tangent is not linear
stop_gradient(dx) | stop_gradient(dx) | stop_gradient of a tangent is not linear
where(dx > 0, dx, 0) | dx > 0 | greater of a tangent is not linear
where(x > 0, dx, 1) | where(x > 0, dx, 1) | one of its terms has no tangent
sum([dx, 1]) | [dx, 1] | one of its terms has no tangent
[dx] @ [dx] | [dx] @ [dx] | a product of tangents is not linear
var([dx, 0]) | var([dx, 0]) | var of a tangent is not linear
f(dx) | f | the derivative rule of 'f' is part of itself
x | x | no tangent stands in it
3 | 3 | no tangent stands in it
""".strip().splitlines()


@for_each("row", NOT_LINEAR)
def test_a_rule_that_is_not_linear_is_refused_with_its_place(row: str) -> None:
    """Protects both modes: only a linear rule has a transpose, so another would make them disagree."""
    rule, underlined, message = (part.strip() for part in row.split("|"))
    text = f"f(x) = x^2; jvp f(x; dx) = {rule}; f(x)"
    with pytest.raises(CgError) as raised:
        lower(parse(text))
    assert message in raised.value.message
    span = raised.value.span
    assert span is not None
    assert text[span.start : span.end] == underlined
    assert span.start >= text.index("= " + rule)


LINEAR = """
dx
-dx
0
0*dx
x*dx
dx/x
2*(dx + dx)
where(x > 0, dx, -dx)
where(x > 0, 0, dx)
[dx, 0][0]
sum([dx, 2*dx])
mean([dx, 0])
[1, x] @ [dx, dx]
sum(solve([[2, 0], [0, x]], [dx, dx]))
einsum("i,i->", [x, 1], [dx, dx])
g(dx)
xlogy(dx, x)
""".strip().splitlines()


@for_each("rule", LINEAR)
def test_a_linear_rule_is_taken_however_it_is_written(rule: str) -> None:
    """Protects users from a check that knows too few linear operations."""
    lower(parse(f"g(x) = 3*x; f(x) = x^2; jvp f(x; dx) = {rule}; f(x)"))


# the body of g in a rule that is g(x, dx) | why it is not linear in d
LOOPS = """
t = 1; repeat 3 { t = t + d*x }; t | one of its terms has no tangent
t = d; repeat 3 { t = t*d }; t | a product of tangents is not linear
t = d; repeat 3 { t = sin(t) }; t | sin of a tangent is not linear
t = d; repeat 3 { t = t + x }; t | one of its terms has no tangent
t = d; while t < 5 { t = t*x }; t | a condition that reads a tangent is not linear
t = d; s = for i in 1..3 { t = t*x; t^2 }; sum(s) | power of a tangent is not linear
""".strip().splitlines()


def test_a_loop_that_is_not_linear_is_refused() -> None:
    """Protects both modes, as above, where a tangent goes from trip to trip."""
    for row in LOOPS:
        body, reason = (part.strip() for part in row.split("|"))
        with pytest.raises(CgError) as raised:
            lower(parse(f"g(x, d) = {{ {body} }}; f(x) = x^2; jvp f(x; dx) = g(x, dx); f(x)"))
        assert raised.value.message == f"the derivative rule of 'f' is not linear in dx: {reason}", row
        assert raised.value.span is not None


# program | part of the message | part of the hint
MISTAKES = [
    ("jvp f(x; dx) = dx; 1", "there is no function 'f'", "define it: f(x) = …"),
    ("relu2(x) = x; jvp rleu2(x; dx) = dx; 1", "there is no function 'rleu2'", "did you mean 'relu2'"),
    ("jvp sin(x; dx) = dx; sin(x)", "'sin' has its derivative already", "my_sin(x) = sin(x)"),
    ("f(x, y) = x; jvp f(x; dx) = dx; f(1, 2)", "takes its parameters", "jvp f(x, y; dx, dy)"),
    ("f(x, y) = x; jvp f(x, y; dx) = dx; f(1, 2)", "takes its parameters", "jvp f(x, y; dx, dy)"),
    ("f(x) = x; jvp f(x; x) = x; f(1)", "'x' stands twice", ""),
    ("f(x) = x; jvp f(x; dx) = dx; jvp f(x; dx) = dx; f(1)", "two derivative rules", ""),
    ("f(x) = k*x; jvp f(x; dx) = dx; f(1)", "cannot use the input 'k'", "make it a parameter of 'f'"),
    ("f(x) = x; jvp f(x; dx) = k*dx; f(1)", "cannot use the input 'k'", "make it a parameter of 'f'"),
    ("f(x) = x; jvp f(x; dx) = [dx, dx]; f(y)", "gives shape [2], and its value has []", ""),
    ("s(x) = sin(x); c(x) = cos(x); jvp s(x; dx) = c(x)*dx; jvp c(x; dx) = -s(x)*dx; s(1) + c(1)",
     "the derivative rule of 's' is part of itself", "write out what 's' computes"),
    ("f(x, n) = sum(x, axis=n); jvp f(x, n; dx, dn) = sum(dx, axis=n); f([1, 2], 0)",
     "depends on a parameter of a function with a derivative rule", "write the number itself"),
    ("s = x; for k in 0..1 { s = sum([s, s], axis=k) }; s", "depends on what changes from trip to trip", ""),
    ("f0(x) = x + 1; jvp f0(x; dx) = dx; "
     + "; ".join(f"f{k}(x) = f{k - 1}(x) + f{k - 1}(x + 1); jvp f{k}(x; dx) = dx" for k in range(1, 40))
     + "; f39(1)", "takes more than 200000 operations", ""),
    ("f(x) = g(x); g(x) = f(x); jvp f(x; dx) = dx; f(1)", "'f' calls itself", ""),
    ("; ".join(f"f{k}(x) = f{k - 1}(x); jvp f{k}(x; dx) = dx" for k in range(1, 100))
     + "; f0(x) = x; jvp f0(x; dx) = dx; f99(1)", "more than 50 functions", ""),
]  # fmt: skip


@for_each(("text", "message", "hint"), MISTAKES)
def test_a_mistake_in_a_rule_is_explained(text: str, message: str, hint: str) -> None:
    with pytest.raises(CgError) as raised:
        lower(parse(text))
    assert message in raised.value.message
    assert hint in raised.value.hint
    assert raised.value.span is not None


def test_jvp_is_a_name_as_any_other_elsewhere() -> None:
    """Protects columns and functions that are called jvp."""
    assert value(lower(parse("jvp = 3; jvp + 1")).output, {}) == 4
    assert value(lower(parse("jvp(x) = x^2; jvp(3)")).output, {}) == 9


def test_a_picture_shows_the_function_as_one_node() -> None:
    graph = lower(parse(RELU + "relu(x) + 1"))
    labels = re.findall(r"\[label=<(.*?)>, tooltip", dot(graph))
    assert [re.sub("<.*?>", "", label) for label in labels] == ["x", "relu", "+ 1"]


def test_a_function_is_called_as_its_own_program_calls_it() -> None:
    """Protects a process that reads many programs: equal definitions are one operation, under each program's name."""
    first, second = (lower(parse(f"{name}(x) = x; jvp {name}(x; dx) = 2*dx; {name}(y)")) for name in ("f", "g"))
    assert first.output is second.output
    assert ["f(x) = x" in program(first), "g(x) = x" in program(second)] == [True, True]
    assert lower(parse(program(Graph(second.outputs)))).output is first.output


def test_a_definition_alone_means_its_body_by_its_rule() -> None:
    """Protects `f(x) = …; jvp f(x; dx) = …` typed without a call."""
    point = {"x": np.float64(3.0)}
    output = output_of("f(x) = x^2; jvp f(x; dx) = 7*dx", point)
    assert reverse(output, 1.0, point) == [7.0]


def test_a_printed_parameter_is_never_called_as_a_function_is(capsys: Capture) -> None:
    """Protects pipes: in a definition, `f(x)` after a parameter f would be read as a product."""
    first = cg(capsys, "simplify", "f(f) = exp(41*f); jvp f(a; da) = 41*f(a)*da; f(x)")
    assert first.out == "f(f_) = exp(41*f_); jvp f(f_; da) = 41*f(f_)*da; f(x)\n"
    assert cg(capsys, "grad", first.out, "x=0").out == "value\t1\nd_x\t41\n"
