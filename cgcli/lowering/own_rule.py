"""Functions with a derivative rule of the user's own: `jvp f(x; dx) = …` beside `f(x) = …`.

Such a function is one operation of the graph, made here from the graphs of its body and its
rule. Equal definitions make the same operation, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from cgcli.errors import ArgumentError, ShapeError, Span, TooLargeError, UnknownNameError, did_you_mean
from cgcli.graph.node import VARIABLE, Node, leaf, name_of, toposort
from cgcli.graph.operation import Operation, Shape
from cgcli.graph.rules import OwnJvp, own_rule
from cgcli.graph.shapes import shape_text
from cgcli.graph.work import work_of
from cgcli.lowering.linear import Expand, fault
from cgcli.ops.entry import broadcast_shapes
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax import tree

MAX_DEPTH = 50  # of such functions in each other: each is computed inside the one around it
MAX_COST = 200_000  # operations in one call, those of the functions that it calls included

_interned: WeakValueDictionary[tuple[object, ...], Operation] = WeakValueDictionary()


def check_rule(rule: tree.DefineJvp, functions: Mapping[str, tree.Define]) -> None:
    """Raise ArgumentError or UnknownNameError when a rule does not fit the function that it is for."""
    name = rule.function
    function = functions.get(name)
    if function is None and name in FUNCTIONS:
        raise ArgumentError(f"'{name}' has its derivative already", rule.where,
                            hint=f"give yours to a function of your own: my_{name}(x) = {name}(x)")  # fmt: skip
    if function is None:
        raise UnknownNameError(f"there is no function '{name}' for this derivative rule", rule.where,
                               hint=did_you_mean(name, functions) or f"define it: {name}(x) = …")  # fmt: skip
    count = len(function.parameters)
    if (len(rule.parameters), len(rule.tangents)) != (count, count):
        raise ArgumentError(f"a rule for '{name}' takes its parameters, then as many tangents", rule.span,
                            hint=f"as in: {usage(function)}")  # fmt: skip
    seen: set[str] = set()
    for item in (*rule.parameters, *rule.tangents):
        if item.name in seen:
            raise ArgumentError(f"'{item.name}' stands twice in the rule for '{name}'", item.span)
        seen.add(item.name)


def usage(function: tree.Define) -> str:
    """The left side of a rule for a function: `jvp f(x, y; dx, dy)`."""
    names = [parameter.name for parameter in function.parameters]
    return f"jvp {function.function}({', '.join(names)}; {', '.join(f'd{name}' for name in names)})"


def stand_ins(kind: str, shapes: Iterable[Shape]) -> tuple[Node, ...]:
    """Leaves for a function's parameters or tangents: variables that no program can name.

    They are told apart by their places, so that functions which differ in names only are equal.
    """
    return tuple(leaf(f"{kind}{at}", shape) for at, shape in enumerate(shapes))


def out_of(body: Node) -> Node:
    """The leaf for the function's own value in its rule."""
    return leaf("", body.shape)


def check_closed(body: Node, leaves: Sequence[Node], name: str, origins: Mapping[Node, Span]) -> None:
    """Raise ArgumentError when a graph reads an input that is no parameter: the rule says nothing of its derivative."""
    own = set(leaves)
    for node in toposort([body]):
        if node.op is VARIABLE and node not in own:
            raise ArgumentError(
                f"'{name}' has a derivative rule, so it cannot use the input '{name_of(node)}', which is no parameter",
                origins.get(node),
                hint=f"make it a parameter of '{name}'",
            )


def operation(
    name: str,
    names: tuple[str, ...],
    body: Node,
    tangent: Node,
    parameters: tuple[Node, ...],
    tangents: tuple[Node, ...],
    origins: Mapping[Node, Span],
    expand: Expand,
) -> Operation:
    """The operation that computes `body`, and whose derivative is `tangent`.

    names: of the parameters, then of the tangents. Raises ArgumentError at the place where the rule is
    not linear, ShapeError when its shape is not the value's, TooLargeError.
    """
    key = (body, tangent, parameters)
    found = _interned.get(key)
    if found is not None:
        return found
    wrong = fault(tangent, tangents, expand)
    if wrong is not None:
        spelled = " and ".join(names[len(parameters) :])
        raise ArgumentError(f"the derivative rule of '{name}' is not linear in {spelled}: {wrong.reason}",
                            origins.get(wrong.node), hint="each of its terms is a factor times a tangent")  # fmt: skip
    if broadcast_shapes((tangent.shape, body.shape)) != body.shape:
        raise ShapeError(f"the derivative rule of '{name}' gives shape {shape_text(tangent.shape)}, "
                         f"and its value has {shape_text(body.shape)}", origins.get(tangent))  # fmt: skip
    order = toposort([body, tangent])
    inner = [own for node in order if (own := own_rule(node.op)) is not None]
    depth = 1 + max((item.depth for item in inner), default=0)
    cost = len(order) + sum(item.cost for item in inner)
    if depth > MAX_DEPTH:
        raise TooLargeError(f"more than {MAX_DEPTH} functions with derivative rules of their own use each other")
    if cost > MAX_COST:
        raise TooLargeError(f"a call of '{name}' takes more than {MAX_COST} operations")
    own = OwnJvp(body, tangent, parameters, tangents, out_of(body), names, depth, cost)
    work = sum(map(work_of, toposort([body])))
    made = Operation(name, "a function of the program's own", names[: len(parameters)], _kernel(own),
                     lambda shapes, params: body.shape, (own,) * len(parameters),
                     work=lambda shapes, params: work)  # fmt: skip
    _interned[key] = made
    return made


def _kernel(own: OwnJvp) -> Any:
    from cgcli.evaluate.evaluate import evaluate

    leaves = [name_of(leaf) for leaf in own.parameters]

    def kernel(*args: Any) -> Any:
        return evaluate([own.body], dict(zip(leaves, args, strict=True)))[0]

    return kernel
