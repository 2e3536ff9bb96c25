"""What the command line says in the place of a hint of the library's: how its own options do it."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING
from cgcli.cli.commands import COMMANDS, command
from cgcli.errors import CgError

if TYPE_CHECKING:
    from cgcli.api.notices import Notice

_MOST_SHOWN = 6  # commands in a hint
_HINTS = {
    "scalar": "weigh its elements with --cotangent '[…]', or get all derivatives with cg jacobian",
    "scalars": "weigh its elements with --cotangent '(…, […])', or get all derivatives with cg jacobian",
    "weights": "weigh them; for the first alone: --cotangent '{}'",
    "each": "give one for each, as in: --cotangent '{}'",
    "tangents": "give the tangents, as in: --tangent {}",
    "second": "second derivatives by arrays come as numbers, from cg hessian",
    "order": "ask for --order {}",
    "formula": "ask for --order {}, or for numbers at a point, which cost less: cg jvp with --order",
    "fewer": "ask for fewer names with --wrt, or for numbers, which cost less: cg grad",
    "grad": "for the number, use cg grad",
    "header": "the columns are called {}: --no-header, if these are no names",
    "comment": "the first line begins with {0}: such lines are no rows with --comment '{0}'",
    "separator": "the first line is one cell: what stands between cells is said by --delimiter {}",
    "comma": "a comma is the decimal sign with --decimal ,",
    "taken": "name the results with --as or --prefix, or leave the input's columns out with --only",
    "long": "the limit is {}; give numbers in a file: --vars FILE.json or x=@x.npy",
    "trials": "--monte-carlo 100000 makes trials, which have no such limit",
    "bent": "--second-order adds them, --monte-carlo 100000 makes trials",
    "check": "--monte-carlo 100000 makes trials, to check",
    "small": "the std_error holds for small changes; --monte-carlo 100000 makes trials",
    "flat": "without --flat, its shared parts have names",
}


def hint_of(told: CgError | Notice) -> str:
    """The hint of an error or a notice, in terms of options where there are any for it."""
    topic, _, example = told.topic.partition(":")
    if topic == "option":
        return _of_option(example, told.hint)
    return _HINTS[topic].format(example) if topic else told.hint


def _of_option(option: str, near: str) -> str:
    """Which commands have an option that another one lacks; else what was meant. near: one that this command has."""
    owners = [f"cg {name}" for name in COMMANDS if option in command(name).spelt()]
    if owners:
        return f"it is an option of {', '.join(owners[:_MOST_SHOWN])}" + ", …" * (len(owners) > _MOST_SHOWN)
    if near or option.startswith("--"):
        return near or "an expression that begins with two minus signs goes after '--', or in brackets"
    return "after the expression come name=value and options"
