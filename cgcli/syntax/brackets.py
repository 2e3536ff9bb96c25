"""The brackets of a text: the lines that they join, which have no partner, and which one a place stands in."""

from __future__ import annotations

import re

from cgcli.errors import ParseError, Span

OPENING = {")": "(", "]": "[", "}": "{"}
CLOSING = {"(": ")", "[": "]", "{": "}"}

# Brackets, line breaks, and what may hide them: comments, names and quoted texts.
_LAYOUT = re.compile(r"""[()\[\]{}\n]|\#[^\n]*|`[^`\n]+`|"[^"\n]*"|'[^'\n]*'""")


def joined_lines(text: str) -> str:
    """The text with line breaks inside round and square brackets as blanks; every offset stays as it was."""
    if "\n" not in text:
        return text
    pieces: list[str] = []
    depth = at = 0
    for match in _LAYOUT.finditer(text):
        token = match[0]
        if token in "{}":
            depth = 0  # a block has lines of its own
        elif token in CLOSING:
            depth += 1
        elif token in OPENING:
            depth = max(depth - 1, 0)
        elif depth and (token == "\n" or token.startswith("#")):
            pieces += (text[at : match.start()], " " * len(token))
            at = match.end()
    return "".join([*pieces, text[at:]])


def without_comments(text: str) -> str:
    """The text with blanks for its comments; every offset stays as it was."""
    if "#" not in text:
        return text
    return _LAYOUT.sub(lambda match: " " * len(match[0]) if match[0][0] == "#" else match[0], text)


def innermost(text: str, position: int) -> str:
    """The bracket that a place of a text stands in; '' outside of all."""
    opened: list[str] = []
    for match in _LAYOUT.finditer(text, 0, position):
        if match[0] in CLOSING:
            opened.append(match[0])
        elif match[0] in OPENING and opened:
            opened.pop()
    return opened[-1] if opened else ""


def unbalanced(text: str) -> ParseError | None:
    """The error for the first bracket that has no partner, if any."""
    opened: list[int] = []  # plain offsets, for there may be millions
    for match in _LAYOUT.finditer(text):
        here = match.start()
        bracket = text[here]
        if bracket in CLOSING:
            opened.append(here)
        elif bracket in OPENING:
            if not opened:
                return ParseError(f"'{bracket}' closes nothing", _one(here), hint="take it away, or open it before")
            start = opened.pop()
            opening = text[start]
            if CLOSING[opening] != bracket:
                return ParseError(f"'{opening}' is closed by '{bracket}'", _one(here), also=(_one(start),),
                                  hint=f"write '{CLOSING[opening]}'")  # fmt: skip
    if not opened:
        return None
    bracket = text[opened[-1]]
    return ParseError(f"'{bracket}' is never closed", _one(opened[-1]), hint=f"add '{CLOSING[bracket]}'")


def _one(position: int) -> Span:
    """The span of one character."""
    return Span(position, position + 1)
