"""Who runs tasks, and in which order results come: that of the parts, whoever has computed them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from itertools import chain

from cgcli.annotations import Any, Callable, Collection, Iterable, Iterator, Self, TypeVar
from cgcli.errors import DataError
from cgcli.records import NamedTuple

Part = TypeVar("Part")
Result = TypeVar("Result")

_DEATHS = 2  # of workers that had a part, and then it is given up


class Workers(ABC):
    """Those who run tasks, within a `with` block; `workers` makes them. count: how many work at once."""

    count = 1

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        """All are done, or given up."""

    @abstractmethod
    def run(self, task: Callable[[Part], Result], parts: Collection[Part]) -> Iterator[Result]:
        """`task(part)` for each part, in the order of the parts, as soon as those before it are there.

        task, parts, results: what can be pickled, a function of a module. Raises what a task raises, once those that
        run are done; no other is begun then.
        """


class Here(Workers):
    """This process, one task after the other."""

    def run(self, task: Callable[[Part], Result], parts: Collection[Part]) -> Iterator[Result]:
        """As of all workers."""
        return map(task, parts)

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        """Nothing is to be ended."""


class LostError(Exception):
    """The worker of a part has died."""


class Outcome(NamedTuple):
    """What has become of the part at a place: a result, or an error."""

    at: int
    result: Any = None
    error: Exception | None = None


class Pool(Workers):
    """Several who work at the same time. A part whose worker dies is tried once more."""

    def run(self, task: Callable[[Part], Result], parts: Collection[Part]) -> Iterator[Result]:
        """As of all workers. Raises DataError where the worker of a part dies again, too."""
        waiting: Iterator[tuple[int, Part]] = enumerate(parts)
        running: dict[int, Part] = {}
        results: dict[int, Result] = {}
        errors: dict[int, Exception] = {}
        deaths = Counter[int]()
        following = 0
        if parts:
            self._begin(task, len(parts))
        while True:
            while not errors and len(running) < self._room() and (item := next(waiting, None)):
                running[item[0]] = item[1]
                self._give(*item)
            while following in results:
                yield results.pop(following)
                following += 1
            if not running:
                break
            for at, result, error in self._outcomes():
                part = running.pop(at)
                if isinstance(error, LostError):
                    deaths[at] += 1
                    if deaths[at] == _DEATHS:
                        raise _given_up()
                    waiting = chain([(at, part)], waiting)
                elif error is not None:
                    errors[at] = error
                else:
                    results[at] = result
            for at in self._taken_back() if errors else ():
                del running[at]
        if errors:  # those that ran were older than all others: the first error is among them
            raise errors[min(errors)]

    @abstractmethod
    def _begin(self, task: Callable[[Any], Any], parts: int) -> None:
        """Begin a run. parts: how many there are."""

    @abstractmethod
    def _room(self) -> int:
        """How many parts they have at a time."""

    @abstractmethod
    def _give(self, at: int, part: Any) -> None:
        """Have a part computed."""

    @abstractmethod
    def _outcomes(self) -> Iterable[Outcome]:
        """Of parts that were given: wait for one at least."""

    @abstractmethod
    def _taken_back(self) -> Iterable[int]:
        """Take back the parts that nobody has begun; which they were."""


def _given_up() -> DataError:
    return DataError("a worker died, and so did the one that tried again",
                     hint="is there too little memory? fewer at once need less: --jobs 1")  # fmt: skip
