"""`cgcli.compile`: programs as functions of columns, in this process and in others."""

from __future__ import annotations

import pickle
import pickletools
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pytest

import cgcli
from cgcli.errors import DataError, UnknownNameError, UsageError
from tests.for_each import for_each
from tests.support_examples import EXAMPLES, PROGRAMS, example

TEXT = "ln(x1) + x1*x2 - sin(x2)"
COLUMNS = {"x1": np.linspace(0.5, 3, 1001), "x2": np.linspace(-2, 2, 1001)}


@for_each("name", PROGRAMS)
def test_each_row_is_what_a_call_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the library's two ways to a gradient from each other: the same digits, save the last bits."""
    text = Path(EXAMPLES / name).read_text(encoding="utf-8")
    values = dict(example(name, monkeypatch).bindings)
    rows = {key: np.stack([item, item, item]) for key, item in values.items()}
    names = cgcli.parse(text).inputs
    called = cgcli.value(text)({key: values[key] for key in names})
    scalar = all(np.ndim(item) == 0 for item in (called.values() if isinstance(called, dict) else [called]))
    found = cgcli.compile(text, None if scalar else ())({key: rows[key] for key in names})
    expected = called if isinstance(called, dict) else {"value": called}
    if scalar:
        _, grad = cgcli.value_and_grad(text)({key: values[key] for key in names})
        many = isinstance(called, dict)
        expected = expected | {
            f"d_{output}/d_{key}" if many else f"d_{key}": item
            for output, partials in (grad.items() if many else [("", grad)])
            for key, item in partials.items()
        }
    assert found.keys() == expected.keys()
    for key, item in expected.items():
        np.testing.assert_allclose(found[key], np.stack([item, item, item]), rtol=1e-14, atol=0, err_msg=key)


def test_record_batches_keep_their_columns_and_nulls() -> None:
    batch = pa.RecordBatch.from_pydict({"id": ["a", "b", "c"], "x1": [2.0, None, 1.0], "x2": [5, 0, 0]})
    found = cgcli.compile(TEXT)(batch)
    assert found.schema.names == ["id", "x1", "x2", "value", "d_x1", "d_x2"]
    assert found.column("id").to_pylist() == ["a", "b", "c"]
    assert found.column("value").to_pylist() == [11.652071455223084, None, 0.0]
    assert found.column("d_x1").to_pylist() == [5.5, None, 1.0]


def test_a_column_of_lists_binds_an_array() -> None:
    batch = pa.RecordBatch.from_pydict({"w": [[1.0, 2.0], [3.0, 4.0]], "k": [1.0, 2.0]})
    found = cgcli.compile("k*sum(w^2)", "w")(batch)
    assert found.column("value").to_pylist() == [5.0, 50.0]
    assert found.column("d_w").to_pylist() == [[2.0, 4.0], [12.0, 16.0]]


LISTS = pa.list_(pa.float64())
SCHEMAS: list[tuple[str, str | tuple[str, ...] | None, dict[str, Any], list[dict[str, Any]], str]] = [
    ("sum(w^2)*k", None, {"w": LISTS, "k": pa.int64()}, [{"w": [1.0, 2.0], "k": 2}, {"w": None, "k": 1}], "list"),
    ("sum(w^2)", None, {"w": pa.list_(pa.float64(), 2)}, [{"w": [1.0, 2.0]}, {"w": None}], "fixed_size_list"),
    ("sum(w^2)", None, {"w": pa.large_list(pa.float32())}, [{"w": [1.0, 2.0]}], "list"),
    ("sum((A @ x)^2)", "A", {"A": pa.list_(LISTS), "x": LISTS}, [{"A": [[1.0, 2.0]], "x": [3.0, 4.0]}], "list"),
    ("sum((A @ x)^2)", "x", {"A": pa.list_(pa.list_(pa.float64(), 2)), "x": LISTS},
     [{"A": [[1.0, 2.0]], "x": [3.0, 4.0]}], "list"),
    ("w[4]^2", None, {"w": LISTS}, [{"w": [1.0, 2.0, 3.0, 4.0, 5.0]}], "list"),
    ("sum([1, 2, 3]*w)", None, {"w": LISTS}, [{"w": [1.0, 2.0, 3.0]}], "list"),
    ("sum(reshape(w, [2, 3]) @ [1, 2, 3])", None, {"w": LISTS}, [{"w": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}], "list"),
    ("A: [m, n]; x: [n]; sum((A @ x)^2)/m", "x", {"A": pa.list_(LISTS), "x": LISTS},
     [{"A": [[1.0, 2.0]], "x": [3.0, 4.0]}], "list"),
    ("X: [3, 2]; [1, 2, 3] @ X @ [1, 2]", None, {"X": pa.list_(LISTS)},
     [{"X": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]}], "list"),
    ("[x, 2*x]", (), {"x": pa.float64(), "id": pa.string()}, [{"x": 2.0, "id": "a"}], "list"),
]  # fmt: skip


@for_each("text, wrt, types, rows, kind", SCHEMAS)
def test_the_schema_is_known_without_rows(text: str, wrt: Any, types: Any, rows: list[Any], kind: str) -> None:
    """Protects what engines plan with: the schema is that of all batches, of those without rows and of nulls too."""
    function, given = cgcli.compile(text, wrt), pa.schema([*types.items()])
    schema = function.schema(given)
    nulls = pa.RecordBatch.from_pylist([dict.fromkeys(types)] * 3, schema=given)
    whole = pa.Table.from_pylist(rows, schema=given)
    for columns in (nulls, nulls.slice(0, 0), whole, whole.slice(0, 0), given.empty_table(), *whole.to_batches()):
        assert function(columns).schema == schema == function.schema(columns)
        assert function(columns).num_rows == columns.num_rows
    assert [str(field.type)[: len(kind)] for field in schema if field.name.startswith("d_") and types[field.name[2:]]
            != pa.int64()] in ([], [kind])  # fmt: skip
    assert set(function(nulls).column(schema.names[-1]).to_pylist()) == {None}
    found = function(whole).to_pylist()[0]
    alone = cgcli.compile(text, wrt)({name: np.array([rows[0][name]]) for name in types if name != "id"})
    for name, array in alone.items():
        np.testing.assert_array_equal(found[name], array[0], err_msg=name)


def test_tables_readers_and_iterators_of_batches() -> None:
    """Protects the ways in which engines hand rows over: whichever it is, the rows and the results are the same."""
    function = cgcli.compile(TEXT)
    whole = pa.RecordBatch.from_pydict(dict(COLUMNS))
    parts = [whole.slice(at, 100) for at in range(0, 1100, 100)]  # the last has one row
    table = pa.Table.from_batches(parts)
    expected = pa.Table.from_batches([function(whole)])
    assert function(table).combine_chunks().equals(expected.combine_chunks())
    streamed = pa.RecordBatchReader.from_batches(function.schema(table), function.map_batches(iter(parts)))
    assert pa.Table.from_batches(streamed).combine_chunks().equals(expected.combine_chunks())
    assert (
        function(pa.RecordBatchReader.from_batches(table.schema, parts))
        .combine_chunks()
        .equals(expected.combine_chunks())
    )
    frame = polars.DataFrame(dict(COLUMNS))
    assert polars.DataFrame(function(frame)).equals(polars.DataFrame(expected))
    assert [each.num_rows for each in function.map_batches([table, parts[0]])] == [1001, 100]


def test_a_bad_row_may_have_no_results() -> None:
    function = cgcli.compile("x^2", on_error="null")
    found = function(pa.table({"x": ["2", "a", None, "3"]}))
    assert found.column("d_x").to_pylist() == [4.0, None, None, 6.0]
    lists = pa.RecordBatch.from_pydict({"w": pa.array([[1.0, 2.0], [1.0], [None, 2.0], None])})
    assert cgcli.compile("sum(w)", on_error="null")(lists).column("value").to_pylist() == [3.0, None, None, None]


PICKLED: list[tuple[Callable[[], Any], tuple[Any, ...]]] = [
    (lambda: cgcli.value("x^2*y"), (2.0, 3.0)),
    (lambda: cgcli.value_and_grad(cgcli.parse("x^2*y"), ["x"]), (2.0, 3.0)),
    (lambda: cgcli.grad("x^2*y", wrt="x"), (2.0, 3.0)),
    (lambda: cgcli.grad("x/3", digits=20), (2.0,)),
    (lambda: cgcli.jacobian("[x*y, x]", mode="forward"), (2.0, 3.0)),
    (lambda: cgcli.hessian("x^2*y"), (2.0, 3.0)),
    (lambda: cgcli.jvp("x^2*y"), ({"x": 2.0, "y": 3.0}, {"x": 1.0})),
    (lambda: cgcli.jvp("x/3", digits=20), ({"x": 2.0}, {"x": 1.0})),
    (lambda: cgcli.vjp("x^2*y"), ({"x": 2.0, "y": 3.0}, 2.0)),
    (lambda: cgcli.hessian_product("x^2*y"), ({"x": 2.0, "y": 3.0}, {"x": 1.0})),
    (lambda: cgcli.directional("x^3", 2), ({"x": 2.0}, {"x": 1.0})),
    (lambda: cgcli.compile("k*w + e", (), values={"w": [1, 2], "k": 3, "e": 1}), ({"x": [1.0]},)),
    (lambda: cgcli.compile("e*x", "e"), ({"x": [2.0], "e": [1.0]},)),
]


@for_each("make, given", PICKLED)
def test_functions_are_pickled_as_texts_and_options(make: Callable[[], Any], given: tuple[Any, ...]) -> None:
    """Protects workers: what they get is made again of the text, and no code of the caller's is in it."""
    function = make()
    once = pickle.dumps(function)
    again = pickle.loads(once)
    modules = re.findall(r"\b([a-z_.]+)\b", " ".join(str(arg) for op, arg, _ in pickletools.genops(once) if arg))
    assert {name.split(".")[0] for name in modules if "." in name} == {"cgcli"}
    assert repr(again(*given)) == repr(function(*given)), "the results"
    assert repr(pickle.loads(pickle.dumps(again))(*given)) == repr(function(*given)), "when it is sent on"


def _types_of(rows: list[Any]) -> Any:
    """The types of what comes for a column of arrays."""
    return cgcli.compile("sum(x^2)")(
        pa.RecordBatch.from_pydict({"x": pa.array(rows, pa.list_(pa.float64(), 2))})
    ).schema


CALLS: dict[str, Callable[[], Any]] = {
    "all columns": lambda: cgcli.compile(TEXT)(COLUMNS).keys() == {"value", "d_x1", "d_x2"},
    "one": lambda: cgcli.compile(TEXT, "x2")(COLUMNS).keys() == {"value", "d_x2"},
    "none": lambda: cgcli.compile(TEXT, ())(COLUMNS).keys() == {"value"},
    "by a value": lambda: cgcli.compile("k*x", "k", values={"k": 2})({"x": [1.0, 3.0]})["d_k"].tolist() == [1, 3],
    "values are no columns": lambda: cgcli.compile("k*x", values={"k": 2})({"x": [1.0]}).keys() == {"value", "d_x"},
    "columns that are not read": lambda: cgcli.compile("x^2")({"x": [3.0], "other": ["a"]})["value"].tolist() == [9],
    "whole numbers": lambda: cgcli.compile("x^2")({"x": np.array([3])})["value"].tolist() == [9],
    "what a masked array hides is nan": lambda: (
        np.isnan(cgcli.compile("x^2")({"x": np.ma.array([1.0, 2.0], mask=[False, True])})["value"]).tolist()
        == [False, True]
    ),
    "no rows": lambda: cgcli.compile("x^2")({"x": np.zeros(0)})["value"].shape == (0,),
    "no rows of arrays": lambda: _types_of([]) == _types_of([[1.0, 2.0]]),
    "nothing but nulls": lambda: _types_of([None]) == _types_of([[1.0, 2.0]]),
    "several results": lambda: (
        cgcli.compile("(x*y, x + y)", "x")({"x": [2.0], "y": [3.0]}).keys()
        == {"x*y", "d_(x*y)/d_x", "x + y", "d_(x + y)/d_x"}
    ),
}


@for_each("call", CALLS.values())
def test_columns_in_and_out(call: Callable[[], Any]) -> None:
    """What the results are, and what they are called."""
    assert call()


def test_results_do_not_depend_on_threads_or_on_how_rows_come() -> None:
    """To the bit: the promise that lets an engine cut a table as it likes."""
    whole = cgcli.compile(TEXT)(COLUMNS)
    parts = [cgcli.compile(TEXT)({key: item[at : at + 7] for key, item in COLUMNS.items()}) for at in range(0, 1001, 7)]
    for name, array in whole.items():
        np.testing.assert_array_equal(array, np.concatenate([part[name] for part in parts]))
    many = {name: np.resize(column, 100_000) for name, column in COLUMNS.items()}  # so many that threads share them
    threaded = cgcli.compile(TEXT, threads=2)(many)
    for name, array in cgcli.compile(TEXT)(many).items():
        np.testing.assert_array_equal(array, threaded[name])


def test_a_worker_in_another_process_gives_the_same() -> None:
    """Protects what engines do: pickle the function, ship it, call it there."""
    function = cgcli.compile("k*" + TEXT, values={"k": 2})
    batch = pa.RecordBatch.from_pydict(dict(COLUMNS))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(function, batch).result(timeout=60).equals(function(batch))
    assert pickle.loads(pickle.dumps(function)).program == function.program


MISTAKES: list[tuple[Callable[[], Any], type[cgcli.CgError], str]] = [
    (lambda: cgcli.compile("x", threads=0), UsageError, "threads are 1 or more, and not 0"),
    (lambda: cgcli.compile(TEXT)({"x1": [1.0]}), UnknownNameError, "no value for 'x2'"),
    (lambda: cgcli.compile(TEXT)({"x1": [1.0], "x2": [1.0, 2.0]}), DataError, "the columns differ in length"),
    (lambda: cgcli.compile(TEXT)({"x1": 1.0, "x2": [1.0]}), DataError, "column 'x1' is one number"),
    (lambda: cgcli.compile(TEXT)([1, 2]), UsageError, "and not a 'list'"),
    (lambda: cgcli.compile("x", on_error="skip"), UsageError, "on_error is fail or null, and not 'skip'"),
    (lambda: cgcli.compile("x").schema({"x": 1}), UsageError, "those of a schema of pyarrow, and not of a 'dict'"),
    (
        lambda: list(cgcli.compile("x").map_batches(pa.RecordBatch.from_pydict({"x": [1.0]}))),
        UsageError,
        "and not a 'DoubleArray'",
    ),
    (
        lambda: cgcli.compile("[1, 2, 3] @ X @ [1, 2]").schema(pa.schema([("X", pa.list_(LISTS))])),
        DataError,
        "no row tells how long the lists in column 'X' are",
    ),
    (lambda: cgcli.compile("w + z").schema(pa.schema([("w", LISTS)])), UnknownNameError, "no value for 'z'"),
    (
        lambda: cgcli.compile("x")(pa.Table.from_batches([pa.record_batch({"x": [text]}) for text in ("1", "a")])),
        DataError,
        "the table, row 2: column 'x' holds 'a'",
    ),
    (
        lambda: cgcli.compile("x")(pa.RecordBatch.from_pydict({"x": ["1", "a"]})),
        DataError,
        "the record batch, row 2: column 'x' holds 'a'",
    ),
    (
        lambda: cgcli.compile("x")(pa.RecordBatch.from_pydict({"x": [1.0], "value": [1.0]})),
        UsageError,
        "has a column 'value' already",
    ),
    (lambda: cgcli.compile("[x, x]")({"x": [1.0]}), UsageError, "a gradient needs a scalar"),
    (
        lambda: cgcli.compile("t = x^2; t*t", "t")({"x": [1.0]}),
        UsageError,
        "cannot differentiate by 't': it is computed",
    ),
    (lambda: cgcli.compile("x + z")({"x": [1.0]}), UnknownNameError, "no value for 'z'"),
]


@for_each(("call", "error", "message"), MISTAKES)
def test_mistakes_are_errors(call: Callable[[], Any], error: type[cgcli.CgError], message: str) -> None:
    with pytest.raises(error) as found:
        call()
    assert message in found.value.message
