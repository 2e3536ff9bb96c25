"""Graphs as mathematics, in the LaTeX that an author pastes into a paper: pdflatex with amsmath and KaTeX take it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, count
from types import MappingProxyType
from typing import cast

from cgcli.graph.body import OwnFunction
from cgcli.graph.node import Graph, Node, name_of
from cgcli.graph.operation import Callee
from cgcli.ops.entry import CONDITIONAL, SUM
from cgcli.printing.names import contents
from cgcli.printing.printer import Names, Part, View
from cgcli.printing.tex.products import check_size
from cgcli.printing.tex.symbols import digits, name_with
from cgcli.printing.tex.vocabulary import Latex, is_truth

_NO_NAMES: Names = MappingProxyType({})
_RESULTS = ("f", "g", "h", "F", "G", "H")


def latex(graph: Graph, named: Mapping[Node, str] | None = None, heads: Sequence[str] = ()) -> str:
    """The graph as one formula; as lines of an `aligned` where parts have names, or outputs are several.

    named: what gets a line of its own, in order, with its name in the language (`names.names` makes them);
    every shared part when it is None. heads: what stands left of the outputs' equals signs, in LaTeX
    (`\\frac{\\partial f}{\\partial x}`); their names when there are none.
    Raises TooLargeError when a formula would be too long to write.
    """
    held = contents(graph, named)
    called = {item: latex_name(name.strip("`")) for item, name in held.names.items()}
    functions: Names = {own: called[own] for own in held.functions}
    lines = [line for own in held.functions for line in _definition(own, functions)]
    lines += [(called[node], latex_of(node, called)) for node in held.parts]
    results = [_text(output, called) for output in graph.outputs]
    if not lines and len(results) == 1 and not heads:
        return results[0]
    lines += zip(heads or _heads(graph, {*map(name_of, held.inputs), *held.names.values()}), results, strict=True)
    return _aligned([line for line in lines if line[0] != line[1]])


def latex_of(node: Node, named: Mapping[Node, str] | Names = _NO_NAMES) -> str:
    """A node as one formula on one line.

    named: nodes within it, and functions of the user's own, that are written by a name, which is LaTeX already
    (`v_{1}`, `\\bar{v}_{1}`; see `latex_name`). The node itself is written out even where it has a name.
    Raises TooLargeError when the formula would be too long to write.
    """
    vocabulary = Latex(node, cast("Names", named))
    layout = vocabulary.lay_out(View(node))
    check_size(layout.size)
    return "".join(vocabulary.pieces(Part(View(node), SUM if is_truth(layout) else CONDITIONAL)))


def latex_name(name: str, accent: str = "") -> str:
    """A name as LaTeX: `x1` is `x_{1}`, `theta` is `\\theta`, `x_max` is `x_{\\mathrm{max}}`; any text will do.

    accent: `\\bar`, `\\dot`, … to stand on it, and not on its subscripts: `\\bar{x}_{1}`.
    """
    return name_with(name, accent=accent)


def latex_number(text: str) -> str:
    """A number as cg prints it, as LaTeX: `1.5e-05` is `1.5 \\cdot 10^{-5}`, `inf` is `\\infty`."""
    return digits(text)


def latex_partials(wrt: Sequence[str], order: int, taken: Collection[str]) -> list[str]:
    """The heads of a result's derivatives by some names: `\\frac{\\partial^{2} f}{\\partial x^{2}}`.

    taken: the names that have another meaning; the result is called f, g, … and not one of these.
    """
    power = f"^{{{order}}}" if order > 1 else ""
    above = rf"\partial{power} {latex_name(next(_fresh(taken)))}"
    return [rf"\frac{{{above}}}{{\partial {latex_name(name)}{power}}}" for name in wrt]


def _text(node: Node, named: Names) -> str:
    """A node's name if it has one, else its formula."""
    return named.get(node) or latex_of(node, named)


def _definition(own: OwnFunction, functions: Names) -> Iterator[tuple[str, str]]:
    """The value of a function with a derivative rule of its own, then that rule: its derivative D along a tangent."""
    words = [latex_name(name) for name in own.names]
    parameters, tangents = words[: len(own.parameters)], words[len(own.parameters) :]
    known: dict[Node | Callee, str] = dict(functions.items())
    known |= zip((*own.parameters, *own.tangents), words, strict=True)
    head = f"{functions[own]}({', '.join(parameters)})"
    yield head, _text(own.value, known)
    yield f"D {head}[{', '.join(tangents)}]", _text(own.tangent, known | {own.out: head})


def _heads(graph: Graph, taken: set[str]) -> list[str]:
    """What the outputs are called: their names, or f, g, … where those are formulas or belong to something else."""
    fresh = _fresh(taken)
    own = graph.names or ("",) * len(graph.outputs)
    return [latex_name(name if name.isidentifier() and name not in taken else next(fresh)) for name in own]


def _fresh(taken: Collection[str]) -> Iterator[str]:
    """Names for results: f, g, …"""
    return (name for name in chain(_RESULTS, (f"f{at}" for at in count(1))) if name not in taken)


def _aligned(lines: Sequence[tuple[str, str]]) -> str:
    """Lines whose equals signs stand under each other."""
    text = " \\\\\n".join(f"{head} &= {body}" for head, body in lines)
    return f"\\begin{{aligned}}\n{text}\n\\end{{aligned}}"
