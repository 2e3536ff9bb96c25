"""DuckDB: the rows of a query with their value and derivatives, as a stream that another query reads.

    python on_duckdb.py PROGRAM IN OUT        pip install cgcli duckdb

IN is a file or a pattern, as 'data/*.parquet'; OUT is a file. Memory does not grow with the rows. Where a program has
no arrays, `cg export PROGRAM --to sql` writes it as a query of DuckDB's own, which runs in all of its threads.
"""

from __future__ import annotations

import sys
from typing import Any

import duckdb
import pyarrow


def with_results(function: Any, rows: Any) -> pyarrow.RecordBatchReader:
    """The rows of a relation and their results, batch by batch."""
    given = rows.to_arrow_reader(65_536)
    return pyarrow.RecordBatchReader.from_batches(function.schema(given), function.map_batches(given))


def main(program: str, source: str, target: str) -> None:
    import cgcli

    function = cgcli.compile(program, on_error="null")
    reads, writes = duckdb.connect(), duckdb.connect()  # one connection has one stream at a time
    results = with_results(function, reads.read_parquet(source))
    writes.from_arrow(results).write_parquet(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
