"""Derivatives of graphs, as graphs: adjoints in reverse mode, tangents in forward mode.

Both apply the one rule that the table holds for each operation (see forward.py, reverse.py).
A result is an ordinary graph: it can be evaluated, printed, drawn, and differentiated again.
"""

from __future__ import annotations

from cgcli.annotations import Callable, Container, Mapping, Sequence
from cgcli.graph.node import Node, apply, rebuild, toposort
from cgcli.ops.fitting import ones_like, zeros_like
from cgcli.transform.formulas import Slopes, shown, slope
from cgcli.transform.guarded import Guarded, plain
from cgcli.transform.reverse import Flow, pull_back, sweep


def vjp(output: Node, cotangent: Node, wrt: Sequence[Node], slopes: Slopes = slope) -> tuple[Node, ...]:
    """The vector-Jacobian product: for each node of `wrt`, its adjoint, of its shape.

    cotangent: a node of the output's shape, by which each of its elements is weighted. slopes: the partials.
    """
    found = sweep([output], [Guarded(cotangent)], set(wrt), slopes=slopes)
    return tuple(found[node].selected() if node in found else zeros_like(node) for node in wrt)


def adjoints(
    outputs: Sequence[Node],
    cotangents: Sequence[Node],
    wrt: Sequence[Node],
    record: Callable[[Flow], None] | None = None,
) -> Mapping[Node, Node]:
    """The adjoint of every node between `wrt` and the outputs that has one.

    cotangents: for each output, a node of its shape; their zeros are structural.
    record: told of every contribution as it is added. Below a step, as floor, nothing has one.
    """
    found = _swept(outputs, cotangents, wrt, keep=True, record=record, slopes=shown)
    return {node: adjoint.selected() for node, adjoint in found.items()}


def partials(node: Node, active: Container[Node]) -> list[Node | None]:
    """For each argument the derivative of a node by it alone, element by element, of the argument's shape.

    active: the arguments of interest; None for another, and where the elements of the node and of the argument do not
    belong together, as in a product of matrices.
    """
    found: list[Node | None] = [None] * len(node.args)
    for arg, contribution in pull_back(node, Guarded(ones_like(node)), active):
        if not node.shape or (node.op.elementwise and arg.shape == node.shape):
            free = (at for at, each in enumerate(node.args) if each is arg and found[at] is None)
            found[next(free)] = contribution.selected()
    return found


def jvp(output: Node, tangents: Mapping[Node, Node], slopes: Slopes = slope) -> Node:
    """The Jacobian-vector product: the tangent of the output, of its shape.

    tangents: for each input that moves, a node of its shape. slopes: the partials.
    """
    from cgcli.transform.forward import push_through

    pushed = push_through(output, {node: Guarded(tangent) for node, tangent in tangents.items()}, slopes)
    (found,) = _narrowed([pushed.selected() if pushed else zeros_like(output)], toposort([output]))
    return found


def pushforward(outputs: Sequence[Node], tangents: Mapping[Node, Node], *, structural: bool = True) -> tuple[Node, ...]:
    """The tangents of several outputs, each as of `jvp`; the zeros of the given tangents are structural.

    What has no tangent is left out, even where 0*inf would be nan. With unit vectors for
    tangents: columns of the Jacobian. structural: False where 0 is a number as any other, which takes fewer operations
    and makes no difference where all is finite.
    """
    from cgcli.transform.forward import push_all

    seed = Guarded.seed if structural else plain
    pushed = push_all(outputs, {node: seed(tangent) for node, tangent in tangents.items()})
    found = [moved.selected() if moved else zeros_like(output) for output, moved in zip(outputs, pushed, strict=True)]
    return tuple(_narrowed(found, toposort(outputs)))


def pullback(
    outputs: Sequence[Node],
    cotangents: Sequence[Node],
    wrt: Sequence[Node],
    *,
    again: bool = False,
    structural: bool = True,
) -> tuple[Node, ...]:
    """The adjoints by several outputs, `vjp` of each added up; the zeros of the given cotangents are structural.

    With unit vectors for cotangents: rows of the Jacobian. again: they are differentiated once more, so that a
    structural zero has to be a select, for a product with 0 has the derivative 0*inf where the other factor's is inf.
    structural: as in `pushforward`.
    """
    order = toposort(outputs)
    found = _swept(outputs, cotangents, wrt, keep=False, order=order, again=again, structural=structural)
    if again:
        found = {node: each if each.gaps else each._replace(zeroed=False) for node, each in found.items()}
    adjoints = [found[node].selected() if node in found else zeros_like(node) for node in wrt]
    return tuple(_narrowed(adjoints, order))


def of_function(
    mode: str, outputs: Sequence[Node], leaves: Sequence[Node], moved: Sequence[Node], guards: Sequence[Node]
) -> list[Node]:
    """The derivatives of a function's results by the leaves that stand for its arguments, as the language has them.

    mode: 'jvp', the tangents of the outputs from those of the leaves; 'vjp', the adjoints of the leaves from the
    cotangents of the outputs. The zeros of constants among these are structural. guards: of the cotangents, which are 0
    where a guard is; if there are any, the guards of the adjoints follow the adjoints.
    """
    from cgcli.transform.forward import push_all

    if mode == "jvp":
        pushed = push_all(outputs, {leaf: _given(tangent) for leaf, tangent in zip(leaves, moved, strict=True)})
        return [one.selected() if one else zeros_like(output) for one, output in zip(pushed, outputs, strict=True)]
    seeds = [Guarded(weight, guard, zeroed=True) for weight, guard in zip(moved, guards, strict=False)]
    pairs = zip(outputs, seeds or map(_given, moved), strict=True)
    seeded = [(output, seed) for output, seed in pairs if seed]
    found = sweep([output for output, _ in seeded], [seed for _, seed in seeded], set(leaves))
    adjoints = [found[leaf].selected() if leaf in found else zeros_like(leaf) for leaf in leaves]
    if guards:
        adjoints += [found[leaf].elementwise_guard() if leaf in found else zeros_like(leaf) for leaf in leaves]
    return adjoints


def _narrowed(found: Sequence[Node], keep: Sequence[Node]) -> Sequence[Node]:
    """Derivatives, whose loops carry nothing that nobody reads.

    keep: all nodes of what was differentiated, which is run anyway: its loops stay. Where there is nothing among them
    but elementwise operations, the derivatives have no loops.
    """
    if all(node.op.elementwise or not node.args for node in keep) or all(
        node.op.name != "loop" for node in toposort(found)
    ):
        return found
    from cgcli.lowering.loops import narrowed

    while become := narrowed(found, keep=keep):
        become = rebuild(found, apply, become)
        found = [become[node] for node in found]
    return found


def _given(weight: Node) -> Guarded | None:
    """A tangent or a cotangent that is an argument; None when all of it is a structural zero."""
    from cgcli.ops.loops import implied_guard

    guard = implied_guard(weight)
    if guard is ones_like(weight):
        return Guarded(weight)
    return None if guard is zeros_like(weight) else Guarded(weight, guard, zeroed=True)


def _swept(
    outputs: Sequence[Node],
    cotangents: Sequence[Node],
    wrt: Sequence[Node],
    *,
    keep: bool,
    record: Callable[[Flow], None] | None = None,
    slopes: Slopes = slope,
    order: Sequence[Node] | None = None,
    again: bool = False,
    structural: bool = True,
) -> dict[Node, Guarded]:
    """The sweep from all outputs, without those whose cotangent is zero.

    order: of all that the outputs need. again: as in `sweep`. structural: as in `pushforward`.
    """
    seed_of = Guarded.seed if structural else plain
    seeds = [(output, seed_of(cotangent)) for output, cotangent in zip(outputs, cotangents, strict=True)]
    seeded = [(output, seed) for output, seed in seeds if seed]
    outputs, starts = [output for output, _ in seeded], [seed for _, seed in seeded]
    return sweep(outputs, starts, set(wrt), keep=keep, record=record, slopes=slopes, order=order, again=again)
