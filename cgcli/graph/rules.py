"""The kinds of derivative rules: what an entry says of one argument. None is a structural zero."""

from __future__ import annotations

from cgcli.annotations import Any, Callable
from cgcli.graph.node import Node
from cgcli.records import NamedTuple


class Partial(NamedTuple):
    """The partial derivative of an elementwise operation, as a formula in its arguments.

    The formula may also use `out`, the operation's own value. The tangent is
    formula * tangent; the adjoint is formula * adjoint. Of a quotient, the divisor divides what moves:
    1/x is tangent/x. book: as a calculus book has it, where the formula is careful of range and digits.
    chooses: where the partial is 0, the operation has not chosen this argument, and that 0 is structural.
    """

    formula: str
    book: str = ""
    chooses: bool = False


UNKNOWN = Partial("nan", "nan")  # no formula of it is known


class Partials(NamedTuple):
    """As Partial, for an operation of any number of arguments: all its partials at once, as graphs."""

    build: Callable[[tuple[Node, ...]], tuple[Node, ...]]
    chooses: bool = False


class Jvp(NamedTuple):
    """The contribution of one argument's tangent, a formula linear in `d<argument>`.

    The formula may use the arguments, the static parameters and `out`. Reverse mode
    transposes it. book: as of Partial.
    """

    formula: str
    book: str = ""


class Transpose(NamedTuple):
    """The operation is linear in this argument; `build` is its transpose.

    build(adjoint, args, params) gives the adjoint of the argument. The forward derivative
    is the operation itself, applied to the tangent. mixes: over how many trailing axes every
    element of the adjoint reaches every element of the argument, not by products alone (solve).
    """

    build: Callable[[Node, tuple[Node, ...], Any], Node]
    mixes: int = 0


class TransposeOf(NamedTuple):
    """As Transpose, for an operation of any number of arguments.

    build(adjoint, args, params, position) gives the adjoint of one of them.
    jointly: linear in all arguments together, as a list is; not in each alone, as a product.
    """

    build: Callable[[Node, tuple[Node, ...], Any, int], Node]
    jointly: bool


class Branch(NamedTuple):
    """A branch of a conditional: its adjoint exists only where the condition is `taken`."""

    taken: bool


class JointJvp(NamedTuple):
    """The tangent of a node from those of all its arguments together, as a graph.

    build(node, tangents) is linear in the tangents; reverse mode transposes it.
    """

    build: Callable[[Node, tuple[Node, ...]], Node]


class Together(NamedTuple):
    """The arguments move together, and so does what the operation holds: a function for each mode, as 'module:name'.

    tangent(node, tangents, slopes) gives a node's tangent from those of its arguments, by their places, all guarded.
    adjoints(node, adjoint, wanted, slopes) gives those of the arguments at the places `wanted`, guarded, by place.
    """

    tangent: str
    adjoints: str
