"""Rows in parts, over which a search passes again and again: they stay where they are, here or with workers.

A pass sends the values of parameters to each part and takes back what the rows of this part say of them, a summary or a
gradient; these are put together in the order of the parts. So as many workers as you like give the same bits.
"""

from __future__ import annotations

import hashlib
import pickle
from abc import ABC, abstractmethod
from functools import lru_cache

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Sequence
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

        def run(self, task: Callable[[Any], Any], parts: Iterable[Any]) -> Iterator[Any]: ...

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
    """Rows that workers read. readers: one for each part, which gives its batches; it can be pickled."""

    readers: Sequence[Callable[[], Iterable[Batch]]]
    workers: Workers


class _Part(NamedTuple):
    """A part as a worker gets it: who passes over the rows, and who reads them, both pickled."""

    passing: bytes
    reader: bytes
    on_error: str


class _Away(Rows):
    """Rows that workers hold, or read again for each pass."""

    def __init__(self, parts: Sequence[_Part], workers: Workers, rows: int) -> None:
        super().__init__(rows)
        self._parts, self._workers = parts, workers

    def each(self, method: str, *given: Any) -> Iterator[Any]:
        """As of all rows."""
        return self._workers.run(_pass, [(part, method, given) for part in self._parts])


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
    sent = pickle.dumps(passing)
    parts = [_Part(sent, pickle.dumps(reader), on_error) for reader in rows.readers]
    counts = [*rows.workers.run(_counted, parts)]
    found = Read()
    for each in counts:
        found.add(*each)
    found.check(what)
    counting = [part for part, (count, *_) in zip(parts, counts, strict=True) if count]
    return {"": _Away(counting, rows.workers, found.rows)}, found.notes()


_held: dict[tuple[bytes, bytes], Kept] = {}  # of a worker: the rows of parts, by digests


def _counted(part: _Part) -> tuple[int, int, int, str]:
    """Of a part the rows that count, all, the bad ones, and what is wrong with the first of these."""
    read = _read(part)
    return read.rows, read.total, read.bad, read.first


def _pass(task: tuple[_Part, str, Sequence[Any]]) -> Any:
    """What a method gives for a part."""
    part, method, given = task
    kept = _held.get(_key(part))
    if kept is None:
        kept = _read(part).groups.get("", Kept())
    return getattr(_passing(part.passing), method)(iter(kept), *given)


def _read(part: _Part) -> Read:
    """Read the rows of a part; they are held as long as there is room, and those of other searches no longer."""
    passing, batches = _passing(part.passing), pickle.loads(part.reader)()
    read = read_rows(batches, passing.first, weights=passing.weights, on_error=part.on_error, most_bytes=_MOST_HELD)
    key = _key(part)
    for other in [other for other in _held if other[0] != key[0]]:
        _held.pop(other, None)
    kept = read.groups.get("", Kept())
    if not kept.spilled and kept.bytes + sum(each.bytes for each in [*_held.values()]) <= _MOST_HELD:
        _held[key] = kept
    return read


def _key(part: _Part) -> tuple[bytes, bytes]:
    return _digest(part.passing), hashlib.sha256(part.reader + part.on_error.encode()).digest()


@lru_cache(maxsize=4)
def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@lru_cache(maxsize=4)
def _passing(content: bytes) -> Any:
    """The one who passes over rows, made once for all parts that a worker gets."""
    return pickle.loads(content)
