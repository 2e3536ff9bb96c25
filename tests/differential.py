"""Formulas held against numbers: random programs, whose simplified form and derivatives as text are evaluated.

The simplified form is held against the program itself, the derivatives against the gradient. Where floats disagree, the
judge is `tests/precise.py`, so that rounding and overflow are no fault. What is a fault:

- the simplified form has another value where the program has a finite one;
- it has a value at a point with generic coordinates, where the program has none: a domain may lose isolated points,
  such as 0 in x/x, but it is never widened by an interval;
- a derivative has another value than the gradient where the program is differentiable;
- at the first point, it has fewer than 20 right digits, when it is evaluated with many: a constant was rounded;
- at a point with infinite coordinates it is a number, and another than the program's;
- a command fails.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf

import cgcli
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Graph, toposort
from tests.precise import DIGITS, UndecidedError, exactly, graph_of, is_whole, slopes, values

AGREE = 1e-9  # relative
AGREE_EXACTLY = mpf(10) ** -20  # relative, of formulas that are evaluated with many digits
_NOTHING = mpf(10) ** -30  # of two exact numbers
_FAR = mpf(10) ** 35  # a number as good as infinite

# ---- random programs --------------------------------------------------------------------

# What a scalar, a vector of two, a matrix and a condition are made of; {0}, {1} are scalars, {v} {w} vectors, {m} {o}
# matrices, {c} {d} conditions, {k} {l} small whole numbers. One line is as likely as any other, and within it one form;
# a line that begins with blanks belongs to the one before.
_SCALARS = """
{0} + {1} | {0} - {1} | {0} + {1} + {2} | {0}*{1} + {0}*{2} | {0} - {1} + {2}*{1}
{0}*{1} | {0}*{1}*{0} | -{0} | {0}*{1} - {1}*{0} | -({0} - {1})
{0}/{1} | {0}/{0} | 1/{0} | {0}/({0} + {1}) | {0}/({1}*{0}) | {0}/({1}/{0}) | {0}/3
{0}^2 | {0}^3 | {0}^(-1) | {0}^(-2) | {0}^(1/2) | {0}^(1/3) | {0}^(2/3) | {0}^(-1/2) | {0}^0.5 | {0}^1.5 | {0}^(-0.5)
  sqrt({0})^2 | sqrt({0}^2) | (-{0})^2 | (-{0})^3 | sqrt({0}*{1}) | sqrt({0})*sqrt({1}) | sqrt({0})*sqrt({0})
  ({0}^(1/3))^3 | ({0}^2)^(1/3) | sqrt(4*{0}^2) | {0}/sqrt({0}) | sqrt({0}^4)
{0}^{1} | ({0}^{1})^(1/3) | sqrt({0}^{1}) | {0}^(2*n) | sqrt({0}^(2*n)) | ({0}^2)^{1} | ({0}^{1})^2 | {0}^n
  {0}^(n + 1)/{0} | 2^{0} | 2^{0}*2^{1} | {0}^{1}*{0}^{2} | {0}^{1}/{0}^{2} | 0^{0} | 1^{0} | ({0}*{1})^n
  ({0}/{1})^n | {0}^n*{1}^n | ({0}^n)^{1} | {0}^{0} | abs({0})^{1} | exp({0})^{1} | e^{0}
({0}^n)^z | {0}^({1}*n) | ({0}*{1})^{2} | ({0}/{1})^{2} | {0}^{1}*{2}^{1} | {0}^(-{1}) | (1/{0})^{1} | ({0}^(1/n))^n
  {0}^(n/2) | sqrt({0})^{1} | ({0}^{1})^(1/{1}) | abs({0})^({1}/2) | exp({1}*ln({0})) | (-{0})^{1} | (-1)^n*{0}
  ({0}^2)^(n/2) | {0}^{1} - {0}^({1} + 1) | {0}^pi | {0}^sqrt(2) | {0}^0.3 | {0}^(-1.7) | {0}^({1} - 1)*{0} | 2^(-{0})
  ({0}^{1})^{2}/{0}^({1}*{2}) | {0}^(n - 1)*n | cbrt({0})^{1} | cbrt({0}^{1}) | {0}^{1}/sqrt({0}) | ({0}^n - 1)/{0}^n
sqrt({0}) | cbrt({0}) | cbrt({0}^3) | cbrt({0})^3 | abs({0}) | abs({0}*{1}) | abs({0})*{0} | abs({0})*sign({0})
  abs({0})/{0} | sign({0}) | abs({0})^2 | abs({0})^3 | abs(abs({0})*{0}) | abs(-{0})
exp({0}) | ln({0}) | exp(ln({0})) | ln(exp({0})) | ln({0}^2) | ln({0}*{1}) | ln({0}/{1}) | ln({0}) + ln({1})
  exp({0})*exp({1}) | exp(-{0})*exp({0}) | exp({0} + ln({1})) | exp(2*ln({0})) | ln(sqrt({0})) | log2({0})
  log10({0}) | log1p({0}) | expm1({0}) | ln(1 + {0}) | exp({0}) - 1 | log(2^{0}, 2) | exp2(log2({0}))
  exp({0}*ln({1})) | exp({0})/(1 + exp({0})) | ln(abs({0})) | exp(ln({0})/2) | xlogy({0}, {1})
sin({0}) | cos({0}) | tan({0}) | sin({0})^2 + cos({0})^2 | 1 - sin({0})^2 | 1 - cos({0})^2 | sin({0})*cos({0})
  sin({0})*cos({0})^2 | sin({0})^3*cos({0})^2 - sin({0}) | sin({0})^{k}*cos({0})^{l} | sin({0})/cos({0})
  tan({0})*cos({0}) | {1} - sin({0}) + sin({0})*cos({0})^2 | cos({0})^2 - sin({0})^2 | sec({0})^2 - tan({0})^2
  {1}*sin({0})^2 + {1}*cos({0})^2 | sin({0})^4 + cos({0})^4 | tan({0})*cot({0}) | sin({0})*csc({0}) | 1 + tan({0})^2
  cos({0})^{k} - cos({0})^{l}*sin({0})^2 | sin(-{0}) | cos(-{0}) | sqrt(1 - sin({0})^2) | 1/tan({0})
  cos({0})/sin({0}) | sqrt(1 - cos({0})) | sec({0}) | csc({0}) | cot({0})
sinh({0}) | cosh({0}) | tanh({0}) | cosh({0})^2 - sinh({0})^2 | cosh({0})^2 - 1 | sinh({0})^2 + 1
  sinh({0})/cosh({0}) | {1} + sinh({0}) - sinh({0})*cosh({0})^2 | sinh({0})^{k}*cosh({0})^{l} | 1 - tanh({0})^2
  cosh({0}) + sinh({0}) | cosh({0})^{k} - cosh({0})^{l}*sinh({0})^2 | 1/cosh({0})^2 | sqrt(cosh({0})^2 - 1)
sin(asin({0})) | asin(sin({0})) | cos(acos({0})) | tan(atan({0})) | atan(tan({0})) | asin({0}) | acos({0}) | atan({0})
  atan2({0}, {1}) | asinh(sinh({0})) | acosh(cosh({0})) | tanh(atanh({0})) | cosh(acosh({0})) | sinh(asinh({0}))
  cos(asin({0})) | acos(cos({0})) | asin({0}) + acos({0}) | atanh({0}) | atanh(tanh({0}))
max({0}, {1}) | max({0}, relu({0})) | max({0}, 0) | min({0}, abs({0})) | max({0}, -{0}) | min({0}, {1}, {0})
  max({0}, {1}) + min({0}, {1}) | relu({0}) | relu({0}) - relu(-{0}) | clip({0}, -1, 2) | max({0}, min({0}, {1}))
  max({0}, abs({0})) | relu({0})^2 | max(2*{0}, {0} + {0}) | max({0}, {1})*max({1}, {0}) | relu(abs({0}))
  max({0}, {0}*{0}/{0}) | min(sqrt({0})^2, {0}) | max(relu({0}), abs({0})) | leaky_relu({0}) | min({0}, 1, {1})
max({0}, {0} + 1) | max({0}, 2*{0}) | min({0}, {0}^2) | max(-{0}, -{1}) | max({0}, {1}) - {0} | min(max({0}, 0), 1)
  max({0} - {1}, {1} - {0}) | max(abs({0}), abs(-{0})) | max({0}, 1)*min({0}, 1) | max(max({0}, {1}), {2})
  max({0}, where({c}, {0}, {1})) | max(sqrt({0}^2), {0}) | min({0}, relu({0})) | max(exp({0}), exp({1})) | elu({0})
  max({0}, {1}, {0}) - min({1}, {0}) | max({0}*{1}, {1}*{0}) | max({0}, cbrt({0}^3)) | min({0}/{1}, {0}*{1}^(-1))
where({c}, {0}, {1}) | ({c}) ? {0} : {1} | where({0} > 0, {0}, -{0}) | where({0} > 0, sqrt({0}), {1})
  where({c}, {0}, {0}) | where({c}, {0}, {1}) + where({c}, {1}, {0}) | where({0} >= 0, ln({0}), 0) | {0}*({c})
  where({c}, where({c}, {0}, {1}), {2}) | where(sqrt({0}) >= 0, {1}, {2}) | where(not ({c}), {0}, {1})
  where({0} == {0}, {1}, {2}) | where(sin(asin({0})) == {0}, {1}, {2})
where({0} - {0} >= 0, {1}, {2}) | where(sin({0})^2 + cos({0})^2 > 0.5, {1}, {2}) | where({c}, {0}/{0}, {1})
  where(abs({0}) >= 0, {1}, {2}) | where({0}^2 < 0, {1}, {2}) | where({0}*{1} > 0, sqrt({0})*sqrt({1}), {2})
  where(exp({0}) > 0, {1}, {2}) | where(max({0}, {1}) >= {0}, {1}, {2}) | where(-{0} < 0, {1}, {2})
  where({0}/{1} > 0, {1}, {0}) | where({0} > 0, abs({0}), {1}) | where({c}, {0}^{1}, {1}^{0}) | {0}*where({c}, {1}, 1)
  where(2*{0} > {0}, {1}, {2}) | where(sqrt({0}^2) == {0}, {1}, {2}) | where({c}, {0}, 0) + where({c}, 0, {1})
f({0}) | f({0}) + f({1}) | f(f({0})) | g({0}, {1}) | g({0}, {0}) | f(g({0}, {1})) | g(f({0}), {1}) - g({1}, f({0}))
sigmoid({0}) | 1/(1 + exp(-{0})) | softplus({0}) | ln(1 + exp({0})) | silu({0}) | hypot({0}, {1}) | erf({0})
  logaddexp({0}, {1}) | 1 - sigmoid({0}) | sqrt({0}^2 + {1}^2) | {0} % 3 | floor({0}) | round({0}) | gamma({0})
  lgamma({0}) | gelu({0}) | erfc({0}) | ceil({0})*{1} | mod({0}, {1}) | log(1 + exp(-abs({0})), 2)
sum({v}) | {v} @ {w} | prod({v}) | max({v}) | norm({v}) | mean({v}) | {v}[0] | {v}[1]*{0} | sum({v}^2)
  logsumexp({v}) | {v} @ {m} @ {w} | {v} @ {m} @ {v} | sum({m}) | trace({m}) | det({m}) | sum(({m} @ {v})^2)
  var({v}) | norm({v})^2 | sum({m} @ {o}) | {m}[0, 1] | trace({m}.T @ {o}) | logdet({m}) | sum(softmax({v})*{w})
sum(exp({v})*(exp({v}) @ {m})) | {v} @ ({w}*({m} @ {w})) | std({v}) | max({m}) | logsumexp({m} @ {v}) | sum({m}^2)
  mse({v}, {w}) | sum({v} > {0}) | einsum("i,ij,j->", {v}, {m}, {w}) | sum({m} @ ({v}*{0}))
  {0}*({v} @ {w})/({v} @ {v}) | prod({m}) | logdet({m} @ {m}.T + eye(2)) | {v} @ solve({m}, {w}) | norm({m})
  {v} @ inv({m}) @ {w} | min({v}) | sum(B^2) | sum(B @ [{0}, 1, {1}]) | trace(B @ B.T @ {m}) | sum({v} @ B) | max(B)
  {v} @ (2*{m} @ (3*{w})) | sum({0}*{m} @ ({v}/{1})) | det({0}*{m}) | mean({m} @ {v}) | logdet({m})*{0} | 1/det({m})
log({0}, {1}) | {0}*{1}/({0}*{2}) | ({0} + {1})^3 | ({0}*{1} + {0})/{0} | {0}*({1} - {2}) + {0}*({2} - {1})
  ({0} - {1})*({0} + {1}) | {0}*({1} + 1) - {0} | ({0} + 1)/({0} + 1)^2 | {0}/({0} + {1}) + {1}/({0} + {1})
  1/({0} + {1}) - 1/({1} + {0}) | {0}/(1 + {1}*{0}) | exp(-({0} - {1})^2/2) | ln({0})*{0} - {0} | {0}*exp(-{0}*{1})
"""
_LEAVES = """
x
x | y
y | z | n
t | u
x | v[0]
a | b | t | u
1 | 2 | 3 | 0 | -1 | 1/2
pi | e | sqrt(2) | 1/3 | 2/3 | 0.1 | 0.3 | 2.5 | ln(2) | sqrt(8) | -2 | tau | 0.7 | 1/sqrt(2) | 2^(1/3) | 0.25
  1.2e-3 | sqrt(3)/3
"""
_VECTORS = """
v
v | w
[{0}, {1}] | {v} + {w} | {v}*{0} | {v}/{0} | {v}*{w} | {v} - {v}
exp({v}) | sin({v}) | abs({v}) | relu({v}) | {v}^2 | sqrt({v}) | ln({v}) | {v}^n | max({v}, {0}) | softmax({v})
  where({v} > 0, {v}, {0}) | cumsum({v}) | sqrt({v}^2) | max({v}, relu({v}))
{m} @ {v} | {v} @ {m} | {m}[0] | {m}[:, 1] | sum({m}, axis=0) | diag({m}) | solve({m}, {v})
flip({v}) | log_softmax({v}) | max({m}, axis=0) | mean({m}, axis=1) | {v}/sum({v}) | {v} - mean({v}) | {v}/norm({v})
  B @ [x, 1, y] | B[:, 1] | sum(B, axis=1) | mean(B, axis=1) | {m} @ ({0}*{v}) | max(B, axis=1)
  {v}*({w} @ {m}) | prod({m}, axis=0) | concat({v}[0:1], {w}[1:2]) | ({v}*{w}) @ {m} | sigmoid({v}) | max({v}, {w})
"""
_MATRICES = """
A
A | A.T | eye(2)
outer({v}, {w}) | [[{0}, {1}], [{2}, {0}]] | diag({v}) | [{v}, {w}]
{m} @ {o} | {m}.T | {m} + {o} | {m}*{0} | inv({m}) | {m}^2 | ({m} @ {o}).T
tril({m}) | {v}*{m} | reshape({v}, [2, 1])*{w} | {m}/sum({m}, axis=1, keepdims=1) | exp({m}) | where({m} > 0, {m}, {o})
  inv({m}).T | {m} @ {m}.T | einsum("ij,jk->ik", {m}, {o}) | {m}*{o} | relu({m}) | {m} - {0}*eye(2)
  stack({v}, {w}, axis=1) | B @ B.T | B[:, 1:] | ({0}*{m}) @ {o} | {m} @ ({o}/{0}) | cofactor({m})
"""
_CONDITIONS = """
{0} > {1} | {0} < {1} | {0} >= {1} | {0} <= {1} | {0} > 0 | {0} < 1 | {0} == {1} | {0} != {1}
{0}^2 >= 0 | abs({0}) < {1} | 1 < {0} < 3 | max({0}, {1}) == {0} | {0}/{0} == 1 | ln({0}) > 0 | {0}*{1} >= 0
  ({c}) == ({d}) | {0} - {1} > 0 | exp({0}) <= 1 | -{0} < {1} | {0}^{1} > 0 | sin({0})^2 <= 1
{0} > 0 and {1} < 1 | not ({c}) | {0} > 0 or {1} > 0 | ({c}) and ({d}) | sqrt({0}) >= 0 | x > 0
"""


def _forms(text: str) -> list[list[str]]:
    return [line.split(" | ") for line in text.strip().replace("\n  ", " | ").split("\n")]


RULES = {"s": _forms(_SCALARS), "v": _forms(_VECTORS), "m": _forms(_MATRICES), "c": _forms(_CONDITIONS)}
ATOMS = {"s": _forms(_LEAVES), "v": [["v"], ["w"], ["[x, y]"]], "m": [["A"]], "c": [["x > 0"], ["x < y"], ["n > 1"]]}
KINDS = {"k": "whole", "v": "v", "w": "v", "m": "m", "o": "m", "c": "c", "d": "c", "l": "whole"}
SHAPES = {"v": (2,), "w": (2,), "A": (2, 2), "B": (2, 3)}
OWN = {"f(a)": {"a"}, "g(a, b)": {"a", "b"}, "t": set[str](), "u": set[str]()}  # what a program may define, and where
_LONGEST = 200  # characters of a random program
_HOLE = re.compile(r"\{(\w)\}")
_NAME = re.compile(r"(?<![\w.])[a-zA-Z]\w*(?!\w*\()")


class Part(NamedTuple):
    """A piece of a program: a form, and what stands for its holes, by their letters. kind: 's', 'v', 'm', 'c'."""

    kind: str
    form: str
    parts: Mapping[str, Part] = {}

    def text(self) -> str:
        """The piece as text, with brackets where it needs them."""

        def filled(hole: re.Match[str]) -> str:
            part = self.parts[hole[1]]
            inner = part.text()
            before, after = self.form[: hole.start()], self.form[hole.end() :]
            alone = before.endswith(("(", ", ", "[")) and after.startswith((")", ",", "]"))
            plain = (before + after == "") or alone or re.fullmatch(r"[\w.]+|\w+\([^()]*\)|\w+\[\d\]|\[[^][]*\]", inner)
            return inner if plain else f"({inner})"

        return _HOLE.sub(filled, self.form)


class Source(NamedTuple):
    """A program: what t, u, f(a) and g(a, b) stand for, and a scalar result."""

    shared: Mapping[str, Part]
    result: Part

    def text(self) -> str:
        """The program as text; what is not used is left out."""
        result = self.result.text()
        lines: list[str] = []
        for name in list(self.shared)[::-1]:
            if re.search(rf"\b{name[0]}\b", "; ".join([*lines, result])):
                lines.insert(0, f"{name} = {self.shared[name].text()}")
        body = "; ".join([*lines, result])
        used = set(_NAME.findall(body))
        declared = [f"{name}: [{', '.join(map(str, shape))}]" for name, shape in SHAPES.items() if name in used]
        return "; ".join([*declared, body])


def random_source(random: Random) -> Source:
    """A random program of up to some thirty operations."""
    while True:
        shared: dict[str, Part] = {}
        known: set[str] = set()
        for name in sorted(random.sample(list(OWN), random.choice([0, 0, 1, 2]))):
            shared[name] = _part(random, "s", random.randint(1, 4), known | OWN[name])
            known.add(name[0])
        source = Source(shared, _part(random, "s", random.randint(2, 9), known))
        if len(source.text()) <= _LONGEST and cgcli.parse(source.text()).inputs:
            return source


def _part(random: Random, kind: str, size: int, known: set[str]) -> Part:
    """A random piece of about so many operations. known: what may be read of what a program defines."""
    if kind == "whole":
        return Part("s", str(random.randint(1, 4)))
    rows = RULES[kind] if size > 0 else ATOMS[kind]
    form = random.choice(random.choice(rows))
    if not known.issuperset(re.findall(r"\b[abtu]\b|\b[fg]\b(?=\()", form)):
        form = "x"
    letters = sorted(set(_HOLE.findall(form)))
    parts = {}
    for letter in letters:
        share = random.randint(0, max(size - 1, 0)) if len(letters) > 1 else size - 1
        parts[letter] = _part(random, KINDS.get(letter, "s"), share, known)
    return Part(kind, form, parts)


# ---- the judge ----------------------------------------------------------------------------


class Spot(NamedTuple):
    """A point. free: the names whose coordinates are generic."""

    values: Mapping[str, Any]
    free: frozenset[str]


class Fault(NamedTuple):
    """A wrong formula. kind: 'simplify', 'diff x', 'diff x,y'. command reproduces it; shown is what it prints."""

    kind: str
    command: str
    shown: str
    why: str

    def __str__(self) -> str:
        return f"{self.command}   prints   {self.shown}   {self.why}"


class Counts:
    """What has been compared: numbers, those that needed many digits, and those that even these do not decide."""

    def __init__(self) -> None:
        self.programs = self.formulas = self.numbers = self.by_digits = self.undecided = 0

    def __str__(self) -> str:
        return (f"{self.programs} programs, {self.formulas} formulas, {self.numbers} numbers compared, "
                f"{self.by_digits} of them with many digits, {self.undecided} undecided")  # fmt: skip


EDGES = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 1 / 3, -1 / 3, 0.25]
WHOLE = [1.0, 2.0, 3.0, -1.0, -2.0, 4.0]


def spots(random: Random, program: cgcli.Program, count: int = 4) -> Iterator[Spot]:
    """Points of three kinds: generic ones, of both signs; with small whole numbers for y and n; of simple numbers."""
    names = program.inputs

    def drawn(name: str, draw: Callable[[], float]) -> Any:
        shape = program.shapes.get(name, ())
        return np.array([draw() for _ in range(math.prod(shape))]).reshape(shape)[()] if shape else draw()

    positive = {name: drawn(name, lambda: random.uniform(0.1, 3)) for name in names}
    small = {name: drawn(name, lambda: random.uniform(0.05, 0.95)) for name in names}
    yield from (Spot(values, frozenset(names)) for values in (positive, small))
    for _ in range(count):
        generic = {name: drawn(name, lambda: random.uniform(-3, 3)) for name in names}
        yield Spot(generic, frozenset(names))
        whole = {name: random.choice(WHOLE) for name in names if name in ("y", "n")}
        yield Spot({**generic, **whole}, frozenset(names) - whole.keys())
        yield Spot({name: drawn(name, lambda: random.choice(EDGES)) for name in names}, frozenset())
    scalars = [name for name in names if not program.shapes.get(name)]
    for far in (math.inf, -math.inf) if scalars else ():
        yield Spot({**positive, random.choice(scalars): far}, frozenset())


def faults(text: str, seed: int = 0, only: str = "", counts: Counts | None = None) -> Iterator[Fault]:
    """What is wrong with the formulas of a program. only: the kind of fault to look for, all of them when left out."""
    counts = counts or Counts()
    counts.programs += 1
    given = _truths(text, seed)
    names = cgcli.parse(text).inputs
    if only in ("", "simplify"):
        yield from _of_form("simplify", f"cg simplify '{text}'", lambda: cgcli.simplify(text), given, counts)
    wanted = [(name,) for name in names] + ([tuple(names)] if len(names) > 1 else [])
    for wrt in wanted:
        kind = f"diff {','.join(wrt)}"
        if only in ("", kind):
            command = f"cg diff '{text}' --wrt {','.join(wrt)}"
            yield from _of_form(kind, command, lambda wrt=wrt: cgcli.diff(text, wrt), given, counts, wrt)  # type: ignore[misc]


class _Truth:
    """What a program's value and gradient are at a point: as floats, and with many digits where they are asked for."""

    def __init__(self, text: str, spot: Spot) -> None:
        self.text, self.spot = text, spot
        self.names = list(spot.values)

    @property
    def value(self) -> float:
        """The value, in floats."""
        return float(_value(self.text)(self.spot.values)) if self.names else float(_value(self.text)())

    @property
    def gradient(self) -> Mapping[str, Any]:
        """The gradient, in floats."""
        found: Mapping[str, Any] = _gradient(self.text)(self.spot.values)
        return found

    def exact(self) -> Any:
        """The value, with many digits."""
        return values(graph_of(self.text), exactly(self.spot.values))[0]

    def slopes(self, name: str) -> list[Any]:
        """The derivatives by each element of an input, with many digits; nan at a kink."""
        return slopes(graph_of(self.text), exactly(self.spot.values), name)


def _is_plain(text: str, point: Mapping[str, Any]) -> bool:
    """Whether all parts of a program are numbers, in floats, and those that are finite are what they tend to.

    Not x - x, nan for an infinite x, nor tan(atan(x)), 1.6e16, nor cosh(50)^2 - sinh(50)^2, 0; no arrays.
    """
    graph = Graph(tuple(toposort(graph_of(text).outputs)))
    parts = evaluate(graph.outputs, {**_CONSTANTS, **point})
    if any(np.shape(part) or np.isnan(part) for part in parts):
        return False
    far = {name: min(max(mpf(number), -_FAR), _FAR) for name, number in point.items()}
    pairs = zip(parts, values(graph, far), strict=True)
    return not any(abs(part - limit) > AGREE * max(1.0, float(abs(part))) for part, limit in pairs if np.isfinite(part))


_CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}
_READY: dict[tuple[str, bool], Any] = {}


def _value(text: str) -> Any:
    return _kept(text, False, cgcli.value)


def _gradient(text: str) -> Any:
    return _kept(text, True, cgcli.grad)


def _kept(text: str, slope: bool, make: Callable[[str], Any]) -> Any:
    """A compiled function, of the last program asked for."""
    if (text, slope) not in _READY:
        if len(_READY) > 20:
            _READY.clear()
        _READY[text, slope] = make(text)
    return _READY[text, slope]


def _of_form(
    kind: str, command: str, make: Callable[[], str], given: Sequence[_Truth], counts: Counts, wrt: Sequence[str] = ()
) -> Iterator[Fault]:
    """The first fault of a formula, held against a program at points. wrt: the names that it is a derivative by."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            shown = make()
        except Exception as error:
            yield Fault(kind, command, "", f"fails: {type(error).__name__}: {str(error)[:200]}")
            return
    if why := _complaint(shown, given, wrt, counts):
        yield Fault(kind, command, shown, why)


def complaint(text: str, shown: str, wrt: Sequence[str] = (), seed: int = 0) -> str:
    """What is wrong with a formula for a program, or with its derivatives by some names; empty when nothing is."""
    return _complaint(shown, _truths(text, seed), wrt, Counts())


def _truths(text: str, seed: int) -> list[_Truth]:
    return [_Truth(text, spot) for spot in spots(Random(seed), cgcli.parse(text))]


def _complaint(shown: str, given: Sequence[_Truth], wrt: Sequence[str], counts: Counts) -> str:
    counts.formulas += 1
    for at, truth in enumerate(given):
        try:
            if not at and (why := _rounded(shown, truth, wrt)):
                return f"{why} at {_shown(truth.spot.values)}"
            why = _at_one_point(shown, truth, wrt, counts, DIGITS)
            if why and _at_one_point(shown, truth, wrt, counts, 3 * DIGITS):
                return f"{why} at {_shown(truth.spot.values)}"
        except UndecidedError:
            counts.undecided += 1
    return ""


def _at_one_point(shown: str, truth: _Truth, wrt: Sequence[str], counts: Counts, digits: int) -> str:
    with warnings.catch_warnings(), np.errstate(all="ignore"), mp.workdps(digits):
        warnings.simplefilter("ignore")
        return _wrong_slopes(shown, truth, wrt, counts) if wrt else _wrong_value(shown, truth, counts)


def _rounded(shown: str, truth: _Truth, wrt: Sequence[str]) -> str:
    """What numbers of a formula have fewer right digits than they should; empty where all are right, or not finite."""
    point = exactly(truth.spot.values)
    with mp.workdps(DIGITS):
        found = np.hstack([np.ravel(value) for value in _broadcast(values(graph_of(shown), point), truth, wrt)])
        right = np.hstack([truth.slopes(name) for name in wrt]) if wrt else [truth.exact()]
        for ours, exact in zip(found, right, strict=True):
            differ = mp.isfinite(ours) and mp.isfinite(exact) and not _agree(ours, exact, AGREE_EXACTLY)
            if differ and _agree(ours, exact):
                return f"is {mp.nstr(ours, 25)}, and should be {mp.nstr(exact, 25)}"
    return ""


def _broadcast(found: Sequence[Any], truth: _Truth, wrt: Sequence[str]) -> list[Any]:
    """Derivatives, each of the shape of its name."""
    shapes = [np.shape(truth.spot.values[name]) for name in wrt] or [()]
    return [np.broadcast_to(value, shape) for value, shape in zip(found, shapes, strict=True)]


def _wrong_value(shown: str, truth: _Truth, counts: Counts) -> str:
    """What is wrong with a form of a program at a point, in words; empty when nothing is."""
    counts.numbers += 1
    point = truth.spot.values
    ours, value = _floats(shown, point)[0], truth.value
    if _agree(ours, value) or (math.isnan(ours) and math.isnan(value)):
        return ""
    if math.inf in map(abs, np.hstack([np.ravel(number) for number in point.values()])):
        both = math.isfinite(ours) and math.isfinite(value)
        wrong = both and abs(ours - value) > AGREE and _is_plain(truth.text, point) and _is_plain(shown, point)
        return f"is {ours:.10g}, and should be {value:.10g}" if wrong else ""
    counts.by_digits += 1
    exact = truth.exact()
    mine = values(graph_of(shown), exactly(point))[0]
    if mp.isnan(exact):
        widened = not mp.isnan(mine) and math.isnan(value) and truth.spot.free == point.keys()
        return f"is {mp.nstr(mine, 10)}, and should be nan" if widened else ""
    if _agree(mine, exact):
        return ""
    if _may_be_filled(truth):
        return ""
    return f"is {mp.nstr(mine, 10)}, and should be {mp.nstr(exact, 10)}"


def _may_be_filled(truth: _Truth) -> bool:
    """Whether a point is isolated, and a part of the program has no value there, which conditions see when filled."""
    point = truth.spot.values
    return truth.spot.free != point.keys() and not is_whole(graph_of(truth.text), exactly(point))


def _wrong_slopes(shown: str, truth: _Truth, wrt: Sequence[str], counts: Counts) -> str:
    """What is wrong with derivatives at a point, in words; empty when nothing is."""
    point = truth.spot.values
    if not truth.spot.free.issuperset(wrt) or not math.isfinite(truth.value):
        return ""
    gradient = truth.gradient
    for at, (name, ours) in enumerate(zip(wrt, _floats(shown, point), strict=True)):
        shape = np.shape(point[name])
        numbers = np.ravel(gradient.get(name, np.zeros(shape)))  # of a name that a function does not read
        counts.numbers += 1
        mine = np.ravel(np.broadcast_to(ours, shape))
        if not np.all(np.isfinite(numbers)) or all(map(_agree, mine, numbers)):
            continue
        counts.by_digits += 1
        right = truth.slopes(name)
        exact = np.ravel(np.broadcast_to(values(graph_of(shown), exactly(point))[at], shape))
        for found, slope in zip(exact, right, strict=True):
            if not mp.isnan(slope) and not _agree(found, slope) and not _may_be_filled(truth):
                return f"d_{name} is {mp.nstr(found, 10)}, and should be {mp.nstr(slope, 10)}"
    return ""


def _floats(shown: str, point: Mapping[str, Any]) -> list[Any]:
    """The values of a program, which may have several outputs, in floats; it may lack some of the names."""
    program = cgcli.parse(shown)
    found = _kept(shown, False, cgcli.value)({name: point[name] for name in program.inputs})
    return list(found.values()) if isinstance(found, Mapping) else [found]


def _agree(x: Any, y: Any, within: Any = AGREE) -> bool:
    """Whether two numbers are one, but for rounding; no number agrees with nan."""
    exact = isinstance(x, mpf) or isinstance(y, mpf)
    return bool(x == y or abs(x - y) <= within * max(abs(x), abs(y)) or (exact and abs(x - y) < _NOTHING))


def _shown(point: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={np.asarray(value).tolist()}".replace(" ", "") for name, value in point.items())


# ---- the smallest program with the same fault -----------------------------------------------


def shrunk(source: Source, fault: Fault, seed: int, tries: int = 400) -> Fault:
    """The fault in the smallest program that still has one of its kind."""
    best, found = source, fault
    size = len(source.text())
    progress = True
    while progress and tries > 0:
        progress = False
        for smaller in _smaller(best):
            text = smaller.text()
            if len(text) >= size:
                continue
            tries -= 1
            other = _same_fault(text, found, seed)
            if other is not None:
                best, found, size, progress = smaller, other, len(text), True
                break
            if tries <= 0:
                break
    return found


def _same_fault(text: str, fault: Fault, seed: int) -> Fault | None:
    failure = fault.why.startswith("fails") and fault.why.split(":")[1]
    try:
        for kind in [fault.kind] if fault.kind == "simplify" else _derivative_kinds(text, fault.kind):
            for other in faults(text, seed, kind):
                if (other.why.startswith("fails") and other.why.split(":")[1]) == failure:
                    return other
    except (cgcli.CgError, ValueError):
        return None
    return None


def _derivative_kinds(text: str, kind: str) -> list[str]:
    """By the same names as far as they are left, or by each of them."""
    names = [name for name in kind.removeprefix("diff ").split(",") if name in cgcli.parse(text).inputs]
    return list(dict.fromkeys([*(f"diff {name}" for name in names), f"diff {','.join(names)}"]))


def _smaller(source: Source) -> Iterator[Source]:
    """Programs with something left out, the most at first."""
    for name, part in source.shared.items():
        rest = {other: value for other, value in source.shared.items() if other != name}
        yield Source({key: _with_name(value, name, part) for key, value in rest.items()},
                     _with_name(source.result, name, part))  # fmt: skip
    for result in _cuts(source.result):
        yield source._replace(result=result)
    for name, part in source.shared.items():
        for cut in _cuts(part):
            yield source._replace(shared={**source.shared, name: cut})


def _with_name(part: Part, name: str, meaning: Part) -> Part:
    """A piece in which a name is replaced by what it stands for."""
    if part.form == name:
        return meaning
    return part._replace(parts={key: _with_name(inner, name, meaning) for key, inner in part.parts.items()})


def _cuts(part: Part) -> Iterator[Part]:
    """A piece with one of its own pieces in its place, or with a simple one, here or further down."""
    if part.parts:
        simple = {"s": ["x", "1", "2"], "v": ["v"], "m": ["A"], "c": ["x > 0"]}[part.kind]
        yield from (Part(part.kind, form) for form in simple)
        yield from (inner for inner in part.parts.values() if inner.kind == part.kind)
        if part.kind == "s":
            holes = _HOLE.findall(part.form)
            for form in [f"{{{holes[0]}}} + {{{holes[-1]}}}", f"{{{holes[0]}}}*{{{holes[-1]}}}"]:
                if len(holes) > 1 and form != part.form and all(part.parts[hole].kind == "s" for hole in holes):
                    yield part._replace(form=form, parts={hole: part.parts[hole] for hole in {holes[0], holes[-1]}})
        for key, inner in part.parts.items():
            for cut in _cuts(inner):
                yield part._replace(parts={**part.parts, key: cut})
    elif part.kind == "s" and part.form not in ("x", "y", "1", "2"):
        yield from (Part("s", form) for form in ("x", "y", "1", "2"))
