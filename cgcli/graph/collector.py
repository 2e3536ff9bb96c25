"""Python's garbage collector, at rest while large graphs are built.

Nodes make no cycles, so that the collector finds nothing among them; but it would look through all that there are again
and again, and take as long as the work itself.
"""

from __future__ import annotations

import gc
from _thread import allocate_lock


class _AtRest:
    """A `with` block in which no collection begins by itself; within others too, and in several threads.

    The last one that ends starts the collector again, if it was on before the first.
    """

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._blocks = 0
        self._was_on = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._blocks:
                self._was_on = gc.isenabled()
                gc.disable()
            self._blocks += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks and self._was_on:
                gc.enable()


collector_at_rest = _AtRest()
