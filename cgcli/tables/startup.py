"""What rows need at the start of the libraries and of the system: modules imported early, memory that is kept."""

from __future__ import annotations

import sys
from importlib import import_module
from threading import Thread

_OF_PIPES = ("cgcli.tables.csv", "pyarrow.compute")  # what most of them need, and what some do
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # of malloc.h
_LARGEST, _MOST = 1 << 25, 1 << 28  # bytes of one array, and of what is kept in all


def import_early(*, waiting: bool) -> None:
    """Import what reads and writes text, so that the first row of a pipe that stays open need not wait for it.

    waiting: whether rows come from a pipe; what many of them need is then imported beside the waiting.
    """
    import orjson  # noqa: F401
    import pyarrow.csv  # noqa: F401

    from cgcli.tables.arrow import functions

    functions()
    if waiting:
        Thread(target=lambda: [*map(import_module, _OF_PIPES)], daemon=True).start()


def keep_memory() -> None:
    """Let glibc keep the memory of arrays that are gone for those of the next batch; other systems do as they do.

    By itself it gives each of them back to the system, which fills the next one with zeros, page by page, while
    the other threads wait. Arrow's own pool does so as well, with pages of 2 MB: its arrays are glibc's, too.
    """
    if sys.platform == "linux":
        import ctypes

        import pyarrow as pa

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, _LARGEST)
            mallopt(_TRIM_THRESHOLD, _MOST)
            pa.set_memory_pool(pa.system_memory_pool())
