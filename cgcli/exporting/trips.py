"""Loops: what they carry are variables and rows, which each trip changes together."""

from __future__ import annotations

import math

from cgcli.annotations import Callable, Sequence
from cgcli.exporting.code import Code, element_of, negated, uses_of
from cgcli.exporting.language import AND, COMPARISON, Text
from cgcli.graph.loops import Loop, States, compared, most_trips
from cgcli.graph.node import Node
from cgcli.graph.operation import Shape
from cgcli.ops.loops import unpacked


def loop(code: Code, node: Node) -> Text:
    """A block that runs again and again; its pieces are known from there on, and the packed result where it is read."""
    params = node.params
    assert isinstance(params, Loop)
    carried, inner = _begun(code, node, params)

    def trip(at: str) -> None:
        if params.going is not None:
            _leave(code, params, carried, at)
        _next(code, params, carried)

    trips = most_trips() + 2 if params.trips is None else params.trips
    _within(code, params, inner, lambda: code.loop(trips, trip))
    readers = 0  # of the packed result, for its pieces
    for piece, name in zip(unpacked(node, params.shapes), carried, strict=True):
        code.texts[piece] = element_of(name) if piece.shape else Text(name)
        while piece is not node:
            code.texts.setdefault(piece, element_of(name))  # of a piece that is shaped, its row
            readers += piece.args[0] is node and code.uses[piece] > 0
            piece = piece.args[0]
    if node in code.texts:
        return code.texts[node]
    return _packed(code, carried, params.shapes) if code.uses[node] > readers else Text("")


def states(code: Code, node: Node) -> Text:
    """What a loop carries after each of its trips."""
    params = node.params
    assert isinstance(params, States)
    carried, inner = _begun(code, node, params.loop)
    sizes = [*map(math.prod, params.shapes)]
    name = code.array(params.trips * sum(sizes))

    def trip(at: str) -> None:
        _next(code, params.loop, carried)
        _copy(code, name, [carried[place] for place in params.kept], params.shapes, f"{at}*{sum(sizes)} + ")

    _within(code, params.loop, inner, lambda: code.loop(params.trips, trip))
    return element_of(name)


def _within(code: Code, params: Loop, inner: dict[Node, Text], write: Callable[[], None]) -> None:
    """Write what is computed within a loop, and is not known behind it. inner: the code for what its body reads.

    Nothing else is known there: a parameter of the body may be that of another body, around it, at the same place.
    """
    texts, uses = code.texts, code.uses
    code.texts = inner
    code.uses = uses_of(params.body.outputs)
    write()
    code.texts, code.uses = texts, uses


def _begun(code: Code, node: Node, params: Loop) -> tuple[list[str], dict[Node, Text]]:
    """The variables and rows that a loop carries, with their starts; and the code for each parameter of its body."""
    carried: list[str] = []
    inner: dict[Node, Text] = {}
    for leaf, arg in zip(params.body.parameters, node.args, strict=True):
        if len(carried) == params.carries:
            inner[leaf] = element_of(code.row(arg)) if arg.shape else code.simple(arg)
        elif arg.shape:
            carried.append(name := code.array(math.prod(arg.shape)))
            code.fill(name, arg)
            inner[leaf] = element_of(name)
        else:
            carried.append(name := code.variable("c", code.number(arg).code))
            inner[leaf] = Text(name)
    return carried, inner


def _next(code: Code, params: Loop, carried: Sequence[str]) -> None:
    """One trip: the next values are computed, then take the places of those before."""
    code.compute(params.nexts)
    changed = []
    for leaf, after, name in zip(params.body.parameters, params.nexts, carried, strict=False):
        if after is leaf:
            continue
        if after.shape:
            fresh = code.array(math.prod(after.shape))
            code.fill(fresh, after)
        else:
            fresh = code.let(code.number(after).code)
        changed.append((name, fresh, after.shape))
    for name, fresh, shape in changed:
        if shape:
            code.put(name, math.prod(shape), lambda i, fresh=fresh: f"{fresh}[{i}]")  # type: ignore[misc]
        else:
            code.assign(name, fresh)


def _leave(code: Code, params: Loop, carried: Sequence[str], at: str) -> None:
    """Leave the loop where there is no more trip.

    It leaves with nan where the condition compares one, for nobody knows then, and after as many trips as cg makes.
    """
    words, language = code.language.statements, code.language
    assert params.going is not None
    code.compute([params.going])
    going = code.text(params.going)
    going = going if going.truth else Text(code.is_set(going), COMPARISON, truth=True)
    either = f" {language.sign_of('or')} ".join
    operands = [code.number(each).inside(COMPARISON + 1) for each in compared([params.going]) if not each.shape]
    differs = language.sign_of("not_equal")
    last = f"{at} > {most_trips()}"

    def unknown() -> None:
        for leaf, name in zip(params.body.parameters, carried, strict=False):
            if leaf.shape:
                code.put(name, math.prod(leaf.shape), lambda _: language.number(math.nan))
            else:
                code.assign(name, language.number(math.nan))

    def leave() -> None:
        code.block(words.when, unknown, condition=either([last, *(f"{each} {differs} {each}" for each in operands)]))
        code.write(words.leave)

    code.block(words.when, leave, condition=either([last, negated(language, going).inside(AND)]))


def _packed(code: Code, carried: Sequence[str], shapes: Sequence[Shape]) -> Text:
    """What a loop carries, in one row."""
    name = code.array(sum(map(math.prod, shapes)))
    _copy(code, name, carried, shapes)
    return element_of(name)


def _copy(code: Code, row: str, names: Sequence[str], shapes: Sequence[Shape], offset: str = "") -> None:
    """Write values into a row, one after the other. offset: what the place of the first one begins with."""
    begin = 0
    for name, shape in zip(names, shapes, strict=True):
        if shape:
            code.put(row, math.prod(shape), lambda i, name=name: f"{name}[{i}]", f"{offset}{begin}")  # type: ignore[misc]
        else:
            code.assign(f"{row}[{offset}{begin}]", name)
        begin += math.prod(shape)
