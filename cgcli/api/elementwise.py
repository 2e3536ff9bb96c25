"""What acts element by element and is mostly meant otherwise: a matrix to the power -1, a column against a vector."""

from __future__ import annotations

from cgcli.annotations import Iterator
from cgcli.api.notices import Notice
from cgcli.graph.node import VARIABLE, Graph, Node, constant_value, name_of, toposort
from cgcli.graph.shapes import shape_text
from cgcli.ops.arithmetic import POWER_OP
from cgcli.ops.linalg import MATMUL
from cgcli.ops.shaping import CONCAT, STACK


def doubtful(graph: Graph) -> Iterator[Notice]:
    """A notice for each of them that stands in the program's text."""
    for node in toposort(graph.outputs):
        if node.op is MATMUL and (power := next(filter(_is_inverse, node.args), None)) is not None:
            span = graph.origins.get(power)
            name = name_of(power.args[0]) if power.args[0].op is VARIABLE else "A"
            hint = f"the inverse is inv({name}), and inv({name}) @ b is solve({name}, b)"
            yield Notice("'^' acts on each element of a matrix", hint, span, {"kind": "reading", "node": node.op.name})
        elif node.op in (CONCAT, STACK) and len(node.args) == 1 and node.args[0].op is STACK and node in graph.origins:
            source, span = graph.source, graph.origins[node]
            if source.text.startswith(node.op.name, span.start):
                yield Notice(f"{node.op.name} takes each array as an argument, and this is one list",
                             f"write {node.op.name}(x, y), without the square brackets", span,
                             {"kind": "reading", "node": node.op.name})  # fmt: skip
        elif node.op.elementwise and node in graph.origins and (pair := _column_and_vector(node)) is not None:
            made = " and ".join(("a column " if at else "a vector ") + shape_text(shape) for at, shape in pair)
            yield Notice(
                f"{made} make {shape_text(node.shape)}, each with each",
                "for one with one, give both the same shape: reshape(x, size(x)) of a column is a vector",
                graph.origins[node], {"kind": "reading", "node": node.op.name},
            )  # fmt: skip


def _is_inverse(node: Node) -> bool:
    square = len(node.shape) == 2 and node.shape[0] == node.shape[1] > 1
    return square and node.op is POWER_OP and constant_value(node.args[1]) == -1


def _column_and_vector(node: Node) -> list[tuple[bool, tuple[int, ...]]] | None:
    """Two operands' shapes, and which one is a column, where one meets a vector that was not made one on purpose."""
    if len(node.args) != 2 or len(node.shape) != 2:
        return None
    first, second = node.args
    for column, vector in ((first, second), (second, first)):
        if column.shape == (*vector.shape, 1) and vector.shape[0] > 1 and column.op in (VARIABLE, MATMUL):
            return [(arg is column, arg.shape) for arg in node.args]
    return None
