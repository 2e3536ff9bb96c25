"""The lines of a program in a language with loops, from its graph."""

from __future__ import annotations

import math

from cgcli.annotations import Mapping, Sequence
from cgcli.exporting import arrays, computed_places, systems, trips
from cgcli.exporting.code import Code, Make
from cgcli.exporting.formulas import in_terms_of
from cgcli.exporting.language import Language
from cgcli.exporting.task import Task
from cgcli.graph.node import Node, toposort

_ARRAYS: Mapping[str, Make] = {
    **dict.fromkeys(("zeros", "ones", "eye", "arange", "linspace"), arrays.known),
    **dict.fromkeys(("index", "transpose", "reshape", "broadcast", "flip", "unfold"), arrays.moved),
    **dict.fromkeys(("put", "pad", "concat", "stack", "fold"), arrays.spread),
    **dict.fromkeys(("tril", "triu"), arrays.triangle),
    "diag": arrays.diagonal,
    "sum": arrays.reduced("add", 0.0),
    "prod": arrays.reduced("multiply", 1.0),
    "max": arrays.reduced("max", None),
    "min": arrays.reduced("min", None),
    "argmax": arrays.place_of_extreme("greater"),
    "argmin": arrays.place_of_extreme("less"),
    "matmul": arrays.matrix_product,
    "einsum": arrays.by_subscripts,
    "cumsum": arrays.running_sum,
    "element": computed_places.element,
    "put_element": computed_places.put_element,
    "take_along": computed_places.take_along,
    "put_along": computed_places.put_along,
    "solve": systems.solved,
    "inv": systems.inverse,
    "cholesky": systems.cholesky,
    **dict.fromkeys(("det", "logdet", "logabsdet", "signdet"), systems.determinant),
    "argsort": arrays.order,
    "loop": trips.loop,
    "states": trips.states,
}


def into_row(task: Task, language: Language, names: Mapping[Node, str]) -> list[str]:
    """The lines that compute the results and put them into the row `out`, one after the other.

    names: of the arguments. Raises NotInTargetError, TooManyNumbersError.
    """
    code, outputs = _computed(task, language, names, task.labels)
    at = 0
    for output in outputs:
        code.fill("out", output, at)
        at += math.prod(output.shape)
    return code.lines


def by_name(task: Task, language: Language, names: Mapping[Node, str]) -> tuple[list[str], list[str]]:
    """The lines that compute the results; and the code for each: a number, or the name of an array's row.

    names: of the arguments. Raises NotInTargetError, TooManyNumbersError.
    """
    code, outputs = _computed(task, language, names, task.all_labels())
    results = [code.row(output) if output.shape else code.number(output).code for output in outputs]
    return code.lines, results


def _computed(
    task: Task, language: Language, names: Mapping[Node, str], labels: Mapping[Node, str]
) -> tuple[Code, Sequence[Node]]:
    def has(node: Node) -> bool:
        return language.has(node) if node.op.elementwise else node.op.name in _ARRAYS

    outputs, labels = in_terms_of(task.outputs, has, labels=labels)
    code = Code(language, _ARRAYS, outputs, names, labels)
    read = {*toposort(outputs)}
    for node, name in names.items():
        if node not in read and language.unused:
            code.write(language.unused, name=name)
    code.compute(outputs)
    return code, outputs
