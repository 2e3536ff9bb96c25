"""Functions with a derivative rule of their own, as the definitions that make them again.

A function's body is one expression, so what is shared within it becomes a function too:
`t1(x) = sin(x); f(x) = t1(x)*t1(x)`.
"""

from __future__ import annotations

from itertools import count

from cgcli.annotations import Generator, Iterator
from cgcli.graph.body import OwnFunction
from cgcli.graph.node import Node, toposort
from cgcli.graph.operation import Callee
from cgcli.ops.table import FUNCTIONS
from cgcli.printing.expression import shared, text_of, written_name
from cgcli.printing.names import Contents, numbered
from cgcli.printing.printer import Names


def definitions(contents: Contents) -> list[str]:
    """The statements that define a program's functions, inner ones first."""
    functions: dict[Node | Callee, str] = dict(contents.functions.items())
    fresh = numbered(contents.reserved)
    return [text for own in contents.functions for text in _definition(own, functions, fresh)]


def _definition(own: OwnFunction, functions: Names, fresh: Iterator[str]) -> Iterator[str]:
    """The statements that define one function: its value, then its rule."""
    name = functions[own]
    words = [written_name(word) for word in _words(own, functions)]
    parameters, tangents = words[: len(own.parameters)], words[len(own.parameters) :]
    leaves: dict[Node | Callee, str] = dict(zip(own.parameters, parameters, strict=True))
    arguments = ", ".join(parameters)
    value = yield from _with_shared(own.value, arguments, {**functions, **leaves}, fresh)
    yield f"{name}({arguments}) = {value}"
    leaves |= {**dict(zip(own.tangents, tangents, strict=True)), own.out: f"{name}({arguments})"}
    tangent = yield from _with_shared(own.tangent, ", ".join(words), {**functions, **leaves}, fresh)
    yield f"jvp {name}({arguments}; {', '.join(tangents)}) = {tangent}"


def _words(own: OwnFunction, functions: Names) -> Iterator[str]:
    """Names for the parameters and tangents, none of them a function's: in a definition, `f(x)` would be a product."""
    taken = {*FUNCTIONS, *functions.values()}
    for word in own.names:
        yield (word := next(name for name in (word + "_" * at for at in count()) if name not in taken))
        taken.add(word)


def _with_shared(
    node: Node, arguments: str, named: dict[Node | Callee, str], fresh: Iterator[str]
) -> Generator[str, None, str]:
    """A definition for each node that is shared; the text of the whole in their terms."""
    for part in shared(toposort([node]), [node]):
        if part not in named:
            call = f"{next(fresh)}({arguments})"
            yield f"{call} = {text_of(part, named)}"
            named[part] = call
    return text_of(node, named)
