"""Graphs that nodes hold: equal ones are one object with one digest, compiled once, walked and inlined in one way."""

from __future__ import annotations

import gc
import os
import struct
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from cgcli.algebra.order import Order
from cgcli.evaluate import compiled
from cgcli.evaluate.compiled import Compiled, compiled_body
from cgcli.graph.body import (
    Body,
    OwnFunction,
    bodies_of,
    canonical_bytes,
    function_of,
    functions_in,
    inlined,
    instantiated,
    with_bodies,
)
from cgcli.graph.node import Node, apply, constant, toposort, variable
from cgcli.graph.operation import Operation
from cgcli.lowering.lower import lower
from cgcli.ops.arithmetic import ADD, NEG
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax.parser import parse
from tests.support import value

ROOT = Path(__file__).parents[1]
INNER = "g(x) = 3*x; jvp g(x; dx) = 3*dx; "
OUTER = INNER + "f(x, y) = g(x)*g(y) + x; jvp f(x, y; dx, dy) = 3*g(y)*dx + 3*g(x)*dy + dx; "


def graph_of(text: str) -> Node:
    return lower(parse(text, "", FUNCTIONS.__contains__)).output


def body_of(text: str, *names: str) -> Body:
    """The body of an expression in these parameters."""
    return Body(tuple(variable(name) for name in names), (graph_of(text),))


def own(node: Node) -> OwnFunction:
    function = function_of(node)
    assert function is not None
    return function


def test_equal_bodies_are_one_object_whatever_their_parameters_are_called() -> None:
    assert body_of("sin(x)*y + x", "x", "y") is body_of("sin(a)*b + a", "a", "b")
    assert body_of("x - y", "x", "y") is not body_of("x - y", "y", "x")
    assert body_of("x*2", "x") is not body_of("x*3", "x")
    assert Body((), (constant(0.0),)) is not Body((), (constant(-0.0),))


def test_a_body_goes_when_nobody_holds_it() -> None:
    body = body_of("sin(sin(x)) + 12345", "x")
    compiled_body(body)
    gone = weakref.ref(body)
    del body
    gc.collect()
    assert gone() is None


# expressions of x and y whose graphs differ, some of them in one bit or one parameter only
DIFFERENT = [
    "x", "y", "x + y", "x - y", "y - x", "x*2", "x*3", "x*2.0000000000000004", "x + 0", "x + (-0.0)", "x + nan",
    "sum([x, y], axis=0)", "sum([x, y], axis=-1, keepdims=1)", "stack(x, y, axis=0)", "[x, y][0]", "[x, y][1]",
    "reshape([x, y], [2, 1])", "reshape([x, y], [1, 2])", "sin(x)*sin(x)", "sin(x)*sin(y)", "[1, 2]*x", "[1, 3]*x",
    'einsum("i,i->", [x, y], [x, y])', 'einsum("i,j->ij", [x, y], [x, y])', "(x*y)*x", "x*(y*x)",
    INNER + "g(x)", INNER + "g(y)", INNER.replace("dx) = 3", "dx) = 4") + "g(x)",
    INNER.replace("= 3*x", "= 4*x") + "g(x)",
    OUTER + "f(x, y)", OUTER + "f(y, x)",
]  # fmt: skip


def test_digests_differ_where_graphs_do() -> None:
    digests = {body_of(text, "x", "y").digest: text for text in DIFFERENT}
    assert len(digests) == len(DIFFERENT)


def test_the_bits_of_constants_are_in_the_digest() -> None:
    nans = [struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000000 + payload))[0] for payload in range(2)]
    values = [0.0, -0.0, 1.0, np.nextafter(1.0, 2.0), float("inf"), *nans]
    assert len({Body((), (constant(float(number)),)).digest for number in values}) == len(values)


def test_the_bytes_of_parameters_tell_their_types_and_nesting() -> None:
    values = [
        (),
        ((),),
        (0,),
        (0.0,),
        (-0.0,),
        ("0",),
        (b"0",),
        (None,),
        ((0,), 1),
        (0, (1,)),
        ((0, 1),),
        ("a", "b"),
        ("ab",),
    ]
    assert len({canonical_bytes(item) for item in values}) == len(values)
    with pytest.raises(TypeError):
        canonical_bytes(object())


def test_every_operation_of_the_table_has_a_digest() -> None:
    examples = {entry.example for entries in FUNCTIONS.values() for entry in entries if isinstance(entry, Operation)}
    digests = {Body((), (graph_of(text),)).digest for text in examples if text}
    assert len(digests) > 100


DIGESTS = """
from tests.test_bodies import DIFFERENT, body_of
for text in DIFFERENT:
    print(body_of(text, "x", "y").digest.hex())
"""


def test_digests_are_the_same_in_every_process() -> None:
    """Nothing of Python's hashes, of addresses or of what was built before is in them."""
    here = [body_of(text, "x", "y").digest.hex() for text in reversed(DIFFERENT)][::-1]
    for seed in ("0", "7"):
        assert in_a_process(seed, "-c", DIGESTS).split() == here


def in_a_process(seed: str, *arguments: str) -> str:
    """What Python prints, with this seed for its hashes."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT).stdout


def test_a_digest_takes_no_recursion_and_linear_time() -> None:
    """A chain of 20,000 nodes, in which each is used twice."""
    node = variable("x")
    for _ in range(10_000):
        node = apply(ADD, (apply(NEG, (node,)), node))
    assert Body((variable("x"),), (node,)).digest


# one name, two functions whose bodies differ in a constant only
SAME_NAME = "k = 3; f(x) = k*x; jvp f(x; dx) = k*dx; a = f(x); k = 4; b = f(x); k = 5; c = f(x); "


def test_functions_that_differ_in_a_constant_have_one_order() -> None:
    """Protects `cg simplify`: one text in every process, in whatever order the terms came."""
    texts = set()
    for seed, terms in (("0", "a + b + c"), ("1", "c + b + a"), ("2", "b + c + a")):
        main = "from cgcli.cli.main import main; main()"
        texts.add(in_a_process(seed, "-c", main, "simplify", SAME_NAME + terms))
    (text,) = texts
    assert all(f"{factor}*x" in text for factor in (3, 4, 5))
    keys = [Order().factor(graph_of(SAME_NAME + name)) for name in "abc"]
    assert len({key.text for key in keys}) == 1
    assert len(set(keys)) == 3


def test_a_body_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often and from wherever its function is called."""
    made: list[object] = []

    class Counted(Compiled):
        def __init__(self, *args: object, **options: object) -> None:
            made.append(args[0])
            super().__init__(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(compiled, "Compiled", Counted)
    output = graph_of("f(x) = sin(x)*7.25; jvp f(x; dx) = cos(x)*7.25*dx; f(f(x)) + f(3*x)")
    numbers = {float(value(output, {"x": x})) for x in np.linspace(0, 1, 5)}
    assert len(numbers) == 5
    assert made == [own(output.args[0]).body.outputs]


def test_what_a_node_holds_is_walked_in_one_way() -> None:
    output = graph_of(OUTER + "f(u, v) + g(u)")
    outer = own(output.args[0])
    assert tuple(bodies_of(output.args[0])) == (outer.body, outer.rule)
    assert [function.name for function in functions_in(toposort([output]))] == ["g", "f"]
    walked = list(with_bodies(toposort([output])))
    assert set(toposort([output])) < set(walked)
    assert outer.value in walked
    assert own(output.args[1]).value in walked


def test_functions_are_inlined_but_those_to_keep() -> None:
    output = graph_of(OUTER + "f(u, v) + g(u)")
    outer, inner = own(output.args[0]), own(output.args[1])
    (plain,) = inlined([output])
    assert plain is graph_of("3*u*(3*v) + u + 3*u")
    (some,) = inlined([output], {inner})
    assert functions_in(toposort([some])) == [inner]
    assert inlined([output], {outer, inner}) == (output,)
    (rest,) = inlined([output], {output.args[0]})  # a node that stays
    assert rest.args[0] is output.args[0]
    assert rest.args[1] is graph_of("3*u")
    assert instantiated(inner.body, (variable("u"),)) == (graph_of("3*u"),)
