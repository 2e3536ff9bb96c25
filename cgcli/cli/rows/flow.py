"""Batches in, tables out: what is written for good rows and for bad ones, and what is said of them in the end."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from cgcli.api.columns import Bound, Computed
from cgcli.cli.rows.progress import Progress
from cgcli.cli.say import say
from cgcli.errors import DataError, EvaluationError, describe
from cgcli.graph.node import count_of_numbers
from cgcli.records import EMPTY, NamedTuple
from cgcli.signals import end_if_lost
from cgcli.tables.batch import Batch
from cgcli.tables.results import with_results

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.annotations import Protocol
    from cgcli.cli.request import Request

    class Takes(Protocol):
        """What takes rows with their results: a writer, a sum."""

        def write(self, batch: Batch) -> None: ...


_MOST_NUMBERS = 1 << 22  # in the results that are held at once
_SKIP = "--on-error skip leaves such rows out"
_NULL = ", --on-error null leaves their results empty"
_SPELLINGS = (  # of cells that are numbers to people, and what has them read
    (r" holds '\s*[-+]?\d{1,3}(,\d{3})+(\.\d+|,\d{3})\s*'$", "such numbers are read with: --thousands ,"),
    (r" holds '\s*[-+]?\d+(\.\d{3})+,\d+\s*'$", "such numbers are read with: --thousands . --decimal ,"),
    (r" holds '\s*[-+]?\d+,\d+\s*'$", "a comma is the decimal sign with: --decimal ,"),
)
_BECOME = {"skip": ("is left out", "are left out"), "null": ("has no results", "have no results")}  # one, several


ErrorOf = Callable[[Batch, int, Computed], DataError]


class Policy(NamedTuple):
    """What the command line says of rows.

    on_error: what becomes of bad ones, fail, skip or null. strict: rows with infinities are bad, too.
    only: whether the columns of the input are left out. precision: significant digits of the results; None for all.
    writes: whether rows are written, with their results.
    """

    on_error: str
    strict: bool
    quiet: bool
    only: bool
    precision: int | None
    writes: bool = True

    @classmethod
    def of(cls, request: Request) -> Policy:
        """That of a request."""
        options = request.rows
        return cls(options.on_error, request.strict, request.quiet, options.only, request.precision)

    @property
    def for_all(self) -> str:
        """What becomes of bad rows where a result is for all of them: fail or skip."""
        return "fail" if self.on_error == "fail" else "skip"


class Tally(NamedTuple):
    """How many rows are so, and what is to be said of the first."""

    rows: int = 0
    first: str = ""

    def with_(self, other: Tally) -> Tally:
        """These, and others behind them."""
        return Tally(self.rows + other.rows, self.first if self.rows else other.first)


class Counts(NamedTuple):
    """How many rows there were, and of them bad ones, by their kinds, and others that are told of in the end."""

    rows: int = 0
    bad: Tally = Tally()
    kinds: Mapping[str, int] = EMPTY
    infinite: Tally = Tally()
    beyond: Tally = Tally()

    def with_(self, other: Counts) -> Counts:
        """These, and those of rows behind them."""
        kinds = {kind: self.kinds.get(kind, 0) + other.kinds.get(kind, 0) for kind in (*self.kinds, *other.kinds)}
        return Counts(self.rows + other.rows, self.bad.with_(other.bad), kinds, self.infinite.with_(other.infinite),
                      self.beyond.with_(other.beyond))  # fmt: skip

    def sentences(self, on_error: str) -> Iterator[str]:
        """What is said of them. on_error: what became of bad rows."""
        if self.bad.rows:
            become = _BECOME[on_error][self.bad.rows > 1]
            by_number = sorted(self.kinds.items(), key=lambda item: -item[1])
            listed = f" ({', '.join(f'{count} {kind}' for kind, count in by_number)})" if len(by_number) > 1 else ""
            yield f"{self.bad.rows} of {self.rows} rows {become}{listed}; the first: {self.bad.first}"
        for tally, what in (
            (self.beyond, "a number is beyond float64, and read as an infinity"),
            (self.infinite, "a result is infinite"),
        ):
            if tally.rows:
                yield f"in {tally.rows} of {self.rows} rows {what}; the first: {tally.first}"


class Flow:
    """Takes batches with their results, and writes them; `counts` says what they were.

    names: of the columns of results. error: why a row is bad, the first in its batch.
    """

    def __init__(self, writer: Takes, names: Sequence[str], error: ErrorOf, policy: Policy, progress: Progress) -> None:
        self._writer = writer
        self._names = names
        self._error = error
        self._policy = policy
        self._progress = progress
        self.counts = Counts()

    def take(self, results: Iterator[tuple[Batch, Computed]]) -> None:
        """Write all rows. Raises DataError for the first bad one where none may be, after the rows before it."""
        try:
            for batch, computed in results:
                end_if_lost()
                self.counts = self.counts.with_(self._write(batch, computed))
                self._progress.add(batch)
        finally:
            self._progress.clear()

    def summarise(self) -> None:
        """Say how many rows were bad, and what the first was."""
        tell(self.counts, self._policy)

    def _write(self, batch: Batch, computed: Computed) -> Counts:
        def tally(before: Tally, rows: Collection[int]) -> Tally:
            is_first = len(rows) and not before.rows
            return Tally(len(rows), self._error(batch, int(min(rows)), computed).message if is_first else "")

        is_bad = np.zeros(len(batch), np.bool_)
        is_bad[[*computed.unread, *computed.nan]] = True
        found = Counts(len(batch))
        if self._policy.strict:
            is_bad[[*computed.infinite, *computed.beyond]] = True
        else:
            infinite, beyond = (
                tally(self.counts.infinite, computed.infinite),
                tally(self.counts.beyond, computed.beyond),
            )
            found = found._replace(infinite=infinite, beyond=beyond)
        if not is_bad.any():
            self._put(batch, computed.arrays)
            return found
        bad = np.flatnonzero(is_bad)
        if self._policy.on_error == "fail":
            self._put(batch.part(0, bad[0]), [array[: bad[0]] for array in computed.arrays])
            raise _advised(self._error(batch, int(bad[0]), computed), _SKIP + _NULL * self._policy.writes)
        kinds = Counter[str]()
        for why, rows in Counter(computed.unread.values()).items():  # many rows hold the same
            kinds[_kind(why)] += rows
        kinds["with a result that is no number"] = len(bad) - len(computed.unread)
        self._put(batch, computed.arrays, **{self._policy.on_error: is_bad})
        return found._replace(bad=tally(self.counts.bad, bad), kinds=+kinds)

    def _put(
        self, batch: Batch, arrays: list[NDArray[np.float64]], *,
        null: NDArray[np.bool_] | None = None, skip: NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        if self._policy.precision is not None:
            arrays = [_rounded(array, self._policy.precision) for array in arrays]
        results = dict(zip(self._names, arrays, strict=True))
        self._writer.write(with_results(batch, results, null=null, skip=skip, only=self._policy.only))


def tell(counts: Counts, policy: Policy) -> None:
    """Say what was counted, unless nothing shall be said."""
    for sentence in counts.sentences(policy.on_error) if not policy.quiet else ():
        say(describe(EvaluationError(sentence), "warning"))


def _kind(why: str) -> str:
    """What is wrong with a row, without its particulars."""
    if re.match(r"\d+ cells? instead of", why):
        return "with another number of cells"
    if why.endswith((" an empty cell", " null")):
        return "without a number"
    return "with something else than a number" if why.startswith("column ") else "that cannot be read"


def _advised(error: DataError, advice: str) -> DataError:
    """The error of a row, with what may be done about it, unless its cells say more."""
    spelled = (hint for pattern, hint in _SPELLINGS if re.search(pattern, error.message))
    error.hint = error.hint or next(spelled, advice)
    return error


class Selection(NamedTuple):
    """Which rows count: those for which a condition holds, of these the ones behind some, and of these so many."""

    where: Bound | None = None
    skip: int = 0
    limit: int | None = None


def selected(batches: Iterable[Batch], selection: Selection, policy: Policy) -> Iterator[Batch]:
    """The rows that count; no more are read than it takes.

    Raises DataError for a row whose condition cannot be computed, unless bad rows may be: then it does not hold.
    """
    skip, left = selection.skip, selection.limit
    none: Batch | None = None  # says what the columns are, if no row counts
    some = False
    for batch in batches:
        kept, error = (batch, None) if selection.where is None else _chosen(batch, selection.where, policy)
        begin = min(skip, len(kept))
        skip -= begin
        kept = kept.part(begin, len(kept) if left is None else begin + left)
        left = None if left is None else left - len(kept)
        if len(kept):
            yield kept
            some = True
        none = none or kept
        if left == 0:
            break
        if error is not None:
            raise error
    if none is not None and not some:
        yield none.part(0, 0)


def _chosen(batch: Batch, where: Bound, policy: Policy) -> tuple[Batch, DataError | None]:
    """The rows for which a condition holds; and the error of the first bad one, if none may be, with those before."""
    computed = where(batch)
    bad = [*computed.unread, *computed.nan]
    condition = computed.arrays[0]
    holds = np.asarray((condition != 0) & ~np.isnan(condition))
    holds[bad] = False
    if not bad or policy.on_error != "fail":
        return batch.those(holds), None
    holds[min(bad) :] = False
    return batch.those(holds), _advised(where.error(batch, min(bad), computed), _SKIP)


def computed(batches: Iterable[Batch], bound: Bound) -> Generator[tuple[Batch, Computed], None, None]:
    """Batches with their results; in parts, where the results are many for each row."""
    numbers = count_of_numbers(node for _, node in bound.results)
    most = max(_MOST_NUMBERS // max(numbers, 1), 1)
    for batch in batches:
        for begin in range(0, max(len(batch), 1), most):
            part = batch.part(begin, begin + most)
            yield part, bound(part)


def _rounded(array: NDArray[np.float64], precision: int) -> NDArray[np.float64]:
    """The numbers with so many significant digits."""
    numbers = [float(f"{item:.{precision}g}") for item in array.ravel().tolist()]
    return np.array(numbers).reshape(array.shape)
