"""Roots of equations: their tangents, by the implicit function theorem, and Newton's method as a loop that finds them.

Where g(x, a) = 0, dx = -g_x^-1 (g_a da). Newton's step is -g_x^-1 g.
"""

from __future__ import annotations

import math

from cgcli.annotations import Mapping, Sequence
from cgcli.graph.body import Body, leaves
from cgcli.graph.loops import Loop
from cgcli.graph.node import Node, apply, constant, constant_array, leaf, rebuild
from cgcli.lean import lru_cache, struct
from cgcli.lowering.arguments import Value
from cgcli.lowering.formula import lower_formula
from cgcli.lowering.series import is_elementwise
from cgcli.ops.arithmetic import ADD, DIVIDE, NEG
from cgcli.ops.fitting import zeros_like
from cgcli.ops.linalg import SOLVE
from cgcli.ops.roots import Root
from cgcli.ops.shaping import STACK, reshape
from cgcli.ops.statics import Along
from cgcli.transform.exact import exact
from cgcli.transform.formulas import Slopes
from cgcli.transform.forward import push_all
from cgcli.transform.guarded import Guarded
from cgcli.transform.reverse import sweep

# A trip tries c = x + t*d, which is taken where the equations are nearer to 0 there; else t is halved.
_NEXTS = {
    "x": "near ? c : x", "d": "near ? step : d", "f": "near ? size : f", "t": "near ? 1 : t/2", "n": "n + 1",
}  # fmt: skip
_GOES_ON = "f > 0 and {size}(t*d) > eps*{size}(x)"
_IS_FOUND = "f == 0 or f < inf and ({size}(d) <= eps^(1/3)*{size}(x) or max(f, {size}(d)) <= 4*eps)"


def tangent_of(node: Node, tangents: Mapping[int, Guarded], slopes: Slopes) -> Guarded:
    """The tangent of a root from those of its arguments, by their places; that of its start is nothing to it."""
    params = node.params
    assert isinstance(params, Root)
    leaves = params.body.parameters
    moving = {at: leaf(f"d{at}", leaves[at].shape) for at in tangents if at > 0}
    pushed = _pushed(params.body, {each: moving.get(at) for at, each in enumerate(leaves)})
    tangent = _divided(params.body, pushed)
    known = dict(zip(leaves, (node, *node.args[1:]), strict=True))
    known |= {moved: tangents[at].selected() for at, moved in moving.items()}
    return Guarded(rebuild([tangent], exact, known)[tangent])


def adjoints_of(node: Node, adjoint: Guarded, wanted: Sequence[int], slopes: Slopes) -> dict[int, Guarded]:
    """The adjoints of the arguments at the places `wanted`: w' dx = -(g_x^-T w)' (g_a da)."""
    params = node.params
    assert isinstance(params, Root)
    leaves = params.body.parameters
    weight = leaf("w", node.shape)
    seed = Guarded(_divided(params.body, weight, transposed=True))
    targets = {leaves[at]: at for at in wanted if at > 0}
    found = sweep(params.body.outputs, [seed], set(targets), slopes=slopes)
    known = dict(zip((*leaves, weight), (node, *node.args[1:], adjoint.selected()), strict=True))
    values = {targets[target]: each.selected() for target, each in found.items()}
    become = rebuild([*values.values()], exact, known)
    return {at: Guarded(become[value]) for at, value in values.items()}


def stepped(body: Body, args: Sequence[Node], rest: Node) -> Node:
    """One more step of Newton's method. args: the parameters of the body, at the root. rest: its output, 0 there."""
    value = leaf("g", rest.shape)
    step = _divided(body, value)
    become = rebuild([step], exact, dict(zip((*body.parameters, value), (*args, rest), strict=True)))
    return exact(ADD, (args[0], become[step]))


def _pushed(body: Body, tangents: dict[Node, Node | None]) -> Node:
    """The tangent of what is 0 at the root."""
    moved = {each: None if tangent is None else Guarded(tangent) for each, tangent in tangents.items()}
    (pushed,) = push_all(body.outputs, moved)
    return pushed.selected() if pushed else zeros_like(body.outputs[0])


def _is_diagonal(body: Body) -> bool:
    """Whether each unknown has an equation of its own."""
    x = body.parameters[0]
    return not x.shape or is_elementwise(body.outputs[0], x)


def _divided(body: Body, value: Node, *, transposed: bool = False) -> Node:
    """-g_x^-1 value: divided by a number for each unknown, or by a matrix, which may be transposed."""
    x, *others = body.parameters
    still: dict[Node, Node | None] = dict.fromkeys(others)
    if _is_diagonal(body):
        return exact(NEG, (exact(DIVIDE, (value, _pushed(body, {x: constant(1.0), **still}))),))
    size = math.prod(x.shape)
    columns = [reshape(_pushed(body, {x: reshape(_unit(at, size), x.shape), **still}), (size,)) for at in range(size)]
    matrix = exact(STACK, tuple(columns), Along(-2 if transposed else -1))
    return exact(NEG, (reshape(exact(SOLVE, (matrix, reshape(value, (size,)))), x.shape),))


def _unit(at: int, size: int) -> Node:
    return constant_array(struct.pack(f"<{size}d", *(float(at == other) for other in range(size))), (size,))


@lru_cache(maxsize=256)
def newton(body: Body) -> Loop:
    """Newton's method for a root, as a loop.

    Its carries are the unknowns, the step from there, how far the equations are from 0, the part of the step that is
    tried next, the trips made, and whether a root is found. Its other arguments are those that the equations read,
    then the relative step that ends the search, and the most trips.
    """
    x, *others = body.parameters
    diagonal = _is_diagonal(body)
    each = x.shape if diagonal else ()
    shapes = [x.shape, x.shape, each, each, (), (), *(other.shape for other in others), (), ()]
    places = leaves(shapes)
    names: dict[str, Value] = dict(zip(("x", "d", "f", "t", "n"), places, strict=False))
    names |= {"eps": places[-2], "most": places[-1]}
    c = lower_formula("x + t*d", names)
    (value,) = body.outputs
    become = rebuild(
        [value, step := _divided(body, value)], apply, dict(zip(body.parameters, (c, *places[6:-2]), strict=True))
    )
    names |= {"c": c, "value": become[value], "step": become[step]}
    names["size"] = lower_formula("abs(value)" if diagonal else "norm(value)", names)
    names["near"] = lower_formula("size < f", names)
    nexts = {name: lower_formula(text, names) for name, text in _NEXTS.items()}
    size, any_of, all_of = ("abs", "max({})", "min({})") if diagonal else ("norm", "{}", "{}")
    if not each:
        any_of = all_of = "{}"
    found = lower_formula(all_of.format(_IS_FOUND.format(size=size)), {**names, **nexts})
    going = lower_formula(f"n == 0 or n < most and {any_of.format(_GOES_ON.format(size=size))}", names)
    return Loop(Body(places, [*nexts.values(), found, going]), None)
