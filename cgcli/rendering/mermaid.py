"""A graph as text in the language of Mermaid, which pages and wikis draw themselves: a layout of its own, no ports."""

from __future__ import annotations

from cgcli.annotations import Iterator, Mapping, Sequence
from cgcli.graph.node import CONSTANT, VARIABLE
from cgcli.rendering.card import MARKS
from cgcli.rendering.figures import DIGITS
from cgcli.rendering.look import Look
from cgcli.rendering.outline import cell
from cgcli.rendering.panels import Panels
from cgcli.rendering.pen import shown
from cgcli.rendering.scene import NEXT, Card, Numbers, Scene, trips_text
from cgcli.rendering.sketch import CARRY, FOLDED, RESULT, Cluster
from cgcli.rendering.themes import THEMES, Role, Theme

_FORMS = {
    "folded": '[["{}"]]',
    "input": '["{}"]',
    "data": '["{}"]',
    "constant": '["{}"]',
    "condition": '{{"{}"}}',
}  # all others are rounded
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,")
_ANGLES = str.maketrans("<>", "‹›")  # in a title, which takes no numbers of signs


def mermaid(drawn: Scene, numbers: Numbers, look: Look) -> str:
    """The graph as a flowchart: cards, edges with partial derivatives, loops and calls as subgraphs."""
    theme = THEMES[look.theme]
    lines = [*_preamble(look, theme)]
    written: dict[int | None, list[str]] = {}
    for card in drawn.cards:
        role = _role(card, numbers)
        form = _FORMS.get(role, '("{}")').format("<br/>".join(_lines(card, numbers, look)))
        written.setdefault(card.cluster, []).append(f"{card.id}{form}:::{role}")
    made = [filter(None, (each.head, trips_text(each, numbers.trips.get(each.path)))) for each in drawn.clusters]
    heads = [f'cluster_{at}["{escaped("   ".join(parts))}"]' for at, parts in enumerate(made)]
    lines += _within(drawn.clusters, None, written, heads, "  ")
    for card in drawn.cards:
        lines += (f"  {card.operands[at]} -->{_said(_at_edge(card, at, look))} {card.id}" for at in card.flowing)
    for link in drawn.links:
        lines.append(f"  {link.tail} {'==>' if link.kind == NEXT else '-.->'}{_said(link.said)} {link.head}")
    lines += _styles(theme)
    for place, cluster in enumerate(drawn.clusters):
        fill, line = (theme.panel, "") if cluster.call else (theme.background, ",stroke-dasharray:5 3")
        lines.append(f"  style cluster_{place} fill:{fill},stroke:{theme.edge},color:{theme.ink}{line}")
    return "\n".join([*lines, ""])


def _preamble(look: Look, theme: Theme) -> Iterator[str]:
    """What stands above all else."""
    import json

    if look.title:
        yield f"---\ntitle: {json.dumps(shown(look.title).translate(_ANGLES))}\n---"
    colours = {"lineColor": theme.edge, "edgeLabelBackground": theme.background}
    colours |= dict.fromkeys(("textColor", "titleColor"), theme.ink)
    yield f"%%{{init: {json.dumps({'theme': 'base', 'themeVariables': colours})}}}%%"
    yield f"flowchart {'LR' if look.rankdir == 'auto' else look.rankdir}"


def _styles(theme: Theme) -> Iterator[str]:
    """How cards and edges look."""
    yield from (f"  classDef {name} {style}" for name, style in _classes(theme))
    yield f"  linkStyle default stroke:{theme.edge},color:{theme.ink}"


def panels_as_mermaid(panels: Panels, look: Look) -> str:
    """The graph of the values and that of the adjoints, as two subgraphs."""
    theme = THEMES[look.theme]
    lines = [*_preamble(look, theme)]
    for letter, title, boxes, kind in (
        ("f", "forward: values", panels.forward, "value"), ("b", "backward: adjoints", panels.backward, "grad"),
    ):  # fmt: skip
        written: dict[int | None, list[str]] = {}
        for at, box in boxes.items():
            said = [escaped(box.text)]
            if box.value is not None and look.shows(kind) and not box.is_told(look):
                text = escaped(cell(box.value, look, "" if box.is_given else kind, DIGITS))
                said.append(f"<i>{text}</i>" if kind == "grad" else text)
            form = _FORMS["input"] if box.role == "variable" else '("{}")'
            role = {"variable": "input"}.get(box.role, box.role)
            written.setdefault(box.cluster, []).append(f"{letter}{at}{form.format('<br/>'.join(said))}:::{role}")
        heads = [f'{letter}_{at}["{escaped(panels.head(at, letter).head)}"]' for at in range(len(panels.clusters))]
        lines.append(f'  subgraph {letter}["{title}"]')
        lines += _within(panels.clusters, None, written, heads, "    ")
        lines.append("  end")
    lines += (f"  f{tail} --> f{head}" for tail, head in panels.computed)
    lines += (f"  b{tail} --> b{head}" for tail, head in panels.pulled)
    lines += (f"  f{tail} -.-> b{head}" for tail, head in panels.saved)
    lines += _styles(theme)
    around = f"stroke:{theme.rule},color:{theme.ink}"
    lines += (f"  style {letter} fill:{theme.background},{around}" for letter in "fb")
    lines += (
        f"  style {letter}_{at} fill:{theme.panel},{around}" for letter in "fb" for at in range(len(panels.clusters))
    )
    return "\n".join([*lines, ""])


def _within(
    clusters: Sequence[Cluster], place: int | None, written: Mapping[int | None, Sequence[str]], heads: Sequence[str],
    space: str,
) -> Iterator[str]:  # fmt: skip
    """The lines of a cluster, and the clusters within it, a few levels deep; None for all. heads: of each cluster."""
    yield from (space + line for line in written.get(place, ()))
    for at, cluster in enumerate(clusters):
        if cluster.parent == place:
            yield f"{space}subgraph {heads[at]}"
            yield from _within(clusters, at, written, heads, space + "  ")
            yield f"{space}end"


def escaped(text: str) -> str:
    """Any text for a label in quotes: what is no letter, digit or space by its number."""
    return "".join(sign if sign in _PLAIN or sign.isalnum() else f"#{ord(sign)};" for sign in shown(text))


def _lines(card: Card, numbers: Numbers, look: Look) -> Iterator[str]:
    """What stands on a card."""
    if card.name:
        yield f"<b>{escaped(card.name)}</b>"
    is_name = card.again or card.node.op in (VARIABLE, RESULT, CARRY)
    symbol = escaped(card.symbol or "constant")
    yield f"<b>{symbol}</b>" if is_name else symbol
    yield from map(escaped, card.notes)
    if card.node.shape and look.shows("shape"):
        yield "×".join(map(str, card.node.shape))
    for kind, known in numbers.kinds.items() if not card.again and card.node.op is not CONSTANT else ():
        if card.node in known and look.shows(kind):
            given = numbers.is_given(card.node, kind)
            mark = f"{MARKS[kind]} " if kind in MARKS else ""
            text = escaped(mark + cell(known[card.node], look, "" if given else kind, DIGITS))
            yield f"<i>{text}</i>" if mark else text


def _role(card: Card, numbers: Numbers) -> str:
    """The class of a card."""
    if card.is_output:
        return "output"
    if card.kind == "input":
        return "data" if numbers.is_data(card.node) else "input"
    if card.kind == "constant":
        return "operation" if card.operands else "constant"
    if card.node.op is FOLDED:
        return "folded"
    return {"carry": "data", "result": "operation"}.get(card.kind, card.kind)


def _at_edge(card: Card, at: int, look: Look) -> str:
    """What is said at an edge: the place of an operand, where that counts, and the derivative by it."""
    place = (card.places[at] or str(at + 1)) if card.ordered and card.places else ""
    slope = card.partials[at] if card.partials else None
    return ": ".join(filter(None, (place, "" if slope is None else f"×{cell(slope, look, 'partial', DIGITS)}")))


def _said(text: str) -> str:
    return f'|"{escaped(text)}"|' if text else ""


def _classes(theme: Theme) -> Iterator[tuple[str, str]]:
    """How the cards of each class look."""
    roles = {"input": theme.variable, "data": theme.data, "operation": theme.operation, "condition": theme.operation,
             "folded": theme.operation, "output": theme.output,
             "constant": Role(theme.background, theme.background)}  # fmt: skip
    for name, role in roles.items():
        heavy = ",stroke-width:3px" if name == "output" else ""
        yield name, f"fill:{role.fill},stroke:{role.border},color:{theme.ink}{heavy}"
