"""Pictures of a program's functions: calls as clusters, as one box each; a part of a graph; a graph as a tree."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import cgcli
from cgcli.api.point import at_values
from tests.command import Capture, cg
from tests.for_each import for_each

SVG = "{http://www.w3.org/2000/svg}"
NORMAL = "normal(z) = erfc(-z/sqrt(2))/2; d = ln(S/K); S*normal(d) - K*normal(d - 1)"
LSTM = """lstm(x, h, c) = {
  i = sigmoid(Wi*x + Ui*h); f = sigmoid(Wf*x + Uf*h); o = sigmoid(Wo*x + Uo*h); s = f*c + i*tanh(Wc*x + Uc*h)
  (o*tanh(s), s)
}
(h1, c1) = lstm(x1, 0, 0); (h2, c2) = lstm(x2, h1, c1); (h3, c3) = lstm(x3, h2, c2); h3^2"""
LOOP = "g(x, i) = x^i/i; f(x, n) = { s = 0; for i in 1..n { s = s + g(x, i) }; s }; f(a, 4) + g(a, 2)"
ARM = (
    "turn(t, p) = [cos(t)*p[0] - sin(t)*p[1], sin(t)*p[0] + cos(t)*p[1]]; link(t, l, p) = turn(t, p + [l, 0]); "
    "sum((link(t1, l1, link(t2, l2, [0, 0])) - [1, 2])^2)"
)

# A program, and its clusters: what each says, the place of the one around it, the symbols of the cards right within.
CLUSTERS: list[tuple[str, list[tuple[str, int | None, list[str]]]]] = [
    ("f(x) = sin(x)*x; f(a) + f(b)", [("f(a)", None, ["sin", "×"]), ("f(b)", None, ["sin", "×"])]),
    ("g(u) = sin(u); f(x) = g(x)/2 + g(x^2); f(a)",
     [("f(a)", None, ["÷ 2", "( )²", "+"]), ("g(x)", 0, ["sin"]), ("g(x^2)", 0, ["sin"])]),
    # What two calls share stands outside both, be it a node or a call.
    ("f(x, k) = sin(x)*k; f(a, 2) - f(a, 3)", [("f(a, 2)", None, ["× 2"]), ("f(a, 3)", None, ["× 3"])]),
    ("f(x) = x^2; g(x) = f(x) + 1; h(x) = f(x) + 2; g(a)*h(a)",
     [("f(x)", None, ["( )²"]), ("g(a)", None, ["+ 1"]), ("h(a)", None, ["+ 2"])]),
    ("g(u) = sin(u); f(x) = g(x) + 1; f(a)*g(a)", [("g(a)", None, ["sin"]), ("f(a)", None, ["+ 1"])]),
    ("f(x) = x*w; y = f(a); z = f(a) + y; z", [("f(a)", None, ["×"])]),
    # A function that only hands on what it has computes nothing.
    ("f(x) = x; g(x) = { y = f(sin(x)); y }; g(a)*2", [("g(a)", None, ["sin"])]),
    ("f(x) = exp(x); f(a + b*c + sin(d)^2 + ln(r) + 1)", [("f(…)", None, ["exp"])]),
    ("f(x) = x/2 + 1/x; iterate(f, a, 3)", [("repeat 3", None, ["s"]), ("f(x)", 0, ["÷ 2", "1 ÷", "+"])]),
    # In loops, and around them; both loops below have one body.
    (LOOP, [("f(a, 4)", None, ["s"]), ("for i in 1..4", 0, ["s", "i", "+"]), ("g(x, i)", 1, ["^", "÷"]),
            ("g(a, 2)", None, ["( )²", "÷ 2"])]),
    ("g(x) = sin(x); f(x) = { repeat 3 { x = g(x) }; x }; f(a)*f(b)",
     [("f(a)", None, ["x"]), ("repeat 3", 0, ["x"]), ("g(x)", 1, ["sin"]),
      ("f(b)", None, ["x"]), ("repeat 3", 3, ["x"]), ("g(x)", 4, ["sin"])]),
    ("f(x) = x^3; jvp f(a; 1)", []),  # the nodes of a derivative are none of the function's
]  # fmt: skip


def as_json(text: str, **options: Any) -> Any:
    return json.loads(cgcli.picture(text, options.pop("values", None), kind="json", **options))


@for_each(("text", "clusters"), CLUSTERS)
def test_a_call_is_a_cluster_of_what_it_computes(text: str, clusters: list[tuple[str, int | None, list[str]]]) -> None:
    drawn = as_json(text)
    labels = {node["id"]: node["label"] for node in drawn["nodes"]}
    assert [
        (cluster["head"], cluster["within"], [labels[name] for name in cluster["nodes"]])
        for cluster in drawn.get("clusters", [])
    ] == clusters
    assert all(cluster["kind"] == "loop" for cluster in as_json(text, flat=True).get("clusters", []))


@for_each("text", [*(text for text, _ in CLUSTERS), NORMAL, LSTM, ARM])
def test_a_record_of_calls_leaves_the_graph_as_it_is(text: str) -> None:
    """Protects values: what is drawn is what is computed, node by node."""
    point = at_values(cgcli.parse(text), {})
    assert point.graph.calls is None
    assert all(one is other for one, other in zip(point.with_calls().outputs, point.graph.outputs, strict=True))


# A program, how many calls in each other are open, and the cards.
BOXES: list[tuple[str, int, list[str]]] = [
    (NORMAL, 0, ["S", "K", "÷", "ln", "normal(d)", "×", "− 1", "normal(d - 1)", "×", "−"]),
    (LSTM, 0, ["x₃", "x₂", "x₁", "lstm(x₁, 0, 0)", "h₁", "c₁", "lstm(x₂, h₁, c₁)", "h₂", "c₂", "lstm(x₃, h₂, c₂)",
               "( )²"]),
    (LOOP, 0, ["a", "f(a, 4)", "g(a, 2)", "+"]),
    (LOOP, 1, ["s", "a", "i", "g(x, i)", "+", "s", "( )²", "÷ 2", "+"]),
    (ARM, 0, ["t₁", "l₁", "t₂", "l₂", "link(t₂, l₂, [0, 0])", "link(t₁, l₁, …)", "", "−", "( )²", "Σ"]),
    # What a box needs of itself on a way around stands in it, though another call has it, too: sin(u).
    ("f(x) = { u = x^2; (u, sin(u) + u) }; (u, v) = f(a); v*sin(u)", 0, ["a", "f(a)", "v", "sin", "×"]),
]  # fmt: skip


@for_each(("text", "depth", "cards"), BOXES)
def test_calls_beyond_a_depth_are_one_box_each(text: str, depth: int, cards: list[str]) -> None:
    """Protects the numbers, too: those of a box are those of its result, and all others are what they were."""
    names = at_values(cgcli.parse(text), {}).names
    values = {name: 0.25 + 0.5 * at for at, name in enumerate(names)}
    drawn = as_json(text, values=values, depth=depth, grad=True)
    assert [node["label"] for node in drawn["nodes"]] == cards
    value, gradient = cgcli.value_and_grad(text)(values)
    (output,) = (node for node in drawn["nodes"] if node["output"])
    assert output["value"] == pytest.approx(float(value), rel=1e-12)
    for node in drawn["nodes"]:
        if node["operation"] == "variable":
            assert node["adjoint"] == pytest.approx(gradient[node["name"]], rel=1e-12)
    whole = as_json(text, values=values, grad=True)["nodes"]
    named = {node["name"]: (node["value"], node["adjoint"]) for node in whole if "name" in node and "value" in node}
    boxes = [node for node in drawn["nodes"] if node["operation"] in ("call", "result") and node.get("name") in named]
    assert all((node["value"], node["adjoint"]) == named[node["name"]] for node in boxes)
    assert len(boxes) == sum(label in ("h₁", "c₁", "h₂", "c₂", "v") for label in cards) + (text in (LSTM, LOOP))


def test_what_a_box_reads_enters_by_its_parameters_and_many_other_inputs_are_told(capsys: Capture) -> None:
    assert cg(capsys, "render", LSTM.replace("0, 0", "h0, c0"), "--depth", "0").out == (
        "( )²\n"
        "└─ h₃ = lstm(x₃, h₂, c₂) 21 oper … Uf, Wi, Ui, Wc, Uc\n"
        "   ├─ x: x₃\n"
        "   ├─ h: h₂\n"
        "   │  └─ lstm(x₂, h₁, c₁) 21 operation … Uf, Wi, Ui, Wc, Uc  [1]\n"
        "   │     ├─ x: x₂\n"
        "   │     ├─ h: h₁\n"
        "   │     │  └─ lstm(x₁, h₀, c₀) 21 operation … Uf, Wi, Ui, Wc, Uc  [2]\n"
        "   │     │     ├─ x: x₁\n"
        "   │     │     ├─ h: h₀\n"
        "   │     │     └─ c: c₀\n"
        "   │     └─ c: c₁\n"
        "   │        └─ lstm(x₁, h₀, c₀) 21 operation … Uf, Wi, Ui, Wc, Uc  → [2]\n"
        "   └─ c: c₂\n"
        "      └─ lstm(x₂, h₁, c₁) 21 operation … Uf, Wi, Ui, Wc, Uc  → [1]\n"
    )


# A program, options, and the tree of text.
PARTS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "jvp f(x; dx) = dx*cos(x); f(x) = sin(x); f(a)*2 + exp(b)",
        {"around": "f", "radius": 0},
        ["…", "└─ f", "   └─ a"],
    ),
    (
        "y = x^2; z = sin(y)*w; z + y",
        {"around": "y", "radius": 1},
        [
            "+",
            "├─ z = …",
            "└─ y = ( )²  [1]",
            "   └─ x",
            "…",
            "└─ sin",
            "   └─ y = ( )²  → [1]",
        ],
    ),
    (
        NORMAL,
        {"around": "d", "radius": 1},
        [
            "… = normal(d)",
            "└─ −( )",
            "   └─ d = ln  [1]",
            "      └─ ÷",
            "         ├─ S",
            "         └─ K",
            "… = normal(d - 1)",
            "└─ − 1",
            "   └─ d = ln  → [1]",
        ],
    ),
    (
        NORMAL,
        {"around": "normal", "radius": 0},
        [
            "…",
            "└─ ÷ 2 = normal(d)",
            "   └─ erfc",
            "      └─ ÷ √2",
            "         └─ −( )",
            "            └─ d = …",
            "…",
            "└─ ÷ 2 = normal(d - 1)",
            "   └─ erfc",
            "      └─ ÷ √2",
            "         └─ −( )",
            "            └─ …",
        ],
    ),
    (
        NORMAL,
        {"around": "d", "radius": 1, "depth": 0},
        [
            "…",
            "└─ normal(d) 4 operations",
            "   └─ d = ln  [1]",
            "      └─ ÷",
            "         ├─ S",
            "         └─ K",
            "…",
            "└─ − 1",
            "   └─ d = ln  → [1]",
        ],
    ),
    (
        "x = a; while x > 1 { x = x/2 + w }; x*b",
        {"around": "w", "radius": 1},
        [
            "…",
            "└─ +",
            "   ├─ …",
            "   └─ w",
        ],
    ),
    (
        "f(x) = sin(x); y = f(a)*2; y + y*b",
        {"tree": True},
        [
            "+",
            "├─ y = × 2",
            "│  └─ sin = f(a)",
            "│     └─ a",
            "└─ ×",
            "   ├─ y = × 2",
            "   │  └─ sin = f(a)",
            "   │     └─ a",
            "   └─ b",
        ],
    ),
    (
        "x = a; repeat 2 { x = x*x }; x + x",
        {"tree": True},
        [
            "+",
            "├─ x = repeat 2  [1]",
            "│  └─ ×",
            "│     ├─ x  [2]",
            "│     │  └─ first: a",
            "│     └─ x  → [2]",
            "└─ x = repeat 2  → [1]",
        ],
    ),
    (
        "f(x) = sin(x); y = f(a)*2; y + y*b",
        {"tree": True, "depth": 0, "around": "y"},
        [
            "+",
            "├─ y = × 2",
            "│  └─ f(a) 1 operation",
            "│     └─ a",
            "└─ ×",
            "   ├─ y = × 2",
            "   │  └─ f(a) 1 operation",
            "   │     └─ a",
            "   └─ b",
        ],
    ),
]


@for_each(("text", "options", "lines"), PARTS)
def test_a_part_of_a_graph(text: str, options: dict[str, Any], lines: list[str]) -> None:
    assert cgcli.picture(text, kind="txt", **options).decode().splitlines() == lines


def test_each_format_has_the_clusters() -> None:
    text, values = CLUSTERS[1][0], {"a": 3.0}
    made = cgcli.render(text, values, grad=True)
    root = ElementTree.fromstring(made.svg)
    clusters = [item for item in root.iter(f"{SVG}g") if item.get("class") == "cluster"]
    assert [item.findtext(f"{SVG}title") for item in clusters] == ["f(a)", "g(x)", "g(x^2)"]
    assert not any(path.get("stroke-dasharray") for item in clusters for path in item.iter(f"{SVG}path"))
    assert made.png.startswith(b"\x89PNG")
    formats = made.content(["dot", "mmd", "tex", "pdf"])
    assert formats["dot"].decode().count("subgraph cluster_") == 3
    assert re.findall(r'subgraph cluster_\d\["(.*)"\]', formats["mmd"].decode()) == [
        "f#40;a#41;", "g#40;x#41;", "g#40;x#94;2#41;",
    ]  # fmt: skip
    assert formats["pdf"].startswith(b"%PDF")
    flat = cgcli.render(text, values, grad=True, flat=True)
    assert "cluster" not in flat.svg
    boxes = cgcli.render(text, values, grad=True, depth=0)
    assert "cluster" not in boxes.svg
    assert 'class="node call output"' in boxes.svg
    assert ":::output" in boxes.content(["mmd"])["mmd"].decode()
    for picture, count in ((made, 14), (flat, 14), (boxes, 6)):
        assert len(picture.frames("svg")) == count


MISTAKES: list[tuple[list[str], str]] = [
    (["f(x) = x^2; f(a)", "--depth", "-1"], "'-1' is no whole number from 0 to 1000"),
    (["f(x) = x^2; f(a)", "--depth", "one"], "'one' is no whole number from 0 to 1000"),
    (["f(x) = x^2; f(a)", "--depth", "0", "--flat"],
     "a picture is flat, or has calls as boxes from a depth on, not both"),
    (["area = x^2; area + 1", "--around", "are"],
     "nothing in the picture is called 'are'\n  did you mean 'area'? possible: x, area"),
    (["x^2", "--radius", "1"], "a radius is that around a node\n  say around which: --around NAME"),
    (["g(u) = sin(u); f(x) = g(x); f(a) + 1", "--depth", "0", "--around", "g"],
     "'g' stands within the call f(a), which is one box\n  a larger --depth draws what is in it"),
    (["; ".join(["y0 = x", *(f"y{at} = sin(y{at - 1}) + y{at - 1}" for at in range(1, 20)), "y19"]), "--tree"],
     "a tree that repeats what is shared has more than 2000 nodes here"),
    (["x^2", "x=2", "--tree", "-o", "a.gif"], "the steps of the passes are not drawn in a tree"),
    (["f(x) = x^2; f(a)", "--backward", "--depth", "0"], "both graphs"),
]  # fmt: skip


@for_each(("arguments", "message"), MISTAKES)
def test_what_there_is_not(capsys: Capture, arguments: list[str], message: str) -> None:
    done = cg(capsys, "render", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_many_calls_and_deep_ones() -> None:
    """Bounded work: a chain of functions, of which twenty are told apart, and many calls that share everything."""
    chain = "; ".join(["f0(x) = sin(x)", *(f"f{at}(x) = f{at - 1}(x) + {at}" for at in range(1, 400)), "f399(a)"])
    assert cgcli.picture(chain).decode().count("subgraph") == 20
    assert cgcli.picture(chain, kind="mmd").decode().count("subgraph") == 20
    assert len(cgcli.picture(chain, kind="txt", depth=0).splitlines()) == 2
    many = "f(x, y) = sin(x) + y; " + " + ".join(f"f(a, {at})" for at in range(500))
    assert cgcli.picture(many).decode().count("subgraph") == 500
    assert cgcli.picture("f(x) = x; " + "f(" * 3000 + "a" + ")" * 3000, kind="txt") == b"a\n"


def test_a_picture_that_is_too_small_says_that_calls_can_be_boxes(tmp_path: Path, capsys: Capture) -> None:
    text = "f(x, k) = sin(x*k) + k; " + " + ".join(f"f(a{at}, {at})" for at in range(30))
    said = cg(capsys, "render", text, "-o", str(tmp_path / "a.svg")).err
    assert said.count("  a larger --width or a .svg shows more; --depth 0, --arrays shape and fewer operations") == 1
    assert "--depth" not in cg(capsys, "render", text, "--depth", "0", "-o", str(tmp_path / "a.svg")).err


def test_names_in_calls_are_escaped() -> None:
    text = 'f(x) = x^2; f(`<b>&"`)'
    ElementTree.fromstring(cgcli.picture(text, kind="svg"))
    assert "<b>&" not in cgcli.picture(text, kind="svg").decode()
    assert cgcli.picture(text, kind="pdf").startswith(b"%PDF")
