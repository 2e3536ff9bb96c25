"""Rows from files to a file: what passes through as it stood, files with other columns than each other."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.bench.kills import faults
from tests.command import Capture, cg
from tests.for_each import for_each


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the test's own."""
    monkeypatch.chdir(tmp_path)


# A file, the arguments, and what is written.
UNTOUCHED = [
    ("a.csv", b'"a","b c"\n"6","x"\n 7 ,"""q"""\n', ["a"], '"a","b c",value\n"6","x",6\n 7 ,"""q""",7\n'),
    ("a.csv", b'\xef\xbb\xbf"a",b\r\n"6","x\r\ny"\r\n\r\n7,\r\n', ["a"], '"a",b,value\n"6","x\r\ny",6\n7,,7\n'),
    ("a.csv", b'a,b\n"6",1\n7\n"8",2', ["a", "--on-error", "null"], 'a,b,value\n"6",1,6\n7,,\n"8",2,8\n'),
    ("a.csv", b'a,b\n"6",1\n"5","',  ["a", "--on-error", "null"], 'a,b,value\n"6",1,6\n'),
    ("a.csv", b'"a"\n"6"\n""\n5\n', ["a", "--on-error", "null"], '"a",value\n"6",6\n"",\n5,5\n'),
    ("a.csv", b'a,a\n"6",7\n', ["a_2"], 'a,a_2,value\n"6",7,7\n'),
    ("a.csv", b'"6",7\n', ["c1", "--no-header"], 'c1,c2,value\n"6",7,6\n'),
    ("a.csv", b'a;b\n"6";"1,5"\n', ["a*b", "--delimiter", ";", "--decimal", ","], 'a;b;value\n"6";"1,5";9\n'),
    ("a.csv", b'a,b\n"6",1\n"7",2\n"8",3\n', ["a", "--where", "b != 2"], 'a,b,value\n"6",1,6\n"8",3,8\n'),
    ("a.csv", b'a,b\n"6",1\n', ["a", "--to", "tsv"], "a\tb\tvalue\n6\t1\t6\n"),
    ("a.tsv", b'a\t"b\n6\t"x\n\n7\t\\t\r\n', ["a"], 'a\t"b\tvalue\n6\t"x\t6\n7\t\\t\t7\n'),
    ("a.csv", b"a,b\n1,2\n", ["[]"], "a,b\n1,2\n"),
]  # fmt: skip


@for_each(("name", "content", "arguments", "expected"), UNTOUCHED)
def test_text_of_the_same_format_passes_through_as_it_stood(
    name: str, content: bytes, arguments: list[str], expected: str, capsys: Capture
) -> None:
    """Quotes, blanks, digits and escapes of what came are kept; only lines end as everywhere, and blank ones go."""
    Path(name).write_bytes(content)
    assert cg(capsys, "eval", arguments[0], name, *arguments[1:]).out == expected


FILES = {
    "a.csv": b'x,y\n1.50,a\n"2",b\n',
    "b.csv": b"y,x\nc,3\n",
    "c.csv.gz": gzip.compress(b"z,x\n7,4\n"),
    "d.jsonl": b'{"x":5,"w":[1,2]}\n',
    "e.csv": b"x;y\n1,5;2\n",
    "f.csv": b'x;z\n2,5;"a;b"\n',
    "g.tsv": b"x\tz\n3,5\ta\\tb\n",
    "h.tsv": b"x\tq\n4,5\t1\n",
}
SEVERAL = [
    ("a.csv b.csv", 'x,y,value\n1.50,a,1.5\n"2",b,2\nc,3,3\n'.replace("c,3,3", "3,c,3")),
    ("b.csv a.csv", "y,x,value\nc,3,3\na,1.50,1.5\nb,2,2\n"),
    ("a.csv c.csv.gz", "x,y,z,value\n1.50,a,,1.5\n2,b,,2\n4,,7,4\n"),
    ("a.csv d.jsonl", 'x,y,w,value\n1.50,a,,1.5\n2,b,,2\n5,,"[1,2]",5\n'),
    ("d.jsonl c.csv.gz", '{"x":5,"w":[1,2],"value":5}\n{"z":7,"x":4,"value":4}\n'),
    ("d.jsonl c.csv.gz --to tsv", "x\tw\tz\tvalue\n5\t[1,2]\t\t5\n4\t\t7\t4\n"),
    ("a.csv c.csv.gz --on-error skip --where z", "x,y,z,value\n4,,7,4\n"),
    ("e.csv f.csv --delimiter ; --decimal ,", 'x;y;z;value\n1,5;2;;1,5\n2,5;;"a;b";2,5\n'),
    ("e.csv f.csv --delimiter ; --decimal , --to tsv", "x\ty\tz\tvalue\n1.5\t2\t\t1.5\n2.5\t\ta;b\t2.5\n"),
    ("g.tsv h.tsv --decimal ,", "x\tz\tq\tvalue\n3,5\ta\\tb\t\t3,5\n4,5\t\t1\t4,5\n"),
]


@for_each(("arguments", "expected"), SEVERAL)
def test_files_may_have_other_columns_than_each_other(arguments: str, expected: str, capsys: Capture) -> None:
    """The union of their columns is written, in the order in which they first come; of what a file lacks, nothing."""
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    assert cg(capsys, "eval", "x", *arguments.split()).out == expected


def test_a_column_that_one_file_lacks_is_a_bad_row_there(capsys: Capture) -> None:
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    found = cg(capsys, "eval", "z", "c.csv.gz", "a.csv")
    assert (found.code, found.out) == (1, "z,x,y,value\n7,4,,7\n")
    assert "a.csv, line 2: there is no 'z', or it is null" in found.err


FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "arrow", "npz", "npy")
# Rows in which each column becomes another type late: whole numbers, then floats, then a number beyond 2^53; text.
LATE = "".join(
    f"{at},{at + 0.5 * (at > 17)},{2**60 * (at > 15)},{'' if at % 3 else at},{'é,😀' * (at > 18) or at}\n".replace(
        "é,😀", '"é,""😀"'
    )
    for at in range(20)
)
CUTS = ((40, 1), (1 << 20, 1 << 16))  # bytes of a piece of text; rows of a batch of another format


def _content(path: Path) -> object:
    """The bytes of a file; of Arrow's, in which those below a null mean nothing, its batches."""
    if path.suffix != ".arrow":
        return path.read_bytes()
    with pa.ipc.open_file(path) as file:
        return [str(file.get_batch(at).to_pylist()) for at in range(file.num_record_batches)]


@pytest.mark.parametrize("source", FORMATS)
def test_nothing_depends_on_how_the_input_was_cut(
    source: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes in each format from each format, whether rows come one by one or all at once."""
    Path("a.csv").write_text(f"k,x,big,gap,s\n{LATE}", encoding="utf-8")
    if source == "npy":
        Path("a.csv").write_text("k,x\n" + "".join(f"{at},{at / 4}\n" for at in range(20)), encoding="utf-8")
    if source != "csv":
        assert cg(capsys, "eval", "k", "a.csv", "--as", "v", "-o", f"a.{source}").code == 0
    results = []
    for piece, rows in CUTS:
        monkeypatch.setattr("cgcli.tables.content._PIECE", piece)
        monkeypatch.setattr("cgcli.tables.columnar._ROWS", rows)
        written = {}
        for target in FORMATS:
            column = "c1" if source == "npy" else "k"
            found = cg(capsys, "eval", f"{column}/3", f"a.{source}", "-o", f"out.{target}")
            written[target] = found.err if found.code else _content(Path(f"out.{target}"))
        results.append(written)
    assert not any(isinstance(content, str) for name, content in results[0].items() if name != "npy")
    for target in FORMATS:
        assert results[0][target] == results[1][target], target


def test_groups_of_parquet_are_of_moderate_size(capsys: Capture) -> None:
    """Others read a file by its groups, in parallel; a group is written while the rows of the next are computed."""
    assert cg(capsys, "eval", "x", "x=0:1:300000", "--as", "v", "-o", "a.parquet").code == 0
    groups = parquet.read_metadata("a.parquet")
    found = [groups.row_group(at).num_rows for at in range(groups.num_row_groups)]
    assert found == [131_072, 131_072, 300_000 - 2 * 131_072]


# What is said of types, the type of column `id`, and its values in Parquet; or how the error begins.
TYPES: list[tuple[list[str], str, list[object]]] = [
    ([], "int64", [7, 8, None]),
    (["--text", "id"], "string", ["007", "8", None]),
    (["--types", "x=double,id=text"], "string", ["007", "8", None]),
    (["--types", "id=double"], "double", [7, 8, None]),
    (["--types", "id=int"], "int64", [7, 8, None]),
    (["--types", "id=bool"], "t.csv, line 2: column 'id' holds '007', which is not of type bool", []),
    (["--types", "x=int"], "t.csv, line 3: column 'x' holds '2.5', which is not of type int", []),
    (["--types", "id=inte"], "--types 'id=inte' gives no type to a column\n  did you mean 'int'?", []),
    (["--types", "id"], "--types 'id' gives no type to a column", []),
    (["--types", "id=int", "--text", "id"], "column 'id' has two types, int and text", []),
    (["--types", "idd=int"], "there is no column 'idd' that could have a type\n  did you mean 'id'?", []),
]


@for_each(("arguments", "kind", "values"), TYPES)
def test_types_of_columns_can_be_said(arguments: list[str], kind: str, values: list[object], capsys: Capture) -> None:
    """Then rows need not wait for all others, and a cell that is not of its type is named."""
    Path("t.csv").write_text("id,x\n007,1\n8,2.5\n,3\n" if arguments else "id,x\n7,1\n8,2.5\n,3\n", encoding="utf-8")
    found = cg(capsys, "eval", "x", "t.csv", *arguments, "-o", "o.parquet")
    if not values:
        assert found.err.removeprefix("cg: error: ").startswith(kind)
        return
    column = parquet.read_table("o.parquet")["id"]
    assert (str(column.type), column.to_pylist()) == (kind, values)


def test_a_value_without_its_type_is_a_bad_row(capsys: Capture) -> None:
    """Whatever is written, text included; where bad rows pass, a format with types has nothing there."""
    Path("t.csv").write_text("x,s\n1,a\nabc,b\n2.5,\n", encoding="utf-8")
    line = ["eval", "1", "t.csv", "--types", "x=int", "--on-error"]
    assert cg(capsys, *line, "fail").out == "x,s,value\n1,a,1\n"
    assert cg(capsys, *line, "skip", "--to", "tsv").out == "x\ts\tvalue\n1\ta\t1\n"
    assert cg(capsys, *line, "null").out == "x,s,value\n1,a,1\nabc,b,\n2.5,,\n"
    assert cg(capsys, *line, "null", "-o", "o.parquet").code == 0
    assert parquet.read_table("o.parquet").to_pydict() == {
        "x": [1, None, None],
        "s": ["a", "b", None],
        "value": [1, None, None],
    }
    Path("t.jsonl").write_text('{"x":1}\n{"x":2.5}\n{"x":"3"}\n', encoding="utf-8")
    found = cg(capsys, "eval", "x", "t.jsonl", "--types", "x=int", "--on-error", "skip")
    assert found.out == '{"x":1,"value":1}\n{"x":3,"value":3}\n'


def test_a_declared_text_is_a_string_in_json(capsys: Capture) -> None:
    Path("t.csv").write_text("id,x\n7,1\n", encoding="utf-8")
    assert cg(capsys, "eval", "x", "t.csv", "--text", "id", "--to", "jsonl").out == '{"id":"7","x":1,"value":1}\n'


# A program over nested objects, and what is written of its values.
NESTED = (
    '{"p":{"x":1,"q":{"z":2},"T":4,"l":[1,2],"s":"7"},"X":[1,2]}\n{"p":{"x":3,"l":[3,4]},"X":[3,4]}\n'
    '{"p":5,"X":[5,6]}\n'
)
PATHS = [
    ("p.x*2", ["2", "6", ""]),
    ("p.x^2 + p.q.z", ["3", "", ""]),
    ("`p.x`", ["1", "3", ""]),
    ("sum(p.l)", ["3", "7", ""]),
    ("p.l[1] - p.s", ["-5", "", ""]),
    ("sum(X.T)", ["3", "7", "11"]),
]


@for_each(("program", "values"), PATHS)
@for_each("name", ["n.jsonl", "n.parquet"])
def test_members_of_objects_are_read_by_their_path(name: str, program: str, values: list[str], capsys: Capture) -> None:
    """A name has points where the input has such a path, and only there."""
    Path("n.jsonl").write_text(NESTED.replace('"p":5', '"p":null'), encoding="utf-8")
    if name.endswith("parquet"):
        assert cg(capsys, "eval", "1", "n.jsonl", "--as", "one", "-o", name).code == 0
    else:
        Path("n.jsonl").write_text(NESTED, encoding="utf-8")
    found = cg(capsys, "eval", program, name, "--only", "--on-error", "null", "--to", "csv")
    assert [line.strip('"') for line in found.out.splitlines()] == ["value", *values]


def test_columns_may_have_points_in_their_names(capsys: Capture) -> None:
    """As R writes them."""
    Path("iris.csv").write_text("Sepal.Length,Sepal.Width\n5,3\n", encoding="utf-8")
    assert cg(capsys, "grad", "Sepal.Length*Sepal.Width", "iris.csv", "--only").out == (
        "value,d_Sepal.Length,d_Sepal.Width\n15,3,5\n"
    )
    assert cg(capsys, "eval", "mean(Sepal.Length)", "--vars", "iris.csv").out == "5\n"
    assert "a name has no point" in cg(capsys, "eval", "Sepal.Height", "iris.csv").err


# Cells, and their numbers; None where there is none.
CELLS = [("0x1F", 31), ("-0xff", -255), (" 12.5% ", 0.125), ("0.1%", 0.001), ("5 %", 0.05), ("0x", None), ("%", None),
         ("1e2%", None), ("0x1.8", None)]  # fmt: skip


def test_hexadecimal_numbers_and_percent_signs(capsys: Capture) -> None:
    Path("a.csv").write_text("".join(f"{cell}\n" for cell in ["x", *(cell for cell, _ in CELLS)]), encoding="utf-8")
    found = cg(capsys, "eval", "x", "a.csv", "--only", "--on-error", "null").out.splitlines()[1:]
    assert [None if text == '""' else float(text) for text in found] == [number for _, number in CELLS]
    Path("a.csv").write_text("x\n12,5%\n0x10\n1.5%\n", encoding="utf-8")
    german = cg(capsys, "eval", "x", "a.csv", "--only", "--on-error", "null", "--decimal", ",", "--delimiter", ";")
    assert german.out == 'value\n0,125\n16\n""\n'


def test_bad_rows_are_counted_by_kind(capsys: Capture) -> None:
    Path("a.csv").write_text("x,y\n1,2\n-1,2\n,1\nabc,1\n1\n,2\n1,\xff\n", encoding="latin-1")
    assert cg(capsys, "eval", "ln(x)", "a.csv", "--on-error", "skip").err == (
        "cg: warning: 6 of 7 rows are left out (2 without a number, 1 with something else than a number, "
        "1 with another number of cells, 1 that cannot be read, 1 with a result that is no number); "
        "the first: a.csv, line 3: ln(-1) is nan\n"
    )


def test_a_file_is_the_old_one_or_the_new_one_whenever_a_signal_comes(tmp_path: Path) -> None:
    """Some of what `tests/bench/kills.py` does 200 times."""
    assert not faults(tmp_path, 3, random.Random(7))


def test_a_first_line_that_is_a_comment_is_told(capsys: Capture) -> None:
    Path("a.csv").write_text("# made by a program\nx,y\n1,2\n", encoding="utf-8")
    found = cg(capsys, "eval", "x", "a.csv")
    assert found.err.endswith("the first line begins with #: such lines are no rows with --comment '#'\n")
    assert cg(capsys, "eval", "x", "a.csv", "--comment", "#", "--only").out == "value\n1\n"
