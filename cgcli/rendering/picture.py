"""DOT text to a picture, the second step: what the layout program gives, drawn in the format asked for.

SVG is what it gives, and what PNG and PDF are made of. A small picture in nothing but letters of our font, the bundled
program draws as PNG itself, which takes a third of the time.
"""

from __future__ import annotations

import os
from itertools import chain

from cgcli.annotations import Sequence
from cgcli.errors import TooLargeError, UsageError
from cgcli.lean import struct
from cgcli.records import NamedTuple
from cgcli.rendering.layout import LAYOUTS, laid_out
from cgcli.rendering.metrics import has_all
from cgcli.rendering.pen import TEXT

DEFAULT_DPI = 192  # twice the 96 dots of a plain screen: crisp on a dense one and on a slide
MIN_DPI, MAX_DPI = 10, 1200
SUFFIXES = {
    ".png": "png", ".svg": "svg", ".pdf": "pdf", ".dot": "dot", ".gv": "dot", ".tex": "tex", ".mmd": "mmd",
    ".json": "json", ".txt": "txt", ".gif": "gif",
}  # fmt: skip
COLUMN = 8.6 / 2.54  # inches: the width of a paper's column
PAGE = 20 / 2.54  # inches: the height that a picture may have on a page
MAX_LINES = 12_000  # of DOT text, one for each node and edge
MAX_CROSSINGS = 60_000  # of edges over levels, at each of which the layout program keeps a point: two seconds, 100 MB
MAX_ANSWERED = 5_500  # of them, of the edges from conditions, each of which goes another way: one to three seconds
MAX_PULLS = 500_000  # of leaves on cards, which the layout program moves one by one: one to three seconds
MAX_MEETING = 600  # edges of one card, which the layout program compares with each other: a second or two
MAX_PIXELS = 100_000_000  # of a PNG: 400 MB while it is drawn
MOST_PIXELS = 12_000_000  # where no resolution was asked for: a second of drawing
MAX_SIDE = 32_000  # pixels
MOST_LINES_TWICE = 400  # of DOT text that is laid out a second time, for the program to draw its PNG
MOST_LINES_AT_ONCE = 60  # that is drawn as PNG before its size is known
POINTS = 72  # an inch
_VIEW, _CLUSTER, _END = 'viewBox="0.00 0.00 ', '<g id="clust', "</svg>"  # of the SVG that the layout program gives
_SIZES, _HEADER = 16, 33  # bytes of a PNG, after which its width and height stand, and its first chunk ends


def check_kind(kind: str) -> None:
    """Raise UsageError for a format that there is not."""
    if kind not in SUFFIXES.values():
        hint = f"possible: {', '.join(dict.fromkeys(SUFFIXES.values()))}"
        raise UsageError(f"unknown picture format: '{kind}'", hint=hint)


class Paper(NamedTuple):
    """What a picture is drawn on.

    width: in inches; None for what it takes. dpi: of a PNG. layout: one of LAYOUTS. font_size: points of its numbers.
    size: the width and height that it fits into, in inches. standalone: whether TikZ is a whole document.
    """

    width: float | None = None
    dpi: int | None = None
    layout: str = "bundled"
    font_size: float | None = None
    size: tuple[float, float] | None = None
    standalone: bool = False

    def check(self) -> None:
        """Raise UsageError for what there is not."""
        if self.layout not in LAYOUTS:
            raise UsageError(f"unknown layout program '{self.layout}'", hint=f"possible: {', '.join(LAYOUTS)}")
        given = [(name, value) for name, value in (("a width", self.width), ("a size of its text", self.font_size),
                                                   ("a size", self.size)) if value is not None]  # fmt: skip
        if len(given) > 1:
            raise UsageError(f"a picture has {given[0][0]} or {given[1][0]}, not both")
        if self.dpi is not None and not MIN_DPI <= self.dpi <= MAX_DPI:
            raise UsageError(f"dpi must be from {MIN_DPI} to {MAX_DPI}, not {self.dpi}")

    def scale(self, width: float, height: float) -> float:
        """By how much a picture of these inches grows on it."""
        if self.size is not None:
            return min(self.size[0] / width, self.size[1] / height)
        return self.font_size / TEXT if self.font_size is not None else (self.width or width) / width

    @property
    def room(self) -> tuple[float, float]:
        """The width and height that the text is to be read at: without a wish, those of a paper's column."""
        return self.size or (self.width or COLUMN, PAGE)

    def reading_size(self, width: float, height: float) -> float:
        """How many points the numbers of a picture of these inches have where it is read."""
        across, down = self.room
        return TEXT * min(1.0, across / width if width else 1.0, down / height if height else 1.0)


PLAIN = Paper()


def kind_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's suffix asks for: one of SUFFIXES.

    Raises UsageError for any other suffix.
    """
    suffix = os.path.splitext(path)[1]
    kind = SUFFIXES.get(suffix.lower())
    if kind is None:
        what = f"'{suffix}' of '{path}'" if len(suffix) > 1 else f"missing suffix of '{path}'"
        raise UsageError(f"unknown picture format: {what}", hint=f"possible suffixes: {', '.join(SUFFIXES)}")
    return kind


class Drawing(NamedTuple):
    """A graph that is laid out.

    dot_text: what was. width, height: of the picture, in inches. svg, plain, png: what the layout program gave; the
    second where it was asked for, the third alone. dpi: of the last. crossed: whether an edge crosses what stands above
    a cluster.
    """

    dot_text: str
    width: float
    height: float
    svg: str = ""
    plain: str = ""
    png: bytes = b""
    dpi: int | None = None
    crossed: bool = False

    def reading_size(self, paper: Paper) -> float:
        """How many points its numbers have where it is read."""
        return paper.reading_size(self.width, self.height)

    def without_font(self) -> str:
        """The signs of its texts that no font has."""
        if has_all(self.dot_text):
            return ""
        from cgcli.rendering.paint import without_font
        from cgcli.rendering.svg import texts_of

        return without_font("".join(texts_of(self.svg)))

    def painted(self, kind: str, paper: Paper) -> bytes:
        """The picture as svg, png, pdf, or tex for TikZ.

        Raises TooLargeError for a PNG of too many dots, and what `paint` raises.
        """
        scale = paper.scale(self.width, self.height)
        width, height = self.width * scale, self.height * scale
        if kind == "png":
            dpi = _fitting_dpi((width, height), paper.dpi)
            if dpi == self.dpi:
                return with_resolution(self.png, dpi)
            if _is_painted_by_layout(self.dot_text, paper, MOST_LINES_TWICE):
                return with_resolution(laid_out(self.dot_text, ["png"], paper.layout, f"-Gdpi={dpi * scale}"), dpi)
        from cgcli.rendering.svg import refined, with_bars

        svg = refined(self.svg, POINTS * width, POINTS * height)
        if kind == "tex":
            from cgcli.rendering.tikz import as_tikz

            return as_tikz(svg, standalone=paper.standalone).encode()
        svg = with_bars(svg)
        if kind == "svg":
            return svg.encode()
        from cgcli.rendering import paint

        return paint.as_pdf(svg) if kind == "pdf" else with_resolution(paint.as_png(svg, dpi), dpi)

    def pngs(self, svgs: Sequence[str], paper: Paper) -> list[bytes]:
        """Pictures of this layout as PNG, of what was taken out of its SVG. Raises what `painted` raises."""
        from cgcli.rendering.paint import as_pngs
        from cgcli.rendering.svg import refined

        scale = paper.scale(self.width, self.height)
        width, height = self.width * scale, self.height * scale
        dpi = _fitting_dpi((width, height), paper.dpi)
        made = as_pngs([refined(svg, POINTS * width, POINTS * height) for svg in svgs], dpi)
        return [with_resolution(png, dpi) for png in made]


def drawing_of(dot_text: str, layout: str, *, plain: bool = False) -> Drawing:
    """The picture of a graph in DOT text. plain: with the places of cards as text.

    Raises TooLargeError, MissingProgramError, and CgError when the program fails or takes too long.
    """
    _check_size(dot_text)
    content = laid_out(dot_text, ["svg", "plain"] if plain else ["svg"], layout).decode()
    svg, end, places = content.partition(_END)
    width, height = svg.partition(_VIEW)[2].partition('"')[0].split()
    crossed = False
    if _CLUSTER in svg:
        from cgcli.rendering.headings import parted

        svg, crossed = parted(svg)
    return Drawing(dot_text, float(width) / POINTS, float(height) / POINTS, svg + end, places.lstrip(), crossed=crossed)


def png_at_once(dot_text: str, paper: Paper) -> Drawing | None:
    """The picture of a small graph as PNG, in one run of the layout program; None where its size is to be known first.

    Raises what `drawing_of` raises.
    """
    dpi = paper.dpi or DEFAULT_DPI
    is_sized = paper.width or paper.size
    if is_sized or dpi > DEFAULT_DPI or not _is_painted_by_layout(dot_text, paper, MOST_LINES_AT_ONCE):
        return None
    dots = dpi * paper.scale(1, 1)
    png = laid_out(dot_text, ["png"], paper.layout, f"-Gdpi={dots}")
    width, height = (round(side / dots * POINTS) / POINTS for side in struct.unpack_from(">II", png, _SIZES))
    return Drawing(dot_text, width, height, png=png, dpi=dpi)


def _is_painted_by_layout(dot_text: str, paper: Paper, most: int) -> bool:
    """Whether the layout program makes the PNG: of so many lines at most, no clusters, no numbers to be left out."""
    is_plain = paper.layout == "bundled" and "subgraph" not in dot_text and ' TITLE="' not in dot_text
    return is_plain and dot_text.count("\n") <= most and has_all(dot_text)


def _check_size(dot_text: str) -> None:
    """Raise TooLargeError where the layout program would take long.

    It places as many points for an edge as that crosses levels: a name that is used at every depth crosses most. And
    it moves each leaf, a name or a constant, in a time that grows with the number of cards, and compares the edges that
    meet in a card with each other.
    """
    lines = dot_text.count("\n")
    if lines > MAX_LINES:
        raise _too_large(f"{lines} nodes and edges, the limit is {MAX_LINES}")
    level: dict[str, int] = {}
    edges: list[tuple[str, str]] = []
    answers: list[tuple[str, str]] = []
    for line in dot_text.splitlines():
        tail, arrow, head = line.partition(" -> ")
        if arrow:
            edges.append((tail.strip().partition(":")[0], head.split()[0].partition(":")[0]))
            if "headlabel=" in head:
                answers.append(edges[-1])
    edges.sort(key=lambda edge: int(edge[0][1:].partition("_")[0]))  # cards are numbered in the order of their nodes
    for tail, head in edges:
        level[head] = max(level.get(head, 0), level.get(tail, 0) + 1)
    for those, chosen, limit in (("edges", edges, MAX_CROSSINGS), ("edges from conditions", answers, MAX_ANSWERED)):
        crossings = sum(max(level.get(head, 0) - level.get(tail, 0), 0) for tail, head in chosen)
        if crossings > limit:
            raise _too_large(f"its {those} cross {crossings} levels, the limit is {limit}")
    leaves = len({tail for tail, _ in edges} - level.keys())
    cards = leaves + len(level)
    if leaves * cards > MAX_PULLS:
        raise _too_large(
            f"{leaves} of its {cards} nodes are names or constants, the limit is {MAX_PULLS // cards} among so many"
        )
    meeting = dict.fromkeys(chain.from_iterable(edges), 0)
    for end in chain.from_iterable(edges):
        meeting[end] += 1
    if (most := max(meeting.values(), default=0)) > MAX_MEETING:
        raise _too_large(f"{most} edges meet in one of its nodes, the limit is {MAX_MEETING}")


def _too_large(found: str) -> TooLargeError:
    return TooLargeError(
        f"the graph is too large to lay out: {found}",
        hint="--around NAME draws what is near a name, --depth 0 each call as one box; .dot has no limit",
    )


def with_resolution(png: bytes, dpi: int) -> bytes:
    """A PNG that says how many of its dots make an inch, for a page to show it by."""
    from zlib import crc32

    per_metre = round(dpi / 0.0254)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    return png[:_HEADER] + struct.pack(">I", 9) + chunk + struct.pack(">I", crc32(chunk)) + png[_HEADER:]


def _fitting_dpi(inches: tuple[float, float], dpi: int | None) -> int:
    """The dots per inch to draw with: those asked for, else as many as fit, up to the default."""
    width, height = inches
    largest = min((MAX_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(width, height))
    if int(largest) >= (dpi or MIN_DPI):
        return dpi or max(MIN_DPI, min(DEFAULT_DPI, int(largest), int((MOST_PIXELS / (width * height)) ** 0.5)))
    fewer = f"ask for at most {int(largest)} dpi, or " if int(largest) >= MIN_DPI else ""
    raise TooLargeError(
        f"a PNG of {width * (dpi or MIN_DPI):.0f} x {height * (dpi or MIN_DPI):.0f} pixels is too large",
        hint=f"{fewer}write .svg, which is sharp at every size",
    )
