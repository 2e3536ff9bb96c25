"""`solve`: roots at a point, and over rows those of each, with how they move with the other names."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.api.apart import Crew
from cgcli.api.arguments import holding_kinds
from cgcli.api.columns import Bound, Computed
from cgcli.api.point import at_values
from cgcli.api.program import read_text
from cgcli.api.values import arrays_of
from cgcli.derivatives.gradient import derivative_name
from cgcli.errors import CgError, DataError, NotReachedError, UsageError
from cgcli.graph.node import apply, constant, name_of
from cgcli.lowering.formula import lower_formula
from cgcli.ops.fitting import broadcast
from cgcli.ops.loops import LOOP, unpacked
from cgcli.ops.roots import ROOT
from cgcli.records import EMPTY
from cgcli.searches.data import opened
from cgcli.searches.parameters import check_complete
from cgcli.searches.root import MOST, Log, System, random_starts, root, system
from cgcli.transform.differentiate import pullback

if TYPE_CHECKING:
    from cgcli.tables.batch import Batch

_EPS = 2.0**-52
_BEGIN = (0.0, float("inf"), 0.0, 0.0, 0.0)  # what the loop carries behind the unknowns


class Roots(Bound):
    """The unknowns of a system for each row, nan where none are found. grad: their derivatives, too.

    Raises UsageError for derivatives of arrays.
    """

    def __init__(self, system: System, threads: int, *, grad: bool, max_iter: int = MOST) -> None:
        self._system, self._max_iter = system, max_iter
        start, *others = system.node.args
        shapes = system.loop.shapes
        carries = [
            start,
            *(broadcast(constant(number), shape) for number, shape in zip(_BEGIN, shapes[1:], strict=True)),
        ]
        ends = (constant(_EPS), constant(float(max_iter)))
        parts = unpacked(apply(LOOP, (*carries, *others, *ends), system.loop), shapes)
        found = lower_formula("found ? x : nan", {"found": parts[-1], "x": parts[0]})
        of_unknowns = [node.shape for node in system.unknowns]
        results = [*zip(system.names, unpacked(found, of_unknowns), strict=True)]
        if grad:
            arrays = [name_of(node) for node in (*system.unknowns, *system.others) if node.shape]
            if arrays:
                raise UsageError(f"over rows, --grad is for numbers, and '{arrays[0]}' is an array",
                                 hint="give each of its elements a name")  # fmt: skip
            again = unpacked(apply(ROOT, (found, *others), system.node.params), of_unknowns)
            for name, node in zip(system.names, again, strict=True):
                slopes = pullback([node], [constant(1.0)], system.others)
                results += [
                    (derivative_name(name, name_of(by)), slope) for by, slope in zip(system.others, slopes, strict=True)
                ]
        super().__init__(system.point, results, threads)
        self._nan_is_given = False  # it stands for no root

    def error(self, batch: Batch, row: int, computed: Computed) -> DataError:
        """Why a row is bad: what its cells hold, or how the search ends there."""
        if row in computed.unread or row in computed.beyond:
            return super().error(batch, row, computed)
        point, span = self._system.point, self._system.point.program.syntax.statements[-1].span
        cells = {name: column.values[row] for name, column in self.read(batch).items()}
        at_row = self._system._replace(point=point._replace(bindings={**point.bindings, **cells}))
        try:
            found = root(at_row, [EMPTY], max_iter=self._max_iter)
        except CgError as error:
            return NotReachedError(
                f"{batch.at(row)}: {error.message}", error.span, source=error.source, hint=error.hint
            )
        reason = "a derivative is not finite there" if found.converged else found.reason
        return NotReachedError(f"{batch.at(row)}: {reason}", span, source=point.graph.source)


@holding_kinds
def solve(
    equations: str, start: Mapping[str, Any], data: Any = None, *, fixed: Mapping[str, Any] | None = None,
    unknowns: Sequence[str] | None = None, grad: bool = False, starts: int = 1, seed: int = 0, max_iter: int = MOST,
    log: Log | None = None,
) -> Any:  # fmt: skip
    """The root of equations near a start, a `Root`, by Newton's method with an exact Jacobian, damped.

    equations: a program with statements `LEFT = RIGHT`, `x + y = 3; x*y = 2`. start: numbers or arrays by name; as many
    names as there are equations, the first ones, are solved for, unless `unknowns` says which; the others stay as they
    are, as those of `fixed` do. data: rows, whose columns are other names, as `minimize` takes them: then the roots of
    all are given, as arrays by name, nan where there is none. grad: the derivatives of the root by the other names,
    too, by the implicit function theorem.
    starts, seed: how many points the search begins at, at most, random but for the first. max_iter: the most steps.

    >>> found = solve("x^2 = a", {"x": 1, "a": 4}, grad=True)
    >>> found.point, found.grad
    ({'x': 2.0}, {'x': {'a': 0.25}})

    A root that is not found is not raised, but said: `converged`, `reason`. Raises ParseError where there is no
    equation, UnknownNameError for names without a value, EvaluationError where an equation is not finite at the start.
    """
    names = [*start]
    program = read_text(equations, known=[*names, *(fixed or {})], equations="system")
    values = {**arrays_of(start), **arrays_of(fixed or {})}
    if data is not None:
        with opened([program], values, data, Crew(), patient=True) as ((at_rows,), _, rows):
            bound = Roots(system(at_rows, names, unknowns), 1, grad=grad, max_iter=max_iter)
            parts = [bound(batch).arrays for batch in rows]
        return {name: np.concatenate(each) for name, each in zip(bound.names, zip(*parts, strict=True), strict=True)}
    point = at_values(program, values)
    check_complete(point)
    found = system(point, names, unknowns)
    return root(found, random_starts(found, starts, seed), max_iter=max_iter, grad=grad, log=log)
