r"""Roots of equations, as \operatorname{solve}(y = \cos(a y); y \gets 0.5): what holds there, and where it begins."""

from __future__ import annotations

from itertools import chain

from cgcli.annotations import Sequence
from cgcli.errors import UsageError
from cgcli.graph.loops import Loop
from cgcli.graph.node import Node, name_of, toposort, variables
from cgcli.ops.entry import POSTFIX, SUM
from cgcli.ops.loops import unpacked
from cgcli.printing.equations import apart, is_equation, names_of_unknowns, opened
from cgcli.printing.printer import Form, Layout, Part, Piece, View, Vocabulary, call
from cgcli.printing.spelling import Spelling
from cgcli.printing.tex.arrays import below_each_other
from cgcli.printing.tex.series import indexed


def root(view: View, latex: Vocabulary, spelling: Spelling) -> Form:
    """The equations below each other; the unknowns have names of their own, or that of the node.

    Raises UsageError for equations in which a loop stands that is no sum and no product.
    """
    node = view.node
    leaf, rest = opened(node)
    made = indexed([rest], [each for each in toposort([rest]) if each in latex.named], {})
    rest = made.become[rest]
    if any(isinstance(each.params, Loop) for each in toposort([rest])):
        raise UsageError("solve has no form in LaTeX where a loop is within its equations",
                         hint="as a program it has one: without --latex")  # fmt: skip
    unknowns, rests = apart(leaf, rest)
    starts = unpacked(node.args[0], [unknown.shape for unknown in unknowns])
    order = toposort([rest])
    taken = {latex.named.get(each) for each in order} | {spelling.text(name_of(each)) for each in variables(order)}
    wish = [latex.named[node]] if node in latex.named and len(unknowns) == 1 else []
    free = (name for name in chain(wish, map(spelling.text, names_of_unknowns())) if name not in taken)
    latex.named = {**latex.named, **dict(zip(unknowns, free, strict=False))}
    latex.named |= {index: spelling.text(letter) for index, letter in made.letters.items()}
    return _written(view, latex, unknowns, starts, rests)


def _written(
    view: View, latex: Vocabulary, unknowns: Sequence[Node], starts: Sequence[Node], rests: Sequence[Node]
) -> Form:
    def part(side: Node) -> Part:
        return Part(view.of(side), SUM)

    rows: list[list[Piece]] = []
    for rest in rests:
        left, right = map(part, rest.args) if is_equation(rest, latex.named) else (part(rest), "0")
        rows.append([left, " = ", right])
    begins: list[Piece] = []
    for unknown, start in zip(unknowns, starts, strict=True):
        begins += [", " if begins else r";\ ", rf"{latex.named[unknown]} \gets ", Part(view.of(start))]
    operands = [piece.view for row in (*rows, begins) for piece in row if isinstance(piece, Part)]

    def build() -> Layout:
        equations = rows[0]
        if len(rows) > 1:
            equations = [r"\begin{cases} ", *below_each_other(rows, latex), r" \end{cases}"]
        head, opening, *closing = call(r"\operatorname{solve}", [""])
        return Layout(POSTFIX, (head, opening, *equations, *begins, closing[-1]), tall=len(rows) > 1)

    return Form(operands, build)
