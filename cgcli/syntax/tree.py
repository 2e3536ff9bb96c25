"""The syntax tree: what was written, and where. Nothing here knows what a name means."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, ClassVar, Iterator, Self, dataclass_transform
from cgcli.errors import Source, Span

if TYPE_CHECKING:

    @dataclass_transform(frozen_default=True)
    class Tree:
        """A named tuple that is no tuple to mypy, which would compare trees with each other for minutes."""

        _fields: ClassVar[tuple[str, ...]]

        def __iter__(self) -> Iterator[Any]: ...
        def _replace(self, **others: Any) -> Self: ...
else:
    from cgcli.records import NamedTuple as Tree


class Number(Tree):
    """A numeral, or a numeral with its minus sign."""

    value: float
    span: Span


class Name(Tree):
    """A name: of a variable, a constant, a parameter, an earlier statement."""

    name: str
    span: Span


class Text(Tree):
    """A quoted text, as the subscripts of einsum."""

    text: str
    span: Span


class Call(Tree):
    """A function or an operator applied to arguments.

    operator: written as a symbol, so that no definition of the user's can take its place.
    where: the span of the function's name or of the operator's symbol.
    """

    function: str
    args: tuple[Expression, ...]
    keywords: tuple[tuple[str, Expression, Span], ...]
    span: Span
    where: Span
    operator: bool = False


class Compare(Tree):
    """A chain of comparisons: operands[0] functions[0] operands[1] functions[1] ..."""

    operands: tuple[Expression, ...]
    functions: tuple[str, ...]
    span: Span


class Array(Tree):
    """A bracketed list of elements."""

    items: tuple[Expression, ...]
    span: Span


class Slice(Tree):
    """start:stop:step inside brackets; None where left out."""

    start: Expression | None
    stop: Expression | None
    step: Expression | None
    span: Span


class Dots(Tree):
    """... inside brackets: all axes that no other index takes."""

    span: Span


class NewAxis(Tree):
    """None or newaxis inside brackets: an axis of size 1."""

    span: Span


class Index(Tree):
    """base[items]."""

    base: Expression
    items: tuple[Expression | Dots | NewAxis, ...]
    span: Span


class Series(Tree):
    """function(name=first..last, body): a sum or a product over an index. where: the span of the function's name."""

    function: str
    name: str
    first: Expression
    last: Expression
    body: Expression
    span: Span
    where: Span


class Derived(Tree):
    """jvp function(args; moved), the results' tangents; vjp function(args; moved; guards), the arguments' adjoints.

    mode: 'jvp' or 'vjp'. moved: the tangents of the arguments, or the cotangents of the results. guards: 0 where such a
    cotangent is a structural zero; () for none. where: the span of the function's name.
    """

    mode: str
    function: str
    args: tuple[Expression, ...]
    moved: tuple[Expression, ...]
    guards: tuple[Expression, ...]
    span: Span
    where: Span


class Solve(Tree):
    """solve(left = right, name=start), or as many equations as names. where: the span of the function's name.

    sides: of each equation, left and right. names: the unknowns. starts: where Newton's method begins.
    """

    sides: tuple[tuple[Expression, Expression], ...]
    names: tuple[Name, ...]
    starts: tuple[Expression, ...]
    span: Span
    where: Span


class Block(Tree):
    """Statements in braces, as the body of a function; the last one is its value."""

    statements: tuple[Statement, ...]
    span: Span


Expression = Number | Name | Text | Call | Compare | Array | Slice | Index | Series | Derived | Solve | Block


class Assign(Tree):
    """name = value."""

    name: str
    value: Expression | Flow
    span: Span


class Define(Tree):
    """function(parameters) = body."""

    function: str
    parameters: tuple[Name, ...]
    body: Expression | Flow
    span: Span


class DefineJvp(Tree):
    """jvp function(parameters; tangents) = body: the function's derivative rule.

    where: the span of the function's name.
    """

    function: str
    parameters: tuple[Name, ...]
    tangents: tuple[Name, ...]
    body: Expression
    span: Span
    where: Span


class Outputs(Tree):
    """(a, b): several results."""

    items: tuple[Expression, ...]
    span: Span


class Declare(Tree):
    """name: shape."""

    name: str
    shape: Expression
    span: Span


class AssignSeveral(Tree):
    """(names) = value: the results of a function or a loop that gives several."""

    names: tuple[Name, ...]
    value: Expression | Outputs | Flow
    span: Span


class While(Tree):
    """while condition { body }."""

    condition: Expression
    body: Block
    span: Span


class For(Tree):
    """for name in first..last { body }, or for name in first { body }: over the elements of an array."""

    name: str
    first: Expression
    last: Expression | None
    body: Block
    span: Span


class Repeat(Tree):
    """repeat trips { body }."""

    trips: Expression
    body: Block
    span: Span


class If(Tree):
    """if condition { yes } else { no }."""

    condition: Expression
    yes: Block
    no: Block
    span: Span


Flow = While | For | Repeat | If
Statement = Expression | Assign | AssignSeveral | Define | DefineJvp | Declare | Outputs | Flow


class Program(Tree):
    """The statements of a text, in order; the last one is the result.

    source: the text, as the user wrote it. read_as: the bodies of definitions in textbook form, with
    the product signs that they imply.
    """

    statements: tuple[Statement, ...]
    source: Source
    read_as: tuple[str, ...] = ()
