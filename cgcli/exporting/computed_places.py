"""Elements of arrays at places that are computed: whether a number is one is asked where the code runs."""

from __future__ import annotations

import math

from cgcli.annotations import Callable
from cgcli.exporting.code import Code, element_of
from cgcli.exporting.language import PRODUCT, Text
from cgcli.graph.node import Node
from cgcli.ops.lazily import np


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
    return element_of(name)


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
    return element_of(name)


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
    return element_of(name)
