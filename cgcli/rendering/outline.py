"""A graph as a tree of text, from the result to the inputs, with values and adjoints in columns; and as JSON."""

from __future__ import annotations

import math

from cgcli.annotations import Any, Sequence
from cgcli.errors import TooLargeError, cells_of, padded
from cgcli.graph.node import CONSTANT, VARIABLE, name_of
from cgcli.lean import Counter
from cgcli.printing.values import nested, on_one_line
from cgcli.records import NamedTuple
from cgcli.rendering.figures import figure
from cgcli.rendering.look import Look
from cgcli.rendering.scene import Card, Numbers, Scene, trips_text
from cgcli.rendering.sketch import Cluster, enclosing

MAX_DEPTH = 200  # levels: the lines of a deeper tree could not be read
MAX_LINES = 100_000
_FEW = 6  # an array of so many numbers is written out
_MOST = {"shape": 0, "numbers": 24}  # so many where that was asked for
_TITLES = {"grad": "adjoint"}  # of columns, where they are not called as `show` does
_POINTS = 72  # an inch
_BLANK = "_____"  # for a number that is left out


# A card's id, what stands before it and before its children, what it is called, the derivative by it, and the cluster
# of what uses it.
_Place = tuple[str, str, str, str, Any, int | None]


class _Line(NamedTuple):
    """A line of the tree: its text, and what stands in the columns."""

    text: str
    cells: tuple[str, ...]


def outline(drawn: Scene, numbers: Numbers, look: Look) -> str:
    """The graph as a tree: below each operation its operands; what is used again is a reference to the first place.

    Raises TooLargeError for more levels or lines than anybody reads.
    """
    cards = drawn.cards
    by_id = {card.id: card for card in cards}
    uses = Counter(operand for card in cards for operand in card.operands)
    marks: dict[str, int] = {}
    lines: list[_Line] = []
    shown = {kind: known for kind, known in numbers.kinds.items() if known and look.shows(kind)}
    columns = (*shown, *["partial"] * bool(numbers.partials and look.shows("partial")))
    stack: list[_Place] = [(name, "", "", "", None, None) for name in reversed(drawn.roots)]
    while stack:
        name, before, within, place, slope, outer = stack.pop()
        card = by_id[name]
        text = before + (f"{place}: " if place else "") + _text(card) + _meant(card, outer, drawn, numbers)
        if name in marks:
            cells = [cell(slope if kind == "partial" else None, look, kind) for kind in columns]
            lines.append(_Line(f"{text}  → [{marks[name]}]", tuple(cells)))
            continue
        if card.operands and uses[name] + card.is_output > 1:
            marks[name] = len(marks) + 1
            text += f"  [{marks[name]}]"
        of_card = {} if card.node.op is CONSTANT else {kind: known.get(card.node) for kind, known in shown.items()}
        of_card["partial"] = slope
        given = {kind for kind in shown if numbers.is_given(card.node, kind)}
        cells = [cell(of_card.get(kind), look, "" if kind in given else kind) for kind in columns]
        lines.append(_Line(text, tuple(cells)))
        if len(within) >= 3 * MAX_DEPTH or len(lines) > MAX_LINES:
            raise TooLargeError(
                f"the graph is too large for a tree of text: the limit is {MAX_DEPTH} levels and {MAX_LINES} lines",
                hint="write .dot instead, which has no limit: -o graph.dot",
            )
        places = card.places or ("",) * len(card.operands)
        for at in range(len(card.operands) - 1, -1, -1):
            last = at == len(card.operands) - 1
            stack.append(
                (
                    card.operands[at],
                    within + ("└─ " if last else "├─ "),
                    within + ("   " if last else "│  "),
                    places[at],
                    card.partials[at] if card.partials else None,
                    card.cluster if card.loop is None else card.loop,
                )
            )
    return _table(lines, [_TITLES.get(kind, kind) for kind in columns])


def _text(card: Card) -> str:
    """What a line says of a card: `area = ×  axis=0`."""
    named = f"{card.name} = " if card.name else ""
    shape = f"({'×'.join(map(str, card.node.shape))})" if card.node.shape else ""
    return on_one_line("  ".join(filter(None, (named + (card.symbol or "constant"), *card.notes, shape))))


def _meant(card: Card, outer: int | None, drawn: Scene, numbers: Numbers) -> str:
    """What a line says of the loop or the call whose result it shows. outer: the cluster of what uses it."""
    if card.loop is not None:
        return _loop(drawn.clusters[card.loop], numbers)
    own = enclosing(drawn.clusters, card.cluster)
    around = enclosing(drawn.clusters, outer) if card.operands else own
    calls = [drawn.clusters[at] for at in own if at not in around]
    return f" = {on_one_line(calls[-1].head)}" if calls and calls[-1].call else ""


def _loop(cluster: Cluster, numbers: Numbers) -> str:
    """What a line says of the loop whose result it shows: ` = while x > 1, 3 trips`."""
    made = trips_text(cluster, numbers.trips.get(cluster.path))
    return "  ".join(filter(None, (f" = {on_one_line(cluster.head)}", made)))


def cell(value: Any, look: Look, kind: str, digits: int = 6) -> str:
    """What stands in a column. kind: one of BLANKS; '' where the number is given. digits: significant ones."""
    if value is None:
        return ""
    if kind in look.blank:
        return _BLANK
    shape = getattr(value, "shape", ())
    if not shape:
        return figure(float(value), look.precision, digits)
    if math.prod(shape) > _MOST.get(look.arrays, _FEW):
        return "×".join(map(str, shape))
    return nested(value.tolist(), look.precision, figure)


def _table(lines: Sequence[_Line], titles: Sequence[str]) -> str:
    rows = [(line.text, *line.cells) for line in lines]
    if titles:
        rows.insert(0, ("", *titles))
    aligned = [row for row in rows if any(row[1:])] or rows  # what has no numbers may reach into their columns
    widths = [max(map(cells_of, column)) for column in zip(*aligned, strict=True)]
    return "".join(
        "  ".join(
            (padded(cell, wide) if not at else " " * (wide - cells_of(cell)) + cell)
            for at, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        + "\n"
        for row in rows
    )


# ---- JSON -----------------------------------------------------------------------------


def as_json(drawn: Scene, numbers: Numbers, look: Look, plain: str) -> str:
    """Nodes, edges, positions and values, for programs that draw graphs themselves. plain: the layout.

    Lengths are in points, from the upper left corner; a card's x and y are those of its centre. What is no number
    is null. Where there are conditions or loops: links to the next trip, and to what a condition decides on; clusters.
    """
    graph, cards = drawn.graph, drawn.cards
    _, scale, wide, high = plain.split("\n", 1)[0].split()
    height = float(high)
    lines = (line.split(maxsplit=6) for line in plain.splitlines() if line.startswith("node "))
    where = {name: tuple(map(float, places)) for _, name, *places, _ in lines}
    nodes = []
    for card in cards:
        x, y, across, down = where[card.id]
        about: dict[str, Any] = {
            "id": card.id, "label": card.symbol, "operation": card.node.op.name, "output": card.is_output,
            "shape": list(card.node.shape), "x": _points(x), "y": _points(height - y),
            "width": _points(across), "height": _points(down),
        }  # fmt: skip
        if card.node.op is VARIABLE or card.node in graph.labels:
            about["name"] = graph.labels.get(card.node) or name_of(card.node)
        for kind, known in numbers.kinds.items():
            is_blank = kind in look.blank and not numbers.is_given(card.node, kind)
            if card.node in known and look.shows(kind) and not is_blank:
                about[_TITLES.get(kind, kind)] = _plain_numbers(known[card.node])
        nodes.append(about)
    edges = [
        {"from": operand, "to": card.id, "position": at}
        | ({"partial": _plain_numbers(card.partials[at])} if _has_partial(card, at, look) else {})
        for card in cards
        for at, operand in enumerate(card.operands)
    ]
    clusters = [
        {"head": cluster.head, "kind": "call" if cluster.call else "loop",
         "trips": numbers.trips.get(cluster.path), "within": cluster.parent,
         "nodes": [card.id for card in cards if card.cluster == place]}
        for place, cluster in enumerate(drawn.clusters)
    ]  # fmt: skip
    links = [{"from": link.tail, "to": link.head, "kind": link.kind} for link in drawn.links]
    more = {key: value for key, value in (("links", links), ("clusters", clusters)) if value}
    size = {"width": _points(float(wide) * float(scale)), "height": _points(height * float(scale))}
    import json

    return json.dumps({**size, "nodes": nodes, "edges": edges, **more}, ensure_ascii=False, allow_nan=False) + "\n"


def _has_partial(card: Card, at: int, look: Look) -> bool:
    return bool(card.partials) and card.partials[at] is not None and "partial" not in look.blank


def _points(inches: float) -> float:
    return round(inches * _POINTS, 2)


def _plain_numbers(item: Any) -> Any:
    """A value as nested lists; what is no number as None. The nesting is at most an array's number of axes."""
    item = item.tolist() if hasattr(item, "tolist") else item
    if isinstance(item, list):
        return [_plain_numbers(part) for part in item]
    return float(item) if math.isfinite(item) else None
