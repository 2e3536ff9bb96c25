"""The command line for click, of the same declarations: help, completion, mistakes."""

from __future__ import annotations

import contextlib

import click

from cgcli.annotations import Any, Sequence
from cgcli.cli import commands
from cgcli.cli.options import HELP, Command, Kind, Option, sorted_out
from cgcli.cli.say import say
from cgcli.errors import CgError, UsageError, did_you_mean
from cgcli.version import __version__

_HELP_NAMES = {"help_option_names": list(HELP.spellings)}


def run(arguments: list[str]) -> Any:
    """Run one command line; what the command returns, or an exit code. Raises CgError for what is wrong with it."""
    try:
        return cli.main(arguments, prog_name="cg", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message())
        return 2
    except click.ClickException as error:
        raise _from_click(error) from error
    except click.Abort:
        return 130


def _from_click(error: click.ClickException) -> CgError:
    """Click's own complaint, such as a wrong option value, in the style of the others."""
    message = error.format_message().rstrip(".")
    context: Any = getattr(error, "ctx", None)
    hint = f"see '{context.command_path} --help'" if context else "see 'cg --help'"
    return UsageError(message[:1].lower() + message[1:], hint=hint)


class _Kind(click.ParamType[Any]):
    """A kind of value that we read."""

    name = "value"

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; click's complaint when a text is none."""
        try:
            return self._kind.read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Command(click.Command):
    """A command whose options are told from its operands by us: see Command."""

    def __init__(self, declared: Command) -> None:
        def call(**settings: Any) -> Any:
            return declared.call(settings.pop(declared.operands), settings)

        operands = click.Argument(
            [declared.operands], nargs=-1, type=click.UNPROCESSED, metavar=declared.metavar, required=False
        )
        super().__init__(
            declared.name, callback=call, help=declared.help, params=[operands, *map(_option, declared.options)],
            context_settings=_HELP_NAMES,
        )  # fmt: skip
        self._declared = declared

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Sort the arguments into options and operands before click sees them."""
        if self._declared.takes_expression:
            found, operands = sorted_out(self._declared, args)
            options: list[str] = []
            for option, spelling, text in found:
                joined = text is not None and (spelling.startswith("--") or option.kind is bool)
                options += [f"{spelling}={text}"] if joined else [spelling] if text is None else [spelling, text]
            args = [*options, "--", *operands]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help page; what it says of formats of rows comes from their table."""
        from cgcli.tables.content import COMPRESSIONS
        from cgcli.tables.formats import FORMATS, ONLY_READ

        titles = _listed([entry.title for entry in FORMATS.values()], "and")
        compressions = [name for name in COMPRESSIONS.values() if name not in ONLY_READ]
        words = {
            "{formats}": _listed([*FORMATS], "or"),
            "{what is read}": f"{titles}, compressed with {_listed([*COMPRESSIONS.values()], 'or')}, are read",
            "{what is read and written}": f"{titles}, compressed with {_listed(compressions, 'or')}, are read and "
            f"written, with {_listed(ONLY_READ, 'or')} only read",
        }
        options = (option for option in self.params if isinstance(option, click.Option))
        parts: list[click.Command | click.Option] = [self, *options]
        for part in parts:
            for word, meaning in words.items():
                part.help = part.help and part.help.replace(word, meaning)
        super().format_help(ctx, formatter)


def _listed(words: Sequence[str], before_last: str) -> str:
    return f"{', '.join(words[:-1])} {before_last} {words[-1]}" if len(words) > 1 else words[0]


def _option(declared: Option) -> click.Option:
    """A declared option for click."""
    kind = declared.kind
    settings: dict[str, Any] = {"help": declared.help}
    if isinstance(kind, Kind):
        settings["type"] = _Kind(kind)
    elif isinstance(kind, tuple):
        settings["type"] = click.Choice(kind)
    elif kind is int:
        settings["type"] = int
    elif kind is bool:
        settings |= {"is_flag": True} if declared.says else {"is_flag": True, "flag_value": False, "default": True}
    if declared.metavar is not None:
        settings["metavar"] = declared.metavar
    if declared.default is not None:
        settings["default"] = declared.default
    return click.Option([*declared.spellings, declared.name], multiple=declared.multiple, **settings)


class _Group(click.Group):
    """A group whose commands live in modules that are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(commands.COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; raises UsageError with the nearest name for an unknown one."""
        with contextlib.suppress(KeyError):
            return _Command(commands.command(cmd_name))
        hint = did_you_mean(cmd_name, commands.COMMANDS) or f"the commands are: {', '.join(commands.COMMANDS)}"
        if not cmd_name.isidentifier():
            hint = f"to evaluate an expression: cg eval '{cmd_name}'"
        raise UsageError(f"no such command: {cmd_name}", hint=hint)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(commands.COMMANDS.items()))


@click.group(cls=_Group, epilog=f"\b\n{commands.EXAMPLES}", help=commands.TITLE, context_settings=_HELP_NAMES)
@click.version_option(__version__, prog_name="cg", message="%(prog)s %(version)s")
def cli() -> None:
    """All commands."""
