"""Derivatives as expressions: `jvp f(x; dx)`, tangents of results, and `vjp f(x; w)`, adjoints of arguments."""

from __future__ import annotations

from cgcli.annotations import MutableMapping, Sequence
from cgcli.errors import ArgumentError, ShapeError, Span
from cgcli.graph.loops import fresh_leaves
from cgcli.graph.node import Node
from cgcli.graph.operation import imported
from cgcli.graph.shapes import shaped
from cgcli.lowering.arguments import Value
from cgcli.lowering.indices import value_of
from cgcli.lowering.invoke import Scope, Several, Steps
from cgcli.lowering.loops import moved
from cgcli.ops.fitting import broadcast
from cgcli.syntax import tree

_OF_MODE = {"jvp": ("tangent", "argument"), "vjp": ("cotangent", "result")}


def derived(item: tree.Derived, values: Sequence[Value], scope: Scope, origins: MutableMapping[Node, Span]) -> Steps:
    """The value of jvp f(…; …) or vjp f(…; …); several where f has several results, or arguments.

    values: of the arguments, of what moves, and of the guards. With guards, those of the adjoints follow the adjoints.
    The function is differentiated at leaves of its own, so that what it reads besides its arguments counts as constant.
    Raises ArgumentError for a wrong number of tangents, cotangents or guards, ShapeError for their shapes.
    """
    spans = [part.span for part in (*item.args, *item.moved, *item.guards)]
    nodes = [value_of(value, span) for value, span in zip(values, spans, strict=True)]
    count, ends = len(item.args), len(item.args) + len(item.moved)
    leaves = fresh_leaves([node.shape for node in nodes[:count]])
    names = [tree.Name(f"\0{at}", arg.span) for at, arg in enumerate(item.args)]
    call = tree.Call(item.function, tuple(names), (), item.span, item.where)
    (value,) = yield (call,), Scope({name.name: leaf for name, leaf in zip(names, leaves, strict=True)}, scope.inside)
    results = value.values if isinstance(value, Several) else (value_of(value, item.span),)
    moving = leaves if item.mode == "jvp" else results
    what, of = _OF_MODE[item.mode]
    if len(item.moved) != len(moving):
        raise ArgumentError(f"'{item.function}' has {_counted(len(moving), of)}, and {_counted(len(item.moved), what)} "
                            f"follow{'s' * (len(item.moved) == 1)}", item.span,
                            hint=f"one {what} for each {of} stands behind the ';'")  # fmt: skip
    if item.guards and (item.mode == "jvp" or len(item.guards) != len(item.moved)):
        raise ArgumentError("what follows the second ';' is 0 or 1 for each cotangent", item.span,
                            hint=f"as in: vjp {item.function}(x; w; w != 0)")  # fmt: skip
    weights = [_fitted(*each) for each in zip(nodes[count:ends], moving, spans[count:ends], strict=True)]
    guards = [_fitted(*each) for each in zip(nodes[ends:], moving, spans[ends:], strict=bool(item.guards))]
    find = imported("cgcli.transform.differentiate:of_function")
    found = find(item.mode, results, leaves, weights, guards)
    become = moved(found, dict(zip(leaves, nodes, strict=False)), None)
    for new in become.values():
        if new.args:
            origins.setdefault(new, item.span)
    given = tuple(become[node] for node in found)
    return given[0] if len(given) == 1 else Several(given)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _fitted(weight: Node, moving: Node, span: Span) -> Node:
    """A tangent or a cotangent in the shape of what moves."""
    if weight.shape not in ((), moving.shape):
        raise ShapeError(f"this has {shaped(weight.shape)}, and what moves has {shaped(moving.shape)}", span)
    return broadcast(weight, moving.shape)
