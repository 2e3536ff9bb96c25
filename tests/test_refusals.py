"""What the functions on arrays say of arguments that do not fit: which function, what it was given, what it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
