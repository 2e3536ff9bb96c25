"""The evaluator over rows: a row is what an evaluation at one point gives, to the bit, in any block, by any thread."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from cgcli.errors import CgError, EvaluationError
from cgcli.evaluate import compiled
from cgcli.evaluate.batched import Batched
from cgcli.evaluate.evaluate import evaluate
from cgcli.graph.node import Node, apply, constant, name_of, variable
from cgcli.graph.operation import Operation
from cgcli.lowering.lower import lower
from cgcli.ops.arithmetic import ADD
from cgcli.ops.entry import elementwise
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax.lalr import grammar_file
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import pullback
from tests.for_each import for_each
from tests.fuzzing import Grammar
from tests.reference_cases_linear import CASES
from tests.support import ELEMENTWISE, argument_names, defaults, float64, inputs, intervals, literal, node, samples
from tests.support_cases import Case, parameters
from tests.test_own_rules import RELU, SQUARE

Row = Mapping[str, Any]

EXAMPLES = Path(__file__).parent.parent / "examples"
BLACK_SCHOLES = (EXAMPLES / "black_scholes.cg").read_text(encoding="utf-8")
MARKET = {"S": (50, 150), "K": (50, 150), "r": (0, 0.1), "sigma": (0.1, 0.6), "T": (0.1, 2)}


def with_gradient(output: Node, wrt: Sequence[Node]) -> list[Node]:
    """A node, and the gradient of the sum of its elements with odd weights."""
    weights = literal(np.random.default_rng(3).normal(size=output.shape))
    return [output, *pullback([output], [weights], wrt)] if wrt else [output]


def bits(array: Any) -> Any:
    """The bits of numbers; those of all nans are the same here."""
    return np.where(np.isnan(array), np.nan, array).view(np.uint64)


_READ_AND_COMPUTED = compiled._read_and_computed


@pytest.fixture(autouse=True)
def arrays_alone() -> Iterator[None]:
    """A point is computed by the kernels that rows have, so that both can be held against each other to the bit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cgcli.evaluate.compiled.kernel_of", lambda node: node.op.kernel)
        patch.setattr("cgcli.evaluate.compiled._read_and_computed", _without_scalars)
        yield


def _without_scalars(*args: Any) -> tuple[list[Node], list[Any], list[Any]]:
    made, readers, scalars = _READ_AND_COMPUTED(*args)
    return made, readers, [None] * len(scalars)


def assert_same(ours: Any, expected: Any) -> None:
    assert ours.shape == expected.shape
    np.testing.assert_array_equal(bits(ours), bits(expected))


def point_by_point(outputs: Sequence[Node], rows: Sequence[Row]) -> list[Any]:
    """The outputs, each stacked over the rows, by an evaluation of every row."""
    values = [evaluate(outputs, {name: float64(item) for name, item in row.items()}) for row in rows]
    return [np.stack([np.asarray(value) for value in column]) for column in zip(*values, strict=True)]


def column(rows: Sequence[Row], name: str) -> Any:
    return np.stack([np.asarray(row[name], float) for row in rows])


def assert_equal_to_a_loop(
    outputs: Sequence[Node], nodes: Sequence[Node], rows: Sequence[Row], varying: Sequence[str]
) -> None:
    """Rows in which some of the inputs vary, the others are those of the first row."""
    rows = [{name: item if name in varying else rows[0][name] for name, item in row.items()} for row in rows]
    expected = point_by_point(outputs, rows)
    columns = [item for item in nodes if name_of(item) in varying]
    fixed = {item: rows[0][name_of(item)] for item in nodes if item not in columns}
    for block in (1, 2, len(rows)):
        found = Batched(outputs, columns, fixed, block=block)([column(rows, name_of(item)) for item in columns])
        for ours, truth in zip(found, expected, strict=True):
            assert_same(ours, truth)


def subsets(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Every choice of at least one."""
    return itertools.chain.from_iterable(itertools.combinations(names, count) for count in range(1, len(names) + 1))


# ---- every entry of the table ---------------------------------------------------------


@for_each(("name", "case"), parameters(CASES, lambda name, case: bool(case.shapes)))
def test_rows_of_arrays_are_what_each_row_gives(name: str, case: Case) -> None:
    """A kernel that takes the axis of the rows for one of its own, or that rounds by the number of rows."""
    rows = [case.sample(seed) for seed in range(5)]
    nodes = inputs(rows[0])
    outputs = with_gradient(
        node(case.program, rows[0]), [item for item in nodes if name_of(item) not in case.constants]
    )
    for varying in subsets(list(rows[0])):
        assert_equal_to_a_loop(outputs, nodes, rows, varying)


@for_each("name", ELEMENTWISE)
def test_rows_are_broadcast_as_each_row_is(name: str) -> None:
    """Arguments with different axes in a row: numpy alone would align the axis of the rows with one of them."""
    operation = ELEMENTWISE[name]
    names = argument_names(operation)
    rng = np.random.default_rng(len(name))
    for shapes in [((),) * 3, ((), (3,), (2, 1)), ((2, 1), (), (3,)), ((3,), (2, 3), ())]:
        drawn = [[samples(interval, 6, rng) for interval in intervals(operation)] for _ in range(5)]
        rows = [
            {given: np.resize(item, shape)[()] for given, item, shape in zip(names, row, shapes, strict=False)}
            for row in drawn
        ]
        nodes = inputs(rows[0])
        outputs = with_gradient(apply(operation, tuple(nodes), defaults(operation)), nodes)
        for varying in subsets(names):
            assert_equal_to_a_loop(outputs, nodes, rows, varying)


@for_each("name", ELEMENTWISE)
def test_a_number_has_the_same_bits_at_any_place(name: str) -> None:
    """numpy computes several numbers at once, and what is left over at the end of a block may take another way."""
    operation = ELEMENTWISE[name]
    columns = [np.resize(samples(interval, 300, np.random.default_rng(1)), 300) for interval in intervals(operation)]
    nodes = [variable(given) for given in argument_names(operation)]
    outputs = [apply(operation, tuple(nodes), defaults(operation))]
    expected = point_by_point(
        outputs, [dict(zip(map(name_of, nodes), row, strict=True)) for row in zip(*columns, strict=True)]
    )
    for block in (1, 3, 8, 13, 64, 299, 300):
        assert_same(Batched(outputs, nodes, block=block)(columns)[0], expected[0])


def test_random_programs_are_what_each_row_gives() -> None:
    """Whatever stands in whatever: memory that is used again too early, or seen through a slice."""
    grammar = Grammar(Path(grammar_file("cg.lark")).read_text(encoding="utf-8"))
    shapes = {"x": (), "y": (), "z": (), "v": (3,), "w": (3,), "M": (3, 3)}
    random, rng, tried = Random(5), np.random.default_rng(5), 0
    while tried < 150:
        text = grammar.text(random, random.randint(3, 40))
        try:
            graph = lower(parse(text, functions=FUNCTIONS.__contains__), shapes)
            nodes = [variable(name, shape) for name, shape in shapes.items()]
            outputs = [made for output in graph.outputs for made in with_gradient(output, nodes)]
            rows = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(4)]
            point_by_point(outputs, rows)
        except (CgError, KeyError):
            continue
        tried += 1
        assert_equal_to_a_loop(outputs, nodes, rows, [name for name in shapes if random.random() < 0.7] or ["x"])


@pytest.mark.parametrize(
    ("program", "shapes"),
    [
        (RELU + "relu(x) + 3*relu(x^2)", {"x": ()}),
        (SQUARE + "sum(f(f(x)))", {"x": (2, 2)}),
        ("g(x) = x^3; f(x) = g(x) + 1; jvp f(x; dx) = g(x)*dx; f(2*x) + f(1)", {"x": ()}),
    ],
)
def test_functions_with_a_rule_of_their_own(program: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Their kernel takes one row, so that they are written out."""
    rows = [{name: np.random.default_rng(at).normal(size=shape) for name, shape in shapes.items()} for at in range(4)]
    nodes = inputs(rows[0])
    assert_equal_to_a_loop(with_gradient(node(program, rows[0]), nodes), nodes, rows, list(shapes))


# ---- blocks and threads ---------------------------------------------------------------


def market(count: int) -> tuple[list[Node], list[Node], list[Any]]:
    """The price of options with its derivatives, its inputs, and their columns."""
    rng = np.random.default_rng(7)
    nodes = [variable(name) for name in MARKET]
    price = node(BLACK_SCHOLES, dict.fromkeys(MARKET, 1.0))
    return (
        [price, *pullback([price], [constant(1.0)], nodes)],
        nodes,
        [rng.uniform(*span, count) for span in MARKET.values()],
    )


@pytest.mark.parametrize(("block", "threads"), [(1, 1), (7, 2), (64, 5), (1000, 2), (4096, 1)])
def test_neither_blocks_nor_threads_change_a_bit(block: int, threads: int) -> None:
    outputs, nodes, columns = market(3001)
    expected = Batched(outputs, nodes, block=3001)(columns)
    for ours, truth in zip(Batched(outputs, nodes, block=block)(columns, threads=threads), expected, strict=True):
        assert_same(ours, truth)


@pytest.mark.parametrize("more", [-1, 0, 1, 40_000])
def test_the_blocks_that_threads_share_change_no_bit(more: int) -> None:
    """Where there is no block size of the caller's, that of several threads is another one than that of one."""
    outputs, nodes, columns = market(Batched(*market(1)[:2]).plan.rows + more)
    batched = Batched(outputs, nodes)
    expected = batched(columns)
    for threads in (2, 3):
        for ours, truth in zip(batched(columns, threads=threads), expected, strict=True):
            assert_same(ours, truth)


def test_a_row_does_not_depend_on_the_others() -> None:
    """A norm that overflows, a singular matrix: the rows beside them keep their numbers."""
    x, a = variable("x", (2,)), variable("a", (2, 2))
    bindings = {"x": np.zeros(2), "a": np.zeros((2, 2))}
    outputs = [node("norm(x)", bindings), node("solve(a, x)", bindings), node("inv(a)", bindings)]
    rows = [{"x": np.array([0.1, 0.7]), "a": np.array([[2.0, 0.3], [0.1, 3.0]])} for _ in range(3)]
    rows[1] = {"x": np.array([1e200, 1e200]), "a": np.ones((2, 2))}
    assert_equal_to_a_loop(outputs, [x, a], rows, ["x", "a"])


def test_several_threads_may_call_at_the_same_time() -> None:
    from concurrent.futures import ThreadPoolExecutor

    outputs, nodes, columns = market(20_000)
    batched = Batched(outputs, nodes, block=512)
    expected = batched(columns)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: batched(columns, threads=2), range(8)):
            for ours, truth in zip(found, expected, strict=True):
                assert_same(ours, truth)


# ---- edges ----------------------------------------------------------------------------


def test_rows_of_any_number_and_type() -> None:
    """No rows, one, columns of whole numbers, of half the precision, with gaps between their numbers."""
    x, y = variable("x"), variable("y")
    outputs = [node("x*y + sin(x)", {"x": 0.0, "y": 0.0})]
    batched = Batched(outputs, [x, y])
    (empty,) = batched([[], []])
    assert empty.shape == (0,)
    wide = np.arange(40.0).reshape(20, 2)
    given: list[list[Any]] = [
        [np.arange(20), wide[:, 1]],
        [wide[::-1, 0], np.arange(20, dtype=np.float32)],
        [[True], [2]],
    ]
    for columns in given:
        rows = [{"x": float(one), "y": float(two)} for one, two in zip(*columns, strict=True)]
        assert_same(batched(columns)[0], point_by_point(outputs, rows)[0])


def test_outputs_that_no_step_computes() -> None:
    """A column itself, a constant, what holds for all rows, and the same output twice."""
    x, y = variable("x", (2,)), variable("y")
    total = node("sum(x) + y^2", {"x": np.zeros(2), "y": 0.0})
    square = node("y^2", {"y": 0.0})
    rows = [{"x": np.array([at, 0.5]), "y": 3.0} for at in range(5)]
    assert_equal_to_a_loop([x, total, constant(7.0), total, square, x], [x, y], rows, ["x"])


def test_where_nothing_varies_the_rows_are_counted() -> None:
    x = variable("x")
    (values,) = Batched([node("x^2", {"x": 0.0})], [], {x: 3.0})([], 4)
    assert values.tolist() == [9.0] * 4
    with pytest.raises(ValueError, match="number of rows"):
        Batched([x], [], {x: 3.0})([])


def test_what_does_not_fit_is_refused() -> None:
    x = variable("x", (3,))
    batched = Batched([node("sum(x)", {"x": np.zeros(3)})], [x])
    for columns in ([np.zeros((4, 2))], [np.zeros(3)], []):
        with pytest.raises(ValueError):  # noqa: PT011 - either of numpy's, or ours
            batched(columns)
    with pytest.raises(KeyError, match="y"):
        Batched([node("x + y", {"x": 0.0, "y": 0.0})], [variable("x")])


def test_an_error_in_a_thread_is_the_callers() -> None:
    def fail(x: Any) -> Any:
        raise np.linalg.LinAlgError("no convergence")

    operation = elementwise("broken", "", fail, None, why_no_derivative="test")
    x = variable("x")
    for threads in (1, 3):
        with pytest.raises(EvaluationError, match="broken cannot be computed: no convergence"):
            Batched([apply(operation, (x,))], [x], block=2)([np.zeros(100)], threads=threads)


def test_choices_that_all_rows_some_or_none_make() -> None:
    """A branch that all rows take is not copied, and the memory of neither is used again too early."""
    x, y = variable("x"), variable("y")
    text = (
        "a = x*2; b = exp(y); c = where(x > 0, a, b); d = where(x > 0 and y > 0, c, 5); (c + a, d*b, (x > 0) + (y > 0))"
    )
    outputs = list(lower(parse(text, functions=FUNCTIONS.__contains__), {}).outputs)
    for signs in ([1, 1, 1], [-1, -1, -1], [1, -1, 1]):
        rows = [{"x": sign * 1.5, "y": sign * 0.5} for sign in signs]
        assert_equal_to_a_loop(outputs, [x, y], rows, ["x", "y"])
        assert_equal_to_a_loop(outputs, [x, y], rows, ["y"])


# ---- memory ---------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_rows() -> None:
    """Apart from columns and outputs, only blocks of what lies between is ever held."""
    outputs, nodes, columns = market(400_000)
    batched = Batched(outputs, nodes)
    for threads, rows in ((1, batched.plan.rows), (3, 3 * batched.plan.shared_rows)):
        tracemalloc.start()
        try:
            results = batched(columns, threads=threads)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak - sum(array.nbytes for array in results) < 3 * rows * batched.plan.row_bytes


def test_threads_take_longer_blocks_only_where_these_take_little_memory() -> None:
    x = variable("x", (1000, 1000))
    for outputs, columns, longer in ((market(1)[0], market(1)[1], 4), ([node("sum(exp(x)*sin(x))", {"x": x})], [x], 1)):
        plan = Batched(outputs, columns).plan
        assert plan.shared_rows == longer * plan.rows


def test_a_chain_of_many_operations_takes_one_buffer() -> None:
    """Nor does anything go deeper with the length of the chain."""
    x = variable("x")
    sine = FUNCTIONS["sin"][0]
    chain = x
    assert isinstance(sine, Operation)
    for _ in range(20_000):
        chain = apply(sine, (chain,))
    chain = apply(ADD, (chain, x))
    batched = Batched([chain], [x])
    assert [buffer.size for buffer in batched.plan.buffers] == [1]
    assert_same(batched([[0.5, 2.0]])[0], point_by_point([chain], [{"x": 0.5}, {"x": 2.0}])[0])
