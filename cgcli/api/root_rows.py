"""Roots over rows: those of each row, and how they move with the other names."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING
from cgcli.api.columns import Bound, Computed
from cgcli.api.root import MOST, System, root
from cgcli.derivatives.gradient import derivative_name
from cgcli.errors import CgError, DataError, NotReachedError, UsageError
from cgcli.graph.node import apply, constant, name_of
from cgcli.lowering.formula import lower_formula
from cgcli.ops.fitting import broadcast
from cgcli.ops.loops import LOOP, unpacked
from cgcli.ops.roots import ROOT
from cgcli.records import EMPTY
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
