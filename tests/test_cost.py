"""The cheap gradient: the value and all derivatives together cost at most five times the value alone.

The bound is that of Griewank and Walther, "Evaluating Derivatives" (2nd ed., 2008), chapter 4: reverse mode multiplies
the operations by a constant, whatever the number of inputs. Operations are counted, not timed. Each node of the graph
is executed once, for equal nodes are one, and counts as many operations as `work_of` says: an addition or a sine is
one for each element, a product of matrices one for each multiplication and addition, and what only moves numbers, as
a transpose, one for each number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from cgcli.graph.node import Node, toposort, variables
from cgcli.graph.work import work_of
from cgcli.transform.differentiate import pullback
from tests.for_each import for_each
from tests.support import literal, node
from tests.support_examples import PROGRAMS, example

BOUND = 5.0


def operations(outputs: Sequence[Node]) -> int:
    """How many operations it takes to compute the outputs together."""
    return sum(work_of(part) for part in toposort(outputs))


def ratio(output: Node) -> float:
    """The cost of a value and its whole gradient, by that of the value; an array's elements are added up."""
    inputs = variables(toposort([output]))
    adjoints = pullback([output], [literal(np.ones(output.shape))], inputs)
    return operations([output, *adjoints]) / operations([output])


@for_each("name", PROGRAMS)
def test_an_example_with_its_gradient_costs_five_times_its_value_at_most(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the reverse pass from rules that compute again what the value has, or that form a whole Jacobian."""
    for output in example(name, monkeypatch).graph.outputs:
        assert ratio(output) <= BOUND


# Programs of any number of inputs, scalars or the elements of arrays.
GROWING = {
    "a sum of products": lambda n: node(" + ".join(f"a{k}*b{k}" for k in range(n)), {}),
    "one product": lambda n: node("*".join(f"a{k}" for k in range(n)), {}),
    "quotients": lambda n: node("/".join(f"(1 + a{k}^2)" for k in range(n)), {}),
    "functions of functions": lambda n: node("".join(f"sin(a{k}*exp(b{k} + " for k in range(n)) + "1" + "))" * n, {}),
    "the largest": lambda n: node(f"max({', '.join(f'a{k}' for k in range(n))})", {}),
    "a product of all elements": lambda n: node("prod(x)", {"x": np.ones(n)}),
    "a norm": lambda n: node("norm(x)", {"x": np.ones(n)}),
    "a softmax": lambda n: node("softmax(x)[0]", {"x": np.ones(n)}),
    "a network of two layers": lambda n: node(
        "mean((tanh(X@U + a)@V - y)^2)",
        {"X": np.ones((n, 10)), "U": np.ones((10, n)), "a": np.ones(n), "V": np.ones(n), "y": np.ones(n)},
    ),
    "a quadratic form": lambda n: node("x @ A @ x", {"x": np.ones(n), "A": np.ones((n, n))}),
    "a linear system": lambda n: node("sum(solve(A, x))", {"x": np.ones(n), "A": np.eye(n)}),
    "a convolution": lambda n: node(
        "sum(conv2d(x, w)^2)", {"x": np.ones((1, 2, n, n)), "w": np.ones((3, 2, 3, 3))}
    ),
}  # fmt: skip


# The exception: the products with one element left out are made by halves, so that zeros are no danger.
HIGHER = {"a product of all elements": 15.0, "a norm": 7.0}


@for_each("name", GROWING)
def test_the_bound_holds_whatever_the_number_of_inputs(name: str) -> None:
    """Protects the promise that matters most: with more inputs, the factor does not grow beyond the bound."""
    for inputs in (10, 100):
        assert ratio(GROWING[name](inputs)) <= HIGHER.get(name, BOUND)


def test_the_count_sees_what_it_should() -> None:
    """Protects the measure: scalars, elements, products of matrices, and a node that is used twice."""
    for text, shape, count in (
        ("x*x + 1", (), 2),
        ("sin(x) + sin(x)", (), 2),
        ("sin(x)*2 + 1", (5,), 15),
        ("x @ x", (4, 4), 2 * 4**3 - 4**2),
    ):
        counted = operations([node(text, {"x": np.ones(shape)})])
        assert counted == pytest.approx(count, rel=0.2), text
