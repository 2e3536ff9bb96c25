"""The graph: frozen, hash-consed nodes, and the orders in which they are visited.

Equal nodes are the same object, so `is` compares whole graphs and a dict keyed by nodes
shares work. Constants are keyed on their bits: 0.0, -0.0 and NaN payloads stay apart.
"""

from __future__ import annotations

import math
from _thread import RLock

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Container, Iterable, Mapping, Sequence
from cgcli.errors import Source, Span, TooLargeError
from cgcli.graph.operation import Callee, Operation, Params, Shape, imported
from cgcli.graph.shapes import count_text, size_text
from cgcli.lean import ref, struct
from cgcli.records import EMPTY, NamedTuple

if TYPE_CHECKING:
    from cgcli.graph.calls import Calls

MAX_ELEMENTS = 2**27  # one array of float64 takes at most 1 GiB
MAX_RANK = 32


class Node:
    """One operation applied to nodes; compare and hash by identity.

    Build nodes with `apply`, `constant` and `variable` only: they intern.
    """

    __slots__ = ("__weakref__", "args", "op", "params", "shape")

    op: Operation
    args: tuple[Node, ...]
    params: Params
    shape: Shape

    def __repr__(self) -> str:
        return f"<node {self.op.name} {self.shape}>"


class Within(NamedTuple):
    """A loop around a derivative, as the arguments and the parameters that its node has."""

    args: tuple[Node, ...]
    loop: Any


class Differentiated(NamedTuple):
    """A derivative that a program takes itself, D(f, x): the nodes of f, of x, and of the derivative.

    within: the loops around it, the outermost first. Of each but the first the arguments, and the three nodes, are
    those of the body of the loop before.
    """

    value: Node
    place: Node
    slope: Node
    within: tuple[Within, ...] = ()

    @property
    def read(self) -> tuple[Node, ...]:
        """What it reads outside of all loops."""
        return self.within[0].args if self.within else (self.value,)


class Graph(NamedTuple):
    """What a program means: its output nodes, and where they came from.

    outputs: one node for each value. labels: nodes that the program names.
    origins: the text that each node was read from. source: that text.
    idle: where it has statements whose values nothing uses.
    names: what each of several outputs is called; () where there is one, which needs none.
    functions: what the program calls its functions that have a derivative rule of their own.
    carried: what it calls the carries of each loop, by the loop's body; '' for those that have no name.
    calls: those of its functions, where somebody draws it.
    differentiated: the derivatives that it takes itself. absent: the variables that these are by and none of them
    reads, and where each stands.
    """

    outputs: tuple[Node, ...]
    labels: Mapping[Node, str] = EMPTY
    origins: Mapping[Node, Span] = EMPTY
    source: Source = Source("")
    idle: tuple[Span, ...] = ()
    names: tuple[str, ...] = ()
    functions: Mapping[Callee, str] = EMPTY
    carried: Mapping[object, tuple[str, ...]] = EMPTY
    calls: Calls | None = None
    differentiated: tuple[Differentiated, ...] = ()
    absent: Mapping[Node, Span] = EMPTY

    @property
    def output(self) -> Node:
        """The only output."""
        (output,) = self.outputs
        return output


def not_computed(*_: object) -> object:
    """The kernel of what is only read, written or drawn."""
    raise AssertionError("this has no kernel")


def _leaf_shape(shapes: Sequence[Shape], params: Params) -> Shape:
    raise AssertionError("leaves carry their own shape")


def _leaf(name: str, doc: str) -> Operation:
    return Operation(name, doc, (), not_computed, _leaf_shape, work=lambda shapes, params: 0)


CONSTANT = _leaf("constant", "a number or an array")
VARIABLE = _leaf("variable", "a name to be bound")
STAND_IN = _leaf("stand-in", "what a formula will be applied to")


class _Reference(ref[Node]):
    """A weak reference to a node, and where it is kept."""

    __slots__ = ("key", "table")
    key: Any
    table: dict[Any, _Reference]


class _OfOperations(dict[Operation, dict[tuple[Node, ...], _Reference]]):
    """The numbers that each operation without parameters makes, by its arguments, whose tuple a node has anyway."""

    def __missing__(self, op: Operation) -> dict[tuple[Node, ...], _Reference]:
        return self.setdefault(op, {})


_numbers = _OfOperations()
_others: dict[tuple[Operation, tuple[Node, ...], Params, Shape], _Reference] = {}
_changing = RLock()  # threads may build the same node; reentrant, for a node may go at any moment


def interned(op: Operation, args: tuple[Node, ...], params: Params = (), shape: Shape = ()) -> Node:
    """The one node of an operation and its arguments, whose shape is known; see `apply`."""
    key: Any
    table: dict[Any, _Reference]
    table, key = (_others, (op, args, params, shape)) if params or shape else (_numbers[op], args)
    reference = table.get(key)
    if reference is not None and (kept := reference()) is not None:
        return kept
    node = Node()
    node.op, node.args, node.params, node.shape = op, args, params, shape
    reference = _Reference(node, _forget)
    reference.key, reference.table = key, table
    if table.setdefault(key, reference) is reference:
        return node
    with _changing:  # another thread was faster, or a node of this key has just gone
        other = table.setdefault(key, reference)()
        if other is None:
            table[key] = reference
        return other or node


def _forget(reference: Any, changing: RLock = _changing) -> None:
    """Give up the key of a node that is gone, unless another node has its place.

    changing: the lock, at hand here, for when Python ends a module's names go before the last nodes.
    """
    with changing:
        if reference.table.get(reference.key) is reference:
            del reference.table[reference.key]


def apply(op: Operation, args: tuple[Node, ...], params: Params = ()) -> Node:
    """The node `op(*args)`; params are in the operation's canonical form.

    Raises ShapeError when the shapes do not fit, TooLargeError when the result cannot be
    held in memory.
    """
    if op.elementwise:
        for arg in args:
            if arg.shape:
                break
        else:
            return interned(op, args, params, ())
    if op.canonical is not None:
        args, params = imported(op.canonical)(args, params)
    shape = op.shape([arg.shape for arg in args], params)
    if shape:
        check_size(shape, op.name)
    return interned(op, args, params, shape)


def constant(value: float) -> Node:
    """A scalar constant."""
    return interned(CONSTANT, (), (struct.pack("<d", value),), ())


def constant_array(data: bytes, shape: Shape) -> Node:
    """A constant array from its float64 little-endian bytes in row-major order."""
    return interned(CONSTANT, (), (data,), shape)


def variable(name: str, shape: Shape = ()) -> Node:
    """An input that a binding fills."""
    return interned(VARIABLE, (), (name,), shape)


def stand_in(node: Node, position: int) -> Node:
    """A leaf that stands for the tangent of one argument of a node, and for no other."""
    return interned(STAND_IN, (), (node, position), node.args[position].shape)


def stood_for(leaf: Node) -> Node:
    """The argument for whose tangent a leaf of `stand_in` stands."""
    node, position = leaf.params
    assert isinstance(node, Node)
    assert isinstance(position, int)
    return node.args[position]


def leaf(name: str, shape: Shape) -> Node:
    """A variable that no program can name: a parameter within a function's own graph."""
    return variable(f"\0{name}", shape)


def is_given(node: Node) -> bool:
    """Whether a node is a constant or a variable, which is read and not computed."""
    return node.op is CONSTANT or node.op is VARIABLE


def is_leaf_of_function(node: Node) -> bool:
    """Whether a node was made by `leaf`."""
    return node.op is VARIABLE and name_of(node).startswith("\0")


def carry(number: int, shape: Shape, name: str = "") -> Node:
    """A leaf that stands for what a loop carries, until the loop's body is made. name: what it is called, if known."""
    return leaf(f"c{number} {name}", shape)


def is_carry(node: Node) -> bool:
    """Whether a node was made by `carry`."""
    return node.op is VARIABLE and name_of(node).startswith("\0c")


def name_of_carry(node: Node) -> str:
    """What a leaf that was made by `carry` is called; '' where that is not known, and for any other node."""
    return name_of(node).partition(" ")[2] if is_carry(node) else ""


def constant_value(node: Node) -> float | None:
    """The number of a scalar constant, None for any other node."""
    if node.op is not CONSTANT or node.shape:
        return None
    (data,) = node.params
    assert isinstance(data, bytes)
    (value,) = struct.unpack("<d", data)
    return float(value)


def data_of(node: Node) -> bytes:
    """The bytes of a constant's numbers."""
    (data,) = node.params
    assert isinstance(data, bytes)
    return data


def constant_elements(node: Node) -> tuple[float, ...]:
    """All numbers of a constant, in row-major order."""
    data = data_of(node)
    return struct.unpack(f"<{len(data) // 8}d", data)


def name_of(node: Node) -> str:
    """The name of a variable."""
    (name,) = node.params
    return str(name)


def check_size(shape: Shape, what: str) -> None:
    """Raise TooLargeError when an array of this shape would not fit the bounds."""
    elements = math.prod(shape) or max(shape, default=0)  # an empty array may still have an axis that nothing can hold
    if elements > MAX_ELEMENTS:
        raise TooLargeError(
            f"{what} would make an array of {count_text(elements)} numbers ({size_text(8 * elements)})",
            hint=f"the limit is {MAX_ELEMENTS} numbers ({size_text(8 * MAX_ELEMENTS)}) for one array",
        )
    if len(shape) > MAX_RANK:
        raise TooLargeError(f"{what} would make an array of {len(shape)} axes; the limit is {MAX_RANK}")


def toposort(outputs: Iterable[Node], leaves: Container[object] = ()) -> list[Node]:
    """Every node that the outputs need, arguments before users, in a fixed order.

    leaves: nodes below which the search does not go.
    """
    order: list[Node] = []
    done: set[Node] = set()
    stack: list[Node] = list(outputs)[::-1]
    while stack:
        node = stack.pop()
        while node not in done:
            args = node.args
            if not args or done.issuperset(args) or node in leaves:
                done.add(node)
                order.append(node)
                break
            stack.append(node)
            for arg in args[:0:-1]:
                if arg not in done:
                    stack.append(arg)  # noqa: PERF401, for most nodes have one argument or two
            node = args[0]
    return order


def missing(node: Node, known: Container[object]) -> list[Node]:
    """What a node needs that is not known, arguments first, itself last; nothing below what is known."""
    if node in known:
        return []
    for arg in node.args:
        if arg not in known:
            break
    else:
        return [node]  # as mostly, and in a tenth of the time
    found: dict[Node, None] = {}
    stack = [node]
    while stack:
        node = stack[-1]
        waiting = [arg for arg in node.args if arg not in known and arg not in found]
        if waiting:
            stack += waiting[::-1]
        else:
            found[node] = None
            stack.pop()
    return list(found)


def rebuild(
    outputs: Sequence[Node], make: Callable[[Operation, tuple[Node, ...], Params], Node],
    known: Mapping[Node, Node] | None = None,
) -> dict[Node, Node]:  # fmt: skip
    """What each node becomes when `make` builds it again from its rebuilt arguments.

    known: nodes that are replaced, with what replaces them.
    """
    become: dict[Node, Node] = dict(known or {})
    for node in toposort(outputs, become):
        if node not in become:
            become[node] = make(node.op, tuple(become[arg] for arg in node.args), node.params) if node.args else node
    return become


def dependents(on: Iterable[Node], order: Iterable[Node]) -> set[Node]:
    """Some nodes, and those of an order that depend on one of them."""
    found = set(on)
    for node in order:
        if not found.isdisjoint(node.args):
            found.add(node)
    return found


def count_of_numbers(nodes: Iterable[Node]) -> int:
    """How many numbers the values of nodes hold together."""
    return sum(math.prod(node.shape) for node in nodes)


def variables(order: Iterable[Node]) -> list[Node]:
    """The variables among the nodes, in their order."""
    return [node for node in order if node.op is VARIABLE]
