"""What goes wrong, where, and how to mend it: the one family of errors that cg raises.

The library raises these; the command line turns them into text and an exit code in one
place. A message is one human sentence; `span` says where in the text; `hint` is the fix.
"""

from __future__ import annotations

from cgcli.annotations import Iterable, Sequence
from cgcli.records import NamedTuple

_WINDOW = 76  # characters of a long source line that a message shows
_MOST_LINES = 3  # of the source, that a message shows
_LONGEST_SENTENCE = 600
_LONGEST_CALL = 40
_MOST_NAMES = 20


class Span(NamedTuple):
    """A half-open range of character offsets into a source text."""

    start: int
    end: int


class Source(NamedTuple):
    """A text that was read, and what to call it in messages."""

    text: str
    name: str = ""


class CgError(Exception):
    """Base of every error that cg reports on purpose.

    message: one sentence without a full stop. span: the text that it is about.
    also: further places worth underlining. hint: one fix. source: the text itself,
    filled in by whoever knows it. call: where the user's function was called in whose body
    the place is, when the fault lies in what it was called with. topic: what the mistake has to do
    with, and after a colon an example, where the command line has a hint that names its options.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        *,
        hint: str = "",
        also: tuple[Span, ...] = (),
        source: Source | None = None,
        topic: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
        self.also = also
        self.source = source
        self.topic = topic
        self.call: Span | None = None

    def at(self, span: Span | None, source: Source | None = None) -> CgError:
        """This error, placed at `span` unless it already has a place."""
        if self.span is None:
            self.span = span
        if self.source is None:
            self.source = source
        return self


class CgWarning(UserWarning):
    """What the library warns of: names that have no effect, and what a formula takes for a constant."""


class UsageError(CgError):
    """The command line, or a call of the library, is wrong."""

    exit_code = 2


class ParseError(CgError):
    """The text is not an expression of the language."""

    exit_code = 2


class UnknownNameError(CgError):
    """A name or a function that nobody defined. missing: the names that have no value, where that is what is wrong."""

    exit_code = 2
    missing: Sequence[str] = ()


class ArgumentError(CgError):
    """A function was given the wrong number or the wrong kind of arguments."""

    exit_code = 2


class ShapeError(CgError):
    """Arrays whose shapes do not fit an operation.

    clash: the positions of the arguments that do not fit each other; empty for all of them.
    """

    exit_code = 2

    def __init__(self, message: str, span: Span | None = None, *, hint: str = "", clash: tuple[int, ...] = ()) -> None:
        super().__init__(message, span, hint=hint)
        self.clash = clash

    def among(self, spans: Sequence[Span]) -> ShapeError:
        """This error, placed at those of several operands that clash, unless it already has a place."""
        if self.span is None and len(spans) > 1:
            self.span, *others = [spans[position] for position in self.clash] or spans
            self.also = tuple(others)
        return self


class TooLargeError(CgError):
    """Work or memory beyond the bounds that keep the machine usable."""

    exit_code = 2


class DataError(CgError):
    """A file or its content cannot be used."""

    exit_code = 1


class NotReachedError(DataError):
    """A row has no root."""

    exit_code = 5


class EvaluationError(CgError):
    """The evaluation itself failed, or --strict met a warning."""

    exit_code = 1


class MissingProgramError(CgError):
    """A program or an optional package that this needs is not installed."""

    exit_code = 3


def refused(what: str, name: str, error: Exception) -> DataError:
    """The DataError for a file that cannot be read or written (`what`), with the system's reason."""
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return DataError(f"cannot {what} {name}: {reason[:1].lower()}{reason[1:]}")


def listed(names: Sequence[str]) -> str:
    """Names in quotes, as many as a message shows."""
    return ", ".join(f"'{name}'" for name in names[:_MOST_NAMES]) + ", …" * (len(names) > _MOST_NAMES)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """A hint that offers the candidate nearest to `name`, in whatever case, or '' where none is near."""
    import difflib

    folded = {candidate.casefold(): candidate for candidate in candidates}
    if len(name) > 2 * max(map(len, folded), default=0):
        return ""  # nothing is near, and to compare a name as long as a file would take seconds
    name = name.casefold()
    letters = sorted(name)
    anagram = next((other for other in folded if sorted(other) == letters), "")
    near = name if name in folded else anagram
    near = near or next(iter(difflib.get_close_matches(name, list(folded), n=1, cutoff=0.75)), "")
    return f"did you mean '{folded[near]}'?" if near else ""


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """The 1-based line and column, in characters, of an offset into `text`."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def excerpt(text: str, spans: tuple[Span, ...]) -> str:
    """The lines that the first spans begin in, with carets under every span on them.

    A long line is cut to a window around its first span; another span that lies outside of
    it gets a window of its own.
    """
    windows: list[Span] = []
    for span in spans:
        if len(windows) < _MOST_LINES and not any(shown.start <= span.start <= shown.end for shown in windows):
            windows.append(_window(text, span.start))
    return "\n".join(_underlined(text, window, spans) for window in sorted(windows))


def _window(text: str, offset: int) -> Span:
    """The line around an offset, or as much of it as a message shows."""
    start = text.rfind("\n", 0, offset) + 1
    stop = text.find("\n", offset)
    stop = len(text) if stop < 0 else stop
    left = max(start, min(offset - _WINDOW // 2, stop - _WINDOW))
    return Span(left, min(stop, left + _WINDOW))


def _underlined(text: str, window: Span, spans: tuple[Span, ...]) -> str:
    """A part of a line, and below it carets under the spans."""
    left, right = window
    carets = [" "] * (right - left + 1)
    for span in spans:
        end = max(span.end, span.start + 1)
        begin = span.start
        while left < begin < right and not cells(text[begin]):
            begin -= 1  # an accent stands over the letter before it
        for position in range(max(begin, left), min(end, right + 1)):
            carets[position - left] = "^"
    shown = [_printable(character) for character in text[left:right]]
    under = "".join(caret * cells(character) for caret, character in zip(carets, [*shown, " "], strict=True))
    before = "…" * (left > 0 and text[left - 1] != "\n")
    after = "…" * (right < len(text) and text[right] != "\n")
    return f"  {before}{''.join(shown)}{after}\n  {' ' * len(before)}{under.rstrip()}"


def quoted(text: str, span: Span, limit: int = 60) -> str:
    """The text under a span on one line, cut in the middle when it is long."""
    part = text[span.start : span.end] if span.end - span.start <= limit else (
        text[span.start : span.start + limit // 2] + " … " + text[span.end - limit // 3 : span.end]
    )  # fmt: skip
    if part.isprintable() and " " not in part:
        return part
    shown = (" " if character.isspace() else _printable(character) for character in part)
    return " ".join("".join(shown).split())


def describe(error: CgError, label: str = "error") -> str:
    """The whole message as the command line prints it, several lines, no final newline."""
    message = _one_line(error.message)
    if error.source is not None and error.call is not None:
        message += f", in the call {quoted(error.source.text, error.call, _LONGEST_CALL)}"
    lines = [f"cg: {label}: {message}"]
    if error.source is not None and error.span is not None:
        text = error.source.text
        row, column = line_and_column(text, error.span.start)
        if error.source.name or "\n" in text.strip("\n"):
            lines[0] = f"cg: {label}: {_place(error.source.name, row, column)}: {message}"
        lines.append(excerpt(text, (error.span, *error.also)))
    if error.hint:
        lines.append(f"  {_one_line(error.hint)}")
    return "\n".join(lines)


def _one_line(text: str) -> str:
    """A sentence that may hold names of any length and kind, fit for a terminal."""
    return quoted(text, Span(0, len(text)), _LONGEST_SENTENCE)


def _place(name: str, row: int, column: int) -> str:
    return f"{name}:{row}:{column}" if name else f"line {row}, column {column}"


def _printable(character: str) -> str:
    """The character itself, or a stand-in of the same width when it would move the cursor."""
    if character == "\t":
        return " "
    return character if character.isprintable() else "�"


def cells(character: str) -> int:
    """How many terminal cells a character takes."""
    import unicodedata

    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells_of(text: str) -> int:
    """How many terminal cells a text takes."""
    return len(text) if text.isascii() else sum(map(cells, text))


def padded(text: str, wide: int) -> str:
    """A text with blanks behind it, to take so many terminal cells."""
    return text + " " * (wide - cells_of(text))
