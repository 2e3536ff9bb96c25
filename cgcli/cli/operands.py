"""The command line's operands: EXPR, then name=value bindings and data files, in awk's way."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import click

from cgcli.errors import UsageError, did_you_mean

_BINDING = re.compile(r"\s*(`[^`]+`|[^\W\d]\w*)\s*=(?!=)(.*)", re.DOTALL)
_OPTION = re.compile(r"--[a-zA-Z][-a-zA-Z0-9]*(=.*)?", re.DOTALL)

Command = TypeVar("Command", bound=Callable[..., Any])


class Operands(NamedTuple):
    """What stands on the command line besides options.

    expression: the text of EXPR, None when it comes from -f. bindings: name and value text,
    as written. files: the other operands.
    """

    expression: str | None
    bindings: tuple[tuple[str, str], ...]
    files: tuple[str, ...]


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
            elif _OPTION.fullmatch(arg) or (operands and re.match(r"-[a-zA-Z]", arg)):
                raise UsageError(f"no such option: {name}", hint=_option_hint(name, list(takes_value)))
            else:
                operands.append(arg)
        return super().parse_args(ctx, [*options, "--", *operands])


def _option_hint(name: str, options: Sequence[str]) -> str:
    near = did_you_mean(name, options)
    if near or name.startswith("--"):
        return near or "an expression that begins with two minus signs goes after '--', or in brackets"
    return "after the expression come name=value and options"


def split(operands: Sequence[str], program_file: str | None) -> Operands:
    """The operands by their kind. Raises UsageError when the expression is missing."""
    rest = list(operands)
    expression = None
    if program_file is None:
        if not rest:
            raise UsageError("there is no expression", hint="as in: cg eval 'x^2 + 1' x=3")
        expression = rest.pop(0)
    bindings: list[tuple[str, str]] = []
    files: list[str] = []
    for operand in rest:
        match = _BINDING.fullmatch(operand)
        if match:
            bindings.append((match[1].strip("`"), match[2]))
        elif "=" in operand:
            blanks = operand.startswith("=") or operand.endswith("=")
            hint = (
                "write x=3 without blanks, or quote it all: 'x = 3'"
                if blanks
                else "as in: x=3, or '`a b`=3' for any name"
            )
            raise UsageError(f"'{operand}' gives no value to a name", hint=hint)
        else:
            files.append(operand)
    return Operands(expression, tuple(bindings), tuple(files))


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
RESULT_OPTIONS = options(
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    click.option("--precision", type=click.IntRange(1, 17), metavar="N", help="Print N significant digits."),
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
ORDER_OPTIONS = options(
    click.option("--order", type=click.IntRange(1, 170), default=1, metavar="N", help="Go on to the N-th derivative."),
    click.option("--taylor", is_flag=True, help="Print the Taylor coefficients instead."),
)
OPERANDS = click.argument("operands", nargs=-1, type=click.UNPROCESSED, metavar="EXPR [name=value ...]")
