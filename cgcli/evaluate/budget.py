"""How many trips loops may make: one bound for a whole evaluation, those of loops within loops included."""

from __future__ import annotations

from _thread import _local

from cgcli.annotations import Sequence
from cgcli.errors import EvaluationError
from cgcli.graph.loops import most_trips
from cgcli.graph.shapes import as_lists


class _Budget(_local):
    """Of this thread. left: how many trips are left; None where no loop runs. made: by all evaluations so far."""

    left: int | None = None
    made: int = 0


_budget = _Budget()


class bounded:  # noqa: N801, a context manager
    """Where trips are counted: loops within loops share the bound of the outermost."""

    def __enter__(self) -> None:
        self._outermost = _budget.left is None
        if self._outermost:
            _budget.left = most_trips()

    def __exit__(self, *error: object) -> None:
        if self._outermost:
            _budget.left = None


class uncounted:  # noqa: N801, a context manager
    """Where trips are not those of a program's loops: `trips_made` leaves them out."""

    def __enter__(self) -> None:
        self._made = _budget.made

    def __exit__(self, *error: object) -> None:
        _budget.made = self._made


def trips_left() -> int:
    """How many trips may still be made, within `bounded`."""
    assert _budget.left is not None
    return _budget.left


def trips_made() -> int:
    """How many trips this thread has made: two evaluations that follow the same path make the same number."""
    return _budget.made


def spend(trips: int, carries: Sequence[object], where: str = "") -> None:
    """Count trips. carries: what the loop carries after them, for the error.

    Raises EvaluationError where there are more than were left.
    """
    _budget.left = trips_left() - trips
    _budget.made += trips
    if _budget.left < 0:
        raise unfinished(carries, where=where)


def set_left(trips: int) -> None:
    """Have so many trips left again: rows that are computed one after the other share a bound as if they were not."""
    _budget.left = trips


def unfinished(carries: Sequence[object], before: str = "", where: str = "") -> EvaluationError:
    """The error for a loop that makes more trips than are allowed."""
    trips = f"{before}the loop did not end within {most_trips()} trips{where}"
    return EvaluationError(f"{trips}; it carries {shown(carries)}"[:400], hint="--max-trips N allows more")


def shown(carries: Sequence[object]) -> str:
    """What a loop carries, in an error."""
    from cgcli.ops.statics import brief

    return ", ".join(brief(as_lists(carry)) for carry in carries[:4]) + ", …" * (len(carries) > 4)
