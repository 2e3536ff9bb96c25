"""LaTeX as cg writes it, for the hint to a formula that was copied from a paper: \\frac{x}{2} is x/2."""

from __future__ import annotations

import re

from cgcli.annotations import Callable, Iterator

_GREEK = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|"
    "upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega|ell"
)
_FUNCTIONS = "arccos|arcsin|arctan|cosh|cos|coth|cot|csc|det|exp|ln|log|max|min|sec|sinh|sin|tanh|tan"
_SYMBOLS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "le": "<=", "leq": "<=", "ge": ">=", "geq": ">=", "ne": "!=",
    "neq": "!=", "lt": "<", "gt": ">", "infty": "inf", "land": "&&", "wedge": "&&", "lor": "||", "vee": "||",
    "lnot": "not", "neg": "not", "lVert": "‖", "rVert": "‖", "Vert": "‖", "lvert": "|", "rvert": "|", "vert": "|",
    "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "lbrace": "(", "rbrace": ")", "bmod": "mod", "mod": "mod",
    "top": "T", "pm": "±",
}  # fmt: skip
_ROMAN = "text|mathrm|operatorname|mathbf|mathit|mathsf|boldsymbol|bm|vec|rm"
_ACCENTS = "hat|bar|tilde|dot|overline|widehat|widetilde"
_BRACED = r"\s*\{([^{}]*)\}"
_GROUP = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
_ARGUMENT = rf"(?P<x>{_GROUP}|[\d.]*\w+(?:\^(?:\w+|{_GROUP}))?)"
_FUNCTION = re.compile(
    rf"\\(?P<f>{_FUNCTIONS})(?![A-Za-z])\s*(?:_(?P<b>\w+|{_GROUP}))?\s*(?:\^(?P<n>-?\w+|{_GROUP}))?\s*{_ARGUMENT}"
)
_TOKEN = re.compile(r"\d[\d.]*|\.\d+|[^\W\d]\w*(?:\.T\b)?|&&|\|\||[<>=!]=|\S")
# What is LaTeX's for certain: one or two letters behind a backslash may be a left division.
COMMAND = rf"\\(?:[A-Za-z]{{3,}}|(?:{_GREEK}|{_FUNCTIONS}|{'|'.join(_SYMBOLS)})(?![A-Za-z])|[|,!{{])"
_MATRIX = re.compile(r"\\begin\{([a-zA-Z]*matrix)\}(.*?)\\end\{\1\}")
_DEFINITION = re.compile(r"\s*([^\W\d]\w*)\([^()]*\)\s*=(?!=)")
_BARS = (("‖", "‖", "norm"), (r"\|", r"\|", "abs"), ("⌊", "⌋", "floor"), ("⌈", "⌉", "ceil"))

# From the innermost braces outwards: what a command in front of them makes of them.
_BRACES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (rf"(?<=[_^])\\(?:{_ROMAN})\s*\{{(\w+)\}}", lambda match: match[1]),
    (rf"\\(?:{_ROMAN})\s*\{{(\w+)\}}", lambda match: f" {match[1]} "),
    (rf"\\(?:{_ROMAN}){_BRACED}", lambda match: f"$({match[1]})" if " " in match[1] else f"({match[1]})"),
    (rf"\\(?P<c>{_ACCENTS}){_BRACED}", lambda match: f"{match[2]}_{match[1].removeprefix('wide')}"),
    (rf"\\[cdt]?frac{_BRACED}{_BRACED}", lambda match: f"({_grouped(match[1])}/{_grouped(match[2])})"),
    (rf"\\sqrt\s*\[(\w+)\]{_BRACED}", lambda match: f"{_grouped(match[2])}^(1/{match[1]})"),
    (rf"\\sqrt{_BRACED}", lambda match: f" sqrt({match[1]})"),
    (rf"\\binom{_BRACED}{_BRACED}",
     lambda match: f"binomial({', '.join(map(_grouped, match.groups()))})"),
    (rf"_{_BRACED}", lambda match: "_" + re.sub(r"\W", "", match[1])),
    (rf"\^{_BRACED}", lambda match: f"^{_grouped(match[1])}"),
    (r"\{([^{}]*)\}", lambda match: f"({match[1]})"),
)  # fmt: skip


def plain(text: str) -> str:
    """A formula in LaTeX as an expression; '' where it has more than is known here."""
    text = re.sub(r"\\(?:left|right|[bB]igg?[lr]?)(?![A-Za-z])\.?", " ", text)
    text = re.sub(r"\\(?:displaystyle|limits|quad|qquad)(?![A-Za-z])|(?<!\\)\\[,;!: ]|\$|~", " ", text)
    text = re.sub(r"\^\s*(?:\\top(?![A-Za-z])|\{\s*(?:\\top|T)\s*\})", ".T", text)
    text = re.sub(r"\^\s*(?:\\circ(?![A-Za-z])|\{\s*\\circ\s*\})", "*deg", text)
    text = _MATRIX.sub(_rows, text.replace(r"\|", "‖").replace(r"\{", "(").replace(r"\}", ")"))
    text = re.sub(r"\\([dt]?frac)\s*(\d)\s*(\d)", r"\\\1{\2}{\3}", text)
    text = re.sub(rf"\\({_GREEK})(?![A-Za-z])", r" \1 ", text)
    before = None
    while text != before:
        before = text
        for pattern, become in _BRACES:
            text = re.sub(pattern, become, text, count=1)
            if text != before:
                break
    text = re.sub(r"\s+(?:([_^])\s*|(\.T\b))", r"\1\2", text)
    text = re.sub(r"\\([A-Za-z]+)", lambda match: f" {_SYMBOLS[match[1]]} " if match[1] in _SYMBOLS else match[0], text)
    for match in reversed([*_FUNCTION.finditer(text)]):
        text = text[: match.start()] + _called(match) + text[match.end() :]
    text = re.sub(r"‖\s*_2(?=\^|\W|$)", "‖", text)
    for left, right, function in _BARS:
        text = re.sub(rf"{left}\s*([^{left}{right}]+?)\s*{right}", rf" {function}(\1)", text)
    written = "".join(_written(text))
    return "" if re.search(r"[\\{}&$‖]|^\s*$", written) else written


def _called(match: re.Match[str]) -> str:
    """A function applied to what stands behind it: \\sin^2 x as sin(x)^2."""
    name, base, power = match["f"], match["b"], match["n"]
    inner = _inside(match["x"]) + (f", {_inside(base)}" if base else "")
    if base and name != "log":
        return match[0]
    if power in ("-1", "(-1)") and name[:3] in ("sin", "cos", "tan"):
        return f" a{name}({inner}) "
    return f" {name}({inner})" + (f"^{power}" if power else "") + " "


def _rows(match: re.Match[str]) -> str:
    """A matrix, or a column, with its rows in brackets."""
    rows = [", ".join(map(str.strip, row.split("&"))) for row in match[2].split(r"\\") if row.strip()]
    return f"[{', '.join(f'[{row}]' for row in rows)}]"


def _grouped(text: str) -> str:
    """A part in brackets, where it is more than a name, a number, or a call."""
    text = text.strip()
    return text if re.fullmatch(rf"[\w.]+|\\?\w*{_GROUP}", text) else f"({text})"


def _inside(text: str) -> str:
    """A part without the brackets around the whole of it."""
    return text[1:-1].strip() if re.fullmatch(_GROUP, text) else text


def _written(text: str) -> Iterator[str]:
    """The tokens, with a product's sign between values side by side, and blanks around sums.

    A name of one letter before a bracket is a factor, unless its function is defined here.
    """
    defined = _DEFINITION.match(text)
    before = ""
    for token in _TOKEN.findall(_inside(text.strip())):
        is_value = bool(re.match(r"[\w.(\[]", token)) and token not in ("and", "or", "mod")
        follows = bool(re.match(r"[\w.)\]]", before[-1:])) and before not in ("and", "or", "mod", "not")
        called = token == "(" and (before[1:].isalnum() or (defined is not None and before == defined[1]))
        if is_value and follows and not called and token != "[":
            yield " @ " if before.endswith(".T") else "*"
        between = follows and (token in ("+", "-", "=", "<", ">", "and", "or", "mod") or len(token) == 2)
        loose = between and not is_value
        yield f" {token} " if loose else ", " if token == "," else token
        before = token
