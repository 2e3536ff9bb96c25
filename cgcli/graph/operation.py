"""What an operation is: the type of one entry of the table, and of its derivative rules.

An entry says everything that the program knows of an operation, once: how to compute it,
its shapes, its derivative, how it is written and explained, and where to sample it.
"""

from __future__ import annotations

from cgcli.annotations import Any, Callable, Collection, Hashable, Sequence
from cgcli.lean import cached_property, import_module
from cgcli.records import NamedTuple, Record

Shape = tuple[int, ...]
Params = tuple[Hashable, ...]
Interval = tuple[float, float]

REAL: Interval = (-float("inf"), float("inf"))
POSITIVE: Interval = (0.0, float("inf"))


Rule = tuple[Any, ...]
"""A derivative rule for one argument; its kinds, named tuples, stand in rules.py."""


class Callee:
    """A function that a node calls, which is no entry of the table; its kind stands in body.py."""

    __slots__ = ()


Work = Callable[[Sequence[Shape], Any], int]
"""How many floating-point operations an application takes, from the arguments' shapes and the params."""


Expansion = str | Callable[[tuple[Any, ...], Any], Any]
"""An operation as others: a formula in its arguments and statics, or a function that builds its node."""


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


def as_they_are(*values: Hashable) -> Params:
    """Static parameters that no shape and no rule reads by name."""
    return values


class Infix(NamedTuple):
    """How an operator is written: its symbol and its binding power (higher binds tighter)."""

    symbol: str
    level: int
    right: bool = False


class Kink(NamedTuple):
    """Where a derivative jumps: a predicate on the arguments' values, and what is chosen there.

    isolated: at a single point, with a smooth function all around it. tie: between elements that share the derivative,
    so that nothing was chosen where each of them has derivative 0.
    """

    holds: Callable[..., Any]
    chosen: str
    isolated: bool = False
    tie: bool = False


Kernel = str | Callable[..., Any]
"""A function, or the name of one that is imported when it is first needed: of a module known from the context,
or 'module:name'."""


def imported(kernel: Kernel, module: str = "") -> Callable[..., Any]:
    """The function that a kernel is or names."""
    if callable(kernel):
        return kernel
    other, _, name = kernel.rpartition(":")
    function: Callable[..., Any] = getattr(import_module(other or module), name)
    return function


Facts = int
"""What holds of an operation wherever its value is a number, whatever its static parameters are: a sum of these.

The first five are of elementwise operations of one argument x.
"""

NOTHING = 0
ODD = 1  # f(-x) = -f(x)
EVEN = 2  # f(-x) = f(x)
INCREASING = 4  # f(x) <= f(y) for x < y; its domain is one interval
IDEMPOTENT = 8  # f(f(x)) = f(x)
NON_NEGATIVE = 16  # f(x) >= 0
ANALYTIC = 32  # the kernel takes complex numbers, as the analytic function does
STEPWISE = 64  # piecewise constant, without a rule; nan of nan, and so is its derivative there
BOUNDED = 128  # its values are between -4 and 4
CHOOSES = 256  # each element of its value is an element of an array argument, the negative of one, or 0
REPEATS = 512  # numpy shows elements of its argument several times, which takes no memory
ILL_CONDITIONED = 1024  # rounding an argument moves its value, which is not 0, by 1e-8 of it somewhere; of arrays: sums
COUNTS = 2048  # of whole numbers, its value is a whole number or not finite, and exact up to 2^53

ARRAYS = "arrays"  # as the kernel on mpmath's numbers: that on numpy's arrays, which takes arrays of objects


class Inverse(NamedTuple):
    """The inverse g of an elementwise operation f, by name: f(g(x)) = x wherever g(x) is a finite number.

    where: where g(f(x)) = x also holds, as a condition on x in the language; '' for any number.
    """

    name: str
    where: str = ""


class Advice(NamedTuple):
    """What to use instead, for whoever met a nan or an infinity.

    kind: 'nan' or 'infinity'. applies: a predicate on the operands' values and on the names of the operations
    that they come from. of_arrays: of an operation on arrays, the text, from its arrays and static parameters.
    """

    kind: str
    text: str
    applies: Callable[[Sequence[float], Collection[str]], bool] = lambda operands, sources: True
    of_arrays: Callable[..., str] | None = None


class Operation(Record):
    """One entry of the table.

    name: canonical spelling, which the printer writes.
    doc: one line that says what it computes.
    arrays: names of the array arguments; a single name that begins with '*' takes any number.
    numpy: the kernel, (*arrays, *params) -> array, on numpy arrays; acts on trailing axes. A name is numpy's.
    shape: (argument shapes, params) -> shape; raises ShapeError.
    rules: one derivative rule for each array argument (one for all when variadic).
    expansion: the operation as a formula of other operations. Where it has no rules, its derivative is the formula's.
    statics: the parameters that are no arrays. params: the NamedTuple of their values, in that order, which
        shape, rules, expansion and work take.
    aliases: other names that are read as this one. label: what a picture shows for the name.
    latex: what LaTeX calls the function (`\\sin`), or its form with #1, #2 in the arguments' places
        (`\\sqrt{#1}`), `_{axis}` and `{size}` in those of a reduction's axes and of how many elements they have.
    infix, prefix, postfix: how it is written when it is an operator. written: other ways to write it,
        with the arguments' names, as `condition ? yes : no`.
    elementwise: it acts on each element, after broadcasting.
    gaps: its result has zeros where no element of its argument goes.
    commutative: its arguments may change places.
    least: the fewest arrays that a variadic operation takes.
    samples: for each array, an open interval inside its domain, where tests sample it.
    domain: its domain, where the value is a finite number, as a condition in the language;
        '' when nothing is worth saying: an elementwise operation then takes any number.
    facts: what algebra and checks may rely on. inverse: the operation that undoes it.
    cut: of an analytic operation, where on the real axis it has a finite value but no complex derivative:
        at an edge of its domain, along a branch cut.
    kink: where its derivative jumps.
    advice: what to use instead where its value is nan or infinite.
    book: a formula with the same derivative, as a calculus book has it, where the rule is careful of overflow
        and of zeros. Its value never stands in a formula that people read.
    why_no_derivative: where every rule is None, the reason, in a clause.
    evident: nobody expects it to have a derivative, so no warning says that it has none.
    example: a short expression without free names that shows it; its value is finite.
    canonical: gives the arguments and parameters that a node has for those that it is built from; 'module:name'.
    work: what one application costs, where it is not what `work_of` takes it for.
    rows: the kernel for arguments that all have an axis of rows in front, where the other does not just act
        on their trailing axes.
    python: the kernel on numbers, Python's floats, no less exact than the other; the last bit may differ. A name is
        that of a function in ops/floats.py, or 'module:name'.
    ulps: how far the value of that kernel may be from the exact one, in units of its last place.
    truth: where the value is 1 or 0, the function that gives it as bools. A name is numpy's.
    simpler: the operation as a formula in others that more languages have, for code in one that lacks it; of one whose
        derivatives have an order, a formula for each, the last of which the others are derivatives of. A formula may
        have loops.
    better: forms of this operation that lose digits, as formulas in x and y, each with one that keeps them.
    mp: the kernel on mpmath's numbers, of any precision: on numbers where it is elementwise, else on arrays of them.
        It is the name of a function in ops/many.py, or of mpmath's own; ARRAYS where the kernel on numpy's arrays takes
        such arrays, too; '' where it is what `python` names, or where an expansion says what to compute.
    """

    name: str
    doc: str
    arrays: tuple[str, ...]
    numpy: Kernel
    shape: Callable[[Sequence[Shape], Any], Shape]
    rules: tuple[Rule | None, ...] = ()
    expansion: Expansion = ""
    statics: tuple[Static, ...] = ()
    params: Callable[..., Params] = staticmethod(as_they_are)
    aliases: tuple[str, ...] = ()
    label: str = ""
    infix: Infix | None = None
    prefix: Infix | None = None
    postfix: Infix | None = None
    elementwise: bool = False
    commutative: bool = False
    least: int = 1
    samples: tuple[Interval, ...] = ()
    facts: Facts = NOTHING
    inverse: Inverse | None = None
    cut: Callable[..., Any] | None = None
    kink: Kink | None = None
    advice: Advice | None = None
    book: str = ""
    why_no_derivative: str = ""
    evident: bool = False
    domain: str = ""
    written: tuple[str, ...] = ()
    example: str = ""
    python: Kernel | None = None
    ulps: float = 1.0
    latex: str = ""
    gaps: bool = False
    canonical: Kernel | None = None
    work: Work | None = None
    rows: Kernel | None = None
    truth: Kernel | None = None
    mp: str = ""
    simpler: Expansion | tuple[str, ...] = ""
    better: tuple[tuple[str, str], ...] = ()

    @cached_property
    def kernel(self) -> Callable[..., Any]:
        """The kernel on numpy arrays."""
        return imported(self.numpy, "numpy")

    @cached_property
    def scalar(self) -> Callable[..., Any] | None:
        """The kernel on numbers, where there is one that needs no numpy."""
        return None if self.python is None else imported(self.python, "cgcli.ops.floats")

    @cached_property
    def test(self) -> Callable[..., Any] | None:
        """The kernel that gives bools, where the value is 1 or 0."""
        return None if self.truth is None else imported(self.truth, "numpy")

    @cached_property
    def of_rows(self) -> Callable[..., Any]:
        """The kernel on arrays that all have an axis of rows in front."""
        return self.kernel if self.rows is None else imported(self.rows)

    def rule(self, position: int) -> Rule | None:
        """The derivative rule of the argument at `position`."""
        if position < len(self.rules):
            return self.rules[position]
        return self.rules[-1] if self.rules else None

    @property
    def is_formula(self) -> bool:
        """Whether its derivative is that of its expansion."""
        return bool(self.expansion) and not self.rules

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
    params: Callable[..., Params] = as_they_are
    aliases: tuple[str, ...] = ()
    domain: str = ""
    example: str = ""

    @property
    def variadic(self) -> bool:
        """Whether it takes any number of array arguments: never."""
        return False
