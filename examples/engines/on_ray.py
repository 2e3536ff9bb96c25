"""Ray: the rows of a folder of Parquet files with their value and derivatives, by map_batches of Ray Data.

python on_ray.py PROGRAM IN OUT        pip install cgcli "ray[data]", on the workers too
"""

from __future__ import annotations

import sys
from typing import Any


def with_results(function: Any, rows: Any) -> Any:
    """The rows of a data set and their results."""
    return rows.map_batches(function.__call__, batch_format="pyarrow", batch_size=None, zero_copy_batch=True)


def main(program: str, source: str, target: str) -> None:
    import ray

    import cgcli

    function = cgcli.compile(program, on_error="null")
    with_results(function, ray.data.read_parquet(source)).write_parquet(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
