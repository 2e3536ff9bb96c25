"""What is exported computes what cg computes: in C, C++, JavaScript, Python, NumPy, DuckDB, JAX and PyTorch.

The numbers are those of `cgcli.compile`, over rows in which arguments are small and large, at kinks, and null.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import count, pairwise, product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import cgcli
from cgcli.errors import CgError
from cgcli.exporting import c, javascript
from cgcli.exporting.language import Language
from cgcli.exporting.targets import TARGETS
from cgcli.ops.table import operations
from tests.command import Capture, cg

Array = np.ndarray[Any, np.dtype[np.float64]]
ROWS = 32
EXAMPLES = Path(__file__).parent.parent / "examples"
DIGITS = 1e-11  # of a number, relative to the largest of its kind
LESS = {"zeta(x)": 1e-6}  # cg's own derivative has lost as many near -5

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
)
PLACES = (  # of all but JAX and PyTorch, which have no word for them
    "x: [3]; sum(x[[0, 2, -1, 0]]^2) + x[[1]]@x[[2]]",
    "x: [2, 3]; y: [2, 2]; sum(take_along(x, floor(y*2))*[[1, 2], [3, 4]])",
    "x: [3, 2, 2]; sum(take_along(x, [[[0, 1], [2, -3]]], 0)*take_along(x, [[[1, 1]], [[0, 1]], [[1, 0]]], 1)[:1])",
)
LINEAR = (  # of NumPy, JAX and PyTorch
    "A: [2, 2]; S = A@A.T + eye(2); sum(cholesky(S)*[[1, 2], [3, 4]])",
    "A: [2, 2]; sum(eigvalsh(A)*[1, 2])",
    "A: [3, 2]; sum(pinv(A)*[[1, 2, 3], [4, 5, 6]])",
    "A: [2, 2]; logabsdet(A) + signdet(A) - norm(A, ord=1)",
    "A: [2, 3]; norm(A, ord='nuc')",
    "A: [2, 2]; sum(expm(A)*[[1, 2], [3, 4]])",
    "A: [3, 2]; q, r = qr(A); sum(r*[[1, 2], [3, 4]])",
)
UNARY = [
    "exp",
    "ln",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "atanh",
    "sqrt",
    "cbrt",
    "abs",
    "sigmoid",
    "softplus",
    "relu",
    "silu",
    "gelu",
    "erf",
    "erfc",
    "lgamma",
    "log2",
    "log10",
    "exp2",
    "sec",
    "floor",
    "round",
    "square",
    "sign",
    "leaky_relu",
    "elu",
    "expm1",
    "log1p",
    "trunc",
    "ceil",
]
BINARY = ["atan2", "hypot", "max", "min", "logaddexp", "xlogy", "mod", "fmod"]
_SMOOTH_AT_2 = ("gamma(x)", "lgamma(x)", "digamma(x)", "zeta(x)", "exp1(x)", "erfc(x)")
_NOT_BY_TORCH = ("gammainc",)  # PyTorch has their values, and no derivatives by some arguments
_numbers = count()


def expression(random: Random, depth: int) -> str:
    """A random expression in x, y and z."""
    if depth == 0 or random.random() < 0.12:
        return random.choice(["x", "y", "z", "x", "y", str(round(random.uniform(0.1, 3), 2)), "2", "3"])
    deeper = [expression(random, depth - 1) for _ in range(4)]
    kind = random.random()
    if kind < 0.45:
        return f"({deeper[0]} {random.choice('+-*/')} {deeper[1]})"
    if kind < 0.75:
        return f"{random.choice(UNARY)}({deeper[0]})"
    if kind < 0.85:
        return f"{random.choice(BINARY)}({deeper[0]}, {deeper[1]})"
    if kind < 0.93:
        return f"({deeper[0]})^{random.choice(['2', '3', '0.5', '(-1)', 'y'])}"
    return f"({deeper[0]} {random.choice(['<', '>', '<=', '>='])} {deeper[1]} ? {deeper[2]} : {deeper[3]})"


def is_exported(text: str, target: str = "c", **options: Any) -> bool:
    """Whether a language has a program; what it has no formula for is refused."""
    try:
        cgcli.export(text, target, **options)
    except CgError:
        return False
    return True


@cache
def functions() -> tuple[str, ...]:
    """Each elementwise operation that is called by its name, on its own."""
    named = (op for op in operations() if op.elementwise and op.infix is None and op.prefix is None)
    return tuple(f"{op.name}({', '.join('xyz'[: len(op.arrays)])})" for op in named if op.arrays[0][0] != "*")


@cache
def scalar_programs() -> tuple[str, ...]:
    """Each elementwise operation on its own that C has a word or a formula for, and random expressions."""
    alone = [text for text in functions() if is_exported(text)]
    assert len(alone) > 60, alone
    random = Random(20)
    return (
        *alone,
        "max(x, y, z)",
        "-x",
        "x == y",
        "x != y",
        "not x",
        "x // y",
        *(expression(random, random.choice([2, 3, 4])) for _ in range(30)),
    )


def programs_of_sql() -> list[str]:
    """Those that SQL has, too, which has no loops."""
    return [text for text in scalar_programs() if is_exported(text, "sql")]


class Case:
    """A program with rows of values, and what cg computes for them."""

    def __init__(self, text: str, seed: int) -> None:
        self.text = text
        self.name = f"f{next(_numbers)}"
        program = cgcli.parse(text)
        self.inputs = program.inputs
        rng = np.random.default_rng(seed)
        self.values = {name: _values(program.shapes.get(name, ()), rng) for name in self.inputs}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = cgcli.compile(text, wrt=self.inputs)(self.values)
        self.names = list(found)
        self.expected = [np.asarray(found[name]) for name in found]

    def rows(self) -> Iterator[list[Any]]:
        """The arguments, row by row."""
        for row in range(ROWS):
            yield [self.values[name][row].tolist() for name in self.inputs]

    def code(self, target: str, **options: Any) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cgcli.export(self.text, target, wrt=self.inputs, name=self.name, **options)

    def differences(self, found: Sequence[Array]) -> Iterator[str]:
        """Where the results of another are not those of cg."""
        for name, ours, theirs in zip(self.names, self.expected, found, strict=True):
            theirs = np.asarray(theirs, float).reshape(ours.shape)
            finite = np.isfinite(ours) & np.isfinite(theirs)
            same = np.where(finite, True, (ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))
            largest = np.median(np.abs(ours[finite])) if finite.any() else 0.0
            with np.errstate(invalid="ignore"):
                near = np.abs(ours - theirs) <= LESS.get(self.text, DIGITS) * np.maximum(np.abs(ours), largest)
            bad = ~(same & (near | ~finite))
            if bad.any():
                at = tuple(np.argwhere(bad)[0])
                values = {key: each[at[0]].tolist() for key, each in self.values.items()}
                yield f"{self.text}: {name} at {values}: {theirs[at]}, and of cg {ours[at]}"


def _values(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    half = ROWS // 2
    special = [np.full((1, *shape), value) for value in (0.0, 1.0, -1.0, 0.5, math.nan)]
    some = np.concatenate([rng.uniform(0.05, 3, (half, *shape)), rng.normal(0, 2, (half - 5, *shape)), *special])
    return rng.permutation(some)


def cases(texts: Sequence[str]) -> list[Case]:
    return [Case(text, seed) for seed, text in enumerate(texts) if cgcli.parse(text).inputs]


@cache
def all_cases() -> list[Case]:
    """Those that every language with loops has; what a language lacks is refused, see REFUSED."""
    examples = [text for path in sorted(EXAMPLES.glob("*.cg")) if is_exported(text := path.read_text(encoding="utf-8"))]
    assert len(examples) > 5
    return cases((*PROGRAMS, *PLACES, *examples, *scalar_programs()))


def without_repeats(codes: Sequence[str], language: Language) -> str:
    """Several programs in one file, which has each helper once."""
    seen: set[str] = set()
    parts = []
    for code in codes:
        for helper in language.helpers.values():
            if helper in code and helper in seen:
                code = code.replace(helper + "\n", "")
            elif helper in code:
                seen.add(helper)
        parts.append(code)
    return "\n".join(parts)


def by_row(case: Case, rows: Sequence[Sequence[Any]]) -> list[Array]:
    """Results of each row as results of all rows."""
    return [np.array([np.asarray(row[at], float) for row in rows]) for at in range(len(case.names))]


def need(*programs: str) -> None:
    """Leave a test out where a program is not installed; what a change must pass has them all."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed")


def test_c_and_cpp(tmp_path: Path) -> None:
    """Protects the code that people compile: without a warning, as C99 and as C++."""
    need("gcc", "g++")
    every = all_cases()
    source = tmp_path / "all.c"
    source.write_text(without_repeats([case.code("c") for case in every], c.LANGUAGE), encoding="utf-8")
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffp-contract=off", "-O1"]
    subprocess.run(["g++", "-x", "c++", "-fsyntax-only", *strict, source], check=True)
    subprocess.run(
        ["gcc", "-std=c99", *strict, "-fPIC", "-shared", source, "-o", tmp_path / "all.so", "-lm"], check=True
    )
    library = ctypes.CDLL(str(tmp_path / "all.so"))
    wrong: list[str] = []
    for case in every:
        given = [np.ascontiguousarray(case.values[name]) for name in case.inputs]
        shapes = [np.shape(each)[1:] for each in case.expected]
        sizes = [int(np.prod(shape)) for shape in shapes]
        out = np.empty((sum(sizes), ROWS))
        rows = getattr(library, f"{case.name}_rows")
        pointers = (ctypes.c_void_p * max(len(given), 1))(*[each.ctypes.data for each in given])
        results = (ctypes.c_void_p * len(out))(*[each.ctypes.data for each in out])
        rows(ctypes.c_size_t(ROWS), pointers, results)
        ends = np.cumsum([0, *sizes])
        found = [out[begin:end].T for begin, end in pairwise(ends)]
        wrong += case.differences(found)
    assert wrong == []


def test_javascript(tmp_path: Path) -> None:
    need("node")
    every = all_cases()
    code = without_repeats([case.code("js") for case in every], javascript.LANGUAGE)
    text = "value => Number.isNaN(value) ? 'nan' : Math.abs(value) === Infinity ? String(value) : value"
    calls = f"""
const deep = value => Array.isArray(value) ? value.map(deep) : ({text})(value);
const rows = JSON.parse(require("fs").readFileSync(0), (_, value) => value === "nan" ? NaN : value);
const functions = [{", ".join(case.name for case in every)}];
console.log(JSON.stringify(rows.map((each, at) => each.map(row => deep(functions[at](...row))))));
"""
    script = tmp_path / "all.cjs"
    script.write_text(code.replace("export function", "function") + calls, encoding="utf-8")
    given = json.dumps([list(case.rows()) for case in every]).replace("NaN", '"nan"')
    done = subprocess.run(["node", script], input=given, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert [why for case, rows in zip(every, found, strict=True) for why in case.differences(by_row(case, rows))] == []


def _function(case: Case, target: str) -> Callable[..., Any]:
    space: dict[str, Any] = {}
    exec(compile(case.code(target), case.text, "exec"), space)
    function: Callable[..., Any] = space[case.name]
    return function


def test_python() -> None:
    wrong: list[str] = []
    for case in all_cases():
        function = _function(case, "python")
        wrong += case.differences(by_row(case, [function(*row) for row in case.rows()]))
    assert wrong == []


def test_numpy() -> None:
    wrong: list[str] = []
    of_scipy = [text for text in functions() if not is_exported(text) and is_exported(text, "numpy")]
    others = [*(text for text in LINEAR if "nuc" not in text), "x: [2, 3]; sum(sort(x)*[1, 2, 3])"]
    for case in (*all_cases(), *cases(of_scipy), *cases(others)):
        function = _function(case, "numpy")
        rows = [function(*row) for row in case.rows()]
        wrong += case.differences(by_row(case, [row if len(case.names) > 1 else [row] for row in rows]))
    assert wrong == []


def test_duckdb() -> None:
    """Protects nulls and nans, whose order is another in databases."""
    import duckdb
    import pyarrow as pa

    wrong: list[str] = []
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    rng = np.random.default_rng(3)
    for case in cases(programs_of_sql()):
        data = pa.table(
            {
                "id": range(ROWS),
                **{name: pa.array(case.values[name], mask=rng.random(ROWS) < 0.1) for name in case.inputs},
            }
        )
        null = np.any([data[name].is_null().to_numpy() for name in case.inputs], axis=0)
        got = connection.sql(case.code("sql", table="data")).to_arrow_table()
        assert got.column_names == [*data.column_names, *case.names]
        wrong += [f"{case.text}: {name}" for name in case.names if (got[name].is_null().to_numpy() != null).any()]
        found = [
            np.where(null, ours, got[name].to_numpy()) for name, ours in zip(case.names, case.expected, strict=True)
        ]
        wrong += case.differences(found)
    assert wrong == []


@pytest.fixture
def postgres() -> Iterator[Callable[[str], str]]:
    """What a PostgreSQL server of its own prints for a script of statements."""
    on_path = shutil.which("initdb")
    programs = (
        Path(on_path).resolve().parent if on_path else max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    )
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    folder = tempfile.mkdtemp()
    other = ["runuser", "-u", "nobody", "--"] if os.getuid() == 0 else []  # the server refuses to be root
    if other:
        shutil.chown(folder, "nobody")

    def quietly(*command: str) -> None:
        subprocess.run([*other, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def script(text: str) -> str:
        client = [str(programs / "psql"), "-h", folder, "-U", "cg", "postgres", "-Atq", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run(client, input=text, capture_output=True, text=True, check=True).stdout

    try:
        quietly(str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "cg", "--no-sync")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
        control = [str(programs / "pg_ctl"), "-D", f"{folder}/data", "-w"]
        quietly(*control, "-o", settings, "-l", f"{folder}/log", "start")
        try:
            yield script
        finally:
            quietly(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def test_postgres(postgres: Callable[[str], str]) -> None:
    """Protects what PostgreSQL stops at: division by 0, logarithms and roots of what has none, powers below the range.

    Remainders are left out where they jump, for PostgreSQL has no exact one.
    """
    every = cases(programs_of_sql())
    lines = []
    for case in every:
        columns = ", ".join(f'"{name}" float8' for name in case.inputs)
        lines.append(
            f"drop table if exists data; create table data (id int, {columns}); copy data from stdin with csv;"
        )
        lines += [",".join(map(repr, [at, *row])) for at, row in enumerate(case.rows())]
        select = case.code("sql", dialect="postgres")
        lines += ["\\.", f"\\echo {case.name}", f"copy ({select}) to stdout with csv;"]
    found = postgres("\n".join(lines))
    wrong: list[str] = []
    for case, block in zip(every, re.split(r"^f\d+\n", found, flags=re.MULTILINE)[1:], strict=True):
        rows = [[float(cell) for cell in line.split(",")] for line in block.split()]
        results = by_row(case, [row[1 + len(case.inputs) :] for row in rows])
        wrong += [why for why in case.differences(results) if "mod(" not in case.text]
    assert wrong == []


def test_torch() -> None:
    """Protects the value, which PyTorch differentiates: away from kinks, where it has conventions of its own."""
    import torch

    loops = [text for text in PROGRAMS if "while" in text or "repeat" in text]
    for text in (*PROGRAMS[:20], *loops, *LINEAR):
        case = Case(text, 1)
        function = _function(case, "torch")
        for at, row in enumerate(case.rows()):
            if text in LINEAR and not np.isfinite(case.expected[0][at]):
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
        function = _function(case, target)
        for at, row in enumerate(case.rows()):
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
        function = _function(case, "torch")
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
    ("2 + j0(x)", "sql", "cg does not write 'j0' for sql, which needs 'jv'"),
    ("A: [3, 3]; 1 + sum(qr(A)[1])", "js", "cg does not write 'qr' for js, which needs 'orthonormal'"),
    ("A: [2, 2]; y = x; repeat 3 { y = y + norm(A, ord=2) }; y", "c", "'norm' for c, which needs 'svdvals'"),
    ("A: [2, 2]; sum(cofactor(A))", "numpy", "the derivative of 'cofactor' for numpy, which needs 'cofactor_along'"),
    ("s = 0; for k in 1..5 { s = s + x^k/k }; s", "sql", "no arrays or loops"),
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
            is_loop = "repeat" in text and target == "sql"
            message = "sql has no arrays or loops" if is_loop else f"cg does not write 'solve' for {target}"
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
)


def test_names_that_are_words_of_the_language(tmp_path: Path) -> None:
    """Protects reserved words, letters beyond ASCII, and the names that the code makes up itself."""
    need("gcc")
    every = [Case(text, at) for at, text in enumerate(NAMES)]
    source = tmp_path / "names.c"
    source.write_text(without_repeats([case.code("c") for case in every], c.LANGUAGE), encoding="utf-8")
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source], check=True)
    for case in every:
        function = _function(case, "python")
        assert list(case.differences(by_row(case, [function(*row) for row in case.rows()]))) == []


def test_deep_code_says_what_spark_needs() -> None:
    for text, is_said in (("erfinv(x)", True), ("sin(x)", False)):
        assert ("maxIterations" in cgcli.export(text, "sql", dialect="spark")) == is_said


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
