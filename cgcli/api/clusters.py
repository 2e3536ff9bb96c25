"""Executors of `concurrent.futures`, among them that of a Dask cluster."""

from __future__ import annotations

import pickle
from collections import Counter
from functools import lru_cache
from time import monotonic

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Sequence, TypeVar
from cgcli.api.pool import Outcome, Pool
from cgcli.errors import DataError, MissingProgramError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from cgcli.annotations import Collection

Part = TypeVar("Part")
Result = TypeVar("Result")

_MOST_TASKS = 4  # that a worker keeps
_DEPTH = 4  # parts for each thread of a worker: a result takes a hundredth of a second to come, and another part to go
_PATIENCE = 5.0  # seconds that a scheduler has to answer, and after which it is asked whether there are workers
_LONG_PATIENCE = 30.0  # seconds that workers have to come again
# Text and bytes, which can be read where there is no cgcli: a scheduler reads all that it passes on.
_VERSION = "__import__('cgcli').__version__"
_COMPUTED = f"__import__('{__name__}', fromlist=['']).computed(task, part)"


def computed(task: bytes, part: bytes) -> Any:
    """What a task gives for a part, both pickled. A worker keeps the task, which keeps what it keeps for all parts."""
    return _unpickled(task)(pickle.loads(part))


@lru_cache(maxsize=_MOST_TASKS)
def _unpickled(task: bytes) -> Any:
    return pickle.loads(task)


class Executors(Pool):
    """Any executors: one for all parts, or several, and then a part goes to the one that had it in the run before.

    count: how many parts are computed at once. room: how many they have at a time.
    """

    def __init__(self, executors: Sequence[Executor], count: int, room: int) -> None:
        self.count = count
        self._least, self._most = room, room
        self._executors = executors
        self._owners: dict[int, int] = {}  # of several executors, which has had a part, by their places
        self._futures: dict[Future[Any], int] = {}
        self._task = b""

    def _begin(self, task: Callable[[Any], Any], parts: int) -> None:
        self._task = pickle.dumps(task)
        self._futures = {}
        self._most = max(self._least, len(self._owners))  # each has its own from the beginning

    def _room(self) -> int:
        return self._most

    def _give(self, at: int, part: Any) -> None:
        several = len(self._executors) > 1
        if several and at not in self._owners:
            busy = Counter(self._owners[each] for each in self._futures.values())
            self._owners[at] = min(range(len(self._executors)), key=busy.__getitem__)
        given = {"task": self._task, "part": pickle.dumps(part)}
        executor = self._executors[self._owners[at] if several else 0]
        self._futures[executor.submit(eval, _COMPUTED, given)] = at

    def _outcomes(self) -> Iterator[Outcome]:
        from concurrent.futures import FIRST_COMPLETED, wait

        while not (done := wait(self._futures, _PATIENCE, FIRST_COMPLETED).done):
            self._check()
        for future in done:
            at, error = self._futures.pop(future), future.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            yield Outcome(at, None, error) if error else Outcome(at, future.result())

    def _check(self) -> None:
        """Raise DataError where nobody computes any more, while nothing is done for some time."""

    def _taken_back(self) -> Iterator[int]:
        for future in [future for future in self._futures if future.cancel()]:
            yield self._futures.pop(future)

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        for executor in self._executors:
            executor.shutdown(wait=kind is None)


class Cluster(Executors):
    """The workers of a Dask cluster. What a worker loses when it dies, the scheduler gives to another."""

    def __init__(self, client: Any, address: str, *, holding: bool) -> None:
        threads = client.nthreads()
        each = [{"workers": [worker], "allow_other_workers": True} for worker in threads] if holding else [{}]
        count = sum(threads.values())
        super().__init__([client.get_executor(pure=False, **some) for some in each], count, _DEPTH * count)
        self._client = client
        self._address = address
        self._left = 0.0  # when there were no workers for the first time

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

    def _check(self) -> None:
        """As of all executors; others may come in the place of workers that have gone."""
        now = monotonic()
        if self._client.nthreads():
            self._left = 0.0
        elif not self._left:
            self._left = now
        elif now > self._left + _LONG_PATIENCE:
            raise DataError(f"all workers at {self._address} have gone", hint="start some: dask worker HOST:PORT")

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        """What is still to be computed is given up."""
        self._client.close()


def cluster(on: str, host: str, port: int, *, holding: bool) -> Executors:
    """The workers of the cluster at an address. Raises as `workers`."""
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
    except Exception as error:
        answer = "there is no answer" if isinstance(error, OSError) else "something else answers"
        reason = getattr(error, "strerror", None) or answer
        hint = "one is started with: dask scheduler; its workers with: dask worker"
        raise DataError(f"there is no scheduler of Dask at {on}: {reason[:1].lower()}{reason[1:]}", hint=hint) from None
    try:
        _check_workers(client, on)
        return Cluster(client, on, holding=holding)
    except BaseException:
        client.close()
        raise


def _check_workers(client: Any, on: str) -> None:
    """Raise DataError where there are no workers that have this version of cgcli."""
    from cgcli.version import __version__

    found = client.run(eval, _VERSION, on_error="return")
    if not found:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError:
            raise DataError(f"the scheduler at {on} has no workers", hint="start some: dask worker HOST:PORT") from None
        found = client.run(eval, _VERSION, on_error="return")
    for worker, version in found.items():
        if version != __version__:
            has = f"cgcli {version}" if isinstance(version, str) else "no cgcli that can be imported"
            raise DataError(f"the worker at {worker} has {has}, and here it is {__version__}",
                            hint=f"on each of them: pip install cgcli=={__version__}")  # fmt: skip
