"""Working ahead: a thread makes the next items of an iterator, while the last one is used."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait

from cgcli.annotations import Generator, Iterator, TypeVar

Item = TypeVar("Item")

_DEPTH = 2  # items that wait
_PATIENCE = 0.5  # seconds for the item that is being made in the end; one may be waiting for input for ever


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The same items, in their order, then the exception that ends them. To stop earlier, close this iterator."""
    worker = ThreadPoolExecutor(1)
    waiting = deque(worker.submit(next, items, None) for _ in range(_DEPTH))
    try:
        while (item := waiting[0].result()) is not None:
            waiting.popleft()
            waiting.append(worker.submit(next, items, None))
            yield item
    finally:
        worker.shutdown(wait=False, cancel_futures=True)
        wait([item for item in waiting if not item.cancelled()], _PATIENCE)  # one that never began is never done
