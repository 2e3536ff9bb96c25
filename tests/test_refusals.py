"""What is said of arguments that do not fit, of functions on arrays and of the library's: which, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

import cgcli
from cgcli.errors import CgError
from cgcli.graph.operation import Operation, Shorthand
from cgcli.lowering.lower import lower
from cgcli.ops.table import families
from cgcli.syntax import tree
from cgcli.syntax.parser import parse
from tests.for_each import for_each

FAMILIES = ("sums", "reductions", "creation", "shape", "linear algebra", "network")
ENTRIES = {
    f"{entry.name}({', '.join(entry.arrays)})": entry
    for family in FAMILIES
    for entry in families()[family]
    if entry.example.startswith(f"{entry.name}(")
}
WRONG_ARRAYS = ("3", "[]", "[1, 2, 3, 4, 5]", "ones([2, 3])", "ones([3, 1, 5])", "ones([0, 2])", "ones([1, 1, 1, 7])")
WRONG_VALUES = ("-1", "0", "0.5", "9", "'no'", "[1, 2, 3, 4, 5, 6, 7]", "[]", "nan", "1e300")


def corrupted(entry: Operation | Shorthand) -> Iterator[str]:
    """The example of an entry with one argument after the other that may not fit, and with wrong static parameters."""
    text = entry.example
    (call,) = parse(text).statements[-1:]
    call = call.base if isinstance(call, tree.Index) else call
    assert isinstance(call, tree.Call)
    spans = [*(arg.span for arg in call.args), *(value.span for _, value, _ in call.keywords)]
    text = text[: call.span.end]
    for span in spans:
        for wrong in WRONG_ARRAYS + WRONG_VALUES:
            yield text[: span.start] + wrong + text[span.end :]
    written = {name for name, *_ in call.keywords}
    for static in entry.statics:
        if not static.name.startswith("_") and static.name not in written and not static.leading:
            for wrong in WRONG_VALUES:
                yield f"{text[:-1]}, {static.name}={wrong})"


def refused(text: str) -> CgError | None:
    """What is wrong with a text, if anything."""
    try:
        lower(parse(text))
    except CgError as error:
        return error
    return None


@for_each("name", ENTRIES)
def test_whatever_is_refused_names_the_function(name: str) -> None:
    """Protects against tracebacks, and against sentences of which nobody knows whose they are."""
    entry = ENTRIES[name]
    for text in corrupted(entry):
        error = refused(text)
        if error is not None:
            assert re.match(rf"'?{entry.name}\b", error.message), (text, error.message)
            assert error.span, text
            assert error.exit_code == 2, text


TWICE = ["eye(2, n=3)", "topk([1, 2, 3], 2, k=1)", "max_pool1d([1, 2], 2, kernel=2)", "sum([[1]], 0, axis=0)"]


@for_each("text", TWICE)
def test_a_parameter_is_given_once(text: str) -> None:
    """Protects against a value that nobody reads: the name had won over the place."""
    error = refused(text)
    assert error is not None
    assert "is given twice" in error.message


UNDECLARED = [
    "conv2d(x, w)", "conv1d(x, w)", "conv_transpose3d(x, w)", "max_pool2d(x, 2)", "attention(q, k, v)", "linear(x, w)",
    "cross_entropy(z, t)", "batch_norm(x)", "softmax(x)", "solve(A, b)", "inv(W)", "eigh(A)[0]", "slogdet(s)[1]",
    "cross(u, v)", "diag(d)", "x @ [1, 2, 3]", "[[1, 2]] @ x", "x @ y", "concat(a, [1, 2])", "[a, [1, 2]]",
    "K[1, 2, 3]", "X[3]",
    "f(z) = softmax(z); f(t)", "sum(x, axis=1)", "trace(t)", "matrix_power(P, 2)",
]  # fmt: skip


@for_each("text", UNDECLARED)
def test_a_shape_that_is_proposed_fits(text: str) -> None:
    """Protects against a remedy that leads to the next error: each was [64, 784]."""
    error = refused(text)
    assert error is not None
    _, found, shapes = error.hint.partition("declare the shape, as in: ")
    assert found, error.hint
    assert refused(f"{shapes}; {text}") is None, shapes


ROWS = {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.1]}
AT = {"x": 1.0}
# A call of each public function that takes options; what it has made is called with the values behind it.
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[Any, ...]]] = [
    ("bounds", ("x^2", "x"), {}, ({"x": (1.0, 2.0)},)),
    ("check_grad", ("x^2", AT), {"cotangent": [1]}, ()),
    ("compile", ("x^2", "x"), {"values": {}, "threads": 1, "on_error": "fail"}, (ROWS,)),
    ("diff", ("x^2", "x", 1), {"values": {}, "cotangent": [1], "latex": False, "flat": False}, ()),
    ("directional", ("x^2", 2), {}, (AT, AT)),
    ("evaluation_trace", ("x^2", AT), {"direction": AT, "grad": True, "cotangent": [1], "precision": 3}, ()),
    ("export", ("x^2", "python"), {"values": AT, "only_value": False}, ()),
    ("fit", ("y = a*x", ROWS, {"a": 1.0}),
     {"fixed": {}, "bounds": {"a": (0, 9)}, "weights": "x", "absolute": False, "loss": "huber", "level": 0.9,
      "starts": 1, "seed": 0, "max_iter": 9, "tol": 1e-3, "log": None, "by": "x"}, ()),
    ("hessian_product", ("x^2", "x"), {"digits": 20}, (AT, AT)),
    ("jacobian", ("x^2", "x", "auto"), {}, (AT,)),
    ("jvp", ("x^2",), {}, (AT, AT)),
    ("max_trips", (9,), {}, ()),
    ("minimize", ("(x - 1)^2", AT), {"subject_to": "x > 0", "maximize": False, "starts": 1, "max_iter": 9}, ()),
    ("propagate", ("x^2", AT, {"x": 0.1}), {"corr": {}, "second_order": False, "monte_carlo": 9, "seed": 0}, ()),
    ("render", ("x^2", AT), {"grad": False, "show": (), "theme": "dark", "size": (3, 4), "depth": 2}, ()),
    ("simplify", ("x^2", AT), {"exact": False}, ()),
    ("solve", ("x^2 = 2", AT), {"unknowns": ["x"], "grad": False, "starts": 1, "max_iter": 9}, ()),
    ("train", ("(a*x - y)^2", {"a": 1.0}, ROWS), {"optimizer": "adam", "lr": 0.1, "epochs": 2, "shuffle": False}, ()),
    ("value_and_grad", ("x^2", "x"), {"digits": 20}, (AT,)),
    ("vjp", ("x^2", "x"), {}, (AT, 1.0)),
]  # fmt: skip
OTHERS = ["a", "", -1, 0, 1.5, float("nan"), None, [1], ["x", 3], {1: 2}, {"x": "a"}, {"x": object()}, object(), 3 + 1j]


@pytest.mark.filterwarnings("ignore::cgcli.CgWarning")
@for_each("function", [name for name, *_ in CALLS])
def test_an_argument_of_another_kind_is_refused_by_the_library(function: str) -> None:
    """Protects callers: whatever an argument is, there is a result, or one of the library's own errors with a name."""
    ((_, given, named, then),) = (call for call in CALLS if call[0] == function)
    made = getattr(cgcli, function)(*given, **named)
    assert not then or made(*then) is not None
    calls = [(given, named | {name: other}, then) for name in named for other in OTHERS]
    calls += [(with_other(given, at, other), named, then) for at in range(len(given)) for other in OTHERS]
    calls += [(given, named, with_other(then, at, other)) for at in range(len(then)) for other in OTHERS]
    for arguments, settings, values in calls:
        with suppress(CgError):
            found = getattr(cgcli, function)(*arguments, **settings)
            if values:
                found(*values)


def with_other(arguments: tuple[Any, ...], at: int, other: Any) -> tuple[Any, ...]:
    return (*arguments[:at], other, *arguments[at + 1 :])
