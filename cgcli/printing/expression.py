"""A node as one expression of the language; brackets stand only where the grammar needs them."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import chain

from cgcli.annotations import Callable, Iterable, Sequence
from cgcli.graph.body import name_of_operation
from cgcli.graph.node import (
    CONSTANT,
    VARIABLE,
    Node,
    constant,
    constant_elements,
    constant_value,
    name_of,
    toposort,
    variables,
)
from cgcli.graph.operation import REQUIRED, Static
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import DIVIDE, MULTIPLY, NEG
from cgcli.ops.entry import ATOM, COMPARISON, CONDITIONAL, POSTFIX, SUM, UNARY
from cgcli.ops.indexing import INDEX
from cgcli.ops.roots import Root
from cgcli.ops.shaping import STACK, TRANSPOSE, outer_of
from cgcli.ops.sums import traced
from cgcli.printing.equations import is_equation, names_of_unknowns, opened
from cgcli.printing.printer import (
    Layout,
    Names,
    Part,
    Piece,
    View,
    Vocabulary,
    call,
    comma_separated,
    given_arguments,
    given_statics,
)
from cgcli.printing.values import nested, number
from cgcli.records import EMPTY

# What grammar/cg.lark takes for a name without backticks, or less.
_PLAIN_NAME = re.compile(r"[^\W\d⁰¹²³⁴-⁹₀-₉¼½¾⅐-⅟][^\W⁰¹²³⁴-⁹¼½¾⅐-⅟]*")
_WORDS = {"and", "or", "not", "mod"}
_LOOSE = {"+", "-", "@", "and", "or", "==", "!=", "<", "<=", ">", ">="}  # written with blanks around
_FAR = 100  # factors, the first of which decides on the sign of their product
_TIGHT = "tight"  # a mode: within a term of a sum, where `@` has no blanks around it: `A@x + b`, but `A @ (x + b)`


def formula(node: Node, limit: int = 60, named: Names = EMPTY) -> str:
    """A node as one expression for a message or a table, cut when it is long."""
    text = ""
    for piece in Text(named).pieces(Part(View(node))):
        text += piece
        if len(text) > limit:
            return f"{text[:limit]}…"
    return text


def written_name(name: str) -> str:
    """A name as the language writes it: in backticks unless it is a plain identifier."""
    return name if _PLAIN_NAME.fullmatch(name) and name not in _WORDS else f"`{name}`"


def shared(order: Sequence[Node], outputs: Iterable[Node]) -> list[Node]:
    """The operations and arrays that are used more than once, in order; an output is a use."""
    uses = uses_of(order, outputs)
    return [node for node in order if uses[node] > 1 and node.op is not VARIABLE and not _is_number(node)]


def uses_of(order: Sequence[Node], outputs: Iterable[Node]) -> Counter[Node]:
    """How often each node is an argument or an output; of a loop's adjoint, what its packed arguments were made of."""
    outputs = [*outputs]
    if all(node.op.name != "loop_adjoint" for node in order):
        return Counter(chain(outputs, chain.from_iterable(node.args for node in order)))
    from cgcli.ops.loops import read_by

    uses = Counter(outputs)
    for node in reversed(order):
        if uses[node]:
            uses.update(read_by(node))
    return uses


def _is_number(node: Node) -> bool:
    """Whether a node is a scalar constant, or a fraction of two: 1/3."""
    parts = node.args if node.op is DIVIDE else (node,)
    return all(constant_value(part) is not None for part in parts)


def text_of(node: Node, named: Names, top: Node | None = None) -> str:
    """A node as one expression; `top` is written out although it has a name."""
    return "".join(Text(named, top).pieces(Part(View(node))))


class Text(Vocabulary):
    """The language that the grammar reads."""

    def _number(self, value: float, precision: int | None = None) -> str:
        """A number in a list: pi and e by their names."""
        return self.name(constant(value)) or number(value, precision)

    def form(self, part: Part) -> Layout:
        """How a node is written; its own pieces alone say it."""
        node = part.view.node
        op = node.op
        name = self.name(node)
        if name is not None:
            return Layout(ATOM, (name,))
        if op is VARIABLE:
            return Layout(ATOM, (written_name(name_of(node)),))
        if op is CONSTANT:
            text = _constant(node, self._number)
            return Layout(UNARY if text.startswith("-") else ATOM, (text,))
        if isinstance(node.params, Root):
            return self._root(node, node.params)
        args = part.view.arguments()
        pair = outer_of(node)
        if pair and not any(map(self.name, node.args)):
            return Layout(ATOM, ("outer(", *comma_separated([Part(View(item)) for item in pair]), ")"))
        matrix = traced(node)
        if matrix is not None and self.name(node.args[0]) is None:
            return Layout(ATOM, ("trace(", Part(View(matrix)), ")"))
        if op.infix is not None:
            symbol, level, to_right = op.infix
            # comparisons chain instead of nesting, and a power's exponent may carry a minus sign
            low = POSTFIX if symbol == "^" else level + (to_right or level == COMPARISON)
            high = UNARY if symbol == "^" else level + 1
            blank = " " if symbol in _LOOSE and not (symbol == "@" and part.mode) else ""
            mode = _TIGHT if part.mode or level == SUM else ""
            if op is MULTIPLY and not args[0].node.shape and args[0].node.op.name == "matmul":
                low = ATOM  # (a @ x)*x, a number times a vector
            if level == SUM and self._begins_with_minus(args[1].node):
                high = ATOM  # a - (-b)
            return Layout(level, (Part(args[0], low, mode), f"{blank}{symbol}{blank}", Part(args[1], high, mode)))
        if op.prefix is not None and not (op is NEG and self._is_literal_number(node.args[0])):
            low = ATOM if op is NEG and self._begins_with_minus(node.args[0]) else op.prefix.level
            return Layout(op.prefix.level, (op.prefix.symbol, Part(args[0], low, part.mode)))
        if op.postfix is not None:
            low = ATOM if args[0].node.op is op else op.postfix.level  # (n!)!, for n!! is something else
            return Layout(op.postfix.level, (Part(args[0], low), op.postfix.symbol))
        if op is INDEX:
            return Layout(POSTFIX, (Part(args[0], POSTFIX), "[", *(text for _, text in given_statics(node)), "]"))
        if op is TRANSPOSE and node.params == ((-1, -2),):
            return Layout(POSTFIX, (Part(args[0], POSTFIX), ".T"))
        if op is STACK and _is_literal(node):
            return Layout(ATOM, ("[", *comma_separated(map(Part, args)), "]"))
        return Layout(ATOM, call(name_of_operation(node, self.named), given_arguments(part.view, _static)))

    layout = form

    def _root(self, node: Node, root: Root) -> Layout:
        """solve(left = right, x=start), where the unknown has a name of its own."""
        leaf, rest = opened(node)
        order = toposort([rest])
        taken = {self.named.get(part) for part in order}.union(map(name_of, variables(order)))
        name = next(each for each in names_of_unknowns(self.named.get(node, "")) if each not in taken)
        self.named = {**self.named, leaf: name}
        function = self.named.get(root.body)
        if function is not None:
            operands = comma_separated(Part(View(each)) for each in (leaf, *node.args[1:]))
            return Layout(ATOM, ("solve(", function, "(", *operands, f") = 0, {name}=", Part(View(node.args[0])), ")"))
        sides: list[Piece] = [Part(View(rest)), "0"]
        if is_equation(rest, self.named):
            sides = [Part(View(side)) for side in rest.args]
        start = Part(View(node.args[0]))
        return Layout(ATOM, ("solve(", sides[0], " = ", sides[1], f", {name}=", start, ")"))

    def _begins_with_minus(self, node: Node) -> bool:
        """Whether the text of a node begins with a minus sign, before which no other sign should stand."""
        level = CONDITIONAL
        for _ in range(_FAR):
            op = node.op
            if self.name(node) is not None:
                return False
            if op is CONSTANT or op.prefix is not None:
                is_negative = _constant(node, number).startswith("-") if op is CONSTANT else op is NEG
                return level <= UNARY and is_negative and (op is CONSTANT or constant_value(node.args[0]) is None)
            if op.infix is None or op.infix.level < level:
                return False
            level = POSTFIX if op.infix.symbol == "^" else op.infix.level
            node = node.args[0]
        return False

    def _is_literal_number(self, node: Node) -> bool:
        return constant_value(node) is not None and self.name(node) is None


def _static(static: Static, text: str) -> str:
    return text if static.leading or static.default is REQUIRED else f"{static.name}={text}"


def _is_literal(node: Node) -> bool:
    """Whether a stack can be written in brackets, which read back as it, not as a constant array."""
    first = node.args[0]
    (axis,) = node.params
    return axis == -len(node.shape) and any(arg.op is not CONSTANT or arg.shape != first.shape for arg in node.args)


def _constant(node: Node, written: Callable[..., str]) -> str:
    value = constant_value(node)
    if value is not None:
        return number(value)
    shape = node.shape
    items: list[object] = [*constant_elements(node)]
    if not items and 0 in shape[:-1]:
        return f"zeros({shape_text(shape)})"  # no brackets hold an empty array of empty rows
    for axis in range(len(shape) - 1, 0, -1):
        size = shape[axis]
        items = [items[at * size : (at + 1) * size] for at in range(math.prod(shape[:axis]))]
    return nested(items, written=written)
