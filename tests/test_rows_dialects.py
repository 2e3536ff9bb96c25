"""Text as people have it: delimiters, decimal signs, words for nothing, comments; and which of the rows are taken."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from cgcli.cli.rows.flow import Policy, Selection, selected
from cgcli.tables.batch import Batch
from tests.command import Capture, cg
from tests.for_each import for_each

GERMAN = 'x;name;y\n1,5;"a;b";2\n-;q;3\n"1.234,5";z;4\n2.5;v;1\n'
SPELLED = ["--delimiter", ";", "--decimal", ",", "--thousands", ".", "--null", "-,NA"]
MARKED = "# made by a program, it's one\nx,y\n1,2\n# \"not closed\n3,4\n"
PAIRS = "x,y\n1,2\n-3,4\nabc,1\n5,6\n7,8\n"
NO_NAME = "no value for 'x'\n  x\n  ^\n  the first line is one cell: what stands between cells is said by --delimiter "

# A file, the arguments, the exit code, what is written, and what an error or a warning begins with.
CASES = [
    # cells that pass through stand as they were, results are spelled in the same way
    ("g.csv", GERMAN, ["x*y/4", *SPELLED, "--on-error", "null"], 0,
     "x;name;y;value\n1,5;\"a;b\";2;0,75\n-;q;3;\n\"1.234,5\";z;4;1234,5\n2.5;v;1;\n",
     "2 of 4 rows have no results; the first: g.csv, line 3: column 'x' holds '-'"),
    ("g.csv", GERMAN, ["x*y", *SPELLED, "--on-error", "skip", "--to", "jsonl"], 0,
     '{"x":1.5,"name":"a;b","y":2,"value":3}\n{"x":1234.5,"name":"z","y":4,"value":4938}\n',
     "2 of 4 rows are left out"),
    ("g.csv", GERMAN, ["x", *SPELLED, "--on-error", "null", "--to", "tsv", "--limit", "2"], 0,
     "x\tname\ty\tvalue\n1.5\ta;b\t2\t1.5\n\tq\t3\t\n", "1 of 2 rows has no results"),
    ("g.csv", GERMAN, ["-y/8", *SPELLED, "--only", "--limit", "1"], 0, "value\n-0,25\n", ""),
    ("a.csv", "x[0];x[1]\n1,5;2\n", ["x/4", *SPELLED], 0, "x[0];x[1];value[0];value[1]\n1,5;2;0,375;0,5\n", ""),
    ("e.csv", "x\n1,5e3\n-,5\n+2,\n.5\n", ["x", "--delimiter", ";", "--decimal", ",", "--on-error", "null"], 0,
     "x;value\n1,5e3;1500\n-,5;-0,5\n+2,;2\n.5;\n", "1 of 4 rows has no results; the first: e.csv, line 5"),
    ("t.csv", "x\n\"1,234.5\"\n\"12,34\"\n", ["x", "--thousands", ",", "--delimiter", ";", "--on-error", "null"], 0,
     'x;value\n"1,234.5";1234.5\n"12,34";\n', "1 of 2 rows"),
    ("t.csv", "x\n1'234\n", ["x", "--thousands", "'"], 0, "x,value\n1'234,1234\n", ""),
    ("t.csv", "x;y\n1\u202f234,5;a\n",
     ["x", "--thousands", "\u202f", "--decimal", ",", "--delimiter", ";", "--to", "jsonl"],
     0, '{"x":1234.5,"y":"a","value":1234.5}\n', ""),
    # what stands between cells
    ("p.csv", "a|b\n1|2\n", ["a+b", "--delimiter", "|"], 0, "a|b|value\n1|2|3\n", ""),
    ("p.txt", "a\tb c\n1\t2\n", ["a", "--delimiter", "tab", "-i", "csv"], 0, "a\tb c\tvalue\n1\t2\t1\n", ""),
    ("p.txt", "  a   b\n 1  2 \n\t3 4\n", ["a+b", "--delimiter", "blanks"], 0, "a b value\n1 2 3\n3 4 7\n", ""),
    ("s.csv", "sep=;\nx;y\n1,5;2\n", ["x*y", "--decimal", ","], 0, "x;y;value\n1,5;2;3\n", ""),
    ("s.csv", "sep=;\r\nx;y\r\nz;2\r\n", ["x*y"], 1, "x;y;value\n", "s.csv, line 3: column 'x' holds 'z'"),
    ("s.csv", "sep=,x\n1,2\n", ["x"], 0, "sep=,x,value\n1,2,2\n", ""),
    # comments, with the lines of the file in messages
    ("c.csv", MARKED, ["x+y", "--comment", "#"], 0, "x,y,value\n1,2,3\n3,4,7\n", ""),
    ("c.csv", MARKED + "z,1\n", ["x+y", "--comment", "#"], 1, "x,y,value\n1,2,3\n3,4,7\n",
     "c.csv, line 6: column 'x' holds 'z'"),
    ("c.csv", 'x,s\n1,"a\n# b"\n# "z\n2,6" pipe\n#\n', ["x", "--comment", "#"], 0,
     'x,s,value\n1,"a\n# b",1\n2,6" pipe,2\n', ""),
    ("c.csv", 'x  "y  z"\n 1   "2  3" \n', ["x", "--delimiter", "blanks"], 0, 'x "y  z" value\n1 "2  3" 1\n', ""),
    # rows that are taken
    ("w.csv", "x\n1\nnan\n0\n", ["x", "--where", "x"], 0, "x,value\n1,1\n", ""),
    ("w.csv", PAIRS, ["x+y", "--where", "x > 0", "--on-error", "skip"], 0, "x,y,value\n1,2,3\n5,6,11\n7,8,15\n", ""),
    ("w.csv", PAIRS, ["x+y", "--where", "x > 0"], 1, "x,y,value\n1,2,3\n", "w.csv, line 4: column 'x' holds 'abc'"),
    ("w.csv", PAIRS, ["y", "--where", "y > k", "k=3", "--limit", "2"], 0, "x,y,value\n-3,4,4\n5,6,6\n", ""),
    ("w.csv", PAIRS, ["x*k", "--where", "y > k", "k=3", "--skip", "2"], 0, "x,y,value\n7,8,21\n", ""),
    ("w.csv", PAIRS, ["y", "--limit", "0"], 0, "x,y,value\n", ""),
    ("w.csv", PAIRS, ["y", "--skip", "9"], 0, "x,y,value\n", ""),
    ("w.jsonl", '{"x":1,"l":[1]}\n{"x":2,"l":[2]}\n', ["sum(l)", "--where", "x == 2"], 0,
     '{"x":2,"l":[2],"value":2}\n', ""),
    ("w.csv", PAIRS, ["y", "--where", "z > 3"], 2, "", "--where:1:1: no value for 'z'"),
    ("w.csv", PAIRS, ["y", "--where", "y >"], 2, "", "--where:1:"),
    ("w.csv", PAIRS, ["y", "--where", "y = 2"], 2, "",
     "--where is a condition, and gives no names\n  to compare, write =="),
    ("w.csv", PAIRS, ["y", "--where", "[x, y]"], 2, "", "--where is one condition"),
    ("w.csv", PAIRS, ["y", "--limit", "-1"], 2, "", "invalid value for '--limit'"),
    # a wrong guess is answered by the option that mends it
    ("g.csv", "x;y\n1;2\n", ["x"], 2, "", NO_NAME + "';'"),
    ("g.csv", "x|y\n1|2\n", ["x"], 2, "", NO_NAME + "'|'"),
    ("g.csv", "x;y\n1,5;2\n", ["x", "--delimiter", ";"], 1, "x;y;value\n", "g.csv, line 2: column 'x' holds '1,5'\n"
     "  a comma is the decimal sign with: --decimal ,"),
    ("g.csv", 'x\n"1.000,5"\n', ["x"], 1, "x,value\n", "g.csv, line 2: column 'x' holds '1.000,5'\n"
     "  such numbers are read with: --thousands . --decimal ,"),
    # bad input
    ("g.csv", GERMAN, ["x", "--decimal", ","], 2, "", "',' is the delimiter and the decimal sign\n"
     "  say what stands between cells: --delimiter ';'"),
    ("g.csv", GERMAN, ["x", "--delimiter", ";", "--thousands", "."], 2, "",
     "'.' is the decimal sign and the sign of thousands"),
    *[("g.csv", GERMAN, ["x", "--delimiter", word], 2, "", f"--delimiter is one sign, and not '{word}'")
      for word in (",,", "x", "5", '"', "§", "", "-")],
    ("g.csv", GERMAN, ["x", "--delimiter", "."], 2, "", "the point stands in numbers, and not between cells"),
    ("g.csv", GERMAN, ["x", "--thousands", "é"], 2, "", "--thousands is one sign, and not 'é'"),
    ("g.csv", GERMAN, ["x", "--decimal", "comma"], 2, "", "--decimal is one sign, and not 'comma'"),
    ("g.jsonl", '{"x":1}\n', ["x", "--comment", "#"], 2, "", "--comment is for CSV and TSV, and g.jsonl is JSON lines"),
]  # fmt: skip


@for_each(("name", "content", "arguments", "code", "out", "error"), CASES)
def test_text_of_every_dialect(
    name: str, content: str, arguments: list[str], code: int, out: str, error: str, capsys: Capture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Protects who has a file from a spreadsheet of another country, or from a program of another time."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(content, encoding="utf-8", newline="")
    found = cg(capsys, "eval", arguments[0], name, *arguments[1:])
    assert (found.code, found.out) == (code, out)
    assert found.err.split(": ", 2)[-1].startswith(error) if error else not found.err


def test_a_type_is_that_of_the_numbers(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects formats with types: 1,5 and words for nothing make no column of text."""
    monkeypatch.chdir(tmp_path)
    Path("g.csv").write_text("x;k;s\n1,5;1.000;a\nNA;2;1,5x\n", encoding="utf-8")
    assert cg(capsys, "eval", "k", "g.csv", *SPELLED, "-o", "g.parquet") == (0, "", "")
    assert parquet.read_table("g.parquet").to_pydict() == {
        "x": [1.5, None], "k": [1000, 2], "s": ["a", "1,5x"], "value": [1000.0, 2.0],
    }  # fmt: skip


def test_no_more_is_read_than_it_takes() -> None:
    """Protects `yes 3 | cg … --limit 2`, which would never end."""
    batch = Batch(pa.RecordBatch.from_arrays([pa.array(["3", "4"])], names=["x"]), "a", str)
    policy = Policy("fail", False, False, False, None)
    found = list(selected(repeat(batch), Selection(limit=3, skip=1), policy))
    assert [batch.columns.to_pydict()["x"] for batch in found] == [["4"], ["3", "4"]]


@for_each("option", ["delimiter", "decimal", "thousands", "null", "comment", "where", "skip", "limit"])
def test_where_there_are_no_rows_nothing_is_said_of_them(option: str, capsys: Capture) -> None:
    """Protects from an option that does nothing."""
    found = cg(capsys, "eval", "x", "x=1", f"--{option}", "3")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"cg: error: --{option} is for rows, and there are none")


# Cells of a file with `--delimiter ;` and other signs, and what is written elsewhere.
SIGNS: list[tuple[str, list[str], list[str], str]] = [
    # what would be a number with a point is text where the sign is a comma, in every format
    ("x;b\n1,5;2.000\n2;1,5\n", ["--decimal", ","], ["--to", "jsonl"],
     '{"x":1.5,"b":"2.000","value":1}\n{"x":2,"b":1.5,"value":1}\n'),
    ("x;b\n1,5;.5\n2;5.\n", ["--decimal", ","], ["--to", "jsonl"],
     '{"x":1.5,"b":".5","value":1}\n{"x":2,"b":"5.","value":1}\n'),
    ("x;b\n1,5;2.000\n", ["--decimal", ","], ["--to", "npz"], ""),
    ("x;b\n1,5;2.000\n", ["--decimal", ",", "--thousands", "."], ["--to", "jsonl"], '{"x":1.5,"b":2000,"value":1}\n'),
]  # fmt: skip


@pytest.mark.parametrize(("content", "signs", "target", "expected"), SIGNS)
def test_numbers_of_other_dialects_stay_text(
    content: str, signs: list[str], target: list[str], expected: str, capsys: Capture, tmp_path: Path
) -> None:
    """Protects 2.000, which is two thousand where it was written, from becoming 2."""
    path, out = tmp_path / "a.csv", tmp_path / "out"
    path.write_text(content, encoding="utf-8")
    found = cg(capsys, "eval", "1", str(path), "--delimiter", ";", *signs, *target, "-o", str(out))
    assert (found.code, found.err) == (0, "")
    if expected:
        assert out.read_text(encoding="utf-8") == expected
        return
    with np.load(out) as arrays:
        assert arrays["b"].tolist() == ["2.000"]
    refused = cg(capsys, "eval", "1", str(path), "--delimiter", ";", *signs, "--types", "b=double")
    assert "line 2: column 'b' holds '2.000', which is not of type double" in refused.err


def test_thousands_stand_in_quotes_where_they_are_the_delimiter(capsys: Capture, tmp_path: Path) -> None:
    """As pandas has them, and most files of money."""
    path = tmp_path / "a.csv"
    path.write_text('x,k\n"1,200.50",2\n"1,000,000",3\n7,4\n', encoding="utf-8")
    found = cg(capsys, "eval", "x*k", str(path), "--thousands", ",")
    assert found == (0, 'x,k,value\n"1,200.50",2,2401\n"1,000,000",3,3000000\n7,4,28\n', "")
    assert "--thousands ," in cg(capsys, "eval", "x*k", str(path)).err
    assert '"x":1200.50,' in cg(capsys, "eval", "x*k", str(path), "--thousands", ",", "--to", "jsonl").out
