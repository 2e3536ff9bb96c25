"""The parser's tables, made by lark of grammar/cg.lark, and tokens for a grammar without. The only importer of lark.

After an edit of the grammar: `python -m cgcli.syntax.tables` writes them again; a test says when that was
forgotten. Until then lark itself takes the text apart and makes the tables afresh, each time.
"""

from __future__ import annotations

import os

import lark

from cgcli.annotations import Any, Iterator
from cgcli.syntax.lalr import END, GRAMMAR, RULES, STATES, grammar_file, read
from cgcli.syntax.scanner import Token, UnexpectedError


def tables(grammar: str) -> str:
    """The text of the stored tables for a grammar: see lalr.py."""
    made: Any = _lark(grammar).parser.parser
    table = made._parse_table
    states = _states(table)
    rules = {rule for row in states for rule in row.values() if not isinstance(rule, int)}
    ordered = sorted(rules, key=lambda rule: (rule.origin.name, rule.order))
    numbers = {rule: number for number, rule in enumerate(ordered)}
    rows = [_row(row, numbers) for row in states]
    lines = (*(_rule(rule) for rule in ordered), STATES.rstrip(), *rows, GRAMMAR.rstrip())
    return RULES + "\n".join(lines) + "\n" + grammar


def tokens(grammar: str, text: str) -> Iterator[Token]:
    """The tokens of a text, by lark's own lexer. Raises UnexpectedError as scanner.py does."""
    try:
        for token in _lark(grammar).lex(text):
            yield Token(token.type, str(token), token.start_pos or 0, token.end_pos or 0)
    except lark.UnexpectedCharacters as error:
        raise UnexpectedError(None, error.pos_in_stream or 0) from None


def _lark(grammar: str) -> lark.Lark:
    return lark.Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=True)


def _states(table: Any) -> list[dict[str, int | Any]]:
    """For each state what it does with each symbol: the state to go on to, or the rule to reduce by.

    Numbered as they are reached from the start, by symbols in alphabetical order: lark's own numbers change
    from run to run.
    """
    numbers = {table.start_states["start"]: 0}
    rows: list[dict[str, int | Any]] = []
    for state in (queue := [*numbers]):
        row = {}
        for symbol, (action, argument) in sorted(table.states[state].items()):
            if str(action) != "Reduce" and argument not in numbers:
                numbers[argument] = len(queue)
                queue.append(argument)
            row[symbol] = argument if str(action) == "Reduce" else numbers[argument]
        if state == table.end_states["start"]:
            row[END] = numbers[state]
        rows.append(row)
    return rows


def _row(row: dict[str, int | Any], rules: dict[Any, int]) -> str:
    """A state as a line: each symbol, and ~ the number of the rule, or the number of the state."""
    return " ".join(f"{symbol} {does if isinstance(does, int) else ~rules[does]}" for symbol, does in row.items())


def _rule(rule: Any) -> str:
    """A rule as a line: what it makes, how many symbols it takes, the builder's method, the children that it gets."""
    gaps = [len(ones) for ones in "".join(str(int(gap)) for gap in rule.options.empty_indices).split("0")]
    kept: list[str] = []
    for at, symbol in enumerate(rule.expansion):
        kept += ["-"] * (gaps[at] if rule.options.empty_indices else 0)
        if symbol.is_term and not symbol.filter_out:
            kept.append(f"{at}")
        elif not symbol.is_term:
            kept.append(f"*{at}" if symbol.name.startswith("_") else f"{at}")
    kept += ["-"] * (gaps[-1] if rule.options.empty_indices else 0)
    name = rule.origin.name
    passes = rule.options.expand1 and not rule.alias and len(kept) == 1
    method = "=" if passes else "[]" if name.startswith("_") else rule.alias or name
    return " ".join([name, str(len(rule.expansion)), method, *kept])


if __name__ == "__main__":
    with open(grammar_file("cg.tables"), "w", encoding="utf-8") as target:
        target.write(tables(read("cg.lark")))
    print(f"wrote {os.path.relpath(target.name)}")
