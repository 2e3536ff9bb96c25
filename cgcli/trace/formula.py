"""Formulas whose leaves are the steps of a trace, their tangents and their adjoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from cgcli.graph.node import Node
from cgcli.graph.operation import Operation


class Mark(Enum):
    """What is meant of a step."""

    VALUE = "value"
    TANGENT = "tangent"
    ADJOINT = "adjoint"
    NUMBER = "number"  # itself; its name is its text
    PARTIAL = "partial"  # the derivative of the result by it, which is its adjoint in the end


class Symbol(NamedTuple):
    """The value, the tangent or the adjoint of the step of a name."""

    mark: Mark
    name: str


class Formula(NamedTuple):
    """A graph, and what its leaves stand for."""

    node: Node
    symbols: Mapping[Node, Symbol] = {}


class Spelling(Mapping[Node | Operation, str]):
    """How leaves and functions are written: found when it is asked for, since a leaf may be one of thousands."""

    def __init__(
        self, formula: Formula, functions: Mapping[Node | Operation, str], spell: Callable[[Symbol], str]
    ) -> None:
        self._symbols, self._functions, self._spell = formula.symbols, functions, spell

    def __getitem__(self, key: Node | Operation) -> str:
        symbol = self._symbols.get(key) if isinstance(key, Node) else None
        return self._functions[key] if symbol is None else self._spell(symbol)

    def __iter__(self) -> Iterator[Node | Operation]:
        yield from self._symbols
        yield from self._functions

    def __len__(self) -> int:
        return len(self._symbols) + len(self._functions)
