"""An SVG as a PNG or a PDF, with the font that comes with cg: the same pictures everywhere.

Typst draws them. Fonts of the system are asked for nothing but signs that this font lacks.
"""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.errors import CgError, MissingProgramError
from cgcli.lean import cache
from cgcli.render.metrics import FAMILY, FONTS, has_all, is_drawn

_OURS = "Arimo"
_DOCUMENT = b"""\
#set document(title: sys.inputs.title, date: none)
#set page(width: auto, height: auto, margin: 0pt, fill: none)
#image(bytes(sys.inputs.svg), format: "svg", width: eval(sys.inputs.width))
"""
_POINTS = 72  # an inch
_NOWHERE = "\U0010fffe"  # no character: a font draws its empty box
_PROBE = (
    '<svg width="32pt" height="32pt" xmlns="http://www.w3.org/2000/svg">'
    '<text x="4" y="24" font-family="Arimo">{}</text></svg>'
)
_NO_TYPST = "write .svg; or have Graphviz make it: cg render EXPR -o - | dot -Tpdf"


def as_png(svg: str, dpi: int) -> bytes:
    """The picture in dots."""
    return _drawn(svg, "png", ppi=float(dpi))


def as_pdf(svg: str) -> bytes:
    """The picture as a PDF, its fonts embedded, its text selectable.

    Raises CgError for an SVG that Typst cannot draw, and MissingProgramError where there is no Typst.
    """
    return _drawn(svg, "pdf", pdf_tags=False)


def without_font(text: str) -> str:
    """The signs of a text that no font has, in the order in which they come."""
    return "".join(sign for sign in dict.fromkeys(text) if not is_drawn(sign) and _probe(sign) == _probe(_NOWHERE))


@cache
def _probe(sign: str) -> bytes:
    """What is drawn for a sign alone."""
    return as_png(_PROBE.format(sign), _POINTS)


def _drawn(svg: str, kind: Any, **options: Any) -> bytes:
    """The picture in a format of Typst's. options: as its `compile` takes them."""
    try:
        import typst
    except ImportError as error:
        raise MissingProgramError("the picture needs the package typst, which was not found", hint=_NO_TYPST) from error
    from html import unescape

    inputs = {
        "svg": svg.replace(FAMILY, _OURS),
        "width": svg.partition('width="')[2].partition('"')[0],
        "title": unescape(svg.partition("<title>")[2].partition("</title>")[0]),
    }
    compiler = typst.Compiler(_DOCUMENT, font_paths=_fonts(has_all(svg)), sys_inputs=inputs)
    try:
        made = compiler.compile(format=kind, **options)
    except typst.TypstError as error:
        raise CgError(f"the picture could not be drawn: {error}", hint="write .svg") from error
    assert isinstance(made, bytes)  # of one page
    return made


@cache
def _fonts(alone: bool) -> Any:
    """Our font. alone: without those of the system."""
    import typst

    return typst.Fonts(include_system_fonts=not alone, include_embedded_fonts=False, font_paths=[FONTS])
