"""A node as one expression of the language; brackets stand only where the grammar needs them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from cgcli.graph.node import (
    CONSTANT,
    VARIABLE,
    Node,
    constant_elements,
    constant_value,
    name_of,
)
from cgcli.graph.operation import REQUIRED, Operation, Static
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import DIVIDE, NEG
from cgcli.ops.entry import ATOM, CONDITIONAL, POSTFIX, SUM, UNARY
from cgcli.ops.indexing import INDEX
from cgcli.ops.shaping import STACK, TRANSPOSE
from cgcli.printing.values import nested, number

# What grammar/cg.lark takes for a name without backticks, or less.
_PLAIN_NAME = re.compile(r"[^\W\d⁰¹²³⁴-⁹₀-₉¼½¾⅐-⅟][^\W⁰¹²³⁴-⁹¼½¾⅐-⅟]*")
_WORDS = {"and", "or", "not", "mod"}
_LOOSE = {"+", "-", "@", "and", "or", "==", "!=", "<", "<=", ">", ">="}  # written with blanks around


# What is written by its name: nodes that have one, and the user's own functions.
Names = Mapping[Node | Operation, str]


class Part(NamedTuple):
    """A node still to be written, in brackets unless it binds at least as tightly as `level`.

    tight: within a term of a sum, where `@` has no blanks around it: `A@x + b`, but `A @ (x + b)`.
    """

    node: Node
    level: int = CONDITIONAL
    tight: bool = False


def formula(node: Node, limit: int = 60, named: Names = MappingProxyType({})) -> str:
    """A node as one expression for a message or a table, cut when it is long."""
    pieces: list[str] = []
    length = 0
    for piece in _pieces(node, named):
        pieces.append(piece)
        length += len(piece)
        if length > limit:
            return "".join(pieces)[:limit] + "…"
    return "".join(pieces)


def written_name(name: str) -> str:
    """A name as the language writes it: in backticks unless it is a plain identifier."""
    return name if _PLAIN_NAME.fullmatch(name) and name not in _WORDS else f"`{name}`"


def shared(order: Sequence[Node], outputs: Iterable[Node]) -> list[Node]:
    """The operations and arrays that are used more than once, in order; an output is a use."""
    uses = Counter(outputs)
    for node in order:
        uses.update(node.args)
    return [node for node in order if uses[node] > 1 and node.op is not VARIABLE and not _is_number(node)]


def _is_number(node: Node) -> bool:
    """Whether a node is a scalar constant, or a fraction of two: 1/3."""
    parts = node.args if node.op is DIVIDE else (node,)
    return all(constant_value(part) is not None for part in parts)


def text_of(node: Node, named: Names, top: Node | None = None) -> str:
    """A node as one expression; `top` is written out although it has a name."""
    return "".join(_pieces(node, named, top))


def _pieces(node: Node, named: Names, top: Node | None = None) -> Iterator[str]:
    """The text of an expression, piece by piece; `top` is written out although it has a name."""
    stack: list[str | Part] = [Part(node)]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        name = named.get(item.node)
        if name is not None and item.node is not top:
            yield name
            continue
        level, parts = written(item.node, named, item.tight)
        if level < item.level:
            _, parts = written(item.node, named)
            parts = ["(", *parts, ")"]
        stack.extend(reversed(list(parts)))


def written(node: Node, named: Names, tight: bool = False) -> tuple[int, Iterable[str | Part]]:
    """How tightly a node binds, and what it is made of. tight: see `Part`."""
    op = node.op
    if op is VARIABLE:
        return ATOM, [written_name(name_of(node))]
    if op is CONSTANT:
        return _constant(node)
    if op.infix is not None:
        left, right = node.args
        symbol, level, to_right = op.infix
        # comparisons chain instead of nesting, and a power's exponent may carry a minus sign
        low = level + 1 if to_right or symbol in ("==", "!=", "<", "<=", ">", ">=") else level
        high = UNARY if symbol == "^" else level + 1
        blank = " " if symbol in _LOOSE and not (symbol == "@" and tight) else ""
        tight = tight or level == SUM
        low = POSTFIX if symbol == "^" else low
        return level, [Part(left, low, tight), f"{blank}{symbol}{blank}", Part(right, high, tight)]
    if op.prefix is not None and not (op is NEG and constant_value(node.args[0]) is not None):
        return op.prefix.level, [op.prefix.symbol, Part(node.args[0], op.prefix.level, tight)]
    if op is INDEX:
        return POSTFIX, [Part(node.args[0], POSTFIX), "[", *(text for _, text in given_statics(node)), "]"]
    if op is TRANSPOSE and node.params == ((-1, -2),):
        return POSTFIX, [Part(node.args[0], POSTFIX), ".T"]
    if op is STACK and _is_literal(node):
        return ATOM, ["[", *_listed(Part(arg) for arg in node.args), "]"]
    given = given_statics(node)
    first = [text for static, text in given if static.leading]
    last = [
        text if static.default is REQUIRED else f"{static.name}={text}" for static, text in given if not static.leading
    ]
    return ATOM, [f"{named.get(op, op.name)}(", *_listed([*first, *(Part(arg) for arg in node.args), *last]), ")"]


def _listed(items: Iterable[str | Part]) -> list[str | Part]:
    """The items with commas between them."""
    listed = [piece for item in items for piece in (", ", item)]
    return listed[1:]


def _is_literal(node: Node) -> bool:
    """Whether a stack can be written in brackets, which read back as it, not as a constant array."""
    first = node.args[0]
    (axis,) = node.params
    return axis == -len(node.shape) and any(arg.op is not CONSTANT or arg.shape != first.shape for arg in node.args)


def given_statics(node: Node) -> list[tuple[Static, str]]:
    """The static parameters that are not at their defaults, with their text."""
    shapes = [arg.shape for arg in node.args]
    return [
        (static, static.show(param, shapes))
        for static, param in zip(node.op.statics, node.params, strict=True)
        if static.default is REQUIRED or param != static.convert(static.default, shapes)
    ]


def _constant(node: Node) -> tuple[int, list[str | Part]]:
    value = constant_value(node)
    if value is not None:
        return (UNARY if number(value).startswith("-") else ATOM), [number(value)]
    elements = [*constant_elements(node)]
    if not elements and 0 in node.shape[:-1]:
        return ATOM, [f"zeros({shape_text(node.shape)})"]  # no brackets hold an empty array of empty rows
    if not elements:
        rows: list[object] = []
        for size in reversed(node.shape[:-1]):
            rows = [rows] * size
        return ATOM, [nested(rows)]
    items: list[object] = list(elements)
    for size in reversed(node.shape[1:]):
        items = [items[at : at + size] for at in range(0, len(items), size)]
    return ATOM, [nested(items)]
