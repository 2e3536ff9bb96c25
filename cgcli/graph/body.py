"""Graphs that a node holds as a parameter: a function's body, its derivative rule.

A body is closed: it reads its parameters and nothing else. Equal bodies are one object, and
a digest tells bodies apart in the same way in every process.
"""

from __future__ import annotations

from _thread import RLock

from cgcli.annotations import TYPE_CHECKING, Any, Collection, Iterable, Iterator, Mapping, Sequence
from cgcli.graph.node import Node, apply, leaf, rebuild, toposort
from cgcli.graph.operation import Callee, Operation, Params, Shape
from cgcli.lean import cache, struct
from cgcli.records import EMPTY, NamedTuple, Record

if TYPE_CHECKING:
    from weakref import WeakValueDictionary

_DIGEST_BYTES = 16


class Body(Callee):
    """What a graph computes of its parameters; compare and hash by identity.

    parameters: the leaves that stand for the arguments; they are told apart by their places, so that
    bodies which differ in their parameters' names only are equal. outputs: the results. digest: a hash of
    the graph, the same in every process: of its operations, their parameters and the bits of constants.
    """

    __slots__ = ("__weakref__", "digest", "outputs", "parameters")

    parameters: tuple[Node, ...]
    outputs: tuple[Node, ...]
    digest: bytes

    def __new__(cls, parameters: Sequence[Node], outputs: Sequence[Node]) -> Body:
        """The body of these outputs, in which `parameters`, different leaves, stand for the arguments."""
        places = leaves(parameter.shape for parameter in parameters)
        if places != tuple(parameters):
            become = rebuild(outputs, apply, dict(zip(parameters, places, strict=True)))
            outputs = [become[output] for output in outputs]
        key = (places, tuple(outputs))
        with _making:
            body = _interned().get(key)
            if body is None:
                body = super().__new__(cls)
                body.parameters, body.outputs = key
                body.digest = _digest_of(body)
                _interned()[key] = body
        return body

    def __repr__(self) -> str:
        return f"<body {self.digest.hex()}>"


_Key = tuple[tuple[Node, ...], tuple[Node, ...]]


@cache
def _interned() -> WeakValueDictionary[_Key, Body]:
    from weakref import WeakValueDictionary

    return WeakValueDictionary()


_making = RLock()  # two threads may make equal bodies at the same time


def leaves(shapes: Iterable[Shape], first: int = 0) -> tuple[Node, ...]:
    """The parameters of a body with these shapes. first: the place of the first of them."""
    return tuple(leaf(str(at), shape) for at, shape in enumerate(shapes, first))


class OwnFunction(Record, Callee):
    """A function of the user's own, with its derivative rule.

    body: its value, of its parameters. rule: its tangent, of the parameters, then their tangents, then the
    function's own value; linear in all tangents together. name, names: what the user calls it, and the
    parameters and tangents. depth: how deep such functions call each other; cost: how many operations one
    call takes, theirs included; work: how many floating-point operations.
    """

    name: str
    names: tuple[str, ...]
    body: Body
    rule: Body
    depth: int
    cost: int
    work: int

    @property
    def value(self) -> Node:
        """The body's output."""
        return self.body.outputs[0]

    @property
    def tangent(self) -> Node:
        """The rule's output."""
        return self.rule.outputs[0]

    @property
    def parameters(self) -> tuple[Node, ...]:
        """The leaves that stand for the arguments."""
        return self.body.parameters

    @property
    def tangents(self) -> tuple[Node, ...]:
        """The leaves of the rule that stand for the arguments' tangents."""
        return self.rule.parameters[len(self.parameters) : -1]

    @property
    def out(self) -> Node:
        """The leaf of the rule that stands for the function's own value."""
        return self.rule.parameters[-1]

    @property
    def digest(self) -> bytes:
        """A hash of body and rule, the same in every process."""
        return self.body.digest + self.rule.digest

    def __repr__(self) -> str:
        return f"<function {self.digest.hex()}>"


class Called(NamedTuple):
    """The parameters of a call."""

    function: OwnFunction


def function_of(node: Node) -> OwnFunction | None:
    """The function that a node calls; None for the operations of the table."""
    return node.params.function if isinstance(node.params, Called) else None


def name_of_operation(node: Node, names: Mapping[Any, str] = EMPTY) -> str:
    """What a node's operation is called. names: what the program calls its functions, where it says."""
    function = function_of(node)
    return node.op.name if function is None else names.get(function, function.name)


def bodies_of(node: Node) -> Iterator[Body]:
    """The bodies that a node holds."""
    for param in node.params:
        if isinstance(param, Body):
            yield param
        elif isinstance(param, OwnFunction):
            yield from (param.body, param.rule)


def with_bodies(order: Iterable[Node]) -> Iterator[Node]:
    """The nodes, and those of the bodies that they hold, and of the bodies in these; each body once."""
    seen: set[Body] = set()
    waiting = [order]
    while waiting:
        for node in waiting.pop():
            yield node
            for body in bodies_of(node):
                if body not in seen:
                    seen.add(body)
                    waiting.append(toposort(body.outputs))


def functions_in(order: Iterable[Node]) -> list[OwnFunction]:
    """The functions that the nodes call, and those that their bodies call; inner ones first."""
    found = dict.fromkeys(function for node in with_bodies(order) if (function := function_of(node)) is not None)
    return sorted(found, key=lambda function: function.depth)


def inlined(outputs: Sequence[Node], keep: Collection[Node | OwnFunction] = ()) -> tuple[Node, ...]:
    """The outputs with the bodies of functions in the place of calls.

    keep: functions whose calls stay, and nodes that stay as they are, with all below them.
    """
    keep = frozenset(keep)

    def make(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
        if not isinstance(params, Called) or params.function in keep:
            return apply(op, args, params)
        return instantiated(params.function.body, args)[0]

    def is_inlined(node: Node) -> bool:
        function = function_of(node)
        return function is not None and function not in keep and node not in keep

    known = {node: node for node in keep if isinstance(node, Node)}
    while any(map(is_inlined, toposort(outputs, known))):  # again, for a body may call functions itself
        become = rebuild(outputs, make, known)
        outputs = [become[output] for output in outputs]
    return tuple(outputs)


def instantiated(body: Body, args: Sequence[Node]) -> tuple[Node, ...]:
    """The outputs of a body with arguments in the places of its parameters."""
    become = rebuild(body.outputs, apply, dict(zip(body.parameters, args, strict=True)))
    return tuple(become[output] for output in body.outputs)


# ---- digests --------------------------------------------------------------------------


def _digest_of(body: Body) -> bytes:
    """The hash of the nodes in topological order, where each names its arguments by their places."""
    from cgcli.lean import blake2b

    order = toposort((*body.parameters, *body.outputs))
    places = {node: at for at, node in enumerate(order)}
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for node in order:
        args = tuple(places[arg] for arg in node.args)
        digest.update(canonical_bytes((node.op.name, node.params, node.shape, args)))
    digest.update(canonical_bytes((len(body.parameters), tuple(places[output] for output in body.outputs))))
    return digest.digest()


def canonical_bytes(value: object) -> bytes:
    """The bytes of a node's parameters, nested tuples of plain values: equal for equal ones only, in every process."""
    pieces: list[bytes] = []
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(reversed(part))
            kind, data = b"(", str(len(part)).encode()
        elif isinstance(part, Body | OwnFunction):
            kind, data = b"g", part.digest
        elif isinstance(part, float):
            kind, data = b"f", struct.pack("<d", part)
        elif isinstance(part, bytes):
            kind, data = b"b", part
        elif isinstance(part, str):
            kind, data = b"s", part.encode(errors="surrogatepass")
        elif isinstance(part, int):
            kind, data = b"i", str(int(part)).encode()
        elif part is None:
            kind, data = b"n", b""
        else:
            raise TypeError(f"a parameter of type {type(part).__name__} has no canonical bytes")
        pieces.append(kind + len(data).to_bytes(8, "little") + data)
    return b"".join(pieces)
