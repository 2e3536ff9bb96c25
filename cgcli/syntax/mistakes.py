"""What a syntax error means: from the place where the parser stopped to a sentence and a fix."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from cgcli.errors import ParseError, Span
from cgcli.syntax.builder import SUPERSCRIPTS

if TYPE_CHECKING:
    import lark

_OPENING = {")": "(", "]": "["}
_CLOSING = {"(": ")", "[": "]"}
_OPERANDS = {"NUMBER", "NAME", "LPAR", "TEXT", "ROOT"}
_LAST_OPERAND = re.compile(r"[\w.`)\]₀-₉⁰-⁹∞]\s*$")
_LAYOUT = re.compile(r"""[()\[\]]|\#[^\n]*|`[^`\n]+`|"[^"\n]*"|'[^'\n]*'""")
_BLANKS = " \t\r\f\u00a0\u2009\u202f\ufeff"
_FUNCTION_TO_A_POWER = re.compile(r"(?P<name>[^\W\d]\w*?)\s*\^?\s*(?P<power>-?\d+|[⁻⁰¹²³⁴-⁹]+)$")
_NUMERAL = re.compile(r"\d+$")
_WORD = re.compile(r"(`[^`]+`|[\w.]+|[)\]])$")
_LAST_SYMBOL = re.compile(r"[^\w\s]{1,2}$|\w+$")
_NEAR = 80  # characters before a mistake that are looked at
_SMART_QUOTES = "“”„‘’‚«»"


def explain(error: lark.UnexpectedInput, text: str, functions: Callable[[str], bool]) -> ParseError:
    """The ParseError for what lark could not read in `text`; functions: whether a name is one."""
    text = _LAYOUT.sub(lambda match: " " * len(match[0]) if match[0][0] == "#" else match[0], text)
    unbalanced = _unbalanced(text)
    token = getattr(error, "token", None)
    if token is None:
        return _foreign_character(text, error.pos_in_stream or 0)
    if unbalanced is not None and unbalanced.span is not None:
        reached = token.type == "$END" or token.start_pos >= unbalanced.span.start
        if reached:
            return unbalanced
    if token.type == "$END":
        return _ends_early(text)
    return _unexpected(text, token, functions)


def _at_end(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The pattern at the end of a text, of which only the last characters are looked at."""
    return pattern.search(text, max(0, len(text) - _NEAR))


def _ends_early(text: str) -> ParseError:
    end = len(text.rstrip())
    if end == 0:
        return ParseError("there is no expression", hint="as in: cg eval '1 + 1'")
    choice = _open_choice(text[:end])
    if choice is not None:
        return choice
    last = _at_end(_LAST_SYMBOL, text[:end])
    start = last.start() if last else end - 1
    return ParseError(
        f"something is missing after '{text[start:end]}'",
        Span(start, end),
        hint="an operator needs a value on its right",
    )


def _open_choice(before: str) -> ParseError | None:
    """A `?` whose `:` is missing, when what stands before reads as a whole value."""
    at = before.rfind("?")
    if at < 0 or not _at_end(_LAST_OPERAND, before):
        return None
    return ParseError("'?' has no ':'", Span(at, at + 1), hint="a choice is as in: x > 0 ? x : -x")


def _unexpected(text: str, token: lark.Token, functions: Callable[[str], bool]) -> ParseError:
    start, end = token.start_pos or 0, token.end_pos or 0
    here = Span(start, end)
    before = text[:start].rstrip(_BLANKS)
    if token.type in _OPERANDS and _at_end(_LAST_OPERAND, before):
        return _two_values(before, token, here, functions)
    if token.type == "EQUALS":
        return ParseError("'=' cannot stand here", here, hint="write '==' to compare")
    if token.type == "COMMA":
        left = _at_end(_NUMERAL, before)
        right = re.match(r"\d{3}(,\d{3})*(\.\d+)?(?!\d)", text[end:])
        if left and right:
            groups = f"{left[0]},{right[0]}"
            number = Span(left.start(), left.start() + len(groups))
            return ParseError("a number has no commas", number,
                              hint=f"write {groups.replace(',', '')} or {groups.replace(',', '_')}")  # fmt: skip
        if not _at_end(_LAST_OPERAND, before):
            return ParseError("a value is missing before ','", here)
        return ParseError("a comma cannot stand here", here, hint="a list is written in brackets: [1, 2]")
    if token.type in ("_SEPARATOR", "RPAR", "RBRACKET") and (choice := _open_choice(before)) is not None:
        return choice
    if token.type == "_SEPARATOR":
        return ParseError("the statement is not complete", Span(max(len(before) - 1, 0), len(before)),
                          hint="a statement goes on over lines only inside brackets")  # fmt: skip
    if token.type in ("RPAR", "RBRACKET"):
        return ParseError(f"a value is missing before '{token}'", here)
    if token in ("<", ">") and before.endswith("="):
        return ParseError(f"'={token}' is no comparison", Span(start - 1, end), hint=f"write '{token}='")
    return ParseError(f"'{token}' cannot stand here", here, hint=_missing_operand(before))


def _missing_operand(before: str) -> str:
    return "" if _at_end(_LAST_OPERAND, before) else "a value is missing on its left"


def _two_values(before: str, token: lark.Token, here: Span, functions: Callable[[str], bool]) -> ParseError:
    """Two values with no operator between them: 2x, x(1 + y), sin x."""
    word = _at_end(_WORD, before)
    left = word[0] if word else before[-1:]
    start = word.start() if word else here.start
    span = Span(start, here.end)
    touching = here.start == len(before)
    if touching and re.fullmatch(r"[\d_.]+", left) and re.fullmatch(r"[eE]", token):
        return ParseError("a number's exponent is missing", span, hint=f"as in: {left}e5")
    if touching and re.fullmatch(r"[\d_.]+", left) and token.type == "NUMBER":
        return ParseError("a number has one decimal point", span)
    if {left, str(token)} & {"if", "then", "else"}:
        return ParseError("a choice is not written in words", span, hint="write c ? a : b, or where(c, a, b)")
    power = _at_end(_FUNCTION_TO_A_POWER, before)
    if power is not None and token.type == "LPAR" and functions(power["name"]):
        name, exponent = power["name"], power["power"].translate(SUPERSCRIPTS)
        inverse = f", or a{name}(…) for the inverse" if functions(f"a{name}") and exponent == "-1" else ""
        return ParseError("a function's power stands behind its argument", Span(power.start(), here.end),
                          hint=f"write {name}(…)^{exponent}{inverse}")  # fmt: skip
    if re.fullmatch(r"[^\W\d]\w*", left) and token.type in ("NUMBER", "NAME") and functions(left):
        return ParseError("a function's argument stands in brackets", span, hint=f"write {left}({token})")
    left = "(…)" if left == ")" else "[…]" if left == "]" else left
    right = "(…)" if token.type == "LPAR" else str(token)
    return ParseError("there is no operator between two values", span, hint=f"to multiply, write {left}*{right}")


def _foreign_character(text: str, position: int) -> ParseError:
    character = text[position]
    span = Span(position, position + 1)
    if character in "\"'":
        return ParseError("the quoted text is not closed", span, hint=f"add the closing {character}")
    if character == "`":
        return ParseError("the name in backticks is not closed", span, hint="add the closing `")
    if character in _SMART_QUOTES:
        return ParseError("a typographic quote cannot stand here", span, hint="write ' or \"")
    if unicodedata.combining(character):
        whole = unicodedata.normalize("NFC", text[max(position - 1, 0) : position + 1])
        hint = f"write '{whole}' as one character" if len(whole) == 1 else "put the name in backticks: `x`"
        return ParseError(f"an accent of its own (U+{ord(character):04X}) cannot stand here", span, hint=hint)
    plain = unicodedata.normalize("NFKC", character).replace("⁄", "/")
    if plain != character and plain.isascii() and plain.isprintable() and plain.strip():
        return ParseError(f"'{character}' is a full-width or styled form", span, hint=f"write {plain}")
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    shown = f"'{character}' ({name})" if character.isprintable() else name
    hints = {"|": "write abs(x), or 'or'", "!": "write 'not', or gamma(n + 1) for a factorial",
             "&": "write 'and'", "$": "quote the expression from the shell in '…'",
             "{": "group with ( )", "}": "group with ( )", "\\": "write the function's plain name",
             ".": "a point stands in numbers, and in X.T for the transpose", "°": "write 90*deg",
             "∛": "write cbrt(x)", "∑": "write sum(x)", "∏": "write prod(x)"}  # fmt: skip
    return ParseError(f"{shown} is not part of the language", span, hint=hints.get(character, ""))


def _unbalanced(text: str) -> ParseError | None:
    """The first bracket that has no partner, if any."""
    opened: list[tuple[str, int]] = []
    for match in _LAYOUT.finditer(text):
        bracket = match[0]
        here = Span(match.start(), match.end())
        if bracket in _CLOSING:
            opened.append((bracket, match.start()))
        elif bracket in _OPENING:
            if not opened:
                return ParseError(f"'{bracket}' closes nothing", here, hint="take it away, or open it before")
            opening, start = opened.pop()
            if _CLOSING[opening] != bracket:
                return ParseError(
                    f"'{opening}' is closed by '{bracket}'", here, also=(Span(start, start + 1),),
                    hint=f"write '{_CLOSING[opening]}'",
                )  # fmt: skip
    if opened:
        bracket, start = opened[-1]
        return ParseError(f"'{bracket}' is never closed", Span(start, start + 1), hint=f"add '{_CLOSING[bracket]}'")
    return None
