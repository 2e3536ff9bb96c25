"""Derivatives as a calculus book prints them: the table's rules in their book form.

The rules of the table keep their digits and hold at every edge: `where(n == 0, 0, n*x^(n - 1))`,
`1/hypot(1, x)`. A formula that people read says n*x^(n - 1) and 1/sqrt(1 + x^2).
"""

from __future__ import annotations

from functools import cache

from cgcli.algebra.domain import Domains
from cgcli.algebra.facts import vanishing
from cgcli.annotations import Iterable, Mapping, Sequence
from cgcli.errors import TooLargeError
from cgcli.graph.node import Node, apply, constant_value, leaf, rebuild, toposort
from cgcli.graph.operation import Operation, Params
from cgcli.graph.rules import Partial, Partials
from cgcli.lowering.formula import expand, lower_formula, names_of
from cgcli.ops.arithmetic import EQUAL_TO, MAXIMUM, MINIMUM
from cgcli.ops.logic import AND_OP, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, STOP_GRADIENT, WHERE
from cgcli.records import NamedTuple
from cgcli.transform.exact import exact
from cgcli.transform.formulas import Slope, Slopes, Template, unguarded
from cgcli.transform.reverse import active_nodes

_BEATS = {MAXIMUM: (GREATER, GREATER_EQUAL), MINIMUM: (LESS, LESS_EQUAL)}  # what is before an extreme, and after it
_MOST_COMPARED = 100_000  # operands


class Expanded(NamedTuple):
    """A graph in which operations that are defined by others are replaced by their definitions.

    originals: for the definition of each of them, the operation itself. domains: of its parts.
    """

    output: Node
    originals: Mapping[Node, Node]
    domains: Domains

    @property
    def chooses(self) -> bool:
        """Whether an operation in it chooses among its arguments, as max does."""
        return any(map(_chooses, toposort([self.output])))

    def slopes(self, wrt: Iterable[Node], select: bool = False) -> Slopes:
        """The partials of its nodes in their book form, for derivatives by some of them.

        select: what is not chosen is left out by a select, where(x > 0, f, 0), and not by a factor 0, which may meet an
        infinite one. Raises TooLargeError for those of extremes of many operands, each of which compares all of them.
        """
        order = toposort([self.output])
        smooth, active = _smooth(order, self.domains), active_nodes(order, set(wrt))
        _check_size(sum(len(node.args) * len(active.intersection(node.args)) for node in order if node.op.variadic))

        @cache
        def slope(node: Node, position: int) -> Slope:
            template = _template(node.op, len(node.args), position, node.params, node in smooth)
            return Slope(template.at(node), chooses=select and _chooses(node))

        return slope

    def as_written(self, slopes: Sequence[Node]) -> tuple[Node, ...]:
        """Its derivatives without cases for edges, and with the original operations for their definitions."""
        own = set(toposort([self.output]))
        choices = [part for part in toposort(slopes) if part.op is WHERE and part not in own]
        plain = {part: part.args[1] for part in choices if _without_edge_case(part, False) is part.args[1]}
        for known in (plain, self.originals):
            become = rebuild(slopes, exact, known) if known else {}
            slopes = [become.get(slope, slope) for slope in slopes]
        return tuple(slopes)


def expanded(output: Node) -> Expanded:
    """A graph in terms of operations that have a rule of their own."""
    originals: dict[Node, Node] = {}
    become: dict[Node, Node] = {}
    order = toposort([output])
    domains = Domains()
    in_books = _in_book_form(order, domains)
    for node in order:
        if not node.args:
            become[node] = node
            continue
        args = tuple(become[arg] for arg in node.args)
        if node in in_books:
            definition = lower_formula(node.op.book, names_of(node.op, args, node.params))
            fixed = [part for part in toposort([definition], args) if part.op is STOP_GRADIENT]
            as_written = rebuild([part.args[0] for part in fixed], exact, dict(zip(args, node.args, strict=True)))
            originals |= {part: as_written[part.args[0]] for part in fixed}
        else:
            definition = _definition(node.op, args, node.params)
        become[node] = definition
        if definition.op is not node.op:
            originals[definition] = node
    return Expanded(become[output], originals, domains)


def _in_book_form(order: Sequence[Node], domains: Domains) -> set[Node]:
    """The nodes that have a book form without a division by what is 0 everywhere.

    The derivative of prod, as exp(sum(ln(x))), is prod(x)/x, and those of norm and std divide by their value.
    """
    smooth = _smooth(order, domains)
    found = {node for node in order if node.op.book and node.args[0].shape and smooth.issuperset(node.args)}
    divisors = {node: node.args[0] if node.op.name == "prod" else node for node in found}
    zero = vanishing([*divisors.values()])
    return {node for node, divisor in divisors.items() if divisor not in zero}


def _definition(op: Operation, args: tuple[Node, ...], params: Params) -> Node:
    """The definition of an operation, in terms of operations that have a rule of their own."""
    if not op.is_formula:
        return exact(op, args, params)
    inner = expand(op, args, params)
    return rebuild([inner], _definition, dict(zip(args, args, strict=True)))[inner]


def _chooses(node: Node) -> bool:
    rule = node.op.rule(0) if node.op.elementwise else None
    return isinstance(rule, Partial | Partials) and rule.chooses


def _check_size(compared: int) -> None:
    """Raise TooLargeError where so many operands are too many to be compared."""
    if compared > _MOST_COMPARED:
        raise TooLargeError(
            f"the derivatives compare {compared} operands, and the limit is {_MOST_COMPARED}",
            hint="ask for fewer names, or for numbers, which cost less: grad", topic="fewer",
        )  # fmt: skip


@cache
def _template(op: Operation, count: int, position: int, params: Params, smooth: bool) -> Template:
    """The partial of an elementwise operation of so many arguments by one of them, in its book form.

    smooth: the arguments are smooth functions, which are 0 at isolated points only; the case for 0 is left out then.
    """
    stand_ins = tuple(leaf(f"{op.name}{at}", ()) for at in range(count))
    out = apply(op, stand_ins, params)
    rule = op.rule(position)
    if op in _BEATS:
        formula = _is_first_extreme(op, stand_ins, position)
    elif isinstance(rule, Partials):
        formula = rule.build(stand_ins)[position]
    else:
        assert isinstance(rule, Partial)
        formula = lower_formula(rule.book or rule.formula, {**names_of(op, stand_ins, params), "out": out})
    while (simpler := _without_edge_case(formula, smooth)) is not formula:
        formula = simpler
    return Template(formula, stand_ins, out)


def _is_first_extreme(op: Operation, args: Sequence[Node], position: int) -> Node:
    """Whether an argument is the extreme, and the first one that is: those that equal it have no part in the slope."""
    conditions = []
    for rivals, beats in zip((args[:position], args[position + 1 :]), _BEATS[op], strict=True):
        if rivals:
            rival = apply(op, tuple(rivals)) if len(rivals) > 1 else rivals[0]
            conditions.append(apply(beats, (args[position], rival)))
    return apply(AND_OP, tuple(conditions)) if len(conditions) > 1 else conditions[0]


def _without_edge_case(node: Node, smooth: bool) -> Node:
    """A formula without its outermost case for an edge; the formula itself if it has none. smooth: see above."""
    if node.op is not WHERE:
        return node
    condition, yes, no = node.args
    if constant_value(yes) == 0 and smooth:  # where(n == 0, 0, n*x^(n - 1))
        return no
    return unguarded(node.op, node.args) if condition.op is EQUAL_TO and condition.args == (no, no) else node


def _smooth(order: Sequence[Node], domains: Domains) -> set[Node]:
    """The nodes that are smooth functions of the inputs, but for isolated points, and are 0 at such points only."""
    return {node for node in order if domains.has_isolated_zeros(node)}
