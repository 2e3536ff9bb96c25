"""Code exported for JAX, its values and the derivatives that JAX takes of them, against `cgcli.compile`.

    python -m tests.bench.jax_code

Prints how many programs agree, and where the others do not: those of tests/test_export.py, random expressions, and
those of tests/test_export_rules.py, with rules of their own and at kinks. Where a value or a derivative is not finite,
derivatives are JAX's own and are not compared. Needs jax.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import cgcli
from tests.exported import Case, cases, functions, is_exported
from tests.test_export import LINEAR, MOVED, PLACES, PROGRAMS
from tests.test_export_random import random_cases
from tests.test_export_rules import AT, KINKS, RULES, derivatives_of_cg, second_derivatives_of_cg

EDGES = (0.0, 1.0, -1.0, 0.5)  # where kinks are
TOLERANCE, AT_ONCE = 1e-9, 2  # rows of a program with arrays or loops, of which each takes JAX long


class NotByJaxError(Exception):
    """JAX has no derivative of a program."""


def found_by_jax(case: Case, rows: int) -> Iterator[tuple[int, float, dict[str, Any]]]:
    """The value and the derivatives of some rows."""
    import jax

    function = jax.value_and_grad(case.function("jax"), argnums=tuple(range(len(case.inputs))))
    for row, arguments in enumerate(case.arguments()):
        if row < rows:
            try:
                value, slopes = function(*map(np.asarray, arguments))
            except (ValueError, NotImplementedError) as error:
                raise NotByJaxError(str(error)) from None
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


def wrong_rules() -> Iterator[str]:
    """Where derivatives by the rules of programs are not cg's, second ones too, and those at kinks."""
    import jax

    for text, points in (*((text, (AT,)) for text in RULES), *KINKS):
        space: dict[str, Any] = {}
        exec(cgcli.export(text, "jax"), space)
        places = tuple(range(len(points[0])))
        for point in points:
            found = [float(each) for each in jax.grad(space["f"], places)(*map(float, point))]
            if not np.allclose(found, ours := derivatives_of_cg(text, point), rtol=1e-9, equal_nan=True):
                yield f"{text}: at {point}: {found}, and of cg {ours}"
        if text in RULES:
            second = np.array(jax.hessian(space["f"], places)(*AT))
            if not np.allclose(second, expected := second_derivatives_of_cg(text), rtol=1e-12):
                yield f"{text}: second derivatives {second.tolist()}, and of cg {expected.tolist()}"


def main() -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    texts = [text for text in (*PROGRAMS, *PLACES, *LINEAR, *MOVED, *functions()) if is_exported(text, "jax")]
    every = [case for case in (*cases(texts), *random_cases()) if len(case.names) == 1 + len(case.inputs)]
    wrong = [*wrong_rules()]
    print(*wrong, f"{len(wrong)} differences of rules and at kinks", sep="\n", flush=True)
    agree = refused = 0
    for case in every:
        try:
            why = [*wrong_in(case)]
        except NotByJaxError as error:
            refused += 1
            print(f"{case.text}: JAX does not differentiate it: {error}", flush=True)
            continue
        agree += not why
        for each in why[:3]:
            print(each, flush=True)
    print(f"{agree} of {len(every)} programs agree; {refused} are not differentiated")


if __name__ == "__main__":
    main()
