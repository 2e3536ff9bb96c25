"""Tables as people have them: what other programs write, compress, name and break."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests import hostile_tables as hostile
from tests.command import CG, Capture, cg
from tests.for_each import for_each
from tests.hostile_tables import HOSTILE, MOST_SECONDS, VALUES

DAMAGED = ["a.csv", "a.tsv.gz", "a.jsonl.zst", "a.json.bz2", "a.parquet", "a.arrow", "a.npy", "a.npz"]
CSV = b"a,t\n1,true\n2,false\n"
ALL = "a,t,value\n1,true,1\n2,false,2\n"
SUM = "a,t,value\n1,true,2\n2,false,2\n"
ZSTD = pa.compress(CSV, codec="zstd", asbytes=True)
SKIPPED = b"\x5a\x2a\x4d\x18\x04\x00\x00\x00abcd"  # a frame that pzstd writes before the others


def zipped(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, CSV)
    return content.getvalue()


# A file, its bytes, the arguments besides it, the exit code, standard output, and how the error begins.
FILES: list[tuple[str, bytes, list[str], int, str, str]] = [
    # truth values, as in JSON
    ("t.csv", CSV, ["a + t"], 0, SUM, ""),
    ("t.csv", b"t\nTrue\n FALSE \n", ["t"], 0, "t,value\nTrue,1\n FALSE ,0\n", ""),
    ("t.csv", CSV, ["a", "--to", "jsonl"], 0, '{"a":1,"t":true,"value":1}\n{"a":2,"t":false,"value":2}\n', ""),
    # compression
    ("t.csv.zst", SKIPPED + ZSTD, ["a + t"], 0, SUM, ""),
    ("t.csv.zst", SKIPPED + ZSTD + SKIPPED, ["a + t"], 0, SUM, ""),
    ("t.csv.bz2", bz2.compress(CSV[:8]) + bz2.compress(CSV[8:]), ["a + t"], 0, SUM, ""),
    ("t.csv.xz", lzma.compress(CSV), ["a + t"], 0, SUM, ""),
    ("t.csv.gz", gzip.compress(CSV[:8]) + gzip.compress(CSV[8:]) + b"\0" * 512, ["a + t"], 0, SUM, ""),
    ("t.csv.bz2", bz2.compress(CSV)[:-9], ["a"], 1, ALL, "cannot read 't.csv.bz2': the bz2 data end too early"),
    ("t.csv.xz", lzma.compress(CSV)[:-9] + b"x", ["a"], 1, ALL, "cannot read 't.csv.xz': the "),
    ("t.csv.xz", CSV, ["a"], 1, "", "'t.csv.xz' holds no xz data"),
    ("t.zip", zipped("t.csv"), ["a"], 1, "", "t.zip is a zip archive, in which 't.csv' is no array"),
    ("t.csv.zip", zipped("t.csv"), ["a"], 1, "", "t.csv.zip is a zip archive, in which 't.csv' is no array"),
    ("t.csv", CSV, ["a", "-o", "out.csv.xz"], 2, "", "cannot write 'out.csv.xz': cg only reads xz"),
    # a zero byte is a character as others
    ("z.csv", b"a,b\n1,x\0y\n", ["a"], 0, "a,b,value\n1,x\0y,1\n", ""),
    ("z.csv", b"a,b\n" + b"1,x\n" * 400 + b"1,\0\n", ["sum([a])", "--only"], 0, "value\n" + "1\n" * 401, ""),
    ("u.csv", "a\n1\n".encode("utf-32"), ["a"], 0, "a,value\n1,1\n", ""),
    # data of other programs
    *[(name, begin + b"a,b\n1,2\n" * 9, ["a"], 1, "", f"'{name}' holds {what}, which cg does not read")
      for name, begin, what in [
          ("a.csv.7z", b"7z\xbc\xaf\x27", "a 7z archive"), ("a.csv.lz4", b"\x04\x22\x4d\x18", "lz4 data"),
          ("a.tar", b"a.csv" + bytes(252) + b"ustar", "a tar archive"),
      ]],
    # what is written is JSON
    ("n.jsonl", b'{"x":NaN,"s":"a \\"NaN\\"","l":[Infinity,-Infinity]}\n', ["1"], 0,
     '{"x":null,"s":"a \\"NaN\\"","l":[null,null],"value":1}\n', ""),
    ("n.json", b'[{"x":NaN}]', ["1"], 0, '[\n{"x":null,"value":1}\n]\n', ""),
    # names
    ("d.csv", b"a,a,a_2,a\n1,2,3,4\n", ["a + a_2"], 0, "a,a_3,a_2,a_4,value\n1,2,3,4,4\n", ""),
    ("d.tsv", b"a\ta\n1\t2\n", ["a_2", "--to", "jsonl"], 0, '{"a":1,"a_2":2,"value":2}\n', ""),
    ("d.csv", b"x[0],x[99999999999999999999]\n1,2\n", ["sum(x)"], 2, "", "no value for 'x'"),
    # types of JSON's members, conditions, paths that are not there
    ("t.jsonl", b'{"a":1,"p":{"x":2}}\n', ["2*a", "--text", "p"], 0, '{"a":1,"p":"{\\"x\\":2}","value":2}\n', ""),
    ("t.jsonl", b'{"a":1,"b":7}\n', ["b", "--text", "a"], 0, '{"a":"1","b":7,"value":7}\n', ""),
    ("w.csv", b"x\n1\n2\n3\n", ["x", "--where", "x > 1", "--where", "x < 3"], 0, "x,value\n2,2\n", ""),
    ("p.jsonl", b'{"p":{"x":2}}\n', ["p.y"], 2, "", "a name has no point\n  p.y\n  ^^^\n  what the input holds: p.x\n"),
    # a list in one row leaves the numbers of others as they are read everywhere
    ("l.csv", b'x\n0x10\n50%\ntrue\n7\n"[1,2]"\n1_000\n', ["x", "--on-error", "null", "--only"], 0,
     'value\n16\n0.5\n1\n7\n""\n""\n',
     "2 of 6 rows have no results; the first: l.csv, line 6: column 'x' holds a list of shape [2] instead of a number"),
    # numbers that float64 does not reach
    ("b.csv", b"x\n1e400\n1\n-inf\n", ["1/x"], 0, "x,value\n1e400,0\n1,1\n-inf,-0\n",
     "in 1 of 3 rows a number is beyond float64, and read as an infinity; the first: b.csv, line 2: column 'x' holds"),
    ("b.jsonl", b'{"x":[1,1e400]}\n{"x":[-Infinity,0]}\n', ["max(x)", "--only"], 0, '{"value":null}\n{"value":0}\n',
     "in 1 of 2 rows a number is beyond float64, and read as an infinity; the first: b.jsonl, line 1: column"),
    # in a column of text they stay as they stood
    ("b.jsonl", b'{"x":1,"m":1e400}\n{"x":2,"m":"Infinity"}\n{"x":3,"m":-Infinity}\n{"x":4,"m":[1,-1E999]}\n'
     b'{"x":5,"m":{"Infinity":1e400,"a":[1e400,Infinity,null]}}\n', ["x", "--to", "csv"], 0,
     'x,m,value\n1,1e400,1\n2,Infinity,2\n3,-Infinity,3\n4,"[1, -1E999]",4\n'
     '5,"{""Infinity"": 1e400, ""a"": [1e400, Infinity, null]}",5\n', ""),
    ("b.csv", b"x\n1\n1e400\n", ["1/x", "--strict"], 1, "x,value\n1,1\n", "b.csv, line 3: column 'x' holds '1e400'"),
]  # fmt: skip


@for_each(("name", "content", "arguments", "code", "out", "error"), FILES)
def test_files_as_they_come(
    name: str, content: bytes, arguments: list[str], code: int, out: str, error: str, capsys: Capture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Each is read as Miller, DuckDB, Polars or pandas read it, or refused with its reason."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    found = cg(capsys, "eval", arguments[0], name, *arguments[1:])
    assert (found.code, found.out) == (code, out)
    assert found.err.split(": ", 2)[-1].startswith(error) if error else not found.err


def test_a_cut_zstd_gives_the_rows_before_the_cut(capsys: Capture, tmp_path: Path) -> None:
    """As a cut gzip does: of 200,000 rows those that had been compressed when the disk was full."""
    rows = np.random.default_rng(1).integers(0, 10**9, 200_000).tolist()
    whole = pa.compress("\n".join(["x", *map(str, rows)]).encode(), codec="zstd", asbytes=True)
    path = tmp_path / "cut.csv.zst"
    path.write_bytes(whole[: len(whole) // 2])
    found = cg(capsys, "eval", "x", str(path), "--only")
    read = [int(line) for line in found.out.split()[1:]]
    assert found.code == 1
    assert "cut.csv.zst': truncated" in found.err
    assert len(read) > 80_000
    assert read[:-1] == rows[: len(read) - 1]  # of the last, the digits before the cut


def test_text_stays_in_npz(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("s,x\nab,1\n,2\né😀c,3\n", encoding="utf-8")
    assert cg(capsys, "eval", "2*x", "a.csv", "-o", "a.npz") == (0, "", "")
    with np.load("a.npz") as arrays:
        assert (arrays["s"].tolist(), arrays["s"].dtype, arrays["x"].dtype) == (["ab", "", "é😀c"], "<U3", "int64")
    np.savez("b.npz", s=np.array([b"ab", "é".encode()]), d=np.array(["2024-02-29", "NaT"], "M8[D]"))
    assert cg(capsys, "eval", "1", "b.npz", "-o", "c.npz").code == 0
    with np.load("c.npz") as arrays:
        assert arrays["s"].tolist() == ["ab", "é"]
        assert arrays["d"].astype(str).tolist() == ["2024-02-29", "NaT"]
    again = cg(capsys, "eval", "x", "a.npz", "--as", "y", "--to", "tsv").out
    assert again.startswith("s\tx\tvalue\ty\nab\t1\t2\t1\n")
    np.savez("d.npz", s=np.array(["a\0b", "c"]), t=np.array([["d\0e"], ["f"]]))
    lines = cg(capsys, "eval", "1", "d.npz", "--to", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"s": "a\0b", "t": ["d\0e"], "value": 1}, {"s": "c", "t": ["f"], "value": 1}
    ]  # fmt: skip


@for_each(
    ("name", "text", "told"),
    [
        ("s", "a\\u0000", "column 's' holds text that ends with a NUL, and numpy's arrays leave it out"),
        ("s\\u0000", "a", "has a NUL in it, and archives have no such names"),
        ("s" * 70_000, "a", "has more than 65535 bytes, and archives have no such names"),
    ],
)
def test_what_numpys_archives_do_not_keep_is_refused(
    name: str, text: str, told: str, capsys: Capture, tmp_path: Path
) -> None:
    """Nothing is lost in silence, or cannot be read again."""
    (tmp_path / "a.jsonl").write_text(f'{{"{name}": "{text}"}}\n', encoding="utf-8")
    found = cg(capsys, "eval", "1", str(tmp_path / "a.jsonl"), "-o", str(tmp_path / "a.npz"))
    assert (found.code, os.listdir(tmp_path)) == (1, ["a.jsonl"])
    assert told in found.err


# A column of Arrow, and its first value in CSV and in JSON; None where the type is refused.
TYPES: list[tuple[pa.Array, str | None, str | None]] = [
    (pa.array([1700000000123456789], pa.timestamp("ns")), *["2023-11-14 22:13:20.123456789"] * 2),
    (pa.array([1700000000], pa.timestamp("s")), "2023-11-14 22:13:20", "2023-11-14T22:13:20"),
    (pa.array([-(10**12)], pa.timestamp("s")), *["-29719-04-05 22:13:20"] * 2),
    (pa.array([-(10**6)], pa.date32()), *["-0768-02-04"] * 2),
    (pa.array([date(2024, 2, 29)]), *["2024-02-29"] * 2),
    (pa.array([3600123456789], pa.time64("ns")), *["01:00:00.123456789"] * 2),
    (pa.array([5], pa.duration("s")), "5", "5"),
    (pa.array([UUID(int=5).bytes], pa.uuid()), *[str(UUID(int=5))] * 2),
    (pa.array([[1700000000123456789]], pa.list_(pa.timestamp("ns"))), *['["2023-11-14 22:13:20.123456789"]'] * 2),
    (pa.array([{"a": -(10**12)}], pa.struct({"a": pa.timestamp("s")})), *['{"a":"-29719-04-05 22:13:20"}'] * 2),
    (pa.array([[Decimal("1.50")]]), *['["1.50"]'] * 2),
    (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), *['[["k",1]]'] * 2),
    (pa.array([[("k", b"v")]], pa.map_(pa.string(), pa.binary())), *['[["k","v"]]'] * 2),
    (pa.array([[("k", Decimal("1.5"))]], pa.map_(pa.string(), pa.decimal128(3, 1))), *['[["k","1.5"]]'] * 2),
    (pa.array(["é".encode()]), *["é"] * 2),
    (pa.array([{"b": b"v"}], pa.struct({"b": pa.binary_view()})), *['{"b":"v"}'] * 2),
    (pa.UnionArray.from_sparse(pa.array([1], pa.int8()), [pa.array([1]), pa.array(["b"])]), '"b"', "b"),
    (pa.array([1700000000123456789], pa.timestamp("ns", "UTC")), *["2023-11-14 22:13:20.123456789Z"] * 2),
    (pa.array(["b"], pa.string_view()), *["b"] * 2),
    (pa.array([[1, 2]], pa.list_view(pa.int64())), *["[1,2]"] * 2),
    (pa.RunEndEncodedArray.from_arrays([1], pa.array(["5"])), *["5"] * 2),
    (pa.array([10**8], pa.int32()).cast(pa.date32()), None, None),
    (pa.array([10**12], pa.timestamp("s")), None, None),
    (pa.array([b"\xff"]), None, None),
    (pa.array([[b"\xff"]]), None, None),
    (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), None, None),
]


@for_each(("column", "cell", "member"), TYPES)
def test_every_type_of_arrow_has_a_text_or_is_refused(
    column: pa.Array, cell: str | None, member: str | None, capsys: Capture, tmp_path: Path
) -> None:
    """Not a byte is written of what cannot be written; nothing fails in a way that nobody foresaw."""
    path = tmp_path / "a.arrow"
    batch = pa.RecordBatch.from_arrays([column, pa.array([1.0])], names=["k", "x"])
    with pa.ipc.new_stream(str(path), batch.schema) as stream:
        stream.write_batch(batch)
    table = cg(capsys, "eval", "x", str(path), "--to", "tsv")
    lines = cg(capsys, "eval", "x", str(path), "--to", "jsonl")
    if cell is None or member is None:
        assert (table.code, table.out, lines.code, lines.out) == (1, "", 1, "")
        assert "column 'k' is of type" in table.err
        return
    assert table.out.splitlines()[1].split("\t") == [cell, "1", "1"]
    shown = member if member.startswith(("[", "{")) else f'"{member}"'
    assert lines.out == f'{{"k":{shown},"x":1,"value":1}}\n'


PATHS: list[tuple[list[str], int, str, str]] = [
    (["a", "year=2024/f.csv"], 0, "a,t,value\n1,true,1\n2,false,2\n", ""),
    (["a", "./year=2024/f.csv", "--only"], 0, "value\n1\n2\n", ""),
    (["a*year", "a=2", "year=2024/2"], 0, "2024\n", ""),
    (
        ["a", "year=2024/g.csv"],
        2,
        "",
        "there is no file 'year=2024/g.csv', and it gives no value either\n  a file is ./y",
    ),
    (["a", "f.csv", "-o", "/dev/null"], 0, "", ""),
    (["a", "f.csv", "--only", "-o", "/dev/stdout"], 0, "value\n1\n2\n", ""),
    (["a", "f.csv", "-o", "/dev/null/x"], 2, "", "'/dev/null/x' has no suffix that says its format"),
]


@for_each(("arguments", "code", "out", "error"), PATHS)
def test_paths_of_every_kind(
    arguments: list[str], code: int, out: str, error: str, capsys: Capture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Folders of partitions are named year=2024; devices have no suffix."""
    monkeypatch.chdir(tmp_path)
    Path("year=2024").mkdir()
    for name in ("f.csv", "year=2024/f.csv"):
        Path(name).write_bytes(CSV)
    found = cg(capsys, "eval", *arguments)
    assert (found.code, found.out) == (code, out)
    assert error in found.err if error else not found.err


def test_a_descriptor_takes_the_format_of_the_input_and_keeps_what_stands_there(tmp_path: Path) -> None:
    """Rows and pictures go behind what others have written to an open file, which is no file to be made anew."""
    (tmp_path / "f.tsv").write_text("x\ty\n1\ta\n", encoding="utf-8")
    command = (
        'exec 3>out; echo first >&3; "$@" eval x f.tsv -o /dev/fd/3; echo then >&3; '
        '"$@" render x -o /dev/stderr --format dot 2>&3; echo last >&3'
    )
    subprocess.run(["sh", "-c", command, "sh", *CG], cwd=tmp_path, check=True)
    lines = (tmp_path / "out").read_text(encoding="utf-8").splitlines()
    assert lines[:5] == ["first", "x\ty\tvalue", "1\ta\t1", "then", 'digraph "x" {']
    assert lines[-1] == "last"


NO_ROOM = [
    ("eval x big.csv -o out.parquet", "cannot keep the rows in a temporary file: file too large"),
    ("eval x big.jsonl --to csv", "cannot keep the rows in a temporary file: file too large"),
    ("eval x big.parquet.gz --to csv", "cannot keep a copy of big.parquet.gz in a temporary file: file too large"),
]


def test_no_room_for_temporary_files_is_told(tmp_path: Path) -> None:
    """With its reason, and where there may be room; no file is left."""
    numbers = np.random.default_rng(1).random(40_000)
    (tmp_path / "big.csv").write_text("x\n" + "\n".join(map(str, numbers)), encoding="utf-8")
    (tmp_path / "big.jsonl").write_text("".join(f'{{"x":{number}}}\n' for number in numbers), encoding="utf-8")
    pa.parquet.write_table(pa.table({"x": numbers}), tmp_path / "big.parquet")
    (tmp_path / "big.parquet.gz").write_bytes(gzip.compress((tmp_path / "big.parquet").read_bytes()))
    before = {*os.listdir(tmp_path)}
    for line, error in NO_ROOM:
        command = f'ulimit -f 100; "$@" {line} > /dev/null'
        done = subprocess.run(["sh", "-c", command, "sh", *CG], cwd=tmp_path, capture_output=True, check=False,
                              env={**os.environ, "TMPDIR": str(tmp_path)})  # fmt: skip
        expected = f"cg: error: {error}\n  another folder for such files: TMPDIR=FOLDER cg …\n"
        assert (done.returncode, done.stderr.decode()) == (1, expected), line
    assert {*os.listdir(tmp_path)} == before


VALUES_OF_PIPES = [  # what standard input holds, and what the options are
    ('{"x": [1, 3]}', "--vars -", 0, "2"),
    ("x\n1\n3\n", "--vars - -i csv", 0, "2"),
    ("x\n1\n3\n", "t=@-:x --vars -", 1, "the value of 't': standard input is empty"),
    ("x\n1\n3\n", "--vars -", 0, "2"),
    ("\ufeffx\ty\n1\t0\n3\t0\n", "--vars -", 0, "2"),
    ('{"x": 1}\n{"x": 3}\n', "--vars -", 0, "2"),
    ('\n{"x":\n1}{"x": 3}', "--vars -", 0, "2"),
    ('[{"x": 1}, {"x": 3}]', "--vars -", 0, "2"),
    ('\ufeff\n {"x":\n [1, 3]}\n', "--vars -", 0, "2"),
    ('{"x": [1, 3]', "--vars -", 1, "standard input is not JSON: Expecting ',' delimiter"),
    ("", "--vars -", 1, "standard input is empty"),
    ("y\n1\n", "--vars -", 2, "the columns are: y"),
    ("y\n1\n", "--vars - -i csv", 2, "the columns are: y"),
    ("x\n1\n3\n", "- --vars - -i csv", 2, "standard input can be read only once"),
]


@for_each(("content", "options", "code", "told"), VALUES_OF_PIPES)
def test_values_come_through_pipes(content: str, options: str, code: int, told: str, capsys: Capture,
                                   monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """As an object of JSON, or as rows of a format that is said or seen; one stream gives them once."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    found = cg(capsys, "eval", "mean(x)", *options.split())
    assert found.code == code
    assert told in found.out + found.err


STREAMS: list[tuple[str, dict[str, str], int, bytes, str]] = [
    ('"$@" functions sqrt', {"PYTHONIOENCODING": "cp1252"}, 0, "√".encode(), ""),
    ('"$@" functions sqrt', {"LC_ALL": "de_DE.ISO-8859-1"}, 0, "√".encode(), ""),
    ('"$@" eval 1+1 >&-', {}, 1, b"", "cg: error: standard output is closed\n"),
    ('"$@" eval x x=0:1:2 >&-', {}, 1, b"", "cg: error: standard output is closed\n"),
]


@pytest.mark.parametrize(("command", "environment", "code", "out", "error"), STREAMS)
def test_standard_output_of_every_kind(
    command: str, environment: dict[str, str], code: int, out: bytes, error: str
) -> None:
    """Text is UTF-8 whatever the locale says; what cannot be written is an error."""
    done = subprocess.run(["sh", "-c", command, "sh", *CG], capture_output=True, check=False,
                          env={**os.environ, **environment})  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (code, error)
    assert out in done.stdout


def test_a_signal_at_the_start_leaves_no_traceback() -> None:
    """The entry point takes Ctrl-C over before anything heavy is imported."""
    script = "import time; from cgcli.cli.start import main; begin = time.time(); main()"
    for delay in (0.02, 0.05, 0.1, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-c", script, "eval", "x", "-"], stdin=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        assert process.stderr is not None
        seen = b""
        while b"cgcli.cli.start" not in seen:
            seen = process.stderr.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert b"Traceback" not in err
        assert process.returncode in (130, -signal.SIGINT)


@for_each("name", DAMAGED)
def test_a_flipped_byte_is_an_error_or_another_value(name: str, capsys: Capture, tmp_path: Path) -> None:
    """Protects from tracebacks: `tests/bench/damage.py` flips 500 bytes of each format, here are some."""
    chance = random.Random(name)
    path = tmp_path / name
    assert cg(capsys, "grad", "x^2", "x=0:1:50", "-o", str(path)).code == 0
    whole = path.read_bytes()
    for _ in range(12):
        at = chance.randrange(len(whole))
        path.write_bytes(whole[:at] + chance.randbytes(1) + whole[at + 1 :])
        found = cg(capsys, "eval", "1", str(path), "--to", "csv")
        assert found.code in (0, 1, 2)
        assert "should not" not in found.err


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="a bound of memory needs Linux")
def test_hostile_files_end_in_a_message_within_two_seconds_and_300_megabytes(tmp_path: Path) -> None:
    """What takes a machine elsewhere takes neither its time nor its memory here, and is told."""
    lines = []
    for at, (name, content, _) in enumerate(HOSTILE):
        path = Path(name) if name.startswith("/") else tmp_path / f"{at}{name}"
        if path.is_relative_to(tmp_path):
            path.write_bytes(content())
        lines.append(["eval", "1", str(path)] if path.suffix != "" else ["eval", "1", str(path), "-i", "csv"])
    lines += [["eval", *arguments] for arguments, _ in VALUES]
    done = subprocess.run([sys.executable, hostile.__file__], input="\n".join(map(json.dumps, lines)), check=True,
                          stdout=subprocess.PIPE, text=True)  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [said for *_, said in HOSTILE] + [said for _, said in VALUES]
    wrong = [
        (line[1:], code, seconds, said[-300:])
        for line, (code, seconds, said), message in zip(lines, found, expected, strict=True)
        if message not in said or seconds > MOST_SECONDS or code != (0 if message.startswith('"') else code) or code > 2
    ]
    assert not wrong
