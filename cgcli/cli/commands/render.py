"""cg render: the computation graph as a picture."""

from __future__ import annotations

import sys

from cgcli.annotations import TYPE_CHECKING, Any, Mapping, Sequence
from cgcli.api.blanks import WORDS, blanks
from cgcli.cli.expression import expression_command
from cgcli.cli.options import PRECISION_OPTION, WRT_OPTION, Kind, Whole, flag, option
from cgcli.cli.request import Request
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.api.drawn import Picture
    from cgcli.api.point import Point
    from cgcli.graph.node import Node

_BINARY = ("png", "pdf", "gif")
_UNITS = {"cm": 1 / 2.54, "mm": 1 / 25.4, "in": 1.0, "pt": 1 / 72, "px": 1 / 96}  # in inches


class Length(Kind):
    """A length with its unit, in inches."""

    def read(self, text: str) -> float:
        """The length; raises ValueError when it is none, or none that a picture can have."""
        import re

        match = re.fullmatch(r"(\d+\.?\d*|\.\d+) ?(\w+)", text)
        if match is None or match[2] not in _UNITS:
            raise ValueError(f"'{text}' is no length; write it as 12cm, in {', '.join(_UNITS)}")
        inches = float(match[1]) * _UNITS[match[2]]
        if not 0.1 <= inches <= 200:
            raise ValueError(f"'{text}' is not between 0.1in and 200in")
        return inches


class Size(Kind):
    """A width and a height, in inches: `16x9cm`, `16cmx90mm`."""

    def read(self, text: str) -> tuple[float, float]:
        """The two lengths; raises ValueError when they are none."""
        import re

        match = re.fullmatch(r"([\d.]+) ?(\w*?) ?[x×] ?([\d.]+) ?([a-z]+)", text)
        if match is None:
            raise ValueError(f"'{text}' is no size; write it as 16x9cm")
        return Length().read(match[1] + (match[2] or match[4])), Length().read(match[3] + match[4])


@expression_command(
    "render",
    option("-o", "--output", name="targets", metavar="FILE", multiple=True,
           help="The picture: .png, .svg, .pdf, .tex (TikZ), .mmd (Mermaid), .dot, .json or .txt; '-' for "
                "stdout; several are possible. "
                "Of both passes: steps.gif, or step-%02d.png for a picture of each step."),
    option("--format", name="kind", kind=("png", "svg", "pdf", "tex", "mmd", "dot", "json", "txt", "gif"),
           help="Format, if not the suffix's."),
    option("--frames", metavar="DIR", help="Draw each step of the passes into a folder, first the empty work sheet."),
    option("--blank", alone="all", kind=WORDS,
           metavar="[values|tangents|adjoints]",
           help="Leave the numbers out for a work sheet: all, or those of one kind."),
    flag("--grad", help="Show each node's adjoint beside its value."),
    WRT_OPTION,
    option("--cotangent", metavar="VALUE", help="With --grad: weights for a value that is no scalar (default: ones)."),
    option("--tangent", name="tangents", metavar="x=1,y=0", multiple=True,
           help="Show each node's tangent when the inputs move so."),
    option("--show", metavar="WORD,WORD", multiple=True,
           help="What stands in the picture, of value, grad, tangent, partial, shape, name, formula "
                "(default: all but partial derivatives and formulas)."),
    option("--rankdir", metavar="auto|LR|TB|RL|BT", default="auto",
           help="Direction of the drawing (auto: the one whose text is larger at the picture's width)."),
    option("--theme", metavar="light|dark|print|colorblind", default="light", help="Its colours."),
    flag("--transparent", help="No background."),
    option("--arrays", metavar="auto|numbers|heat|shape", default="auto",
           help="How arrays are drawn (auto: numbers up to six, else a heat map)."),
    option("--title", default="", metavar="TEXT", help="A line above the picture."),
    flag("--legend", help="Say below the picture, or below its title, what its numbers, colours and edges are."),
    flag("--no-fold", name="fold", value=False,
           help="Draw every node: no constants within operators, no long sum as one."),
    flag("--backward", help="Draw two graphs: of the values, and of the adjoints that differentiation adds; "
                            "dashed edges lead from values to adjoints that need them."),
    flag("--flat", help="Draw the calls of functions without clusters around them."),
    option("--depth", kind=Whole(0, 1000), metavar="N",
           help="Draw calls that stand in N others as one box each: --depth 0 has no call open."),
    option("--around", default="", metavar="NAME",
           help="Draw the node or the function of this name, and what is near it."),
    option("--radius", kind=Whole(0, 1000), metavar="N", help="With --around: how many steps are near (default: 2)."),
    flag("--tree", help="Draw what is shared again at each of its uses."),
    flag("--unroll", help="Draw all trips of loops, each as a box of its own, instead of one for all."),
    flag("--plain", help="Names as they are typed: theta, not θ."),
    PRECISION_OPTION,
    option("--width", kind=Length(), metavar="12cm", help="Width of the picture, in cm, mm, in, pt or px."),
    option("--size", kind=Size(), metavar="16x9cm", help="Width and height that the picture fits into, instead."),
    option("--font-size", kind=Whole(1, 100), metavar="N", help="Size of the text in points, instead of a width."),
    option("--dpi", kind=int, metavar="N", help="Resolution of a PNG, in dots per inch."),
    flag("--standalone", help="A .tex file that is a whole document, not a tikzpicture for one."),
    option("--layout", metavar="bundled|dot", default="bundled",
           help="The layout program: cg's own, or Graphviz's dot."),
    needs_values=False,
)  # fmt: skip
def command(
    request: Request, targets: tuple[str, ...], kind: str | None, grad: bool, show: tuple[str, ...], blank: str | None,
    unroll: bool, backward: bool, frames: str | None, **settings: Any,
) -> None:  # fmt: skip
    """Draw the computation graph of EXPR.

    \b
    cg render 'ln(x1) + x1*x2 - sin(x2)' -o graph.svg
    cg render 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --grad -o graph.png
    cg render 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --grad
    cg render 'x/y' -o - | dot -Tps

    With values for names, each node that needs no others shows its value; with --grad, its adjoint
    too; '--show value,partial' is for the chain rule. Without '-o' the graph is printed as a tree
    of text. A loop is a dashed cluster with the numbers of its last trip. No Graphviz needs to be
    installed. '-o -' writes DOT text unless --format says otherwise.
    """
    from cgcli.api.pictures import drawn_at
    from cgcli.rendering.look import Look
    from cgcli.rendering.picture import Paper

    files = _files(targets or (() if frames else ("-",)), kind or ("" if targets else "txt"))
    task = request.task(partly=True)
    if grad and task.point.inputs and not task.point.bindings:
        raise UsageError("--grad needs values for names", hint="as in: cg render 'x^2' x=3 --grad -o g.png")
    words = tuple(word.strip() for text in show for word in text.split(","))
    paper = Paper(**{name: settings.pop(name) for name in Paper._fields})
    look = Look(precision=request.precision, show=words, blank=blanks(blank or ""), **settings)
    picture = drawn_at(
        task.point, task.evaluate, look, paper, task.report.tell, task.wrt, request.cotangents(),
        _moved(request, task.point), grad=grad, unroll=unroll, backward=backward,
    )  # fmt: skip
    if frames is not None:
        picture.save_frames(frames, kind or "png")
    _write(picture, files)


def _files(targets: Sequence[str], kind: str) -> dict[str, str]:
    """The format of each file. kind: that of all of them; '' for those of their suffixes."""
    from cgcli.rendering.picture import kind_of

    kinds = {target: kind or ("dot" if target == "-" else kind_of(target)) for target in targets}
    if kinds.get("-") in _BINARY and sys.stdout.isatty():
        raise UsageError(f"a {kinds['-']} picture is not for the terminal", hint=f"write a file: -o graph.{kinds['-']}")
    return kinds


def _moved(request: Request, point: Point) -> Mapping[Node, Node]:
    """The tangents of inputs that move."""
    if not request.tangents:
        return {}
    from cgcli.api.seeds import tangents

    return tangents(point, request.directions())


def _write(picture: Picture, files: Mapping[str, str]) -> None:
    """Write a picture to files, in the format of each: all are laid out at once."""
    from cgcli.api.drawn import numbered

    content = picture.content([kind for target, kind in files.items() if not numbered(target)])
    for target, kind in files.items():
        if target == "-":
            sys.stdout.buffer.write(content[kind])
            sys.stdout.buffer.flush()
        else:
            picture.save(target, kind)
