"""Derivatives of formulas that textbooks have, by each name alone and by all at once: right, and as a book prints them?

    python tests/bench/books.py [SECONDS] [WORD]

The formulas stand in tests/book_formulas.txt; with WORD, only those that contain it. SECONDS (3 unless told) are given
to `sympy.simplify` for each derivative; with 0, SymPy is left out. A size is the number of operations of a text,
written out; both texts are read by cg. What is printed of a derivative:

- `wrong`: its value is not the derivative's, by the judge of `tests/differential.py`;
- `longer N > M`: its text has more operations than SymPy's;
- `together N > M`: it has more operations where all names are asked for at once than alone;
- `raw`: it has a pattern that no book prints, which is told.
"""

from __future__ import annotations

import re
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent.parent))  # the tests' own modules

import cgcli
from cgcli.graph.node import CONSTANT, VARIABLE, Node, constant_value, name_of, toposort
from tests.bench.formulas import operations, read
from tests.differential import complaint
from tests.precise import graph_of

FORMULAS = Path(__file__).parent.parent / "book_formulas.txt"
SECONDS = 3.0

# What no book prints.
RAW = {
    "a product with a negative": r"\*\(-",
    "a product with a reciprocal": r"\*\(1/[^-+()]*\)",
    "an operator as a function": r"\bneg\(",
    "two signs": r"[-+] ?-|--",
    "a chain of quotients": r"/[\w.^]+/",
    "a factor 1.0": r"\b1\.0\*",
    "a long decimal": r"\d{15,}",
}


class Slope(NamedTuple):
    """A derivative: of what, by which name, as text, and its operations alone and among all."""

    text: str
    name: str
    shown: str
    alone: int
    together: int

    @property
    def command(self) -> str:
        """How a user asks for it."""
        return f"cg diff '{self.text}' --wrt {self.name}"


def slopes(text: str) -> Iterator[Slope]:
    """The derivatives of a formula by each of its names."""
    names = cgcli.parse(text).inputs
    together = read(cgcli.diff(text, names))
    for at, name in enumerate(names):
        shown = cgcli.diff(text, name)
        yield Slope(
            text, name, shown, _size(shown), operations(together._replace(outputs=together.outputs[at : at + 1]))
        )


def _size(text: str) -> int:
    return operations(read(text))


def flags(slope: Slope, seconds: float) -> list[str]:
    """What is to be said against a derivative. seconds: for SymPy."""
    found = []
    if why := complaint(slope.text, slope.shown, (slope.name,)):
        found.append(f"wrong: {why}")
    theirs = sympy_text(slope, seconds) if seconds else ""
    if theirs and slope.alone > (size := _size(theirs)):
        found.append(f"longer {slope.alone} > {size}: SymPy's {theirs}")
    if slope.together > slope.alone:
        found.append(f"together {slope.together} > {slope.alone}")
    digits = slope.shown.replace(".", "")
    found += [f"raw: {what}" for what, pattern in RAW.items() if re.search(pattern, slope.shown + " " + digits)]
    return found


# ---- SymPy ----------------------------------------------------------------------------------


def _too_long(*_: object) -> None:
    raise TimeoutError


def sympy_text(slope: Slope, seconds: float) -> str:
    """SymPy's derivative, simplified as far as it comes in the time; empty where it is no formula that cg reads."""
    import sympy

    symbols: dict[str, Any] = {}
    names = set(cgcli.parse(slope.text).inputs)
    constants = {name: value for name, value in {"pi": sympy.pi, "e": sympy.E}.items() if name not in names}
    expression = as_sympy(graph_of(slope.text).output, symbols, constants)
    derivative = sympy.diff(expression, symbols[slope.name])
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        derivative = min(derivative, sympy.simplify(derivative), key=sympy.count_ops)
    except TimeoutError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        text = str(derivative).replace("polygamma(0, ", "digamma(").replace("loggamma", "lgamma")
        read(text)
    except cgcli.CgError:
        return ""
    return text


def as_sympy(output: Node, symbols: dict[str, Any], constants: Mapping[str, Any]) -> Any:
    """A graph as SymPy's expression; its symbols, which are real numbers, are noted by name."""
    import sympy

    found: dict[Node, Any] = {}
    for node in toposort([output]):
        if node.op is CONSTANT:
            found[node] = sympy.Rational(repr(constant_value(node)))
        elif node.op is VARIABLE:
            name = name_of(node)
            found[node] = constants.get(name) or symbols.setdefault(name, sympy.Symbol(name, real=True))
        else:
            found[node] = _sympy_function(node.op.name)(*(found[arg] for arg in node.args))
    return found[output]


def _sympy_function(name: str) -> Any:
    import sympy

    special: Mapping[str, Any] = {
        "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y, "neg": lambda x: -x, "power": lambda x, y: x**y, "ln": sympy.log,
        "log10": lambda x: sympy.log(x) / sympy.log(10), "log2": lambda x: sympy.log(x) / sympy.log(2),
        "abs": sympy.Abs, "max": sympy.Max, "lgamma": sympy.loggamma, "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
        "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    }  # fmt: skip
    return special.get(name) or getattr(sympy, name)


def main() -> int:
    """Print what is wrong or ugly, and the counts; 1 when a value is wrong."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    signal.signal(signal.SIGALRM, _too_long)
    warnings.simplefilter("ignore")
    lines = FORMULAS.read_text(encoding="utf-8").splitlines()
    texts = [line for line in lines if line and not line.startswith("#") and word in line]
    counts, total = Counter[str](), 0
    for text in texts:
        for slope in slopes(text):
            total += 1
            found = flags(slope, seconds)
            counts.update({flag.partition(" ")[0].rstrip(":") for flag in found})
            if found:
                print(f"{slope.command}   prints   {slope.shown}   {'   '.join(found)}", flush=True)
    print(
        f"{len(texts)} formulas, {total} derivatives: {counts['wrong']} wrong, {counts['longer']} longer than SymPy's, "
        f"{counts['together']} longer together than alone, {counts['raw']} with a raw pattern"
    )
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
