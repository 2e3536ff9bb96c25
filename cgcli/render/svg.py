"""The SVG that a layout program gives, as it is handed on: ids, classes and titles for style sheets and viewers."""

from __future__ import annotations

import unicodedata

from cgcli.annotations import TYPE_CHECKING
from cgcli.lean import re
from cgcli.render.card import MARKS, MATRIX, SIGN, WORD, Pen
from cgcli.render.metrics import FAMILY, has_all
from cgcli.render.themes import THEMES

if TYPE_CHECKING:
    from re import Match

_HEAD = r"(?s)<!DOCTYPE.*?(?=<svg )"
_CANVAS = r'(?s)(<g id="graph0".*?)<polygon fill="(#\w+)" stroke="\w+" points="[^"]*"/>\n'
_CARD = (
    r'(?s)<g id="node\d+" class="([^"]*)">\n<title>(\w+)</title>\n<g id="a_node\d+"><a xlink:title="([^"]*)">\n'
    r"(.*?)</a>\n</g>\n"
)
_EDGE = r'(<g id="edge\d+" class="edge">\n)<title>.*?</title>\n'
_SIZE = r'(?<=<svg )width="[^"]*" height="[^"]*"'
_FONT = 'font-family="Helvetica,sans-Serif"'
_TEXT = r'<text([^>]*) text-anchor="start" x="(\S+)"([^>]*)>([^<]*)</text>'
_ADJOINTS, _TANGENTS, _GREYS = (
    {getattr(theme, kind).lower() for theme in THEMES.values()} for kind in ("adjoint", "tangent", "grey")
)


def refined(svg: str, width: float, height: float) -> str:
    """What the layout program has made of one graph, in a size of so many points.

    A card has the id that it has in DOT text, and its `<title>`, which a viewer shows under the pointer, is the text
    that it was read from. Each text has a class: value, adjoint, tangent, name, symbol or note. The background fills
    the picture to its edges.
    """
    svg = re.sub(_HEAD, "", svg, count=1)
    svg = re.sub(_CARD, _card, svg)
    svg = re.sub(_EDGE, r"\1", svg)
    svg = re.sub(_CANVAS, r'<rect class="background" width="100%" height="100%" fill="\2"/>\n\1', svg, count=1)
    svg = re.sub(_SIZE, f'width="{width:.6g}pt" height="{height:.6g}pt"', svg, count=1)
    return svg.replace(_FONT, f'font-family="{FAMILY}"')


def texts_of(svg: str) -> list[str]:
    """What stands in a picture."""
    return list(map(_read, re.findall(r"<text[^>]*>([^<]*)</text>", svg)))


def _card(found: Match[str]) -> str:
    kind, name, title, inside = found.groups()
    return f'<g id="{name}" class="{kind}">\n<title>{title}</title>\n{re.sub(_TEXT, _text, inside)}'


def _text(found: Match[str]) -> str:
    """A text with its class; about the middle of its place where a viewer's font decides how wide it is."""
    space, x, style, text = found.groups()
    about = dict(re.findall(r'([\w-]+)="([^"]*)"', style))
    size, bold, italic = float(about["font-size"]), "font-weight" in about, "font-style" in about
    kind = _kind(text, size, about.get("fill", ""), bold=bold, italic=italic)
    place = f'text-anchor="start" x="{x}"'
    if not has_all(text):
        wide = Pen(size, "", bold, italic).width(_read(text))
        place = f'text-anchor="middle" x="{float(x) + wide / 2:.2f}"'
        style = style.replace(_FONT, f'font-family="{",".join([*_families(text), FAMILY])}"')
    return f'<text{space} class="{kind}" {place}{style}>{text}</text>'


def _kind(text: str, size: float, colour: str, *, bold: bool, italic: bool) -> str:
    """What a text on a card says, told by how it is written."""
    if italic or (size == MATRIX and text in MARKS):
        return "tangent" if colour in _TANGENTS or text == "d" else "adjoint"
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
    letters = [sign for sign in text if unicodedata.category(sign) == "Lo"]
    narrow = (sign for sign in letters if unicodedata.east_asian_width(sign) not in "WF")
    scripts = {unicodedata.name(sign).split()[0].title() for sign in narrow}
    return [f"{maker} {script}" for script in sorted(scripts) for maker in ("Noto Sans", "Lohit", "Kohinoor")]
