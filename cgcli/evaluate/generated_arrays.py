"""A program of arrays of known shapes as one Python function, which is generated from what is compiled for them."""

from __future__ import annotations

import ast

from cgcli.annotations import Any, Callable, Collection, Sequence
from cgcli.evaluate.compiled import Compiled
from cgcli.evaluate.generated import MOST, Code, assigned, checked, leaves_of, name_in_code, structure
from cgcli.graph.node import Node
from cgcli.ops.lazily import np


def generated_of_arrays(
    result: Any, inputs: Sequence[Node], finish: Callable[[Node, Collection[Node]], Callable[[Any], Any]]
) -> Callable[..., Any] | None:
    """What computes a result from arrays and numbers; None where there are too many operations.

    result, inputs: as of `generated`. finish: how the value of an output is handed over, given those before it.
    The function raises TypeError for an argument that is no contiguous float64 array of its input's shape, or no
    number, and what numpy raises where an operation fails. Raises TooLargeError beyond the bounds of memory and work.
    """
    outputs = leaves_of(result)
    compiled = Compiled(outputs, inputs)
    if len(compiled.nodes) > MOST:
        return None
    code = Code(inputs)
    code.known |= {"ndarray": np.ndarray, "double": np.dtype(np.float64)}
    lines: list[ast.stmt] = []
    values: list[ast.expr] = []
    for node in inputs:
        name = code.names[node]
        lines.append(_checked(name, code.called(node.shape)) if node.shape else checked(name))
        values.append(name_in_code(name))
    values += map(code.called, compiled.constants)
    for kernel, args, dead in compiled.steps():
        lines.append(assigned(name := code.fresh(), ast.Call(code.called(kernel), [values[at] for at in args], [])))
        values.append(name_in_code(name))
        lines += [assigned(value.id, ast.Constant(None)) for at in dead if isinstance(value := values[at], ast.Name)]
    finished = iter([
        ast.Call(code.called(finish(output, outputs[:at])), [values[place]], [])
        for at, (output, place) in enumerate(zip(outputs, compiled.places, strict=True))
    ])  # fmt: skip
    lines.append(ast.Return(structure(result, lambda _: next(finished))))
    function: Callable[..., Any] = np.errstate(all="ignore")(code.function(lines))
    return function


def _checked(name: str, shape: ast.expr) -> ast.stmt:
    """The line that raises TypeError where an argument is no contiguous float64 array of a shape."""
    return ast.parse(
        f"if ({name}.__class__ is not ndarray or {name}.dtype is not double or {name}.shape != {ast.unparse(shape)}"
        f" or not {name}.flags.c_contiguous):\n    raise TypeError"
    ).body[0]
