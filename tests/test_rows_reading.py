"""Rows are read as they stand, at once, in bounded memory; what is doubtful ends in one clear error."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import chain, product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from cgcli.errors import CgError, DataError, UsageError
from cgcli.tables import objects
from cgcli.tables.batch import Batch
from cgcli.tables.dialect import Reading
from cgcli.tables.numbers import numbers
from cgcli.tables.source import batches
from cgcli.tables.text import places_of
from tests.for_each import for_each

# What a file holds: its columns, or the beginning of the error; `bad` rows by their places.
CSV: dict[str, tuple[bytes, Any]] = {
    "plain": (b"x,y\n1,2\n3,4\n", {"x": ["1", "3"], "y": ["2", "4"]}),
    "text stays text": (b"id,x\n007,1.50\n+1, 2\n", {"id": ["007", "+1"], "x": ["1.50", " 2"]}),
    "no newline at the end": (b"x\n1\n2", {"x": ["1", "2"]}),
    "a header alone": (b"x,y\n", {"x": [], "y": []}),
    "a header alone, without newline": (b"x,y", {"x": [], "y": []}),
    "CRLF": (b"x,y\r\n1,2\r\n", {"x": ["1"], "y": ["2"]}),
    "CR alone": (b"x,y\r1,2\r3,4", {"x": ["1", "3"], "y": ["2", "4"]}),
    "CR alone, quoted names": (b'x,"y,z"\r1,2\r3,"4"', {"x": ["1", "3"], "y,z": ["2", "4"]}),
    "CR alone behind a name that holds a newline": (b'x,"y\nz"\r1,2\n', {"x": ["1"], "y\nz": ["2"]}),
    "CR alone behind a quote within a name": (b'x,y"z\r1,2\n', {"x": ["1"], 'y"z': ["2"]}),
    "blank lines": (b"\n\r\nx,y\n\n1,2\n\n", {"x": ["1"], "y": ["2"]}),
    "an empty cell in quotes, or a blank line in one column, is a row": (b'x\n""\n\n1\n', {"x": ["", "", "1"]}),
    "a mark for UTF-8": (b"\xef\xbb\xbfx\n1\n", {"x": ["1"]}),
    "UTF-16, little end first": (codecs.BOM_UTF16_LE + "é\n1\n".encode("utf-16-le"), {"é": ["1"]}),
    "UTF-16, big end first": (codecs.BOM_UTF16_BE + "é\n1\n".encode("utf-16-be"), {"é": ["1"]}),
    "UTF-16 without a mark": ("x\n1\n".encode("utf-16-le"), "{} holds no text"),
    "half a pair of UTF-16": (b"\xff\xfea\x00\x00\xd8", "{} begins as UTF-16 text, and is none"),
    "blanks around names": (b"x , y\n1,2\n", {"x ": ["1"], " y": ["2"]}),
    "quoted names": (b'"a,b","c\nd"\n1,2\n', {"a,b": ["1"], "c\nd": ["2"]}),
    "a name without a text": (b",x\n0,1\n", {"": ["0"], "x": ["1"]}),
    "quotes, separators and newlines in quotes": (
        b'x,y\n"a,\n""b""",2\n3,4\n',
        {"x": ['a,\n"b"', "3"], "y": ["2", "4"]},
    ),
    "quotes within a cell stand for themselves": (b'x,y\n6" pipe,2\n"5",4\n', {"x": ['6" pipe', "5"], "y": ["2", "4"]}),
    "a quote left open": (b'x,y\n1,2\n"a,3\n4,5\n', "{}, line 3: a quote is opened and never closed"),
    "a quote left open in the header": (b'x,"y\n1,2\n', "{}, line 1: a quote is opened and never closed"),
    "empty": (b"", "{} is empty"),
    "blank lines alone": (b"\n\n", "{} is empty"),
    "zeros": (b"x\n\0\0\n", "{} holds no text"),
    "a name that is no UTF-8": (b"\xe9\n1\n", "{}, line 1: the names are not UTF-8 text: a byte is 0xe9"),
    "Parquet under a wrong name": (b"PAR1....", "'{}' holds parquet data"),
    "several headers worth of text": (b"x" * 300_000 + b"\n1\n", {"x" * 300_000: ["1"]}),
    "a cell longer than the csv module takes": (b"x,y\n" + b"1" * 200_000 + b"\n", {"x": ["1" * 200_000], "y": [None]}),
}
TSV: dict[str, tuple[bytes, Any]] = {
    "quotes stand for themselves": (
        b'name\t"y"\n5" pipe\t"\n"a\t""\n',
        {"name": ['5" pipe', '"a'], '"y"': ['"', '""']},
    ),
    "a name is what its escapes stand for, and a cell as it stands": (
        b"a\\tb\t\\\\n\t\\alpha\n\\t\t\\\\n\t\\q\n",
        {"a\tb": ["\\t"], "\\n": ["\\\\n"], "\\alpha": ["\\q"]},
    ),
    "empty cells": (b"x\ty\n\t\n1\t\r\n\t2", {"x": ["", "1", ""], "y": ["", "", "2"]}),
    "a blank line between rows of several cells": (b"\nx\ty\n\n1\t2\n\n", {"x": ["1"], "y": ["2"]}),
    "a blank line is an empty cell of the only column": (b"\n\nx\n\n1\r\n\r\n\n2", {"x": ["", "1", "", "", "2"]}),
    "a header alone, of one name": (b"x\n", {"x": []}),
    "a header alone, of one name, without newline": (b'"x', {'"x': []}),
}
JSON: dict[str, tuple[bytes, Any]] = {
    "lines": (b'{"x":1}\n{"x":2.5}\n', {"x": [1, 2.5]}),
    "blanks, CRLF, no newline at the end": (b' {"x":1}\r\n\r\n{"x":2}', {"x": [1, 2]}),
    "members that come and go": (b'{"x":1}\n{"y":"a"}\n', {"x": [1, None], "y": [None, "a"]}),
    "a date stays text": (b'{"t":"2020-01-01"}\n', {"t": ["2020-01-01"]}),
    "more than one type": (b'{"x":1}\n{"x":"a"}\n{"x":[1]}\n', {"x": ["1", "a", "[1]"]}),
    "integers beyond 64 bits": (b'{"x":99999999999999999999}\n', {"x": ["99999999999999999999"]}),
    "integers beyond 64 bits, in a list and beside text": (
        b'{"x":[99999999999999999999],"y":99999999999999999999}\n{"y":"a"}\n',
        {"x": ["[99999999999999999999]", None], "y": ["99999999999999999999", "a"]},
    ),
    "objects in lists of rows": (
        b'[{"x":[{"a":"}],[{"}, {"a":"\\\\\\""}]},{"x":[]},\n{"x":[{"a":null}]}]',
        {"x": [[{"a": "}],[{"}, {"a": '\\"'}], [], [{"a": None}]]},
    ),
    "integers beyond those of floats, beside a float": (
        b'{"x":9007199254740993}\n{"x":0.5}\n{"x":null}\n',
        {"x": ["9007199254740993", "0.5", None]},
    ),
    "large floats": (b'{"x":1e20}\n{"x":9007199254740992.0}\n', {"x": [1e20, 2.0**53]}),
    "numbers beyond float64": (b'{"x":1e400}\n', {"x": [float("inf")]}),
    "a member twice: the last one": (b'{"x":1,"x":2}\n', {"x": [2]}),
    "half a pair of surrogates": (b'{"x":"\\ud800"}\n', {"x": ["?"]}),
    "no members": (b"{}\n", {}),
    "an array": (b'[{"x":1,"s":"]},{"},\n {"x":\n2}]\n', {"x": [1, 2], "s": ["]},{", None]}),
    "an empty array": (b"[]", {}),
    "arrays behind each other": (b'[{"x":1}]\n[{"x":2}]\n', {"x": [1, 2]}),
    "objects over several lines": (
        b'{\n "x": 1,\n "s": "\\"}{"\n}\n{\n "x": 2\n}\n',
        {"x": [1, 2], "s": ['"}{', None]},
    ),
    "objects, then an array": (b'{"x":1}{"x":5}\n[{"x":2},{"x":3}]{"x":4}\n', {"x": [1, 5, 2, 3, 4]}),
    "objects on one line": (b'{"x":1}{"x":2} {"x":3}', {"x": [1, 2, 3]}),
    "empty": (b"", {}),
    "an array left open": (b'[{"x":1}', "{}, line 1: the array is never closed"),
    "an object left open": (b'[{"x":1},\n{"x":', "{}, line 2: this object is never closed"),
    "numbers in an array": (b'[{"x":1},\n5]', "{}, line 2: '5' where an object was expected"),
    "a list left open": (b'[{"x":1},\n{"x":[2},\n{"x":3}', "{}, line 2: this is no JSON, from '}}, {{"),
    "text behind an array": (b'[{"x":1}] and', "{}, line 1: 'and' where an object was expected"),
}
BAD: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "too few and too many cells": (
        "a.csv",
        b'x,y\n"1\n",2\n1\n1,2\n1,2,3\n',
        {"line 4": "1 cell instead of 2", "line 6": "3 cells instead of 2"},
    ),
    "too few and too many cells, with quotes that stand for themselves": (
        "a.tsv",
        b'x\ty\n"1\t2\n"\n\n1\t"2\t3"\n1\t"\n',
        {"line 3": "1 cell instead of 2", "line 5": "3 cells instead of 2"},
    ),
    "too few cells, and not UTF-8": ("a.csv", b"x,y\n1\xe9\n1,2\n", {"line 2": "1 cell instead of 2"}),
    "not UTF-8 behind an empty cell alone": ("a.tsv", b"x\n\n\xe9\n", {"line 3": "not UTF-8 text: a byte is 0xe9"}),
    "not UTF-8": ("a.csv", b"x\n1\n\xe9\n", {"line 3": "not UTF-8 text: a byte is 0xe9"}),
    "no JSON": ("a.jsonl", b'{"x":1}\n\n{"x":\n{"x":3}\n', {"line 3": "this is no JSON, from column 6 on"}),
    "a list that goes on in the next line, and two objects in one": (
        "a.jsonl",
        b'{"x":1}\n{"x":[{"y":1}\n{"y":2}]}\n{"x":1},{"x":2}\n',
        {f"line {line}": f"this is no JSON, from column {column} on" for line, column in ((2, 14), (3, 8), (4, 8))},
    ),
    "a string that goes on in the next line, and two objects in one": (
        "a.jsonl",
        b'{"x":1}\n{"x":"}\n{","y":1}\n{"x":1},{"x":2}\n',
        {f"line {line}": f"this is no JSON, from column {column} on" for line, column in ((2, 8), (3, 5), (4, 8))},
    ),
    "no object": ("a.jsonl", b'{"x":1}\n[2]\n', {"line 2": "'[2]' where an object was expected"}),
    "not UTF-8 in JSON": ("a.jsonl", b'{"x":"\xe9"}\n{"x":3}\n', {"line 1": "not UTF-8 text: a byte is 0xe9"}),
    "100,000 lists in each other": (
        "a.jsonl",
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
        {"line 1": "more than 200 lists or objects in each other"},
    ),
    "100,000 objects in each other": (
        "a.json",
        b'[{"x":' + b'{"x":' * 100_000 + b"1" + b"}" * 100_000 + b'},{"x":2}]',
        {"line 1": "more than 200 lists or objects in each other"},
    ),
    "no JSON in an array": (
        "a.json",
        b'[{"x":1},\n{"x":},\n{"x":"a\nb"},{"x":3}]',
        {"line 2": "this is no JSON, from '}' on", "line 3": "this is no JSON, from ' b\"}' on"},
    ),
    "no list of objects": ("a.json", b'[{"x":1},\n[2]]', {"line 2": "'[2]' where an object was expected"}),
}
TEXTS = {"a.csv": CSV, "a.tsv": TSV, "a.jsonl": JSON, "a.json": JSON}


def written(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def content(found: list[Batch]) -> dict[str, list[Any]]:
    """The columns of batches that have the same ones, or of JSON."""
    names = list(dict.fromkeys(name for batch in found for name in batch.columns.schema.names))
    return {name: [cell for batch in found for cell in batch.column(name).to_pylist()] for name in names}


def error_of(action: Callable[[], object]) -> CgError:
    with pytest.raises(CgError) as raised:
        action()
    return raised.value


@for_each(
    ("name", "case"),
    [(name, case) for name, cases in TEXTS.items() for case in cases],
)
def test_text_is_read_as_it_stands_or_says_what_it_is(tmp_path: Path, name: str, case: str) -> None:
    text, expected = TEXTS[name][case]
    path = written(tmp_path, name, text)
    if isinstance(expected, str):
        assert error_of(lambda: list(batches([path]))).message.startswith(expected.format(path))
        return
    found = list(batches([path]))
    assert content(found) == expected
    assert {batch.format for batch in found} == {name.partition(".")[2]}


@for_each(("name", "case"), [(name, case) for name, cases in TEXTS.items() for case in cases if name != "a.jsonl"])
def test_the_cuts_between_pieces_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, case: str
) -> None:
    text, expected = TEXTS[name][case]
    if isinstance(expected, str) or len(text) > 1000:
        return
    path = written(tmp_path, name, text)
    for size in (1, 2, 3, 7):
        monkeypatch.setattr("cgcli.tables.content._PIECE", size)
        found = content(list(batches([path])))
        assert {column: list(map(_as_text, cells)) for column, cells in found.items()} == {
            column: list(map(_as_text, cells)) for column, cells in expected.items()
        }


def _as_text(cell: Any) -> str | None:
    """A cell of JSON may have another type in another batch."""
    return None if cell is None else str(cell).removesuffix(".0")


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@for_each("case", BAD)
def test_a_bad_row_has_its_place_and_its_reason_and_the_others_are_read(tmp_path: Path, case: str) -> None:
    name, text, expected = BAD[case]
    found = list(batches([written(tmp_path, name, text)]))
    assert {batch.place(row): why for batch in found for row, why in batch.bad.items()} == expected


ODD = ("1", "2.5", "", '"a,b"', '"x ""y"""', '6" pipe', '"6" pipe', '"l\nm"', '""', 'a"b"', "é", "\udcff")


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_rows_of_odd_length_are_those_of_pythons_reader(tmp_path: Path, columns: int) -> None:
    """Too few cells, too many, quotes within, newlines within, bytes that are no UTF-8: only such rows are bad."""
    random = Random(columns)
    path = tmp_path / "a.csv"
    for _ in range(60):
        lengths = [max(1, columns + random.choice((-1, 0, 0, 0, 1, 2))) for _ in range(8)]
        rows = [",".join(random.choice(ODD) for _ in range(length)) for length in lengths]
        text = "\n".join([",".join("abc"[:columns]), *rows, ""])
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        expected = [cells or [""] for cells in csv.reader(io.StringIO(text.replace("\udcff", "�")))][1:]
        if columns > 1:
            expected = [cells for cells, row in zip(expected, rows, strict=True) if row]
            rows = [row for row in rows if row]
        found = list(batches([str(path)]))
        cells = [row for batch in found for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
        assert cells == [tuple([*row, *[None] * columns][:columns]) for row in expected], text
        bad = [at for batch in found for at in (row in batch.bad for row in range(len(batch)))]
        assert bad == [len(cells) != columns or "\udcff" in row for cells, row in zip(expected, rows, strict=True)], (
            text
        )


CELLS = ("1", "-2.5", "+3", ".5", "7.", "1e300", "1e-320", "0.1", "123456789012345678901", "-0")
ENDINGS = ("\n", "\r\n", "\n\n", "\n\r\n")


@for_each("odd", ["", " 1", "1 ", "x", '"1"', "1e400", "nan", "inf", "0x10", "1_000", "1,5", "5%", "true", "é"])
@for_each("columns", [1, 2, 5])
def test_numbers_of_columns_are_those_of_their_cells(tmp_path: Path, odd: str, columns: int) -> None:
    """Where some columns alone are wanted, and whatever stands in other cells, or once in theirs."""
    random = Random(f"{odd}{columns}")
    names = "abcde"[:columns]
    for case in range(6):
        ending = ENDINGS[case % (2 if columns == 1 else 4)]  # where a blank line is no row
        rows = [[random.choice(CELLS) for _ in names] for _ in range(9)]
        if case:
            rows[random.randrange(9)][random.randrange(columns)] = odd
        path = written(tmp_path, "a.csv", "".join(",".join(row) + ending for row in [list(names), *rows]).encode())
        wanted = random.sample(names, random.randrange(1, columns + 1))
        for name in wanted:
            (whole,), (chosen,) = list(batches([path])), list(batches([path], reading=Reading(wanted={*wanted})))
            expected, found = (batch.numbers(name, ()) for batch in (whole, chosen))
            np.testing.assert_array_equal(found.values, expected.values)
            assert (found.bad, found.beyond, chosen.bad) == (expected.bad, expected.beyond, whole.bad)
            if not case:
                at = names.index(name)
                assert found.values.tolist() == [float(row[at]) for row in rows]


IN_JSON = (  # in place of a number, or of a whole row where it is one
    "1.5", "-0", "0", "1E5", "-1.25e-3", "123456789012345678901", "9007199254740993", "1e400", "1e-400", "null",
    "true", '"1"', '"a:b"', "[1]", '{"q":1}', "", " 1", "1 ", ".5", "5.", "05", "-05", "-.5", "+1", "0x1", "1_0", "1e",
    "--1", "-", "NaN", "Infinity", "1,2", '1,"z":2', "1}", "1.5.2", "1e.5", "é", '1,"b":2', "{}",
    '{"b":1,"a":2}', '{"a":1}', "[]",
    '{"a":1,"b":2,"c":3}', '{"a":1, "b":2}', '{"A":1,"b":2}', '{"a":1,"b":2}{"a":3,"b":4}', ' {"a":1,"b":2}', "x",
)  # fmt: skip


ROWS_OF_JSON = ('{"a":%s,"b":%s}', '{ "b" : %s , "é":%s }')
OTHER_KEYS = ('{"a":%s,"a":%s}', '{"a.b":%s,"b":%s}', '{"a:c":%s,"b":%s}', '{"\\u0061":%s,"b":%s}', '{"":%s,"b":%s}')


@for_each(("row", "odd"), [*product(ROWS_OF_JSON, IN_JSON), *product(OTHER_KEYS, IN_JSON[:1])])
def test_numbers_of_objects_are_read_the_same_where_all_rows_are_spelled_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, odd: str
) -> None:
    random, numbers_of = Random(row + odd), objects._numbers
    lines = [row % (random.choice(IN_JSON[:5]), random.choice(IN_JSON[:5])) for _ in range(6)]
    lines[random.randrange(6)] = odd if odd[:1] in ("{", "[", " ", "x") else row % (odd, "2")
    path = written(tmp_path, "a.jsonl", ("\n".join(lines) + random.choice(["", "\n"])).encode())
    found = []
    for read in (numbers_of, lambda _: None):
        monkeypatch.setattr(objects, "_numbers", read)
        told: list[Any] = []
        try:
            for batch in batches([path], reading=Reading(wanted={"b", "x"})):
                values = batch.numbers("b", ())
                told += [batch.names, batch.columns.to_pydict(), batch.lines, batch.bad, values.bad, values.beyond,
                         [*map(batch.place, range(len(batch)))], [*map(repr, values.values.tolist())]]  # fmt: skip
        except CgError as error:
            told.append(error.message)
        found.append(told)
    assert found[0] == found[1], lines


def test_alike_objects_take_the_short_way() -> None:
    read = objects._numbers(b'{"a": 1.5, "b":-2}\n{"a": 0, "b":1e3}\n')
    assert read is not None
    assert {name: column.tolist() for name, column in read.items()} == {"a": [1.5, 0], "b": [-2, 1000]}


@for_each("size", [0, 1, 7, 8, 9, 4097])
@for_each("share", [0, 0.01, 0.3, 1])
def test_the_places_of_a_byte_are_those_where_it_stands(size: int, share: float) -> None:
    """Protects where rows and cells are cut, however close newlines and separators are to each other."""
    text = np.where(np.random.default_rng(size).random(size) < share, ord("\n"), ord("1")).astype(np.uint8).tobytes()
    assert places_of(ord("\n"), text).tolist() == [at for at, byte in enumerate(text) if byte == ord("\n")]


def test_objects_come_with_their_text() -> None:
    """So that members that are not read are written as they are: digits, order, nesting."""
    read, write = os.pipe()
    os.write(write, b'{"b":1.50,"a":[1, {"c":null}],"big":123456789012345678901}\n[oops\n{ "x":\t1 }\n')
    os.close(write)
    (batch,) = batches([f"/dev/fd/{read}"])
    os.close(read)
    assert batch.lines is not None
    assert batch.lines.to_pylist() == [
        '{"b":1.50,"a":[1, {"c":null}],"big":123456789012345678901}\n',
        "{}\n",
        '{ "x":\t1 }\n',
    ]
    assert batch.column("no such member").to_pylist() == [None] * 3


def test_columns_are_found_by_name() -> None:
    table = pa.RecordBatch.from_arrays([pa.array(["1"])] * 4, names=["x", " y ", "z", "z"])
    batch = Batch(table, "a.csv", lambda row: f"line {row + 2}")
    assert (batch.position("x"), batch.position("y"), batch.position("w")) == (0, 1, None)
    assert error_of(lambda: batch.column("z")).message == "a.csv has 2 columns called 'z'"
    assert error_of(lambda: batch.column("w")).hint == "it has 'x', ' y ', 'z', 'z'"
    assert batch.at(0, "x") == "a.csv, line 2, column 'x'"


def test_names_are_numbered_where_there_is_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", b"1\t2\n3\t4\n")
    assert content(list(batches([path], None, Reading(header=False)))) == {"c1": ["1", "3"], "c2": ["2", "4"]}


TABLE = {
    "x": pa.array([1.5, 2, None]),
    "l": pa.array([[1, 2], [3, 4], None]),
    "s": pa.array([{"a": 1}, None, {"a": 2}]),
    "t": pa.array([0, 1, 2], pa.timestamp("ms")),
    "d": pa.array(["u", "v", "u"]).dictionary_encode(),
}


def arrow_stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, row_group_size=2)
    return sink.getvalue()


def feather(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(table, sink)
    return sink.getvalue()


COLUMNAR = {"a.parquet": parquet, "a.feather": feather, "a.arrow": arrow_stream}


@for_each("name", COLUMNAR)
@for_each("rows", [0, 3])
def test_columnar_formats_keep_their_types(tmp_path: Path, name: str, rows: int) -> None:
    table = pa.table(TABLE).slice(0, rows)
    data = COLUMNAR[name](table)
    for path in (written(tmp_path, name, data), written(tmp_path, name + ".gz", gzip.compress(data))):
        found = list(batches([path]))
        assert content(found) == table.to_pydict()
        assert {batch.format for batch in found} == {name.partition(".")[2].replace("feather", "arrow")}
        assert [batch.place(row) for batch in found for row in range(len(batch))] == ["row 1", "row 2", "row 3"][:rows]
        types = found[0].columns.schema.types
        expected = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in table.schema.types]
        assert [str(kind).replace("element", "item") for kind in types] == list(map(str, expected))


@pytest.mark.parametrize("name", COLUMNAR)
def test_damage_is_an_error_or_other_values_but_never_a_crash(tmp_path: Path, name: str) -> None:
    data = COLUMNAR[name](pa.table(TABLE))
    for at in range(0, len(data), 37):
        damaged = data[:at] + b"\xff\x7f\xff" + data[at + 3 :]
        for text in (damaged, data[:at]):
            path = written(tmp_path, name, text)
            with suppress(DataError):
                list(batches([path]))


def saved(array: Any = None, **named: Any) -> bytes:
    sink = io.BytesIO()
    if named:
        np.savez(sink, **named)
    else:
        np.save(sink, array, allow_pickle=True)
    return sink.getvalue()


FIELDS = np.array([(1, 2.5, [1, 2])], dtype=[("a", "i4"), ("b", ">f8"), ("v", "f4", (2,))])
ARRAYS: dict[str, tuple[bytes, Any]] = {
    "vector": (saved(np.arange(3)), {"c1": [0, 1, 2]}),
    "matrix": (saved(np.arange(6.0).reshape(3, 2)), {"c1": [0, 2, 4], "c2": [1, 3, 5]}),
    "matrix by columns": (saved(np.asfortranarray(np.arange(6.0).reshape(3, 2))), {"c1": [0, 2, 4], "c2": [1, 3, 5]}),
    "no rows": (saved(np.empty((0, 2))), {"c1": [], "c2": []}),
    "fields": (saved(FIELDS), {"a": [1], "b": [2.5], "v": [[1, 2]]}),
    "three axes": (saved(np.arange(4).reshape(1, 2, 2)), {"c1": [[0, 1]], "c2": [[2, 3]]}),
    "text": (saved(np.array(["ab", "c"])), {"c1": ["ab", "c"]}),
    "arrays": (saved(x=np.arange(2), X=np.arange(4).reshape(2, 2)), {"x": [0, 1], "X": [[0, 1], [2, 3]]}),
    "objects": (saved(np.array([{}])), "{} holds pickled objects, which cg does not read"),
    "objects among arrays": (saved(x=np.array([{}])), "{}, array 'x' holds pickled objects, which cg does not read"),
    "a number": (saved(np.array(3.0)), "{} holds a single number, and no rows"),
    "complex numbers": (saved(np.array([1j])), "{}, column 'c1': its type is complex128"),
    "cut": (saved(np.arange(3))[:-5], "{} holds no numpy array, or a damaged one: it ends too early"),
    "cut in the header": (saved(np.arange(3))[:40], "{} holds no numpy array, or a damaged one"),
    "cut archive": (saved(x=np.arange(3))[:-5], "{} is a damaged archive"),
    "arrays of other lengths": (
        saved(x=np.arange(2), y=np.arange(3)),
        "the arrays of {} have not the same number of rows: 'x' has 2, 'y' has 3",
    ),
    "a pickle": (b"\x80\x04]\x94.", "'{}' holds no npy data"),
}


@for_each("case", ARRAYS)
def test_arrays_of_numpy_are_columns(tmp_path: Path, case: str) -> None:
    data, expected = ARRAYS[case]
    path = written(tmp_path, "a.npz" if data.startswith(b"PK") else "a.npy", data)
    if isinstance(expected, str):
        assert error_of(lambda: list(batches([path]))).message.startswith(expected.format(path))
    else:
        assert content(list(batches([path]))) == expected


PIPED = {
    "csv": (b"x,y\n1,2\n", "csv"),
    "tsv": (b"x\ty\n1\t2\n", "tsv"),
    "jsonl": (b'{"x":1}\n', "jsonl"),
    "json": (b'[{"x":1}]', "json"),
    "UTF-16": ('{"x":1}'.encode("utf-16"), "jsonl"),
    "gzip": (gzip.compress(b"x\n1\n"), "csv"),
    "two of gzip": (gzip.compress(b"x\n") + gzip.compress(b"1\n"), "csv"),
    "npy": (saved(np.arange(3)), "npy"),
    "npz": (saved(x=np.arange(3)), "npz"),
    "parquet": (parquet(pa.table({"x": [1]})), "parquet"),
    "arrow": (arrow_stream(pa.table({"x": [1]})), "arrow"),
    "feather": (feather(pa.table({"x": [1]})), "arrow"),
}


@for_each("case", PIPED)
def test_the_format_of_a_pipe_is_seen_from_its_data(case: str) -> None:
    data, expected = PIPED[case]
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    try:
        found = list(batches([f"/dev/fd/{read}"]))
    finally:
        os.close(read)
    assert {batch.format for batch in found} == {expected}
    assert sum(map(len, found)) == len(found[0].columns)


SEVERAL = [
    (("a.csv", b"x,y\n1,2\n"), ("b.csv", b"x,y\n3,4\n"), {"x": ["1", "3"], "y": ["2", "4"]}),
    (("a.csv", b"x\n1\n"), ("b.tsv.gz", gzip.compress(b"x\n2\n")), {"x": ["1", "2"]}),
    (("a.csv", b"x\n"), ("b.csv", b"x\n2\n"), {"x": ["2"]}),
    (("a.jsonl", b'{"x":1}'), ("b.json", b'[{"y":2}]'), {"x": [1, None], "y": [None, 2]}),
]


@pytest.mark.parametrize(("one", "other", "expected"), SEVERAL)
def test_files_come_one_after_another(tmp_path: Path, one: Any, other: Any, expected: Any) -> None:
    assert content(list(batches([written(tmp_path, *one), written(tmp_path, *other)]))) == expected


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    whole = gzip.compress(b"x\n" + b"1\n" * 100_000)
    with pa.CompressedOutputStream(str(tmp_path / "whole.csv.zst"), "zstd") as file:
        file.write(b"x\n1\n")
    table = [
        (str(tmp_path), "is a directory"),
        (str(tmp_path / "none.csv"), "no such file or directory"),
        ("a\0b", "embedded null byte"),
        (written(tmp_path, "cut.csv.gz", whole[:-20]), "the gzip data end too early"),
        (written(tmp_path, "bad.csv.gz", whole[:20] + b"\xff" * 20 + whole[40:]), "error -3 while decompressing"),
        (written(tmp_path, "cut.csv.zst", (tmp_path / "whole.csv.zst").read_bytes()[:-4]), "truncated"),
    ]
    for path, reason in table:
        message = error_of(lambda path=path: list(batches([path]))).message  # type: ignore[misc]
        assert message.startswith(f"cannot read '{path}': {reason}")
    path = written(tmp_path, "none.csv.gz", b"x\n1\n")
    assert error_of(lambda: list(batches([path]))).message == f"'{path}' holds no gzip data"
    assert isinstance(error_of(lambda: list(batches([path], "cvs"))), UsageError)
    assert content(list(batches([str(tmp_path / "whole.csv.zst")]))) == {"x": ["1"]}


def test_the_rows_before_damage_are_read(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(100).hex().encode() * 10 + b"\n" + b"1\n" * 1_000_000)
    found: list[Batch] = []
    assert error_of(lambda: found.extend(batches([written(tmp_path, "cut.csv.gz", whole[:-100])])))
    assert sum(map(len, found)) > 500_000


ENDLESS: dict[str, Callable[[], Iterator[bytes]]] = {
    "zeros": lambda: iter(lambda: bytes(1 << 16), None),
    "noise": lambda: chain([b"\xff"], iter(lambda: os.urandom(1 << 16), None)),
    "a row": lambda: iter(lambda: b"1" * (1 << 16), None),
    "a quote left open": lambda: iter(lambda: b'"x\n",' * (1 << 13), None),
    "an object": lambda: iter(lambda: b'{"x":' * (1 << 13), None),
    "a string": lambda: iter(lambda: b'{"x":"' + b"a" * (1 << 16), None),
}


@for_each("case", ENDLESS)
def test_endless_data_without_rows_end_in_an_error(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what a small compressed file may become."""
    monkeypatch.setattr("cgcli.tables.bounds.MAX_RECORD", 1 << 22)
    read, write = os.pipe()

    def produce() -> None:
        try:
            for piece in ENDLESS[case]():
                os.write(write, piece)
        except BrokenPipeError:
            pass
        finally:
            os.close(write)

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        with pytest.raises(DataError):
            list(batches([f"/dev/fd/{read}"]))
    finally:
        os.close(read)
        producer.join()


def test_a_row_is_there_as_soon_as_it_arrives() -> None:
    """And rows that come without a pause come in large batches."""
    read, write = os.pipe()
    arrived: list[tuple[float, int]] = []

    def consume() -> None:
        for batch in batches([f"/dev/fd/{read}"]):
            arrived.append((time.monotonic(), len(batch)))  # noqa: PERF401

    consumer = threading.Thread(target=consume)
    consumer.start()
    os.write(write, b"x,y\n")
    delays = []
    for row in range(8):
        time.sleep(0.1)
        sent = time.monotonic()
        os.write(write, b"%d,1\n" % row)
        while len(arrived) <= row and time.monotonic() < sent + 10:
            time.sleep(0.001)
        delays.append(arrived[row][0] - sent)
    for _ in range(20):
        os.write(write, b"1.25,2.5\n" * 10_000)
    os.close(write)
    consumer.join()
    os.close(read)
    assert sorted(delays)[4] < 0.05
    assert sum(rows for _, rows in arrived) == 200_008
    assert len(arrived) < 8 + 60


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.csv.gz", "a.parquet", "a.arrow", "a.npy"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, name: str) -> None:
    def peak(rows: int) -> int:
        rows //= 40 if "json" in name else 1
        item = b'{"x":1.25,"text":"%s"}' % (b"a" * 100)
        values = np.arange(rows) / 8
        text = {
            "a.csv": lambda: b"x\n" + b"1.25\n" * rows,
            "a.csv.gz": lambda: gzip.compress(b"x\n" + b"1.25\n" * rows),
            "a.jsonl": lambda: (item + b"\n") * rows,
            "a.json": lambda: b"[" + (item + b",\n") * rows + item + b"]",
            "a.parquet": lambda: parquet_of(values),
            "a.arrow": lambda: arrow_stream(pa.table({"x": values})),
            "a.npy": lambda: saved(values),
        }[name]()
        path = written(tmp_path, name, text)
        del text
        before, most = pa.total_allocated_bytes(), 0
        tracemalloc.start()
        for batch in batches([path]):
            most = max(most, pa.total_allocated_bytes() - before)
            assert numbers(batch.column(batch.columns.schema.names[0])).bad == {}
        python = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most + python

    def parquet_of(values: Any) -> bytes:
        sink = io.BytesIO()
        pyarrow.parquet.write_table(pa.table({"x": values}), sink)
        return sink.getvalue()

    assert peak(4_000_000) < 1.3 * peak(1_000_000) + (1 << 20)


INF, NAN = float("inf"), float("nan")
NUMBERS: list[tuple[pa.Array, tuple[int, ...] | None, Any, dict[int, str]]] = [
    (pa.array(["1", " 2 ", "+.5", "5.", "1e3", "inf", "007"]), None, [1, 2, 0.5, 5, 1000, INF, 7], {}),
    (
        pa.array(["1", "", "x", "1,5", "0x1", "1_0"]),
        None,
        [1, NAN, NAN, NAN, 1, NAN],
        {1: "an empty cell", 2: "'x'", 3: "'1,5'", 5: "'1_0'"},
    ),
    (pa.array(["1", "a" * 50]), None, [1, NAN], {1: f"'{'a' * 40}…'"}),
    (
        pa.array(["[1, 2]", "3", "[3, 4]"]),
        None,
        [[1, 2], [NAN, NAN], [3, 4]],
        {1: "a number instead of a list of shape [2]"},
    ),
    (pa.array(["1", "2", None]).dictionary_encode(), None, [1, 2, NAN], {2: "null"}),
    (pa.array(["1"], pa.large_string()), None, [1], {}),
    (pa.array([1, None]), None, [1, NAN], {1: "null"}),
    (pa.array([True, False]), None, [1, 0], {}),
    (pa.array([Decimal("1.5")]), None, [1.5], {}),
    (pa.array([2**64 - 1], pa.uint64()), None, [2.0**64], {}),
    (pa.array([1]), (2,), [[NAN, NAN]], {0: "a number instead of a list of shape [2]"}),
    (pa.nulls(1), (2,), [[NAN, NAN]], {0: "null"}),
    (pa.array([{"a": 1}]), None, [NAN], {0: "an object"}),
    (pa.array([[1, 2], [3, 4]]), None, [[1, 2], [3, 4]], {}),
    (pa.array([[[1, 2]], [[3, 4]]]).slice(1), None, [[[3, 4]]], {}),
    (
        pa.array([[1, 2], [3], None, [4, None]]),
        None,
        [[1, 2], [NAN, NAN], [NAN, NAN], [NAN, NAN]],
        {1: "a list of shape [1] instead of a list of shape [2]", 2: "null", 3: "a list with a null in it"},
    ),
    (
        pa.array([[[1, 2], [3]]]),
        (2, 2),
        [[[NAN, NAN], [NAN, NAN]]],
        {0: "a list whose parts are no numbers, or not of the same length"},
    ),
    (pa.FixedSizeListArray.from_arrays(pa.array([1.0, 2, 3, 4]), 2).slice(1), None, [[3, 4]], {}),
    (pa.array([[], []], pa.list_(pa.float64())), None, [[], []], {}),
    (pa.array([[True, False]]), None, [[1, 0]], {}),
]


@for_each("case", range(len(NUMBERS)))
def test_a_column_as_numbers(case: int) -> None:
    column, shape, expected, bad = NUMBERS[case]
    found = numbers(column, shape)
    np.testing.assert_array_equal(found.values, np.array(expected, dtype=np.float64))
    assert found.values.dtype == np.float64
    assert found.bad == bad


def test_arrays_without_elements_have_rows(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(3), c=np.zeros((3, 0)), d=np.zeros((3, 2, 0)))
    (batch,) = batches([str(tmp_path / "a.npz")])
    assert batch.columns.to_pydict() == {"x": [0, 1, 2], "c": [[]] * 3, "d": [[[], []]] * 3}
