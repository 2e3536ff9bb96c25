"""Equations: statements `LEFT = RIGHT` that give no name its value, as `ln(y) = a*x + b`; their sides are results."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Callable, Collection
from cgcli.errors import ParseError, Span
from cgcli.records import NamedTuple
from cgcli.syntax import tree
from cgcli.syntax.builder import TreeBuilder

if TYPE_CHECKING:
    from cgcli.annotations import Any

_PLAIN = TreeBuilder()


class _Equation(NamedTuple):
    """The children of `LEFT = RIGHT`, until it is known what it means. span: of all of it."""

    children: list[Any]
    span: Span


class EquationBuilder(TreeBuilder):
    """As the builder of programs, but whether `LEFT = RIGHT` is an equation is left open, for `told`."""

    def assign(self, children: list[Any]) -> Any:
        return _Equation(children, Span(children[0].span.start, children[-1].span.end))

    def define_block(self, children: list[Any]) -> tree.Statement:
        return _PLAIN.define_block(children)

    def block(self, children: list[Any]) -> tree.Block:
        opening, *statements, closing = children
        return _PLAIN.block([opening, *map(_as_assignment, statements), closing])


def told(
    statements: list[Any], kind: str, values: Collection[str], functions: Callable[[str], bool]
) -> list[tree.Statement]:
    """The statements, with the sides of the equations as the results.

    kind: `model`: the last one is an equation; `system`: those whose left side is neither a new name nor a new
    function; `relation`: as `system`, and there may be none. values: names that have one. functions: whether a name is
    one of a function. Raises ParseError where there is no equation.
    """
    if kind == "model":
        is_equation = [at == len(statements) - 1 for at in range(len(statements))]
    else:
        known = {*values}
        is_equation = []
        for each in statements:
            name = _made(each, functions)
            is_equation.append(name is None or name in known)
            known |= {name} if isinstance(each, _Equation) and name else set()
    equations = [each for each, holds in zip(statements, is_equation, strict=True)
                 if holds and isinstance(each, _Equation)]  # fmt: skip
    others = [_as_assignment(each) for each in statements if each not in equations]
    if equations:
        sides = tuple(side for each in equations for side in each.children[::2])
        return [*others, tree.Outputs(sides, Span(equations[0].span.start, equations[-1].span.end))]
    if kind == "relation" and others and not isinstance(others[-1], tree.Outputs | tree.Define | tree.Assign):
        return others
    raise _none(others, kind)


def _made(statement: Any, functions: Callable[[str], bool]) -> str | None:
    """The name that a statement gives a value, or of the function that it defines; None where it does neither."""
    target = statement.children[0] if isinstance(statement, _Equation) else None
    if isinstance(target, tree.Name):
        return target.name
    if isinstance(target, tree.Call) and target.args and not target.operator and not target.keywords:
        is_new = all(isinstance(arg, tree.Name) for arg in target.args) and not functions(target.function)
        return f"{target.function}()" if is_new else None
    return "" if isinstance(target, tree.Derived) else None


def _none(statements: list[tree.Statement], kind: str) -> ParseError:
    """The error for a program without an equation."""
    last = statements[-1] if statements else None
    hint, message = "as in: y = a*x + b", "the model is an equation, and there is none in the end"
    if kind == "relation":
        hint, message = "as in: x + y <= 1, x*y = 2", "this is no relation"
    if kind == "system":
        hint, message = "as in: x^2 = 2", "there is no equation to solve"
        if isinstance(last, tree.Assign):
            message = f"'{last.name}' gets its value here, and there is no equation to solve"
            hint = f"to solve it for '{last.name}', give this a start: {last.name}=1; else turn the sides round"
        elif last and not isinstance(last, tree.Compare | tree.Outputs | tree.Define):
            hint = "an equation has two sides, as in: x^2 - 2 = 0"
    if isinstance(last, tree.Compare) and last.functions == ("equal",):
        hint = "write '=' between the sides; '==' compares"
    return ParseError(message, last.span if last else Span(0, 0), hint=hint)


def _as_assignment(statement: Any) -> Any:
    """A statement; one with `=` gives a name its value."""
    return _PLAIN.assign(statement.children) if isinstance(statement, _Equation) else statement
