"""What any text at all may make of the commands: run them on it, and say which promise was broken."""

from __future__ import annotations

import io
import math
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest import mock

import lark

from cgcli.cli.commands import COMMANDS
from cgcli.cli.main import run
from cgcli.ops.table import CONSTANTS, FUNCTIONS

SHORTEST = 0.75  # how often a grammar's rule goes its shortest way
LONGEST = 10_000  # characters; the promises of time and memory hold below
EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.cg"))

# The names that texts are made of, and what they are bound to.
BINDINGS = {"x": "0.5", "y": "-2", "x1": "2", "x2": "5", "v": "[1, 2, 3]", "M": "[[2, 1, 0], [1, 3, 1], [0, 1, 4]]"}

# What is done with a text, which stands on standard input and for `TEXT`. `@` is where the bindings go.
COMMAND_LINES = [
    ["eval", "-", "@"],
    ["eval", "--json", "-"],
    ["grad", "-", "@"],
    ["grad", "--mode", "forward", "--wrt", "x", "--json", "-", "@"],
    ["render", "-", "-o", "-"],
    ["render", "-", "--grad", "-o", "-", "@"],
    ["eval", "x", "x=TEXT"],
    ["grad", "--order", "2", "--wrt", "x", "-", "@"],
    ["jvp", "--tangent", "x=1", "--order", "3", "-", "@"],
    ["jvp", "--tangent", "TEXT", "x^2", "x=1"],
    ["vjp", "-", "@"],
    ["vjp", "--cotangent", "TEXT", "x^2", "x=1"],
    ["jacobian", "-", "@"],
    ["hessian", "--json", "-", "@"],
    ["diff", "-"],
    ["diff", "--wrt", "x", "--order", "2", "-", "@"],
    ["diff", "--latex", "--flat", "-"],
    ["simplify", "-"],
    ["simplify", "--exact", "-"],
    ["trace", "--grad", "-", "@"],
    ["trace", "--tangent", "x=1", "--latex", "-", "@"],
    ["check", "-", "@"],
    ["functions", "--", "TEXT"],
]

_DIFFERS = 4  # the exit code of cg check
_CODES = {"check": (0, 1, 2, 3, _DIFFERS)}
_PIECE = re.compile(r"\s+|\w+|\W")
_SYMBOLS = [*"+-*/^%@=,;:?()[]<>√²⁻'\"`#\n", "//", "**", "<=", "==", ".T", " mod ", " and ", " or ", "not ", "−", "∞"]
_NUMBERS = ["0", "1", "-1", "2", "3", "0.5", "1e-5", "1e300", "1_000", "nan", "inf"]
WORDS = [*_SYMBOLS, *_NUMBERS, *BINDINGS, *CONSTANTS, *(f"{name}(" for name in FUNCTIONS),
         "axis=", "keepdims=1", "f(x) = ", "M: [3, 3]"]  # fmt: skip


class Outcome(NamedTuple):
    """What a command line did, and the processor seconds that it took."""

    arguments: Sequence[str]
    code: int
    out: bytes
    err: str
    seconds: float
    due: bytes | None = None  # the standard output that was to come


def command_lines(text: str) -> list[list[str]]:
    """What is tried with a text: the commands that exist, with those bindings whose names are in it."""
    given = [f"{name}={value}" for name, value in BINDINGS.items() if name in text]
    lines = [line for line in COMMAND_LINES if line[0] in COMMANDS]
    return [
        [word for part in line for word in (given if part == "@" else [part.replace("TEXT", text)])] for line in lines
    ]


class _Stream(io.TextIOWrapper):
    """A standard stream in memory."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, "utf-8", "backslashreplace", newline="\n")

    def taken(self) -> bytes:
        """What was written, which is gone afterwards."""
        self.flush()
        content = self._bytes.getvalue()
        self._bytes.seek(0)
        self._bytes.truncate()
        return content


_OUT, _ERR = _Stream(), _Stream()  # the same for all, because click remembers every stream that it has seen


def outcome(arguments: Sequence[str], stdin: bytes) -> Outcome:
    """Run one command line in this process."""
    given = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    start = time.process_time()
    with redirect_stdout(_OUT), redirect_stderr(_ERR), mock.patch("sys.stdin", given):
        code = run(list(arguments))
    seconds = time.process_time() - start
    return Outcome(arguments, code, _OUT.taken(), _ERR.taken().decode(), seconds)


def outcomes(text: bytes) -> Iterator[Outcome]:
    """Every command on a text."""
    for arguments in command_lines(text.decode("utf-8", "ignore")):
        result = outcome(arguments, text)
        yield result
        if arguments[0] == "simplify" and not result.code:  # what is simple stays as it is
            yield outcome(arguments, result.out)._replace(due=result.out)


def broken(result: Outcome) -> str:
    """The promise that a command broke, in words; empty when it kept them all."""
    if result.code not in _CODES.get(result.arguments[0], (0, 1, 2, 3)):
        return f"exit code {result.code}"
    lines = result.err.splitlines()
    wild = next((line for line in lines if line.startswith(("cg: error: cg failed in a way", "Traceback (most"))), "")
    if wild:
        return wild
    if result.due is not None and result.out != result.due:
        return f"its own output {result.due[:200]!r} becomes {result.out[:200]!r} {result.err[:200]}"
    if result.code == _DIFFERS:  # of derivatives: an answer, with a table of them
        return "" if result.out.endswith(b"\n") else "nothing whole on standard output"
    if result.code and result.out:
        return "an error, but also something on standard output"
    if result.code and sum(line.startswith("cg: error: ") for line in lines) != 1:
        return "not one error message"
    return "" if result.code or result.out.endswith(b"\n") else "nothing whole on standard output"


# ---- texts of the grammar -------------------------------------------------------------

# What stands for the grammar's terminals: names that mean something, numbers that can be computed with.
# A quoted text is seldom what is wanted, so that mostly a name takes its place.
_TERMINALS = {
    "NAME": [*BINDINGS, *BINDINGS, "f", "g", "axis", "keepdims", "`a b`", *CONSTANTS],
    "FUNCTION": ["sin", "exp", "abs", "sqrt", "sum", "f", "max", "where", *FUNCTIONS],
    "NUMBER": _NUMBERS[:6],
    "TEXT": ["x", "y", "v", "M", "x1", "x2", "'ij->i'"],
    "SUPERSCRIPT": ["²", "⁻¹"],
    "COMPARE": ["<", "<=", "==", "≠"],
    "MINUS": ["-", "−"], "TIMES": ["*", "·"], "DIVIDE": ["/"], "POWER": ["^", "**"],
    "AND": ["and"], "OR": ["or"], "DERIVED": ["jvp", "vjp"], "TRANSPOSED": [".T"], "_SEPARATOR": ["\n", ";"],
}  # fmt: skip

_EMPTY = {("LPAR", "RPAR"), ("LBRACKET", "RBRACKET")}  # f(), [] are left to the mutations


class Grammar:
    """The rules of grammar/cg.lark, and texts that they make."""

    def __init__(self, text: str) -> None:
        parser = lark.Lark(text, parser="lalr", lexer="basic", maybe_placeholders=True)
        self.words = {item.name: _TERMINALS.get(item.name) or [item.pattern.value] for item in parser.terminals}
        self.words["FUNCTION"] = _TERMINALS["FUNCTION"]
        self.rules: dict[str, list[list[str]]] = {}
        for rule in parser.rules:
            symbols = [symbol.name for symbol in rule.expansion]
            if rule.alias == "call":
                symbols[0] = "FUNCTION"
            if tuple(symbols[-2:]) not in _EMPTY:
                self.rules.setdefault(str(rule.origin.name), []).append(symbols)
        self.cost = self._costs()

    def _costs(self) -> dict[str, float]:
        """The fewest words that each symbol can be."""
        cost: dict[str, float] = dict.fromkeys(self.rules, math.inf) | dict.fromkeys(self.words, 1.0)
        for _ in self.rules:
            for name, ways in self.rules.items():
                cost[name] = min(sum(cost[symbol] for symbol in way) for way in ways)
        return cost

    def text(self, random: Random, length: int) -> str:
        """A text of about `length` words: any rule's way until then, the shortest from there on."""
        words: list[str] = []
        waiting = ["start"]
        while waiting:
            symbol = waiting.pop()
            if symbol in self.words:
                words.append(random.choice(self.words[symbol]))
                continue
            ways = self.rules[symbol]
            prices = [sum(self.cost[part] for part in way) for way in ways]
            if symbol != "start" and (len(words) + len(waiting) > length or random.random() < SHORTEST):
                ways = [way for way, price in zip(ways, prices, strict=True) if price == min(prices)]
            waiting += random.choice(ways)[::-1]
        return " ".join(words)


# ---- texts that are nearly right ------------------------------------------------------


def pieces(text: str) -> list[str]:
    """A text in words, blanks and symbols."""
    return _PIECE.findall(text)


def mutated(text: str, other: str, random: Random) -> str:
    """A text with a few of its pieces deleted, doubled, swapped, replaced, or spliced with another text's."""
    items, others = pieces(text), pieces(other)
    for _ in range(random.randint(1, 4)):
        _MUTATIONS[random.randrange(len(_MUTATIONS))](items, others, random)
    return "".join(items)[:LONGEST]


def _delete(items: list[str], others: list[str], random: Random) -> None:
    at = random.randint(0, len(items))
    del items[at : at + random.randint(1, 3)]


def _double(items: list[str], others: list[str], random: Random) -> None:
    at = random.randint(0, len(items))
    items[at:at] = items[at : at + random.randint(1, 8)] * random.randint(1, 3)


def _swap(items: list[str], others: list[str], random: Random) -> None:
    if items:
        a, b = random.randrange(len(items)), random.randrange(len(items))
        items[a], items[b] = items[b], items[a]


def _replace(items: list[str], others: list[str], random: Random) -> None:
    at = random.randint(0, len(items))
    items[at : at + random.randint(0, 1)] = [random.choice(WORDS)]


def _splice(items: list[str], others: list[str], random: Random) -> None:
    at, start = random.randint(0, len(items)), random.randint(0, len(others))
    items[at : at + random.randint(0, 3)] = others[start : start + random.randint(1, 10)]


_MUTATIONS = (_delete, _double, _swap, _replace, _replace, _splice, _splice)
