"""Dask: the rows of a folder of Parquet files with their value and derivatives, a part for each file.

    python on_dask.py PROGRAM IN OUT [SCHEDULER]        pip install cgcli "dask[distributed]"

IN is a folder or a pattern, as 'data/*.parquet'; OUT is a folder. The workers of the scheduler's cluster, or two of
this machine, take the files as they come; nothing is shuffled. A part is written whole or not at all, and that of a
worker that dies is made by another. Without cgcli on the workers:
client.register_plugin(distributed.PipInstall(["cgcli"])).
"""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path
from typing import Any


def part(function: Any, source: Path, target: Path) -> int:
    """One file, in memory that does not grow with it; how many rows it has."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(source)
    begun = target.with_name(f"_tmp-{target.name}-{os.getpid()}")
    with pq.ParquetWriter(begun, function.schema(file.schema_arrow)) as writer:
        for batch in function.map_batches(file.iter_batches(65_536)):
            writer.write_batch(batch)
    begun.replace(target)
    return int(file.metadata.num_rows)


def files_of(source: str) -> list[Path]:
    """The Parquet files of a folder, or those that a pattern matches. Raises ValueError where no parts come of them."""
    pattern = os.path.join(glob.escape(source), "*.parquet") if os.path.isdir(source) else source
    files = sorted(Path(name).absolute() for name in glob.glob(pattern, recursive=True))
    if not files:
        raise ValueError(f"no file matches {pattern}")
    if len({file.name for file in files}) < len(files):
        raise ValueError(f"two files that match {pattern} have one name, and their parts would, too")
    return files


def run(function: Any, files: list[Path], target: Path, client: Any) -> int:
    """All files, on the workers of a client's cluster; how many rows they have."""
    target.mkdir(parents=True, exist_ok=True)
    futures = client.map(part, [function] * len(files), files, [target / file.name for file in files], pure=False)
    return sum(client.gather(futures))


def main(program: str, source: str, target: str, scheduler: str = "") -> None:
    from dask.distributed import Client, LocalCluster

    import cgcli

    function = cgcli.compile(program, on_error="null")
    files = files_of(source)
    cluster = scheduler or LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with Client(cluster) as client:
        print(run(function, files, Path(target).absolute(), client), "rows")


if __name__ == "__main__":
    main(*sys.argv[1:])
