"""Text to syntax tree. The grammar is `grammar/cg.lark`; the tables that lark made of it are kept beside it."""

from __future__ import annotations

from cgcli.annotations import Any, Callable, Collection, Iterable, Iterator
from cgcli.errors import ParseError, Source, TooLargeError
from cgcli.lean import cache
from cgcli.syntax import tree
from cgcli.syntax.builder import TreeBuilder
from cgcli.syntax.lalr import GRAMMAR, Tables, read
from cgcli.syntax.scanner import Token, UnexpectedError
from cgcli.syntax.scanner import tokens as scanned

MAX_CHARACTERS = 4_000_000


def _no_name(name: str) -> bool:
    return False


def parse(
    text: str, name: str = "", functions: Callable[[str], bool] = _no_name, values: Collection[str] = (),
    *, equations: str = "", given: Collection[str] = (),
) -> tree.Program:  # fmt: skip
    """The syntax tree of a program; bodies of definitions may be in textbook form: see textbook.py.

    name: what messages call the text, such as a file's name. functions: whether a name is one
    of a function. values: the names that have a value from outside of the program; in a body they do not
    split into parameters, and only those of them may have a point in them, `p.x`.
    equations: of which kind the program has some, whose sides are its results; given: the names among
    `values` that are no constants of the language: see equations.py.
    Raises ParseError with the place and a fix, TooLargeError for more than 4 MB.
    """
    source = Source(text, name)
    if len(text) > MAX_CHARACTERS:
        raise TooLargeError(
            f"the program is {len(text)} characters long",
            hint=f"the limit is {MAX_CHARACTERS}; give numbers as values of names",
            topic=f"long:{MAX_CHARACTERS}",
        )
    read_as: tuple[str, ...] = ()
    statements: Any
    try:
        joined = text
        if "\n" in text:
            from cgcli.syntax.brackets import joined_lines

            joined = joined_lines(text)
        tables, scan = _parser(bool(equations))
        tokens: Iterable[Token] = scan(joined, [value for value in values if "." in value])
        if _may_define(text):
            tokens, read_as = _with_products(joined, tokens, values, functions, equations=bool(equations))
        statements = tables.parse(tokens)
        if equations:
            from cgcli.syntax.equations import told

            statements = told(statements, equations, given, functions)
    except UnexpectedError as error:
        from cgcli.syntax import mistakes

        raise mistakes.explain(error, text, functions).at(None, source) from None
    except ParseError as error:
        raise error.at(None, source) from None
    return tree.Program(tuple(statements), source, read_as)


def _may_define(text: str) -> bool:
    """Whether a `)` stands before a `=`, as in the definition of a function."""
    start, at = 0, text.find("=")  # what stands between two of them is looked at, and not all before
    while at >= 0:
        if text[start:at].rstrip().endswith(")") and not text.startswith("=", at + 1):
            return True
        start, at = at + 1, text.find("=", at + 1)
    return False


def _with_products(
    text: str, scan: Iterable[Token], values: Collection[str], functions: Callable[[str], bool], *, equations: bool
) -> tuple[Iterator[Token], tuple[str, ...]]:
    """The tokens of a program that defines functions, and the bodies that were in textbook form."""
    from cgcli.syntax.textbook import with_products

    tokens: list[Token] = []
    foreign: UnexpectedError | None = None
    try:
        tokens.extend(scan)
    except UnexpectedError as error:
        foreign = error  # what stands before it may be wrong as well, and goes first
    tokens, read_as = with_products(text, tokens, values, functions, equations=equations)

    def all_tokens() -> Iterator[Token]:
        yield from tokens
        if foreign is not None:
            raise foreign

    return all_tokens(), read_as


@cache
def _parser(equations: bool = False) -> tuple[Tables, Callable[[str, Collection[str]], Iterable[Token]]]:
    """The tables and what makes tokens, once per process; by lark where the stored tables are not the grammar's."""
    builder = TreeBuilder()
    if equations:
        from cgcli.syntax.equations import EquationBuilder

        builder = EquationBuilder()
    grammar = read("cg.lark")
    try:
        stored = read("cg.tables")
    except OSError:
        stored = ""
    if stored.partition(GRAMMAR)[2] == grammar:
        return Tables(stored, builder), scanned
    from cgcli.syntax import tables

    return Tables(tables.tables(grammar), builder), lambda text, _: tables.tokens(grammar, text)
