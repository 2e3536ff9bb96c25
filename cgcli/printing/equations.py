"""The equations of a root, as they are shown: their two sides, names for the unknowns, where the search begins."""

from __future__ import annotations

from itertools import chain, count

from cgcli.annotations import Iterator, Sequence
from cgcli.graph.loops import fresh_leaves
from cgcli.graph.node import Node, apply, constant_value, rebuild, toposort
from cgcli.ops.arithmetic import SUBTRACT
from cgcli.ops.loops import unpacked
from cgcli.ops.roots import Root
from cgcli.ops.shaping import STACK
from cgcli.printing.printer import Names

_UNKNOWNS = "xyzuvw"


def opened(node: Node) -> tuple[Node, Node]:
    """A leaf for the unknowns of a root, and what is 0 there."""
    assert isinstance(node.params, Root)
    unknown, *others = node.params.body.parameters
    (leaf,) = fresh_leaves([unknown.shape])
    (value,) = node.params.body.outputs
    become = rebuild([value], apply, dict(zip((unknown, *others), (leaf, *node.args[1:]), strict=True)))
    return leaf, become[value]


def apart(leaf: Node, rest: Node) -> tuple[Sequence[Node], Sequence[Node]]:
    """The unknowns and the equations, several where they are numbers in a list. leaf: all unknowns; rest: what is 0."""
    if rest.op is STACK and len(rest.shape) == 1 and len(leaf.shape) == 1:
        unknowns = unpacked(leaf, [()] * rest.shape[0])
        if not any(leaf in node.args and node not in unknowns for node in toposort([rest])):
            return unknowns, rest.args
    return [leaf], [rest]


def is_equation(rest: Node, named: Names) -> bool:
    """Whether what is 0 at a root is the difference of two sides."""
    return rest.op is SUBTRACT and rest not in named and constant_value(rest.args[1]) != 0


def names_of_unknowns(wish: str = "") -> Iterator[str]:
    """Names for the unknowns of an equation."""
    return chain([wish] if wish else [], _UNKNOWNS, (f"x{at}" for at in count(1)))
