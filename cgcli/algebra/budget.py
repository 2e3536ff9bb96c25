"""How much the simplifier may try: counted in operands of the forms that it builds, never in time."""

from __future__ import annotations

from cgcli.annotations import Sequence
from cgcli.graph.node import Node, toposort

LEAST = 20_000  # operands of forms, and of what is built for them: half a second or so
_EACH = 15  # for each node of a large formula,
_MOST = 30_000  # up to so many


class Budget:
    """What may be tried for some formulas together; when it is spent, the rest of them stays as it is.

    each: what a node of large formulas may take. before: what was tried for the formulas that these were made from;
    it counts. most: what may be tried in all.
    """

    def __init__(self, outputs: Sequence[Node], each: int = _EACH, before: Budget | None = None) -> None:
        self.most = max(LEAST, min(each * len(toposort(outputs)), _MOST))
        self._spent: int = before._spent if before else 0

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self._spent >= self.most

    def spend(self, operands: int) -> None:
        """Count a form of so many operands."""
        self._spent += operands

    def spend_as(self, other: Budget) -> None:
        """Count what was tried with another budget, which has this one before it."""
        self._spent = other._spent
