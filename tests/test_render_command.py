"""`cg render`: the tree of text, JSON, several files at once, and what it says of a wrong command line."""

from __future__ import annotations

import json
import re
import shlex
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import cgcli
from cgcli.errors import CgWarning
from cgcli.rendering import paint
from cgcli.rendering.themes import THEMES
from tests.command import cg
from tests.for_each import for_each
from tests.hostile import texts

Capture = pytest.CaptureFixture[str]
BAYDIN = "ln(x1) + x1*x2 - sin(x2)"
TREES = [
    ([BAYDIN, "x1=2", "x2=5", "--grad"], """\
                 value  adjoint
−              11.6521        1
├─ +           10.6931        1
│  ├─ ln      0.693147        1
│  │  └─ x₁          2      5.5
│  └─ ×             10        1
│     ├─ x₁          2      5.5
│     └─ x₂          5  1.71634
└─ sin       -0.958924       -1
   └─ x₂             5  1.71634
"""),
    (["x/y"], "÷\n├─ x\n└─ y\n"),
    (["x + y", "--plain"], "+\n├─ x\n└─ y\n"),
    (["theta*x1", "--plain"], "×\n├─ theta\n└─ x1\n"),
    (["z = x*y; sin(z) + cos(z)"], """\
+
├─ sin
│  └─ z = ×  [1]
│     ├─ x
│     └─ y
└─ cos
   └─ z = ×  → [1]
"""),
    (["area = x*y; (area, area^2)", "x=3", "y=4"], """\
               value
area = ×  [1]     12
├─ x               3
└─ y               4
( )²             144
└─ area = ×  → [1]
"""),
    (["sum(X @ [1, 2])", "X=[[1,2],[3,4]]"], """\
                        value
Σ                          16
└─ @  (2)             [5, 11]
   ├─ X  (2×2)       [[1, 2], [3, 4]]
   └─ constant  (2)
"""),
    (["where(x > 0, x, 0)"], "where\n├─ condition: > 0\n│  └─ x\n├─ yes: x\n└─ no: 0\n"),
    (["a + b + c + d"], "Σ\n├─ a\n├─ b\n├─ c\n└─ d\n"),
    (["a + b + c", "--no-fold"], "+\n├─ +\n│  ├─ a\n│  └─ b\n└─ c\n"),
]  # fmt: skip


@for_each(("arguments", "tree"), TREES)
def test_without_a_file_the_graph_is_a_tree(arguments: list[str], tree: str, capsys: Capture) -> None:
    """Protects `diff` of two programs, in a terminal and in continuous integration."""
    done = cg(capsys, "render", *arguments)
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()] == [line.split() for line in tree.splitlines()]
    if "X=" not in "".join(arguments):
        assert done.out == tree


def test_a_tree_that_nobody_could_read(capsys: Capture) -> None:
    done = cg(capsys, "render", "sin(" * 3000 + "x" + ")" * 3000)
    assert (done.code, done.out) == (2, "")
    assert "the limit is 200 levels" in done.err
    assert "-o graph.dot" in done.err


@for_each(
    "kind, found",
    [
        ("chain of names+", "1000 of its 1001 nodes are names or constants, the limit is 499 among so many"),
        ("chain of parts+", "2000 of its 3001 nodes are names or constants, the limit is 166 among so many"),
        ("nested ({} + 1/{x})", "1001 of its 2002 nodes are names or constants, the limit is 249 among so many"),
        ("nested where(x > 0, {}, 1)", "its edges cross 1003004 levels, the limit is 60000"),
        ("elements one by one", "1002 edges meet in one of its nodes, the limit is 600"),
        ("many outputs", ""),
    ],
)
def test_a_picture_whose_layout_takes_too_long_says_what_helps(kind: str, found: str, capsys: Capture) -> None:
    told = cg(capsys, "render", texts(300 if not found else 1000)[kind], "-o", "/dev/null", "--format", "svg")
    if not found:
        assert told.code == 0
        return
    assert told.code == 2
    assert f"too large to lay out: {found}" in told.err
    assert "--around NAME" in told.err


@for_each("depth, label, code, told", [
    (20, " label=", 0, ""),
    (21, " headlabel=", 0, ""),
    (50, " headlabel=", 0, ""),
    (120, " headlabel=", 2, "its edges from conditions cross 7380 levels, the limit is 5500"),
])  # fmt: skip
def test_answers_of_many_conditions_take_no_room(
    depth: int, label: str, code: int, told: str, tmp_path: Path, capsys: Capture
) -> None:
    """Protects the time of pictures: 50 nested conditions took 8 seconds, 100 some minutes."""
    program = "where(x > 0, " * depth + "1" + ", 1)" * depth
    assert cg(capsys, "render", program, "-o", str(tmp_path / "a.dot")).code == 0
    written = (tmp_path / "a.dot").read_text()
    answers = [line for line in written.splitlines() if 'class="control"' in line]
    assert len(answers) == 2 * depth
    assert all(label in line for line in answers)
    found = cg(capsys, "render", program, "-o", str(tmp_path / "a.svg"))
    assert found.code == code
    assert told in found.err


def test_a_control_character_in_a_name_never_reaches_the_terminal(capsys: Capture) -> None:
    done = cg(capsys, "render", "`a\x1b[31m` + 1")
    assert "\x1b" not in done.out


def test_json_for_programs_that_draw_themselves(capsys: Capture) -> None:
    done = cg(capsys, "render", "y = x/2; [y, 1/x]", "x=0", "--format", "json", "-q", "--rankdir", "LR")
    picture = json.loads(done.out)
    cards = {card["id"]: card for card in picture["nodes"]}
    (x,) = (card for card in cards.values() if card["operation"] == "variable")
    assert (x["name"], x["label"], x["value"], x["shape"], x["output"]) == ("x", "x", 0.0, [], False)
    assert {card.get("value", "none") for card in cards.values() if card["label"] == "1 ÷"} == {None}
    for card in cards.values():
        assert card["width"] / 2 - 1 <= card["x"] <= picture["width"] - card["width"] / 2 + 1
        assert card["height"] / 2 - 1 <= card["y"] <= picture["height"] - card["height"] / 2 + 1
    for edge in picture["edges"]:
        assert cards[edge["from"]]["x"] < cards[edge["to"]]["x"]


def test_several_files_at_once(tmp_path: Path, capsys: Capture) -> None:
    names = ["a.png", "a.svg", "a.dot", "a.txt", "a.json"]
    options = [word for name in names for word in ("-o", str(tmp_path / name))]
    assert cg(capsys, "render", BAYDIN, *options).code == 0
    begins = [b"\x89PNG", b"<?xml", b"digraph", "−\n├─ +".encode(), b'{"width"']
    for name, begin in zip(names, begins, strict=True):
        assert (tmp_path / name).read_bytes().startswith(begin)


WRONG = [
    (["-o", "a.jpg"], "possible suffixes: .png, .svg, .pdf, .dot, .gv, .tex, .mmd, .json, .txt, .gif"),
    (["--theme", "drak"], "did you mean 'dark'? possible: light, dark, print, colorblind"),
    (["--rankdir", "left"], "possible: auto, LR, TB, RL, BT"),
    (["--arrays", "all"], "possible: auto, numbers, heat, shape"),
    (["--layout", "neato", "-o", "a.svg"], "possible: bundled, dot"),
    (["--width", "wide"], "is no length; write it as 12cm"),
    (["--width", "0cm"], "not between 0.1in and 200in"),
    (["--size", "9cm"], "is no size; write it as 16x9cm"),
    (["--size", "16x0cm"], "not between 0.1in and 200in"),
    (["--size", "16x9cm", "--width", "8cm", "-o", "a.svg"], "a width or a size, not both"),
    (["--show", "values"], "did you mean 'value'? possible: value, grad, tangent, partial, shape, name, formula"),
    (["--show", "value,"], "possible: value, grad, tangent"),
    (["--show", "partial"], "x"),
    (["--tangent", "z=1", "x=1"], "'z' has a tangent, and is no input of the program"),
    (["--tangent", "x=[1,2]", "x=1"], "the tangent of 'x' has shape [2]"),
]


@for_each(("options", "said"), WRONG)
def test_a_wrong_option_says_what_there_is(
    options: list[str], said: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cg(capsys, "render", "x*y", *options)
    assert done.code == 2
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "what", "weights"),
    [
        (["x^2", "x=[1,2]"], "all numbers of the result", "[1,1]"),
        (["(x*y, x + y)", "x=2", "y=3"], "all results", "(1,1)"),
    ],
)
def test_adjoints_without_a_cotangent_are_those_of_the_sum(
    arguments: list[str], what: str, weights: str, capsys: Capture
) -> None:
    done = cg(capsys, "render", *arguments, "--grad")
    assert done.code == 0
    assert f"the adjoints are those of the sum of {what}" in done.err
    given = cg(capsys, "render", *arguments, "--grad", "--cotangent", weights)
    assert given == (0, done.out, "")
    with pytest.warns(CgWarning, match="those of the sum"):
        cgcli.picture(arguments[0], {"x": [1, 2], "y": [3, 4]} if "y" in arguments[0] else {"x": [1, 2]}, grad=True)


CHAINS = [
    BAYDIN, "x1*x1 + x1*x2*x1", "where(x1 > x2, x1^3, x1*x2)", "sigmoid(x1*x2) - max(x1, x2)", "x1^x2/atan2(x2, x1)",
    "x1 + x2 + x1*x2 + exp(-x1)", "a = x1/x2; b = a*a; hypot(a, b)", "sum([x1, x2]*2)", "norm([x1, x2]) + x2",
]  # fmt: skip


@for_each("text", CHAINS)
@for_each("fold", [True, False])
def test_partial_derivatives_at_edges_obey_the_chain_rule(text: str, fold: bool, capsys: Capture) -> None:
    """A node's adjoint is what its users' adjoints, times the partials, add up to; its tangent what those of its
    operands do: for scalars, and against adjoints and tangents, which other tests hold against PyTorch."""
    options = ["--show", "value,partial", "--grad", "--tangent", "x1=1,x2=-2", "--format", "json", "-o", "-", "-q"]
    done = cg(capsys, "render", text, "x1=1.25", "x2=0.75", *options, *["--no-fold"] * (not fold))
    picture = json.loads(done.out)
    cards = {card["id"]: card for card in picture["nodes"]}
    assert sum("partial" in edge for edge in picture["edges"]) >= 2
    for card in cards.values():
        into = [edge for edge in picture["edges"] if edge["to"] == card["id"]]
        out = [edge for edge in picture["edges"] if edge["from"] == card["id"]]
        scalars = all(not cards[edge[end]]["shape"] for edge in (*into, *out) for end in ("from", "to"))
        if "adjoint" in card and scalars and not card["output"]:
            total = sum(
                cards[edge["to"]]["adjoint"] * edge["partial"] for edge in out if "adjoint" in cards[edge["to"]]
            )
            assert card["adjoint"] == pytest.approx(total, rel=1e-12), card
        if "tangent" in card and card["operation"] != "variable" and scalars:
            total = sum(cards[edge["from"]]["tangent"] * edge["partial"] for edge in into if "partial" in edge)
            assert card["tangent"] == pytest.approx(total, rel=1e-12), card


SHOWN = [
    (["--show", "value,partial,formula", "--wrt", "x1"], """\
                                value  partial
− ln(x1) + x1*x2 - sin(x2)    11.6521
├─ + ln(x1) + x1*x2           10.6931        1
│  ├─ ln ln(x1)              0.693147        1
│  │  └─ x₁                         2      0.5
│  └─ × x1*x2                      10        1
│     ├─ x₁                         2        5
│     └─ x₂                         5
└─ sin sin(x2)              -0.958924
   └─ x₂                            5
"""),
    (["--grad", "--wrt", "x2", "--show", "grad"], """\
         adjoint
−              1
├─ +           1
│  ├─ ln
│  │  └─ x₁
│  └─ ×        1
│     ├─ x₁
│     └─ x₂ 1.71634
└─ sin        -1
   └─ x₂ 1.71634
"""),
    (["--tangent", "x1=1"], """\
                value   tangent
−               11.6521 5.5
├─ +            10.6931 5.5
│  ├─ ln        0.693147 0.5
│  │  └─ x₁     2 1
│  └─ ×         10 5
│     ├─ x₁     2 1
│     └─ x₂     5
└─ sin          -0.958924
   └─ x₂        5
"""),
]  # fmt: skip


@pytest.mark.parametrize(("options", "tree"), SHOWN)
def test_what_is_shown(options: list[str], tree: str, capsys: Capture) -> None:
    done = cg(capsys, "render", BAYDIN, "x1=2", "x2=5", *options)
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()] == [line.split() for line in tree.splitlines()]


def test_values_for_some_names_show_what_they_suffice_for(capsys: Capture) -> None:
    """x1 alone: its logarithm, the product's derivative by x2; nothing that x2 has a part in."""
    done = cg(capsys, "render", BAYDIN, "x1=2", "--grad", "--tangent", "x1=1", "--format", "json", "-o", "-")
    assert (done.code, done.err) == (0, "")
    cards = {card["label"]: card for card in json.loads(done.out)["nodes"]}
    assert {label for label, card in cards.items() if "value" in card} == {"x₁", "ln"}
    assert {label for label, card in cards.items() if "adjoint" in card} == {"ln", "×", "+", "sin", "−"}
    assert {label for label, card in cards.items() if "tangent" in card} == {"x₁", "ln"}
    assert cg(capsys, "render", "x*y", "y=3", "--grad").out.split() == [
        "value",
        "adjoint",
        "×",
        "1",
        "├─",
        "x",
        "3",
        "└─",
        "y",
        "3",
    ]
    none = cg(capsys, "render", "x*y", "--grad")
    assert (none.code, none.out) == (2, "")
    assert "--grad needs values for names" in none.err


def test_edges_of_a_picture_say_what_the_tree_says(capsys: Capture) -> None:
    text = cg(capsys, "render", BAYDIN, "x1=2", "x2=5", "--show", "value,partial", "--legend", "-o", "-").out
    labels = re.findall(r"^  (n\d+) -> (n\d+)\S* \[label=<.*>(×[^<]+)<.*>\]$", text, re.MULTILINE)
    assert ("n2", "n5", "×0.2837") in labels
    assert ("n0", "n3", "×5") in labels
    assert len(labels) == 8
    assert "× at an edge" in text
    arrays = cg(capsys, "render", "sum(x^2)", "x=[1,-2]", "--show", "partial", "-o", "-").out
    assert re.findall(r"×[^<]+", arrays) == ["×-4 … 2", "×1"]


def test_an_input_with_many_users_is_drawn_at_each_use(capsys: Capture) -> None:
    """Protects pictures of filters from edges that cross all of them; its numbers stand on the first card."""
    text = "; ".join(["y0 = x", *(f"y{at} = a*sin(y{at - 1})" for at in range(1, 9))]) + "; y8"
    for options, cards in ([], 9), (["--no-fold"], 1):
        done = cg(capsys, "render", text, "x=1", "a=2", *options, "-o", "-")
        found = re.findall(r'^  (n\w+) \[label=.*tooltip="a"', done.out, re.MULTILINE)
        assert len(found) == cards - (not options)
        assert len(re.findall(r">2<", done.out)) == 1
    tree = cg(capsys, "render", text, "x=1", "a=2").out
    assert len(re.findall(r"a +2$", tree, re.MULTILINE)) == 8


def test_the_size_that_a_picture_fits_into(tmp_path: Path, capsys: Capture) -> None:
    def sizes(*options: str) -> tuple[float, float]:
        target = tmp_path / "a.svg"
        assert cg(capsys, "render", BAYDIN, *options, "-o", str(target)).code == 0
        found = re.search(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', target.read_text(encoding="utf-8"))
        assert found is not None
        return float(found[1]), float(found[2])

    for size, wide, high in (("4x20cm", 4.0, 20.0), ("200mmx2cm", 20.0, 2.0), ("16×9cm", 16.0, 9.0)):
        across, down = (points / 72 * 2.54 for points in sizes("--size", size))
        assert across <= wide + 0.01
        assert down <= high + 0.01
        assert across == pytest.approx(wide, abs=0.01) or down == pytest.approx(high, abs=0.01)


def test_text_that_nobody_can_read_is_told(tmp_path: Path, capsys: Capture) -> None:
    chain = "sin(" * 70 + "x" + ")" * 70
    done = cg(capsys, "render", chain, "-o", str(tmp_path / "a.svg"))
    assert re.search(r"the text of the picture is [\d.]+ pt high in a width of 8\.6 cm", done.err)
    assert "--width" in done.err
    assert cg(capsys, "render", chain, "-o", str(tmp_path / "a.svg"), "--size", "100x100cm").err == ""
    assert cg(capsys, "render", chain, "-o", str(tmp_path / "a.dot")).err == ""


def test_a_layout_with_less_care_is_told(tmp_path: Path, capsys: Capture) -> None:
    chain = "sin(" * 700 + "x" + ")" * 700
    done = cg(capsys, "render", chain, "-o", str(tmp_path / "a.svg"))
    assert "a picture of 701 cards is laid out with less care\n" in done.err
    assert "laid out" not in cg(capsys, "render", chain, "-o", str(tmp_path / "a.dot")).err


def test_title_and_legend(capsys: Capture) -> None:
    text = cg(capsys, "render", "x*y", "x=2", "y=3", "--grad", "--title", 'A "<b>" \\N', "--legend", "-o", "-").out
    assert "A &quot;&lt;b&gt;&quot; \\\\N" in text
    assert "∂ italic: adjoint, ∂result/∂node" in text
    assert 'labelloc="t"' in text
    assert "adjoint" not in cg(capsys, "render", "x*y", "--legend", "-o", "-").out


def test_a_sign_that_no_font_has_is_never_a_silent_box(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine without any font: Typst draws with cg's own alone."""
    fonts = paint._fonts
    monkeypatch.setattr(paint, "_fonts", lambda alone: fonts(True))
    paint._probe.cache_clear()
    for suffix in ("png", "pdf"):
        done = cg(capsys, "render", "`温度`*`العربية`*theta*`é` + `Жд`", "-o", str(tmp_path / f"a.{suffix}"))
        assert done.code == 0
        assert "no font of this system has 温 度 ا ل ع ر ب ي ة\n" in done.err
        assert "write .svg" in done.err
    paint._probe.cache_clear()
    assert cg(capsys, "render", "`温度`", "-o", str(tmp_path / "a.svg")).err == ""
    assert "温度" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert cg(capsys, "render", "theta*alpha_1*`é`/2 - x^-2 >= pi", "-o", str(tmp_path / "a.png")).err == ""


@pytest.mark.filterwarnings("ignore:no font of this system")
def test_syllables_of_joined_letters_stand_beside_each_other() -> None:
    """By a font of the system, where it has one; what draws SVG moves those of more than one sign together."""

    def ink(name: str) -> int:
        """How many columns of dots are dark, as text is and the border of a card is not."""
        dark = pixels(cgcli.picture(f"`{name}`", kind="png", dpi=72)).max(axis=2) < 90
        return int(dark.any(axis=0).sum())

    assert ink("हिन्दी") == pytest.approx(ink("हि") + ink("न्दी"), abs=4)


def pixels(png: bytes) -> np.ndarray[Any, Any]:
    """The dots of a PNG of 8 bits, as its specification unfilters them."""
    wide, high = struct.unpack(">II", png[16:24])
    at, data = 8, b""
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + size
    assert png[24:26] == b"\x08\x06"  # red, green, blue, and how opaque it is
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(high, 1 + 4 * wide).astype(int)
    dots = np.zeros((high + 1, wide + 1, 4), int)
    for y, (kind, *row) in enumerate(rows, start=1):
        for x, raw in enumerate(np.reshape(row, (wide, 4)), start=1):
            left, up, corner = dots[y, x - 1], dots[y - 1, x], dots[y - 1, x - 1]
            near = np.abs(np.array([up - corner, left - corner, left + up - 2 * corner]))
            best = np.choose(near.argmin(axis=0), (left, up, corner))
            dots[y, x] = (raw + (0, left, up, (left + up) // 2, best)[kind]) % 256
    return dots[1:, 1:, :3]


def test_joiners_are_drawn(capsys: Capture) -> None:
    """Protects Devanagari and emoji, whose letters they join."""
    assert "क्\u200dष" in cg(capsys, "render", "`क्\u200dष` + 1", "-o", "-").out


def test_the_size_of_the_text(tmp_path: Path, capsys: Capture) -> None:
    def width(*options: str) -> float:
        target = tmp_path / "a.svg"
        assert cg(capsys, "render", BAYDIN, "--rankdir", "LR", *options, "-o", str(target)).code == 0
        return float(re.findall(r'<svg width="([\d.]+)pt"', target.read_text(encoding="utf-8"))[0])

    assert width("--font-size", "18") == pytest.approx(1.5 * width(), rel=0.02)
    assert width("--font-size", "12") == pytest.approx(width(), rel=0.01)
    assert width("--width", "12cm") == pytest.approx(12 / 2.54 * 72, abs=0.5)
    both = cg(capsys, "render", "x", "--font-size", "9", "--width", "8cm", "-o", "a.svg")
    assert (both.code, both.out) == (2, "")


# ---- the gallery ----------------------------------------------------------------------

EXAMPLES = Path(__file__).parent.parent / "examples"
GALLERY = (EXAMPLES / "gallery" / "commands.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", [line for line in GALLERY if line.endswith(".svg")])
def test_a_picture_of_the_gallery_is_what_its_command_draws(
    line: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words, forms, colours and their order are the same; places within a tenth, for another version of the layout.

    After a change that is meant: run the commands in `examples`, and look at every picture.
    """
    monkeypatch.chdir(EXAMPLES)
    *arguments, option, name = shlex.split(line.removeprefix("$ cg "))
    assert (option, Path(name).suffix) == ("-o", ".svg")
    assert cg(capsys, *arguments, "-o", str(tmp_path / "a.svg")) == (0, "", "")
    drawn, stored = (ElementTree.parse(path).getroot() for path in (tmp_path / "a.svg", EXAMPLES / name))
    assert sorted(map(parts, drawn.iter())) == sorted(map(parts, stored.iter()))
    for side in ("width", "height"):
        size = float((stored.get(side) or "").removesuffix("pt"))
        assert float((drawn.get(side) or "").removesuffix("pt")) == pytest.approx(size, rel=0.1)


def parts(item: ElementTree.Element) -> list[str]:
    """What of a piece of a picture does not depend on its place."""
    names = ("class", "fill", "stroke", "stroke-width", "font-size", "font-style", "font-weight")
    known = "" if (item.get("id") or "").startswith("edge") else item.get("id") or ""
    return [item.tag, (item.text or "").strip(), known, *(item.get(name) or "" for name in names)]


def test_the_gallery_has_every_theme_in_both_directions_and_no_other_picture() -> None:
    names = {shlex.split(line)[-1].removeprefix("gallery/") for line in GALLERY}
    assert {f"{theme}_{rankdir}.svg" for theme in THEMES for rankdir in ("LR", "TB")} <= names
    assert names == {path.name for path in (EXAMPLES / "gallery").iterdir()} - {"commands.txt"}
