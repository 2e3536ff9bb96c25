"""LaTeX: what a book would write, for every operation, balanced for any program, and rendered by KaTeX."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgcli.errors import TooLargeError
from cgcli.graph.node import Graph, Node, apply, toposort, variable
from cgcli.graph.operation import Operation
from cgcli.lowering.lower import lower
from cgcli.ops.arithmetic import ADD, DIVIDE, MULTIPLY, NEG, POWER_OP, SQRT, SUBTRACT
from cgcli.ops.logic import WHERE
from cgcli.ops.table import FUNCTIONS, operations
from cgcli.printing.latex import Partials, latex, latex_number, latex_of, spelling_of
from cgcli.printing.spelling import Spelling, in_unicode, typeset
from cgcli.printing.values import number
from cgcli.syntax.parser import parse
from tests.for_each import for_each
from tests.latex_cases import CASES, aligned
from tests.test_diff import LATEX
from tests.test_roundtrip import EXPRESSIONS, NAMES, NUMBERS, derivatives, larger, sample

KATEX = shutil.which("katex")

# Reads a list of formulas, and prints what is seen of each.
DRAW = """
const katex = require(process.argv[1]), formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(formulas.map((formula) => katex.renderToString(formula, {output: "html"}))));
"""

# Reads a list of formulas, renders each as strictly as KaTeX can, prints what it says of those that it refuses.
RENDER = """
const katex = require(process.argv[1]), refused = [];
for (const formula of JSON.parse(require("fs").readFileSync(0, "utf8"))) {
    try { katex.renderToString(formula, {throwOnError: true, strict: "error", displayMode: true}); }
    catch (error) { refused.push(formula + ": " + error.message); }
}
console.log(JSON.stringify(refused));
"""


def graph_of(text: str) -> Graph:
    return lower(parse(text, functions=FUNCTIONS.__contains__))


@for_each(("text", "expected"), CASES)
def test_a_program_is_written_as_in_a_book(text: str, expected: str) -> None:
    """Protects each rule of the layout, by an example whose LaTeX was looked at as a picture."""
    assert latex(graph_of(text)) == expected


# ---- programs of several lines --------------------------------------------------------

PROGRAMS: list[tuple[str, Partials | None, list[str]]] = [
    ("a = x*w; sin(a) + a", None, ["a &= x w", r"f &= \sin(a) + a"]),
    ("sin(x)*sin(x)", None, [r"t_{1} &= \sin(x)", r"f &= t_{1} \cdot t_{1}"]),
    ("(x*y, x + y)", None, ["f &= x y", "g &= x + y"]),
    ("f = y; (f*x, x + f)", None, ["f &= y x", "g &= x + y"]),
    ("a = x*2; b = x + 1; (a, b)", None, [r"a &= 2 x", "b &= x + 1"]),
    ("2*x", Partials(["x"]), ["2 x"]),
    ("2*x", Partials(["x"], of="E"), [r"\frac{\partial E}{\partial x} = 2 x"]),
    ("2*x", Partials(["x"], of="x"), ["2 x"]),
    (
        "(2, a/b)",
        Partials(["x", "x_1"], 2, "E"),
        [
            r"\frac{\partial^{2} E}{\partial x^{2}} &= 2",
            r"\frac{\partial^{2} E}{\partial x_{1}^{2}} &= \frac{a}{b}",
        ],
    ),
    (
        "(x_2, sin(x_2))",
        Partials(["x2", "x_2"]),
        [
            r"\frac{\partial f}{\partial \mathrm{x2}} &= \mathrm{x\_2}",
            r"\frac{\partial f}{\partial \mathrm{x\_2}} &= \sin(\mathrm{x\_2})",
        ],
    ),
    ("sin(t_1)*sin(t_1)", None, [r"u_{1} &= \sin(t_{1})", r"f &= u_{1} \cdot u_{1}"]),
    ("f(x, y) = x^2*y; f(a, b) + f(b, a)", None, ["a^{2} b + b^{2} a"]),
    (
        "f(x) = relu(x); jvp f(x; dx) = dx*sigmoid(x); f(a)*2",
        None,
        [r"f(x) &= \operatorname{ReLU}(x)", r"D f(x)[{dx}] &= {dx} \operatorname{sigmoid}(x)", r"g &= 2 f(a)"],
    ),
]


@for_each(("text", "partials", "lines"), PROGRAMS)
def test_names_get_lines_of_their_own(text: str, partials: Partials | None, lines: list[str]) -> None:
    """Protects programs with shared parts, functions of their own, several results, and what these are derived from."""
    assert latex(graph_of(text), partials=partials) == (aligned(*lines) if "&=" in lines[0] else lines[0])


def test_the_caller_chooses_names() -> None:
    """Protects traces and derivatives: a node is shown in terms of whatever the caller has named, and only of that."""
    graph = graph_of("ln(x1) + x1*sin(x1)")
    total = graph.output
    log, product = total.args
    named = {log: r"\bar{v}_{1}", product.args[1]: "v_{2}", total: "v_{3}"}
    assert latex_of(total, named) == r"\bar{v}_{1} + x_{1} v_{2}"
    assert latex_of(product, named) == "x_{1} v_{2}"
    assert latex_of(log, named) == r"\ln(x_{1})"
    assert latex(graph, {}) == r"\ln(x_{1}) + x_{1} \sin(x_{1})"
    assert latex(graph, {product.args[1]: "s_1"}) == aligned(r"s_{1} &= \sin(x_{1})", r"f &= \ln(x_{1}) + x_{1} s_{1}")


def test_an_element_of_a_named_array_carries_its_index() -> None:
    """Protects sums over arrays that have names: the index is set apart from the name's own marks."""
    output = graph_of("V: [3]; W: [3]; sum((V + W)*W)").output
    inner = output.args[0].args[0]
    assert latex_of(output, {inner: "u"}) == "\\sum_{i} u_{i} W_{i}"
    assert latex_of(output, {inner: "u_{1}"}) == "\\sum_{i} (u_{1})_{i} W_{i}"


# ---- names and numbers ----------------------------------------------------------------

WRITTEN_NAMES = {
    "x": "x", "x1": "x_{1}", "x₁₂": "x_{12}", "x_max": r"x_{\mathrm{max}}", "x_i_j": "x_{i,j}", "theta": r"\theta",
    "θ": r"\theta", "Δx": r"{\Delta x}", "dx": "{dx}", "d_x1": "d_{x_{1}}", "rate": r"\mathrm{rate}",
    "learning_rate": r"\mathrm{learning\_rate}", "var_1": r"\mathrm{var}_{1}", "x_hat": r"\hat{x}", "x̄": r"\bar{x}",
    "é": r"\acute{e}", "naïve": r"\mathrm{na\ddot{i}ve}", "x'": "{x'}", "x_prime": "{x'}", "a b": r"\mathrm{a\ b}",
    "a-b": r"\mathrm{a\text{-}b}", "100%": r"\mathrm{100\%}", "x²": r"\mathrm{x{}^{2}}", "_x": r"\mathrm{\_x}",
    "e": r"\mathrm{e}", "ϕ": r"\phi", "φ": r"\varphi", "日": r"\text{日}", "^~": r"\mathrm{\wedge \sim}",
}  # fmt: skip
WRITTEN_NUMBERS = {
    2.0: "2", -0.5: "-0.5", 1e-5: "10^{-5}", -1.5e-5: r"-1.5 \cdot 10^{-5}", 1e300: "10^{300}", 1e6: "10^{6}",
    2.5e7: r"2.5 \cdot 10^{7}", 123456.0: "123456", math.inf: r"\infty", -math.inf: r"-\infty",
    11.652071455223084: "11.652071455223084", 5e-324: r"5 \cdot 10^{-324}",
}  # fmt: skip


def test_names_and_numbers() -> None:
    """Protects what an author sees first: Greek, subscripts, words, accents, powers of ten."""
    assert {name: typeset(name).text() for name in WRITTEN_NAMES} == WRITTEN_NAMES
    assert {value: latex_number(number(value)) for value in WRITTEN_NUMBERS} == WRITTEN_NUMBERS
    assert latex_number("nan") == r"\mathrm{NaN}"
    assert latex_number(number(123456789.123, 6)) == r"1.23457 \cdot 10^{8}"


def test_an_accent_stands_on_the_letter_alone() -> None:
    """Protects adjoints and tangents: what is below a name is not under its bar."""
    accented = {
        name: typeset(name).accented(r"\bar").text()
        for name in ["x", "v1", "beta1", "x_max", "rate", "x_hat", "x²", "e_1"]
    }
    assert accented == {
        "x": r"\bar{x}", "v1": r"\bar{v}_{1}", "beta1": r"\bar{\beta}_{1}", "x_max": r"\bar{x}_{\mathrm{max}}",
        "rate": r"\bar{\mathrm{rate}}", "x_hat": r"\bar{\hat{x}}", "x²": r"\bar{\mathrm{x{}^{2}}}",
        "e_1": r"\bar{e}_{1}",
    }  # fmt: skip


@given(st.text(min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_any_name_is_made_of_what_latex_knows(name: str) -> None:
    """Protects a paper from a name in backticks that would end the formula, or has in it what is no text."""
    text = re.sub(r"\\text\{[^\\{}%#$&~]+\}", "", typeset(name).text())  # letters and marks of any script
    assert text.isascii()
    assert unbalanced(text) == ""
    assert not re.search(r"(?<!\\)[%#$&~]", text)


# ---- one name, one form ---------------------------------------------------------------

# Names that could be taken for each other or for something else, what the formula is, and how they are written.
ALIKE: list[tuple[str, dict[str, str]]] = [
    ("x1*x_1*`x₁`", {"x1": r"\mathrm{x1}", "x_1": r"\mathrm{x\_1}", "x₁": r"\mathrm{x{}_{1}}"}),
    ("x1*x_2", {"x1": "x_{1}", "x_2": "x_{2}"}),
    ("x12*x_12*x1_2*x_1_2*x_1_3", {
        "x12": r"\mathrm{x12}", "x_12": r"\mathrm{x\_12}", "x1_2": r"\mathrm{x1\_2}", "x_1_2": r"\mathrm{x\_1\_2}",
        "x_1_3": "x_{1,3}",
    }),
    ("theta*θ*Theta", {"theta": r"\mathrm{theta}", "θ": r"\mathrm{\theta}", "Theta": r"\Theta"}),
    ("phi*φ", {"phi": r"\phi", "φ": r"\varphi"}),
    ("theta_hat*thetahat*`θ̂`", {
        "theta_hat": r"\mathrm{theta\_hat}", "thetahat": r"\mathrm{thetahat}", "θ̂": r"\mathrm{\hat{\theta}}",
    }),
    ("x_max*xmax*x_Max", {"x_max": r"x_{\mathrm{max}}", "xmax": r"\mathrm{xmax}", "x_Max": r"x_{\mathrm{Max}}"}),
    ("Delta_P*ΔP*dP", {"Delta_P": r"\mathrm{Delta\_P}", "ΔP": r"\mathrm{\Delta P}", "dP": "{dP}"}),
    ("Omega_m_0*Omega_m0", {"Omega_m_0": r"\mathrm{Omega\_m\_0}", "Omega_m0": r"\mathrm{Omega\_m0}"}),
    ("dx", {"dx": "{dx}"}),
    ("dx*d*x", {"dx": r"\mathrm{dx}"}),
    ("`θϕ`*θ*ϕ", {"θϕ": r"\mathtt{\langle 3B8\rangle \langle 3D5\rangle}"}),
    ("`foo bar`*x", {"foo bar": r"\mathrm{foo\ bar}"}),
    ("`foo bar`*foo*bar", {"foo bar": r"\mathtt{foo\sqcup bar}", "foo": r"\mathrm{foo}"}),
    ("`foo+1`*foo", {"foo+1": r"\mathtt{foo{+}1}"}),
    ("`rate²`*rate", {"rate²": r"\mathtt{rate\langle B2\rangle}"}),
    ("`2`*x", {"2": r"\mathtt{2}"}),
    ("e = 3; e*exp(x)", {"e": r"\mathrm{e}"}),
    ("pi: []; π: []; pi*π", {"pi": r"\mathrm{pi}", "π": r"\mathtt{\langle 3C0\rangle}"}),
    ("sin*cos(x)", {"sin": r"\mathrm{sin}"}),
    ("sin*sin(x)", {"sin": r"\mathtt{sin}"}),
    ("Gamma*x", {"Gamma": r"\Gamma"}),
    ("Gamma*gamma(x)", {"Gamma": r"\mathrm{Gamma}"}),
    ("erf*erf(x)", {"erf": r"\mathtt{erf}"}),
    ("x: [3]; sum(x)*x1*x_i*x_max", {"x1": r"\mathrm{x1}", "x_i": r"\mathrm{x\_i}", "x_max": r"x_{\mathrm{max}}"}),
    ("I_3*x", {"I_3": r"\mathrm{I\_3}"}),
    ("i*d*T", {"i": "i", "d": "d", "T": "T"}),
]  # fmt: skip


@for_each(("text", "expected"), ALIKE)
def test_no_two_names_look_alike(text: str, expected: dict[str, str]) -> None:
    """Protects the reader: within a formula, a form belongs to one name, and is no sign of something else."""
    spelling = spelling_of(toposort(graph_of(text).outputs))
    assert {name: spelling.text(name) for name in expected} == expected


STEMS = """
x X d e i theta θ Theta ϑ vartheta epsilon ε mu µ μ rate Delta Δ l ell ℓ h hbar ħ ℏ pi 2 x² % inf K \u212a é
"""
TAILS = """
1 _1 ₁ _12 1_2 _1_2 _i _x1 _x_1 _max max _hat hat \u0302 _bar _prime ' ′ _inf _∞ _infty x _x P +1
"""


def random_names(random: Random) -> list[set[str]]:
    """Sets of names that are written alike."""
    stems, tails = STEMS.split(), ["", "", " ", *TAILS.split()]
    sizes = [random.randint(2, 30) for _ in range(400)]
    return [{random.choice(stems) + random.choice(tails) for _ in range(size)} for size in sizes]


def test_random_sets_of_names_are_told_apart() -> None:
    """Protects the class: no two names are the same text, nor is an element or an accented form another's."""
    random = Random(12)
    for names in random_names(random):
        arrays = {name for name in sorted(names) if random.random() < 0.2}
        spelling = Spelling(names, arrays, accents=(r"\bar", r"\dot"))
        texts = [spelling.text(name, accent=accent) for name in names for accent in ("", r"\bar", r"\dot")]
        texts += [spelling.text(name, [index]) for name in arrays for index in "01i"]
        assert len(texts) == len(set(texts))
        assert [unbalanced(text) for text in texts] == [""] * len(texts)


def test_what_katex_draws_of_different_names_differs() -> None:
    """Protects the judgement of what looks alike, by a program that draws it."""
    if KATEX is None:
        pytest.skip("no katex")
    groups = []
    for names in random_names(Random(13)):
        spelling = Spelling(names)
        groups.append([spelling.text(name) for name in sorted(names)])
    drawn = iter(in_katex(DRAW, [text for group in groups for text in group]))
    for group in groups:
        assert len({next(drawn) for _ in group}) == len(group), group


@given(st.sets(st.text("xθ1_₁^2 d'′\\{P", min_size=1, max_size=5), max_size=12))
@settings(max_examples=100, deadline=None)
def test_any_names_are_told_apart(names: set[str]) -> None:
    spelling = Spelling(names)
    assert len({spelling.text(name) for name in names}) == len(names)
    assert len(set(in_unicode(names).values())) == len(names)


# ---- every operation, any program -----------------------------------------------------

_MARK = re.compile(r"\\begin\{(\w+)\}|\\end\{(\w+)\}|\\(left|right)(?![a-zA-Z])|\\.|[{}]", re.DOTALL)


def unbalanced(text: str) -> str:
    """What is left open in a formula, or closes what is not open; '' when all is well."""
    opened: list[str] = []
    for match in _MARK.finditer(text):
        begin, end, side = match.groups()
        if begin or side == "left" or match[0] == "{":
            opened.append(begin or side or "{")
        elif (end or side or match[0] == "}") and (
            not opened or opened.pop() != (end or {"right": "left"}.get(side, "{"))
        ):
            return match[0]
    return "".join(opened)


def test_the_check_of_balance_finds_what_is_wrong() -> None:
    """Protects the tests that use it."""
    assert [unbalanced(text) for text in ["{", "}", r"\left(", r"\{ \leftarrow", r"{\left(}\right)"]] == [
        "{", "}", "left", "", "}",
    ]  # fmt: skip


@for_each("operation", list(operations()))
def test_every_operation_is_written(operation: Operation) -> None:
    """Protects new entries of the table: they and their derivatives have a form, whatever else they lack."""
    output = sample(operation)
    for node in [output, *derivatives(output, "d")]:
        text = latex(Graph((node,)))
        assert text
        assert unbalanced(text) == ""


@given(st.recursive(st.one_of(NUMBERS, NAMES), larger, max_leaves=12))
@settings(max_examples=150, deadline=None)
def test_any_program_is_balanced(text: str) -> None:
    """Protects brackets, groups and environments, in whatever order they meet."""
    found = latex(graph_of(text))
    assert unbalanced(found) == ""
    assert "--" not in found
    assert "+ -" not in found


LINKS: list[Callable[[Node, Node], Node]] = [
    lambda node, x: apply(SQRT, (node,)),
    lambda node, x: apply(ADD, (x, node)),
    lambda node, x: apply(SUBTRACT, (x, node)),
    lambda node, x: apply(MULTIPLY, (node, x)),
    lambda node, x: apply(NEG, (node,)),
    lambda node, x: apply(DIVIDE, (x, node)),
    lambda node, x: apply(POWER_OP, (x, node)),
    lambda node, x: apply(WHERE, (x, node, x)),
]


def test_a_deep_formula_does_not_recurse() -> None:
    """Protects programs that are thousands of operations deep, whatever stands in what."""
    x = variable("x")
    node = x
    for depth in range(8_000):
        node = LINKS[depth % len(LINKS)](node, x)
    text = latex_of(node)
    assert len(re.findall(r"\bx\b", text)) == 1_000 * 7 + 1
    assert unbalanced(text) == ""


@pytest.mark.parametrize("operation", [ADD, MULTIPLY])
def test_a_formula_that_nobody_can_hold_is_refused(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the machine: parts that are shared again and again, written out, would fill any memory."""
    node: Node = variable("x")
    for _ in range(100):
        node = apply(operation, (node, node))
    monkeypatch.setattr("cgcli.printing.tex.products.MAX_SYMBOLS", 100_000)
    with pytest.raises(TooLargeError, match="more than 100000 symbols"):
        latex_of(node)
    assert latex(Graph((node,))).count("=") == 100


# ---- a program that renders it --------------------------------------------------------


def test_katex_renders_everything() -> None:
    """Protects the user's paper: all of the above, each operation and its derivatives, in KaTeX's strictest mode."""
    if KATEX is None:
        pytest.skip("no katex")
    formulas = [text for _, text in CASES]
    formulas += [latex(graph_of(text)) for text in [*(text for text, _, _ in PROGRAMS), *EXPRESSIONS]]
    for operation in operations():
        output = sample(operation)
        formulas += [latex(Graph((node,))) for node in [output, *derivatives(output, "d")]]
    formulas += [typeset(name).text() for name in WRITTEN_NAMES]
    formulas += [text for _, text in LATEX]
    formulas += [f"{typeset(chr(code)).text()}^{{2}}_{{1}}" for code in range(32, 0x500)]
    assert in_katex(RENDER, formulas) == []


def in_katex(program: str, formulas: Sequence[str]) -> list[str]:
    """What a program that has KaTeX says of formulas."""
    assert KATEX is not None
    script = Path(KATEX).resolve().parent / "dist" / "katex.js"
    answer = subprocess.run(["node", "-e", program, str(script)], input=json.dumps(formulas), text=True,
                            capture_output=True, check=True, encoding="utf-8")  # fmt: skip
    found: list[str] = json.loads(answer.stdout)
    return found
