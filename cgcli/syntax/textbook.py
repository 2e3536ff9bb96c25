"""Textbook form: `f(x1, x2) = ln(x1) + x1x2 − 2sin(x2)`, with the product signs put in.

Only the body of a definition is read so: its parameter list says which names there are. A
product is implied between two values that stand side by side, and within a name that splits
in exactly one way into parameters. Where books disagree (1/2x), it stays an error.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, NamedTuple

from cgcli.errors import ParseError, Span

Token = Any  # a lark token: a str with type, start_pos and end_pos

_MAY_END = {"NUMBER", "NAME", "RPAR", "RBRACKET", "SUPERSCRIPT", "TRANSPOSED"}
_MAY_BEGIN = {"NUMBER", "NAME", "LPAR", "ROOT"}
_SPACED = {"PLUS": " + ", "MINUS": " - ", "COMMA": ", ", "AND": " and ", "OR": " or ", "MOD": " mod ", "AT": " @ "}
_ASCII = {"TIMES": "*", "DIVIDE": "/", "POWER": "^", "≤": "<=", "≥": ">=", "≠": "!="}
_UNCLEAR = {"DIVIDE": "/", "FLOOR_DIVIDE": "//", "REMAINDER": "%", "MOD": " mod ", "POWER": "^"}
_SYMBOLS = ("π", "τ")  # constants that are a factor wherever they stand: πr²
_RESET = {"PLUS", "MINUS", "COMMA", "COMPARE", "AND", "OR", "QUESTION", "COLON", "EQUALS", "NOT"}


class Reading(NamedTuple):
    """A program with its implied products written, and those definitions that had any."""

    text: str
    read_as: tuple[str, ...] = ()


class _Factor(NamedTuple):
    """A token of a body, and whether a product sign was implied before it."""

    token: Token
    text: str
    implied: bool


def with_products(
    text: str, tokens: Sequence[Token], known: Container[str], functions: Callable[[str], bool]
) -> Reading:
    """The program with every implied product of its definitions written as `*`.

    tokens: of the whole text. known: names that have a meaning of their own and do not
    split. functions: whether a name is a function, so that `(` after it is a call.
    Raises ParseError that lists the readings where there are several.
    """
    pieces: list[str] = []
    read_as: list[str] = []
    at = 0
    bodies = [(statement, body) for statement in _statements(tokens) if (body := _body(statement)) is not None]
    defined = {str(statement[0]) for statement, _ in bodies if statement[0].type == "NAME"}

    def is_function(name: str) -> bool:
        return name in defined or functions(name)

    for statement, (parameters, start) in bodies:
        factors = list(_factors(statement[start:], parameters, known, is_function))
        if all(factor.text == factor.token and not factor.implied for factor in factors):
            continue
        read_as.append(_pretty(factors))
        for factor in factors:
            pieces += (text[at : factor.token.start_pos] if factor.token.start_pos > at else "", "*" * factor.implied)
            pieces.append(factor.text)
            at = factor.token.end_pos
    return Reading("".join([*pieces, text[at:]]), tuple(read_as))


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    statement: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
        if token.type == "_SEPARATOR" and depth <= 0:
            yield statement
            statement = []
        else:
            statement.append(token)
    yield statement


def _body(statement: Sequence[Token]) -> tuple[list[str], int] | None:
    """The parameters, and tangents, of a definition and where its body begins; None for other statements."""
    kinds = [token.type for token in statement[:3]]
    rule = kinds[:1] == ["JVP"]
    if kinds[rule : rule + 2] != ["NAME", "LPAR"]:
        return None
    parameters: list[str] = []
    for at, token in enumerate(statement[2 + rule :], 2 + rule):
        if token.type == "NAME":
            parameters.append(str(token))
        elif token.type == "RPAR":
            is_definition = at + 1 < len(statement) and statement[at + 1].type == "EQUALS"
            return (parameters, at + 2) if is_definition else None
        elif token.type not in ("COMMA", "_SEPARATOR"):
            return None
    return None


class _Level(NamedTuple):
    """Inside one pair of brackets: where the term began, and the operator that was read last."""

    term: int
    operator: int | None = None


def _factors(
    body: Sequence[Token], parameters: Sequence[str], known: Container[str], functions: Callable[[str], bool]
) -> Iterator[_Factor]:
    previous = ""  # the kind of the token before
    callee = False  # whether that token is a function's name
    levels = [_Level(0)]
    symbols = sorted({*parameters, *_SYMBOLS})
    for at, token in enumerate(body):
        kind = token.type
        implied = previous in _MAY_END and kind in _MAY_BEGIN and not callee
        following = body[at + 1].type if at + 1 < len(body) else ""
        parts = [str(token)]
        if kind != "SUPERSCRIPT":  # sin²(x) is a mistake that the parser explains
            callee = kind == "NAME" and functions(parts[0]) and parts[0] not in parameters and parts[0] not in known
        if kind == "NAME" and not callee and following != "EQUALS":
            parts = _split(token, symbols, known)
        operator = levels[-1].operator
        if (implied or len(parts) > 1) and operator is not None and body[operator].type in _UNCLEAR:
            raise _unclear(body[levels[-1].term : at + 1], operator - levels[-1].term, parts, implied)
        yield _Factor(token, "*".join(parts), implied)
        if kind in ("LPAR", "LBRACKET"):
            levels.append(_Level(at + 1))
        elif kind in ("RPAR", "RBRACKET"):
            if len(levels) > 1:
                levels.pop()
        elif kind in _RESET:
            levels[-1] = _Level(at + 1)
        elif kind in _UNCLEAR or kind in ("TIMES", "AT"):
            levels[-1] = levels[-1]._replace(operator=at)
        previous = kind


def _split(token: Token, symbols: Sequence[str], known: Container[str]) -> list[str]:
    """The symbols that a name is a product of; the name alone when it is none."""
    name = str(token)
    if name in symbols or name in known:
        return [name]
    ways = _ways(name, symbols)
    if len(ways) > 1:
        readings = " or ".join(_brief("*".join(way)) for way in ways)
        raise ParseError(
            f"'{_brief(name)}' can be read as {readings}",
            Span(token.start_pos, token.end_pos),
            hint="write the product signs",
        )
    return ways[0] if ways else [name]


def _brief(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


class _Split(NamedTuple):
    """A way to write the beginning of a name: the way of what comes before, and one factor more."""

    before: _Split | None
    factor: str

    def factors(self) -> list[str]:
        """All factors, from the first on."""
        found: list[str] = []
        way: _Split | None = self
        while way is not None:
            found.append(way.factor)
            way = way.before
        return found[::-1]


def _ways(name: str, parameters: Sequence[str], most: int = 3) -> list[list[str]]:
    """The ways to write a name as several parameters in a row; at most `most` of them."""
    ways: dict[int, list[_Split | None]] = {0: [None]}  # for each place, how the name up to it splits
    for at in range(len(name)):
        for parameter in parameters if at in ways else ():
            if name.startswith(parameter, at):
                longer = ways.setdefault(at + len(parameter), [])
                longer += [_Split(way, parameter) for way in ways[at]][: most - len(longer)]
        ways.pop(at, None)
    return [way.factors() for way in ways.get(len(name), []) if way is not None]


def _unclear(term: Sequence[Token], operator: int, parts: Sequence[str], implied: bool) -> ParseError:
    """The error for a product implied after a division or in an exponent, with both readings."""
    symbol = _UNCLEAR[term[operator].type]
    left = "".join(term[:operator])
    middle, right = "".join(term[operator + 1 : -1]), "*".join(parts)
    if not implied:
        middle, right = middle + parts[0], "*".join(parts[1:])
    return ParseError(
        f"'{left}{symbol.strip()}{middle}{right.replace('*', '')}' can be read in two ways",
        Span(term[0].start_pos, term[-1].end_pos),
        hint=f"write {left}{symbol}({middle}*{right}) or ({left}{symbol}{middle})*{right}",
    )


def _pretty(factors: Sequence[_Factor]) -> str:
    """The body as cg would print it: ASCII operators, blanks around sums."""
    pieces: list[str] = []
    previous = ""
    for factor in factors:
        kind = factor.token.type
        text = _ASCII.get(kind, _ASCII.get(factor.text, factor.text))
        if kind == "COMPARE" or (kind in _SPACED and previous in _MAY_END):
            text = _SPACED.get(kind, f" {text} ")
        elif kind == "MINUS":
            text = "-"
        pieces.append("*" * factor.implied + text)
        previous = kind
    return "".join(pieces)
