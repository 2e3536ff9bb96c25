"""Arrays made from their parameters alone."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import ArgumentError
from cgcli.graph.operation import ARRAYS, NON_NEGATIVE, Operation, Shape
from cgcli.ops.lazily import np
from cgcli.ops.statics import number, shape, whole
from cgcli.records import NamedTuple


class OfShape(NamedTuple):
    """The parameters of zeros and ones."""

    shape: Shape


class OfSize(NamedTuple):
    """The parameter of an identity matrix, and of a one-hot code."""

    size: int


class Steps(NamedTuple):
    """The parameters of arange."""

    start: float
    stop: float
    step: float

    @property
    def size(self) -> int:
        """How many numbers there are."""
        if self.step == 0 or not all(map(math.isfinite, self)):
            raise ArgumentError(
                f"arange from {self.start:g} to {self.stop:g} by {self.step:g} has no end or no beginning"
            )
        return int(min(max(math.ceil(min((self.stop - self.start) / self.step, 1e18)), 0), 1e18))


class Points(NamedTuple):
    """The parameters of linspace."""

    start: float
    stop: float
    size: int


def _of_shape(name: str, doc: str, example: str) -> Operation:
    return Operation(name, doc, (), name, lambda shapes, params: params.shape, statics=(shape(),),
                     params=OfShape, facts=NON_NEGATIVE, why_no_derivative="it is constant",
                     example=example, mp=ARRAYS)  # fmt: skip


def _arange(start: float, stop: float, step: float) -> Any:
    return start + np.arange(Steps(start, stop, step).size) * step


def _vector(shapes: Sequence[Shape], params: Steps | Points) -> Shape:
    return (params.size,)


ZEROS = _of_shape("zeros", "an array of zeros: zeros([2, 3])", example="zeros([2, 3])")
ONES = _of_shape("ones", "an array of ones: ones([2, 3])", example="ones([3])")
EYE = Operation("eye", "the identity matrix of n rows", (), "eye", lambda shapes, params: (params.size,) * 2,
                statics=(whole("n", least=0),), params=OfSize, facts=NON_NEGATIVE, why_no_derivative="it is constant",
                example="eye(2)", mp=ARRAYS)  # fmt: skip

ARANGE = Operation("arange", "start, start + step, ... below stop", (), _arange, _vector,
                   statics=(number("start"), number("stop"), number("step", 1.0)), params=Steps,
                   why_no_derivative="it is constant", example="arange(0, 1, 0.25)", mp="arange")  # fmt: skip
LINSPACE = Operation("linspace", "count values from start to stop, evenly apart", (), "linspace", _vector,
                     statics=(number("start"), number("stop"), whole("count", 50, least=0)), params=Points,
                     why_no_derivative="it is constant", example="linspace(0, 1, 5)", mp="linspace")  # fmt: skip


ENTRIES: tuple[Operation, ...] = (
    ZEROS,
    ONES,
    EYE,
    ARANGE,
    LINSPACE,
)  # fmt: skip
