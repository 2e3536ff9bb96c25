"""The figure of textbooks: the graph of a program, beside it the one that differentiation adds, formulas in boxes."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence
from cgcli.api.blanks import check_blanks
from cgcli.api.drawn import Picture, of_what_sum
from cgcli.api.notices import Notice
from cgcli.api.point import Point
from cgcli.api.seeds import ones_of, weights
from cgcli.api.views import has_values, values_of_trace, with_trips
from cgcli.api.watched import Watched
from cgcli.errors import TooLargeError, UsageError
from cgcli.graph.node import Graph, Node, apply, toposort
from cgcli.lean import re
from cgcli.ops.shaping import RESHAPE
from cgcli.ops.sums import SUM, Reduce
from cgcli.printing.expression import formula as text_of
from cgcli.printing.spelling import in_unicode
from cgcli.rendering.backward import figure_of
from cgcli.rendering.calling import Calling
from cgcli.rendering.metrics import has_all
from cgcli.rendering.panels import Box, Panels
from cgcli.rendering.pen import OVERLINE
from cgcli.rendering.sketch import Cluster
from cgcli.rendering.themes import THEMES
from cgcli.trace.formulas import Formula, Mark, Symbol, of_a_loop
from cgcli.trace.steps import Trace, trace

if TYPE_CHECKING:
    from cgcli.rendering.draw import Pictures
    from cgcli.rendering.look import Look
    from cgcli.rendering.picture import Paper

_MOST_STEPS = 100  # in each panel
_FORMULA = 200  # characters
_BAR = "\N{COMBINING MACRON}"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ"  # indices, which a bar leaves out
_FIRST = 0xF0000  # of the private characters that stand for names while signs are replaced
_SIGNS = re.compile(r'"[^"]*"|\*|-|\.T\b|\^\d+(?![.\w])')  # texts stay as they are
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_KINDS = ("png", "svg", "pdf", "tex", "mmd", "dot")


def backward_at(
    point: Point, evaluate: Watched, look: Look, paper: Paper, tell: Callable[[Notice], None],
    wrt: Sequence[Node], given: Sequence[Any] | None,
) -> Picture:  # fmt: skip
    """The picture of both graphs of a program; its numbers where all names have values.

    wrt: the inputs that have adjoints. given: the cotangents, or ones. Raises UsageError where there is nothing to
    differentiate by, TooLargeError for more steps than two panels show.
    """
    look.check()
    paper.check()
    check_blanks(look.blank, has_values=has_values(point), grad=True, moves=False)
    if look.depth is not None or look.around or look.tree:
        raise UsageError("the figure of both graphs has all their steps",
                         hint="leave --backward out, or --depth, --around and --tree")  # fmt: skip
    if not wrt:
        raise UsageError("there is no backward graph: there is nothing to differentiate by", hint="as in: x^2")
    if point.bindings:
        point.check_complete()
    graph = point.graph if look.flat else point.with_calls()
    point = with_trips(point, evaluate)
    count = len(toposort(point.graph.outputs))
    if count > _MOST_STEPS:
        raise TooLargeError(
            f"the program has {count} steps, and two panels show at most {_MOST_STEPS}",
            hint="draw a part of it; cg trace --grad prints the steps of all of it",
        )
    if given is None:
        for notice in of_what_sum(point.graph):
            tell(notice)
    outputs = point.graph.outputs
    seeds = weights(point.graph, given) if given is not None else list(map(ones_of, outputs))
    traced = trace(point.graph, wrt, cotangents=seeds)
    values = values_of_trace(point, traced, evaluate) if has_values(point) else {}
    panels = _panels(point, traced, values, graph, plain=look.plain)

    def drawn(kinds: Sequence[str]) -> Pictures:
        for kind in kinds:
            if kind not in _KINDS:
                raise UsageError(f"the figure of both graphs is .{', .'.join(_KINDS)}, and not .{kind}",
                                 hint="leave --backward out, or write .svg")  # fmt: skip
        return figure_of(panels, kinds, look=look, paper=paper)

    def series(kind: str) -> Sequence[bytes]:
        raise UsageError("the steps of the passes are drawn in one graph", hint="leave --backward out")

    return Picture(point.graph.source.text, drawn, series, THEMES[look.theme].background, paper, tell)


def _panels(point: Point, traced: Trace, values: Mapping[Node, Any], graph: Graph, *, plain: bool) -> Panels:
    """What the figure shows of a trace. graph: of the program, with its calls."""
    numbers = {step.name: at for at, step in enumerate(traced.steps)}
    pretty = {name: name for name in numbers} if plain else in_unicode(numbers)
    writer = _Writer(pretty, traced)
    outputs = set(point.graph.outputs)
    roles = [
        "variable" if step.formula is None else "output" if step.value in outputs else "operation"
        for step in traced.steps
    ]
    terms: dict[str, list[str]] = {}
    pulled, saved = dict[tuple[int, int], None](), dict[tuple[int, int], None]()
    for each in traced.contributions:
        to = numbers[each.to]
        terms.setdefault(each.to, []).append(writer.text(each.formula) if each.source else writer.seed(each.formula))
        if each.source:
            pulled[numbers[each.source], to] = None
        saved |= {(numbers[name], to): None for name in _used(each.formula, Mark.VALUE)}
    forward, backward = {}, {}
    clusters: list[Cluster] = []
    calls = Calling(graph, clusters)
    computed: dict[tuple[int, int], None] = {}
    given = {each.to for each in traced.contributions if not each.source} - {
        each.to for each in traced.contributions if each.source
    }
    for at, step in enumerate(traced.steps):
        right = "" if step.formula is None else f" = {writer.text(step.formula)}"
        value = values.get(step.value)
        place = calls.around((), step.value, None) if step.formula is not None else None
        forward[at] = Box(pretty[step.name] + right, step.value.shape, value, roles[at], step.formula is None, place)
        if step.formula is not None:
            computed |= {(numbers[name], at): None for name in _used(step.formula, Mark.VALUE)}
        if step.adjoint is not None:
            total = " + ".join(terms.get(step.name, ["0"])).replace("+ −", "− ")
            text = f"{writer.barred(step.name)} = {total}"
            value = values.get(step.adjoint)
            backward[at] = Box(text, step.value.shape, value, roles[at], step.name in given, place)
    spelled = clusters if plain else [each._replace(head=_spelled(each.head, pretty)) for each in clusters]
    return Panels(point.graph.source.text, forward, backward, [*computed], [*pulled], [*saved], spelled)


def _plain_sum(node: Node) -> Node:
    """A node without the axes of size 1 that only fit a sum to a shape: the box says the shape."""
    total = node.args[0] if node.op is RESHAPE else node
    if not isinstance(total.params, Reduce) or total.op is not SUM:
        return node
    return apply(SUM, total.args, total.params._replace(keepdims=False))


def _spelled(text: str, pretty: Mapping[str, str]) -> str:
    """A call with names as the boxes have them."""
    return re.sub(r"\w+", lambda found: pretty.get(found[0], found[0]), text)


def _used(formula: Formula, mark: Mark) -> Iterable[str]:
    """The steps whose values a formula reads."""
    leaves = (node for node in toposort([formula.node], formula.symbols) if node in formula.symbols)
    return [formula.symbols[node].name for node in leaves if formula.symbols[node].mark is mark]


def _typeset(sign: str) -> str:
    """An operator as it stands on a blackboard; a text as it is."""
    return {"*": "·", "-": "−", ".T": "ᵀ"}.get(sign) or (sign[1:].translate(_RAISED) if sign[0] == "^" else sign)


class _Writer:
    """Writes formulas as a blackboard has them: `v̄₃·cos(x₂)`."""

    def __init__(self, pretty: Mapping[str, str], traced: Trace) -> None:
        self._pretty, self._functions = pretty, traced.functions

    def text(self, formula: Formula) -> str:
        """A formula; signs are replaced in it, and not in the names that it has."""
        if (loop := of_a_loop(formula)) is not None:
            return loop
        names: list[str] = []

        def spell(symbol: Symbol) -> str:
            names.append(self._named(symbol))
            return chr(_FIRST + len(names) - 1)

        written = text_of(_plain_sum(formula.node), _FORMULA, formula.names(spell, self._functions))
        written = _SIGNS.sub(lambda found: _typeset(found[0]), written)
        return "".join(names[ord(sign) - _FIRST] if 0 <= ord(sign) - _FIRST < len(names) else sign for sign in written)

    def seed(self, formula: Formula) -> str:
        """The cotangent of a result: 1, also where that is an array of ones."""
        written = self.text(formula)
        return "1" if formula.node.shape and not set(written) - set("[]1, ") else written

    def barred(self, name: str) -> str:
        """The adjoint of a step: one bar over its name, or a ∂ before it where our font lacks a sign."""
        text = self._pretty[name]
        if not text[:1].isalpha() or not has_all(text):
            return f"∂{text}"
        base = text.rstrip(_LOWERED)
        if sum(map(str.isalpha, base)) > 1:
            return "".join(sign + OVERLINE for sign in base) + text[len(base) :]
        return base[0] + _BAR + text[1:]

    def _named(self, symbol: Symbol) -> str:
        if symbol.mark is Mark.NUMBER:
            return symbol.name
        return self.barred(symbol.name) if symbol.mark is Mark.ADJOINT else self._pretty[symbol.name]
