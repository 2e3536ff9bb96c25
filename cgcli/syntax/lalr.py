"""Tokens to what a builder makes of them, by the LALR tables that lark made of the grammar."""

from __future__ import annotations

import os
from itertools import chain

from cgcli.annotations import Any, Callable, Iterable
from cgcli.syntax.scanner import Token, UnexpectedError

Rule = tuple[str, int, Callable[[list[Any]], Any] | None]

# The sections of the stored tables: a rule to a line, a state to a line, and the grammar that they belong to.
RULES, STATES, GRAMMAR = "%rules\n", "%states\n", "%grammar\n"
END = "$END"
REFUSED = -1_000_000


class _States(dict[int, dict[str, int]]):
    """What each state does with the symbol that comes next; a row is read when it is first needed.

    A number goes on to that state, ~number reduces by that rule.
    """

    def __init__(self, rows: list[str]) -> None:
        super().__init__()
        self._rows = rows

    def __missing__(self, state: int) -> dict[str, int]:
        items = self._rows[state].split()
        row = self[state] = dict(zip(items[::2], map(int, items[1::2]), strict=True))
        return row


class _Rules(dict[int, Rule]):
    """What each rule makes, how many symbols it takes, and how; None passes its only one on."""

    def __init__(self, rows: list[str], builder: object) -> None:
        super().__init__()
        self._rows = rows
        self._builder = builder

    def __missing__(self, number: int) -> Rule:
        origin, size, method, *kept = self._rows[number].split()
        rule = self[number] = origin, int(size), self._call(method, int(size), kept)
        return rule

    def _call(self, method: str, size: int, kept: list[str]) -> Callable[[list[Any]], Any] | None:
        if method == "=":
            return None
        call: Callable[[list[Any]], Any] = _list if method == "[]" else getattr(self._builder, method)
        if kept == [str(at) for at in range(size)]:
            return call
        return lambda children: call(_kept(children, kept))


def _list(children: list[Any]) -> list[Any]:
    return children


def _kept(children: list[Any], kept: list[str]) -> list[Any]:
    """The children that a rule's method is called with: `2`, `*2` for all that this one holds, `-` for None."""
    found: list[Any] = []
    for item in kept:
        if item == "-":
            found.append(None)
        elif item[0] == "*":
            found = [*found, *children[int(item[1:])]] if found else children[int(item[1:])]
        else:
            found.append(children[int(item)])
    return found


class Tables:
    """The parser that stored tables describe.

    builder: has a method for each name that the rules call, with the children from left to right.
    """

    def __init__(self, stored: str, builder: object) -> None:
        rules, _, states = stored.partition(GRAMMAR)[0].removeprefix(RULES).partition(STATES)
        self._rules = _Rules(rules.splitlines(), builder)
        self._states = _States(states.splitlines())

    def parse(self, tokens: Iterable[Token]) -> Any:
        """What the builder makes of all tokens; raises UnexpectedError for one that cannot stand where it does."""
        states, rules = self._states, self._rules
        stack: list[int] = [0]
        values: list[Any] = []
        last = None
        for token in chain(tokens, (None,)):
            kind = token[0] if token else END
            while (action := states[stack[-1]].get(kind, REFUSED)) < 0:
                if action == REFUSED:
                    at = last[3] if last else 0
                    raise UnexpectedError(token or Token(END, "", at, at), token[2] if token else at)
                origin, size, call = rules[~action]
                if call is None:
                    stack.pop()
                else:
                    first = len(values) - size
                    children = values[first:]
                    del values[first:], stack[first + 1 :]
                    values.append(call(children))
                stack.append(states[stack[-1]][origin])
            stack.append(action)
            values.append(token)
            last = token
        return values[0]


def grammar_file(name: str) -> str:
    """The path of a file of grammar/: inside the installed package, or at the top of a checkout."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "grammar", name)
    return inside if os.path.exists(inside) else os.path.join(os.path.dirname(package), "grammar", name)


def read(name: str) -> str:
    """The text of a file of grammar/. Raises OSError."""
    with open(grammar_file(name), encoding="utf-8") as stream:
        return stream.read()
