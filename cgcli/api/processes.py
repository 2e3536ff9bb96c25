"""Processes of our own that run tasks: they end with this process, and leave Ctrl-C to it.

They are copies of this one where it is a command: they have all that it has prepared, and begin at once. In a program
of others, its threads may hold locks; then they are copies of a server that has imported what they need, where there is
one. Each has a line to this process; that it is dead is seen there, too.
"""

from __future__ import annotations

import os
import pickle
import select
import sys
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from time import monotonic

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, NoReturn, Sequence
from cgcli.api.pool import LostError, Outcome, Pool
from cgcli.api.serving import GONE, serve
from cgcli.lean import signal
from cgcli.signals import are_ours

if TYPE_CHECKING:
    from cgcli.annotations import Protocol
    from cgcli.api.serving import Line

    class Process(Protocol):
        """Another process. knows: the task that it has, pickled."""

        knows: bytes

        @property
        def line(self) -> Line: ...
        def terminate(self) -> None: ...
        def join(self) -> None: ...


_LENGTH = 8  # bytes that say how many follow
_LITTLE = 1 << 12  # bytes that a line takes though nobody reads
_QUICK = 0.03  # seconds of a part


class Processes(Pool):
    """So many processes, which begin with the first task.

    modules: that tasks will import. copies: whether they may be copies of this one: it has opened nothing in an object
    store. holding: whether they hold what they have read of a part: it goes to the one that had it in the run before.
    """

    def __init__(self, count: int, modules: Sequence[str], *, copies: bool, holding: bool) -> None:
        self.count = count
        self._modules = modules
        self._copies = copies and sys.platform == "linux" and are_ours()
        self._holding = holding
        self._hands: list[_Hand] = []
        self._owners: dict[int, _Hand] = {}  # who has had a part, by its place
        self._owned = 0  # how many had one when the run began
        self._task: Any = None
        self._pickled = b""
        self._run = 0
        if not self._copies:
            from cgcli.api import others

            others.prepare(modules)

    def _begin(self, task: Callable[[Any], Any], parts: int) -> None:
        self._run += 1
        self._owned = len(self._owners)
        self._task, self._pickled = task, pickle.dumps(task)
        for hand in self._hands:
            hand.waiting.clear()  # of a run that nobody followed to its end
        if not self._hands:
            self.count = min(self.count, parts)
            self._hands = [_Hand() for _ in range(self.count)]

    def _room(self) -> int:
        return max(sum(hand.depth for hand in self._hands), self._owned)

    def _give(self, at: int, part: Any) -> None:
        hand = self._owners[at] if at in self._owners else max(self._hands, key=_Hand.room)
        if self._holding:
            self._owners[at] = hand
        hand.waiting.append((at, part))
        self._send(hand)

    def _send(self, hand: _Hand) -> None:
        """Give a process parts that wait for it, as many as it takes."""
        while hand.waiting and len(hand.running) < hand.depth:
            process = hand.process = hand.process or self._started()
            at, part = hand.waiting[0]
            content = pickle.dumps((b"" if process.knows == self._pickled else self._pickled, part))
            if not hand.running:
                hand.since = monotonic()
            elif len(content) > _LITTLE:
                return
            hand.waiting.popleft()
            hand.running.append((self._run, at, part))
            with suppress(OSError):  # it is dead, which is seen where its answer should come
                process.line.send_bytes(content)
                process.knows = self._pickled

    def _outcomes(self) -> Iterator[Outcome]:
        for hand in _ready([hand for hand in self._hands if hand.running]):
            assert hand.process is not None
            run, at, _ = hand.running.popleft()
            try:
                outcome = Outcome(at, *hand.process.line.recv())
                hand.answered()
            except GONE:
                outcome = Outcome(at, error=LostError())
                hand.process.line.close()
                hand.process.join()
                hand.process = None
                hand.waiting.extendleft((at, part) for of, at, part in reversed(hand.running) if of == self._run)
                hand.running.clear()
            self._send(hand)
            if run == self._run:
                yield outcome

    def _taken_back(self) -> Iterator[int]:
        for hand in self._hands:
            while hand.waiting:
                yield hand.waiting.pop()[0]

    def _started(self) -> Process:
        """A new process."""
        if self._copies and threading.active_count() == 1:
            lines = [hand.process.line for hand in self._hands if hand.process is not None]
            return _Copy(self._task, self._pickled, lines)
        from cgcli.api import others

        others.prepare(self._modules)
        return others.Other()

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        """Those that still compute take back what they have begun."""
        processes = [(hand.process, not hand.running) for hand in self._hands if hand.process is not None]
        self._hands = []
        for process, is_idle in processes:
            if is_idle:
                process.line.close()
            else:
                process.terminate()
        for process, _ in processes:
            process.join()
            process.line.close()


class _Hand:
    """One of those who compute.

    running: the parts that its process has, with their run and their place. waiting: those that it will have.
    depth: how many its process has at a time; one that is quick would else wait for this one after each.
    """

    def __init__(self) -> None:
        self.process: Process | None = None
        self.running = deque[tuple[int, int, Any]]()
        self.waiting = deque[tuple[int, Any]]()
        self.depth = 1
        self.since = 0.0

    def room(self) -> int:
        """How many more parts it may have."""
        return self.depth - len(self.running) - len(self.waiting)

    def answered(self) -> None:
        """It has computed a part."""
        before, self.since = self.since, monotonic()
        self.depth = 1 + (self.since - before < _QUICK)


def _ready(hands: Sequence[_Hand]) -> list[_Hand]:
    """Those whose processes have answered or died; wait for one at least."""
    by_line = {hand.process.line: hand for hand in hands if hand.process is not None}
    if not hasattr(select, "poll"):
        from multiprocessing.connection import wait

        return [by_line[line] for line in wait([*by_line])]  # type: ignore[index,list-item]
    by_number = {line.fileno(): hand for line, hand in by_line.items()}
    poll = select.poll()
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll()]


class _Pipes:
    """A line to another process, of two pipes. reads, writes: numbers of their ends."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = os.fdopen(reads, "rb", buffering=0), os.fdopen(writes, "wb", buffering=0)

    def fileno(self) -> int:
        """What there is to read from."""
        return self._reads.fileno()

    def send_bytes(self, content: bytes) -> None:
        """Send an object, pickled. Raises OSError where the other process has ended."""
        rest = memoryview(len(content).to_bytes(_LENGTH, "big") + content)
        while rest:
            rest = rest[self._writes.write(rest) :]

    def recv(self) -> Any:
        """An object. Raises EOFError where the other process has ended."""
        size = int.from_bytes(self._whole(_LENGTH), "big")
        return pickle.loads(self._whole(size))

    def _whole(self, size: int) -> bytearray:
        found = bytearray()
        while len(found) < size:
            piece = self._reads.read(size - len(found))
            if not piece:
                raise EOFError
            found += piece
        return found

    def close(self) -> None:
        """There will be no more."""
        self._reads.close()
        self._writes.close()


class _Copy:
    """A copy of this process, which has the task as it is here. lines: those of others."""

    def __init__(self, task: Any, pickled: bytes, lines: Sequence[Line]) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or none
                stream.flush()
        parts, results = os.pipe(), os.pipe()
        self._number = os.fork()
        if not self._number:
            _live(_Pipes(parts[0], results[1]), (parts[1], results[0]), task, pickled, lines)
        os.close(parts[0])
        os.close(results[1])
        self.line = _Pipes(results[0], parts[1])
        self.knows = b""

    def terminate(self) -> None:
        """Tell it to end."""
        os.kill(self._number, signal.SIGTERM)

    def join(self) -> None:
        """Wait until it has ended."""
        with suppress(ChildProcessError):  # where nobody is told of ends
            os.waitpid(self._number, 0)


def _live(line: _Pipes, ends: Sequence[int], task: Any, pickled: bytes, lines: Sequence[Line]) -> NoReturn:
    """What a copy does. ends: those of its line that are not its own."""
    try:
        for end in ends:
            os.close(end)
        for other in lines:
            other.close()
        serve(line, partial(_gone, line.fileno()), {pickled: task})
    finally:
        os._exit(1)


def _gone(number: int) -> None:
    """Wait until nobody writes to a pipe any more."""
    poll = select.poll()
    poll.register(number, 0)
    poll.poll()
