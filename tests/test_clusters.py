"""Pictures of loops and branches: clusters, ways to the next trip, diamonds, control edges, trips written out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import cgcli
from cgcli.errors import CgError, TooLargeError
from cgcli.graph.node import Graph
from cgcli.lowering.lower import lower
from cgcli.ops.table import FUNCTIONS
from cgcli.rendering.compose import scene
from cgcli.rendering.dot import dot
from cgcli.rendering.draw import draw
from cgcli.rendering.look import Look
from cgcli.rendering.metrics import width
from cgcli.rendering.themes import THEMES
from cgcli.syntax.parser import parse
from tests.command import Capture, cg
from tests.for_each import for_each

SVG = "{http://www.w3.org/2000/svg}"
NEWTON = "x = a; while abs(x^2 - a) > 1e-12 { x = (x + a/x)/2 }; x"
NESTED = "s = 0; for i in 1..4 { t = i; for j in 1..i { t = t*x + j }; s = s + t }; s*y"
COLLATZ = "n = 0; while x > 1 { if x % 2 == 0 { x = x/2 } else { x = 3*x + 1 }; n = n + 1 }; n"
RECURRENT = "h: [2]; h = h0; repeat 3 { h = tanh(W @ h + x) }; sum(h)"

# A program, values, and what its clusters say.
PROGRAMS: list[tuple[str, dict[str, Any], list[str]]] = [
    (NEWTON, {"a": 2}, ["while abs(x^2 - a) > 1e-12"]),
    (NESTED, {"x": 0.5, "y": 3}, ["for i in 1..4", "for j in 1..i"]),
    (COLLATZ, {"x": 7}, ["while x > 1"]),
    (RECURRENT, {"W": np.eye(2), "x": [1, 2], "h0": [0, 0.5]}, ["repeat 3"]),
    ("sum(i=1..n, x^i/i)", {"x": 0.5, "n": 5}, ["Σ i = 1..n"]),
    ("prod(i=1..n, x + i)", {"x": 0.5, "n": 3}, ["Π i = 1..n"]),
    ("a = 0; b = 1; repeat 9 { t = a + b; a = b; b = t }; a*z", {"z": 2}, ["repeat 9"]),
    ("s = 0; for v in X { s = s + v^2 }; s", {"X": [1, 2, 3]}, ["for v in X"]),
    ("y = repeat 5 { x = x/2 + a/x/2; x }; sum(y*y)", {"x": 2, "a": 3}, ["repeat 5"]),
    ("(p, q) = repeat 1 { w = w + w*x; (w, sin(w)) }; p @ (2*q)", {"x": 2, "w": 3}, ["repeat 1"]),
    (
        "f(a) = { y = a; repeat 2 { y = sin(y) }; y }; f(u)*f(w)",
        {"u": 1, "w": 2},
        ["f(u)", "repeat 2", "f(w)", "repeat 2"],
    ),
]

# Roots are no loops of the program: nothing is written out of them.
ROOTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("y = solve(x = cos(a*x), x=0.5); y^2", {"a": 2}, ["solve y = cos(a*y)"]),
    (
        "(x, y) = solve(x^2 + y^2 = r, x = y*a, x=1, y=1); x*y",
        {"r": 2, "a": 1},
        ["solve x^2 + y^2 = r, x = y*a"],
    ),
    ("z = solve(A@x = b, x=b); sum(z^2)", {"A": [[1, 2], [3, 4]], "b": [1, 1]}, ["solve A @ z = b"]),
    ("x = a; repeat 2 { y = solve(y^3 + y = x, y=1); x = y }; x", {"a": 1}, ["repeat 2", "solve z^3 + z = x"]),
]


def graph_of(text: str) -> Graph:
    return lower(parse(text, functions=FUNCTIONS.__contains__))


def as_json(text: str, **options: Any) -> Any:
    return json.loads(cgcli.picture(text, options.pop("values", None), kind="json", **options))


@for_each(("text", "values", "heads"), [*PROGRAMS, *ROOTS])
def test_a_loop_is_a_cluster_that_says_its_condition(text: str, values: dict[str, Any], heads: list[str]) -> None:
    """Protects clusters in each format, and numbers: those of the result are what the program gives."""
    drawn = as_json(text, values=values, grad=True)
    assert [cluster["head"] for cluster in drawn["clusters"]] == heads
    (output,) = (node for node in drawn["nodes"] if node["output"])
    value, gradient = cgcli.value_and_grad(text)(values)
    assert output["value"] == pytest.approx(float(value), rel=1e-12)
    adjoints = {node["name"]: node["adjoint"] for node in drawn["nodes"] if node["operation"] == "variable"}
    assert adjoints.keys() == gradient.keys()
    for name, expected in gradient.items():
        np.testing.assert_allclose(adjoints[name], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_each_format_has_the_cluster(theme: str, rankdir: str) -> None:
    svg = cgcli.picture(NESTED, x=0.5, y=3, kind="svg", theme=theme, rankdir=rankdir, grad=True)
    root = ElementTree.fromstring(svg)
    clusters = [item for item in root.iter(f"{SVG}g") if item.get("class") == "cluster"]
    assert [item.findtext(f"{SVG}title") for item in clusters] == ["for i in 1..4", "for j in 1..i"]
    assert all(path.get("stroke-dasharray") for item in clusters for path in item.iter(f"{SVG}path"))
    texts = [text for text in root.iter(f"{SVG}text") if (text.text or "").strip()]
    assert all(text.get("class") for text in texts)
    assert sum("next trip" in (text.text or "") for text in texts) == 2
    parts = [item for item in root.iter(f"{SVG}g") if item.get("class") != "graph"]
    assert not [text for item in parts for text in item.iter(f"{SVG}text") if text.get("paint-order")]  # on top of all
    assert cgcli.picture(NESTED, x=0.5, y=3, kind="png", theme=theme, rankdir=rankdir).startswith(b"\x89PNG")


def test_what_a_loop_carries_after_each_trip_says_so() -> None:
    (kept,) = (card for card in scene(graph_of(PROGRAMS[8][0]), Look()).cards if card.loop is not None)
    assert (kept.symbol, kept.notes, kept.node.shape) == ("y", ("of each trip",), (5,))


def test_the_reverse_pass_of_a_loop_is_a_trip_backwards() -> None:
    """Protects `cg diff … | cg render -`: adjoints go from trip to trip, those of what each trip reads are summed."""
    text = "f(h, W) = { repeat 3 { h = tanh(W @ h) }; h }; (a, b) = vjp f(x, W; [1, 1]); (a, b)"
    values = {"W": [[1, 2], [3, 4]], "x": [1, 2]}
    drawn = as_json(text, values=values)
    assert [(cluster["head"], cluster["trips"]) for cluster in drawn["clusters"]] == [("backwards repeat 3", None)]
    carries = [node["label"] for node in drawn["nodes"] if node["operation"] == "carry"]
    assert sorted(carries) == ["h", "∂h"]
    (way,) = drawn["links"]
    assert {node["id"]: node["label"] for node in drawn["nodes"]}[way["to"]] == "∂h"
    results = [node["value"] for node in drawn["nodes"] if node["output"]]
    gradient = cgcli.grad("h = x; repeat 3 { h = tanh(W @ h) }; sum(h)")(values)
    for found, name in zip(results, ("x", "W"), strict=True):
        np.testing.assert_allclose(found, gradient[name], rtol=1e-12)
    assert "sum over the trips" in cgcli.picture(text, values, kind="svg").decode()
    going = "f(x) = { while x > 1 { x = x/2 }; x }; vjp f(a; w)"
    assert as_json(going)["clusters"][0]["head"] == "backwards while x > 1"


def test_a_cluster_within_a_cluster() -> None:
    text = dot(graph_of(NESTED))
    assert [line.strip() for line in text.splitlines() if "subgraph" in line] == [
        "subgraph cluster_0 {", "subgraph cluster_1 {",
    ]  # fmt: skip
    assert text.index("subgraph cluster_1") < text.index("  }\n")
    cards = scene(graph_of(NESTED), Look()).cards
    inside = text[text.index("subgraph cluster_0") : text.rindex("  }\n")]
    ends = set(re.findall(r"(n[\d_]+)(?= ->)|(?<=-> )(n[\d_]+)", inside))
    assert {name for pair in ends for name in pair if name} <= {card.id for card in cards if card.cluster is not None}


@for_each("text", [NEWTON, NESTED, COLLATZ, PROGRAMS[4][0], PROGRAMS[6][0]])
def test_downwards_the_way_to_the_next_trip_stays_within(text: str) -> None:
    root = ElementTree.fromstring(draw(graph_of(text), "svg", look=Look(rankdir="TB")))
    curves = curves_of(root)
    outer = curves["cluster"][0]
    for way in curves["edge next"]:
        assert (way.min(axis=0) >= outer.min(axis=0)).all()
        assert (way.max(axis=0) <= outer.max(axis=0)).all()


NET = "layer(x, W, b) = tanh(W @ x + b); h = layer(x, W1, b1); sum((layer(h, W2, b2) - y)^2)"
NET_SHAPES = "x: [2]; W1: [2, 2]; W2: [2, 2]; b1: [2]; b2: [2]; y: [2]; "
CALLS = [
    "g(u) = u*sin(u); f(x) = g(x)/2 + 1/g(x^2); f(a) + g(b)",
    "f(p, q, r, s) = p*q + r*s + p*s; f(a, b, c, d)*f(b, c, d, a) + a",
    "f(x, y) = sin(x)*y; g(x, y) = f(x, y) + f(y, x); g(g(a, b), g(b, a)) + f(a, b)",
    "f(x) = x^2 + b*x; f(f(f(a))) + c*f(b)",
    NET_SHAPES + NET,
    "X: [8, 3]; W: [3, 4]; v: [4]; mean((tanh(X@W)@v - y)^2)",
]
LOOPS = [NEWTON, NESTED, COLLATZ, "f(x) = (x + a/x)/2; x = a; y = b; for i in 1..5 { x = f(x); y = f(y*b) }; x*y"]


@for_each(("text", "both"), [*((text, both) for text in CALLS for both in (False, True)), *((t, False) for t in LOOPS)])
def test_no_edge_crosses_what_stands_above_a_cluster(text: str, both: bool) -> None:
    """Protects the reading: the words stand between edges, or edges go around them. both: the panels of --backward."""
    for rankdir in ("TB",) if both else ("LR", "TB"):
        root = ElementTree.fromstring(cgcli.render(text, rankdir=rankdir, backward=both).svg)
        curves = curves_of(root)
        edges = np.concatenate([way for kind in curves if "edge" in kind for way in curves[kind]])
        words = [each for group in root.iter(f"{SVG}g") if group.get("class") == "node heading"
                 for each in group.iter(f"{SVG}text")]  # fmt: skip
        words += [
            each for each in root.iter(f"{SVG}text") if each.get("paint-order") and each.get("font-size", "") >= "12"
        ]
        assert len(words) >= len(curves.get("cluster", []))
        for word in words:
            x, y, size = (float(word.get(name, 0)) for name in ("x", "y", "font-size"))
            wide = width(word.text or "", size, bold="font-weight" in word.attrib)
            hits = (edges > (x, y - 0.75 * size)) & (edges < (x + wide, y + 0.2 * size))
            assert not hits.all(axis=1).any(), (rankdir, word.text)


# A loop, values, and whether its way to the next trip leaves the cards at their sides.
WAYS: list[tuple[str, dict[str, float], bool]] = [
    ("f(x) = x^3 - a; x = 1; repeat 8 { x = x - f(x)/D(f(x), x) }; x", {"a": 2}, True),
    ("repeat 5 { p = sin(p)*x + p }; p", {"p": 1, "x": 2}, True),
    ("repeat 5 { p = p + x }; p", {"p": 1, "x": 2}, False),
]


@for_each(("text", "values", "at_sides"), WAYS)
def test_the_way_to_the_next_trip_ends_where_no_edge_does(text: str, values: dict[str, float], at_sides: bool) -> None:
    """Protects the reading: a thick edge on a thin one hides its arrow. Short ones stand apart by themselves."""
    made = cgcli.render(text, values, rankdir="TB")
    assert ('tailport="' in made.content(["dot"])["dot"].decode()) is at_sides
    curves = curves_of(ElementTree.fromstring(made.svg))
    (way,) = curves["edge next"]
    ends = np.array([end for each in curves["edge"] for end in (each[0], each[-1])])
    nearest = min(np.linalg.norm(ends - tip, axis=1).min() for tip in (way[0], way[-1]))
    assert nearest > (12 if at_sides else 3)  # points


def curves_of(root: ElementTree.Element) -> dict[str, list[Any]]:
    """Points of all outlines of a picture, by the class of what has them."""
    found: dict[str, list[Any]] = {}
    for item in root.iter(f"{SVG}g"):
        found.setdefault(item.get("class", ""), []).extend(curve(path.get("d", "")) for path in item.iter(f"{SVG}path"))
    return found


def curve(path: str) -> Any:
    """Points of a path of Bezier curves."""
    ends = np.array(re.findall(r"-?[\d.]+", path), float).reshape(-1, 2)
    share = np.linspace(0, 1, 30)[:, None]
    weights = [(1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3]
    pieces = [
        sum(w * end for w, end in zip(weights, ends[at : at + 4], strict=True)) for at in range(0, len(ends) - 3, 3)
    ]
    return np.concatenate(pieces)


def test_the_way_to_the_next_trip_is_bold_and_a_condition_is_a_diamond() -> None:
    text = dot(graph_of(NEWTON))
    drawn = scene(graph_of(NEWTON), Look())
    names = {card.id: card.symbol for card in drawn.cards}
    links = [(names[link.tail], names[link.head], link.kind) for link in drawn.links]
    assert links == [("÷ 2", "x", "next trip"), ("> 1e-12", "÷ 2", "yes"), ("> 1e-12", "x", "no")]
    assert len(re.findall(r'class="next", dir="back", penwidth="2.4", label=<.*next trip', text)) == 1
    assert len(re.findall(r'class="control", style="dashed"', text)) == 2
    (diamond,) = (line for line in text.splitlines() if 'shape="diamond"' in line)
    assert 'class="condition"' in diamond


# A branch, and where its control edges lead: to what only one side needs, else to the choice itself.
BRANCHES = [
    ("if x > 0 { y = sqrt(x) } else { y = -x }; y", ["√", "−( )"]),
    ("x > 0 ? x^2 : 1", ["( )²", "1"]),
    ("where(x > 0, x, sin(x))", ["where", "sin"]),
    ("a = x^2; where(x > 0, a, a + 1)", ["where", "+ 1"]),
    ("where(c, x, y)", ["where", "where"]),
    ("where(x > 0, 1, where(x < -1, x, 2))", ["1", "where", "where", "2"]),
]


@for_each(("text", "ends"), BRANCHES)
def test_control_edges_lead_from_a_condition_to_its_branches(text: str, ends: list[str]) -> None:
    drawn = scene(graph_of(text), Look())
    names = {card.id: card.symbol for card in drawn.cards}
    found = sorted((link.tail, link.kind != "yes", names[link.head]) for link in drawn.links)
    assert sorted(head for _, _, head in found) == sorted(ends)
    assert [link.kind for link in drawn.links] == ["yes", "no"] * (len(ends) // 2)


def test_numbers_within_a_cluster_are_those_of_the_last_trip() -> None:
    """Against Newton's iteration by hand; what the condition reads, too."""
    before = [2.0]
    while abs(before[-1] ** 2 - 2) > 1e-12:
        before.append((before[-1] + 2 / before[-1]) / 2)
    drawn = as_json(NEWTON, a=2.0, grad=True)
    known = {(node["label"], node["operation"]): node for node in drawn["nodes"]}
    assert drawn["clusters"][0]["trips"] == len(before) - 1
    assert known["x", "carry"]["value"] == before[-2]
    assert known["÷", "divide"]["value"] == 2 / before[-2]
    assert known["( )²", "power"]["value"] == before[-2] ** 2
    assert known["x", "result"]["value"] == before[-1]
    assert known["÷ 2", "divide"]["adjoint"] == 1
    assert known["+", "add"]["adjoint"] == 0.5
    assert known["x", "carry"]["adjoint"] == pytest.approx(0.5 - 0.5 * 2 / before[-2] ** 2, abs=1e-15)


def test_the_equations_of_a_root_have_the_adjoints_that_its_derivatives_are_made_of() -> None:
    """By the implicit function theorem: where g(y, a) = 0 and f = y^2, that of g is -f'(y)/g_y."""
    drawn = as_json("y = solve(x = cos(a*x), x=0.5); y^2", values={"a": 2.0}, grad=True)
    known = {(node["label"], node["operation"]): node for node in drawn["nodes"]}
    y = known["y", "result"]["value"]
    slope = -2 * y / (1 + 2 * np.sin(2 * y))
    assert known["−", "subtract"]["adjoint"] == pytest.approx(slope, rel=1e-12)
    assert known["a", "variable"]["adjoint"] == pytest.approx(slope * y * np.sin(2 * y), rel=1e-12)
    assert "adjoint" not in known["y", "carry"]
    assert [link["kind"] for link in drawn["links"]] == ["next trip", "= 0"]
    svg = cgcli.picture("solve(x = cos(a*x), x=0.5)", kind="svg").decode()
    assert "Newton&#39;s step" in svg


def test_a_loop_without_a_trip_has_no_numbers_within() -> None:
    drawn = as_json(NEWTON, a=1.0, grad=True)
    assert drawn["clusters"][0]["trips"] == 0
    inside = [node for node in drawn["nodes"] if node["id"] in drawn["clusters"][0]["nodes"]]
    assert inside
    assert not any("value" in node or "adjoint" in node for node in inside)
    known = {(node["label"], node["operation"]): node for node in drawn["nodes"]}
    assert known["x", "result"]["value"] == known["a", "variable"]["adjoint"] == 1


def test_the_tree_of_text(capsys: Capture) -> None:
    assert cg(capsys, "render", "x = a; while x > 1 { x = x/2 }; x", "a=3", "--grad").out == (
        "                          value  adjoint\n"
        "x = while x > 1  2 trips   0.75        1\n"
        "├─ ÷ 2                     0.75        1\n"
        "│  └─ x  [1]                1.5      0.5\n"
        "│     └─ first: a             3     0.25\n"
        "└─ while: > 1                 1\n"
        "   └─ x  → [1]\n"
    )


# ---- all trips ------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "values", "heads"), PROGRAMS)
def test_unrolled_trips_give_the_same_numbers(text: str, values: dict[str, Any], heads: list[str]) -> None:
    drawn = as_json(text, values=values, grad=True, unroll=True)
    assert [cluster["head"] for cluster in drawn["clusters"] if cluster["within"] is None] == [
        head for head, cluster in zip(heads, as_json(text, values=values)["clusters"], strict=True)
        if cluster["within"] is None
    ]  # fmt: skip
    (output,) = (node for node in drawn["nodes"] if node["output"])
    value, gradient = cgcli.value_and_grad(text)(values)
    assert output["value"] == pytest.approx(float(value), rel=1e-12)
    adjoints = {node["name"]: node["adjoint"] for node in drawn["nodes"] if node["operation"] == "variable"}
    for name, adjoint in adjoints.items():
        np.testing.assert_allclose(adjoint, gradient[name], rtol=1e-9, atol=1e-9)


def test_each_trip_is_a_cluster_and_its_results_are_numbered() -> None:
    drawn = as_json("x = a; repeat 3 { x = sin(x) }; x", a=1.0, unroll=True)
    assert [(cluster["head"], cluster["within"]) for cluster in drawn["clusters"]] == [
        ("repeat 3", None), ("trip 1", 0), ("trip 2", 0), ("trip 3", 0),
    ]  # fmt: skip
    assert [node.get("name") for node in drawn["nodes"]] == ["a", "x_1", "x_2", "x"]


def test_too_many_trips(capsys: Capture, tmp_path: Path) -> None:
    """Bounded, each with what helps; nothing is written."""
    target = str(tmp_path / "a.svg")
    many = cg(capsys, "render", "x = a; repeat 10^6 { x = sin(x) }; x", "a=1", "--unroll", "-o", target)
    assert (many.code, many.out) == (2, "")
    assert "a picture of 1000000 trips would be too large: the limit is 60" in many.err
    assert "without --unroll" in many.err
    unknown = cg(capsys, "render", NEWTON, "--unroll", "-o", target)
    assert unknown.code == 2
    assert "how many trips the loop makes depends on names without values" in unknown.err
    nan = cg(capsys, "render", NEWTON, "a=nan", "--unroll", "-o", target)
    assert (nan.code, "the condition of the loop is nan" in nan.err) == (2, True)
    assert not list(tmp_path.iterdir())
    with pytest.raises(TooLargeError):
        cgcli.picture("x = a; for i in 1..8 { for j in 1..8 { x = sin(x) } }; x", a=1, unroll=True)


def test_an_endless_loop_is_an_error_and_no_picture(capsys: Capture) -> None:
    assert cg(capsys, "render", "x = a; while x > 0 { x = x + 0*x }; x", "a=1").code == 1
    with pytest.raises(CgError):
        cgcli.picture("x = a; while x > 0 { x = x + 0*x }; x", a=1, unroll=True)
