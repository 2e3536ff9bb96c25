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


def read_first(parts: Iterable[Any], bound: Iterable[str]) -> dict[str, Span]:
    """The names that are read before they are assigned, each with its first place. bound: names that are no inputs."""
    found: dict[str, Span] = {}
    for name in reads(parts, bound):
        found.setdefault(name.name, name.span)
    return found


def reads(parts: Iterable[Any], bound: Iterable[str]) -> Iterator[tree.Name]:
    """Where statements and expressions read names that they have not assigned yet, in their order.

    bound: names that have a value already. The index of a sum and the unknowns of a root have one within these.
    """
    known = set(bound)
    nowhere: frozenset[str] = frozenset()
    waiting: list[tuple[Any, frozenset[str]]] = [(part, nowhere) for part in parts][::-1]
    while waiting:
        item, inside = waiting.pop()
        children: tuple[Any, ...] = ()
        if isinstance(item, tree.Name):
            if item.name not in known and item.name not in inside:
                yield item
        elif isinstance(item, _Assigned):
            known.add(item.name)
        elif isinstance(item, tree.Series):
            waiting.append((item.body, inside | {item.name}))
            children = item.first, item.last
        elif isinstance(item, tree.Solve):
            waiting.append((item.sides, inside | {name.name for name in item.names}))
            children = item.starts
        elif isinstance(item, tree.Assign):
            children = item.value, _Assigned(item.name)
        elif isinstance(item, tree.AssignSeveral):
            children = (item.value, *(_Assigned(name.name) for name in item.names))
        elif isinstance(item, tree.For):
            children = item.first, item.last, _Assigned(item.name), item.body
        elif isinstance(item, tuple):
            children = item
        waiting += [(child, inside) for child in reversed(children)]


class _Assigned(NamedTuple):
    name: str
