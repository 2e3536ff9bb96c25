"""The calls of a program's own functions, beside the graph that they are written into: for whoever draws it."""

from __future__ import annotations

from cgcli.annotations import Any, Collection, Mapping, Sequence
from cgcli.errors import Span
from cgcli.records import NamedTuple

MOST_NESTED = 20  # calls in each other that are told apart; what is deeper stands in the last of them


class Call(NamedTuple):
    """A call; those of one function with the same arguments are one.

    name: of the function. parameters: what it calls its arguments. args: their nodes, None where one is no value.
    values: the nodes of its results. spans: where it is written, and its arguments; none where a derivative is taken of
    it, which is not drawn as a call. path: the places of the calls in whose bodies it stands, the outermost first, and
    its own.
    """

    name: str
    parameters: tuple[str, ...]
    args: tuple[Any, ...]
    values: tuple[Any, ...]
    spans: tuple[Span, ...]
    path: tuple[int, ...] = ()


class Calls(NamedTuple):
    """The calls of a program, itself at place 0. made: for each node, the places of the calls that compute it."""

    calls: Sequence[Call]
    made: Mapping[Any, Collection[int]]
