"""Names in declared shapes, `A: [m, n]`: formulas hold for all numbers in their place, and values tell these."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cgcli
from cgcli.errors import CgError, UsageError
from tests.command import cg
from tests.for_each import for_each

Capture = pytest.CaptureFixture[str]

# What is differentiated, by which name, and the text of what comes out, where it is short, without declarations.
# The texts of the rows with + are what matrixcalculus.org gives, as cg writes it.
PROGRAMS = """
+ A: [m, n]; x: [n]; y: [m]; sum((A@x - y)^2) | x | 2*A.T @ (A@x - y)
+ A: [m, n]; x: [n]; y: [m]; sum((A@x - y)^2) | A | 2*outer(A@x - y, x)
+ A: [m, n]; x: [n]; y: [m]; norm(A@x - y) | x | A.T @ (A@x - y)/norm(A@x - y)
+ A: [n, n]; x: [n]; x@A@x | x | A@x + x@A
+ A: [n, n]; x: [n]; x@A@x | A | outer(x, x)
+ A: [m, n]; X: [n, m]; trace(A@X) | X | A.T
+ A: [n, n]; X: [n, n]; trace(A@X@X) | A | (X @ X).T
+ X: [n, n]; logdet(X) | X | inv(X).T
+ a: [n]; b: [n]; X: [n, n]; a@inv(X)@b | X | -outer(inv(X).T @ a, inv(X) @ b)
+ a: [m]; b: [n]; X: [m, n]; a@X@b | X | outer(a, b)
+ X: [m, n]; w: [n]; y: [m]; sum(ln(1 + exp(-y*(X@w)))) | w | -(X.T @ (y*sigmoid(-y*(X @ w))))
+ A: [n, n]; trace(A) | A | eye(n)
+ A: [m, n]; x: [n]; A@x | x | A
+ x: [n]; sum(x) | x | ones([n])
+ x: [n]; x@x | x | 2*x
X: [m, n]; w: [n]; y: [m]; mean((X@w - y)^2) | w | 2*X.T @ (X@w - y)/m
X: [m, n]; w: [n]; y: [m]; mse(X@w, y) | w | 2*X.T @ (X@w - y)/m
X: [m, n]; w: [n]; y: [m]; l: []; mean((X@w - y)^2)/2 + l/2*sum(w^2) | w | l*w + X.T@(X@w - y)/m
X: [m, n]; w: [n]; y: [m]; mean(softplus(X@w) - y*(X@w)) | w | X.T @ (sigmoid(X @ w) - y)/m
X: [m, p]; W: [p, k]; Y: [m, k]; -mean(sum(Y*log_softmax(X@W), axis=1)) | W |
x: [n]; mean(x) | x | ones([n])/n
x: [n]; sum(x)/n | x | ones([n])/n
x: [n]; 0.5*mean(x^3) | x | 1.5*x^2/n
x: [n]; var(x) | x | 2*(x - mean(x))/n
x: [n]; var(x, ddof=1) | x | 2*(x - mean(x))/(n - 1)
x: [n]; std(x) | x | (x - mean(x))/(n*std(x))
x: [n]; y: [n]; sum((x - mean(x))*(y - mean(y)))/(n - 1) | x |
x: [n]; sum((x - mean(x))^3)/n/std(x)^3 | x |
A: [m, n]; var(A, ddof=1) | A | 2*(A - mean(A))/(m*n - 1)
A: [m, n]; sum(mean(A, axis=0)^2) | A |
A: [m, n]; sum(sum(A, axis=0)^2) | A | 2*outer(ones([m]), sum(A, axis=0))
A: [m, n]; b: [n]; sum((A + b)^2) | b | 2*sum(A + b, axis=0)
A: [m, n]; x: [n]; sum(A@x) | x | A.T @ ones([m])
A: [m, n]; sum(A[0]^2) | A | put(2*A[0, :], [m, n], 0, :)
x: [n]; sum(x[1:]^3) | x | put(3*x[1:n]^2, [n], 1:n)
x: [n]; sum(x[::2]^3) | x |
x: [n]; sum((x[1:] - x[:-1])^2) | x |
x: [n]; x[20]^2 | x | put(2*x[20], [n], 20)
x: [n]; sum(x[::-1]*x) | x |
x: [n]; sum(concat(x, x)^3) | x | 3*((concat(x, x)^2)[0:n] + (concat(x, x)^2)[n:2*n])
x: [n]; y: [m]; sum(concat(x, y)^3) | y | 3*(concat(x, y)^2)[n:m + n]
x: [m]; y: [n]; sum(reshape(outer(x, y), [m*n])^2) | x | 2*outer(x, y) @ y
x: [n]; sum(zeros([n, n]) + x) | x | n*ones([n])
x: [n]; sum(ones([n])*x) | x | ones([n])
X: [n, n]; sum((X - eye(n))^2) | X | 2*(X - eye(n))
x: [n]; sum(arange(n)*x) | x | arange(0, n)
x: [n]; sum(x*linspace(0, 1, n)) | x | linspace(0, 1, count=n)
A: [b, m, k]; B: [b, k, n]; sum((A@B)^2) | A | 2*A @ B @ transpose(B, axes=[0, 2, 1])
A: [b, m, k]; B: [k, n]; sum((A@B)^2) | B |
x: [n]; sum(softmax(x)^2) | x | 2*softmax(x)*(softmax(x) - sum(softmax(x)^2))
x: [n]; softmax(x) | x | diag(softmax(x)) - outer(softmax(x), softmax(x))
x: [n]; logsumexp(x) | x | softmax(x)
x: [c, 2, l]; w: [d, 2, 3]; sum(conv1d(x, w)^2) | x |
x: [b, c, h, l]; w: [d, c, 3, 2]; sum(conv2d(x, w)^2) | w |
x: [n]; sum(x^n) | x | n*x^(n - 1)
x: [n]; sum(sin(n*x))/sqrt(n) | x | sqrt(n)*cos(n*x)
x: [n]; norm(x)^2/n | x | 2*x/n
x: [n]; a: []; sum(x)/(a + n)^2 | a | -2*sum(x)/(a + n)^3
x: [n]; a: []; size(x)*a^2 | a | 2*a*n
A: [n, n]; det(A) | A | cofactor(A)
X: [n, p]; S: [p, p]; mu: [p]; -n/2*logdet(S) - trace((X - mu)@inv(S)@(X - mu).T)/2 | S |
X: [n, p]; S: [p, p]; mu: [p]; -n/2*logdet(S) - trace((X - mu)@inv(S)@(X - mu).T)/2 | mu |
f(v) = mean(v^2); x: [n]; y: [m]; f(x)*f(y) | x | 2*mean(y^2)*x/n
cube(v) = v^3; jvp cube(v; dv) = 3*v^2*dv; x: [n]; mean(cube(x)) | x |
x: n; sum(x^2) | x | 2*x
x: [n]; mod(n, 3)*sum(x) | x | n%3*ones([n])
x: [n]; sum(x^2*(arange(n) == 3)) | x | 2*x*(arange(0, n) == 3)
"""  # fmt: skip
CASES = [tuple(part.strip() for part in line.removeprefix("+ ").split("|")) for line in PROGRAMS.strip().splitlines()]


def sizes_of(program: str, numbers: Iterator[int]) -> dict[str, int]:
    """A number for each size."""
    names = dict.fromkeys(name for _, shape in declarations(program) for name in shape if not name.isdigit())
    return {name: next(numbers) for name in names}


def declarations(program: str) -> list[tuple[str, list[str]]]:
    """The names with their declared shapes."""
    found = re.findall(r"(?:^|; )(\w+): (\[[^\]]*\]|\w+)", program)
    return [(name, re.findall(r"\w+", shape)) for name, shape in found]


def values_for(program: str, sizes: dict[str, int]) -> dict[str, Any]:
    """Arrays for the names of a program; square ones have an inverse."""
    random = np.random.default_rng(7)
    values = {}
    for name, shape in declarations(program):
        axes = [sizes.get(axis) or int(axis) for axis in shape]
        values[name] = random.uniform(0.2, 1.5, axes)
        if len(axes) == 2 and axes[0] == axes[1]:
            values[name] += axes[0] * np.eye(axes[0])
    return values


def number_sets() -> list[Callable[[int], Iterator[int]]]:
    """Numbers that the formulas were not made with, falling and rising, even and odd."""
    return [lambda start: iter(range(start + 24, 0, -3)), lambda start: iter(range(start + 2, 100, 4))]


@pytest.mark.parametrize(("program", "wrt", "text"), CASES, ids=[" | ".join(case[:2]) for case in CASES])
def test_a_formula_holds_for_other_numbers(program: str, wrt: str, text: str) -> None:
    """Judged by the derivatives of the same program with numbers, and by the text."""
    formula = cgcli.diff(program, wrt)
    if text:
        assert formula.split("; ")[-1] == text
    for numbers in number_sets():
        sizes = sizes_of(program, numbers(21 if "[20]" in program else 1))
        values = values_for(program, sizes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cgcli.CgWarning)
            found = cgcli.value(formula)(**values)
            concrete = "".join(str(sizes.get(word, word)) for word in re.split(r"(\w+)", program))
            kind = cgcli.jacobian if np.ndim(cgcli.value(concrete)(**values)) else cgcli.grad
            expected = kind(concrete, wrt)(**values)[wrt]
        scale = np.max(np.abs(expected))
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * scale)


# The same in PyTorch.
TORCH: dict[str, Callable[..., Any]] = {
    "A: [m, n]; x: [n]; y: [m]; sum((A@x - y)^2)": lambda a, x, y: ((a @ x - y) ** 2).sum(),
    "A: [m, n]; x: [n]; y: [m]; norm(A@x - y)": lambda a, x, y: torch.linalg.norm(a @ x - y),
    "A: [n, n]; x: [n]; x@A@x": lambda a, x: x @ a @ x,
    "A: [m, n]; X: [n, m]; trace(A@X)": lambda a, x: torch.trace(a @ x),
    "X: [n, n]; logdet(X)": lambda x: torch.logdet(x),
    "a: [n]; b: [n]; X: [n, n]; a@inv(X)@b": lambda a, b, x: a @ torch.linalg.inv(x) @ b,
    "X: [m, n]; w: [n]; y: [m]; mean((X@w - y)^2)": lambda x, w, y: ((x @ w - y) ** 2).mean(),
    "X: [m, n]; w: [n]; y: [m]; sum(ln(1 + exp(-y*(X@w))))": lambda x, w, y: torch.log1p(torch.exp(-y * (x @ w))).sum(),
    "x: [n]; var(x, ddof=1)": lambda x: torch.var(x),
    "x: [n]; std(x)": lambda x: torch.std(x, correction=0),
    "A: [m, n]; var(A, ddof=1)": lambda a: torch.var(a),
    "x: [n]; logsumexp(x)": lambda x: torch.logsumexp(x, 0),
    "x: [n]; y: [m]; sum(concat(x, y)^3)": lambda x, y: (torch.cat([x, y]) ** 3).sum(),
    "x: [c, 2, l]; w: [d, 2, 3]; sum(conv1d(x, w)^2)": lambda x, w: (torch.nn.functional.conv1d(x, w) ** 2).sum(),
}


@pytest.mark.parametrize("program", TORCH)
def test_formulas_have_the_values_of_pytorch(program: str) -> None:
    values = values_for(program, sizes_of(program, iter(range(17, 0, -3))))
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
    TORCH[program](*tensors.values()).backward()
    for name, tensor in tensors.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cgcli.CgWarning)
            found = cgcli.value(cgcli.diff(program, name))(**values)
        assert tensor.grad is not None
        np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-10, atol=1e-10)


# What holds for some numbers only, and what the sizes cannot be: the beginning of the message.
REFUSED = """
x: [n]; where(n > 5, sum(x), -sum(x)) | no one formula holds for all sizes n: for n=4 it is another one
x: [n]; where(n < 50, sum(x), -sum(x)) | no one formula holds for all sizes n: for n=
x: [n]; sum((-x)^n) | no one formula holds for all sizes n: for n=4 it is another one
x: [n]; cos(n*pi)*sum(x) | no one formula holds for all sizes n: for n=4 it is another one
x: [n]; max(n, 20)*sum(x) | no one formula holds for all sizes n
x: [m]; y: [n]; max(m, n)*sum(x)*sum(y) | no one formula holds for all sizes
x: [n]; sum(x[:5]) | no one formula holds for all sizes n: for n=4 it is another one
A: [m, n]; x: [m]; sum(A@x) | shapes [m, n] and [m] do not fit '@': n columns meet m rows
x: [m]; y: [n]; sum(x*y) | shapes [m] and [n] do not broadcast
A: [m*2]; sum(A) | the size of an axis is a number, or a name alone
A: [-m]; sum(A) | the size of an axis is a number, or a name alone
A: [m, 2.5]; sum(A) | a shape must be a whole number, not 2.5
A: [pi]; sum(A) | a shape must be a whole number, not 3.14
x: [n]; n = 3; sum(x)*n | 'n' is a size here, and computed by the program, too
x: [n]; n: []; sum(x)*n | 'n' is a size here, and an input, too
n: [n]; sum(n) | 'n' is a size here, and an input, too
x: [n]; f(x, n) = sum(x)*n | 'n' is a size here, and a parameter, too
"""
MANY = "; ".join(f"x{at}: [n{at}]" for at in range(1000)) + "; " + " + ".join(f"sum(x{at}^2)" for at in range(1000))


@for_each(
    ("program", "message"),
    [*(line.split(" | ") for line in REFUSED.strip().splitlines()),
     (MANY, "a formula holds for all numbers of at most 13 sizes, and there are 1000")])  # fmt: skip
def test_what_has_no_one_formula_is_refused(program: str, message: str) -> None:
    with pytest.raises(CgError) as caught:
        cgcli.diff(program)
    assert caught.value.message.startswith(message)
    assert caught.value.exit_code == 2


def test_a_size_is_no_input() -> None:
    assert cgcli.parse("x: [n]; a*sum(x)/n").inputs == ("x", "a")
    assert cgcli.parse("x: [n]; y: [3]; a*sum(x)/n").sizes == ("n",)
    with pytest.raises(UsageError, match="cannot differentiate by 'n': it is a size"):
        cgcli.diff("x: [n]; sum(x)/n", "n")


def test_an_array_of_size_0() -> None:
    assert cgcli.diff("A: [m, 0]; x: []; sum(A) + x^2", "x") == "2*x"
    assert cgcli.value("A: [m, 0]; sum(A) + m")(A=np.zeros((3, 0))) == 3


def test_functions_have_names_of_their_own() -> None:
    assert cgcli.diff("f(n) = n^2; x: [n]; f(sum(x))", "x") == "x: [n]; 2*sum(x)*ones([n])"


# The arguments, and what is printed; or of a mistake the first line, and what is underlined.
COMMANDS = [
    (["diff", "A: [m, n]; x: [n]; y: [m]; sum((A@x - y)^2)", "--wrt", "x"],
     "A: [m, n]\nx: [n]\ny: [m]\n2*A.T @ (A@x - y)\n"),
    (["diff", "X: [m, n]; w: [n]; y: [m]; mse(X@w, y)", "--wrt", "w,y", "--json"],
     '{"d_w": "X: [m, n]\\nw: [n]\\ny: [m]\\n2*X.T @ (X@w - y)/m", '
     '"d_y": "y: [m]\\nX: [m, n]\\nw: [n]\\n2*(y - X@w)/m"}\n'),
    (["diff", "x: [n]; y: [m]; mean(x)*mean(y)", "--wrt", "x,y"],
     "y: [m]\nx: [n]\nd_x = mean(y)*ones([n])/n\nd_y = mean(x)*ones([m])/m\n(d_x, d_y)\n"),
    (["diff", "A: [m, n]; x: [n]; y: [m]; mean((A@x - y)^2)", "--wrt", "x", "--latex"],
     "\\frac{2 A^{\\top} (A x - y)}{m}\n"),
    (["diff", "A: [m, n]; sum(A)", "--latex"], "\\mathbf{1}_{m \\times n}\n"),
    (["diff", "x: [n_1]; n1: []; mean(x^2)*n1", "--latex", "--wrt", "n1"], "\\frac{1}{n_{1}} \\sum_{i} x_{i}^{2}\n"),
    (["diff", "x: [i]; mean(x^2)", "--latex"], "\\frac{2 x}{i}\n"),
    (["diff", "x: [i]; a: []; a*mean(x)", "--latex", "--wrt", "a"], "\\frac{1}{i} \\sum_{j} x_{j}\n"),
    (["diff", "A: [m, n]; x: [n]; sum((A@x)^2)", "A=[[1, 2], [3, 4]]", "--wrt", "x"],
     "A: [2, 2]\nx: [2]\n2*A.T @ (A @ x)\n"),
    (["diff", "A: [m, n]; x: [n]; sum((A@x)^2)", "n=2", "--wrt", "x"], "A: [m, 2]\nx: [2]\n2*A.T @ (A @ x)\n"),
    (["simplify", "A: [m, n]; x: [n]; 2*sum(A@x) + 3*sum(A@x)/n + n*n"],
     "A: [m, n]; x: [n]; n^2 + sum(A @ x)*(2*n + 3)/n\n"),
    (["simplify", "--exact", "A: [m, n]; x: [n]; mean(A@x) + n"], "A: [m, n]; x: [n]; mean(A @ x) + n\n"),
    (["simplify", "x: [n]; y = x - mean(x); sum(y^2)/n + sum(y^2)/n"], "x: [n]; 2*sum((x - mean(x))^2)/n\n"),
    (["grad", "A: [m, n]; x: [n]; sum(A@x)", "A=[[1,2]]", "x=[1,2]"], "value\t5\nd_A\t[[1, 2]]\nd_x\t[1, 2]\n"),
    (["grad", "x: [n]; sum(x)/n", "x=[1,2]"], "value\t1.5\nd_x\t[0.5, 0.5]\n"),
    (["eval", "x: [n]; sum(zeros([n])) + n", "n=3"], "3\n"),
    (["eval", "x: [n]; y: [m]; sum(x)", "x=[1,2]"], "3\n"),
]  # fmt: skip


@for_each(("arguments", "printed"), COMMANDS)
def test_commands(arguments: list[str], printed: str, capsys: Capture) -> None:
    outcome = cg(capsys, *arguments)
    assert (outcome.code, outcome.out) == (0, printed), outcome


# Arguments that do not tell the sizes, or do so twice: the message, and the fix.
MISTAKES = [
    (["grad", "A: [m, n]; x: [n]; sum(A@x)", "A=[[1,2]]", "x=[1,2,3]"],
     "the size 'n' cannot be 2, as 'A' with shape [1, 2] says, and 3, as 'x' with shape [3] says", ""),
    (["eval", "x: [n]; sum(x)", "x=[1,2]", "n=3"],
     "the size 'n' cannot be 3, as n=3 says, and 2, as 'x' with shape [2] says", ""),
    (["diff", "A: [m, n]; x: [n]; sum(A@x)", "A=[[1,2]]", "x=[1,2,3]"],
     "the size 'n' cannot be 2, as 'A' with shape [1, 2] says, and 3, as 'x' with shape [3] says", ""),
    (["eval", "A: [m, n]; x: [n]; sum(A@x)", "x=[1,2]"], "no value for 'A', which would tell the size m",
     "give a value, or a number for the size, as in: m=3"),
    (["jacobian", "A: [m, n]; x: [n]; A@x"], "no value for 'A', 'x', which would tell the sizes m, n",
     "give a value, or a number for the size, as in: m=3"),
    (["plan", "x: [n]; sum(x)"], "no value for 'x', which would tell the size n",
     "give a value, or a number for the size, as in: n=3"),
    (["eval", "A: [m, 3]; sum(A)", "A=[1,2]"], "'A' is declared with 2 axes, but given with shape [2]", ""),
    (["eval", "A: [m, 3]; sum(A)", "A=[[1,2]]"], "'A' is declared with shape [1, 3], but given with shape [1, 2]", ""),
    (["eval", "x: [n]; sum(x)", "n=2.5"], "'n' is a size, and its value must be a whole number", "as in: n=3"),
    (["eval", "x: [n]; sum(x)", "n=[1,2]"], "'n' is a size, and its value must be a whole number", "as in: n=3"),
    (["diff", "x: [n]; n*sum(x)", "--wrt", "n"], "cannot differentiate by 'n': it is a size, not an input",
     "the inputs are: x"),
    (["diff", "x: [n]; sum((-x)^n)"], "no one formula holds for all sizes n: for n=4 it is another one",
     "give numbers: n=3"),
]  # fmt: skip


@for_each(("arguments", "message", "hint"), MISTAKES)
def test_mistakes_of_the_command_line(arguments: list[str], message: str, hint: str, capsys: Capture) -> None:
    outcome = cg(capsys, *arguments)
    first, *others = outcome.err.splitlines()
    assert (outcome.code, outcome.out, first) == (2, "", f"cg: error: {message}")
    assert not hint or others[-1].strip() == hint


def test_rows_tell_sizes(capsys: Capture, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"x": [1, 2, 3]}\n{"x": [4, 5, 6]}\n')
    outcome = cg(capsys, "grad", "x: [n]; sum(x)/n", str(rows), "--only")
    slope = [1 / 3] * 3
    assert [*map(json.loads, outcome.out.splitlines())] == [{"value": 2, "d_x": slope}, {"value": 5, "d_x": slope}]


def test_a_library_function_is_compiled_for_each_size() -> None:
    mean = cgcli.value_and_grad("x: [n]; sum(x)/n")
    assert mean(x=[1, 2, 3, 4])[0] == 2.5
    assert mean(x=[1, 3])[0] == 2
