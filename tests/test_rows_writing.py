"""Rows written: numbers to the bit, cells as they were, and files that are whole or not there."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from numpy.typing import NDArray

from cgcli.errors import CgError, DataError, UsageError
from cgcli.printing.values import number
from cgcli.tables.batch import Batch
from cgcli.tables.digits import json_texts, row_texts
from cgcli.tables.formats import FORMATS, open_writer
from cgcli.tables.results import with_results
from cgcli.tables.source import batches
from tests.for_each import for_each

INF, NAN = float("inf"), float("nan")
RANDOM = np.random.default_rng(20)
ANY_BITS = RANDOM.integers(0, 2**64, 100_000, dtype=np.uint64).view(np.float64)
POWERS = np.ldexp(1.0, np.arange(-1074, 1024))
TENS = np.array(
    [float(f"{digits}e{exponent}") for digits in ("1", "9.999999999999999", "2.5") for exponent in range(-30, 30)]
)

VECTORS = {
    "any bits": ANY_BITS,
    "any size": 10.0 ** RANDOM.uniform(-20, 25, 20_000) * RANDOM.choice([-1, 1], 20_000),
    "whole": RANDOM.integers(-(10**17), 10**17, 20_000).astype(float),
    "short": RANDOM.integers(-(10**6), 10**6, 20_000) / 10.0 ** RANDOM.integers(0, 9, 20_000),
    "powers of two and their neighbours": np.concatenate([POWERS, np.nextafter(POWERS, 0), -np.nextafter(POWERS, INF)]),
    "powers of ten": np.concatenate([TENS, -TENS, np.nextafter(TENS, 0)]),
    "plain, with a few others": np.where(
        np.arange(1000) % 150, 1.5, np.resize([NAN, INF, -0.0, 1e-7, 3e-5, 4, 1e22], 1000)
    ),
    "special": np.array([0.0, -0.0, NAN, INF, -INF, 1e-5, 1e-4, 1e16, 5e-324]),
    "one": np.array([0.1]),
    "none": np.array([]),
}


@for_each("vector", VECTORS.values())
def test_numbers_as_text_are_those_that_cg_prints(vector: NDArray[np.float64]) -> None:
    """The fast way and the one that prints single numbers agree on every character; so they round-trip too."""
    assert row_texts(vector[:, np.newaxis]).to_pylist() == [number(item) for item in vector.tolist()]


def test_rows_of_numbers_keep_their_order_and_their_gaps() -> None:
    values = np.array([[1, 2.5, -0.0], [NAN, 3e-5, INF]])
    gaps = np.array([[False, True, False], [False, False, True]])
    table = [
        ({}, ["1,2.5,-0", "nan,3e-05,inf"]),
        ({"missing": gaps}, ["1,,-0", "nan,3e-05,"]),
        ({"missing": gaps, "between": "\t", "after": "\n"}, ["1\t\t-0\n", "nan\t3e-05\t\n"]),
        ({"before": '"v":[', "after": "]}", "json": True}, ['"v":[1,2.5,-0.0]}', '"v":[null,3e-05,null]}']),
        ({"missing": gaps, "before": "é", "json": True}, ["é1,null,-0.0", "énull,3e-05,null"]),
    ]
    for options, expected in table:
        assert row_texts(values, **options).to_pylist() == expected, options  # type: ignore[arg-type]


def test_columns_of_numbers_have_a_colon_before_each_in_json() -> None:
    values = np.array([[1, 2.5], [NAN, 3e-5], [-0.0, 7]])
    gaps = np.array([[False, False], [False, True], [False, False]])
    found = json_texts(values, gaps)
    assert [column.to_pylist() for column in found] == [[":1", ":2.5"], [":null", ":null"], [":-0.0", ":7"]]


def batch(objects: list[str] | None = None, **columns: Any) -> Batch:
    return Batch(
        pa.RecordBatch.from_pydict(columns),
        "points.csv",
        lambda row: f"line {row + 2}",
        {},
        None if objects is None else pa.array([f"{text}\n" for text in objects]),
        untyped=objects is None and all(map(_is_text, columns.values())),
    )


def _is_text(cells: Any) -> bool:
    """Whether a column is as CSV has it."""
    return all(isinstance(cell, str) for cell in cells) and not (
        isinstance(cells, pa.Array) and cells.type != pa.string()
    )


def results(rows: int = 3) -> dict[str, NDArray[np.float64]]:
    at = np.arange(rows, dtype=np.float64)
    return {"value": at + 0.5, "d_x": at * 2}


def written(path: Path, *tables: Batch) -> bytes:
    with open_writer(str(path), FORMATS[path.suffix[1:]]) as sink:
        for table in tables:
            sink.write(table)
    return path.read_bytes()


TWICE = Batch(pa.RecordBatch.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["x", "x"]), "a.parquet", str)
TEXT = {"x": ["1", "2e0", "007"], "name": ["a", "b", "c"]}

# What is written: kind, batch, results, options, expected.
TEXT_CASES: list[tuple[str, str, Batch, dict[str, Any], dict[str, Any], str]] = [
    (
        "cells stay as they are",
        "csv",
        batch(**TEXT),
        results(),
        {},
        "x,name,value,d_x\n1,a,0.5,0\n2e0,b,1.5,2\n007,c,2.5,4\n",
    ),
    (
        "TSV has escapes, and no quotes",
        "tsv",
        batch(x=["", "1"], **{"a\t\\": ['a,b\t"c', "\\n\r\n"]}, l=[["\\"], None]),
        {"v\\": np.ones((2, 2))},
        {},
        'x\ta\\t\\\\\tl\tv\\\\[0]\tv\\\\[1]\n\ta,b\\t"c\t["\\\\\\\\"]\t1\t1\n1\t\\\\n\\r\\n\t\t1\t1\n',
    ),
    (
        "an empty cell alone is a blank line of TSV",
        "tsv",
        batch(x=["", "1"]),
        {"v": np.ones(2)},
        {"only": True, "null": np.array([True, False])},
        "v\n\n1\n",
    ),
    (
        "quotes where needed",
        "csv",
        batch(**{"a,b": ["x", 'q"q', "l\nl", "r\rr", " y ", "", "ü€😀", "-"]}),
        {"v": np.ones(8)},
        {},
        '"a,b",v\nx,1\n"q""q",1\n"l\nl",1\n"r\rr",1\n y ,1\n,1\nü€😀,1\n-,1\n',
    ),
    ("only the results", "csv", batch(**TEXT), results(), {"only": True}, "value,d_x\n0.5,0\n1.5,2\n2.5,4\n"),
    (
        "rows without results",
        "csv",
        batch(**TEXT),
        results(),
        {"null": np.array([False, True, False])},
        "x,name,value,d_x\n1,a,0.5,0\n2e0,b,,\n007,c,2.5,4\n",
    ),
    (
        "rows left out",
        "csv",
        batch(**TEXT),
        results(),
        {"skip": np.array([True, True, False])},
        "x,name,value,d_x\n007,c,2.5,4\n",
    ),
    (
        "no row is a blank line",
        "csv",
        batch(x=["", "1"]),
        {"v": np.ones(2)},
        {"only": True, "null": np.array([True, False])},
        'v\n""\n1\n',
    ),
    (
        "arrays in numbered columns",
        "csv",
        batch(x=["1", "2"]),
        {"d_w": np.array([[1.0, 2.5], [3, NAN]]), "d_X": np.arange(4.0).reshape(2, 1, 2)},
        {},
        'x,d_w[0],d_w[1],"d_X[0,0]","d_X[0,1]"\n1,1,2.5,0,1\n2,3,nan,2,3\n',
    ),
    (
        "empty arrays have no columns",
        "csv",
        batch(x=["1", "2"]),
        {"d_w": np.empty((2, 0)), "v": np.ones(2)},
        {},
        "x,v\n1,1\n2,1\n",
    ),
    (
        "columns that have types",
        "csv",
        batch(i=[1, None], t=[True, False], f=[0.1, None], s=["a,b", None], l=[[1, 2], None], d=[None, 2**60]),
        {"v": np.ones(2)},
        {},
        'i,t,f,s,l,d,v\n1,true,0.1,"a,b","[1,2]",,1\n,false,,,,1152921504606846976,1\n',
    ),
    ("a header alone", "csv", batch(x=[], name=[]), results(0), {}, "x,name,value,d_x\n"),
    ("a header of lines without rows", "jsonl", batch(x=[]), results(0), {}, ""),
    ("an array without rows", "json", batch(x=[]), results(0), {}, "[]\n"),
    (
        "objects stand as they were",
        "jsonl",
        batch(['{"x": 1.0, "k":"\\u00e9"}', "{}", "{ }"], x=[1.0, None, None]),
        results(),
        {},
        '{"x": 1.0, "k":"\\u00e9","value":0.5,"d_x":0}\n{"value":1.5,"d_x":2}\n{"value":2.5,"d_x":4}\n',
    ),
    (
        "objects left out, or without results",
        "jsonl",
        batch(['{"x":1}', '{"x":2}', '{"x":3}'], x=[1, 2, 3]),
        results(),
        {"skip": np.array([True, False, False]), "null": np.array([False, True, False])},
        '{"x":2,"value":null,"d_x":null}\n{"x":3,"value":2.5,"d_x":4}\n',
    ),
    (
        "only the results of objects",
        "jsonl",
        batch(['{"x":1}'], x=[1]),
        results(1),
        {"only": True},
        '{"value":0.5,"d_x":0}\n',
    ),
    (
        "what JSON has no number for",
        "jsonl",
        batch(['{"x":1}'] * 3, x=[1] * 3),
        {"v": np.array([NAN, -INF, -0.0])},
        {},
        '{"x":1,"v":null}\n{"x":1,"v":null}\n{"x":1,"v":-0.0}\n',
    ),
    (
        "lists",
        "jsonl",
        batch(['{"x":1}'] * 2, x=[1] * 2),
        {"d_w": np.array([[1, NAN], [2, 3]]), "d_X": np.arange(12.0).reshape(2, 2, 3), "e": np.empty((2, 0))},
        {"null": np.array([False, True])},
        '{"x":1,"d_w":[1,null],"d_X":[[0,1,2],[3,4,5]],"e":[]}\n{"x":1,"d_w":null,"d_X":null,"e":[]}\n',
    ),
    (
        "cells of text: numbers unquoted in their spelling, or in that of JSON",
        "jsonl",
        batch(x=["1.50", "1e5", "-0"], s=["007", "", 'q"\n'], m=["1", ".5", "+1"]),
        {"v": np.ones(3)},
        {},
        '{"x":1.50,"s":"007","m":1,"v":1}\n{"x":1e5,"s":null,"m":0.5,"v":1}\n{"x":-0,"s":"q\\"\\n","m":"+1","v":1}\n',
    ),
    (
        "strings of typed columns stay strings",
        "jsonl",
        batch(x=[1], s=["12"]),
        {'a"b': np.ones(1)},
        {},
        '{"x":1,"s":"12","a\\"b":1}\n',
    ),
    (
        "columns that have types, in JSON",
        "jsonl",
        batch(
            i=[1, None],
            t=[True, None],
            f=[0.1, NAN],
            s=["ä\\", None],
            l=[[1, 2], None],
            o=[{"k": None}, None],
            n=[None, None],
        ),
        {"v": np.ones(2)},
        {},
        '{"i":1,"t":true,"f":0.1,"s":"ä\\\\","l":[1,2],"o":{"k":null},"n":null,"v":1}\n'
        '{"i":null,"t":null,"f":null,"s":null,"l":null,"o":null,"n":null,"v":1}\n',
    ),
    (
        "an array of objects",
        "json",
        batch(x=["1", "2"]),
        {"v": np.ones(2)},
        {},
        '[\n{"x":1,"v":1},\n{"x":2,"v":1}\n]\n',
    ),
]


@for_each("case", TEXT_CASES)
def test_rows_as_text(case: tuple[str, str, Batch, dict[str, Any], dict[str, Any], str], tmp_path: Path) -> None:
    """Each convention of the formats of text, to the byte."""
    _, kind, rows, found, options, expected = case
    assert written(tmp_path / f"out.{kind}", with_results(rows, found, **options)).decode() == expected


def _from_csv(path: Path) -> dict[str, list[Any]]:
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    return {name: list(map(float, cells)) if name != "s" else cells for name, cells in columns.items()}


def _from_objects(objects: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [NAN if item[name] is None else item[name] for item in objects] for name in objects[0]}


# How other programs read what is written.
READERS: list[tuple[str, Callable[[Path], dict[str, list[Any]]]]] = [
    ("out.csv", _from_csv),
    (
        "out.csv",
        lambda path: pa.csv.read_csv(
            path,
            convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(["x", "v", "d"], pa.float64())),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        ).to_pydict(),
    ),
    (
        "out.csv.gz",
        lambda path: pa.csv.read_csv(
            io.BytesIO(gzip.decompress(path.read_bytes())), parse_options=pa.csv.ParseOptions(newlines_in_values=True)
        ).to_pydict(),
    ),
    ("out.jsonl", lambda path: _from_objects([orjson.loads(line) for line in path.read_bytes().splitlines()])),
    ("out.json", lambda path: _from_objects(json.loads(path.read_bytes()))),
    (
        "out.jsonl.zst",
        lambda path: _from_objects(
            [json.loads(line) for line in pa.input_stream(path, compression="zstd").read().splitlines()]
        ),
    ),
    ("out.parquet", lambda path: pa.parquet.read_table(path).to_pydict()),
    ("out.arrow", lambda path: pa.ipc.open_file(path).read_all().to_pydict()),
    ("out.feather", lambda path: pa.ipc.open_file(path).read_all().to_pydict()),
]


@pytest.mark.parametrize(("name", "read"), READERS)
def test_what_is_written_is_read_back_to_the_bit(
    name: str, read: Callable[[Path], dict[str, list[Any]]], tmp_path: Path
) -> None:
    """Other programs find the same numbers and the same text, over several batches, large ones among them."""
    values = RANDOM.integers(0, 2**64, 60_000, dtype=np.uint64).view(np.float64)
    values = np.where(np.isfinite(values), values, -0.0)
    given = RANDOM.normal(size=len(values))
    strings = [["a", "b,c", 'd"e', "f\ng", "ü€😀"][at % 5] for at in range(len(values))]
    kind = next(item.name for item in FORMATS.values() if any(suffix in name for suffix in item.suffixes))
    kind = "jsonl" if "jsonl" in name else kind
    with open_writer(str(tmp_path / name), FORMATS[kind]) as sink:
        for begin, end in [(0, 1), (1, 7), (7, 50_000), (50_000, 50_000), (50_000, 60_000)]:
            part = slice(begin, end)
            rows = batch(x=given[part], s=pa.array(strings[part], pa.string()))
            sink.write(with_results(rows, {"v": values[part], "d": -values[part]}))
    found = read(tmp_path / name)
    assert list(found) == ["x", "s", "v", "d"]
    assert found["s"] == strings
    for column, expected in (("x", given), ("v", values), ("d", -values)):
        assert np.array_equal(np.array(found[column], float).view(np.uint64), expected.view(np.uint64)), column


def test_arrays_are_lists_where_there_are_types(tmp_path: Path) -> None:
    """An array is one column of nested lists, and a row without results a null."""
    arrays = {"d_w": np.arange(6.0).reshape(3, 2), "d_X": np.arange(12.0).reshape(3, 2, 2)}
    table = with_results(batch(x=[1, 2, 3]), arrays, null=np.array([False, True, False]))
    for kind, read in (("parquet", pa.parquet.read_table), ("arrow", lambda path: pa.ipc.open_file(path).read_all())):
        path = tmp_path / f"out.{kind}"
        written(path, table.part(0, 1), table.part(1, 3))
        assert read(path).to_pydict() == {
            "x": [1, 2, 3],
            "d_w": [[0, 1], None, [4, 5]],
            "d_X": [[[0, 1], [2, 3]], None, [[8, 9], [10, 11]]],
        }


def test_words_that_change_from_batch_to_batch(tmp_path: Path) -> None:
    """A column of codes for words is written as words."""
    tables = [with_results(batch(k=pa.array([word]).dictionary_encode()), results(1)) for word in ("a", "b")]
    for kind, read in (("parquet", pa.parquet.read_table), ("arrow", lambda path: pa.ipc.open_file(path).read_all())):
        written(tmp_path / f"a.{kind}", *tables)
        assert read(tmp_path / f"a.{kind}")["k"].to_pylist() == ["a", "b"]
    assert written(tmp_path / "a.jsonl", *tables).startswith(b'{"k":"a","value":0.5')
    assert b"\nb,0.5," in written(tmp_path / "a.csv", *tables)


def test_cells_of_text_become_numbers_where_there_are_types(tmp_path: Path) -> None:
    """A column of which each cell is a plain number is one of numbers; 007 is none."""
    rows = batch(x=["1", "2.50", ""], id=["007", "1", "2"], s=["a", "b", "1"], long=["12345678901234567890"] * 3)
    written(tmp_path / "a.parquet", with_results(rows, {"v": np.ones(3)}))
    assert pa.parquet.read_table(tmp_path / "a.parquet").to_pydict() == {
        "x": [1.0, 2.5, None],
        "id": ["007", "1", "2"],
        "s": ["a", "b", "1"],
        "long": ["12345678901234567890"] * 3,
        "v": [1.0] * 3,
    }


def test_arrays_of_numpy(tmp_path: Path) -> None:
    """.npy holds one matrix, .npz an array for each column; nan stands for what is missing."""
    first = with_results(batch(x=["1", "2"]), {"d_w": np.array([[1.5, 2], [3, 4]])}, null=np.array([False, True]))
    second = with_results(batch(x=["", "4"]), {"d_w": np.array([[5, 6], [7.0, 8]])})
    written(tmp_path / "a.npy", first, second)
    written(tmp_path / "a.npz", first, second)
    expected = np.array([[1, 1.5, 2], [2, NAN, NAN], [NAN, 5, 6], [4, 7, 8]])
    assert np.array_equal(np.load(tmp_path / "a.npy"), expected, equal_nan=True)
    arrays = np.load(tmp_path / "a.npz")
    assert arrays.files == ["x", "d_w"]
    assert np.array_equal(arrays["x"], expected[:, 0], equal_nan=True)
    assert np.array_equal(arrays["d_w"], expected[:, 1:], equal_nan=True)


_MATRIX = pa.list_(pa.list_(pa.int64(), 2), 1)

# Columns over several batches: the type of each, the rows of each batch, the type and the values in .npz.
NPZ_COLUMNS: list[tuple[pa.DataType, list[list[Any]], str, list[Any]]] = [
    (pa.int64(), [[2**53 + 1], [-(2**63), 2**63 - 1]], "int64", [2**53 + 1, -(2**63), 2**63 - 1]),
    (pa.uint64(), [[2**64 - 1], [0, 1]], "uint64", [2**64 - 1, 0, 1]),
    (pa.int8(), [[-128], [1, 2]], "int8", [-128, 1, 2]),
    (pa.bool_(), [[True], [False, True]], "bool", [True, False, True]),
    (pa.float32(), [[0.1], [-0.0, INF]], "float32", [float(np.float32(0.1)), -0.0, INF]),
    (pa.float16(), [[np.float16(0.5)], [np.float16(2), np.float16(3)]], "float16", [0.5, 2, 3]),
    (pa.list_(pa.bool_(), 1), [[[True]], [[False], [True]]], "bool", [[True], [False], [True]]),
    (_MATRIX, [[[[2**53 + 1, 2]]], [[[3, 4]], [[5, 6]]]], "int64", [[[2**53 + 1, 2]], [[3, 4]], [[5, 6]]]),
    # float64, of all rows, where some are null
    (pa.int64(), [[1], [None, 2**53]], "float64", [1, NAN, 2**53]),
    (pa.int64(), [[None], [2, 3]], "float64", [NAN, 2, 3]),
    (pa.bool_(), [[True], [None, False]], "float64", [1, NAN, 0]),
    (pa.float32(), [[0.1], [None, 1]], "float64", [float(np.float32(0.1)), NAN, 1]),
    (_MATRIX, [[[[1, 2]]], [None, [[None, 6]]]], "float64", [[[1, 2]], [[NAN, NAN]], [[NAN, 6]]]),
    (pa.null(), [[None], [None, None]], "float64", [NAN, NAN, NAN]),
]


@for_each(("kind", "batches", "expected", "values"), NPZ_COLUMNS)
def test_columns_keep_their_type_in_npz(
    kind: pa.DataType, batches: list[list[Any]], expected: str, values: list[Any], tmp_path: Path
) -> None:
    """What passes through is untouched, long integers too; results, and all of .npy, are float64."""
    tables = [with_results(batch(k=pa.array(cells, kind)), results(len(cells))) for cells in batches]
    written(tmp_path / "a.npz", *tables, tables[0].part(0, 0))
    arrays = np.load(tmp_path / "a.npz")
    assert (arrays["k"].dtype, arrays["value"].dtype) == (expected, np.float64)
    np.testing.assert_array_equal(arrays["k"], np.array(values, expected), strict=True)
    if expected in ("float64", "float32", "int8"):
        written(tmp_path / "a.npy", *tables)
        floats = np.load(tmp_path / "a.npy")
        np.testing.assert_array_equal(floats[:, :-2].reshape(arrays["k"].shape), np.array(values, float), strict=True)


def test_types_that_change_from_batch_to_batch_become_float64_in_npz(tmp_path: Path) -> None:
    """Rows of JSON lines are integers in one batch and not in the next; many of them are converted in pieces."""
    given = [pa.array(range(300_000)), pa.array([0.5]), pa.array([None]), pa.array([7], pa.int32())]
    written(tmp_path / "a.npz", *(with_results(batch(k=cells), results(len(cells))) for cells in given))
    expected = np.array([*range(300_000), 0.5, NAN, 7])
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["k"], expected, strict=True)


@for_each("kind", FORMATS)
def test_no_rows_at_all(kind: str, tmp_path: Path) -> None:
    """Neither without a batch nor with an empty one does a format fail; the file is there."""
    assert written(tmp_path / f"none.{kind}") is not None
    assert written(tmp_path / f"empty.{kind}", with_results(batch(x=pa.array([], pa.string())), results(0))) is not None
    if kind in ("npy", "npz"):
        assert np.load(tmp_path / f"empty.{kind}") is not None
    if kind == "parquet":
        assert pa.parquet.read_table(tmp_path / "empty.parquet").column_names == ["x", "value", "d_x"]


def _integers(*cells: Any) -> Batch:
    kind = pa.list_(pa.int64(), 1) if isinstance(cells[0], list) else pa.int64()
    return with_results(batch(s=pa.array(cells, kind)), results(len(cells)))


# What cannot be written: format, tables, message.
_X = with_results(batch(x=[1]), results(1))
REFUSED: list[tuple[str, list[Callable[[], Batch]], type[CgError], str]] = [
    (
        "csv",
        [lambda: with_results(batch(value=["1"]), results(1))],
        UsageError,
        "points.csv has a column 'value' already",
    ),
    (
        "csv",
        [lambda: with_results(batch(**{"d_w[1]": ["1"]}), {"d_w": np.ones((1, 2))})],
        UsageError,
        r"'d_w\[1\]' already",
    ),
    ("csv", [lambda: _X, lambda: with_results(batch(y=[1]), results(1))], DataError, "'y' appears after"),
    ("csv", [lambda: with_results(batch(b=[b"\xff"]), results(1))], DataError, "'b' is of type binary"),
    ("jsonl", [lambda: with_results(batch(b=[b"\xff"]), results(1))], DataError, "'b' is of type binary"),
    (
        "parquet",
        [lambda: _X, lambda: with_results(batch(x=["a"]), results(1))],
        DataError,
        "'x' is of type int64 at first",
    ),
    (
        "arrow",
        [lambda: _X, lambda: with_results(batch(x=[1.5]), results(1))],
        DataError,
        "'x' is of type int64 at first",
    ),
    ("npy", [lambda: with_results(batch(s=["a"]), results(1))], DataError, "'s' holds text"),
    ("npz", [lambda: with_results(TWICE, results(1))], DataError, "several columns are called 'x'"),
    ("npy", [lambda: with_results(batch(s=[2**60 + 1]), results(1))], DataError, "'s' holds values of type int64"),
    ("npz", [lambda: _integers(2**53 + 1, None)], DataError, "'s' holds values of type int64 that float64 cannot"),
    ("npz", [lambda: _integers(2**53 + 1), lambda: _integers(None)], DataError, "'s' holds values of type int64"),
    ("npz", [lambda: _integers(None), lambda: _integers(2**53 + 1)], DataError, "'s' holds values of type int64"),
    ("npz", [lambda: _integers([2**53 + 1], [None])], DataError, "'s' holds values of type fixed_size_list"),
    (
        "npz",
        [lambda: _X, lambda: with_results(batch(x=[1]), results(1) | {"value": np.ones((1, 2))})],
        DataError,
        "'value' is of type string at first, and later of fixed_size_list",
    ),
]


@for_each(("kind", "tables", "error", "message"), REFUSED)
def test_what_cannot_be_written_leaves_the_file_as_it_was(
    kind: str, tables: list[Callable[[], Batch]], error: type[CgError], message: str, tmp_path: Path
) -> None:
    """A clash of names, columns that change, types without a form: each is told, and nothing half-written is left."""
    path = tmp_path / f"out.{kind}"
    path.write_text("old")
    with pytest.raises(error, match=message):
        written(path, *(make() for make in tables))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [path.name]


def test_the_file_that_is_read_may_be_written(tmp_path: Path) -> None:
    """The old content stays until all is there; links, permissions and compression are kept."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"old"))
    path.chmod(0o640)
    link = tmp_path / "link.csv.gz"
    link.symlink_to(path)
    with open_writer(str(link), FORMATS["csv"]) as sink:
        sink.write(with_results(batch(**TEXT), results()))
        assert gzip.decompress(path.read_bytes()) == b"old"
    assert gzip.decompress(path.read_bytes()).startswith(b"x,name,value,d_x\n1,a,")
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert len(os.listdir(tmp_path)) == 2


@for_each("name", ["a.csv", "a.csv.gz", "a.jsonl.zst", "a.parquet", "a.arrow", "a.npy", "a.npz"])
def test_after_a_failure_there_is_no_file(name: str, tmp_path: Path) -> None:
    """Whatever goes wrong between two batches, an interrupt too."""
    for error in (ValueError, KeyboardInterrupt):
        sink = open_writer(str(tmp_path / name), FORMATS[name.split(".")[1]])
        with pytest.raises(error), sink:  # noqa: PT012 - what happens within the context is the matter
            sink.write(with_results(batch(x=[1, 2, 3]), results()))
            raise error
        del sink
        assert os.listdir(tmp_path) == []


def test_where_no_file_can_be(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "a.csv"):
        with pytest.raises(DataError, match="cannot write"):
            open_writer(str(path), FORMATS["csv"])
    with open_writer(os.devnull, FORMATS["csv"]) as sink:
        sink.write(with_results(batch(**TEXT), results()))
    assert not Path(os.devnull).is_file()


PROGRAM = """
import sys, time
import numpy as np, pyarrow as pa
from cgcli.tables.batch import Batch
from cgcli.tables.results import with_results
from cgcli.tables.formats import FORMATS, open_writer
from cgcli.signals import install
kind, rows, batches, pause = sys.argv[1], *map(float, sys.argv[2:])
typed = kind == "arrow"  # rows of text would wait for the types of all
column = pa.array([0.5 if typed else "0.5"] * int(rows))
values = np.arange(rows) / 7
install()
with open_writer(None, FORMATS[kind]) as sink:
    for at in range(int(batches)):
        batch = Batch(pa.RecordBatch.from_arrays([column], names=["x"]), "a", str, untyped=not typed)
        sink.write(with_results(batch, {"value": values + at}))
        time.sleep(pause)
"""


def program(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "arrow"])
def test_each_batch_is_seen_at_once(kind: str) -> None:
    """A reader at the other end of a pipe waits for no second batch."""
    with program(kind, 1, 2, 60) as process:
        assert process.stdout is not None
        if kind == "arrow":
            stream = pa.ipc.open_stream(process.stdout)
            assert stream.read_next_batch().to_pydict() == {"x": [0.5], "value": [0.0]}
        else:
            read = b""
            while b"0.5" not in read:
                read += os.read(process.stdout.fileno(), 1000)
            assert read == {"csv": b"x,value\n0.5,0\n", "jsonl": b'{"x":0.5,"value":0}\n'}.get(
                kind, b'[\n{"x":0.5,"value":0}'
            )
        process.kill()


@pytest.mark.parametrize("kind", ["parquet", "arrow", "npy", "npz"])
def test_binary_formats_on_standard_output(kind: str) -> None:
    """They need no file in which one can go back."""
    with program(kind, 5, 3, 0) as process:
        out, err = process.communicate()
    assert err == b""
    expected = [at / 7 + number for number in range(3) for at in range(5)]
    if kind == "npy":
        assert np.load(io.BytesIO(out)).tolist() == [[0.5, item] for item in expected]
    elif kind == "npz":
        assert np.load(io.BytesIO(out))["value"].tolist() == expected
    else:
        read = {"parquet": pa.parquet.read_table, "arrow": lambda source: pa.ipc.open_stream(source).read_all()}[kind]
        assert read(io.BytesIO(out)).to_pydict() == {"x": [0.5] * 15, "value": expected}


@pytest.mark.parametrize("rows", [1, 300_000])
def test_a_closed_pipe_is_told_as_such(rows: int) -> None:
    """The command line ends quietly then; so no other error may come in its stead, nor a thread go on."""
    with program("csv", rows, 1000, 0) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"x,value\n"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read().splitlines()[-1].startswith(b"BrokenPipeError")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_an_interrupt_leaves_whole_lines(kind: str) -> None:
    """Ctrl-C comes while the pipe is full; when the reader goes on, it finds the end of a line at the end."""
    with program(kind, 300_000, 1000, 0) as process:
        assert process.stdout is not None
        begin = process.stdout.read(100)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        rest, err = process.communicate(timeout=60)
    assert err.splitlines()[-1] == b"KeyboardInterrupt"
    assert (begin + rest).endswith(b"\n")


def test_a_second_interrupt_waits_for_nobody() -> None:
    with program("csv", 300_000, 1000, 0) as process:
        assert process.stdout is not None
        process.stdout.read(100)
        for _ in range(2):
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) != 0


def test_a_binary_format_is_not_for_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(UsageError, match="not for the terminal"):
        open_writer(None, FORMATS["parquet"])


def test_rows_that_differ(tmp_path: Path) -> None:
    """Columns in another order, or missing, find their place; rows of JSON lines may differ."""
    first = with_results(batch(x=["1"], y=["2"]), results(1))
    for kind, expected in (
        ("csv", "x,y,value,d_x\n1,2,0.5,0\n4,3,0.5,0\n5,,0.5,0\n"),
        (
            "jsonl",
            '{"x":1,"y":2,"value":0.5,"d_x":0}\n{"y":3,"x":4,"value":0.5,"d_x":0}\n{"x":5,"value":0.5,"d_x":0}\n',
        ),
    ):
        others = [with_results(batch(**columns), results(1)) for columns in ({"y": ["3"], "x": ["4"]}, {"x": ["5"]})]
        assert written(tmp_path / f"a.{kind}", first, *others).decode() == expected


def test_wide_arrays_and_long_cells(tmp_path: Path) -> None:
    """The text of many numbers in a row, and of long cells, is made in parts of bounded size."""
    wide = RANDOM.normal(size=(300, 5000))
    rows = batch(s=["é" * 10_000] * 300)
    lines = written(tmp_path / "a.csv", with_results(rows, {"w": wide})).decode().splitlines()
    assert len(lines) == 301
    assert [float(cell) for cell in lines[-1].split(",")[1:]] == wide[-1].tolist()


UNTOUCHED = {
    "csv": 'x,"a,b",id, s \n1.50,"q""q",007, y \n-0,"l\nl",,ü😀\n',
    "tsv": 'x\t"id"\t\\alpha\\t\n1e5\t007\t5" \\n\\q\n.5\t"a,b\t\\\\ \n\t\t\n',
    "jsonl": '{"x": 1.0, "id": "007", "l": [1, {"k": 1E2}]}\n{"id": 12345678901234567890, "x": 2}\n{}\n',
}


@pytest.mark.parametrize("kind", UNTOUCHED)
def test_what_is_read_passes_untouched(kind: str, tmp_path: Path) -> None:
    """The input's own bytes stand in the output, whatever they spell."""
    (tmp_path / f"in.{kind}").write_text(UNTOUCHED[kind], encoding="utf-8")
    tables = [with_results(found, {"value": np.zeros(len(found))}) for found in batches([str(tmp_path / f"in.{kind}")])]
    text = written(tmp_path / f"out.{kind}", *tables).decode()
    if kind == "jsonl":
        assert text.replace(',"value":0', "").replace('"value":0', "") == UNTOUCHED[kind]
    else:
        separator = {"csv": ",", "tsv": "\t"}[kind]
        assert text.replace(f"{separator}value\n", "\n").replace(f"{separator}0\n", "\n") == UNTOUCHED[kind]


ANY_TEXT = ["a\tb", "\\t", "\\\\n", "l\nl\r\n", '"', '"q" ""', " ", "", "\\", "ü\\😀", "$\\alpha$", "1", "007"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_any_text_goes_through_tsv(kind: str, tmp_path: Path) -> None:
    """Tabs, lines' ends and backslashes of cells and of names are the same behind TSV as before, in each format."""
    rows = batch(**{text: ANY_TEXT[at:] + ANY_TEXT[:at] for at, text in enumerate(ANY_TEXT)})
    first = with_results(rows, {"value": np.arange(float(len(ANY_TEXT)))})
    written(tmp_path / "a.tsv", first)
    found = list(batches([str(tmp_path / "a.tsv")]))
    again = written(tmp_path / f"again.{kind}", *(with_results(part, {}) for part in found))
    direct = written(tmp_path / f"direct.{kind}", first)
    assert pa.Table.from_batches([part.columns for part in found]).column_names == [*ANY_TEXT, "value"]
    if kind == "parquet":
        texts = [pa.parquet.read_table(tmp_path / f"{name}.parquet") for name in ("again", "direct")]
        assert texts[0].cast(texts[1].schema).equals(texts[1])
    else:
        assert again == direct


def test_miller_reads_the_same_text_from_tsv(tmp_path: Path) -> None:
    """Protects pipelines: another program that knows TSV's escapes finds in each cell what was there."""
    if shutil.which("mlr") is None:
        pytest.skip("mlr is not installed")
    written(tmp_path / "a.tsv", with_results(batch(s=ANY_TEXT), {"value": np.zeros(len(ANY_TEXT))}))
    read = subprocess.run(
        ["mlr", "-S", "--itsv", "--ojson", "cat", str(tmp_path / "a.tsv")], capture_output=True, check=True
    )
    assert [str(row["s"]) for row in json.loads(read.stdout)] == ANY_TEXT


# ---- one type for a column, wherever its rows are cut -----------------------------------

_BIG = 2**53 + 1
# Rows of a CSV column, its type in Parquet, and its values there.
CELLS: list[tuple[list[str], str, list[Any]]] = [
    (["1", "2", "-3"], "int64", [1, 2, -3]),
    (["1", "2.5"], "double", [1, 2.5]),
    (["1", "", "2.50"], "double", [1, None, 2.5]),
    (["", "", "3"], "int64", [None, None, 3]),
    (["", ""], "double", [None, None]),
    (["1", "2", "a"], "string", ["1", "2", "a"]),
    (["1.50", "007"], "string", ["1.50", "007"]),
    (["", "a"], "string", [None, "a"]),
    (["1", str(_BIG)], "int64", [1, _BIG]),
    (["1.5", str(_BIG)], "string", ["1.5", str(_BIG)]),
    ([str(_BIG), "", "1e3"], "string", [str(_BIG), None, "1e3"]),
    (["1.5", str(2**53)], "double", [1.5, 2**53]),
    (["1", str(2**63)], "string", ["1", str(2**63)]),
    (["0", "-0"], "double", [0, -0.0]),
    (["nan", "1", "-inf"], "double", [NAN, 1, -INF]),
    (["true", "", "false"], "bool", [True, None, False]),
    (["true", "1"], "string", ["true", "1"]),
    (["1", "true"], "string", ["1", "true"]),
]
# Values of a JSON member (None for rows without it), its type, its values, and its cells in CSV.
MEMBERS: list[tuple[list[str | None], str, list[Any], list[str]]] = [
    (["1", "2"], "int64", [1, 2], ["1", "2"]),
    (["1", "2.5"], "double", [1, 2.5], ["1", "2.5"]),
    (["null", "1", "2.5"], "double", [None, 1, 2.5], ["", "1", "2.5"]),
    ([None, "1"], "int64", [None, 1], ["", "1"]),
    (["1", None, None, '"a"'], "string", ["1", None, None, "a"], ["1", "", "", "a"]),
    (["1", "2.50", '"a"'], "string", ["1", "2.5", "a"], ["1", "2.5", "a"]),
    (["1.5", str(_BIG)], "string", ["1.5", str(_BIG)], ["1.5", str(_BIG)]),
    ([str(_BIG), "1"], "int64", [_BIG, 1], [str(_BIG), "1"]),
    (["1", str(2**70)], "string", ["1", str(2**70)], ["1", str(2**70)]),
    (["true", "1"], "string", ["true", "1"], ["true", "1"]),
    (["true", "null"], "bool", [True, None], ["true", ""]),
    (["[1]", "[]", "[2.5, null]"], "list<item: double>", [[1], [], [2.5, None]], ["[1.0]", "[]", '"[2.5,null]"']),
    (["[1]", "5"], "string", ["[1]", "5"], ["[1]", "5"]),
    (["[1]", '["a"]'], "string", ["[1]", '["a"]'], ["[1]", '"[""a""]"']),
    ([f"[{_BIG}]", "[0.5]"], "string", [f"[{_BIG}]", "[0.5]"], [f"[{_BIG}]", "[0.5]"]),
    (['{"a":1}', '{"b":"x"}', '{"a":0.5}'], "struct<a: double, b: string>",
     [{"a": 1, "b": None}, {"a": None, "b": "x"}, {"a": 0.5, "b": None}],
     ['"{""a"":1.0,""b"":null}"', '"{""a"":null,""b"":""x""}"', '"{""a"":0.5,""b"":null}"']),
    ([f'{{"a":{_BIG},"b":0.5}}'] * 2, "struct<a: int64, b: double>", [{"a": _BIG, "b": 0.5}] * 2,
     [f'"{{""a"":{_BIG},""b"":0.5}}"'] * 2),
]  # fmt: skip
PIECES = (1, 30, 1 << 20)  # bytes that are read at once


def _written_from(text: str, name: str, target: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A table as it is written when its text comes in pieces of some size."""
    source = target.with_name(name)
    source.write_text(text, encoding="utf-8")
    monkeypatch.setattr("cgcli.tables.content._PIECE", size)
    rows = batches([str(source)])
    return written(target, *(with_results(part, {"value": np.zeros(len(part))}) for part in rows))


@for_each(("cells", "kind", "values"), CELLS)
def test_cells_of_one_column_have_one_type_however_they_come(
    cells: list[str], kind: str, values: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a cell is does not depend on where a batch ends."""
    text = "".join(f"{cell},b\n" for cell in ["x", *cells])
    for size in PIECES:
        _written_from(text, "in.csv", tmp_path / "out.parquet", size, monkeypatch)
        column = pa.parquet.read_table(tmp_path / "out.parquet")["x"]
        assert (str(column.type), str(column.to_pylist())) == (kind, str(pa.array(values, column.type).to_pylist()))
        _written_from(text, "in.csv", tmp_path / "out.arrow", size, monkeypatch)
        assert str(pa.ipc.open_file(tmp_path / "out.arrow").schema.field("x").type) == kind


@for_each(("items", "kind", "values", "cells"), MEMBERS)
def test_members_of_one_name_have_one_type_however_they_come(
    items: list[str | None], kind: str, values: list[Any], cells: list[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Neither the type nor the spelling of a value depends on where a batch ends; a late name loses no row."""
    rows = ["" if item is None else f',"x":{item}' for item in items]
    text = "".join(f'{{"k":0{row}}}\n' for row in rows)
    for size in PIECES:
        _written_from(text, "in.jsonl", tmp_path / "out.parquet", size, monkeypatch)
        column = pa.parquet.read_table(tmp_path / "out.parquet")["x"]
        assert (str(column.type).replace("element", "item"), column.to_pylist()) == (kind, values)
        lines = _written_from(text, "in.jsonl", tmp_path / "out.csv", size, monkeypatch).decode().splitlines()
        assert lines == ["k,x,value", *(f"0,{cell},0" for cell in cells)]
