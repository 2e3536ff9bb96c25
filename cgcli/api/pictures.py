"""The front door of pictures: a program, values, and how it looks, to a picture in any format."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Mapping, Sequence
from cgcli.api.arguments import holding_kinds
from cgcli.api.blanks import blanks
from cgcli.api.drawn import Picture, picture_at, quietly
from cgcli.api.notices import Notice, tell, warn
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read
from cgcli.api.values import arrays_of, by_name, cotangent_arrays
from cgcli.api.watched import Watched
from cgcli.errors import UsageError
from cgcli.graph.node import Node

if TYPE_CHECKING:
    from cgcli.api.prepared import Wrt
    from cgcli.rendering.look import Look
    from cgcli.rendering.picture import Paper


@holding_kinds
def render(
    program: Program | str, values: Mapping[str, Any] | None = None, /, *,
    grad: bool = False, wrt: Wrt = None, cotangent: Sequence[Any] | None = None,
    direction: Mapping[str, Any] | None = None, show: Sequence[str] = (),
    rankdir: str = "auto", theme: str = "light", arrays: str = "auto", fold: bool = True, plain: bool = False,
    transparent: bool = False, title: str = "", legend: bool = False,
    precision: int | None = None, width: float | None = None, dpi: int | None = None,
    layout: str = "bundled", font_size: float | None = None, size: tuple[float, float] | None = None,
    flat: bool = False, depth: int | None = None, around: str = "", radius: int | None = None, tree: bool = False,
    unroll: bool = False, blank: str = "", backward: bool = False, standalone: bool = False, **named: Any,
) -> Picture:  # fmt: skip
    """The computation graph as a picture: each node shows its value where the names that it needs have values.

    grad: show the adjoints, too.
    wrt: the inputs that have them. cotangent: a weight for each output; without it, the adjoints are those of the sum.
    direction: the tangents of inputs that move, by name, to show the tangents.
    show: what stands in the picture: value, grad, tangent, partial, shape, name, formula; all but two when left out:
    partial derivatives at the edges, and the text that each node was read from.
    rankdir: the direction of the drawing, LR, TB, RL or BT; auto: the one whose text is larger in a paper's column.
    theme: light, dark, print or colorblind. arrays: numbers, heat or shape; auto: numbers where they are few.
    flat: no clusters for calls of functions. depth: calls that stand in so many others are one box each.
    around: the name of a node or a function, to draw it with what lies `radius` steps around it, 2 if not given.
    tree: draw what is shared at each of its uses.
    unroll: draw all trips of loops. blank: values, adjoints, tangents or all, to leave these numbers out.
    backward: draw two graphs, that of the values, and that of the adjoints which differentiation adds.
    fold: draw constants within the operator beside them, and long sums as one card. plain: names as they are typed.
    title: a line above. legend: say what stands where.
    precision: significant digits. width: in inches; size: width and height to fit into. font_size: in points.
    dpi: of a png. layout: bundled, or dot for Graphviz's program. standalone: TikZ as a whole document.

    >>> made = render("x*y", x=2, y=3)
    >>> made.png[1:4], made.svg.startswith("<?xml")
    (b'PNG', True)

    Raises UsageError for another direction, theme and the like, UnknownNameError for adjoints where no name has
    a value.
    """
    from cgcli.api.prepared import names_of
    from cgcli.api.seeds import tangents
    from cgcli.rendering.look import Look
    from cgcli.rendering.picture import Paper

    look = Look(rankdir, theme, arrays, precision, fold, plain, transparent, title, legend, tuple(show), blanks(blank),
                flat, depth, around, radius, tree)  # fmt: skip
    point = at_values(read(program, names_of(wrt)), arrays_of(by_name(values, named)))
    chosen = point.chosen(names_of(wrt))
    warn(point.notices(chosen))
    paper, given = Paper(width, dpi, layout, font_size, size, standalone), cotangent_arrays(cotangent)

    moved = tangents(point, arrays_of(direction)) if direction else {}
    return drawn_at(
        point, quietly(point), look, paper, tell, chosen, given, moved, grad=grad, unroll=unroll, backward=backward
    )


def drawn_at(
    point: Point, evaluate: Watched, look: Look, paper: Paper, tell: Callable[[Notice], None],
    wrt: Sequence[Node], given: Sequence[Any] | None, moved: Mapping[Node, Node], *, grad: bool, unroll: bool,
    backward: bool,
) -> Picture:  # fmt: skip
    """The picture of a program at a point: of one graph, as `picture_at` makes it, or of both, as `backward_at` does.

    Raises UsageError for what the latter does not show, and what they raise.
    """
    if backward:
        from cgcli.api.backward import backward_at

        if moved or unroll:
            what, name = ("tangents", "--tangent") if moved else ("trips of loops", "--unroll")
            raise UsageError(f"the figure of both graphs shows no {what}", hint=f"leave --backward or {name} out")
        return backward_at(point, evaluate, look, paper, tell, wrt, given)
    return picture_at(point, evaluate, look, paper, tell, wrt, given, moved, grad=grad, unroll=unroll)


@holding_kinds
def picture(
    program: Program | str, values: Mapping[str, Any] | None = None, /, *, kind: str = "dot", **options: Any
) -> bytes:
    """The computation graph in one format: png, svg, pdf, tex for TikZ, mmd for Mermaid, dot, json, or txt for a tree.

    options: those of `render`, and values by name.

    >>> picture("x*y", x=2, y=3).startswith(b"digraph")
    True

    Raises UsageError for another kind, and what `render` and its picture raise.
    """
    return render(program, values, **options).content([kind])[kind]
