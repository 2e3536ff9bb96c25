"""Names of a program as identifiers of another language, one to one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from cgcli.annotations import Collection, Iterable, Mapping
from cgcli.graph.node import Node

_NO_LETTER = re.compile(r"\W", re.ASCII)


def identifiers(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """An identifier of ASCII letters, digits and '_' for each name; none of those that are taken, no two the same.

    A name that is such an identifier stays as it is; a Greek letter becomes its name.
    """
    names = list(dict.fromkeys(names))
    free = {name for name in names if _spelled(name) == name and name not in taken}
    found = {name: name for name in free}
    used = {*taken, *free}
    for name in names:
        if name not in free:
            base = spelled = _spelled(name)
            number = 1
            while spelled in used:
                number += 1
                spelled = f"{base}_{number}"
            used.add(spelled)
            found[name] = spelled
    return found


def apart(labels: Mapping[Node, str], taken: Collection[str]) -> dict[Node, str]:
    """An identifier of its own for each node that has a name: y, y_2, y_3 of three that are called y."""
    seen: Counter[str] = Counter()
    names = {}
    for node, name in labels.items():
        seen[name] += 1
        names[node] = name if seen[name] == 1 else f"{name}_{seen[name]}"
    spelled = identifiers(names.values(), taken)
    return {node: spelled[name] for node, name in names.items()}


def _spelled(name: str) -> str:
    """A name in ASCII."""
    plain = _NO_LETTER.sub("_", "".join(map(_letter, name)))
    return f"v_{plain}" if plain[:1].isdigit() or plain.startswith(("_", "cg_")) else plain or "v"


def _letter(sign: str) -> str:
    """A sign in ASCII: `theta` of θ, the digit of a subscript, a letter without its accent."""
    if sign.isascii():
        return sign
    words = unicodedata.name(sign, "").split()
    if words[:2] == ["GREEK", "SMALL"] and "LETTER" in words:
        return words[words.index("LETTER") + 1].lower()
    if words[:2] == ["GREEK", "CAPITAL"] and "LETTER" in words:
        return words[words.index("LETTER") + 1].capitalize()
    return "".join(part for part in unicodedata.normalize("NFKD", sign) if part.isascii()) or "_"
