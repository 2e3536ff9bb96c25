"""How every command on an expression begins: what stands on the command line is read, and what does not go together."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Collection, Mapping
from cgcli.cli.operands import Operands, no_rows, split
from cgcli.cli.options import PROGRAM_OPTIONS, READING_OPTIONS, ROWS_OPTIONS, WARNING_OPTIONS, Command
from cgcli.cli.request import Request, RowOptions
from cgcli.errors import UsageError

if TYPE_CHECKING:
    from cgcli.cli.options import Option

_SPELLINGS = {"called": "as", "output_format": "to"}  # of options whose names are others


def expression_command(
    name: str, *own: Option, needs_values: bool = True, takes_rows: bool = False, without: Collection[str] = (),
    fixing: bool = False, example: str = "",
) -> Callable[[Callable[..., Any]], Command]:  # fmt: skip
    """A command on an expression; its function is called with a Request, and with options that only it has.

    own: its options besides those that all have. needs_values: whether names must have values. takes_rows: whether
    it computes many rows, too; without: the names of options for them that it does not have. fixing: whether `k==2`
    holds a name at a value. example: what a line is like.
    """
    of_rows = [option for option in ROWS_OPTIONS if takes_rows and option.name not in without]
    of_files = READING_OPTIONS if needs_values else ()
    options = (*own, *PROGRAM_OPTIONS, *WARNING_OPTIONS, *of_files, *of_rows)
    kept = RowOptions.__annotations__ if takes_rows else [option.name for option in of_files]
    example = example or f"cg {name} 'x^2 + 1'{' x=3' * needs_values}"

    def decorate(function: Callable[..., Any]) -> Command:
        def call(typed: tuple[str, ...], settings: dict[str, Any]) -> Any:
            operands = split(typed, settings["program_file"], example, fixing=fixing)
            rows = {key: settings.pop(key) for key in kept if key in settings}
            _check_rows(operands, rows, settings, takes_rows=takes_rows)
            _check_numbers(operands, settings)
            shared = {key: settings.pop(key) for key in Request.__annotations__ if key in settings}
            request = Request(operands, takes_rows=takes_rows, rows=RowOptions(**rows), **shared)
            limits = request.limits()
            for limit in limits:
                limit.__enter__()
            try:
                return function(request, **settings)
            finally:
                for limit in limits:
                    limit.__exit__()

        metavar = "EXPR [name=value ...]" + " [FILE ... | -]" * takes_rows
        return Command(name, function.__doc__ or "", "operands", metavar, options, call)

    return decorate


def _check_rows(operands: Operands, rows: Mapping[str, Any], settings: Mapping[str, Any], *, takes_rows: bool) -> None:
    """Raise UsageError for rows where the command takes none, and for options of rows where there are none.

    What is said of text that is read is said of files of values, too.
    """
    file = settings["vars_file"]
    if file == "-" and "-" in (operands.expression, settings["program_file"], *operands.files):
        raise UsageError("standard input can be read only once", hint="--vars FILE has the values of a file")
    if operands.over_rows:
        if not takes_rows:
            raise no_rows(operands)
        return
    reads = file is not None and not file.endswith(".json")
    reads = reads or any(text.lstrip().startswith("@") and ":" in text for _, text in operands.bindings)
    of_reading = [option.name for option in READING_OPTIONS if reads]
    for name, value in rows.items():
        if name not in of_reading and value not in (None, False, (), getattr(RowOptions, name)):
            spelling = _SPELLINGS.get(name, name.replace("_", "-"))
            rows_come = "rows come from a file, from standard input as '-', or from a sweep: x=0:10:101"
            columns = "a file's columns are values with: --vars FILE, or x=@FILE:COLUMN"
            raise UsageError(f"--{spelling} is for rows, and there are none", hint=rows_come if takes_rows else columns)


def _check_numbers(operands: Operands, settings: Mapping[str, Any]) -> None:
    """Raise UsageError for digits, ranges and uncertainties that do not go together, or not with the command."""
    exact, accuracy = settings.get("digits") is not None, bool(settings.get("accuracy"))
    if operands.over_rows and exact:
        raise UsageError("--digits is for one point, and not for rows", hint="give each name one value: x=0.1")
    if operands.uncertain and "errors" not in settings:
        name, error = operands.uncertain[0]
        raise UsageError(f"'{name}' has an uncertainty, ±{error}, and this command computes without",
                         hint="cg eval gives the uncertainty of a value")  # fmt: skip
    if operands.ranges:
        _check_ranges(operands, known="digits" in settings, accuracy=accuracy)
    if exact and accuracy:
        raise UsageError("--accuracy is that of 64-bit floats, and with --digits all digits are right",
                         hint="choose one")  # fmt: skip
    if exact and settings.get("precision") is not None:
        raise UsageError("--digits and --precision both say how many digits are printed", hint="choose one")


def _check_ranges(operands: Operands, *, known: bool, accuracy: bool) -> None:
    """Raise UsageError for ranges where these do not go. known: whether the command computes over ranges."""
    given = next(f"{name}={text}" for name, text in operands.bindings if name in operands.ranges)
    if not known:
        raise UsageError(f"'{given}' is a range, and this command computes one point",
                         hint="cg eval, grad, jvp, vjp, jacobian, hessian, trace give bounds over ranges")  # fmt: skip
    if operands.over_rows:
        raise UsageError(f"'{given}' is a range, and there are rows, too", hint="bounds are for one point, or ranges")
    if accuracy:
        raise UsageError("--accuracy is of the numbers at one point, and bounds over ranges hold in all their digits",
                         hint="choose one")  # fmt: skip
