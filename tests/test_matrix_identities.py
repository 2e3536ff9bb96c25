"""Derivatives by vectors and matrices: value and text, as the Matrix Cookbook and matrixcalculus.org have them."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import cgcli
from cgcli.errors import UsageError
from tests.for_each import for_each

SHAPES = {"x": "[3]", "a": "[3]", "b": "[3]", "p": "[3]", "m": "[3]", "w": "[3]", "y": "[4]", "u": "[2]", "v": "[2]",
          "A": "[3, 3]", "B": "[3, 3]", "C": "[3, 3]", "S": "[3, 3]", "X": "[4, 3]", "Y": "[4, 3]"}  # fmt: skip

# What is differentiated, by which name, and what it is; ours may be written in another way. In rows that begin with +,
# the text is matrix algebra too; in the others it still has to become so.
IDENTITIES = """
+ a@x | x -> a
+ x@x | x -> 2*x
+ x@A@x | x -> (A + A.T)@x
+ x@A@x | A -> outer(x, x)
+ a@A@b | A -> outer(a, b)
+ a@A.T@b | A -> outer(b, a)
+ a@A@b | a -> A@b
+ c*(x@A@x) | c -> x@A@x
+ (a@x)^2 | x -> 2*(a@x)*a
+ exp(a@x) | x -> exp(a@x)*a
+ (x@A@x)^2 | x -> 2*(x@A@x)*((A + A.T)@x)
+ x@A@x/(x@x) | x -> (A + A.T)@x/(x@x) - 2*(x@A@x)*x/(x@x)^2
+ a@x/(norm(a)*norm(x)) | x -> a/(norm(a)*norm(x)) - (a@x)*x/(norm(a)*norm(x)^3)
+ x@diag(a)@x | a -> x^2
+ sum(a*x*b) | x -> a*b
+ a@inv(A)@b | A -> -outer(inv(A).T@a, inv(A)@b)
+ a@inv(A)@b | a -> inv(A)@b
+ a@solve(A, b) | b -> inv(A).T@a
+ a@solve(A, b) | A -> -outer(inv(A).T@a, inv(A)@b)
+ logdet(A) | A -> inv(A).T
+ ln(det(A)) | A -> inv(A).T
+ det(A) | A -> det(A)*inv(A).T
+ logdet(A@B) | A -> inv(A).T
+ logdet(X.T@X) | X -> 2*X@inv(X.T@X)
+ trace(A) | A -> eye(3)
+ trace(A@B) | A -> B.T
+ trace(A.T@B) | A -> B
+ trace(A@A) | A -> 2*A.T
+ trace(A@B@B) | B -> (A@B + B@A).T
+ trace(A@B@C) | B -> (C@A).T
+ trace(A.T@B@A) | A -> (B + B.T)@A
+ trace(X@A@X.T) | X -> X@(A + A.T)
+ trace(X.T@X) | X -> 2*X
+ trace(inv(A)) | A -> -(inv(A)@inv(A)).T
+ trace(inv(A)@B) | A -> -(inv(A)@B@inv(A)).T
+ sum(A) | A -> ones([3, 3])
+ sum(A^2) | A -> 2*A
+ sum((A@B - C)^2) | A -> 2*(A@B - C)@B.T
+ sum((A@B - C)^2) | B -> 2*A.T@(A@B - C)
+ sum((X - outer(y, w))^2) | X -> 2*(X - outer(y, w))
+ sum((X - outer(y, w))^2) | y -> -2*(X - outer(y, w))@w
+ norm(x) | x -> x/norm(x)
+ norm(x)^2 | x -> 2*x
+ norm(x - a) | x -> (x - a)/norm(x - a)
+ sum((X@w - y)^2) | w -> 2*X.T@(X@w - y)
+ sum((X@w - y)^2) | X -> 2*outer(X@w - y, w)
+ sum((X@w - y)^2) | y -> -2*(X@w - y)
+ norm(X@w - y)^2 | w -> 2*X.T@(X@w - y)
+ norm(X@w - y) | w -> X.T@(X@w - y)/norm(X@w - y)
+ sum((X@w - y)^2) + c*(w@w) | w -> 2*(X.T@(X@w - y) + c*w)
+ mean((X@w - y)^2) | w -> X.T@(X@w - y)/2
+ sum(abs(X@w - y)) | w -> X.T@sign(X@w - y)
+ (x - m)@inv(S)@(x - m)/2 | m -> -(inv(S) + inv(S).T)@(x - m)/2
+ -logdet(S)/2 - (x - m)@inv(S)@(x - m)/2 | m -> (inv(S) + inv(S).T)@(x - m)/2
+ -0.5*(x - m)@inv(S)@(x - m) - 0.5*logdet(S) | m -> (inv(S) + inv(S).T)@(x - m)/2
+ -logdet(S)/2 - (x - m)@inv(S)@(x - m)/2 | S -> outer(inv(S).T@(x - m), inv(S)@(x - m))/2 - inv(S).T/2
+ -logdet(S)/2 - (x - m)@solve(S, x - m)/2 | m -> (inv(S) + inv(S).T)@(x - m)/2
+ (x - m)@S@(x - m) | m -> -(S + S.T)@(x - m)
+ sum(exp(x)) | x -> exp(x)
+ logsumexp(x) | x -> softmax(x)
+ logsumexp(A@x) | x -> A.T@softmax(A@x)
+ logsumexp(x) - p@x | x -> softmax(x) - p
+ -sum(p*log_softmax(x)) | x -> sum(p)*softmax(x) - p
+ -sum(p*log_softmax(A@x)) | A -> outer(sum(p)*softmax(A@x) - p, x)
+ softmax(x)@a | x -> softmax(x)*(a - softmax(x)@a)
+ sum(softplus(X@w) - y*(X@w)) | w -> X.T@(sigmoid(X@w) - y)
+ sum(softplus(X@w) - y*(X@w)) | X -> outer(sigmoid(X@w) - y, w)
+ sum(ln(1 + exp(X@w))) | w -> X.T@sigmoid(X@w)
+ sum(ln(1 + exp(-y*(X@w)))) | w -> -X.T@(y*sigmoid(-y*(X@w)))
+ b@tanh(A@x) | x -> A.T@(b*(1 - tanh(A@x)^2))
+ b@tanh(A@x) | A -> outer(b*(1 - tanh(A@x)^2), x)
+ b@sigmoid(A@x) | A -> outer(b*sigmoid(A@x)*(1 - sigmoid(A@x)), x)
+ b@relu(A@x) | A -> outer(b*(A@x > 0), x)
+ sum((B@relu(A@x) - a)^2) | B -> 2*outer(B@relu(A@x) - a, relu(A@x))
+ sum((B@relu(A@x) - a)^2) | A -> 2*outer(B.T@(B@relu(A@x) - a)*(A@x > 0), x)
+ sum(x*ln(x)) | x -> ln(x) + 1
+ sum(x*ln(x/a)) | x -> ln(x/a) + 1
+ prod(x) | x -> prod(x)/x
std(prod(A, axis=0)) | A -> prod(A, axis=0)*(prod(A, axis=0) - mean(prod(A, axis=0)))/(3*A*std(prod(A, axis=0)))
+ var(x) | x -> 2*(x - mean(x))/3
+ sum((x - mean(x))^2) | x -> 2*(x - mean(x))
+ mean(x) | x -> ones([3])/3
+ mean(A) | A -> ones([3, 3])/9
+ mean(A@x) | A -> outer(ones([3]), x)/3
+ mean(A@x) | x -> A.T@ones([3])/3
+ mean(A, axis=0)@x | A -> outer(ones([3]), x)/3
+ sum(A@x) | A -> outer(ones([3]), x)
+ sum(A.T@x) | A -> outer(x, ones([3]))
+ sum(outer(x, a)) | x -> sum(a)*ones([3])
+ a@outer(x, x)@b | x -> (a@x)*b + (x@b)*a
+ x@A.T@A@x | x -> 2*A.T@(A@x)
+ trace(A@A@A) | A -> 3*(A@A).T
+ trace(A)^2 | A -> 2*trace(A)*eye(3)
+ trace(c*A@B) | A -> c*B.T
+ trace(diag(x)@A) | x -> diag(A)
+ 1/det(A) | A -> -inv(A).T/det(A)
+ sqrt(det(A)) | A -> sqrt(det(A))*inv(A).T/2
+ det(A)^2 | A -> 2*det(A)*cofactor(A)
+ det(inv(A)) | A -> -inv(A).T/det(A)
+ det(2*A) | A -> 8*cofactor(A)
+ logdet(c*A) | A -> inv(A).T
+ a@inv(c*A)@b | c -> -a@inv(A)@b/c^2
+ a@inv(c*A)@b | A -> -outer(inv(A).T@a, inv(A)@b)/c
+ trace(inv(2*A)) | A -> -(inv(A)@inv(A)).T/2
+ sum((A@(c*x) - b)^2) | x -> 2*c*A.T@(c*A@x - b)
+ exp(-x@A@x/2) | A -> -exp(-x@A@x/2)*outer(x, x)/2
+ logsumexp(c*x)/c | x -> softmax(c*x)
+ -sum(softmax(x)*log_softmax(x)) | x -> softmax(x)*(sum(log_softmax(x)*softmax(x)) - log_softmax(x))
+ x[0]*x[2] | x -> [x[2], 0, x[0]]
+ sum([[c, 0], [0, s]]@u) | c -> u[0]
+ sum([[c, 0], [0, s]]@u) | s -> u[1]
+ u@[[c, -s], [s, c]]@v | c -> u@v
+ u@[[cos(t), -sin(t)], [sin(t), cos(t)]]@v | t -> u@[[-sin(t), -cos(t)], [cos(t), -sin(t)]]@v
+ A = [[1, 0, t], [0, 1, t]]; sum(A@A.T) | t -> 8*t
+ A = [[1, t], [0, 1]]; sum((A@u)^2) | t -> 2*u[1]*(u[0] + t*u[1])
+ A = [[c, 0], [0, s]]; u@inv(A)@u | c -> -u[0]^2/c^2
+ A = [[c, s], [s, t]]; det(A) | s -> -2*s
+ A = [[c, s], [s, t]]; logdet(A) | c -> t/(c*t - s^2)
""".strip().split("\n")

# How no book writes a matrix.
RAW = re.compile(r"reshape|where\(.*zeros|\bstack\(|broadcast|put\(")


def declared(text: str) -> str:
    """A program with the shapes of its names in front."""
    own = set(re.findall(r"(\w+) =", text))
    used = [name for name in dict.fromkeys(re.findall(r"\w+(?!\w*\()", text)) if name in SHAPES and name not in own]
    return "; ".join([*(f"{name}: {SHAPES[name]}" for name in used), text])


def at(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The value of a program at random arrays, the same for each name in all programs: ordinary positive vectors,
    matrices that are near to twice the identity, and not symmetric."""
    program = cgcli.parse(text)
    point = {}
    for name in program.inputs:
        random = np.random.default_rng(ord(name[0]))
        shape = program.shapes.get(name, ())
        near = 2 * np.eye(3) if shape == (3, 3) else 0.0
        point[name] = near + (random.normal(0, 0.3, shape) if len(shape) == 2 else random.uniform(0.5, 1.5, shape))
    return np.asarray(cgcli.value(program)(point))


@for_each("row", IDENTITIES)
def test_a_derivative_is_the_known_one(row: str) -> None:
    program, _, known = row.removeprefix("+ ").partition(" -> ")
    text, _, name = program.partition(" | ")
    shown = cgcli.diff(declared(text), name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names without effect
        ours, theirs = at(shown), at(declared(known))
    assert np.allclose(np.broadcast_to(ours, theirs.shape), theirs, rtol=1e-9, atol=1e-12), shown
    if row.startswith("+ "):
        assert not RAW.search(shown), shown


# What is simplified, or differentiated by a name, and the text: numbers before arrays, one form for one thing.
TEXTS = """
2*A@(3*x) -> 6*A @ x
A*c@x -> c*A @ x
(c*A)@(x/c) -> A @ x
c*(x@A@x) -> c*x @ A @ x
x*norm(x) -> norm(x)*x
eye(3)*trace(A) -> trace(A)*eye(3)
broadcast(1/3, [3]) -> ones([3])/3
broadcast(2*c, [3]) -> 2*c*ones([3])
inv(A.T) -> inv(A).T
A.T@B.T -> (B @ A).T
cofactor(A)/det(A)^2 -> inv(A).T/det(A)
exp(c*x)/sum(exp(c*x)) -> softmax(c*x)
x@A@x*(a@x) | x -> (a @ x)*(A @ x) + (a @ x)*(x @ A) + (x @ A @ x)*a
sum((A@(c*x) - b)^2) | x -> 2*c*A.T @ (c*A@x - b)
a@inv(A + c*eye(3))@b | c -> -(a @ inv(A + c*eye(3)) @ inv(A + c*eye(3)) @ b)
logsumexp(-x) | x -> -softmax(-x)
A@(x - m) + A@(m - x) -> zeros([3])
A@(x - m) - (m - x)@A -> A@(x - m) + (x - m)@A
diag(broadcast(-0.5, [3]))@A -> -0.5*A
-0.5*(x - m)@inv(S)@(x - m) - 0.5*logdet(S) | m -> 0.5*(inv(S)@(x - m) + (x - m)@inv(S))
-0.5*(x - m)@inv(S)@(x - m) - 0.5*logdet(S) | S -> 0.5*(outer(inv(S).T @ (m - x), inv(S) @ (m - x)) - inv(S).T)
-0.5*(x - m)@solve(S, x - m) - 0.5*logdet(S) | m -> 0.5*(solve(S, x - m) + solve(S.T, x - m))
-0.5*trace(inv(S)@(X - Y).T@(X - Y)) | S -> 0.5*inv(S).T @ ((Y - X).T @ (Y - X) @ inv(S).T)
""".strip().split("\n")


@for_each("row", TEXTS)
def test_the_text_is_matrix_algebra(row: str) -> None:
    program, _, expected = row.partition(" -> ")
    text, _, name = program.partition(" | ")
    shown = cgcli.diff(declared(text), name) if name else cgcli.simplify(declared(text))
    assert shown.split("; ")[-1] == expected
    assert cgcli.simplify(shown) == shown


# A Jacobian, or for order 2 a Hessian, by x, and what it is.
MATRICES = """
A@x | 1 -> A
x@A | 1 -> A.T
x^2 | 1 -> diag(2*x)
a*x + b | 1 -> diag(a)
x/sum(x) | 1 -> eye(3)/sum(x) - outer(x, ones([3]))/sum(x)^2
x - mean(x) | 1 -> eye(3) - ones([3, 3])/3
softmax(x) | 1 -> diag(softmax(x)) - outer(softmax(x), softmax(x))
tanh(A@x) | 1 -> A*reshape(1 - tanh(A@x)^2, [3, 1])
A@tanh(x) | 1 -> A*(1 - tanh(x)^2)
x/norm(x) | 1 -> eye(3)/norm(x) - outer(x, x)/norm(x)^3
(a@x)*x | 1 -> (a@x)*eye(3) + outer(x, a)
solve(A, x^2) | 1 -> 2*inv(A)*x
relu(A@x - b) | 1 -> A*reshape(A@x - b > 0, [3, 1])
where(a > 1, x^2, b) | 1 -> diag(where(a > 1, 2*x, 0))
sum(x)*ones([2]) | 1 -> ones([2, 3])
sum((A@x)^2) | 2 -> 2*A.T@A
x@A@x | 2 -> A + A.T
norm(x) | 2 -> eye(3)/norm(x) - outer(x, x)/norm(x)^3
logsumexp(x) | 2 -> diag(softmax(x)) - outer(softmax(x), softmax(x))
sum(exp(x)) | 2 -> diag(exp(x))
a@x | 2 -> zeros([3, 3])
(x - m)@inv(S)@(x - m)/2 | 2 -> (inv(S) + inv(S).T)/2
sum(softplus(A@x)) | 2 -> A.T@(reshape(sigmoid(A@x)*(1 - sigmoid(A@x)), [3, 1])*A)
""".strip().split("\n")


@for_each("row", MATRICES)
def test_a_jacobian_or_a_hessian_is_the_known_one(row: str) -> None:
    program, _, known = row.partition(" -> ")
    text, _, order = program.partition(" | ")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names without effect
        shown = cgcli.diff("x: [3]; " + declared(text).replace("x: [3]; ", ""), "x", int(order))
        ours, theirs = at(shown), at(declared(known))
    assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-12), shown
    assert ours.shape == theirs.shape


def test_what_has_no_jacobian_as_a_formula_is_refused() -> None:
    with pytest.raises(UsageError, match="needs a scalar"):
        cgcli.diff("x: [3]; cumsum(x)", "x")
    with pytest.raises(UsageError, match="derivative of order 2"):
        cgcli.diff("A: [2, 2]; sum(A^3)", "A", 2)
