"""Random programs of numbers, with value and gradient by mpmath on the text itself: no code of ours takes part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from mpmath import mp, mpf

_NAMES = ("x", "y", "z")
_FUNCTIONS = ("sin({})", "cos({})", "exp({})", "atan({})", "tanh({})", "sinh({})/9", "ln(2.5 + sin({}))",
              "sqrt(1.25 + cos({}))", "erf({})", "asinh({})", "gamma(1.7 + tanh({})/2)", "expm1({})",
              "cbrt(3 + sin({}))", "log10(4 + cos({}))", "1/cosh({})")  # fmt: skip
_OPERATORS = ("({} + {})", "({} - {})", "({}*{})", "({}/(3.3 + tanh({})))", "({} - 0.1*{})", "(2 + sin({}))^({}/7)")
_NUMBERS = ("0.1", "2", "pi", "1e-3", "0.12345678901234567890123", "sqrt(2)", "1/3")
_VALUES = ("0.1", "1.5", "-0.7", "1/3", "pi/4", "1e-8", "2", "-3", "0.333333333333333333333333")


class Sample(NamedTuple):
    """A program, and texts of the values of its names."""

    text: str
    values: Mapping[str, str]


def samples(random: Random, count: int) -> Iterator[Sample]:
    """So many programs, each at a point."""
    for _ in range(count):
        text = _expression(random, random.randint(2, 4))
        names = sorted({"x", *re.findall(r"\b[xyz]\b", text)})
        yield Sample(
            text if "x" in text.replace("exp", "") else f"x*{text}", {name: random.choice(_VALUES) for name in names}
        )


def _expression(random: Random, depth: int) -> str:
    if depth == 0:
        return random.choice(_NAMES if random.random() < 0.75 else _NUMBERS)
    if random.random() < 0.4:
        return random.choice(_FUNCTIONS).format(_expression(random, depth - 1))
    form = random.choice(_OPERATORS)
    return form.format(_expression(random, depth - 1), _expression(random, depth - 1))


def by_mpmath(text: str, values: Mapping[str, Any]) -> Any:
    """The value of a program, written as Python and run with mpmath's functions."""
    python = re.sub(r"(?<![\w.])(\d+\.?\d*(?:e[-+]?\d+)?)", r"mpf('\1')", text).replace("^", "**")
    names = {"mpf": mpf, "pi": mp.pi, "ln": mp.log, "cbrt": mp.cbrt}
    functions = ("sin", "cos", "exp", "atan", "tanh", "sinh", "cosh", "sqrt", "erf", "asinh", "gamma", "expm1", "log10")
    return eval(python, {**names, **{name: getattr(mp, name) for name in functions}, **values})


def truth(sample: Sample, digits: int) -> tuple[Any, dict[str, Any]]:
    """The value and the gradient of a sample, by differences with three times as many digits."""
    with mp.workdps(4 * digits + 60):
        point = {name: by_mpmath(text, {}) for name, text in sample.values.items()}
        step = mpf(10) ** (-digits - 30)

        def at(name: str, moved: Any) -> Any:
            return by_mpmath(sample.text, {**point, name: moved})

        slopes = {name: (at(name, value + step) - at(name, value - step)) / (2 * step) for name, value in point.items()}
        return +by_mpmath(sample.text, point), slopes


def right_digits(found: str, exact: Any) -> float:
    """How many significant digits of a text are those of a number."""
    with mp.workdps(1100):
        error = abs(mpf(found) - exact)
        return float("inf") if error == 0 else float(-mp.log10(error / abs(exact))) if exact else 0.0
