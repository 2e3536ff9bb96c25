"""Formulas of random programs have the values of the programs and of their gradients; and the judge sees what is wrong.

A few programs here; `tests/bench/differential.py` goes on for as long as it is told.
"""

from __future__ import annotations

import warnings
from random import Random

import pytest

import cgcli
from tests.differential import complaint, faults, random_source
from tests.for_each import for_each

SEEDS = range(30)  # tests/bench/formulas.py takes thousands

# Programs, and formulas that are wrong for them: of their value, or of their derivative by a name.
WRONG = """
x - sin(x) + sin(x)*cos(x)^2 -> x - sin(x)^2
x - sinh(x) + sinh(x)*cosh(x)^2 -> x + sinh(x)^2
sqrt(x)^2 -> x
sin(asin(x)) -> x
exp(ln(x)) -> x
sqrt(x^2) -> x
sqrt(x^y) -> x^(y/2)
sqrt(x^(2*n)) -> x^n
(x^y)^(1/3) -> x^(y/3)
sqrt(x)*sqrt(y) -> sqrt(x*y)
ln(x) + ln(y) -> ln(x*y)
ln(x*y) -> ln(x) + ln(y)
ln(x^2) -> 2*ln(x)
asin(sin(x)) -> x
max(x, y) -> max(x, -y)
abs(x)*x -> x^2
where(x > 0, x, y) -> where(x >= 1, x, y)
where(sqrt(x)^2 == x, 1, 2) -> 1
x % 3 -> x
x/3 -> 0.33333333*x
2*x -> 2*x + 1e-8
x^2 -> exp(2*ln(x))
x -> x + 0*sqrt(x)
v: [2]; v @ v -> v: [2]; v[0]^2
A: [2, 2]; trace(A @ A) -> A: [2, 2]; sum(A^2)
max(x, relu(x)) | x -> (x >= relu(x)) + (relu(x) >= x)*(x > 0)
0^x | x -> 0^x*ln(0)
x^2 | x -> 2*x + 1e-8
x^3 | x -> 3*abs(x)^2 + (x < 0)
abs(x) | x -> 1
sin(x)*y | x,y -> (y*cos(x), -sin(x))
v: [2]; sum(v^3) | v -> v: [2]; 3*v
""".strip()

# The same, and right: an isolated point may gain a value, and rounding, overflow and kinks are no fault.
RIGHT = """
x/x -> 1
tan(x)*cot(x) -> 1
exp(x) - exp(x) -> 0
exp(100*x)/exp(100*x) -> 1
exp(1000*x)*exp(-1000*x) -> 1
cosh(70*x)^2 - sinh(70*x)^2 -> 1
(x + 1e16) - 1e16 -> x
sqrt(sin(x)^2 + cos(x)^2 - 1) -> 0
floor(x*(1/3)*3) -> floor(x)
where(sin(x)^2 + cos(x)^2 == 1, x, 0) -> x
abs(x)^2 -> x^2
0.1*x*3 -> 0.3*x
x*acos(-1) -> pi*x
max(x, y) | x -> x > y
abs(x) | x -> x/abs(x)
max(x, relu(x)) | x -> 1*(x > 0) + (x <= 0)*0
x^y | x,y -> (y*x^(y - 1), x^y*ln(x))
A: [2, 2]; det(A) | A -> A: [2, 2]; det(A)*inv(A).T
leaky_relu(x) | x -> where(x > 0, 1, 0.01)
(cosh(exp(x + 1))^2 - sinh(exp(x + 1))^2)^n -> 1
where(2*tan(atan(y)) > tan(atan(y)), 1, x) -> where(2*y > y, 1, x)
erf(x)^(x - 1)*erf(x) -> erf(x)^x
cbrt(ln(sec(x)^2 - tan(x)^2)^where(x < y, x/x, x)) -> cbrt(ln(sec(x)^2 - tan(x)^2)^where(x < y, 1, x))
""".strip()

# Programs whose formulas were wrong, in the smallest form that had the fault.
ONCE_WRONG = """
max(mod(y, y), mod(y, y)*mod(y, y)/mod(y, y))
(0^x)^(-(cosh(x)^3 - cosh(x)^3*sinh(x)^2))*(0^x)^x
w: [2]; sqrt(w)[0]
(0^x)*((-1) > 0 and x < 1)
((sqrt(x)^2)*x - x*(sqrt(x)^2))^(2*n)
v: [2]; w: [2]; A: [2, 2]; einsum("i,ij,j->", w, A, v)*(0^((-x)^3))
0^y*0^x
0^(-x)
v: [2]; 0^(-v[0])
v: [2]; sqrt(v[0]*(log2(atanh(tanh(1)))))
prod(diag([x, y]))
v: [2]; w: [2]; (v @ inv(stack(w, w, axis=1)) @ v)/(v @ inv(stack(w, w, axis=1)) @ v)
t = lgamma(x*(x < y)); 0*t - t*0
v: [2]; (asin(sec(norm(v)^2)^2 - tan(norm(v)^2)^2))*x
((x*x - x*x)/(x*(x*x - x*x)))/((x*x - x*x)/(x*(x*x - x*x)))
v: [2]; where(sqrt((ln(sqrt(y)))/sqrt(ln(sqrt(y)))) >= 0, x, prod(v))
z*(x - (x/0)) + z*((x/0) - x)
where(sqrt(x) >= 0, y, ln(z))
relu(x)^y*relu(x)^z
0*ln(relu(x)) + x
w: [2]; t = std(sqrt(w) - sqrt(w)); max(t, t*t/t)
v: [2]; x/(where(sqrt(y) >= 0, v[0], 3))
v: [2]; (where(sqrt(x) >= 0, v[0], 1))*(where(sqrt(x) >= 0, v[0], 1))
z^(x*where(x < y, x, 1))/z^x
z^abs(x)/z^x
z^floor(x)*z^(x - floor(x))
v: [2]; diag(v*exp(2*ln(x)))[0, 1]
v: [2]; cosh(logsumexp(v))^2 - 1
-(sqrt(ln(x/x)^2)^n)^max(-x, -x)
((0^n)^y)^(-x)
f(a) = x^2; f(y)
cbrt(min(max(x, 0), 1))^3
v: [2]; mse(v, v)^(2*n)
(1*y + 1)/1
w: [2]; where(abs(1) >= 0, sum(w > x)*sum(w > x), y)
cbrt(relu(x)^2)
v: [2]; cbrt(relu(v[0])^2)^x
sqrt(x*relu(n)^2)
(max(y, x) - y)^x*x^x
A: [2, 2]; prod(prod(diag(mean(A, axis=1)), axis=0))
v: [2]; mse(v, v)^x/mse(v, v)^x
1/(tan(atan(x)))
v: [2]; A: [2, 2]; (v @ (prod(diag(v), axis=0)*(A @ v)))^n
ln(tan(x - sinh(atan(x - x^2))))
""".strip()

# Programs whose simple form was simplified further when it was given again: what had been remembered on the way was in
# the way, the coarse reading 1/t of a part that is no longer shared, or the order in which terms were found.
ONCE_MOVED = """
t = x*y; u = 2*t*y; x + u^-1
x/(((1/3)^(-1.7))/x)
((abs(x)/x)^(-1))^(-0.5)
w: [2]; sum(((w - w)*((sin(asin(x))) + x))^2)
v: [2]; A: [2, 2]; logdet((A @ outer(v, v)).T)
v: [2]; B: [2, 3]; trace(B @ B.T @ outer([x, y], v))
x*where(acos(y) > 0 and 1 < 1, x, 1)
exp(-(log2(x) + x))*exp(log2(x) + x)
2*x + 2*(x*(sqrt(x)^2) - (sqrt(x)^2)*x)
x/(x + (1/(sqrt(0.3)*sqrt(n)))) + (1/(sqrt(0.3)*sqrt(n)))/(x + (1/(sqrt(0.3)*sqrt(n))))
v: [2]; A: [2, 2]; sum((A @ outer(v, v)) @ A)
(2^x*2^(-x))^(1/2)
(sum((diag([x, y]) @ [y, 1])^2))*x
(exp(abs(x - x)/(x - x))*exp(1))^3
(x*(sqrt(y)*sqrt(y)) + x)/x
y + (sqrt(4*(exp(x)/(1 + exp(x)))^2))
t = -3*x; u = sin(t); -u - (not u)
""".strip()


def held(row: str) -> str:
    """What the judge says of a row of the tables."""
    program, _, shown = row.partition(" -> ")
    text, _, names = program.partition(" | ")
    return complaint(text, shown, names.split(",") if names else ())


@for_each("row", WRONG.split("\n"))
def test_the_judge_sees_what_is_wrong(row: str) -> None:
    assert held(row)


@for_each("row", RIGHT.split("\n"))
def test_the_judge_takes_what_is_right(row: str) -> None:
    assert held(row) == ""


@pytest.mark.parametrize("seed", SEEDS)
def test_formulas_of_a_random_program_are_right(seed: int) -> None:
    assert list(map(str, faults(random_source(Random(seed)).text(), seed))) == []


@pytest.mark.parametrize("program", ONCE_WRONG.splitlines())
def test_no_formula_is_wrong_any_more(program: str) -> None:
    assert [str(fault) for seed in range(2) for fault in faults(program, seed)] == []


@for_each("program", [*ONCE_MOVED.splitlines(), *(random_source(Random(seed)).text() for seed in range(1000, 1100))])
def test_simplifying_again_changes_nothing(program: str) -> None:
    with warnings.catch_warnings(action="ignore"):
        once = cgcli.simplify(program)
        assert cgcli.simplify(once) == once
