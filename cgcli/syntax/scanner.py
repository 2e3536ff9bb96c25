"""Text to tokens, as the terminals of grammar/cg.lark say; a test holds the two equal.

Written by hand, for one pattern of all terminals would take as long to compile as the rest of a short call.
"""

from __future__ import annotations

from cgcli.annotations import Collection, Iterator
from cgcli.records import NamedTuple


class Token(NamedTuple):
    """A piece of the text. type: the name of its terminal in the grammar."""

    type: str
    text: str
    start_pos: int
    end_pos: int


class UnexpectedError(Exception):
    """What the language does not have here: a token, or with None the character at a position of the text."""

    def __init__(self, token: Token | None, position: int) -> None:
        super().__init__()
        self.token = token
        self.position = position


_BLANKS = frozenset(" \t\r\f\u00a0\u2009\u202f\ufeff")
_DIGITS = frozenset("0123456789")
_SUPERSCRIPTS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")
_NOT_IN_NAMES = _SUPERSCRIPTS.union("¼½¾", map(chr, range(ord("⅐"), ord("⅟") + 1)))
_NOT_FIRST_IN_NAMES = _NOT_IN_NAMES.union("₀₁₂₃₄₅₆₇₈₉")
_CONTROLS = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
# Symbols of one character that begin no longer one, and all others; the longest is tried first.
_SINGLE = {
    "+": "PLUS", "-": "MINUS", "−": "MINUS", "–": "MINUS", "·": "TIMES", "×": "TIMES", "÷": "DIVIDE", "%": "REMAINDER",
    "@": "AT", "^": "POWER", "√": "ROOT", "≤": "COMPARE", "≥": "COMPARE", "≠": "COMPARE", "?": "QUESTION", ":": "COLON",
    ",": "COMMA", "(": "LPAR", ")": "RPAR", "[": "LBRACKET", "]": "RBRACKET",
    "{": "LBRACE", "}": "RBRACE", "∞": "NAME", "…": "ELLIPSIS",
}  # fmt: skip
_DOUBLE = {
    "**": "POWER", "//": "FLOOR_DIVIDE", "<=": "COMPARE", ">=": "COMPARE", "==": "COMPARE", "!=": "COMPARE",
    "&&": "AND", "||": "OR", "..": "RANGE",
}  # fmt: skip
_SINGLE_OF_DOUBLE = {"*": "TIMES", "/": "DIVIDE", "<": "COMPARE", ">": "COMPARE", "=": "EQUALS"}
_WORDS = {"and": "AND", "or": "OR", "mod": "MOD", "not": "NOT"}
_OF_BLOCKS = {"while": "WHILE", "repeat": "REPEAT", "if": "IF", "for": "FOR", "in": "IN", "else": "ELSE"}
_FARTHEST = 1000  # characters between such a word and its block


def tokens(text: str, paths: Collection[str] = ()) -> Iterator[Token]:
    """The tokens of a text, in order; blanks and comments are none. paths: names with points in them, `p.x`.

    Raises UnexpectedError for a character that begins none, when it is reached.
    """
    new = tuple.__new__
    at, size = 0, len(text)
    while at < size:
        character = text[at]
        if character in _BLANKS:
            at += 1
            continue
        kind = _SINGLE.get(character)
        end = at + 1
        if kind is None:
            if character == "#":
                at = _end_of_line(text, at)
                continue
            if character in _DIGITS or (character == "." and text[end : end + 1] in _DIGITS):
                kind, end = "NUMBER", _end_of_number(text, at)
            elif character == "_" or (character.isalnum() and not character.isdecimal()):
                kind, end = _name(text, at)
                if paths and text.startswith(".", end):
                    end = _end_of_path(text, at, end, paths)
            else:
                kind, end = _other(text, at)
            if not kind:
                raise UnexpectedError(None, at)
        yield new(Token, (kind, text[at:end], at, end))
        at = end


def is_word(text: str) -> bool:
    """Whether a text is one word of letters, digits and underscores, which does not begin with a digit."""
    letters = text.replace("_", "a")
    return letters.isalnum() and not letters[0].isdecimal()


def _name(text: str, at: int) -> tuple[str, int]:
    """The kind and the end of a word, or '' where no name begins."""
    if text[at] in _SUPERSCRIPTS:
        return "SUPERSCRIPT", _past(text, at, _SUPERSCRIPTS)
    if text[at] in _NOT_FIRST_IN_NAMES:
        return "", at
    end, size = at + 1, len(text)
    while end < size and ((character := text[end]) == "_" or character.isalnum()) and character not in _NOT_IN_NAMES:
        end += 1
    word = text[at:end]
    if word in ("jvp", "vjp") and _is_before_call(text, end):
        return "DERIVED", end
    if word in _OF_BLOCKS and _is_of_block(word, text, end):
        return _OF_BLOCKS[word], end
    if word in ("and", "or") and end < size and text[end].isalnum():
        return "NAME", end  # and²
    return _WORDS.get(word, "NAME"), end


def _end_of_path(text: str, at: int, end: int, paths: Collection[str]) -> int:
    """Behind the longest of the paths that begins here; else behind the word. X.T is the transpose of X."""
    found = end
    while text.startswith(".", end) and (text[end + 1 : end + 2] == "_" or text[end + 1 : end + 2].isalpha()):
        begin = end + 1
        _, end = _name(text, begin)
        if text[at:end] in paths and text[begin:end] != "T":
            found = end
    return found


def _is_of_block(word: str, text: str, at: int) -> bool:
    """Whether what follows a word of the language is such that it is none of the program's names."""
    if word == "else":
        end = _past(text, at, " \t")
        chained = end > at and text.startswith("if", end) and text[end + 2 : end + 3] in ("(", " ", "\t")
        return chained or text.startswith("{", end)
    if word == "for":
        start = _past(text, at, " \t")
        end = _end_of_word(text, start)
        at = _past(text, end, " \t")
        if start == at or at == end or end == start or not text.startswith("in", at):
            return False
        at += 2
    if text[at : at + 1] not in (" ", "\t", "("):
        return False
    ends = (character for character in text[at + 1 : at + _FARTHEST + 2] if character in ";\n{}")
    return next(ends, "") == "{"


def _end_of_word(text: str, start: int) -> int:
    """Behind a name, plain or in backticks; the start where there is none."""
    end = start
    if text[start : start + 1] == "`":
        end = text.find("`", start + 1) + 1
        return start if end < start + 3 or "\n" in text[start:end] else end
    if not text[start : start + 1].isdecimal():
        while text[end : end + 1] == "_" or text[end : end + 1].isalnum():
            end += 1
    return end


def _is_before_call(text: str, at: int) -> bool:
    """Whether blanks, a name and an opening bracket follow."""
    start = _past(text, at, " \t")
    if start == at:
        return False
    end = _end_of_word(text, start)
    return end > start and text.startswith("(", _past(text, end, " \t"))


def _other(text: str, at: int) -> tuple[str, int]:
    """The kind and the end of what begins with a symbol that may be longer, or ''."""
    character = text[at]
    if character == "!" and _is_factorial(text, at):
        return "FACTORIAL", at + 1
    if text.startswith("...", at):
        return "ELLIPSIS", at + 3
    if (kind := _DOUBLE.get(text[at : at + 2])) and not text.startswith("!==", at):
        return kind, at + 2
    if kind := _SINGLE_OF_DOUBLE.get(character):
        return kind, at + 1
    if (
        character == "\n"
        and text.startswith("else", end := _past_blanks(text, at))
        and _is_of_block("else", text, end + 4)
    ):
        return "ELSE", end + 4
    if character in ";\n":
        return "_SEPARATOR", _end_of_separator(text, at)
    if character in "\"'":
        end = text.find(character, at + 1) + 1
        return ("TEXT", end) if end and "\n" not in text[at:end] else ("", at)
    if character == "`":
        end = text.find("`", at + 1) + 1
        return ("NAME", end) if end > at + 2 and _CONTROLS.isdisjoint(text[at:end]) else ("", at)
    if character == "⁻":
        end = _past(text, at + 1, _SUPERSCRIPTS)
        return ("SUPERSCRIPT", end) if end > at + 1 else ("", at)
    if character == "." and text.startswith("T", at + 1):
        after = text[at + 2 : at + 3]
        return ("TRANSPOSED", at + 2) if after != "_" and not after.isalnum() else ("", at)
    return "", at


def _is_factorial(text: str, at: int) -> bool:
    """Whether a '!' stands behind a value, and before no '='; n!! is another function, and push!(x) none."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    behind_value = before.isalnum() or (before != "" and before in "_)]`")
    return behind_value and after not in ("!", "(", "=")


def _end_of_number(text: str, at: int) -> int:
    end = _end_of_digits(text, at)
    if text.startswith(".", end) and not text.startswith("..", end):
        end = _end_of_digits(text, end + 1)
    if text[end : end + 1] in ("e", "E"):
        first = end + 1 + (text[end + 1 : end + 2] in ("+", "-"))
        last = _past(text, first, _DIGITS)
        end = last if last > first else end
    return end


def _end_of_digits(text: str, at: int) -> int:
    """Behind digits, and groups of them that underscores set apart."""
    end = _past(text, at, _DIGITS)
    while end > at and text.startswith("_", end) and text[end + 1 : end + 2] in _DIGITS:
        end = _past(text, end + 1, _DIGITS)
    return end


def _end_of_separator(text: str, at: int) -> int:
    """Behind semicolons, line breaks, and the blanks and comments among them."""
    size = len(text)
    while at < size:
        character = text[at]
        if character == "#":
            at = _end_of_line(text, at)
        elif character == ";" or character.isspace():
            at += 1
        else:
            break
    return at


def _past_blanks(text: str, at: int) -> int:
    """Behind all white space that stands here."""
    size = len(text)
    while at < size and text[at].isspace():
        at += 1
    return at


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _past(text: str, at: int, characters: frozenset[str] | str) -> int:
    """Behind all characters of a set that stand here."""
    size = len(text)
    while at < size and text[at] in characters:
        at += 1
    return at
