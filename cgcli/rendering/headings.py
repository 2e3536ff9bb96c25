"""What stands above a cluster, moved sideways to where no edge crosses it: layout programs place it without a look."""

from __future__ import annotations

from html import unescape
from itertools import pairwise

from cgcli.annotations import Iterable, Iterator, Sequence
from cgcli.lean import re
from cgcli.records import NamedTuple
from cgcli.rendering.metrics import width

_CLUSTER = re.compile(r'<g id="clust\d+".*?\n</g>\n(?=<g|<!--|</svg>)', re.DOTALL)
_EDGE = re.compile(r'<g id="edge\d+".*?\n</g>\n(?=<!--|</g>)', re.DOTALL)
_FORM = re.compile(r'<(path|polygon|polyline) [^>]*?(?:d|points)="([^"]*)"')
_POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)")
_TEXT = re.compile(r'<text [^>]*?x="([-\d.]+)" y="([-\d.]+)"([^>]*)>([^<]*)</text>')
_SIZE = re.compile(r'font-size="([\d.]+)"')
_PIECES = 12  # of a curve, each of which is taken for a straight line
_MARGIN, _APART = 10, (4, 1)  # points: to the sides of a cluster; to an edge, where there is much room and little

Point = tuple[float, float]


class _Words(NamedTuple):
    """A rectangle that texts in a row take."""

    left: float
    right: float
    top: float
    bottom: float


def parted(svg: str) -> tuple[str, bool]:
    """What the layout program has made, with the words of clusters beside the edges that would cross them.

    They move as little as that takes, within their clusters; where there is no room between edges, they stay, which is
    told, too.
    """
    edges = [*_lines(found[0] for found in _EDGE.finditer(svg))]
    crossed = False

    def moved(found: re.Match[str]) -> str:
        group = found[0]
        words = _words(group)
        sides = [x for x, _ in _points(_FORM.search(group))]
        if words is None or not sides:
            return group
        step = _step(words, min(sides) + _MARGIN, max(sides) - _MARGIN, edges)
        if step is None:
            nonlocal crossed
            crossed = True
        return _TEXT.sub(lambda text: _at(text, step), group) if step else group

    return _CLUSTER.sub(moved, svg), crossed


def _points(form: re.Match[str] | None) -> list[Point]:
    return [(float(x), float(y)) for x, y in _POINT.findall(form[2])] if form else []


def _lines(groups: Iterable[str]) -> Iterator[tuple[Point, Point]]:
    """Straight lines that make up edges, their arrowheads and the words beside them."""
    for group in groups:
        for form in _FORM.finditer(group):
            points = _points(form)
            yield from pairwise(_curve(points) if form[1] == "path" else points)
        if (words := _words(group)) is not None:
            yield (words.left, words.top), (words.right, words.bottom)


def _curve(points: Sequence[Point]) -> list[Point]:
    """Points on Bézier's curves, which follow each other."""
    found = [*points[:1]]
    for at in range(0, len(points) - 3, 3):
        for piece in range(1, _PIECES + 1):
            t = piece / _PIECES
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            pairs = [*zip(weights, points[at : at + 4], strict=True)]
            found.append((sum(w * x for w, (x, _) in pairs), sum(w * y for w, (_, y) in pairs)))
    return found


def _words(group: str) -> _Words | None:
    """The room of the words of a group; None where it has none."""
    texts = _TEXT.findall(group)
    if not texts:
        return None
    sizes = [float(_SIZE.search(style)[1]) for _, _, style, _ in texts]  # type: ignore[index]
    ends = [
        float(x) + width(unescape(text), size, bold="bold" in style)
        for (x, _, style, text), size in zip(texts, sizes, strict=True)
    ]
    lines = [float(y) for _, y, _, _ in texts]
    tall = max(sizes)
    return _Words(min(float(x) for x, *_ in texts), max(ends), min(lines) - 0.8 * tall, max(lines) + 0.25 * tall)


def _step(words: _Words, least: float, most: float, edges: Sequence[tuple[Point, Point]]) -> float | None:
    """How far words go to the right or, below 0, to the left, to stand between edges; None where no place is free."""
    wide = words.right - words.left
    for apart in _APART:
        taken = [*_crossing(words, edges, apart)]
        places = [words.left, *(right for _, right in taken), *(left - wide for left, _ in taken)]
        free = [
            place - words.left
            for place in places
            if (place == words.left or least <= place <= most - wide)
            and all(right <= place or left >= place + wide for left, right in taken)
        ]
        if free:
            return min(free, key=abs)
    return None


def _crossing(words: _Words, edges: Iterable[tuple[Point, Point]], apart: float) -> Iterator[tuple[float, float]]:
    """From where to where lines cross the band that words stand in, and what words keep apart from them."""
    for (x, y), (x2, y2) in edges:
        if max(y, y2) >= words.top and min(y, y2) <= words.bottom:
            yield min(x, x2) - apart, max(x, x2) + apart


def _at(text: re.Match[str], step: float) -> str:
    """A text that has moved sideways."""
    return text[0].replace(f'x="{text[1]}"', f'x="{float(text[1]) + step:.2f}"', 1)
