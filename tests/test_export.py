"""What is exported computes what cg computes: in C, C++, JavaScript, Python, NumPy, DuckDB, JAX and PyTorch.

The numbers are those of `cgcli.compile`, over rows in which arguments are small and large, at kinks, and null.
"""

from __future__ import annotations

import math
import re
import subprocess
import warnings
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cgcli
from cgcli.errors import CgError
from cgcli.exporting import c
from cgcli.exporting.sql import DIALECTS
from cgcli.exporting.targets import TARGETS
from cgcli.ops.table import operations
from tests.command import Capture, cg
from tests.exported import (
    Case,
    by_row,
    cases,
    functions,
    in_c,
    in_duckdb,
    in_javascript,
    in_postgres,
    in_python,
    is_exported,
    need,
    without_repeats,
)

EXAMPLES = Path(__file__).parent.parent / "examples"

# Programs of arrays and loops, as code has them; each name is an input.
PROGRAMS = (
    "x: [3]; w: [3]; softmax(x)@w",
    "X: [4, 3]; w: [3]; mean((X@w)^2)",
    "x: [2, 3]; sum(max(x, axis=1)) + min(x)",
    "x: [5]; var(x) + std(x) + norm(x)",
    "x: [4]; logsumexp(x)*prod(x)",
    "x: [4]; sum(cumsum(x)^2)",
    "x: [5]; x[1]*x[-1]",
    "x: [3, 3]; sum(x[:, 0]) + trace(x)",
    "x: [1, 1, 4, 4]; w: [1, 1, 2, 2]; sum(conv2d(x, w)^2)",
    "x: [3]; y: [3]; mse(x, y)",
    "x: [3, 2]; sum(log_softmax(x)^2)",
    "x: [3]; y: [2]; sum(outer(x, y)^2)",
    "x: [3]; max(x, 0)@x",
    "x: [2, 3]; y: [3]; sum((x*y + x)^3)",
    "x: [3]; w: [2, 3]; sum(tanh(w@x))",
    "x: [2, 2]; sum(tril(x)*x)",
    "x: [3]; sum(flip(x)*x) + sum(concat(x, x*2)^2)",
    "x: [4]; argmax(x)*x[0] + argmin(x)",
    "x: [2, 3, 4]; sum(transpose(x, [2, 0, 1])[1:3]^2)",
    "x: [6]; sum(x[::2]*x[1::2])",
    "A: [2, 3, 2]; B: [2, 2, 3]; sum((A@B)^2)",
    'a: [2, 3]; b: [3, 2]; einsum("ij,jk->", a, b)',
    "y = x; repeat 5 { y = y*x + 1 }; y",
    "sum(i=1..5, x^i)",
    "x: [3]; s = 0; for v in x { s = s + v^2 }; s",
    "n = abs(y) + 1; while n < 10 { n = n*(1 + x^2) + 1 }; n*x",
    "s = 0; t = x; repeat 3 { u = t; t = s + x; s = u*x }; s - t",
    "y = x; repeat 3 { y = gelu(erf(y)) + digamma(y^2 + 1) }; y",
    "y = x; while y < 3 { t = y; repeat 2 { t = softplus(t) }; y = y + t }; y",
    "x > 0 and y > 0 or x < -1 and (y < 1 or x < -2) ? x : y",
    "x: [2]; y: [2]; sum(exp1(x) + gammainc(x^2, y^2) + jv(2, x)*kv(x, y))",
    "(x + 0)^2",
    "a = x*y; (a, a^2)",
    "x > y ? x : y > 1",
    "A: [3, 3]; b: [3]; S = A@A.T + eye(3); sum(solve(S, b)^2) + logdet(S)",
    "A: [3, 3]; det(A)",
    "x: [3]; det([[x[0], x[1]], [x[1], x[0]]])*x[2] + det([[x[1]]])",
    "x: [3]; a = [[x[1]*x[0]]]; b = stack(a, a + 1); sum(exp(a)@a.T + [[x[2]]])*sum(b) + max([x[0]] + [x[1]])",
    "A: [2, 2]; B: [2, 3]; S = A@A.T + eye(2); sum(solve(S, B)) + sum(inv(S)*[[1, 2], [3, 4]])",
    "A: [3, 3]; S = A@A.T + eye(3)/3; sum(cholesky(S)*[[1, 2, 5], [3, 4, 6], [7, 8, 9]])",
    "A: [2, 2]; sum(cholesky(A + 0.1*eye(2)))",
    "A: [2, 2]; sum(expm(A)*[[1, 2], [3, 4]])",
    "x: [3]; A = 2*eye(3); repeat 3 { A = cholesky(A@A + diag(x^2)) }; sum(expm(A/9)^2)",
)
TRIPS = (  # that SQL has one after the other
    "s = 0; for k in 1..5 { s = s + x^k/k }; s", "y = x; repeat 20 { y = cos(y)*z }; y",
    "s = 0; for i in 1..3 { for j in 1..i { s = s + x*j^i } }; s*y",
    "n = 6; while n > 1 { n = n % 2 == 0 ? n/2 : 3*n + 1 }; n*x/y", "y = x; repeat 0 { y = 1 }; y",
)  # fmt: skip
PLACES = (  # of all but JAX and PyTorch, which have no word for them
    "x: [3]; sum(x[[0, 2, -1, 0]]^2) + x[[1]]@x[[2]]",
    "x: [2, 3]; y: [2, 2]; sum(take_along(x, floor(y*2))*[[1, 2], [3, 4]])",
    "x: [3, 2, 2]; sum(take_along(x, [[[0, 1], [2, -3]]], 0)*take_along(x, [[[1, 1]], [[0, 1]], [[1, 0]]], 1)[:1])",
)
LINEAR = (  # of NumPy, JAX and PyTorch
    "A: [2, 2]; sum(eigvalsh(A)*[1, 2])",
    "A: [3, 2]; sum(pinv(A)*[[1, 2, 3], [4, 5, 6]])",
    "A: [2, 2]; logabsdet(A) + signdet(A) - norm(A, ord=1)",
    "A: [2, 3]; norm(A, ord='nuc')",
    "A: [3, 2]; q, r = qr(A); sum(r*[[1, 2], [3, 4]])",
)
_SMOOTH_AT_2 = ("gamma(x)", "lgamma(x)", "digamma(x)", "zeta(x)", "exp1(x)", "erfc(x)")
_NOT_BY_TORCH = ("gammainc",)  # PyTorch has their values, and no derivatives by some arguments


@cache
def scalar_programs() -> tuple[str, ...]:
    """Each elementwise operation on its own that C has a word or a formula for, and operators."""
    alone = [text for text in functions() if is_exported(text)]
    assert len(alone) > 60, alone
    return (
        *alone,
        "max(x, y, z)",
        "-x",
        "x == y",
        "x != y",
        "not x",
        "x // y",
        "max(x, y, z) + max(x, y)",
    )


def programs_of_sql() -> list[str]:
    """Those that SQL has, too, which has no loops."""
    return [text for text in scalar_programs() if is_exported(text, "sql")]


@cache
def all_cases() -> list[Case]:
    """Those that every language with loops has; what a language lacks is refused, see REFUSED."""
    examples = [text for path in sorted(EXAMPLES.glob("*.cg")) if is_exported(text := path.read_text(encoding="utf-8"))]
    assert len(examples) > 5
    return cases((*PROGRAMS, *PLACES, *examples, *scalar_programs()))


def test_c_and_cpp(tmp_path: Path) -> None:
    """Protects the code that people compile: without a warning, as C99 and as C++."""
    need("gcc", "g++")
    assert [why for case, found in in_c(all_cases(), tmp_path, "-O1") for why in case.differences(found)] == []


def test_javascript(tmp_path: Path) -> None:
    need("node")
    assert [why for case, found in in_javascript(all_cases(), tmp_path) for why in case.differences(found)] == []


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_python(target: str) -> None:
    every = all_cases()
    if target == "numpy":
        every = [*every, *cases(LINEAR)]
    assert [why for case, found in in_python(every, target) for why in case.differences(found)] == []


def test_duckdb() -> None:
    """Protects nulls and nans, whose order is another in databases."""
    every = cases([*programs_of_sql(), *TRIPS])
    assert [why for case, found in in_duckdb(every) for why in case.differences(found)] == []


def test_postgres() -> None:
    """Protects what PostgreSQL stops at: division by 0, logarithms and roots of what has none, powers below the range.

    Remainders are left out where they jump, for PostgreSQL has no exact one.
    """
    every = [case for case in cases(programs_of_sql()) if "mod(" not in case.text]
    assert [why for case, found in in_postgres(every) for why in case.differences(found)] == []


def test_torch() -> None:
    """Protects the value, which PyTorch differentiates: away from kinks, where it has conventions of its own."""
    import torch

    loops = [text for text in PROGRAMS if "while" in text or "repeat" in text]
    for text in (*PROGRAMS[:20], *loops, *LINEAR):
        case = Case(text, 1)
        function = case.function("torch")
        for at, row in enumerate(case.arguments()):
            if (text in LINEAR or "cholesky" in text) and not np.isfinite(case.expected[0][at]):
                continue  # PyTorch raises an error there
            value = function(*[torch.tensor(each, dtype=torch.float64) for each in row])
            assert value.item() == pytest.approx(case.expected[0][at], rel=1e-11, nan_ok=True), text


MOVED = (
    "x: [3]; sum(pad(x, [1, 2])*[1, 2, 3, 4, 5, 6])",
    "x: [2, 3]; sum(pad(x, [[1, 0], [2, 1]])^2*reshape(arange(18), [3, 6]))",
    "x: [1, 1, 3, 3]; w: [1, 1, 2, 2]; sum(conv2d(x, w, padding=1)^3)",
    "x: [4]; sum(sort(x)*[1, 2, 3, 5])",
    "x: [2, 3]; sum(argsort(x, axis=0)*x)",
    "x: [3]; sum(take_along(x, [2, -1])*[1, 3])",
)


@pytest.mark.parametrize("target", ["numpy", "torch"])
def test_what_moves_elements(target: str) -> None:
    """Protects padding, order and constant arrays of libraries."""
    wrong = []
    for text in MOVED:
        case = Case(text, 1)
        function = case.function(target)
        for at, row in enumerate(case.arguments()):
            found = function(*(np.asarray(each, float) for each in row))
            value, ours = float(np.ravel(found[0] if target == "numpy" else found)[0]), case.expected[0][at]
            if value != pytest.approx(ours, rel=1e-11, nan_ok=True):
                wrong.append(f"{text} at {row}: {value}, and of cg {ours}")
    assert wrong == []


def test_torch_differentiates() -> None:
    """Protects the derivatives that PyTorch takes of what is written for it, of each function inside its domain."""
    import torch

    inside = {op.name: op.samples for op in operations()}
    wrong = []
    for text in functions():
        if text.startswith(_NOT_BY_TORCH) or not is_exported(text, "torch"):
            continue
        case = Case(text, 1)
        function = case.function("torch")
        ends = [(max(low, -6), min(high, max(low, -6) + 9)) for low, high in inside[text.split("(")[0]]]
        parts = (0.13, 0.47, 0.82)
        points = [[low + part * (high - low) * 0.9**at for at, (low, high) in enumerate(ends)] for part in parts]
        for point in (*points, *([[2.0]] if text in _SMOOTH_AT_2 else [])):
            given = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in point]
            if (value := function(*given)).requires_grad:
                value.backward()
            grad = cgcli.grad(text)(*point)
            for name, each in zip(case.inputs, given, strict=True):
                found = 0.0 if each.grad is None else each.grad.item()
                ours = float(grad[name])
                if not math.isnan(ours) and found != pytest.approx(ours, rel=1e-9, abs=1e-12):
                    wrong.append(f"{text} at {point}: {found} by {name}, and of cg {ours}")
    assert wrong == []


def calls_on_numbers() -> Iterator[str]:
    """Each elementwise operation with a number in some of its places, and a name in the others."""
    for text in functions():
        function, names = text.rstrip(")").split("(")
        for numbers in product((None, "0.3", "2"), repeat=names.count(",") + 1):
            args = [number or name for number, name in zip(numbers, names.split(", "), strict=True)]
            if None in numbers:
                yield f"{function}({', '.join(args)})"


@pytest.mark.parametrize("target", ["torch", "numpy", "python"])
def test_numbers_and_nan_in_each_place(target: str) -> None:
    """Protects functions of PyTorch, which take no plain numbers, and nan, which those of libraries may lose."""
    wrong = []
    for text in calls_on_numbers():
        names = cgcli.parse(text).inputs
        points = [[0.4 + at for at in range(len(names))], [-1.5] * len(names)]
        points += [[math.nan if at == place else 0.4 for at in range(len(names))] for place in range(len(names))]
        if not is_exported(text, target, only_value=True):
            continue
        space: dict[str, Any] = {}
        exec(cgcli.export(text, target, only_value=True), space)
        for point in points:
            found = float(np.ravel(space["f"](*point))[0])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours = float(cgcli.value(text)(*point))
            if found != pytest.approx(ours, rel=1e-9, abs=1e-12, nan_ok=True):
                wrong.append(f"{text} at {point}: {found}, and of cg {ours}")
    assert wrong == []


@pytest.mark.parametrize("target", ["python", "numpy", "torch"])
def test_a_loop_without_end_gives_nan(target: str) -> None:
    """Protects the caller of exported code from a hang: it makes as many trips as cg, and no more."""
    space: dict[str, Any] = {}
    with cgcli.max_trips(100):
        exec(cgcli.export("n = x; while n < 100 { n = n + y }; n", target, only_value=True), space)
    found = [float(np.ravel(space["f"](*row))[0]) for row in ((0.0, 1.0), (-1.0, 1.0), (0.0, 0.0))]
    assert found[0] == 100
    assert np.isnan(found[1:]).all()


REFUSED = (
    ("sort_of(x)", "c", "unknown function"),
    ("x: [7, 7]; det(x)", "c", "cg does not write the derivative of 'det' for c, which needs 'cofactor'"),
    ("x: [2, 2]; sum(x)", "sql", "sql has no arrays"),
    ("2 + jv(2, x)", "sql", "cg does not write 'jv' for sql$"),
    ("f(a) = sum(eigvalsh(a)); jvp f(a; da) = f(a)*sum(da); a: [2, 2]; f(a)^2", "c", "write 'eigvalsh' for c$"),
    ("f(a) = { y = repeat 3 { a = a^2; a }; sum(y^2) }; jvp f(a; da) = da; f(x)", "numpy", "'states' for numpy$"),
    ("f(a) = { repeat 3 { a = sin(a) }; a }; x*vjp f(x; 2)", "python", "cg does not write the adjoints of a loop for"),
    ("2 + j0(x)", "sql", "cg does not write 'j0' for sql, which needs 'jv'"),
    ("A: [3, 3]; 1 + sum(qr(A)[1])", "js", "cg does not write 'qr' for js, which needs 'orthonormal'"),
    ("A: [2, 2]; y = x; repeat 3 { y = y + norm(A, ord=2) }; y", "c", "'norm' for c, which needs 'svdvals'"),
    ("A: [2, 2]; sum(cofactor(A))", "numpy", "the derivative of 'cofactor' for numpy, which needs 'cofactor_along'"),
    ("s = 0; for k in 1..61 { s = s + x^k/k }; s", "sql", "no arrays or loops"),
    ("y = x; while y < 3 { y = y*2 + 1 }; y", "sql", "no arrays or loops"),
    ("A: [2, 2, 2]; sum(inv(A))", "c", "does not write 'inv' for c"),
    ("x: [2]; x^2", "c", "derivatives are written of a scalar"),
    ("x^2", "cobol", "there is no target 'cobol'"),
    ("x^2", "pyton", "there is no target 'pyton'"),
    ("x: [400, 400]; y = x@x; sum(y@y)", "c", "too many for the stack"),
)


ROOTS = (
    "solve(t^3 = x, t=1)",
    "solve(t^3 + s = x, s = t, t=1, s=2)",
    "y = 2; repeat 2 { y = solve(t^3 = x*y, t=1) }; y",
)


def test_a_root_is_no_linear_system() -> None:
    """Protects targets that have a word for `solve(A, b)`, whose name the root of an equation shares."""
    for text in ROOTS:
        for target in TARGETS:
            message = f"cg does not write 'solve' for {target}"
            for only_value in (False, True):
                with pytest.raises(CgError) as caught:
                    cgcli.export(text, target, only_value=only_value)
                assert caught.value.message == message
                assert caught.value.span is not None


def test_the_value_alone_is_offered_where_it_is_written() -> None:
    for text, target, is_offered in (("A: [2, 2]; sum(cofactor(A))", "numpy", True), ("jv(1, x)", "sql", False),
                                     ("A: [7, 7]; det(A)", "js", True)):  # fmt: skip
        with pytest.raises(CgError) as caught:
            cgcli.export(text, target)
        assert ("--only-value" in str(caught.value.hint)) == is_offered == is_exported(text, target, only_value=True)


ITERATED = (
    ("iterate(cos, x, 5)", "x"),
    ("f(t) = cos(t); iterate(f, x, 2)", "x"),
    ("cos + x; iterate(cos, x, 5)", "cos x"),
    ("iterate(a, x, b) = a*x*b; iterate(cos, x, 2)", "cos x"),
)


@pytest.mark.parametrize(("text", "inputs"), ITERATED)
def test_the_name_of_an_iterated_function_is_no_input(text: str, inputs: str) -> None:
    names = inputs.split()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert cgcli.parse(text).inputs == (*names,)
        code = cgcli.export(text, "python", name="g")
    assert f"def g({', '.join(names)}):" in code
    assert "out: value, " + ", ".join(f"d_{name}" for name in names) in code


def test_a_column_of_sql_has_a_name_of_its_own() -> None:
    import duckdb

    for text in ("value*2", "Value*2", "x*d_x", "X*d_x"):
        names = cgcli.parse(text).inputs
        database = duckdb.connect()
        database.execute("create table data as select " + ", ".join(f'3.0 as "{name}"' for name in names))
        found = database.sql(cgcli.export(text, "sql")).to_arrow_table().column_names
        assert len({name.lower() for name in found}) == len(found) == 1 + 2 * len(names), found


def test_what_is_refused_is_named() -> None:
    for text, target, message in REFUSED:
        with pytest.raises(CgError, match=message) as caught:
            cgcli.export(text, target)
        assert caught.value.span is not None or f"for {target}" not in message, text
    with pytest.raises(CgError, match="cannot be the name"):
        cgcli.export("x", "c", name="1f")
    with pytest.raises(CgError, match="there is no dialect 'oracle'"):
        cgcli.export("x", "sql", dialect="oracle")
    for target, word in (("c", "int"), ("js", "function"), ("python", "lambda"), ("numpy", "class")):
        with pytest.raises(CgError, match=f"'{word}' is a word of {target}"):
            cgcli.export("x", target, name=word)
    with pytest.raises(CgError, match="js has no option 'header'"):
        cgcli.export("x", "js", header=True)


NAMES = (
    "int*double + x_1",
    "θ^2 + theta + exp(sin)",
    "t1*a1 + t1^2*a1",
    "f*out + in*n",
    "x₁*π2 + ñ",
    "linux*M_PI + typeof*HUGE_VAL + decltype*concept",
    "x: [3]; int: []; x[0]*int + sum(take_along(x, [int]))*max(len, range) + round(abs)*float",
)


def test_names_that_are_words_of_the_language(tmp_path: Path) -> None:
    """Protects reserved words, letters beyond ASCII, and the names that the code makes up itself."""
    need("gcc", "g++")
    every = [Case(text, at) for at, text in enumerate(NAMES)]
    source = tmp_path / "names.c"
    source.write_text(without_repeats([case.code("c") for case in every], c.LANGUAGE), encoding="utf-8")
    for compiler in (["gcc", "-std=c99"], ["gcc"], ["g++", "-x", "c++", "-std=c++20"]):
        subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source], check=True)
    for case in every:
        function = case.function("python")
        assert list(case.differences(by_row(case, [function(*row) for row in case.arguments()]))) == []


def test_sql_is_no_longer_than_databases_read() -> None:
    """Protects a database from hours over a query, and its reader from a file of hundreds of megabytes."""
    text = "x"
    for depth in range(1, 1001):
        text = f"sin({text})"
        if depth == 100:
            assert len(cgcli.export(text, "sql")) < 20_000
    with pytest.raises(CgError, match="SELECTs within each other; the limit is 400"):
        cgcli.export(text, "sql")
    with pytest.raises(CgError, match="PostgreSQL has no room for the"):
        cgcli.export(" + ".join(f"sin(x{at})^2" for at in range(1000)), "sql", dialect="postgres")


def test_words_of_sql_hold_their_arguments_together() -> None:
    """Protects what stands for an argument, `x + 3`, from the signs around it: `{0} % {1}` was x + (3 % y) in Spark."""
    for dialect in DIALECTS.values():
        for name, template in dialect.calls.items():
            for place in ("{0}", "{1}"):
                alone = template.count(place) == 1  # else it is the name of a column
                assert not alone or re.search(rf"[(,] ?{re.escape(place)}[,)]", template), (dialect.name, name)


def test_deep_code_says_what_spark_needs() -> None:
    for text, is_said in (("erfinv(x)", True), ("sin(x)", False)):
        assert ("maxIterations" in cgcli.export(text, "sql", dialect="spark")) == is_said


def test_the_header_says_what_differs() -> None:
    for text, line in (
        ("A: [2, 2]; sum(inv(A))", "a matrix that is singular"),
        ("n = x; while n < 9 { n = n*y }; n", "not ended"),
    ):
        assert line in cgcli.export(text, "c")


def test_a_comment_is_not_ended_by_the_program() -> None:
    for target, ends in (("c", "*/"), ("js", "*/"), ("sql", "*/"), ("python", '"""')):
        code = cgcli.export(f"x # {ends} system() \\", target)
        head, rest = code.split(ends, 1) if target != "python" else code.removeprefix('"""').split(ends, 1)
        assert "system()" in head, target
        assert "system()" not in rest, target


def test_the_suffix_chooses(tmp_path: Path, capsys: Capture) -> None:
    for name, begins in (("f.c", "/*"), ("f.h", "/*"), ("f.py", '"""'), ("f.js", "/*"), ("f.sql", "/*")):
        done = cg(capsys, "export", "x^2*y", "y=3", "-o", str(tmp_path / name))
        assert (done.code, done.out, done.err) == (0, "", "")
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)
    assert "return" not in (tmp_path / "f.h").read_text(encoding="utf-8")
    assert cg(capsys, "export", "x^2").err.startswith("cg: error: the language is missing")
    assert cg(capsys, "export", "x^2", "--to", "c", "--dialect", "spark").code == 2
