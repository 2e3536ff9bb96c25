"""200 random expressions with their derivatives, exported and run in each language without arrays' libraries.

What they give is what cg gives: nan, infinities and nulls in the same places, numbers to the digits that rounding
leaves them.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import cgcli
from tests.exported import Case, in_c, in_duckdb, in_javascript, in_postgres, in_python, need

MANY = 200
UNARY = [
    "exp",
    "ln",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "atanh",
    "sqrt",
    "cbrt",
    "abs",
    "sigmoid",
    "softplus",
    "relu",
    "silu",
    "gelu",
    "erf",
    "erfc",
    "lgamma",
    "log2",
    "log10",
    "exp2",
    "sec",
    "floor",
    "round",
    "square",
    "sign",
    "leaky_relu",
    "elu",
    "expm1",
    "log1p",
    "trunc",
    "ceil",
]
BINARY = ["atan2", "hypot", "max", "min", "logaddexp", "xlogy", "mod", "fmod"]


def expression(random: Random, depth: int) -> str:
    """A random expression in x, y and z."""
    if depth == 0 or random.random() < 0.12:
        return random.choice(["x", "y", "z", "x", "y", str(round(random.uniform(0.1, 3), 2)), "2", "3"])
    deeper = [expression(random, depth - 1) for _ in range(4)]
    kind = random.random()
    if kind < 0.45:
        return f"({deeper[0]} {random.choice('+-*/')} {deeper[1]})"
    if kind < 0.75:
        return f"{random.choice(UNARY)}({deeper[0]})"
    if kind < 0.85:
        return f"{random.choice(BINARY)}({deeper[0]}, {deeper[1]})"
    if kind < 0.93:
        return f"({deeper[0]})^{random.choice(['2', '3', '0.5', '(-1)', 'y'])}"
    return f"({deeper[0]} {random.choice(['<', '>', '<=', '>='])} {deeper[1]} ? {deeper[2]} : {deeper[3]})"


def random_cases() -> list[Case]:
    """The programs, of which none is a number alone."""
    random = Random(22)
    texts: list[str] = []
    while len(texts) < MANY:
        text = expression(random, random.choice([2, 3, 4]))
        if cgcli.parse(text).inputs:
            texts.append(text)
    return [Case(text, seed) for seed, text in enumerate(texts)]


def test_random_expressions(tmp_path: Path) -> None:
    """Protects what people compile and query: what the words of a language do together, in their precedence."""
    need("gcc", "g++", "node")
    every = random_cases()
    wrong: list[str] = []
    for language, results in (
        ("C", in_c(every, tmp_path, "-O0")), ("JavaScript", in_javascript(every, tmp_path)),
        ("Python", in_python(every, "python")), ("NumPy", in_python(every, "numpy")), ("DuckDB", in_duckdb(every)),
        ("PostgreSQL", in_postgres(every)),
    ):  # fmt: skip
        for case, found in results:
            wrong += [f"{language}: {why}" for why in case.differences(found, by_noise=True)]
    assert wrong == []
