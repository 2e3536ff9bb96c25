"""An SVG as a PNG or a PDF, with the font that comes with cg: the same pictures everywhere.

Typst draws them. Fonts of the system are asked for nothing but signs that this font lacks: a text that has such signs
is set by Typst itself, for where it draws SVG, it moves joined letters over each other.
"""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import CgError, MissingProgramError
from cgcli.lean import cache, re
from cgcli.rendering.metrics import FAMILY, FONTS, has_all, is_drawn
from cgcli.rendering.pieces import Piece, in_pieces, of_dots

_OURS = "Arimo"
_DOCUMENT = b"""\
#set document(title: sys.inputs.title, date: none)
#let given = json(bytes(sys.inputs.given))
#let pieces = given.pieces.map(it => place(top + left, dx: it.x * 1pt, dy: it.y * 1pt, image(
  bytes(it.svg), format: "svg", width: it.width * 1pt, height: it.height * 1pt, fit: "stretch"
)))
#for picture in given.pictures {
  let fill = if picture.fill == "" { none } else { rgb(picture.fill) }
  page(width: picture.width * 1pt, height: picture.height * 1pt, margin: 0pt, fill: fill, {
    for at in picture.pieces { pieces.at(at) }
    for it in picture.texts {
      set text(font: it.fonts, size: it.size * 1pt, weight: it.weight, style: it.style, fill: rgb(it.fill))
      set text(top-edge: "baseline", bottom-edge: "baseline")
      place(top + left, context place(dx: it.x * 1pt - measure(it.text).width / 2, dy: it.y * 1pt, it.text))
    }
  })
}
"""
_POINTS = 72  # an inch
_MOST_PAINTERS, _SHARE = 4, 16  # processors that paint; pictures that one of them paints at once
_NOWHERE = "\U0010fffe"  # no character: a font draws its empty box
_PROBE = (
    '<svg width="32pt" height="32pt" viewBox="0 0 32 32" xmlns="http://www.w3.org/2000/svg">'
    '<text x="16" y="24" font-family="Arimo" font-size="16" fill="#000000">{}</text></svg>'
)
_WORDS = re.compile(r"<text ([^>]*)>([^<]*)</text>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_SIZE = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"\s+viewBox="0(?:\.00)? 0(?:\.00)? ([\d.]+) ([\d.]+)"')
_MOVED = re.compile(r" translate\(([-\d.]+) ([-\d.]+)\)")
_NO_TYPST = "write .svg; or have Graphviz make it: cg render EXPR -o - | dot -Tpdf"


def as_png(svg: str, dpi: int) -> bytes:
    """The picture in dots. Raises what `as_pdf` raises."""
    return _pngs([svg], dpi)[0]


def as_pngs(svgs: Sequence[str], dpi: int) -> list[bytes]:
    """Pictures in dots, painted by several processors where there are. Raises what `as_pdf` raises."""
    import os
    from threading import Thread

    count = min(_MOST_PAINTERS, os.cpu_count() or 1, len(svgs))
    made: list[list[bytes]] = [[] for _ in range(count)]
    failed: list[CgError] = []

    def paint(at: int) -> None:
        mine = svgs[at::count]
        try:
            for start in range(0, len(mine), _SHARE):
                made[at] += _pngs(mine[start : start + _SHARE], dpi)
        except CgError as error:
            failed.append(error)

    painters = [Thread(target=paint, args=(at,)) for at in range(count)]
    for painter in painters:
        painter.start()
    for painter in painters:
        painter.join()
    if failed:
        raise failed[0]
    return [made[at % count][at // count] for at in range(len(svgs))]


def _pngs(svgs: Sequence[str], dpi: int) -> list[bytes]:
    return _drawn([_of_whole_dots(svg, dpi) for svg in svgs], "png", dpi, ppi=float(dpi))


def as_pdf(svg: str) -> bytes:
    """The picture as a PDF, its fonts embedded, its text selectable.

    Raises CgError for an SVG that Typst cannot draw, and MissingProgramError where there is no Typst.
    """
    return _drawn([svg], "pdf", pdf_tags=False)[0]


def without_font(text: str) -> str:
    """The signs of a text that no font has, in the order in which they come."""
    return "".join(sign for sign in dict.fromkeys(text) if not is_drawn(sign) and _probe(sign) == _probe(_NOWHERE))


@cache
def _probe(sign: str) -> bytes:
    """A picture of one sign alone, by which it is found out whether any font has it."""
    return as_png(_PROBE.format(sign), _POINTS)


def _of_whole_dots(svg: str, dpi: int) -> str:
    """A picture of a whole number of dots in each direction: of any other, Typst leaves out a row or a column."""
    begin, size = svg.partition("<svg ")[2].partition(">")[0], _SIZE.search(svg)
    assert size is not None
    sides, dots = [float(side) for side in size.groups()], dpi / _POINTS
    whole = [side / dots for side in of_dots(*(math.ceil(side * dots - 0.5) for side in sides[:2]))]
    wide, high = (shown * new / old for shown, new, old in zip(sides[2:], whole, sides, strict=False))
    sized = f'width="{whole[0]:.9g}pt" height="{whole[1]:.9g}pt"\n viewBox="0 0 {wide:.9g} {high:.9g}"'
    return svg.replace(begin, begin.replace(size[0], sized), 1)


def _drawn(svgs: Sequence[str], kind: Any, dpi: int = 0, **options: Any) -> list[bytes]:
    """Pictures in a format of Typst's. dpi: of one in dots. options: as its `compile` takes them."""
    try:
        import typst
    except ImportError as error:
        raise MissingProgramError("the picture needs the package typst, which was not found", hint=_NO_TYPST) from error
    from html import unescape
    from json import dumps

    pieces: dict[Piece, int] = {}
    pictures, are_ours = [], [has_all(svg) for svg in svgs]
    for svg, is_ours in zip(svgs, are_ours, strict=True):
        drawn = svg.replace(FAMILY, _OURS)
        drawn, texts = (drawn, []) if is_ours else _apart(drawn)
        size = _SIZE.search(svg)
        assert size is not None
        wide, high = float(size[1]), float(size[2])
        parted = in_pieces(drawn, dpi) if dpi and len(svgs) > 1 else None
        fill, parts = parted or ("", [Piece(drawn, 0, 0, wide, high)])
        places = [pieces.setdefault(part, len(pieces)) for part in parts]
        pictures.append({"fill": fill, "pieces": places, "texts": texts, "width": wide, "height": high})
    title = unescape(svgs[0].partition("<title>")[2].partition("</title>")[0])
    given = {"pieces": [part._asdict() for part in pieces], "pictures": pictures}
    inputs = {"title": title, "given": dumps(given)}
    compiler = typst.Compiler(_DOCUMENT, font_paths=_fonts(all(are_ours)), sys_inputs=inputs)
    try:
        made = compiler.compile(format=kind, **options)
    except typst.TypstError as error:
        raise CgError(f"the picture could not be drawn: {error}", hint="write .svg") from error
    if isinstance(made, list):
        return made
    assert isinstance(made, bytes)  # of one page
    return [made]


def _apart(svg: str) -> tuple[str, list[dict[str, Any]]]:
    """A picture without the texts that our font has not all signs of; and those, with their places in points."""
    from html import unescape

    scale = float(svg.partition('width="')[2].partition("pt")[0]) / float(svg.partition('viewBox="')[2].split()[2])
    move = _MOVED.search(svg)
    across, down = (float(move[1]), float(move[2])) if move else (0.0, 0.0)
    found = []
    for whole, written, text in [(each[0], each[1], each[2]) for each in _WORDS.finditer(svg) if not has_all(each[2])]:
        about = dict(_ATTRIBUTE.findall(written))
        found.append({
            "text": unescape(text), "fonts": about["font-family"].split(","), "fill": about["fill"],
            "size": scale * float(about["font-size"]), "x": scale * (across + float(about["x"])),
            "y": scale * (down + float(about["y"])), "weight": about.get("font-weight", "regular"),
            "style": about.get("font-style", "normal"),
        })  # fmt: skip
        svg = svg.replace(whole, "", 1)
    return svg, found


@cache
def _fonts(alone: bool) -> Any:
    """Our font. alone: without those of the system."""
    import typst

    return typst.Fonts(include_system_fonts=not alone, include_embedded_fonts=False, font_paths=[FONTS])
