"""The SVG that a layout program gives, as it is handed on: ids, classes and titles for style sheets and viewers."""

from __future__ import annotations

from cgcli.lean import lru_cache, re
from cgcli.rendering.card import MARKS
from cgcli.rendering.metrics import FAMILY, has_all, width
from cgcli.rendering.pen import MATRIX, OVERLINE, SIGN, WORD, Pen
from cgcli.rendering.themes import THEMES

_NODE, _EDGE, _CLUSTER, _GRAPH = '<g id="node', '<g id="edge', '<g id="clust', '<g id="graph0"'  # how lines begin
_LINK_ENDS = "</a>"
_OUTLINE, _WAY, _CORNER = "<path ", ' d="', 5  # of a card with round corners; their radius in points
_FREE_ENDS = ('class="node value"', 'class="node grad"')  # cards of two panels, which edges reach at their corners, too
_HALO = '<text stroke="{}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
_CANVAS, _TEXT, _PLACE = '<polygon fill="#', "<text ", ' text-anchor="start" x="'
_OVERLINED = f"(?:[^{OVERLINE}]{OVERLINE})+"
_BAR_HEIGHT, _BAR_STROKE = 0.8, 0.06  # of a bar over a name, above its base line; of the font's size
_FONT = 'font-family="Helvetica,sans-Serif"'
_ADJOINTS, _TANGENTS, _GREYS = (
    {getattr(theme, kind).lower() for theme in THEMES.values()} for kind in ("adjoint", "tangent", "grey")
)


def refined(svg: str, wide: float, high: float) -> str:
    """What the layout program has made of one graph, in a size of so many points.

    A card has the id that it has in DOT text, and its `<title>`, which a viewer shows under the pointer, is the text
    that it was read from. Each text has a class: value, adjoint, tangent, name, symbol or note. The background fills
    the picture to its edges. The title of a cluster is what stands above it; its words and those at edges are drawn
    last, in a halo of what is behind them, which parts what they cross.
    """
    declaration, _, _ = svg.partition("<!DOCTYPE")
    _, _, content = svg.partition("<svg ")
    lines = iter(content.split("\n"))
    next(lines)  # its own size
    made = [f'{declaration}<svg width="{wide:.6g}pt" height="{high:.6g}pt"']
    is_card, has_free_ends, start = False, False, -1  # of the drawing, until its background was found
    fill, behind, words, has_clusters = "none", "", list[str](), False  # behind: what a cluster is filled with
    for line in lines:
        if line.startswith(_NODE):
            name, title = _between(next(lines), ">", "<"), _between(next(lines), 'title="', '"')
            made.append(f'<g id="{name}" class={line.partition(" class=")[2]}\n<title>{title}</title>')
            is_card, has_free_ends, start = True, line.rstrip(">").endswith(_FREE_ENDS), -1
        elif line == _LINK_ENDS:
            next(lines)  # the end of its group
            is_card = has_free_ends = False
        elif line.startswith(_CLUSTER):
            next(lines)  # its number
            title, form, has_clusters = _between(next(lines), 'title="', '"'), next(lines), True
            behind = _between(form, 'fill="', '"')
            made.append(f"{line}\n<title>{title}</title>\n{form}")
        elif line.startswith(_TEXT):
            if is_card or not has_clusters:
                made.append(_text(line))
            else:
                words.append(
                    _text(line).replace(_TEXT.strip(), _HALO.format(fill if behind in ("", "none") else behind), 1)
                )
        elif has_free_ends and line.startswith(_OUTLINE):
            made.append(_with_small_corners(line))
        elif line.startswith(_EDGE):
            next(lines)  # its title
            behind = ""
            made.append(line)
        elif start >= 0 and line.startswith(_CANVAS):
            fill = _between(line, '"', '"')
            made.insert(start, f'<rect class="background" width="100%" height="100%" fill="{fill}"/>')
            start = -1
        else:
            start = len(made) if line.startswith(_GRAPH) else start
            made.append(line)
    made[-2:-2] = words  # before the ends of the drawing and of the picture
    return "\n".join(made).replace(_FONT, f'font-family="{FAMILY}"')


def _with_small_corners(outline: str) -> str:
    """The outline of a card with smaller corners: edges end at the rectangle around it, which then is hardly larger."""
    style, _, way = outline.partition(_WAY)
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", way)]
    (left, right), (top, bottom) = ((min(side), max(side)) for side in (numbers[::2], numbers[1::2]))
    short = _CORNER * (1 - 0.5523)  # from the corner to where a curve that is nearly a quarter of a circle turns
    points = [
        (right - _CORNER, top), (right - _CORNER, top), (left + _CORNER, top), (left + _CORNER, top),
        (left + short, top), (left, top + short), (left, top + _CORNER),
        (left, top + _CORNER), (left, bottom - _CORNER), (left, bottom - _CORNER),
        (left, bottom - short), (left + short, bottom), (left + _CORNER, bottom),
        (left + _CORNER, bottom), (right - _CORNER, bottom), (right - _CORNER, bottom),
        (right - short, bottom), (right, bottom - short), (right, bottom - _CORNER),
        (right, bottom - _CORNER), (right, top + _CORNER), (right, top + _CORNER),
        (right, top + short), (right - short, top), (right - _CORNER, top),
    ]  # fmt: skip
    start, *curves = (f"{x:.2f},{y:.2f}" for x, y in points)
    return f'{style}{_WAY}M{start}C{" ".join(curves)}"/>'


def with_bars(svg: str) -> str:
    """A refined picture with a line over each name that has one bar: fonts join bars over single signs badly.

    They stay in texts about a middle, where a viewer's font decides how wide a name is.
    """
    if OVERLINE not in svg:
        return svg
    return "\n".join(
        line.replace(OVERLINE, "") + _bars(line)
        if line.startswith(_TEXT) and OVERLINE in line and _PLACE in line
        else line
        for line in svg.split("\n")
    )


def _bars(line: str) -> str:
    """The bars of a text, as lines."""
    tag, _, text = line.removesuffix("</text>").partition(">")
    about = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
    size, colour, text = float(about["font-size"]), about.get("fill", "black"), _read(text)
    bold, italic = "font-weight" in about, "font-style" in about

    def end(place: int) -> float:
        return float(about["x"]) + width(text[:place], size, bold=bold, italic=italic)

    y = float(about["y"]) - _BAR_HEIGHT * size
    return "".join(
        f'\n<path class="{about["class"]}" fill="none" stroke="{colour}" stroke-width="{_BAR_STROKE * size:.2f}" '
        f'd="M{end(found.start()):.2f},{y:.2f}H{end(found.end()):.2f}"/>'
        for found in re.finditer(_OVERLINED, text)
    )


def texts_of(svg: str) -> list[str]:
    """What stands in a picture."""
    return list(map(_read, re.findall(r"<text[^>]*>([^<]*)</text>", svg)))


def _between(line: str, begin: str, end: str) -> str:
    """What stands in a line between two marks."""
    return line.partition(begin)[2].partition(end)[0]


@lru_cache(1024)
def _text(line: str) -> str:
    """A text with its class; about the middle of its place where a viewer's font decides how wide it is."""
    tag, _, text = line.removesuffix("</text>").partition(">")
    begin, placed, rest = tag.partition(_PLACE)
    if not placed:
        return line
    x, _, style = rest.partition('"')
    parts = style.split('"')
    about = dict(zip((name.strip(" =") for name in parts[::2]), parts[1::2], strict=False))
    size, bold, italic = float(about["font-size"]), "font-weight" in about, "font-style" in about
    kind = _kind(text, size, about.get("fill", ""), bold=bold, italic=italic)
    place = f'text-anchor="start" x="{x}"'
    if not has_all(text):
        wide = Pen(size, "", bold, italic).width(_read(text))
        place = f'text-anchor="middle" x="{float(x) + wide / 2:.2f}"'
        style = style.replace(_FONT, f'font-family="{",".join([*_families(text), FAMILY])}"')
    return f'{begin} class="{kind}" {place}{style}>{text}</text>'


def _kind(text: str, size: float, colour: str, *, bold: bool, italic: bool) -> str:
    """What a text on a card says, told by how it is written."""
    if italic or (size == MATRIX and text in MARKS.values()):
        return "tangent" if colour in _TANGENTS or text == MARKS["tangent"] else "adjoint"
    if bold:
        return "name"
    if colour in _GREYS:
        return "note"
    return "symbol" if size in (SIGN, WORD) else "value"


def _read(text: str) -> str:
    """A text of XML."""
    from html import unescape

    return unescape(text)


def _families(text: str) -> list[str]:
    """Fonts for the script of a text, by the names that they have on the systems of today.

    Their own rules join the letters of Indic scripts, which signs taken from here and there do not obey.
    """
    import unicodedata

    letters = [sign for sign in text if unicodedata.category(sign) == "Lo"]
    narrow = (sign for sign in letters if unicodedata.east_asian_width(sign) not in "WF")
    scripts = {unicodedata.name(sign).split()[0].title() for sign in narrow}
    return [f"{maker} {script}" for script in sorted(scripts) for maker in ("Noto Sans", "Lohit", "Kohinoor")]
