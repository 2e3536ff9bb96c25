"""CSV as people have it: where three of DuckDB, Polars, pandas and Miller agree on a file, cg reads it as they do."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.command import Capture, cg
from tests.for_each import for_each

# A file, and its rows as JSON lines, or how the error begins. DuckDB 2.0, Polars 2.1, pandas and Miller 6 were asked,
# each with its defaults; at least three gave these rows, but cells of text in columns of numbers, or refused the file.
AGREED: list[tuple[bytes, str]] = [
    (b"x,s\n1,a\n2,b\n", '{"x":1,"s":"a"}\n{"x":2,"s":"b"}\n'),
    (b"\xef\xbb\xbfx,s\n1,a\n", '{"x":1,"s":"a"}\n'),
    (b'\xef\xbb\xbf"x",s\n1,a\n', '{"x":1,"s":"a"}\n'),
    (b"x,s\r\n1,a\r\n2,b\r\n", '{"x":1,"s":"a"}\n{"x":2,"s":"b"}\n'),
    (b"x,s\r\n1,a\n2,b\r\n", '{"x":1,"s":"a"}\n{"x":2,"s":"b"}\n'),
    (b"x,s\n1,a\n2,b", '{"x":1,"s":"a"}\n{"x":2,"s":"b"}\n'),
    (b"\n\nx,s\n1,a\n", '{"x":1,"s":"a"}\n'),
    (b" x , s\n1,a\n", '{" x ":1," s":"a"}\n'),
    (b'"a b","c,d"\n1,2\n', '{"a b":1,"c,d":2}\n'),
    (b"a,b\n1,2\n3,4,5\n6,7\n", "a.csv, line 3: 3 cells instead of 2"),
    (b'x,s\n"1","a"\n"2","b"\n', '{"x":1,"s":"a"}\n{"x":2,"s":"b"}\n'),
    (b'x,s\n1,"say ""hi"""\n', '{"x":1,"s":"say \\"hi\\""}\n'),
    (b'x,s\n1,"a\nb"\n2,c\n', '{"x":1,"s":"a\\nb"}\n{"x":2,"s":"c"}\n'),
    (b'x,s\r\n1,"a\r\nb"\r\n2,c\r\n', '{"x":1,"s":"a\\r\\nb"}\n{"x":2,"s":"c"}\n'),
    (b'x,s\n1,"a,b"\n', '{"x":1,"s":"a,b"}\n'),
    (b'x,s\n1,a"b"c\n2,c\n', '{"x":1,"s":"a\\"b\\"c"}\n{"x":2,"s":"c"}\n'),
    (b'x,s\n1,"a\n2,c\n', "a.csv, line 2: a quote is opened and never closed"),
    (b'x,s\n1,a\n2,"c\n', "a.csv, line 3: a quote is opened and never closed"),
    (b"x,s\n1,'a'\n2,'b,c'\n", "a.csv, line 3: 3 cells instead of 2"),
    (b'x,s\n1,""\n2,\n', '{"x":1,"s":null}\n{"x":2,"s":null}\n'),
    (b"x,s\n,a\n2,\n", '{"x":null,"s":"a"}\n{"x":2,"s":null}\n'),
    (b"x,s\n,\n,\n", '{"x":null,"s":null}\n{"x":null,"s":null}\n'),
    (b"x\n1\n\n2\n", '{"x":1}\n{"x":null}\n{"x":2}\n'),
    (b'x\n1\n""\n2\n', '{"x":1}\n{"x":null}\n{"x":2}\n'),
    (b"x\n1\n2.5\n3\n", '{"x":1}\n{"x":2.5}\n{"x":3}\n'),
    (b"x\n1\n2\nabc\n", '{"x":1}\n{"x":2}\n{"x":"abc"}\n'),
    (b"x\n1\nNA\n2\n", '{"x":1}\n{"x":"NA"}\n{"x":2}\n'),
    (b"x\n1\nN/A\n2\n", '{"x":1}\n{"x":"N/A"}\n{"x":2}\n'),
    (b"x\n1\nnull\n2\n", '{"x":1}\n{"x":"null"}\n{"x":2}\n'),
    (b"x\n1\nNULL\n2\n", '{"x":1}\n{"x":"NULL"}\n{"x":2}\n'),
    (b"x\n1\nNone\n2\n", '{"x":1}\n{"x":"None"}\n{"x":2}\n'),
    (b"x\n1\n-\n2\n", '{"x":1}\n{"x":"-"}\n{"x":2}\n'),
    (b'x,s\n"1,000",a\n"2,000,000.5",b\n', '{"x":"1,000","s":"a"}\n{"x":"2,000,000.5","s":"b"}\n'),
    (b"x\n+5\n+6\n", '{"x":"+5"}\n{"x":"+6"}\n'),
    (b"x\n.5\n-.5\n", '{"x":0.5}\n{"x":-0.5}\n'),
    (b"x\n5.\n6.\n", '{"x":5.0}\n{"x":6.0}\n'),
    (b"x\n1_000\n2_000\n", '{"x":"1_000"}\n{"x":"2_000"}\n'),
    (b"x\n1e5\n2E-3\n", '{"x":1e5}\n{"x":2E-3}\n'),
    (b"x\n1e+5\n1.5E+05\n", '{"x":1e+5}\n{"x":1.5E+05}\n'),
    (b"x\n1d5\n2D3\n", '{"x":"1d5"}\n{"x":"2D3"}\n'),
    (b"x\n1e400\n1.5\n", '{"x":1e400}\n{"x":1.5}\n'),
    (b"x\n1e-400\n1.5\n", '{"x":1e-400}\n{"x":1.5}\n'),
    (b"x\n-0\n-0.0\n", '{"x":-0}\n{"x":-0.0}\n'),
    (b"x\n0o17\n0o7\n", '{"x":"0o17"}\n{"x":"0o7"}\n'),
    (b"x\n5%\n12.5%\n", '{"x":"5%"}\n{"x":"12.5%"}\n'),
    (b"x\n$5\n$6.5\n", '{"x":"$5"}\n{"x":"$6.5"}\n'),
    (b"x\n9007199254740993\n1\n", '{"x":9007199254740993}\n{"x":1}\n'),
    (b"x\n9223372036854775807\n1\n", '{"x":9223372036854775807}\n{"x":1}\n'),
    (b"x\n9223372036854775808\n1\n", '{"x":9223372036854775808}\n{"x":1}\n'),
    (b"x\n123456789012345678901234567890\n1\n", '{"x":123456789012345678901234567890}\n{"x":1}\n'),
    (b"x\nTRUE\nFALSE\n", '{"x":true}\n{"x":false}\n'),
    (b"x\ntrue\nfalse\n", '{"x":true}\n{"x":false}\n'),
    (b"x\nTrue\nFalse\n", '{"x":true}\n{"x":false}\n'),
    (b"x\nyes\nno\n", '{"x":"yes"}\n{"x":"no"}\n'),
    (b"x\nt\nf\n", '{"x":"t"}\n{"x":"f"}\n'),
    (b"d,x\n2024-01-02,1\n2024-01-03,2\n", '{"d":"2024-01-02","x":1}\n{"d":"2024-01-03","x":2}\n'),
    (b"d,x\n2024-01-02 03:04:05,1\n", '{"d":"2024-01-02 03:04:05","x":1}\n'),
    (b"d,x\n12:30,1\n", '{"d":"12:30","x":1}\n'),
    (b"d,x\n1/2/2024,1\n1/3/2024,2\n", '{"d":"1/2/2024","x":1}\n{"d":"1/3/2024","x":2}\n'),
    (b"x\n\xd9\xa1\xd9\xa2\n\xd9\xa3\n", '{"x":"\u0661\u0662"}\n{"x":"\u0663"}\n'),
    (b"x\n\xef\xbc\x91\xef\xbc\x92\n", '{"x":"\uff11\uff12"}\n'),
    (b"x\n\xe2\x88\x925\n\xe2\x88\x926\n", '{"x":"\u22125"}\n{"x":"\u22126"}\n'),
    (b"x,s\n\xc2\xa05,a\n6\xc2\xa0,b\n", '{"x":"\xa05","s":"a"}\n{"x":"6\xa0","s":"b"}\n'),
    (b"x\n1\xe2\x80\xaf000\n", '{"x":"1\u202f000"}\n'),
    (b"1,2\n3,4\n", '{"1":3,"2":4}\n'),
    (b"x,s\n1,a\x0cb\n", '{"x":1,"s":"a\\fb"}\n'),
    (b"x,s\n1,a\xc2\x85b\n", '{"x":1,"s":"a\x85b"}\n'),
    (b"x,s\n1,a\xe2\x80\xa8b\n", '{"x":1,"s":"a\u2028b"}\n'),
    (b"X,x\n1,2\n", '{"X":1,"x":2}\n'),
    (b"x,s\n1,\xf0\x9f\x98\x80\n", '{"x":1,"s":"\U0001f600"}\n'),
    (b'x,s\n1,""""\n2,""""""\n', '{"x":1,"s":"\\""}\n{"x":2,"s":"\\"\\""}\n'),
    (b'x\n"1,5"\n"2,5"\n', '{"x":"1,5"}\n{"x":"2,5"}\n'),
    (b"x\n1\xd9\xab5\n", '{"x":"1\u066b5"}\n'),
    (b"x\n1+2j\n", '{"x":"1+2j"}\n'),
    (b"x\n1/2\n", '{"x":"1/2"}\n'),
    (b"x\n1e\n2\n", '{"x":"1e"}\n{"x":2}\n'),
    (b"x\n--5\n2\n", '{"x":"--5"}\n{"x":2}\n'),
    (b"x\n- 5\n2\n", '{"x":"- 5"}\n{"x":2}\n'),
    (b"x\n(5)\n2\n", '{"x":"(5)"}\n{"x":2}\n'),
    (b'"a\nb",c\n1,2\n', '{"a\\nb":1,"c":2}\n'),
    (b"x,y\n1, \n2,3\n", '{"x":1,"y":" "}\n{"x":2,"y":3}\n'),
    (b'x,y\n1," "\n2,"3 "\n', '{"x":1,"y":" "}\n{"x":2,"y":"3 "}\n'),
    (b"x,y\n1,5\n2,\n", '{"x":1,"y":5}\n{"x":2,"y":null}\n'),
    (b"x\n1\n\n", '{"x":1}\n{"x":null}\n'),
    (b"x\n1\n\n\n\n", '{"x":1}\n{"x":null}\n{"x":null}\n{"x":null}\n'),
    (b"x\n\n1\n", '{"x":null}\n{"x":1}\n'),
    (b"x\r\n1\r\n\r\n2\r\n", '{"x":1}\n{"x":null}\n{"x":2}\n'),
    (b"s\na\n\nb\n", '{"s":"a"}\n{"s":null}\n{"s":"b"}\n'),
    (b"x\n1\n\n2", '{"x":1}\n{"x":null}\n{"x":2}\n'),
]


@for_each(("content", "expected"), AGREED)
def test_files_are_read_as_most_read_them(
    content: bytes, expected: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quotes, ends of lines, blank lines, marks, headers, numbers, truth values and words, each as it is spelled."""
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_bytes(content)
    found = cg(capsys, "eval", "1", "a.csv", "--to", "jsonl", "--as", "_")
    if expected.startswith("{"):
        assert (found.code, found.err, found.out.replace(',"_":1}', "}")) == (0, "", expected)
    else:
        assert (found.code, found.err.splitlines()[0]) == (1, f"cg: error: {expected}")


# Cells of a column, and its type in Parquet.
COLUMNS: list[tuple[list[str], pa.DataType]] = [
    (["1", "", "-2"], pa.int64()),
    (["1", "2.5"], pa.float64()),
    (["1.5", "NaN"], pa.float64()),
    (["1.5", "nan", "-inf", "inf"], pa.float64()),
    (["1.5", "Infinity", "-Infinity"], pa.float64()),
    ([".5", "5.", "-.5"], pa.float64()),
    (["1e5", "2E-3", "1.5E+05"], pa.float64()),
    (["TRUE", "FALSE"], pa.bool_()),
    (["True", "False", ""], pa.bool_()),
    (["true", "false"], pa.bool_()),
    (["9223372036854775807", "1"], pa.int64()),
    (["9223372036854775808", "1"], pa.string()),
    (["007", "010"], pa.string()),
    (["+5", "+6"], pa.string()),
    (["1_000", "2"], pa.string()),
    (["0x10", "5%"], pa.string()),
    (["NA", "1"], pa.string()),
    (["true", "2"], pa.string()),
    (["2024-01-02", ""], pa.string()),
    (["\u0661\u0662"], pa.string()),
]


@for_each(("cells", "kind"), COLUMNS)
def test_columns_of_text_have_the_type_that_most_give_them(
    cells: list[str], kind: pa.DataType, capsys: Capture, tmp_path: Path
) -> None:
    """Where a format has types; dates stay text, as do numbers that lose how they are spelled."""
    path, target = tmp_path / "a.csv", tmp_path / "a.parquet"
    path.write_text("".join(f"{cell},1\n" for cell in ["x", *cells]), encoding="utf-8")
    assert cg(capsys, "eval", "1", str(path), "-o", str(target)).code == 0
    assert parquet.read_schema(target).field("x").type == kind


def test_comments_in_one_column_are_no_rows(capsys: Capture, tmp_path: Path) -> None:
    """Protects from the blank lines that stand for them."""
    path = tmp_path / "a.csv"
    path.write_text("# made by\nx\n1\n# between\n2\n", encoding="utf-8")
    assert cg(capsys, "eval", "2*x", str(path), "--comment", "#") == (0, "x,value\n1,2\n2,4\n", "")


def test_a_blank_line_among_bad_rows_is_an_empty_cell(capsys: Capture, tmp_path: Path) -> None:
    """Where a row has too many cells, the others are read as everywhere."""
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n\n2,3\n", encoding="utf-8")
    found = cg(capsys, "eval", "x", str(path), "--on-error", "skip")
    assert "(1 without a number, 1 with another number of cells); the first: " in found.err


def test_a_name_that_is_no_text_is_an_error(capsys: Capture, tmp_path: Path) -> None:
    """Arrow's readers take any bytes for a name."""
    path = tmp_path / "a.arrow"
    assert cg(capsys, "grad", "name^2", "name=0:1:3", "-o", str(path)).code == 0
    path.write_bytes(path.read_bytes().replace(b"name", b"n\xa2me"))
    found = cg(capsys, "eval", "1", str(path))
    assert (found.code, "holds damaged Arrow data: 'utf-8' codec can't decode" in found.err) == (1, True)


# Inputs of Miller's own tests, and what `mlr --csv cat` prints, `--tsv` where there are tabs; None where it refuses.
MILLER: list[tuple[bytes, str | None]] = [
    (b"\xef\xbb\xbfa,b,c\n1,2,3\n4,5,6\n", "a,b,c\n1,2,3\n4,5,6\n"),
    (b'\xef\xbb\xbf"a","b","c"\n1,2,3\n4,5,6\n', "a,b,c\n1,2,3\n4,5,6\n"),
    (b"a,b,c\n1,2,3\n4,5,", "a,b,c\n1,2,3\n4,5,\n"),
    (b"a,b,c\n1,2,3\n4,5,6\n7,8,9", "a,b,c\n1,2,3\n4,5,6\n7,8,9\n"),
    ("año,ποσότητα\n2020,100\n2022,145".encode(), "año,ποσότητα\n2020,100\n2022,145\n"),
    ("langue,nom,jour\nžusz,éloignée,\n".encode(), "langue,nom,jour\nžusz,éloignée,\n"),
    (b"a\n1\n2\n\n4\n5\n", "a\n1\n2\n\n4\n5\n"),
    (b".cnt,datid\n1,idle\n1,\n", ".cnt,datid\n1,idle\n1,\n"),
    (b"name:x,name:y,z\n1,2,3\n4,6,5\n", "name:x,name:y,z\n1,2,3\n4,6,5\n"),
    (b'foo,bar\n"""ts""","{""key"":""val""}"\n', 'foo,bar\n"""ts""","{""key"":""val""}"\n'),
    (b"a,b,c\n6,,10\n,,\n", "a,b,c\n6,,10\n,,\n"),
    (b"Id|Other Type|Number\na|foo|1\nc||1\n", "Id|Other Type|Number\na|foo|1\nc||1\n"),
    (b'a,b,c\n1,2,3\n4,"5",6\n"7 ""8"" 9",,11\n', 'a,b,c\n1,2,3\n4,5,6\n"7 ""8"" 9",,11\n'),
    (b"a b,c, d e\n1,,3\n4 5,6, 7  8\n", "a b,c, d e\n1,,3\n4 5,6, 7  8\n"),
    (b'a,"b",c\n1,"x\n3",y\n4,5,6', 'a,b,c\n1,"x\n3",y\n4,5,6\n'),
    (b'a,"b",c\n1,"x,3",y\n4,5,6', 'a,b,c\n1,"x,3",y\n4,5,6\n'),
    (b"a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\n3,4\n"),
    (b"a\tb\ti\npan\tpan\t1\neks\twye\t2\n", "a\tb\ti\npan\tpan\t1\neks\twye\t2\n"),
    (b"a\tb\nx\\ty\t\"q\n", "a\tb\nx\\ty\t\"q\n"),
    (b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n", None),
    (b'a,b,c\n1,2,3\n# x"y\n4,5,6\n', None),
    (b"# hello\na,b,c\n# hi\n1,2,3\n", None),
    (b"a\tb\na\tb\tc\td\n", None),
]  # fmt: skip


@for_each(("content", "expected"), MILLER)
def test_inputs_of_miller_pass_through(content: bytes, expected: str | None, capsys: Capture, tmp_path: Path) -> None:
    """As `mlr cat` has them; quotes that a cell needs not stay as they stood, where Miller leaves them out.

    Of its 145 inputs seven others differ, all on purpose. It prints nothing for an empty file, which is an error here
    as in pandas and Polars, as is one of blank lines alone. Blank lines between rows of several cells, where Miller
    refuses the file, are no rows, as in pandas and DuckDB.
    """
    separator = "\t" if b"\t" in content else ","
    path = tmp_path / ("a.tsv" if separator == "\t" else "a.csv")
    path.write_bytes(content)
    found = cg(capsys, "eval", "1", str(path))
    assert found.code == (expected is None)
    if expected is not None:
        settings: dict[str, Any] = {"quoting": csv.QUOTE_NONE} if separator == "\t" else {}
        rows = [row[:-1] for row in csv.reader(found.out.splitlines(keepends=True), delimiter=separator, **settings)]
        assert rows == [
            row or [""] for row in csv.reader(expected.splitlines(keepends=True), delimiter=separator, **settings)
        ]


@for_each(
    "content",
    [
        rb'{"a\"b\"c":"d\"e\"f"}',
        rb'{"abc\bdef\fghi": "jkl\nmno\rpqr\tstu\"vw\\xyz"} {"abc\bdef\fghi": "\\\\xyz"}',
        b'{\n  "x": 1,\n  "n": null,\n  "y": 3\n}\n',
        b'{\n  "x": {\n    "a": 1,\n    "c": 3\n  },\r\n  "y": 4\n}\n',
        b'[\n{\n  "msg": "X\\u0001\\b\xef\xbf\xbd\\u0012Y"\n}\n]\n',
        b'{\n "b": 2,\n "a": 1\n}\n{\n "d": 4,\n "a": 1\n}\n',
        b'{ "a": "abc" }\n{ "a": 0 }\n{ "a": 0.0 }\n{ "a": 2.3 }\n{ "a": false }\n{ "a": "0" }\n{ "a": "true" }\n',
        b'{"a":1,"b":1}\n{"a":2,"b":[2,3]}\n{"a":4,"b":{"c":{"d":[4,5]}}}\n{"a":5,"b":[6,[8,9]]}\n{"a":6,"b":[[[11]]]}\n',
    ],
)
def test_json_of_miller_passes_through(content: bytes, capsys: Capture, tmp_path: Path) -> None:
    """Every value keeps its kind, whatever stands in the rows before."""
    path = tmp_path / "a.json"
    path.write_bytes(content)
    found = cg(capsys, "eval", "1", str(path))
    decoder, text, expected = json.JSONDecoder(), content.decode().strip(), []
    while text:
        item, end = decoder.raw_decode(text)
        expected += item if isinstance(item, list) else [item]
        text = text[end:].strip()
    assert [list(row.items()) for row in json.loads(found.out)] == [[*row.items(), ("value", 1)] for row in expected]
