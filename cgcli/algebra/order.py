"""The order in which a person writes factors and terms: x before sin(x) before (x + 1), x^2 before x before 1.

Keys are of bounded size, made once for each node from those of its arguments, and the same in
every run: a class, the beginning of the text, and a digest of the whole where beginnings agree.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cgcli.algebra.coefficient import magnitude, number_of
from cgcli.graph.body import name_of_operation
from cgcli.graph.node import CONSTANT, VARIABLE, Node, constant_value, missing, name_of
from cgcli.graph.operation import Operation, Shape
from cgcli.lean import blake2b
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SQRT, SUBTRACT
from cgcli.ops.indexing import INDEX
from cgcli.ops.linalg import MATMUL
from cgcli.ops.shaping import TRANSPOSE
from cgcli.printing.printer import given_statics
from cgcli.records import NamedTuple

_NUMBER, _SYMBOL, _POWER, _FUNCTION, _SUM = range(5)
_TEXT = 48  # characters that are compared before the digest decides
_MOST_REPEATS = 8
_FUNCTION_DEGREE = 1e-6  # sin(x)^2 before sin(x), and both after x
_SYMBOL_LIKE = (INDEX, TRANSPOSE)  # x[0] and X.T are read as symbols
_AS_ITS_ARGUMENTS = (MULTIPLY, DIVIDE, NEG, POWER_OP, SQRT)


def _length(part: bytes) -> bytes:
    return len(part).to_bytes(8, "little")


_DIGEST = 16  # bytes
_DIGEST_LENGTH = _length(bytes(_DIGEST))


class _Digest:
    """The digest of a node, made when two of the same kind and beginning are compared. known: those of its parts."""

    __slots__ = ("_known", "_node")

    def __init__(self, node: Node, known: dict[Node, bytes]) -> None:
        self._node = node
        self._known = known

    def __lt__(self, other: _Digest) -> bool:
        return self._made() < other._made()

    def _made(self) -> bytes:
        known = self._known
        for part in missing(self._node, known):
            head = _head(part) if part.params else _plain_head(part.op, part.shape)
            parts = b"".join([head, *[_DIGEST_LENGTH + known[arg] for arg in part.args]])
            known[part] = blake2b(parts, digest_size=_DIGEST).digest()
        return known[self._node]


class Key(NamedTuple):
    """Where a node stands among others; comparable."""

    kind: int
    text: str
    rest: _Digest


class Order:
    """The keys and degrees of nodes, made when they are first asked for."""

    def __init__(self) -> None:
        self._keys: dict[Node, Key] = {}
        self._digests: dict[Node, bytes] = {}
        self._degrees: dict[Node, float] = {}

    def factor(self, node: Node) -> Key:
        """The place of a factor: numbers, symbols by name, functions, sums."""
        known = self._keys.get(node)
        if known is not None:
            return known
        for part in missing(node, self._keys):
            self._keys[part] = self._key(part)
        return self._keys[node]

    def term(self, node: Node) -> tuple[float, Key]:
        """The place of a term: by falling degree, then as a factor."""
        for part in missing(node, self._degrees) if node not in self._degrees else ():
            self._degrees[part] = self._degree(part)
        return -self._degrees[node], self.factor(node)

    def _key(self, node: Node) -> Key:
        keys = [self._keys[arg] for arg in node.args]
        return Key(_kind(node, keys), _text(node, keys)[: 2 * _TEXT], _Digest(node, self._digests))

    def _degree(self, node: Node) -> float:
        degrees = [self._degrees[arg] for arg in node.args]
        op = node.op
        if op is VARIABLE:
            return 1.0
        if op in (MULTIPLY, MATMUL):
            return degrees[0] + degrees[1]
        if op is DIVIDE:
            return degrees[0] - degrees[1]
        if op in (ADD, SUBTRACT):
            return max(degrees)
        if op is POWER_OP:
            exponent = number_of(node.args[1])
            return degrees[0] * float(exponent) if exponent is not None and magnitude(exponent) < 1e9 else 0.0
        if op is SQRT:
            return degrees[0] / 2
        if op is NEG or op in _SYMBOL_LIKE:
            return degrees[0]
        return _FUNCTION_DEGREE if node.args else 0.0


def _head(node: Node) -> bytes:
    """What a node's digest is made of, besides its arguments."""
    content = node.params[0] if node.op is CONSTANT else repr(tuple(node.params)).encode()  # a body shows its digest
    assert isinstance(content, bytes)
    parts = (node.op.name.encode(), content, repr(node.shape).encode())
    return b"".join(_length(part) + part for part in parts)


@lru_cache(maxsize=1024)
def _plain_head(op: Operation, shape: Shape) -> bytes:
    return b"".join(_length(part) + part for part in (op.name.encode(), b"()", repr(shape).encode()))


def _kind(node: Node, keys: list[Key]) -> int:
    op = node.op
    if op is CONSTANT:
        return _NUMBER
    if op is VARIABLE:
        return _SYMBOL
    if op in (ADD, SUBTRACT):
        return _SUM
    if op is POWER_OP and keys[1].kind > _NUMBER:  # n*x^(n - 1), x^y*ln(x)
        return max(_POWER, keys[0].kind)
    if op.postfix is not None:  # x*n!*exp(x)
        return _POWER
    if op in _SYMBOL_LIKE or op in _AS_ITS_ARGUMENTS:
        return max(key.kind for key in keys)
    return _FUNCTION


def _text(node: Node, keys: list[Key]) -> str:
    """The beginning of a text that sorts as a person would: x^2 as 'x x', before x*y and y^2."""
    op = node.op
    if op is VARIABLE:
        return _natural(name_of(node))
    if op is CONSTANT:
        return "" if node.shape else f"{constant_value(node)!r}"
    if op is MULTIPLY and keys[0].kind == _NUMBER:
        return keys[1].text
    if op is POWER_OP:
        exponent = constant_value(node.args[1])
        if exponent is not None and 0 < exponent <= _MOST_REPEATS:
            return " ".join([keys[0].text] * int(exponent)) or keys[0].text
    if op in _AS_ITS_ARGUMENTS:
        return " ".join(key.text for key in keys)
    called = f"{name_of_operation(node)}({','.join(key.text for key in keys)}"
    statics = ",".join(_natural(text) for _, text in given_statics(node))
    return f"{called[:_TEXT]},{statics}" if statics else called


def _natural(text: str) -> str:
    """A text whose numbers compare as numbers: x2 before x10, x[2] before x[10]."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(8), text[:_TEXT])
