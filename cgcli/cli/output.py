"""Results on standard output: plain lines, or one JSON object."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import click

from cgcli.printing import values


def plain(rows: Mapping[str, Any], precision: int | None) -> None:
    """One line `name<TAB>value` for each row."""
    click.echo("\n".join(f"{name}\t{values.value(array, precision)}" for name, array in rows.items()))


def as_json(content: Mapping[str, Any], precision: int | None) -> None:
    """One JSON object; arrays as nested lists, nan and infinities as null."""
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
