"""Where tasks run: here, in processes of our own, or on a cluster. Results come in the order of what they are of."""

from __future__ import annotations

import gc
import os
import pickle
import re
from abc import ABC, abstractmethod
from collections import Counter
from functools import lru_cache
from itertools import chain

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Iterable, Iterator, Self, Sequence, TypeVar
from cgcli.errors import DataError, MissingProgramError, UsageError
from cgcli.signals import Terminated

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    Item = tuple[int, Any]  # a part behind its place

Part = TypeVar("Part")
Result = TypeVar("Result")

_MOST_TASKS = 4  # that a worker keeps
_DEATHS = 2  # of workers that had a part, and then it is given up
_PATIENCE = 5.0  # seconds that a scheduler has to answer, and a process to take back what it has begun
_ADDRESS = re.compile(r"dask://(?P<host>\[[0-9a-fA-F:.]+\]|[^\s/:@[\]]+)(:(?P<port>\d{1,5}))?/?")
_PORT, _LAST_PORT = 8786, 65535
_VERSION = "__import__('cgcli').__version__"


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


class _Sent:
    """A task that is pickled once, and unpickled once by each worker: what it keeps, it keeps for all its parts."""

    def __init__(self, pickled: bytes) -> None:
        self._pickled = pickled

    def __call__(self, part: Any) -> Any:
        """What the task gives for a part."""
        try:
            return _unpickled(self._pickled)(part)
        except Terminated:  # what was half done is taken back; a pool would catch it, and the process wait for more
            os._exit(1)


@lru_cache(maxsize=_MOST_TASKS)
def _unpickled(pickled: bytes) -> Any:
    return pickle.loads(pickled)


class _AtWork:
    """The parts that are computed, with their places; the results and the errors of others, by these."""

    def __init__(self) -> None:
        self.running: dict[Future[Any], Item] = {}
        self.results: dict[int, Any] = {}
        self.errors: dict[int, Exception] = {}

    def take(self, futures: Iterable[Future[Any]]) -> list[Item]:
        """Take the results of these; the parts whose worker died."""
        from concurrent.futures import BrokenExecutor

        lost: list[Item] = []
        for future in futures:
            item = self.running.pop(future)
            try:
                self.results[item[0]] = future.result()
            except BrokenExecutor:
                lost.append(item)
            except Exception as error:
                self.errors[item[0]] = error
        return lost

    def take_what_runs(self) -> None:
        """Take the results of all that have begun; the others never do."""
        from concurrent.futures import wait

        for future in self.running:
            future.cancel()
        self.take(future for future in wait(self.running).done if not future.cancelled())


class Pool(Workers):
    """Any executors of concurrent.futures. A part whose worker dies is tried once more, by new ones.

    start: makes the executors for so many workers, when there is something to do: one for all, or one for each; then a
    part goes to the one that had it in the run before. room: how many parts they have at a time.
    """

    def __init__(self, start: Callable[[int], Sequence[Executor]], count: int, room: int) -> None:
        self.count = count
        self._start = start
        self._room = room
        self._executors: Sequence[Executor] = ()
        self._owners: dict[int, int] = {}  # which executor has had a part, by their places

    def run(self, task: Callable[[Part], Result], parts: Collection[Part]) -> Iterator[Result]:
        """As of all workers. Raises DataError where the worker of a part dies again, too."""
        from concurrent.futures import FIRST_COMPLETED, wait

        waiting: Iterator[Item] = enumerate(parts)
        if parts and not self._executors:
            self.count = min(self.count, len(parts))
            self._executors = self._start(self.count)
        room = max(self._room, len(self._owners))
        sent = _Sent(pickle.dumps(task))
        deaths = Counter[int]()
        work = _AtWork()
        following = 0
        while True:
            lost = self._given(work, waiting, room, sent)
            if not work.running and not lost:
                return
            lost = lost or work.take(wait(work.running, return_when=FIRST_COMPLETED).done)
            if work.errors:  # those that run are older than all others: the first error is among them
                work.take_what_runs()
                raise work.errors[min(work.errors)]
            if lost:  # with all that were with them, and nobody knows whose worker it was
                lost += work.take([*work.running])
                deaths.update(at for at, _ in lost)
                self._renew(max(deaths[at] for at, _ in lost))
                waiting = chain(lost, waiting)
            while following in work.results:
                yield work.results.pop(following)
                following += 1

    def _given(self, work: _AtWork, waiting: Iterator[Item], room: int, sent: _Sent) -> list[Item]:
        """Give parts to the executors as long as there is room; the one that they cannot take any more."""
        from concurrent.futures import BrokenExecutor

        while len(work.running) < room and (item := next(waiting, None)):
            executor = self._executor_of(item[0], [at for at, _ in work.running.values()])
            try:
                work.running[executor.submit(sent, item[1])] = item
            except BrokenExecutor:
                return [item]
        return []

    def _executor_of(self, part: int, running: Sequence[int]) -> Executor:
        """The one that had a part before, else that which has the least to do. running: the parts that are computed."""
        if part not in self._owners:
            busy = Counter(self._owners[at] for at in running)
            self._owners[part] = min(range(len(self._executors)), key=busy.__getitem__)
        return self._executors[self._owners[part]]

    def _renew(self, deaths: int) -> None:
        """Take new executors where one is broken. deaths: of the workers of one part."""
        self._end_workers()
        if deaths >= _DEATHS:
            raise DataError("a worker died, and so did the one that tried again",
                            hint="is there too little memory? fewer at once need less: --jobs 1")  # fmt: skip
        for executor in self._executors:
            executor.shutdown(wait=False)
        self._executors = self._start(self.count)

    def _end_workers(self) -> None:
        """End those of a broken executor that it does not end itself."""

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        for executor in self._executors:
            executor.shutdown(wait=not _is_signal(kind))


def _is_signal(kind: type[BaseException] | None) -> bool:
    """Whether what ends a block is no error."""
    return kind is not None and not issubclass(kind, Exception)


class _Processes(Pool):
    """Processes of our own."""

    def __init__(self, count: int, modules: Sequence[str], *, copies: bool, holding: bool) -> None:
        from cgcli.api.processes import processes

        start = processes(modules, copies=copies)
        super().__init__(lambda most: start([1] * most if holding else [most]), count, count + (not holding))

    def _end_workers(self) -> None:
        """A process that was begun while the executor broke is none of those that it ends, and it waits for that."""
        from cgcli.api.processes import terminate

        terminate(self._executors)

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        """Where a signal ends the command, they take back what they have begun."""
        from cgcli.api.processes import end

        leave_names = end(self._executors, at_once=_is_signal(kind))
        self._executors = ()
        if leave_names:
            gc.collect()  # `cg` ends at once, and nobody would remove their semaphores


class _Cluster(Pool):
    """The workers of a Dask cluster. What a worker loses when it dies, the scheduler gives to another."""

    def __init__(self, client: Any, address: str, *, holding: bool) -> None:
        threads = client.nthreads()
        each = [{"workers": [worker], "allow_other_workers": True} for worker in threads] if holding else [{}]
        count = sum(threads.values())
        super().__init__(lambda _: [client.get_executor(pure=False, **some) for some in each], count, 2 * count)
        self._client = client
        self._address = address

    def run(self, task: Callable[[Part], Result], parts: Collection[Part]) -> Iterator[Result]:
        """As of all workers. Raises DataError where workers die of a part, and where the scheduler is gone."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            yield from super().run(task, parts)
        except KilledWorker:
            raise DataError(f"several workers at {self._address} died of the same part",
                            hint="is there too little memory for it?") from None  # fmt: skip
        except CancelledError:
            raise DataError(f"the scheduler at {self._address} has gone") from None

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        super().__exit__(kind, *others)
        self._client.close()


def workers(
    jobs: int = 1, on: str = "", modules: Sequence[str] = (), *, copies: bool = False, holding: bool = False
) -> Workers:
    """So many processes, or the cluster at an address, `dask://host:8786`.

    modules: that the tasks of processes will import; they do it once for all, while this process goes on.
    copies: whether they may be copies of this one, where it is a command: it has opened nothing in an object store.
    holding: whether they hold what they have read of a part for its next task.

    Raises UsageError for another address, MissingProgramError without Dask, DataError where no scheduler answers, and
    where its workers have no cgcli, or one of another version.
    """
    if not on:
        return _Processes(jobs, modules, copies=copies, holding=holding) if jobs > 1 else Here()
    host, port = address_of(on)
    import socket

    try:
        from distributed import Client
    except ImportError:
        raise MissingProgramError(f"to work on {on} needs Dask, which is not installed",
                                  hint="pip install 'cgcli[dask]'") from None  # fmt: skip
    import logging

    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is told by errors
    try:
        with socket.create_connection((host, port), _PATIENCE) as probe:
            probe.recv(1)  # a scheduler speaks first; for one that does not, the client would wait for ever
        client = Client(f"tcp://{f'[{host}]' if ':' in host else host}:{port}", timeout=_PATIENCE, set_as_default=False)
    except OSError as error:
        reason = getattr(error, "strerror", None) or "there is no answer"
        hint = "one is started with: dask scheduler; its workers with: dask worker"
        raise DataError(f"there is no scheduler of Dask at {on}: {reason[:1].lower()}{reason[1:]}", hint=hint) from None
    try:
        _check_workers(client, on)
        return _Cluster(client, on, holding=holding)
    except BaseException:
        client.close()
        raise


def address_of(on: str) -> tuple[str, int]:
    """The host and the port of `dask://host:8786`. Raises UsageError for another text."""
    match = _ADDRESS.fullmatch(on)
    port = int(match["port"] or _PORT) if match else 0
    if match is None or not 0 < port <= _LAST_PORT:
        raise UsageError(f"'{on}' is no address of a cluster", hint="as in: dask://host:8786")
    return match["host"].strip("[]"), port


def _check_workers(client: Any, on: str) -> None:
    """Raise DataError where there are no workers that have this version of cgcli."""
    from cgcli.version import __version__

    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise DataError(f"the scheduler at {on} has no workers", hint="start some: dask worker HOST:PORT") from None
    for worker, version in client.run(eval, _VERSION, on_error="return").items():
        if version != __version__:
            has = f"cgcli {version}" if isinstance(version, str) else "no cgcli that can be imported"
            raise DataError(f"the worker at {worker} has {has}, and here it is {__version__}",
                            hint=f"on each of them: pip install cgcli=={__version__}")  # fmt: skip
