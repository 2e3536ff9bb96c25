"""The rows of a table as one test: what a test costs beside its work, more than most rows do, is paid once.

`ROW=sinh pytest tests/test_facts.py` runs only the rows that hold a text.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Test = Callable[..., None]

_SHOWN = 20  # rows that fail


def for_each(names: str | tuple[str, ...], rows: Iterable[Any]) -> Callable[[Test], Test]:
    """A test that is made with each row, as `pytest.mark.parametrize` does, but as one: all rows that fail are told.

    Each row has a folder, patches and a captured output of its own, where the test asks for them.
    """
    columns = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    table = list(rows)
    assert table, "a test without a row protects nothing"

    def decorate(test: Test) -> Test:
        signature = inspect.signature(test)

        @functools.wraps(test)
        def every_row(**fixtures: Any) -> None:
            held = "" if hasattr(test, "of_rows") else os.environ.get("ROW", "")  # of two tables, it is the inner one's
            chosen = [(number, row) for number, row in enumerate(table) if held in _text(row)]
            if not chosen:
                pytest.skip("no row holds that text")
            failures: list[BaseException] = []
            said: list[str] = []
            for number, row in chosen:
                try:
                    with _afresh(fixtures, number) as own:
                        test(**own, **dict(zip(columns, row if len(columns) > 1 else [row], strict=True)))
                except (Exception, pytest.fail.Exception) as error:
                    failures.append(error)
                    said.append(f"row {number}: {_text(row):.2000}")
                    error.add_note(said[-1])
            if failures:
                listed = "\n".join(said[:_SHOWN])
                raise BaseExceptionGroup(f"{len(failures)} of {len(chosen)} rows fail\n{listed}\n", failures[:_SHOWN])

        fixtures = [item for item in signature.parameters.values() if item.name not in columns]
        vars(every_row)["__signature__"] = signature.replace(parameters=fixtures)  # what asks pytest for fixtures
        vars(every_row)["of_rows"] = True  # so that `-k of_rows` finds it
        return every_row

    return decorate


def _text(row: Any) -> str:
    """A row as it is told of, with its name where it has one."""
    return f"{getattr(row, 'name', '')} {row!r}".strip()


@contextmanager
def _afresh(fixtures: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """The fixtures as a row finds them that is the first."""
    own = dict(fixtures)
    for name in own.keys() & {"capsys", "capfd", "capfdbinary"}:
        own[name].readouterr()
    if "tmp_path" in own:
        own["tmp_path"] = Path(own["tmp_path"]) / f"row{number}"
        own["tmp_path"].mkdir()
    with pytest.MonkeyPatch.context() as patches:
        if "monkeypatch" in own:
            own["monkeypatch"] = patches
        yield own
