"""The names that statements assign and read, in the order in which they do."""

from __future__ import annotations

from cgcli.annotations import Any, Iterable, Iterator
from cgcli.errors import Span
from cgcli.records import NamedTuple
from cgcli.syntax import tree


def assigned(statements: Iterable[tree.Statement]) -> list[str]:
    """The names that statements assign, in the order in which they stand."""
    found: dict[str, None] = {}
    waiting: list[Any] = [*statements][::-1]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tree.Assign):
            found[item.name] = None
        elif isinstance(item, tree.AssignSeveral):
            found.update(dict.fromkeys(name.name for name in item.names))
        else:
            waiting += [statement for block in _blocks(item) for statement in block.statements][::-1]
    return [*found]


def _blocks(item: Any) -> tuple[tree.Block, ...]:
    if isinstance(item, tree.If):
        return item.yes, item.no
    return (item.body,) if isinstance(item, tree.While | tree.For | tree.Repeat) else ()


def standing_deeper(item: tree.Flow, most: int) -> tree.Flow | None:
    """The first loop or branch that stands in `most` others, this one the outermost of them."""
    level: list[Any] = [item]
    for _ in range(most):
        inner = [each for outer in level for block in _blocks(outer) for each in block.statements]
        level = [each.value if isinstance(each, tree.Assign) else each for each in inner]
    return next((each for each in level if _blocks(each)), None)


def read_first(parts: Iterable[Any], bound: set[str]) -> dict[str, Span]:
    """The names that are read before they are assigned, each with its first place. bound: names that are no inputs."""
    found: dict[str, Span] = {}
    known = set(bound)
    for name, span, assigns in _uses(parts):
        if assigns:
            known.add(name)
        elif name not in known:
            found.setdefault(name, span)
    return found


def _uses(parts: Iterable[Any]) -> Iterator[tuple[str, Span, bool]]:
    """The names in statements and expressions in the order in which they are read and assigned."""
    waiting: list[Any] = [*parts][::-1]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tree.Name):
            yield item.name, item.span, False
        elif isinstance(item, _Assigned):
            yield item.name, item.span, True
        elif isinstance(item, tree.Assign):
            waiting += (_Assigned(item.name, item.span), item.value)
        elif isinstance(item, tree.AssignSeveral):
            waiting += (*(_Assigned(name.name, name.span) for name in item.names), item.value)
        elif isinstance(item, tree.For | tree.Series):
            waiting += (item.body, _Assigned(item.name, item.span), item.last, item.first)
        elif isinstance(item, tree.Solve):
            names = [_Assigned(name.name, name.span) for name in item.names]
            waiting += (item.sides, *names, item.starts)
        elif isinstance(item, tuple):
            waiting += item[::-1]


class _Assigned(NamedTuple):
    name: str
    span: Span
