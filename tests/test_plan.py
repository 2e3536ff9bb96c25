"""cg plan: what is computed once and what for each row, in which memory, and what it costs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from cgcli.graph.operation import Operation
from cgcli.ops import table
from tests.command import Capture, cg
from tests.for_each import for_each

TEXTBOOK = "ln(x1) + x1*x2 - sin(x2)"


def planned(capsys: Capture, *arguments: str) -> Any:
    done = cg(capsys, "plan", *arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def operations(lines: Any) -> list[str]:
    return [f"{line['result']} = {line['operation']}" for line in lines]


def test_the_plan_of_a_value(capsys: Capture) -> None:
    """The whole of a page, so that none of it changes unseen."""
    assert cg(capsys, "plan", TEXTBOOK).out == (
        "for each row        flops     bytes\n"
        "b1 = ln(x1)             1        16\n"
        "b2 = x1*x2              1        24\n"
        "b2 = b1 + b2            1        24\n"
        "b1 = sin(x2)            1        16\n"
        "value = b2 - b1         1        24\n"
        "                        5       104\n"
        "\n"
        "buffers without reuse\t4, 32 bytes for a row\n"
        "buffers\t2, 16 bytes for a row\n"
        "rows in a block\t32768\n"
        "peak memory\t524288 bytes, for the buffers of a block in one thread\n"
    )


# program, bindings and options | what is computed once | what for each row
PLANS = [
    (["x + a^2", "a=2"], ["c1 = a^2"], ["value = x + c1"]),
    (["x^2", "x=3"], ["c1 = x^2"], ["value = c1"]),
    (["x"], [], ["value = x"]),
    (["3"], [], ["value = 3"]),
    (["(a, b)"], [], ["a = a", "b = b"]),
    (["c = x*y; d = c + 1; (c, d)"], [], ["c = x*y", "d = c + 1"]),
    (["x*y", "--grad"], [], ["value = x*y", "d_x = y", "d_y = x"]),
    (["x*y", "--wrt", "y"], [], ["value = x*y", "d_y = x"]),
    (["b1*sin(b1)"], [], ["b_1 = sin(b1)", "value = b1*b_1"]),
    (["exp(x)", "--grad"], [], ["value = exp(x)", "d_x = value"]),
    (["x > 0 ? x : -x"], [], ["b1 = x > 0", "b2 = -x", "b3 = where(b1, x, b2)", "value = b3"]),
    (["w@[x, 1]", "w=[2,3]"], [], ["b1 = [x, 1]", "b2 = w @ b1", "value = b2"]),
    (["f(x) = x^2; jvp f(x; dx) = 3*x*dx; f(x) + 1"], [], ["b1 = x^2", "value = b1 + 1"]),
]  # fmt: skip


@for_each(("arguments", "once", "steps"), PLANS)
def test_what_is_computed_when(capsys: Capture, arguments: list[str], once: list[str], steps: list[str]) -> None:
    """Values hold for all rows; a step takes memory that nobody reads any more, never that of a name or a result."""
    found = planned(capsys, *arguments)
    assert operations(found["once"]) == once
    assert operations(found["steps"]) == steps


def test_work_and_memory_add_up(capsys: Capture) -> None:
    """A product of a matrix and a vector for each row; its sums; what a block takes."""
    found = planned(capsys, "X: [4, 3]\nsum((X @ w)^2)", "w=[1,2,3]")
    assert [line["flops"] for line in found["steps"][:2]] == [24, 4]
    assert found["flops"] == sum(line["flops"] for line in found["steps"])
    assert found["bytes"] == sum(line["bytes"] for line in found["steps"])
    assert found["row_bytes"]["after"] <= found["row_bytes"]["before"]
    assert found["peak"] == found["rows"] * found["row_bytes"]["after"]


def test_blocks_are_smaller_where_rows_are_larger(capsys: Capture) -> None:
    """So that the arrays of a block stay in the cache; but no smaller than a step is worth."""
    rows = [
        planned(capsys, f"X: [{size}]\nsum(sin(X)*cos(X))")["rows"] for size in (1, 10, 100, 1000, 10_000, 1_000_000)
    ]
    assert rows == sorted(rows, reverse=True)
    assert rows[0] > 10_000
    assert rows[2] >= 1000
    assert rows[-1] == 1


def test_a_gradient_of_an_array_needs_weights(capsys: Capture) -> None:
    done = cg(capsys, "plan", "[x, y]", "--grad")
    assert (done.code, done.out) == (2, "")
    assert "--cotangent" in done.err
    assert planned(capsys, "[x, y]", "--grad", "--cotangent", "[1, 2]")["steps"]


def test_memory_of_what_is_computed_once_is_counted(capsys: Capture) -> None:
    """4 and 2 numbers are given; X@w and its square, of 2 numbers each, and the sum are held at once."""
    program = "sum((X@w)^2)"
    assert "memory once\t88 bytes" in cg(capsys, "plan", program, "X=[[1,2],[3,4]]", "w=[1,2]").out
    assert "memory once" not in cg(capsys, "plan", f"X: [64, 784]; w: [784]; {program}").out


@for_each("op", [op for op in table.operations() if op.elementwise])
def test_a_kernel_that_is_named_fills_a_buffer(op: Operation) -> None:
    """A plan tells those that do by their names, so that it needs no numpy."""
    assert isinstance(op.numpy, str) == isinstance(op.kernel, np.ufunc)
