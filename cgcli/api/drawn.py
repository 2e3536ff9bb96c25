"""What a picture of a program shows at a point: its graph with the numbers of its nodes, in any format."""

from __future__ import annotations

import os

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence
from cgcli.api.blanks import check_blanks
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.api.watched import Watched
from cgcli.errors import UsageError
from cgcli.graph.node import Graph, Node
from cgcli.lean import re
from cgcli.records import NamedTuple

if TYPE_CHECKING:
    from cgcli.rendering.draw import Pictures
    from cgcli.rendering.look import Look
    from cgcli.rendering.picture import Paper
    from cgcli.rendering.scene import Numbers
    from cgcli.rendering.sketch import Sketch

_MOST_SIGNS = 10
LEAST_POINTS = 4  # of text that people read


class Picture:
    """The picture of a program, which is laid out when a format of it is asked for; `render` makes it.

    A notebook shows it as it is. Pickled, it is the SVG, the PNG, and what else was drawn of it. Each format raises
    TooLargeError for a graph that cannot be laid out, MissingProgramError where a program or package is not installed,
    and CgError when one fails.
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

    def __reduce__(self) -> tuple[object, ...]:
        content = self.content(["svg", "png"])
        left = _Pickled(tuple(content))
        return Picture, (self._text, left.draw, left.series, self._behind, self._paper, _untold), {"_content": content}

    def __copy__(self) -> Picture:
        return self

    def __deepcopy__(self, known: object) -> Picture:
        return self


class _Pickled(NamedTuple):
    """What is left of a picture that was pickled: the formats that it has."""

    kinds: tuple[str, ...]

    def draw(self, kinds: Sequence[str]) -> Pictures:
        """Raise UsageError, for there is no graph any more."""
        raise self._refused(f"no {kinds[0]}")

    def series(self, kind: str) -> Sequence[bytes]:
        """Raise UsageError, too."""
        raise self._refused("no steps")

    def _refused(self, what: str) -> UsageError:
        return UsageError(f"the picture was pickled with {', '.join(self.kinds)}, and has {what}",
                          hint="make it again with render")  # fmt: skip


def _untold(notice: Notice) -> None:
    """Tell nothing: what is to be told of a picture was told when it was drawn."""


def quietly(point: Point) -> Watched:
    return Watched(point.graph, point.bindings, lambda notice: None)


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
    sketch, numbers = sketched(graph, fold=look.fold), NO_NUMBERS
    has_loops = any(cluster.call is None for cluster in sketch.clusters)
    if has_loops or grad or partial or moved or point.bindings:
        from cgcli.api.node_numbers import counter_of, numbers_of, numbers_of_sketch

        written = None
        if has_loops:
            from cgcli.transform.trips import last_trips, unrolled

            outputs = point.graph.outputs
            written = unrolled(outputs, counter_of(point, evaluate)) if unroll else last_trips(outputs)
        if grad or partial or moved or point.bindings:
            numbers = numbers_of(
                point, evaluate, wrt, given, moved, grad=grad, partial=partial, written=written, stepwise=stepwise
            )
        if written is not None and unroll:
            from cgcli.rendering.trips import trip_by_trip

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
