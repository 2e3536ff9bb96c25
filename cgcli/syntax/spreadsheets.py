"""A spreadsheet's formula as the language has it: of =SUM(A1:A3)*$B$2, sum([A1, A2, A3])*B2."""

from __future__ import annotations

import re

from cgcli.annotations import Callable
from cgcli.syntax.elsewhere import instead_of

_MOST = 20  # cells that are written out
_CELLS = re.compile(r"([A-Z]{1,3})(\d{1,4}):([A-Z]{1,3})(\d{1,4})")
_CALL = re.compile(r"([A-Z][A-Z\d.]*)\(([^()]*)\)")
_CALL_WITH_SEMICOLONS = re.compile(r"\b[A-Z][A-Z\d.]+\([^()]*;")
_ANY_CALL = re.compile(r"\w[\w.]*\(")
_KEPT = re.compile(r"\x00(\d+)\x00")
_REDUCING = {"SUM": "sum", "AVERAGE": "mean", "MAX": "max", "MIN": "min", "PRODUCT": "prod", "COUNT": "size",
             "MEDIAN": "median"}  # fmt: skip
_FORM = re.compile(r"write (.+?)(?:,? or |,? for |$)")


def cells(text: str) -> str:
    """The cells of a range, A1:A3 or A1:B2, written out; '' for any other text, and for too many."""
    match = _CELLS.fullmatch(text.replace("$", ""))
    if match is None:
        return ""
    columns = range(_number(match[1]), _number(match[3]) + 1)
    rows = range(int(match[2]), int(match[4]) + 1)
    if not 1 < len(columns) * len(rows) <= _MOST:
        return ""
    if len(columns) == 1 or len(rows) == 1:
        return _listed([f"{_letters(column)}{row}" for row in rows for column in columns])
    return _listed([_listed([f"{_letters(column)}{row}" for column in columns]) for row in rows])


def is_formula(text: str) -> bool:
    """Whether a text is written as spreadsheets have it: behind a '=', or with semicolons between arguments."""
    begin = text.lstrip()[:2]
    return (begin[:1] == "=" and begin != "==") or _CALL_WITH_SEMICOLONS.search(text) is not None


def translated(text: str, functions: Callable[[str], bool]) -> str:
    """A formula without its '=', in the language; '' where a part of it is not known, or is text in quotes.

    functions: whether a name is one.
    """
    if '"' in text:
        return ""
    text = re.sub(r"(?<![<>=!])=(?!=)", " == ", text.replace("$", "").replace("<>", " != ").replace(";", ","))
    text = re.sub(r"\b(\d+(?:\.\d+)?)%(?!\s*[\w(])", lambda match: repr(float(match[1]) / 100), text)
    text = _CELLS.sub(lambda match: cells(match[0]) or match[0], text)
    kept: list[str] = []
    while match := _CALL.search(text):
        written = _call(match[1], _parts(match[2]), functions)
        if not written:
            return ""
        kept.append(written)
        text = f"{text[: match.start()]}\0{len(kept) - 1}\0{text[match.end() :]}"
    is_known = not _ANY_CALL.search(text)
    while _KEPT.search(text):
        text = _KEPT.sub(lambda match: kept[int(match[1])], text)
    return "" if not is_known or ":" in text else re.sub(" {2,}", " ", text).strip()


def of_pointed(name: str, args: list[str]) -> str:
    """What to write in place of a function with points in its name, NORM.S.DIST(x, TRUE); '' for one not known."""
    plain = name.replace(".", "")
    if args[-1].upper() in ("FALSE", "0") and plain.startswith("NORM"):
        plain = "normpdf"
    return instead_of(plain, [arg for arg in args if arg.upper() not in ("TRUE", "FALSE")])


def _call(name: str, args: list[str], functions: Callable[[str], bool]) -> str:
    """A call of a spreadsheet's function, whose arguments are written already; '' for one that is not known."""
    if name == "PI" and args == [""]:
        return "pi"
    if "" in args:
        return ""
    if name in _REDUCING:
        inner = [arg[1:-1] if arg.startswith("[") and not arg.startswith("[[") else arg for arg in args]
        return f"{_REDUCING[name]}({args[0] if len(args) == 1 else _listed(inner)})"
    if instead := of_pointed(name, args) if "." in name else instead_of(name, args):
        form = _FORM.match(instead)
        return form[1] if form and "…" not in form[1] else ""
    known = name.lower() if functions(name.lower()) else ""
    return f"{known}({', '.join(args)})" if known else ""


def _parts(text: str) -> list[str]:
    """Arguments, set apart by commas that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        parts += [""] if character == "," and not depth else []
        parts[-1] += character if character != "," or depth else ""
    return [part.strip() for part in parts]


def _listed(items: list[str]) -> str:
    return f"[{', '.join(items)}]"


def _number(letters: str) -> int:
    """The place of a column, from 1: of AA, 27."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _letters(number: int) -> str:
    """The name of a column, from its place."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
