"""What the steps of a trace are called: inputs and what the program names keep their names, others are v1, v2, …"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cgcli.graph.node import VARIABLE, Graph, Node, name_of

_LETTERS = ("v", "u", "w", "t", "s", "step")


def step_names(order: Iterable[Node], graph: Graph) -> dict[Node, str]:
    """A name for each of the nodes, all different; numbers follow the order."""
    names = {node: name_of(node) for node in order if node.op is VARIABLE}
    taken = set(names.values())
    for node in order:
        label = graph.labels.get(node)
        if label is not None and label not in taken:
            names[node] = label
            taken.add(label)
    letter = _free_letter(taken)
    others = (node for node in order if node not in names)
    return names | {node: f"{letter}{at}" for at, node in enumerate(others, start=1)}


def _free_letter(taken: set[str]) -> str:
    """A letter for names with numbers that the program does not use for such."""
    used = {match[1] for match in map(re.compile(r"(.+?)_?\d+").fullmatch, taken) if match}
    letters = [*_LETTERS, *("v" * times for times in range(2, len(taken) + 3))]
    return next(letter for letter in letters if letter not in used)
