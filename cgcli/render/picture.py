"""DOT text to a picture, the second step: run a layout program, and have what it gives drawn in the format asked for.

The program is graphviz-pure, which is installed with cg and draws the same bytes everywhere; or the system's
`dot`, where that was asked for. It runs once: SVG is what it gives, and what PNG and PDF are made of.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import CgError, MissingProgramError, TooLargeError, UsageError
from cgcli.records import NamedTuple
from cgcli.render.card import TEXT
from cgcli.render.metrics import FAMILY

KINDS = {".png": "png", ".svg": "svg", ".pdf": "pdf", ".dot": "dot", ".gv": "dot"}
DEFAULT_DPI = 192  # twice the 96 dots of a plain screen: crisp on a dense one and on a slide
MIN_DPI, MAX_DPI = 10, 1200
SUFFIXES = {**KINDS, ".json": "json", ".txt": "txt"}
LAYOUTS = ("bundled", "dot")
COLUMN = 8.6 / 2.54  # inches: the width of a paper's column
PAGE = 20 / 2.54  # inches: the height that a picture may have on a page
MAX_LINES = 12_000  # of DOT text, one for each node and edge
MAX_CROSSINGS = 60_000  # of edges over levels, at each of which the layout program keeps a point: two seconds, 100 MB
MAX_PIXELS = 100_000_000  # of a PNG: 400 MB while it is drawn
MOST_PIXELS = 12_000_000  # where no resolution was asked for: a second of drawing
MAX_SIDE = 32_000  # pixels
TIMEOUT = 60  # seconds
_POINTS = 72  # an inch
_INSTALL = "install Graphviz (https://graphviz.org/download), or write .dot"

# Of the SVG that the layout program gives.
_XML = "<?xml"
_HEAD = re.compile(r"<!DOCTYPE.*?(?=<svg )", re.DOTALL)
_SIZE = re.compile(r'(?<=<svg )width="[^"]*" height="[^"]*"')
_EDGE_OF_DOT = re.compile(r"^ +(\w+)(?::\w+)* -> (\w+)", re.MULTILINE)
_VIEW = re.compile(r'viewBox="0.00 0.00 (\S+) (\S+)"')
_CANVAS = re.compile(r'(<g id="graph0".*?)<polygon fill="(#\w+)" stroke="\w+" points="[^"]*"/>\n', re.DOTALL)
_BACKGROUND = re.compile(r'<rect class="background" [^>]* fill="(#\w+)"')
_CARD = re.compile(
    r'<g id="node\d+" class="([^"]*)">\n<title>(\w+)</title>\n<g id="a_node\d+"><a xlink:title="([^"]*)">\n'
    r"(.*?)</a>\n</g>\n", re.DOTALL,
)  # fmt: skip
_EDGE = re.compile(r'(<g id="edge\d+" class="edge">\n)<title>.*?</title>\n')
_FONT = 'font-family="Helvetica,sans-Serif"'


class Paper(NamedTuple):
    """What a picture is drawn on.

    width: in inches; None for what it takes. dpi: of a PNG. layout: one of LAYOUTS. font_size: points of its numbers.
    size: the width and height that it fits into, in inches.
    """

    width: float | None = None
    dpi: int | None = None
    layout: str = "bundled"
    font_size: float | None = None
    size: tuple[float, float] | None = None

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


PLAIN = Paper()


def kind_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's suffix asks for: png, svg, pdf, dot, json or txt.

    Raises UsageError for any other suffix.
    """
    suffix = os.path.splitext(path)[1]
    kind = SUFFIXES.get(suffix.lower())
    if kind is None:
        what = f"'{suffix}' of '{path}'" if len(suffix) > 1 else f"missing suffix of '{path}'"
        raise UsageError(f"unknown picture format: {what}", hint=f"possible suffixes: {', '.join(SUFFIXES)}")
    return kind


class Drawing(NamedTuple):
    """A graph that is laid out, as SVG. width, height: of the picture, in inches."""

    svg: str
    width: float
    height: float

    def on(self, paper: Paper) -> Drawing:
        """The same at the size that the paper asks for."""
        scale = paper.scale(self.width, self.height)
        width, height = self.width * scale, self.height * scale
        size = f'width="{_POINTS * width:.6g}pt" height="{_POINTS * height:.6g}pt"'
        return Drawing(_SIZE.sub(size, self.svg, count=1), width, height)

    def reading_size(self, paper: Paper) -> float:
        """How many points its numbers have where it is read."""
        width, height = paper.room
        return TEXT * min(1.0, width / self.width, height / self.height)


def picture_bytes(dot_text: str, kind: str, *, paper: Paper = PLAIN) -> bytes:
    """The picture of a graph in DOT text; kind: png, svg, pdf or dot, the text itself.

    Raises UsageError for another kind or a wrong dpi, TooLargeError, MissingProgramError,
    and CgError when the layout program fails or takes too long.
    """
    if kind not in KINDS.values():
        raise UsageError(
            f"unknown picture format: '{kind}'", hint=f"possible: {', '.join(dict.fromkeys(SUFFIXES.values()))}"
        )
    paper.check()
    if kind == "dot":
        return dot_text.encode()
    return painted(drawings([dot_text], paper.layout)[0].on(paper), kind, paper.dpi)


def drawings(dot_texts: Sequence[str], layout: str) -> list[Drawing]:
    """The pictures of graphs in DOT text, in one run of the layout program.

    Raises TooLargeError, MissingProgramError, and CgError when the program fails or takes too long.
    """
    lines = max(text.count("\n") for text in dot_texts)
    if lines > MAX_LINES:
        raise TooLargeError(
            f"the graph is too large to lay out: {lines} nodes and edges, the limit is {MAX_LINES}",
            hint="write .dot instead, which has no limit",
        )
    crossings = max(map(_crossings, dot_texts))
    if crossings > MAX_CROSSINGS:
        raise TooLargeError(
            f"the graph is too large to lay out: its edges cross {crossings} levels, the limit is {MAX_CROSSINGS}",
            hint="write .dot instead, which has no limit",
        )
    content = _run(_program(layout), "".join(dot_texts), "svg").decode()
    return [_drawing(_XML + svg) for svg in content.split(_XML)[1:]]


def _crossings(dot_text: str) -> int:
    """How many levels the edges of a graph cross, all together: a name that is used at every depth crosses most.

    Edges stand in the order of their nodes: what goes into a node comes before what goes out of it.
    """
    level: dict[str, int] = {}
    edges = [(edge[1], edge[2]) for edge in _EDGE_OF_DOT.finditer(dot_text)]
    for tail, head in edges:
        level[head] = max(level.get(head, 0), level.get(tail, 0) + 1)
    return sum(max(level.get(head, 0) - level.get(tail, 0), 0) for tail, head in edges)


def painted(drawing: Drawing, kind: str, dpi: int | None) -> bytes:
    """A drawing as svg, png or pdf. Raises TooLargeError for a PNG of too many dots, and what `paint` raises."""
    if kind == "svg":
        return drawing.svg.encode()
    from cgcli.render import paint

    if kind == "pdf":
        return paint.as_pdf(drawing.svg)
    background = _BACKGROUND.search(drawing.svg)
    dots = _fitting_dpi((drawing.width, drawing.height), dpi)
    return paint.as_png(drawing.svg, dots, background[1] if background else None)


def plain(dot_text: str, layout: str) -> str:
    """Where everything stands, in Graphviz's plain format: its size, then nodes and edges, in inches."""
    return _run(_program(layout), dot_text, "plain").decode()


def _drawing(svg: str) -> Drawing:
    """What the layout program has made of one graph, as we hand it on.

    A card has the id that it has in DOT text; its `<title>`, which a viewer shows under the pointer, is the text that
    it was read from. The background fills the picture to its edges.
    """
    size = _VIEW.search(svg)
    if size is None:
        raise CgError("the layout program gave no picture", hint="write .dot instead")
    svg = _HEAD.sub("", svg, count=1)
    svg = _CARD.sub(r'<g id="\2" class="\1">\n<title>\3</title>\n\4', svg)
    svg = _EDGE.sub(r"\1", svg)
    svg = _CANVAS.sub(r'<rect class="background" width="100%" height="100%" fill="\2"/>\n\1', svg, count=1)
    svg = svg.replace(_FONT, f'font-family="{FAMILY}"')
    return Drawing(svg, float(size[1]) / _POINTS, float(size[2]) / _POINTS)


def _program(layout: str) -> str:
    """The layout program to run."""
    found = (None if layout == "dot" else _bundled()) or _which("dot")
    if found is None and layout == "dot":
        raise MissingProgramError("Graphviz's program 'dot' was not found", hint=_INSTALL)
    if found:
        return found
    raise MissingProgramError(
        "no program to lay out a picture: neither 'graphviz-pure' nor Graphviz's 'dot' was found",
        hint="pip install graphviz-pure, or install Graphviz (https://graphviz.org/download), or write .dot",
    )


def _bundled() -> str | None:
    """graphviz-pure: beside this Python first, for its folder need not be on the PATH."""
    found = _which("graphviz-pure", os.path.dirname(sys.executable))
    if found is None:
        import sysconfig

        found = _which("graphviz-pure", sysconfig.get_path("scripts")) or _which("graphviz-pure")
    return found


def _which(name: str, folder: str | None = None) -> str | None:
    """A program in a folder, or on the PATH: `shutil.which`, whose import costs much, where names have no suffixes."""
    if os.name == "nt":
        from shutil import which

        return which(name, path=folder)
    paths = (os.path.join(place, name) for place in ([folder] if folder else os.get_exec_path()))
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), None)


def _run(program: str, dot_text: str, kind: str, *options: str) -> bytes:
    """What the layout program writes to its standard output."""
    try:
        done = _runner(program)(
            [program, "-Kdot", f"-T{kind}", *options],
            input=dot_text.encode(), capture_output=True, timeout=TIMEOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise CgError(
            f"{program} did not finish the picture within {TIMEOUT} seconds",
            hint="fewer operations, or --arrays shape, make it smaller; .dot and .txt need no layout",
        ) from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"exit code {error.returncode}"
        raise CgError(f"{program} could not draw the picture: {reason}") from error
    except (OSError, RuntimeError) as error:  # the latter is what the package says of a missing program
        raise MissingProgramError(f"cannot run {program}: {error}", hint=_INSTALL) from error
    content: bytes = done.stdout
    if not content:
        raise CgError(f"{program} gave an empty picture")
    return content


def _runner(program: str) -> Callable[..., Any]:
    """What runs a layout program: for Graphviz's own its package, which is slow to import."""
    if os.path.splitext(os.path.basename(program))[0] != "dot":
        return lambda *command, **settings: subprocess.run(*command, check=True, **settings)
    from functools import partial

    from graphviz.backend import execute

    return partial(execute.run_check, quiet=True)


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
