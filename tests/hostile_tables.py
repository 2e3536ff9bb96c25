"""Files that ask for more than a machine has, and a runner that gives each command line a bound of memory.

As a script it reads command lines from standard input, one JSON list on each line, runs each in a process of its own
(a copy of one in which all is imported already), and prints for each the exit code, the seconds and what was said.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

MEGABYTE = 1 << 20
MOST_MEMORY = 300 * MEGABYTE
MOST_SECONDS = 2.0  # of the processor


def npy(shape: str, kind: str = "'<f8'", data: bytes = b"") -> bytes:
    """An array file with any header."""
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def npz(**members: Iterable[bytes]) -> bytes:
    """An archive of such files, compressed."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, parts in members.items():
            with archive.open(f"{name}.npy", "w") as member:
                for part in parts:
                    member.write(part)
    return content.getvalue()


def gzipped(parts: Iterable[bytes]) -> bytes:
    """The parts behind each other, compressed."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join([*(packer.compress(part) for part in parts), packer.flush()])


def parquet(column: pa.Array) -> bytes:
    """A file of one column."""
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(pa.table({"s": column}), sink, compression="zstd")
    return bytes(sink.getvalue())


def arrow(column: pa.Array, make: Any = pa.ipc.new_file) -> bytes:
    """A file of one column, or a stream, whose buffers are compressed."""
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays([column], names=["s"])
    with make(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as file:
        file.write_batch(batch)
    return bytes(sink.getvalue())


LONG = "x" * MEGABYTE
UNPACKS = "unpacks to more than 200 times its size\n  if that is meant, raise all bounds: CG_LIMITS=10 cg"
# A file, what makes its bytes, and what is said of it.
HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("a.npy", lambda: npy("(0, 1000000000000)"), "has more than 8192 columns"),
    ("a.npy", lambda: npy("(2, 300000)", data=bytes(16 * 300_000)), "has more than 8192 columns"),
    ("a.npy", lambda: npy("(-1,)"), "negative dimensions"),
    ("a.npy", lambda: npy("(1000000000000,)"), "it ends too early"),
    ("a.npy", lambda: npy(f"({'1,' * 70})", data=bytes(8)), "damaged one"),
    ("a.npy", lambda: npy("(True,)", data=bytes(8)), "an integer is required"),
    ("a.npy", lambda: npy("(2,)", "'<f16'", bytes(32)), "its type is float128"),
    ("a.npy", lambda: npy("(2,)", "'|O'", bytes(32)), "pickled objects"),
    ("a.npz", lambda: npz(x=[npy("(10000000,)"), *[bytes(MEGABYTE)] * 80]), "unpacks to more than 200 times its size"),
    ("a.csv.gz", lambda: gzipped([b"," * MEGABYTE] * 9), "this row is longer than 8 MB"),
    ("a.csv.gz", lambda: gzipped([b"x\n", *[b"1" * MEGABYTE] * 9]), "this row is longer than 8 MB"),
    ("a.csv.gz", lambda: gzipped([b"x\n", *[b'"' * MEGABYTE] * 9]), "this row is longer than 8 MB"),
    ("a.json.gz", lambda: gzipped([b"[" * MEGABYTE] * 9), "opens more than 1000000 brackets in each other"),
    ("a.json.gz", lambda: gzipped([b'{"x":' * MEGABYTE] * 9), "this row is longer than 8 MB"),
    ("a.json.gz", lambda: gzipped([b"[", *[b"{" * MEGABYTE] * 9]), "opens more than 1000000 brackets in each other"),
    ("a.json.gz", lambda: gzipped([b'[{"x":', *[b"1" * MEGABYTE] * 9]), "this row is longer than 8 MB"),
    ("a.jsonl.gz", lambda: gzipped([b'{"x":', *[b"1" * MEGABYTE] * 9]), "this row is longer than 8 MB"),
    ("a.jsonl", lambda: b"{" + b",".join([b'"x":1'] * 90_000) + b"}\n", '"value":1}'),
    ("a.jsonl", lambda: b"{" + b",".join(b'"x%d":1' % at for at in range(99_000)) + b"}\n", '"x98999":1,"value":1}'),
    ("a.jsonl", lambda: b"".join(b'{"k%d":1}\n' % at for at in range(30_000)), '{"k29999":1,"value":1}'),
    ("a.json", lambda: b"[" + b",".join([b"{}"] * 300_000) + b"]", '{"value":1}\n]\n'),
    ("a.jsonl", lambda: b"{" * 10_000_000, "this row is longer than 8 MB\n  is a quote or a bracket left open?"),
    ("a.csv", lambda: b",".join(b"c%d" % at for at in range(99_000)) + b"\n", "CG_LIMITS=10 cg"),
    ("a.csv", lambda: b"x,y\n" + b"1\n" * 300_000, "line 2: 1 cell instead of 2"),
    ("a.parquet", lambda: parquet(pa.DictionaryArray.from_arrays([0] * 3000, [LONG])), UNPACKS),
    ("a.parquet", lambda: parquet(pa.array([[0.0] * 9_000_000])), UNPACKS),
    ("a.parquet", lambda: parquet(pa.array([LONG * 100])), UNPACKS),
    ("a.arrow", lambda: arrow(pa.DictionaryArray.from_arrays([0] * 3000, [LONG])), UNPACKS),
    ("a.arrow", lambda: arrow(pa.array(np.zeros(10_000_000))), UNPACKS),
    ("a.arrow", lambda: arrow(pa.RunEndEncodedArray.from_arrays([3000], [LONG])), UNPACKS),
    ("a.arrow", lambda: arrow(pa.array(np.zeros(40_000_000)), pa.ipc.new_stream), UNPACKS),
    ("a.arrow.gz", lambda: gzipped([arrow(pa.array(np.zeros(40_000_000)), pa.ipc.new_stream)]), UNPACKS),
    ("a.npz", lambda: npz(**{f"a{at}": [npy("(1,)"), bytes(8)] for at in range(200)}), ""),
    ("a.json", lambda: b"null", "'null' where an object was expected"),
    ("a.parquet.gz", lambda: gzipped([b"PAR1", *[bytes(MEGABYTE)] * 80]), "unpacks to more than 200 times its size"),
    ("/dev/zero", lambda: b"", "holds no text"),
]
# Files of values: the arguments, and what is said of them.
VALUES: list[tuple[list[str], str]] = [
    (["x", "--vars", "/dev/zero"], "holds no text"),
    (["x", "x=@/dev/zero"], "has no known suffix"),
]


def measured(arguments: list[str]) -> tuple[int, float, str]:
    """The exit code, the processor's seconds, and the end of what is written, of one command line under the bounds."""
    from cgcli.cli.main import run

    with tempfile.TemporaryFile() as file:
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
                resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEMORY, used + MOST_MEMORY))
                resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
                code = run([*arguments, "--threads", "1"] if "--vars" not in arguments and "@" not in arguments[-1]
                           else arguments)  # fmt: skip
                sys.stdout.flush()
                os._exit(code)
            os._exit(99)
        _, status, usage = os.wait4(child, 0)
        file.seek(0)
        said = file.read()[-2000:].decode("utf-8", "replace")
        return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, said


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    from cgcli.cli.main import run as imported

    imported(["eval", "1", "x=0:1:2", "--threads", "1", "--to", "jsonl", "-o", os.devnull])
    for line in sys.stdin:
        print(json.dumps(measured(json.loads(line))), flush=True)
