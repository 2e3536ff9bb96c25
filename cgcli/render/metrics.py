"""How wide a text is in Helvetica: layout programs take every sign beyond ASCII for something else.

The widths are those of Arimo, which has Helvetica's and which the bundled program draws with, rounded up.
"""

from __future__ import annotations

import unicodedata

# The advance in thousandths of the font's size: the signs that have it. An accented letter has its letter's.
_GROUPS = {
    200: "'′ⁱₗ∕ᵢ",
    230: "ijlłſιϳіј‘’‚‛⁽⁾₍₎",
    280: " !,./:;I[\\]ft|¦ıŧ·ΙІ․ₜ∙∫ᵣ",
    335: "()-`r{}¡¨\xad²³´·¸¹ŀ΄‐‑“”„‟⁰⁴⁵⁶⁷⁸⁹⁺⁻⁼₀₁₂₃₄₅₆₇₈₉₊₋₌ₓℓᵥ",
    360: '"•‣″ₖₛ',
    400: "*ª°ºτгⁿₐₑₒₔₕₙₚᵤ",
    460: "ĳεζξϝϯϵ϶зкт‖ᵀ",
    510: "J^cksvxyzĸγκλνςϛϧϮϲЈсухэєѕ↑↓↕∂",
    560: "#$0123456789?L_abdeghnopqu¢£¤¥§«¯±¶»ð÷þđħĿŁŋΓδηθουχϑϕϙϟϥϭϸГавеинопрчьяђћџ‒–‗†‡‥ℏℑ√≈≤≥",
    590: "+<=>~¬µ×αβμρϐϡϱϼКбдлцₘ−≡",
    615: "FTZ¿ßøŉŦΖΤϗϜϪϫϰЗТ∆",
    670: "&ABEKPSVXYÞΑΒΔΕΚΛΞΡΣΥΧσφϏϞϨϩϷЅАБВЕЛРУХЧЬжъℤℵ",
    725: "CDHNRUwÐĐĦŊΗΝΠπψϚϤϦϹϻϽϾϿЄЏДИНПСЭЯмыℂℝ∑∞∩",
    780: "GOQ©®ØĲΘΟΩωϒϖϘϠϬϴОФЦюℍℕ",
    840: "Mm¼½¾ΜΦΨϣϺМЪфшщњ℘∏",
    920: "%æϢЂЋШЫљℜ",
    1020: "@WÆŒœЊЖЩЮ—―…™←→↔∟",
}
_WIDTHS = {sign: width for width, signs in _GROUPS.items() for sign in signs}
_BOLD = 1.1  # no bold letter is wider than its regular one by more
_FULL, _EMOJI, _OTHER = 1000, 1300, 700  # Chinese, Japanese and Korean; emoji; any other script


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at a size of the font, in the unit of the size."""
    return sum(map(_advance, text)) * size / 1000 * (_BOLD if bold else 1)


def _advance(sign: str) -> int:
    known = _WIDTHS.get(sign)
    if known is not None:
        return known
    category = unicodedata.category(sign)
    if category in ("Mn", "Me", "Cf"):  # accents and joiners
        return 0
    if unicodedata.east_asian_width(sign) in "WF":
        return _EMOJI if category == "So" else _FULL
    return _WIDTHS.get(unicodedata.normalize("NFD", sign)[0], _OTHER)


def is_drawn(sign: str) -> bool:
    """Whether the bundled program's fonts have a sign: those of Latin, Greek, Cyrillic and Hebrew, and of formulas."""
    code = ord(sign)
    letters = code < 0x530 or 0x590 <= code < 0x600 or 0x1E00 <= code < 0x2000
    return letters or sign in _WIDTHS or (_advance(sign) == 0 and code < 0x900)
