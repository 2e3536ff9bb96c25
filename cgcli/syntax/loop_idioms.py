"""How other languages write loops, branches, and sums over an index: rows of the idioms."""

from __future__ import annotations

import re

from cgcli.syntax.idiom import NAME, Idiom

_I = rf"(?P<i>{NAME})"
_A = r"(?P<a>-?[\w.]+)"
_B = r"(?P<b>-?[\w.]+(?:\([^()\n]{0,20}\))?(?:\s*[-+*/]\s*[\w.]+)?)"
_LOW = r"-?\w+?(?:\.\d+)?"
_RANGE = rf"[\[(]?\s*(?P<a>{_LOW})\s*(?:\.\.(?P<o>[=<]?)|:)\s*{_B}\s*[\])]{{0,2}}"
_FIRST = r"(?:\A|(?<=[;\n{}])|(?<=[;{}] ))\b"  # where a statement begins
_UP_TO = rf"(?i:(?<=\d):|:(?=\s*-?\w+\s*[{{)\n;,]|\s*-?\w+\s*$|\s*-?\d)|\bto\b|\.\.\.|,)\s*{_B}"
_BRANCH_BEGINS = r"(?::|\bthen\b(?=\s*\n|[^;\n]*=)|\n|(?<=\))\s*\w+\s*=(?!=))(?![^\n]*\belse\b[^=\n]*$)"
_BRACES = "the statements of a loop stand in braces"
_FORM = "a loop is written in another way"
_SERIES = "the index of a sum stands first"
_KINDS = {"sum": "sum", "prod": "prod", "product": "prod", "symsum": "sum", "symprod": "prod", "∑": "sum", "∏": "prod"}
_EXAMPLES = {
    "while": "while x > 1 { x = x/2 }", "if": "if x > 0 { y = x } else { y = 0 }", "repeat": "repeat 10 { x = cos(x) }",
    "for": "for i in 1..10 { s = s + i }",
}  # fmt: skip
_TERM = r"(?P<t>(?:[^()\[\]\n,]|\([^()\n]*\)|\[[^\[\]\n]*\]){1,60}?)"


def _less(bound: str) -> str:
    """The number before a bound that is not reached."""
    return str(int(bound) - 1) if bound.lstrip("-").isdigit() else f"{bound} - 1"


def _for(match: re.Match[str]) -> str:
    """A loop over an index, whose upper bound may be one that is not reached."""
    parts = match.groupdict()
    last = _less(parts["b"]) if parts.get("o") == "<" or "range" in match[0] else parts["b"]
    return f"write for {parts.get('i') or parts.get('j') or 'i'} in {parts['a'] or 0}..{last} {{ … }}"


def _series(match: re.Match[str]) -> str:
    """A sum or a product over an index."""
    parts = match.groupdict()
    last = _less(parts["b"]) if "range" in match[0] else parts["b"]
    kind = _KINDS[match["k"].lower().strip("\\")]
    return f"write {kind}({parts['i']}={parts['a'] or 0}..{last}, {parts.get('t') or '…'})"


def _condition(match: re.Match[str]) -> str:
    condition = match["c"].strip()
    if condition.startswith("(") and condition.endswith(")"):
        condition = condition[1:-1]
    return f"write {match['w'].lower()} {condition} {{ … }}"


LOOPS = (
    # ---- sums and products over an index ----
    Idiom(rf"(?i:(?P<k>symsum|symprod|sum|prod|product))\(\s*{_TERM},\s*\(?\s*{_I}\s*,\s*{_A}\s*,\s*{_B}\s*\)?\s*\)",
          _SERIES, _series),
    Idiom(rf"(?P<k>Sum|Product)\[\s*{_TERM},\s*\{{\s*{_I}\s*,\s*(?:{_A}\s*,\s*)?{_B}\s*\}}\s*\]", _SERIES, _series),
    Idiom(rf"\b(?P<k>sum|prod|product)\(\s*{_TERM},\s*{_I}\s*=\s*{_A}\s*(?:\.\.|:|\bto\b)\s*{_B}\s*\)",
          _SERIES, _series),
    Idiom(rf"\b(?P<k>sum|prod|product)\(\s*{_I}\s*(?:=|\bin\b)\s*{_A}\s*(?::|\bto\b)\s*{_B}\s*,\s*{_TERM}\)",
          "the bounds of an index stand apart by two points", _series),
    Idiom(rf"\b(?P<k>sum|prod)\(\[?\s*{_TERM}\s+for\s+{_I}\s+in\s+range\(\s*(?:{_A}\s*,\s*)?{_B}\s*\)\s*\]?\s*\)",
          _SERIES, _series),
    Idiom(rf"\b(?P<k>sum|prod)\(\[?\s*{_TERM}\s+for\s+{_I}\s+in\s+{_A}\s*:\s*{_B}\s*\]?\s*\)", _SERIES, _series),
    Idiom(rf"\[\s*{_TERM}\s+for\s+{_I}\s+in\s+{_A}\s*(?:\.\.|:)\s*{_B}\s*\]",
          "the values of a loop's trips are an array", "write for {i} in {a}..{b} {{ {t} }}"),
    Idiom(rf"Table\[\s*{_TERM},\s*\{{\s*{_I}\s*,\s*(?:{_A}\s*,\s*)?{_B}\s*\}}\s*\]",
          "the values of a loop's trips are an array",
          lambda match: f"write for {match['i']} in {match['a'] or 1}..{match['b']} {{ {match['t']} }}"),
    Idiom(rf"\\?(?P<k>\bsum|\bprod|∑|∏)_\s*\{{?\s*{_I}\s*=\s*{_A}\s*\}}?\s*\^\s*\{{?\s*(?P<b>\w+)\s*\}}?\s*"
          r"(?P<t>[^\s;\n][^;\n]{0,40})?", _SERIES, _series),
    # ---- loops ----
    Idiom(rf"{_FIRST}for\s*\(\s*(?:(?:int|let|var|double|float|auto)\s+)?{_I}\s*=\s*{_A}\s*;\s*(?P=i)\s*(?P<o><=?)"
          rf"\s*{_B}\s*;[^)\n]*\)", _FORM, _for, wide=True),
    Idiom(rf"{_FIRST}for\s+{_I}\s+in\s+range\(\s*(?:{_A}\s*,\s*)?{_B}\s*\)\s*:?", _FORM, _for),
    Idiom(rf"{_FIRST}for\s+{_I}\s+in\s+range\([^()\n]*,[^()\n]*,[^()\n]*\)\s*:?", "an index counts one by one",
          "compute the others from it: for k in 0..4 {{ {i} = 2*k; … }}"),
    Idiom(rf"{_FIRST}(?:(?i:for(?:\s*each|\s*all)\s*\(?|for\s*\()\s*(?:(?:int|let|var|const)\s+)?{_I}\s*(?:\bin\b|:?=|<-|∈)"
          rf"|for\s+(?P<j>{NAME})\s*(?::?=|<-|∈))\s*{_RANGE}", _FORM, _for),
    Idiom(rf"{_FIRST}for\s+{_I}\s+in\s+(?=[\[(]|{_LOW}\.\.[=<]){_RANGE}", _FORM, _for),
    Idiom(rf"{_FIRST}(?i:for\b)\s*\(?\s*{_I}\s*(?i:\bin\b|:?=|∈|\bfrom\b)\s*{_A}\s*{_UP_TO}(?:\s*\))?"
          r"(?:\s*\b(?i:do\b))?", _FORM, _for),
    Idiom(rf"{_FIRST}for\s*\(?\s*(?:(?:const|let|var|auto)\s+)?{_I}\s+(?:in|of)\s+(?P<v>{NAME})\s*(?:\)|:|\bdo\b)",
          _FORM, "write for {i} in {v} {{ … }}"),
    Idiom(rf"{_FIRST}for\b[^{{}};\n]{{0,60}}[;\n]", _BRACES, "as in: for i in 1..10 {{ s = s + i }}", wide=True),
    Idiom(rf"{_FIRST}while\s+(?P<c>[^{{}}:;\n]{{1,40}}?)\s+(?:(?:do|loop)\s+)?(?P<t>{NAME}\s*[-+*/^@]?=(?!=)[^{{}};\n]*?)\s*;?\s*\bend\b",
          _BRACES, "write while {c} {{ {t} }}"),
    Idiom(rf"{_FIRST}(?P<w>(?i:while\b))\s*(?P<c>[^{{}}:;\n]{{1,60}}?)\s*(?::|\bdo\b|\bloop\b|[;\n])", _BRACES,
          _condition, wide=True),
    Idiom(r"(?P<w>\bwhile\b)\s*(?P<c>\([^()\n]{1,60}\))\s*(?=\w)\w+", _BRACES, _condition),
    Idiom(r"\bdo\b\s*(?:\{|\n)|\brepeat\b[^{}\n]*\buntil\b|\buntil\b|\bloop\b\s*\{", _FORM,
          "the condition stands first: while x > 1 {{ x = x/2 }}"),
    Idiom(rf"{_FIRST}loop\s+(?P<n>\w+)\s*(?=\{{)|{_FIRST}repeat\s+(?P<m>\w+)\s*:", _FORM,
          lambda match: f"write repeat {match['n'] or match['m']} {{ … }}"),
    Idiom(rf"{_FIRST}until\b\s*(?P<c>[^{{}}:;\n]{{1,60}}?)\s*(?=\{{)", _FORM, "write while not ({c}) {{ … }}"),
    Idiom(rf"{_FIRST}unless\b\s*(?P<c>[^{{}}:;\n]{{1,60}}?)\s*(?=\{{)", "a branch is written in another way",
          "write if not ({c}) {{ … }}"),
    Idiom(r"\b(?P<n>\w+)\.times\b|\brepeat\s+(?P<m>\w+)\s+times\b", _FORM,
          lambda match: f"write repeat {match['n'] or match['m']} {{ … }}"),
    Idiom(r"\b(?P<w>break|continue)\b", "no statement leaves a loop or a trip",
          "put it into the condition, or into a branch: if … {{ … }}"),
    Idiom(rf"{_FIRST}(?:for|while)\b\s*\(?\s*\w+", _BRACES,
          "as in: for i in 1..10 {{ s = s + i }}, while x > 1 {{ x = x/2 }}"),
    Idiom(rf"{_FIRST}for\s+(?!{NAME}\s+in\b)(?:in\s+)?{_A}\s*\.\.\s*{_B}", "a loop over a range has an index", _for),
    Idiom(r"(?P<a>\d+)\.\.\.(?P<b>\d+)", "a range has two points", "write {a}..{b}"),
    Idiom(r"\b(?P<w>while|if|repeat|for)\s*(?:\(\s*\))?\s*\{", "'{w}' needs something before its block",
          lambda match: f"as in: {_EXAMPLES[match['w']]}"),
    Idiom(r"\}\s*(?:end|done|od|fi|endif|endfor|endwhile|wend)\b", "a block ends with '}}' alone", "write }}"),
    Idiom(r"\}[ \t]*(?!(?:else|elif|elseif|elsif)\b)(?P<x>[\w(\[])", "a statement ends with ';' or with its line",
          "write }}; {x}"),
    # ---- branches ----
    Idiom(r"\b(?:elif|elseif|elsif|elsf)\b\s*(?P<c>[^{}:;\n]{0,40}?)(?=\s*[{:;\n]|\s*$)",
          "a second condition is a branch of the other", lambda match: f"write else if {match['c'].strip()} {{ … }}"),
    Idiom(rf"{_FIRST}(?P<w>if\b)\s*(?P<c>[^{{}}:;\n]{{1,60}}?)\s*{_BRANCH_BEGINS}",
          "the statements of a branch stand in braces", _condition, wide=True),
    Idiom(r"(?:\A|(?<=[;\n]))\s*(?P<w>end|endif|endfor|endwhile|fi|done|wend|od|END|ENDIF|NEXT|next)\b(?!\s*[=(])",
          "a block ends with '}}'", "the statements of a loop or a branch stand in braces: {{ … }}"),
    Idiom(r"\bend\b\s*(?=[;\n]|\Z)", "'end' is not needed", "take it away"),
)  # fmt: skip
