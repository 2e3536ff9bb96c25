"""Where a derivative starts: the tangents of inputs and the cotangents of outputs that the user gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cgcli.cli import bindings
from cgcli.cli.point import Point
from cgcli.errors import UsageError, did_you_mean
from cgcli.evaluate.constants import as_constant
from cgcli.graph.node import Graph, Node, constant, name_of
from cgcli.graph.shapes import shape_text

_NAME = r"(`[^`]+`|[^\W\d]\w*)\s*=(?!=)"
_TANGENT = re.compile(rf"\s*{_NAME}(.*)", re.DOTALL)
_NEXT = re.compile(rf",(?=\s*{_NAME})")


def cotangents(graph: Graph, text: str | None) -> list[Node]:
    """A cotangent for each output: 1 for a scalar, else what the user gave, `VALUE` or `(VALUE, VALUE)`.

    Raises UsageError when one is missing or has another shape, or when they are too many or too few.
    """
    names = graph.names or [""]
    if text is None:
        return [_cotangent(output, None, name) for output, name in zip(graph.outputs, names, strict=True)]
    given = bindings.several(text, "--cotangent")
    count = len(graph.outputs)
    if len(given) != count:
        raise UsageError(
            f"--cotangent has {len(given)} weight{'s' * (len(given) > 1)}, and the program {len(graph.outputs)} "
            f"output{'s' * (len(graph.outputs) > 1)}",
            hint=f"give one for each, as in: '({', '.join(('1', '0', '0', '…')[:count])})'" if count > 1 else "",
        )
    return [_cotangent(output, value, name) for output, value, name in zip(graph.outputs, given, names, strict=True)]


def weights_together(graph: Graph, text: str | None) -> list[Node]:
    """As `cotangents`, for derivatives of the outputs' weighted sum: with several, the user gives the weights."""
    if text is None and len(graph.outputs) > 1:
        example = ", ".join(("1", "0", "0", "…")[: len(graph.outputs)])
        raise UsageError(
            f"the program has {len(graph.outputs)} results, and how much does each of them count?",
            hint=f"weigh them; for the first alone: --cotangent '({example})'",
        )
    return cotangents(graph, text)


def _cotangent(output: Node, value: Any, name: str) -> Node:
    what, example = (f"the output '{name}'", "(…, […])") if name else ("the value", "[…]")
    if value is None:
        if not output.shape:
            return constant(1.0)
        raise UsageError(
            f"{what} has shape {shape_text(output.shape)}, and a gradient needs a scalar",
            hint=f"weigh its elements with --cotangent '{example}', or get all derivatives with cg jacobian",
        )
    if value.shape != output.shape:
        raise UsageError(
            f"the cotangent has shape {shape_text(value.shape)}, and {what} {shape_text(output.shape)}",
            hint="--cotangent needs one weight for each element of the value",
        )
    return as_constant(value)


def tangents(point: Point, texts: Sequence[str]) -> dict[Node, Node]:
    """The tangent of each input that moves, from texts `x=1, w=[0, 1]`; 1 where there is one scalar input and no text.

    Raises UsageError for a name that is no input, a name that stands twice, and a tangent
    that is missing or has another shape.
    """
    inputs = {name_of(node): node for node in point.inputs}
    if not texts:
        if len(inputs) == 1 and not point.inputs[0].shape:
            return {point.inputs[0]: constant(1.0)}
        raise UsageError(
            "in which direction do the inputs move?",
            hint=f"give the tangents, as in: --tangent {_example(point.inputs)}",
        )
    found: dict[Node, Node] = {}
    for name, value in _pairs(texts):
        node = inputs.get(name)
        if node is None:
            near = did_you_mean(name, inputs) or f"the inputs are: {', '.join(inputs) or 'none'}"
            raise UsageError(f"--tangent '{name}' is no input of the program", hint=near)
        if node in found:
            raise UsageError(f"'{name}' has two tangents", hint="give one for each name")
        tangent = bindings.value(value, f"the tangent of '{name}'")
        if tangent.shape != node.shape:
            raise UsageError(
                f"the tangent of '{name}' has shape {shape_text(tangent.shape)}, and '{name}' {shape_text(node.shape)}",
                hint="a tangent has one number for each element",
            )
        found[node] = as_constant(tangent)
    return found


def _pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Names and values of `x=1,w=[0,1]`; commas within a value belong to it."""
    pairs = []
    for text in texts:
        begins = [0, *(match.end() for match in _NEXT.finditer(text))]
        ends = [*(match.start() for match in _NEXT.finditer(text)), len(text)]
        for part in (text[begin:end] for begin, end in zip(begins, ends, strict=True)):
            match = _TANGENT.fullmatch(part)
            if match is None:
                raise UsageError(f"--tangent '{part}' gives no tangent to a name", hint="as in: --tangent x=1,y=0")
            pairs.append((match[1].strip("`"), match[2]))
    return pairs


def _example(inputs: Sequence[Node]) -> str:
    parts = [
        f"{name_of(node)}={1 if at == 0 else 0}" if not node.shape else f"{name_of(node)}=[…]"
        for at, node in enumerate(inputs[:2])
    ]
    text = ",".join(parts) or "x=1"
    return f"'{text}'" if "[" in text else text
