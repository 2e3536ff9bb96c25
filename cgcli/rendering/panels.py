"""What the figure of both graphs shows, before it is drawn: boxes and edges."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.graph.operation import Shape
from cgcli.records import NamedTuple
from cgcli.rendering.figures import figure
from cgcli.rendering.look import Look
from cgcli.rendering.scene import shorten
from cgcli.rendering.sketch import Cluster

_HEAD_LENGTH = 48  # characters of a call above its adjoints


class Box(NamedTuple):
    """A node of a panel.

    text: what it computes, `v₁ = ln(x₁)`. value: its number or array; None where that is not known. role: what it is
    in the theme. is_given: nobody computes its number. cluster: the place of the call that it stands in.
    """

    text: str
    shape: Shape
    value: Any
    role: str
    is_given: bool
    cluster: int | None = None

    def is_told(self, look: Look) -> bool:
        """Whether its text is its number: `v̄₅ = 1`."""
        return (
            not self.shape
            and self.value is not None
            and self.text.endswith(f" = {figure(float(self.value), look.precision)}")
        )


class Panels(NamedTuple):
    """What is drawn of the passes; steps by their numbers.

    title: the text of the program. forward, backward: the boxes of values and of adjoints. computed: a step and one
    that is computed of it. pulled: a step and one to whose adjoint its own adds. saved: a step, and one whose adjoint
    needs its value. clusters: the calls of the program's functions, in both panels.
    """

    title: str
    forward: Mapping[int, Box]
    backward: Mapping[int, Box]
    computed: Sequence[tuple[int, int]]
    pulled: Sequence[tuple[int, int]]
    saved: Sequence[tuple[int, int]]
    clusters: Sequence[Cluster] = ()

    def head(self, place: int, letter: str) -> Cluster:
        """A call as what stands above it says it. letter: of the panel, f or b."""
        call = self.clusters[place]
        return call if letter == "f" else call._replace(head=f"{shorten(call.head, _HEAD_LENGTH)}, backward")
