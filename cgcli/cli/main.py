"""The command `cg`: finds the subcommand, and turns every error into text and an exit code.

Commands are imported when they are called, so that help costs no numpy and no lark.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from typing import Any, NoReturn

import click

from cgcli import __version__, signals
from cgcli.cli.hints import hint_of
from cgcli.cli.say import say
from cgcli.errors import CgError, UsageError, describe, did_you_mean

# The commands, and the one line that `cg --help` says of each.
_COMMANDS = {
    "eval": "Print the value of an expression.",
    "grad": "Print its value and its derivatives by every name.",
    "jvp": "Print its derivative along a direction, of any order.",
    "vjp": "Print the adjoints of a weighted value.",
    "jacobian": "Print all derivatives of a value that is an array.",
    "hessian": "Print its second derivatives, or their product with a vector.",
    "diff": "Print its derivatives as formulas.",
    "simplify": "Print it in a simpler form.",
    "trace": "Print its evaluation trace: values, tangents, adjoints.",
    "check": "Compare its derivatives with numeric ones.",
    "plan": "Print how it is computed over many rows.",
    "render": "Draw its computation graph: PNG, SVG, PDF or DOT.",
    "functions": "List the operations, or explain those of a name.",
}

_EPILOG = """\b
Examples:
  cg eval 'sqrt(x^2 + y^2)' x=3 y=4
  cg grad 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5
  cg render 'ln(x1) + x1*x2 - sin(x2)' x1=2 x2=5 --grad -o graph.png"""


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table above."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; raises UsageError with the nearest name for an unknown one."""
        if cmd_name not in _COMMANDS:
            hint = did_you_mean(cmd_name, _COMMANDS) or f"the commands are: {', '.join(_COMMANDS)}"
            if not cmd_name.isidentifier():
                hint = f"to evaluate an expression: cg eval '{cmd_name}'"
            raise UsageError(f"no such command: {cmd_name}", hint=hint)
        command = importlib.import_module(f"cgcli.cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cg", message="%(prog)s %(version)s")
def cli() -> None:
    """Differentiate expressions, and draw their computation graphs."""


def main() -> NoReturn:
    """The entry point of the console script."""
    if sys.stdout is None:  # closed by the caller
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    signals.install()
    gc.disable()  # one short run: a graph of a million nodes has no cycles worth looking for
    _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End the process at once: to take numpy and all modules apart first would be a seventh of a short run.

    What standard output does not take any more, full or closed by its reader, was complained of before.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line; the exit code. The one place where errors become text."""
    try:
        code = cli.main(arguments, prog_name="cg", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CgError as error:
        error.hint = hint_of(error)
        return _complain(describe(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        return _complain(error.format_message(), 2)
    except click.ClickException as error:
        return _complain(describe(_from_click(error)), 2)
    except signals.Terminated as signalled:
        return signalled.exit_code
    except (BrokenPipeError, SystemExit):  # click exits by itself when the pipe is closed
        return 0
    except (KeyboardInterrupt, click.Abort):
        return 130
    except MemoryError:
        return _complain("cg: error: not enough memory", 1)
    except OSError as error:
        return _complain(f"cg: error: {error.strerror or error}", 1)
    except Exception as error:
        unexpected = CgError(
            f"cg failed in a way that it should not: {type(error).__name__}: {error}",
            hint="please report this, with the command that you ran",
        )
        return _complain(describe(unexpected), 1)


def _complain(text: str, code: int) -> int:
    say(text)
    return code


def _from_click(error: click.ClickException) -> CgError:
    """Click's own complaint, such as a wrong option value, in the style of the others."""
    message = error.format_message().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], hint=_help_hint(error))


def _help_hint(error: click.ClickException) -> str:
    context: Any = getattr(error, "ctx", None)
    return f"see '{context.command_path} --help'" if context else "see 'cg --help'"
