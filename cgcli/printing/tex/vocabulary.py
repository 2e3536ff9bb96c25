"""How LaTeX writes each operation: by the table's own words where it has some, else as a function."""

from __future__ import annotations

import math
import re

from cgcli.annotations import Callable, Iterator, Sequence, cast
from cgcli.graph.body import function_of
from cgcli.graph.node import CONSTANT, VARIABLE, Node, constant_elements, constant_value, name_of
from cgcli.graph.operation import Operation, Static
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SUBTRACT
from cgcli.ops.creation import EYE, ONES, ZEROS
from cgcli.ops.entry import (
    AND,
    ATOM,
    BIG,
    COMPARISON,
    CONDITIONAL,
    MODULO,
    NOT,
    OR,
    POSTFIX,
    POWER,
    PRODUCT,
    SIGNED,
    SUM,
)
from cgcli.ops.functions import EXP
from cgcli.ops.indexing import INDEX
from cgcli.ops.linalg import MATMUL
from cgcli.ops.logic import WHERE
from cgcli.ops.reductions import NORM
from cgcli.ops.roots import ROOT
from cgcli.ops.shaping import STACK, TRANSPOSE
from cgcli.ops.sums import traced
from cgcli.printing.printer import (
    RAISED,
    SMALLEST,
    Form,
    Layout,
    Names,
    Part,
    Piece,
    View,
    Vocabulary,
    call,
    given_arguments,
    given_statics,
)
from cgcli.printing.spelling import LETTERS, Spelling, typeset, word
from cgcli.printing.templates import Binding, Templates
from cgcli.printing.tex.arrays import below_each_other, constant_array, is_list, listed
from cgcli.printing.tex.products import is_transpose, matrix_product, numeral, product
from cgcli.printing.tex.roots import root
from cgcli.printing.tex.series import SERIES, Index, series
from cgcli.printing.tex.symbols import decimal

_SHORT = 48  # characters; a longer exponent of e is written as the argument of exp
_HIGHEST = 99  # as `sin^n(x)`
_SIGN = re.compile(r"\\operatorname\*?\{.*?\}|\\[A-Za-z]+")
_SIGNLESS = "signless"  # a mode: without the minus sign that it begins with

_SIDES = Binding(COMPARISON, SUM, SUM)
_TEMPLATES = Templates(
    {
        r"\lor": Binding(OR, OR, OR), r"\land": Binding(AND, AND, AND), r"\lnot": Binding(NOT, NOT, MODULO),
        "=": _SIDES, r"\ne": _SIDES, "<": _SIDES, ">": _SIDES, r"\le": _SIDES, r"\ge": _SIDES,
        r"\bmod": Binding(MODULO, PRODUCT, PRODUCT), "+": Binding(SUM, SUM, SUM), "-": Binding(SUM, SUM, SIGNED),
        " ": Binding(PRODUCT, PRODUCT, PRODUCT), "^": Binding(POWER, POSTFIX, CONDITIONAL),
        "!": Binding(POWER, POSTFIX, CONDITIONAL),  # (n!)^2 and (n!)!, as in books
    },
    {r"\lfloor": r"\rfloor", r"\lceil": r"\rceil", r"\lVert": r"\rVert", "(": ")", "|": "|", "{": "}"},
    (r"\frac", r"\binom"),
)  # fmt: skip


class Latex(Vocabulary):
    """LaTeX for one formula. spelling: how variables are written; `named` holds LaTeX."""

    def __init__(self, top: Node, named: Names, spelling: Spelling) -> None:
        super().__init__(named, top)
        self.spelling = spelling

    def letter(self, at: int) -> str:
        """The letter of an index; beyond the alphabet's, the last of them with a number."""
        letters = self.spelling.letters
        return letters[at] if at < len(letters) else f"{letters[-1]}_{{{at}}}"

    def form(self, part: Part) -> Layout | Form:
        """How a view is written."""
        view = part.view
        while (name := self.name(view.node)) is None and view.items and is_transpose(view.node):
            view = view.of(view.node.args[0], view.items[::-1])
        node, items = view.node, view.items
        op = node.op
        if name is not None:
            return _element(name, items)
        if op is VARIABLE:
            return _symbol(self.spelling.text(name_of(node), items))
        if items and not (op.elementwise or "_{axis}" in op.latex or op in (INDEX, SERIES)):
            return _subscripted(view.of(node), items)
        if op is CONSTANT:
            value = constant_value(node)
            return (
                constant_array(constant_elements(node), node.shape, self)
                if value is None
                else numeral(value, view.small)
            )
        if op in _FORMS:
            return _FORMS[op](view, self)
        if "_{axis}" in op.latex:
            return _reduction(view, self)
        return _by_template(view, self)

    def layout(self, part: Part) -> Layout:
        """How a view is written, which `lay_out` has found."""
        layout = self.layouts[part.view]
        if part.mode != _SIGNLESS:
            return layout
        first, *others = layout.pieces
        return layout._replace(pieces=(*([] if isinstance(first, str) else [first._replace(mode=_SIGNLESS)]), *others))

    def brackets(self, layout: Layout, level: int) -> tuple[str, str]:
        """What is true or false stands for 1 or 0 in square ones, as Iverson's; they grow where they must."""
        opening, closing = "[]" if is_truth(layout) and level > MODULO else "()"
        return (rf"\left{opening}", rf"\right{closing}") if layout.tall else (opening, closing)


def signs(op: Operation) -> Iterator[str]:
    """What an operation is written with that a name could be taken for."""
    if not op.latex:
        yield word(op.name)
    for sign in _SIGN.findall(op.latex):
        yield sign if sign[1:] in LETTERS or sign.startswith(r"\operatorname") else word(sign[1:])


def is_truth(layout: Layout) -> bool:
    """Whether a layout says something that is true or false."""
    return CONDITIONAL < layout.level <= COMPARISON


# ---- names, elements, functions -------------------------------------------------------


def _symbol(text: str) -> Layout:
    """The layout of a name."""
    is_marked = "^" in text or "_" in text.replace(r"\_", "")
    return Layout(POSTFIX if is_marked else ATOM, (text,))


def _element(text: str, index: Sequence[str]) -> Layout:
    """The layout of a name, or of an element of what it stands for."""
    base = _symbol(text)
    if not index:
        return base
    whole = f"({text})" if base.level < ATOM else text
    return Layout(POSTFIX, (f"{whole}_{{{','.join(index)}}}",))


def _subscripted(whole: View, index: Sequence[str]) -> Layout:
    """An element of what is written as a whole."""
    return Layout(POSTFIX, (Part(whole, ATOM), f"_{{{','.join(index)}}}"))


def _by_template(view: View, latex: Latex) -> Layout:
    """The form that the operation's entry gives, where it says all."""
    text = view.node.op.latex
    if "#" not in text or given_statics(view.node):
        return _function(view, latex)
    return _TEMPLATES[text].filled(view.arguments())


def _function(view: View, latex: Latex) -> Layout:
    """A function's name, its arguments, and what else it was given."""
    op, function = view.node.op, function_of(view.node)
    head = (
        latex.named.get(function) or latex.spelling.text(function.name) if function is not None
        else op.latex if op.latex and "#" not in op.latex
        else word(op.name).replace(r"\mathrm", r"\operatorname", 1)
    )  # fmt: skip
    order = [text for static, text in given_statics(view.node) if static.name == "order"]  # of a derivative
    head += "".join(f"^{{({text})}}" for text in order)
    return _applied(head, [piece for piece in given_arguments(view, _static) if piece])


def _static(static: Static, text: str) -> str:
    if static.leading:
        return rf"\texttt{{{text.strip(chr(34))}}}"
    if static.name == "order" or not text:
        return ""
    value = text.replace(":", "{:}")
    return value if static.variadic else f"{typeset(static.name).text()} = {value}"


def _applied(head: str, arguments: Sequence[Piece]) -> Layout:
    """A function with its arguments: `f(x)^2` is the square of its value, but `\\sin(x)^2` might not be."""
    is_word = head.startswith("\\") and not head.startswith(r"\operatorname")
    return Layout(POWER if is_word else POSTFIX, call(head, arguments))


# ---- operators ------------------------------------------------------------------------


def _sum(view: View, latex: Latex) -> Form:
    left, right = view.arguments()
    is_difference = view.node.op is SUBTRACT
    level = SIGNED if is_difference else SUM

    def build() -> Layout:
        is_turned = latex.first(Part(right, level)) == "-"  # a + -b is a - b
        sign = " - " if is_difference != is_turned else " + "
        return Layout(SUM, (Part(left, SUM), sign, Part(right, level, _SIGNLESS if is_turned else "")))

    return Form([left, right], build)


def _power(view: View, latex: Latex) -> Layout:
    base, exponent = view.arguments()
    value = constant_value(exponent.node)
    is_name = latex.name(base.node) is not None
    if not (is_name or base.rank) and _carries_powers(base.node.op) and value in range(2, _HIGHEST + 1):
        return _applied(f"{base.node.op.latex}^{{{decimal(cast('float', value))}}}", [*map(Part, base.arguments())])
    before, after = "^{", "}"
    if base.rank > 1:  # X^2 itself would be the matrix product X X
        is_count = value is not None and decimal(value).isdigit()
        before, after = (r"^{\circ ", "}") if is_count else (r"^{\circ (", ")}")
    return Layout(POWER, (Part(base, POSTFIX), before, Part(exponent.smaller(SMALLEST), mode=RAISED), after))


def _carries_powers(op: Operation) -> bool:
    """Whether sin^2(x) is the square of sin(x): a function of one argument, with a name in mathematics."""
    is_named = bool(op.latex) and "#" not in op.latex and op not in _FORMS
    return is_named and op.elementwise and len(op.arrays) == 1 and not op.variadic and not op.statics


def _exponential(view: View, latex: Latex) -> Form:
    """e with an exponent, unless that is tall or long; of an array it would be the matrix function."""
    arg = view.argument(0)
    raised = arg.smaller(SMALLEST)

    def build() -> Layout:
        if latex.layouts[arg].tall or latex.layouts[arg].size > _SHORT or view.rank:
            return _applied(view.node.op.latex, [Part(arg)])
        return Layout(POWER, ("e^{", Part(raised, mode=RAISED), "}"))

    return Form([arg, raised], build)


def _cases(view: View, latex: Latex) -> Form:
    """A conditional; one in its last branch only adds a line."""
    rows: list[list[Piece]] = []
    views: list[View] = []
    rest = view
    while rest.node.op is WHERE and (rest is view or latex.name(rest.node) is None):
        condition, yes, rest = rest.arguments()
        rows.append([Part(yes), r" & \text{if } ", Part(condition)])
        views += [yes, condition]
    rows.append([Part(rest), r" & \text{otherwise}"])

    def build() -> Layout:
        pieces = (r"\begin{cases} ", *below_each_other(rows, latex), r" \end{cases}")
        return Layout(CONDITIONAL, pieces, tall=True)

    return Form([*views, rest], build)


# ---- arrays ---------------------------------------------------------------------------


def _index(view: View, latex: Latex) -> Layout:
    """An element or a slice: its own items, and those of the view in place of its ':'."""
    node = view.node
    (arg,) = node.args
    ((_, text),) = given_statics(node)
    outer = iter(view.items or (":",) * len(node.shape))
    index: list[str] = []
    for item in text.split(", "):
        place = item if item.isdigit() else next(outer)
        if item != place and ":" not in (item, place):  # an element of a slice
            return _subscripted(view.of(node), view.items)
        index.append(item if place == ":" else place)
    if arg.op is VARIABLE and latex.name(arg) is None:
        return _symbol(latex.spelling.text(name_of(arg), index))
    return _subscripted(view.of(arg), index)


def _transpose(view: View, latex: Latex) -> Layout:
    """A matrix turned over."""
    if not is_transpose(view.node):
        return _function(view, latex)
    return Layout(POWER, (Part(view.of(view.node.args[0]), POSTFIX), r"^{\top}"))


def _reduction(view: View, latex: Latex) -> Layout:
    """A sum sign or its like: a letter for each axis that it runs over, and its body's elements under them."""
    node = view.node
    (arg,) = node.args
    along, kept = cast("tuple[tuple[int, ...], bool]", node.params)
    matrix = traced(node)
    if matrix is not None and latex.name(arg) is None:
        return _applied(r"\operatorname{tr}", [Part(view.of(matrix))])
    outer = [*(view.items or (":",) * len(node.shape))]
    letters = [latex.letter(view.depth + at) for at in range(len(along))]
    index: list[str] = []
    waiting = iter(letters)
    for at in range(-len(arg.shape), 0):
        if at in along:
            index.append(next(waiting))
            del outer[: 1 if kept else 0]
        else:
            index.append(outer.pop(0))
    body = view.of(arg, tuple(index) if letters else view.items)._replace(depth=view.depth + len(letters))
    head = node.op.latex.replace("#1", "").replace("{size}", f"{{{math.prod(arg.shape[at] for at in along)}}}")
    head = head.replace("_{axis}", f"_{{{','.join(letters)}}}" if letters else "")
    return Layout(BIG, (head, Part(body, BIG)), tall=True)


def _norm(view: View, latex: Latex) -> Layout:
    """The Euclidean norm of a vector, the Frobenius norm of a matrix."""
    layout = _by_template(view, latex)
    is_frobenius = len(view.node.args[0].shape) > 1 and not given_statics(view.node)
    return layout._replace(pieces=(*layout.pieces, "_{F}")) if is_frobenius else layout


def _list(view: View, latex: Latex) -> Layout | Form:
    return listed(view, latex) if is_list(view.node) else _function(view, latex)


def _identity(view: View, latex: Latex) -> Layout:
    """The identity matrix of some size."""
    return Layout(POSTFIX, (f"I_{{{view.node.params[0]}}}",))


def _filled(view: View, latex: Latex) -> Layout:
    """An array of one number again and again, as that number in bold."""
    size = r" \times ".join(map(str, view.node.shape))
    return Layout(POSTFIX, (rf"\mathbf{{{int(view.node.op is ONES)}}}_{{{size}}}",))


def _series(view: View, latex: Latex) -> Layout:
    """A sum or a product over an index, whose letter is the name of its leaf."""
    assert isinstance(view.node.params, Index)
    return series(view, latex.named[view.node.params.leaf])


def _root(view: View, latex: Latex) -> Form:
    return root(view, latex, latex.spelling)


# What no name and no template can say.
_FORMS: dict[Operation, Callable[[View, Latex], Layout | Form]] = {
    ADD: _sum, SUBTRACT: _sum, MULTIPLY: product, DIVIDE: product, NEG: product, POWER_OP: _power,
    EXP: _exponential, NORM: _norm, WHERE: _cases, MATMUL: matrix_product, TRANSPOSE: _transpose, INDEX: _index,
    STACK: _list, EYE: _identity, ZEROS: _filled, ONES: _filled, SERIES: _series, ROOT: _root,
}  # fmt: skip
