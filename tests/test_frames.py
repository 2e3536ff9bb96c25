"""Work sheets and the steps of both passes: of one layout, in which numbers are left out."""

from __future__ import annotations

import html
import io
import itertools
import json
import re
import struct
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cgcli
from cgcli.rendering import frames, paint
from cgcli.rendering.metrics import has_all
from cgcli.rendering.pieces import in_pieces
from tests.command import Capture, cg
from tests.for_each import for_each

EXAMPLES = Path(__file__).parent.parent / "examples"
BAYDIN, AT = "ln(x1) + x1*x2 - sin(x2)", {"x1": 2, "x2": 5}
_TEXT = re.compile(r'<text [^>]*class="(\w+)"[^>]*>([^<]*)</text>')
_STROKE = re.compile(r'stroke(-width)?="[^"]*"|fill="#\w+"')


def texts(svg: str, kind: str) -> list[str]:
    """The texts of a kind in a picture; of adjoints without their mark."""
    return [html.unescape(text) for found, text in _TEXT.findall(svg) if found == kind and text != "∂"]


def skeleton(svg: str) -> list[str]:
    """The lines of a picture without its numbers, and without colours and strokes."""
    lines = (line for line in svg.split("\n") if not re.search(r'class="(value|adjoint)"', line))
    return [_STROKE.sub("", line) for line in lines]


def pixels(png: bytes) -> tuple[int, int]:
    wide, high = struct.unpack_from(">II", png, 16)
    return wide, high


# What a program shows besides its inputs when numbers are left out: values, and adjoints.
SHEETS = [
    ("values", ["2", "5"], ["5.5", "1", "1", "1", "1.716", "-1", "1"]),
    ("adjoints", ["2", "0.6931", "10", "10.69", "5", "-0.9589", "11.65"], ["1"]),
    ("grads", ["2", "0.6931", "10", "10.69", "5", "-0.9589", "11.65"], ["1"]),
    ("all", ["2", "5"], ["1"]),
]


@pytest.mark.parametrize(("word", "values", "adjoints"), SHEETS)
def test_a_work_sheet_is_the_picture_without_its_numbers(word: str, values: list[str], adjoints: list[str]) -> None:
    """Protects lectures: what was given stays, nothing of the answers is in the file, and nothing moves."""
    whole, sheet = (cgcli.render(BAYDIN, AT, grad=True, blank=blank) for blank in ("", word))
    assert (sorted(texts(sheet.svg, "value")), sorted(texts(sheet.svg, "adjoint"))) == (
        sorted(values), sorted(adjoints),
    )  # fmt: skip
    assert skeleton(sheet.svg) == skeleton(whole.svg)
    assert np.allclose(pixels(sheet.png), pixels(whole.png), atol=2)  # two programs draw them
    answers = {"0.6931", "10.69", "-0.9589"} - {*values}
    written = sheet.content(["dot", "json", "txt"])
    assert not any(answer.encode() in content for answer in answers for content in written.values())


def test_arrays_are_left_out_whole() -> None:
    """Protects sheets: neither a heat map nor a written array tells what is to be computed."""
    values = {"W": [[1, 2, 3], [4, 5, 6], [7, 8, 10]], "x": [1, -1, 0.25]}
    sheet = cgcli.render("sum((W @ x)^2)", values, grad=True, blank="all")
    whole = cgcli.render("sum((W @ x)^2)", values, grad=True)
    cells = [picture.svg.count("<polygon") for picture in (sheet, whole)]
    assert cells[0] <= cells[1] - 9  # the adjoint of W
    assert "1.5" not in sheet.svg
    assert texts(sheet.svg, "value").count("0.25") == 1
    assert "TITLE" not in sheet.content(["dot"])["dot"].decode()


def test_a_series_fills_the_sheet_step_by_step() -> None:
    """Protects lectures: 16 steps, the order of `cg trace`, adjoints as the sums so far, and nothing moves."""
    made = [frame.decode() for frame in cgcli.render(BAYDIN, AT).frames("svg")]
    assert len(made) == 17
    assert all(skeleton(frame) == skeleton(made[0]) for frame in made)
    assert (texts(made[0], "value"), texts(made[0], "adjoint")) == (["2", "5"], ["1"])
    whole = cgcli.render(BAYDIN, AT, grad=True).svg
    for kind in ("value", "adjoint"):
        assert sorted(texts(made[-1], kind)) == sorted(texts(whole, kind))
    numbers = [Counter([*texts(frame, "value"), *texts(frame, "adjoint")]) for frame in made]
    news = [" ".join(after - before) for before, after in itertools.pairwise(numbers)]
    forth, back = ["", "", "0.6931", "10", "-0.9589", "10.69", "11.65"], ["", "1", "-1", "1", "1", "-0.2837", "5"]
    assert news == [*forth, *back, "1.716", "5.5"]


# A program, its values, how many pictures its series has.
SERIES: list[tuple[str, dict[str, float], int]] = [
    ("x", {"x": 2}, 3),
    ("1 + 1", {}, 2),
    ("floor(x)", {"x": 2.5}, 3),
    ("a + b + c + d", {"a": 1, "b": 2, "c": 3, "d": 4}, 11),
    ("x*y", {"x": 2}, 4),
    ("where(x > 0, x*y, 0)*x", {"x": 2, "y": 3}, 13),
    ("repeat 2 { x = x*a }; x", {"x": 1, "a": 2}, 10),
    ("f(x) = x^2; jvp f(x; dx) = 2*x*dx; f(x)", {"x": 3}, 5),
    ("exp(-1000*x)*x*inf", {"x": 1}, 12),
    ("`a<b` * `&amp;`", {"a<b": 1, "&amp;": 2}, 7),
]


def test_every_program_has_its_series() -> None:
    """Protects series: whatever is drawn comes in one of the steps, and is whole at the end."""
    for text, values, count in SERIES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = [frame.decode() for frame in cgcli.render(text, values).frames("svg")]
            whole = cgcli.render(text, values, grad=True, unroll=True).svg
        assert len(made) == count, text
        assert all(skeleton(frame) == skeleton(made[0]) for frame in made), text
        for kind in ("value", "adjoint"):
            assert sorted(texts(made[-1], kind)) == sorted(texts(whole, kind)), text


# A program with its values, how it is drawn, and the dots of an inch: what stands in pictures at all.
PAINTED: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
    (BAYDIN, AT, {}, 192),
    (
        "f(x) = x^2*sin(x); f(y) + f(2)",
        {"y": 3},
        {"title": "<T> & ∂", "legend": True, "show": ["value", "partial"]},
        99,
    ),
    ("sum(W @ x)", {"W": [[1, 2, 3], [4, 5, 6]], "x": [1, 2, 3]}, {"arrays": "heat", "theme": "dark", "width": 3}, 96),
    ("where(x > y, x*y, x + y)", {"x": 1, "y": 2}, {"transparent": True, "font_size": 20, "rankdir": "BT"}, 77),
    ("s = 1; repeat 2 { s = s*`名前` }; s", {"名前": 2}, {"rankdir": "LR"}, 72),
]


@for_each("text, values, how, dpi", PAINTED)
def test_a_series_is_painted_as_each_picture_alone(
    text: str, values: dict[str, Any], how: dict[str, Any], dpi: int
) -> None:
    """Protects the look: cards and edges that are painted once for all pictures are where they are in a whole one."""
    made = [frame.decode() for frame in cgcli.render(text, values, **how).frames("svg")]
    made = [made[0], made[len(made) // 2], made[-1]]
    parted = [in_pieces(svg, dpi) for svg in made if has_all(svg)]
    assert all(parts is not None and len(parts.pieces) > 3 for parts in parted)
    for svg, together in zip(made, paint.as_pngs(made, dpi), strict=True):
        one, other = (
            np.asarray(Image.open(io.BytesIO(png)).convert("RGBa"), float) for png in (together, paint.as_png(svg, dpi))
        )
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= 64, text  # a quarter of a dot, to which edges of shapes are rounded
        assert np.abs(one - other).mean() < 0.02, text


def test_an_array_comes_when_nothing_more_is_added_to_it() -> None:
    made = [frame.decode() for frame in cgcli.render("sum(x*x) + x[0]", x=[1, 2]).frames("svg")]
    full = texts(made[-1], "adjoint")
    counts = [len(texts(frame, "adjoint")) for frame in made]
    assert counts == sorted(counts)
    assert {"3", "4"} <= {*full}
    assert counts[-2] < counts[-1]


def test_files_of_a_series(tmp_path: Path, capsys: Capture) -> None:
    """Protects slides: a folder that is made, numbered names, an animation of all; one size."""
    command = ["render", BAYDIN, "x1=2", "x2=5", "--grad"]
    targets = ["--frames", str(tmp_path / "a" / "b"), "-o", str(tmp_path / "s-%d.svg"), "-o", str(tmp_path / "s.gif")]
    assert cg(capsys, *command, *targets).code == 0
    names = [f"step-{at:02}.png" for at in range(17)]
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == names
    assert len({pixels((tmp_path / "a" / "b" / name).read_bytes()) for name in names}) == 1
    assert len([*tmp_path.glob("s-*.svg")]) == 17
    gif = (tmp_path / "s.gif").read_bytes()
    assert len(gif) < 200_000
    from PIL import Image

    for animation in (gif, (EXAMPLES / "gallery" / "steps.gif").read_bytes()):
        with Image.open(io.BytesIO(animation)) as opened:
            assert getattr(opened, "n_frames", 1) == 17


LARGE = "x" + "".join(f" + sin({at}*x)" for at in range(700))
WRONG = [
    ([BAYDIN, "--frames", "d"], "the steps of the passes need values for names"),
    ([BAYDIN, "-o", "a.gif"], "as in: x1=2"),
    ([BAYDIN, "--blank"], "there are no values to leave out"),
    ([BAYDIN, "x1=2", "x2=5", "--blank", "adjoints"], "add them with --grad"),
    ([BAYDIN, "x1=2", "x2=5", "--blank", "tangents"], "there are no tangents to leave out"),
    ([BAYDIN, "x1=2", "x2=5", "--frames", "file"], "cannot write into 'file': it is a file"),
    ([BAYDIN, "x1=2", "x2=5", "--frames", "file/d"], "cannot write 'file/d'"),
    ([BAYDIN, "x1=2", "x2=5", "-o", "no/s-%02d.png"], "cannot write 'no/s-00.png'"),
    (
        [BAYDIN, "x1=2", "x2=5", "-o", "a.svg", "-o", "s-%d-%d.png"],
        "'s-%d-%d.png' is no pattern of names with one number",
    ),
    ([BAYDIN, "x1=2", "x2=5", "-o", "s-%2d.svg"], "as in: step-%02d.png"),
    ([BAYDIN, "x1=2", "x2=5", "-o", "s-%02d.dot"], "is .png, .svg or .pdf, and not .dot"),
    ([BAYDIN, "x1=2", "x2=5", "--frames", "d", "--format", "txt"], "is .png, .svg or .pdf, and not .txt"),
    ([LARGE, "x=1", "--frames", "d"], f"a series has at most {frames.MAX_FRAMES} pictures"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_no_series_can_be_made_of(
    arguments: list[str], said: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    done = cg(capsys, "render", *arguments)
    assert done.code in (1, 2)
    assert done.out == ""
    assert said in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_blanks_in_json_and_in_the_tree(capsys: Capture) -> None:
    done = cg(capsys, "render", "x*y", "x=2", "y=3", "--grad", "--blank", "--format", "json")
    nodes = json.loads(done.out)["nodes"]
    assert [("value" in node, "adjoint" in node) for node in nodes] == [(True, False), (True, False), (False, True)]
    done = cg(capsys, "render", "x*y", "x=2", "y=3", "--grad", "--blank")
    assert [line.split()[-2:] for line in done.out.splitlines()[1:]] == [["_____", "1"], ["2", "_____"], ["3", "_____"]]
