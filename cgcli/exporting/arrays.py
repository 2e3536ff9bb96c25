"""Operations on arrays as loops over their elements."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Sequence
from cgcli.evaluate.kernels import kernel_of
from cgcli.exporting.code import HERE, Code, Make, element_of
from cgcli.exporting.formulas import NotInTargetError
from cgcli.exporting.language import CHOICE, PRODUCT, Text
from cgcli.exporting.places import along, places_of
from cgcli.graph.node import Node
from cgcli.graph.operation import Shape
from cgcli.ops.lazily import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[Any]


# ---- known, or moved ------------------------------------------------------------------


def known(code: Code, node: Node) -> Text:
    """What depends on nothing: zeros, the identity."""
    return code.constant(kernel_of(node)(*node.params))


def moved(code: Code, node: Node) -> Text:
    """Elements of an array at other places."""
    (arg,) = node.args
    if math.prod(arg.shape) == 1:
        return code.text(arg) if math.prod(node.shape) == 1 else code.simple(arg)
    return code.taken(arg, places_of(node))


def spread(code: Code, node: Node) -> Text:
    """Elements that go to places of an array of zeros, where those of one place are added up."""
    name = code.array(math.prod(node.shape))
    for arg, places in zip(node.args, along(node), strict=True):

        def go(i: str, arg: Node = arg, places: Places = places) -> None:
            to = f"{name}[{code.place(places, [(i, places.shape)])}]"
            value = code.number(arg, i)
            is_added = node.op.name == "fold"
            code.assign(to, f"{to} + {value.inside(PRODUCT)}" if is_added else value.code)

        if places.size == 1:
            code.assign(f"{name}[{places.item()}]", code.number(arg).code)
        else:
            code.loop(places.size, go)
    return element_of(name)


def diagonal(code: Code, node: Node) -> Text:
    """The diagonal of a matrix, or the matrix of one."""
    return (spread if len(node.shape) > 1 else moved)(code, node)


def triangle(code: Code, node: Node) -> Text:
    """A triangle of a matrix: zeros elsewhere."""
    (arg,) = node.args
    inside = code.constant(kernel_of(node)(np.ones(arg.shape), *node.params))
    zero = code.language.number(0.0)
    choice = code.language.choice.format(code.is_set(inside), code.simple(arg).code, zero)
    return code.kept(node, Text(choice, CHOICE))


# ---- reductions -----------------------------------------------------------------------


def _apart(arg: Node, axes: Sequence[int]) -> tuple[Places, Shape, Shape]:
    """The places of an array with the axes of a reduction at the end, the sizes of the others, and theirs."""
    over = [at % len(arg.shape) for at in axes]
    rest = [at for at in range(len(arg.shape)) if at not in over]
    places = np.arange(math.prod(arg.shape)).reshape(arg.shape).transpose(*rest, *over)
    return places, tuple(arg.shape[at] for at in rest), tuple(arg.shape[at] for at in over)


def reduced(combine: str, start: float | None) -> Make:
    """A reduction. combine: an operation, applied again and again. start: None for the first element."""

    def make(code: Code, node: Node) -> Text:
        (arg,), (axes, *_) = node.args, node.params
        assert isinstance(axes, tuple)
        if math.prod(arg.shape) == 1:
            return code.text(arg)
        places, outer, inner = _apart(arg, axes)
        return _combined(code, node, [(arg, places)], outer, inner, combine, start)

    return make


def _combined(
    code: Code, node: Node, factors: Sequence[tuple[Node, Places]], outer: Shape, inner: Shape,
    combine: str = "add", start: float | None = 0.0,
) -> Text:  # fmt: skip
    """Products of elements, added up or otherwise combined. factors: arrays, with places of the shape outer + inner."""
    language = code.language
    for factor, _ in factors:
        code.simple(factor)

    def product(i: str, k: str) -> str:
        indices = [*([(i, outer)] if outer else []), (k, inner)]
        pieces = []
        for factor, places in factors:
            place = code.place(places, indices) if HERE in code.simple(factor).code else ""
            pieces.append(code.number(factor, place).inside(PRODUCT))
        return "*".join(pieces)

    def element(i: str) -> str:
        total = code.variable("s", language.number(start) if start is not None else product(i, "0"))

        def step(k: str) -> None:
            sign = language.sign_of(combine)
            term = product(i, k)
            code.assign(total, f"{total} {sign} {term}" if sign else language.calls[combine].format(total, term))

        code.loop(math.prod(inner), step)
        return total

    return code.each(node, element)


def matrix_product(code: Code, node: Node) -> Text:
    """A matrix product, with batches that repeat."""
    a, b = node.args
    left = a.shape if len(a.shape) > 1 else (1, *a.shape)
    right = b.shape if len(b.shape) > 1 else (*b.shape, 1)
    batch = np.broadcast_shapes(left[:-2], right[:-2])
    rows, shared, columns = left[-2], left[-1], right[-1]
    first = np.broadcast_to(np.arange(math.prod(left)).reshape(left), (*batch, rows, shared))
    second = np.broadcast_to(np.arange(math.prod(right)).reshape(right), (*batch, shared, columns)).swapaxes(-1, -2)
    whole = (*batch, rows, columns, shared)
    factors = [
        (a, np.broadcast_to(first[..., :, None, :], whole)),
        (b, np.broadcast_to(second[..., None, :, :], whole)),
    ]
    return _combined(code, node, factors, whole[:-1], (shared,))


def by_subscripts(code: Code, node: Node) -> Text:
    """einsum: a sum of products over the letters that the result has not."""
    subscripts: Any = node.params[0]
    sizes = {letter: size for letters, arg in zip(subscripts.operands, node.args, strict=True)
             for letter, size in zip(letters, arg.shape, strict=True)}  # fmt: skip
    order = [*subscripts.result, *(letter for letter in sizes if letter not in subscripts.result)]
    whole = tuple(sizes[letter] for letter in order)
    index = dict(zip(order, np.indices(whole, sparse=True), strict=True))
    factors = []
    for letters, arg in zip(subscripts.operands, node.args, strict=True):
        places: Any = 0
        for letter, size in zip(letters, arg.shape, strict=True):
            places = places * size + index[letter]
        factors.append((arg, np.broadcast_to(places, whole)))
    split = len(subscripts.result)
    return _combined(code, node, factors, whole[:split], whole[split:])


def running_sum(code: Code, node: Node) -> Text:
    """The sums of the first elements along an axis."""
    (arg,) = node.args
    axis: Any = node.params[0]
    size, stride = arg.shape[axis], math.prod(arg.shape[axis % len(arg.shape) + 1 :])
    name = code.array(math.prod(arg.shape))

    def value(i: str) -> str:
        at = i if stride == 1 else code.language.statements.quotient.format(i, stride)
        term = code.number(arg, i)
        after = f"{name}[{i} - {stride}] + {term.inside(PRODUCT)}"
        return code.language.choice.format(f"{at} % {size} == 0", term.inside(CHOICE + 1), after)

    code.put(name, math.prod(arg.shape), value)
    return element_of(name)


def place_of_extreme(better: str) -> Make:
    """The first place of the largest or the smallest element along axes; that of a nan, where there is one."""

    def make(code: Code, node: Node) -> Text:
        (arg,), (axes, *_) = node.args, node.params
        assert isinstance(axes, tuple)
        places, outer, inner = _apart(arg, axes)
        words, sign = code.language.statements, code.language.sign_of
        row = code.row(arg)

        def here(i: str, k: str) -> str:
            return f"{row}[{code.place(places, [*([(i, outer)] if outer else []), (k, inner)])}]"

        def element(i: str) -> str:
            best = code.variable("s", here(i, "0"))
            at = code.variable("n", code.language.number(0.0))

            def step(k: str) -> None:
                new = here(i, k)
                is_better = f"({new} {sign(better)} {best} {sign('or')} {new} {sign('not_equal')} {new})"

                def found() -> None:
                    code.assign(best, new)
                    code.assign(at, words.whole.format(k))

                code.block(words.when, found, condition=f"{best} {sign('equal')} {best} {sign('and')} {is_better}")

            code.loop(math.prod(inner), step)
            return at

        return code.each(node, element)

    return make


def order(code: Code, node: Node) -> Text:
    """The places of elements along an axis in ascending order: of equal ones the first before, and nan at the end.

    Each element is counted to its place, by how many come before it.
    """
    (arg,), (axis, *_) = node.args, node.params
    assert isinstance(axis, int)
    places, outer, inner = _apart(arg, [axis])
    words, sign, row = code.language.statements, code.language.sign_of, code.row(arg)
    name, size = code.array(math.prod(arg.shape)), inner[0]

    def line(i: str) -> None:
        def at(k: str) -> str:
            return code.place(places, [*([(i, outer)] if outer else []), (k, inner)])

        def element(k: str) -> None:
            count = code.variable("n", code.language.number(0.0))
            here = code.let(f"{row}[{at(k)}]")

            def compare(other: str) -> None:
                there = code.let(f"{row}[{at(other)}]")
                is_nan, is_known = f"{here} {sign('not_equal')} {here}", f"{there} {sign('equal')} {there}"
                both = f"{is_nan} {sign('and')} {there} {sign('not_equal')} {there}"
                is_level = f"({here} {sign('equal')} {there} {sign('or')} ({both})) {sign('and')} {other} < {k}"
                comes = f"{there} {sign('less')} {here} {sign('or')} ({is_nan} {sign('and')} {is_known})"
                code.block(words.when, lambda: code.assign(count, f"{count} + {code.language.number(1.0)}"),
                           condition=f"{comes} {sign('or')} ({is_level})")  # fmt: skip

            code.loop(size, compare)
            place = code.place(places, [*([(i, outer)] if outer else []), (words.place.format(count), inner)])
            code.assign(f"{name}[{place}]", words.whole.format(k))

        code.loop(size, element)

    if outer:
        code.loop(math.prod(outer), line)
    else:
        line("0")
    return Text(f"{name}[{HERE if math.prod(node.shape) != 1 else 0}]")


# ---- linear systems -------------------------------------------------------------------


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
    return Text(f"{solution}[{HERE if math.prod(node.shape) != 1 else 0}]")


def inverse(code: Code, node: Node) -> Text:
    """The inverse of a matrix."""
    call, _, solution = _eliminated(code, node, None, node.shape[-1])
    code.write(code.language.statements.do, call=call)
    return Text(f"{solution}[{HERE if math.prod(node.shape) != 1 else 0}]")


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


# ---- elements at computed places ------------------------------------------------------


def _inside(code: Code, name: str, size: int) -> tuple[str, str]:
    """The condition that a number is a place on an axis, and that place as a whole number, counted from 0."""
    number, sign = code.language.number, code.language.sign_of
    inside = f" {sign('and')} ".join([
        f"{name} {sign('greater_equal')} {number(-float(size))}", f"{name} {sign('less')} {number(float(size))}",
        f"{name} {sign('equal')} {code.language.calls['floor'].format(name)}",
    ])  # fmt: skip
    is_below = f"{name} {sign('less')} {number(0.0)}"
    counted = code.language.choice.format(is_below, f"{name} + {number(float(size))}", name)
    return inside, code.language.statements.place.format(counted)


def element(code: Code, node: Node) -> Text:
    """The part of an array at a computed place; nan where there is none."""
    array, place = node.args
    row, size = code.row(array), math.prod(node.shape)
    inside, at = _inside(code, code.simple(place).code, array.shape[0])
    name = code.array(size)
    code.put(name, size, lambda _: code.language.number(math.nan))

    def take() -> None:
        code.put(name, size, lambda i: f"{row}[{at}*{size} + {i}]")

    code.block(code.language.statements.when, take, condition=inside)
    return Text(f"{name}[{HERE if size != 1 else 0}]")


def put_element(code: Code, node: Node) -> Text:
    """Zeros with a part at a computed place."""
    part, place = node.args
    size = math.prod(part.shape)
    code.simple(part)
    inside, at = _inside(code, code.simple(place).code, node.shape[0])
    name = code.array(math.prod(node.shape))

    def put() -> None:
        code.put(name, size, lambda i: code.number(part, i).code, f"{at}*{size}")

    code.block(code.language.statements.when, put, condition=inside)
    return Text(f"{name}[{HERE if math.prod(node.shape) != 1 else 0}]")


def _along_axis(code: Code, array: Node, places: Node, axis: int) -> Callable[[str], tuple[str, str]]:
    """For an index of `places`: the condition that the place is on an axis of an array, and where in its row it is.

    array: has the axes of `places`, but for the size of that one.
    """
    stride = math.prod(array.shape[axis % len(array.shape) + 1 :])
    whole = np.arange(math.prod(array.shape)).reshape(array.shape)
    first = np.broadcast_to(np.take(whole, [0], axis), places.shape) if whole.size else np.zeros(places.shape, int)
    code.simple(places)

    def at(i: str) -> tuple[str, str]:
        inside, place = _inside(code, code.let(code.number(places, i).code), array.shape[axis])
        line, step = code.place(first, [(i, places.shape)]), f"*{stride}" if stride > 1 else ""
        return inside, f"{place}{step}" if line == "0" else f"{line} + {place}{step}"

    return at


def take_along(code: Code, node: Node) -> Text:
    """Elements by their computed places along an axis; nan where there is none."""
    (array, places), (axis,) = node.args, node.params
    assert isinstance(axis, int)
    row, at = code.row(array), _along_axis(code, array, places, axis)

    def element(i: str) -> str:
        found = code.variable("s", code.language.number(math.nan))
        inside, place = at(i)
        code.block(code.language.statements.when, lambda: code.assign(found, f"{row}[{place}]"), condition=inside)
        return found

    return code.each(node, element)


def put_along(code: Code, node: Node) -> Text:
    """Zeros with elements added at computed places along an axis."""
    (elements, places), (_, axis) = node.args, node.params
    assert isinstance(axis, int)
    code.simple(elements)
    at = _along_axis(code, node, places, axis)
    name = code.array(math.prod(node.shape))

    def add(i: str) -> None:
        inside, place = at(i)
        to, value = f"{name}[{place}]", code.number(elements, i).inside(PRODUCT)
        code.block(code.language.statements.when, lambda: code.assign(to, f"{to} + {value}"), condition=inside)

    code.loop(math.prod(places.shape), add)
    return Text(f"{name}[{HERE if math.prod(node.shape) != 1 else 0}]")
