"""Sums and means over rows: exact until they are rounded, so that no grouping changes a bit; `--sum` and `--mean`."""

from __future__ import annotations

import itertools
import json
import math
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cgcli
from cgcli.errors import CgError, DataError, ShapeError, UsageError
from cgcli.evaluate.exact_sums import ExactSum
from tests.command import Capture, cg
from tests.for_each import for_each

RANDOM = np.random.default_rng(0)
TEXTBOOK = "ln(x1) + x1*x2 - sin(x2)"


def _floats(low: int, high: int, count: int) -> Any:
    """Numbers of both signs with these exponents."""
    with np.errstate(over="ignore", under="ignore"):
        found = np.ldexp(RANDOM.standard_normal(count), RANDOM.integers(low, high, count))
    return found[np.isfinite(found)]


NUMBERS = {
    "none": np.zeros(0),
    "one": np.array([0.1]),
    "zeros": np.zeros(5),
    "around 1": _floats(-3, 3, 30_000),
    "of all sizes": _floats(-1074, 1024, 3_000),
    "subnormal": _floats(-1074, -1020, 1_000),
    "next to overflow": np.array([1.7e308, 1.7e308, -1.7e308, 1e-300, -1.7e308, 3.0]),
    "beyond the floats": np.array([1.7e308] * 4),
    "below the floats": np.array([-1.7e308] * 4),
    "cancelling": np.concatenate([_floats(0, 60, 999), [1e-30]]),
    "a tie": np.array([2.0**53, 1.0, 2.0**-60]),
    "the last bit": np.array([1.0, 2.0**-53, 2.0**-53, -(2.0**-105)]),
}
NUMBERS["cancelling"] = np.concatenate([NUMBERS["cancelling"], -NUMBERS["cancelling"][:-1]])


def _nearest(number: Fraction) -> float:
    try:
        return number.numerator / number.denominator
    except OverflowError:
        return math.inf if number > 0 else -math.inf


@for_each("name", NUMBERS)
def test_a_sum_is_the_float_next_to_the_exact_one(name: str) -> None:
    """Against Python's fractions; and in any order, and in parts that travel and merge, to the bit."""
    numbers = NUMBERS[name]
    exact = sum(map(Fraction, numbers.tolist()), Fraction(0))
    whole = ExactSum(())
    whole.add(numbers)
    assert repr(whole.total()) == repr(_nearest(exact) + 0.0)
    if len(numbers):
        assert repr(whole.mean()) == repr(_nearest(exact / len(numbers)) + 0.0)
    for cuts in ([1], [len(numbers) // 2], [3, 5, 8]):
        parts = []
        for part in np.split(RANDOM.permutation(numbers), cuts):
            parts.append(ExactSum(()))
            parts[-1].add(part)
        merged = ExactSum(())
        for one in reversed(parts):
            merged.merge(pickle.loads(pickle.dumps(one)))
        assert (repr(merged.total()), merged.rows) == (repr(whole.total()), len(numbers))


def test_arrays_nan_and_infinities_are_added_up_element_by_element() -> None:
    rows = np.stack([_floats(-40, 40, 6).reshape(2, 3) for _ in range(500)])
    rows[7, 0, 0], rows[8, 0, 1], rows[9, 0, 2], rows[10, 0, 2] = np.nan, np.inf, np.inf, -np.inf
    found = ExactSum((2, 3))
    for part in np.array_split(rows, 7):
        found.add(part)
    assert found.total().shape == (2, 3)
    np.testing.assert_array_equal(found.total()[0], [np.nan, np.inf, np.nan])
    assert found.total()[1].tolist() == [math.fsum(rows[:, 1, at]) for at in range(3)]
    wide = np.stack([_floats(-3, 3, 70_000) for _ in range(3)])
    many = ExactSum((70_000,))
    many.add(wide)
    assert many.total().tolist() == [math.fsum(column) for column in wide.T]


def test_sums_of_a_function_are_those_of_its_rows() -> None:
    """Protects sums inside engines: rows without results do not count, and parts add up to the whole."""
    function = cgcli.compile("x*sum(w^2)")
    rows = [{"x": 0.1 * at, "w": [0.2 * at, 1 / 3]} for at in range(50)]
    table = pa.Table.from_pylist([*rows[:20], {"x": None, "w": [1.0, 2.0]}, *rows[20:], {"x": 1.0, "w": None}])
    found = function.sums(table)
    assert found.rows == 50
    results = [row for row in function(table).to_pylist() if row["value"] is not None]
    assert found.sum()["value"] == math.fsum(row["value"] for row in results)
    assert found.sum()["d_w"].tolist() == [math.fsum(row["d_w"][at] for row in results) for at in range(2)]
    assert found.mean()["d_x"] == float(sum(Fraction(row["d_x"]) for row in results) / 50)
    parts = [function.sums(batch) for batch in table.to_batches(max_chunksize=7)]
    empty = function.sums(table.schema.empty_table())  # of no rows, nobody knows how long its lists are
    travelled = pickle.loads(pickle.dumps([empty, *parts, empty]))
    several = (sum(travelled), function.sums(iter(table.to_batches(max_chunksize=3))))
    for other in several:
        assert (other.rows, repr(other.sum())) == (50, repr(found.sum()))
    arrays = {"x": np.array([row["x"] for row in rows]), "w": np.array([row["w"] for row in rows])}
    assert repr(function.sums(arrays).sum()) == repr(found.sum())


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files of rows, of two formats."""
    found = [tmp_path / name for name in ("a.parquet", "b.parquet", "c.csv")]
    for at, path in enumerate(found):
        columns = {"x1": RANDOM.uniform(0.5, 3, 20_011 + at), "x2": RANDOM.uniform(-9, 9, 20_011 + at)}
        if path.suffix == ".csv":
            lines = "".join(
                f"{a!r},{b!r}\n" for a, b in zip(*(each.tolist() for each in columns.values()), strict=True)
            )
            path.write_text("x1,x2\n" + lines)
        else:
            pq.write_table(pa.table(columns), path, row_group_size=1000)
    return found


def test_no_grouping_changes_a_bit(files: list[Path], tmp_path: Path, capfd: Capture) -> None:
    """Whatever the threads and the order of the files; against the rows that are written, added up by math.fsum."""
    cg(capfd, "grad", TEXTBOOK, *map(str, files), "-o", str(tmp_path / "rows.parquet"), "--only")
    rows = pq.read_table(tmp_path / "rows.parquet")
    expected = "".join(f"{name}\t{math.fsum(rows[name].to_pylist())!r}\n" for name in ("value", "d_x1", "d_x2"))
    for order, threads in itertools.product(itertools.permutations(files), ("1", "2", "5")):
        found = cg(capfd, "grad", TEXTBOOK, *map(str, order), "--sum", "--threads", threads)
        assert found == (0, expected, "")


def test_any_number_of_workers_prints_the_same_bits(files: list[Path], capfd: Capture, cluster: str) -> None:
    """Processes, a cluster, this process: sums of files that travel are those of all rows."""
    names = [str(path) for path in files[:2]]
    several = ["--mean", "--where", "x1 > 1"]
    for how, *ways in (
        (["grad", TEXTBOOK, "--sum"], ["--jobs", "2"], ["--on", cluster]),
        (["eval", "(x1*k, x2)", "k=[1, 2]", *several], ["--jobs", "3", "--threads", "2"]),
    ):
        expected = cg(capfd, *how, *names)
        assert (expected.code, expected.err) == (0, "")
        for way in ways:
            assert cg(capfd, *how, *names, *way) == expected


def test_the_library_adds_files_up_to_the_same_bits(files: list[Path], capfd: Capture, cluster: str) -> None:
    """Files of two formats, by their names and by their folder: here, in processes, on a cluster; as the command."""
    names = [str(path) for path in files]
    expected = cg(capfd, "grad", TEXTBOOK, *names, "--sum").out
    function = cgcli.compile(TEXTBOOK)
    for data, who in ((names, {}), (str(files[0].parent), {"jobs": 2}), (names[::-1], {"on": cluster})):
        found = function.sums(data, **who)
        assert "".join(f"{name}\t{value!r}\n" for name, value in found.sum().items()) == expected
        assert found.rows == 60_036


def test_what_workers_leave_out_is_counted(tmp_path: Path, capfd: Capture) -> None:
    for name, rows in (("a", "x\n1\na\n"), ("b", "x\n-1\n4\n")):
        (tmp_path / f"{name}.csv").write_text(rows)
    arguments = ["grad", "ln(x)", str(tmp_path), "--mean", "--json"]
    alone = cg(capfd, *arguments, "--on-error", "skip")
    assert json.loads(alone.out)["grad"] == {"x": 0.625}
    assert cg(capfd, *arguments, "--on-error", "skip", "--jobs", "2") == alone
    assert "2 of 4 rows are left out" in alone.err
    assert cg(capfd, *arguments, "--jobs", "2") == cg(capfd, *arguments)


LIKE_ONE = [  # files whose columns differ: options, how it ends, what is said or printed
    (["a.csv", "z.csv", "b.parquet", "--on-error", "skip"], 0, "30\n"),
    (["z.csv", "a.csv", "b.parquet", "--on-error", "skip"], 0, "1 of 4 rows is left out"),
    (["a.csv", "z.csv"], 1, "z.csv, line 2: there is no 'y', or it is null"),
    (["z.csv", "a.csv"], 1, "z.csv, line 2: there is no 'y', or it is null"),
    (["a.csv", "b.parquet", "turned.parquet"], 0, "42\n"),
    (["z.csv"], 2, "no value for 'y'"),
    (["a.csv", "null.parquet"], 1, "null.parquet, row 1: column 'y' holds null"),
    (["c.jsonl", "d.jsonl", "--on-error", "skip"], 0, "6\n"),
]


@for_each(("arguments", "code", "text"), LIKE_ONE)
def test_files_with_other_columns_add_up_as_in_one_process(
    arguments: list[str], code: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """Protects mixed formats, orders of columns, and rows of files that lack a column, which are bad rows."""
    monkeypatch.chdir(tmp_path)
    for name, rows in (("a", "x,y\n1,2\n4,5\n"), ("z", "x,z\n1,2\n")):
        (tmp_path / f"{name}.csv").write_text(rows)
    pq.write_table(pa.table({"x": [2.0], "y": [4.0]}), "b.parquet")
    pq.write_table(pa.table({"y": [3.0], "x": [4.0]}), "turned.parquet")
    pq.write_table(pa.table({"x": [2.0], "y": pa.array([None], pa.float64())}), "null.parquet")
    Path("c.jsonl").write_text('{"x": 2, "y": 3}\n')
    Path("d.jsonl").write_text('{"x": 2}\n')
    alone = cg(capfd, "eval", "x*y", *arguments, "--sum")
    assert (alone.code, text in alone.out + alone.err) == (code, True), alone
    assert cg(capfd, "eval", "x*y", *arguments, "--sum", "--jobs", "2") == alone
    if not code:
        function = cgcli.compile("x*y", (), on_error="null")
        names = [name for name in arguments if "." in name]
        assert [function.sums(names, jobs=jobs).sum()["value"] for jobs in (1, 2)] == [float(alone.out)] * 2


def test_an_array_that_a_file_lacks_has_the_shape_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """Protects programs that only arrays fit, and members of objects, from files that do not tell what they are."""
    monkeypatch.chdir(tmp_path)
    Path("c.jsonl").write_text('{"p": {"x": 2}, "w": [1, 2]}\n')
    Path("d.jsonl").write_text('{"q": 2}\n')
    Path("a.csv").write_text("w[0],w[1]\n1,2\n")
    Path("b.csv").write_text("z\n3\n")
    Path("e.jsonl").write_text('{"w": [1, 2, 3], "p": {"x": 1}}\n')
    for text, files in (
        ("w@[1, 2]", ["c.jsonl", "d.jsonl", "e.jsonl"]), ("w@[1, 2]", ["d.jsonl", "c.jsonl", "e.jsonl"]),
        ("p.x", ["c.jsonl", "d.jsonl", "e.jsonl"]), ("sum(w)", ["a.csv", "b.csv"]), ("w@[1, 2]", ["b.csv", "a.csv"]),
    ):  # fmt: skip
        alone = cg(capfd, "eval", text, *files, "--sum", "--on-error", "skip")
        assert alone.code == 0, alone.err
        assert cg(capfd, "eval", text, *files, "--sum", "--on-error", "skip", "--jobs", "2") == alone


@for_each(("text", "kind"), [("1e308\n1e308\n", "infinity"), ("inf\n", "infinity"), ("inf\n-inf\n", "nan")])
def test_a_sum_that_json_cannot_hold_is_told(text: str, kind: str, tmp_path: Path, capfd: Capture) -> None:
    """Protects readers of null: the sum overflows, or holds what is infinite."""
    (tmp_path / "rows.csv").write_text("x\n" + text)
    found = json.loads(cg(capfd, "eval", "x", str(tmp_path / "rows.csv"), "--sum", "--json").out)
    assert found["value"] is None
    assert [(entry["kind"], entry["node"]) for entry in found["warnings"]] == [(kind, "value")]


PRINTED: list[tuple[list[str], str]] = [
    (["eval", "x^2", "x=1:3:3", "--sum"], "14\n"),
    (["eval", "x^2", "x=1:3:3", "--mean"], "4.666666666666667\n"),
    (["eval", "x^2", "x=1:3:3", "--mean", "--precision", "3"], "4.67\n"),
    (["eval", "(x, x*[1, 2])", "x=1:3:3", "--sum"], "x\t6\nx*[1, 2]\t[6, 12]\n"),
    (["eval", "x^2", "x=1:3:3", "--sum", "--json"], '{"value": 14, "warnings": []}\n'),
    (["grad", "a*x^2", "x=1:3:3", "a=2", "--wrt", "a", "--mean"], "value\t9.333333333333334\nd_a\t4.666666666666667\n"),
    (["grad", "a*x", "x=1:3:3", "a=2", "--sum", "--json"], '{"value": 12, "grad": {"a": 6, "x": 6}, "warnings": []}\n'),
    (["grad", "x*[1, 2]", "x=1:3:3", "--cotangent", "[1, 10]", "--sum"], "value\t[6, 12]\nd_x\t63\n"),
    (["eval", "x", "x=1:3:3", "--sum", "--where", "x > 1", "--limit", "1"], "2\n"),
    (["eval", "x", "x=1:3:3", "--sum", "--where", "x > 5"], "0\n"),
]


@for_each("arguments, printed", PRINTED)
def test_what_is_printed_is_as_for_one_point(arguments: list[str], printed: str, capfd: Capture) -> None:
    assert cg(capfd, *arguments) == (0, printed, "")


def test_bad_rows_do_not_count(tmp_path: Path, capfd: Capture) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("x\n1\na\n-1\n4\n")
    code, printed, said = cg(capfd, "grad", "ln(x)", str(data), "--mean", "--on-error", "null", "--json")
    assert (code, json.loads(printed)["grad"]) == (0, {"x": 0.625})
    assert "2 of 4 rows are left out" in said
    code, printed, said = cg(capfd, "grad", "ln(x)", str(data), "--mean")
    assert (code, printed) == (1, "")
    assert "line 3: column 'x' holds 'a'" in said
    for where in ([], ["--where", "x > 0"]):  # a sum writes no results that could be empty
        assert cg(capfd, "grad", "ln(x)", str(data), "--sum", *where).err.endswith(
            "  --on-error skip leaves such rows out\n"
        )


MISTAKES = [
    ("grad x x=0:1:3 --sum --jobs 2", "--jobs is for files, and there are none"),
    ("grad x - --sum --on dask://host:1", "--on is for files, and there are none"),
    ("grad x rows.csv --sum --shard 1/2", "--shard is for files whose results go into a folder, and --sum is over all"),
    ("grad x rows.csv --sum --jobs 2 --limit 5", "--limit is of all rows together"),
    ("grad x rows.csv --sum --jobs 2 --on dask://host:1", "--jobs is of this machine"),
    ("grad x x=1 --sum", "--sum is over rows, and there are none"),
    ("grad x x=0:1:3 --sum --mean", "--sum and --mean each say what is printed"),
    ("grad x x=0:1:3 --sum -o out.csv", "-o is for rows that are written, and --sum writes none"),
    ("eval x x=0:1:3 --mean --as y", "--as is for rows that are written, and --mean writes none"),
    ("grad x x=0:1:3 --sum --order 2", "--order does not go with --sum"),
    ("grad x x=0:1:3 --sum --elasticity", "--elasticity does not go with --sum"),
    ("eval x x=0:1:3 --sum --accuracy", "--accuracy does not go with --sum"),
    ("eval x x=0:1:3 --sum --whole", "--whole has columns for vectors"),
    ("eval x x=0:1:3 --u x=0.1 --sum", "uncertainties are of one point, or of rows one by one"),
]


@for_each("line, message", MISTAKES)
def test_what_does_not_go_together(line: str, message: str, capfd: Capture) -> None:
    code, printed, said = cg(capfd, *line.split())
    assert (code, printed) == (2, "")
    assert message in said


def test_there_is_no_mean_of_nothing(capfd: Capture) -> None:
    code, printed, said = cg(capfd, "eval", "x", "x=1:3:3", "--mean", "--where", "x > 5")
    assert (code, printed) == (1, "")
    assert "there are no rows to take the mean of" in said


WRONG: list[tuple[Any, type[CgError], str]] = [
    (lambda: cgcli.compile("x").sums("abc"), DataError, "cannot read 'abc'"),
    (lambda: cgcli.compile("x").sums({"x": [1]}, jobs=2), UsageError, "jobs is for files, and there are none"),
    (lambda: cgcli.compile("x").sums("abc", jobs=0), UsageError, "jobs are 1 or more, and not 0"),
    (lambda: cgcli.compile("x").sums("abc", jobs=2), DataError, "cannot read 'abc'"),
    (lambda: cgcli.compile("x").sums([1, 2]), UsageError, "and not a 'int'"),
    (lambda: cgcli.compile("x").sums({"x": ["a"]}), DataError, "is not a number"),
    (
        lambda: cgcli.compile("sum(w)").sums([pa.table({"w": pa.array([row])}) for row in ([1.0], [1.0, 2.0])]),
        ShapeError,
        "'d_w' cannot be added up: some rows have shapes [1] and [2]",
    ),
]


@for_each("call, error, message", WRONG)
def test_wrong_columns_are_errors(call: Any, error: type[CgError], message: str) -> None:
    with pytest.raises(error) as found:
        call()
    assert message in found.value.message
