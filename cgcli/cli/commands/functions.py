"""cg functions: the table of operations, and the card of each."""

from __future__ import annotations

import click

from cgcli.cli import output


@click.command("functions")
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list with one object for each entry.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Print the table of operations, or the card of each NAME.

    \b
    cg functions              all functions, operators and constants by family
    cg functions log          signature, meaning, domain, derivative, example
    cg functions '@' where    operators go by their symbol

    Every derivative that is shown is the rule by which cg differentiates.
    """
    from cgcli.api import cards

    if as_json:
        output.as_json([card._asdict() for card in cards.cards(names)], None)
    elif names:
        click.echo("\n\n".join(card.text() for card in cards.cards(names)))
    else:
        click.echo(cards.table())
