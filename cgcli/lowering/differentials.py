"""Derivatives by a name, D(f(x), x), anywhere in a program: written out as soon as the expression is read.

The derivative is that of the expression as a function of the name, all else constant: of D(f(2*x), x) it is 2*f'(2*x).
A name that has a value is a leaf of its own until all is read that may depend on it, so that D(y, x) behind
`x = 3; y = x^2` is the derivative of y by x, and not by the number 3.
"""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Mapping, Sequence
from cgcli.errors import ArgumentError, ShapeError, Span, TooLargeError
from cgcli.graph.loops import fresh_leaves
from cgcli.graph.node import CONSTANT, VARIABLE, Differentiated, Node, apply, is_carry, rebuild, toposort
from cgcli.graph.operation import imported
from cgcli.graph.shapes import shaped
from cgcli.lowering.assigned import reads
from cgcli.lowering.invoke import Scope, Steps
from cgcli.lowering.standing import Moving
from cgcli.ops.fitting import ones_like
from cgcli.syntax import tree

NAME = "D"
MOST_OPERATIONS = 50_000  # of one derivative: those of high order grow without end


def is_derivative(item: tree.Call) -> bool:
    """Whether a call of D has an expression and, behind it, names to differentiate by."""
    return len(item.args) > 1 and not item.keywords and all(isinstance(arg, tree.Name) for arg in item.args[1:])


def moving_names(statements: Collection[tree.Statement]) -> frozenset[str]:
    """The names that a program differentiates by; none where D is a function of its own."""
    if any(isinstance(item, tree.Define) and item.function == NAME for item in statements):
        return frozenset()
    found: set[str] = set()
    waiting: list[Any] = [*statements]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tree.Call) and part.function == NAME and is_derivative(part):
            found.update(arg.name for arg in part.args[1:] if isinstance(arg, tree.Name))
        if isinstance(part, tuple):
            waiting += part
    return frozenset(found)


def differentiated(item: tree.Call, scope: Scope, moving: Moving, texts: Sequence[str]) -> Steps:
    """The value of D(f, x, y, …): the derivative of f by x, that of the result by y, and so on.

    texts: how the arguments are written. Raises ArgumentError for what is no name, or a constant; ShapeError for an
    array by an array.
    """
    _check_names(item, texts)
    names = [arg for arg in item.args[1:] if isinstance(arg, tree.Name)]
    places = yield tuple(names), scope
    for name, place in zip(names, places, strict=True):
        if not isinstance(place, Node) or place.op is CONSTANT:
            raise ArgumentError(f"'{name.name}' is a constant, by which nothing is differentiated", name.span,
                                hint=f"give it a value, or make it a parameter: f({name.name}) = …")  # fmt: skip
        if place.op is VARIABLE and not is_carry(place):
            moving.by.setdefault(place, name.span)
    (value,) = yield (item.args[0],), scope
    if not isinstance(value, Node):
        raise ArgumentError("D differentiates one value", item.args[0].span,
                            hint="as in: D(x^2, x)")  # fmt: skip
    for name, place in zip(names, places, strict=True):
        if value.shape and place.shape:
            raise ShapeError(
                f"D is the derivative of an array or by an array, and here is one with {shaped(value.shape)} by one "
                f"with {shaped(place.shape)}", item.span,
                hint=f"D(sum({texts[0]}), {name.name}) adds up; cg jacobian prints that of each element by each",
            )  # fmt: skip
        value = _by(value, place, moving, item.span)
    return value


def _by(value: Node, place: Node, moving: Moving, span: Span) -> Node:
    """The derivative of one node by another."""
    seen = value = _seen_through(value, place, moving.values)
    (leaf,) = fresh_leaves([place.shape])
    value = rebuild([value], apply, {place: leaf})[value]
    if moving.book:
        found = imported("cgcli.derivatives.formula:in_book_form")(value, leaf)
    else:
        of_function = imported("cgcli.transform.differentiate:of_function")
        mode, weight = ("vjp", ones_like(value)) if place.shape else ("jvp", ones_like(leaf))
        (found,) = of_function(mode, [value], [leaf], [weight], [])
    become = rebuild([found], apply, {leaf: place})
    if len(become) > MOST_OPERATIONS:
        raise TooLargeError(f"this derivative takes more than {MOST_OPERATIONS} operations", span,
                            hint="cg grad --order N gives derivatives of high order along a line")  # fmt: skip
    for node in become.values():
        if node.args:
            moving.origins.setdefault(node, span)
    moving.read.update(toposort([seen]))
    moving.made.append(Differentiated(seen, place, become[found]))
    return become[found]


def _seen_through(value: Node, place: Node, values: Mapping[Node, Node]) -> Node:
    """A value with those of names that depend on a place, in the places of their leaves."""
    parts: dict[Node, list[Node]] = {}
    waiting = [value]
    while waiting:
        for part in toposort([waiting.pop()]):
            if part in values and part is not place and part not in parts:  # of the name itself no value is seen
                parts[part] = toposort([values[part]])
                waiting.append(values[part])
    known: dict[Node, Node] = {}
    for leaf in values:  # what a value is computed from stands before it
        if leaf in parts and any(part is place or part in known for part in parts[leaf]):
            known[leaf] = rebuild([values[leaf]], apply, known)[values[leaf]]
    return rebuild([value], apply, known)[value] if known else value


def _check_names(item: tree.Call, texts: Sequence[str]) -> None:
    """Raise ArgumentError for a D that has no name to differentiate by."""
    if is_derivative(item):
        return
    usage = "as in: D(x^2, x), or D(x*y, x, y) for the derivative by both"
    if item.keywords:
        raise ArgumentError("D takes an expression, and names to differentiate by", item.keywords[0][2], hint=usage)
    if len(item.args) < 2:
        raise ArgumentError("D takes an expression, and a name to differentiate by", item.span, hint=usage)
    wrong = next(arg for arg in item.args[1:] if not isinstance(arg, tree.Name))
    raise ArgumentError("D differentiates by a name, and this is none", wrong.span, hint=_remedy(item, wrong, texts))


def _remedy(item: tree.Call, wrong: tree.Expression, texts: Sequence[str]) -> str:
    """What to write for D(x^2, 3), which means a point, and for D(x^2, x, 2), which means an order."""
    first = item.args[1]
    written = texts[item.args.index(wrong)]
    if isinstance(first, tree.Name) and isinstance(wrong, tree.Number):
        return f"for a derivative of higher order write the name again: D({texts[0]}, {first.name}, {first.name})"
    names = dict.fromkeys(name.name for name in reads([item.args[0]], ()))
    if len(names) == 1:
        (name,) = names
        return f"for the derivative at a point: f({name}) = D({texts[0]}, {name}); f({written})"
    return "as in: D(x^2, x)"
