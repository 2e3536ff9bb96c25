"""Text to syntax tree, with lark. The only importer of lark.

The grammar is `grammar/cg.lark`. Its parse tables are kept beside it as JSON, because
making them costs more than all the rest of a call; when they do not belong to the grammar
at hand (it was edited, or lark is another version), they are made afresh. After an edit:
`python -m cgcli.syntax.parser` writes them again, and a test says when that was forgotten.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import lark

from cgcli.errors import ParseError, Source, TooLargeError
from cgcli.syntax import tree
from cgcli.syntax.brackets import joined_lines
from cgcli.syntax.builder import TreeBuilder
from cgcli.syntax.textbook import with_products

MAX_CHARACTERS = 4_000_000

_GRAMMAR = "cg.lark"
_TABLES = "cg.tables.json"

_DEFINITION = re.compile(r"\)\s*=(?!=)")


def _no_name(name: str) -> bool:
    return False


def parse(
    text: str, name: str = "", functions: Callable[[str], bool] = _no_name, values: Collection[str] = ()
) -> tree.Program:
    """The syntax tree of a program; bodies of definitions may be in textbook form: see textbook.py.

    name: what messages call the text, such as a file's name. functions: whether a name is one
    of a function. values: the names that have a value from outside of the program; in a body they do not
    split into parameters.
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
        if _DEFINITION.search(text):
            statements, read_as = _with_definitions(joined_lines(text), values, functions)
        else:
            statements = _lark().parse(joined_lines(text))
    except lark.UnexpectedInput as error:
        from cgcli.syntax import mistakes

        raise mistakes.explain(error, text, functions).at(None, source) from None
    except ParseError as error:
        raise error.at(None, source) from None
    return tree.Program(tuple(statements), source, read_as)


def _with_definitions(
    text: str, values: Collection[str], functions: Callable[[str], bool]
) -> tuple[Any, tuple[str, ...]]:
    """The statements of a program that defines functions, and the bodies that were in textbook form."""
    tokens: list[lark.Token] = []
    foreign: lark.UnexpectedInput | None = None
    try:
        tokens.extend(_lark().lex(text))
    except lark.UnexpectedInput as error:
        foreign = error  # what stands before it may be wrong as well, and goes first
    tokens, read_as = with_products(text, tokens, values, functions)
    parser: Any = _lark().parse_interactive()
    for token in tokens:
        parser.feed_token(token)
    if foreign is not None:
        raise foreign
    return parser.feed_eof(tokens[-1] if tokens else None), read_as


# ---- the parser itself ----------------------------------------------------------------


@cache
def _lark() -> lark.Lark:
    """The parser, made once per process."""
    grammar = _read(_GRAMMAR)
    return _from_tables(grammar) or _from_grammar(grammar)


def grammar_file(name: str) -> str:
    """The path of a file of grammar/: inside the installed package, or at the top of a checkout."""
    # os.path, for pathlib alone would take a sixth of the start-up that is ours
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "grammar", name)
    return inside if os.path.exists(inside) else os.path.join(os.path.dirname(package), "grammar", name)


def _read(name: str) -> str:
    with open(grammar_file(name), encoding="utf-8") as stream:
        return stream.read()


def _from_grammar(grammar: str) -> lark.Lark:
    return lark.Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True, transformer=TreeBuilder())


def _from_tables(grammar: str) -> lark.Lark | None:
    """The parser from its stored tables; None when they belong to something else."""
    try:
        stored = json.loads(_read(_TABLES))
    except OSError:
        return None
    if (stored["lark"], stored["grammar"]) != (_lark_series(), grammar):
        return None
    # JSON has text keys only, and lark wants the whole numbers that they were
    table = stored["data"]["parser"]["parser"]
    table["tokens"] = _numbered(table["tokens"])
    table["states"] = {int(state): _numbered(actions) for state, actions in table["states"].items()}
    load: Any = lark.Lark._load_from_dict
    parser: lark.Lark = load(stored["data"], _numbered(stored["memo"]), transformer=TreeBuilder())
    return parser


def _lark_series() -> str:
    """Lark's version without its patch number: tables hold for a series."""
    return ".".join(lark.__version__.split(".")[:2])


def _numbered(table: dict[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in table.items()}


def tables(grammar: str) -> str:
    """The text of the stored tables for a grammar."""
    plain = lark.Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True)
    data, memo = plain.memo_serialize([lark.lexer.TerminalDef, lark.grammar.Rule])
    stored = {"lark": _lark_series(), "grammar": grammar, "data": data, "memo": memo}
    return json.dumps(stored, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    with open(grammar_file(_TABLES), "w", encoding="utf-8") as target:
        target.write(tables(_read(_GRAMMAR)))
    print(f"wrote {target.name}")
