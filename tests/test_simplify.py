"""Simplification: each rule, and its promises: same value, canonical, never larger, once is enough, printable."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import cgcli
from cgcli.algebra.algebraic import simplify
from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import is_root_of_number
from cgcli.algebra.domain import Domains
from cgcli.algebra.order import Order
from cgcli.algebra.product import EULER, Product
from cgcli.algebra.rewrites import COMMON_FACTORS, EXPONENTIALS, takeable
from cgcli.algebra.size import weight
from cgcli.algebra.trigonometry import TRIGONOMETRY
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.graph.node import Graph, Node, apply, constant_value, name_of, toposort, variable, variables
from cgcli.graph.operation import Operation, Params
from cgcli.lowering.lower import lower
from cgcli.ops.arithmetic import ADD, NEG, SUBTRACT
from cgcli.ops.table import FUNCTIONS
from cgcli.printing.program import program
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import vjp
from cgcli.transform.exact import exact
from cgcli.transform.substitute import rebuilt
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import ones

# What is typed, and what is printed; by kind of rule.
CASES = """
x*0 -> 0
0/x -> 0
x - x -> 0
ln(x) - ln(x) -> ln(x) - ln(x)
0*sqrt(x) -> 0*sqrt(x)
0*sqrt(x^2 + 1) -> 0
x/x -> 1
x^0 -> 1
1^x -> 1
x + 0 -> x
x*1 -> x
x^1 -> x

2*x + 3*x -> 5*x
x + x -> 2*x
x/3 + x/3 -> 2*x/3
x/3 + x/6 -> x/2
2/3 - 1 -> -1/3
x + 1/7 + 1/7 -> x + 2/7
x^(1/3)*x^(1/3) -> x^(2/3)
x^(1/3)*x^(2/3) -> x^(1/3)*x^(2/3)
(x^(1/3))^3 -> (x^(1/3))^3
(x^2)^(1/3) -> abs(x)^(2/3)
x^0.3333333333333333 -> x^(1/3)
x^0.333333 -> x^0.333333
0.1*x + 0.2*x -> 0.3*x
2*x*y + 3*y*x -> 5*x*y
a*b*c - c*b*a -> 0
x - (y - (z - w)) -> x - w - y + z
1 - (1 - x) -> x
a + (-b) -> a - b
a - (-b) -> a + b
-b + a -> a - b
-(a - b) -> b - a
-(-(-x)) -> -x
2*x + 2*y -> 2*(x + y)
x/2 - y/2 -> (x - y)/2
2*x + 2 -> 2*x + 2
2*(x + 1) -> 2*(x + 1)
x*(y + z) -> x*(y + z)
(x + 1)*(x + 2) -> (x + 1)*(x + 2)

x*exp(x) + exp(x) -> exp(x)*(x + 1)
x^y*ln(x) + x^y -> x^y*(ln(x) + 1)
u*a - u*b + u -> u*(a - b + 1)
a*b + a*c -> a*(b + c)
x^2*cos(x) + 2*x*sin(x) -> x^2*cos(x) + 2*x*sin(x)
2*x*sin(x) + x^2*cos(x) -> x^2*cos(x) + 2*x*sin(x)
x^2 + 2*x -> x^2 + 2*x
1/(x + 1) - x/(x + 1)^2 -> 1/(x + 1)^2
x*(1 - y*exp(-x) - y)/(exp(-x) + 1) -> x*(1/(exp(-x) + 1) - y)
(a + b + c)/(b + c) -> a/(b + c) + 1
2*(x - 3) + 2*x -> 4*x - 6
(x*y)^2/y -> x^2*y
a*x^n/b^n -> a*x^n/b^n
x*2^-y -> x/2^y
tan(atan(x)) -> x
x*ln(2) -> x*ln(2)
max(sign(x), 0) -> x > 0
x == max(x, y) -> x >= y
x == min(y, x) -> x <= y

x*x -> x^2
x^2*x -> x^3
x^a*x^b -> x^(a + b)
x^y/x^y -> x^y/x^y
x^a*x^(b - a) -> x^b
x^(a + 1)/x -> x^a
2^x*2^y -> 2^(x + y)
x/x^2 -> 1/x
x*y^-1 -> x/y
x^-2 -> 1/x^2
sqrt(x)*sqrt(x) -> sqrt(x)^2
sqrt(x^2 + 1)^2 -> x^2 + 1
sqrt(x)^2*ln(x) -> sqrt(x)^2*ln(x)
x/sqrt(x) -> sqrt(x)
sqrt(x)*x -> x^(3/2)
x^0.5*x -> x^1.5
1/sqrt(1 - x^2) -> 1/sqrt(1 - x^2)
(x^2)^3 -> x^6
(x^a)^2 -> x^(2*a)
(2*x)^3 -> 8*x^3
(-x)^3 -> -x^3
(-x*y)^2 -> (x*y)^2
(x + 1)^2*3/(x + 1) -> 3*(x + 1)
sqrt(x^2) -> abs(x)
(x^2)^0.5 -> abs(x)
sqrt(x^4) -> x^2
sqrt(x^6) -> abs(x)^3
abs(x)^2 -> x^2

(-1)*x -> -x
-x*-y -> x*y
2*(3*x) -> 6*x
x*2 -> 2*x
0.1*x*y*3 -> 0.3*x*y
0.1*x/3 -> 0.1*x/3
10*x/3 -> 10*x/3
x/0.1 -> 10*x
0.5*x -> 0.5*x
x*0.75 -> 0.75*x
x*3/4 -> 3*x/4
-x/2 -> -x/2
(a/b)/c -> a/(b*c)
a*(b/c) -> a*b/c
a/(b/c) -> a*c/b
3*x*y/(6*z) -> x*y/(2*z)
-(a - b)*c -> c*(b - a)

exp(ln(x)) -> exp(ln(x))
x*exp(ln(x))*ln(x) -> x*exp(ln(x))*ln(x)
ln(exp(x)) -> x
exp(a)*exp(b) -> exp(a + b)
exp(-x)*exp(x) -> 1
exp(x)^2 -> exp(2*x)
1/exp(x) -> exp(-x)
exp(2*ln(x) + y) -> exp(y + 2*ln(x))
exp(2*ln(abs(x)) + y) -> x^2*exp(y)
e^x -> exp(x)
x*cos(3*pi/4) -> -sqrt(2)*x/2
x*tan(pi/6) -> sqrt(3)*x/3
x*tan(pi/2) -> x*tan(pi/2)
x*acos(1/2) -> pi*x/3
x*atan(-sqrt(3)) -> -pi*x/3
x*ln(sqrt(2)) -> x*ln(2)/2
x*ln(1/2) -> -x*ln(2)
x*ln(0.5) -> x*ln(0.5)
tan(x)*cot(x) -> 1
x*tanh(y)^2*cosh(y)^2 -> x*sinh(y)^2
exp(2*x)*y - exp(x)*y -> y*exp(x)*(exp(x) - 1)
E*k*(1 - c) + E*k*(c - 1) + 1 -> 1
k*(x - m) - j*(m - x) -> (j + k)*(x - m)
sin(k)*(x - m)^2 - j*(m - x) -> (sin(k)*(x - m) + j)*(x - m)
j*(m - x) - 5*k*(m - x)*(a - b) -> (j - 5*k*(a - b))*(m - x)
(a - b)/(b - a) -> -1
x^2*y^2 - (x*y)^2 -> 0
(x*z^2 + y*z)/z^4 -> (x*z + y)/z^3
K*(K*p + 1) - K^2*p -> K
1/(x^2/3 + 1) -> 3/(x^2 + 3)
x - sin(x) + sin(x)*cos(x)^2 -> x - sin(x)^3
x + sinh(x) - sinh(x)*cosh(x)^2 -> x - sinh(x)^3
sqrt(x^y) -> sqrt(x^y)
b^x/sqrt(b^x) -> sqrt(b^x)
[pi, e, 1]*x -> x*[pi, e, 1]
(x^y)^(1/3)*x^(2*y) -> (x^y)^(7/3)
sqrt(x^(2*n)) -> sqrt(x^(2*n))
(x^y)^(1/3) -> (x^y)^(1/3)
y^(-0.5) -> 1/y^0.5
sin(asin(x)) -> sin(asin(x))
relu(x)/relu(x) -> relu(x)/relu(x)
ln(x*y) -> ln(x*y)
0^x*0^y -> 0^x*0^y
0^x*0^x -> 0^(2*x)
0^(-x) -> 0^-x
(0^x)*(y > y + 1) -> 0^x*(y > y + 1)
0*0^x -> 0*0^x
mod(y, y)^2/mod(y, y) -> (y%y)^2/(y%y)
x*y/0 - x*y/0 -> x*y/0 - x*y/0
t = lgamma(x*(x < y)); t*0 -> 0*lgamma(x*(x < y))
0*lgamma(x) -> 0
0*ln(relu(x)) -> 0*ln(relu(x))
relu(x)^y*relu(x)^z -> relu(x)^y*relu(x)^z
t = (x*x - x*x)/(x*(x*x - x*x)); t/t -> t = 0/(0*x); t/t
where(x^2 >= 0, x, y) -> x
where(sqrt(x) >= 0, x, y) -> where(sqrt(x) >= 0, x, y)
sqrt([x, y])[0] -> sqrt(x)
prod([x, y, x]) -> x^2*y
prod([x, ln(y), 0]) -> prod([x, ln(y), 0])
sec(x)^2 - tan(x)^2 -> 1
y + y*cot(x)^2 -> y*csc(x)^2
sin(x)^2 + cos(x)^2 -> 1
1 - sin(x)^2 -> cos(x)^2
cosh(x)^2 - sinh(x)^2 -> 1
cosh(x)^2 - 1 -> sinh(x)^2
3*y*cos(x)^2 + sin(x)^2*3*y -> 3*y
sin(x)/cos(x) -> tan(x)
x*sinh(y)^2/cosh(y)^2 -> x*tanh(y)^2
x + sin(-x) -> x - sin(x)
cos(-2*x) -> cos(2*x)
cos(-x - y) -> cos(x + y)
sin(-x - y) -> -sin(x + y)
cosh((sqrt(x^2)/x)^2) -> cosh(1)
abs(abs(x)) -> abs(x)
abs(-2*x^2*y) -> 2*x^2*abs(y)
floor(floor(x)) -> floor(x)
relu(relu(x)) -> relu(x)
round(-x) -> -round(x)
stop_gradient(-x) -> -stop_gradient(x)
abs(sigmoid(x)*y) -> abs(y)*sigmoid(x)
abs(x < y) -> x < y
not -x -> not x
asinh(sinh(x)) -> x
log2(exp2(x)) -> x
asin(sin(x)) -> asin(sin(x))
acosh(cosh(x)) -> acosh(cosh(x))

where(c, a, a) -> a
where(1, a, b) -> a
where(not c, a, b) -> where(c, b, a)
max(x, x) -> x
max(b, a, b) -> max(a, b)
max(0, x) -> max(x, 0)
not not (a < b) -> a < b
not not (a == b) -> a == b
a == b or 0 -> a == b
a < b and a < b -> a < b
stop_gradient(x) - x -> stop_gradient(x) - x

X: [2, 3]; X*0 -> zeros([2, 3])
X: [2, 3]; X - X -> zeros([2, 3])
X: [2, 3]; X/X -> ones([2, 3])
X: [2, 3]; X - X + y -> y*ones([2, 3])
X: [3]; ones([3])*X -> X: [3]; X
x: [13]; x[10] + x[2] + x[0:9] + x[0] -> x: [13]; x[0] + x[0:9] + x[2] + x[10]
X: [3]; zeros([3]) + X -> X: [3]; X
X: [2, 3]; size(X) -> 6
w: [2]; t: [1]; outer(w*t, t) -> t: [1]; w: [2]; outer(t*w, t)
v: [2]; w: [2]; t = v@reshape(v, [2, 1]); outer(w*t, t) -> w: [2]; v: [2]; t = v @ reshape(v, [2, 1]); outer(w*t, t)
X: [2, 2]; diag(ones([2])) @ X -> X: [2, 2]; X
A: [2, 3]; B: [3, 2]; (2*A) @ (a*B) + A @ B*y -> A: [2, 3]; B: [3, 2]; (2*a + y)*A @ B
X: [2, 3]; X.T.T -> X: [2, 3]; X
X: [2, 3]; reshape(reshape(X, [6]), [3, 2]) -> X: [2, 3]; reshape(X, [3, 2])
X: [2, 3]; reshape(reshape(X, [6]), [2, 3]) -> X: [2, 3]; X
X: [2, 3]; sum(2*X) -> X: [2, 3]; 2*sum(X)
X: [2, 3]; sum(a*X, axis=0) -> X: [2, 3]; a*sum(X, axis=0)
X: [2, 3]; sum(X.T) -> X: [2, 3]; sum(X)
sum(broadcast(a, [3])) -> 3*a
sum(2*ones([2, 3])) -> 12
mean(broadcast(a, [3])) -> a
A: [2, 3]; B: [3, 2]; (2*A) @ (B*3) -> A: [2, 3]; B: [3, 2]; 6*A @ B
A: [2, 3]; B: [3, 2]; (2*A) @ (B/3) -> A: [2, 3]; B: [3, 2]; 2*A @ B/3
A: [2, 3]; B: [2, 3]; (A.T @ B).T -> B: [2, 3]; A: [2, 3]; B.T @ A
A: [2, 3]; B: [3, 2]; (A @ B).T -> A: [2, 3]; B: [3, 2]; (A @ B).T
A: [2, 3]; v: [3]; A + v + v -> A: [2, 3]; v: [3]; A + 2*v
A: [2, 3]; v: [3]; reshape(A @ reshape(v, [3, 1]), [2]) -> A: [2, 3]; v: [3]; A @ v
A: [3, 2]; v: [3]; reshape(reshape(v, [3, 1]).T @ A, [2]) -> v: [3]; A: [3, 2]; v @ A
v: [2]; t = inv([v, v])[0, 0]; t/t -> v: [2]; t = inv([v, v])[0, 0]; t/t
A: [2, 2]; t = inv(A)[0, 0]; t/t -> 1
sum([1, 2, 3])*x -> 6*x
v: [3]; [2, 2, 2]*v -> v: [3]; 2*v

1 + 2*x + x^2 -> x^2 + 2*x + 1
-x^2 + 2*x + 1 -> 2*x - x^2 + 1
-1 - x -> -1 - x
y^2 + x*y + x^2 -> x^2 + x*y + y^2
ln(x1) + x1*x2 - sin(x2) -> x1*x2 + ln(x1) - sin(x2)
(x + 1)*sin(x)*b*2*a -> 2*a*b*sin(x)*(x + 1)
x1*x10*x2 -> x1*x2*x10

t = exp(x); u = -t; max(u, y + max(u, u)) -> t = exp(x); max(-t, y - t)
t = sin(x)*y; t + t^2 -> t = y*sin(x); t^2 + t
u = x*y; sin(u) - u -> u = x*y; sin(u) - u
u = exp(x); u*u + u -> u = exp(x); u^2 + u
u = -3*x; sin(u) + y + u -> u = -3*x; u + y + sin(u)

inf - inf -> inf - inf
0*inf -> 0*inf
x/0 -> x/0
1e308*x*10 -> 10*(1e+308*x)
"""
RULES = [line.split(" -> ") for line in CASES.splitlines() if line]

# Formulas that are the same, however they are written; the first is what is printed.
SAME = [
    ("x + y", "y + x"),
    ("2*a*b", "b*2*a", "a*b + b*a"),
    ("a - b", "-b + a", "-(b - a)", "0 - (b - a)"),
    ("a/(b*c)", "a/b/c", "a*(1/c)/b", "1/(b*c/a)"),
    ("x^2 + 2*x + 1", "1 + x*x + x + x", "x*2 + (1 + x^2)"),
    ("exp(a - b)", "exp(a)/exp(b)", "1/exp(b - a)"),
    ("x*sqrt(y)", "sqrt(y)*x", "x*y^(1/2)"),
    ("max(a, b, c)", "max(c, a, b)", "max(b, b, a, c)"),
    ("(a + b)*(x + y)", "(y + x)*(b + a)"),
    ("hypot(x, y)", "hypot(y, x)"),
]


def read(text: str) -> Graph:
    return lower(parse(text, functions=FUNCTIONS.__contains__))


def point(graph: Graph, rng: np.random.Generator) -> Mapping[str, Any]:
    """Ordinary numbers, one in four of them negative, for the names of a graph."""
    return {
        name_of(node): (rng.uniform(0.3, 1.7, node.shape) * rng.choice([1, 1, 1, -1], node.shape))[()]
        for node in variables(toposort(graph.outputs))
    }


def operation_count(graph: Graph) -> int:
    """How many operations a graph has, each once."""
    return sum(map(weight, toposort(graph.outputs)))


def text_count(graph: Graph, of: Node | None = None) -> int:
    """How many operations a graph has, each as often as it is read when no part has a name. of: only this one."""
    counts: dict[Node, int] = {}
    for node in toposort(graph.outputs):
        counts[node] = (weight(node) if of is None else node is of) + sum(counts[arg] for arg in node.args)
    return sum(counts[output] for output in graph.outputs)


def gap(graph: Graph, other: Graph, bindings: Mapping[str, Any]) -> float:
    """How far apart two graphs are, relative to the largest number on the way; 0 where the first is not finite."""
    values = evaluate_all(graph.outputs, bindings)
    scale = max(np.max(np.abs(value), initial=1.0) for value in values.values())
    if not math.isfinite(scale) or scale > 1e8:
        return 0.0
    worst = 0.0
    for output, value in zip(graph.outputs, evaluate(other.outputs, bindings), strict=True):
        assert np.shape(value) == output.shape
        worst = max(worst, float(np.max(np.abs(values[output] - value), initial=0.0)) / scale)
    return worst


def assert_promises_kept(graph: Graph) -> Graph:
    """Assert what holds for every graph; its simpler form."""
    simpler = simplify(graph, named=True)
    roots = [node for node in toposort(graph.outputs) if is_root_of_number(node)]  # x/sqrt(2) is sqrt(2)*x/2
    most = text_count(graph) + sum(text_count(graph, of=root) for root in roots)
    assert text_count(simpler) <= most or operation_count(simpler) <= operation_count(graph) + len(roots)
    assert simplify(simpler, named=True).outputs == simpler.outputs
    assert read(program(simpler)).outputs == simpler.outputs
    assert [node.shape for node in simpler.outputs] == [node.shape for node in graph.outputs]
    return simpler


@for_each(("text", "expected"), RULES)
def test_each_rule_gives_the_text_that_a_person_would_write(text: str, expected: str) -> None:
    assert_promises_kept(read(text))
    assert cgcli.simplify(text) == expected


@for_each("text", [text for text, _ in RULES])
def test_each_rule_keeps_the_value_and_the_derivative(text: str) -> None:
    graph, rng = read(text), np.random.default_rng(1)
    simpler = simplify(graph)
    wrt = variables(toposort(graph.outputs))
    slopes = [graph._replace(outputs=vjp(one.output, ones(one.output), wrt) or one.outputs) for one in (graph, simpler)]
    for _ in range(20):
        bindings = point(graph, rng)
        assert gap(graph, simpler, bindings) < 1e-12
        assert gap(slopes[0], slopes[1], bindings) < 1e-12


@for_each("texts", SAME)
def test_equal_formulas_become_one_node(texts: tuple[str, ...]) -> None:
    assert {program(simplify(read(text))) for text in texts} == {texts[0]}


# ---- any expression -------------------------------------------------------------------

LEAVES = st.sampled_from(["x", "y", "z", "X", "t", "u", "1", "2", "-1", "3", "0.5", "0", "1.7"])
FUNCTIONS_OF_ONE = [
    "exp",
    "ln",
    "sin",
    "cos",
    "sqrt",
    "abs",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "relu",
    "sign",
]


def larger(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, part, st.sampled_from("+-*/"), part),
        st.builds("({} {} {})".format, part, st.sampled_from("+-*"), part),
        st.builds("({})^{}".format, part, st.sampled_from(["2", "3", "0.5", "-1", "-2", "x", "(1/3)"])),
        st.builds("({}{})".format, st.sampled_from(["-", "not "]), part),
        st.builds("{}({})".format, st.sampled_from(FUNCTIONS_OF_ONE), part),
        st.builds("{}({}, {})".format, st.sampled_from(["max", "min", "hypot"]), part, part),
        st.builds("where({}, {}, {})".format, part, part, part),
        st.builds("sum({} + X, axis=1)[0]".format, part),
        st.builds("(X.T @ ({}*ones([2, 3])))[0, 1]".format, st.sampled_from(["x", "y", "2", "X"])),
    )


EXPRESSIONS = st.builds(
    "X: [2, 3]; t = {}; u = {}; {}".format, st.sampled_from(["x*y", "-3*x", "exp(x)", "x^2", "1/y"]),
    st.sampled_from(["t*t", "x + y", "sin(t)", "2*t*y", "-t"]), st.recursive(LEAVES, larger, max_leaves=12),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS)
def test_any_expression_keeps_its_value_and_every_promise(text: str) -> None:
    graph = read(text)
    simpler = assert_promises_kept(graph)
    rng = np.random.default_rng(2)
    for _ in range(3):
        assert gap(graph, simpler, point(graph, rng)) < 1e-9


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS, st.randoms(use_true_random=False))
def test_operands_in_another_order_give_the_same_node(text: str, random: Any) -> None:
    def shuffled(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
        if op.commutative and random.random() < 0.5:
            args = args[::-1]
        if op is SUBTRACT and random.random() < 0.3:
            return apply(ADD, (apply(NEG, (args[1],)), args[0]))
        return apply(op, args, params)

    graph = read("X: [2, 3]; " + text.rpartition("; ")[2])  # t and u are inputs, not shared parts
    simpler = simplify(graph)
    other = simplify(rebuilt(graph, shuffled))
    # a number divided by 0, and what stands beside an infinity, stay as they were written
    assume(not any(constant_value(node) in (0.0, math.inf, -math.inf) for node in toposort(simpler.outputs)))
    assert other.outputs == simpler.outputs


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS)
def test_exact_simplification_changes_no_bit(text: str) -> None:
    graph = read(text)
    simpler = rebuilt(graph, exact).output
    assert rebuilt(Graph((simpler,)), exact).output is simpler
    edges = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-320, 1.7e308]
    for at in range(len(edges)):
        bindings = {
            name_of(node): np.full(node.shape, edges[(at + 2 * place) % len(edges)])[()]
            for place, node in enumerate(variables(toposort(graph.outputs)))
        }
        old, new = (np.asarray(evaluate([output], bindings)[0]) for output in (graph.output, simpler))
        assert np.array_equal(old, new, equal_nan=True)
        assert np.array_equal(np.signbit(old[~np.isnan(old)]), np.signbit(new[~np.isnan(new)]))


EXACT = """
x*1 -> x
1*x -> x
x/1 -> x
x^1 -> x
x - 0 -> x
x + -0 -> x
x + 0 -> x + 0
x - -0 -> x - (-0)
x*-1 -> -x
--x -> x
x*0 -> x*0
x - x -> x - x
2*3*x -> 6*x
broadcast(1, [2, 1])*(x*[1, 2]) -> broadcast(x*[1, 2], [2, 2])
x*[1, 2]/broadcast(1, [2]) -> x*[1, 2]
broadcast(1, [2, 3])*x -> broadcast(x, [2, 3])
where(1, x, y) -> x
0/0 + x -> 0/0 + x
"""


@for_each("case", EXACT.split("\n")[1:-1])
def test_exact_rules(case: str) -> None:
    text, expected = case.split(" -> ")
    assert program(rebuilt(read(text), exact)) == expected


# ---- size -----------------------------------------------------------------------------

LARGE = {
    "like terms": (" + ".join(f"{at}*x" for at in range(1, 1201)), "720600*x"),
    "chain of products": ("t = x; " + "t = t*x; " * 1200 + "t", "x^1201"),
    "nested functions": ("sin(" * 1200 + "x" + ")" * 1200, "sin(" * 1200 + "x" + ")" * 1200),
    "exponents": ("exp(1 + 2*" * 1200 + "x" + ")" * 1200, "exp(2*" * 1200 + "x" + " + 1)" * 1200),
    "Horner": ("(" * 1200 + "x" + "*x + a)" * 1200, "x*(" * 1199 + "x^2 + a" + ") + a" * 1199),
    "names": (" + ".join(f"x{at}" for at in reversed(range(1200))), " + ".join(f"x{at}" for at in range(1200))),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_graphs_need_no_recursion(name: str) -> None:
    """All are deeper than Python's own stack; how the time grows is measured in tests/bench/scale.py."""
    text, expected = LARGE[name]
    assert program(simplify(read(text))) == expected


def test_shared_sums_do_not_multiply() -> None:
    """Written out, this sum would have as many terms as the 200th Fibonacci number."""
    graph = read("a = x; b = y; " + "c = a + b; a = b; b = c; " * 200 + "b")
    assert operation_count(simplify(graph, named=True)) <= 200


# ---- the command ----------------------------------------------------------------------

COMMANDS = [
    (["a*x + a*x", "a=3"], "6*x"),
    (["X: [2, 2]; X @ A + 0*X", "A=[[1,2],[3,4]]"], "X: [2, 2]; X @ [[1, 2], [3, 4]]"),
    (["--exact", "x*1 + 0*y"], "x + 0*y"),
    (["u = sin(x); v = u*2; v*u + u/v + v"], "u = sin(x); v = 2*u; v*u + v + 1/2"),
    (["f(x, y) = 2xy + yx"], "3*x*y"),
    (["x/x", "x=0"], "0/0"),
    (["(a, b*2*a)"], "(a, 2*a*b)"),
]


@for_each(("arguments", "expected"), COMMANDS)
def test_the_command_prints_a_program_that_it_reads_again(arguments: list[str], expected: str, capsys: Capture) -> None:
    code, out, _ = cg(capsys, "simplify", *arguments)
    assert (code, out) == (0, expected + "\n")
    assert cg(capsys, "simplify", "--exact", out) == (0, out, "")


def test_common_factors_stand_in_the_order_of_the_first_term() -> None:
    """Protects that a text is the same in every run: sets of nodes are in the order in which these lie in memory."""
    canonical = Canonical(Order(), TRIGONOMETRY, Domains())
    bases = [variable(f"x{at}") for at in range(12)]
    for takes, first in (
        (COMMON_FACTORS, Product(1, dict.fromkeys(bases, 1))),
        (EXPONENTIALS, Product(1, {}, {base: {variable("k"): 1} for base in (*bases, EULER)})),
    ):
        others = (first._replace(powers={**first.powers, variable(name): 1}) for name in "yz")
        common = takeable(takes, {canonical.product(other): 1 for other in others}, canonical)
        assert common is not None
        assert [*common.powers, *common.exponents] == [*first.powers, *first.exponents]


def test_the_command_in_json(capsys: Capture) -> None:
    code, out, err = cg(capsys, "simplify", "x + x", "y=2", "--json")
    content = json.loads(out)
    assert (code, content["program"]) == (0, "2*x")
    assert "'y' is bound" in content["warnings"][0]["message"]
    assert "'y' is bound" in err


def test_the_command_takes_warnings_for_errors_when_strict(capsys: Capture) -> None:
    assert cg(capsys, "simplify", "x + x", "y=2", "--strict").code == 1
