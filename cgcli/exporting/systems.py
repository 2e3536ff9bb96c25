"""Linear systems, inverses and determinants, by the elimination that a language's prelude has; Cholesky's factor."""

from __future__ import annotations

import math

from cgcli.exporting.code import Code, element_of
from cgcli.exporting.formulas import NotInTargetError
from cgcli.exporting.language import CHOICE, Text
from cgcli.graph.node import Node


def _eliminated(code: Code, node: Node, right: Node | None, columns: int) -> tuple[str, str, str]:
    """The call that solves the system of a node's matrix, and the rows that it changes: the matrix's triangle, and the
    solution.

    right: the right side, of so many columns; None for the identity. Raises NotInTargetError for a stack of matrices.
    """
    matrix = node.args[0]
    if len(matrix.shape) != 2 or (right is not None and len(right.shape) > 2):
        raise NotInTargetError(node)
    size = matrix.shape[0]
    triangle_row, solution = code.array(size * size), code.array(size * columns)
    code.fill(triangle_row, matrix)
    if right is not None:
        code.fill(solution, right)
    elif columns:
        code.loop(size, lambda i: code.assign(f"{solution}[{i}*{size + 1}]", code.language.number(1.0)))
    return f"{code.language.solve}({size}, {columns}, {triangle_row}, {solution})", triangle_row, solution


def solved(code: Code, node: Node) -> Text:
    """The solution of a linear system."""
    right = node.args[1]
    call, _, solution = _eliminated(code, node, right, math.prod(right.shape[1:]))
    code.write(code.language.statements.do, call=call)
    return element_of(solution)


def inverse(code: Code, node: Node) -> Text:
    """The inverse of a matrix."""
    call, _, solution = _eliminated(code, node, None, node.shape[-1])
    code.write(code.language.statements.do, call=call)
    return element_of(solution)


def determinant(code: Code, node: Node) -> Text:
    """A determinant, its sign, or the logarithm of its size: from the pivots, and the sign of their order."""
    call, pivots, _ = _eliminated(code, node, None, 0)
    language, name = code.language, node.op.name
    product = code.variable("s", call)
    total = code.variable("s", language.number(0.0)) if name.startswith("log") else ""

    def add(i: str) -> None:
        pivot = code.let(f"{pivots}[{i}*{node.args[0].shape[0] + 1}]")
        code.assign(product, f"{product}*{pivot if name == 'det' else language.calls['sign'].format(pivot)}")
        if total:
            code.assign(total, f"{total} + {language.calls['ln'].format(language.calls['abs'].format(pivot))}")

    code.loop(node.args[0].shape[0], add)
    if name != "logdet":
        return Text(total or product)
    is_below = f"{product} {language.sign_of('less')} {language.number(0.0)}"
    return code.kept(node, Text(language.choice.format(is_below, language.number(math.nan), total), CHOICE))


def cholesky(code: Code, node: Node) -> Text:
    """Cholesky's factor, row by row (Golub and Van Loan, Matrix Computations, 4.2); nan where there is none."""
    (matrix,), language = node.args, code.language
    if len(matrix.shape) != 2:
        raise NotInTargetError(node)
    size, nan = matrix.shape[0], language.number(math.nan)
    given, factor = code.row(matrix), code.array(size * size)
    last = f"{factor}[{size * size - 1}]"

    def left(i: str, j: str) -> str:
        total = code.variable("s", f"({given}[{i}*{size} + {j}] + {given}[{j}*{size} + {i}])/2")
        part = f"{factor}[{i}*{size} + {{0}}]*{factor}[{j}*{size} + {{0}}]"
        code.loop(j, lambda k: code.assign(total, f"{total} - {part.format(k)}"))
        return total

    def row(i: str) -> None:
        code.loop(i, lambda j: code.assign(f"{factor}[{i}*{size} + {j}]", f"{left(i, j)}/{factor}[{j}*{size + 1}]"))
        pivot = left(i, i)
        is_some = f"{pivot} {language.sign_of('greater')} {language.number(0.0)}"
        is_finite = f"{pivot} {language.sign_of('less')} {language.number(math.inf)}"
        root = language.calls["sqrt"].format(pivot)
        value = language.choice.format(f"{is_some} {language.sign_of('and')} {is_finite}", root, nan)
        code.assign(f"{factor}[{i}*{size + 1}]", value)

    code.loop(size, row)
    if size:
        code.block(language.statements.when, lambda: code.put(factor, size * size, lambda i: nan),
                   condition=f"{last} {language.sign_of('not_equal')} {last}")  # fmt: skip
    return element_of(factor)
