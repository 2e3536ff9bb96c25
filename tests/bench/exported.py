"""What exported code costs: a call of compiled C against one of `cgcli`, and SQL in DuckDB against SQL written by hand.

    python tests/bench/exported.py [ROWS]

Prints ratios of medians in one run. Needs a C compiler as `cc`, and duckdb.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cgcli

PRICE = (
    "d = (ln(s/k) + (r + v^2/2)*t)/(v*sqrt(t)); "
    "phi = (1 + erf(d/sqrt(2)))/2; psi = (1 + erf((d - v*sqrt(t))/sqrt(2)))/2; s*phi - k*exp(-r*t)*psi"
)
FORMULA = "ln(x1) + x1*x2 - sin(x2)"
BY_HAND = "SELECT *, ln(x1) + x1*x2 - sin(x2) AS value, 1/x1 + x2 AS d_x1, x1 - cos(x2) AS d_x2 FROM data"


def seconds(run: Callable[[], object], times: int = 7) -> float:
    """The median time of a call."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return median(taken)


def compiled_calls(folder: Path, calls: int = 20_000) -> float:
    """How often faster a call of compiled C is."""
    (folder / "f.c").write_text(cgcli.export(PRICE, "c"), encoding="utf-8")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", folder / "f.c", "-o", folder / "f.so", "-lm"], check=True)
    function = ctypes.CDLL(str(folder / "f.so")).f
    names = cgcli.parse(PRICE).inputs
    function.argtypes = [ctypes.c_double] * len(names) + [ctypes.c_void_p]
    point = dict(zip(names, (100.0, 95.0, 0.02, 0.3, 0.5), strict=True))
    values, out = tuple(point.values()), (ctypes.c_double * (len(names) + 1))()
    ours = cgcli.value_and_grad(PRICE)
    ours(**point)

    def of_c() -> None:
        for _ in range(calls):
            function(*values, out)

    def of_cg() -> None:
        for _ in range(calls):
            ours(*values)

    return seconds(of_cg) / seconds(of_c)


def in_duckdb(rows: int) -> float:
    """The time of exported SQL, in that of SQL written by hand."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute(f"CREATE TABLE data AS SELECT 1 + random() AS x1, random() AS x2 FROM range({rows})")
    exported = cgcli.export(FORMULA, "sql").rstrip()

    def run(select: str) -> Callable[[], object]:
        return lambda: connection.execute(f"SELECT sum(value), sum(d_x1), sum(d_x2) FROM ({select})").fetchall()

    return seconds(run(exported)) / seconds(run(BY_HAND))


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    with tempfile.TemporaryDirectory() as folder:
        print(f"a call of compiled C by ctypes: {compiled_calls(Path(folder)):.1f} times faster than one of cgcli")
    print(f"SQL in DuckDB, {rows} rows: {in_duckdb(rows):.2f} x that written by hand")


if __name__ == "__main__":
    main()
