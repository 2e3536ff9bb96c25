"""Derivatives as formulas, against SymPy: their size, the time that finding them takes, and a product of 1,000 factors.

    python tests/bench/formulas.py [COUNT] [SEED]

COUNT random expressions (200 unless told) of growing size, nested products, compositions, quotients and powers of one
variable, are differentiated by cg and by sympy.diff, in turn; what SymPy remembers from one to the next is cleared.
The size of a formula is the number of operations in its text, written out (as `cg diff --flat` prints it,
as `str` prints it in SymPy), and read by cg: both texts by the same rule. Every formula's value is compared at a point.
What SymPy cannot differentiate, or takes for no function of real numbers, is left out, and said. SymPy, and what
compares values, work in a process that is ended after ten seconds for one expression: SymPy's formula then counts as
no smaller, and its time as ten seconds. The product is timed as a whole process. Times are processor seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

from cgcli.derivatives.formula import derivative
from cgcli.graph.node import Graph, Node, toposort, variable
from cgcli.lowering.lower import lower
from cgcli.ops.table import FUNCTIONS
from cgcli.printing.program import statements
from cgcli.syntax.parser import parse
from tests.precise import DIGITS, UndecidedError, exactly, graph_of, values

GOAL_SHARE = 0.95  # of the expressions, in how many cg's formula has no more operations
GOAL_RATIO = 10.0  # SymPy's time over cg's
GOAL_SECONDS = 1.0  # for all partials of the product, the process included
FACTORS = 1000

MOST_SECONDS = 10  # for SymPy on one expression, and for the comparison of two values

NAMES = ["sin", "cos", "exp", "tan", "sqrt", "ln", "tanh", "atan", "sinh", "cosh"]
POINT = {"x": 0.37, "a": 1.3, "b": 1.7, "n": 2.5}


SEED = 2018  # of the expressions that the simplifier was made with; another one makes others


def expressions(count: int, seed: int) -> Iterator[str]:
    """Texts that cg and SymPy both read, from two operations to some thirty."""
    rng = random.Random(seed)
    for at in range(count):
        yield _expression(rng, 2 + at * 24 // count)


def _expression(rng: random.Random, size: int) -> str:
    """A random expression of about so many operations, in x and some parameters."""
    if size < 1:
        return "x"
    if size == 1:
        return rng.choice(["(x + 1)", "2*x", "a*x", "x**2", "(1 - x)", "x**n", "b**x"])
    kind = rng.choice(["product", "sum", "quotient", "power", "composition", "composition"])
    if kind == "composition":
        return f"{rng.choice(NAMES)}({_expression(rng, size - 1)})"
    if kind == "power":
        return f"({_expression(rng, size - 1)})**{rng.choice([2, 3, 4, 5])}"
    left = rng.randrange(size)
    symbol = {"product": "*", "sum": rng.choice("+-"), "quotient": "/"}[kind]
    return f"({_expression(rng, left)} {symbol} {_expression(rng, size - 1 - left)})"


class Found(NamedTuple):
    """A derivative as text, and the processor seconds that it took."""

    text: str
    seconds: float


def read(text: str) -> Graph:
    """The graph of a formula that cg or SymPy wrote."""
    return lower(parse(re.sub(r"\bE\b", "e", text.replace("log(", "ln(")), functions=FUNCTIONS.__contains__))


def operations(graph: Graph) -> int:
    """How many operations the text of a graph has, written out."""
    sizes: dict[Node, int] = {}
    for node in toposort(graph.outputs):
        sizes[node] = bool(node.args) + sum(sizes[arg] for arg in node.args)
    return sizes[graph.output]


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """The result of a call and its processor time."""
    start = time.process_time()
    result = function()
    return result, time.process_time() - start


def by_cg(text: str) -> Found:
    """What cg finds."""
    graph = read(text)
    slope, seconds = timed(lambda: derivative(graph, [variable("x")]))
    return Found("; ".join(statements(slope, {})), seconds)


def by_sympy(text: str) -> Found:
    """What SymPy finds. Raises RecursionError, ValueError where it finds nothing."""
    import sympy
    from sympy.core.cache import clear_cache

    expression = sympy.sympify(text.replace("ln(", "log("))
    clear_cache()
    slope, seconds = timed(lambda: sympy.diff(expression, sympy.Symbol("x")))
    if not slope.is_extended_real and slope.has(sympy.AccumBounds, sympy.zoo, sympy.nan, sympy.I):
        raise ValueError(f"no function of real numbers: {slope}")
    return Found(re.sub(r"\bE\b", "e", str(slope)), seconds)


def check(ours: str, theirs: str) -> bool:
    """Whether two formulas have one value, found with many digits; so they do where one of them has none."""
    try:
        with mp.workdps(DIGITS):
            mine, other = (values(graph_of(text), exactly(POINT))[0] for text in (ours, theirs))
            both = mp.isfinite(mine) and mp.isfinite(other)
            return bool(not both or abs(mine - other) <= 1e-6 * max(abs(mine), abs(other), 1))
    except UndecidedError:
        return True


class Apart:
    """A process that calls functions for us, and is ended where one takes too long."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        self._pipe.recv()

    def call(self, function: Callable[..., Any], *arguments: str) -> Any:
        """What the function gives, or raises. Raises TimeoutError after MOST_SECONDS."""
        self._pipe.send((function, arguments))
        if not self._pipe.poll(MOST_SECONDS):
            self._process.kill()
            self._process.join()
            self._start()
            raise TimeoutError
        found = self._pipe.recv()
        if isinstance(found, Exception):
            raise found
        return found


def _serve(pipe: Any) -> None:
    pipe.send(by_sympy("x"))  # once it has read its tables
    while True:
        function, arguments = pipe.recv()
        try:
            pipe.send(function(*arguments))
        except (RecursionError, TypeError, ValueError) as error:  # the second one of its own making
            pipe.send(ValueError(str(error)[:60]))


def _product_seconds() -> float:
    """Processor seconds of a whole process for all partials of the product: the fewest of three."""
    from tests.bench.startup import command_line

    product = "*".join(f"x{at}" for at in range(1, FACTORS + 1))
    runs = []
    for _ in range(3):
        before = os.times()
        subprocess.run(command_line("diff", "-"), input=product.encode(), check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        runs.append(after.children_user - before.children_user + after.children_system - before.children_system)
    return min(runs)


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    by_cg("x")  # reads its tables
    apart = Apart()
    smaller, slow, wrong, unknown, ratios = 0, 0, 0, 0, []
    totals = np.zeros(2)
    for text in expressions(count, seed):
        ours = by_cg(text)
        try:
            theirs = apart.call(by_sympy, text)
        except ValueError as error:
            print(f"left out: {text}: {error}", flush=True)
            continue
        except TimeoutError:
            theirs = Found("", float(MOST_SECONDS))
            slow += 1
        totals += (ours.seconds, theirs.seconds)
        ratios.append(theirs.seconds / ours.seconds)
        if theirs.text:
            try:
                if not apart.call(check, ours.text, theirs.text):
                    wrong += 1
                    print(f"WRONG: {text}: {ours.text}", flush=True)
            except TimeoutError:
                unknown += 1
        sizes = [operations(read(found.text)) for found in (ours, theirs) if found.text]
        if len(sizes) == 1 or sizes[0] <= sizes[1]:
            smaller += 1
        else:
            print(f"longer, {sizes[0]} beside {sizes[1]}: {text}\n  {ours.text}\n  {theirs.text}", flush=True)
    share, ratio, seconds = smaller / len(ratios), totals[1] / totals[0], _product_seconds()
    print(f"{len(ratios)} expressions; SymPy took too long for {slow}, the comparison of values for {unknown}")
    print(f"{'wrong':44}{wrong:8}   (goal 0)")
    print(f"{'milliseconds of cg for one':44}{1000 * totals[0] / len(ratios):8.1f}")
    print(f"{'those with no more operations':44}{share:8.1%}   (goal {GOAL_SHARE:.0%})")
    print(f"{'time of SymPy over that of cg, all together':44}{ratio:8.1f}   (goal {GOAL_RATIO:.0f})")
    print(f"{'its median':44}{statistics.median(ratios):8.1f}")
    print(f"{f'all partials of {FACTORS:,} factors, whole process':44}{seconds:7.2f}s   (goal {GOAL_SECONDS:.0f} s)")
    return 1 if wrong or share < GOAL_SHARE or ratio < GOAL_RATIO or seconds > GOAL_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
