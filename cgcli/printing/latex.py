"""Graphs as mathematics, in the LaTeX that an author pastes into a paper: pdflatex with amsmath and KaTeX take it."""

from __future__ import annotations

import re
from functools import partial
from itertools import chain, count, pairwise

from cgcli.annotations import Collection, Iterable, Iterator, Mapping, Sequence, cast
from cgcli.graph.body import OwnFunction, with_bodies
from cgcli.graph.node import Graph, Node, is_leaf_of_function, name_of, toposort, variables
from cgcli.graph.operation import Callee, Shape
from cgcli.ops.entry import CONDITIONAL, SUM
from cgcli.printing.expression import shared
from cgcli.printing.names import contents, names
from cgcli.printing.printer import Names, Part, View
from cgcli.printing.spelling import Spelling
from cgcli.printing.tex.products import check_size
from cgcli.printing.tex.series import SERIES, indexed
from cgcli.printing.tex.statements import LatexWords
from cgcli.printing.tex.symbols import digits
from cgcli.printing.tex.vocabulary import Latex, is_truth, signs
from cgcli.records import EMPTY, NamedTuple

_RESULTS = ("f", "g", "h", "F", "G", "H")
_TALL = re.compile(r"\\frac|\\binom|\\begin")  # what would touch the lines above and below


class Partials(NamedTuple):
    """What the outputs of a graph are: derivatives by some names, all of one order.

    of: what the program calls the result that is differentiated; '' where it has no name.
    """

    wrt: Sequence[str]
    order: int = 1
    of: str = ""


def latex(
    graph: Graph,
    named: Mapping[Node, str] | None = None,
    partials: Partials | None = None,
    others: Sequence[str] = (),
) -> str:
    """The graph as one formula; as lines of an `aligned` where parts have names, or outputs are several.

    named: what gets a line of its own, in order, with its name in the language (`names.names` makes them);
    every shared part when it is None. partials: where the outputs are derivatives, which: these stand left of the
    equals signs, else the outputs' names. others: names that are not in the graph, and mean something else. A formula
    alone has no left side, but a derivative of what has a name.
    Raises TooLargeError when a formula would be too long to write.
    """
    graph, named, letters = _with_series(graph, named)
    held = contents(graph, named)
    graph = held.graph
    parts = {node: name.strip("`") for node, name in held.parts.items()}
    others = [*(partials.wrt if partials else ()), *others]
    taken = {*map(name_of, held.inputs), *parts.values(), *others}
    functions: dict[OwnFunction, str] = {}
    for own, name in held.functions.items():
        functions[own] = _free(name.strip("`"), taken)
        taken.add(functions[own])
    results = _results(graph.names or ("",) * len(graph.outputs) if partials is None else [partials.of], taken)
    shapes: dict[str, Shape] = dict.fromkeys([*others, *functions.values(), *results], ())
    shapes |= {name: leaf.shape for own in functions for name, leaf in zip(own.names, _leaves(own), strict=True)}
    shapes |= {name: node.shape for node, name in parts.items()}
    of_loops = [graph.labels.values(), *graph.carried.values()] if held.loops else []
    shapes |= dict.fromkeys(chain(letters.values(), *of_loops), ())
    spelling = spelling_of(toposort(graph.outputs), shapes, ["D"] * bool(functions or held.loops))
    words: dict[Node | Callee, str] = {own: spelling.text(name) for own, name in functions.items()}
    words |= {leaf: spelling.text(letter) for leaf, letter in letters.items()}
    called: Names = {**words, **{node: spelling.text(name) for node, name in parts.items()}}
    lines = [line for own in functions for line in _definition(own, words, spelling)]
    if held.loops:
        from cgcli.printing.loops import Fresh, statements_of

        words_of = LatexWords(partial(latex_of, spelling=spelling), spelling.text)
        fresh = Fresh({*taken, *held.reserved}, graph.carried, words_of)
        written = {node: called[node] for node in parts}
        block = [line for text in statements_of(graph, held.loops, written, called, fresh) for line in text.split("\n")]
    else:
        block = []
        lines += [(called[node], latex_of(node, called, spelling)) for node in parts]
    bodies = [called.get(output) or latex_of(output, called, spelling) for output in graph.outputs]
    heads = [spelling.text(name) for name in results]
    if partials is not None:
        heads = _partials(heads[0], partials, spelling)
    if block or lines or len(bodies) > 1:
        ends = [line for line in (*lines, *zip(heads, bodies, strict=True)) if line[0] != line[1]]
        return _aligned(ends, block)
    return f"{heads[0]} = {bodies[0]}" if partials is not None and results == [partials.of] else bodies[0]


def latex_of(node: Node, named: Mapping[Node, str] | Names = EMPTY, spelling: Spelling | None = None) -> str:
    """A node as one formula on one line.

    named: nodes within it, and functions of the user's own, that are written by a name, which is LaTeX already
    (`v_{1}`, `\\bar{v}_{1}`; see `spelling.typeset`). The node itself is written out even where it has a name.
    spelling: how its names are written where it is a part of something larger.
    Raises TooLargeError when the formula would be too long to write.
    """
    spelling = spelling or spelling_of(toposort(node.args or [node], named), taken=named.values())
    vocabulary = Latex(node, cast("Names", named), spelling)
    layout = vocabulary.lay_out(View(node))
    check_size(layout.size)
    return "".join(vocabulary.pieces(Part(View(node), SUM if is_truth(layout) else CONDITIONAL)))


def spelling_of(
    nodes: Iterable[Node],
    shapes: Mapping[str, Shape] = EMPTY,
    taken: Iterable[str] = (),
    accents: Collection[str] = (),
) -> Spelling:
    """How names are written in formulas of these nodes.

    shapes: of what has a name besides the variables among them. taken: LaTeX that means something else.
    accents: what may stand on a name.
    """
    order = [*with_bodies(nodes)]
    named = [node for node in variables(order) if not is_leaf_of_function(node)]
    shapes = {**shapes, **{name_of(node): node.shape for node in named}}
    signs_of_operations = chain.from_iterable(map(signs, {node.op for node in order}))
    return Spelling(shapes, {name for name, shape in shapes.items() if shape}, [*taken, *signs_of_operations], accents)


def latex_number(text: str) -> str:
    """A number as cg prints it, as LaTeX: `1.5e-05` is `1.5 \\cdot 10^{-5}`, `inf` is `\\infty`."""
    return digits(text)


def latex_rows(rows: Sequence[str]) -> str:
    """Rows of an alignment or an array, apart where they are tall."""
    breaks = [r" \\[4pt]" if any(map(_TALL.search, pair)) else r" \\" for pair in pairwise(rows)]
    return "\n".join(f"{row}{end}" for row, end in zip(rows, [*breaks, ""], strict=True))


def _partials(result: str, partials: Partials, spelling: Spelling) -> list[str]:
    """The heads of a result's derivatives: `\\frac{\\partial^{2} f}{\\partial x^{2}}`."""
    power = f"^{{{partials.order}}}" if partials.order > 1 else ""
    names = map(spelling.text, partials.wrt)
    return [rf"\frac{{\partial{power} {result}}}{{\partial {name}{power}}}" for name in names]


def _with_series(
    graph: Graph, named: Mapping[Node, str] | None
) -> tuple[Graph, Mapping[Node, str], Mapping[Node, str]]:
    """A graph with its sums over an index as nodes of their own, the names of its parts, the letters of the indices."""
    made = indexed(graph.outputs, named or (), graph.labels, graph.carried)
    become = made.become
    outputs = tuple(become[output] for output in graph.outputs)
    labels = {become[node]: label for node, label in graph.labels.items() if node in become}
    graph = graph._replace(outputs=outputs, labels=labels)
    order = toposort(outputs)
    if named is not None:
        return graph, {become[node]: name for node, name in named.items() if node in become}, made.letters
    bound = set(made.letters)
    for node in order:
        if node.op is not SERIES and not bound.isdisjoint(node.args):
            bound.add(node)
    return graph, names(graph, [node for node in shared(order, outputs) if node not in bound]), made.letters


def _leaves(own: OwnFunction) -> tuple[Node, ...]:
    """What stands for the parameters and tangents of a function."""
    return *own.parameters, *own.tangents


def _definition(own: OwnFunction, called: Names, spelling: Spelling) -> Iterator[tuple[str, str]]:
    """The value of a function with a derivative rule of its own, then that rule: its derivative D along a tangent."""
    words = [*map(spelling.text, own.names)]
    parameters, tangents = words[: len(own.parameters)], words[len(own.parameters) :]
    known: dict[Node | Callee, str] = dict(called.items())
    known |= zip(_leaves(own), words, strict=True)
    head = f"{called[own]}({', '.join(parameters)})"
    yield head, known.get(own.value) or latex_of(own.value, known, spelling)
    known[own.out] = head
    yield f"D {head}[{', '.join(tangents)}]", known.get(own.tangent) or latex_of(own.tangent, known, spelling)


def _results(names: Iterable[str], taken: Collection[str]) -> list[str]:
    """What results are called: their names, or f, g, … where those are formulas or belong to something else."""
    fresh = (name for name in chain(_RESULTS, (f"f{at}" for at in count(1))) if name not in taken)
    return [name if name.isidentifier() and name not in taken else next(fresh) for name in names]


def _free(name: str, taken: Collection[str]) -> str:
    """A name, with a number where it has another meaning."""
    return next(other for other in chain([name], (f"{name}_{at}" for at in count(2))) if other not in taken)


def _aligned(lines: Sequence[tuple[str, str]], block: Sequence[str] = ()) -> str:
    """Lines whose equals signs stand under each other. block: statements before them; all begin at the left then."""
    rows = [f"{head} &= {body}" for head, body in lines]
    if block:
        rows = [*(f"& {line}" for line in block), *(f"& {head} = {body}" for head, body in lines)]
    return f"\\begin{{aligned}}\n{latex_rows(rows)}\n\\end{{aligned}}"
