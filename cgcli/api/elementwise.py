"""What acts element by element and is mostly meant otherwise: a matrix to the power -1, its inverse times a vector, a
column against a vector.
"""

from __future__ import annotations

from cgcli.annotations import Iterator
from cgcli.api.notices import Notice
from cgcli.graph.node import VARIABLE, Graph, Node, constant_value, toposort
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import MULTIPLY, POWER_OP
from cgcli.ops.entry import broadcast_shapes
from cgcli.ops.linalg import INV, MATMUL
from cgcli.ops.shaping import CONCAT, STACK, TRANSPOSE


def doubtful(graph: Graph) -> Iterator[Notice]:
    """A notice for each of them that stands in the program's text."""
    order = toposort(graph.outputs)
    factors = {arg for node in order if node.op is MATMUL for arg in node.args}
    for node in order:
        if node.op is POWER_OP and node in graph.origins and _is_inverse(node):
            name = _written(graph, node.args[0])
            hint = f"the inverse is inv({name}), and inv({name}) @ b is solve({name}, b)"
            yield Notice("'^' acts on each element of a matrix", hint, graph.origins[node],
                         {"kind": "reading", "node": node.op.name})  # fmt: skip
        elif node.op is MULTIPLY and node in graph.origins and _is_inverse_times_vector(node):
            left, right = (_written(graph, arg) for arg in node.args)
            yield Notice("'*' acts on each element of a matrix", f"the product of arrays is {left} @ {right}",
                         graph.origins[node], {"kind": "reading", "node": node.op.name})  # fmt: skip
        elif node.op is TRANSPOSE and len(node.shape) > 2 and node in factors and node in graph.origins:
            source, span = graph.source, graph.origins[node]
            if source.text[span.start : span.end].endswith(".T"):
                name = _written(graph, node.args[0])
                yield Notice(f".T turns all {len(node.shape)} axes of an array around",
                             f"to transpose each of its matrices, write matrix_transpose({name})", span,
                             {"kind": "reading", "node": node.op.name})  # fmt: skip
        elif node.op in (CONCAT, STACK) and len(node.args) == 1 and node.args[0].op is STACK and node in graph.origins:
            source, span = graph.source, graph.origins[node]
            if source.text.startswith(node.op.name, span.start):
                yield Notice(f"{node.op.name} takes each array as an argument, and this is one list",
                             f"write {node.op.name}(x, y), without the square brackets", span,
                             {"kind": "reading", "node": node.op.name})  # fmt: skip
        elif (
            (node.op.elementwise or node.op.expansion)
            and node in graph.origins
            and (pair := _column_and_vector(node)) is not None
        ):
            made = " and ".join(("a column " if at else "a vector ") + shape_text(shape) for at, shape in pair)
            (_, one), (_, other) = pair
            yield Notice(
                f"{made} make {shape_text(broadcast_shapes((one, other)))}, each with each",
                "for one with one, give both the same shape: reshape(x, size(x)) of a column is a vector",
                graph.origins[node], {"kind": "reading", "node": node.op.name},
            )  # fmt: skip


def _is_inverse(node: Node) -> bool:
    matrix, exponent = node.args
    square = len(matrix.shape) == 2 and matrix.shape[0] == matrix.shape[1] > 1
    return square and constant_value(exponent) == -1


def _is_inverse_times_vector(node: Node) -> bool:
    left, right = node.args
    return left.op is INV and len(right.shape) == 1


def _written(graph: Graph, node: Node) -> str:
    """A node as it stands in the program's text."""
    span = graph.origins.get(node)
    return "A" if span is None else graph.source.text[span.start : span.end]


def _column_and_vector(node: Node) -> list[tuple[bool, tuple[int, ...]]] | None:
    """Two operands' shapes, and which one is a column, where one meets a vector that was not made one on purpose."""
    if len(node.args) != 2:
        return None
    first, second = node.args
    for column, vector in ((first, second), (second, first)):
        if len(vector.shape) == 1 and column.shape == (*vector.shape, 1) and vector.shape[0] > 1:
            while column.op.elementwise and any(arg.shape == column.shape for arg in column.args):
                column = next(arg for arg in column.args if arg.shape == column.shape)
            if column.op in (VARIABLE, MATMUL):
                return [(len(arg.shape) == 2, arg.shape) for arg in node.args]
    return None
