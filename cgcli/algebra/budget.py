"""How much the simplifier may try: counted in operands of the forms that it builds, never in time."""

from __future__ import annotations

from cgcli.annotations import Sequence
from cgcli.graph.node import Node, toposort

LEAST = 15_000  # operands of forms: a second or two
_EACH = 12  # for each node of a large formula,
_LARGE = 100_000  # up to so many; then 3 for each node


class Budget:
    """What may be tried for some formulas together; when it is spent, the rest of them stays as it is.

    each: what a node of large formulas may take. most: what may be tried at first.
    """

    def __init__(self, outputs: Sequence[Node], each: int = _EACH) -> None:
        nodes = len(toposort(outputs))
        self.most = max(LEAST, min(each * nodes, _LARGE + 3 * nodes))
        self._left = self.most

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self._left <= 0

    def spend(self, operands: int) -> None:
        """Count a form of so many operands."""
        self._left -= operands
