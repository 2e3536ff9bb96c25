"""Arrays made from their parameters alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

from cgcli.errors import ArgumentError
from cgcli.graph.node import Node, apply, constant
from cgcli.graph.operation import NON_NEGATIVE, Operation, Params, Shape
from cgcli.ops.lazily import np
from cgcli.ops.statics import number, shape, whole


def _of_shape(name: str, doc: str, kernel: Callable[..., Any], example: str) -> Operation:
    def given(shapes: Sequence[Shape], params: Params) -> Shape:
        (sizes,) = cast("tuple[Shape]", params)
        return sizes

    return Operation(name, doc, (), kernel, given, statics=(shape(),), facts=NON_NEGATIVE,
                     why_no_derivative="it is constant", example=example)  # fmt: skip


def _eye_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    (size,) = cast("tuple[int]", params)
    return (size, size)


def _arange(start: float, stop: float, step: float) -> Any:
    return start + np.arange(_steps(start, stop, step)) * step


def _steps(start: float, stop: float, step: float) -> int:
    if step == 0 or not all(map(math.isfinite, (start, stop, step))):
        raise ArgumentError(f"arange from {start:g} to {stop:g} by {step:g} has no end or no beginning")
    return int(min(max(math.ceil(min((stop - start) / step, 1e18)), 0), 1e18))


def _arange_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    return (_steps(*cast("tuple[float, float, float]", params)),)


def _linspace(start: float, stop: float, count: int) -> Any:
    return np.linspace(start, stop, count)


def _linspace_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    return (cast("int", params[2]),)


ZEROS = _of_shape("zeros", "an array of zeros: zeros([2, 3])", lambda sizes: np.zeros(sizes), example="zeros([2, 3])")
ONES = _of_shape("ones", "an array of ones: ones([2, 3])", lambda sizes: np.ones(sizes), example="ones([3])")
EYE = Operation("eye", "the identity matrix of n rows", (), lambda size: np.eye(size), _eye_shape,
                statics=(whole("n", least=0),), facts=NON_NEGATIVE, why_no_derivative="it is constant",
                example="eye(2)")  # fmt: skip


def ones_like(x: Node) -> Node:
    """1 for each element of x."""
    return apply(ONES, (), (x.shape,)) if x.shape else constant(1.0)


ENTRIES: tuple[Operation, ...] = (
    ZEROS,
    ONES,
    EYE,
    Operation("arange", "start, start + step, ... below stop", (), _arange, _arange_shape,
              statics=(number("start"), number("stop"), number("step", 1.0)), why_no_derivative="it is constant",
              example="arange(0, 1, 0.25)"),
    Operation("linspace", "count values from start to stop, evenly apart", (), _linspace, _linspace_shape,
              statics=(number("start"), number("stop"), whole("count", 50, least=0)),
              why_no_derivative="it is constant", example="linspace(0, 1, 5)"),
)  # fmt: skip
