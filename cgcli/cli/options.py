"""Options and commands as plain data, and who reads a command line by them; clicked.py tells click of the same."""

from __future__ import annotations

from abc import abstractmethod

from cgcli.annotations import Any, Callable, Sequence
from cgcli.errors import UsageError, did_you_mean
from cgcli.records import NamedTuple


class Kind:
    """What the value of an option may be, beyond texts, words and whole numbers without bounds."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """The value that a text is; raises ValueError, with a sentence, when it is none."""


class Whole(Kind):
    """A whole number between bounds."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def read(self, text: str) -> int:
        """The number; raises ValueError when it is none, or out of bounds."""
        digits = text.removeprefix("-").isdecimal() and len(text) < 20
        if not digits or not self._least <= int(text) <= self._most:
            raise ValueError(f"'{text}' is no whole number from {self._least} to {self._most}")
        return int(text)


class Shard(Kind):
    """One share of several: `3/100` is the third of a hundred."""

    def read(self, text: str) -> tuple[int, int]:
        """Which, and of how many; raises ValueError when it is none."""
        which, _, many = text.partition("/")
        if not (which.isdecimal() and many.isdecimal() and len(many) < 10 and int(many)):
            raise ValueError(f"'{text}' is no share, as 3/100 is the third of a hundred")
        if not 1 <= int(which) <= int(many):
            raise ValueError(f"'{text}' is no share: these are 1/{many} to {many}/{many}")
        return int(which), int(many)


class Cluster(Kind):
    """The address of a cluster."""

    def read(self, text: str) -> str:
        """The same; raises ValueError when it is none."""
        from cgcli.api.workers import address_of

        try:
            address_of(text)
        except UsageError as error:
            raise ValueError(f"{error.message}, {error.hint}") from None
        return text


class Option(NamedTuple):
    """An option of a command.

    name: of its value. spellings: as it is written. kind: of its value: a text, a whole number, one of several words;
    a flag has none. default: the value where it is not given; alone: where it stands without one, and may.
    multiple: it may be given several times, and its value is a tuple. says: what a flag says.
    """

    name: str
    spellings: tuple[str, ...]
    help: str
    kind: type[str] | type[bool] | type[int] | Kind | tuple[str, ...] = str
    metavar: str | None = None
    default: Any = None
    alone: str = ""
    multiple: bool = False
    says: bool = True

    @property
    def unset(self) -> Any:
        """The value of the option where it is not given."""
        return () if self.multiple else not self.says if self.kind is bool else self.default

    def value(self, text: str) -> Any:
        """The value that a text is; None where it is none."""
        if self.kind is str:
            return text
        if isinstance(self.kind, tuple):
            return text if text in self.kind else None
        read = self.kind.read if isinstance(self.kind, Kind) else self.kind if self.kind is int else None
        try:
            return read and read(text)
        except ValueError:
            return None


def option(*spellings: str, help: str, name: str = "", **settings: Any) -> Option:  # noqa: A002
    """An option that takes a value; its name is the longest spelling, unless it is given."""
    name = name or max(spellings, key=len).lstrip("-").replace("-", "_")
    return Option(name, spellings, help, **settings)


def flag(*spellings: str, help: str, name: str = "", value: bool = True) -> Option:  # noqa: A002
    """An option that takes no value, and what it says."""
    return option(*spellings, help=help, name=name, kind=bool, says=value)


class Command(NamedTuple):
    """A command: what stands on its line, and the function that is called with it.

    metavar: what help calls the operands. takes_expression: its operands may begin with a minus sign, as in
    `cg eval -x^2 x=3`: only exact spellings of its own options are options; all else is an operand.
    call: with the operands, and the value of each option by its name.
    """

    name: str
    help: str
    operands: str
    metavar: str
    options: tuple[Option, ...]
    call: Callable[[tuple[str, ...], dict[str, Any]], Any]
    takes_expression: bool = True

    def spelt(self) -> dict[str, Option]:
        """The options by their spellings, `--help` among them."""
        return {spelling: option for option in (*self.options, HELP) for spelling in option.spellings}


HELP = flag("-h", "--help", help="Show this message and exit.")


def plain(command: Command, arguments: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """The operands and the values of all options of a line in which all is right; None where click has to see it.

    Raises UsageError as `sorted_out` does.
    """
    if not command.takes_expression and any(
        argument not in command.spelt() for argument in arguments if argument[:1] == "-" and argument != "-"
    ):
        return None
    pairs, operands = sorted_out(command, arguments)
    settings = {option.name: option.unset for option in command.options}
    for option, _, text in pairs:
        value = option.says if text is None else option.value(text)
        if option is HELP or value is None:
            return None
        settings[option.name] = (*settings[option.name], value) if option.multiple else value
    return tuple(operands), settings


def sorted_out(command: Command, arguments: Sequence[str]) -> tuple[list[tuple[Option, str, str | None]], list[str]]:
    """The options of a line, each with its spelling and its text, and the operands.

    Raises UsageError for what looks like an option and is none, and for one whose value is missing.
    """
    spelt = command.spelt()
    found: list[tuple[Option, str, str | None]] = []
    operands: list[str] = []
    queue = [*reversed(arguments)]
    while queue:
        argument = queue.pop()
        name, equals, text = argument.partition("=")
        if argument == "--":
            operands.extend(reversed(queue))
            break
        if (option := spelt.get(argument)) is not None:
            if option.alone:
                given = bool(queue) and option.value(queue[-1]) is not None
                found.append((option, argument, queue.pop() if given else option.alone))
            elif option.kind is bool:
                found.append((option, argument, None))
            elif queue:
                found.append((option, argument, queue.pop()))
            else:
                raise UsageError(f"option '{argument}' needs a value", hint=f"see 'cg {command.name} --help'")
        elif equals and name in spelt and name.startswith("--"):
            found.append((spelt[name], name, text))
        elif _looks_like_option(argument) or (operands and _looks_short(argument)):
            near = did_you_mean(name, list(spelt))
            raise UsageError(f"no such option: {name}", hint=near, topic=f"option:{name}")
        else:
            operands.append(argument)
    return found, operands


def _looks_like_option(argument: str) -> bool:
    """Whether it is `--name` or `--name=value`."""
    name = argument.removeprefix("--").partition("=")[0]
    letters = name.replace("-", "")
    return argument.startswith("--") and _looks_short(argument[1:]) and letters.isalnum() and letters.isascii()


def _looks_short(argument: str) -> bool:
    """Whether it begins with a minus sign and a letter."""
    return argument[:1] == "-" and argument[1:2].isascii() and argument[1:2].isalpha()


# ---- the options that commands share --------------------------------------------------

PROGRAM_OPTIONS = (
    option("-f", "--file", name="program_file", metavar="FILE", help="Read the program from FILE instead of EXPR."),
    option(
        "--vars",
        name="vars_file",
        metavar="FILE",
        help="Values from a JSON object: name to number or list; or the columns of a file of rows, as vectors.",
    ),
    option(
        "--max-trips",
        kind=Whole(1, 10**15),
        metavar="N",
        help="Let loops make at most N trips in one evaluation (default: 2000000).",
    ),
)
JSON_OPTION = flag("--json", name="as_json", help="Print one JSON object.")
PRECISION_OPTION = option("--precision", kind=Whole(1, 17), metavar="N", help="Print N significant digits.")
DIGITS_OPTION = option(
    "--digits", kind=Whole(1, 1000), metavar="N",
    help="Print N digits that are all right, computed with as many as that takes; x=0.1 is one tenth then.",
)  # fmt: skip
ACCURACY_OPTION = flag(
    "--accuracy", help="Print how many digits of each number are right, too, and say where the others were lost."
)
RESULT_OPTIONS = (
    flag("--json", name="as_json", help="Print one JSON object; of rows, one for each."),
    PRECISION_OPTION,
    DIGITS_OPTION,
)
WARNING_OPTIONS = (
    flag("--strict", help="Make every warning an error (exit 1)."),
    flag("-q", "--quiet", help="Print no warnings."),
)
WRT_OPTION = option(
    "--wrt", metavar="x,y", multiple=True, help="Differentiate by these names (default: all of them)."
)  # fmt: skip
COTANGENT_OPTION = option(
    "--cotangent", metavar="VALUE", help="Weights for the elements of the value; for several results '(V, V)'."
)
TANGENT_OPTION = option(
    "--tangent", name="tangents", metavar="x=1,y=0", multiple=True,
    help="How the inputs move; those not named stand still (default: 1 for the only one, a number).",
)  # fmt: skip
ORDER = Whole(1, 170)  # the factorial of more is no float64
ORDER_OPTIONS = (
    option("--order", kind=ORDER, default=1, metavar="N", help="Go on to the N-th derivative."),
    flag("--taylor", help="Print the Taylor coefficients instead."),
)
READING_OPTIONS = (
    option("-i", "--input-format", metavar="FORMAT",
           help="Read rows as {formats} (default: by suffix, or by content)."),
    flag("--no-header", help="The first row holds no names: call the columns c1, c2, …."),
    option("--delimiter", metavar="C", help="What stands between the cells of CSV: ';', '|', tab, blanks."),
    option("--decimal", metavar="C", help="The decimal sign in cells, as in: --delimiter ';' --decimal ,"),
    option("--thousands", metavar="C", help="The sign between thousands in cells, as in: --thousands ."),
    option("--null", metavar="NA,-", multiple=True, help="Cells that stand for nothing, besides empty ones."),
    option("--comment", metavar="MARK", help="Lines that begin with MARK are no rows, as in: --comment '#'"),
)  # fmt: skip
ROWS_OPTIONS = (
    option("--text", metavar="COLUMN", multiple=True, help="Columns that stay text, whatever their cells look like."),
    option("--types", metavar="x=TYPE", multiple=True,
           help="Types of columns in Parquet, Arrow, npz: double, int, text, bool (default: what holds all cells)."),
    option("-o", "--output", metavar="FILE",
           help="Write the rows to FILE; its suffix says the format. FOLDER/ gets a file for each that is read."),
    option("--to", name="output_format", metavar="FORMAT",
           help="Write rows as FORMAT (default: that of FILE, or of the input)."),
    option(
        "--where",
        metavar="COND",
        multiple=True,
        help="Take the rows for which COND, an expression, holds, or each of several, as in: --where 'x > 0'",
    ),
    option("--skip", kind=Whole(0, 10**9 - 1), default=0, metavar="N", help="Leave out the first N of them."),
    option("--limit", kind=Whole(0, 10**9 - 1), metavar="N", help="Take at most N of the rest."),
    flag("--only", help="Write the results without the columns of the input."),
    option("--as", name="called", metavar="NAME", help="Call the column of the value NAME."),
    option("--on-error", kind=("fail", "skip", "null"), default="fail",
           help="What becomes of a row that cannot be read or gives nan: "
                "the end (default), nothing, or empty results."),
    option("--threads", kind=Whole(1, 256), metavar="N", help="Compute in N threads (default: all cores, 8 at most)."),
    option("--jobs", kind=Whole(1, 4096), default=1, metavar="N", help="Compute N files at once, each in a process."),
    option("--shard", kind=Shard(), metavar="I/N", help="Take the I-th of N shares of the files, as in: --shard 3/100"),
    option("--on", kind=Cluster(), metavar="ADDRESS", help="Compute files on a cluster of Dask: dask://host:8786"),
)  # fmt: skip
SUM_OPTIONS = (
    flag("--sum", name="summed", help="Print the sum over all rows, and write none; exact but for the last rounding."),
    flag("--mean", help="Print the mean over all rows likewise."),
)
PREFIX_OPTION = option(
    "--prefix", default="d_", metavar="P", help="Begin the names of derivatives in rows with P, not d_."
)
