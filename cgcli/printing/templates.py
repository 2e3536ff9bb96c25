r"""Operations' forms in a language, as `\sqrt{#1}` or `#1 < #2`: where an argument needs brackets is read from them."""

from __future__ import annotations

import re

from cgcli.annotations import Mapping, Sequence
from cgcli.ops.entry import ATOM, CONDITIONAL, POSTFIX, POWER
from cgcli.printing.printer import Closing, Layout, Opening, Part, View
from cgcli.records import NamedTuple


class Binding(NamedTuple):
    """How tightly an operator binds, and how tightly what stands at its left and right must."""

    level: int
    left: int
    right: int


class Slot(NamedTuple):
    """An argument's place, and how tightly it must bind to stand there without brackets."""

    position: int
    level: int


class Template(NamedTuple):
    """A form: its pieces, and how tightly it binds as a whole."""

    pieces: tuple[str | Slot, ...]
    level: int
    tall: bool

    def filled(self, views: Sequence[View]) -> Layout:
        """The form with arguments in its places."""
        pieces = [Part(views[item.position], item.level) if isinstance(item, Slot) else item for item in self.pieces]
        return Layout(self.level, tuple(pieces), self.tall)


class Templates:
    """The templates of a language.

    operators: what each of its operators binds; that of ' ' is what stands side by side.
    pairs: for each opening bracket the one that closes it; braces never grow. tall: each makes a form a tall one.
    """

    def __init__(self, operators: Mapping[str, Binding], pairs: Mapping[str, str], tall: Sequence[str]) -> None:
        self._operators = operators
        self._pairs = pairs
        self._tall = tall
        self._known: dict[str, Template] = {}
        symbols = "|".join(map(re.escape, sorted(operators, key=len, reverse=True)))
        self._token = re.compile(rf"#\d|\\[A-Za-z]+|\w+|\s+|{symbols}|.", re.DOTALL)

    def __getitem__(self, text: str) -> Template:
        """The template of a form."""
        if text not in self._known:
            self._known[text] = self._read(text)
        return self._known[text]

    def _read(self, text: str) -> Template:
        tokens = self._token.findall(text)
        waiting: list[str] = []  # brackets that will close
        pieces: list[str | Slot] = []
        level = POSTFIX
        for at, token in enumerate(tokens):
            closes = bool(waiting) and token == waiting[-1]
            if closes:
                waiting.pop()
            elif token in self._pairs:
                waiting.append(self._pairs[token])
            elif not waiting and token in self._operators:
                level = min(level, self._operators[token].level)
            if token.startswith("#"):
                pieces.append(Slot(int(token[1:]) - 1, self._needed(tokens, at)))
            elif token not in "{}" and (closes or token in self._pairs):
                pieces.append(Closing(token) if closes else Opening(token))
            elif pieces and type(pieces[-1]) is str:
                pieces[-1] += token
            else:
                pieces.append(token)
        if tokens[-1] == ")":  # a function with its argument
            level = min(level, POWER)
        return Template(tuple(pieces), level, any(sign in text for sign in self._tall))

    def _needed(self, tokens: Sequence[str], at: int) -> int:
        """How tightly an argument must bind, by what stands on both sides of its place."""
        before = next((token for token in reversed(tokens[:at]) if not token.isspace()), "")
        after = next((token for token in tokens[at + 1 :] if not token.isspace()), "")
        sides = [self._operators[token].right for token in [before] if token in self._operators]
        sides += [self._operators[token].left for token in [after] if token in self._operators]
        if sides:
            return max(sides)
        is_inside = before in (*self._pairs, ",") and after in (*self._pairs.values(), ",")
        return CONDITIONAL if is_inside else self._operators[" "].level if " " in self._operators else ATOM
