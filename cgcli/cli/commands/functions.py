"""cg functions: the table of operations, and the card of each."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING
from cgcli.cli import output
from cgcli.cli.options import Command, flag
from cgcli.cli.say import echo

if TYPE_CHECKING:
    from cgcli.annotations import Any


def _call(names: tuple[str, ...], settings: dict[str, Any]) -> None:
    """Print the table of operations, or the card of each NAME.

    \b
    cg functions              all functions, operators and constants by family
    cg functions log          signature, meaning, domain, derivative, example
    cg functions '@' where    operators go by their symbol

    Every derivative that is shown is the rule by which cg differentiates.
    What stands behind a * is given by its name alone: norm(x, axis=0).
    """
    from cgcli.api import cards

    if settings["as_json"]:
        output.as_json([card._asdict() for card in cards.cards(names)], None)
    elif names:
        echo("\n\n".join(card.text() for card in cards.cards(names)))
    else:
        echo(cards.table())


command = Command(
    "functions",
    _call.__doc__ or "",
    "names",
    "[NAME ...]",
    (flag("--json", name="as_json", help="Print a JSON list with one object for each entry."),),
    _call,
    takes_expression=False,
)
