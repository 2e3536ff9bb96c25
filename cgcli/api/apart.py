"""Files that are computed each by itself, by processes or on a cluster: by whom, and what the first ones tell."""

from __future__ import annotations

import os

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Sequence, TypeVar
from cgcli.api.cells import tell_shapes
from cgcli.errors import DataError, ParseError, UnknownNameError, UsageError
from cgcli.records import NamedTuple
from cgcli.tables.parts import columns_of
from cgcli.tables.remote import is_remote, shown

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cgcli.annotations import Protocol
    from cgcli.api.point import Point
    from cgcli.api.pool import Workers
    from cgcli.tables.batch import Batch
    from cgcli.tables.listing import Source

    class Begun(Protocol):
        """Rows that are being read: their first batches, and programs at points where their columns vary."""

        @property
        def first(self) -> Sequence[Batch]: ...
        @property
        def points(self) -> Sequence[Point]: ...


Rows = TypeVar("Rows", bound="Begun")
_NEEDED = ("cgcli.tables.columnar", "pyarrow.parquet", "pyarrow.fs")


class Crew(NamedTuple):
    """Who computes files. jobs: how many processes; on: the address of a cluster instead, "" for none.

    dashes: what stands before these two names in messages.
    """

    jobs: int = 1
    on: str = ""
    dashes: str = ""

    @property
    def is_of_others(self) -> bool:
        """Whether others than this process compute."""
        return self.jobs != 1 or bool(self.on)

    @property
    def option(self) -> str:
        """What asks for the others, in messages."""
        return f"{self.dashes}{'on' if self.on else 'jobs'}"

    def check_files(self, files: Sequence[str]) -> None:
        """Raise UsageError where there are no files that others could read."""
        if not files or "-" in files:
            raise UsageError(f"{self.option} is for files, and there are none", hint="as in: 'data/*.parquet'")

    def workers(self, files: Sequence[str], modules: Sequence[str], *, holding: bool = False) -> Workers:
        """Those who compute. files: that are read and written. modules: of the task, and what it needs.

        holding: as of `workers`. Raises as that does, and UsageError where processes and a cluster are asked for.
        """
        from cgcli.api.workers import workers

        if self.jobs < 1:
            raise UsageError(f"{self.dashes}jobs are 1 or more, and not {self.jobs}")
        if self.on and self.jobs > 1:
            raise UsageError(f"{self.dashes}jobs is of this machine, and {self.dashes}on has a cluster work",
                             hint="choose one")  # fmt: skip
        return workers(self.jobs, self.on, [*modules, *_NEEDED], copies=not any(map(is_remote, files)), holding=holding)

    def named(self, sources: Sequence[Source]) -> list[Source]:
        """The files by names that those who compute them understand."""
        if not self.on:
            return [*sources]  # those of a cluster have other working directories
        return [each if is_remote(each.name) else each._replace(name=os.path.abspath(each.name)) for each in sources]


def names_in(data: Any) -> Sequence[str]:
    """The names of files, folders and patterns that data are; none where they are data themselves."""
    names = [data] if isinstance(data, str) else data
    return names if isinstance(names, Sequence) and all(isinstance(each, str) for each in names) else ()


def begun(
    opened: Callable[[Sequence[Source]], AbstractContextManager[Rows]], files: Sequence[Source], *, same: bool = False
) -> Rows:
    """The rows that say what the columns are: of the first file, or of all where that does not tell.

    same: whether all have the same columns, unless they hold objects, of which each has its own.
    """
    error: UnknownNameError | ParseError | None = None
    try:
        with opened([file._replace(begins=True) for file in files[:1]]) as rows:
            if (same and columns_in(rows)) or all(tell_shapes(rows.first, point.columns) for point in rows.points):
                return rows
    except (UnknownNameError, ParseError) as raised:
        error = raised
    with opened(files) as rows:
        if error is not None and same and columns_in(rows):
            said = f"{shown(files[0].name)} has other columns than files behind it: {error.message}"
            raise DataError(said, error.span, source=error.source, hint=error.hint) from None
        return rows


def columns_in(rows: Begun) -> tuple[tuple[str, str], ...] | None:
    """The columns of the first rows; None where each row has its own."""
    return columns_of(rows.first[0]) if rows.first else None
