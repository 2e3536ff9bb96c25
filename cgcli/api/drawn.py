"""What a picture of a program shows at a point: its graph with the numbers of its nodes, in any format."""

from __future__ import annotations

import math
import os

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Iterator, Mapping, Sequence
from cgcli.api.blanks import check_blanks
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.api.watched import Watched
from cgcli.errors import UsageError
from cgcli.graph.node import CONSTANT, VARIABLE, Graph, Node, constant, constant_array, name_of, toposort
from cgcli.lean import re, struct
from cgcli.records import EMPTY

if TYPE_CHECKING:
    from cgcli.rendering.draw import Pictures
    from cgcli.rendering.look import Look
    from cgcli.rendering.picture import Paper
    from cgcli.rendering.scene import Numbers
    from cgcli.rendering.sketch import Sketch
    from cgcli.transform.reverse import Flow
    from cgcli.transform.trips import Written

_MOST_SIGNS = 10
LEAST_POINTS = 4  # of text that people read


class Picture:
    """The picture of a program, which is laid out when a format of it is asked for; `render` makes it.

    A notebook shows it as it is. Each format raises TooLargeError for a graph that cannot be laid out,
    MissingProgramError where a program or package is not installed, and CgError when one fails.
    """

    def __init__(
        self, text: str, draw: Callable[[Sequence[str]], Pictures], series: Callable[[str], Sequence[bytes]],
        behind: str, paper: Paper, tell: Callable[[Notice], None],
    ) -> None:  # fmt: skip
        self._text, self._draw, self._series = text, draw, series
        self._behind, self._paper, self._tell = behind, paper, tell
        self._content: dict[str, bytes] = {}

    @property
    def svg(self) -> str:
        """The picture as the text of an SVG."""
        return self.content(["svg"])["svg"].decode()

    @property
    def png(self) -> bytes:
        """The picture as a PNG."""
        return self.content(["png"])["png"]

    def save(self, path: str | os.PathLike[str], kind: str | None = None) -> None:
        """Write the picture to a file, whose suffix says the format where `kind` does not.

        The formats are those of `content`; `step-%02d.png` is a file for each of `frames`. Raises UsageError for any
        other and for a pattern with several numbers, and DataError where a file cannot be written.
        """
        from cgcli.files import save
        from cgcli.rendering.picture import kind_of

        kind = kind or kind_of(path)
        pattern = numbered(os.fspath(path))
        if pattern is None:
            save(self.content([kind])[kind], os.fspath(path))
            return
        for at, frame in enumerate(self.frames(kind)):
            save(frame, pattern(at))

    def save_frames(self, folder: str | os.PathLike[str], kind: str = "png") -> None:
        """Write `frames` into a folder, which is made where there is none, as step-00.png, step-01.png, ….

        Raises DataError where that cannot be done.
        """
        from cgcli.files import folder_at, save

        made = self.frames(kind)
        place = folder_at(os.fspath(folder))
        digits = max(2, len(str(len(made) - 1)))
        for at, frame in enumerate(made):
            save(frame, os.path.join(place, f"step-{at:0{digits}}.{kind}"))

    def frames(self, kind: str = "png") -> Sequence[bytes]:
        """The passes as pictures of one layout: the work sheet, then one for each step, forwards and back.

        kind: png, svg or pdf. A step lights a card, and the edges that it goes along; an adjoint is the sum so far.
        Raises UsageError for another kind, and where no name has a value, TooLargeError for more steps than anybody
        looks at.
        """
        if kind not in ("png", "svg", "pdf"):
            raise UsageError(f"a picture of a step is .png, .svg or .pdf, and not .{kind}", hint="as in: step-%02d.png")
        return self._series(kind)

    def content(self, kinds: Sequence[str]) -> Mapping[str, bytes]:
        """The picture in several formats, laid out once for all of them: of png, svg, pdf, tex, mmd, dot, json, txt.

        gif: its `frames` one after the other. Raises UsageError for any other.
        """
        from cgcli.rendering.picture import check_kind

        for kind in kinds:
            check_kind(kind)
        if "gif" in kinds and "gif" not in self._content:
            from cgcli.rendering.animation import as_gif

            self._content["gif"] = as_gif(self.frames(), self._behind)
        missing = [kind for kind in kinds if kind not in self._content]
        if missing:
            made = self._draw(missing)
            self._content |= made.content
            for message, hint in unreadable(made, self._paper):
                self._tell(Notice(message, hint, details={"kind": "reading"}))
        return self._content

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.svg

    def __repr__(self) -> str:
        return f"<picture of {self._text!r}>"


def quietly(point: Point) -> Watched:
    return Watched(point.graph, point.bindings, lambda notice: None)


def numbers_of(
    point: Point, evaluate: Watched, wrt: Sequence[Node] = (), given: Sequence[Any] | None = None,
    moved: Mapping[Node, Node] = EMPTY, *, grad: bool = False, partial: bool = False, written: Written | None = None,
    stepwise: bool = False,
) -> Numbers:  # fmt: skip
    """What is known of the nodes of a program: those that names without a value have no part in.

    written: the program with the last trips of its loops; the numbers are of its nodes.

    wrt: the inputs that adjoints and partial derivatives are for. given: the cotangents, or ones. moved: the tangents
    of inputs; none are computed without. grad: the adjoints, too. partial: the derivatives by each argument alone.
    stepwise: the steps of the passes, too.
    """
    from cgcli.api.seeds import weights
    from cgcli.rendering.scene import Event, Numbers
    from cgcli.transform.differentiate import adjoints, partials, pushforward
    from cgcli.transform.passes import evaluation_order, reverse_order
    from cgcli.transform.reverse import active_nodes

    outputs = point.graph.outputs if written is None else written.outputs
    order = toposort(outputs)
    seeds = weights(point.graph, given) if given is not None else list(map(ones_of, outputs))
    flows: list[Flow] = []
    by_node = adjoints(outputs, seeds, wrt, flows.append if stepwise else None) if grad else {}
    order_of_steps = evaluation_order(outputs) if stepwise else []
    back = [(flow, flow.so_far.selected()) for flow in reverse_order(flows, order_of_steps)]
    moving = active_nodes(order, set(moved)) if moved else set()
    pushed = (
        {node: t for node, t in zip(order, pushforward(order, moved), strict=True) if node in moving} if moved else {}
    )
    active = active_nodes(order, set(wrt)) if partial else set()
    slopes = {node: partials(node, active) for node in order if node in active}
    counts = {} if written is None else {path: made for path, made in written.trips.items() if isinstance(made, Node)}
    within = [] if written is None else [node for some in written.become.values() for node in some.values()]
    every = [
        *order, *by_node.values(), *pushed.values(), *(each for some in slopes.values() for each in some if each),
        *counts.values(), *point.graph.outputs, *within, *(so_far for _, so_far in back),
    ]  # fmt: skip
    known = _computable(every, set(point.bindings))
    wanted = [node for node in dict.fromkeys(every) if node in known]
    results = [*point.graph.outputs, *(by_node[node] for node in wrt if node in by_node)]
    found = dict(zip(wanted, evaluate(wanted, results=[node for node in results if node in known]), strict=True))
    if grad or moved:
        evaluate.tell_kinks([*wrt, *moved] if known.issuperset(order) else ())
    inputs_first = sorted(order_of_steps, key=lambda node: node.op is not VARIABLE)
    forth = [Event(node) for node in inputs_first if node.op is not CONSTANT and node in found]
    events = [Event(flow.target, flow.source, found[so_far]) for flow, so_far in back if so_far in found]
    used = {arg for node in order for arg in node.args}
    return Numbers(
        {node: found[node] for node in (*order, *within) if node in found},
        {node: found[each] for node, each in by_node.items() if each in found},
        {node: found[each] for node, each in pushed.items() if each in found},
        {node: [found.get(each) if each else None for each in some] for node, some in slopes.items()},
        {path: int(found[node]) for path, node in counts.items() if node in found and found[node] == found[node]},
        {node for node in outputs if node not in used},
        [*forth, *events],
    )


def counter_of(point: Point, evaluate: Watched) -> Callable[[Node], float]:
    """What tells how many trips a loop makes."""

    def number(node: Node) -> float:
        if node not in _computable([node], set(point.bindings)):
            raise UsageError("how many trips the loop makes depends on names without values",
                             hint="give them, or draw the loop as it is, without --unroll")  # fmt: skip
        (found,) = evaluate([node], quiet=True)
        if found != found:
            raise UsageError("the condition of the loop is nan: nobody knows how many trips it makes")
        return float(found)

    return number


def numbers_of_sketch(known: Numbers, sketch: Sketch, written: Written) -> Numbers:
    """The numbers of what is drawn, from those of the program with its last trips; a loop without a trip has none."""
    trips = {path: made for path, made in written.trips.items() if isinstance(made, int)} | dict(known.trips)
    stands_for = {
        node: written.become[path][source]
        for node, (path, source) in sketch.sources.items()
        if source in written.become.get(path, ()) and all(trips.get(path[: at + 1], 1) for at in range(len(path)))
    }

    def moved(numbers: Mapping[Node, Any]) -> dict[Node, Any]:
        return {node: numbers[other] for node, other in stands_for.items() if other in numbers}

    unknowns = {carry for carry, after in sketch.nexts.items() if after in sketch.zeros}  # whose adjoints cancel out
    adjoints = {node: adjoint for node, adjoint in moved(known.adjoints).items() if node not in unknowns}
    return known._replace(
        values=moved(known.values), adjoints=adjoints, tangents=moved(known.tangents),
        partials=moved(known.partials), trips=trips,
    )  # fmt: skip


def _computable(nodes: Sequence[Node], bound: Collection[str]) -> set[Node]:
    """Those of some nodes, and of what they are made of, that no name without a value has a part in."""
    known: set[Node] = set()
    for node in toposort(nodes):
        if name_of(node) in bound if node.op is VARIABLE else known.issuperset(node.args):
            known.add(node)
    return known


def of_what_sum(graph: Graph) -> list[Notice]:
    """What is told of adjoints that were asked for without a cotangent, where the result is not one number."""
    if not graph.names and not graph.output.shape:
        return []
    what = "all results" if graph.names else "all numbers of the result"
    hint = "a cotangent weighs them otherwise: --cotangent"
    return [Notice(f"the adjoints are those of the sum of {what}", hint, details={"kind": "reading"})]


def numbered(path: str) -> Callable[[int], str] | None:
    """The names of numbered files, of a pattern as `step-%02d.png`; None for the name of one file.

    Raises UsageError for several numbers, and for one written otherwise than `%d` or `%02d`.
    """
    places = re.findall(r"%\d*d", path) if "%" in path else []  # no import of re
    if not places:
        return None
    before, place, behind = path.partition(places[0])
    if len(places) > 1 or not re.fullmatch(r"%(0\d)?d", place):
        raise UsageError(f"'{path}' is no pattern of names with one number each", hint="as in: step-%02d.png")
    return lambda at: f"{before}{at:{place[1:-1]}}{behind}"


def picture_at(
    point: Point, evaluate: Watched, look: Look, paper: Paper, tell: Callable[[Notice], None],
    wrt: Sequence[Node], given: Sequence[Any] | None, moved: Mapping[Node, Node], *, grad: bool, unroll: bool,
) -> Picture:  # fmt: skip
    """The picture of a program at a point; what cannot be read in it is told.

    wrt, given, moved, grad: as of `numbers_of`. unroll: draw all trips of loops. Raises UnknownNameError for
    derivatives where no name has a value, UsageError for trips whose number is not known, and numbers to leave out
    where there are none.
    """
    from cgcli.rendering.draw import pictures, series
    from cgcli.rendering.themes import THEMES

    look.check()
    paper.check()
    grad = grad or "grad" in look.show
    if grad and look.show and "grad" not in look.show:
        look = look._replace(show=(*look.show, "grad"))
    if moved and look.show and "tangent" not in look.show:
        look = look._replace(show=(*look.show, "tangent"))
    derived = grad or "partial" in look.show or bool(moved)
    if derived and not point.bindings:
        point.check_complete()
    has_values = bool(point.bindings or not point.inputs)
    check_blanks(look.blank, has_values=has_values, grad=grad, moves=bool(moved))
    if grad and given is None:
        for notice in of_what_sum(point.graph):
            tell(notice)

    def series_of(kind: str) -> Sequence[bytes]:
        if not has_values:
            raise UsageError("the steps of the passes need values for names", hint=f"as in: {point.names[0]}=2")
        found = _filled(point, evaluate, look, wrt, given, moved, grad=True, unroll=True, stepwise=True)
        return series(found[0], kind, found[1], look=look, paper=paper)

    sketch, numbers = _filled(point, evaluate, look, wrt, given, moved, grad=grad, unroll=unroll)

    def drawn(kinds: Sequence[str]) -> Pictures:
        return pictures(sketch, kinds, numbers, look=look, paper=paper)

    return Picture(point.graph.source.text, drawn, series_of, THEMES[look.theme].background, paper, tell)


def _filled(
    point: Point, evaluate: Watched, look: Look, wrt: Sequence[Node], given: Sequence[Any] | None,
    moved: Mapping[Node, Node], *, grad: bool, unroll: bool, stepwise: bool = False,
) -> tuple[Sketch, Numbers]:  # fmt: skip
    """What is drawn, and its numbers. stepwise: with the steps of the passes."""
    from cgcli.rendering.compose import sketched
    from cgcli.rendering.scene import NO_NUMBERS

    partial = "partial" in look.show
    graph = point.graph if look.flat else point.with_calls()
    sketch = sketched(graph, fold=look.fold)
    written = None
    if any(cluster.call is None for cluster in sketch.clusters):  # a loop
        from cgcli.rendering.loops import trip_by_trip
        from cgcli.transform.trips import last_trips, unrolled

        written = (
            unrolled(point.graph.outputs, counter_of(point, evaluate)) if unroll else last_trips(point.graph.outputs)
        )
    numbers = NO_NUMBERS
    if grad or partial or moved or point.bindings:
        numbers = numbers_of(
            point, evaluate, wrt, given, moved, grad=grad, partial=partial, written=written, stepwise=stepwise
        )
    if written is not None and unroll:
        sketch = trip_by_trip(graph, written.outputs, written.become)
        made = {path: made for path, made in written.trips.items() if isinstance(made, int)}
        numbers = numbers._replace(trips=made)
    elif written is not None:
        numbers = numbers_of_sketch(numbers, sketch, written)
    if look.depth is None and not (look.around or look.tree):
        return sketch, numbers
    from cgcli.rendering.parts import chosen

    return chosen(sketch, numbers, look)


def unreadable(made: Pictures, paper: Paper) -> Iterator[tuple[str, str]]:
    """What cannot be read in a picture, each with what helps."""
    if made.unknown:
        signs = " ".join(made.unknown[:_MOST_SIGNS]) + (" …" if len(made.unknown) > _MOST_SIGNS else "")
        hint = "install a font that has them; or write .svg, for whoever has one"
        yield f"no font of this system has {signs}", hint
    smaller = f"{'--depth 0, ' * made.has_calls}--arrays shape and fewer operations make it smaller"
    if made.simply:
        message = f"a picture of {made.cards} cards is laid out with less care"
        yield message, f"{smaller}; .txt is a tree of text"
    if made.points is not None and made.points < LEAST_POINTS:
        message = f"the text of the picture is {made.points:.1f} pt high in a width of {paper.room[0] * 2.54:.3g} cm"
        yield message, f"a larger --width or a .svg shows more; {smaller}"


def ones_of(output: Node) -> Node:
    """The cotangent of a sum of all elements."""
    return (
        constant_array(struct.pack("<d", 1.0) * math.prod(output.shape), output.shape)
        if output.shape
        else constant(1.0)
    )
