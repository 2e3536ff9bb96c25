"""Results on standard output: plain lines, or one JSON object."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Iterable, Iterator, Mapping, Sequence
from cgcli.cli.say import echo
from cgcli.graph.shapes import as_lists, element_names, shape_of
from cgcli.printing import values
from cgcli.records import NamedTuple

_NOT_FINITE = ("nan", "inf", "-inf")


class Labelled(NamedTuple):
    """The name and the shape of what stands on a side of a table."""

    name: str
    shape: tuple[int, ...]


def plain(rows: Iterable[tuple[str, Any]], precision: int | None) -> None:
    """One line `name<TAB>value` for each row; a name is on one line, whatever the user put into it."""
    lines = (f"{values.on_one_line(name)}\t{values.value(array, precision)}" for name, array in rows)
    echo("\n".join(lines))


def with_digits(lines: Iterable[tuple[str, Any]], digits: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """The lines, each with how many digits of it are right in a line behind it."""
    from cgcli.api.digits import name_of_digits

    for (name, item), right in zip(lines, digits, strict=True):
        yield name, item
        yield name_of_digits(name), right


def matrix(
    rows: Sequence[Labelled], columns: Sequence[Labelled], blocks: Sequence[Sequence[Any]], precision: int | None
) -> None:
    """A matrix given in blocks as a table apart by tabs, with the names of its rows and columns on its sides.

    rows, columns: names and shapes. blocks: for each row and column an array of both shapes together.
    """
    lines = ["\t".join(["", *(name for column in columns for name in _elements(column))])]
    for row, arrays in zip(rows, blocks, strict=True):
        flat = [
            array.reshape(math.prod(row.shape), math.prod(column.shape)).tolist() if shape_of(array) else [[array]]
            for array, column in zip(arrays, columns, strict=True)
        ]
        for at, name in enumerate(_elements(row)):
            numbers = (values.unsigned(item, precision) for block in flat for item in block[at])
            lines.append("\t".join([name, *numbers]))
    echo("\n".join(lines))


def _elements(item: Labelled) -> Iterator[str]:
    return element_names(values.on_one_line(item.name), item.shape)


def as_json(
    content: Mapping[str, Any] | list[Any], precision: int | None, warnings: list[dict[str, Any]] | None = None
) -> None:
    """One JSON object, or a list of them; arrays as nested lists, nan and infinities as null.

    warnings: the last member of the object, with all digits.
    """
    import json

    text = _json(content, precision)
    if warnings is not None:
        told = json.dumps(warnings, ensure_ascii=False)
        text = f'{text[:-1]}{", " * bool(content)}"warnings": {told}}}'
    echo(text)


def _json(content: Any, precision: int | None) -> str:
    import json

    if isinstance(content, Mapping):
        members = (f"{json.dumps(key, ensure_ascii=False)}: {_json(item, precision)}" for key, item in content.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(content, float | values.Numeral) or hasattr(content, "tolist"):
        return values.nested(as_lists(content), precision, _number)
    if isinstance(content, list):
        return "[" + ", ".join(_json(item, precision) for item in content) + "]"
    return json.dumps(content, ensure_ascii=False)


def _number(item: Any, precision: int | None) -> str:
    if isinstance(item, values.Range):
        low, high = ("null" if end in _NOT_FINITE else end for end in (item.low, item.high))
        return f'{{"low": {low}, "high": {high}}}'
    if isinstance(item, values.Numeral):
        return "null" if item in _NOT_FINITE else f'"{item}"' if item.quoted else item
    if not math.isfinite(item):
        return "null"
    text = values.number(item, precision)
    return "-0.0" if text == "-0" else text
