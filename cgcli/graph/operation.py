"""What an operation is: the type of one entry of the table, and of its derivative rules.

An entry says everything that the program knows of an operation, once: how to compute it,
its shapes, its derivative, how it is written and explained, and where to sample it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from cgcli.graph.node import Node

Shape = tuple[int, ...]
Params = tuple[Hashable, ...]
Interval = tuple[float, float]

REAL: Interval = (-float("inf"), float("inf"))
POSITIVE: Interval = (0.0, float("inf"))


class Partial(NamedTuple):
    """The partial derivative of an elementwise operation, as a formula in its arguments.

    The formula may also use `out`, the operation's own value. The tangent is
    formula * tangent; the adjoint is formula * adjoint.
    """

    formula: str


class Partials(NamedTuple):
    """As Partial, for an operation of any number of arguments: all its partials at once, as graphs."""

    build: Callable[[tuple[Node, ...]], tuple[Node, ...]]


class Jvp(NamedTuple):
    """The contribution of one argument's tangent, a formula linear in `d<argument>`.

    The formula may use the arguments, the static parameters and `out`. Reverse mode
    transposes it.
    """

    formula: str


class Transpose(NamedTuple):
    """The operation is linear in this argument; `build` is its transpose.

    build(adjoint, args, params) gives the adjoint of the argument. The forward derivative
    is the operation itself, applied to the tangent. mixes: over how many trailing axes every
    element of the adjoint reaches every element of the argument, not by products alone (solve).
    """

    build: Callable[[Node, tuple[Node, ...], Params], Node]
    mixes: int = 0


class TransposeOf(NamedTuple):
    """As Transpose, for an operation of any number of arguments.

    build(adjoint, args, params, position) gives the adjoint of one of them.
    jointly: linear in all arguments together, as a list is; not in each alone, as a product.
    """

    build: Callable[[Node, tuple[Node, ...], Params, int], Node]
    jointly: bool


class Branch(NamedTuple):
    """A branch of a conditional: its adjoint exists only where the condition is `taken`."""

    taken: bool


class OwnJvp(NamedTuple):
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


Rule = Partial | Partials | Jvp | Transpose | TransposeOf | Branch | OwnJvp | None
"""A derivative rule for one argument; None when there is no derivative: a structural zero."""


Work = Callable[[Sequence[Shape], Params], int]
"""How many floating-point operations an application takes, from the arguments' shapes and the params."""


Expansion = str | Callable[[tuple["Node", ...], Params], "Node"]
"""An operation as others: a formula in its arguments and statics, or a function that builds it."""


class Static(NamedTuple):
    """A parameter that is no array of the graph: an axis, a shape, a flag, a text.

    convert(raw value, argument shapes) gives the canonical, hashable form, or raises
    ArgumentError. show(canonical, argument shapes) gives its text. default is a raw value;
    REQUIRED where there is none. keyword_only: given by name only. variadic: takes all
    arguments that are left. leading: stands before the arrays, as einsum's subscripts.
    A name that begins with '_' is known from the shapes and never written.
    """

    name: str
    convert: Callable[[Any, Sequence[Shape]], Hashable]
    show: Callable[[Any, Sequence[Shape]], str]
    default: Any = None
    keyword_only: bool = False
    variadic: bool = False
    leading: bool = False


REQUIRED = object()


class Infix(NamedTuple):
    """How an operator is written: its symbol and its binding power (higher binds tighter)."""

    symbol: str
    level: int
    right: bool = False


class Kink(NamedTuple):
    """Where a derivative jumps: a predicate on the arguments' values, and what is chosen there."""

    holds: Callable[..., Any]
    chosen: str


@dataclass(frozen=True, eq=False)
class Operation:
    """One entry of the table.

    name: canonical spelling, which the printer writes.
    doc: one line that says what it computes.
    arrays: names of the array arguments; a single name that begins with '*' takes any number.
    kernel: (*arrays, *params) -> array, on numpy arrays; acts on trailing axes.
    scalar: a faster kernel, to the same bits, for arguments that are numpy scalars, all of them.
    shape: (argument shapes, params) -> shape; raises ShapeError.
    rules: one derivative rule for each array argument (one for all when variadic).
    expansion: instead of rules, the operation as a formula of other operations; its
        derivative is the formula's.
    statics: the parameters that are no arrays, in the order of `params`.
    aliases: other names that are read as this one. label: what a picture shows for the name.
    latex: what LaTeX calls the function (`\\sin`), or its form with #1, #2 in the arguments' places
        (`\\sqrt{#1}`), `_{axis}` and `{size}` in those of a reduction's axes and of how many elements they have.
    infix, prefix: how it is written when it is an operator. written: other ways to write it,
        with the arguments' names, as `condition ? yes : no`.
    elementwise: it acts on each element, after broadcasting.
    gaps: its result has zeros where no element of its argument goes.
    commutative: its arguments may change places.
    least: the fewest arrays that a variadic operation takes.
    samples: for each array, an open interval inside its domain, where tests sample it.
    domain: its domain, where the value is a finite number, as a condition in the language;
        '' when nothing is worth saying: an elementwise operation then takes any number.
    kink: where its derivative jumps.
    why_no_derivative: where every rule is None, the reason, in a clause.
    example: a short expression without free names that shows it; its value is finite.
    work: what one application costs, where it is not what `work_of` takes it for.
    rows: the kernel for arguments that all have an axis of rows in front, where `kernel` does not just act
        on their trailing axes.
    test: where the value is 1 or 0, the numpy function that gives it as bools.
    """

    name: str
    doc: str
    arrays: tuple[str, ...]
    kernel: Callable[..., Any]
    shape: Callable[[Sequence[Shape], Params], Shape]
    rules: tuple[Rule, ...] = ()
    expansion: Expansion = ""
    statics: tuple[Static, ...] = ()
    aliases: tuple[str, ...] = ()
    label: str = ""
    infix: Infix | None = None
    prefix: Infix | None = None
    elementwise: bool = False
    commutative: bool = False
    least: int = 1
    samples: tuple[Interval, ...] = ()
    kink: Kink | None = None
    why_no_derivative: str = ""
    domain: str = ""
    written: tuple[str, ...] = ()
    example: str = ""
    scalar: Callable[..., Any] | None = None
    latex: str = ""
    gaps: bool = False
    work: Work | None = None
    rows: Callable[..., Any] | None = None
    test: Callable[..., Any] | None = None

    def rule(self, position: int) -> Rule:
        """The derivative rule of the argument at `position`."""
        if position < len(self.rules):
            return self.rules[position]
        return self.rules[-1] if self.rules else None

    @property
    def own(self) -> OwnJvp | None:
        """Its definition when it is a function of the user's own, with a derivative rule."""
        rule = self.rules[0] if self.rules else None
        return rule if isinstance(rule, OwnJvp) else None

    @property
    def variadic(self) -> bool:
        """Whether it takes any number of array arguments."""
        return bool(self.arrays) and self.arrays[0].startswith("*")

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


class Shorthand(NamedTuple):
    """A function of the table that is written out as others as soon as it is read.

    The fields are those of an Operation; its arguments are always of a fixed number.
    """

    name: str
    doc: str
    arrays: tuple[str, ...]
    expansion: Expansion
    statics: tuple[Static, ...] = ()
    aliases: tuple[str, ...] = ()
    domain: str = ""
    example: str = ""

    @property
    def variadic(self) -> bool:
        """Whether it takes any number of array arguments: never."""
        return False
