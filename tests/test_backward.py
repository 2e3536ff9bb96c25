"""The figure of both graphs: what its boxes say, and which edges it has."""

from __future__ import annotations

import re
import warnings
from html import unescape
from unicodedata import normalize
from xml.etree import ElementTree

import pytest

import cgcli
from cgcli.errors import CgWarning
from cgcli.rendering.backward import lines_of
from cgcli.rendering.themes import THEMES
from tests.command import Capture, cg

BAYDIN, AT = "ln(x1) + x1*x2 - sin(x2)", {"x1": 2, "x2": 5}

# A program, its values, what each box says besides its number, from the first step on.
BOXES: list[tuple[str, dict[str, object], list[str]]] = [
    (BAYDIN, dict(AT), [
        "x₁", "x₂", "v₁ = ln(x₁)", "v₂ = x₁·x₂", "v₃ = sin(x₂)", "v₄ = v₁ + v₂", "v₅ = v₄ − v₃",
        "x̄₁ = v̄₂·x₂ + v̄₁/x₁", "x̄₂ = v̄₃·cos(x₂) + v̄₂·x₁", "v̄₁ = v̄₄", "v̄₂ = v̄₄", "v̄₃ = −v̄₅", "v̄₄ = v̄₅", "v̄₅ = 1",
    ]),
    ("x", {"x": 2}, ["x", "x̄ = 1"]),
    ("floor(x)", {"x": 2.5}, ["x", "v₁ = floor(x)", "x̄ = 0"]),
    ("loss = w^2; loss*x", {}, [
        "w", "x", "loss = w²", "v₁ = loss·x", "w̄ = 2·l̅o̅s̅s̅·w", "x̄ = v̄₁·loss", "l̅o̅s̅s̅ = v̄₁·x", "v̄₁ = 1",
    ]),
    ("`a*b`^2", {"a*b": 3}, ["a*b", "v₁ = a*b²", "a̅*̅b̅ = 2·v̄₁·a*b", "v̄₁ = 1"]),
    ("变量*x", {}, ["变量", "x", "v₁ = 变量·x", "∂变量 = v̄₁·x", "x̄ = v̄₁·变量", "v̄₁ = 1"]),
    ("`<script>` + 2", {}, ["<script>", "v₁ = <script> + 2", "∂<script> = v̄₁", "v̄₁ = 1"]),
    ("x_max*loss_1", {}, [
        "x_max", "loss₁", "v₁ = x_max·loss₁", "x̅_̅m̅a̅x̅ = v̄₁·loss₁", "l̅o̅s̅s̅₁ = v̄₁·x_max", "v̄₁ = 1",
    ]),
    ("[x, x^2]", {"x": 3}, ["x", "v₁ = x²", "v₂ = [x, v₁]", "x̄ = v̄₂[0] + 2·v̄₁·x", "v̄₁ = v̄₂[1]", "v̄₂ = 1"]),
]  # fmt: skip


def boxes(dot: str) -> list[str]:
    """The formulas of the boxes, as the tooltips have them."""
    return [
        normalize("NFC", unescape(text)) for text in re.findall(r'^ +[fb]\d+ \[.* tooltip="([^"]*)"', dot, re.MULTILINE)
    ]


def test_boxes_say_what_a_blackboard_says() -> None:
    """Protects lectures: formulas of values, then those of adjoints, in the signs of a book; names stay as they are."""
    for text, values, said in BOXES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CgWarning)  # of what the adjoints of an array are
            made = cgcli.render(text, values, backward=True, rankdir="TB")
        found = boxes(made.content(["dot"])["dot"].decode())
        assert sorted(found) == sorted(normalize("NFC", each) for each in said), text


def test_one_bar_stands_over_a_name_of_several_letters() -> None:
    """Protects `l̄ōs̄s̄`, which reads as a product: the bar goes from the first letter to the last in every format."""
    made = cgcli.render("loss = w^2; loss_1*loss", backward=True, rankdir="TB").content(["svg", "tex", "mmd", "dot"])
    svg = ElementTree.fromstring(made["svg"])
    texts = {each.text: each for each in svg.iter("{http://www.w3.org/2000/svg}text")}
    bars = [re.findall(r"-?[\d.]+", each.get("d") or "") for each in svg.iter() if each.tag.endswith("path")
            and each.get("class")]  # fmt: skip
    found = {(float(left), float(right)) for left, _, right in bars}
    size, loss = 12, (2 * 500 + 556 + 222) / 1000  # s, s, o, l: Adobe's widths of Helvetica
    for text, before in (
        ("loss₁ = v̄₁·loss", 0.0),
        ("loss = v̄₁·loss₁", 0.0),
        ("w̄ = 2·loss·w", 722 + 2 * 278 + 584 + 556 + 333),
    ):
        left = float(texts[text].get("x") or "") + before * size / 1000
        assert any(bar == pytest.approx((left, left + loss * size), abs=0.1) for bar in found), text
    assert (len(bars), len(found)) == (3, 3)
    mixed = cgcli.render("loss = w^2; 变量*loss", backward=True, rankdir="TB").svg  # in another font, of unknown widths
    assert ">l\u0305o\u0305s\u0305s\u0305 = " in mixed
    assert "·loss·w</text>\n<path " in mixed
    assert made["tex"].decode().count(r"$\overline{\mbox{loss}}$") == 3
    assert "#773;".join("loss") in made["mmd"].decode()


def test_edges_are_those_of_both_passes() -> None:
    """Protects what the figure teaches: computed from, adds to the adjoint of, is needed for."""
    dot = cgcli.render(BAYDIN, AT, backward=True, rankdir="TB").content(["dot"])["dot"].decode()
    edges = re.findall(r"^  (\w\d) -> (\w\d)(?: \[(\w+))?", dot, re.MULTILINE)
    computed = {(tail, head) for tail, head, kind in edges if not kind}
    pulled = {(head, tail) for tail, head, kind in edges if kind == "dir"}
    saved = {(tail, head) for tail, head, kind in edges if kind == "style"}
    assert computed == {
        ("f0", "f2"), ("f0", "f3"), ("f1", "f3"), ("f1", "f4"), ("f2", "f5"), ("f3", "f5"), ("f5", "f6"), ("f4", "f6"),
    }  # fmt: skip
    assert pulled == {(head.replace("f", "b"), tail.replace("f", "b")) for tail, head in computed}
    assert saved == {("f0", "b0"), ("f1", "b0"), ("f0", "b1"), ("f1", "b1")}


@pytest.mark.parametrize(("rankdir", "side"), [("TB", 0), ("BT", 0), ("LR", 1), ("RL", 1)])
def test_panels_stand_side_by_side_downwards_and_else_one_above_the_other(rankdir: str, side: int) -> None:
    """Protects the page: a step stands beside its adjoint, and the values come first."""
    svg = cgcli.render(BAYDIN, AT, backward=True, rankdir=rankdir).svg
    panels = {}
    for group in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"):
        if group.get("class") == "cluster":
            numbers = re.findall(r"-?[\d.]+", next(each.get("d") or "" for each in group if each.get("d")))
            panels[group[0].text] = [sorted(map(float, numbers[at::2])) for at in (0, 1)]
    for words, (across, down) in panels.items():
        caption = next(
            each for each in ElementTree.fromstring(svg).iter() if each.get("class") == "name" and each.text == words
        )
        quarter, y = (down[-1] - down[0]) / 4, float(caption.get("y") or "")
        assert across[0] < float(caption.get("x") or "") < across[-1]
        assert down[0] < y < down[-1]
        assert y < down[0] + quarter or (rankdir == "TB" and y > down[-1] - quarter)  # where edges would cross it above
    forward, backward = panels["forward: values"][side], panels["backward: adjoints"][side]
    assert forward[-1] <= backward[0]


def test_a_sheet_of_the_figure_has_no_answers() -> None:
    whole, sheet = (cgcli.render(BAYDIN, AT, backward=True, blank=blank).svg for blank in ("", "all"))
    assert "11.65" in whole
    assert not any(answer in sheet for answer in ("11.65", "1.716", "0.6931"))
    assert re.findall(r"<(?:path|polygon)[^>]*>", sheet) == re.findall(r"<(?:path|polygon)[^>]*>", whole)


def test_a_legend_says_what_the_figure_shows() -> None:
    svg = cgcli.render(BAYDIN, AT, backward=True, legend=True, title="both").svg
    assert all(f">{words}</text>" in svg for words in ("both", "dashed: a value that an adjoint needs"))
    assert "dashed:" not in cgcli.render(BAYDIN, AT, backward=True).svg
    assert all(f">{words}</text>" in svg for words in ("arrow in this colour: an adjoint goes into another", "input"))
    assert "heat map" not in svg
    theme = THEMES["light"]
    boxes, cells = [theme.variable.fill, theme.output.fill], [theme.low, theme.middle, theme.high]
    for values, samples in (([1, 2], boxes), ([*range(9)], [*boxes, *cells])):
        many = cgcli.render("sum(x^2)", {"x": values}, backward=True, legend=True)
        dot = many.content(["dot"])["dot"].decode()
        assert re.findall(r'WIDTH="16" HEIGHT="10" BORDER="1" BGCOLOR="(#\w+)"', dot) == samples
        assert (">above 0, scaled in each heat map</text>" in many.svg) == (len(samples) > 2)


def test_a_number_that_a_formula_says_stands_once() -> None:
    made = cgcli.render("x^2", {"x": 3}, backward=True)
    assert sorted(re.findall(r">([\d.]+)</text>", made.svg)) == ["3", "6", "9"]
    assert '#61; 1"):::output' in made.content(["mmd"])["mmd"].decode()


def test_calls_of_functions_are_clusters_in_both_panels() -> None:
    """Protects the reading: the adjoint of a step stands in the call that the step stands in, inputs in none."""
    text = "g(u) = sin(u); f(x) = g(x)*w; f(a) + g(b)"
    dot = cgcli.render(text, backward=True, rankdir="LR").content(["dot"])["dot"].decode()
    found = re.findall(r"subgraph cluster_(\w+)|^ +([fb]\d) \[|^ +(\})$", dot.partition("rank=same")[0], re.MULTILINE)
    names = ["".join(each) for each in found]
    panel = "{0} {0}0 {0}1 {0}2 {0}6 {0}_0 {0}4 {0}_1 {0}3 }} }} {0}_2 {0}5 }} }}"  # f(a) holds g(x); g(b)
    assert names == [*panel.format("b").split(), *panel.format("f").split()]
    titles = re.findall(r"<B>\w</B></FONT><FONT[^>]*>([^<]+)<", dot)
    assert sorted(titles) == sorted([*(calls := ["(a)", "(x)", "(b)"]), *(f"{call}, backward" for call in calls)])
    assert "g#40;b#41;, backward" in cgcli.render(text, backward=True).content(["mmd"])["mmd"].decode()
    flat = cgcli.render(text, backward=True, flat=True).content(["dot"])["dot"].decode()
    assert flat.count("subgraph") == 2


def test_a_long_formula_has_lines_and_a_sum_over_axes_no_axes_of_size_1() -> None:
    """Protects what can be read of a convolution's adjoints: the box says the shape."""
    values = {"x": [[[[1, 2], [3, 4]]]], "w": [[[[1]]], [[[2]]]], "b": [1, 2]}
    made = cgcli.render("sum(relu(conv2d(x, w, b))^2)", values, backward=True)
    assert "v̄₂ = sum(v̄₃, axis=[0, 2, 3])" in boxes(made.content(["dot"])["dot"].decode())
    assert lines_of("y = a") == ["y = a"]
    assert lines_of("y = " + " + ".join(f"term{at}" for at in range(12))) == [
        "y = term0 + term1 + term2 + term3 + term4 +", "   term5 + term6 + term7 + term8 + term9 +",
        "   term10 + term11",
    ]  # fmt: skip
    bar = "\N{COMBINING OVERLINE}"
    assert lines_of(f"x{bar}" * 44) == [f"x{bar}" * 44]
    assert lines_of(f"x{bar}" * 45) == [f"x{bar}" * 44, f"   x{bar}"]
    assert lines_of("x" * 300) == ["x" * 44, "   " + "x" * 41, "   " + "x" * 41 + "…"]


WRONG = [
    (["1 + 1"], "there is nothing to differentiate by"),
    (["x*y", "x=1"], "no value for 'y'"),
    (["x*y"], "is .png, .svg, .pdf, .tex, .mmd, .dot, and not .txt"),
    (["x*y", "-o", "a.json"], "is .png, .svg, .pdf, .tex, .mmd, .dot, and not .json"),
    (["x*y", "x=1", "y=2", "-o", "a.gif"], "leave --backward out"),
    (["f(x) = x^2; f(a)", "--depth", "0", "-o", "a.svg"], "the figure of both graphs has all their steps"),
    (["f(x) = x^2; f(a)", "--around", "a", "-o", "a.svg"], "the figure of both graphs has all their steps"),
    (["f(x) = x^2; f(a)", "--tree", "-o", "a.svg"], "the figure of both graphs has all their steps"),
    (["x*y", "--blank", "-o", "a.svg"], "there are no values to leave out"),
    (["x*y", "x=1", "y=2", "--tangent", "x=1", "-o", "a.svg"], "shows no tangents"),
    (["x*y", "--unroll", "-o", "a.svg"], "shows no trips of loops"),
    (["x" + " + sin(x)*x" * 100, "-o", "a.svg"], "two panels show at most 100"),
    (["sin(" * 2000 + "x" + ")" * 2000, "-o", "a.svg"], "two panels show at most 100"),
]


def test_what_has_no_second_graph(capsys: Capture) -> None:
    for arguments, said in WRONG:
        done = cg(capsys, "render", *arguments, "--backward")
        assert (done.code in (1, 2), done.out) == (True, ""), arguments
        assert said in done.err, arguments
