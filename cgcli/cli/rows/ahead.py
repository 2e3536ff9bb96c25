"""Working ahead: a thread makes the next items of an iterator, while the last one is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

_DEPTH = 2  # items that wait
_PATIENCE = 0.5  # seconds for the item that is being made in the end; one may be waiting for input for ever


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The same items, in their order, then the exception that ends them. To stop earlier, close this iterator."""
    waiting: Queue[Item | _End] = Queue(_DEPTH)
    stopped = Event()
    worker = Thread(target=_work, args=(items, waiting, stopped), daemon=True)
    worker.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if not isinstance(item.reason, StopIteration):
            raise item.reason
    finally:
        stopped.set()
        _empty(waiting)
        worker.join(_PATIENCE)


class _End:
    """Behind the last item."""

    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


def _work(items: Iterator[Item], waiting: Queue[Item | _End], stopped: Event) -> None:
    """Put the items into the queue, until there is no more, or nobody wants them."""
    while not stopped.is_set():
        try:
            waiting.put(next(items))
        except BaseException as reason:  # raised where the items are used
            waiting.put(_End(reason))
            return


def _empty(waiting: Queue[Item | _End]) -> None:
    """Make room, so that nobody waits for it."""
    try:
        while True:
            waiting.get_nowait()
    except Empty:
        return
