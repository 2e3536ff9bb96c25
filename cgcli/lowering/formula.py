"""Formulas of the table to nodes: derivative rules, expansions and shorthands.

They are programs in the language, written by us; their names stand for the arguments and
static parameters of the operation that they belong to.
"""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Mapping, Sequence
from cgcli.errors import Span
from cgcli.graph.node import Node, apply, constant, interned, leaf, rebuild, toposort
from cgcli.graph.operation import Operation, Params, Shape, Shorthand
from cgcli.lean import cache, lru_cache
from cgcli.lowering.machine import Machine
from cgcli.ops.table import CONSTANTS
from cgcli.records import NamedTuple
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


class _Steps(NamedTuple):
    """A formula over arguments of some shapes, as operations in a row, after the arguments and the constants.

    made: of each the operation, the places of its arguments in the row, its parameters and its shape.
    """

    constants: Sequence[Node]
    made: Sequence[tuple[Operation, tuple[int, ...], Params, Shape]]
    result: int


@lru_cache(maxsize=4096)
def _steps(
    text: str, entry: Shorthand | Operation, params: Params, names: tuple[str, ...], shapes: tuple[Shape, ...]
) -> _Steps:
    """A formula of an entry, read once for all uses with the same parameters and arguments of the same shapes."""
    stand_ins = [leaf(f"={name}", shape) for name, shape in zip(names, shapes, strict=True)]
    formula = lower_formula(text, dict(zip(names, stand_ins, strict=True)) | _statics(entry, params))
    given = set(stand_ins)
    parts = [part for part in toposort([formula], given) if part not in given]
    constants, made = [part for part in parts if not part.args], [part for part in parts if part.args]
    place = {part: at for at, part in enumerate([*stand_ins, *constants, *made])}
    rows = [(part.op, tuple([place[arg] for arg in part.args]), part.params, part.shape) for part in made]
    return _Steps(constants, rows, place[formula])


def formula_at(text: str, entry: Shorthand | Operation, params: Params, nodes: Mapping[str, Node]) -> Node:
    """The node that a formula of an entry means at one use, where its names stand for the given nodes."""
    args = nodes.values()
    known = _steps(text, entry, params, tuple(nodes), tuple([arg.shape for arg in args]))
    row = [*args, *known.constants]
    for op, places, own, shape in known.made:
        taken = tuple([row[at] for at in places])
        row.append(interned(op, taken, own, shape) if op.canonical is None else apply(op, taken, own))
    return row[known.result]


def expand(entry: Shorthand | Operation, args: tuple[Node, ...], params: Params) -> Node:
    """What a shorthand, or an operation with an expansion, stands for."""
    if callable(entry.expansion):
        expanded: Node = entry.expansion(args, params)
        return expanded
    return formula_at(entry.expansion, entry, params, dict(zip(entry.arrays, args, strict=True)))


def names_of(entry: Shorthand | Operation, args: tuple[Node, ...], params: Params) -> dict[str, Value]:
    """What the names in an entry's formulas stand for at one use."""
    return {**dict(zip(entry.arrays, args, strict=True)), **_statics(entry, params)}


def _statics(entry: Shorthand | Operation, params: Params) -> dict[str, Value]:
    return {
        static.name: constant(value) if isinstance(value, float | int) and not isinstance(value, bool) else value
        for static, value in zip(entry.statics, params, strict=True)
    }
