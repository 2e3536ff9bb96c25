"""Jacobians and Hessians by a vector as formulas: a directional derivative is a linear map, and this is its matrix."""

from __future__ import annotations

from functools import reduce

from cgcli.algebra.algebraic import Simplifier
from cgcli.annotations import Sequence
from cgcli.derivatives.book import expanded
from cgcli.graph.node import Graph, Node, constant, constant_value, leaf, toposort
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, SUBTRACT
from cgcli.ops.creation import ZEROS
from cgcli.ops.fitting import broadcast, ones_like
from cgcli.ops.linalg import MATMUL, SOLVE
from cgcli.ops.logic import WHERE
from cgcli.ops.shaping import DIAG, RESHAPE, diagonals, outer, reshape, transpose
from cgcli.ops.sums import BROADCAST, MEAN, SUM, Reduce
from cgcli.records import NamedTuple
from cgcli.transform.differentiate import jvp
from cgcli.transform.exact import exact


def matrix_derivative(graph: Graph, by: Node, order: int) -> Graph | None:
    """The Jacobian of a vector by a vector, of shape output.shape + by.shape, or the Hessian of a scalar, for order 2.

    None where no formula is found.
    """
    simplifier = Simplifier()
    graph = simplifier.where_defined(graph)
    output = graph.output
    if (len(output.shape), len(by.shape), order) == (0, 1, 2):
        found = _matrix(output, by)
        if found is None:
            return None
        output = simplifier(graph._replace(outputs=(found,), origins={})).output
    elif (len(output.shape), len(by.shape), order) != (1, 1, 1):
        return None
    matrix = _matrix(output, by)
    if matrix is None:
        return None
    return simplifier(graph._replace(outputs=(matrix,), origins={}, idle=(), names=()))


class _Linear(NamedTuple):
    """A linear map of a vector t of k numbers: diagonal*t + dense @ t.

    diagonal: a vector of k numbers. dense: of the value's shape, with k columns. None for what is 0.
    """

    diagonal: Node | None
    dense: Node | None

    def matrix(self) -> Node:
        """All of it as one matrix, or as one row."""
        return _added(self.diagonal and _diag(self.diagonal), self.dense)


def _matrix(output: Node, by: Node) -> Node | None:
    """The matrix, or for a scalar the gradient, of the derivative of an output along a direction."""
    direction = leaf("direction", by.shape)
    primal = expanded(output)
    (tangent,) = primal.as_written([jvp(primal.output, {by: direction}, primal.slopes([by]))])
    maps: dict[Node, _Linear | None] = {direction: _Linear(ones_like(direction), None)}
    active = {direction}
    for node in toposort([tangent]):
        if active.isdisjoint(node.args):
            continue
        active.add(node)
        found = _map(node, [maps.get(arg) for arg in node.args], [arg in active for arg in node.args])
        maps[node] = found and _of_shape(found, node, by)
    if tangent not in active:
        return broadcast(constant(0.0), (*output.shape, *by.shape))
    found = maps[tangent]
    return found and found.matrix()


def _of_shape(found: _Linear, node: Node, by: Node) -> _Linear | None:
    """The map with as many rows as the node has; None where a vector of one number is repeated."""
    if found.diagonal is not None and not found.diagonal.shape == node.shape == by.shape:
        return None
    return found._replace(dense=found.dense and broadcast(found.dense, (*node.shape, *by.shape)))


def _map(node: Node, maps: Sequence[_Linear | None], active: Sequence[bool]) -> _Linear | None:
    """The map of a node, from the maps of its active arguments; None where no rule here applies."""
    if any(is_active and known is None for is_active, known in zip(active, maps, strict=True)) or len(node.shape) > 1:
        return None
    op, args = node.op, node.args
    known = [found for found in maps if found is not None]
    first = known[0]
    if op is NEG:
        return _Linear(*(part and exact(NEG, (part,)) for part in first))
    if op in (ADD, SUBTRACT) and len(known) == 2:
        return _Linear(*(_combined(node, *parts) for parts in zip(*known, strict=True)))
    if op is MULTIPLY and len(known) == 1:
        return _times(first, args[0 if active[1] else 1], node)
    if op is DIVIDE and active == [True, False]:
        return _times(first, exact(DIVIDE, (constant(1.0), args[1])), node)
    if op is MATMUL and len(known) == 1:
        return _matrix_product(first, args[0], left=True) if active[1] else _matrix_product(first, args[1], left=False)
    if op is SOLVE and active == [False, True]:
        return _Linear(None, exact(SOLVE, (args[0], first.matrix())))
    if op in (SUM, MEAN) and len(args[0].shape) == 1:
        return _sum(first, node)
    if op in (BROADCAST, RESHAPE) and first.diagonal is None and first.dense is not None:
        shape = (*node.shape, first.dense.shape[-1])
        return _Linear(None, reshape(first.dense, shape) if op is RESHAPE else broadcast(first.dense, shape))
    if op is WHERE and not active[0]:
        return _choice(node, maps, active)
    return None


def _added(*parts: Node | None) -> Node:
    """The sum of one part or two."""
    return reduce(lambda x, y: exact(ADD, (x, y)), [part for part in parts if part is not None])


def _combined(node: Node, x: Node | None, y: Node | None) -> Node | None:
    """The sum or difference of two parts."""
    if x is None or y is None:
        return x if y is None else exact(NEG, (y,)) if node.op is SUBTRACT else y
    return exact(node.op, (x, y))


def _times(found: _Linear, factor: Node, node: Node) -> _Linear | None:
    """The map times a number, or times a vector element by element."""
    diagonal, dense = found
    if diagonal is not None:
        diagonal = exact(MULTIPLY, (factor, diagonal))
    if dense is None:
        return _Linear(diagonal, None)
    if not factor.shape:
        return _Linear(diagonal, exact(MULTIPLY, (factor, dense)))
    if len(dense.shape) == 1 or dense.shape[0] == 1:
        return _Linear(diagonal, outer(factor, reshape(dense, dense.shape[-1:])))
    return _Linear(diagonal, exact(MULTIPLY, (_column(factor), dense)))


def _matrix_product(found: _Linear, matrix: Node, left: bool) -> _Linear | None:
    """The map of matrix @ x, or with left False of x @ matrix, for an x of one axis."""
    if len(matrix.shape) > 2:
        return None
    if not left and len(matrix.shape) == 2:
        matrix = transpose(matrix, (-1, -2))
    diagonal = found.diagonal
    if diagonal is not None:
        diagonal = matrix if diagonal is ones_like(diagonal) else exact(MULTIPLY, (matrix, diagonal))
    return _Linear(None, _added(diagonal, found.dense and exact(MATMUL, (matrix, found.dense))))


def _sum(found: _Linear, node: Node) -> _Linear:
    """The map of the sum, or the mean, of a vector."""
    total = _added(found.diagonal, found.dense and exact(SUM, (found.dense,), Reduce((-2,), False)))
    if node.op is MEAN:
        total = exact(DIVIDE, (total, constant(float(node.args[0].shape[0]))))
    return _Linear(None, reshape(total, (*node.shape, total.shape[-1])))


def _choice(node: Node, maps: Sequence[_Linear | None], active: Sequence[bool]) -> _Linear | None:
    """The map of where(condition, x, y); None where a branch is neither active nor 0."""
    condition = node.args[0]
    branches = [found or _Linear(None, None) for found in maps[1:]]
    if any(not is_active and not _is_zero(arg) for is_active, arg in zip(active[1:], node.args[1:], strict=True)):
        return None
    chosen = []
    for choice, parts in zip((condition, _column(condition) if condition.shape else condition),
                             zip(*branches, strict=True), strict=True):  # fmt: skip
        x, y = (part or constant(0.0) for part in parts)
        chosen.append(exact(WHERE, (choice, x, y)) if any(parts) else None)
    return _Linear(*chosen)


def _is_zero(x: Node) -> bool:
    return x.op is ZEROS or constant_value(x) == 0


def _column(x: Node) -> Node:
    return reshape(x, (*x.shape, 1))


def _diag(x: Node) -> Node:
    return exact(DIAG, (x,), diagonals(x))
