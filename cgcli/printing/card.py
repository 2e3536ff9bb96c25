"""An entry of the table in words: how it is written, where it is defined, what its derivative is."""

from __future__ import annotations

import re

from cgcli.annotations import Any, Callable, Sequence
from cgcli.graph.node import apply, rebuild, variable
from cgcli.graph.operation import Operation
from cgcli.graph.rules import UNKNOWN, Branch, Jvp, Partial, Partials, Transpose, TransposeOf
from cgcli.ops.table import Entry
from cgcli.printing.expression import formula

# What a formula says only so that its value is nan outside of the domain, as the operation's is.
_NAN_GUARD = re.compile(r"where\((\w+) == \1, (?P<inside>.*), \1\)")  # where(out == out, 1/x, out)
_LINEAR = "the derivative is the operation itself, applied to the tangent"


def operators(entry: Entry) -> list[str]:
    """How the entry is written as an operator: `x + y`, `-x`, `n!`; empty for most."""
    if not isinstance(entry, Operation):
        return []
    texts = []
    if entry.infix is not None:
        left, right = entry.arrays
        texts.append(f"{left} {entry.infix.symbol} {right}")
    if entry.prefix is not None:
        texts.append(f"{entry.prefix.symbol}{entry.arrays[0]}")
    if entry.postfix is not None:
        texts.append(f"{entry.arrays[0]}{entry.postfix.symbol}")
    return texts


def notations(entry: Entry) -> list[str]:
    """Every way to write the entry that is no call by its name: `x @ y`, `x.T`, `c ? a : b`."""
    return [*operators(entry), *(entry.written if isinstance(entry, Operation) else ())]


def symbols(entry: Entry) -> set[str]:
    """What is left of the notations without their arguments: `@`, `.T`, `?:`, `[]`."""
    names = "|".join([*(name.lstrip("*") for name in entry.arrays), *(static.name for static in entry.statics)])
    arguments = re.compile(rf"\b({names})\d*\b|[\s,]")
    return {arguments.sub("", notation) for notation in notations(entry)}


def domain(entry: Entry) -> str | None:
    """Where the value is a finite number; None for arrays of which there is nothing to say."""
    if entry.domain:
        return entry.domain
    if not isinstance(entry, Operation) or not entry.elementwise:
        return None
    return "any number" if len(entry.arrays) == 1 and not entry.variadic else "any numbers"


def derivative(entry: Entry, parts: Sequence[str]) -> list[str]:
    """The rule of the entry, line by line.

    parts: the names of the operations that it is made of, where a function builds it of them.
    """
    ruled = isinstance(entry, Operation) and entry.rules and all(type(rule) in _WORDS for rule in entry.rules)
    if callable(entry.expansion) and not ruled:
        return [f"that of the operations it is made of: {', '.join(parts)}"]
    if entry.expansion and not ruled:
        return [f"that of {entry.expansion}"]
    assert isinstance(entry, Operation)
    if not any(entry.rules):
        return [f"none: {entry.why_no_derivative}"]
    lines = [
        line
        for name, rule in zip(entry.arrays, entry.rules, strict=True)
        for line in (_WORDS[type(rule)](name, rule) if not isinstance(rule, Partials) else _of_two(entry, rule))
    ]
    uses_value = any(re.search(r"\bout\b", line) for line in lines)
    return [*lines, "out is the value"] if uses_value else lines


def unguarded(text: str) -> str:
    """A derivative's formula without what makes it nan outside of the domain."""
    match = _NAN_GUARD.fullmatch(text)
    return match["inside"] if match else text


def _stated(before: str, text: str) -> list[str]:
    """A formula after the words that lead to it; the names that it defines on the way come last."""
    *definitions, result = (line.strip() for line in text.replace("\n", ";").split(";") if line.strip())
    return [f"{before} {unguarded(result)}", *([f"with {'; '.join(definitions)}"] if definitions else [])]


def _of_two(op: Operation, rule: Partials) -> list[str]:
    """The partials of an operation of any number of arguments, for two of them."""
    names = [f"{op.arrays[0].lstrip('*')}{at}" for at in (1, 2)]
    args = tuple(variable(name) for name in names)
    partials = rule.build(args)
    become = rebuild(partials, apply, {apply(op, args): variable("out")})
    return [f"d/d{name} = {formula(become[node])}" for name, node in zip(names, partials, strict=True)]


# For each kind of rule, what it says of the argument of a name.
_WORDS: dict[type, Callable[[str, Any], list[str]]] = {
    Partial: lambda name, rule: (
        [f"by {name}: no formula of it is known"]
        if rule is UNKNOWN
        else _stated(f"d/d{name} =", rule.book or rule.formula)
    ),
    Jvp: lambda name, rule: _stated(f"the tangent d{name} of {name} becomes", rule.book or rule.formula),
    Transpose: lambda name, rule: [f"linear in {name}: {_LINEAR}"],
    TransposeOf: lambda name, rule: [
        f"linear in {'all arguments together' if rule.jointly else 'each argument'}: {_LINEAR}"
    ],
    Branch: lambda name, rule: [f"by {name}: only where this branch is taken"],
    type(None): lambda name, rule: [f"by {name}: none"],
}
