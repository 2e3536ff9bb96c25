"""Textbook form: `f(x1, x2) = ln(x1) + x1x2 − 2sin(x2)`, with its product signs put in among the tokens.

Only the body of a definition is read so: its parameter list says which names there are. A
product is implied between two values that stand side by side, and within a name that splits
in exactly one way into parameters. A name before a bracket is a function's, unless it is a
parameter or splits into some. Where books disagree (1/2x), it stays an error.
"""

from __future__ import annotations

from cgcli.annotations import Callable, Collection, Container, Iterator, Sequence
from cgcli.errors import ParseError, Span, quoted
from cgcli.records import NamedTuple
from cgcli.syntax.builder import bare, no_parameter
from cgcli.syntax.scanner import Token

_MAY_END = {"NUMBER", "NAME", "RPAR", "RBRACKET", "SUPERSCRIPT", "TRANSPOSED", "FACTORIAL"}
_MAY_BEGIN = {"NUMBER", "NAME", "LPAR", "ROOT"}
_UNCLEAR = {"DIVIDE": "/", "FLOOR_DIVIDE": "//", "REMAINDER": "%", "MOD": " mod ", "POWER": "^"}
_BETWEEN_TERMS = {"PLUS", "MINUS", "COMMA", "COMPARE", "AND", "OR", "QUESTION", "COLON", "EQUALS", "NOT"}
_DEPTH = {"LPAR": 1, "RPAR": -1, "LBRACE": 1, "RBRACE": -1}
_SYMBOLS = ("π", "τ")  # constants that are a factor wherever they stand: πr²
_SPACED = {"PLUS", "MINUS", "COMPARE", "AND", "OR", "MOD", "AT", "QUESTION"}  # with a blank on each side
_ASCII = {"MINUS": "-", "TIMES": "*", "DIVIDE": "/", "POWER": "^", "NOT": "not ", "COMMA": ", ", "_SEPARATOR": "",
          "&&": "and", "||": "or", "≤": "<=", "≥": ">=", "≠": "!="}  # fmt: skip


class _Names(NamedTuple):
    """What names mean in the body of one definition.

    factors: the parameters, tangents, and constants that are a factor wherever they stand.
    values: other names that have a value, and do not split. functions: whether a name is a function's.
    """

    factors: Collection[str]
    values: Container[str]
    functions: Callable[[str], bool]


def with_products(
    text: str,
    tokens: Sequence[Token],
    values: Collection[str],
    functions: Callable[[str], bool],
    *,
    equations: bool = False,
) -> tuple[list[Token], tuple[str, ...]]:
    """A program's tokens with a TIMES for each implied product, and the bodies that had any, with all their signs.

    Every token has its place in the text: an implied TIMES takes no room there, and the factors
    of a name that splits are NAMEs within it.
    text: where they stand. values: names that have a value from outside of the program. functions: whether a
    name is that of a function of the language. equations: `sin(2*x) = 1` is one. Raises ParseError that lists the
    readings where there are several.
    """
    statements = [(statement, _header(statement, functions, equations)) for statement in _statements(tokens)]
    defined = {bare(statement[0]) for statement, header in statements if header}
    assigned = {bare(first[0]) for first, _ in statements if first[1:] and first[1].type in ("EQUALS", "COLON")}
    names = _Names((), {*values, *assigned}, lambda name: name in defined or functions(name))
    read: list[Token] = []
    read_as: list[str] = []
    for statement, header in statements:
        if header is None or [token.type for token in statement[header[1] : header[1] + 1]] == ["LBRACE"]:
            read += statement
            continue
        parameters, start = header
        factors = dict.fromkeys(sorted({*parameters, *_SYMBOLS}))
        body = _with_products(text, statement[start:], names._replace(factors=factors))
        read += (*statement[:start], *body)
        if len(body) > len(statement) - start:
            read_as.append(_pretty(body))
    return read, tuple(read_as)


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each statement, the separator behind it included."""
    statement: list[Token] = []
    depth = 0
    for token in tokens:
        depth += _DEPTH.get(token.type, 0)
        statement.append(token)
        if token.type == "_SEPARATOR" and depth <= 0:
            yield statement
            statement = []
    yield statement


def _header(
    statement: Sequence[Token], functions: Callable[[str], bool], equations: bool
) -> tuple[list[str], int] | None:
    """The parameters, and tangents, of a definition and where its body begins; None for other statements.

    Raises ParseError for a parameter of a function that is no plain name.
    """
    kinds = [token.type for token in statement]
    rule = kinds[:1] == ["DERIVED"]
    start = end = 2 + rule
    if kinds[rule:start] != ["NAME", "LPAR"]:
        return None
    depth = 1
    items: list[list[Token]] = [[]]
    while depth and end < len(kinds):
        depth += _DEPTH.get(kinds[end], 0)
        if depth == 1 and kinds[end] in ("COMMA", "_SEPARATOR"):
            items.append([])
        elif depth:
            items[-1].append(statement[end])
        end += 1
    if depth or kinds[end : end + 1] != ["EQUALS"]:
        return None
    for item in items:
        if not rule and item and [token.type for token in item] != ["NAME"]:
            if equations:
                return None
            if functions(bare(statement[0])):
                raise ParseError("'=' cannot stand here", Span(statement[end].start_pos, statement[end].end_pos),
                                 hint="write == to compare; to solve for x, cg solve takes equations")  # fmt: skip
            raise no_parameter(bare(statement[0]), Span(item[0].start_pos, item[-1].end_pos))
    return [bare(token) for token in statement[start:end] if token.type == "NAME"], end + 1


def _with_products(text: str, body: Sequence[Token], names: _Names) -> list[Token]:
    """The tokens of a body, with those of its implied products."""
    split = [factor for at in range(len(body)) for factor in _factors(body, at, names)]
    lists = _lists(split)
    read: list[Token] = []
    for at, token in enumerate(split):
        if at and _implies_product(split, at, names, at in lists):
            read.append(_token("TIMES", "*", token.start_pos))
        read.append(token)
    _check_clear(text, read)
    return read


def _implies_product(tokens: Sequence[Token], at: int, names: _Names, is_list: bool) -> bool:
    """Whether a product is implied before a token. is_list: it opens brackets that hold several values."""
    left = tokens[at - 1].type
    right = tokens[at].type
    if left not in _MAY_END or right not in _MAY_BEGIN or left == right == "NUMBER":
        return False
    if _is_keyword(tokens, at):
        return False
    powered = left == "SUPERSCRIPT"
    before = tokens[max(at - 1 - powered, 0)]
    name = bare(before)
    if before.type != "NAME":
        return True
    if name in names.factors:
        return powered or not is_list
    if name in names.values:
        return powered or right != "LPAR"
    return right != "LPAR" and not names.functions(name)


def _is_keyword(tokens: Sequence[Token], at: int) -> bool:
    """Whether a token is the name of an argument, as in sum(x, axis=0)."""
    return [token.type for token in tokens[at : at + 2]] == ["NAME", "EQUALS"]


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


def _check_clear(text: str, tokens: Sequence[Token]) -> None:
    """Raise ParseError, with both readings, for a product implied after a division or in an exponent."""
    terms: list[tuple[int, int | None]] = [(0, None)]  # in each pair of brackets: where a term began, its last operator
    for at, token in enumerate(tokens):
        start, operator = terms[-1]
        kind = token.type
        if _is_implied(token) and operator is not None and tokens[operator].type in _UNCLEAR:
            raise _unclear(text, tokens, start, operator, at)
        if kind in ("LPAR", "LBRACKET"):
            terms.append((at + 1, None))
        elif kind in ("RPAR", "RBRACKET"):
            terms = terms[:-1] or [(0, None)]
        elif kind in _BETWEEN_TERMS:
            terms[-1] = (at + 1, None)
        elif kind in _UNCLEAR or kind in ("TIMES", "AT"):
            terms[-1] = (start, at)


def _unclear(text: str, tokens: Sequence[Token], start: int, operator: int, at: int) -> ParseError:
    """The error for a product implied at a place behind an operator of a term, which began at `start`."""
    from cgcli.syntax.idioms import recognised

    if (known := recognised(text, tokens[at + 1].start_pos, lambda name: False)) is not None:
        return known
    end = at + 2
    while end < len(tokens) and _is_implied(tokens[end]) and tokens[end - 1].end_pos == tokens[end + 1].start_pos:
        end += 2  # the factors of one name
    symbol = _UNCLEAR[tokens[operator].type]
    span = Span(tokens[start].start_pos, tokens[end - 1].end_pos)
    left = text[span.start : tokens[operator].start_pos].rstrip()
    middle = text[tokens[operator].end_pos : tokens[at].start_pos].strip()
    right = "".join(token.text for token in tokens[at + 1 : end])
    return ParseError(
        f"'{quoted(text, span)}' can be read in two ways",
        span,
        hint=f"write {left}{symbol}({middle}*{right}) or ({left}{symbol}{middle})*{right}",
    )


def _factors(tokens: Sequence[Token], at: int, names: _Names) -> Iterator[Token]:
    """The token itself, or those of the product of parameters that a name is.

    Raises ParseError that lists the readings where there are several.
    """
    token = tokens[at]
    name = bare(token)
    has_meaning = name in names.factors or name in names.values or names.functions(name)
    if token.type != "NAME" or has_meaning or _is_keyword(tokens, at):
        yield token
        return
    ways = _ways(token.text, names.factors)
    if len(ways) > 1:
        readings = " or ".join(_brief("*".join(way)) for way in ways)
        raise ParseError(
            f"'{_brief(token.text)}' can be read as {readings}",
            Span(token.start_pos, token.end_pos),
            hint="write the product signs",
        )
    start = token.start_pos
    for part in ways[0] if ways else [token.text]:
        if start > token.start_pos:
            yield _token("TIMES", "*", start)
        yield token if part is token.text else _token("NAME", part, start, len(part))
        start += len(part)


def _token(kind: str, text: str, start: int, length: int = 0) -> Token:
    """A token at a place; an implied one takes no room in the text."""
    return Token(kind, text, start, start + length)


def _is_implied(token: Token) -> bool:
    return token.start_pos == token.end_pos


def _brief(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


_Way = tuple["_Way", str] | tuple[()]
"""The way to write the beginning of a name: that of what comes before, and one factor more."""


def _ways(name: str, parameters: Collection[str], most: int = 3) -> list[list[str]]:
    """The ways to write a name as several parameters in a row; at most `most` of them."""
    ways: dict[int, list[_Way]] = {0: [()]}  # for each place, how the name up to it splits
    for at in range(len(name)):
        for parameter in parameters if at in ways else ():
            if name.startswith(parameter, at):
                longer = ways.setdefault(at + len(parameter), [])
                longer += [(way, parameter) for way in ways[at]][: most - len(longer)]
        ways.pop(at, None)
    return [_factors_of(way) for way in ways.get(len(name), []) if way]


def _factors_of(way: _Way) -> list[str]:
    found: list[str] = []
    while way:
        way, factor = way
        found.append(factor)
    return found[::-1]


def _pretty(body: Sequence[Token]) -> str:
    """The body as cg would print it: ASCII operators, blanks around sums."""
    pieces: list[str] = []
    choices = [0]  # in each pair of brackets, how many `?` wait for their `:`
    previous = ""
    for token in body:
        kind = token.type
        text = _ASCII.get(kind) or _ASCII.get(token.text, "" if kind == "_SEPARATOR" else token.text)
        choice = kind == "COLON" and choices[-1] > 0
        if choice or (kind in _SPACED and previous in _MAY_END):
            text = f" {text} "
        pieces.append(text)
        if kind in ("LPAR", "LBRACKET"):
            choices.append(0)
        elif kind in ("RPAR", "RBRACKET"):
            choices = choices[:-1] or [0]
        else:
            choices[-1] += (kind == "QUESTION") - choice
        previous = kind
    return "".join(pieces)
