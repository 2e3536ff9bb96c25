"""Functions with a derivative rule of their own, as the definitions that make them again.

A function's body is one expression, so what is shared within it becomes a function too:
`t1(x) = sin(x); f(x) = t1(x)*t1(x)`.
"""

from __future__ import annotations

from itertools import count

from cgcli.annotations import Callable, Generator, Iterator, Sequence
from cgcli.graph.body import Body, OwnFunction
from cgcli.graph.loops import loops_in
from cgcli.graph.node import Node, toposort
from cgcli.graph.operation import Callee
from cgcli.ops.table import FUNCTIONS
from cgcli.printing.expression import shared, text_of, written_name
from cgcli.printing.names import Contents, numbered
from cgcli.printing.printer import Names

_Named = dict[Node | Callee, str]
_Block = Callable[[Body, _Named], tuple[str, list[str]]]


def definitions(contents: Contents, block: _Block | None = None) -> list[str]:
    """The statements that define a program's functions, inner ones first.

    block: the name and the definitions of a function with a block, which computes what a body does, for loops.
    """
    if not contents.functions:
        return []
    writer = _Writer(dict(contents.functions.items()), numbered(contents.reserved), block)
    return [text for own in contents.functions for text in writer.definition(own)]


class _Writer:
    """functions: their names. fresh: names for more. block: as of `definitions`."""

    def __init__(self, functions: _Named, fresh: Iterator[str], block: _Block | None) -> None:
        self._functions, self._fresh, self._block = functions, fresh, block

    def definition(self, own: OwnFunction) -> Iterator[str]:
        """The statements that define one function: its value, then its rule."""
        name = self._functions[own]
        words = [written_name(word) for word in _words(own, self._functions)]
        parameters, tangents = words[: len(own.parameters)], words[len(own.parameters) :]
        arguments = ", ".join(parameters)
        value = yield from self._with_shared(own.body, parameters, parameters)
        yield f"{name}({arguments}) = {value}"
        tangent = yield from self._with_shared(own.rule, words, [*words, f"{name}({arguments})"])
        yield f"jvp {name}({arguments}; {', '.join(tangents)}) = {tangent}"

    def _with_shared(self, body: Body, arguments: Sequence[str], values: Sequence[str]) -> Generator[str, None, str]:
        """A definition for each node that is shared; the text of the whole in their terms.

        arguments: of these definitions. values: the texts of the body's parameters.
        """
        (node,) = body.outputs
        named: _Named = {**self._functions, **dict(zip(body.parameters, values, strict=True))}
        order = toposort([node])
        if loops_in(order):
            assert self._block is not None
            function, lines = self._block(body, dict(self._functions))
            yield from lines
            return f"{function}({', '.join(values)})"
        for part in shared(order, [node]):
            if part not in named:
                call = f"{next(self._fresh)}({', '.join(arguments)})"
                yield f"{call} = {text_of(part, named)}"
                named[part] = call
        return text_of(node, named)


def _words(own: OwnFunction, functions: Names) -> Iterator[str]:
    """Names for the parameters and tangents, none of them a function's: in a definition, `f(x)` would be a product."""
    taken = {*FUNCTIONS, *functions.values()}
    for word in own.names:
        yield (word := next(name for name in (word + "_" * at for at in count()) if name not in taken))
        taken.add(word)
