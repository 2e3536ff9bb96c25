"""What is exported: a program's results as nodes, and what the header of the code says of them."""

from __future__ import annotations

from itertools import chain, count

from cgcli.annotations import Collection, Mapping, Sequence
from cgcli.exporting.identifiers import identifiers
from cgcli.graph.body import with_bodies
from cgcli.graph.loops import Loop, most_trips
from cgcli.graph.node import Node, count_of_numbers, name_of, toposort
from cgcli.graph.shapes import shape_text
from cgcli.records import EMPTY, Record

_OF_MATRICES = ("solve", "inv", "det", "logdet", "logabsdet", "signdet", "cholesky", "eigvalsh", "svdvals", "pinv",
                "orthonormal", "expm")  # fmt: skip


class ReservedNameError(Exception):
    """A function has a name that the language has a meaning for."""


class Task(Record):
    """A program to be written in another language.

    text: the program. version: of cg. function: what the code calls it. inputs: the variables, in the arguments' order.
    results: what the code gives, under the names of columns: values, then derivatives. labels: nodes that the program
    names.
    """

    text: str
    version: str
    function: str
    inputs: tuple[Node, ...]
    results: tuple[tuple[str, Node], ...]
    labels: Mapping[Node, str] = EMPTY

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The nodes of the results."""
        return tuple(node for _, node in self.results)

    def argument_names(
        self, reserved: Collection[str], *more: str, functions: Collection[str] = ()
    ) -> dict[Node, str]:  # fmt: skip
        """What each input is called in the code: no word that is reserved, nor another name that the code has.

        Raises ReservedNameError where the function has such a name, or that of another of the language's functions.
        """
        if self.function in reserved or self.function in functions:
            raise ReservedNameError(self.function)
        spelled = identifiers(map(name_of, self.inputs), {*reserved, self.function, *more})
        return {node: spelled[name_of(node)] for node in self.inputs}

    def all_labels(self) -> Mapping[Node, str]:
        """The nodes that the program names, and the results by their own names."""
        return {**{node: name for name, node in reversed(self.results)}, **self.labels}

    def columns(self) -> list[str]:
        """The names of the results where they stand beside the inputs: none has that of another, in capitals or not."""
        taken = {name_of(node).lower() for node in self.inputs}
        found = []
        for name, _ in self.results:
            spelled = next(
                each for each in chain([name], (f"{name}_{at}" for at in count(2))) if each.lower() not in taken
            )
            taken.add(spelled.lower())
            found.append(spelled)
        return found

    def header(self, names: dict[Node, str], differs: Sequence[str] = (), columns: Sequence[str] = ()) -> list[str]:
        """The lines of a comment: the program, what the arguments and the results are, what is not as in cg.

        columns: what the results are called, where not by their own names.
        """
        lines = ["", *(f"    {line}" for line in self.text.strip().splitlines()), ""]
        lines[0] = f"Written by cg {self.version} from the program"
        for node, name in names.items():
            what = f", {name_of(node)} in the program" if name_of(node) != name else ""
            if node.shape or what:
                lines.append(f"{name}: {_array(node)}{what}")
        called = columns or [name for name, _ in self.results]
        lines.append("out: " + ", ".join(name + (f" ({_array(node)})" if node.shape else "")
                                         for name, node in zip(called, self.outputs, strict=True)))  # fmt: skip
        bodies = [*with_bodies(toposort(self.outputs))]
        if any(isinstance(node.params, Loop) and node.params.trips is None for node in bodies):
            lines.append(f"A loop that has not ended after {most_trips()} trips gives nan.")
        if any(node.op.name in _OF_MATRICES for node in bodies):
            lines.append("Of a matrix that is singular or not finite, it may give other results than cg, or an error.")
        return [line.rstrip() for line in (*lines, *differs)]

    @property
    def size(self) -> int:
        """How many numbers the results are."""
        return count_of_numbers(self.outputs)


def _array(node: Node) -> str:
    return f"an array {shape_text(node.shape)}, row by row" if node.shape else "a number"
