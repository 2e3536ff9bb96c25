"""Rows in parts, over which a search passes again and again: they stay where they are, here or with workers.

A pass sends the values of parameters to each part and takes back what the rows of this part say of them, a summary or a
gradient; these are put together in the order of the parts. So as many workers as you like give the same bits.
"""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Iterable, Iterator, Sequence
from cgcli.errors import UsageError
from cgcli.records import NamedTuple
from cgcli.searches.reading import Read, read_rows
from cgcli.tables.kept import Kept

if TYPE_CHECKING:
    from cgcli.annotations import Protocol
    from cgcli.api.columns import Bound
    from cgcli.searches.reading import Weights
    from cgcli.tables.batch import Batch

    class Workers(Protocol):
        """Those who run tasks; as of `api.workers`."""

        def run(self, task: Callable[[Any], Any], parts: Collection[Any]) -> Iterator[Any]: ...

    class Summarises(Protocol):
        """What has methods whose first argument are the blocks of a part. first, weights: as of `read_rows`."""

        @property
        def first(self) -> Bound: ...
        @property
        def weights(self) -> Weights | None: ...


_MOST_HELD = 1 << 28  # bytes of rows that a worker holds between passes; it reads the others again


class Rows(ABC):
    """Rows that were read. rows: how many count."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    @abstractmethod
    def each(self, method: str, *given: Any) -> Iterator[Any]:
        """What a method of the one who passes over them gives for each part, in their order."""


class Here(Rows):
    """Rows in this process, a part for each source; iterate over their blocks."""

    def __init__(self, passing: Summarises, kept: Kept) -> None:
        super().__init__(kept.rows)
        self._passing, self._kept = passing, kept

    def each(self, method: str, *given: Any) -> Iterator[Any]:
        """As of all rows."""
        run = getattr(self._passing, method)
        return (run(part, *given) for part in self._kept.parts())

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(self._kept)


class Parts(NamedTuple):
    """Rows that workers read. read: gives the batches of a part; parts: they can be pickled and hashed."""

    read: Callable[[Any], Iterable[Batch]]
    parts: Sequence[Any]
    workers: Workers


class _Away(Rows):
    """Rows that workers hold, or read again for each pass."""

    def __init__(self, passes: _Passes, parts: Sequence[Any], workers: Workers, rows: int) -> None:
        super().__init__(rows)
        self._passes, self._parts, self._workers = passes, parts, workers

    def each(self, method: str, *given: Any) -> Iterator[Any]:
        """As of all rows."""
        return self._workers.run(self._passes, [(part, method, given) for part in self._parts])


def gathered(
    passing: Summarises, rows: Iterable[Batch] | Parts, what: str, *, by: str | None = None, on_error: str = "fail"
) -> tuple[dict[str, Rows], list[str]]:
    """The rows for passes, those of each value of a column apart, and sentences on them.

    what: what they are for. Raises as `read_rows`, DataError where there are none, UsageError for a column with
    workers.
    """
    if not isinstance(rows, Parts):
        read = read_rows(rows, passing.first, weights=passing.weights, by=by, on_error=on_error)
        read.check(what)
        return {key: Here(passing, kept) for key, kept in read.groups.items()}, read.notes()
    if by is not None:
        raise UsageError("rows of one value of a column lie in many parts, and workers each have a part of their own",
                         hint="take those of one value: --where 'x == 1'")  # fmt: skip
    passes = _Passes(pickle.dumps((passing, rows.read, on_error)))
    counts = [*rows.workers.run(passes, [(part, "", ()) for part in rows.parts])]
    found = Read()
    for each in counts:
        found.add(*each)
    found.check(what)
    counting = [part for part, (count, *_) in zip(rows.parts, counts, strict=True) if count]
    return {"": _Away(passes, counting, rows.workers, found.rows)}, found.notes()


class _Passes:
    """Passes over parts, by a worker, who holds their rows between passes as long as there is room.

    made: who passes over the rows, who reads them, and what becomes of bad rows, pickled: for all passes the same.
    """

    def __init__(self, made: bytes) -> None:
        self._made = made
        self._passing, self._read, self._on_error = pickle.loads(made)
        self._held: dict[Any, Kept] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return _Passes, (self._made,)

    def __call__(self, task: tuple[Any, str, Sequence[Any]]) -> Any:
        """What a method gives for a part. Without one, of its rows those that count, all, the bad ones, and why."""
        part, method, given = task
        kept = self._held.get(part)
        if method and kept is not None:
            return getattr(self._passing, method)(iter(kept), *given)
        first, weights = self._passing.first, self._passing.weights
        read = read_rows(self._read(part), first, weights=weights, on_error=self._on_error, most_bytes=_MOST_HELD)
        kept = read.groups.get("", Kept())
        if not kept.spilled and kept.bytes + sum(each.bytes for each in [*self._held.values()]) <= _MOST_HELD:
            self._held[part] = kept
        if method:
            return getattr(self._passing, method)(iter(kept), *given)
        return read.rows, read.total, read.bad, read.first
