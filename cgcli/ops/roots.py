"""The root of equations, as an operation. It stands for solve(g(x) = 0, x=x0); no function has its name."""

from __future__ import annotations

from cgcli.annotations import Any, Sequence
from cgcli.graph.body import Body
from cgcli.graph.node import toposort
from cgcli.graph.operation import Operation, Shape
from cgcli.graph.rules import Together
from cgcli.graph.work import work_of
from cgcli.records import NamedTuple

_USUAL_TRIPS = 10
_RULE = Together("cgcli.transform.roots:tangent_of", "cgcli.transform.roots:adjoints_of")


class Root(NamedTuple):
    """The parameters of a root, whose arguments are its start, then what the equations read besides the unknowns.

    body: what is 0 at the root, of the unknowns and of what is read besides; both have the shape of the start.
    """

    body: Body


def _work(shapes: Sequence[Shape], params: Root) -> int:
    return _USUAL_TRIPS * sum(map(work_of, toposort(params.body.outputs)))


def _shape(shapes: Sequence[Shape], params: Any) -> Shape:
    return shapes[0]


ROOT = Operation(
    "solve", "the root of an equation, by Newton's method", ("*args",), "cgcli.evaluate.roots:run", _shape,
    (_RULE,), work=_work, python="cgcli.evaluate.roots:run", rows="cgcli.evaluate.roots:run_rows",
    canonical="cgcli.lowering.equations:canonical",
)  # fmt: skip
