"""Gradients as graphs: the derivatives of each output by each input, and what they are called."""

from __future__ import annotations

from cgcli.annotations import Sequence
from cgcli.graph.node import Node, constant
from cgcli.graph.shapes import all_axes
from cgcli.ops.arithmetic import MULTIPLY
from cgcli.printing.values import in_longer_name
from cgcli.transform.differentiate import pullback
from cgcli.transform.exact import exact


def gradients(
    outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node], *, again: bool = False
) -> list[tuple[Node, ...]]:
    """For each output, weighted by its cotangent, its derivative by each input, by the reverse pass.

    again: as in `pullback`.
    """
    pairs = zip(outputs, cotangents, strict=True)
    return [pullback([output], [cotangent], wrt, again=again) for output, cotangent in pairs]


def weighted_sum(output: Node, cotangent: Node) -> Node:
    """The sum of an output's elements times their cotangents, without those whose cotangent is 0."""
    if not output.shape:
        return exact(MULTIPLY, (cotangent, output))
    from cgcli.ops.logic import WHERE
    from cgcli.ops.sums import SUM, Reduce

    terms = exact(WHERE, (cotangent, exact(MULTIPLY, (cotangent, output)), constant(0.0)))
    return exact(SUM, (terms,), Reduce(all_axes(output.shape), False))


def elasticities(
    outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node], slopes: Sequence[Sequence[Node]]
) -> list[tuple[Node, ...]]:
    """The elasticity x/f * df/dx for each derivative, with f the weighted output. slopes: those of `gradients`."""
    from cgcli.ops.arithmetic import DIVIDE

    sums = map(weighted_sum, outputs, cotangents)
    return [
        tuple(exact(DIVIDE, (exact(MULTIPLY, (by, slope)), output)) for by, slope in zip(wrt, row, strict=True))
        for output, row in zip(sums, slopes, strict=True)
    ]


def derivative_name(output: str, name: str, prefix: str = "d_") -> str:
    """What the derivative by a name is called: `d_x`; that of one of several outputs `d_area/d_x`, `d_(x + y)/d_x`."""
    return f"{prefix}{in_longer_name(output)}/{prefix}{name}" if output else f"{prefix}{name}"
