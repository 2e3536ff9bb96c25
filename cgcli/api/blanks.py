"""What a work sheet leaves out, in a picture and in a trace: the words for it, and whether there is any of it."""

from __future__ import annotations

from cgcli.annotations import Collection
from cgcli.errors import UsageError, did_you_mean

KINDS = {"values": "value", "tangents": "tangent", "adjoints": "grad", "grads": "grad"}
WORDS = ("all", *KINDS)


def blanks(word: str) -> tuple[str, ...]:
    """The kinds of numbers that a word leaves out; none for ''. Raises UsageError for a word that there is not."""
    if word == "all":
        from cgcli.rendering.look import BLANKS

        return BLANKS
    if word and word not in KINDS:
        hint = f"{did_you_mean(word, WORDS)} possible: {', '.join(WORDS)}".lstrip()
        raise UsageError(f"unknown numbers to leave out '{word}'", hint=hint)
    return (KINDS[word],) if word else ()


def check_blanks(kinds: Collection[str], *, has_values: bool, grad: bool, moves: bool) -> None:
    """Raise UsageError where there is nothing to leave out. grad, moves: whether there are adjoints, tangents."""
    if kinds and not has_values:
        raise UsageError("there are no values to leave out", hint="give them, as in: x=2")
    if [*kinds] == ["grad"] and not grad:
        raise UsageError("there are no adjoints to leave out", hint="add them with --grad")
    if [*kinds] == ["tangent"] and not moves:
        raise UsageError("there are no tangents to leave out", hint="add them, as in: --tangent x=1")
