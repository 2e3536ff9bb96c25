"""Working ahead: a thread makes the next items of an iterator, while the last one is used."""

from __future__ import annotations

from contextvars import copy_context
from queue import SimpleQueue
from threading import Semaphore, Thread

from cgcli.annotations import Generator, Iterator, TypeVar

Item = TypeVar("Item")

_DEPTH = 2  # items that wait
_PATIENCE = 0.5  # seconds for the item that is being made in the end; one may be waiting for input for ever


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The same items, in their order, then the exception that ends them. To stop earlier, close this iterator."""
    made: SimpleQueue[tuple[Item | None, BaseException | None]] = SimpleQueue()
    room = Semaphore(_DEPTH)
    is_over = False

    def work() -> None:
        item: Item | None
        while room.acquire() and not is_over:
            try:
                item, error = next(items, None), None
            except BaseException as raised:
                item, error = None, raised
            made.put((item, error))
            if item is None:
                return

    worker = Thread(target=copy_context().run, args=(work,), daemon=True)
    worker.start()
    try:
        while (found := made.get())[0] is not None:
            room.release()
            yield found[0]
        if found[1] is not None:
            raise found[1]
    finally:
        is_over = True
        room.release()
        worker.join(_PATIENCE)
