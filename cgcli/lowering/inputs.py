"""The inputs of a program: the names that it leaves open, and those that lack a value."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from cgcli.errors import UnknownNameError, did_you_mean
from cgcli.graph.node import Graph, name_of, toposort, variables
from cgcli.graph.operation import Shape
from cgcli.lowering.lower import lower, opened_function
from cgcli.ops.table import CONSTANTS, FUNCTIONS
from cgcli.syntax import tree


def free_names(program: tree.Program) -> tuple[str, ...]:
    """The names that no statement gives a value to, constants of the language included, in order of appearance."""
    statements = program.statements
    assigned = {item.name for item in statements if isinstance(item, tree.Assign)}
    opened = opened_function(statements)
    found: dict[str, None] = {}
    for item in statements:
        if isinstance(item, tree.Declare):
            found[item.name] = None
            continue
        bound: set[str] = set()
        if isinstance(item, tree.DefineJvp):
            bound = {name.name for name in (*item.parameters, *item.tangents)}
        elif isinstance(item, tree.Define) and item.function != opened:
            bound = {name.name for name in item.parameters}
        found |= dict.fromkeys(name for name in _names(item) if name not in bound)
    return tuple(name for name in found if name not in assigned)


def _names(item: Any) -> Iterator[str]:
    """The names that stand in a part of the tree, in their order."""
    waiting = [item]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tree.Name):
            yield part.name
        elif isinstance(part, tuple):
            waiting.extend(reversed(part))


def declared_shapes(program: tree.Program) -> dict[str, Shape]:
    """The shapes that the program declares."""
    declarations = [item for item in program.statements if isinstance(item, tree.Declare)]
    if not declarations:
        return {}
    names = tuple(tree.Name(item.name, item.span) for item in declarations)
    outputs = tree.Outputs(names, declarations[0].span)
    graph = lower(tree.Program((*declarations, outputs), program.source))
    return {name_of(node): node.shape for node in graph.outputs}


def check_bound(graph: Graph, bound: Collection[str]) -> None:
    """Raise UnknownNameError for the inputs that have no value, all at once. bound: the names that have one."""
    read = {name_of(node): node for node in variables(toposort(graph.outputs))}
    names = [name for name in read if name not in bound]
    if not names:
        return
    listed = ", ".join(f"'{name}'" for name in names[:20]) + (", …" if len(names) > 20 else "")
    first, *others = (graph.origins.get(read[name]) for name in names)
    raise UnknownNameError(
        f"no value for {listed}", first, source=graph.source, also=tuple(span for span in others[:20] if span),
        hint=_remedy(names, [name for name in bound if name not in read]),
    )  # fmt: skip


def _remedy(missing: list[str], unused: Collection[str]) -> str:
    """What to do about names without a value, when some others have one that nothing uses."""
    from cgcli.printing.expression import written_name

    first = missing[0]
    near = did_you_mean(first, unused) or _run_together(first)
    if near:
        return near
    if first in FUNCTIONS:
        return f"'{first}' is a function: write {first}(…)"
    if first.lower() in CONSTANTS:
        return f"did you mean '{first.lower()}'?"
    return "as in: " + " ".join(f"{written_name(name)}=3" for name in missing[:3])


def _run_together(name: str) -> str:
    """A function and its argument that were written as one name: sinx."""
    called = max((function for function in FUNCTIONS if name.startswith(function)), key=len, default="")
    rest = name[len(called) :]
    return f"did you mean {called}({rest})?" if len(called) > 1 and 0 < len(rest) <= 2 else ""
