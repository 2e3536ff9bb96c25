"""The branches of a choice, in which its condition is known: in where(x > 0, a, b), x > 0 is 1 in a and 0 in b."""

from __future__ import annotations

from cgcli.graph.node import Node, apply, constant, rebuild, toposort
from cgcli.ops.arithmetic import ABS, MAXIMUM, MINIMUM, NEG
from cgcli.ops.logic import GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, NOT_OP, TRUTHS, WHERE
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact

_ONE, _ZERO = constant(1.0), constant(0.0)
_ABOVE = {GREATER: True, GREATER_EQUAL: True, LESS: False, LESS_EQUAL: False}  # whether x is, where x > 0 holds
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
        """The choice, its branches without the condition, other choices by it, and abs(x) and relu(x) for x > 0."""
        if self.condition.shape:
            return self  # a branch may add up the elements of what depends on it
        return self._replace(yes=self._branch(self.yes, True), no=self._branch(self.no, False))

    def _branch(self, branch: Node, holds: bool) -> Node:
        parts, condition = toposort([branch]), self.condition
        if len(parts) > _MOST:
            return branch
        known: dict[Node, Node] = {}
        for part in parts:
            if part is condition and condition.op in TRUTHS:
                known[part] = _ONE if holds else _ZERO
            elif part.op is WHERE and part.args[0] is condition and not part.shape:
                known[part] = part.args[1 if holds else 2]
            elif part.args and condition.op in _ABOVE and condition.args == (part.args[0], _ZERO):
                found = _by_sign(part, _ABOVE[condition.op] is holds)
                known |= {part: found} if found else {}
        return rebuild([branch], exact, known)[branch] if known else branch


def _by_sign(node: Node, above: bool) -> Node | None:
    """abs(x), relu(x), max(x, 0), min(x, 0), where x is above 0, or below; None for others."""
    x, *others = node.args
    if node.op is ABS:
        return x if above else apply(NEG, (x,))
    if node.op.name == "relu" or (node.op is MAXIMUM and others == [_ZERO]):
        return x if above else _ZERO
    if node.op is MINIMUM and others == [_ZERO]:
        return _ZERO if above else x
    return None
