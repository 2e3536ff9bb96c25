"""Functions with a derivative rule of the user's own: `jvp f(x; dx) = …` beside `f(x) = …`.

A call of such a function is one node of the graph, which holds the graphs of its body and its
rule. Equal definitions make the same function, whatever it is called.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.errors import ArgumentError, ShapeError, Span, TooLargeError, UnknownNameError, did_you_mean
from cgcli.graph.body import Body, Called, OwnFunction, function_of, instantiated
from cgcli.graph.node import VARIABLE, Node, apply, name_of, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.graph.rules import JointJvp
from cgcli.graph.shapes import shape_text
from cgcli.graph.work import work_of
from cgcli.lowering.arguments import Expand
from cgcli.lowering.linear import fault
from cgcli.ops.entry import broadcast_shapes
from cgcli.ops.fitting import broadcast
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax import tree

MAX_DEPTH = 50  # of such functions in each other: each is computed inside the one around it
MAX_COST = 200_000  # operations in one call, those of the functions that it calls included

_interned: WeakValueDictionary[tuple[Body, Body], OwnFunction] = WeakValueDictionary()


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


def own_function(
    name: str,
    names: tuple[str, ...],
    body: Body,
    rule: Body,
    origins: Mapping[Node, Span],
    expand: Expand,
) -> OwnFunction:
    """The function that computes `body`, and whose tangent is `rule`.

    names: of the parameters, then of the tangents. Raises ArgumentError at the place where the rule is
    not linear, ShapeError when its shape is not the value's, TooLargeError.
    """
    found = _interned.get((body, rule))
    if found is not None:
        return found
    count = len(body.parameters)
    (value,), (tangent,) = body.outputs, rule.outputs
    wrong = fault(tangent, rule.parameters[count:-1], expand)
    if wrong is not None:
        spelled = " and ".join(names[count:])
        raise ArgumentError(f"the derivative rule of '{name}' is not linear in {spelled}: {wrong.reason}",
                            origins.get(wrong.node), hint="each of its terms is a factor times a tangent")  # fmt: skip
    if broadcast_shapes((tangent.shape, value.shape)) != value.shape:
        raise ShapeError(f"the derivative rule of '{name}' gives shape {shape_text(tangent.shape)}, "
                         f"and its value has {shape_text(value.shape)}", origins.get(tangent))  # fmt: skip
    order = toposort([value, tangent])
    inner = [function for node in order if (function := function_of(node)) is not None]
    depth = 1 + max((function.depth for function in inner), default=0)
    cost = len(order) + sum(function.cost for function in inner)
    if depth > MAX_DEPTH:
        raise TooLargeError(f"more than {MAX_DEPTH} functions with derivative rules of their own use each other")
    if cost > MAX_COST:
        raise TooLargeError(f"a call of '{name}' takes more than {MAX_COST} operations")
    made = OwnFunction(name, names, body, rule, depth, cost, sum(map(work_of, toposort([value]))))
    return _interned.setdefault((body, rule), made)


def call(function: OwnFunction, args: tuple[Node, ...]) -> Node:
    """A call of a function."""
    return apply(CALL, args, Called(function))


def _called(params: Params) -> OwnFunction:
    assert isinstance(params, Called)
    return params.function


def _kernel(*args: Any) -> Any:
    from cgcli.evaluate.compiled import compiled_body

    *arrays, function = args
    return compiled_body(function.body)(arrays)[0]


def _tangent(node: Node, tangents: tuple[Node, ...]) -> Node:
    """The function's rule at a call."""
    function = function_of(node)
    assert function is not None
    return broadcast(instantiated(function.rule, (*node.args, *tangents, node))[0], node.shape)


CALL = Operation(
    "call", "a function of the program's own", ("*args",), _kernel,
    lambda shapes, params: _called(params).value.shape, (JointJvp(_tangent),), python=_kernel,
    work=lambda shapes, params: _called(params).work,
)  # fmt: skip
