"""What people write as in a programming language, a spreadsheet or a computer algebra system: rows of the idioms."""

from __future__ import annotations

import re

from cgcli.syntax.elsewhere import NAMES, as_call
from cgcli.syntax.idiom import INNER, LOOSE, NAME, VALUE, Idiom
from cgcli.syntax.spreadsheets import of_pointed

_WORDS = {
    "plus": "+", "minus": "-", "times": "*", "over": "/", "equals": "==", "squared": "^2", "cubed": "^3",
    "xor": "!=", "is not": "!=", "is": "==", "div": "//",
}  # fmt: skip
_OBJECT = rf"{NAME}\[[^\[\]\n]{{0,40}}\]|(?:{NAME})?\((?:[^()\n]|\([^()\n]{{0,40}}\)){{0,40}}\)|{NAME}"
_CAPITALS = {"AND": "and", "OR": "or", "MOD": "mod", "XOR": "!=", "DIV": "//"}
_DOTTED = {"gt": ">", "lt": "<", "ge": ">=", "le": "<=", "eq": "==", "ne": "!=", "and": "and", "or": "or", "not": "not"}
_NAMES = rf"{NAME}(?:\s*,\s*{NAME})*"
_NAMED = rf"(?:(?:\b(?:let|const|var|auto)\s+)?(?P<n>{NAME})\s*(?:=|<-)\s*)"
_BODY = r"(?P<b>(?:[^\n;()]|\([^()\n]*\))+)"
_PART = r"[^\n,;:{}]{1,60}?"
_END = r"(?:[,;]?\s*\bend\b|;?\s*\}|(?=[;\n]|$))"
_MODULES = (
    "np|numpy|jnp|math|Math|cmath|torch|jax|tf|scipy|sympy|statistics|special|sp|nn|F|std|Base|LinearAlgebra|keras|stats|"
    "cupy"
)
_ARGUMENTS = rf"\({INNER}\)|{INNER}"
_AS_ARRAYS = "array|asarray|tensor|Tensor|as_tensor|constant"
_TYPES = "float|double|int|integer|real|complex|number|Real|Float64|Float32|Int|Number|f64|f32|array|Tensor|ndarray"
_GIVEN = "values stand behind the expression, as in: cg eval 'x^2' x=3"


def _parameters(text: str) -> str:
    """The names of parameters, without types and defaults."""
    names = [re.split(r"[:=]", part)[0].split() for part in text.split(",")]
    return ", ".join(name[-1] for name in names if name)


def _definition(match: re.Match[str]) -> str:
    """A function as other languages define one; Matlab's and Fortran's give the value to a name."""
    body = match["b"].strip().removeprefix("return ")
    if match["o"]:
        body = re.sub(rf"^{match['o']}\s*=\s*", "", body)
    return f"write {match['g']}({_parameters(match['x'])}) = {body}".rstrip()


def _anonymous(match: re.Match[str]) -> str:
    """A function without a name, which has one when it is a statement of its own."""
    before = match.string[: match.start()].rstrip(" \t")
    if before[-1:] not in ("", ";", "\n"):
        return "a function is written as in: f(x) = x^2"
    return f"write {match['n'] or 'f'}({match['x'].strip()}) = {match['b'].strip()}"


def _each(match: re.Match[str]) -> str:
    """What a comprehension does for each element, for the whole array."""
    array = re.sub(r"^range\((.*)\)$", r"arange(\1)", match["v"])
    array = re.sub(r"^(\d+):(\d+)$", r"arange(\1, \2 + 1)", array)
    return "write " + re.sub(rf"\b{match['i']}\b", array, match["e"].strip())


def _before_its_argument(match: re.Match[str], function: str) -> str:
    """A method's call as one of a function."""
    value = match["v"].removeprefix("(").removesuffix(")") if match["v"][0] == "(" else match["v"]
    args = re.split(r",\s*(?![^(\[]*[)\]])", match["x"].strip())
    return as_call(function, [value, *filter(None, args)])


def _without_module(match: re.Match[str]) -> str:
    return NAMES.get(match["x"]) or f"write {match['x'].lower()}"


def _choice(match: re.Match[str]) -> str:
    condition, yes, no = (re.sub(r"^return\s+", "", match[part].strip()) for part in "cab")
    given, otherwise = (re.fullmatch(rf"({NAME})\s*=(?!=)\s*(.*)", part) for part in (yes, no))
    if given and otherwise and given[1] == otherwise[1]:
        return f"write {given[1]} = {condition} ? {given[2]} : {otherwise[2]}"
    if given or otherwise:
        return f"write if {condition} {{ {yes} }} else {{ {no} }}"
    return f"write {condition} ? {yes} : {no}"


def _spreadsheet(match: re.Match[str]) -> str:
    """A spreadsheet's function with points in its name."""
    args = [part.strip() for part in re.split("[,;]", match["x"])]
    return of_pointed(match["w"], args) or "as in: sqrt(2)"


def _prefix_notation(match: re.Match[str]) -> str:
    """Lisp's operator before its values."""
    operator = f" {match['o']} " if match["o"] in "+-" else match["o"]
    return f"write ({operator.join(match['x'].split())})"


_ANONYMOUS = [
    Idiom(rf"{_NAMED}?{head}\s*{_BODY}", "a function has a name", _anonymous)
    for head in (
        rf"\blambda\s+(?P<x>{_NAMES})\s*:",
        rf"@\s*\((?P<x>{_NAMES})\)",
        rf"\\\((?P<x>{_NAMES})\)",
        rf"\bfunction\s*\((?P<x>{_NAMES})\)",
        rf"\\(?P<x>{NAME})\s*->",
        rf"\((?P<x>{_NAMES})\)\s*(?:->|=>|→|↦|⟶)",
        rf"(?P<x>{NAME})\s*(?:->|=>|→|↦|⟶)(?=[^\n;]*[-+*/^(][^\n;]*\b(?P=x)\b|[^\n;]*\b(?P=x)\b[^\n;]*[-+*/^(])",
    )
]

LANGUAGES = (
    # ---- comments, statements ----
    Idiom(r"/\*[^\n]*?\*/", "a comment begins with '#', and ends with its line", "take it away"),
    Idiom(r"(?://+|%+)\s+(?P<w>[A-Za-z]{2,}(?:\s+[A-Za-z]{2,})+)\s*$", "a comment begins with '#'", "write # {w}"),
    Idiom(r"(?m)(?:^|(?<=[;\n])|(?<=; ))(?://+|%+(?!\w+\b\s*[-+*/^])|--+(?=\s)|/\*|\(\*(?=[^\n]*\*\))|\"{3}(?!\")|'{3}(?!'))",
          "a comment begins with '#'", "write #"),
    Idiom(rf"{_PART}\s+(?:where|at|for|with|when)\s+{NAME}\s*=(?!=)", "a value is not part of the expression", _GIVEN),
    Idiom(r",\s*na\.rm\s*=\s*\w+", "a nan among the values makes the result nan",
          "take it away; --on-error skip leaves out rows whose result is nan"),
    Idiom(r"\bassert\b[^;\n]*;?[ \t]*", "a program makes no assertions", "take it away"),
    Idiom(rf"(?P<x>{NAME})\s*::?\s*(?:{_TYPES})\s*=(?!=)", "a value needs no type", "write {x} ="),
    Idiom(rf"(?P<x>{NAME})\s*::\s*(?:{_TYPES})\b", "a value needs no type", "write {x}"),
    Idiom(r"@(?:\.|[a-z]+)\s+(?=\w)", "an operation acts on each element as it is", "take it away"),
    Idiom(rf"/\.\s*{NAME}\s*->", "a value is not part of the expression", _GIVEN),
    # ---- choices ----
    Idiom(r"\b(?i:if)\s+(?P<c>[^\n]{1,40}?)\s+(?i:then)\s+(?P<a>[^\n]{1,40}?)\s+(?i:else)\s+(?P<b>[^\n;]{1,40})",
          "a choice is not written in words", _choice),
    Idiom(rf"(?i:\bcase\s+when)\s+(?P<c>{_PART})\s+(?i:then)\s+(?P<a>{_PART})\s+(?i:else)\s+(?P<b>{_PART})\s+(?i:end)\b",
          "a choice is not written in words", _choice),
    Idiom(rf"\bif\b\s*(?P<c>{_PART})\s*[,:{{]\s*(?P<a>{_PART})\s*[,;}}]?\s*\belse\b\s*[:,{{]?\s*(?P<b>{_PART})\s*{_END}",
          "a choice is not written in words", _choice),
    Idiom(rf"\bif\s*(?P<c>\([^()\n]{{1,40}}\))\s*(?P<a>{VALUE})\s+else\s+(?P<b>{VALUE})",
          "a choice is not written in words", _choice),
    Idiom(r"(?P<a>[^\n=;(,]{1,40}?)\s+if\s+(?P<c>[^\n]{1,40}?)\s+else\s+(?P<b>[^\n;),]{1,40})",
          "a choice is not written in words", _choice),
    Idiom(rf"\blim(?:it)?\s+{NAME}\s*(?:->|→)\s*[-+]?[\w.∞]+", "there are no limits",
          "the value near a place is as in: cg eval 'sin(x)/x' x=1e-9"),
    # ---- definitions ----
    Idiom(rf"\b(?P<w>def|function|func|fun|fn|double|float|int|real)\s+(?:(?P<o>{NAME})\s*=\s*)?(?P<g>{NAME})\s*"
          rf"\((?P<x>[^()\n]{{0,60}})\)(?:\s*->\s*\w+)?\s*[:={{]?\s*(?:return\b)?\s*(?P<b>[^{{}};\n]*?)\s*{_END}",
          "'{w}' is not needed", _definition, wide=True),
    Idiom(rf"(?P<g>{NAME})\[(?P<x>{NAME}_(?:\s*,\s*{NAME}_)*)\]\s*:?=",
          "a function's parameters stand in round brackets",
          lambda match: f"write {match['g']}({match['x'].replace('_', '')}) ="),
    *_ANONYMOUS,
    Idiom(rf"\b(?P<w>let|var|const|local|global|int|float|double|real|auto|val|final|static)\s+(?P<x>{NAME})",
          "'{w}' is not needed", "write {x}"),
    Idiom(rf"\breturn\s+(?P<x>{VALUE})", "'return' is not needed: the last line is the result", "write {x}"),
    Idiom(rf"\bbegin\s+{NAME}(?=\s*=)",
          "'begin' is not needed: the last line is the result", "take it away, and 'end'"),
    Idiom(rf"\b(?P<w>print|echo|disp|show|calculate|compute|evaluate|begin)\s+(?P<x>{VALUE})",
          "'{w}' is not needed: the last line is the result", "write {x}"),
    Idiom(rf"\bconsole\.log\((?P<x>{INNER})\)", "the last line is the result, and is printed", "write {x}"),
    Idiom(r"\b(?:import|from|using|include)\s+\w+", "nothing is imported: every function is there", "take it away"),
    # ---- comprehensions ----
    Idiom(rf"\[?(?P<e>(?:[^\n()\[\],]|\([^()\n]*\)){{1,40}}?)\s+for\s+(?P<i>{NAME})\s+in\s+"
          rf"(?P<v>{NAME}|range\(\w+(?:,\s*\w+)?\)|\d+:\d+)(?:\s*\]|(?=\s*\)))",
          "an operation acts on each element of an array", _each),
    # ---- operators ----
    Idiom(r"\b(?P<f>max|min|atan2|hypot|pow|dot)(?P<x>(?:[ \t]+(?!of\b)[\w.]+){2,3})(?=\s*\Z)",
          "a function's arguments stand in brackets, with commas between them",
          lambda match: f"write {match['f']}({', '.join(match['x'].split())})"),
    Idiom(rf"\b(?P<f>{NAME})\s+of\s+(?P<x>{VALUE})", "a function's argument stands in brackets", "write {f}({x})"),
    Idiom(rf"(?P<x>{VALUE})\s+is(?P<n>\s+not)?\s+(?:None|null|NULL|nan|NaN|NA)\b",
          "a missing number is nan, which alone differs from itself",
          lambda match: f"write {match['x']} {'==' if match['n'] else '!='} {match['x']}"),
    Idiom(r"\b(?:is not|plus|minus|times|over|equals|squared|cubed|xor|is|div)\b",
          "an operator is not written as a word", lambda match: f"write {_WORDS[match[0]]}"),
    Idiom(r"\b(?:AND|OR|MOD|XOR|DIV)\b", "an operator has small letters",
          lambda match: f"write {_CAPITALS[match[0]]}"),
    Idiom(rf"\bNOT\s+(?P<x>{VALUE})", "an operator has small letters", "write not {x}"),
    Idiom(r"\.(?P<o>gt|lt|ge|le|eq|ne|and|or|not)\.", "an operator has no points",
          lambda match: f"write {_DOTTED[match['o']]}"),
    Idiom(rf"(?P<x>{VALUE})\s+between\s+(?P<a>{VALUE})\s+and\s+(?P<b>{VALUE})", "an operator is not written as a word",
          "write {a} <= {x} <= {b}"),
    Idiom(r"\b(?:and|or)\s*(?:[<>]=?|[=!]=)", "a comparison has a value on each side", "as in: x > 1 and x < 3"),
    Idiom(rf"(?P<x>{VALUE})\s*(?:\bnot\s+in\b|∉)\s*(?P<v>{VALUE})", "there is no operator for 'is none of'",
          "write max({v} == {x}) == 0"),
    Idiom(rf"(?P<x>{VALUE})\s*(?:\bin\b|∈|%in%)\s*(?P<v>{VALUE})", "there is no operator for 'is one of'",
          "write max({v} == {x})"),
    Idiom("(?<![<>=!])(?P<a>[<>=!]) +=(?!=)", "an operator has no blank inside", "write {a}="),
    Idiom(rf"(?P<a>{VALUE})\s*<<\s*(?P<b>{VALUE})", "'<<' is not an operator", "write {a}*2^{b}"),
    Idiom(rf"(?P<a>{VALUE})\s*>>\s*(?P<b>{VALUE})", "'>>' is not an operator", "write {a}//2^{b}"),
    Idiom(rf"(?P<x>[^\n;=|]+?)\s*\|>\s*(?P<g>{NAME})(?:\(\))?", "a function's argument stands in brackets",
          "write {g}({x})"),
    Idiom(r"\(\s*(?P<o>[-+*/])(?P<x>(?:\s+[\w.]+){2,})\s*\)", "an operator stands between its values",
          _prefix_notation),
    # ---- functions and names ----
    Idiom(r"(?:(?<=[(,=])|(?<=[,=] ))\((?P<x>[^()\n;]{1,40},[^()\n;]{1,40})\)", "a list stands in square brackets",
          "write [{x}]", ","),
    Idiom(rf"\b(?:{_MODULES})(?:\.\w+)*\.(?:{_AS_ARRAYS})(?=\()", "an array is the list itself", "take it away"),
    Idiom(rf"\b(?:{_MODULES})\.(?:float|float32|float64|double)(?=\()", "a number needs no type", "take it away"),
    Idiom(rf"\b(?:{_MODULES})(?:\.\w+)*\.Linear(?=\()", "a layer is its formula", "write x @ W.T + b"),
    Idiom(rf"\b(?:{_MODULES})\.(?:(?P<s>stack)|concat\w*|cat)\(\s*[\[(](?P<x>[^\[\]()\n]{{1,40}})[\])]",
          "each array is an argument", lambda match: f"write {match['s'] or 'concat'}({match['x']}"),
    Idiom(rf"\b(?:{_MODULES})(?:\.\w+)*\.(?P<x>{NAME})", "names stand without a module", _without_module),
    Idiom(rf"\b(?:grad|jacobian|hessian|jacfwd|jacrev|vmap|jit|derivative)\({NAME}\)\({INNER}\)",
          "a derivative is written D(f(x), x)", "as in: f(x) = x^2; D(f(x), x)"),
    Idiom(rf"(?P<v>{NAME})\.(?:t|transpose)\(\)", "a function stands before its argument", "write {v}.T"),
    Idiom(rf"(?P<v>{NAME})\.detach\(\)", "a function stands before its argument", "write stop_gradient({v})"),
    Idiom(rf"(?P<v>{NAME})\.(?:powi|powf)\((?P<x>\w+)\)", "a function stands before its argument", "write {v}^{x}"),
    Idiom(rf"(?P<v>{NAME})\.(?:item|numpy|copy|clone|cpu|tolist|float|double)\(\)",
          "a value needs no conversion", "write {v}"),
    Idiom(rf"(?P<v>{_OBJECT})\.(?:cuda|contiguous|half|eval|(?:to|astype|type)(?=\(\w))\([^()\n]{{0,40}}\)",
          "a value needs no conversion", "write {v}"),
    Idiom(rf"\bis\.(?:na|nan|null)\((?P<x>{INNER})\)", "a missing number is nan, which alone differs from itself",
          "write {x} != {x}"),
    Idiom(rf"\bas\.(?:numeric|double|integer|vector|matrix|array)\((?P<x>{INNER})\)", "a value needs no conversion",
          "write {x}"),
    Idiom(rf"\b(?P<w>(?:NORM|STDEV|VAR|MODE|PERCENTILE|QUARTILE|RANK|GAMMA|ERF)(?:\.\w+)+)\((?P<x>{INNER})\)",
          "a function's name has no point", _spreadsheet),
    Idiom(rf"(?P<v>{_OBJECT})\.(?P<f>{NAME})\((?P<x>{_ARGUMENTS})\)", "a function stands before its argument",
          lambda match: _before_its_argument(match, match["f"])),
    Idiom(rf"(?P<v>{NAME})\.(?:shape\[(?P<n>-?\d+)\]|(?P<s>size|length)\b(?!\())", "a shape is no value of a program",
          lambda match: f"write size({match['v']}, {match['n']})" if match["n"] else f"write size({match['v']})"),
    Idiom(rf"(?P<v>{NAME})\.shape\b(?!\()", "a shape is no value of a program",
          "write the number itself, or size({v}, 0) for the length of the first axis"),
    Idiom(rf"(?P<v>{NAME})\.ndim\b(?!\()", "a shape is no value of a program", "write the number itself"),
    Idiom(rf"(?P<v>{_OBJECT})\.(?P<g>{NAME})\((?P<x>{_ARGUMENTS})\)", "a function stands before its argument",
          lambda match: _before_its_argument(match, match["g"])),
    Idiom(rf"(?P<g>{NAME})\.\((?P<x>{INNER})\)", "a function acts on each element as it is", "write {g}({x})"),
    Idiom(rf"(?P<g>{NAME})\.\(", "a function acts on each element as it is", "write {g}("),
    Idiom(rf"(?P<f>{NAME})!\(", "a value does not change: a function gives a new one", "write {f}("),
    Idiom(rf"{NAME}!\(", "a value does not change: a function gives a new one", "as in: w = concat(v, [1])"),
    Idiom(rf"(?P<v>{NAME})\.I\b", "an inverse is a function", "write inv({v})"),
    Idiom(rf"(?P<v>{NAME})\.(?:H|mT)\b", "a name has no point", "write {v}.T"),
    Idiom(r"(?<=[\])}])\s*\.\s*(?=[A-Za-z\[({])", "'.' is not an operator", "write @ for a product of arrays", "."),
    Idiom(rf"{NAME}(?:\.{NAME})+", "a name has no point", "write `{0}` for such a name"),
    Idiom(rf"(?P<v>{NAME})\$(?P<x>{NAME})", "a column is a name", "write {x}"),
    Idiom(r"\$(?P<a>[A-Z]{1,3})\$?(?P<n>\d+)", "a cell is a name", "write {a}{n}"),
    Idiom(r"\barc\s+(?P<x>sin|cos|tan)(?P<h>h?)\b", "a function's name has no blank", "write a{x}{h}"),
    # ---- numbers ----
    Idiom(rf"{LOOSE}(?P<a>\d+\.?\d*)\*\^(?P<b>-?\d+)", "a number's exponent follows an 'e'", "write {a}e{b}"),
    Idiom(rf"{NAME}\s*@@@?", "a function's arguments stand in brackets", "as in: max(1, 2), sum([1, 2])"),
    Idiom(rf"{LOOSE}(?P<a>\d+\.?\d*)(?:[dD]|f(?=-?\d))(?P<b>[-+]?\d+)\b", "a number's exponent follows an 'e'",
          "write {a}e{b}"),
    Idiom(rf"{LOOSE}(?P<a>\d+\.\d*|\.\d+)[fFlL]\b", "a number has no suffix", "write {a}"),
    Idiom(rf"{LOOSE}(?P<a>\d[\d.]*)(?P<i>[ij])\b", "there is no operator between two values",
          "to multiply, write {a}*{i}; there are no complex numbers"),
)  # fmt: skip
