"""What an operation is in simpler ones, as formulas of the language: for a target that has no word for it."""

from __future__ import annotations

import math
from functools import reduce

from cgcli.annotations import Callable, Collection, Mapping, Sequence
from cgcli.evaluate.constants import computed
from cgcli.exporting.language import order_of
from cgcli.graph.body import Body, OwnFunction, inlined, leaves
from cgcli.graph.loops import Loop, States
from cgcli.graph.node import Node, apply, constant, constant_value, is_given, rebuild, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.lowering.formula import lower_formula, names_of
from cgcli.ops.determinants import COFACTOR
from cgcli.ops.reductions import SIZE
from cgcli.ops.roots import ROOT
from cgcli.records import EMPTY, NamedTuple
from cgcli.transform.differentiate import pushforward
from cgcli.transform.exact import exact

_IN_NONE = (SIZE, ROOT)  # which no target has; a root shares its name with the solution of a linear system
_MOST_MINORS = 6  # the rows of a matrix whose determinant's derivative is written
_MANY = 12  # rounds of formulas within formulas, which none has


Make = Callable[[Operation, tuple[Node, ...], Params], Node]
"""How a node is built again."""


class NotInTargetError(Exception):
    """An operation that a target has no word for, and that is no formula of what it has; the node that applies it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        super().__init__(node.op.name)


class Written(NamedTuple):
    """Outputs in operations that a target has, and which of their nodes the program names."""

    outputs: tuple[Node, ...]
    labels: Mapping[Node, str] = EMPTY

    def again(self, make: Make) -> Written:
        """The same, with each node built by `make`."""
        become = rebuild(self.outputs, make)
        labels: dict[Node, str] = {}
        for node, name in self.labels.items():
            if node in become and become[node].args:
                labels.setdefault(become[node], name)
        return Written(tuple(become[output] for output in self.outputs), labels)


def in_terms_of(
    outputs: Sequence[Node], has: Callable[[Node], bool], keep: Collection[OwnFunction] = (),
    labels: Mapping[Node, str] = EMPTY,
) -> Written:  # fmt: skip
    """The outputs in operations that a target has. Raises NotInTargetError, with a node of the outputs.

    keep: functions with derivative rules of their own that the target calls; the bodies of others stand in their place.
    labels: nodes that the program names.
    """
    outputs = inlined(outputs, keep)
    try:
        return _rewritten(Written(tuple(outputs), labels), has, keep)
    except NotInTargetError:
        for node in toposort(outputs):  # what was not found may stand in the formula of what is asked for
            if node.args:
                alone = apply(node.op, leaves(arg.shape for arg in node.args), node.params)
                try:
                    _rewritten(Written((alone,)), has, keep)
                except NotInTargetError as error:
                    is_inside = isinstance(node.params, Loop | States) and error.node.op is not node.op
                    raise NotInTargetError(error.node if is_inside else node) from None
        raise


def _rewritten(written: Written, has: Callable[[Node], bool], keep: Collection[OwnFunction]) -> Written:
    for _ in range(_MANY):
        written = written.again(_or_number)
        order = toposort(written.outputs)
        lacking = [node for node in order if not is_given(node) and (node.op in _IN_NONE or not has(node))]
        if not lacking:
            return _with_bodies(written, has, keep)
        unknown = next((node for node in lacking if not _has_formula(node)), None)
        if unknown is not None:
            raise NotInTargetError(unknown)
        lacks = {(node.op, len(node.args)) for node in lacking}

        def make(
            op: Operation, args: tuple[Node, ...], params: Params, lacks: Collection[tuple[Operation, int]] = lacks
        ) -> Node:
            if op is SIZE:
                (axes,) = params
                assert isinstance(axes, tuple)
                return constant(float(math.prod(args[0].shape[axis] for axis in axes)))
            return in_simpler_ones(op, args, params) if (op, len(args)) in lacks else exact(op, args, params)

        written = written.again(make)
    raise AssertionError("a formula needs itself")


def _or_number(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """An operation, simplified exactly, or the number that it gives of numbers alone."""
    numbers = [constant_value(arg) for arg in args] if op.elementwise else [None]
    known = [number for number in numbers if number is not None]
    return constant(float(computed(op, known, params))) if known == numbers else exact(op, args, params)


def _with_bodies(written: Written, has: Callable[[Node], bool], keep: Collection[OwnFunction]) -> Written:
    """The outputs with what their loops hold in operations that a target has, too."""

    def make(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
        if isinstance(params, Loop | States):
            body = params.body
            params = params._replace(body=Body(body.parameters, in_terms_of(body.outputs, has, keep).outputs))
        return apply(op, args, params)

    return written.again(make)


def _has_formula(node: Node) -> bool:
    if node.op is SIZE or _is_of_several(node.op, node.args):
        return True
    if node.op is COFACTOR:
        return node.shape[-1] <= _MOST_MINORS
    return bool(node.op.simpler or node.op.expansion)


def _is_of_several(op: Operation, args: tuple[Node, ...]) -> bool:
    """Whether it is the maximum or the minimum of three numbers or more, which is that of two again and again."""
    return op.elementwise and op.name in ("max", "min") and len(args) > 2


def in_simpler_ones(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """An operation by its formula, or by what the table says that it stands for."""
    if _is_of_several(op, args):
        return reduce(lambda found, arg: apply(op, (found, arg)), args)
    if op is COFACTOR:
        return lower_formula(_by_minors(args[0].shape[-1]), names_of(op, args, params))
    if isinstance(op.simpler, tuple):
        return _of_order(op, op.simpler, args, params)
    formula = op.simpler or op.expansion
    return formula(args, params) if callable(formula) else lower_formula(formula, names_of(op, args, params))


def _of_order(op: Operation, formulas: tuple[str, ...], args: tuple[Node, ...], params: Params) -> Node:
    """The derivative of an order by its formula, or by the last formula that there is, which is differentiated.

    Of several arguments it is that by the first.
    """
    order, highest = order_of(op, params), len(formulas) - 1
    if order <= highest:
        return lower_formula(formulas[order], names_of(op, args, params))
    places = leaves([()] * len(args))
    value = lower_formula(formulas[highest], names_of(op, tuple(places), params))
    for _ in range(order - highest):
        (value,) = pushforward([value], {places[0]: constant(1.0)})
    return rebuild([value], exact, dict(zip(places, args, strict=True)))[value]


def _by_minors(size: int) -> str:
    """The cofactor matrix, each of its elements a determinant with its sign: exact for singular matrices too."""
    others = [[at for at in range(size) if at != left] for left in range(size)]
    minors = [[str([[f"a[{i}, {j}]" for j in columns] for i in rows]).replace("'", "") for columns in others]
              for rows in others]  # fmt: skip
    signed = [[f"{'-' * ((i + j) % 2)}det({minor})" for j, minor in enumerate(row)] for i, row in enumerate(minors)]
    return f"[{', '.join('[' + ', '.join(row) + ']' for row in signed)}]" if size > 1 else "ones([1, 1])"
