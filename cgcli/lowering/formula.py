"""Formulas of the table to nodes: derivative rules, expansions and shorthands.

They are programs in the language, written by us; their names stand for the arguments and
static parameters of the operation that they belong to.
"""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Mapping
from cgcli.errors import Span
from cgcli.graph.node import Node, apply, constant, rebuild
from cgcli.graph.operation import Operation, Params, Shorthand
from cgcli.lean import cache
from cgcli.lowering.machine import Machine
from cgcli.ops.table import CONSTANTS
from cgcli.syntax import tree
from cgcli.syntax.parser import parse

if TYPE_CHECKING:
    from cgcli.lowering.arguments import Value


@cache
def _parsed(text: str) -> tree.Program:
    return parse(text)


def lower_formula(text: str, names: Mapping[str, Value]) -> Node:
    """The node that a formula means when its names stand for the given nodes and statics."""
    if text.lstrip("-").isdecimal():  # as of a sum; this and the next are most of all formulas, and need no parser
        return constant(float(text))
    if isinstance(alone := names.get(text), Node):  # as of a product
        return alone
    known = dict(names)

    def lookup(name: str, span: Span) -> Value:
        return known[name] if name in known else constant(CONSTANTS[name])

    machine = Machine(lookup, known, {}, {}, expand)
    value: Value = None
    for statement in _parsed(text).statements:
        assert not isinstance(
            statement, tree.Define | tree.DefineJvp | tree.Declare | tree.Outputs | tree.AssignSeveral
        )
        if isinstance(statement, tree.Assign):
            value = known[statement.name] = machine.run(statement.value)
        elif isinstance(statement, tree.Flow):
            machine.run(statement, known)
        else:
            value = machine.run(statement)
    assert isinstance(value, Node)
    return _narrowed(value) if machine.has_blocks else value


def _narrowed(value: Node) -> Node:
    """The value, whose loops carry nothing that nobody reads."""
    from cgcli.lowering.loops import narrowed

    while become := narrowed((value,), {}):
        value = (become | rebuild((value,), apply, become))[value]
    return value


def expand(entry: Shorthand | Operation, args: tuple[Node, ...], params: Params) -> Node:
    """What a shorthand, or an operation with an expansion, stands for."""
    if callable(entry.expansion):
        expanded: Node = entry.expansion(args, params)
        return expanded
    return lower_formula(entry.expansion, names_of(entry, args, params))


def names_of(entry: Shorthand | Operation, args: tuple[Node, ...], params: Params) -> dict[str, Value]:
    """What the names in an entry's formulas stand for at one use."""
    statics = {
        static.name: constant(value) if isinstance(value, float | int) and not isinstance(value, bool) else value
        for static, value in zip(entry.statics, params, strict=True)
    }
    return {**dict(zip(entry.arrays, args, strict=True)), **statics}
