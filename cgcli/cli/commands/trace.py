"""cg trace: the evaluation trace of an expression, forwards and in reverse."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Sequence
from cgcli.api.blanks import KINDS, WORDS, blanks, check_blanks
from cgcli.cli.expression import expression_command
from cgcli.cli.options import (
    ACCURACY_OPTION,
    COTANGENT_OPTION,
    DIGITS_OPTION,
    PRECISION_OPTION,
    WRT_OPTION,
    flag,
    option,
)
from cgcli.cli.request import Request, Task
from cgcli.cli.say import echo
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.api.calls import Call
    from cgcli.api.point import Point
    from cgcli.evaluate.compiled import Kernels
    from cgcli.trace.sheet import Sheet
    from cgcli.trace.steps import Trace


@expression_command(
    "trace",
    option("--tangent", name="tangents", metavar="x=1,y=0", multiple=True, help="Add the tangents in this direction."),
    flag("--grad", help="Add the adjoints in reverse order, contribution by contribution."),
    COTANGENT_OPTION,
    WRT_OPTION,
    option(
        "--blank", alone="all", kind=WORDS, metavar="[values|tangents|adjoints]",
        help="Leave the numbers out for a work sheet: all, or those of one kind.",
    ),
    flag("--answers", help="Print the work sheet, then the same filled in."),
    flag(
        "--json", name="as_json",
        help="Print a JSON list, one object for each step; warnings are not in it, but on standard error.",
    ),
    flag("--csv", name="as_csv", help="Print a CSV table, one row for each step."),
    flag("--latex", name="as_latex", help="Print a table for LaTeX or KaTeX, to stand in math mode."),
    option("--parts", metavar="WORD,WORD", help="Some of forward, reverse and gradient; with --latex, side by side."),
    PRECISION_OPTION,
    DIGITS_OPTION,
    ACCURACY_OPTION,
)  # fmt: skip
def command(
    request: Request, grad: bool, blank: str | None, answers: bool, as_csv: bool, as_latex: bool, parts: str | None
) -> None:
    """Print the evaluation trace of EXPR: one line for each operation, and for each trip of a loop.

    \b
    cg trace 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --grad
    cg trace 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --tangent x1=1
    cg trace 'sigmoid(w*x + b)' w=2 x=1 b=-1 --grad --blank adjoints --answers

    dv1 is the tangent of v1, bar_v1 its adjoint. Parts that the program names keep their
    names. Without values for the names, the formulas stand alone. Numbers are rounded to 6
    digits, unless --precision, --digits, --json or --csv asks for more.
    """
    from cgcli.api.seeds import tangents
    from cgcli.api.views import traced_at, with_trips
    from cgcli.trace.formulas import Mark
    from cgcli.trace.sheet import Sheet

    _check_formats(answers, [("--json", request.as_json), ("--csv", as_csv), ("--latex", as_latex)])
    if parts is not None and (as_csv or request.as_json):
        raise UsageError("--parts is for text and --latex", hint="leave it out")
    left_out = blanks(blank or ("all" if answers else ""))
    check_blanks(left_out, has_values=True, grad=grad, moves=bool(request.tangents))
    task = request.task(without_values=True)
    point = with_trips(task.point, task.evaluate)
    moved = tangents(point, request.directions()) if request.tangents else None
    traced = traced_at(point, task.wrt, moved, request.cotangents() if grad else None, grad=grad)
    values, digits = _numbers(task, point, traced)
    if answers and values is None:
        raise UsageError("answers need values", hint=f"as in: {task.point.names[0]}=2")
    if values and (grad or moved):
        task.evaluate.tell_kinks(task.wrt if grad else moved or ())
    marks = [mark for mark in Mark if KINDS.get(mark.value) in left_out]
    sheets = [Sheet(values, marks, None if answers else digits)]
    if answers:
        sheets.append(Sheet(values, digits=digits))
    if as_csv or request.as_json:
        _show_records(traced, sheets[0], request, as_csv=as_csv)
    else:
        _show_text(traced, sheets, request.precision, parts, as_latex=as_latex)


def _show_records(traced: Trace, sheet: Sheet, request: Request, *, as_csv: bool) -> None:
    from cgcli.cli import output
    from cgcli.trace import records

    if as_csv:
        echo(records.as_csv(traced, sheet, request.precision))
    else:
        output.as_json(records.records(traced, sheet), request.precision)


def _show_text(
    traced: Trace, sheets: Sequence[Sheet], precision: int | None, parts: str | None, *, as_latex: bool
) -> None:
    """Print the sheets one below the other. parts: which of their parts, as --parts names them."""
    from cgcli.trace import latex, text

    write, between = (latex.as_latex, "\n\n") if as_latex else (text.as_text, "\n\n\nanswers\n\n")
    words = [word.strip() for word in parts.split(",")] if parts is not None else []
    echo(between.join(write(traced, sheet, precision, words) for sheet in sheets))


def _numbers(task: Task, point: Point, traced: Trace) -> tuple[Any, Any]:
    """The values of a trace, and how many digits of each are right; None where there are none."""
    from cgcli.api.views import has_values, values_of_trace

    def make(_: Kernels | None) -> Call:
        return lambda evaluate: values_of_trace(point, traced, evaluate)

    if not has_values(task.point):
        return None, None
    return task.measured(make) if task.request.accuracy else (task.computed(make, rounded=6), None)


def _check_formats(answers: bool, formats: Sequence[tuple[str, bool]]) -> None:
    chosen = [name for name, given in formats if given]
    if len(chosen) > 1:
        raise UsageError(f"{chosen[0]} and {chosen[1]} are two formats", hint="choose one")
    if answers and chosen and chosen != ["--latex"]:
        raise UsageError(f"{chosen[0]} prints one sheet, and --answers asks for two", hint="leave one of them out")
