"""What the writer of code needs to know of a language: its words for operations, and for statements."""

from __future__ import annotations

import math
import re

from cgcli.annotations import Callable, Collection, Mapping, Sequence
from cgcli.graph.node import Node
from cgcli.graph.operation import Operation, Params
from cgcli.records import EMPTY, NamedTuple, Record

# How tightly a piece of code holds together, as in C; 0 for a choice, the highest for a name or a call.
CHOICE, OR, AND, COMPARISON, SUM, PRODUCT, MINUS, ATOM = range(8)


class Text(NamedTuple):
    """A piece of code for a value. level: how tightly it holds together. truth: it is a truth value, and no number."""

    code: str
    level: int = ATOM
    truth: bool = False

    def inside(self, level: int) -> str:
        """The code where only what holds at least so tightly may stand."""
        return self.code if self.level >= level else f"({self.code})"


class Statements(Record):
    """The statements of a language, as templates.

    let, let_truth: a name for a number, for a truth value. variable, assign: a number that changes. array: one of
    `size` zeros; filled: one of `values` that stay. loop: the first line of a block, which `end` closes.
    leave: the innermost loop. do: a call for what it changes. when: the first line of a block that is run where a
    condition holds. quotient: of whole numbers; whole: one as a float; place: a float as one.
    """

    let: str
    let_truth: str
    variable: str
    assign: str
    array: str
    filled: str
    whole_numbers: str
    loop: str
    leave: str
    do: str
    when: str
    end: str
    quotient: str
    whole: str
    place: str


class Language(Record):
    """A language that code is written in.

    infix: operations that are operators, with their signs and levels. calls: templates of the others, in the arguments'
    places {0}, {1}, which are numbers. statements: its statements. number: the text of a float. choice: of two by a
    condition, as a template. as_number: a truth value as a number. no: `not` as a template, the level that its operand
    needs, and its own. solve: the helper that solves a linear system. unused: says that an argument is not read, where
    the language asks for that. reserved: what cannot be a name; functions: nor what it defines, beside that. helpers:
    functions that templates call, each with its text.
    """

    name: str
    infix: Mapping[str, tuple[str, int]]
    calls: Mapping[str, str]
    statements: Statements
    number: Callable[[float], str]
    choice: str
    as_number: str
    no: tuple[str, int, int]
    solve: str
    unused: str = ""
    reserved: Collection[str] = ()
    functions: Collection[str] = ()
    helpers: Mapping[str, str] = EMPTY
    indent: str = "    "

    def has(self, node: Node) -> bool:
        """Whether the language has a word for an elementwise operation; derivatives of some have an order, and none."""
        name = node.op.name
        if order_of(node.op, node.params) or (len(node.args) > 2 and name in ("max", "min")):
            return False
        return name in self.infix or name in self.calls or name in TRUTHS or name in ("where", "neg")

    def sign_of(self, name: str) -> str:
        """The sign of an operation; '' where it is a call."""
        sign, _ = self.infix.get(name, (TRUTHS.get(name, ""), 0))
        return sign


TRUTHS: Mapping[str, str] = {
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "and": "",
    "or": "",
    "not": "",
}
ARITHMETIC: Mapping[str, tuple[str, int]] = {
    "add": ("+", SUM),
    "subtract": ("-", SUM),
    "multiply": ("*", PRODUCT),
    "divide": ("/", PRODUCT),
}


def number_text(value: float, infinity: str, nan: str) -> str:
    """A float in the shortest form that is read as the same, with a point or an exponent."""
    if math.isnan(value):
        return nan
    if math.isinf(value):
        return infinity if value > 0 else f"-{infinity}"
    return repr(float(value))


def negative(text: Text) -> Text:
    """The negative of a piece of code for a number."""
    inner = text.inside(PRODUCT)
    return Text(inner[1:], min(text.level, PRODUCT)) if inner.startswith("-") else Text(f"-{inner}", MINUS)


def around(sign: str, level: int, left: Text, right: Text) -> Text:
    """Two pieces of code with a sign between them: `a - b` of a + -b, which is the same number."""
    after = right.inside(level + 1)
    if level == SUM and after.startswith("-"):
        sign, after = "-" if sign == "+" else "+", after[1:]
    space = " " if level == SUM else ""
    return Text(f"{left.inside(level)}{space}{sign}{space}{after}", level)


def joined(lines: Sequence[str]) -> str:
    """Lines as one text, which ends with a line's end."""
    return "\n".join([*lines, ""])


def helpers_in(code: str, helpers: Mapping[str, str]) -> list[str]:
    """The functions that a piece of code names, and those that they name. helpers: each by its name, with its text."""
    found: dict[str, None] = {}
    waiting = [code]
    while waiting:
        text = waiting.pop()
        for name, helper in helpers.items():
            if name not in found and re.search(rf"\b{name}\b", text):
                found[name] = None
                waiting.append(helper)
    return [helper for name, helper in helpers.items() if name in found]


def in_quotes(lines: Sequence[str]) -> str:
    """Lines as the text in three quotes that a module of Python begins with, and which they do not end."""
    safe = (line.replace("\\", "\\\\").replace('"', "'") for line in map(_visible, lines))
    return '"""' + "\n".join(safe).lstrip() + '\n"""'


def comment(lines: Sequence[str]) -> str:
    """Lines as a comment of C, JavaScript or SQL, which they do not end and in which none begins."""
    safe = (line.replace("*/", "* /").replace("/*", "/ *").replace("??/", "?? /").rstrip("\\")
            for line in map(_visible, lines))  # fmt: skip
    return "/* " + "\n".join(f"   {line}".rstrip() for line in safe).lstrip() + " */"


def _visible(line: str) -> str:
    """A line without signs that nobody sees, or that change the direction of what follows: `\\u202e`."""
    return "".join(
        sign if sign.isprintable() or sign == "\t" else sign.encode("unicode_escape").decode() for sign in line
    )


def order_of(op: Operation, params: Params) -> int:
    """Of which order it is as a derivative, as trigamma is of digamma: languages have words for functions alone."""
    orders = (value for static, value in zip(op.statics, params, strict=False) if static.name == "order")
    return sum(order for order in orders if isinstance(order, int))
