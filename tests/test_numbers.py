"""Programs whose values are all numbers: they need no numpy, and say and compute what arrays would."""

from __future__ import annotations

import gc
import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest

import cgcli
from cgcli.api.prepared import _OFTEN
from cgcli.evaluate.batched import Batched
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.generated import generated
from cgcli.graph.collector import collector_at_rest
from cgcli.graph.node import Node, apply, constant, variable
from cgcli.ops.fitting import ones_like
from cgcli.transform.differentiate import jvp, vjp
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.reference_values import BEYOND, Beyond
from tests.support import ELEMENTWISE, argument_names, defaults
from tests.test_conventions import TABLE

BOOK = "ln(x1) + x1*x2 - sin(x2)"
PLAIN = [
    ["eval", "1+1"],
    ["eval", "sqrt(x^2 + y^2)", "x=3", "y=4"],
    ["eval", "where(x > 0, ln(x), 1/x)", "x=0"],
    ["eval", "sqrt(x) + max(x, y, 2) + tanh(y)*sigmoid(x) % 2", "x=-1", "y=pi/2", "--json"],
    ["grad", BOOK, "x1=2", "x2=5"],
    ["grad", "abs(x) + max(x, y)", "x=0", "y=0"],
    ["grad", "f(u) = u^3; jvp f(u; du) = 3*u^2*du; f(x)", "x=2"],
    ["grad", "(x*y, x/y)", "x=2", "y=0", "--mode", "forward"],
    ["grad", "sin(x)", "x=1", "--order", "3", "--taylor"],
    ["jvp", BOOK, "x1=2", "x2=5", "--tangent", "x1=1,x2=0"],
    ["vjp", BOOK, "x1=2", "x2=5", "--cotangent", "2"],
    ["jacobian", "(x*y, x/y)", "x=2", "y=3"],
    ["hessian", BOOK, "x1=2", "x2=5"],
    ["hessian", BOOK, "x1=2", "x2=5", "--tangent", "x1=1", "--json"],
    ["diff", "x^2*sin(x)"],
    ["diff", BOOK, "--order", "2", "--wrt", "x1"],
    ["simplify", "x + 2*x + sqrt(8) + sin(pi/6)"],
    ["trace", BOOK, "x1=2", "x2=5", "--grad", "--tangent", "x1=1"],
    ["trace", BOOK],
]


def test_commands_on_numbers_import_no_numpy() -> None:
    """Protects the start of each call in a shell: one process runs them all, and numpy is not there for the asking."""
    script = (
        "import json, sys\n"
        "sys.modules['numpy'] = sys.modules['scipy'] = None\n"
        "from cgcli.cli.main import run\n"
        f"codes = [run(words) for words in json.loads({json.dumps(json.dumps(PLAIN))})]\n"
        "import cgcli\n"
        "f = cgcli.value_and_grad('x*y')\n"
        "assert [f(x=2, y=at) for at in range(20)][-1] == (38.0, {'x': 19.0, 'y': 2.0})\n"
        "assert cgcli.hessian('x^2*y')(x=2, y=3)['x'] == {'x': 6.0, 'y': 4.0}\n"
        "assert cgcli.jvp('x*y')({'x': 2, 'y': 3}, {'x': 1}) == (6.0, 3.0)\n"
        "sys.exit(max(codes))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _numbers(item: Any) -> Iterator[float]:
    """All numbers of a JSON object, in their order."""
    if isinstance(item, dict):
        item = list(item.values())
    if isinstance(item, list):
        for part in item:
            yield from _numbers(part)
    elif isinstance(item, int | float):
        yield item


def _without_numbers(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _without_numbers(part) for key, part in item.items()}
    if isinstance(item, list):
        return [_without_numbers(part) for part in item]
    return "number" if isinstance(item, int | float) else item


ARRAYS = {"x": "[1.25,2.75]", "A": "[[2.5,1],[1,3]]"}

SCALARS = [
    (row.program, row.point)
    for rows in TABLE.values()
    for row in rows
    if row.point and all(isinstance(item, int | float) for item in row.point.values())
]


# What makes a number of arrays, which a kernel on numbers then takes.
OF_ARRAYS = [
    (f"round({number}) + floor({number}) + sign({number})*mod({number}, 2)", ARRAYS)
    for number in (
        "x[0]", "sum(x)", "x @ x", "norm(x)", "max(x)", "det(A)", "trace(A)", "A[1, 0]", "transpose(x[1])",
        "reshape(x[0:1], [])", "broadcast(x[0], [])", "diag(A)[1]", "solve(A, x)[0]", "inv(A)[0, 1]",
        "where(x[0] > 1, x[0], x[1])", "min(x[0], x[1])", "softmax(x)[0]", "logsumexp(x)", "gamma(x[0])", "var(x)",
        "conv2d(reshape(x, [1, 1, 1, 2]), ones([1, 1, 1, 2]))[0, 0, 0, 0]", "(x*2)[-1]", "flip(x)[0]",
        "outer(x, x)[1, 1]", "stack(x, x)[1, 0]", "cumsum(x)[1]",
    )
]  # fmt: skip


@for_each(("program", "point"), [*SCALARS, *OF_ARRAYS])
def test_numbers_and_arrays_have_the_same_values_and_notes(
    program: str, point: dict[str, Any], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the one evaluator with its two sets of kernels: every row of the conventions, run with each of them."""
    words = [program, *(f"{name}={item}" for name, item in point.items()), "--json"]
    for command in ("grad", "hessian"):
        on_numbers = cg(capsys, command, *words)
        with monkeypatch.context() as patch:
            patch.setattr("cgcli.evaluate.compiled.kernel_of", lambda node: node.op.kernel)
            on_arrays = cg(capsys, command, *words)
        assert (on_numbers.code, on_numbers.err) == (on_arrays.code, on_arrays.err)
        if on_numbers.code == 0:
            ours, theirs = json.loads(on_numbers.out), json.loads(on_arrays.out)
            assert _without_numbers(ours) == _without_numbers(theirs)
            for one, other in zip(_numbers(ours), _numbers(theirs), strict=True):
                assert abs(one - other) <= 2 * math.ulp(max(abs(one), abs(other)))


@for_each(("program", "point"), SCALARS)
def test_a_generated_function_gives_what_the_tape_gives(program: str, point: dict[str, float]) -> None:
    """Protects the fastest way: the same floats in the same dicts, nan, infinities, guards and branches included."""
    names = cgcli.parse(program).inputs
    values = [float(point[name]) for name in names]
    try:
        function, fresh = cgcli.value_and_grad(program), cgcli.value_and_grad(program)
        expected = fresh(dict(zip(names, values, strict=True)))
    except cgcli.CgError:
        return  # an output that is no scalar
    for _ in range(_OFTEN + 2):
        assert repr(function(*values)) == repr(expected)
        assert repr(function(**dict(zip(names, values, strict=True)))) == repr(expected)
    assert len(function._direct) == 2 or not names


def _seeded(function: Callable[..., Any], seed: Any) -> Callable[..., Any]:
    return lambda values: function(values, seed)


@for_each(("program", "point"), SCALARS)
def test_passes_on_numbers_give_the_same_when_they_come_often(
    program: str, point: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects products and second derivatives, whose tapes become functions in Python too."""
    values = {name: float(point[name]) for name in cgcli.parse(program).inputs}
    first = next(iter(values), None)
    calls: list[Callable[[], Callable[..., Any]]] = [
        lambda: cgcli.hessian(program),
        lambda: cgcli.jacobian(program, mode="reverse"),
        lambda: _seeded(cgcli.jvp(program), {first: 2.0} if first else {}),
        lambda: _seeded(cgcli.vjp(program), 0.5),
    ]
    for make in calls:
        try:
            expected = repr(make()(values))
        except cgcli.CgError:
            continue  # several outputs, or no scalar
        with monkeypatch.context() as patch:
            patch.setattr("cgcli.evaluate.compiled._OFTEN", 2)
            function = make()
            assert [repr(function(values)) for _ in range(4)] == [expected] * 4


def test_a_generated_function_is_made_for_numbers_that_come_often() -> None:
    """Protects short runs from a compiler's work, and what is no number from being taken for one."""
    function = cgcli.value_and_grad("ln(x)*y + where(y < 2, 1/y, y % 2)")
    for _ in range(_OFTEN - 1):
        function(3, 1.5)
    assert not function._direct
    function(3, 1.5)
    assert list(function._direct) == [(2,)]
    assert function(np.float64(3), True) == function({"x": 3, "y": 1}) == (math.log(3) + 1, {"x": 1 / 3, "y": ANY})
    assert function(0, 1)[0] == -math.inf  # math.log raises there
    assert function(1, 0)[0] == math.inf
    with pytest.raises(cgcli.CgError, match="3 values for 2 names"):
        function(1, 2, 3)
    for wrong in ("3", None, 10**400, 1j, [1, [2, 3]]):
        with pytest.raises(cgcli.CgError, match="the value of 'x'"):
            function(wrong, 1)
    value, grad = cgcli.value_and_grad("sum(x^2)")([1, 2])
    assert (value, grad["x"].tolist()) == (5.0, [2.0, 4.0])


def test_a_large_program_of_numbers_stays_a_tape() -> None:
    """Protects from a compiler that takes seconds: what is long is run as it was, of numbers and of arrays."""
    function = cgcli.value(" + ".join(f"sin(x*{at})" for at in range(3000)))
    for x in (2.5, np.array([2.5])):
        values = {float(np.sum(function(x))) for _ in range(_OFTEN + 3)}
        assert len(values) == 1
        assert list(function._direct.values()) == [None]


def test_the_garbage_collector_rests_while_a_graph_is_built() -> None:
    """Protects large programs from a collector that takes as long as they do, and the user's own setting of it."""
    seen: list[bool] = []
    for is_on in (True, False):
        (gc.enable if is_on else gc.disable)()
        try:
            with collector_at_rest:
                with collector_at_rest:
                    seen.append(gc.isenabled())
                seen.append(gc.isenabled())
            assert gc.isenabled() == is_on
            with pytest.raises(cgcli.CgError):
                cgcli.grad("sin(x")(x=1)
            assert gc.isenabled() == is_on
        finally:
            gc.enable()
    assert not any(seen)


def test_warnings_in_json_keep_all_digits(capsys: Capture) -> None:
    """Protects the operands of a note from --precision, and numbers in JSON from a form that depends on their type."""
    answer = cg(capsys, "eval", "abs(x) + ln(y)", "x=1", "y=-1.23456", "--json", "--precision", "2").out
    assert '"operands": [-1.23456]' in answer
    assert '"operands": [-1.0]' in cg(capsys, "eval", "ln(x)", "x=-1", "--json").out
    assert cg(capsys, "eval", "x", "x=2", "--json").out == '{"value": 2, "warnings": []}\n'


# ---- a point, a row and an array --------------------------------------------------------

SPECIAL = (0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 5e-324, -1e-310, 1e-300, 1e300, -1e300, 0.5, -0.5, 1.5,
           2.0, -3.0)  # fmt: skip
CONSTANTS = (0.0, math.inf, -1.0, 0.5, 2.0)  # for which a kernel may have a way of its own


def _same(one: float, other: float, bound: float) -> bool:
    """Whether two numbers are the same but for the last bits; nan and infinities, and the sign of 0, are the same."""
    if one == other:
        return math.copysign(1.0, one) == math.copysign(1.0, other)
    return (one != one and other != other) or abs(one - other) <= bound


def _bound(name: str, point: Sequence[float], number: float) -> float:
    """The last bit; for a kernel that may be further away, so far."""
    loose = BEYOND.get(name, Beyond(1, ""))
    size = max(abs(number), loose.scale(point, defaults(ELEMENTWISE[name])))
    return loose.ulps * math.ulp(size) if math.isfinite(size) else 0.0


def _ways(name: str, numbers: Sequence[float], constants: Mapping[int, float]) -> tuple[list[tuple[float, ...]], Any]:
    """All points of some numbers, and an operation and its derivatives there, in each way to compute them.

    constants: the arguments that are the same number everywhere.
    """
    operation = ELEMENTWISE[name]
    places = range(len(argument_names(operation)))
    points = list(product(*([constants[at]] if at in constants else numbers for at in places)))
    columns = [column for at, column in enumerate(np.array(points).T) if at not in constants]

    def asked(shape: tuple[int, ...]) -> tuple[list[Node], list[Node]]:
        args = [constant(constants[at]) if at in constants else variable(f"x{at}", shape) for at in places]
        given = [arg for at, arg in enumerate(args) if at not in constants]
        out = apply(operation, tuple(args), defaults(operation))
        seed = ones_like(out)
        return [out, *(jvp(out, {arg: ones_like(arg)}) for arg in given), *vjp(out, seed, given)], given

    outputs, given = asked(())
    point, direct = Compiled(outputs, given), generated(outputs, given)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    found = {"point": np.array([point(row) for row in rows], float)}
    if direct is not None:
        found["generated"] = found["point"].copy()
        for at, row in enumerate(rows):
            with suppress(ValueError, ArithmeticError):
                found["generated"][at] = direct(*row)
    with np.errstate(all="ignore"):
        found["rows"] = np.stack(Batched(outputs, given)(columns), axis=-1)
        outputs, given = asked((len(points),))
        found["array"] = np.stack(Compiled(outputs, given)(columns), axis=-1)
        found["arrays in rows"] = np.stack([x[0] for x in Batched(outputs, given)([c[None] for c in columns])], axis=-1)
    return points, found


@for_each("name", ELEMENTWISE)
def test_a_point_a_row_and_an_array_agree(name: str) -> None:
    """Protects what people compare: at special values each way has the same bits, save the last one."""
    places = range(len(argument_names(ELEMENTWISE[name])))
    numbers = SPECIAL if len(places) < 3 else SPECIAL[:7]
    each = [{}, *({at: number} for at in places for number in CONSTANTS if len(places) > 1)]
    wrong = []
    for constants in each:
        points, found = _ways(name, numbers, constants)
        for way, table in found.items():
            for where, ours, theirs in zip(points, found["point"].tolist(), table.tolist(), strict=True):
                for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
                    bound = _bound(name, where, one) if at == 0 else 1e-13 * abs(one)
                    if not _same(one, other, bound):
                        wrong.append((way, where, constants, at, one, other))
    assert not wrong, wrong[:5]
