"""A row of the tables of other tools' notation, and the pieces that its patterns are made of."""

from __future__ import annotations

import re

from cgcli.annotations import Callable
from cgcli.records import NamedTuple

NAME = r"[^\W\d]\w*"
INNER = r"[^()\n]{0,40}"
VALUE = rf"(?:{NAME}\({INNER}\)|[\w.]+|\({INNER}\)|\[[^\[\]\n]{{0,40}}\])"
BRACED = r"[^{}\n]{1,40}"
LOOSE = r"(?<![\w.])"  # not in the middle of a word or a number
FREE = r"(?<![\w)\]])(?<![\w)\]] )"  # where a value may begin


class Idiom(NamedTuple):
    """A row: where it holds, what is wrong, and the fix.

    message, hint: with the pattern's groups in braces. A group `f` must be the name of a
    function. hint may also be a function of the match. at: the character where the parser
    must have stopped, when not any will do. wide: the pattern goes on over line breaks.
    """

    pattern: str
    message: str
    hint: str | Callable[[re.Match[str]], str]
    at: str = ""
    wide: bool = False
