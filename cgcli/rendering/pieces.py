"""A picture in pieces: its cards and edges, each with its place, so that what many pictures share is painted once.

A piece is an SVG of a whole number of dots, and lies at a whole number of them: it is painted as within the picture.
"""

from __future__ import annotations

import math

from cgcli.annotations import Iterator
from cgcli.lean import lru_cache, re
from cgcli.records import NamedTuple
from cgcli.rendering.metrics import width

POINTS = 72  # an inch
_HAIR = 0.001  # dots that a side is less than a whole number: of any more, a row or a column is added
_MARGIN = 4  # points around what is drawn: half of the thickest line, and its corners
_BEGIN = re.compile(
    r'(?P<head>.*?<svg )width="(?P<wide>[\d.]+)pt" height="[\d.]+pt"\s+viewBox="0(?:\.00)? 0(?:\.00)? (?P<size>[\d.]+) '
    r'[\d.]+"(?P<names>[^>]*>)\n(?:<rect class="background" [^>]*fill="(?P<fill>#\w+)"/>\n)?'
    r'(?P<move><g id="graph0" class="graph" transform="scale\(1 1\) rotate\(0\) '
    r'translate\((?P<x>[-\d.]+) (?P<y>[-\d.]+)\)">)\n(?:<title>[^\n]*</title>\n)?',
    re.DOTALL,
)
_TAG = re.compile(r"<(\w+)")
_KNOWN = {"g", "title", "path", "polygon", "polyline", "text"}
_PLACES = re.compile(r' (?:d|points)="([^"]*)"')
_NUMBER = re.compile(r"-?[\d.]+(?:e-?\d+)?")
_WORDS = re.compile(
    r'<text ([^>]*text-anchor="start" x="([-\d.]+)" y="([-\d.]+)"[^>]*font-size="([\d.]+)"[^>]*)>([^<]*)<'
)


class Piece(NamedTuple):
    """A part of a picture; its left upper corner and its sides, in points."""

    svg: str
    x: float
    y: float
    width: float
    height: float


class InPieces(NamedTuple):
    """A picture: what is behind it, '' for nothing, and its pieces from the lowest to the topmost."""

    fill: str
    pieces: list[Piece]


def of_dots(wide: int, high: int) -> tuple[float, float]:
    """Sides in dots that are painted as so many: Typst rounds the first one up, and the other in proportion to that."""
    narrow = wide - _HAIR
    return narrow, high * narrow / wide - _HAIR


def in_pieces(svg: str, dpi: int) -> InPieces | None:
    """A picture that `refined` made, of a whole number of dots; None where it holds what has no place known here."""
    begin = _BEGIN.match(svg)
    if begin is None:
        return None
    dots = dpi / POINTS
    scale = float(begin["wide"]) / float(begin["size"]) * dots  # dots of a unit of the picture
    made = []
    for text in _parts(svg[begin.end() :].rstrip().removesuffix("</svg>").rstrip().removesuffix("</g>")):
        box = _box(text)
        if box is None:
            return None
        across, down = float(begin["x"]), float(begin["y"])
        left, top = math.floor((box[0] + across) * scale), math.floor((box[1] + down) * scale)
        sides = math.ceil((box[2] + across) * scale) - left, math.ceil((box[3] + down) * scale) - top
        wide, high = of_dots(*sides)
        shown = " ".join(f"{place / scale:.9g}" for place in (left, top, wide, high))
        size = wide / dots, high / dots
        head = f'{begin["head"]}width="{size[0]:.9g}pt" height="{size[1]:.9g}pt" viewBox="{shown}"{begin["names"]}'
        made.append(Piece(f"{head}{begin['move']}{text}</g></svg>", left / dots, top / dots, *size))
    return InPieces(begin["fill"] or "", made)


def _parts(drawing: str) -> Iterator[str]:
    """The groups of a drawing, and what stands between them."""
    part, depth = list[str](), 0
    for line in drawing.split("\n"):
        if line.startswith("<g ") and not depth and part:
            yield "\n".join(part)
            part = []
        if not line.startswith("<!--"):
            part.append(line)
        depth += line.startswith("<g ") - (line == "</g>")
        if line == "</g>" and not depth:
            yield "\n".join(part)
            part = []
    if "".join(part):
        yield "\n".join(part)


@lru_cache(1024)
def _box(part: str) -> tuple[float, float, float, float] | None:
    """What a part takes: from its left upper to its right lower corner; None where it holds what is not known here."""
    if not _KNOWN.issuperset(_TAG.findall(part)):
        return None
    from html import unescape

    across, down = list[float](), list[float]()
    for found in _PLACES.finditer(part):
        numbers = list(map(float, _NUMBER.findall(found[1])))
        across += numbers[::2]
        down += numbers[1::2]
    words = list(_WORDS.finditer(part))
    if len(words) != part.count("<text "):
        return None
    for found in words:
        x, y, size = float(found[2]), float(found[3]), float(found[4])
        wide = width(unescape(found[5]), size, bold="font-weight" in found[1], italic="font-style" in found[1])
        across += [x, x + wide]
        down += [y - size, y + size / 2]
    if not across:
        return None
    return min(across) - _MARGIN, min(down) - _MARGIN, max(across) + _MARGIN, max(down) + _MARGIN
