"""The options that commands share, and how a command line is taken apart into options and operands."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from cgcli.errors import UsageError, did_you_mean

_OPTION = r"(?s)--[a-zA-Z][-a-zA-Z0-9]*(=.*)?"

Command = TypeVar("Command", bound=Callable[..., Any])


class Whole(click.ParamType[int]):
    """A whole number between bounds."""

    def __init__(self, least: int, most: int) -> None:
        self.name = f"whole number from {least} to {most}"
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; click's complaint when it is none."""
        text = str(value)
        digits = text.removeprefix("-").isdecimal() and len(text) < 10
        if not digits or not self._least <= int(text) <= self._most:
            self.fail(f"'{text}' is no {self.name}", param, ctx)
        return int(text)


class OptionalValue(click.Option):
    """An option with a choice of values that may also stand alone. alone: the value that it has then."""

    def __init__(self, *args: Any, alone: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.alone = alone

    def written_out(self, name: str, following: deque[str]) -> str:
        """The option with its value, which is taken from what follows if it is one of the choices."""
        assert isinstance(self.type, click.Choice)
        given = following and following[0] in self.type.choices
        return f"{name}={following.popleft() if given else self.alone}"


class ExpressionCommand(click.Command):
    """A command whose operands may begin with a minus sign: `cg eval -x^2 x=3`.

    Only exact spellings of the command's own options are options; all else is an operand.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Sort the arguments into options and operands before click sees them."""
        takes_value = {
            name: not (isinstance(option, click.Option) and (option.is_flag or option.count))
            for option in self.get_params(ctx)
            for name in option.opts
            if isinstance(option, click.Option)
        }
        optional = {
            name: option for option in self.get_params(ctx) for name in option.opts if isinstance(option, OptionalValue)
        }
        options: list[str] = []
        operands: list[str] = []
        queue = deque(args)
        while queue:
            arg = queue.popleft()
            name, equals, _ = arg.partition("=")
            if arg == "--":
                operands.extend(queue)
                queue.clear()
            elif arg in optional:
                options.append(optional[arg].written_out(arg, queue))
            elif arg in takes_value:
                options.append(arg)
                if takes_value[arg]:
                    if not queue:
                        raise UsageError(f"option '{arg}' needs a value", hint=f"see '{ctx.command_path} --help'")
                    options.append(queue.popleft())
            elif equals and name in takes_value and name.startswith("--"):
                options.append(arg)
            elif re.fullmatch(_OPTION, arg) or (operands and re.match(r"-[a-zA-Z]", arg)):
                raise UsageError(f"no such option: {name}", hint=_option_hint(name, list(takes_value)))
            else:
                operands.append(arg)
        return super().parse_args(ctx, [*options, "--", *operands])

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help page; what it says of formats of rows comes from their table."""
        from cgcli.tables.formats import FORMATS

        *names, last_name = FORMATS
        *titles, last_title = (entry.title for entry in FORMATS.values())
        words = {"{formats}": f"{', '.join(names)} or {last_name}", "{titles}": f"{', '.join(titles)} and {last_title}"}
        parts: list[click.Command | click.Option] = [
            self,
            *(one for one in self.params if isinstance(one, click.Option)),
        ]
        for part in parts:
            for word, meaning in words.items():
                part.help = part.help and part.help.replace(word, meaning)
        super().format_help(ctx, formatter)


def _option_hint(name: str, options: Sequence[str]) -> str:
    near = did_you_mean(name, options)
    if near or name.startswith("--"):
        return near or "an expression that begins with two minus signs goes after '--', or in brackets"
    return "after the expression come name=value and options"


def options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several click decorators as one; on the help page they stand in their order."""

    def decorate(function: Command) -> Command:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


PROGRAM_OPTIONS = options(
    click.option("-f", "--file", "program_file", metavar="FILE", help="Read the program from FILE instead of EXPR."),
    click.option("--vars", "vars_file", metavar="FILE.json", help="Values from a JSON object: name to number or list."),
)
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
PRECISION_OPTION = click.option("--precision", type=Whole(1, 17), metavar="N", help="Print N significant digits.")
RESULT_OPTIONS = options(
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object; of rows, one for each."),
    PRECISION_OPTION,
)
WARNING_OPTIONS = options(
    click.option("--strict", is_flag=True, help="Make every warning an error (exit 1)."),
    click.option("-q", "--quiet", is_flag=True, help="Print no warnings."),
)
WRT_OPTION = click.option(
    "--wrt", metavar="x,y", multiple=True, help="Differentiate by these names (default: all of them)."
)
COTANGENT_OPTION = click.option(
    "--cotangent", metavar="VALUE", help="Weights for the elements of the value; for several results '(V, V)'."
)
TANGENT_OPTION = click.option(
    "--tangent", "tangents", metavar="x=1,y=0", multiple=True,
    help="How the inputs move; those not named stand still (default: 1 for the only one, a number).",
)  # fmt: skip
ORDER = Whole(1, 170)  # the factorial of more is no float64
ORDER_OPTIONS = options(
    click.option("--order", type=ORDER, default=1, metavar="N", help="Go on to the N-th derivative."),
    click.option("--taylor", is_flag=True, help="Print the Taylor coefficients instead."),
)
ROWS_OPTIONS = options(
    click.option(
        "-i",
        "--input-format",
        metavar="FORMAT",
        help="Read rows as {formats} (default: by suffix, or by content).",
    ),
    click.option("--no-header", is_flag=True, help="The first row holds no names: call the columns c1, c2, …."),
    click.option("-o", "--output", metavar="FILE", help="Write the rows to FILE; its suffix says the format."),
    click.option(
        "--to", "output_format", metavar="FORMAT", help="Write rows as FORMAT (default: that of FILE, or of the input)."
    ),
    click.option("--only", is_flag=True, help="Write the results without the columns of the input."),
    click.option("--as", "called", metavar="NAME", help="Call the column of the value NAME."),
    click.option(
        "--on-error",
        type=click.Choice(["fail", "skip", "null"]),
        default="fail",
        help="What becomes of a row that cannot be read or gives nan: the end (default), nothing, or empty results.",
    ),
    click.option(
        "--threads",
        type=Whole(1, 256),
        metavar="N",
        help="Compute in N threads (default: all cores, 8 at most).",
    ),
)
PREFIX_OPTION = click.option(
    "--prefix", default="d_", metavar="P", help="Begin the names of derivatives in rows with P, not d_."
)
OPERANDS = click.argument("operands", nargs=-1, type=click.UNPROCESSED, metavar="EXPR [name=value ...]")
ROWS_OPERANDS = click.argument(
    "operands", nargs=-1, type=click.UNPROCESSED, metavar="EXPR [name=value ...] [FILE ... | -]"
)
