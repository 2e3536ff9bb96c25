"""Derivatives as formulas: the exact text that a book prints, its value, and what `cg diff` says and refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import cgcli
from cgcli.algebra.algebraic import simplify
from cgcli.derivatives.formula import derivative
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Graph, Node, constant, name_of, toposort, variables
from cgcli.lowering.lower import lower
from cgcli.ops.table import FUNCTIONS
from cgcli.printing.length import flat_length, parts_worth_naming
from cgcli.printing.names import names
from cgcli.printing.program import program, statements
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import jvp, vjp
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.latex_cases import aligned
from tests.test_simplify import assert_promises_kept

# What is differentiated, by which name, and what is printed.
FORMULAS = """
x | x -> 1
a*x | x -> a
x^2 | x -> 2*x
x^3 | x -> 3*x^2
x^n | x -> n*x^(n - 1)
x^n | n -> x^n*ln(x)
(1 - x)*ln(x^(2*n)) | x -> 2*n*(1 - x)/x - ln(x^(2*n))
x^-1 | x -> -1/x^2
1/x | x -> -1/x^2
1/x^2 | x -> -2/x^3
sqrt(x) | x -> 1/(2*sqrt(x))
cbrt(x) | x -> 1/(3*cbrt(x)^2)
x^(1/3) | x -> 1/(3*x^(2/3))
x^(7/3) | x -> 7*x^(4/3)/3
x^(-1/3) | x -> -1/(3*x^(4/3))
x^3/7 - x^2/3 | x -> 3*x^2/7 - 2*x/3
(a*x)^(2/3) | x -> 2*a/(3*(a*x)^(1/3))
2*x/3 + x/6 | x -> 5/6
sin(x/3 + 1/7) | x -> cos(x/3 + 1/7)/3
0.3*x^2 + x^0.1 | x -> 0.6*x + 0.1/x^0.9
x^x | x -> x^x*(ln(x) + 1)
a^x | x -> a^x*ln(a)
a^x | a -> x*a^(x - 1)
2^x | x -> 2^x*ln(2)
exp(x) | x -> exp(x)
exp(-x) | x -> -exp(-x)
exp(a*x) | x -> a*exp(a*x)
exp(-x^2/2) | x -> -x*exp(-x^2/2)
exp2(x) | x -> exp2(x)*ln(2)
expm1(x) | x -> exp(x)
ln(x) | x -> 1/x
ln(a*x) | x -> 1/x
ln(x^2 + 1) | x -> 2*x/(x^2 + 1)
log2(x) | x -> 1/(x*ln(2))
log10(x) | x -> 1/(x*ln(10))
log(x, b) | x -> 1/(x*ln(b))
log(x, b) | b -> -ln(x)/(b*ln(b)^2)
log1p(x) | x -> 1/(x + 1)
sin(x) | x -> cos(x)
cos(x) | x -> -sin(x)
tan(x) | x -> sec(x)^2
sec(x) | x -> sec(x)*tan(x)
csc(x) | x -> -cot(x)*csc(x)
cot(x) | x -> -csc(x)^2
asin(x) | x -> 1/sqrt(1 - x^2)
acos(x) | x -> -1/sqrt(1 - x^2)
atan(x) | x -> 1/(x^2 + 1)
sinh(x) | x -> cosh(x)
cosh(x) | x -> sinh(x)
tanh(x) | x -> 1/cosh(x)^2
asinh(x) | x -> 1/sqrt(x^2 + 1)
acosh(x) | x -> 1/sqrt(x^2 - 1)
atanh(x) | x -> 1/(1 - x^2)
atan2(y, x) | y -> x/(x^2 + y^2)
atan2(y, x) | x -> -y/(x^2 + y^2)
atan2(y2 - y1, x2 - x1) | x1 -> (y2 - y1)/((x2 - x1)^2 + (y2 - y1)^2)
hypot(x, y) | x -> x/hypot(x, y)
abs(x) | x -> sign(x)
sign(x) | x -> 0
abs(x^2 - 1) | x -> 2*x*sign(x^2 - 1)
relu(x) | x -> x > 0
leaky_relu(x) | x -> where(x > 0, 1, 0.01)
sigmoid(x) | x -> sigmoid(x)*(1 - sigmoid(x))
softplus(x) | x -> sigmoid(x)
silu(x) | x -> sigmoid(x)*(1 - silu(-x))
erf(x) | x -> 2*exp(-x^2)/sqrt(pi)
gamma(x) | x -> digamma(x)*gamma(x)
x! | x -> x!*digamma(x + 1)
x^5/5! | x -> x^4/24
(2*x)! | x -> 2*(2*x)!*digamma(2*x + 1)
x*100! | x -> 100!
x*binomial(6, 3) | x -> 20
max(x, y) | x -> x >= y
max(x, 0) | x -> x >= 0
min(x, y) | y -> y < x
x > 0 ? x^2 : -x | x -> where(x > 0, 2*x, -1)
where(x < 1, sin(x), x) | x -> where(x < 1, cos(x), 1)
clip(x, 0, 1) | x -> x >= 0 and x <= 1
xlogy(x, y) | y -> x/y
x^2*sin(x) | x -> x^2*cos(x) + 2*x*sin(x)
x^2 + 2*x + 1 | x -> 2*x + 2
(x + 1)^5 | x -> 5*(x + 1)^4
x^3/3 - x | x -> x^2 - 1
(2*x + 1)*(x - 3) | x -> 4*x - 5
sin(x)/x | x -> cos(x)/x - sin(x)/x^2
cos(x)/x^2 | x -> -(x*sin(x) + 2*cos(x))/x^3
exp(a)/(exp(a) + exp(b)) | a -> 1/((exp(a - b) + 1)*(exp(b - a) + 1))
x/(x + 1) | x -> 1/(x + 1)^2
(x - 1)/(x + 1) | x -> 2/(x + 1)^2
1/(1 + x^2) | x -> -2*x/(x^2 + 1)^2
1/(1 + exp(-x)) | x -> 1/((exp(-x) + 1)*(exp(x) + 1))
(x^2 + 1)/(x^3 + 2) | x -> x*(4 - x^3 - 3*x)/(x^3 + 2)^2
ln(x)/x | x -> (1 - ln(x))/x^2
x*ln(x) | x -> ln(x) + 1
x*exp(x) | x -> exp(x)*(x + 1)
x^2*exp(-x) | x -> x*exp(-x)*(2 - x)
exp(x)*sin(x) | x -> exp(x)*(cos(x) + sin(x))
exp(sin(x)) | x -> cos(x)*exp(sin(x))
sin(cos(x)) | x -> -cos(cos(x))*sin(x)
sin(x)^2 | x -> 2*cos(x)*sin(x)
sin(x)*cos(x) | x -> cos(x)^2 - sin(x)^2
sin(x^2) | x -> 2*x*cos(x^2)
sin(ln(x)) | x -> cos(ln(x))/x
ln(sin(x)) | x -> 1/tan(x)
ln(ln(x)) | x -> 1/(x*ln(x))
sqrt(1 - x^2) | x -> -x/sqrt(1 - x^2)
sqrt(x^2 + y^2) | x -> x/sqrt(x^2 + y^2)
x/sqrt(x^2 + 1) | x -> 1/(x^2 + 1)^(3/2)
x*sqrt(x) | x -> 3*sqrt(x)/2
exp(exp(x)) | x -> exp(x + exp(x))
x^(x^x) | x -> x^(x + x^x - 1)*(x*ln(x)*(ln(x) + 1) + 1)
sin(x)^x | x -> sin(x)^(x - 1)*(x*cos(x) + ln(sin(x))*sin(x))
(ln(x1) + x1*x2 - sin(x2)) | x1 -> x2 + 1/x1
(ln(x1) + x1*x2 - sin(x2)) | x2 -> x1 - cos(x2)
A*sin(w*t + p) | t -> A*w*cos(t*w + p)
A*sin(w*t + p) | w -> A*t*cos(t*w + p)
exp(-(x - m)^2/(2*s^2))/(s*sqrt(2*pi)) | x -> exp(-(x - m)^2/(2*s^2))*(m - x)/(sqrt(2*pi)*s^3)
G*m1*m2/r^2 | r -> -2*G*m1*m2/r^3
floor(x)*x | x -> floor(x)
x % 3 | x -> 1
0^x | x -> 0
sqrt([x, y])[0] | x -> 1/(2*sqrt(x))
prod([x, y, x]) | x -> 2*x*y
prod(diag([x, y])) | x -> 0
prod(sin(y)^2 + cos(y)^2 - [1, y]) | y -> reshape(([1, y] - 1)[0:1], [])
std([x, x]) | x -> 0
x: [2]; prod(x - [x[0], 3]) | x -> x: [2]; [0, (x - [x[0], 3])[0:1][0]]
sqrt(relu(x)) | x -> where(x > 0, 1/(2*sqrt(x)), 0)
sqrt(max(x, y)) | x -> (x >= y)/(2*sqrt(max(x, y)))
sqrt(where(x > 0, x, 0)) | x -> where(x > 0, 1/(2*sqrt(x)), 0)
where(x > 0, 0, y)^3 | y -> where(x > 0, 0, 3*y^2)
norm([relu(x), 0]) | x -> (x > 0)*where(norm([relu(x), 0]) == 0, 0, relu(x)/norm([relu(x), 0]))
where(sqrt(x) >= 0, x^2, y) | x -> where(sqrt(x) >= 0, 2*x, 0)
tanh(a*x + b) | x -> a/cosh(a*x + b)^2
P*r*(1 + r)^n/((1 + r)^n - 1) | n -> -P*r*ln(r + 1)*(r + 1)^n/((r + 1)^n - 1)^2
P*r/(1 - (1 + r)^-n) | n -> -P*r*ln(r + 1)*(r + 1)^n/((r + 1)^n - 1)^2
v*c*x/((1 - x)*(1 + (c - 1)*x)) | c -> v*x/(x*(c - 1) + 1)^2
h*A*(T - U)/(1 + h*L/k) | h -> A*k^2*(T - U)/(L*h + k)^2
k/l*(x/l)^(k - 1)*exp(-(x/l)^k) | l -> k^2*(x/l)^(k - 1)*exp(-(x/l)^k)*((x/l)^k - 1)/l^2
-y*ln(p) - (1 - y)*ln(1 - p) | p -> (1 - y)/(1 - p) - y/p
w^2*a^2 + (1 - w)^2*b^2 + 2*w*(1 - w)*r*a*b | w -> 2*(a*b*r*(1 - 2*w) + a^2*w - b^2*(1 - w))
1/(1 + 10^((x50 - x)*h)) | x -> h*ln(10)/((1/10^(h*(x50 - x)) + 1)*(10^(h*(x50 - x)) + 1))
2^x/(2^x + 1) | x -> ln(2)/((1/2^x + 1)*(2^x + 1))
asin(relu(x)) | x -> where(x > 0, 1/sqrt(1 - x^2), 0)
where(x < 0, abs(x)^3, x) | x -> where(x < 0, -3*x^2, 1)
Vmax*S^n/(K^n + S^n) | K -> -Vmax*n*K^(n - 1)*S^n/(K^n + S^n)^2
D*(1 - exp(-a*(r - R)))^2 | a -> 2*D*exp(a*(R - r))*(1 - exp(a*(R - r)))*(r - R)
q*z/(4*pi*(z^2 + R^2)^(3/2)) | z -> q*(R^2 - 2*z^2)/(4*pi*(R^2 + z^2)^(5/2))
"""

# As the Matrix Cookbook has them, where it has them.
ARRAYS = """
X: [10, 2]; w: [2]; y: [10]; sum((X@w - y)^2) | w -> X: [10, 2]; w: [2]; y: [10]; 2*X.T @ (X@w - y)
X: [10, 2]; w: [2]; y: [10]; sum((X@w - y)^2) | y -> y: [10]; X: [10, 2]; w: [2]; 2*(y - X@w)
X: [10, 2]; w: [2]; y: [10]; mean((X@w - y)^2) | w -> X: [10, 2]; w: [2]; y: [10]; X.T @ (X@w - y)/5
X: [10, 2]; w: [2]; y: [10]; sum((X@w - y)^2) + l*(w@w) | w -> X: [10, 2]; w: [2]; y: [10]; 2*(X.T@(X@w - y) + l*w)
X: [10, 2]; w: [2]; y: [10]; sum(softplus(X@w) - y*(X@w)) | w -> X: [10, 2]; w: [2]; y: [10]; X.T @ (sigmoid(X @ w) - y)
x: [2]; A: [2, 2]; x @ A @ x | x -> A: [2, 2]; x: [2]; A@x + x@A
x: [2]; A: [2, 2]; x @ A @ x | A -> x: [2]; outer(x, x)
a: [3]; x: [3]; a @ x | x -> a: [3]; a
x: [3]; x @ x | x -> x: [3]; 2*x
x: [3]; sum(x) | x -> ones([3])
x: [3]; sum(x^3) | x -> x: [3]; 3*x^2
x: [3]; mean(x) | x -> ones([3])/3
x: [3]; norm(x) | x -> x: [3]; x/norm(x)
x: [3]; norm(x)^2 | x -> x: [3]; 2*x
x: [3]; logsumexp(x) | x -> x: [3]; softmax(x)
x: [3]; prod(x) | x -> x: [3]; prod(x)/x
x: [3]; y: [3]; sum(x*ln(x/y)) | x -> x: [3]; y: [3]; ln(x/y) + 1
A: [2, 3]; B: [3, 2]; trace(A @ B) | A -> B: [3, 2]; B.T
A: [2, 3]; B: [3, 2]; trace(A @ B) | B -> A: [2, 3]; A.T
A: [2, 2]; trace(A) | A -> eye(2)
A: [2, 3]; sum(A^2) | A -> A: [2, 3]; 2*A
A: [2, 2]; det(A) | A -> A: [2, 2]; cofactor(A)
A: [2, 2]; B: [2, 2]; trace(A.T @ B @ A) | A -> B: [2, 2]; A: [2, 2]; B@A + B.T@A
x: [3]; var(x) | x -> x: [3]; 2*(x - mean(x))/3
x: [3]; std(x) | x -> x: [3]; (x - mean(x))/(3*std(x))
v: [2]; a*v | a -> v: [2]; v
[x, x^2] | x -> [1, 2*x]
A: [2, 2]; b: [2]; sum(solve(A, b)) | b -> A: [2, 2]; solve(A.T, ones([2]))
A: [2, 2]; trace(inv(A)) | A -> A: [2, 2]; -(inv(A) @ inv(A)).T
A: [2, 2]; logdet(A) | A -> A: [2, 2]; inv(A).T
A: [2, 2]; logabsdet(A) | A -> A: [2, 2]; inv(A).T
A: [2, 2]; norm(A, ord="nuc") | A -> A: [2, 2]; svd_left(A) @ svd_right(A).T
A: [2, 2]; sum(eigvalsh(A)^2) | A -> A: [2, 2]; 2*(eigvecsh(A)*reshape(eigvalsh(A), [1, 2])) @ eigvecsh(A).T
A: [3, 3]; ln(det(A)) | A -> A: [3, 3]; inv(A).T
w: [2]; exp(w)[0] | w -> w: [2]; [1, 0]*exp(w)
w: [2]; sqrt(w)[0] | w -> w: [2]; where([1, 0], 1/(2*sqrt(w)), 0)
w: [2]; sqrt(w)[0]*w[1] | w -> w: [2]; [w[1]/(2*sqrt(w)[0]), sqrt(w)[0]]
A: [2, 2]; trace(sqrt(A)) | A -> A: [2, 2]; where(eye(2), 1/(2*sqrt(A)), 0)
A: [2, 2]; sum(tril(sqrt(A))) | A -> A: [2, 2]; where([[1, 0], [1, 1]], 1/(2*sqrt(A)), 0)
"""

# Also how often.
ORDERS = """
x^5 | x | 2 -> 20*x^3
sin(x) | x | 3 -> -cos(x)
x*exp(x) | x | 2 -> exp(x)*(x + 2)
exp(x)*sin(x) | x | 2 -> 2*cos(x)*exp(x)
1/x | x | 3 -> -6/x^4
sin(x)/x | x | 2 -> 2*sin(x)/x^3 - sin(x)/x - 2*cos(x)/x^2
ln(x) | x | 4 -> -6/x^4
x^n | x | 2 -> n*x^(n - 2)*(n - 1)
tanh(x) | x | 2 -> -2*sinh(x)/cosh(x)^3
x^2*y + y^3 | x,y | 2 -> d2_x = 2*y; d2_y = 6*y; (d2_x, d2_y)
exp(-x^2/2) | x | 2 -> exp(-x^2/2)*(x^2 - 1)
x^x | x | 2 -> x^(x - 1)*(x*(ln(x) + 1)^2 + 1)
floor(x) | x | 2 -> 0
x^3 | x | 4 -> 0
"""

SEVERAL = """
x*y + sin(x*y) | x,y -> d_x = y*cos(x*y) + y; d_y = x*cos(x*y) + x; (d_x, d_y)
x^2*y | x,y -> d_x = 2*x*y; d_y = x^2; (d_x, d_y)
x/y | x,y -> d_x = 1/y; d_y = -x/y^2; (d_x, d_y)
exp(x*y) | x,y -> d_x = y*exp(x*y); d_y = x*exp(x*y); (d_x, d_y)
sqrt(x^2 + y^2) | x,y -> d_x = x/sqrt(x^2 + y^2); d_y = y/sqrt(x^2 + y^2); (d_x, d_y)
a*b*c | a,b,c -> d_a = b*c; d_b = a*c; d_c = a*b; (d_a, d_b, d_c)
"""


def cases(table: str) -> list[tuple[str, ...]]:
    return [tuple(part for side in line.split(" -> ") for part in side.split(" | ")) for line in table.splitlines()[1:]]


def read(text: str) -> Graph:
    return lower(parse(text, functions=FUNCTIONS.__contains__))


def inputs(graph: Graph, wrt: str) -> list[Node]:
    by_name = {name_of(node): node for node in variables(toposort(graph.outputs))}
    return [by_name[name] for name in wrt.split(",")]


def written(graph: Graph) -> str:
    return "; ".join(statements(graph, names(graph, parts_worth_naming(graph))))


def points(graph: Graph) -> list[Mapping[str, Any]]:
    """Ordinary numbers, below 1 and above it: every function in the tables is defined for one or the other."""
    rng = np.random.default_rng(3)
    nodes = variables(toposort(graph.outputs))
    return [{name_of(node): rng.uniform(low, low + 0.6, node.shape)[()] for node in nodes} for low in (0.2, 1.2) * 4]


def assert_value_kept(graph: Graph, wrt: list[Node], slopes: Graph, order: int = 1) -> None:
    """Assert that formulas have the values of the derivatives that evaluation uses."""
    exact: list[Node] = []
    for node in wrt:
        found = graph.output
        for _ in range(order):
            found = vjp(found, constant(1.0), [node])[0] if not found.shape else jvp(found, {node: constant(1.0)})
        exact.append(found)
    compared = 0
    for point in points(graph):
        for ours, truth in zip(evaluate(slopes.outputs, point), evaluate(exact, point), strict=True):
            assert np.shape(ours) == np.shape(truth)
            if np.all(np.isfinite(truth)):
                np.testing.assert_allclose(ours, truth, rtol=1e-9, atol=1e-9)
                compared += 1
    assert compared


@for_each(("text", "wrt", "expected"), cases(FORMULAS) + cases(ARRAYS) + cases(SEVERAL))
def test_a_derivative_reads_as_a_book_prints_it(text: str, wrt: str, expected: str) -> None:
    """The exact text; its value; that it is read back as the same graph; that nothing is left to simplify."""
    graph = read(text)
    nodes = inputs(graph, wrt)
    slopes = derivative(graph, nodes)
    assert written(slopes) == expected
    assert read(expected).outputs == slopes.outputs
    assert simplify(slopes).outputs == slopes.outputs
    assert_value_kept(graph, nodes, slopes)


@for_each(("text", "wrt", "order", "expected"), cases(ORDERS))
def test_higher_derivatives_are_simplified_on_the_way(text: str, wrt: str, order: str, expected: str) -> None:
    graph = read(text)
    nodes = inputs(graph, wrt)
    slopes = derivative(graph, nodes, int(order))
    assert written(slopes) == expected
    assert_value_kept(graph, nodes, slopes, int(order))


@for_each(("text", "wrt", "expected"), cases(FORMULAS))
def test_cg_simplify_keeps_its_promises_on_derivatives(text: str, wrt: str, expected: str) -> None:
    """It counts a shared operation once, so it may share more; it never makes a derivative larger."""
    assert_promises_kept(read(expected))


# ---- names for shared parts -------------------------------------------------------------


def test_only_long_shared_parts_have_a_name() -> None:
    """x^2 that stands twice is written out, a part of 30 characters that stands three times is named."""
    short, long = "sin(x)", "exp(sin(x)*cos(y))/sqrt(x + y)"
    assert written(read(f"{short} + {short}^2")) == f"{short} + {short}^2"
    assert written(read(f"t = {long}; t*sin(t) + t")) == f"t = {long}; t*sin(t) + t"
    assert written(read(f"t = {long}; t*sin(t + y)")) == f"{long}*sin({long} + y)"


@pytest.mark.parametrize("text", ["x + 1", "-(x + 1)*2 - x^-2", "f(x) = 2*x; sin(f(x))^2", "t = x*y; t*t + t"])
def test_the_length_of_a_flat_text_is_known_before_it_is_written(text: str) -> None:
    graph = read(text)
    assert flat_length(graph) == len(statements(graph, {})[-1])


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (
            "2*h*c^2/(l^5*(exp(h*c/(l*k*T)) - 1))",
            "T",
            "t1 = exp(c*h/(T*k*l)); 2*c^3*h^2/(T^2*k*l^6*(1 - 1/t1)*(t1 - 1))",
        ),
        (
            "(1 - exp(-N*(1 - C)))/(1 - C*exp(-N*(1 - C)))",
            "N",
            "t1 = exp(N*(C - 1)); (1 - C)^2/((1 - C*t1)*(1/t1 - C))",
        ),
        ("1/(1 + exp(-x))", "x", "1/((exp(-x) + 1)*(exp(x) + 1))"),
    ],
)
def test_one_name_serves_an_exponential_and_its_inverse(text: str, name: str, expected: str) -> None:
    assert cgcli.diff(text, name) == expected


def test_a_name_of_the_program_is_kept_and_others_are_new() -> None:
    graph = read("u = exp(sin(x)*cos(y))/sqrt(x + y + z); t1*u*sin(u)*cos(u)")
    assert written(derivative(graph, inputs(graph, "t1"))).startswith("u = ")


# ---- size -------------------------------------------------------------------------------

LARGE = {
    "nested functions": "sin(" * 1200 + "x" + ")" * 1200,
    "a chain of products": "t = x; " + "t = t*x; " * 1200 + "t",
    "a polynomial": " + ".join(f"{at}*x^{at}" for at in range(1200)),
    "nested quotients": "t = x; " + "t = x/(t + 1); " * 600 + "t",
}


@pytest.mark.parametrize("name", LARGE)
def test_large_programs_need_no_recursion(name: str) -> None:
    """How the time grows is measured in tests/bench/scale.py."""
    graph = read(LARGE[name])
    text = written(derivative(graph, inputs(graph, "x")))
    assert len(text) < 300 * len(LARGE[name])


def test_all_partials_of_a_long_product_share_their_parts() -> None:
    """Written one after the other they would take a million factors."""
    count = 300
    graph = read("*".join(f"x{at}" for at in range(count)))
    slopes = derivative(graph, variables(toposort(graph.outputs)))
    assert len(toposort(slopes.outputs)) < 10 * count
    assert len(written(slopes)) < 200 * count


# ---- the command ------------------------------------------------------------------------


COMMANDS = [
    (["x^2*sin(x)"], "x^2*cos(x) + 2*x*sin(x)"),
    (["x^2*sin(x)", "--wrt", "x", "--order", "2"], "4*x*cos(x) - x^2*sin(x) + 2*sin(x)"),
    (["a*x^2", "a=3"], "6*x"),
    (["a*x^2", "a=3", "--wrt", "a"], "x^2"),
    (["x^2*y"], "d_x = 2*x*y\nd_y = x^2\n(d_x, d_y)"),
    (["sum((X@w - y)^2)", "X=[[1,2],[3,4]]", "w=[1,2]", "y=[1,1]", "--wrt", "w"],
     "X: [2, 2]\nw: [2]\ny: [2]\n2*X.T @ (X@w - y)"),
    (["v: [2]; v^2", "--cotangent", "[1, 1]"], "v: [2]\n2*v"),
    (["[x, x^2]"], "[1, 2*x]"),
    (["(x^2, x*y)", "--cotangent", "(1, 2)", "--wrt", "x"], "2*(x + y)"),
    (["(ln(x), x*y)", "--cotangent", "(0, 2)", "--wrt", "x"], "2*y"),
    (["(x, [x, x^2])", "--cotangent", "(1, [1, 1])"], "2*x + 2"),
    (["tau: []; tau^2"], "tau: []\n2*tau"),
]  # fmt: skip


@for_each(("arguments", "expected"), COMMANDS)
def test_the_command_prints_a_program_that_other_commands_read(
    arguments: list[str], expected: str, capsys: Capture
) -> None:
    code, out, _ = cg(capsys, "diff", *arguments)
    assert (code, out) == (0, expected + "\n")
    assert cg(capsys, "simplify", "--exact", out).code == 0


def test_the_command_in_json_gives_a_program_for_each_name(capsys: Capture) -> None:
    assert json.loads(cg(capsys, "diff", "x^2*y", "--json").out) == {"d_x": "2*x*y", "d_y": "x^2"}
    assert json.loads(cg(capsys, "diff", "x^3", "--order", "2", "--json").out) == {"d2_x": "6*x"}


# In LaTeX, with what stands left of the equals signs.
LATEX = [
    (["x^2*sin(x)"], r"x^{2} \cos(x) + 2 x \sin(x)"),
    (["relu(x)"], "[x > 0]"),
    (
        ["x1^2*y"],
        aligned(r"\frac{\partial f}{\partial x_{1}} &= 2 x_{1} y", r"\frac{\partial f}{\partial y} &= x_{1}^{2}"),
    ),
    (
        ["max(f, x)"],
        aligned(r"\frac{\partial g}{\partial f} &= [f \ge x]", r"\frac{\partial g}{\partial x} &= [x > f]"),
    ),
    (
        ["x^2*y", "--order", "2"],
        aligned(r"\frac{\partial^{2} f}{\partial x^{2}} &= 2 y", r"\frac{\partial^{2} f}{\partial y^{2}} &= 0"),
    ),
    (["x_max^2", "--order", "2"], "2"),
    (
        ["t = exp(sin(x)*cos(y))/sqrt(x + y + z); a*t*sin(t)*cos(t)", "--wrt", "a"],
        aligned(
            r"t &= \frac{e^{\cos(y) \sin(x)}}{\sqrt{x + y + z}}", r"\frac{\partial f}{\partial a} &= \cos(t) \sin(t) t"
        ),
    ),
    (["x: [3]; prod(x)"], r"\left(\prod_{i} x_{i}\right) \oslash x"),
    (["x: [3]; sum(sqrt(x))"], r"\frac{1}{2} \oslash \sqrt{x}"),
    (["X: [10, 2]; w: [2]; y: [10]; sum((X@w - y)^2)", "--wrt", "w"], r"2 X^{\top} (X w - y)"),
]


@for_each(("arguments", "expected"), LATEX)
def test_the_command_prints_latex_for_a_paper(arguments: list[str], expected: str, capsys: Capture) -> None:
    """Protects papers: partial derivatives on the left, conditions as numbers, no vector under a line.

    tests/test_latex.py gives them to KaTeX.
    """
    assert cg(capsys, "diff", *arguments, "--latex") == (0, expected + "\n", "")


def test_latex_in_json_is_one_formula_for_each_name(capsys: Capture) -> None:
    found = json.loads(cg(capsys, "diff", "x^2*y", "--latex", "--json").out)
    assert found == {"d_x": "2 x y", "d_y": "x^{2}"}


def test_flat_names_nothing(capsys: Capture) -> None:
    part = "exp(sin(x)*cos(x))/sqrt(x + 1)"
    named, flat = (cg(capsys, "diff", f"t = {part}; t*sin(t)*cos(t)", *more).out for more in ([], ["--flat"]))
    assert "=" in named
    assert "=" not in flat
    values = [cg(capsys, "eval", text, "x=0.5").out for text in (named, flat)]
    assert abs(float(values[0]) - float(values[1])) < 1e-12


FAULTS = [
    (["x^2", "--wrt", "z"], "cannot differentiate by 'z': it is not in the expression"),
    (["rate^2", "--wrt", "rat"], "did you mean 'rate'?"),
    (["t = x^2; t + 1", "--wrt", "t"], "cannot differentiate by 't': it is computed by the program"),
    (["x^2", "--order", "0"], "--order"),
    (["x^2", "--order", "1.5"], "--order"),
    (["v: [2]; cumsum(v)"], "--cotangent"),
    (["v: [2]; cumsum(v)"], "cg jacobian"),
    (["A: [2, 2]; sum(A^3)", "--order", "2"], "cg hessian"),
    (["(x, x^2)"], "--cotangent '(1, 0)'"),
    (["(x, x^2)", "--cotangent", "1"], "the cotangent has 1 weight, and the program 2 outputs"),
    (["2 + 3"], "there is nothing to differentiate by"),
    (["x=2"], "there is nothing to differentiate by"),
    (["t = x; " + "t = sin(t)*cos(t); " * 60 + "t", "--flat"], "without --flat"),
]


@for_each(("arguments", "message"), FAULTS)
def test_what_has_no_formula_is_refused_with_the_way_out(arguments: list[str], message: str, capsys: Capture) -> None:
    code, out, err = cg(capsys, "diff", *arguments)
    assert (code, out) == (2, "")
    assert message in err


NOTES = [
    (["floor(x)*x"], "floor counts as a constant: it is piecewise constant"),
    (["x^2", "x=3"], "the value of 'x' is not used"),
    (["x^2", "y=3"], "'y' is bound, but the expression does not use it"),
]


@pytest.mark.parametrize(("arguments", "message"), NOTES, ids=lambda item: str(item))
def test_what_a_formula_leaves_out_is_said(arguments: list[str], message: str, capsys: Capture) -> None:
    assert message in cg(capsys, "diff", *arguments).err
    assert cg(capsys, "diff", *arguments, "-q").err == ""
    assert cg(capsys, "diff", *arguments, "--strict").code == 1


def test_a_condition_is_no_step_to_warn_of(capsys: Capture) -> None:
    assert cg(capsys, "diff", "x > 0 ? x^2 : -x").err == ""
    assert cg(capsys, "diff", "x*stop_gradient(x)").err == ""


def test_the_program_of_a_derivative_is_exact_in_its_graph() -> None:
    graph = read("t = sin(x)*y; t^2*exp(t)")
    slopes = derivative(graph, inputs(graph, "x,y"))
    assert read(program(slopes)).outputs == slopes.outputs
