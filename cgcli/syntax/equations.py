"""Equations: programs whose last statement is `LEFT = RIGHT`, either side an expression, as in `ln(y) = a*x + b`."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING
from cgcli.errors import ParseError, Span
from cgcli.records import NamedTuple
from cgcli.syntax import tree
from cgcli.syntax.builder import TreeBuilder

if TYPE_CHECKING:
    from cgcli.annotations import Any


_PLAIN = TreeBuilder()


class _Equation(NamedTuple):
    """The children of `LEFT = RIGHT`, until it is known whether it stands last. span: of all of it."""

    children: list[Any]
    span: Span


class EquationBuilder(TreeBuilder):
    """As the builder of programs, but the last statement is an equation: a pair of its sides."""

    def start(self, children: list[Any]) -> list[tree.Statement]:
        *before, last = _told(children[:-1]) + children[-1:] or [None]
        if not isinstance(last, _Equation):
            span = last.span if last else Span(0, 0)
            hint = "as in: y = a*x + b"
            if isinstance(last, tree.Compare) and last.functions == ("equal",):
                hint = "write '=' between the sides; '==' compares"
            raise ParseError("the model is an equation, and there is none in the end", span, hint=hint)
        left, _, right = last.children
        return [*before, tree.Outputs((left, right), last.span)]

    def assign(self, children: list[Any]) -> Any:
        return _Equation(children, Span(children[0].span.start, children[-1].span.end))

    def define_block(self, children: list[Any]) -> tree.Statement:
        return _PLAIN.define_block(children)

    def block(self, children: list[Any]) -> tree.Block:
        opening, *statements, closing = children
        return _PLAIN.block([opening, *_told(statements), closing])


def _told(statements: list[Any]) -> list[Any]:
    """The statements; those with `=` give names their values."""
    return [_PLAIN.assign(item.children) if isinstance(item, _Equation) else item for item in statements]
