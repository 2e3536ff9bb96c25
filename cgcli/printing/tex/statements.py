r"""Statements as LaTeX: a line each, those within a loop set in; the lines stand in an `aligned`, as KaTeX takes it."""

from __future__ import annotations

from cgcli.annotations import Callable, Sequence
from cgcli.graph.node import Node
from cgcli.printing.loops import Words, listed
from cgcli.printing.printer import Names


class LatexWords(Words):
    """How LaTeX writes statements. write: a node as a formula, itself too where it has a name. spell: a name."""

    def __init__(self, write: Callable[[Node, Names], str], spell: Callable[[str], str]) -> None:
        self._write, self._spell = write, spell

    def name(self, name: str) -> str:
        """A name that was made up or taken over."""
        return self._spell(name.strip("`"))

    def text(self, node: Node, named: Names, *, whole: bool = False) -> str:
        """An expression. whole: it is written out although it has a name."""
        return (None if whole else named.get(node)) or self._write(node, named)

    def assigned(self, names: Sequence[str], text: str) -> str:
        """A name, or several, and what it has from here on."""
        return rf"{listed(names)} \gets {text}"

    def counted(self, index: str, first: str, last: str) -> str:
        """The head of a loop with an index."""
        return rf"\textbf{{for }} {index} = {first}, \dots, {last}"

    def repeated(self, trips: str) -> str:
        """The head of a loop of so many trips."""
        return rf"\textbf{{repeat }} {trips} \textbf{{ times}}"

    def going(self, condition: Node, named: Names) -> str:
        """The head of a loop with a condition, without the brackets that make a number of it."""
        return rf"\textbf{{while }} {self.text(condition, named).removeprefix('[').removesuffix(']')}"

    def block(self, head: str, statements: Sequence[str]) -> str:
        """A loop."""
        return "\n".join([head, *(rf"\quad {line}" for text in statements for line in text.split("\n"))])

    def collected(self, names: Sequence[str], block: str, kept: str) -> str:
        """A loop whose value is what it carries after each trip."""
        return f"{block}\n" rf"\quad \textbf{{append }} {kept} \textbf{{ to }} {listed(names)}"

    def defined(self, function: str, parameters: Sequence[str], statements: Sequence[str], result: str) -> str:
        """A function with a block."""
        head = rf"\textbf{{function }} {function}({', '.join(parameters)})"
        return self.block(head, [*statements, rf"\textbf{{return }} {result}"])

    def pulled(self, function: str, operands: Sequence[Sequence[str]]) -> str:
        """The adjoints of a function's arguments: its derivative D, transposed, applied to the cotangents."""
        arguments, *weights = map(", ".join, operands)
        return rf"D {function}({arguments})^{{\top}}[{'; '.join(weights)}]"
