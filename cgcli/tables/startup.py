"""What rows need at the start of the libraries and of the system: modules imported early, memory that is kept."""

from __future__ import annotations

import sys
from importlib import import_module
from threading import Thread

from cgcli.annotations import Any
from cgcli.lean import cache

_OF_PIPES = ("cgcli.tables.csv", "pyarrow.compute")  # what most of them need, and what some do
_MMAP_THRESHOLD, _TOP_PAD, _TRIM_THRESHOLD = -3, -2, -1  # of malloc.h
_LARGE_PAGES = 14  # of sys/mman.h
_LARGEST, _MOST = 1 << 25, 1 << 28  # bytes of one array, and of what is kept in all
_AHEAD, _USUAL_PAD, _PAGE = 1 << 26, 1 << 17, 1 << 21  # bytes behind an array, of old, and of a large page


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


@cache
def keep_memory() -> None:
    """Let glibc keep the memory of arrays that are gone for those of the next batch; other systems do as they do.

    By itself it gives each of them back to the system, which fills the next one with zeros, page by page, while
    the other threads wait. Arrow's own pool does so as well, with pages of 2 MB: its arrays are glibc's, too.
    """
    if sys.platform == "linux":
        import ctypes

        import pyarrow as pa

        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_MMAP_THRESHOLD, _LARGEST)
            libc.mallopt(_TRIM_THRESHOLD, _MOST)
            pa.set_memory_pool(pa.system_memory_pool())
            _ask_for_large_pages(libc)


def _ask_for_large_pages(libc: Any) -> None:
    """Have the system give what comes next of glibc's memory in pages of 2 MB: 512 small ones take much more time.

    It can be asked for memory only that is glibc's already; so much is taken at once, and filled when it is used.
    """
    from ctypes import c_size_t, c_ssize_t, c_void_p

    libc.malloc.restype = libc.sbrk.restype = c_void_p
    libc.mallopt(_TOP_PAD, _AHEAD)
    begin = libc.malloc(c_size_t(_LARGEST - _PAGE))
    libc.mallopt(_TOP_PAD, _USUAL_PAD)
    if begin is None:
        return
    libc.free(c_void_p(begin))
    begin += -begin % _PAGE
    size = (libc.sbrk(c_ssize_t(0)) or 0) - begin
    if size > 0:
        libc.madvise(c_void_p(begin), c_size_t(size), _LARGE_PAGES)
