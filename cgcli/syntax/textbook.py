"""Textbook form: `f(x1, x2) = ln(x1) + x1x2 − 2sin(x2)`, with its product signs put in among the tokens.

Only the body of a definition is read so: its parameter list says which names there are. A
product is implied between two values that stand side by side, and within a name that splits
in exactly one way into parameters. A name before a bracket is a function's, unless it is a
parameter or splits into some. Where books disagree (1/2x), it stays an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator, Sequence

from cgcli.errors import ParseError, Span
from cgcli.records import NamedTuple
from cgcli.syntax.builder import Token, bare

_MAY_END = {"NUMBER", "NAME", "RPAR", "RBRACKET", "SUPERSCRIPT", "TRANSPOSED"}
_MAY_BEGIN = {"NUMBER", "NAME", "LPAR", "ROOT"}
_SPACED = {"PLUS": " + ", "MINUS": " - ", "COMMA": ", ", "AND": " and ", "OR": " or ", "MOD": " mod ", "AT": " @ "}
_ASCII = {"TIMES": "*", "DIVIDE": "/", "POWER": "^", "≤": "<=", "≥": ">=", "≠": "!="}
_UNCLEAR = {"DIVIDE": "/", "FLOOR_DIVIDE": "//", "REMAINDER": "%", "MOD": " mod ", "POWER": "^"}
_SYMBOLS = ("π", "τ")  # constants that are a factor wherever they stand: πr²
_RESET = {"PLUS", "MINUS", "COMMA", "COMPARE", "AND", "OR", "QUESTION", "COLON", "EQUALS", "NOT"}


class _Names(NamedTuple):
    """What names mean in the body of one definition.

    factors: the parameters, tangents, and constants that are a factor wherever they stand.
    values: other names that have a value, and do not split. functions: whether a name is a function's.
    """

    factors: Collection[str]
    values: Container[str]
    functions: Callable[[str], bool]


def with_products(
    tokens: Sequence[Token], values: Collection[str], functions: Callable[[str], bool]
) -> tuple[list[Token], tuple[str, ...]]:
    """A program's tokens with a TIMES for each implied product, and the bodies that had any, with all their signs.

    Every token has its place in the text: an implied TIMES takes no room there, and the factors
    of a name that splits are NAMEs within it.
    values: names that have a value from outside of the program. functions: whether a name is that of a
    function of the language. Raises ParseError that lists the readings where there are several.
    """
    statements = [(statement, _header(statement)) for statement in _statements(tokens)]
    defined = {bare(statement[0]) for statement, header in statements if header}
    assigned = {bare(first[0]) for first, _ in statements if first[1:] and first[1].type in ("EQUALS", "COLON")}
    names = _Names((), {*values, *assigned}, lambda name: name in defined or functions(name))
    read: list[Token] = []
    read_as: list[str] = []
    for statement, header in statements:
        if header is None:
            read += statement
            continue
        parameters, start = header
        factors = dict.fromkeys(sorted({*parameters, *_SYMBOLS}))
        body = list(_with_products(statement[start:], names._replace(factors=factors)))
        read += (*statement[:start], *body)
        if len(body) > len(statement) - start:
            read_as.append(_pretty(body))
    return read, tuple(read_as)


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each statement, the separator behind it included."""
    statement: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
        statement.append(token)
        if token.type == "_SEPARATOR" and depth <= 0:
            yield statement
            statement = []
    yield statement


def _header(statement: Sequence[Token]) -> tuple[list[str], int] | None:
    """The parameters, and tangents, of a definition and where its body begins; None for other statements."""
    kinds = [token.type for token in statement[:3]]
    rule = kinds[:1] == ["JVP"]
    if kinds[rule : rule + 2] != ["NAME", "LPAR"]:
        return None
    parameters: list[str] = []
    for at, token in enumerate(statement[2 + rule :], 2 + rule):
        if token.type == "NAME":
            parameters.append(bare(token))
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


def _with_products(body: Sequence[Token], names: _Names) -> Iterator[Token]:
    """The tokens of a body, with those of its implied products."""
    previous = ""  # the kind of the token before
    name = ""  # the name that was read last
    apart: Container[str] = ()  # the kinds of tokens that are no factor behind that name, or its power
    lists = _lists(body)
    levels = [_Level(0)]
    for at, token in enumerate(body):
        kind = token.type
        keyword = kind == "NAME" and at + 1 < len(body) and body[at + 1].type == "EQUALS"
        implied = previous in _MAY_END and kind in _MAY_BEGIN and kind not in apart and not keyword
        if kind == previous == "NUMBER" or (previous == "NAME" and at in lists):
            implied = False  # 1 000, f(x, 1)
        parts = [str(token)]
        if kind == "NAME":
            name = bare(token)
            is_value = name in names.factors or name in names.values
            is_function = names.functions(name) and not is_value
            if not (is_value or is_function or keyword):
                parts = _split(token, names.factors)
            is_factor = name in names.factors or len(parts) > 1
            apart = _MAY_BEGIN if is_function else () if is_factor else ("LPAR",)
        elif kind != "SUPERSCRIPT" or name in names.values:  # sin²(x) is a mistake that the parser explains
            apart = ()
        operator = levels[-1].operator
        if (implied or len(parts) > 1) and operator is not None and body[operator].type in _UNCLEAR:
            raise _unclear(body[levels[-1].term : at + 1], operator - levels[-1].term, parts, implied)
        if implied:
            yield _token("TIMES", "*", token, token.start_pos, 0)
        yield from _factors(token, parts)
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


def _lists(body: Sequence[Token]) -> set[int]:
    """Where the brackets open that hold several values: these are the arguments of a function."""
    found: set[int] = set()
    opened: list[int] = []
    for at, token in enumerate(body):
        if token.type in ("LPAR", "LBRACKET"):
            opened.append(at)
        elif token.type in ("RPAR", "RBRACKET") and opened:
            opened.pop()
        elif token.type == "COMMA" and opened:
            found.add(opened[-1])
    return found


def _factors(token: Token, parts: Sequence[str]) -> Iterator[Token]:
    """The token itself, or the tokens of the parts that it is a product of."""
    if len(parts) == 1:
        yield token
        return
    start = token.start_pos
    for at, part in enumerate(parts):
        if at:
            yield _token("TIMES", "*", token, start, 0)
        yield _token("NAME", part, token, start, len(part))
        start += len(part)


def _token(kind: str, text: str, like: Token, start: int, length: int) -> Token:
    """A token of lark's, as another one is."""
    return type(like)(kind, text, start, like.line, like.column, like.end_line, like.end_column, start + length)


def _split(token: Token, factors: Collection[str]) -> list[str]:
    """The factors that a name is a product of; the name alone when it is none."""
    name = str(token)
    ways = _ways(name, factors)
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


def _ways(name: str, parameters: Collection[str], most: int = 3) -> list[list[str]]:
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


def _pretty(body: Sequence[Token]) -> str:
    """The body as cg would print it: ASCII operators, blanks around sums."""
    pieces: list[str] = []
    previous = ""
    for token in body:
        kind = token.type
        text = "" if kind == "_SEPARATOR" else _ASCII.get(kind, _ASCII.get(token, str(token)))
        if kind == "COMPARE" or (kind in _SPACED and previous in _MAY_END):
            text = _SPACED.get(kind, f" {text} ")
        elif kind == "MINUS":
            text = "-"
        pieces.append(text)
        previous = kind
    return "".join(pieces)
