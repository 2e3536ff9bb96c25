"""The evaluator: kernels for scalars give the same bits, a tape gives what its operations give one by one."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cgcli
from cgcli.api.prepared import _OFTEN
from cgcli.errors import EvaluationError, TooLargeError
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.constants import constant_of
from cgcli.evaluate.evaluate import evaluate
from cgcli.evaluate.generated import generated
from cgcli.graph.node import CONSTANT, VARIABLE, Node, apply, constant, name_of, toposort, variable, variables
from cgcli.graph.operation import Operation
from cgcli.lowering.lower import lower
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import pullback
from tests.for_each import for_each
from tests.support import ELEMENTWISE, defaults, float64, node
from tests.support_examples import PROGRAMS, example


def bits(value: Any) -> bytes:
    """A value's bits; every nan counts as the same."""
    array: NDArray[np.float64] = np.array(value, dtype=np.float64)
    array[np.isnan(array)] = math.nan
    return array.tobytes()


def one_by_one(outputs: list[Node], bindings: dict[str, Any]) -> list[Any]:
    """The outputs' values, by the kernels for arrays alone, with every value kept."""
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for part in toposort(outputs):
            if part.op is CONSTANT:
                values[part] = constant_of(part)
            elif part.op is VARIABLE:
                values[part] = bindings[name_of(part)]
            else:
                values[part] = part.op.kernel(*[values[arg] for arg in part.args], *part.params)
    return [values[output] for output in outputs]


@for_each("name", PROGRAMS)
def test_a_tape_gives_what_its_operations_give_one_by_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the order, the places, the dropping of what is no longer needed; calls do not disturb each other."""
    point = example(name, monkeypatch)
    outputs, inputs = list(point.graph.outputs), list(point.inputs)
    for output in point.graph.outputs:
        outputs += pullback([output], [variable("ct", output.shape)], inputs)
    bindings = {**point.bindings, "ct": np.ones(outputs[0].shape)[()]}
    run = Compiled(outputs, [*inputs, variable("ct", outputs[0].shape)])
    arrays = [bindings[name_of(item)] for item in inputs] + [bindings["ct"]]
    first = run(arrays)
    for ours, theirs in zip(first, one_by_one(outputs, bindings), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=0)
    expected = [bits(value) for value in first]
    assert [bits(value) for value in run(arrays)] == expected
    assert [bits(value) for value in evaluate(outputs, bindings)] == expected


def test_programs_of_numbers_give_what_numpy_gives() -> None:
    """Random programs of all operations that have a kernel on numbers: each value is that of the kernel on arrays for
    the same arguments but for the last bits where libm and numpy differ, and a generated function has the tape's bits.
    """
    random = Random(14)
    operations = [operation for operation in ELEMENTWISE.values() if operation.scalar]
    used: set[str] = set()
    for _ in range(300):
        inputs = [variable(name) for name in "xyz"]
        nodes = [*inputs, constant(random.choice((0.5, 2.0, 3.0)))]
        for operation in random.sample(operations, 12):
            count = random.randint(2, 4) if operation.variadic else len(operation.arrays)
            nodes.append(apply(operation, tuple(random.choices(nodes[-6:], k=count)), defaults(operation)))
            used.add(operation.name)
        run = Compiled(nodes, inputs, keep=True)
        point = [random.choice((-1, 1)) * 10 ** random.uniform(-2, 1) for _ in inputs]
        values = dict(zip(run.nodes, run.tape(point), strict=True))
        for part in run.nodes[-12:]:
            args = [np.float64(values[arg]) for arg in part.args]
            with np.errstate(all="ignore"):
                theirs = float(part.op.kernel(*args, *part.params))
            assert values[part] == pytest.approx(theirs, rel=4e-15, abs=0, nan_ok=True), (part, args)
        direct = generated(nodes, inputs)
        assert direct is not None
        try:
            assert [bits(value) for value in direct(*point)] == [bits(values[node]) for node in nodes]
        except (ValueError, ArithmeticError):
            continue  # where Python raises, the tape computes
    assert used == {operation.name for operation in operations}


def test_what_is_given_is_not_computed() -> None:
    """Protects the cut: an inner node may be an input, and its own inputs are then not asked for."""
    inner = apply(ADD, (variable("x"), variable("y")))
    output = apply(MULTIPLY, (inner, variable("y")))
    assert Compiled([output], [inner, variable("y")])([np.float64(3), np.float64(5)]) == [15.0]
    assert evaluate([output], {"y": np.float64(5)}, known={inner: np.float64(3)}) == [15.0]
    with pytest.raises(KeyError, match="x"):
        Compiled([output], [variable("y")])


def test_values_that_nobody_reads_again_are_dropped() -> None:
    """Protects memory: a long chain of large arrays holds a few of them, whether it runs once or many times."""
    x = variable("x", (1000,))
    chain = x
    for step in range(50):
        chain = apply(ADD, (chain, constant(float(step))))
    run = Compiled([chain], [x])
    tape = run.tape([np.zeros(1000)])
    assert sum(np.shape(value) == (1000,) for value in tape) == 2
    assert all(np.shape(value) == (1000,) for value in Compiled([chain], [x], keep=True).tape([np.zeros(1000)])[51:])


def test_a_program_beyond_the_memory_bound_does_not_start() -> None:
    """Protects the machine: what is held at once is known before anything is computed."""
    output = node("sum(zeros([5000, 5000]) + 1)", {})
    with pytest.raises(TooLargeError, match="200 MB"):
        Compiled([output], [])


def test_a_kernel_that_fails_is_named() -> None:
    """Protects whoever reads the error: it says which operation could not be computed."""

    def kernel(x: Any) -> Any:
        raise {1: ValueError, 2: np.linalg.LinAlgError, 3: MemoryError}[int(x)]("odd number")

    odd = Operation("odd", "", ("x",), kernel, lambda shapes, _: shapes[0])
    x = variable("x")
    output = apply(ADD, (apply(odd, (apply(ADD, (x, constant(1.0))),)), x))
    run = Compiled([output], [x])
    for number in (0, 1):
        with pytest.raises(EvaluationError, match="odd cannot be computed: odd number"):
            run([np.float64(number)])
    with pytest.raises(TooLargeError, match="odd needs more memory than there is"):
        run([np.float64(2)])


def test_threads_may_call_the_same_tape() -> None:
    """Protects servers: each call has its own tape, and numpy's warnings stay off in each thread."""
    output = node("sum(ln(x)*x) + y", {"x": np.ones(4), "y": 1})
    inputs = variables(toposort([output]))
    run = Compiled([output], inputs)
    wrong: set[int] = set()

    def work(number: int) -> None:
        given = {"x": np.full(4, float(number)), "y": np.float64(number)}
        expected = bits(one_by_one([output], given)[0])
        for _ in range(300):
            if bits(run([float64(given[name_of(item)]) for item in inputs])[0]) != expected:
                wrong.add(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_threads_that_build_equal_nodes_get_the_same_nodes() -> None:
    """Protects the rule that equal nodes are one object, by which graphs are compared, when threads build at once."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for turn in range(50):
            built: list[list[Node]] = []
            start = threading.Barrier(4)

            def work(turn: int = turn, built: list[list[Node]] = built, start: threading.Barrier = start) -> None:
                start.wait()
                built.append([variable(f"turn {turn}, name {at}") for at in range(50)])

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert all(len({id(node) for node in nodes}) == 1 for nodes in zip(*built, strict=True))
    finally:
        sys.setswitchinterval(before)


@for_each(
    "program, computed",
    [
        ("broadcast(a, [3, 2])*x", 0),
        ("where(x > 0, broadcast(a, [3, 2]), x) + broadcast(b, [3, 2])", 0),
        ("exp(x)*broadcast(broadcast(a, [1, 2]), [3, 2])", 1),
        ("y = broadcast(exp(b), [3, 2]); z = exp(x); y*z + y*exp(z) + exp(b)*0.5", 0),
        ("broadcast(a, [3, 2])*broadcast(b, [3, 2])", 2),
        ("y = broadcast(a, [3, 2]); x*y + sum(y)", 1),
        ("exp(broadcast(a, [3, 2]))*x", 1),
        ("broadcast(a, [3, 2])", 1),
    ],
)
def test_what_numpy_repeats_by_itself_is_not_repeated_before(program: str, computed: int) -> None:
    """Protects the values beside one of the whole shape, and the memory of what is repeated until its last reader."""
    random = np.random.default_rng(6)
    values = {"a": random.normal(size=2), "b": random.normal(size=(3, 1)), "x": random.normal(size=(3, 2))}
    graph = lower(parse(program), {name: value.shape for name, value in values.items()})
    outputs = [graph.output]
    inputs = variables(toposort(outputs))
    run = Compiled(outputs, inputs)
    assert sum(item.op.name == "broadcast" for item in run.nodes) == computed
    bindings = {name_of(item): values[name_of(item)] for item in inputs}
    assert bits(run(list(bindings.values()))[0]) == bits(one_by_one(outputs, bindings)[0])


def flat(result: Any) -> list[Any]:
    """The parts of a result."""
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else None
    return [result] if parts is None else [each for part in parts for each in flat(part)]


OFTEN_CALLED: list[tuple[Any, dict[str, Any]]] = [
    (cgcli.value("relu(x)"), {"x": [[1.0, -2.0], [math.nan, 0.0]]}),
    (cgcli.value("x"), {"x": [1.0, 2.0]}),
    (cgcli.value("y = transpose(x)\n(y, y, x, [1, 2], sum(x), x + 1, x + 1)"), {"x": [[1.0, 2.0], [3.0, 4.0]]}),
    (cgcli.value("1/x + ln(x)*z"), {"x": [0.0, -1.0, math.inf], "z": 2}),
    (cgcli.value("sum(arange(4)*x)"), {"x": 3.0}),
    (cgcli.value("softmax(x + [1, 2])@w"), {"x": [[1.0, 2.0], [3.0, 4.0]], "w": [1.0, -1.0]}),
    (cgcli.value_and_grad("mean((w@x - 1)^2)"), {"w": [1.0, 2.0], "x": [3.0, -1.0]}),
    (cgcli.value_and_grad("s = sum(x*y)\nt = max(x + y)\n(s, t)"), {"x": [1.0, 2.0], "y": [3.0, 4.0]}),
    (cgcli.grad("k = 0*x; y = repeat 5 { k = tanh(k + x); k }; sum(y)", wrt="x"), {"x": [1.0, 2.0]}),
    (cgcli.jacobian("x*x[0]"), {"x": [1.0, 2.0]}),
]


@for_each("function, values", OFTEN_CALLED)
def test_a_function_of_arrays_gives_the_same_when_it_is_called_often(function: Any, values: dict[str, Any]) -> None:
    """Protects the generated function: the bits, arrays of the caller's own, and values of other types and shapes."""
    given = {name: np.array(value) if isinstance(value, list) else value for name, value in values.items()}
    first = flat(function(**values))
    for _ in range(2 * _OFTEN):
        again = flat(function(**given))
        assert list(map(bits, again)) == list(map(bits, first))
        assert list(map(type, again)) == list(map(type, first))
        kept = [*(each for each in again if isinstance(each, np.ndarray)),
                *(each for each in given.values() if isinstance(each, np.ndarray))]  # fmt: skip
        assert not any(np.shares_memory(one, other) for at, one in enumerate(kept) for other in kept[:at])
    others: dict[str, Callable[[Any], Any]] = {
        "a list": lambda array: array.tolist(),
        "float32": np.float32,
        "rows apart": lambda array: np.repeat(array, 2, axis=0)[::2],
        "the order of Fortran": np.asfortranarray,
        "other bytes": lambda array: array.astype(">f8"),
        "a matrix": lambda array: array if array.ndim < 2 else array.view(np.matrix),
    }
    for other in others.values():
        changed = {n: other(value) if isinstance(value, np.ndarray) else value for n, value in given.items()}
        assert list(map(bits, flat(function(**changed)))) == list(map(bits, first))


def test_a_function_that_is_called_often_takes_other_shapes_and_raises_its_errors() -> None:
    """Protects what comes after the calls for which a function was generated; new shapes have one in their turn."""
    function = cgcli.value("inv(x)")
    for size in (2, 3, 2):
        for _ in range(5 * _OFTEN):
            np.testing.assert_array_equal(function(2.0 * np.eye(size)), 0.5 * np.eye(size))
        with pytest.raises(cgcli.CgError, match="inv"):
            function(np.ones((2, 3)))
        with pytest.raises(cgcli.CgError, match="not a number or a list of numbers"):
            function(np.array([["a"]]))
        with pytest.raises(cgcli.CgError, match="for 1 name"):
            function(np.eye(2), np.eye(2))
    quotient = cgcli.value("y/x")
    for _ in range(2 * _OFTEN):
        assert quotient({"x": np.array([2.0])}, y=np.array([4.0])) == 2
    with pytest.raises(cgcli.CgError, match="'y' is bound twice"):
        quotient(np.array([2.0]), y=np.array([4.0]))
