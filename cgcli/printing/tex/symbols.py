"""Names and numbers as LaTeX, which pdflatex with amsmath and KaTeX both take."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

from cgcli.printing.values import number

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "varpi": "ϖ", "rho": "ρ", "varrho": "ϱ", "sigma": "σ", "varsigma": "ς", "tau": "τ",
    "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
_CHARACTERS = {letter: rf"\{word} " for word, letter in _GREEK.items()} | {
    " ": r"\ ", "\\": r"\backslash ", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{",
    "}": r"\}", "^": r"\wedge ", "~": r"\sim ", "-": r"\text{-}", "'": r"\prime ", '"': r"\prime \prime ",
    "′": r"\prime ", "∂": r"\partial ", "∇": r"\nabla ", "ℓ": r"\ell ", "∞": r"\infty ", "µ": r"\mu ", "⁄": "/",
    "·": r"{\cdot}", "×": r"{\times}", **{sign: f"{{{sign}}}" for sign in "+*=<>:|"},
}  # fmt: skip
_ACCENTS = {
    "hat": "\u0302", "bar": "\u0304", "dot": "\u0307", "ddot": "\u0308", "tilde": "\u0303", "vec": "\u20d7",
    "acute": "\u0301", "grave": "\u0300", "breve": "\u0306", "check": "\u030c", "mathring": "\u030a",
}  # fmt: skip
_SUFFIXES = ("hat", "bar", "dot", "ddot", "tilde", "vec")  # x_hat is read as x with a hat
_MARKS = {mark: accent for accent, mark in _ACCENTS.items()}
_NAMES_OF_CONSTANTS = {"e": "e", "pi": "pi", "π": "pi"}  # a variable of such a name is told apart: upright

_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-", strict=True))
_HEAD = re.compile(r"(?P<letters>.*?[^0-9₀-₉'′])(?P<primes>['′]*)(?P<digits>[0-9]*[₀-₉]*)", re.DOTALL)
_PRINTABLE = re.compile(r"[A-Za-z0-9.,;!?()\[\]/@]")

# What a number may be a simple multiple of, or a simple multiple of its inverse.
_FACTORS = (
    (1.0, ""), (math.pi, r"\pi"), (math.e, "e"), (math.sqrt(math.pi), r"\sqrt{\pi}"), (math.sqrt(2.0), r"\sqrt{2}"),
    (math.sqrt(math.tau), r"\sqrt{2 \pi}"), (math.log(2.0), r"\ln(2)"), (math.log(10.0), r"\ln(10)"),
)  # fmt: skip
_NOT_FINITE = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}
_LARGEST = 360  # numerator and denominator of what is taken for a fraction
_DYADIC = (2, 4, 8)  # denominators that are told from a decimal by nothing but taste ...
_DIGIT = 9  # ... so only with a numerator up to this


# ---- names ----------------------------------------------------------------------------


def name_with(name: str, index: Sequence[str] = (), accent: str = "") -> str:
    """A name as LaTeX, with index items after its own subscripts, and an accent (`\\bar`) on what these stand at."""
    nucleus, subscripts = split_name(name)
    if accent:
        nucleus = f"{accent}{{{nucleus}}}"
    marks = ",".join([*subscripts, *index])
    return f"{nucleus}_{{{marks}}}" if marks else nucleus


@lru_cache(maxsize=4096)
def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """The nucleus of a name as LaTeX, and its subscripts: digits at its end, and what follows '_'."""
    if name in _NAMES_OF_CONSTANTS:
        return rf"\mathrm{{{_NAMES_OF_CONSTANTS[name]}}}", ()
    head, *rest = name.split("_")
    if not all((head, *rest)):
        return word(name), ()
    nucleus, digits = _head(head)
    if nucleus.startswith(r"\mathrm"):  # learning_rate is one name
        while rest and not digits and len(rest[0]) > 1 and not rest[0][-1].isdecimal():
            head = f"{head}_{rest.pop(0)}"
            nucleus = word(head)
    elif rest and rest[0] in _SUFFIXES:
        nucleus = rf"\{rest.pop(0)}{{{nucleus}}}"
    if rest and rest[0] == "prime":
        nucleus = f"{{{nucleus}'}}"
        del rest[0]
    marks = [digits] * bool(digits)
    for part in rest:
        letters, below = _head(part)
        marks.append(f"{letters}_{{{below}}}" if below else letters)
    return nucleus, tuple(marks)


def _head(text: str) -> tuple[str, str]:
    """A part of a name without the digits at its end, and those digits."""
    found = _HEAD.fullmatch(text)
    if found is None:
        return _letters(text), ""
    nucleus = _letters(found["letters"])
    if found["primes"]:
        nucleus = f"{{{nucleus}{chr(39) * len(found['primes'])}}}"
    return nucleus, found["digits"].translate(_LOWERED)


def _letters(text: str) -> str:
    """One letter in italics, a number, or a word upright."""
    if text in _GREEK:
        return rf"\{text}"
    symbols = [*_symbols(text)]
    if (len(symbols) == 1 and not symbols[0].startswith(("U{", "{}"))) or (text.isascii() and text.isdigit()):
        return _trimmed("".join(symbols))
    if len(symbols) == 2 and text[0] in "Δδ∂d":  # a difference or a differential: one quantity
        return f"{{{''.join(symbols)}}}"
    return word(text)


def word(text: str) -> str:
    """Any text as one upright word."""
    return rf"\mathrm{{{_trimmed(''.join(_symbols(text)))}}}"


def _symbols(text: str) -> Iterator[str]:
    """Each character with its accents; one that neither program knows, by its number in Unicode."""
    symbol = ""
    for character in _decomposed(text):
        if character in _MARKS and symbol:
            symbol = rf"\{_MARKS[character]}{{{_trimmed(symbol)}}}"
            continue
        if symbol:
            yield symbol
        symbol = _symbol(character)
    if symbol:
        yield symbol


def _trimmed(text: str) -> str:
    """A text without the blank that ends its last command, which a bracket ends as well."""
    return text[:-1] if text.endswith(" ") and not text.endswith("\\ ") else text


def _decomposed(text: str) -> Iterator[str]:
    for character in text:
        known = character in _RAISED or character in _CHARACTERS
        yield from character if known else unicodedata.normalize("NFKD", character)


def _symbol(character: str) -> str:
    if character in _RAISED:
        return f"{{}}^{{{_RAISED[character]}}}"
    if character in _CHARACTERS:
        return _CHARACTERS[character]
    if _PRINTABLE.fullmatch(character):
        return character
    return r"\ " if character.isspace() else f"U{{+}}{ord(character):04X}"


# ---- numbers --------------------------------------------------------------------------


def decimal(value: float) -> str:
    """A number in decimals: `-2.5`, `1.5 \\cdot 10^{-5}`, `\\infty`."""
    return digits(number(value))


def digits(text: str) -> str:
    """A number as cg prints it, `1.23457e+08`, as LaTeX."""
    if text in _NOT_FINITE:
        return _NOT_FINITE[text]
    mantissa, _, power = text.partition("e")
    exponent = int(power or 0)
    if "." not in text and text.endswith("000000"):
        leading = mantissa.strip("-0")
        exponent = len(mantissa.lstrip("-")) - 1
        mantissa = "-" * text.startswith("-") + leading[0] + "." * (len(leading) > 1) + leading[1:]
    if not exponent:
        return mantissa
    scale = f"10^{{{exponent}}}"
    return {"1": scale, "-1": f"-{scale}"}.get(mantissa, rf"{mantissa} \cdot {scale}")


@lru_cache(maxsize=4096)
def as_fraction(value: float) -> tuple[str, str] | None:
    """The numerator and denominator of a positive number that is plainly meant as an exact one, else None.

    Only a number that is the very float64 of that fraction: `1/3`, `\\pi/2`, `2/\\sqrt{\\pi}`. The denominator
    may be '1'.
    """
    if not 0 < value < math.inf or value.is_integer():
        return None
    if any((value * below).is_integer() and value * below <= _DIGIT for below in _DYADIC):
        return _ratio(Fraction(value), "", "")
    if len(repr(value)) <= 12:
        return None
    for factor, symbol in _FACTORS:
        ratio = Fraction(value / factor).limit_denominator(_LARGEST)
        if 0 < ratio.numerator <= _LARGEST and value in _products(ratio, factor):
            return _ratio(ratio, symbol, "")
        ratio = Fraction(value * factor).limit_denominator(_LARGEST)
        if 0 < ratio.numerator <= _LARGEST and value == ratio.numerator / (ratio.denominator * factor):
            return _ratio(ratio, "", symbol)
    return None


def _products(ratio: Fraction, factor: float) -> tuple[float, float]:
    above, below = ratio.numerator, ratio.denominator
    return above * factor / below, above / below * factor


def _ratio(ratio: Fraction, above: str, below: str) -> tuple[str, str]:
    return _times(ratio.numerator, above), _times(ratio.denominator, below)


def _times(count: int, symbol: str) -> str:
    return str(count) if not symbol else symbol if count == 1 else f"{count} {symbol}"
