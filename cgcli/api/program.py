"""A program of the language as a Python object: its text, its inputs, and its graph at given shapes."""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Iterable, Mapping
from cgcli.errors import CgError, ShapeError, UsageError
from cgcli.graph.collector import collector_at_rest
from cgcli.graph.node import Graph
from cgcli.graph.operation import Shape
from cgcli.graph.shapes import shape_of
from cgcli.lean import MappingProxyType, cached_property
from cgcli.lowering.inputs import declared_shapes
from cgcli.lowering.lower import lower
from cgcli.lowering.sizes import names_of_sizes, sized, sizes_by_shape
from cgcli.ops.table import CONSTANTS, FUNCTIONS
from cgcli.records import Record
from cgcli.syntax import parser, tree

_LONGEST_DRAWN = 10_000  # characters, of a program that a notebook shows as a picture


class Program(Record):
    """A program that has been read; `parse` makes it, and `str` gives its text back.

    text: as it was given. inputs: the names that need a value, in order of appearance; shapes: those
    that the program declares with numbers alone, by name; sizes: the names in the others. Two programs are equal when
    their texts are. The other fields are the library's own.
    """

    # opened: names that are read as inputs, though the language has constants of these names
    # exactly: numerals keep digits that no float64 has
    # book: derivatives by a name are those of a book, for formulas
    # known, equations: how it was read, as of `read_text`
    text: str
    shapes: Mapping[str, Shape]
    syntax: tree.Program
    opened: Collection[str] = ()
    exactly: bool = False
    book: bool = False
    known: Collection[str] = ()
    equations: str = ""

    @cached_property
    def open_names(self) -> tuple[str, ...]:
        """The names that a value may be given for: the inputs, and constants of the language."""
        from cgcli.lowering.free_names import free_names

        return free_names(self.syntax)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names that need a value."""
        declared = {item.name for item in self.syntax.statements if isinstance(item, tree.Declare)}
        known = CONSTANTS.keys() - declared - {*self.opened}
        return tuple(name for name in self.open_names if name not in known)

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """The names that stand for sizes, as m and n in `A: [m, n]`."""
        return tuple(names_of_sizes(sized(self.syntax.statements)))

    def unknown_sizes(self, values: Mapping[str, Any]) -> list[str]:
        """The sizes that neither have a value nor follow from the shapes of others; none where these disagree."""
        shapes = {name: shape_of(value) for name, value in values.items()} if self.sizes else {}
        try:
            told = sizes_by_shape(sized(self.syntax.statements), shapes, {})
        except ShapeError:
            return []
        return [name for name in self.sizes if name not in told and name not in values]

    def opening(self, wrt: Iterable[str]) -> Program:
        """The program when it is differentiated by these names: constants among them are names like others."""
        opened = [name for name in wrt if name in CONSTANTS and name in self.open_names]
        return self._but(opened=(*self.opened, *opened)) if opened else self

    def exact(self) -> Program:
        """The program for a computation with many digits: its numerals keep all of theirs."""
        return self._but(exactly=True)

    def in_book_form(self) -> Program:
        """The program for formulas: D(f(x), x) in it is the derivative as a book has it."""
        return self._but(book=True)

    def _but(self, **fields: Any) -> Program:
        """The same with other fields."""
        return Program(**{**{name: getattr(self, name) for name in self._fields}, **fields})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"cgcli.parse({self.text!r})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows: the picture; of a large program, or one that cannot be drawn, the text alone."""
        svg = ""
        if len(self.text) <= _LONGEST_DRAWN:
            from contextlib import suppress

            from cgcli.rendering.draw import svg_of

            with suppress(CgError):
                svg = svg_of(self.graph({}, calls=True))
        return {"text/plain": self.text} | ({"image/svg+xml": svg} if svg else {})

    def __reduce__(self) -> tuple[object, ...]:
        known, flags = tuple(sorted(self.known)), (self.exactly, self.book)
        return read_again, (self.text, self.syntax.source.name, known, self.equations, self.opened, *flags)

    def graph(
        self, shapes: Mapping[str, Shape], sizes: Mapping[str, int] | None = None, *, calls: bool = False
    ) -> Graph:
        """The graph of the program when its inputs have these shapes; those not named are as declared, or scalars.

        sizes: those that the shapes do not tell. calls: with a record of the calls of its functions.

        Raises UnknownNameError, ArgumentError, ShapeError with their place in the text.
        """
        record = None
        if calls:
            from cgcli.lowering.calls import Recorder

            record = Recorder()
        given = {**dict.fromkeys(self.opened, ()), **shapes} if self.opened else shapes
        with collector_at_rest:
            return lower(self.syntax, given, sizes, exactly=self.exactly, book=self.book, record=record)


def read(program: Program | str, wrt: Iterable[str] | None = None) -> Program:
    """The program itself, or the one that a text is, to be differentiated by some names.

    Raises UsageError for anything else.
    """
    if isinstance(program, Program):
        return program.opening(wrt or ())
    return parse(program).opening(wrt or ())


def read_again(
    text: str, name: str, known: Collection[str], equations: str, opened: Iterable[str], exactly: bool, book: bool
) -> Program:
    """The program that was read so."""
    return read_text(text, name, known, equations=equations).opening(opened)._but(exactly=exactly, book=book)


def parse(text: str) -> Program:
    """Read a program of the language: an expression, or statements of which the last is the result.

    >>> program = parse("w: [3]; sum((w*x)^2) + b")
    >>> program.inputs
    ('w', 'x', 'b')
    >>> program.shapes["w"]
    (3,)
    >>> print(program)
    w: [3]; sum((w*x)^2) + b

    Products between the parameters of a definition may go without a sign, as in books:
    `f(x, y) = 2xy`. What depends on the shapes of the inputs is checked when these are known.

    Raises ParseError with the place of the mistake, TooLargeError for a text of more than 4 MB, UsageError
    for what is no text.
    """
    if not isinstance(text, str):
        raise UsageError(f"a program is a text, and not a '{type(text).__name__}'", hint="as in: 'x^2 + 1'")
    return read_text(text)


def read_text(text: str, name: str = "", known: Collection[str] = (), *, equations: str = "") -> Program:
    """As `parse`. name: what messages call the text. known: names that will have a value.

    equations: `model`, `system` or `relation` where the sides of equations are the results: see `syntax.equations`.
    """
    with collector_at_rest:
        syntax = parser.parse(text, name, FUNCTIONS.__contains__, {*known, *CONSTANTS}, equations=equations,
                              given=known)  # fmt: skip
    shapes = MappingProxyType(declared_shapes(syntax))
    return Program(text, shapes, syntax, known=known, equations=equations)
