"""What people write in the notation of other tools: where it is recognised, and how cg writes it.

One table. A row is tried where the parser stopped, and holds when its pattern covers that
place; so no row is asked about text that is in order. Rows that come first go first.
"""

from __future__ import annotations

import re
import unicodedata

from cgcli.annotations import Callable
from cgcli.errors import ParseError, Span
from cgcli.syntax import latex
from cgcli.syntax.idiom import BRACED, FREE, INNER, LOOSE, NAME, VALUE, Idiom
from cgcli.syntax.languages import LANGUAGES
from cgcli.syntax.loop_idioms import LOOPS

_NEAR = 100  # characters to each side of the place that are looked at
_WIDE = 400  # where a row is wide: a formula in LaTeX, a definition of several lines

_ELEMENT = rf"(?:[-+]?(?=\.?\d)[\d.]+|{NAME})"
_RULE = re.compile(r"[ \t]*jvp[ \t]+([^\W\d]\w*)")
_POWERS = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_FRACTIONS = "¼½¾⅐-⅞"

_OPERATORS = {
    "===": "==", "!==": "!=", "<>": "!=", "=<": "<=", ":=": "=", "≠=": "≠", "^^": "^", "&": "&&", "∧": "&&", "∨": "||",
    "⋅": "*", "∙": "*", "•": "*", "∗": "*", "✕": "*", "✖": "*", "⨯": "*", "╳": "*", "∕": "/", "⁄": "/", "∶": "/",
    "—": "-", "―": "-", "‐": "-", "‑": "-", "‒": "-", "⩽": "<=", "≦": "<=", "⩾": ">=", "≧": ">=", "≡": "==",
    "~=": "!=", "=/=": "!=", "⊻": "!=", "%*%": "@", "%/%": "//", "%%": "%",
}  # fmt: skip
_DECIMAL = r"(?:\d+\.?\d*|\.\d+)"
_GRADIENT = "as in: D(x^2, x); cg grad 'x^2' x=3 prints numbers"


def _digits(match: re.Match[str]) -> str:
    return "write " + re.sub(r"[^\d.]", "", match[0])


def _range_by_steps(match: re.Match[str]) -> str:
    """The numbers from a start to an end, some step apart, as so many of them."""
    start, step, end = (float(match[part]) for part in "asb")
    return f"write linspace({match['a']}, {match['b']}, {round((end - start) / step) + 1 if step else 2})"


def _thousands(match: re.Match[str]) -> str:
    return f"write {match[0].replace(',', '')} or {match[0].replace(',', '_')}"


def _list(match: re.Match[str]) -> str:
    """Matlab's rows apart by semicolons, and elements apart by blanks."""
    rows = [", ".join(re.split(r"[\s,]+", row.strip())) for row in match[0].split(";")]
    nested = len(rows) > 1 and any("," in row for row in rows)
    return "write " + ", ".join(f"[{row}]" if nested else row for row in rows)


def _behind(match: re.Match[str]) -> str:
    return f"write {match['f']}({match['x']})^{unicodedata.normalize('NFKC', match['n']).replace('−', '-')}"


def _from_latex(match: re.Match[str]) -> str:
    """A statement in LaTeX, of which all is seen."""
    before, after = match.string[: match.start()].rstrip(" \t"), match.string[match.end() :].lstrip(" \t")
    is_whole = before[-1:] in ("", ";", "\n") and after[:1] in ("", ";", "\n", "#")
    plain = latex.plain(match[0]) if is_whole else ""
    return f"write {plain}" if plain else "write it plainly, as in: (x + 1)/sqrt(2)"


def _mixed(match: re.Match[str]) -> str:
    """A fraction in one character, with what stands before it."""
    fraction = unicodedata.normalize("NFKC", match["v"]).replace("⁄", "/")
    before = match["n"]
    return f"write ({before} + {fraction})" if before.isdigit() else f"write {before}{'*' * bool(before)}({fraction})"


_IDIOMS = (
    *LOOPS,
    # ---- indices ----
    Idiom(rf"(?P<v>{NAME})\[\s*,", "an index is missing before ','", "write {v}[:,", ","),
    Idiom(r"(?<!\.)\.\.\.(?!\.)|…|⋯", "an ellipsis is not read",
          "write out what it stands for; in an index alone, x[..., 0], it means all other axes"),
    # ---- numbers ----
    Idiom(rf"(?<=\[){_ELEMENT}(?:\s*[,;]\s*{_ELEMENT}|\s+{_ELEMENT})+(?=\s*\])", "elements are set apart by commas",
           _list),
    Idiom(rf"{LOOSE}0(?:[xX][0-9a-fA-F]+|[bB][01]+|[oO][0-7]+)\b", "a number is written in decimal digits",
           lambda match: f"write {int(match[0], 0)}"),
    Idiom(rf"{LOOSE}(?P<a>[\d._]+)[eE](?P<b>[-+]?\d+\.\d*)", "a number's exponent is a whole number",
           "write {a}*10^{b}"),
    Idiom(rf"{LOOSE}(?P<a>[\d._]+)[eE](?!\w)", "a number's exponent is missing", "as in: {a}e5"),
    Idiom(rf"{LOOSE}\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?![\d_.,])", "a number has no commas", _thousands, ","),
    Idiom(rf"{LOOSE}\d{{1,3}}(?:\.\d{{3}}){{2,}}(?![\d_.])", "a number has one decimal point",
           lambda match: f"write {match[0].replace('.', '')}"),
    Idiom(rf"{LOOSE}\d{{1,3}}(?:[ \u00a0\u2009\u202f'’]\d{{3}})+(?:\.\d+)?(?![\d_.])",
           "a number has nothing between its digits", _digits),
    Idiom(rf"{LOOSE}\d{{1,3}}(?:\.\d{{3}})+,\d+(?![\d_.,])", "a number has a decimal point, not a comma",
           lambda match: f"write {match[0].replace('.', '').replace(',', '.')}", ","),
    Idiom(rf"(?<![(,=]\()(?<![,=] \(){LOOSE}(?P<a>\d+),(?P<b>\d+)(?![\d_.,])", "a comma cannot stand here",
           "write {a}.{b} for a decimal, or [{a}, {b}] for a list", ","),
    Idiom(rf"{LOOSE}\d[\d_]*(?:__[\d_]*|_)(?!\w)", "an underscore stands between two digits of a number",
           lambda match: "write " + re.sub("_+", "_", match[0]).strip("_")),
    Idiom(rf"{LOOSE}(?P<a>\d+)\.\.+(?P<b>\d+)", "a range with points belongs to an index",
          "write arange({a}, {b} + 1) for an array; an index is as in: sum(i={a}..{b}, i^2)"),
    Idiom(rf"{LOOSE}\d+\.\d+\.[\d._]*", "a number has one decimal point", "take the other one away"),
    Idiom(rf"{LOOSE}(?P<a>\d+)\s*:\s*(?P<s>\d+)\s*:\s*(?P<b>\d+)(?![.\d])", "a range is not written with colons",
          "write arange({a}, {b} + 1, {s})"),
    Idiom(rf"{LOOSE}(?P<a>{_DECIMAL})\s*:\s*(?P<s>{_DECIMAL})\s*:\s*(?P<b>{_DECIMAL})",
          "a range is not written with colons", _range_by_steps),
    Idiom(r"(?:(?<=[=(])|(?<== ))(?P<a>\d+):(?P<b>\d+)(?![.\d])", "a range is not written with colons",
          "write arange({a}, {b} + 1)"),
    Idiom(rf"{LOOSE}(?P<n>\d+)\s+(?P<a>\d+)/(?P<b>\d+)(?![\w.])", "a mixed number has a plus sign",
          "write ({n} + {a}/{b})"),
    Idiom(rf"{LOOSE}(?P<a>\d[\d.]*)\s+[xX]\s+(?P<b>\d[\d.]*)", "'x' is a name, not an operator", "write {a}*{b}"),
    Idiom(rf"{LOOSE}(?P<n>\w+?)(?:(?<=\d)C(?=\d)|\s*\bnCr\s*|\s+choose\s+)(?P<k>\w+)",
          "a binomial coefficient is a formula",
          "write binomial({n}, {k})"),
    Idiom(rf"(?P<n>[\d.]+)\s*%\s*of\s+(?P<x>{VALUE})", "'%' is the remainder, not per cent", "write {n}/100*{x}"),
    Idiom(rf"{LOOSE}(?P<n>[\d.]+)\s*%\s*(?P<o>[*/])(?!%)", "'%' is the remainder, not per cent", "write {n}/100{o}"),
    Idiom(r"(?P<n>[\d.]+)\s*%(?=\s*$)", "'%' is the remainder, and something is missing after it",
           "write {n}/100 for per cent"),
    Idiom(rf"{FREE}%(?P<x>pi|e)\b", "a constant has no '%'", "write {x}"),
    Idiom(rf"(?P<n>\d+|[^\W\d{_FRACTIONS}][^\W{_FRACTIONS}]*|)(?P<v>[{_FRACTIONS}])",
           "'{v}' is not read as a fraction", _mixed),
    *LANGUAGES,
    # ---- functions and names ----
    Idiom(rf"\b(?P<f>{NAME})\s+(?P<x>[\w.]+)\s*(?:\^|\*\*)\s*(?P<n>[\w.]+)",
           "a function's argument stands in brackets", "write {f}({x}^{n}) or {f}({x})^{n}"),
    Idiom(rf"\b(?P<f>{NAME})\s+(?P<n>\d[\d.]*)\s?(?P<x>{NAME})", "a function's argument stands in brackets",
           "write {f}({n}*{x})"),
    Idiom(rf"\b(?P<f>{NAME})\s*(?:\^|\*\*)\s*(?P<n>-?\d+)\s+(?P<x>[\w.]+)",
           "a function's power stands behind its argument, which stands in brackets", _behind),
    Idiom(rf"\b(?P<f>[^\W\d]\w*?)(?P<n>[{_POWERS}]+)\s*(?P<x>[^\W{_POWERS}]+)(?!\w*\()",
           "a function's power stands behind its argument, which stands in brackets", _behind),
    Idiom(rf"\b(?P<f>{NAME})\s*\|(?P<x>[^|\n]{{1,40}})\|", "an absolute value is not written with bars",
           "write {f}(abs({x}))"),
    Idiom(r"(?P<n>\d[\d.]*)\s*\|(?P<x>[^|\n]{1,40})\|", "an absolute value is not written with bars",
           "write {n}*abs({x})"),
    Idiom(rf"{FREE}\|\|(?P<x>[^|\n]{{1,40}})\|\|", "a norm is not written with bars", "write norm({x})"),
    Idiom(rf"{FREE}\|(?P<x>[^|\n]{{1,40}})\|", "an absolute value is not written with bars", "write abs({x})"),
    Idiom(rf"(?P<x>{VALUE})\s*!!", "a double factorial is not written with '!'", "write prod(arange({x}, 0, -2))"),
    Idiom(rf"(?P<a>{NAME})\s*=\s*(?P<b>{NAME})\s*=(?!=)\s*(?P<v>[^\n;#=<>!]*[^\n;#=<>!\s])", "'=' cannot stand here",
          "write {b} = {v}; {a} = {b}; to compare, write =="),
    Idiom(rf",(?=\s*{NAME}\s*=(?!=))", "statements are set apart by ';'", "write ;", ","),
    Idiom(rf"(?P<h>[(,][^()\n;]{{0,40}}?[^\s,(])\s+(?P<k>{NAME}\s*=)(?!=)", "a comma is missing between two arguments",
           "write {h}, {k}"),
    Idiom(rf"(?P<n>[\d.]+|[)\]])\s+(?P<k>{NAME}\s*=)(?!=)", "there is no operator between two values",
          "values stand behind the quoted expression, as in: cg eval 'x^2' x=3; statements are set apart by ';'"),
    Idiom(rf"(?P<g>{NAME})\s+(?P<x>{NAME})\s*=(?!=)", "a function's parameters stand in brackets",
           "write {g}({x}) ="),
    # ---- derivatives ----
    Idiom(rf"{NAME}['’′]+\({INNER}\)", "a derivative is not written with a prime", _GRADIENT),
    Idiom(rf"(?P<a>{NAME})['’′](?:\s*\*\s*|(?=\w))(?P<b>{VALUE})", "a prime neither transposes nor differentiates",
          "write {a}.T @ {b} for a product of arrays; cg grad prints derivatives"),
    Idiom(rf"(?P<x>{VALUE})['’′](?!\w)", "a prime neither transposes nor differentiates",
           lambda match: f"write {match['x'].rstrip('.')}.T to transpose; cg grad prints derivatives"),
    Idiom(rf"\b(?:derivative|gradient|slope)\s+of\s+{VALUE}", "a derivative is written D(f(x), x)",
          _GRADIENT),
    Idiom(rf"\bintegral\s+of\s+{VALUE}", "cg differentiates, it does not integrate", _GRADIENT),
    Idiom(r"\bd\w?\s*/\s*d\w+\s+\w+|∂\w*(?:\s*/\s*∂\w+)?|∇|\\(?:nabla|partial)\b|"
          r"\\[dt]?frac\{\s*(?:d|\\partial)\s*\w*\s*\}\{\s*(?:d|\\partial)\s*\w+\s*\}",
          "a derivative is written D(f(x), x)", _GRADIENT),
    Idiom(r"[∫∬∭∮]|\\i{1,3}nt(?![A-Za-z])", "cg differentiates, it does not integrate", _GRADIENT),
    # ---- LaTeX ----
    Idiom(rf"log_\{{(?P<b>{BRACED})\}}\s*\((?P<x>{INNER})\)", "a logarithm's base stands in its brackets",
          "write log({x}, {b})"),
    Idiom(r"\\begin\{cases\}.{0,300}?(?:\\end\{cases\}|\Z)", "LaTeX is not read",
          "a choice is as in: x > 0 ? x : -x; of three, x > 0 ? 1 : x < 0 ? -1 : 0", wide=True),
    Idiom(rf"(?=(?:\\;|[^\n;#])*?{latex.COMMAND})[^\s;#](?:\\;|[^\n;#])*(?<!\s)", "LaTeX is not read", _from_latex,
          wide=True),
    Idiom(r"\$\$?(?P<x>[^$\n]{1,60})\$\$?", "LaTeX is not read", "write {x}"),
    Idiom(r"\\\((?P<x>[^\n\\]{1,60})\\\)|\\\[(?P<y>[^\n\\]{1,60})\\\]", "LaTeX is not read",
          lambda match: f"write {match['x'] or match['y']}"),
    Idiom(rf"(?P<a>{NAME})\s*\^\s*T\s*(?=[\w(\[])(?P<b>{VALUE})", "a transpose is written with a point",
          "write {a}.T @ {b}"),
    Idiom(rf"\^\s*\{{(?P<x>{BRACED})\}}", "an exponent stands in round brackets", "write ^({x})"),
    Idiom(rf"(?P<n>{NAME}_)\{{(?P<x>\w+)\}}", "a subscript has no brackets", "write {n}{x}"),
    Idiom(rf"(?P<n>{NAME})\{{(?P<x>{BRACED})\}}", "an index stands in square brackets", "write {n}[{x}]"),
    Idiom(r"\bN?Integrate\[[^\]\n]{1,60}\]", "cg differentiates, it does not integrate", _GRADIENT),
    Idiom(r"\b(?:Piecewise)\[[^\n]{0,60}", "a choice is not written in words", "as in: c ? a : b, or where(c, a, b)"),
    Idiom(rf"\b(?:Module|With|Block)\[\{{(?P<x>{NAME}\s*=[^{{}}\n,]*)\}},\s*(?P<b>[^\[\]\n]+)\]",
          "statements are set apart by ';'", "write {x}; {b}"),
    Idiom(r"\{\s*\{[^{}\n]*\}(?:\s*,\s*\{[^{}\n]*\})*\s*\}", "a list stands in square brackets",
          lambda match: "write " + match[0].replace("{", "[").replace("}", "]")),
    Idiom(r"\{(?P<x>[^{}\n]*,[^{}\n]*)\}", "a list stands in square brackets", "write [{x}]"),
    Idiom(rf"\{{(?![^{{}}]*(?:[=;:]|\+\+|--))(?P<x>{BRACED})\}}", "an expression stands in round brackets",
           "write ({x})"),
    # ---- operators ----
    Idiom(r"\A\s*:?=(?!=)", "an expression does not begin with '='", "take it away"),
    Idiom(rf"(?P<x>{NAME})\s*(?P<o>\*\*|//|[-+*/^%@])=(?!=)\s*(?P<y>{VALUE})", "a new value is written out",
           "write {x} = {x} {o} {y}"),
    Idiom(rf"(?P<x>{NAME})\s*(?P<o>[-+])(?P=o)(?=\s*[;}}\n])", "a new value is written out",
           "write {x} = {x} {o} 1"),
    Idiom(rf"(?P<x>{NAME})\s*(?P<o>[-+])(?P=o)(?=\s*$)", "a new value is written out", "write {x} {o} 1"),
    Idiom("->|→|↦|⟶", "an arrow cannot stand here", "a function is written as in: f(x) = x^2"),
    Idiom("=>(?!=)", "'=>' is not an operator", "write >= to compare; a function is as in: f(x) = x^2"),
    Idiom("|".join(sorted(map(re.escape, _OPERATORS), key=len, reverse=True)), "'{0}' is not an operator",
           lambda match: f"write {_OPERATORS[match[0]]}"),
    Idiom(rf"(?P<a>{VALUE})(?:\.?\\| \\ )(?P<b>{VALUE})", "'\\' is not an operator",
          "write solve({a}, {b}) for arrays; of numbers, write {b}/{a}", "\\"),
    Idiom(r"\.(?P<o>\*\*|//|[-+*/^%]|[<>]=?|[=!]=)", "an operator acts on each element as it is", "write {o}"),
    Idiom(rf"\A\s*(?P<y>{NAME})\s*~(?![=~])", "a model is an equation", "write {y} ="),
    Idiom(rf"(?:(?<=[-+*/^%<>=])|(?<=[-+*/^%<>=] ))[!~¬]\s*(?P<x>{VALUE})", "a negation is written as a word",
          "write (not {x})"),
    Idiom(rf"[!~¬]\s*(?P<x>{VALUE})", "a negation is written as a word", "write not {x}"),
    Idiom("[±∓]", "two signs at once are not part of the language", "write + or -, each in an expression of its own"),
    # ---- characters ----
    Idiom(rf"\b(?P<f>{NAME})\s+(?P<n>[\w.]+)\s*°",
          "a function's argument stands in brackets, and a degree is a constant",
          "write {f}({n}*deg)"),
    Idiom(rf"(?P<n>{VALUE})\s*°", "a degree is written as a constant", "write {n}*deg"),
    Idiom(rf"∛\s*(?P<x>{VALUE})", "a cube root is a function", "write cbrt({x})"),
    Idiom(rf"(?P<n>[²³⁴-⁹])\s*√\s*(?P<x>{VALUE})", "a root is a power",
          lambda match: f"write {match['x']}^(1/{unicodedata.normalize('NFKC', match['n'])})"),
    Idiom(rf"∜\s*(?P<x>{VALUE})", "a fourth root is a power", "write {x}^(1/4)"),
    Idiom(rf"∑\s*(?P<x>{VALUE})", "a sum is a function", "write sum({x})"),
    Idiom(rf"∏\s*(?P<x>{VALUE})", "a product is a function", "write prod({x})"),
    Idiom(r"[‖∥](?P<x>[^‖∥\n]{1,40})[‖∥]", "a norm is not written with bars", "write norm({x})"),
    Idiom(r"⌊(?P<x>[^⌊⌋\n]{1,40})⌋", "a rounded value is a function", "write floor({x})"),
    Idiom(r"⌈(?P<x>[^⌈⌉\n]{1,40})⌉", "a rounded value is a function", "write ceil({x})"),
    Idiom(rf"[<⟨](?P<a>\s*{VALUE}\s*),(?P<b>\s*{VALUE}\s*)[>⟩]", "an inner product is a function",
          "write dot({a},{b})"),
    Idiom(rf"(?P<a>{VALUE})\s*≈\s*(?P<b>{VALUE})", "'≈' is not an operator", "write abs({a} - {b}) < 1e-9"),
    Idiom("[“„«‘‚](?P<x>[^“”»’\n]{1,40})[“”»’]", "typographic quotes are not read", "write \"{x}\""),
    Idiom("（(?P<x>[^（）\n]{1,40})）", "full-width brackets are not read", "write ({x})"),
    Idiom("［(?P<x>[^［］\n]{1,40})］", "full-width brackets are not read", "write [{x}]"),
)  # fmt: skip


def recognised(text: str, position: int, functions: Callable[[str], bool]) -> ParseError | None:
    """The error for another tool's notation at a place of the text; functions: whether a name is one."""
    begin = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    for pattern, message, hint, at, wide in _IDIOMS:
        if not text.startswith(at, position):
            continue
        left, right = (begin, len(text)) if wide else (max(begin, position - _NEAR), min(end, position + _NEAR))
        for match in re.compile(pattern).finditer(text, max(left, position - _WIDE), min(right, position + _WIDE)):
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
