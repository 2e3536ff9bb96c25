"""Polars: the rows of Parquet files with their value and derivatives, as a step of a lazy query.

    python on_polars.py PROGRAM IN OUT        pip install cgcli polars

IN is a file or a pattern, as 'data/*.parquet'; OUT is a file.
"""

from __future__ import annotations

import sys
from typing import Any

import polars


def with_results(function: Any, rows: polars.LazyFrame) -> polars.LazyFrame:
    """The rows and their results; the query's own steps may come before and behind."""

    def computed(batch: polars.DataFrame) -> polars.DataFrame:
        return polars.DataFrame(function(batch))

    schema = computed(rows.limit(0).collect()).schema
    return rows.map_batches(
        computed, schema=schema, streamable=True,
        predicate_pushdown=False, projection_pushdown=False, slice_pushdown=False,
    )  # fmt: skip


def main(program: str, source: str, target: str) -> None:
    import cgcli

    function = cgcli.compile(program, on_error="null")
    with_results(function, polars.scan_parquet(source)).sink_parquet(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
