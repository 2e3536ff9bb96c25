"""The scanner and the driver of the tables against lark itself: the same tokens, trees, places, and mistakes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import lark
import pytest

from cgcli.errors import ParseError
from cgcli.syntax import parser as front
from cgcli.syntax import tables
from cgcli.syntax.brackets import joined_lines
from cgcli.syntax.builder import TreeBuilder
from cgcli.syntax.lalr import Tables, read
from cgcli.syntax.scanner import Token, UnexpectedError, is_word
from cgcli.syntax.scanner import tokens as scanned
from tests.fuzzing import mutated

HERE = Path(__file__).parent
# One character of each kind, and those that begin or end something.
LETTERS = " \t\n\u00a0\u200b;#.,:?=!<>&|+-−*·/÷%@^√()[]`'\"_07٣²⁻₁¼⅐⅟∞aTeExé中\x00\u0301ℵªⁿπ"
WORDS = [
    "and", "or", "not", "mod", "jvp", "jvp f(", "jvp  `a b` (", "jvp 1(", "jvp _(", "jvp f", "jvp\t²(", ".T", ".T2",
    "1e5", "1e", "1e+", "1.e-3", "1_000", "1__0", "1_", "._1", ".5", "5.", "x²", "x⁻¹", "x₁", "∞", "`a b`", "``",
    "`\n`", "`\x85`", "'t'", "'", "\"", "# c", "\n", ";;\n # c\n", "**", "//", "<=", "!", "&&", "|", "a.T", "a.b",
    "andy", "nota",
]  # fmt: skip


class _OfLark:
    """The builder, called by lark: its tokens become ours."""

    def __getattr__(self, name: str) -> Callable[[list[Any]], Any]:
        method = getattr(TreeBuilder(), name)
        return lambda children: method([_ours(child) if isinstance(child, lark.Token) else child for child in children])


def _ours(token: lark.Token) -> Token:
    return Token(token.type, str(token), token.start_pos or 0, token.end_pos or 0)


@cache
def _lark() -> lark.Lark:
    transformer: Any = _OfLark()
    return lark.Lark(read("cg.lark"), parser="lalr", lexer="basic", maybe_placeholders=True, transformer=transformer)


def _by_lark(text: str) -> object:
    """What lark makes of a text: statements, or what is wrong and where."""
    try:
        return _lark().parse(text)
    except lark.UnexpectedToken as error:
        return error.token.type, None if error.token.type == "$END" else error.token.start_pos
    except lark.UnexpectedCharacters as error:
        return None, error.pos_in_stream
    except ParseError as error:
        return error.message, error.span


def _by_us(text: str, built: Tables) -> object:
    try:
        return built.parse(scanned(text))
    except UnexpectedError as error:
        end = error.token and error.token.type == "$END"
        return error.token and error.token.type, None if end else error.position
    except ParseError as error:
        return error.message, error.span


def _tokens(scan: Callable[[str], Iterator[Token]], text: str) -> list[object]:
    found: list[object] = []
    try:
        found.extend(scan(text))
    except UnexpectedError as error:
        found.append(error.position)
    return found


def _assert_same_tokens(texts: Iterator[str] | list[str]) -> None:
    reference = _lark()

    def by_lark(text: str) -> Iterator[Token]:
        try:
            yield from map(_ours, reference.lex(text))
        except lark.UnexpectedCharacters as error:
            raise UnexpectedError(None, error.pos_in_stream or 0) from None

    for text in texts:
        assert _tokens(scanned, text) == _tokens(by_lark, text), ascii(text)


@cache
def _corpus() -> list[str]:
    """Every text in the tests and the examples that may be a program, and many more that are none."""
    found: dict[str, None] = {}
    for path in sorted(HERE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 300:
                found[node.value] = None
    for path in [*HERE.glob("*.txt"), *(HERE.parent / "examples").glob("*.cg"), HERE.parent / "README.md"]:
        text = path.read_text(encoding="utf-8")
        found |= dict.fromkeys([text, *text.splitlines()])
    return list(found)


def test_every_character_begins_and_continues_the_same_token() -> None:
    """Protects the classes of characters, all alphabets."""
    everywhere = [
        chr(code)
        for code in (*range(0x600), *range(0x2000, 0x2200), *range(0x600, 0x20000, 251))
        if not 0xD800 <= code < 0xE000
    ]
    _assert_same_tokens([f"{one}1 a{one}1" for one in everywhere])


def test_the_scanner_makes_the_tokens_of_lark() -> None:
    """Protects symbols, words, numbers, names and what ends them: all pairs and triples, and random rows."""
    characters = sorted(set(LETTERS))
    random = Random(5)
    _assert_same_tokens(["".join(pair) for pair in product(characters, repeat=2)])
    _assert_same_tokens(["".join(pair) for pair in product(WORDS, ["", *".T_²⁻(ae`1é\n "])])
    _assert_same_tokens(["".join(random.choices([*characters, *WORDS], k=9)) for _ in range(500)])


def test_the_tables_make_the_trees_of_lark() -> None:
    """Protects trees, spans and the place of each mistake, for every text of the tests and for spoilt ones."""
    built, _ = front._parser()
    random = Random(7)
    corpus = random.sample(every := _corpus(), len(every) // 5)
    spoilt = [mutated(text, random.choice(corpus)[:300], random) for text in corpus[::3] if len(text) < 300]
    for text in map(joined_lines, [*corpus, *spoilt]):
        ours, reference = _by_us(text, built), _by_lark(text)
        # repr, for a nan is not equal to itself
        assert ours == reference or repr(ours) == repr(reference), ascii(text)


def test_without_tables_lark_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who edits the grammar: until the tables are written again, lark takes texts apart."""
    grammar = read("cg.lark").replace("TEXT: ", "TEXT: /’[^’]*’/ | ")
    monkeypatch.setattr(front, "read", lambda name: grammar if name == "cg.lark" else read(name))
    front._parser.cache_clear()
    try:
        assert front.parse("f(x) = 2x; f(3) + ’quoted’").read_as == ("2*x",)
        with pytest.raises(ParseError, match="no operator"):
            front.parse("1 2")
        with pytest.raises(ParseError, match="not part of the language"):
            front.parse("1 + ~")
    finally:
        front._parser.cache_clear()


def test_the_stored_tables_are_those_of_the_grammar() -> None:
    """Forgotten `python -m cgcli.syntax.tables` after an edit of the grammar."""
    assert read("cg.tables") == tables.tables(read("cg.lark"))


def test_a_word_is_what_a_pattern_of_one_matches() -> None:
    """Protects names on the command line, which are read without the module for patterns."""
    characters = [chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000]
    texts = ["", "_", "__", "a_1", "1a", "a b", *characters, *(f"a{character}" for character in characters)]
    assert [is_word(text) for text in texts] == [re.fullmatch(r"[^\W\d]\w*", text) is not None for text in texts]
