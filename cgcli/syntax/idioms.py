"""What people write in the notation of other tools: where it is recognised, and how cg writes it.

One table. A row is tried where the parser stopped, and holds when its pattern covers that
place; so no row is asked about text that is in order. Rows that come first go first.
"""

from __future__ import annotations

import re
import unicodedata

from cgcli.annotations import Callable
from cgcli.errors import ParseError, Span
from cgcli.records import NamedTuple

_NEAR = 100  # characters to each side of the place that are looked at

_NAME = r"[^\W\d]\w*"
_INNER = r"[^()\n]{0,40}"
_VALUE = rf"(?:{_NAME}\({_INNER}\)|[\w.]+|\({_INNER}\)|\[[^\[\]\n]{{0,40}}\])"
_ELEMENT = rf"(?:[-+]?[\d.]+|{_NAME})"
_BRACED = r"[^{}\n]{1,40}"
_LOOSE = r"(?<![\w.])"  # not in the middle of a word or a number
_FREE = r"(?<![\w)\]])(?<![\w)\]] )"  # where a value may begin
_RULE = re.compile(r"[ \t]*jvp[ \t]+([^\W\d]\w*)")
_POWERS = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_FRACTIONS = "¼½¾⅐-⅞"

_OPERATORS = {
    "===": "==", "!==": "!=", "<>": "!=", "=<": "<=", ":=": "=", "≠=": "≠", "^^": "^", "&": "&&", "∧": "&&", "∨": "||",
    "⋅": "*", "∙": "*", "•": "*", "∗": "*", "✕": "*", "✖": "*", "⨯": "*", "╳": "*", "∕": "/", "⁄": "/", "∶": "/",
    "—": "-", "―": "-", "‐": "-", "‑": "-", "‒": "-", "⩽": "<=", "≦": "<=", "⩾": ">=", "≧": ">=", "≡": "==",
}  # fmt: skip
_WORDS = {
    "plus": "+", "minus": "-", "times": "*", "over": "/", "equals": "==", "squared": "^2", "cubed": "^3",
    "xor": "!=", "is not": "!=", "is": "==", "div": "//",
}  # fmt: skip
_LATEX = {
    "cdot": "*", "times": "*", "div": "/", "le": "<=", "leq": "<=", "ge": ">=", "geq": ">=", "ne": "!=", "neq": "!=",
    "infty": "inf", "left": "", "right": "", "land": "&&", "lor": "||", "lnot": "not",
}  # fmt: skip
_SUM = "sum an array, as in: sum(arange(1, 11)^2)"
_GRADIENT = "cg grad prints derivatives, as in: cg grad 'x^2' x=3"


class _Idiom(NamedTuple):
    """A row: where it holds, what is wrong, and the fix.

    message, hint: with the pattern's groups in braces. A group `f` must be the name of a
    function. hint may also be a function of the match. at: the character where the parser
    must have stopped, when not any will do.
    """

    pattern: str
    message: str
    hint: str | Callable[[re.Match[str]], str]
    at: str = ""


def _digits(match: re.Match[str]) -> str:
    return "write " + re.sub(r"[^\d.]", "", match[0])


def _thousands(match: re.Match[str]) -> str:
    return f"write {match[0].replace(',', '')} or {match[0].replace(',', '_')}"


def _list(match: re.Match[str]) -> str:
    """Matlab's rows apart by semicolons, and elements apart by blanks."""
    rows = [", ".join(re.split(r"[\s,]+", row.strip())) for row in match[0].split(";")]
    nested = len(rows) > 1 and any("," in row for row in rows)
    return "write " + ", ".join(f"[{row}]" if nested else row for row in rows)


def _method(match: re.Match[str]) -> str:
    return f"write {match['f']}({', '.join(filter(None, (match['v'], match['x'])))})"


def _command(match: re.Match[str]) -> str:
    plain = _LATEX.get(match["c"], match["c"])
    return f"write {plain}" if plain else "take it away"


def _behind(match: re.Match[str]) -> str:
    return f"write {match['f']}({match['x']})^{unicodedata.normalize('NFKC', match['n']).replace('−', '-')}"


def _one_by_one(match: re.Match[str]) -> str:
    """Several names that get a value each."""
    names = match[0][: match.start("r") - match.start()].strip("() \t=").split(",")
    listed = re.fullmatch(r"\s*\(([^()]*)\)\s*", match["r"])
    values = re.split(r",(?![^\[(]*[\])])", listed[1] if listed else match["r"])
    if len(names) != len(values):
        values = ["…"] * len(names)
    return "write " + "; ".join(
        f"{name.strip(' )')} = {value.strip()}" for name, value in zip(names, values, strict=True)
    )


def _mixed(match: re.Match[str]) -> str:
    """A fraction in one character, with what stands before it."""
    fraction = unicodedata.normalize("NFKC", match["v"]).replace("⁄", "/")
    before = match["n"]
    return f"write ({before} + {fraction})" if before.isdigit() else f"write {before}{'*' * bool(before)}({fraction})"


_IDIOMS = (
    # ---- numbers ----
    _Idiom(rf"(?<=\[){_ELEMENT}(?:\s*[,;]\s*{_ELEMENT}|\s+{_ELEMENT})+(?=\s*\])", "elements are set apart by commas",
           _list),
    _Idiom(rf"{_LOOSE}0(?:[xX][0-9a-fA-F]+|[bB][01]+|[oO][0-7]+)\b", "a number is written in decimal digits",
           lambda match: f"write {int(match[0], 0)}"),
    _Idiom(rf"{_LOOSE}(?P<a>[\d._]+)[eE](?P<b>[-+]?\d+\.\d*)", "a number's exponent is a whole number",
           "write {a}*10^{b}"),
    _Idiom(rf"{_LOOSE}(?P<a>[\d._]+)[eE](?!\w)", "a number's exponent is missing", "as in: {a}e5"),
    _Idiom(rf"{_LOOSE}\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?![\d_.,])", "a number has no commas", _thousands, ","),
    _Idiom(rf"{_LOOSE}\d{{1,3}}(?:\.\d{{3}}){{2,}}(?![\d_.])", "a number has one decimal point",
           lambda match: f"write {match[0].replace('.', '')}"),
    _Idiom(rf"{_LOOSE}\d{{1,3}}(?:[ \u00a0\u2009\u202f'’]\d{{3}})+(?:\.\d+)?(?![\d_.])",
           "a number has nothing between its digits", _digits),
    _Idiom(rf"{_LOOSE}\d{{1,3}}(?:\.\d{{3}})+,\d+(?![\d_.,])", "a number has a decimal point, not a comma",
           lambda match: f"write {match[0].replace('.', '').replace(',', '.')}", ","),
    _Idiom(rf"{_LOOSE}(?P<a>\d+),(?P<b>\d+)(?![\d_.,])", "a comma cannot stand here",
           "write {a}.{b} for a decimal, or [{a}, {b}] for a list", ","),
    _Idiom(rf"{_LOOSE}\d[\d_]*(?:__[\d_]*|_)(?!\w)", "an underscore stands between two digits of a number",
           lambda match: "write " + re.sub("_+", "_", match[0]).strip("_")),
    _Idiom(rf"{_LOOSE}(?P<a>\d+)\.\.+(?P<b>\d+)", "a range is not written with points", "write arange({a}, {b} + 1)"),
    _Idiom(rf"{_LOOSE}\d+\.\d+\.[\d._]*", "a number has one decimal point", "take the other one away"),
    _Idiom(rf"(?P<n>[\d.]+)\s*%\s*of\s+(?P<x>{_VALUE})", "'%' is the remainder, not per cent", "write {n}/100*{x}"),
    _Idiom(r"(?P<n>[\d.]+)\s*%(?=\s*$)", "'%' is the remainder, and something is missing after it",
           "write {n}/100 for per cent"),
    _Idiom(rf"{_FREE}%(?P<x>pi|e)\b", "a constant has no '%'", "write {x}"),
    _Idiom(rf"(?P<n>\d+|[^\W\d{_FRACTIONS}][^\W{_FRACTIONS}]*|)(?P<v>[{_FRACTIONS}])",
           "'{v}' is not read as a fraction", _mixed),
    # ---- words ----
    _Idiom(r"\bif\s+(?P<c>[^\n]{1,40}?)\s+then\s+(?P<a>[^\n]{1,40}?)\s+else\s+(?P<b>[^\n;]{1,40})",
           "a choice is not written in words", "write {c} ? {a} : {b}"),
    _Idiom(r"(?P<a>[^\n=;(,]{1,40}?)\s+if\s+(?P<c>[^\n]{1,40}?)\s+else\s+(?P<b>[^\n;),]{1,40})",
           "a choice is not written in words", "write {c} ? {a} : {b}"),
    _Idiom(rf"\b(?P<w>let|var|const|local|global)\s+(?P<x>{_NAME})", "'{w}' is not needed", "write {x}"),
    _Idiom(rf"\b(?P<w>def|function|func|fn)\s+(?P<x>{_NAME}\({_INNER}\))\s*[:=]?\s*(?:return\b)?",
           "'{w}' is not needed", "write {x} ="),
    _Idiom(rf"\blambda\s+(?P<x>{_NAME}(?:\s*,\s*{_NAME})*)\s*:?", "a function has a name", "write f({x}) ="),
    _Idiom(rf"\breturn\s+(?P<x>{_VALUE})", "'return' is not needed: the last line is the result", "write {x}"),
    _Idiom(r"\b(?:import|from|using|include)\s+\w+", "nothing is imported: every function is there", "take it away"),
    _Idiom(r"\b(?P<w>for|while)\s+\w+", "there is no loop '{w}'", _SUM),
    _Idiom(r"\b(?:is not|plus|minus|times|over|equals|squared|cubed|xor|is|div)\b",
           "an operator is not written as a word", lambda match: f"write {_WORDS[match[0]]}"),
    # ---- functions and names ----
    _Idiom("(?<![<>=!])(?P<a>[<>=!]) +=(?!=)", "an operator has no blank inside", "write {a}="),
    _Idiom(rf"\b(?:np|numpy|math|Math|cmath|torch|jnp|jax|tf|scipy|sympy)(?:\.\w+)*\.(?P<x>{_NAME})",
           "names stand without a module", lambda match: f"write {match['x'].lower()}"),
    _Idiom(rf"(?P<v>{_NAME})\.(?:t|transpose)\(\)", "a function stands before its argument", "write {v}.T"),
    _Idiom(rf"(?P<v>{_NAME})\.detach\(\)", "a function stands before its argument", "write stop_gradient({v})"),
    _Idiom(rf"(?P<v>{_NAME})\.(?P<f>{_NAME})\((?P<x>{_INNER})\)", "a function stands before its argument", _method),
    _Idiom(rf"(?P<v>{_NAME})\.(?:shape|size|ndim|length)\b(?!\()", "a shape is no value of a program",
           "write the number itself, or size({v}, 0) for the length of the first axis"),
    _Idiom(rf"{_NAME}(?:\.{_NAME})+", "a name has no point", "write `{0}` for such a name"),
    _Idiom(rf"\b(?P<f>{_NAME})\s+(?P<x>[\w.]+)\s*(?:\^|\*\*)\s*(?P<n>[\w.]+)",
           "a function's argument stands in brackets", "write {f}({x}^{n}) or {f}({x})^{n}"),
    _Idiom(rf"\b(?P<f>{_NAME})\s+(?P<n>\d[\d.]*)\s?(?P<x>{_NAME})", "a function's argument stands in brackets",
           "write {f}({n}*{x})"),
    _Idiom(rf"\b(?P<f>{_NAME})\s*(?:\^|\*\*)\s*(?P<n>-?\d+)\s+(?P<x>[\w.]+)",
           "a function's power stands behind its argument, which stands in brackets", _behind),
    _Idiom(rf"\b(?P<f>[^\W\d]\w*?)(?P<n>[{_POWERS}]+)\s*(?P<x>[^\W{_POWERS}]+)(?!\w*\()",
           "a function's power stands behind its argument, which stands in brackets", _behind),
    _Idiom(rf"\b(?P<f>{_NAME})\s*\|(?P<x>[^|\n]{{1,40}})\|", "an absolute value is not written with bars",
           "write {f}(abs({x}))"),
    _Idiom(r"(?P<n>\d[\d.]*)\s*\|(?P<x>[^|\n]{1,40})\|", "an absolute value is not written with bars",
           "write {n}*abs({x})"),
    _Idiom(rf"{_FREE}\|\|(?P<x>[^|\n]{{1,40}})\|\|", "a norm is not written with bars", "write norm({x})"),
    _Idiom(rf"{_FREE}\|(?P<x>[^|\n]{{1,40}})\|", "an absolute value is not written with bars", "write abs({x})"),
    _Idiom(rf"(?P<x>{_VALUE})\s*!(?!=)", "a factorial is not written with '!'", "write gamma({x} + 1)"),
    _Idiom(rf"(?<![\w(,.])(?<![(,] ){_NAME}(?:\s*,\s*{_NAME})+\s*=(?!=)(?P<r>[^\n;#]*)",
           "only one name can stand to the left of '='", _one_by_one, ","),
    _Idiom(rf"(?<![\w`])\({_NAME}(?:\s*,\s*{_NAME})+\)\s*=(?!=)(?P<r>[^\n;#]*)",
           "only one name can stand to the left of '='", _one_by_one, "="),
    _Idiom(rf"(?P<h>[(,][^()\n;]{{0,40}}?)\s+(?P<k>{_NAME}\s*=)(?!=)", "a comma is missing between two arguments",
           "write {h}, {k}"),
    _Idiom(rf"(?P<g>{_NAME})\s+(?P<x>{_NAME})\s*=(?!=)", "a function's parameters stand in brackets",
           "write {g}({x}) ="),
    # ---- derivatives ----
    _Idiom(rf"{_NAME}['’′]+\({_INNER}\)", "a derivative is not written with a prime", _GRADIENT),
    _Idiom(rf"(?P<x>{_VALUE})['’′](?!\w)", "a prime neither transposes nor differentiates",
           "write {x}.T to transpose; cg grad prints derivatives"),
    _Idiom(r"\bd\s*/\s*d\w+\s+\w+|∂\w*(?:\s*/\s*∂\w+)?|∇", "a derivative is a command, not a part of the language",
           _GRADIENT),
    _Idiom("[∫∬∭∮]", "cg differentiates, it does not integrate", _GRADIENT),
    # ---- LaTeX ----
    _Idiom(rf"(?:\\?(?:sum|prod)|∑|∏)_\s*\{{[^{{}}\n]{{0,40}}\}}(?:\s*\^\s*(?:\w+|\{{{_BRACED}\}}))?",
           "there is no index of a sum", _SUM),
    _Idiom(rf"\\?log_\{{(?P<b>{_BRACED})\}}\s*\((?P<x>{_INNER})\)", "a logarithm's base stands in its brackets",
           "write log({x}, {b})"),
    _Idiom(rf"\\[dt]?frac\{{(?P<a>{_BRACED})\}}\{{(?P<b>{_BRACED})\}}", "LaTeX is not read", "write ({a})/({b})"),
    _Idiom(rf"\\sqrt\[(?P<n>\w+)\]\{{(?P<x>{_BRACED})\}}", "LaTeX is not read", "write ({x})^(1/{n})"),
    _Idiom(rf"\\(?P<c>[A-Za-z]+)\{{(?P<x>{_BRACED})\}}", "LaTeX is not read", "write {c}({x})"),
    _Idiom(r"\\(?P<c>[A-Za-z]+)", "LaTeX is not read", _command),
    _Idiom(r"\$(?P<x>[^$\n]{1,60})\$", "LaTeX is not read", "write {x}"),
    _Idiom(rf"\^\s*\{{(?P<x>{_BRACED})\}}", "an exponent stands in round brackets", "write ^({x})"),
    _Idiom(rf"(?P<n>{_NAME}_)\{{(?P<x>\w+)\}}", "a subscript has no brackets", "write {n}{x}"),
    _Idiom(rf"(?P<n>{_NAME})\{{(?P<x>{_BRACED})\}}", "an index stands in square brackets", "write {n}[{x}]"),
    _Idiom(r"\{(?P<x>[^{}\n]*,[^{}\n]*)\}", "a list stands in square brackets", "write [{x}]"),
    _Idiom(rf"\{{(?P<x>{_BRACED})\}}", "an expression stands in round brackets", "write ({x})"),
    # ---- operators ----
    _Idiom(r"\A\s*:?=(?!=)", "an expression does not begin with '='", "take it away"),
    _Idiom(rf"(?P<x>{_NAME})\s*(?P<o>\*\*|//|[-+*/^%@])=(?!=)\s*(?P<y>{_VALUE})", "a name keeps its value",
           "write {x}_new = {x} {o} {y}"),
    _Idiom(rf"(?P<x>{_NAME})\s*(?P<o>[-+])(?P=o)(?=\s*$)", "a name keeps its value", "write {x} {o} 1"),
    _Idiom("->|→|↦|⟶", "an arrow cannot stand here", "a function is written as in: f(x) = x^2"),
    _Idiom("=>(?!=)", "'=>' is not an operator", "write >= to compare; a function is as in: f(x) = x^2"),
    _Idiom("|".join(sorted(map(re.escape, _OPERATORS), key=len, reverse=True)), "'{0}' is not an operator",
           lambda match: f"write {_OPERATORS[match[0]]}"),
    _Idiom(r"\.(?P<o>\*\*|[*/^])", "an operator acts on each element as it is", "write {o}"),
    _Idiom(rf"[!~¬]\s*(?P<x>{_VALUE})", "a negation is written as a word", "write not {x}"),
    _Idiom("[±∓]", "two signs at once are not part of the language", "write + or -, each in an expression of its own"),
    # ---- characters ----
    _Idiom(rf"(?P<n>{_VALUE})\s*°", "a degree is written as a constant", "write {n}*deg"),
    _Idiom(rf"∛\s*(?P<x>{_VALUE})", "a cube root is a function", "write cbrt({x})"),
    _Idiom(rf"∜\s*(?P<x>{_VALUE})", "a fourth root is a power", "write {x}^(1/4)"),
    _Idiom(rf"∑\s*(?P<x>{_VALUE})", "a sum is a function", "write sum({x})"),
    _Idiom(rf"∏\s*(?P<x>{_VALUE})", "a product is a function", "write prod({x})"),
    _Idiom("[“„«‘‚](?P<x>[^“”»’\n]{1,40})[“”»’]", "typographic quotes are not read", "write \"{x}\""),
    _Idiom("（(?P<x>[^（）\n]{1,40})）", "full-width brackets are not read", "write ({x})"),
    _Idiom("［(?P<x>[^［］\n]{1,40})］", "full-width brackets are not read", "write [{x}]"),
)  # fmt: skip


def recognised(text: str, position: int, functions: Callable[[str], bool]) -> ParseError | None:
    """The error for another tool's notation at a place of the text; functions: whether a name is one."""
    left = max(text.rfind("\n", 0, position) + 1, position - _NEAR)
    right = text.find("\n", position, position + _NEAR)
    right = min(len(text), position + _NEAR) if right < 0 else right
    for pattern, message, hint, at in _IDIOMS:
        if not text.startswith(at, position):
            continue
        for match in re.compile(pattern).finditer(text, left, right):
            groups = match.groupdict()
            if match.start() <= position < match.end() and functions(groups.get("f", "")) == ("f" in groups):
                fix = hint.format(match[0], **groups) if isinstance(hint, str) else hint(match)
                return ParseError(message.format(match[0], **groups), Span(*match.span()), hint=fix)
    return None


def bad_rule(text: str, position: int) -> ParseError | None:
    """The error for a statement that begins as a derivative rule and goes wrong before its `=`."""
    begin = max(text.rfind("\n", 0, position), text.rfind("jvp", 0, position + 3) - 1) + 1
    rule = _RULE.match(text, begin)
    if rule is None or "=" in text[rule.end() : position] or text[:begin].rstrip(" \t\r")[-1:] not in ("", ";", "\n"):
        return None
    return ParseError(
        "a derivative rule is not written so",
        Span(begin, max(position + 1, rule.end())),
        hint=f"as in: jvp {rule[1]}(x; dx) = 2*x*dx, with the tangents after a ';'",
    )
