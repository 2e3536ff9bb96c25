"""The kinds of derivative rules: what an entry says of one argument. None is a structural zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cgcli.graph.node import Node
from cgcli.graph.operation import Operation, Params, Rule


@dataclass(frozen=True, slots=True)
class Partial(Rule):
    """The partial derivative of an elementwise operation, as a formula in its arguments.

    The formula may also use `out`, the operation's own value. The tangent is
    formula * tangent; the adjoint is formula * adjoint.
    """

    formula: str


@dataclass(frozen=True, slots=True)
class Partials(Rule):
    """As Partial, for an operation of any number of arguments: all its partials at once, as graphs."""

    build: Callable[[tuple[Node, ...]], tuple[Node, ...]]


@dataclass(frozen=True, slots=True)
class Jvp(Rule):
    """The contribution of one argument's tangent, a formula linear in `d<argument>`.

    The formula may use the arguments, the static parameters and `out`. Reverse mode
    transposes it.
    """

    formula: str


@dataclass(frozen=True, slots=True)
class Transpose(Rule):
    """The operation is linear in this argument; `build` is its transpose.

    build(adjoint, args, params) gives the adjoint of the argument. The forward derivative
    is the operation itself, applied to the tangent. mixes: over how many trailing axes every
    element of the adjoint reaches every element of the argument, not by products alone (solve).
    """

    build: Callable[[Node, tuple[Node, ...], Params], Node]
    mixes: int = 0


@dataclass(frozen=True, slots=True)
class TransposeOf(Rule):
    """As Transpose, for an operation of any number of arguments.

    build(adjoint, args, params, position) gives the adjoint of one of them.
    jointly: linear in all arguments together, as a list is; not in each alone, as a product.
    """

    build: Callable[[Node, tuple[Node, ...], Params, int], Node]
    jointly: bool


@dataclass(frozen=True, slots=True)
class Branch(Rule):
    """A branch of a conditional: its adjoint exists only where the condition is `taken`."""

    taken: bool


@dataclass(frozen=True, slots=True)
class OwnJvp(Rule):
    """A function of the user's own, with its derivative rule: graphs over leaves of their own.

    body: the function's value. tangent: its tangent, linear in all `tangents` together; it
    replaces what the body's derivative would be. parameters, tangents: leaves that stand for
    the arguments and their tangents; out: for the function's value. names: what the user
    calls the parameters and the tangents. depth: how many such functions stand in each other;
    cost: how many operations one call takes, theirs included.
    """

    body: Node
    tangent: Node
    parameters: tuple[Node, ...]
    tangents: tuple[Node, ...]
    out: Node
    names: tuple[str, ...]
    depth: int
    cost: int


def own_rule(op: Operation) -> OwnJvp | None:
    """The definition of an operation that is a function of the user's own, with a derivative rule."""
    rule = op.rules[0] if op.rules else None
    return rule if isinstance(rule, OwnJvp) else None
