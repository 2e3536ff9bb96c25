"""Programs with rows of values, what cg computes for them, and how exported code is run on these in each language."""

from __future__ import annotations

import ctypes
import json
import math
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cgcli
from cgcli.errors import CgError
from cgcli.exporting import c, javascript
from cgcli.exporting.language import Language
from cgcli.ops.table import operations

Array = np.ndarray[Any, np.dtype[np.float64]]
Found = Iterator[tuple["Case", list[Array]]]
ROWS = 32
DIGITS = 1e-11  # of a number, relative to the largest of its kind
TIMES_NOISE = 300.0
_numbers = count()


def is_exported(text: str, target: str = "c", **options: Any) -> bool:
    """Whether a language has a program; what it has no formula for is refused."""
    try:
        cgcli.export(text, target, **options)
    except CgError:
        return False
    return True


@cache
def functions() -> tuple[str, ...]:
    """Each elementwise operation that is called by its name, on its own."""
    named = (op for op in operations() if op.elementwise and op.infix is None and op.prefix is None)
    return tuple(f"{op.name}({', '.join('xyz'[: len(op.arrays)])})" for op in named if op.arrays[0][0] != "*")


class Case:
    """A program with rows of values, and what cg computes for them. values: columns, else random ones of a seed."""

    def __init__(self, text: str, seed: int, values: dict[str, Array] | None = None) -> None:
        self.text = text
        self.name = f"f{next(_numbers)}"
        program = cgcli.parse(text)
        self.inputs = program.inputs
        rng = np.random.default_rng(seed)
        self.values = values or {name: _values(program.shapes.get(name, ()), rng) for name in self.inputs}
        self.rows = len(next(iter(self.values.values())))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = cgcli.compile(text, wrt=self.inputs)(self.values)
        self.names = list(found)
        self.expected = [np.asarray(found[name]) for name in found]

    def arguments(self) -> Iterator[list[Any]]:
        """The arguments, row by row."""
        for row in range(self.rows):
            yield [self.values[name][row].tolist() for name in self.inputs]

    def code(self, target: str, **options: Any) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options |= {} if target == "sql" else {"name": self.name}
            return cgcli.export(self.text, target, wrt=self.inputs, **options)

    def function(self, target: str, **words: Any) -> Callable[..., Any]:
        """The exported function of Python. words: what global names stand for in it."""
        space: dict[str, Any] = dict(words)
        exec(compile(self.code(target), self.text, "exec"), space)
        function: Callable[..., Any] = space[self.name]
        return function

    @cached_property
    def noise(self) -> list[Array]:
        """How far rounding moves each result of a program of numbers: what it loses in 53 bits against 64, and where
        each argument is moved by a part in 10^16.
        """
        plain, long = self.function("numpy"), self.function("numpy", float=np.longdouble)
        rng = np.random.default_rng(5)
        exact = long(*self.values.values())
        steps = (0.0, 2e-16, 2e-16, 2e-16)
        found = [plain(*(x * (1 + rng.uniform(-step, step, x.shape)) for x in self.values.values())) for step in steps]
        with np.errstate(all="ignore"):
            moved = [[np.abs(np.nan_to_num(a - b, posinf=0, neginf=0)) for a, b in zip(each, exact, strict=True)]
                     for each in found]  # fmt: skip
        return [
            np.broadcast_to(np.maximum.reduce([*each]), self.rows).astype(float) for each in zip(*moved, strict=True)
        ]

    def differences(self, found: Sequence[Array], by_noise: bool = False) -> Iterator[str]:
        """Where the results of another are not those of cg: nan and infinities exactly, numbers to their digits.

        by_noise: to those that rounding leaves them; else to as many as the median of a result has.
        """
        of_all = max(_median(ours) for ours in self.expected)
        for at, (name, ours, theirs) in enumerate(zip(self.names, self.expected, found, strict=True)):
            theirs = np.asarray(theirs, float).reshape(ours.shape)
            finite = np.isfinite(ours) & np.isfinite(theirs)
            same = np.where(finite, True, (ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))
            largest = _median(ours[finite])
            if by_noise:
                allowed = 1e-15 * largest + DIGITS / 100 * np.abs(ours) + TIMES_NOISE * self.noise[at]
            else:
                allowed = DIGITS * np.maximum(np.abs(ours), max(largest, of_all / 1000))  # some are 0 but for rounding
            with np.errstate(invalid="ignore"):
                bad = ~(same & ((np.abs(ours - theirs) <= allowed) | ~finite))
            if bad.any():
                place = tuple(np.argwhere(bad)[0])
                values = {key: each[place[0]].tolist() for key, each in self.values.items()}
                yield f"{self.text}: {name} at {values}: {theirs[place]}, and of cg {ours[place]}"


def _median(values: Array) -> float:
    """Of the sizes of numbers."""
    finite = values[np.isfinite(values)]
    return float(np.median(np.abs(finite))) if finite.size else 0.0


def _values(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    half = ROWS // 2
    special = [np.full((1, *shape), value) for value in (0.0, 1.0, -1.0, 0.5, math.nan)]
    some = np.concatenate([rng.uniform(0.05, 3, (half, *shape)), rng.normal(0, 2, (half - 5, *shape)), *special])
    return rng.permutation(some)


def cases(texts: Sequence[str]) -> list[Case]:
    return [Case(text, seed) for seed, text in enumerate(texts) if cgcli.parse(text).inputs]


def need(*programs: str) -> None:
    """Leave a test out where a program is not installed; what a change must pass has them all."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed")


def without_repeats(codes: Sequence[str], language: Language) -> str:
    """Several programs in one file, which has each helper once."""
    seen: set[str] = set()
    parts = []
    for code in codes:
        for helper in language.helpers.values():
            if helper in code and helper in seen:
                code = code.replace(helper + "\n", "")
            elif helper in code:
                seen.add(helper)
        parts.append(code)
    return "\n".join(parts)


def by_row(case: Case, rows: Sequence[Sequence[Any]]) -> list[Array]:
    """Results of each row as results of all rows."""
    return [np.array([np.asarray(row[at], float) for row in rows]) for at in range(len(case.names))]


def in_c(every: Sequence[Case], folder: Path, optimized: str) -> Found:
    """Compiled without a warning, as C99 and as C++; called for all rows."""
    source, library = folder / "all.c", folder / "all.so"
    source.write_text(without_repeats([case.code("c") for case in every], c.LANGUAGE), encoding="utf-8")
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffp-contract=off", optimized]
    subprocess.run(["g++", "-x", "c++", "-fsyntax-only", *strict, source], check=True)
    subprocess.run(["gcc", "-std=c99", *strict, "-fPIC", "-shared", source, "-o", library, "-lm"], check=True)
    loaded = ctypes.CDLL(str(library))
    for case in every:
        given = [np.ascontiguousarray(case.values[name]) for name in case.inputs]
        sizes = [math.prod(np.shape(each)[1:]) for each in case.expected]
        out = np.empty((sum(sizes), case.rows))
        pointers = (ctypes.c_void_p * max(len(given), 1))(*[each.ctypes.data for each in given])
        results = (ctypes.c_void_p * len(out))(*[each.ctypes.data for each in out])
        getattr(loaded, f"{case.name}_rows")(ctypes.c_size_t(case.rows), pointers, results)
        yield case, [out[begin:end].T for begin, end in pairwise(np.cumsum([0, *sizes]))]


def in_javascript(every: Sequence[Case], folder: Path) -> Found:
    """All programs in one process of Node."""
    code = without_repeats([case.code("js") for case in every], javascript.LANGUAGE)
    text = "value => Number.isNaN(value) ? 'nan' : Math.abs(value) === Infinity ? String(value) : value"
    calls = f"""
const deep = value => Array.isArray(value) ? value.map(deep) : ({text})(value);
const number = value => value === "nan" ? NaN : value === "inf" ? Infinity : value === "-inf" ? -Infinity : value;
const rows = JSON.parse(require("fs").readFileSync(0), (_, value) => number(value));
const functions = [{", ".join(case.name for case in every)}];
console.log(JSON.stringify(rows.map((each, at) => each.map(row => deep(functions[at](...row))))));
"""
    script = folder / "all.cjs"
    script.write_text(code.replace("export function", "function") + calls, encoding="utf-8")
    given = json.dumps([list(case.arguments()) for case in every]).replace("NaN", '"nan"')
    given = given.replace("-Infinity", '"-inf"').replace("Infinity", '"inf"')
    done = subprocess.run(["node", script], input=given, capture_output=True, text=True, check=True)
    for case, rows in zip(every, json.loads(done.stdout), strict=True):
        yield case, by_row(case, rows)


def in_python(every: Sequence[Case], target: str) -> Found:
    """Row by row. target: python, or numpy."""
    for case in every:
        function = case.function(target)
        rows = [function(*row) for row in case.arguments()]
        alone = target == "numpy" and len(case.names) == 1
        yield case, by_row(case, [[row] for row in rows] if alone else rows)


def in_duckdb(every: Sequence[Case]) -> Found:
    """Over a table with nulls, whose rows have null results; the results of the others."""
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    connection.execute("set threads = 1")
    rng = np.random.default_rng(3)
    for case in every:
        columns = {name: pa.array(case.values[name], mask=rng.random(case.rows) < 0.1) for name in case.inputs}
        data = pa.table({"id": range(case.rows), **columns})
        null = np.any([data[name].is_null().to_numpy() for name in case.inputs], axis=0)
        got = connection.sql(case.code("sql", table="data")).to_arrow_table()
        assert got.column_names == [*data.column_names, *case.names]
        assert [name for name in case.names if (got[name].is_null().to_numpy() != null).any()] == [], case.text
        yield (
            case,
            [np.where(null, ours, got[name].to_numpy()) for name, ours in zip(case.names, case.expected, strict=True)],
        )


def in_postgres(every: Sequence[Case]) -> Found:
    """All programs in one session with a server of their own."""
    lines = []
    for case in every:
        columns = ", ".join(f'"{name}" float8' for name in case.inputs)
        lines += [
            "drop table if exists data;",
            f"create table data (id int, {columns}); copy data from stdin with csv;",
        ]
        lines += [",".join(map(repr, [at, *row])) for at, row in enumerate(case.arguments())]
        select = case.code("sql", dialect="postgres")
        lines += ["\\.", f"\\echo {case.name}", f"copy ({select}) to stdout with csv;"]
    with _server() as script:
        found = script("\n".join(lines))
    for case, block in zip(every, re.split(r"^f\d+\n", found, flags=re.MULTILINE)[1:], strict=True):
        rows = [[float(cell) for cell in line.split(",")] for line in block.split()]
        yield case, by_row(case, [row[1 + len(case.inputs) :] for row in rows])


@contextmanager
def _server() -> Iterator[Callable[[str], str]]:
    """What a PostgreSQL server of its own prints for a script of statements."""
    on_path = shutil.which("initdb")
    programs = (
        Path(on_path).resolve().parent if on_path else max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    )
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    folder = tempfile.mkdtemp()
    other = ["runuser", "-u", "nobody", "--"] if os.getuid() == 0 else []  # the server refuses to be root
    if other:
        shutil.chown(folder, "nobody")

    def quietly(*command: str) -> None:
        subprocess.run([*other, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def script(text: str) -> str:
        client = [str(programs / "psql"), "-h", folder, "-U", "cg", "postgres", "-Atq", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run(client, input=text, capture_output=True, text=True, check=True).stdout

    try:
        quietly(str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "cg", "--no-sync")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
        control = [str(programs / "pg_ctl"), "-D", f"{folder}/data", "-w"]
        quietly(*control, "-o", settings, "-l", f"{folder}/log", "start")
        try:
            yield script
        finally:
            quietly(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
