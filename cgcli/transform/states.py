"""Derivatives of what loops carry after each trip.

The tangent is what the tangent's loop carries after each trip. The adjoint is that of a loop that adds up, trip by
trip, the products of the values with their cotangents.
"""

from __future__ import annotations

from cgcli.annotations import Mapping, Sequence
from cgcli.graph.loops import States, fresh_leaves
from cgcli.graph.node import Node, apply, constant, rebuild
from cgcli.lowering.loops import looped
from cgcli.ops.arithmetic import ADD, MULTIPLY
from cgcli.ops.fitting import zeros_like
from cgcli.ops.indexing import ELEMENT
from cgcli.ops.logic import WHERE
from cgcli.ops.loops import packed_states, unpacked_states
from cgcli.ops.sums import SUM, Reduce
from cgcli.transform.exact import exact
from cgcli.transform.formulas import Slopes
from cgcli.transform.guarded import Guarded, replaced
from cgcli.transform.loops import in_one, tangents_of
from cgcli.transform.reverse import sweep

_NOUGHT, _ONE = constant(0.0), constant(1.0)


def tangent_of(node: Node, tangents: Mapping[int, Guarded], slopes: Slopes) -> Guarded:
    """The tangent of the states from those of the loop's arguments, by their places."""
    params = node.params
    assert isinstance(params, States)
    return in_one(tangents_of(params.loop, node.args, tangents, slopes, params.kept, each_trip=True), packed_states)


def adjoints_of(node: Node, adjoint: Guarded, wanted: Sequence[int], slopes: Slopes) -> dict[int, Guarded]:
    """The adjoints of the loop's arguments at the places `wanted`."""
    params = node.params
    assert isinstance(params, States)
    loop, count = params.loop, params.loop.carries
    *stand_ins, cotangent, guard = fresh_leaves([*(arg.shape for arg in node.args), node.shape, node.shape])
    carries = fresh_leaves([*loop.shapes, (), ()])
    *values, so_far, trip = carries
    inside = dict(zip(params.body.parameters, (*values, *stand_ins[count:]), strict=True))
    become = rebuild(params.body.outputs, exact, inside)
    nexts = [become[output] for output in params.body.outputs]
    total = so_far
    weights, guards = (unpacked_states(each, params.shapes) for each in (cotangent, guard))
    for at, weight, holds in zip(params.kept, weights, guards, strict=True):
        product = exact(MULTIPLY, (apply(ELEMENT, (weight, trip)), nexts[at]))
        if adjoint.guard is not None:
            product = exact(WHERE, (apply(ELEMENT, (holds, trip)), product, zeros_like(product)))
        axes = tuple(range(-len(product.shape), 0))
        total = exact(ADD, (total, exact(SUM, (product,), Reduce(axes, False)) if axes else product))
    (sum_of_products,) = looped(carries, [*stand_ins[:count], _NOUGHT, _NOUGHT],
                                [*nexts, total, apply(ADD, (trip, _ONE))], None, params.trips, [count])  # fmt: skip
    targets = [stand_ins[at] for at in wanted]
    found = sweep([sum_of_products], [Guarded(_ONE)], set(targets), slopes=slopes)
    known = dict(zip((*stand_ins, cotangent), (*node.args, adjoint.selected()), strict=True))
    known[guard] = adjoint.elementwise_guard()
    return replaced({at: found[target] for at, target in zip(wanted, targets, strict=True) if target in found}, known)
