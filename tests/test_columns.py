"""`cgcli.compile`: programs as functions of columns, in this process and in others."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
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
