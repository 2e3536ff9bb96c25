"""The names of a formula as a book sets them, in LaTeX and in Unicode: each in a form that nothing else in it has."""

from __future__ import annotations

from cgcli.annotations import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from cgcli.lean import Counter, lru_cache, re
from cgcli.records import NamedTuple

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "varpi": "ϖ", "rho": "ρ", "varrho": "ϱ", "sigma": "σ", "varsigma": "ς", "tau": "τ",
    "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
LETTERS = {**_GREEK, "hbar": "ħ", "ell": "ℓ"}  # what is one letter, though it is spelled as a word
_CHARACTERS = {letter: rf"\{word} " for word, letter in LETTERS.items()} | {
    " ": r"\ ", "\\": r"\backslash ", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{",
    "}": r"\}", "^": r"\wedge ", "~": r"\sim ", "-": r"\text{-}", "'": r"\prime ", '"': r"\prime \prime ",
    "′": r"\prime ", "∂": r"\partial ", "∇": r"\nabla ", "ℏ": r"\hbar ", "∞": r"\infty ", "µ": r"\mu ", "⁄": "/",
    "·": r"{\cdot}", "×": r"{\times}", **{sign: f"{{{sign}}}" for sign in "+*=<>:|"},
}  # fmt: skip
_ACCENTS = {
    "hat": "\u0302", "bar": "\u0304", "dot": "\u0307", "ddot": "\u0308", "tilde": "\u0303", "vec": "\u20d7",
    "acute": "\u0301", "grave": "\u0300", "breve": "\u0306", "check": "\u030c", "mathring": "\u030a",
}  # fmt: skip
_SUFFIXES = ("hat", "bar", "dot", "ddot", "tilde", "vec")  # x_hat is read as x with a hat
_MARKS = {mark: accent for accent, mark in _ACCENTS.items()}
_NAMES_OF_CONSTANTS = {"e": "e", "pi": "pi", "π": "pi"}  # a variable of such a name is told apart: upright
_OWN_SIGNS = (r"\pi", "e", r"\infty", r"\mathrm{NaN}")  # how the language's constants are written
_INFINITE = ("inf", "infty", "infinity", "∞")  # as a subscript
_DIFFERENCES = ("Delta", "delta", "Δ", "δ", "∂", "d")  # with a letter behind, one quantity: dx, ΔP
_NO_DIFFERENCE = "dpi"  # dots per inch

_SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
_LOWERED = dict(zip(_SUBSCRIPTS, "0123456789", strict=True))
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-", strict=True))
_TO_DIGITS, _TO_SUBSCRIPTS = str.maketrans(_LOWERED), str.maketrans("0123456789", _SUBSCRIPTS)
_DIGITS, _PRIMES = "0123456789", "'′"
_PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + _DIGITS + ".,;!?()[]/@")
_SCRIPTS = (  # that KaTeX draws as text: Latin, Cyrillic, Armenian, Indic, Georgian; Chinese, Japanese, Korean
    range(0xDF, 0xF7), range(0xF8, 0x250), range(0x400, 0x500), range(0x530, 0x590), range(0x900, 0x1100),
    range(0x3000, 0x3100), range(0x4E00, 0x9FB0), range(0xAC00, 0xD7B0), range(0xFF00, 0xFF61),
)  # fmt: skip
_TOKEN = r"(?s)\\[A-Za-z]+|\\.|."
_FONTS = {r"\mathrm": "upright ", r"\operatorname": "upright ", r"\mathtt": "code ", r"\text": "text "}
INDEX_LETTERS = "ijklmnpq"  # of what runs over the elements of arrays
_SIGNS = frozenset(" +*/=<>()[]:;,.!?|@·×")  # a name with one of them is no letter with subscripts
_JOINING = {*_SIGNS, *"0123456789", r"\cdot", r"\times", "text -"}  # what is no letter


class Written(NamedTuple):
    """A name in LaTeX: what its subscripts and accents stand at, and the subscripts."""

    nucleus: str
    marks: tuple[str, ...] = ()

    def accented(self, accent: str) -> Written:
        """With an accent (`\\bar`) on the nucleus."""
        return self._replace(nucleus=f"{accent}{{{self.nucleus}}}") if accent else self

    def text(self, index: Sequence[str] = ()) -> str:
        """The whole, with index items after its own subscripts."""
        marks = ",".join([*self.marks, *index])
        return f"{self.nucleus}_{{{marks}}}" if marks else self.nucleus


class Spelling:
    """How each name of a formula is written in LaTeX. letters: those for indices, which no name has.

    As a book does it, unless that could be taken for another name of the formula, an element of an array, a
    product of other names, or a sign of something else; then upright, letter by letter, and if that is no better,
    in the letters of a typewriter.
    names: all names of the formula. arrays: those that may carry an index. taken: LaTeX that means something else in
    it. accents: what may stand on any of the names.
    """

    def __init__(
        self,
        names: Iterable[str],
        arrays: Collection[str] = (),
        taken: Iterable[str] = (),
        accents: Collection[str] = (),
    ) -> None:
        names = list(dict.fromkeys(names))
        taken = [*taken]
        self._taken = {_look(text) for text in (*_OWN_SIGNS, *taken)}
        self._arrays, self._accents = arrays, accents
        self._written: dict[str, Written] = {}
        levels = dict.fromkeys(names, 0)
        unclear = names
        while unclear:
            self._written |= {name: _FORMS[levels[name]](name) for name in unclear}
            unclear = [name for name in self._mistakable() if levels[name] + 1 < len(_FORMS)]
            for name in unclear:
                levels[name] += 1
        texts = {*taken, *(written.text() for written in self._written.values())}
        self.letters = [letter for letter in INDEX_LETTERS if letter not in texts] or ["i"]

    def text(self, name: str, index: Sequence[str] = (), accent: str = "") -> str:
        """A name, with index items after its own subscripts, and an accent on what these stand at."""
        return (self._written.get(name) or typeset(name)).accented(accent).text(index)

    def _mistakable(self) -> Iterator[str]:
        """The names that may be taken for something else."""
        looks = {name: _look(written.text()) for name, written in self._written.items()}
        accented = {name: [*map(written.accented, self._accents)] for name, written in self._written.items()}
        known = Counter([*looks.values(), *self._taken])
        known.update(_look(written.text()) for forms in accented.values() for written in forms)
        lengths = sorted(set(map(len, known)))
        arrays = {self._written[name] for name in self._arrays} | {_IDENTITY}
        for name, look in looks.items():
            forms = [self._written[name], *accented[name]]
            if known[look] > 1 or any(_is_element(form, arrays) for form in forms) or _is_product(look, known, lengths):
                yield name


_IDENTITY = Written("I")  # of a size, as an element of an array


def _is_element(written: Written, arrays: Collection[Written]) -> bool:
    """Whether a name looks like an element of an array."""
    for count in range(len(written.marks)):
        is_index = all(mark.isdecimal() or mark in INDEX_LETTERS for mark in written.marks[count:])
        if is_index and Written(written.nucleus, written.marks[:count]) in arrays:
            return True
    return False


def _is_product(look: tuple[str, ...], known: Mapping[tuple[str, ...], int], lengths: Sequence[int]) -> bool:
    """Whether what a name looks like is made of other names, numbers, and signs between them."""
    if look[1:2] == ("_",):  # one letter with subscripts
        return False
    reached = {0}
    for start in range(len(look)):
        if start not in reached:
            continue
        if look[start] in _JOINING:
            reached.add(start + 1)
        if start and look[start] == "^":
            reached.add(look.index("}", start) + 1)
        for length in lengths:
            end = start + length
            is_within_word = start > 0 and _is_upright(look[start - 1]) and _is_upright(look[start])
            if length < len(look) and not is_within_word and look[start:end] in known and end <= len(look):
                reached.add(end)
    return len(look) in reached


def _is_upright(symbol: str) -> bool:
    return symbol.startswith(("upright ", "code "))


@lru_cache(maxsize=4096)
def _look(text: str) -> tuple[str, ...]:
    """What a reader sees of a name, symbol by symbol: letters in their fonts, without braces that only group."""
    symbols: list[str] = []
    groups: list[tuple[str, bool]] = [("", False)]  # the font, and whether the braces say more than that
    font = ""
    for token in re.findall(_TOKEN, text):
        if token in _FONTS:
            font = _FONTS[token]
        elif token == "{":
            is_needed = bool(symbols) and not font and (symbols[-1] in "_^" or symbols[-1][1:] in _ACCENTS)
            groups.append((font or groups[-1][0], is_needed))
            symbols += ["{"] * is_needed
            font = ""
        elif token == "}":
            symbols += ["}"] * groups.pop()[1]
        elif token in ("\\ ", r"\,"):
            symbols.append(" ")
        elif not token.isspace():
            around = groups[-1][0]
            symbols.append(f"{around}{token}" if around != "upright " or token.isalpha() else token)
    return tuple(symbols)


# ---- the forms of a name, the most beautiful first ------------------------------------


@lru_cache(maxsize=4096)
def typeset(name: str) -> Written:
    """As a book does: digits at its end and what follows '_' are subscripts, Greek letters may be spelled."""
    if name in _NAMES_OF_CONSTANTS:
        return Written(rf"\mathrm{{{_NAMES_OF_CONSTANTS[name]}}}")
    head, *rest = name.split("_")
    if not all((head, *rest)) or not _SIGNS.isdisjoint(name):
        return _upright(name)
    if rest and head in ("Delta", "Δ") and _is_letter(_without_digits(rest[0])[0]):
        head += rest.pop(0)
    nucleus, digits = _with_primes(head)
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
        letters, below = (r"\infty", "") if part in _INFINITE else _with_primes(part)
        if nucleus == "d" and below:  # d_x1 is the derivative by x1
            letters, below = f"{letters}_{{{below}}}", ""
        marks += [letters, *[below] * bool(below)]
    return Written(nucleus, tuple(marks))


def _upright(name: str) -> Written:
    """A name letter by letter, as one upright word."""
    return Written(word(name))


def _coded(name: str) -> Written:
    """As in a program, in the letters of a typewriter: what is not ASCII by its number in Unicode."""
    return Written(rf"\mathtt{{{_trimmed(''.join(map(_code, name)))}}}")


_FORMS: tuple[Callable[[str], Written], ...] = (typeset, _upright, _coded)


def word(text: str) -> str:
    """Any text as one upright word."""
    signs = re.sub(r"(?:\\text\{[^{}]+\}){2,}", _as_one_text, "".join(symbols(text)))
    return rf"\mathrm{{{_trimmed(signs)}}}"


def _as_one_text(texts: re.Match[str]) -> str:
    """`\text{日}\text{本}` as `\text{日本}`, for a font to join its letters."""
    return texts[0].replace(r"}\text{", "")


def _code(character: str) -> str:
    if character == " ":
        return r"\sqcup "
    if character.isascii() and character.isprintable() and character != '"':
        return _symbol(character)
    return rf"\langle {ord(character):X}\rangle "


def _without_digits(text: str) -> tuple[str, str, str]:
    """A part of a name without the primes and the digits at its end; the primes; the digits."""
    named = text.rstrip(_SUBSCRIPTS).rstrip(_DIGITS)
    letters = named.rstrip(_PRIMES)
    if not letters or letters[-1] in (*_DIGITS, *_SUBSCRIPTS):
        return text, "", ""
    return letters, named[len(letters) :], text[len(named) :]


def _with_primes(text: str) -> tuple[str, str]:
    """A part of a name in LaTeX without the digits at its end, and those digits."""
    letters, primes, digits = _without_digits(text)
    nucleus = _letters(letters)
    return f"{{{nucleus}{chr(39) * len(primes)}}}" if primes else nucleus, digits.translate(_TO_DIGITS)


def _letters(text: str) -> str:
    """One letter in italics, a number, or a word upright."""
    if text in LETTERS:
        return rf"\{text}"
    signs = [*symbols(text)]
    if (len(signs) == 1 and not signs[0].startswith(("U{", "{}"))) or (text.isascii() and text.isdigit()):
        return _trimmed("".join(signs))
    if (sign := _difference(text)) and (letter := text.removeprefix(sign)):
        parts = [LETTERS.get(part, part) for part in (sign, letter)]
        return f"{{{_trimmed(''.join(symbol for part in parts for symbol in symbols(part)))}}}"
    return word(text)


def _difference(text: str) -> str:
    """The sign of a difference or a differential at the beginning of a text that is one with its letter, or ''."""
    signs = (sign for sign in _DIFFERENCES if text.startswith(sign) and _is_letter(text.removeprefix(sign)))
    return next(signs, "") if text != _NO_DIFFERENCE else ""


def _is_letter(text: str) -> bool:
    """Whether a text is one letter of an alphabet, spelled or not, with accents or without."""
    return text in LETTERS or (text[:1].isalpha() and len([*symbols(text)]) == 1)


def symbols(text: str) -> Iterator[str]:
    """Each character in LaTeX's math mode, with its accents: one of another script as text; one that KaTeX does
    not draw by its number in Unicode.
    """
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
        if character.isascii() or character in _RAISED or character in _LOWERED or character in _CHARACTERS:
            yield character
        else:
            from unicodedata import normalize

            yield from normalize("NFKD", character)


def _symbol(character: str) -> str:
    if character in _RAISED:
        return f"{{}}^{{{_RAISED[character]}}}"
    if character in _LOWERED:
        return f"{{}}_{{{_LOWERED[character]}}}"
    if character in _CHARACTERS:
        return _CHARACTERS[character]
    if character in _PRINTABLE:
        return character
    if character.isspace():
        return r"\ "
    if character.isprintable() and any(ord(character) in script for script in _SCRIPTS):
        return rf"\text{{{character}}}"
    return f"U{{+}}{ord(character):04X}"


# ---- in Unicode -----------------------------------------------------------------------


def in_unicode(names: Collection[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """How each name is written in a picture: `x₁`, `θ_max`, `ΔP`; as it is where that could mean another one.

    taken: what means something else in the picture.
    """
    written = {name: _in_unicode(name) for name in names}
    uses = Counter([*written.values(), *(name for name, text in written.items() if name != text), *taken])
    return {name: text if uses[text] == 1 else name for name, text in written.items()}


def _in_unicode(name: str) -> str:
    """A name with its Greek letters, and with digits at its end as subscripts."""
    head, *rest = name.split("_")
    if not all((head, *rest)):
        return name
    if rest and head in ("Delta", "Δ") and _is_letter(_without_digits(rest[0])[0]):
        head += rest.pop(0)
    letters, primes, digits = _without_digits(head)
    sign = "" if letters in LETTERS else _difference(letters)
    parts = [sign, letters.removeprefix(sign)]
    text = "".join(LETTERS.get(part, part) for part in parts) + primes
    if (letters and not rest) or (not digits and len(rest) == 1 and rest[0].isdecimal() and rest[0].isascii()):
        return text + "".join([digits, *rest]).translate(_TO_SUBSCRIPTS)
    return "_".join([text + digits, *rest])
