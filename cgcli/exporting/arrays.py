"""Operations on arrays as loops over their elements."""

from __future__ import annotations

import math

from cgcli.annotations import TYPE_CHECKING, Any, Sequence
from cgcli.evaluate.kernels import kernel_of
from cgcli.exporting.code import HERE, Code, Make, element_of
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
    return element_of(name)
