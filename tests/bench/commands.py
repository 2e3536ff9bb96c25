"""Every command with every kind of option, on every operation and on programs with loops: what fails, and what is slow.

    python tests/bench/commands.py [PART PARTS]

Prints a line for each call that failed in a way that it should not, or took more than two seconds of the processor.
A part of several: for several processes, or for a short time.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from cgcli.cli.main import run
from cgcli.graph.operation import Operation
from cgcli.ops.table import operations
from tests.test_loops import CASES

SECONDS = 2.0
OF_A_NUMBER = [
    line.split()
    for line in """
    eval --accuracy | eval --digits 40 | eval --json | grad | grad --accuracy | grad --digits 40 | grad --order 4
    grad --mode forward | grad --json | hessian | hessian --accuracy | hessian --digits 30 | jacobian | check | plan
    plan --grad | diff | diff --latex | diff --order 2 | diff --flat | simplify | simplify --exact | simplify --latex
    render | render --grad | render --show partial,value,formula | render -o g.svg | trace --grad | trace --accuracy
    trace --latex | trace --json | trace --csv | vjp --cotangent 1 | jvp --tangent {}=1 | jvp --tangent {}=1 --order 3
    hessian --tangent {}=1 | trace --tangent {}=1 | diff --wrt {} | grad --wrt {}
    """.replace("\n", "|").split("|")
    if line.strip()
]
OF_RANGES = [["eval"], ["grad"], ["hessian"], ["trace"], ["jacobian"]]
OF_ARRAYS = [["eval"], ["eval", "--accuracy"], ["jacobian"], ["trace"], ["render"], ["diff"], ["simplify", "--latex"]]
FORMS = ("{}", "sum({}*exp({}))", "1/({})", "ln(2 + ({})^2)")


def call_of(op: Operation, names: str) -> str:
    """An elementwise operation of some names, as it is written."""
    if op.infix:
        return f"{names[0]} {op.infix.symbol} {names[1]}"
    if op.prefix:
        return f"{op.prefix.symbol} {names[0]}"
    return f"{op.name}({', '.join(names)})"


def calls() -> Iterator[list[str]]:
    """All command lines."""
    for op in operations():
        if op.elementwise:
            names = "xyz"[: len(op.arrays)]
            for form in FORMS:
                text = form.replace("{}", call_of(op, names))
                points = [f"{name}={value}" for name, value in zip(names, ("0.3", "0.4", "0.5"), strict=False)]
                yield from ([*_filled(command, "x"), text, *points] for command in OF_A_NUMBER)
                yield from ([*command, text, "x=0.2..0.4", *points[1:]] for command in OF_RANGES)
                yield from ([*command, text, *(f"{name}=[0.3, 0.7]" for name in names)] for command in OF_ARRAYS)
    for case in CASES.values():
        numbers = [name for name, value in case.values.items() if not np.ndim(value)]
        points = _written(case.values)
        for command in OF_A_NUMBER:
            if numbers or "{}" not in "".join(command):
                yield [*_filled(command, numbers[0] if numbers else ""), case.text, *points]


def _filled(command: list[str], name: str) -> list[str]:
    return [word.replace("{}", name) for word in command]


def _written(values: Mapping[str, object]) -> list[str]:
    return [f"{name}={np.asarray(value).tolist()}" for name, value in values.items()]


def main() -> None:
    """Run them."""
    part, parts = (int(word) for word in sys.argv[1:]) if len(sys.argv) == 3 else (0, 1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        count = 0
        for number, arguments in enumerate(calls()):
            if number % parts != part:
                continue
            out, err, start = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO(), time.process_time()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    run(arguments)
                except BaseException as error:
                    err.write(f"should not: {error!r}")
            seconds = time.process_time() - start
            if "should not" in err.getvalue():
                print("FAILED", arguments, err.getvalue()[:200], flush=True)
            elif seconds > SECONDS:
                print(f"{seconds:.1f} s", arguments, flush=True)
            count += 1
        print(f"{count} calls")
        os.chdir("/")


if __name__ == "__main__":
    main()
