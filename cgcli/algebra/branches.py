"""The branches of a choice, in which its condition is known: in where(x > 0, a, b), x > 0 is 1 in a and 0 in b."""

from __future__ import annotations

from cgcli.graph.node import Node, constant, rebuild, toposort
from cgcli.ops.logic import NOT_OP, TRUTHS, WHERE
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact

_ONE, _ZERO = constant(1.0), constant(0.0)
_MOST = 200  # operations of a branch that is looked through


class Choice(NamedTuple):
    """where(condition, yes, no)."""

    condition: Node
    yes: Node
    no: Node

    def plain(self) -> Choice:
        """The same choice by what its condition says with more words: c for where(c, 1, 0), not c, where(c, 0, 1)."""
        condition, yes, no = self
        while True:
            if condition.op is NOT_OP or (condition.op is WHERE and condition.args[1:] == (_ZERO, _ONE)):
                yes, no = no, yes
            elif condition.op is not WHERE or condition.args[1:] != (_ONE, _ZERO):
                return Choice(condition, yes, no)
            condition = condition.args[0]

    def with_known_condition(self) -> Choice:
        """The choice, its branches without the condition and without other choices by it."""
        if self.condition.shape:
            return self  # a branch may add up the elements of what depends on it
        return self._replace(yes=self._branch(self.yes, _ONE), no=self._branch(self.no, _ZERO))

    def _branch(self, branch: Node, value: Node) -> Node:
        parts, condition = toposort([branch]), self.condition
        if condition not in parts or len(parts) > _MOST:
            return branch
        choices = [part for part in parts if part.op is WHERE and part.args[0] is condition and not part.shape]
        known = {part: part.args[1 if value is _ONE else 2] for part in choices}
        if condition.op in TRUTHS:
            known[condition] = value
        return rebuild([branch], exact, known)[branch]
