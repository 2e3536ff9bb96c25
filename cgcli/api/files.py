"""The columns of a file of rows as vectors: what `--vars FILE` and `@FILE:NAME` give to names."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Iterable, Sequence
from cgcli.api.cells import column_of
from cgcli.api.columns import topic_of
from cgcli.errors import DataError, did_you_mean
from cgcli.graph.node import check_size
from cgcli.lean import cached_property
from cgcli.tables.dialect import AS_EVERYWHERE, Reading
from cgcli.tables.names import element_of
from cgcli.tables.source import batches

if TYPE_CHECKING:
    from cgcli.tables.batch import Batch
    from cgcli.tables.listing import Source

_MOST_BYTES = 2**31  # of rows that are in memory at once


class Table:
    """All rows of files, of whatever format; their columns become vectors when they are asked for.

    Raises DataError for what cannot be read, and for more than is held at once.
    """

    def __init__(
        self, files: Sequence[str | Source], format_name: str | None = None, reading: Reading = AS_EVERYWHERE
    ) -> None:
        self.batches: list[Batch] = []
        size = 0
        for batch in batches(files, format_name, reading):
            self.batches.append(batch)
            size += batch.size
            if size > _MOST_BYTES:
                raise DataError(
                    f"{batch.source} holds more than {_MOST_BYTES >> 30} GiB of rows, and all are needed at once"
                )
        self.title = self.batches[0].source if self.batches else "the input"

    def __len__(self) -> int:
        """How many rows."""
        return sum(map(len, self.batches))

    @cached_property
    def names(self) -> list[str]:
        """The names of its columns; that of an array, where its elements have a column each."""
        given = dict.fromkeys(name.strip() for batch in self.batches for name in batch.names)
        arrays = dict.fromkeys(name for name in map(element_of, given) if name and name not in given)
        paths = dict.fromkeys(name for batch in self.batches for name in batch.paths)
        return [*given, *paths, *(name for name in arrays if all(batch.has(name) for batch in self.batches))]

    def vector(self, name: str) -> Any:
        """A column, of shape (rows, …). Raises DataError for a cell without a number, with its place."""
        if name not in self.names:
            raise DataError(f"{self.title} has no column '{name}'",
                            hint=did_you_mean(name, self.names) or f"it has {', '.join(self.names)}",
                            topic=topic_of(self.names))  # fmt: skip
        shape: tuple[int, ...] | None = None
        found = []
        for batch in self.batches:
            column = column_of(batch, name, shape)
            bad = {**column.bad, **batch.bad}
            if bad:
                raise DataError(f"{batch.at(min(bad))}: {bad[min(bad)]}")
            found.append(column.values)
            shape = column.values.shape[1:]
            check_size((len(self), *shape), f"column '{name}' of {self.title}")
        return np.ascontiguousarray(np.concatenate(found)) if found else np.zeros(0)

    def vectors(self, names: Iterable[str]) -> dict[str, Any]:
        """Those of the names that are columns, as vectors."""
        return {name: self.vector(name) for name in names if name in self.names}
