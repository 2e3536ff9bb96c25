"""Arrays as LaTeX: elements and slices, sums over indices, products of matrices, norms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import cast

from cgcli.graph.node import VARIABLE, Node, name_of
from cgcli.ops.indexing import INDEX
from cgcli.ops.linalg import MATMUL
from cgcli.ops.shaping import DIAG, TRANSPOSE
from cgcli.ops.sums import SUM as SUM_OF_ELEMENTS
from cgcli.printing.expression import given_statics
from cgcli.printing.tex.calls import call, function, variable
from cgcli.printing.tex.layout import (
    ATOM,
    BIG,
    POSTFIX,
    POWER,
    PRODUCT,
    Form,
    Layout,
    Part,
    Piece,
    Setting,
    View,
    delimiters,
    fixed,
)
from cgcli.printing.tex.products import joint


def reaches_elements(node: Node) -> bool:
    """Whether an element of it is written by elements of what it is made of."""
    return node.op.elementwise or "_{axis}" in node.op.latex or node.op is INDEX or _is_transpose(node)


def subscripted(whole: View, index: Sequence[str]) -> Form:
    """An element of what is written as a whole."""
    pieces = (Part(whole, ATOM), f"_{{{','.join(index)}}}")
    return Form([whole], lambda given: Layout(POSTFIX, pieces, given[0].tall))


def index_form(view: View, setting: Setting) -> Form:
    """An element or a slice: its own items, and those of the view in place of its ':'."""
    node = view.node
    (arg,) = node.args
    ((_, text),) = given_statics(node)
    outer = iter(view.items or (":",) * len(node.shape))
    index: list[str] = []
    for item in text.split(", "):
        place = item if item.isdigit() else next(outer)
        if item != place and ":" not in (item, place):  # an element of a slice
            return subscripted(View(node, (), view.depth), view.items)
        index.append(item if place == ":" else place)
    if arg.op is VARIABLE and setting.name(arg) is None:
        return fixed(variable(name_of(arg), index))
    return subscripted(View(arg, (), view.depth), index)


def _is_transpose(node: Node) -> bool:
    """Whether it turns rows to columns."""
    return node.op is TRANSPOSE and node.params == ((-1, -2),)


def transpose(view: View, setting: Setting) -> Form:
    """A matrix turned over; an element of it is one of the matrix."""
    if not _is_transpose(view.node):
        return function(view, setting)
    arg = View(view.node.args[0], view.items[::-1], view.depth)
    if view.items:
        return Form([arg], lambda given: given[0]._replace(pieces=(Part(arg),)))
    return Form([arg], lambda given: Layout(POWER, (Part(arg, POSTFIX), r"^{\top}"), given[0].tall))


def reduction(view: View, setting: Setting) -> Form:
    """A sum sign or its like: a letter for each axis that it runs over, and its body's elements under them."""
    node = view.node
    (arg,) = node.args
    along, kept = cast("tuple[tuple[int, ...], bool]", node.params)
    if node.op is SUM_OF_ELEMENTS and arg.op is DIAG and len(arg.args[0].shape) == 2 and setting.name(arg) is None:
        return call(r"\operatorname{tr}", [View(arg.args[0], (), view.depth)])
    outer = [*(view.items or (":",) * len(node.shape))]
    letters = [setting.letter(view.depth + at) for at in range(len(along))]
    index: list[str] = []
    waiting = iter(letters)
    for at in range(-len(arg.shape), 0):
        if at in along:
            index.append(next(waiting))
            del outer[: 1 if kept else 0]
        else:
            index.append(outer.pop(0))
    body = View(arg, tuple(index) if letters else view.items, view.depth + len(letters))
    head = node.op.latex.replace("#1", "").replace("{size}", f"{{{math.prod(arg.shape[at] for at in along)}}}")
    head = head.replace("_{axis}", f"_{{{','.join(letters)}}}" if letters else "")
    first = "digit" if head.startswith(r"\frac") else ""
    return Form([body], lambda given: Layout(BIG, (head, Part(body, BIG)), tall=True, first=first))


def matrix_product(view: View, setting: Setting) -> Form:
    """Side by side; a vector on the left is a row."""
    left, right = (View(arg, (), view.depth) for arg in view.node.args)
    is_row = left.rank == 1 and not _is_row(left.node, setting)

    def build(given: Sequence[Layout]) -> Layout:
        row: tuple[Piece, ...] = (Part(left, POSTFIX), r"^{\top}") if is_row else (Part(left, PRODUCT),)
        near = given[0]._replace(last="") if is_row or given[0].level < PRODUCT else given[0]
        far = given[1] if given[1].level >= PRODUCT else given[1]._replace(first="")
        between = joint(near, far, same=False)
        tall = given[0].tall or given[1].tall
        return Layout(PRODUCT, (*row, between, Part(right, PRODUCT)), tall, first=near.first, last=far.last)

    return Form([left, right], build)


def _is_row(node: Node, setting: Setting) -> bool:
    """Whether a vector is written as a row already, as that of x @ A."""
    if node.op is not MATMUL or setting.name(node) is not None:
        return False
    left, right = node.args
    return len(left.shape) == 1 and len(right.shape) == 2


def norm(view: View, setting: Setting) -> Form:
    """The Euclidean norm of a vector, the Frobenius norm of a matrix."""
    if given_statics(view.node):
        return function(view, setting)
    arg = view.argument(0)
    mark = "_{F}" if arg.rank > 1 else ""

    def build(given: Sequence[Layout]) -> Layout:
        before, after = delimiters(r"\lVert", r"\rVert", given[0].tall)
        return Layout(POSTFIX, (f"{before} ", Part(arg), f" {after}{mark}"), given[0].tall)

    return Form([arg], build)


def identity(view: View, setting: Setting) -> Form:
    """The identity matrix of some size."""
    return fixed(Layout(POSTFIX, (f"I_{{{view.node.params[0]}}}",)))


def filled(digit: str) -> Callable[[View, Setting], Form]:
    """An array of one number again and again, as that number in bold."""

    def form(view: View, setting: Setting) -> Form:
        size = r" \times ".join(map(str, view.node.shape))
        return fixed(Layout(POSTFIX, (rf"\mathbf{{{digit}}}_{{{size}}}",)))

    return form
