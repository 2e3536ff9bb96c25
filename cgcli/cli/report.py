"""Warnings on standard error, and in the JSON: what happened, where, what to do."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Iterable
from cgcli.cli.say import say
from cgcli.errors import EvaluationError, Source, describe

if TYPE_CHECKING:
    from cgcli.api.notices import Notice


class Report:
    """The warnings of one call.

    source: the program. quiet: print none. strict: raise the first one as an EvaluationError (exit 1), but for how
    the program was read.
    entries: the list for the JSON output.
    """

    def __init__(self, source: Source, *, quiet: bool, strict: bool) -> None:
        self.source = source
        self._quiet = quiet
        self._strict = strict
        self.entries: list[dict[str, Any]] = []

    def tell(self, notice: Notice) -> None:
        """Report one event; its details go to the JSON entry."""
        from cgcli.cli.hints import hint_of

        hint = hint_of(notice)
        warning = EvaluationError(notice.message, notice.span, source=self.source, hint=hint)
        self.entries.append({"message": notice.message, **notice.details, **({"hint": hint} if hint else {})})
        if self._strict and notice.details.get("kind") != "reading":
            raise warning
        if not self._quiet:
            say(describe(warning, "warning"))

    def tell_all(self, notices: Iterable[Notice]) -> None:
        """Report several events."""
        for notice in notices:
            self.tell(notice)

    def tell_reading(self, definitions: Iterable[str]) -> None:
        """Say how definitions in textbook form were read."""
        for definition in definitions if not self._quiet else ():
            say(f"read as: {definition}")
