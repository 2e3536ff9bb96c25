"""Plots as SVG, in a theme's colours: of a fit its rows, the curve with its band, and the residuals; or one line."""

from __future__ import annotations

import math
from html import escape

from cgcli.annotations import Iterator, Sequence
from cgcli.errors import UsageError, did_you_mean
from cgcli.records import NamedTuple
from cgcli.rendering.metrics import FAMILY, width
from cgcli.rendering.themes import THEMES, Theme, mixed

_WIDTH, _HEIGHT = 480.0, 400.0  # points
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 16.0, 14.0, 44.0  # margins
_SHARE, _GAP = 0.7, 16.0  # of the upper panel; between the panels
_FONT, _RADIUS = 11.0, 2.6
_TICKS = 6  # at most about so many on an axis
_SPARE = 0.05  # of the range, at each end of an axis

Points = Sequence[tuple[float, float]]


class Plot(NamedTuple):
    """What is drawn. points: of the rows; residuals: their distances from the curve, over the same axis.

    curve: the points of the fit; band: at each of them the ends of its interval. across, up: what the axes are called.
    """

    points: Points
    residuals: Points
    curve: Points
    band: Sequence[tuple[float, float]]
    across: str
    up: str


class _Axis(NamedTuple):
    """From numbers to points of the picture."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, number: float) -> float:
        return self.begin + (number - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Round numbers between the ends."""
        rough = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [at * step for at in range(first, last + 1)]


def plot(drawn: Plot, theme: str) -> str:
    """The picture of a fit. Raises UsageError for a theme that there is not."""
    return _picture(_fit(drawn, _theme(theme)), _theme(theme))


def line_plot(points: Points, across: str, up: str, theme: str) -> str:
    """The picture of a line through points. across, up: what the axes are called. Raises as `plot`."""
    return _picture(_line(points, across, up, _theme(theme)), _theme(theme))


def _theme(name: str) -> Theme:
    if name not in THEMES:
        hint = did_you_mean(name, THEMES) or f"possible: {', '.join(THEMES)}"
        raise UsageError(f"unknown theme '{name}'", hint=hint)
    return THEMES[name]


def _picture(parts: Iterator[str], theme: Theme) -> str:
    """The parts as a whole."""
    head = (
        f'<svg width="{_WIDTH:g}pt" height="{_HEIGHT:g}pt" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="{FAMILY}" font-size="{_FONT:g}">\n'
        f'<rect class="background" width="100%" height="100%" fill="{theme.background}"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _line(points: Points, name: str, other: str, theme: Theme) -> Iterator[str]:
    across = _axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    up = _axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    yield from _frame(across, up, theme, other, labels=True)
    yield _text(theme.ink, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, name, "middle")
    line = f'fill="none" stroke="{theme.adjoint}" stroke-width="1.5"'
    yield f'<path class="curve" d="{_path(points, across, up)}" {line}/>'


def _fit(drawn: Plot, theme: Theme) -> Iterator[str]:
    middle = _TOP + _SHARE * (_HEIGHT - _TOP - _BOTTOM - _GAP)
    across = _axis([x for x, _ in (*drawn.points, *drawn.curve)], _LEFT, _WIDTH - _RIGHT)
    up = _axis([y for _, y in (*drawn.points, *drawn.curve)], middle, _TOP)
    below = _axis([0.0, *(y for _, y in drawn.residuals)], _HEIGHT - _BOTTOM, middle + _GAP)
    yield from _frame(across, up, theme, drawn.up, labels=False)
    yield from _frame(across, below, theme, "residual", labels=True)
    yield _text(theme.ink, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, drawn.across, "middle")
    ends = [list(zip((x for x, _ in drawn.curve), side, strict=True)) for side in zip(*drawn.band, strict=True)]
    if ends:
        outline = _path([*ends[0], *reversed(ends[1])], across, up)
        yield f'<path class="band" d="{outline}Z" fill="{mixed(theme.background, theme.adjoint, 0.2)}"/>'
    for at, (points, axis) in enumerate(((drawn.points, up), (drawn.residuals, below))):
        kind = "residuals" if at else "rows"
        yield f'<g class="{kind}" fill="{theme.tangent}" fill-opacity="0.7">'
        yield from (f'<circle cx="{across(x):.2f}" cy="{axis(y):.2f}" r="{_RADIUS}"/>' for x, y in points)
        yield "</g>"
    line = f'fill="none" stroke="{theme.adjoint}" stroke-width="1.5"'
    yield f'<path class="curve" d="{_path(drawn.curve, across, up)}" {line}/>'
    yield f'<path class="zero" d="{_path([(across.low, 0), (across.high, 0)], across, below)}" {line}/>'


def _axis(numbers: Sequence[float], begin: float, end: float) -> _Axis:
    """An axis on which all finite numbers have room."""
    finite = [number for number in numbers if math.isfinite(number)] or [0.0]
    low, high = min(finite), max(finite)
    spare = _SPARE * (high - low) or abs(low) * _SPARE or 1.0
    return _Axis(low - spare, high + spare, begin, end)


def _frame(across: _Axis, up: _Axis, theme: Theme, name: str, *, labels: bool) -> Iterator[str]:
    """The border of a panel, its ticks, and what its axis is called. labels: whether numbers stand below."""
    top, height = up.end, up.begin - up.end
    yield (f'<rect x="{across.begin:g}" y="{top:.2f}" width="{across.end - across.begin:g}" height="{height:.2f}" '
           f'fill="none" stroke="{theme.edge}"/>')  # fmt: skip
    for number in across.ticks():
        x = across(number)
        yield f'<path d="M{x:.2f} {up.begin:.2f}v4" stroke="{theme.edge}"/>'
        if labels:
            yield _text(theme.grey, x, up.begin + 16, f"{number:.10g}", "middle")
    for number in up.ticks():
        y = up(number)
        yield f'<path d="M{across.begin:g} {y:.2f}h-4" stroke="{theme.edge}"/>'
        yield _text(theme.grey, across.begin - 7, y + 4, f"{number:.6g}", "end")
    x, y = _FONT + 3, top + height / 2
    yield _text(theme.ink, x, y, _short(name, height), "middle", f' transform="rotate(-90 {x:g} {y:.2f})"')


def _short(name: str, room: float) -> str:
    """A name, cut where it would be longer than the room for it."""
    while width(name, _FONT) > room:
        name = f"{name[:-2]}…"
    return name


def _text(colour: str, x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}" fill="{colour}"{more}>{escape(text)}</text>'


def _path(points: Points, across: _Axis, up: _Axis) -> str:
    """A line through points, those left out that are not finite."""
    placed = (f"{across(x):.2f} {up(y):.2f}" for x, y in points if math.isfinite(x) and math.isfinite(y))
    return "M" + "L".join(placed)
