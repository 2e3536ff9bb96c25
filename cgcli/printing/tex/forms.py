"""How each operation is laid out as LaTeX: by the table's own words where it has some, else as a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cgcli.graph.node import CONSTANT, VARIABLE, Node, constant_elements, constant_value, name_of
from cgcli.graph.operation import Operation
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SUBTRACT
from cgcli.ops.creation import EYE, ONES, ZEROS
from cgcli.ops.functions import EXP
from cgcli.ops.indexing import INDEX
from cgcli.ops.linalg import MATMUL
from cgcli.ops.logic import WHERE
from cgcli.ops.reductions import NORM
from cgcli.ops.shaping import STACK, TRANSPOSE
from cgcli.printing.expression import given_statics
from cgcli.printing.tex.arrays import (
    filled,
    identity,
    index_form,
    matrix_product,
    norm,
    reaches_elements,
    reduction,
    subscripted,
    transpose,
)
from cgcli.printing.tex.calls import applied, call, called, element, function, variable
from cgcli.printing.tex.layout import (
    ANY,
    ATOM,
    POSTFIX,
    POWER,
    SIGNED,
    SUM,
    Form,
    Layout,
    Part,
    Piece,
    Setting,
    View,
    fixed,
)
from cgcli.printing.tex.matrices import constant_array, is_list, listed
from cgcli.printing.tex.products import numeral, product
from cgcli.printing.tex.symbols import as_fraction, decimal
from cgcli.printing.tex.templates import template

_SHORT = 24  # pieces; a longer exponent of e is written as the argument of exp
_HIGHEST = 99  # as `sin^n(x)`


def form(view: View, setting: Setting) -> Form:
    """How a view is laid out."""
    node = view.node
    name = setting.name(node)
    if name is not None:
        return fixed(element(name, view.items) if view.items else called(name))
    if node.op is VARIABLE:
        return fixed(variable(name_of(node), view.items))
    if view.items and not reaches_elements(node):
        return subscripted(View(node, (), view.depth), view.items)
    if node.op is CONSTANT:
        return fixed(_constant(node))
    if node.op in _FORMS:
        return _FORMS[node.op](view, setting)
    if "_{axis}" in node.op.latex:
        return reduction(view, setting)
    if "#" in node.op.latex and not given_statics(node):
        return _by_template(view)
    return function(view, setting)


def _constant(node: Node) -> Layout:
    value = constant_value(node)
    if value is not None:
        return numeral(value)
    return Layout(ATOM, (constant_array(constant_elements(node), node.shape),), tall=True)


# ---- operators ------------------------------------------------------------------------


def _sum(view: View, setting: Setting) -> Form:
    left, right = view.arguments()
    minus = view.node.op is SUBTRACT
    level = SIGNED if minus else SUM

    def build(given: Sequence[Layout]) -> Layout:
        turned = given[1].minus and given[1].level >= level  # a + -b is a - b
        sign = " - " if minus != turned else " + "
        pieces = (Part(left, SUM), sign, Part(right, level, signless=turned))
        leading = given[0].minus and given[0].level >= SUM
        return Layout(SUM, pieces, given[0].tall or given[1].tall, minus=leading)

    return Form([left, right], build)


def _power(view: View, setting: Setting) -> Form:
    base, exponent = view.arguments()
    plain = setting.name(base.node) is None and not base.rank
    value = constant_value(exponent.node)
    if plain and _carries_powers(base.node.op) and value is not None and value in range(2, _HIGHEST + 1):
        return call(f"{base.node.op.latex}^{{{decimal(value)}}}", base.arguments())
    written = _exponent(exponent.node) if setting.name(exponent.node) is None else ""
    raised: Piece = written or Part(exponent)
    before, after = "^{", "}"
    if base.rank > 1:  # X^2 itself would be the matrix product X X
        before, after = (r"^{\circ ", "}") if written.isdigit() else (r"^{\circ (", ")}")

    def build(given: Sequence[Layout]) -> Layout:
        first = given[0].first if given[0].level >= POSTFIX else ""
        return Layout(POWER, (Part(base, POSTFIX), before, raised, after), given[0].tall, first=first)

    return Form([base] if written else [base, exponent], build)


def _carries_powers(op: Operation) -> bool:
    """Whether sin^2(x) is the square of sin(x): a function of one argument, with a name in mathematics."""
    named = bool(op.latex) and "#" not in op.latex and op not in _FORMS
    return named and op.elementwise and len(op.arrays) == 1 and not op.variadic and not op.statics


def _exponent(node: Node) -> str:
    """A number as an exponent, where a fraction is written with a stroke; '' for what is no number."""
    if node.op is DIVIDE and all(arg.op is CONSTANT for arg in node.args):
        above, below = map(_exponent, node.args)
        return f"{above}/{below}" if above.removeprefix("-").isdigit() and below.isdigit() else ""
    value = constant_value(node)
    if value is None:
        return ""
    sign = "-" if value < 0 else ""
    above, below = as_fraction(abs(value)) or (decimal(abs(value)), "1")
    if below == "1":
        return f"{sign}{above}"
    return f"{sign}{above}/{below}" if below.isdigit() else rf"{sign}\frac{{{above}}}{{{below}}}"


def _exponential(view: View, setting: Setting) -> Form:
    """e with an exponent, unless that is tall or long; of an array it would be the matrix function."""
    arg = view.argument(0)

    def build(given: Sequence[Layout]) -> Layout:
        if given[0].tall or given[0].size > _SHORT or view.rank:
            return applied(view.node.op.latex, [Part(arg)], given[0].tall)
        return Layout(POWER, ("e^{", Part(arg), "}"))

    return Form([arg], build)


def _cases(view: View, setting: Setting) -> Form:
    """A conditional; one in its last branch only adds a line."""
    views: list[View] = []
    pieces: list[Piece] = [r"\begin{cases} "]
    rest = view
    while rest.node.op is WHERE and (rest is view or setting.name(rest.node) is None):
        condition, yes, rest = rest.arguments()
        views += [yes, condition]
        pieces += [Part(yes), r" & \text{if } ", Part(condition), r" \\ "]
    pieces += [Part(rest), r" & \text{otherwise} \end{cases}"]
    return Form([*views, rest], lambda given: Layout(ANY, tuple(pieces), tall=True))


def _by_template(view: View) -> Form:
    """The form that the operation's entry gives."""
    views = view.arguments()
    return Form(views, lambda given: template(view.node.op.latex).filled(views, given))


def _product(view: View, setting: Setting) -> Form:
    return product(view, setting.named)


def _list(view: View, setting: Setting) -> Form:
    return listed(view, setting.named) if is_list(view.node) else function(view, setting)


# What no name and no template can say.
_FORMS: dict[Operation, Callable[[View, Setting], Form]] = {
    ADD: _sum, SUBTRACT: _sum, MULTIPLY: _product, DIVIDE: _product, NEG: _product, POWER_OP: _power,
    EXP: _exponential, NORM: norm, WHERE: _cases, MATMUL: matrix_product, TRANSPOSE: transpose, INDEX: index_form,
    STACK: _list, EYE: identity, ZEROS: filled("0"), ONES: filled("1"),
}  # fmt: skip
