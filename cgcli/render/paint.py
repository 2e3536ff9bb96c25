"""An SVG as a PNG or a PDF, with the font that comes with cg: the same pictures everywhere.

resvg and svg2pdf draw them. Fonts of the system are asked for nothing but signs that this font lacks.
"""

from __future__ import annotations

import re
import struct
import zlib
from functools import cache

from cgcli.errors import CgError, MissingProgramError
from cgcli.render.metrics import FACES, FAMILY, is_drawn

_OURS = "Arimo"
_HEADER = 33  # bytes of a PNG, after which its first chunk ends
_IN_POINTS = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')  # which svg2pdf takes for a 96th of an inch
_OBJECT = re.compile(rb"^(\d+) 0 obj\n(.*?)\nendobj$", re.DOTALL | re.MULTILINE)
_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
_FONT_NAME = re.compile(rb"\s+/fo\d+ \d+ 0 R")
_FONT_NAMES = re.compile(rb"(?:\s+/fo\d+ \d+ 0 R)+")
_STREAM = b"\nstream\n"
_NOWHERE = "\U0010fffe"  # no character: a font draws its empty box
_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><text x="4" y="24">{}</text></svg>'
_NO_PDF = "write .svg or .png; or have Graphviz make it: cg render EXPR -o - | dot -Tpdf"


def as_png(svg: str, dpi: int, background: str | None) -> bytes:
    """The picture in dots, which says how many of them make an inch, for a page to show it by.

    background: the colour behind it; None for a transparent one.
    """
    png = _drawn(svg.replace(FAMILY, _OURS), _has_all(svg), dpi, background)
    per_metre = round(dpi / 0.0254)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    return png[:_HEADER] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[_HEADER:]


def as_pdf(svg: str) -> bytes:
    """The picture as a PDF, its fonts embedded, its text selectable; with a font that no PDF takes, as shapes.

    Raises CgError for an SVG that svg2pdf cannot draw, and MissingProgramError where there is no svg2pdf: it is not
    built for every machine.
    """
    try:
        from svg2pdf_py import ConversionOptions, FontDatabase, svg_to_pdf
    except ImportError as error:
        raise MissingProgramError("a PDF needs the package svg2pdf-py, which was not found", hint=_NO_PDF) from error
    fonts = FontDatabase()
    for path in FACES.values():
        fonts.load_font_file(path)
    if not _has_all(svg):
        fonts.load_system_fonts()
    sized = _IN_POINTS.sub(r'width="\1" height="\2"', svg.replace(FAMILY, _OURS), count=1)
    try:
        return _in_order(svg_to_pdf(sized, fonts))
    except RuntimeError:  # fonts of coloured emoji cannot be embedded
        pass
    try:
        return _in_order(svg_to_pdf(sized, fonts, ConversionOptions(embed_text=False)))
    except RuntimeError as error:
        raise CgError(f"no PDF could be made of the picture: {error}", hint="write .svg or .png") from error


def _in_order(pdf: bytes) -> bytes:
    """The same PDF with its objects in the order in which they are reached: svg2pdf writes fonts in any.

    Of ISO 32000-1, 7.5: a line that names the format, objects, the table of where they begin, the trailer.
    """
    objects = {name: _FONT_NAMES.sub(lambda found: b"".join(sorted(_FONT_NAME.findall(found[0]))), body)
               for name, body in _OBJECT.findall(pdf)}  # fmt: skip
    trailer = pdf[pdf.rindex(b"trailer") : pdf.rindex(b"startxref")]
    numbers: dict[bytes, bytes] = {}
    stack = _REFERENCE.findall(trailer)
    while stack:
        name = stack.pop()
        if name not in numbers:
            numbers[name] = b"%d" % (len(numbers) + 1)
            stack.extend(_REFERENCE.findall(objects[name].partition(_STREAM)[0]))

    def renumbered(text: bytes) -> bytes:
        return _REFERENCE.sub(lambda found: numbers[found[1]] + b" 0 R", text)

    written, table = pdf[: pdf.index(b"\n\n") + 2], b"0000000000 65535 f\r\n"
    for name, number in numbers.items():
        head, stream, content = objects[name].partition(_STREAM)
        table += b"%010d 00000 n\r\n" % len(written)
        written += number + b" 0 obj\n" + renumbered(head) + stream + content + b"\nendobj\n\n"
    place = b"startxref\n%d\n%%%%EOF" % len(written)
    return written + b"xref\n0 %d\n" % (len(numbers) + 1) + table + renumbered(trailer) + place


def without_font(text: str) -> str:
    """The signs of a text that no font has, in the order in which they come."""
    return "".join(sign for sign in dict.fromkeys(text) if not is_drawn(sign) and _probe(sign) == _probe(_NOWHERE))


def _has_all(svg: str) -> bool:
    return all(map(is_drawn, set(svg)))


@cache
def _probe(sign: str) -> bytes:
    """What is drawn for a sign alone."""
    return _drawn(_PROBE.format(sign), False, 72, None)


def _drawn(svg: str, alone: bool, dpi: int, background: str | None) -> bytes:
    """The PNG of an SVG. alone: without fonts of the system."""
    from resvg_py import svg_to_bytes

    return svg_to_bytes(
        svg_string=svg, dpi=dpi, background=background, skip_system_fonts=alone,
        font_files=list(map(str, FACES.values())), font_family=_OURS,
    )  # fmt: skip
