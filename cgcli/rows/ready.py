"""The libraries that rows need, imported while nobody waits for them."""

from __future__ import annotations


def load() -> None:
    """Import what reads and writes text, so that the first row of a pipe that stays open need not wait for it."""
    import orjson  # noqa: F401
    import pyarrow.compute
    import pyarrow.csv
    import pyarrow.json  # noqa: F401
