"""How wide a text is: read from Arimo, the font that pictures are drawn with, whose widths are Helvetica's.

Layout programs take signs beyond ASCII for something else, so their boxes are made here.
"""

from __future__ import annotations

import os

from cgcli.annotations import Sequence
from cgcli.errors import CgError
from cgcli.lean import bisect_left, cache, lru_cache, struct
from cgcli.records import NamedTuple

FAMILY = "Helvetica,Arial,Arimo,Liberation Sans,sans-serif"  # of the same widths; in an SVG the viewer chooses
FONTS = os.path.join(os.path.dirname(__file__), "fonts")
FACES = {(bold, italic): os.path.join(FONTS, f"Arimo-{'Bold' * bold}{'Italic' * italic or 'Regular' * (not bold)}.ttf")
         for bold in (False, True) for italic in (False, True)}  # fmt: skip
_FULL, _EMOJI, _OTHER = 1.0, 1.3, 0.7  # Chinese, Japanese and Korean; emoji; any other script: of the font's size
_NARROW = {"ARABIC": 0.5}  # whose letters, when joined, are less wide than alone
_SHAPELESS = ("Mn", "Me", "Cf")  # accents and joiners


def width(text: str, size: float, *, bold: bool = False, italic: bool = False) -> float:
    """How wide a text is at a size of the font, in the unit of the size."""
    font = _font(FACES[bold, italic])
    return sum(font.advance(glyph) if (glyph := font.glyph(sign)) else _elsewhere(sign) for sign in text) * size


def is_drawn(sign: str) -> bool:
    """Whether the font has a sign, or the sign has no shape of its own: spaces, joiners, accents of another script."""
    import unicodedata

    drawn = _font(FACES[False, False]).glyph(sign) or sign.isspace()
    return bool(drawn) or unicodedata.category(sign) in _SHAPELESS


def has_all(text: str) -> bool:
    """Whether the font has all signs of a text, line ends apart."""
    return text.isascii() or all(_has(sign) for sign in set(text))


@lru_cache(1024)
def _has(sign: str) -> bool:
    return sign == "\n" or bool(_font(FACES[False, False]).glyph(sign))


def _elsewhere(sign: str) -> float:
    """The width of a sign of another font, at a size of 1: rather too much."""
    import unicodedata

    category = unicodedata.category(sign)
    if category in _SHAPELESS:
        return 0
    if unicodedata.east_asian_width(sign) in "WF":
        return _EMOJI if category == "So" else _FULL
    return _NARROW.get(unicodedata.name(sign, "").partition(" ")[0], _OTHER)


class _Font(NamedTuple):
    """What a TrueType file says of widths, as the OpenType specification has it.

    data: of the file. firsts: where the first signs of the segments of its character map in format 4 begin; what is
    to be added to them and the offsets of their glyphs follow. lasts: the last signs. widths: where the glyphs' begin.
    measured: how many there are; glyphs beyond have the last one. units: in which they are, to the font's size.
    """

    data: bytes
    firsts: int
    lasts: Sequence[int]
    widths: int
    measured: int
    units: int

    def glyph(self, sign: str) -> int:
        """The number of a sign's glyph; 0 where there is none."""
        code = ord(sign)
        segment = bisect_left(self.lasts, code)
        if segment == len(self.lasts):
            return 0
        first, delta, place = range(self.firsts + 2 * segment, len(self.data), 2 * len(self.lasts))[:3]
        (begin,), (added,), (offset,) = (_numbers(self.data, at) for at in (first, delta, place))
        if code < begin:
            return 0
        glyph = _numbers(self.data, place + offset + 2 * (code - begin))[0] if offset else code
        return (glyph + added) % 0x10000 if glyph else 0

    def advance(self, glyph: int) -> float:
        """How wide a glyph is at a size of 1."""
        return _numbers(self.data, self.widths + 4 * min(glyph, self.measured - 1))[0] / self.units


@cache
def _font(face: str) -> _Font:
    try:
        with open(face, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise CgError(f"the font of the pictures cannot be read: {face}", hint="install cgcli again") from error
    (tables,) = _numbers(data, 4)
    start = {data[at : at + 4]: _numbers(data, at + 8, 1, "I")[0] for at in range(12, 12 + 16 * tables, 16)}
    cmap, (measured,) = start[b"cmap"], _numbers(data, start[b"hhea"] + 34)
    maps = [cmap + _numbers(data, cmap + 8 + 8 * at, 1, "I")[0] for at in range(_numbers(data, cmap + 2)[0])]
    at = next(each for each in maps if _numbers(data, each) == (4,))
    segments = _numbers(data, at + 6)[0] // 2
    lasts, (units,) = _numbers(data, at + 14, segments), _numbers(data, start[b"head"] + 18)
    return _Font(data, at + 16 + 2 * segments, lasts, start[b"hmtx"], measured, units)


def _numbers(data: bytes, at: int, count: int = 1, kind: str = "H") -> tuple[int, ...]:
    """Whole numbers of a file in the order of bytes that fonts have. kind: H of two bytes, I of four."""
    return struct.unpack_from(f">{count}{kind}", data, at)
