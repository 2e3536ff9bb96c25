"""Formulas keep exact constants: evaluated with many digits by another program, the text has 20 that are right."""

from __future__ import annotations

import math
import re
from random import Random

import pytest
from mpmath import mp, mpf

import cgcli
from tests.for_each import for_each
from tests.precise import graph_of, slopes, values

# What is differentiated, by which name. All names are positive numbers below 1.
FORMULAS = """
exp(-(x - mu)^2/(2*sigma^2))/(sigma*sqrt(2*pi)) | x
exp(-(x - mu)^2/(2*sigma^2))/(sigma*sqrt(2*pi)) | mu
exp(-(x - mu)^2/(2*sigma^2))/(sigma*sqrt(2*pi)) | sigma
-ln(sigma*sqrt(2*pi)) - (x - mu)^2/(2*sigma^2) | sigma
exp(-x^2/2)/sqrt(2*pi) | x
(1 + erf(x/sqrt(2)))/2 | x
erf((x - mu)/(sigma*sqrt(2)))/2 | sigma
erfc(x/sqrt(2)) | x
erf(x) | x
gelu(x) | x
sqrt(2/pi)*x^2*exp(-x^2/(2*a^2))/a^3 | a
sqrt(3)*atan(x/sqrt(3)) | x
atan(x/sqrt(2))/sqrt(2) | x
2/sqrt(3)*atan((2*x + 1)/sqrt(3)) | x
asin(x/sqrt(5)) | x
ln((x - sqrt(2))^2/(x + sqrt(2))^2)/(2*sqrt(2)) | x
atanh(x/sqrt(7))/sqrt(7) | x
asinh(sqrt(3)*x)/sqrt(3) | x
-(x/sqrt(2))^2 | x
(x/sqrt(3))^4 | x
(x/2^(1/3))^3 | x
(sqrt(2)*x + 1)^3 | x
(x + sqrt(2))*(x - sqrt(2)) | x
x^(3/2) | x
x^(-1/2) | x
x^(n/2 + 3/2) | x
(2*x)^(5/2) | x
(pi*x)^(1/2) | x
sqrt(2*pi*x) | x
sqrt(3*x)/3 | x
2^x | x
10^x | x
(1/3)^x | x
sqrt(2)^x | x
pi^x | x
x^pi | x
x^e | x
x^sqrt(2) | x
x*ln(2) | x
log2(x) | x
log10(x^2 + 1) | x
log(x, 3) | x
x/3 + x^2/7 | x
2*x/3 - x^3/9 | x
sin(pi*x/3) | x
cos(2*pi*x + pi/4) | x
sin(pi/3)*x^2 | x
tan(pi*x/7) | x
sinc(x) | x
x*acos(-1) | x
x^2*asin(1)/3 | x
4*atan(1)*x^3 | x
pi*r^2*h/3 | r
4/3*pi*r^3 | r
2*pi*sqrt(L/g) | g
2*pi*sqrt(L*C) | L
1/(2*pi*sqrt(L*C)) | C
pi^2*E*k/L^2 | L
sqrt(2)*sqrt(2)*x^2 | x
sqrt(8)*x^2/sqrt(2) | x
exp(1)*x^2 | x
e^(2*x)/e | x
0.1*x^3 | x
0.3*x^2 + x^0.1 | x
0.6*q^(2/3) | q
17.625*T/(T + 243.04) | T
6.1094*exp(17.625*T/(T + 243.04)) | T
1.38*x^2/3 | x
0.7*x*sqrt(2) | x
(x - 0.1)*(x - 0.2)*(x - 0.3) | x
x^0.333333 | x
2.5*x^1.4 | x
ln(0.3*x + 0.7)/0.3 | x
9.81*t^2/2 | t
0.5*rho*v^2*c*A | v
exp(-x/1.7)/1.7 | x
""".strip()

# What is simplified, and what is printed.
TEXTS = """
(x/sqrt(2))^2 -> x^2/2
-(x/sqrt(2))^2 -> -x^2/2
sqrt(2)*sqrt(2)*x -> 2*x
sqrt(2)*sqrt(8)*x -> 4*x
sqrt(2)*x*sqrt(3) -> sqrt(6)*x
sqrt(8)*x -> 2*sqrt(2)*x
sqrt(12)*x -> 2*sqrt(3)*x
sqrt(4)*x -> 2*x
sqrt(1/4)*x -> x/2
sqrt(2)^2*x -> 2*x
(sqrt(2)*x)^2 -> 2*x^2
sqrt(2)*x/sqrt(2) -> x
sqrt(2)*x - x*sqrt(2) -> 0
sqrt(2)*x + sqrt(2)*x -> 2*sqrt(2)*x
sqrt(8)*x - sqrt(2)*x -> sqrt(2)*x
2^(1/3)*2^(2/3)*x -> 2*x
8^(1/3)*x -> 2*x
cbrt(2)*cbrt(4)*x -> 2*x
cbrt(16)*x -> 2*2^(1/3)*x
cbrt(-8)*x -> -2*x
cbrt(-2)*x -> -2^(1/3)*x
cbrt(8*x^3) -> 2*x
cbrt(-x^3*y^4) -> -x*cbrt(y^4)
cbrt(x)^6/x -> x
cbrt(2*x) -> cbrt(2*x)
log10(1000)*x -> 3*x
log2(1/4)*x -> -2*x
log2(3)*x -> x*log2(3)
4^(3/2)*x -> 8*x
x*sqrt(2) -> sqrt(2)*x
pi*x/pi -> x
pi*x - x*pi -> 0
x*exp(1) -> e*x
ln(2)*x -> x*ln(2)
ln(2)*x/ln(2) -> x
x*ln(2) - ln(2)*x -> 0
x/3 + x/6 -> x/2
0.1*3*x -> 0.3*x
0.1*x + 0.2*x -> 0.3*x
0.1*x*y*3 -> 0.3*x*y
17.625*x -> 17.625*x
0.6*x -> 0.6*x
a/(2*b) - 1/2 -> a/(2*b) - 1/2
x^(n/2 + 3/2) -> x^(n/2 + 3/2)
""".strip()

# What is differentiated, by which name, and what is printed.
SLOPES = """
sqrt(3)*atan(x/sqrt(3)) | x -> 3/(x^2 + 3)
(x/2^(1/3))^3 | x -> 3*x^2/2
-(x/sqrt(2))^2 | x -> -x
0.6*q^(2/3) | q -> 0.4/q^(1/3)
sqrt(2)*x^2 | x -> 2*sqrt(2)*x
sqrt(2)*x^2/2 | x -> sqrt(2)*x
pi*r^2 | r -> 2*pi*r
4/3*pi*r^3 | r -> 4*pi*r^2
x*sqrt(2) | x -> sqrt(2)
(x + sqrt(2))*(x - sqrt(2)) | x -> 2*x
9.81*t^2/2 | t -> 9.81*t
""".strip()

# Derivatives that floats have, where the squares of a quotient rule are beyond their range; and the points.
FAR = """
2*h*c^2/(l^5*(exp(h*c/(l*k*T)) - 1)) | l -> h=6.62607015e-34 c=299792458 k=1.380649e-23 l=1e-7 T=300
2*h*c^2/(l^5*(exp(h*c/(l*k*T)) - 1)) | T -> h=6.62607015e-34 c=299792458 k=1.380649e-23 l=1e-7 T=300
1/(1 + 10^((x50 - x)*h)) | x -> x=0.001 x50=17.9 h=14.6
2^x/(2^x + 1) | x -> x=800
h*f/(exp(h*f/(k*T)) - 1) | f -> h=1 f=600 k=1 T=1
1/(1 + exp(-x)) | x -> x=-500
1/(1 + exp(-x)) | x -> x=500
exp(a)/(exp(a) + exp(b)) | a -> a=0.5 b=500
exp(a)/(exp(a) + exp(b)) | b -> a=500 b=-3
exp(a)/(exp(a) + exp(b) + exp(c)) | a -> a=496 b=5 c=0.5
exp(a)/(exp(a) + exp(b) + exp(c)) | b -> a=250 b=650 c=-4
E/(1 + exp(E/(k*T))) | E -> E=450 k=1 T=1
E/(1 + exp(E/(k*T))) | E -> E=-450 k=1 T=1
h*n/2 + h*n/(exp(h*n/(k*T)) - 1) | h -> h=500 n=1 k=1 T=1
exp(-(x - m)/s)/(s*(1 + exp(-(x - m)/s))*(1 + exp(-(x - m)/s))) | x -> x=36 m=481 s=1.29
exp(-(x - m)/s)/(s*(1 + exp(-(x - m)/s))*(1 + exp(-(x - m)/s))) | s -> x=481 m=36 s=1.29
D*D/(T*T)*exp(D/T)/((1 + exp(D/T))*(1 + exp(D/T))) | T -> D=200 T=0.6
""".strip()


def pair(row: str) -> tuple[str, str, str]:
    """A row of the tables: a program, a name, a text."""
    program, _, shown = row.partition(" -> ")
    text, _, name = program.partition(" | ")
    return text, name, shown


@for_each("row", FORMULAS.split("\n"))
def test_the_text_has_all_digits(row: str) -> None:
    text, name, _ = pair(row)
    shown = cgcli.diff(text, name)
    random = Random(row)
    with mp.workdps(80):
        point = {name: mpf(random.random()) for name in cgcli.parse(text).inputs}
        (truth,) = slopes(graph_of(text), point, name)
        (ours,) = values(graph_of(shown), {key: point[key] for key in cgcli.parse(shown).inputs})
        assert abs(ours - truth) <= 1e-20 * max(abs(truth), 1), shown
    assert not re.search(r"\d{15}", shown.replace(".", "")), shown


@for_each("row", FAR.split("\n"))
def test_the_text_keeps_the_range_of_floats(row: str) -> None:
    text, name, shown = pair(row)
    point = {key: float(number) for key, number in (part.split("=") for part in shown.split())}
    slope = cgcli.value(cgcli.diff(text, name))(point)
    with mp.workdps(400):
        graph = graph_of(cgcli.diff(text, name))
        (truth,) = slopes(graph_of(text), {key: mpf(number) for key, number in point.items()}, name)
        (ours,) = values(graph, {key: mpf(number) for key, number in point.items()})
        assert abs(ours - truth) <= 1e-20 * abs(truth)
        assert slope == pytest.approx(float(truth), rel=1e-9)


@for_each("row", TEXTS.split("\n"))
def test_exact_constants_combine(row: str) -> None:
    text, _, expected = pair(row)
    assert cgcli.simplify(text) == expected


@for_each("row", SLOPES.split("\n"))
def test_exact_constants_in_derivatives(row: str) -> None:
    text, name, expected = pair(row)
    assert cgcli.diff(text, name) == expected


def test_a_name_of_the_program_takes_the_place_of_a_constant() -> None:
    """Where `pi` is an input, the constant is not printed by that name."""
    slope = cgcli.value(cgcli.diff("pi: []; pi*erf(x)", "x"))
    assert slope(pi=3, x=0) == pytest.approx(6 / math.sqrt(math.pi))
    slope = cgcli.value(cgcli.diff("e: []; e*exp(1)*x", "x"))
    assert slope(e=3) == pytest.approx(3 * math.e)
