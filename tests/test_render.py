"""Pictures: the DOT text, the layout programs, and files that are written whole or not at all."""

from __future__ import annotations

import re
import shutil
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from cgcli.errors import CgError, DataError, MissingProgramError, TooLargeError, UsageError
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.files import save
from cgcli.graph.node import Graph, apply, constant, constant_array, toposort, variable, variables
from cgcli.lowering.lower import lower
from cgcli.ops.statics import Along
from cgcli.ops.table import operations
from cgcli.render import picture
from cgcli.render.dot import dot
from cgcli.render.picture import picture_bytes, write_picture
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import adjoints

BAYDIN = "ln(x1) + x1*x2 - sin(x2)"
OPERATIONS = {op.name: op for op in operations()}
SYSTEM_DOT = shutil.which("dot")
HOSTILE = [
    '"', "\\", "a\\", '\\"', "<b>", "&amp;", "a & b", "{x|y}", "]]>", "-->", "\\N\\G\\l", "a\nb", "\t", "\x00\x01",
    "\ud800", "\u202e", "'", "%s {}", "node", "x̄₁ θ 日本 😀", "&#60;", " ", '";}\nevil [label="', "#", "//", "/*",
]  # fmt: skip


def graph_of(text: str, **shapes: tuple[int, ...]) -> Graph:
    return lower(parse(text), shapes)


def with_adjoints(text: str, **bindings: Any) -> tuple[Graph, dict[Any, Any], dict[Any, Any]]:
    arrays = {name: np.asarray(value, np.float64) for name, value in bindings.items()}
    graph = graph_of(text, **{name: array.shape for name, array in arrays.items()})
    found = adjoints(graph.outputs, [constant(1.0)], variables(toposort(graph.outputs)))
    values = evaluate_all(graph.outputs, arrays)
    return graph, values, dict(zip(found, evaluate(list(found.values()), arrays), strict=True))


def node_lines(text: str) -> dict[str, str]:
    return dict(re.findall(r"^  (n\d+) \[(label=.*)\]$", text, re.MULTILINE))


def shown(line: str) -> str:
    """The words of a label, without its markup."""
    inside = line[len("label=<") : line.index(">, tooltip=")]
    return " ".join(unescape(re.sub(r"<[^<>]*>", " ", inside)).split())


def edges(text: str) -> list[tuple[str, str, str]]:
    return re.findall(r'^  (n\d+) -> (n\d+)(?: \[label="(.*)"\])?$', text, re.MULTILINE)


@pytest.fixture(params=["system", "bundled"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each layout program in turn."""
    if request.param == "system":
        if SYSTEM_DOT is None:
            pytest.skip("no system Graphviz")
    else:
        hide(monkeypatch, "dot")
    return str(request.param)


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    find = shutil.which

    def which(name: str, path: str | None = None) -> str | None:
        return None if name in names else find(name, path=path)

    monkeypatch.setattr("cgcli.render.picture.shutil.which", which)


# ---- the DOT text ---------------------------------------------------------------------


def test_same_graph_same_text() -> None:
    assert dot(graph_of(BAYDIN, x1=(), x2=())) == dot(graph_of(BAYDIN, x1=(), x2=()))


def test_ids_follow_the_topological_order() -> None:
    graph = graph_of(BAYDIN, x1=(), x2=())
    assert list(node_lines(dot(graph))) == [f"n{at}" for at in range(len(toposort(graph.outputs)))]
    assert [shown(line) for line in node_lines(dot(graph)).values()] == [
        "x₁",
        "ln",
        "x₂",
        "×",
        "+",
        "sin",
        "−",
    ]


def test_a_shared_node_is_drawn_once() -> None:
    text = dot(graph_of("sin(x) * sin(x)", x=()))
    assert len(node_lines(text)) == 3
    assert edges(text) == [("n0", "n1", ""), ("n1", "n2", ""), ("n1", "n2", "")]


def test_operand_order() -> None:
    assert edges(dot(graph_of("x/y", x=(), y=()))) == [("n0", "n2", "1st"), ("n1", "n2", "2nd")]
    assert edges(dot(graph_of("y/x", x=(), y=()))) == [("n0", "n2", "1st"), ("n1", "n2", "2nd")]
    assert shown(node_lines(dot(graph_of("y/x", x=(), y=())))["n0"]) == "y"
    both = edges(dot(graph_of("x/y - y/x", x=(), y=())))
    assert both[:4] == [("n0", "n2", "1st"), ("n1", "n2", "2nd"), ("n1", "n3", "1st"), ("n0", "n3", "2nd")]
    assert edges(dot(graph_of("x + y", x=(), y=()))) == [("n0", "n2", ""), ("n1", "n2", "")]
    telling = {place for *_, place in edges(dot(graph_of("where(c, x, y)", c=(), x=(), y=())))}
    assert telling == {"condition", "yes", "no"}


def test_many_operands_are_counted_in_english() -> None:
    names = [variable(f"x{at}", (2,)) for at in range(23)]
    text = dot(Graph((apply(OPERATIONS["concat"], tuple(names), Along(-1)),)))
    places = [place for *_, place in edges(text)]
    assert [places[at] for at in (0, 1, 2, 3, 10, 11, 12, 20, 21, 22)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd",
    ]  # fmt: skip


def test_commutative_operations_are_so() -> None:
    for kernel in (op.kernel for op in operations() if op.commutative):
        for x, y in [(0.5, 2.0), (1.0, 0.0), (3.0, 3.0)]:
            np.testing.assert_allclose(kernel(np.float64(x), np.float64(y)), kernel(np.float64(y), np.float64(x)))


def test_kinds_have_forms_of_their_own() -> None:
    lines = node_lines(dot(graph_of("2*x", x=())))
    forms = {
        shown(line): (
            re.findall(r'shape="(\w+)"', line),
            "rounded" in line,
            "peripheries" in line,
            'color="white"' in line,
        )
        for line in lines.values()
    }
    assert forms == {
        "2": (["box"], False, False, True),
        "x": (["box"], True, False, False),
        "×": (["ellipse"], False, True, False),
    }


def test_no_attribute_is_given_twice() -> None:
    for line in node_lines(dot(graph_of("2*x", x=()))).values():
        names = re.findall(r", (\w+)=", line)
        assert len(names) == len(set(names))


def test_every_output_has_a_double_border() -> None:
    x = variable("x")
    graph = Graph((x, constant(2.0), apply(OPERATIONS["sin"], (x,))))
    assert dot(graph).count("peripheries") == 3
    assert 'color="white"' not in "".join(node_lines(dot(graph)).values())


def test_constants() -> None:
    values = {
        np.pi: "π", np.e: "e", 2 * np.pi: "τ", 0.1: "0.1", 1 / 3: "0.333333", 1e300: "1e+300", 1234567.0: "1234567",
        -0.0: "-0", np.inf: "inf", np.nan: "nan",
    }  # fmt: skip
    for value, text in values.items():
        assert shown(node_lines(dot(Graph((constant(value),))))["n0"]) == text


def test_constant_arrays() -> None:
    def text_of(array: Any) -> str:
        array = np.asarray(array, "<f8")
        return shown(node_lines(dot(Graph((constant_array(array.tobytes(), array.shape),))))["n0"])

    assert text_of([1, 2, 0.5]) == "[1, 2, 0.5] [3]"
    assert text_of([[1, 2], [3, 4]]) == "[1, 2] [3, 4] [2, 2]"
    assert text_of(np.ones((10, 20))) == "[10, 20]"
    assert text_of(np.ones((2, 2, 2))) == "[2, 2, 2]"
    assert text_of(np.ones(0)) == "[] [0]"


def test_shapes_are_shown_on_arrays_only() -> None:
    text = dot(graph_of("sum(X @ w)", X=(10, 2), w=(2, 1)))
    assert [shown(line) for line in node_lines(text).values()] == [
        "X [10, 2]", "w [2, 1]", "@ [10, 1]", "Σ",
    ]  # fmt: skip


def test_parameters_are_shown_unless_they_are_the_default() -> None:
    def last(text: str, **shapes: tuple[int, ...]) -> str:
        return shown(list(node_lines(dot(graph_of(text, **shapes))).values())[-1])

    assert last("sum(X, axis=0)", X=(3, 2)) == "Σ axis=0 [2]"
    assert last("sum(X, axis=1, keepdims=1)", X=(3, 2)) == "Σ axis=1 keepdims=1 [3, 1]"
    assert last("sum(X)", X=(3, 2)) == "Σ"
    assert last("X.T", X=(3, 2)) == "transpose [2, 3]"
    assert last("X[:, 1]", X=(3, 2)) == "[ ] :, 1 [3]"


def test_names_of_the_program() -> None:
    assert "a ×" in {shown(line) for line in node_lines(dot(graph_of("a = x*w; sin(a)", x=(), w=()))).values()}
    x, two = variable("x"), constant(2.0)
    lines = node_lines(dot(Graph((x, two), {x: "c", two: "b"})))
    assert [shown(line) for line in lines.values()] == ["c = x", "b = 2"]


def test_names_are_set_as_in_a_book() -> None:
    names = ["x1", "theta_max", "Delta_P", "y", "n_1", "n1", "tau"]
    lines = node_lines(dot(graph_of(f"E0 = {'*'.join(names)}; E0/sin(pi)", **dict.fromkeys(names, ()))))
    texts = [shown(line) for line in lines.values()]
    assert [text for text in texts if text != "×"] == [
        "x₁", "θ_max", "ΔP", "y", "n_1", "n1", "τ", "E₀ ×", "π", "sin", "÷",
    ]  # fmt: skip
    both = node_lines(dot(Graph((apply(OPERATIONS["multiply"], (variable("pi"), constant(np.pi))),))))
    assert [shown(line) for line in both.values()][:2] == ["pi", "π"]
    assert 'tooltip="x1"' in lines["n0"]


def test_values() -> None:
    graph = graph_of(BAYDIN, x1=(), x2=())
    values = evaluate_all(graph.outputs, {"x1": np.float64(2), "x2": np.float64(5)})
    assert [shown(line) for line in node_lines(dot(graph, values=values)).values()] == [
        "x₁ 2", "ln 0.693147", "x₂ 5", "× 10", "+ 10.6931", "sin -0.958924", "− 11.6521",
    ]  # fmt: skip
    assert "− 11.65" in [shown(line) for line in node_lines(dot(graph, values=values, precision=4)).values()]
    assert "nan" in dot(graph, values={graph.output: float("nan")})


def test_a_constant_does_not_say_its_value_twice() -> None:
    graph = graph_of("2*x + [1, 2]", x=())
    values = evaluate_all(graph.outputs, {"x": np.float64(3)})
    assert shown(node_lines(dot(graph, values=values))["n0"]) == "2"


def test_values_of_arrays_are_written_out_or_counted() -> None:
    x = variable("x", (3,))

    def text_of(value: Any) -> str:
        return shown(node_lines(dot(Graph((x,)), values={x: np.asarray(value)}))["n0"])

    assert text_of([1.0, 2.5, -3.0]) == "x [3] [1, 2.5, -3]"
    assert text_of([[1.0, 2.0], [3.0, 4.0]]) == "x [3] [1, 2] [3, 4]"
    assert text_of(np.zeros(1000)) == "x [3] 1000 numbers"
    assert text_of(np.zeros((2, 2, 2))) == "x [3] 8 numbers"


def test_adjoints_stand_only_where_they_were_computed() -> None:
    graph, values, found = with_adjoints("2*x + sin(3)*x + where(x > 0, x, y)", x=2, y=1)
    texts = [shown(line) for line in node_lines(dot(graph, values=values, adjoints=found)).values()]
    assert sum("adjoint" in text for text in texts) == len(found) < len(texts)
    assert "2" in texts
    assert "x value 2 adjoint 3.14112" in texts
    assert not any(text.startswith(">") and "adjoint" in text for text in texts)
    assert "adjoint" not in dot(graph, values=values)
    assert "adjoint" not in dot(graph, adjoints={})


def test_adjoints_without_values() -> None:
    graph, _, found = with_adjoints(BAYDIN, x1=2, x2=5)
    texts = [shown(line) for line in node_lines(dot(graph, adjoints=found)).values()]
    assert texts[0] == "x₁ adjoint 5.5"


def test_direction() -> None:
    graph = graph_of("sin(x)", x=())
    assert "rankdir=TB" in dot(graph, rankdir="TB")
    with pytest.raises(UsageError, match="LRX") as caught:
        dot(graph, rankdir="LRX")
    assert "LR, TB, RL, BT" in caught.value.hint


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_inside_their_label(name: str, program: str) -> None:
    x = variable(name, (2,))
    output = apply(OPERATIONS["sin"], (x,))
    text = dot(Graph((output,), {output: name}))
    text.encode()
    assert len(node_lines(text)) == 2
    assert len(edges(text)) == 1
    drawing = ElementTree.fromstring(picture_bytes(text, "svg"))
    groups = [item.get("class") for item in drawing.iter("{http://www.w3.org/2000/svg}g")]
    assert groups.count("node") == 2
    assert groups.count("edge") == 1
    words = " ".join(item.text or "" for item in drawing.iter("{http://www.w3.org/2000/svg}text"))
    if name.isprintable():
        assert " ".join(name.split()) in " ".join(words.replace("\xa0", " ").split())


def test_long_names_are_cut() -> None:
    line = node_lines(dot(Graph((variable("a" * 30 + "b" * 5000),))))["n0"]
    assert len(shown(line)) == 40
    assert len(line) < 600


def test_a_hundred_thousand_nodes() -> None:
    node = variable("x")
    for _ in range(100_000):
        node = apply(OPERATIONS["sin"], (node,))
    text = dot(Graph((node,)))
    assert text.count("\n") > 200_000
    with pytest.raises(TooLargeError) as caught:
        picture_bytes(text, "svg")
    assert ".dot" in caught.value.hint
    assert picture_bytes(text, "dot") == text.encode()


# ---- the picture ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "svg", "dot"])
def test_same_text_same_picture(kind: str, program: str) -> None:
    text = dot(graph_of(BAYDIN, x1=(), x2=()))
    assert picture_bytes(text, kind) == picture_bytes(text, kind)


@pytest.mark.skipif(SYSTEM_DOT is None, reason="no system Graphviz")
def test_same_text_same_pdf() -> None:
    text = dot(graph_of(BAYDIN, x1=(), x2=()))
    first = picture_bytes(text, "pdf")
    time.sleep(1.1)  # the resolution of the date in a PDF
    assert first.startswith(b"%PDF")
    assert picture_bytes(text, "pdf") == first


def test_svg_holds_its_text(program: str) -> None:
    svg = unescape(picture_bytes(dot(graph_of(BAYDIN, x1=(), x2=())), "svg").decode())
    assert ">x₁</text>" in svg
    assert f"<title>{BAYDIN}</title>" in svg
    assert "Helvetica" in svg


def test_dpi_scales_a_png(program: str) -> None:
    text = dot(graph_of(BAYDIN, x1=(), x2=()))

    def width(dpi: int | None) -> int:
        content = picture_bytes(text, "png", dpi=dpi)
        assert content.startswith(b"\x89PNG")
        return int(struct.unpack(">I", content[16:20])[0])

    assert width(192) == width(None)
    assert width(384) == pytest.approx(2 * width(192), rel=0.02)


@pytest.mark.parametrize("dpi", [-1, 0, 9, 1201, 10**9])
def test_wrong_dpi(dpi: int) -> None:
    with pytest.raises(UsageError, match=f"from 10 to 1200, not {dpi}"):
        picture_bytes("digraph {}", "png", dpi=dpi)


def chain(length: int) -> str:
    node = variable("x")
    for _ in range(length):
        node = apply(OPERATIONS["sin"], (node,))
    return dot(Graph((node,)))


def test_a_png_of_a_long_graph_is_drawn_coarser(program: str) -> None:
    content = picture_bytes(chain(250), "png")
    width = struct.unpack(">I", content[16:20])[0]
    assert 20_000 < width <= 32_767


def test_a_png_beyond_the_bound_on_pixels(program: str) -> None:
    with pytest.raises(TooLargeError, match="pixels is too large") as caught:
        picture_bytes(chain(250), "png", dpi=1200)
    assert re.search(r"at most \d+ dpi, or write .svg", caught.value.hint)


def test_unknown_kind() -> None:
    with pytest.raises(UsageError) as caught:
        picture_bytes("digraph {}", "jpg")
    assert "png, svg, pdf, dot" in caught.value.hint


@pytest.mark.parametrize("name", ["a.jpg", "a", ".png", "a.png.txt", ""])
def test_unknown_suffix(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown picture format") as caught:
        write_picture("digraph {}", tmp_path / name)
    assert ".png, .svg, .pdf, .dot, .gv" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_no_pdf_without_the_system_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hide(monkeypatch, "dot")
    with pytest.raises(MissingProgramError, match="PDF needs") as caught:
        write_picture("digraph {}", tmp_path / "a.pdf")
    assert caught.value.exit_code == 3
    assert ".svg or .png" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_no_program_at_all(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "dot", "graphviz-pure")
    with pytest.raises(MissingProgramError, match="neither") as caught:
        picture_bytes("digraph {}", kind)
    assert ".dot" in caught.value.hint
    assert picture_bytes("digraph {}", "dot") == b"digraph {}"


def test_a_failing_program_is_one_clear_error(program: str) -> None:
    with pytest.raises(CgError, match=r"could not draw the picture: .*syntax error"):
        picture_bytes("digraph {", "svg")


def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    script = tmp_path / "dot"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setattr("cgcli.render.picture.shutil.which", lambda name, path=None: str(script))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo broken >&2; exit 3", "broken"),
        ("exit 3", "exit code 3"),
        ("exit 0", "empty"),
        ("kill -9 $$", "-9"),
    ],
)
def test_what_a_program_does_wrong(body: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake(monkeypatch, tmp_path, body)
    with pytest.raises(CgError, match=said):
        picture_bytes("digraph {}", "svg")


def test_a_program_that_does_not_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake(monkeypatch, tmp_path, "exec sleep 60")
    monkeypatch.setattr(picture, "TIMEOUT", 0.2)
    with pytest.raises(CgError, match="did not finish"):
        write_picture("digraph {}", tmp_path / "a.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["dot"]


def test_a_program_that_cannot_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dot").write_bytes(b"\x00")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setattr("cgcli.render.picture.shutil.which", lambda name, path=None: str(tmp_path / "dot"))
    with pytest.raises(MissingProgramError, match="cannot run"):
        picture_bytes("digraph {}", "svg")


# ---- the file -------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".svg", ".dot", ".gv", ".SVG"])
def test_the_suffix_decides(suffix: str, tmp_path: Path, program: str) -> None:
    text = dot(graph_of(BAYDIN, x1=(), x2=()))
    write_picture(text, str(tmp_path / f"a{suffix}"))
    (path,) = tmp_path.iterdir()
    begins = {".png": b"\x89PNG", ".svg": b"<?xml", ".dot": b"digraph", ".gv": b"digraph"}[suffix.lower()]
    assert path.name == f"a{suffix}"
    assert path.read_bytes().startswith(begins)


def test_a_new_file_obeys_the_umask(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    write_picture("digraph {}", tmp_path / "a.dot")
    assert (tmp_path / "a.dot").stat().st_mode == plain.stat().st_mode


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.dot"
    path.write_text("old and longer than the new one")
    path.chmod(0o640)
    write_picture("digraph {}", path)
    assert path.read_text() == "digraph {}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "a.dot"
    link.symlink_to(tmp_path / "real" / "b.dot")
    write_picture("digraph {}", link)
    assert link.is_symlink()
    assert (tmp_path / "real" / "b.dot").read_text() == "digraph {}"


def test_a_device_is_written_to() -> None:
    save(b"digraph {}", Path("/dev/null"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def _folder(path: Path) -> Path:
    (path / "a.dot").mkdir()
    return path / "a.dot"


def _in_a_file(path: Path) -> Path:
    (path / "file").touch()
    return path / "file" / "a.dot"


def _loop(path: Path) -> Path:
    (path / "a.dot").symlink_to(path / "a.dot")
    return path / "a.dot"


@pytest.mark.parametrize(
    "make",
    [
        _folder,
        _in_a_file,
        _loop,
        lambda path: path / "none" / "a.dot",
        lambda path: path / ("a" * 300 + ".dot"),
    ],
)
def test_what_cannot_be_written(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match="cannot write") as caught:
        write_picture("digraph {}", path)
    assert str(path) in caught.value.message
    assert caught.value.exit_code == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_read_only_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.dot"
    path.write_text("old")
    monkeypatch.setattr("cgcli.files.os.access", lambda *_: False)
    with pytest.raises(DataError, match="read-only"):
        write_picture("digraph {}", path)
    assert path.read_text() == "old"


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.dot"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DataError, match="no space left on device"):
        write_picture("digraph {}", path)
    monkeypatch.undo()
    assert [item.name for item in tmp_path.iterdir()] == ["a.dot"]
    assert path.read_text() == "old"


def test_a_failed_picture_leaves_the_old_file(tmp_path: Path, program: str) -> None:
    path = tmp_path / "a.svg"
    path.write_text("old")
    with pytest.raises(CgError):
        write_picture("digraph {", path)
    assert path.read_text() == "old"


def test_importing_render_starts_no_program_and_imports_no_graphviz() -> None:
    code = "import sys, cgcli.render.dot, cgcli.render.picture; print('graphviz' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
