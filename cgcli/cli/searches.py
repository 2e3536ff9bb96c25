"""What `fit`, `minimize`, `solve` and `train` have in common: starts, bounds, steps that are told, exit 5."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence
from cgcli.api.notices import Notice
from cgcli.cli import output
from cgcli.cli.operands import named_texts
from cgcli.cli.options import Whole, flag, option
from cgcli.cli.say import echo, say
from cgcli.errors import EvaluationError, UsageError, describe
from cgcli.graph.shapes import shape_of
from cgcli.printing import values

if TYPE_CHECKING:
    from cgcli.cli.report import Report
    from cgcli.cli.request import Request
    from cgcli.errors import Span
    from cgcli.searches.reached import Reached

NOT_REACHED = 5  # the exit code

BOUNDS_OPTION = option("--bounds", metavar="a=0:1,b=0:", multiple=True, help="Keep parameters between two values.")
STARTS_OPTIONS = (
    option("--starts", kind=Whole(1, 10**6), default=1, metavar="N",
           help="Begin at N points, random but for the first: within bounds, or up to ten times nearer or farther."),
    option("--seed", kind=Whole(0, 10**9 - 1), default=0, metavar="N", help="Of random starts."),
)  # fmt: skip
LOG_OPTION = flag("--log", help="Print a line for each step, on standard error.")
STEPS_OPTIONS = (
    option("--max-iter", kind=Whole(1, 10**9 - 1), default=5000, metavar="N", help="Steps to try (default: 5000)."),
    LOG_OPTION,
)
PARAMS_OPTION = flag(
    "--params", name="as_params", help="Print the parameters as name=value, which the next command reads."
)


def starts(request: Request) -> list[str]:
    """The names that have a value on the command line, and are not held at it."""
    return [name for name, _ in request.operands.bindings if name not in request.operands.fixed]


def search_settings(settings: Mapping[str, Any], value: str) -> dict[str, Any]:
    """The fields of a `Search`. value: what lines on a step call what the program gives there."""

    known = {name: settings[name] for name in ("starts", "seed", "max_iter") if name in settings}
    return {**known, "bounds": bounds(settings.get("bounds", ())), "log": logged(value) if settings["log"] else None}


def logged(value: str) -> Callable[[int, float, Mapping[str, Any]], None]:
    """Prints a line on a step. value: what it calls what the program gives there."""

    def log(iteration: int, found: float, named: Mapping[str, Any]) -> None:
        numbers = " ".join(f"{name}={values.value(each, 6)}" for name, each in named.items())
        say(f"step {iteration}\t{value} {found:.8g}\t{numbers}")

    return log


def bounds(texts: Sequence[str]) -> dict[str, tuple[float | None, float | None]]:
    """The bounds of options `--bounds a=0:1,b=0:`. Raises UsageError for what are none."""
    found = named_texts(texts, "--bounds", "bound", "as in: --bounds a=0:1,b=0:")
    return {name: _ends(name, text) for name, text in found.items()}


def _ends(name: str, text: str) -> tuple[float | None, float | None]:
    """The bounds `0:1`, of which either may be left out."""
    from cgcli.api.value_texts import of_text

    ends = text.split(":")
    if len(ends) != 2 or not any(end.strip() for end in ends):
        raise UsageError(f"the bounds of '{name}' are low:high, and not '{text}'", hint="as in: --bounds a=0:1,b=0:")
    low, high = (of_text(end, f"a bound of '{name}'") if end.strip() else None for end in ends)
    if any(shape_of(end) for end in (low, high) if end is not None):
        raise UsageError(f"a bound of '{name}' is a number, for all of its elements")
    return low, high


def tell(
    request: Request, report: Report, found: Reached | Any, kind: str, where: str = "", span: Span | None = None
) -> None:
    """Tell the notes on what was found, and that it was not reached.

    where: which one it is, of several. span: what of the program is not reached.
    """
    report.tell_all(Notice(f"{note}{where}", details={"kind": kind}) for note in found.notes)
    if not found.converged and not request.quiet:
        say(
            describe(EvaluationError(f"{found.reason}{where}", span, source=report.source if span else None), "warning")
        )


def bindings(point: Mapping[str, Any], precision: int | None) -> str:
    """Values by name as operands of a command line."""
    from cgcli.printing.expression import written_name

    pairs = ((name, values.value(each, precision).replace(" ", "")) for name, each in point.items())
    return " ".join(f"{written_name(name)}={value}" for name, value in pairs)


def figure(value: Any, precision: int | None) -> str:
    """A figure of a result as it is printed: a number, a truth value, or words."""
    if isinstance(value, str):
        return value
    return ("no", "yes")[value] if isinstance(value, bool) else values.value(value, precision)


def show(request: Request, report: Report, found: Reached, *, as_params: bool) -> int:
    """Print where a search has ended; the exit code."""
    if as_params and request.as_json:
        raise UsageError("--params and --json both say what is printed", hint="choose one")
    if as_params:
        echo(bindings(found.point, request.precision))
    elif request.as_json:
        output.as_json(found.content(), request.precision, report.entries)
    else:
        lines: Iterable[tuple[str, Any]] = found.lines()
        echo("\n".join(f"{values.on_one_line(name)}\t{figure(each, request.precision)}" for name, each in lines))
    return 0 if found.converged else NOT_REACHED
