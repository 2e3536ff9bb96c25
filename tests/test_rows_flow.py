"""Rows from files to a file: what passes through as it stood, files with other columns than each other."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.command import Capture, cg


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


@pytest.mark.parametrize(("name", "content", "arguments", "expected"), UNTOUCHED)
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
}
SEVERAL = [
    ("a.csv b.csv", 'x,y,value\n1.50,a,1.5\n"2",b,2\nc,3,3\n'.replace("c,3,3", "3,c,3")),
    ("b.csv a.csv", "y,x,value\nc,3,3\na,1.50,1.5\nb,2,2\n"),
    ("a.csv c.csv.gz", "x,y,z,value\n1.50,a,,1.5\n2,b,,2\n4,,7,4\n"),
    ("a.csv d.jsonl", 'x,y,w,value\n1.50,a,,1.5\n2,b,,2\n5,,"[1,2]",5\n'),
    ("d.jsonl c.csv.gz", '{"x":5,"w":[1,2],"value":5}\n{"z":7,"x":4,"value":4}\n'),
    ("d.jsonl c.csv.gz --to tsv", "x\tw\tz\tvalue\n5\t[1,2]\t\t5\n4\t\t7\t4\n"),
    ("a.csv c.csv.gz --on-error skip --where z", "x,y,z,value\n4,,7,4\n"),
]


@pytest.mark.parametrize(("arguments", "expected"), SEVERAL)
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
