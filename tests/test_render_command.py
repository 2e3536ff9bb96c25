"""`cg render`: the tree of text, JSON, several files at once, and what it says of a wrong command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import cg

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


@pytest.mark.parametrize(("arguments", "tree"), TREES)
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


def test_a_control_character_in_a_name_never_reaches_the_terminal(capsys: Capture) -> None:
    done = cg(capsys, "render", "`a\x1b[31m` + 1")
    assert "\x1b" not in done.out


def test_json_for_programs_that_draw_themselves(capsys: Capture) -> None:
    done = cg(capsys, "render", "y = x/2; [y, 1/x]", "x=0", "--format", "json", "-q")
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
    (["-o", "a.jpg"], "possible suffixes: .png, .svg, .pdf, .dot, .gv, .json, .txt"),
    (["--theme", "drak"], "did you mean 'dark'? possible: light, dark, print, colorblind"),
    (["--rankdir", "left"], "possible: auto, LR, TB, RL, BT"),
    (["--arrays", "all"], "possible: auto, numbers, heat, shape"),
    (["--layout", "neato", "-o", "a.svg"], "possible: bundled, dot"),
    (["--width", "wide"], "is no length; write it as 12cm"),
    (["--width", "0cm"], "not between 0.1in and 200in"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_a_wrong_option_says_what_there_is(
    options: list[str], said: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cg(capsys, "render", "x*y", *options)
    assert done.code == 2
    assert said in done.err
    assert list(tmp_path.iterdir()) == []
