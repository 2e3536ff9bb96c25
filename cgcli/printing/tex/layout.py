"""What a formula in LaTeX is made of, piece by piece, and the brackets between them.

Layouts are made from the leaves up, for a bracket's height and the sign between two factors
depend on what stands inside; then the text is read off from the top. Neither recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cgcli.errors import TooLargeError
from cgcli.graph.node import Node
from cgcli.graph.operation import Shape
from cgcli.printing.expression import Names

# How tightly a formula binds, as it is printed. BIG: a sum sign with its body, open to the right. HADAMARD: a product
# of arrays, element by element. POWER: also a function with its argument. POSTFIX: what a power may stand on.
# ATOM: what may carry a subscript. MODULO: a remainder, whose sign is as wide as that of a sum.
ANY, OR, AND, NOT, COMPARISON, MODULO, SUM, SIGNED, HADAMARD, BIG, PRODUCT, POWER, POSTFIX, ATOM = range(14)

MAX_PIECES = 2**23  # of one formula; a node that is shared and has no name is written more than once


class View(NamedTuple):
    """A node as it stands in a formula: the whole of it, or one of its elements.

    items: a letter, a number or ':' for each of its axes; () for the whole.
    depth: how many letters are bound around it.
    """

    node: Node
    items: tuple[str, ...] = ()
    depth: int = 0

    @property
    def rank(self) -> int:
        """How many axes are left."""
        return self.items.count(":") if self.items else len(self.node.shape)

    def argument(self, at: int) -> View:
        """An argument of an elementwise operation, at the same place; a repeated axis has only one."""
        arg = self.node.args[at]
        return View(arg, aligned(self.items, arg.shape, self.node.shape), self.depth)

    def arguments(self) -> list[View]:
        """All arguments of an elementwise operation, at the same place."""
        return [self.argument(at) for at in range(len(self.node.args))]


def aligned(index: tuple[str, ...], shape: Shape, whole: Shape) -> tuple[str, ...]:
    """The index of what is broadcast to a shape, from an index of the result."""
    if not index:
        return ()
    kept = index[len(index) - len(shape) :]
    sizes = whole[len(whole) - len(shape) :]
    items = tuple(
        "0" if own == 1 and size != 1 and item != ":" else item
        for item, own, size in zip(kept, shape, sizes, strict=True)
    )
    return items if any(item != ":" for item in items) else ()


class Part(NamedTuple):
    """A view still to be written, in brackets unless it binds at least as tightly as `level`.

    signless: without the minus sign that it begins with.
    """

    view: View
    level: int = ANY
    signless: bool = False


Piece = str | Part


class Layout(NamedTuple):
    """A view, laid out.

    tall: a plain bracket would be too small around it. minus: it begins with a minus sign.
    first, last: 'digit' or 'word' where what stands beside it must be held off; '' elsewhere.
    size: of how many pieces its text will be.
    """

    level: int
    pieces: tuple[Piece, ...]
    tall: bool = False
    minus: bool = False
    first: str = ""
    last: str = ""
    size: int = 1


class Form(NamedTuple):
    """How a view will be laid out: what it needs first, and what is made of that."""

    operands: Sequence[View]
    build: Callable[[Sequence[Layout]], Layout]


class Setting(NamedTuple):
    """What is the same for a whole formula: the node that it shows, what has a name, the letters for indices."""

    root: Node
    named: Names
    letters: Sequence[str]

    def name(self, node: Node) -> str | None:
        """What a node is written as, if by name."""
        return None if node is self.root else self.named.get(node)

    def letter(self, at: int) -> str:
        """The letter of an index; beyond the alphabet's, the last of them with a number."""
        return self.letters[at] if at < len(self.letters) else f"{self.letters[-1]}_{{{at}}}"


def fixed(layout: Layout) -> Form:
    """The form of what is made of nothing else."""
    return Form((), lambda _: layout)


def lay_out(root: View, form: Callable[[View], Form]) -> dict[View, Layout]:
    """The layout of a view and of all that stands in it.

    Raises TooLargeError when the text would have more than MAX_PIECES.
    """
    layouts: dict[View, Layout] = {}
    forms: dict[View, Form] = {}
    stack = [root]
    while stack:
        view = stack[-1]
        if view in layouts:
            stack.pop()
            continue
        if view not in forms:
            forms[view] = form(view)
        operands, build = forms[view]
        waiting = [operand for operand in operands if operand not in layouts]
        if waiting:
            stack += reversed(waiting)
            continue
        stack.pop()
        del forms[view]
        given = [layouts[operand] for operand in operands]
        layout = build(given)
        size = len(layout.pieces) + sum(operand.size for operand in given)
        layouts[view] = layout._replace(size=check_size(size))
    return layouts


def check_size(pieces: int) -> int:
    """The same number, or TooLargeError."""
    if pieces > MAX_PIECES:
        raise TooLargeError(
            f"the formula would be written with more than {MAX_PIECES} symbols", hint="give its shared parts names"
        )
    return pieces


def written(root: View, layouts: Mapping[View, Layout]) -> Iterator[str]:
    """The text of a view, piece by piece; what is true or false stands for its number, 1 or 0."""
    stack: list[Piece] = [Part(root, SUM if _is_truth(layouts[root]) else ANY)]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        layout = layouts[item.view]
        if layout.level < item.level:
            stack += reversed(bracketed(layout, item.level))
        elif item.signless:
            first, *rest = layout.pieces
            stack += reversed(rest)
            stack += [first._replace(signless=True)] if isinstance(first, Part) else []
        else:
            stack += reversed(layout.pieces)


def bracketed(layout: Layout, level: int) -> list[Piece]:
    """A layout in brackets; what is true or false stands for 1 or 0 in the square ones, as Iverson's."""
    number = _is_truth(layout) and level > MODULO
    opening, closing = delimiters("[" if number else "(", "]" if number else ")", layout.tall)
    return [opening, *layout.pieces, closing]


def _is_truth(layout: Layout) -> bool:
    """Whether it says something that is true or false."""
    return ANY < layout.level <= COMPARISON


def delimiters(opening: str, closing: str, tall: bool) -> tuple[str, str]:
    """A pair of brackets, which grow where they must."""
    return (rf"\left{opening}", rf"\right{closing}") if tall else (opening, closing)


def comma_separated(items: Sequence[Piece]) -> list[Piece]:
    """The pieces with commas between them."""
    return [piece for item in items for piece in (", ", item)][1:]
