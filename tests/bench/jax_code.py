"""Code exported for JAX, its values and the derivatives that JAX takes of them, against `cgcli.compile`.

    python -m tests.bench.jax_code

Prints how many programs agree, and where the others do not: those of tests/test_export.py, and random expressions. At
kinks and where a value or a derivative is not finite, derivatives are JAX's own and are not compared. Needs jax.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.exported import Case, cases, functions, is_exported
from tests.test_export import LINEAR, MOVED, PLACES, PROGRAMS
from tests.test_export_random import random_cases

EDGES = (0.0, 1.0, -1.0, 0.5)  # where kinks are
TOLERANCE, AT_ONCE = 1e-9, 2  # rows of a program with arrays or loops, of which each takes JAX long


def found_by_jax(case: Case, rows: int) -> Iterator[tuple[int, float, dict[str, Any]]]:
    """The value and the derivatives of some rows."""
    import jax

    function = jax.value_and_grad(case.function("jax"), argnums=tuple(range(len(case.inputs))))
    for row, arguments in enumerate(case.arguments()):
        if row < rows:
            value, slopes = function(*map(np.asarray, arguments))
            yield row, float(value), dict(zip(case.inputs, slopes, strict=True))


def of_columns(case: Case) -> Iterator[tuple[int, float, dict[str, Any]]]:
    """The same of all rows, where a program is of numbers and has no loop: all at once."""
    import jax

    function, columns = case.function("jax"), [case.values[name] for name in case.inputs]
    value, back = jax.vjp(lambda *given: np.ones(case.rows) * function(*given), *columns)
    slopes = back(np.ones(case.rows))
    for row in range(case.rows):
        yield row, float(value[row]), {name: each[row] for name, each in zip(case.inputs, slopes, strict=True)}


def wrong_in(case: Case) -> Iterator[str]:
    """Where JAX differs."""
    is_plain = "for " not in case.code("jax") and is_exported(case.text, "sql")
    value, *slopes = case.expected
    for row, theirs, gradient in of_columns(case) if is_plain else found_by_jax(case, AT_ONCE):
        given = {name: each[row].tolist() for name, each in case.values.items()}
        if not np.isclose(theirs, value[row], rtol=TOLERANCE, atol=1e-11, equal_nan=True):
            yield f"{case.text}: at {given}: {theirs}, and of cg {value[row]}"
        if np.isin(np.concatenate([*map(np.ravel, given.values())]), EDGES).any():
            continue
        for name, ours in zip(case.inputs, slopes, strict=True):
            both = np.isfinite(ours[row]) & np.isfinite(gradient[name])
            if not np.isclose(ours[row], gradient[name], rtol=1e-7, atol=1e-9)[both].all():
                yield f"{case.text}: by {name} at {given}: {gradient[name]}, and of cg {ours[row]}"


def main() -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    texts = [text for text in (*PROGRAMS, *PLACES, *LINEAR, *MOVED, *functions()) if is_exported(text, "jax")]
    every = [case for case in (*cases(texts), *random_cases()) if len(case.names) == 1 + len(case.inputs)]
    agree = 0
    for case in every:
        why = [*wrong_in(case)]
        agree += not why
        for each in why[:3]:
            print(each, flush=True)
    print(f"{agree} of {len(every)} programs agree")


if __name__ == "__main__":
    main()
