r"""A picture as TikZ, for LaTeX: the layout of its SVG, and texts in the font of the document around it.

It asks for nothing but `\usepackage{tikz}`. Signs that pdflatex has no font for are left to LuaLaTeX and XeLaTeX.
"""

from __future__ import annotations

import re

from cgcli.annotations import Iterator, Mapping
from cgcli.lean import cache
from cgcli.printing.spelling import symbols
from cgcli.rendering.metrics import width
from cgcli.rendering.pen import OVERLINE
from cgcli.rendering.svg import texts_of

_BASE = 10  # points: the size of text that nodes scale
_RIGHT = ("value", "adjoint", "tangent")  # classes of numbers, which stand below each other
_ELEMENT = re.compile(r"<(rect|polygon|polyline|path|ellipse|text) ([^>]*?)/?>(?:([^<]*)</text>)?")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_MARKS = "[\u0300-\u036f\u20d7]"  # accents, which stand behind their letters
_PLAIN = re.compile(
    rf"(?:[^{OVERLINE}]{OVERLINE})+|(?:[A-Za-z0-9 .,;:!?()\[\]/*=+@'](?!{_MARKS}))+|.{_MARKS}*", re.DOTALL
)
_LETTERS = str.maketrans({sign: f"{{{sign}}}" for sign in "[]!?"})  # no options, no ligatures
_ESCAPED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": "$<$", ">": "$>$", "|": "$|$", '"': r"\char34{}",
    "`": "`{}", **{sign: sign for sign in "ßæøåœłÆØÅŒŁ–—‘’“”"},
    "\xa0": "~", "�": "?",
}  # fmt: skip
_SIGNS = {
    "÷": r"\div", "√": r"\surd", "≠": r"\neq", "≤": r"\leq", "≥": r"\geq", "≈": r"\approx", "…": r"\ldots",
    "ᵀ": "^{T}", "−": "-", "×": r"\times", "·": r"\cdot", "∂": r"\partial", "∞": r"\infty", "→": r"\to",
}  # fmt: skip
# A font wider than that of the layout is made narrower.
_FIT = r"\providecommand\cgfit[2]{\sbox0{#2}\ifdim\wd0>#1\resizebox{#1}{\height}{\usebox0}\else\usebox0\fi}"
_HEAD = "% with \\usepackage{tikz}; for signs of other scripts, by LuaLaTeX or XeLaTeX\n"
_PAGE = r"""\documentclass{article}
\usepackage{tikz}
\begin{document}
\setbox0=\hbox{%%
%s}
\pdfhorigin=0pt \pdfvorigin=0pt \pdfpagewidth=\wd0 \pdfpageheight=\dimexpr\ht0+\dp0\relax
\shipout\box0
\end{document}
"""


def as_tikz(svg: str, *, standalone: bool) -> str:
    """The picture as a `tikzpicture`. standalone: as a document of one page, for pdflatex."""
    attributes = dict(_ATTRIBUTE.findall(svg.partition("<svg ")[2].partition(">")[0]))
    *_, wide, high = map(float, attributes["viewBox"].split())
    scale = float(attributes["width"].removesuffix("pt")) / wide
    across, down = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", svg).groups()  # type: ignore[union-attr]
    colours: dict[str, str] = {}
    body = list(_drawn(svg, scale, colours))
    lines = [rf"\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}" for colour, name in colours.items()]
    canvas = body.pop(0) if "background" in svg else rf"\path (0,0) rectangle ({wide:g},{high:g});"
    lines += [
        _FIT, canvas.replace("(100%,100%)", f"({wide:g},{high:g})"),
        rf"\begin{{scope}}[shift={{({across},{down})}}]", *body, r"\end{scope}",
    ]  # fmt: skip
    unit = f"{scale:.5g}bp"
    options = rf"x={unit}, y=-{unit}, inner sep=0pt, outer sep=0pt, font=\fontsize{{{_BASE}}}{{{_BASE}}}\selectfont"
    text = "\n".join([rf"\begin{{tikzpicture}}[{options}]", *lines, r"\end{tikzpicture}%", ""])
    return _PAGE % text if standalone else _HEAD + text


def _drawn(svg: str, scale: float, colours: dict[str, str]) -> Iterator[str]:
    """Each element of an SVG as a command of TikZ. colours: their names, to which new ones are added."""
    for kind, written, text in _ELEMENT.findall(svg):
        about = dict(_ATTRIBUTE.findall(written))
        if kind == "text":
            yield _node(about, texts_of(f"<text>{text}</text>")[0], scale, colours)
            continue
        style = _style(about, scale, colours)
        if style:
            yield rf"\path[{', '.join(style)}] {_way(kind, about)};"


def _style(about: Mapping[str, str], scale: float, colours: dict[str, str]) -> list[str]:
    """How a form is filled and drawn; nothing where it is not."""
    style = [f"fill={colour}"] if (colour := _colour(about.get("fill", "black"), colours)) else []
    if colour := _colour(about.get("stroke", "none"), colours):
        style += [f"draw={colour}", f"line width={scale * float(about.get('stroke-width', 1)):.3g}bp"]
        if "stroke-dasharray" in about:
            on, off = about["stroke-dasharray"].split(",")
            style.append(f"dash pattern=on {scale * float(on):.3g}bp off {scale * float(off):.3g}bp")
    return style


def _colour(colour: str, colours: dict[str, str]) -> str:
    """What a colour is called; '' for none."""
    if colour in ("none", "transparent"):
        return ""
    return colours.setdefault(colour, f"cg{len(colours)}") if colour.startswith("#") else colour


def _way(kind: str, about: Mapping[str, str]) -> str:
    """The outline of a form."""
    if kind == "rect":
        return f"(0,0) rectangle ({about['width']},{about['height']})"
    if kind == "ellipse":
        radii = f"x radius={about['rx']}, y radius={about['ry']}"
        return f"({about['cx']},{about['cy']}) ellipse [{radii}]"
    if kind == "path":
        start, *curves = [f"({point})" for point in re.findall(r"[-\d.]+,[-\d.]+", about["d"])]
        parts = zip(*(curves[at::3] for at in range(3)), strict=True)
        return start + "".join(f" .. controls {one} and {other} .. {end}" for one, other, end in parts)
    return " -- ".join(f"({point})" for point in about["points"].split()) + " -- cycle" * (kind == "polygon")


def _node(about: Mapping[str, str], text: str, scale: float, colours: dict[str, str]) -> str:
    """A text where that of the SVG stands: about its middle, or a number at its right end."""
    size, bold, italic = float(about["font-size"]), "font-weight" in about, "font-style" in about
    blank, text = text[: len(text) - len(text.lstrip())], text.strip()
    wide, skipped = (width(part, size, bold=bold, italic=italic) for part in (text, blank))
    is_number = about.get("class") in _RIGHT and size > _BASE - 2
    left = float(about["x"]) + skipped - (wide / 2 if about["text-anchor"] == "middle" else 0)
    x = left + (wide if is_number else wide / 2)
    colour = _colour(about.get("fill", "black"), colours)
    style = [f"anchor=base{' east' * is_number}", f"scale={scale * size / _BASE:.4g}", f"text={colour}"]
    if "stroke" in about:  # a halo
        style.append(f"fill={_colour(about['stroke'], colours)}")
    words = r"\itshape " * italic + as_text(text)
    words = rf"{{\bfseries\boldmath {words}}}" if bold else words  # in braces of its own, where \boldmath ends
    if len(text) > 1 or not text.isascii():
        words = rf"\cgfit{{{wide * _BASE / size:.4g}bp}}{{{words}}}"
    return rf"\node[{', '.join(style)}] at ({x:.5g},{about['y']}) {{{words}}};"


@cache
def as_text(text: str) -> str:
    """Any text in LaTeX, so that it shows as it is."""
    return "".join(map(_piece, _PLAIN.findall(text.strip())))


def _piece(piece: str) -> str:
    if OVERLINE in piece:
        return rf"$\overline{{\mbox{{{as_text(piece.replace(OVERLINE, ''))}}}}}$"
    if piece == "-":
        return "$-$"
    if piece in _ESCAPED or piece in _SIGNS:
        return _ESCAPED.get(piece) or f"${_SIGNS[piece]}$"
    if piece.isascii():
        return piece.translate(_LETTERS)
    (symbol, *more) = symbols(piece)
    if symbol.startswith((r"\text{", "U{")):  # pdflatex does not know it
        code = rf"\texttt{{U+{ord(piece):04X}}}"
        return rf"\ifdefined\directlua {piece}\else\ifdefined\XeTeXversion {piece}\else {code}\fi\fi{{}}"
    return rf"$\mathrm{{{''.join((symbol, *more))}}}$"
