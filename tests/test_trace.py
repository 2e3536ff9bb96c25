"""cg trace: the published tables, the numbers of cg grad and cg jvp to the bit, formulas that compute what they say."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cgcli.errors import cells_of
from cgcli.graph.node import Graph, constant, toposort, variable
from cgcli.graph.operation import Operation
from cgcli.ops.table import FUNCTIONS
from cgcli.trace.steps import trace
from cgcli.transform.differentiate import pullback, pushforward
from cgcli.transform.passes import evaluation_order
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import ELEMENTWISE, argument_names, differentiable, node, tame_points, value

EXAMPLES = Path(__file__).parent.parent / "examples"
TEXTBOOK = ("ln(x1) + x1*x2 - sin(x2)", "x1=2", "x2=5")

# Every example at its point, with a tangent for one input, and weights where the value is no scalar.
RUNS = [
    ("sum", "x=1 y=2", "x=1"),
    ("textbook", "x1=2 x2=5", "x1=1"),
    ("cotangent", "x=[2,3] --cotangent [1,2]", "x=[1,-1]"),
    ("shapes", "--vars shapes.json --cotangent [1,2,3]", "s=1,v=[1,0,2]"),
    ("linear_model", "--vars linear_model.json", "w=[[1,2]],b=[[0]]"),
    ("convolution", f"--vars convolution.json --cotangent {[[[[1] * 3] * 3] * 2]}".replace(", ", ","), "b=[1,2]"),
    ("convolution_loss", "--vars convolution.json", "b=[1,2]"),
    ("piecewise", "x=[-3,-0.5,0.25,4]", "x=[1,2,3,4]"),
    ("softmax", "--vars softmax.json --wrt logits", f"logits={[[1, 0, 0, 2]] * 3}".replace(", ", ",")),
    ("logistic", "--vars logistic.json", "w=[1,-1]"),
    ("black_scholes", "S=42 K=40 r=0.1 sigma=0.2 T=0.5", "S=1,T=-0.5"),
    ("pendulum", "'`length of string`=0.6' g=9.81 θ₀=20", "g=1"),
    ("tour", "scale=2", "scale=1"),
    ("straight_through", "w=0.8 x=1.1 y=1 --cotangent '(1,0.5)'", "w=1,x=1"),
]


def objects(capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    """The trace as data."""
    done = cg(capsys, "trace", *arguments, "--json", "-q")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert isinstance(found, list)
    return found


def run_of(name: str, arguments: str) -> list[str]:
    """The arguments of an example, which run in its folder."""
    return ["-f", f"{name}.cg", *shlex.split(arguments)]


# ---- the literature -------------------------------------------------------------------


def test_trace_reproduces_the_published_tables(capsys: Capture) -> None:
    """Protects the first lecture: Baydin, Pearlmutter, Radul, Siskind (2018), tables 2 and 3, number by number."""
    found = objects(capsys, *TEXTBOOK, "--tangent", "x1=1", "--grad")
    rows = [
        (row["name"], row["formula"], round(row["value"], 3), row["tangent_formula"], row["tangent"], row["adjoint"])
        for row in found
    ]
    assert [(*row[:-1], round(row[-1], 3)) for row in rows] == [
        ("x1", None, 2, None, 1, 5.5),
        ("x2", None, 5, None, 0, 1.716),
        ("v1", "ln(x1)", 0.693, "dx1/x1", 0.5, 1),
        ("v2", "x1*x2", 10, "dx1*x2 + dx2*x1", 5, 1),
        ("v3", "sin(x2)", -0.959, "dx2*cos(x2)", 0, -1),
        ("v4", "v1 + v2", 10.693, "dv1 + dv2", 5.5, 1),
        ("v5", "v4 - v3", 11.652, "dv4 - dv3", 5.5, 1),
    ]
    contributions = {row["name"]: [(c["formula"], round(c["value"], 3)) for c in row["contributions"]] for row in found}
    assert contributions["x1"] == [("bar_v2*x2", 5), ("bar_v1/x1", 0.5)]
    assert contributions["x2"] == [("bar_v3*cos(x2)", -0.284), ("bar_v2*x1", 2)]
    assert contributions["v5"] == [("1", 1)]


def test_reverse_trace_stands_in_the_published_order(capsys: Capture) -> None:
    """Protects whoever holds table 3 beside it: the lines follow each other as there, sums included."""
    lines = cg(capsys, "trace", *TEXTBOOK, "--grad", "--precision", "4").out.split("\n\n")[1].splitlines()
    published = [
        ("bar_v5 = 1", "1"), ("bar_v4 = bar_v5", "1"), ("bar_v3 = -bar_v5", "-1"), ("bar_v1 = bar_v4", "1"),
        ("bar_v2 = bar_v4", "1"), ("bar_x2 = bar_v3*cos(x2)", "-0.2837"), ("bar_x1 = bar_v2*x2", "5"),
        ("bar_x2 += bar_v2*x1", "1.716"), ("bar_x1 += bar_v1/x1", "5.5"),
    ]  # fmt: skip
    assert [(" ".join(line.split()[: len(left.split())]), line.split()[-1]) for line, (left, _) in
            zip(lines[1:], published, strict=True)] == published  # fmt: skip


# ---- the same numbers as the other commands --------------------------------------------


@for_each(("name", "arguments", "tangent"), RUNS)
def test_numbers_are_those_of_grad_and_jvp(
    name: str, arguments: str, tangent: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects trust: two commands that differ in the last digit make readers look for an error."""
    monkeypatch.chdir(EXAMPLES)
    rows = objects(capsys, *run_of(name, arguments), "--grad", "--tangent", tangent)
    by_name = {row["name"]: row for row in rows}
    for row in rows:
        parts = [np.array(each["value"]) for each in row["contributions"]]
        if parts:
            rounding = 4 * np.finfo(float).eps * sum(map(np.abs, parts))
            assert np.all(np.abs(sum(parts) - np.array(row["adjoint"])) <= rounding), row["name"]
    if "(" not in arguments:  # several outputs have a gradient each
        grad = json.loads(cg(capsys, "grad", *run_of(name, arguments), "--json", "-q").out)
        assert {key: by_name[key]["adjoint"] for key in grad["grad"]} == grad["grad"]
        plain = re.sub(r"--(cotangent|wrt) \S+", "", arguments)
        jvp = json.loads(cg(capsys, "jvp", *run_of(name, plain), "--tangent", tangent, "--json", "-q").out)
        assert rows[-1]["value"] == jvp["value"] == grad["value"]
        assert rows[-1]["tangent"] == jvp["jvp"]


@for_each(("name", "arguments", "tangent"), RUNS)
def test_every_formula_computes_the_number_beside_it(
    name: str, arguments: str, tangent: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects students, who compute along: each formula is a program in the names of other lines."""
    monkeypatch.chdir(EXAMPLES)
    arguments = arguments.replace("x=[-3,-0.5", "x=[3,0.5")  # the root of a negative number, there not taken, is nan
    rows = objects(capsys, *run_of(name, arguments), "--grad", "--tangent", tangent)
    marks = (("", "value"), ("d", "tangent"), ("bar_", "adjoint"))
    known = {f"{mark}{row['name']}": row[key] for row in rows for mark, key in marks if row[key] is not None}
    pairs = [(row["formula"], row["value"]) for row in rows if row["formula"] and "quantised" not in row["formula"]]
    pairs += [(row["tangent_formula"], row["tangent"]) for row in rows if row["tangent_formula"]]
    pairs += [(each["formula"], each["value"]) for row in rows for each in row["contributions"]]
    for formula, number in pairs:
        found = value(node(formula, known), known)
        np.testing.assert_allclose(found, number, rtol=1e-12, atol=1e-12, err_msg=formula)
    assert len(pairs) > len(rows)


CALLABLE = {name: each for name, each in ELEMENTWISE.items() if each.name in FUNCTIONS and differentiable(each)}


@for_each("operation", CALLABLE.values())
def test_rule_of_an_operation_is_written_as_it_computes(operation: Operation, capsys: Capture) -> None:
    """Protects the reader of a rule: simplified and without guards for edges, it still has the table's values."""
    names = argument_names(operation)
    point = [float(column[0]) for column in tame_points(operation, 1, np.random.default_rng(7))]
    bindings = [f"{name}={number!r}" for name, number in zip(names, point, strict=True)]
    tangent = ",".join(f"{name}={at + 1}" for at, name in enumerate(names))
    call = f"{operation.name}({', '.join(names)})"
    *inputs, last = objects(capsys, call, *bindings, "--grad", "--tangent", tangent)
    known = {row["name"]: row["value"] for row in (*inputs, last)} | {f"bar_{last['name']}": 1.0}
    known |= {f"d{row['name']}": row["tangent"] for row in inputs}
    pairs = [(last["tangent_formula"] or "0", last["tangent"] or 0.0)]
    pairs += [(each["formula"], each["value"]) for row in inputs for each in row["contributions"]]
    for formula, number in pairs:
        np.testing.assert_allclose(value(node(formula, known), known), number, rtol=1e-9, atol=1e-12, err_msg=formula)


PROGRAMS = [
    "x*y + x - x*sin(x) + x^2 - y + exp(x)*x",
    "a = x*y; b = a - x; (a + b) - x + a - (b - y) + x*b",
    "x - y + x - y*x - x + sin(x - y + x)",
    "where(x > y, x - y + x, x*y) + x - y",
    "mse(x, y) + max(x, y, x) - softplus(x - y) + x",
    "f(u) = u^2; jvp f(u; du) = 3*du; f(x) - x + f(y) + x",
]


@for_each("program", PROGRAMS)
def test_sums_are_the_very_nodes_of_the_derivative_passes(program: str) -> None:
    """Protects the last bit: along the trace's order, contributions are added in the order of the sweep."""
    output = node(program, {"x": 1.0, "y": 2.0})
    inputs = [variable("x"), variable("y")]
    moves = {inputs[0]: constant(1.0), inputs[1]: constant(-2.0)}
    found = trace(Graph((output,)), inputs, tangents=moves, cotangents=[constant(1.0)])
    assert tuple(found.gradient.values()) == pullback([output], [constant(1.0)], inputs)
    (last,) = [step for step in found.steps if step.value is output]
    assert last.tangent is not None
    assert (last.tangent,) == pushforward([output], moves)


@for_each("program", PROGRAMS)
def test_order_is_one_of_evaluation_and_keeps_users_in_place(program: str) -> None:
    output = node(program, {"x": 1.0, "y": 2.0})
    plain, order = toposort([output]), evaluation_order([output])
    assert set(order) == set(plain)
    assert len(order) == len(plain)
    place = {each: at for at, each in enumerate(order)}
    assert all(place[arg] < place[each] for each in order for arg in each.args)
    for each in plain:
        users = [user for user in plain if each in user.args]
        assert users == sorted(users, key=place.__getitem__)


# ---- edges ----------------------------------------------------------------------------


def test_branch_that_is_not_taken_contributes_nothing(capsys: Capture) -> None:
    """Protects gradients from 0*inf: the root's slope is infinite at 0, and never enters."""
    done = cg(capsys, "trace", "x > 0 ? sqrt(x) : x^2", "x=0", "--grad")
    assert done.code == 0
    assert "not taken" in done.out
    rows = {row["name"]: row for row in objects(capsys, "x > 0 ? sqrt(x) : x^2", "x=0", "--grad", "--tangent", "x=1")}
    assert rows["x"]["adjoint"] == 0
    assert [each["value"] for each in rows["x"]["contributions"]] == [0, 0]


STEPS = [
    # program | names and formulas of the steps that are no inputs
    ("a = x*2; b = a + 1; b*b", {"a": "x*2", "b": "a + 1", "v1": "b*b"}),
    ("v1 = x + 1; v1*x", {"v1": "x + 1", "u1": "v1*x"}),  # not a second v1
    ("softplus(x) + sigmoid(x)", {"v1": "softplus(x)", "v2": "sigmoid(x)", "v3": "v1 + v2"}),
    ("mse(x, 2)", {"v1": "mse(x, 2)"}),  # defined by other operations, and one step all the same
    ("f(u) = u^2; jvp f(u; du) = du; f(x)", {"v1": "f(x)"}),
    ("2*pi*x", {"v1": "2*pi", "v2": "v1*x"}),
    ("e*x + exp(`a b`)", {"v1": "e*x", "v2": "exp(`a b`)", "v3": "v1 + v2"}),
    ("3", {"v1": "3"}),
    ("x", {}),
]


@for_each(("program", "expected"), STEPS)
def test_steps_and_their_names(program: str, expected: dict[str, str], capsys: Capture) -> None:
    found = objects(capsys, program, *(["x=2"] * ("x" in program)), *(["`a b`=1"] * ("`" in program)))
    assert {row["name"]: row["formula"] for row in found if row["formula"]} == expected


def test_tangents_and_adjoints_are_no_names_of_the_program(capsys: Capture) -> None:
    """Protects the reader: where `dx` is a step width, the tangent of x is called otherwise."""
    found = objects(capsys, "x*dx + bar_x", "x=2", "dx=0.1", "bar_x=1", "--tangent", "x=1", "--grad")
    assert found[3]["tangent_formula"] == "dot_x*dx + dot_dx*x"
    assert found[4]["contributions"][0]["formula"] == "1"
    assert found[0]["contributions"][0]["formula"] == "bar__v1*dx"


IDENTITIES = ["x*1", "1*x", "x + 0", "x - 0", "x/1", "x^1", "-(-x)", "+x", "where(1, x, 3)", "x*1*1 + 0*x"]


@for_each("program", IDENTITIES)
def test_programs_that_do_nothing_are_traced_as_they_stand(program: str, capsys: Capture) -> None:
    """Protects against formulas that are matched with the wrong contribution where a rule folds away."""
    rows = {row["name"]: row for row in objects(capsys, program, "x=2", "--grad", "--tangent", "x=1")}
    assert rows["x"]["adjoint"] == 1
    assert all(each["value"] in (0, 1, -1) for row in rows.values() for each in row["contributions"])


def test_operation_without_derivative_has_tangent_zero_and_passes_nothing_on(capsys: Capture) -> None:
    x, floor, total = objects(capsys, "floor(x) + x", "x=2.5", "--tangent", "x=1", "--grad")
    assert (floor["tangent_formula"], floor["tangent"], floor["adjoint"]) == ("0", 0, None)
    assert (total["tangent_formula"], total["tangent"], x["adjoint"]) == ("dx", 1, 1)


def test_contributions_of_a_name_that_is_used_twice_are_listed_one_by_one(capsys: Capture) -> None:
    rows = {row["name"]: row for row in objects(capsys, "x*x + x", "x=3", "--grad")}
    assert [each["formula"] for each in rows["x"]["contributions"]] == ["bar_v2", "bar_v1*x", "bar_v1*x"]
    assert rows["x"]["adjoint"] == 7


def test_long_programs_take_linear_time_and_no_recursion(capsys: Capture) -> None:
    """Protects large programs: 2,000 nested steps; lines stay of bounded length."""
    depth = 2_000
    done = cg(capsys, "trace", "sin(" * depth + "x" + ")" * depth, "x=0.5", "--grad", "--tangent", "x=1", "-q")
    lines = done.out.splitlines()
    assert (done.code, len(lines)) == (0, 2 * depth + 8)
    assert max(map(len, lines)) < 120


def test_large_arrays_are_shortened_for_people_and_whole_for_programs(capsys: Capture) -> None:
    text = cg(capsys, "trace", "ones([300, 200])*x + [[1, 2], [3, 4]][0, 0]", "x=2").out
    assert max(map(len, text.splitlines())) < 80
    assert "[[2, 2, 2, …], …]" in text
    assert np.shape(objects(capsys, "ones([300, 200])*x", "x=2")[-1]["value"]) == (300, 200)


# ---- formats --------------------------------------------------------------------------


def test_text_is_what_a_lecture_shows(capsys: Capture) -> None:
    """Protects the look: columns, decimal points below each other, within 80 characters."""
    done = cg(capsys, "trace", *TEXTBOOK, "--tangent", "x1=1", "--grad")
    assert (
        done.out
        == """\
forward primal trace  value      forward tangent trace  tangent
x1                     2         dx1                    1
x2                     5         dx2                    0
v1 = ln(x1)            0.693147  dv1 = dx1/x1           0.5
v2 = x1*x2            10         dv2 = dx1*x2 + dx2*x1  5
v3 = sin(x2)          -0.958924  dv3 = dx2*cos(x2)      0
v4 = v1 + v2          10.6931    dv4 = dv1 + dv2        5.5
v5 = v4 - v3          11.6521    dv5 = dv4 - dv3        5.5

reverse adjoint trace     adds       adjoint
bar_v5  = 1                           1
bar_v4  = bar_v5                      1
bar_v3  = -bar_v5                    -1
bar_v1  = bar_v4                      1
bar_v2  = bar_v4                      1
bar_x2  = bar_v3*cos(x2)  -0.283662  -0.283662
bar_x1  = bar_v2*x2        5          5
bar_x2 += bar_v2*x1        2          1.71634
bar_x1 += bar_v1/x1        0.5        5.5

gradient
d_x1      5.5
d_x2      1.71634
"""
    )


def test_text_without_values_is_the_formulas(capsys: Capture) -> None:
    done = cg(capsys, "trace", TEXTBOOK[0], "--grad")
    assert done.code == 0
    assert "v3 = sin(x2)\n" in done.out
    assert done.out.endswith("bar_x1 += bar_v1/x1\n")
    assert [row["value"] for row in objects(capsys, TEXTBOOK[0])] == [None] * 7


def test_csv_reads_back_as_the_json(capsys: Capture) -> None:
    arguments = (
        "X @ w + b",
        "X=[[1,2],[3,4]]",
        "w=[1,0.1]",
        "b=1",
        "--cotangent",
        "[1,2]",
        "--grad",
        "--tangent",
        "b=1",
    )
    table = list(csv.DictReader(io.StringIO(cg(capsys, "trace", *arguments, "--csv").out)))
    found = objects(capsys, *arguments)
    assert [row["name"] for row in table] == [row["name"] for row in found]
    for key in ("shape", "value", "tangent", "adjoint"):
        assert [json.loads(row[key]) for row in table] == [row[key] for row in found]
    assert table[1]["adjoint_formula"] == "X.T @ bar_v1"
    assert table[1]["contributions"] == "[7, 10]"


def test_json_has_null_for_nan(capsys: Capture) -> None:
    assert objects(capsys, "sqrt(x) + 1", "x=-1")[-1]["value"] is None


LATEX = [
    (*TEXTBOOK, "--grad", "--tangent", "x1=1"),
    (*TEXTBOOK, "--grad", "--blank", "--answers"),
    ("sum((X@w_0 - θ)^2)/`a b`", "X=[[1,2],[3,4]]", "w_0=[1,2]", "θ=1e-9", "`a b`=2", "--grad"),
    ("x > 0 ? sqrt(x) : 2*pi", "x=0", "--grad"),
    ("x^2",),
    (*TEXTBOOK, "--grad", "--tangent", "x1=1", "--parts", "forward,reverse"),
    ("日本*y", "日本=3", "y=2", "--grad", "--parts", "gradient, reverse"),
]


@for_each("arguments", LATEX)
def test_latex_is_well_formed(arguments: tuple[str, ...], capsys: Capture) -> None:
    """Protects documents: balanced, and as many cells in each row as the array has columns."""
    done = cg(capsys, "trace", *arguments, "--latex")
    assert done.code == 0
    assert done.out.count("{") == done.out.count("}")
    assert done.out.count(r"\begin{array}") == done.out.count(r"\end{array}")
    for layout, body in re.findall(r"\\begin\{array\}\{([l|]+)\}\n(\\text.*?)\n\\end\{array\}", done.out, re.DOTALL):
        body = re.sub(r"\\begin\{cases\}.*?\\end\{cases\}", "", body)
        rows = re.sub(r"\\hline\n", "\n", body).split("\\\\")
        assert {row.count("&") for row in rows} == {layout.count("l") - 1}


def test_parts_of_a_trace(capsys: Capture) -> None:
    """On a slide: some tables, in the order that was asked for; columns begin below each other in any script."""
    out = cg(capsys, "trace", "日本*y + 1", "日本=3", "y=2", "--grad", "--parts", "gradient,forward").out
    gradient, forward = out.split("\n\n")
    assert gradient.split() == ["gradient", "d_日本", "2", "d_y", "3"]
    starts = {cells_of(line.removesuffix(line.split()[-1])) for line in forward.splitlines()}
    assert len(starts) == 1
    latex = cg(capsys, "trace", *TEXTBOOK, "--grad", "--latex", "--parts", "forward,reverse").out
    assert latex.startswith("\\begin{array}{ll|lll}")
    assert " &  & \\bar{x}_{1} = \\bar{x}_{1}" in latex


def test_latex_says_dot_and_bar(capsys: Capture) -> None:
    out = cg(capsys, "trace", *TEXTBOOK, "--grad", "--tangent", "x1=1", "--latex").out
    assert r"\dot{v}_{1} = \frac{\dot{x}_{1}}{x_{1}} & 0.5" in out
    assert r"\bar{x}_{2} = \bar{x}_{2} + \bar{v}_{2} x_{1} & 2 & 1.71634" in out
    assert r"\bar{\beta}_{1} = " in cg(capsys, "trace", "2*beta1", "--grad", "--latex").out


def test_latex_has_no_more_digits_than_are_true(capsys: Capture) -> None:
    """Protects documents: a rounded number is not filled up with zeros."""
    for precision in ([], ["--precision", "6"]):
        out = cg(capsys, "trace", "x1*x2", "x1=1", "x2=123456789.123", "--latex", *precision).out
        assert r"x_{2} & 1.23457 \cdot 10^{8} \\" in out


BLANKS = [
    # option | how many blanks
    ((), 0), (("--blank",), 24), (("--blank", "values"), 5), (("--blank=tangents",), 5),
    (("--blank", "adjoints"), 14), (("--blank", "grads"), 14),
    (("--answers",), 24), (("--blank", "adjoints", "--answers"), 14),
]  # fmt: skip


@for_each(("options", "blanks"), BLANKS)
def test_work_sheet_leaves_out_what_was_asked(options: tuple[str, ...], blanks: int, capsys: Capture) -> None:
    """Protects teachers: what is given stays, what is asked is blank, and the answers stand below."""
    arguments = (*TEXTBOOK, "--grad", "--tangent", "x1=1")
    done = cg(capsys, "trace", *arguments[:1], *options, *arguments[1:])
    full = cg(capsys, "trace", *arguments).out
    sheet, _, answers = done.out.partition("\nanswers\n\n")
    assert sheet.count("_____") == blanks
    assert (answers == full) == ("--answers" in options)
    assert "x1                     2" in sheet or "x1                    2" in sheet


def test_empty_work_sheet_needs_no_values(capsys: Capture) -> None:
    assert cg(capsys, "trace", "x^2", "--blank").out.count("_____") == 2


MISTAKES = [
    ((*TEXTBOOK, "--tangent", "y=1"), 2, "'y' has a tangent, and is no input"),
    ((*TEXTBOOK, "--tangent", "x1=[1,2]"), 2, "has shape [2]"),
    ((*TEXTBOOK, "--wrt", "v1,x1", "--grad"), 0, "'v1' is not in the expression"),
    (("x^2", "x=[1,2]", "--grad"), 2, "--cotangent"),
    (("x^2", "x=[1,2]", "--grad", "--cotangent", "[1,2,3]"), 2, "the cotangent has shape [3]"),
    (("(x, x^2)", "x=1", "--grad"), 2, "--cotangent '(1, 0)'"),
    (("x + y", "x=1"), 2, "no value for 'y'"),
    ((*TEXTBOOK, "--blank", "adjoints"), 2, "--grad"),
    ((*TEXTBOOK, "--parts", "reverse"), 2, "add the adjoints with --grad"),
    ((*TEXTBOOK, "--parts", "forwards"), 2, "did you mean 'forward'?"),
    ((*TEXTBOOK, "--parts", "forward", "--csv"), 2, "--parts is for text and --latex"),
    ((*TEXTBOOK, "--blank", "tangents"), 2, "--tangent"),
    ((*TEXTBOOK, "--blank", "gradients"), 2, "'gradients'"),
    ((*TEXTBOOK, "--json", "--csv"), 2, "two formats"),
    ((*TEXTBOOK, "--json", "--answers"), 2, "one sheet"),
    (("y*x", "--answers"), 2, "as in: y=2"),
    (("sqrt(x)", "x=-1", "--strict"), 1, "sqrt(-1) is nan"),
    (("sqrt(x)", "x=0", "--tangent", "x=1", "--strict"), 1, "infinite"),
    (("abs(x)", "x=0", "--grad"), 0, "at a kink"),
    (("abs(x)", "x=0", "--tangent", "x=1", "--strict"), 1, "at a kink"),
]


@for_each(("arguments", "code", "message"), MISTAKES)
def test_mistakes_are_said(arguments: tuple[str, ...], code: int, message: str, capsys: Capture) -> None:
    done = cg(capsys, "trace", *arguments)
    assert (done.code, message in done.err) == (code, True), done.err


@for_each(
    ("arguments", "remark"),
    [
        (["abs(x)*y", "x=0", "y=3", "--grad"], "kink: left -1, right 1, chosen 0"),
        (["abs(x)*y", "x=0", "y=3", "--tangent", "x=2"], "kink: left -2, right 2, chosen 0"),
        (["max(x, 1)", "x=1", "--grad"], "kink: left 0, right 1, chosen 0.5"),
        (["leaky_relu(x)", "x=0", "--grad"], "kink: left 0.01, right 1, chosen 0.01"),
        (["clip(x, 0, 1)", "x=1", "--grad"], "kink: left 1, right 0, chosen 1"),
        (["hypot(x, 0)", "x=0", "--grad"], "kink: left -1, right 1, chosen 0"),
        (["max(x, x^2)", "x=1", "--tangent", "x=1"], "kink: left 1, right 2, chosen 1.5"),
        (["sum(relu(x))", "x=[1,0]", "--tangent", "x=[1,-1]"], "kink at [1]: left -1, right 0, chosen 0"),
    ],
)
def test_slopes_on_both_sides_of_a_kink(capsys: Capture, arguments: list[str], remark: str) -> None:
    """By differences with many digits, which know nothing of the rule."""
    out = cg(capsys, "trace", *arguments, "-q").out
    assert out.count("kink") == out.count(remark) == 1


def test_slopes_beside_a_kink_in_records(capsys: Capture) -> None:
    records = json.loads(cg(capsys, "trace", "abs(x)", "x=0", "--grad", "--json", "-q").out)
    assert records[0]["contributions"][0]["kink"] == {"left": -1, "right": 1, "chosen": 0}
    (found,) = json.loads(cg(capsys, "check", "max(x, 2*x)", "x=0", "--json", "-q").out)["derivatives"]
    assert (found["left"], found["right"]) == (pytest.approx(1), pytest.approx(2))
