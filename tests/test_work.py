"""The work of a program: what each operation counts for, and that a short text cannot ask for hours of it."""

from __future__ import annotations

import subprocess

import pytest

from cgcli.graph.node import toposort
from cgcli.graph.work import work_of
from cgcli.lowering.lower import lower
from cgcli.ops.table import operations
from cgcli.syntax.parser import parse
from tests.command import CG, Capture, cg
from tests.for_each import for_each

# Counted by hand, from what each one is: [2, 3] @ [3, 4] makes 8 numbers, each of 3 products and as many sums.
COUNTS = [
    ("x + 1", 1),
    ("X: [5, 7]; X + 1", 35),
    ("X: [5, 1]; Y: [7]; X*Y", 35),
    ("X: [5, 7]; sin(X)", 35),
    ("X: [5, 7]; max(X, 0, 1)", 70),
    ("X: [5, 7]; sum(X)", 35),
    ("X: [5, 7]; sum(X, axis=1)", 35),
    ("X: [5, 7]; softmax(X)", 5 * 35),
    ("X: [5, 7]; var(X)", 4 * 35),
    ("X: [5, 1]; Y: [5, 7]; mse(X, Y)", 3 * 35),
    ("X: [500, 700]; X[3, :2]", 2),
    ("ones([5, 7])", 35),
    ("[x, y, z]", 3),
    ("A: [2, 3]; B: [3, 4]; A @ B", 8 * 2 * 3),
    ("A: [2, 3]; v: [3]; A @ v", 2 * 2 * 3),
    ("v: [3]; v @ v", 2 * 3),
    ("A: [9, 2, 3]; B: [3, 4]; A @ B", 9 * 8 * 2 * 3),
    ('A: [2, 3]; B: [3, 4]; einsum("ij,jk->ik", A, B)', 8 * 2 * 3),
    ('A: [2, 3]; B: [4, 5]; einsum("ij,kl->", A, B)', 2 * 3 + 4 * 5 + 1),  # two sums and their product
    ('A: [2, 3]; B: [3, 4]; einsum("ij,jk->i", A, B)', 3 * 4 + 2 * 2 * 3),
    ('a: [2]; b: [3]; einsum("i,j->ij", a, b)', 2 * 3),
    ('A: [2, 9]; B: [9, 9]; C: [9, 9]; einsum("ij,jk,kl->il", A, B, C)', 2 * (2 * 2 * 9 * 9)),  # from the left
    ("A: [6, 6]; v: [6]; solve(A, v)", 2 * 6**3 // 3 + 2 * 6 * 6),
    ("A: [6, 6]; B: [6, 4]; solve(A, B)", 2 * 6**3 // 3 + 4 * 2 * 6 * 6),
    ("A: [5, 6, 6]; B: [6, 4]; solve(A, B)", 5 * (2 * 6**3 // 3 + 4 * 2 * 6 * 6)),
    ("A: [6, 6]; inv(A)", 2 * 6**3),
    ("A: [5, 6, 6]; det(A)", 5 * 2 * 6**3 // 3),
    ("x: [1, 2, 10]; w: [3, 2, 4]; conv1d(x, w)", 3 * 7 * 2 * (2 * 4)),
    ("x: [5, 2, 8, 8]; w: [3, 2, 3, 3]; conv2d(x, w, padding=1)", 5 * 3 * 8 * 8 * 2 * (2 * 3 * 3)),
    ("x: [8, 8]; max_pool2d(x, 2)", 4 * 4 * 2 * 2),
    ("f(x) = exp(x) + 1; jvp f(x; dx) = dx; f(x)", 2),
]  # fmt: skip


@for_each(("text", "expected"), COUNTS)
def test_the_work_of_an_operation_is_what_a_count_by_hand_gives(text: str, expected: int) -> None:
    assert work_of(lower(parse(text)).output) == expected


@for_each("name", sorted({operation.name for operation in operations()}))
def test_every_operation_takes_some_work(name: str) -> None:
    for operation in operations():
        if operation.name == name:
            found = [node for node in toposort(lower(parse(operation.example)).outputs) if node.op is operation]
            assert found, operation.example
            assert all(work_of(node) > 0 for node in found)


def test_what_is_not_computed_takes_none() -> None:
    graph = lower(parse("x: [3]; x + [1, 2, 3]"))
    assert sum(map(work_of, toposort(graph.outputs))) == 3


# Seconds at the most, whatever the text; each of these once took minutes.
AT_ONCE = [
    ("sum(einsum('abcd,efgh->', ones([30, 30, 30, 30]), ones([30, 30, 30, 30])))", "656100000000\n"),
    ("sum(conv2d(ones([1, 1, 1000, 1000]), ones([1, 1, 32, 32])))", "961496064\n"),
    ("sum(eye(1000) @ eye(1000))", "1000\n"),
]
TOO_MUCH = [
    ("sum(eye(3000) @ eye(3000))", "matmul"),
    ("sum(inv(eye(3000)))", "inv"),
    ("det(eye(3000))", "det"),
    ("sum(solve(eye(3000), eye(3000)))", "solve"),
    ("sum(cofactor(eye(2000)))", "cofactor"),
    ("sum(conv2d(ones([1, 1, 1000, 1000]), ones([1, 1, 300, 300])))", "conv2d"),
    ("sum(einsum('ab,ac->abc', ones([3, 4000]), ones([3, 4000])))", "held at once"),
    ("f(a) = a @ a; jvp f(a; da) = da; sum(f(eye(3000)))", "f"),
    (f"x = ones([3000, 3000]); sum({'exp(' * 50}x{')' * 50})", "exp"),
    (f"einsum('{','.join('a' * 400)}->', {', '.join(['[1, 2]'] * 400)})", "at most 32 operands"),
]


@pytest.mark.parametrize(("text", "out"), AT_ONCE)
def test_what_can_be_computed_fast_is(text: str, out: str) -> None:
    done = subprocess.run([*CG, "eval", text], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, out, "")


@for_each(("text", "what"), TOO_MUCH)
@for_each("command", ["eval", "grad"])
def test_a_short_text_cannot_ask_for_minutes_of_work(command: str, text: str, what: str, capsys: Capture) -> None:
    done = cg(capsys, command, text)
    assert (done.code, done.out) == (2, "")
    assert what in done.err


def test_the_message_says_the_work_and_the_way_out(capsys: Capture) -> None:
    result = cg(capsys, "eval", "sum(eye(3000) @ eye(3000))")
    assert result.err == (
        "cg: error: to compute this takes 5.49e+10 steps, most of them for matmul\n"
        "  the limit is 5e+09 where no data come from a file: make the arrays smaller, or give them as x=@x.npy\n"
    )
