"""What a syntax error means: from the place where the parser stopped to a sentence and a fix."""

from __future__ import annotations

import re
import unicodedata

from cgcli.annotations import TYPE_CHECKING, Callable
from cgcli.errors import ParseError, Span
from cgcli.syntax.brackets import CLOSING, OPENING, innermost, unbalanced, without_comments
from cgcli.syntax.builder import SUPERSCRIPTS
from cgcli.syntax.idioms import bad_rule, recognised
from cgcli.syntax.spreadsheets import is_formula, translated

if TYPE_CHECKING:
    from cgcli.syntax.scanner import Token, UnexpectedError

_OPERANDS = {"NUMBER", "NAME", "LPAR", "TEXT", "ROOT"}
_LAST_OPERAND = re.compile(r"[\w.`)\]₀-₉⁰-⁹∞]\s*$")
_UNDER_ROOT = re.compile(r"[√ ]*(?:[\w.]+|`[^`\n]+`)?")
_BLANKS = " \t\r\f\u00a0\u2009\u202f\ufeff"
_FUNCTION_TO_A_POWER = re.compile(r"(?P<name>[^\W\d]\w*?)\s*\^?\s*(?P<power>-?\d+|[⁻⁰¹²³⁴-⁹]+)$")
_WORD_OPERATOR = re.compile(r"\b(?:and|or|not|mod)$")
_WORD = re.compile(r"(`[^`]+`|[\w.⁻]+|[)\]])$")
_SEMICOLON_BEFORE_BLOCK = re.compile(
    r"\b(if|while|for|repeat)[ (][^\n{};]{0,200}(?:jvp|vjp) [^\n{}();]{0,200}\([^\n{}();]{0,200}(;)[^\n{}]{0,200}\{"
)
_AS_IN = {"if": "d(x) > 0", "while": "d(x) > 0", "for": "k in 1..d(x)", "repeat": "d(x)"}
_LAST_NAME = re.compile(r"[^\W\d⁰¹²³⁴-⁹][^\W⁰¹²³⁴-⁹]*$")
_NAMES = re.compile(r"\s*(?:[^\W\d]\w*\s*,\s*)+(?:[^\W\d]\w*\s*)?")
_LAST_SYMBOL = re.compile(r"(?://|\*\*|&&|\|\||[<>=!]=|\w+|[^\w\s])$")
_KEYWORD = re.compile(r"([^\W\d]\w*)\s*=$")
_NEAR = 80  # characters before a mistake that are looked at
_HINTS = {
    "|": "write || for 'or', and abs(x) for bars", "!": "write 'not'; a factorial is as in: n!",
    "$": "take it away, and quote the expression from the shell in '…'",
    "\\": "write the function's plain name",
    ".": "a point stands in numbers, and in X.T for the transpose", "°": "write 90*deg",
    "≈": "write abs(x - y) < 1e-9", "∛": "write cbrt(x)", "∑": "write sum(x)", "∏": "write prod(x)",
}  # fmt: skip
_SMART_QUOTES = "“”„‘’‚«»"


def explain(error: UnexpectedError, text: str, functions: Callable[[str], bool]) -> ParseError:
    """The ParseError for what the parser could not read in `text`; functions: whether a name is one."""
    text = without_comments(text)
    unpaired = unbalanced(text)
    token, position = error.token, error.position
    if token is not None and token.type == "$END":
        position = max(len(text.rstrip()) - 1, 0)
    if is_formula(text) and (formula := _of_spreadsheet(text, functions)) is not None:
        return formula
    if (part := _SEMICOLON_BEFORE_BLOCK.search(text)) is not None:
        return ParseError(f"between '{part[1]}' and its block stands no ';'", Span(*part.span(2)),
                          hint=f"in a function: d(x) = vjp f(x; 1); {part[1]} {_AS_IN[part[1]]} {{ … }}")  # fmt: skip
    if (known := bad_rule(text, position) or recognised(text, position, functions)) is not None:
        return known
    if token is None:
        return _foreign_character(text, position)
    if unpaired is not None and unpaired.span is not None:
        reached = token.type == "$END" or token.start_pos >= unpaired.span.start
        if reached:
            return unpaired
    if (comma := _between_names(text, len(text) if token.type == "$END" else token.start_pos)) is not None:
        return ParseError("a comma cannot stand here", comma, hint="a list is written in brackets: [1, 2]")
    if token.type == "$END":
        return _ends_early(text)
    return _unexpected(text, token, functions)


def _at_end(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The pattern at the end of a text, of which only the last characters are looked at."""
    return pattern.search(text, max(0, len(text) - _NEAR))


def _between_names(text: str, end: int) -> Span | None:
    """The first comma of a statement that is nothing but names and commas, as far as it was read."""
    start = max(text.rfind(before, 0, end) for before in ";\n{") + 1
    if end - start > _NEAR or not _NAMES.fullmatch(text, start, end):
        return None
    comma = text.index(",", start)
    return Span(comma, comma + 1)


def _ends_early(text: str) -> ParseError:
    end = len(text.rstrip())
    if end == 0:
        return ParseError("there is no expression", hint="as in: x^2 + 1")
    choice = _open_choice(text[:end])
    if choice is not None:
        return choice
    start = _last_symbol(text[:end])
    symbol = text[start:end]
    what = "the exponent" if symbol in ("^", "**") else "something"
    hint = f"as in: e{symbol}2" if symbol in ("^", "**") else "an operator needs a value on its right"
    return ParseError(f"{what} is missing after '{symbol}'", Span(start, end), hint=hint)


def _last_symbol(text: str) -> int:
    """Where the operator or the word at the end of a text begins."""
    last = _at_end(_LAST_SYMBOL, text)
    return last.start() if last else len(text) - 1


def _open_choice(before: str) -> ParseError | None:
    """A `?` whose `:` is missing, when what stands before reads as a whole value."""
    at = before.rfind("?")
    if at < 0 or not _at_end(_LAST_OPERAND, before):
        return None
    return ParseError("'?' has no ':'", Span(at, at + 1), hint="a choice is as in: x > 0 ? x : -x")


def _unexpected(text: str, token: Token, functions: Callable[[str], bool]) -> ParseError:
    start, end = token.start_pos, token.end_pos
    here = Span(start, end)
    before = text[:start].rstrip(_BLANKS)
    if token.type == "ELLIPSIS":
        return ParseError("an ellipsis stands in an index only", here, hint="as in: x[..., 0]")
    if token.type in _OPERANDS and _at_end(_LAST_OPERAND, before):
        return _two_values(text, before, token, here, functions)
    if token.type == "EQUALS" and before.endswith(("(", ",")):
        return ParseError("a name is missing before '='", here, hint="as in: sum(x, axis=0)")
    if token.type == "EQUALS" and _at_end(_LAST_OPERAND, before):
        return ParseError("'=' cannot stand here", here, hint="write == to compare")
    if token.type == "COMMA":
        if not _at_end(_LAST_OPERAND, before):
            return ParseError("a value is missing before ','", here)
        return ParseError("a comma cannot stand here", here, hint="a list is written in brackets: [1, 2]")
    if token.type in ("_SEPARATOR", "RPAR", "RBRACKET") and (choice := _open_choice(before)) is not None:
        return choice
    if token.type == "_SEPARATOR" and text[start] == ";" and innermost(text, start) not in ("", "{"):
        return ParseError("';' ends a statement, and cannot stand in brackets", Span(start, start + 1), hint="write ,")
    if token.type == "_SEPARATOR":
        return ParseError("the statement is not complete", Span(max(len(before) - 1, 0), len(before)),
                          hint="a statement goes on over lines only inside brackets")  # fmt: skip
    if token.type in ("RPAR", "RBRACKET"):
        keyword = _at_end(_KEYWORD, before)
        if keyword is not None:
            return ParseError(f"the value of '{keyword[1]}' is missing", Span(keyword.start(), len(before)),
                              hint=f"as in: {keyword[1]}=0")  # fmt: skip
        hint = {"(": "as in: (1 + 2)", "[": "as in: x[0]", ",": "take the ',' away"}.get(before[-1:], "")
        return ParseError(f"a value is missing before '{token.text}'", here, hint=hint)
    if token.type in ("LBRACE", "RBRACE"):
        return ParseError(f"'{token.text}' cannot stand here", here,
                          hint="group with ( ); a block follows while, for, repeat, if, and f(x) =")  # fmt: skip
    if token.type == "COLON" and innermost(text, start) == "[":
        return ParseError("a slice has at most three parts", here, hint="as in: x[start:stop:step]")
    if before.endswith(("'", '"')) or (_at_end(_LAST_OPERAND, before) and not _at_end(_WORD_OPERATOR, before)):
        return ParseError(f"'{token.text}' cannot stand here", here)
    if before[-1:] in ("", "(", "[", ",", ";", "\n"):
        return ParseError(
            f"a value is missing before '{token.text}'", here, hint="an operator needs a value on its left"
        )
    operator = _last_symbol(before)
    return ParseError(f"a value is missing between '{before[operator:]}' and '{token.text}'", Span(operator, end),
                      hint="take one of the two away")  # fmt: skip


def _two_values(text: str, before: str, token: Token, here: Span, functions: Callable[[str], bool]) -> ParseError:
    """Two values with no operator between them: 2x, x(1 + y), sin x."""
    right, end = _right_operand(text, token, here)
    left, start = _left_operand(before)
    span = Span(start, end)
    touching = here.start == len(before)
    if touching and re.fullmatch(r"[\d_.]+", left) and token.type == "NUMBER":
        return ParseError("a number has one decimal point", span, hint="take the other one away")
    if left == "mod":
        return ParseError("a value is missing before 'mod'", Span(start, len(before)), hint="as in: 7 mod 3")
    if {left, token.text} & {"if", "then", "else"}:
        return ParseError("a choice is not written in words", span, hint="as in: c ? a : b, or where(c, a, b)")
    power = _at_end(_FUNCTION_TO_A_POWER, before)
    if power is not None and token.type == "LPAR" and functions(power["name"]):
        name, exponent = power["name"], power["power"].translate(SUPERSCRIPTS)
        inverse = f", or a{name}{right} for the inverse" if functions(f"a{name}") and exponent == "-1" else ""
        return ParseError("a function's power stands behind its argument", Span(power.start(), end),
                          hint=f"write {name}{right}^{exponent}{inverse}")  # fmt: skip
    called = _at_end(_LAST_NAME, before)  # in a body's textbook form a factor may stand before it: 2sin x
    if called is not None and functions(called[0]) and token.type in ("NUMBER", "NAME"):
        return ParseError("a function's argument stands in brackets", Span(called.start(), end),
                          hint=f"write {called[0]}({right})")  # fmt: skip
    if token.type == "NUMBER" and left.isdigit() and right.isdigit():
        right += f"; one number is {left}{right}"
    one_name = not touching and token.type == "NAME" and re.fullmatch(r"[^\W\d]\w*", left) and right == token.text
    return ParseError(
        "there is no operator between two values", span,
        hint=f"to multiply, write {left}*{right}" + f"; a name with a blank is `{left} {token.text}`" * bool(one_name),
    )  # fmt: skip


def _left_operand(before: str) -> tuple[str, int]:
    """The operand at the end of a text, with what it is a power of, and where it begins; what is long is cut short."""
    text, start = _left_part(before)
    while start > len(before) - _NEAR and (
        power := re.search(r" *(\^|\*\*) *$", before[max(start - _NEAR, 0) : start])
    ):
        written = power[0]
        base, start = _left_part(before[: start - len(written)])
        text = base + written + text
    return text, start


def _left_part(before: str) -> tuple[str, int]:
    """The last operand of a text, without the power that it may be the exponent of; long brackets are cut short."""
    word = _at_end(_WORD, before)
    if word is None:
        return before[-1:], len(before) - 1
    if word[0] not in OPENING:
        return word[0], word.start()
    depth = 0
    for at in range(len(before) - 1, max(len(before) - _NEAR, -1), -1):
        depth += (before[at] in OPENING) - (before[at] in CLOSING)
        if not depth:
            called = re.search(r"[\w.]*$", before[max(at - _NEAR, 0) : at])
            start = at - len(called[0] if called else "")
            return before[start:], start
    return f"{OPENING[word[0]]}…{word[0]}", word.start()


def _right_operand(text: str, token: Token, here: Span) -> tuple[str, int]:
    """The operand that begins with a token, and where it ends; a group that goes far is cut short."""
    if token.type == "ROOT" and (under := _UNDER_ROOT.match(text, here.end)):
        here = Span(here.start, under.end())
    bracket = here.start if token.type == "LPAR" else here.end if token.type in ("NAME", "ROOT") else len(text)
    depth = 0
    for at in range(bracket, min(bracket + _NEAR, len(text))):
        depth += (text[at] in CLOSING) - (text[at] in OPENING)
        if not depth and at > bracket:
            return text[here.start : at + 1], at + 1
        if not depth:
            break  # no bracket follows the name
    return ("(…)" if token.type == "LPAR" else text[here.start : here.end]), here.end


def _of_spreadsheet(text: str, functions: Callable[[str], bool]) -> ParseError | None:
    """The error for a spreadsheet's formula; None where nothing but the '=' before it is wrong."""
    own = text.strip().removeprefix("=").strip()
    written = translated(own, functions)
    if written in ("", own):
        return None
    span = Span(len(text) - len(text.lstrip()), len(text.rstrip()))
    return ParseError("a spreadsheet's formula is not read", span, hint=f"write {written}")


def _foreign_character(text: str, position: int) -> ParseError:
    character = text[position]
    span = Span(position, position + 1)
    if character in "\"'":
        return ParseError("the quoted text is not closed", span, hint=f"add the closing {character}")
    if text.startswith("``", position):
        return ParseError("a name in backticks is empty", Span(position, position + 2), hint="as in: `a name`")
    if (
        character == "`"
        and (closing := text.find("`", position + 1, position + _NEAR)) > 0
        and "\n" not in text[position:closing]
    ):
        return ParseError("a name cannot hold a control character", Span(position, closing + 1), hint="rename it")
    if character == "`":
        return ParseError("the name in backticks is not closed", span, hint="add the closing `")
    if character in _SMART_QUOTES:
        return ParseError("a typographic quote cannot stand here", span, hint="write ' or \"")
    if unicodedata.combining(character):
        whole = unicodedata.normalize("NFC", text[max(position - 1, 0) : position + 1])
        hint = f"write '{whole}' as one character" if len(whole) == 1 else "put the name in backticks: `x`"
        return ParseError(f"an accent of its own (U+{ord(character):04X}) cannot stand here", span, hint=hint)
    plain = unicodedata.normalize("NFKC", character).replace("⁄", "/")
    if unicodedata.category(character) in ("Cf", "Cc"):
        name = unicodedata.name(character, f"U+{ord(character):04X}")
        return ParseError(f"an invisible character ({name}) cannot stand here", span, hint="take it away")
    if unicodedata.decomposition(character).startswith(("<super>", "<sub>")):
        return ParseError(f"'{character}' cannot stand here", span, hint="an exponent has plain digits, as in: x^2")
    if plain != character and plain.isascii() and plain.isprintable() and plain.strip():
        return ParseError(f"'{character}' is a full-width or styled form", span, hint=f"write {plain}")
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    shown = f"'{character}' ({name})" if character.isprintable() else name
    hint = _HINTS.get(character, "")
    if unicodedata.category(character) == "So":
        hint = f"a name of any characters stands in backticks: `{character}`"
    elif unicodedata.category(character) == "Nd":
        hint = f"write {unicodedata.digit(character)}"
    return ParseError(f"{shown} is not part of the language", span, hint=hint)
