"""Pictures: the DOT text, the layout programs, and files that are written whole or not at all."""

from __future__ import annotations

import io
import random
import re
import shutil
import stat
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from cgcli.errors import CgError, DataError, MissingProgramError, TooLargeError, UsageError
from cgcli.evaluate.evaluate import evaluate, evaluate_all
from cgcli.files import save
from cgcli.graph.node import Graph, apply, constant, constant_array, toposort, variable, variables
from cgcli.lowering.lower import lower
from cgcli.ops.table import operations
from cgcli.rendering import layout, metrics, paint, picture
from cgcli.rendering.compose import scene
from cgcli.rendering.dot import dot
from cgcli.rendering.draw import draw, least_inches, pictures
from cgcli.rendering.look import Look
from cgcli.rendering.metrics import FACES, is_drawn, width
from cgcli.rendering.picture import PLAIN, Paper, check_kind, drawing_of, kind_of
from cgcli.rendering.scene import NO_NUMBERS, Numbers
from cgcli.rendering.svg import refined
from cgcli.rendering.themes import THEMES
from cgcli.syntax.parser import parse
from cgcli.transform.differentiate import adjoints
from tests.for_each import for_each

SVG = "{http://www.w3.org/2000/svg}"
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
    return dict(re.findall(r"^  (n\w+) \[(label=.*)\]$", text, re.MULTILINE))


def shown(line: str) -> str:
    """The words of a label, without its markup."""
    inside = line[len("label=<") : line.index(">, tooltip=")]
    return " ".join(unescape(re.sub(r"<[^<>]*>", " ", inside)).split())


def edges(text: str) -> list[tuple[str, str, str]]:
    """Where operands go; a condition's have no places of their own, but corners of a diamond."""
    return re.findall(
        r"^  (n\w+)(?::\w)? -> (n\w+)(?::(p\d+(?=:\w)|[ns][ew])(?::\w)?)?(?: \[minlen=\S+)?$", text, re.MULTILINE
    )


@pytest.fixture(params=["system", "bundled"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each layout program in turn."""
    if request.param == "system":
        if SYSTEM_DOT is None:
            pytest.skip("no system Graphviz")
    else:
        hide(monkeypatch, "dot")
    return str(request.param)


def paper_of(program: str, **wishes: Any) -> Paper:
    """Paper for the layout program of the fixture."""
    return Paper(layout="dot" if program == "system" else "bundled", **wishes)


def picture_bytes(text: str, kind: str, *, paper: Paper = PLAIN) -> bytes:
    """The picture of DOT text as png, svg or pdf, or the text."""
    paper.check()
    return text.encode() if kind == "dot" else drawing_of(text, paper.layout).painted(kind, paper)


def write_picture(text: str, path: str | Path, paper: Paper = PLAIN) -> None:
    """As `cg render` does."""
    save(picture_bytes(text, kind_of(path), paper=paper), str(path))


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    find = layout._which

    def which(name: str, folder: str | None = None) -> str | None:
        return None if name in names else find(name, folder)

    monkeypatch.setattr(layout, "_which", which)


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


def test_operands_enter_at_places_of_their_own_where_their_order_matters() -> None:
    assert edges(dot(graph_of("x/y", x=(), y=()))) == [("n0", "n2", "p0"), ("n1", "n2", "p1")]
    assert edges(dot(graph_of("x/y - y/x", x=(), y=())))[:4] == [
        ("n0", "n2", "p0"), ("n1", "n2", "p1"), ("n1", "n3", "p0"), ("n0", "n3", "p1"),
    ]  # fmt: skip
    assert edges(dot(graph_of("x + y", x=(), y=()))) == [("n0", "n2", ""), ("n1", "n2", "")]
    assert edges(dot(graph_of("x - 2", x=()))) == [("n0", "n2", "")]
    assert shown(node_lines(dot(graph_of("where(c, x, y)", c=(), x=(), y=())))["n3"]) == "yes no where"


ORDERED = ("subtract", "divide", "power", "atan2", "hypot", "where", "greater")


def random_program(seed: int) -> Graph:
    """A graph whose operands often come in an order that a layout would rather turn around."""
    chance = random.Random(seed)
    nodes = [variable(name) for name in "abcd"]
    for _ in range(8):
        op = OPERATIONS[chance.choice([name for name in ORDERED if name in OPERATIONS])]
        nodes.append(apply(op, tuple(chance.sample(nodes, len(op.arrays)))))
    return Graph((nodes[-1], nodes[-2]))


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_a_picture_keeps_the_order_of_operands(rankdir: str, program: str) -> None:
    """Protects x - y from being read as y - x: the positions are read back from the layout."""
    for seed in range(8):
        text = dot(random_program(seed), look=Look(rankdir))
        drawing = drawing_of(text, paper_of(program).layout, plain=True)
        plain = drawing.plain
        ends: dict[str, list[tuple[str, tuple[float, float]]]] = {}
        for tail, head, count, points in re.findall(r"^edge (\w+) (\w+) (\d+) (.*) solid ", plain, re.MULTILINE):
            numbers = list(map(float, points.split()[: 2 * int(count)]))
            ends.setdefault(head, []).append((tail, (numbers[-2], numbers[-1])))
        wanted: dict[str, list[str]] = {}
        for tail, head, port in edges(text):
            if port:
                wanted.setdefault(head, []).append(tail)
        assert wanted
        for head, tails in wanted.items():
            across = 1 if rankdir in ("LR", "RL") else 0
            along = sorted(ends[head], key=lambda end: -end[1][1] if across else end[1][0])
            assert [tail for tail, _ in along] == tails, (seed, head)


def test_commutative_operations_are_so() -> None:
    for kernel in (op.kernel for op in operations() if op.commutative):
        for x, y in [(0.5, 2.0), (1.0, 0.0), (3.0, 3.0)]:
            np.testing.assert_allclose(kernel(np.float64(x), np.float64(y)), kernel(np.float64(y), np.float64(x)))


def test_roles_have_forms_of_their_own() -> None:
    """Protects a print in black and white, and who does not see the colours."""
    lines = node_lines(dot(graph_of("max(2, x)*sin(x)", x=())))
    forms = {
        shown(line): (*re.findall(r'shape="(\w+)"', line), "rounded" in line, "penwidth" in line, kind(line))
        for line in lines.values()
    }
    assert forms == {
        "2": ("plain", False, False, "constant"),
        "x": ("box", False, False, "input"),
        "max": ("box", True, False, "operation"),
        "sin": ("box", True, False, "operation"),
        "×": ("circle", False, True, "operation output"),
    }


def kind(line: str) -> str:
    """The role of a card, as a style sheet for SVG finds it."""
    (name,) = re.findall(r'class="([\w ]+)"', line)
    return str(name)


# ---- folding --------------------------------------------------------------------------


@for_each(
    ("text", "cards"),
    [
        ("x^2", ["x", "( )²"]),
        ("x^-3", ["x", "( )⁻³"]),
        ("x^0.5", ["x", "( )^0.5"]),
        ("x^(1/3)", ["x", "( )^(1/3)"]),
        ("2^x", ["x", "2^( )"]),
        ("x/2", ["x", "÷ 2"]),
        ("1/x", ["x", "1 ÷"]),
        ("1 + x", ["x", "1 +"]),
        ("-0.5*x", ["x", "-0.5 ×"]),
        ("x*-2", ["x", "× (-2)"]),
        ("x - 1", ["x", "− 1"]),
        ("x*pi", ["x", "× π"]),
        ("x > 0", ["x", "> 0"]),
        ("-sin(x)", ["x", "sin", "−( )"]),
        ("max(x, 0)", ["x", "0", "max"]),
        ("where(x > 0, x, 0)", ["x", "> 0", "0", "yes no where"]),
        ("x*sqrt(2)", ["x", "× √2"]),
        ("x/sqrt(2*pi)", ["x", "÷ √(2π)"]),
        ("x*sqrt(2*pi)", ["x", "× √(2π)"]),
        ("2*pi*x", ["x", "2π ×"]),
        ("x/(2*pi)", ["x", "÷ 2π"]),
        ("(2*pi)^x", ["x", "(2π)^( )"]),
        ("clip(x, 0, 12*pi)", ["x", "0", "12π 37.7", "low high clip"]),
        ("2 + 3", ["2", "3", "+ 5"]),
        ("k = 2; k*x + x/k", ["x", "2 ×", "÷ 2", "+"]),
        ("a = x/2; a*x", ["x", "a ÷ 2", "×"]),
    ],
)
def test_a_number_beside_an_operator_stands_within_it(text: str, cards: list[str]) -> None:
    graph = graph_of(text, x=())
    values = evaluate_all(graph.outputs, {"x": np.float64(3)})
    known = {node: value for node, value in values.items() if not variables(toposort([node]))}
    lines = node_lines(dot(graph, numbers=Numbers(known)))
    assert [shown(line) for line in lines.values()] == cards


def test_without_folding_every_number_is_drawn_at_each_use() -> None:
    text = dot(graph_of("2*x + x/2", x=()), look=Look(fold=False))
    assert sorted(shown(line) for line in node_lines(text).values()) == ["+", "2", "2", "x", "×", "÷"]
    assert len(edges(text)) == 6


def test_a_transpose_is_a_sign() -> None:
    assert shown(node_lines(dot(graph_of("X.T", X=(3, 2))))["n1"]) == "( )ᵀ 2×3"


def test_a_long_sum_is_one_card() -> None:
    names = [f"x{at}" for at in range(6)]
    text = dot(graph_of("+".join(names), **dict.fromkeys(names, ())))
    lines = node_lines(text)
    assert [shown(line) for line in lines.values()][-1] == "Σ"
    assert [tail for tail, *_ in edges(text)] == [name for name in lines if name != "n10"]
    short = dot(graph_of("x0+x1+x2", x0=(), x1=(), x2=()))
    assert [shown(line) for line in node_lines(short).values()].count("+") == 2
    named = dot(graph_of("a = x0+x1+x2+x3; a + x4 + x5 + x0", **dict.fromkeys(names, ())))
    assert [shown(line) for line in node_lines(named).values()].count("Σ") == 1
    assert "a Σ" in [shown(line) for line in node_lines(named).values()]
    every = dot(graph_of("+".join(names), **dict.fromkeys(names, ())), look=Look(fold=False))
    assert [shown(line) for line in node_lines(every).values()].count("+") == 5


def test_each_of_many_operands_ends_at_a_place_of_its_own() -> None:
    text = dot(graph_of(" + ".join(f"x{at}" for at in range(9)), **{f"x{at}": () for at in range(9)}))
    assert {port for _, _, port in edges(text)} == {f"p{at}" for at in range(9)}


def test_an_outer_product_is_one_card() -> None:
    """Without the columns and rows that its vectors are turned into; their order shows which is which."""
    text = dot(graph_of("outer(y, x) @ x", x=(2,), y=(3,)))
    assert "reshape" not in text
    lines = node_lines(text)
    (product,) = (name for name, line in lines.items() if ">outer<" in line)
    ends = {port: shown(lines[tail]) for tail, head, port in edges(text) if head == product}
    assert [name.split()[0] for _, name in sorted(ends.items())] == ["y", "x"]
    assert dot(graph_of("outer(y, x)", x=(2,), y=(3,)), look=Look(fold=False)).count("reshape") == 2


def test_a_transposed_input_with_many_users_stands_at_each() -> None:
    """Protects from edges through the whole picture; the first one shows the numbers, and where it comes from."""
    text = dot(graph_of("tanh(tanh(x @ W.T) @ W @ W.T) @ W @ W.T", x=(1, 2), W=(3, 2)))
    turned = [name for name, line in node_lines(text).items() if ">Wᵀ<" in line]
    assert len(turned) == 2
    assert [head for _, head, _ in edges(text) if head in turned] == []
    assert len([line for line in node_lines(text).values() if ">( )ᵀ<" in line]) == 1
    assert "Wᵀ" not in dot(graph_of("tanh(x @ W.T) @ W @ W.T", x=(1, 2), W=(3, 2)))


def test_a_heat_map_says_its_range() -> None:
    for numbers, said in (((1, 2.5), "1 … 2.5"), ((3.512, 3.548), "3.51 … 3.55"), ((1, 1 + 1e-9), "≈ 1")):
        constant_node = constant_array(struct.pack("<14d", *numbers * 7), (14,))
        assert f">{said}<" in dot(Graph((constant_node,)))


def test_a_sum_of_thirty_thousand_terms() -> None:
    """Protects the time, which grows with the terms and not with their square."""
    x = variable("x")
    node = apply(OPERATIONS["sin"], (x,))
    for _ in range(30_000):
        node = apply(OPERATIONS["add"], (node, x))
    assert len(edges(dot(Graph((node,))))) == 30_002


# ---- what stands on a card ------------------------------------------------------------


def test_no_attribute_is_given_twice() -> None:
    for line in node_lines(dot(graph_of("2*x", x=()))).values():
        names = re.findall(r", (\w+)=", line)
        assert len(names) == len(set(names))


def test_every_output_has_a_heavier_border() -> None:
    x = variable("x")
    graph = Graph((x, constant(2.0), apply(OPERATIONS["sin"], (x,))))
    lines = node_lines(dot(graph)).values()
    assert all('penwidth="2.2"' in line and kind(line).endswith("output") for line in lines)
    assert dot(graph, look=Look(theme="print")).count("peripheries") == 3


NUMBERS = [
    (2.0, "2"), (10.693147, "10.69"), (0.28366, "0.2837"), (123456.0, "123456"), (1234567.0, "1.2e6"),
    (5.123e-4, "5.1e-4"), (1e-5, "1e-5"), (-1e300, "-1e300"), (0.0, "0"), (-0.0, "0"), (0.99999, "1"),
    (12345.678, "1.2e4"), (np.inf, "∞"), (-np.inf, "-∞"), (np.nan, "nan"),
]  # fmt: skip


@for_each(("value", "text"), NUMBERS)
def test_numbers_are_short(value: float, text: str) -> None:
    x = variable("x")
    assert shown(node_lines(dot(Graph((x,)), numbers=Numbers({x: value})))["n0"]) == f"x {text}"


def test_precision() -> None:
    x = variable("x")

    def text_of(value: float, precision: int) -> str:
        return shown(node_lines(dot(Graph((x,)), numbers=Numbers({x: value}), look=Look(precision=precision)))["n0"])

    assert text_of(np.pi, 8) == "x 3.1415927"
    assert text_of(1.25e-9, 3) == "x 1.25e-9"
    assert text_of(-0.0, 3) == "x 0"


def test_constants() -> None:
    values = {
        np.pi: "π", np.e: "e", 2 * np.pi: "τ", 0.1: "0.1", 1 / 3: "0.3333", 1e300: "1e300", 1234567.0: "1234567",
        -0.0: "0", np.inf: "∞", np.nan: "nan",
    }  # fmt: skip
    for value, text in values.items():
        assert shown(node_lines(dot(Graph((constant(value),))))["n0"]) == text


def test_constant_arrays() -> None:
    def text_of(array: Any) -> str:
        array = np.asarray(array, "<f8")
        return shown(node_lines(dot(Graph((constant_array(array.tobytes(), array.shape),))))["n0"])

    assert text_of([1, 2, 0.5]) == "1 2 0.5"
    assert text_of([[1, 2], [3, 4]]) == "1 2 3 4"
    assert text_of(np.ones((10, 20))) == "10×20 all 1"
    assert text_of(np.ones(0)) == "0 0"


def test_parameters_are_shown_unless_they_are_the_default() -> None:
    def last(text: str, **shapes: tuple[int, ...]) -> str:
        return shown(list(node_lines(dot(graph_of(text, **shapes))).values())[-1])

    assert last("sum(X, axis=0)", X=(3, 2)) == "Σ axis=0 2"
    assert last("sum(X, axis=1, keepdims=1)", X=(3, 2)) == "Σ axis=1 keepdims=1 3×1"
    assert last("sum(X)", X=(3, 2)) == "Σ"
    assert last("X[:, 1]", X=(3, 2)) == "[ ] :, 1 3"
    assert last("reshape(X, [2, 3])", X=(3, 2)) == "reshape 2×3"


def test_names_of_the_program() -> None:
    assert "a ×" in {shown(line) for line in node_lines(dot(graph_of("a = x*w; sin(a)", x=(), w=()))).values()}
    x, two = variable("x"), constant(2.0)
    lines = node_lines(dot(Graph((x, two), {x: "c", two: "b"})))
    assert [shown(line) for line in lines.values()] == ["c x", "b 2"]


def test_names_are_set_as_in_a_book() -> None:
    names = ["x1", "theta_max", "Delta_P", "y", "n_1", "n1", "tau"]
    graph = graph_of(f"E0 = {'*'.join(names)}; E0/sin(pi)", **dict.fromkeys(names, ()))
    texts = [shown(line) for line in node_lines(dot(graph)).values()]
    assert [text for text in texts if text != "×"] == [
        "x₁", "θ_max", "ΔP", "y", "n_1", "n1", "τ", "E₀ ×", "÷ (sin(π))",
    ]  # fmt: skip
    plain = [shown(line) for line in node_lines(dot(graph, look=Look(plain=True))).values()]
    assert {"x1", "theta_max", "Delta_P", "tau", "E0 ×"} < set(plain)
    both = node_lines(dot(Graph((apply(OPERATIONS["atan2"], (variable("pi"), constant(np.pi))),))))
    assert [shown(line) for line in both.values()][:2] == ["pi", "π"]
    assert 'tooltip="x1"' in dot(graph)


def test_values() -> None:
    graph = graph_of(BAYDIN, x1=(), x2=())
    values = evaluate_all(graph.outputs, {"x1": np.float64(2), "x2": np.float64(5)})
    assert [shown(line) for line in node_lines(dot(graph, numbers=Numbers(values))).values()] == [
        "x₁ 2", "ln 0.6931", "x₂ 5", "× 10", "+ 10.69", "sin -0.9589", "− 11.65",
    ]  # fmt: skip


def test_small_arrays_are_numbers_and_large_ones_heat_maps() -> None:
    def text_of(value: Any, arrays: str = "auto") -> str:
        array = np.asarray(value)
        x = variable("x", array.shape)
        return shown(node_lines(dot(Graph((x,)), numbers=Numbers({x: array}), look=Look(arrays=arrays)))["n0"])

    assert text_of([1.0, 2.5, -3.0]) == "x 1 2.5 -3"
    assert text_of([[1.0, 2.0], [3.0, 4.0]]) == "x 1 2 3 4"
    assert text_of(np.arange(7.0)) == "x 7 0 … 6"
    assert text_of(np.arange(7.0), "numbers") == "x 0 1 2 3 4 5 6"
    assert text_of([1.0, 2.0], "heat") == "x 2 1 … 2"
    assert text_of([1.0, 2.0], "shape") == "x 2 2"
    assert text_of(np.linspace(-0.125, 9.25, 7)) == "x 7 -0.125 … 9.25"  # as numbers elsewhere have digits
    assert text_of([[[0.5]], [[-0.125]]]) == "x 2×1×1 0.5 -0.125"
    assert text_of(np.arange(5.0).reshape(5, 1, 1)) == "x 5×1×1 … 0 … 4"
    assert text_of(np.full((3, 4), 0.2)) == "x 3×4 all 0.2"
    assert text_of(np.arange(1000.0).reshape(10, 2, 50)) == "x 10×2×50 … 0 … 999"
    assert text_of([np.nan, 1, 2, 3, 4, 5, np.inf]) == "x 7 1 … 5"
    assert text_of(np.zeros((0, 3))) == "x 0×3 0×3"


def test_a_matrix_has_brackets_and_its_adjoint_stands_below_it_column_by_column() -> None:
    x = variable("x", (2, 2))
    value, adjoint = np.array([[1, 2.5], [30, 4]]), np.array([[0.001234, -1], [2, 3]])
    (line,) = node_lines(dot(Graph((x,)), numbers=Numbers({x: value}, {x: adjoint}))).values()
    sides = re.findall(r'<TD ROWSPAN="2" BORDER="1" SIDES="(\w+)"', line)
    assert sides == ["LTB", "RTB", "LTB", "RTB"]
    widths = re.findall(r'<TD ALIGN="RIGHT" WIDTH="(\d+)"', line)
    assert len(widths) == 8
    assert widths == widths[:2] * 4


def test_a_heat_map_diverges_about_zero() -> None:
    x = variable("x", (1, 8))
    values = np.array([[-2.0, -1, 0, 0.5, 1, 2, 2, 2]])
    (line,) = node_lines(dot(Graph((x,)), numbers=Numbers({x: values}))).values()
    colours = re.findall(r'HEIGHT="9" BGCOLOR="(#\w+)"', line)
    theme = THEMES["light"]
    assert colours[0] == theme.low
    assert colours[2] == theme.middle
    assert colours[-1] == theme.high
    assert len(set(colours)) == 6


def test_a_large_array_is_thinned_out() -> None:
    x = variable("x", (500, 300))
    (line,) = node_lines(dot(Graph((x,)), numbers=Numbers({x: np.arange(150_000.0).reshape(500, 300)}))).values()
    assert line.count("BGCOLOR") == 16 * 16


def test_adjoints_stand_only_where_they_were_computed() -> None:
    graph, values, found = with_adjoints("2*x + sin(3)*x + where(x > 0, x, y)", x=2, y=1)
    texts = [shown(line) for line in node_lines(dot(graph, numbers=Numbers(values, found))).values()]
    assert "x 2 ∂ 3.141" in texts
    assert not any(text.startswith(">") and "∂" in text for text in texts)
    assert "∂" not in dot(graph, numbers=Numbers(values))
    assert "∂" not in dot(graph, numbers=Numbers(adjoints={}))


def test_adjoints_without_values() -> None:
    graph, _, found = with_adjoints(BAYDIN, x1=2, x2=5)
    texts = [shown(line) for line in node_lines(dot(graph, numbers=Numbers(adjoints=found))).values()]
    assert texts[0] == "x₁ ∂ 5.5"


# ---- themes ---------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """The relative luminance of a colour, as WCAG 2.1 defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", THEMES)
def test_every_text_can_be_read_on_every_fill(name: str) -> None:
    theme = THEMES[name]
    roles = (theme.variable, theme.data, theme.operation, theme.output)
    for fill in (theme.background, *(role.fill for role in roles)):
        for text in (theme.ink, theme.grey, theme.adjoint, theme.tangent):
            darker, lighter = sorted(map(luminance, (text, fill)))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, fill)


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (Look(theme="drak"), "did you mean 'dark'? possible: light, dark, print, colorblind"),
        (Look(rankdir="LRX"), "possible: auto, LR, TB, RL, BT"),
        (Look(arrays="none"), "possible: auto, numbers, heat, shape"),
    ],
)
def test_an_unknown_word(look: Look, said: str) -> None:
    with pytest.raises(UsageError, match="unknown") as caught:
        dot(graph_of("x", x=()), look=look)
    assert said in caught.value.hint


# ---- widths of texts ------------------------------------------------------------------


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("italic", [False, True])
def test_widths_are_those_of_the_font(bold: bool, italic: bool) -> None:
    """Against fontTools, which reads the same file with code of its own: every sign of the first plane."""
    font = TTFont(FACES[bold, italic])
    glyphs, advances, units = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
    known = {chr(code): advances[glyph][0] / units for code, glyph in glyphs.items()}
    for code in range(0x20, 0x10000):
        sign = chr(code)
        assert sign not in known or width(sign, 1.0, bold=bold, italic=italic) == known[sign]
        assert is_drawn(sign) >= (sign in known)
    assert {"₁", "∂", "−", "θ", "ᵀ", "⁻", "Σ", "×", "…", "Ж", "é"} <= known.keys()


@pytest.mark.parametrize(("text", "least"), [("温度", 2.0), ("😀", 1.3), ("क्\u200dष", 1.4), ("e\u0301", 0.5)])
def test_widths_of_signs_of_other_fonts(text: str, least: float) -> None:
    assert least <= width(text, 1.0) <= least + 0.5


def test_a_missing_font_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(metrics, "FACES", dict.fromkeys(FACES, tmp_path / "none.ttf"))
    with pytest.raises(CgError, match="font of the pictures cannot be read") as caught:
        dot(graph_of("x1", x1=()))
    assert caught.value.hint == "install cgcli again"


def test_direction() -> None:
    graph = graph_of("sin(x)", x=())
    assert "rankdir=TB" in dot(graph, look=Look("TB"))
    assert "rankdir=LR" in dot(graph)


def test_the_direction_is_the_one_whose_text_is_larger_in_a_column() -> None:
    """Protects papers: 8.6 cm wide, the flagship is drawn downwards, and a chain of two from left to right."""
    graph, values, found = with_adjoints(BAYDIN, x1=2, x2=5)
    svg = draw(graph, "svg", numbers=Numbers(values, found))
    assert svg == draw(graph, "svg", numbers=Numbers(values, found), look=Look("TB"))
    assert svg != draw(graph, "svg", numbers=Numbers(values, found), look=Look("LR"))
    wide = Paper(width=6.0)
    assert draw(graph, "svg", paper=wide) == draw(graph, "svg", look=Look("LR"), paper=wide)
    small = graph_of("sin(x)", x=())
    assert draw(small, "svg") == draw(small, "svg", look=Look("LR"))


def test_a_picture_has_the_width_that_was_asked_for(program: str) -> None:
    text = dot(graph_of(BAYDIN, x1=(), x2=()))
    paper = paper_of(program, width=4.0)
    assert re.search(rb'<svg width="288(\.00)?pt"', picture_bytes(text, "svg", paper=paper))
    png = picture_bytes(text, "png", paper=paper._replace(dpi=100))
    assert struct.unpack(">I", png[16:20])[0] == 400
    at = png.index(b"pHYs")
    assert struct.unpack(">IIB", png[at + 4 : at + 13]) == (3937, 3937, 1)


@for_each("name", HOSTILE)
def test_hostile_names_stay_inside_their_label(name: str, program: str) -> None:
    x = variable(name, (2,))
    output = apply(OPERATIONS["sin"], (x,))
    text = dot(Graph((output,), {output: name}))
    text.encode()
    assert len(node_lines(text)) == 2
    assert len(edges(text)) == 1
    drawing = ElementTree.fromstring(picture_bytes(text, "svg", paper=paper_of(program)))
    groups = [(item.get("class") or "").partition(" ")[0] for item in drawing.iter(f"{SVG}g")]
    assert groups.count("node") == 2
    assert groups.count("edge") == 1
    words = " ".join(item.text or "" for item in drawing.iter(f"{SVG}text"))
    if name.isprintable():
        assert " ".join(name.split()) in " ".join(words.replace("\xa0", " ").split())


@for_each("text", ["clip(x, 0, y)", "where(x > 0, x, y)", "clamp(t, a, b) = clip(t, a, b); clamp(x, y, 3)"])
def test_a_place_without_a_name_is_drawn(text: str, program: str) -> None:
    """Protects functions of which some arguments have a name worth saying, and some have not."""
    drawing = ElementTree.fromstring(picture_bytes(dot(graph_of(text, x=(), y=())), "svg", paper=paper_of(program)))
    assert {"x", "y"} <= {item.text for item in drawing.iter(f"{SVG}text")}


@pytest.mark.parametrize("name", ["bi\u202edi", "zero\u200bwidth", "a\x00b\u2028c"])
def test_a_card_is_as_wide_as_what_stands_for_hidden_signs(name: str) -> None:
    (line,) = node_lines(dot(Graph((variable(name),)))).values()
    (wide,) = re.findall(r'FIXEDSIZE="TRUE" WIDTH="(\d+)"', line)[:1]
    assert width(shown(line), 15, bold=True) <= int(wide) <= width(shown(line), 15, bold=True) + 2


@for_each(
    ("name", "family"),
    [
        ("क्षत्रिय", "Noto Sans Devanagari"),
        ("العربية", "Noto Sans Arabic"),
        ("温度", "Helvetica"),
        ("ไทย x", "Noto Sans Thai"),
    ],
)
def test_a_name_of_another_script_stands_in_the_middle_of_its_card(name: str, family: str, program: str) -> None:
    """Whatever font a viewer draws it with; a font of the script comes first, for its rules join letters."""
    svg = picture_bytes(dot(Graph((variable(name),))), "svg", paper=paper_of(program))
    drawing = ElementTree.fromstring(svg)
    (text,), (card,) = drawing.iter(f"{SVG}text"), drawing.iter(f"{SVG}polygon")
    corners = [float(corner.split(",")[0]) for corner in (card.get("points") or "").split()]
    assert text.get("text-anchor") == "middle"
    assert float(text.get("x") or 0) == pytest.approx((min(corners) + max(corners)) / 2, abs=1)
    assert (text.get("font-family") or "").startswith(family)


@for_each("text", ["x1", "θ", "−", "area = x1*θ"])
def test_a_text_of_our_font_stands_in_the_middle_of_its_card(text: str, program: str) -> None:
    """Both programs take signs beyond ASCII for something else."""
    drawing = ElementTree.fromstring(picture_bytes(dot(Graph((variable(text),))), "svg", paper=paper_of(program)))
    (words,), (card,) = drawing.iter(f"{SVG}text"), drawing.iter(f"{SVG}polygon")
    corners = [float(corner.split(",")[0]) for corner in (card.get("points") or "").split()]
    middle = float(words.get("x") or 0) + width(words.text or "", 15, bold=True) / 2
    if not text.isascii():
        assert middle == pytest.approx((min(corners) + max(corners)) / 2, abs=1)


def test_long_names_are_cut() -> None:
    line = node_lines(dot(Graph((variable("a" * 30 + "b" * 5000),))))["n0"]
    assert len(shown(line)) == 40
    assert len(line) < 900


def test_thirty_thousand_nodes() -> None:
    node = variable("x")
    for _ in range(30_000):
        node = apply(OPERATIONS["sin"], (node,))
    text = dot(Graph((node,)))
    assert text.count("\n") > 60_000
    with pytest.raises(TooLargeError) as caught:
        picture_bytes(text, "svg")
    assert ".dot" in caught.value.hint


# ---- the picture ----------------------------------------------------------------------


@for_each("kind", ["png", "svg", "pdf", "dot"])
def test_same_text_same_picture(kind: str, program: str) -> None:
    text, paper = dot(graph_of(BAYDIN, x1=(), x2=())), paper_of(program)
    assert picture_bytes(text, kind, paper=paper) == picture_bytes(text, kind, paper=paper)


@pytest.mark.parametrize("rankdir", ["LR", "auto"])
def test_a_background_is_under_all_and_a_picture_without_one_keeps_its_cells(program: str, rankdir: str) -> None:
    """The first cell of a heat map was taken for a background where there was none."""
    graph = Graph((constant_array(struct.pack("<30d", *range(30)), (5, 6)),))
    plain, bare = (
        pictures(graph, ["svg"], look=Look(rankdir, transparent=transparent), paper=paper_of(program)).content["svg"]
        for transparent in (False, True)
    )
    assert plain.count(b'<rect class="background"') == 1
    assert plain.replace(b'<rect class="background" width="100%" height="100%" fill="#ffffff"/>\n', b"") == bare


def test_svg_holds_its_text(program: str) -> None:
    """Protects searching and style sheets: texts are texts with their size, cards have a title, an id, a role."""
    content = picture_bytes(dot(graph_of(BAYDIN, x1=(), x2=())), "svg", paper=paper_of(program))
    drawing = ElementTree.fromstring(content)
    assert re.fullmatch(r"[\d.]+pt", drawing.get("width", ""))
    assert drawing.findtext(f".//{SVG}title") == BAYDIN
    texts = list(drawing.iter(f"{SVG}text"))
    assert {"x₁", "ln", "×"} <= {text.text for text in texts}
    assert all(text.get("font-size") and "Helvetica" in text.get("font-family", "") for text in texts)
    cards = {group.get("id"): group for group in drawing.iter(f"{SVG}g") if "node" in group.get("class", "")}
    assert sorted(cards, key=str) == [f"n{at}" for at in range(7)]
    assert [cards[name].findtext(f"{SVG}title") for name in sorted(cards, key=str)] == [
        "x1", "ln(x1)", "x2", "x1*x2", "ln(x1) + x1*x2", "sin(x2)", BAYDIN,
    ]  # fmt: skip
    classes = {text.text: text.get("class") for text in texts}
    assert {"x₁": "name", "ln": "symbol", "×": "symbol"}.items() <= classes.items()
    assert cards["n0"].get("class") == "node input"
    assert cards["n6"].get("class") == "node operation output"


def test_pdf_needs_no_graphviz_and_embeds_its_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects printing: each font is in the file, and each sign has its character, so that text can be copied."""
    hide(monkeypatch, "dot")
    pdf = picture_bytes(dot(graph_of("x1*theta - 1", x1=(), theta=())), "pdf", paper=Paper(width=4.0))
    assert pdf.startswith(b"%PDF")
    streams = [unpacked(stream) for stream in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]
    assert sum(b"begincmap" in stream for stream in streams) == 2  # bold and regular
    mapped = b"".join(stream for stream in streams if b"begincmap" in stream).lower()
    for sign in "x₁θ×−1":
        assert f"<{ord(sign):04x}>".encode() in mapped, sign
    assert pdf.count(b"/FontFile") == 2
    assert re.search(rb"/MediaBox ?\[0 0 288 ", pdf)


@pytest.mark.parametrize("theme", THEMES)
def test_each_text_of_an_svg_has_a_class(theme: str) -> None:
    """Protects style sheets, in the theme of print too, where all numbers are black."""
    graph, values, found = with_adjoints("area = x*y; sum(area*[1, 2])", x=2.5, y=0.75)
    known = Numbers(values, found, dict.fromkeys(values, np.float64(0.125)))
    drawing = ElementTree.fromstring(draw(graph, "svg", known, look=Look(theme=theme)))
    kinds = {(text.text, text.get("class")) for group in drawing.iter(f"{SVG}g") for text in group.iter(f"{SVG}text")}
    assert {("x", "name"), ("area", "name"), ("×", "symbol"), ("2.5", "value"), ("∂", "adjoint"), ("2.25", "adjoint"),
            ("d", "tangent"), ("0.125", "tangent")} <= kinds  # fmt: skip
    wide = graph_of("reshape(sin(x), [9, 1])", x=(3, 3))
    notes = ElementTree.fromstring(draw(wide, "svg", look=Look(theme=theme)))
    assert {text.text for text in notes.iter(f"{SVG}text") if text.get("class") == "note"} == {"3×3", "9×1"}


def unpacked(stream: bytes) -> bytes:
    """A stream of a PDF that may be compressed."""
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def test_what_typst_cannot_draw_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paint, "_DOCUMENT", b"#nothing")
    with pytest.raises(CgError, match="the picture could not be drawn: unknown variable: nothing"):
        picture_bytes(dot(graph_of("x1", x1=())), "pdf")


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_hostile_names_in_dots_and_on_paper(kind: str) -> None:
    names = [variable(name) for name in HOSTILE]
    output = names[0]
    for name in names[1:]:
        output = apply(OPERATIONS["subtract"], (output, name))
    content = draw(Graph((output,)), kind, look=Look(title="".join(HOSTILE), legend=True, transparent=True))
    assert len(content) > 5000


def test_a_pdf_without_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    paint._fonts.cache_clear()
    with pytest.raises(MissingProgramError, match="needs the package typst") as caught:
        write_picture(dot(graph_of("x", x=())), tmp_path / "a.pdf")
    assert caught.value.exit_code == 3
    assert "write .svg" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wishes", [{}, {"width": 3.0}, {"font_size": 20.0}, {"dpi": 77}])
def test_both_ways_to_a_png_give_the_same_size(wishes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layout program's own, and that of an SVG, which pictures with signs of other fonts take."""
    text = dot(graph_of(BAYDIN, x1=(), x2=()))
    drawn = picture_bytes(text, "png", paper=Paper(**wishes))
    monkeypatch.setattr(picture, "MOST_LINES_TWICE", 0)
    painted = picture_bytes(text, "png", paper=Paper(**wishes))
    assert drawn != painted
    for one, other in zip(struct.unpack(">II", drawn[16:24]), struct.unpack(">II", painted[16:24]), strict=True):
        assert one == pytest.approx(other, abs=3)


def test_a_png_by_typst_is_of_whole_dots() -> None:
    """Protects from rows of dots that are left out where a picture ends within one: half a number was not drawn."""
    drawing = drawing_of(dot(graph_of(BAYDIN, x1=(), x2=())), "bundled")
    for dpi in (77, 192, 250, 333):
        svg = paint._of_whole_dots(refined(drawing.svg, 243.78, 64.9117), dpi)
        sides = [float(side) * dpi / 72 for side in re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2]]
        assert struct.unpack(">II", paint.as_png(svg, dpi)[16:24]) == tuple(round(side) for side in sides)
        assert all(abs(side - round(side)) < 0.01 for side in sides)


def test_a_high_png_by_typst_has_all_of_its_rows() -> None:
    """Protects from rows that are left out where a picture is higher than wide: every other one of these is black."""
    rows = "".join(f'<rect x="0" y="{at}" width="41" height="1" fill="#000000"/>' for at in range(0, 300, 2))
    svg = f'<svg width="41pt" height="300pt" viewBox="0 0 41 300" xmlns="http://www.w3.org/2000/svg">{rows}</svg>'
    with Image.open(io.BytesIO(paint.as_png(svg, 72))) as opened:
        found = np.asarray(opened.getchannel("A"))
    assert found.shape == (300, 41)
    assert (found[::2, 20] > 250).all()
    assert (found[1::2, 20] < 5).all()


RUNS_OF_LAYOUT = {  # what is drawn, and how often the layout program runs
    ("png", "LR", "x*y"): 1,
    ("svg", "auto", "x*y"): 1,  # from left to right its text has the full size
    ("svg", "auto", "x*x*x*x*y*y*y*y*x*y*x*y*x*y"): 1,  # it could not, whatever the layout is
    ("png", "auto", "x*x*x*x*y*y*y*y*x*y*x*y*x*y"): 1,
    ("svg", "auto", "x*y*y*x*y*x*y*x"): 2,
    ("png", "auto", "x*y*y*x*y*x*y*x"): 2,
}


def test_a_picture_is_laid_out_no_more_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the time of a small picture, most of which is the layout; what is drawn at once is the same."""
    runs: list[str] = []

    def counted(dot_text: str, *others: Any) -> bytes:
        runs.append(dot_text)
        return layout.laid_out(dot_text, *others)

    monkeypatch.setattr(picture, "laid_out", counted)
    for (kind, rankdir, text), expected in RUNS_OF_LAYOUT.items():
        runs.clear()
        graph = graph_of(text, x=(), y=())
        drawn = pictures(graph, [kind], look=Look(rankdir))
        assert len(runs) == expected, text
        beside = pictures(graph, [kind, "json"], look=Look(rankdir))
        assert drawn.content[kind] == beside.content[kind]
        assert drawn.points == beside.points


def test_the_least_width_is_no_more_than_the_width() -> None:
    """Protects the choice of the direction, which it may settle without a layout."""
    for seed in range(12):
        graph = random_program(seed)
        for look in (Look("LR"), Look("LR", fold=False, plain=True)):
            drawn = scene(graph, look)
            assert least_inches(drawn, NO_NUMBERS, look) < drawing_of(dot(drawn, look=look), "bundled").width


def test_dpi_scales_a_png(program: str) -> None:
    text = dot(graph_of(BAYDIN, x1=(), x2=()))

    def width(dpi: int | None) -> int:
        content = picture_bytes(text, "png", paper=paper_of(program, dpi=dpi))
        assert content.startswith(b"\x89PNG")
        return int(struct.unpack(">I", content[16:20])[0])

    assert width(192) == width(None)
    assert width(384) == pytest.approx(2 * width(192), rel=0.02)


@for_each("dpi", [-1, 0, 9, 1201, 10**9])
def test_wrong_dpi(dpi: int) -> None:
    with pytest.raises(UsageError, match=f"from 10 to 1200, not {dpi}"):
        picture_bytes("digraph {}", "png", paper=Paper(dpi=dpi))


def chain(length: int) -> str:
    node = variable("x")
    for _ in range(length):
        node = apply(OPERATIONS["sin"], (node,))
    return dot(Graph((node,)))


def test_a_png_of_a_long_graph_is_drawn_coarser(program: str) -> None:
    content = picture_bytes(chain(250), "png", paper=paper_of(program))
    width = struct.unpack(">I", content[16:20])[0]
    assert 20_000 < width <= 32_767


def test_a_png_beyond_the_bound_on_pixels(program: str) -> None:
    with pytest.raises(TooLargeError, match="pixels is too large") as caught:
        picture_bytes(chain(250), "png", paper=paper_of(program, dpi=1200))
    assert re.search(r"at most \d+ dpi, or write .svg", caught.value.hint)


def test_unknown_kind() -> None:
    with pytest.raises(UsageError) as caught:
        check_kind("jpg")
    assert "png, svg, pdf, dot" in caught.value.hint


@for_each("name", ["a.jpg", "a", ".png", "a.png.bak", ""])
def test_unknown_suffix(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown picture format") as caught:
        write_picture("digraph {}", tmp_path / name)
    assert ".png, .svg, .pdf, .dot, .gv" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_no_program_at_all(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "dot", "graphviz-pure")
    with pytest.raises(MissingProgramError, match="neither") as caught:
        picture_bytes("digraph {}", kind)
    assert ".dot" in caught.value.hint


def test_a_failing_program_is_one_clear_error(program: str) -> None:
    with pytest.raises(CgError, match=r"could not draw the picture: .*syntax error"):
        picture_bytes("digraph {", "svg", paper=paper_of(program))


def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    script = tmp_path / "dot"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setattr(layout, "_which", lambda name, folder=None: str(script))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo broken >&2; exit 3", "broken"),
        ("exit 3", "exit code 3"),
        ("exit 0", "no picture"),
        ("echo garbage", "no picture"),
        ("echo '<svg viewBox=\"'", "no picture"),
        ("kill -9 $$", "-9"),
    ],
)
def test_what_a_program_does_wrong(body: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake(monkeypatch, tmp_path, body)
    with pytest.raises(CgError, match=said):
        picture_bytes("digraph {}", "svg")


def test_a_program_that_does_not_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake(monkeypatch, tmp_path, "exec sleep 60")
    monkeypatch.setattr(layout, "TIMEOUT", 0.2)
    with pytest.raises(CgError, match="did not finish"):
        write_picture("digraph {}", tmp_path / "a.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["dot"]


def test_a_program_that_cannot_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "dot").write_bytes(b"\x00")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setattr(layout, "_which", lambda name, folder=None: str(tmp_path / "dot"))
    with pytest.raises(MissingProgramError, match="cannot run"):
        picture_bytes("digraph {}", "svg")


# ---- the file -------------------------------------------------------------------------


@for_each("suffix", [".png", ".svg", ".dot", ".gv", ".SVG"])
def test_the_suffix_decides(suffix: str, tmp_path: Path, program: str) -> None:
    text = dot(graph_of(BAYDIN, x1=(), x2=()))
    write_picture(text, str(tmp_path / f"a{suffix}"), paper_of(program))
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
    save(b"digraph {}", "/dev/null")
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


@for_each(
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

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(DataError, match="no space left on device"):
        write_picture("digraph {}", path)
    monkeypatch.undo()
    assert [item.name for item in tmp_path.iterdir()] == ["a.dot"]
    assert path.read_text() == "old"


def test_a_failed_picture_leaves_the_old_file(tmp_path: Path, program: str) -> None:
    path = tmp_path / "a.svg"
    path.write_text("old")
    with pytest.raises(CgError):
        write_picture("digraph {", path, paper_of(program))
    assert path.read_text() == "old"


def test_importing_render_starts_no_program_and_imports_no_graphviz() -> None:
    code = "import sys, cgcli.rendering.dot, cgcli.rendering.picture; print('graphviz' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
