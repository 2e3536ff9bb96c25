"""Results on standard output: plain lines, or one JSON object."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cgcli.errors import Span, quoted
from cgcli.printing import values

if TYPE_CHECKING:
    from cgcli.graph.node import Graph


def plain(rows: Iterable[tuple[str, Any]], precision: int | None) -> None:
    """One line `name<TAB>value` for each row; a name is on one line, whatever the user put into it."""
    lines = (f"{quoted(name, Span(0, len(name)))}\t{values.value(array, precision)}" for name, array in rows)
    click.echo("\n".join(lines))


def named(graph: Graph, values: Sequence[Any]) -> Any:
    """The outputs' values for the JSON: one value, or one under each output's name."""
    return dict(zip(graph.names, values, strict=True)) if graph.names else values[0]


def as_json(content: Mapping[str, Any] | list[Any], precision: int | None) -> None:
    """One JSON object, or a list of them; arrays as nested lists, nan and infinities as null."""
    click.echo(_json(content, precision))


def _json(content: Any, precision: int | None) -> str:
    if isinstance(content, Mapping):
        members = (f"{json.dumps(key, ensure_ascii=False)}: {_json(item, precision)}" for key, item in content.items())
        return "{" + ", ".join(members) + "}"
    if hasattr(content, "tolist"):
        return _numbers(content.tolist(), precision)
    if isinstance(content, list):
        return "[" + ", ".join(_json(item, precision) for item in content) + "]"
    return json.dumps(content, ensure_ascii=False)


def _numbers(item: Any, precision: int | None) -> str:
    if isinstance(item, list):
        return "[" + ", ".join(_numbers(part, precision) for part in item) + "]"
    if not math.isfinite(item):
        return "null"
    text = values.number(item, precision)
    return "-0.0" if text == "-0" else text
