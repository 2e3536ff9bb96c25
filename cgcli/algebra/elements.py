"""Short arrays by their elements: sum([[c, 0], [0, s]] @ u) is c*u[0] + s*u[1], det([[a, b], [c, d]]) a*d - b*c."""

from __future__ import annotations

import math
from itertools import product as all_places

from cgcli.algebra.arrays import times
from cgcli.algebra.canonical import Canonical
from cgcli.algebra.coefficient import Number
from cgcli.algebra.known import is_known, known_value
from cgcli.algebra.product import Terms, add_terms, multiplied
from cgcli.evaluate.constants import as_constant
from cgcli.graph.node import CONSTANT, Node, apply, constant
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, SUBTRACT
from cgcli.ops.determinants import COFACTOR, DET
from cgcli.ops.indexing import INDEX, PUT, Index, Put, unraveled
from cgcli.ops.linalg import INV, MATMUL
from cgcli.ops.logic import WHERE
from cgcli.ops.reductions import PROD
from cgcli.ops.shaping import DIAG, RESHAPE, STACK, TRANSPOSE, Diagonal
from cgcli.ops.statics import Along, Axes, Taken
from cgcli.ops.sums import BROADCAST, SUM, Reduce

_MOST = 16  # elements of an array that is written out
_DEEPEST = 6  # operations that are looked through for an element
_Place = tuple[int, ...]
_WRITTEN_OUT = (STACK, PUT)  # arrays whose elements stand in the text
_LINEAR = (ADD, SUBTRACT, NEG, MULTIPLY, DIVIDE, WHERE)
_ZERO_ELEMENT = constant(0.0)


def in_elements(canonical: Canonical, node: Node) -> Node | None:
    """A scalar, or a short array, by its elements; None where they are not written out. Raises UnwritableError."""
    if not node.shape:
        return _scalar(canonical, node)
    if math.prod(node.shape) > _MOST or 0 in node.shape or not _has_list(node):
        return None
    elements = {place: _element(canonical, node, place) for place in _places(node.shape)}
    if any(element.op is INDEX and element.args[0] is node for element in elements.values()):
        return None
    return _listed(elements, node.shape)


def _has_list(node: Node) -> bool:
    return node.op is PUT or any(arg.op in _WRITTEN_OUT for arg in node.args)


def _scalar(canonical: Canonical, node: Node) -> Node | None:
    """A sum, a product, an inner product, an element, or a determinant, as a formula in elements."""
    if node.op is SUM:
        (x,) = node.args
        if not x.shape or math.prod(x.shape) > _MOST:
            return None
        return canonical.sum(_added(canonical, [_element(canonical, x, place) for place in _places(x.shape)]))
    if node.op is PROD and node.args[0].op in (*_WRITTEN_OUT, DIAG) and math.prod(node.args[0].shape) <= _MOST:
        elements = (_element(canonical, node.args[0], place) for place in _places(node.args[0].shape))
        return canonical.product(multiplied(*map(canonical.product_of, elements)))
    if node.op is MATMUL and node.args[0].shape[0] <= _MOST:
        return _inner(canonical, node.args[0], (), node.args[1], ())
    if node.op is INDEX:
        assert isinstance(node.params, Index)
        (x,) = node.args
        place = tuple(item for item in node.params.key if isinstance(item, int))
        found = _element(canonical, x, place)
        return None if found is node else found
    if node.op is DET and _is_two_by_two_list(node.args[0]):
        return _determinant(canonical, node.args[0])
    return None


def _is_two_by_two_list(node: Node) -> bool:
    return node.shape == (2, 2) and node.op is STACK


def _determinant(canonical: Canonical, matrix: Node) -> Node:
    """a*d - b*c of [[a, b], [c, d]]."""
    a, b, c, d = (_element(canonical, matrix, place) for place in _places((2, 2)))
    return canonical.sum(_added(canonical, [times(canonical, a, d), times(canonical, _negative(canonical, b), c)]))


def _cofactor(canonical: Canonical, matrix: Node, place: _Place) -> Node:
    """An element of [[d, -c], [-b, a]], for [[a, b], [c, d]]."""
    row, column = place
    other = _element(canonical, matrix, (1 - row, 1 - column))
    return other if row == column else _negative(canonical, other)


def _places(shape: _Place) -> list[_Place]:
    return list(all_places(*map(range, shape)))


def _listed(elements: dict[_Place, Node], shape: _Place) -> Node:
    """The array of the given elements, as nested lists."""
    items = [elements[place] for place in _places(shape)]
    for axis in range(len(shape) - 1, -1, -1):
        size = shape[axis]
        rows = [items[at : at + size] for at in range(0, len(items), size)]
        items = [_list(row) for row in rows]
    return items[0]


def _list(items: list[Node]) -> Node:
    if all(item.op is CONSTANT for item in items):
        return as_constant([known_value(item) for item in items])
    return apply(STACK, tuple(items), Along(-1 - len(items[0].shape)))


def _element(canonical: Canonical, node: Node, place: _Place, depth: int = _DEEPEST) -> Node:
    """The element of an array at a place: what it is computed from where that is short, else an index.

    depth: how many operations may be looked through.
    """
    if not node.shape:
        return node
    if is_known(node):
        value = known_value(node)
        if value is not None:
            return constant(float(value[place]))
    elif depth:
        found = _looked_through(canonical, node, place, depth - 1)
        if found is not None:
            return found
    return apply(INDEX, (node,), Index(place))


def _looked_through(canonical: Canonical, node: Node, place: _Place, depth: int) -> Node | None:
    """The element of what an operation makes of its arguments; None where an index is shorter."""
    op, params = node.op, node.params
    if op is STACK:
        assert isinstance(params, Along)
        axis = params.axis + len(node.shape)
        return _element(canonical, node.args[place[axis]], place[:axis] + place[axis + 1 :], depth)
    if op is PUT:
        assert isinstance(params, Put)
        return _of_put(canonical, node, params, place, depth)
    if op is TRANSPOSE:
        assert isinstance(params, Axes)
        rank = len(place)
        source = [0] * rank
        for at, axis in enumerate(params.axes):
            source[axis + rank] = place[at]
        return _element(canonical, node.args[0], tuple(source), depth)
    if op is RESHAPE:
        return _element(canonical, node.args[0], _unraveled(place, node.shape, node.args[0].shape), depth)
    if op is BROADCAST:
        return _element(canonical, node.args[0], _aligned(place, node.args[0]), depth)
    if op is DIAG and len(node.shape) == 2:
        assert isinstance(params, Diagonal)
        is_on_it = place[1] - place[0] == params.k
        return _element(canonical, node.args[0], (min(place),), depth) if is_on_it else _ZERO_ELEMENT
    if op in _LINEAR:
        return _of_elementwise(
            canonical, node, [_element(canonical, arg, _aligned(place, arg), depth) for arg in node.args]
        )
    if isinstance(params, Reduce) and params.keepdims and len(params.axes) == len(node.shape):
        return apply(op, node.args, params._replace(keepdims=False))
    if op.elementwise:  # sin([x, y])[0] = sin(x)
        elements = [_element(canonical, arg, _aligned(place, arg), depth) for arg in node.args]
        if not any(element.op is INDEX for element in elements):
            return apply(op, tuple(elements), params)
    if op in (COFACTOR, INV) and _is_two_by_two_list(node.args[0]):
        (matrix,) = node.args
        found = _cofactor(canonical, matrix, place if op is COFACTOR else place[::-1])
        return found if op is COFACTOR else times(canonical, found, _determinant(canonical, matrix), -1)
    if op is MATMUL:
        a, b = node.args
        if a.shape[-1] > _MOST or len(a.shape) > 2 or len(b.shape) > 2:
            return None
        row = place[: len(a.shape) - 1]
        return _inner(canonical, a, row, b, place[len(row) :], depth)
    return None


def _of_put(canonical: Canonical, node: Node, params: Put, place: _Place, depth: int) -> Node:
    """An element of an array that is put into an array of zeros."""
    inside = []
    for at, item in zip(place, params.place.key, strict=True):
        if isinstance(item, Taken):
            number, off = divmod(at - item.start, item.step)
            if off or not 0 <= number < item.size:
                return _ZERO_ELEMENT
            inside.append(number)
        elif item != at:
            return _ZERO_ELEMENT
    return _element(canonical, node.args[0], tuple(inside), depth)


def _unraveled(place: _Place, shape: _Place, source: _Place) -> _Place:
    """A place in an array of a shape, as the place in the array of shape `source` that it was reshaped from."""
    number = 0
    for at, size in zip(place, shape, strict=True):
        number = number * size + at
    return unraveled(number, source)


def _aligned(place: _Place, arg: Node) -> _Place:
    """A place of the result as one of an argument that is broadcast to it."""
    kept = place[len(place) - len(arg.shape) :]
    return tuple(0 if size == 1 else at for at, size in zip(kept, arg.shape, strict=True))


def _of_elementwise(canonical: Canonical, node: Node, args: list[Node]) -> Node | None:
    """An element of what an elementwise operation computes, from those of its arguments."""
    if node.op in (MULTIPLY, DIVIDE):
        return times(canonical, args[0], args[1], -1 if node.op is DIVIDE else 1)
    if node.op is WHERE:
        condition = known_value(args[0])
        return apply(WHERE, tuple(args)) if condition is None else args[1] if condition != 0 else args[2]
    first, *others = args
    if node.op is NEG:
        return _negative(canonical, first)
    second = others[0] if node.op is ADD else _negative(canonical, others[0])
    return canonical.sum(_added(canonical, [first, second]))


def _negative(canonical: Canonical, x: Node) -> Node:
    return times(canonical, constant(-1.0), x)


def _added(canonical: Canonical, parts: list[Node]) -> Terms:
    terms: dict[Node, Number] = {}
    for part in parts:
        add_terms(terms, canonical.terms_of(part))
    return terms


def _inner(canonical: Canonical, a: Node, row: _Place, b: Node, column: _Place, depth: int = _DEEPEST) -> Node | None:
    """An element of a matrix product: the products of a row and a column, added up.

    None where several are not 0 and one of these is a plain x[i]*y[j]: the matrix product is shorter.
    """
    pairs = [(_element(canonical, a, (*row, at), depth), _element(canonical, b, (at, *column), depth))
             for at in range(a.shape[-1])]  # fmt: skip
    kept = [pair for pair in pairs if not any(_is_zero(part) for part in pair)]
    if len(kept) > 1 and not all(any(part.op is not INDEX for part in pair) for pair in kept):
        return None
    return canonical.sum(_added(canonical, [times(canonical, *pair) for pair in kept]))


def _is_zero(node: Node) -> bool:
    return node.op is CONSTANT and known_value(node) == 0
