"""The stack of tasks and values on which expressions are lowered, so that no depth of nesting is too deep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cgcli.errors import CgError, ShapeError, Span
from cgcli.graph.node import Node
from cgcli.lowering.arguments import Value
from cgcli.syntax import tree


class Scope(NamedTuple):
    """Where names are looked up: a function's parameters, then what lies outside of it."""

    names: Mapping[str, Value]
    inside: str = ""  # the function whose body this is


Task = tuple[Callable[[Any, Scope], None], Any, Scope]


class Stack:
    """Tasks that wait, last in, first run, and the values that they leave.

    lower: what an expression is lowered by. origins: filled with the span that each node was first read from.
    """

    def __init__(self, lower: Callable[[Any, Scope], None], origins: dict[Node, Span]) -> None:
        self._lower = lower
        self._origins = origins
        self._values: list[Value] = []
        self._work: list[Task] = []

    def run(self, expression: tree.Expression, scope: Scope) -> Value:
        """The value of an expression."""
        self.visit(expression, scope)
        while self._work:
            action, item, where = self._work.pop()
            try:
                action(item, where)
            except CgError as error:
                if where.inside and (error.span is None or isinstance(error, ShapeError)):
                    error.call = next((task.span for _, task, scope in reversed(self._work) if not scope.inside), None)
                raise error.at(item.span) from None
        return self._values.pop()

    def visit(self, expression: tree.Expression, scope: Scope) -> None:
        """Compute the value of an expression next, and leave it on the stack."""
        self._work.append((self._lower, expression, scope))

    def do(self, action: Callable[[Any, Scope], None], item: Any, scope: Scope) -> None:
        """Call `action` next; an error in it is placed at the item's span."""
        self._work.append((action, item, scope))

    def later(self, action: Callable[[Any, Scope], None], item: Any, scope: Scope,
               children: Sequence[tree.Expression]) -> None:  # fmt: skip
        """Do `action` when the children's values stand on the stack, in their order."""
        self._work.append((action, item, scope))
        lower = self._lower
        self._work.extend((lower, child, scope) for child in reversed(children))

    def take(self, count: int) -> list[Value]:
        """The last `count` values."""
        if not count:
            return []
        taken = self._values[-count:]
        del self._values[-count:]
        return taken

    def push(self, value: Value) -> None:
        """Leave a value."""
        self._values.append(value)

    def give(self, node: Value, span: Span) -> None:
        """Leave a value that was read from a place."""
        if type(node) is Node and node.args:
            self._origins.setdefault(node, span)
        self._values.append(node)
