"""The printer: a graph as text, in any language whose vocabulary says of which pieces each node is written.

A vocabulary gives the layout of one node: its pieces, and how tightly it binds. The printer walks from the
root, sets brackets around what binds too loosely for its place, and joins the pieces. A language in which a
form depends on what stands in it, as the height of a bracket does in LaTeX, lays out the nodes from the leaves
up before. Neither recurses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from cgcli.annotations import Callable, Iterable, Iterator, Mapping, Sequence
from cgcli.graph.node import Node
from cgcli.graph.operation import REQUIRED, Callee, Shape, Static
from cgcli.ops.entry import CONDITIONAL
from cgcli.records import NamedTuple

# What is written by its name: nodes that have one, and the user's own functions.
Names = Mapping[Node | Callee, str]

RAISED = "raised"  # a mode: an exponent, which makes no bracket taller
SMALLEST = 2  # the size of an exponent, in which no fraction can be read
ENDLESS = 10**15  # characters; longer texts are not told apart


class View(NamedTuple):
    """A node as it stands in a formula: the whole of it, or one of its elements.

    items: a letter, a number or ':' for each of its axes; () for the whole.
    depth: how many letters are bound around it. small: how often its text is made smaller, at most SMALLEST times:
    a fraction around it does so once, an exponent twice.
    """

    node: Node
    items: tuple[str, ...] = ()
    depth: int = 0
    small: int = 0

    def of(self, node: Node, items: tuple[str, ...] = ()) -> View:
        """Another node at the same place."""
        return View(node, items, self.depth, self.small)

    def smaller(self, times: int = 1) -> View:
        """The view as it stands in a fraction, or with times=SMALLEST in an exponent."""
        return self._replace(small=min(self.small + times, SMALLEST))

    @property
    def rank(self) -> int:
        """How many axes are left."""
        return self.items.count(":") if self.items else len(self.node.shape)

    def argument(self, at: int) -> View:
        """An argument of an elementwise operation, at the same place; a repeated axis has only one."""
        arg = self.node.args[at]
        return self.of(arg, _aligned(self.items, arg.shape, self.node.shape))

    def arguments(self) -> list[View]:
        """All arguments: those of an elementwise operation at the same place, those of any other whole."""
        if not self.items:
            return [*map(self.of, self.node.args)]
        return [self.argument(at) for at in range(len(self.node.args))]


def _aligned(index: tuple[str, ...], shape: Shape, whole: Shape) -> tuple[str, ...]:
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
    """A view within the text of another, in brackets unless it binds at least as tightly as `level`.

    mode: how the language writes it at this place, in a word of its own; brackets end it.
    """

    view: View
    level: int = CONDITIONAL
    mode: str = ""


class Opening(str):
    """A bracket that grows with what it holds."""

    __slots__ = ()


class Closing(str):
    """The other bracket of the pair."""

    __slots__ = ()


_OPENING, _CLOSING = Opening("("), Closing(")")

Piece = str | Part


class Layout(NamedTuple):
    """How a view is written.

    level: how tightly it binds. tall: a plain bracket would be too small around it.
    first, last: the pieces at the ends of its text, where they are known. size: the length of its text, about.
    """

    level: int
    pieces: tuple[Piece, ...]
    tall: bool = False
    first: str = ""
    last: str = ""
    size: int = 0


class Form(NamedTuple):
    """A layout still to be made, for it depends on those of other views, which come first."""

    operands: Sequence[View]
    build: Callable[[], Layout]


class Vocabulary(ABC):
    """How a language writes what a graph is made of. Its `form` says it of one view.

    named: what is written by a name; `top` is written out although it has one.
    """

    def __init__(self, named: Names, top: Node | None = None) -> None:
        self.named = named
        self.top = top
        self.layouts: dict[View, Layout] = {}

    @abstractmethod
    def form(self, part: Part) -> Layout | Form:
        """How a view is written."""

    def layout(self, part: Part) -> Layout:
        """The layout of a view with nothing left to be made; by default the one that `lay_out` has found."""
        return self.layouts[part.view]

    def brackets(self, layout: Layout, level: int) -> tuple[str, str]:
        """What stands around a layout at a place of the given level."""
        return "(", ")"

    def name(self, node: Node) -> str | None:
        """What a node is written as, if by a name."""
        return None if node is self.top else self.named.get(node)

    def pieces(self, root: Part) -> Iterator[str]:
        """The text, piece by piece, from left to right."""
        stack: list[Piece] = [root]
        while stack:
            piece = stack.pop()
            if isinstance(piece, str):
                yield piece
                continue
            layout = self.layout(piece)
            if layout.level >= piece.level:
                stack += reversed(layout.pieces)
                continue
            if piece.mode:
                layout = self.layout(piece._replace(mode=""))
            opening, closing = self.brackets(layout, piece.level)
            stack += (closing, *reversed(layout.pieces), opening)

    def lay_out(self, root: View) -> Layout:
        """The layout of a view, after those of all that stands in it; they are kept in `layouts`."""
        layouts = self.layouts
        stack: list[tuple[View, Layout | Form | None]] = [(root, None)]
        while stack:
            view, form = stack.pop()
            if view in layouts:
                continue
            if form is None:
                form = self.form(Part(view))
                operands = form.operands if isinstance(form, Form) else _views(form.pieces)
                if waiting := [(operand, None) for operand in operands if operand not in layouts]:
                    stack.append((view, form))
                    stack += reversed(waiting)
                    continue
            layouts[view] = self._finished(form.build() if isinstance(form, Form) else form)
        return layouts[root]

    def first(self, piece: Piece) -> str:
        """The first piece of the text of a part whose view is laid out."""
        if isinstance(piece, str):
            return piece
        layout = self.layouts[piece.view]
        return self.brackets(layout, piece.level)[0] if self._is_loose(piece) else layout.first

    def last(self, piece: Piece) -> str:
        """The last piece of the text of a part whose view is laid out."""
        return piece if isinstance(piece, str) else ")" if self._is_loose(piece) else self.layouts[piece.view].last

    def _is_loose(self, part: Part) -> bool:
        return self.layouts[part.view].level < part.level

    def _finished(self, layout: Layout) -> Layout:
        """A layout with what follows from those of its parts."""
        pieces = layout.pieces
        tall, size = layout.tall, 0
        for piece in pieces:
            if isinstance(piece, str):
                size += len(piece)
                continue
            inner = self.layouts[piece.view]
            tall = tall or (inner.tall and piece.mode != RAISED)
            size += inner.size + (2 if inner.level < piece.level else 0)
        return Layout(
            layout.level,
            tuple(map(_grown, pieces)) if tall else pieces,
            tall,
            layout.first or self.first(pieces[0]),
            self.last(pieces[-1]),
            min(size, ENDLESS),
        )


def _views(pieces: Iterable[Piece]) -> list[View]:
    return [piece.view for piece in pieces if not isinstance(piece, str)]


def _grown(piece: Piece) -> Piece:
    if isinstance(piece, Opening):
        return rf"\left{piece}"
    return rf"\right{piece}" if isinstance(piece, Closing) else piece


def call(head: str, arguments: Iterable[Piece]) -> tuple[Piece, ...]:
    """A function with its arguments."""
    return head, _OPENING, *comma_separated(arguments), _CLOSING


def comma_separated(items: Iterable[Piece]) -> list[Piece]:
    """The pieces with commas between them."""
    return [piece for item in items for piece in (", ", item)][1:]


def given_arguments(view: View, written: Callable[[Static, str], str]) -> list[Piece]:
    """All that a function was given, in order. written: how a static parameter is written, given its value's text."""
    arguments: list[Piece] = list(map(Part, view.arguments()))
    given = given_statics(view.node)
    if not given:
        return arguments
    return [
        *(written(static, text) for static, text in given if static.leading),
        *arguments,
        *(written(static, text) for static, text in given if not static.leading),
    ]


def given_statics(node: Node) -> list[tuple[Static, str]]:
    """The static parameters that are not at their defaults, with their text."""
    if not node.op.statics:
        return []
    shapes = [arg.shape for arg in node.args]
    return [
        (static, static.show(param, shapes))
        for static, param in zip(node.op.statics, node.params, strict=True)
        if static.default is REQUIRED or param != static.convert(static.default, shapes)
    ]
