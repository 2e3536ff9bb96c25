"""Many digits of random programs, and how many float64 has, against mpmath on the text itself.

    python tests/bench/digits.py [PROGRAMS [SEED [POINTS]]]

Value and gradient with --digits 30 are to have all of them (goal: every one), and what --accuracy says is to be within
one digit of the truth (goal: 99 %). Bounds over random ranges are to hold at so many points (goal: at each). Then the
time of derivatives of order 100, and of the gradient of the example with 50 digits, in imports of mpmath.
"""

from __future__ import annotations

import subprocess
import sys
import time
import warnings
from pathlib import Path
from random import Random
from typing import Any

from mpmath import mp, mpf

sys.path.insert(0, str(Path(__file__).parents[2]))

import cgcli
from cgcli.api import calls
from cgcli.api.digits import measured
from cgcli.api.point import at_values
from cgcli.api.program import read
from cgcli.api.value_texts import exact_of_text, of_text
from cgcli.api.watched import Watched
from tests.digits import Sample, by_mpmath, samples, truth

_TINY = 1e-24  # what differences of 0 leave


def main(programs: int = 1000, seed: int = 1, points: int = 1000) -> None:
    warnings.simplefilter("ignore")
    numbers = wrong = said = near = 0
    for sample in samples(Random(seed), programs):
        value, slopes = truth(sample, 30)
        exact = [value, *(slopes[name] for name in sample.values)]
        exact = [number if abs(number) > _TINY else mpf(0) for number in exact]
        found, grad = cgcli.value_and_grad(sample.text, digits=30)(dict(sample.values))
        for ours, true in zip([found, *(grad[name] for name in sample.values)], exact, strict=True):
            numbers += 1
            with mp.workdps(60):
                slack = 5 * abs(true) * mpf(10) ** -30 if true else _TINY
                if abs(ours - true) > slack:
                    wrong += 1
                    print("wrong:", sample.text, dict(sample.values), ours, true)
        for digits, right in _accuracy(sample, exact):
            said += 1
            near += abs(digits - right) <= 1
    print(f"{numbers} numbers with 30 digits: {wrong} are wrong")
    print(f"{said} numbers of float64: the digits said are within one of the truth for {100 * near / said:.2f} %")
    _bounds(points, seed)
    _times()


def _bounds(points: int, seed: int) -> None:
    """Values and slopes at random points of random ranges, which no bounds may leave out."""
    random, outside, refused = Random(seed), 0, 0
    for sample in samples(random, points // 10):
        box = {}
        for name, typed in sample.values.items():
            at, width = float(by_mpmath(typed, {})), random.choice([0, 1e-9, 0.01, 0.3, 1, 2])
            box[name] = (at - width * random.random(), at + width * random.random())
        try:
            value, grad = cgcli.bounds(sample.text)(**box)
        except cgcli.CgError:
            refused += 1
            continue
        for _ in range(10):
            outside += _outside(sample, box, value, grad, random)
    print(f"{points} points in ranges: {outside} numbers are outside of their bounds; {refused} programs are refused")


def _outside(sample: Sample, box: Any, value: Any, grad: Any, random: Random) -> int:
    with mp.workdps(40):
        place = {name: mpf(repr(low)) + (mpf(repr(high)) - mpf(repr(low))) * random.choice([0, 1, random.random()])
                 for name, (low, high) in box.items()}  # fmt: skip
        step, found = mpf(10) ** -15, [(value, by_mpmath(sample.text, place), mpf(0))]
        for name, own in place.items():
            ends = [by_mpmath(sample.text, {**place, name: own + sign * step}) for sign in (1, -1)]
            slope = (ends[0] - ends[1]) / (2 * step)
            found.append((grad[name], slope, mpf(10) ** -20 * (1 + abs(slope))))
        return sum(
            not mpf(repr(bounds.low)) - slack <= exact <= mpf(repr(bounds.high)) + slack
            for bounds, exact, slack in found
        )


def _accuracy(sample: Sample, exact: list[mpf]) -> list[tuple[float, float]]:
    """How many digits are said to be right, and are."""
    inputs = {name: exact_of_text(text, name)[0] for name, text in sample.values.items()}
    point = at_values(read(sample.text), {name: of_text(text, name) for name, text in sample.values.items()})
    watched = Watched(point.graph, point.bindings, lambda notice: None)
    wrt = point.chosen(list(sample.values))
    (value, grad), (digits, each) = measured(
        lambda kernels: calls.value_and_grad(point, wrt), inputs, point, lambda notice: None, watched
    )
    pairs = []
    for number, said, true in zip([value, *grad.values()], [digits, *each.values()], exact, strict=True):
        with mp.workdps(60):
            error = abs(mpf(number) - true)
            right = 16.0 if error == 0 else 0.0 if true == 0 else float(-mp.log10(error / abs(true)))
        pairs.append((said, min(max(right, 0.0), 16.0)))
    return pairs


def _times() -> None:
    commands = {
        "import mpmath": [sys.executable, "-c", "import mpmath"],
        "order 100 of exp(sin(x))/(1 + x^2)": ["grad", "exp(sin(x))/(1 + x^2)", "x=0.3", "--order", "100"],
        "50 digits of the example's gradient": ["grad", "ln(x1) + x1*x2 - sin(x2)", "x1=2", "x2=5", "--digits", "50"],
    }
    cg = [sys.executable, "-c", "from cgcli.cli.start import main; main()"]
    first = 0.0
    for name, command in commands.items():
        line = command if command[0] == sys.executable else [*cg, *command]
        best = min(_seconds(line) for _ in range(5))
        first = first or best
        print(f"{name}: {best:.3f} s, {best / first:.2f} imports of mpmath")


def _seconds(line: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(line, check=True, capture_output=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
