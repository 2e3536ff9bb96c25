"""LaTeX of loops: signs of sums and products with bounds, statements line by line, adjoints; KaTeX takes all of it."""

from __future__ import annotations

import pytest

from cgcli.lowering.lower import lower
from cgcli.ops.table import FUNCTIONS
from cgcli.printing.latex import latex
from cgcli.syntax.parser import parse
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.latex_cases import aligned
from tests.test_latex import KATEX, RENDER, in_katex

# A program, and its LaTeX.
PROGRAMS = {
    "sum(i=1..n, x^i)": r"\sum_{i=1}^{n} x^{i}",
    "2*sum(i=a..b + 1, x^i) + y": r"2 \sum_{i=a}^{b + 1} x^{i} + y",
    "sum(i=1..5, x^i/i)": r"\sum_{i=1}^{5} \frac{x^{i}}{i}",
    "sum(i=0..20, x^i/gamma(i + 1))": r"\sum_{i=0}^{20} \frac{x^{i}}{\Gamma(i + 1)}",
    "prod(i=1..n, x + i)^2": r"\left(\prod_{i=1}^{n} (x + i)\right)^{2}",
    "sum(i=1..n, sum(j=1..i, x^j))": r"\sum_{i=1}^{n} \sum_{j=1}^{i} x^{j}",
    "sum(n=1..m, sin(n*i))": r"\sum_{n=1}^{m} \sin(n i)",
    "sum(k=1..4, i*k^2)": r"\sum_{j=1}^{4} i j^{2}",
    "s = 5; for i in 1..n { s = s + sin(i*x) }; s": r"5 + \sum_{i=1}^{n} \sin(i x)",
    "X: [3]; sum(X*[1, 2, 3])": r"\sum_{i} X_{i} \begin{bmatrix} 1 \\ 2 \\ 3 \end{bmatrix}_{i}",
    "sum(x*[2, 4, 7])": r"\sum_{i} x \begin{bmatrix} 2 \\ 4 \\ 7 \end{bmatrix}_{i}",
    "solve(x = cos(a*x), x=b/2)": r"\operatorname{solve}\left(x = \cos(a x);\ x \gets \frac{b}{2}\right)",
    "solve(sum(i=1..n, x^i) = 2, x=1)": r"\operatorname{solve}\left("
    r"\sum_{i=1}^{n} x^{i} = 2;\ x \gets 1\right)",
    "x*solve(y^3/x + y = 0, y=x)": r"x \operatorname{solve}\left(\frac{y^{3}}{x} + y = 0;\ y \gets x\right)",
    "A: [2, 2]; b: [2]; y = solve(A@x = b, x=b); y @ y": aligned(
        r"y &= \operatorname{solve}(A y = b;\ y \gets b)", r"f &= y^{\top} y"
    ),
    "(x, y) = solve(x^2 + y^2 = r, x = y*a, x=1, y=r); x*y": r"\begin{aligned}"
    "\n"
    r"t_{1} &= \operatorname{solve}\left(\begin{cases} x^{2} + y^{2} = r \\ x = y a \end{cases};"
    r"\ x \gets 1, y \gets r\right) \\[4pt]"
    "\n"
    r"f &= (t_{1})_{0} (t_{1})_{1}"
    "\n"
    r"\end{aligned}",
    "x = a; while x > 1 { x = x/2 }; x": aligned(
        r"& x \gets a", r"& \textbf{while } x > 1", r"& \quad x \gets \frac{x}{2}", "& f = x"
    ),
    "x = a; repeat 3 { x = sin(x) }; x*b": aligned(
        r"& x \gets a", r"& \textbf{repeat } 3 \textbf{ times}", r"& \quad x \gets \sin(x)", "& f = x b"
    ),
    "x = a; for k in 1..n { x = sin(k*x) }; x": aligned(
        r"& x \gets a", r"& \textbf{for } k = 1, \dots, n", r"& \quad x \gets \sin(k x)", "& f = x"
    ),
}


@for_each("text", PROGRAMS)
def test_a_loop_is_written_as_in_a_book(text: str) -> None:
    assert latex(lower(parse(text, functions=FUNCTIONS.__contains__))) == PROGRAMS[text]


# A program, options of `cg diff --latex`, and what its derivative has among others.
DERIVATIVES: list[tuple[str, list[str], list[str]]] = [
    ("sum(i=1..n, sin(i*x))", [], [r"\frac{\partial f}{\partial x} &= \sum_{i=1}^{n} i \cos(i x)"]),
    ("sum(k=1..n, sin(k*x))", [], [r"\frac{\partial f}{\partial x} &= \sum_{k=1}^{n} k \cos(k x)"]),
    ("sum(i=1..4, x^i/i)", [], [r"\sum_{i=1}^{4} x^{i - 1}"]),
    (
        "x = a; while abs(x^2 - a) > 1e-12 { x = (x + a/x)/2 }; x", [],
        [r"\textbf{while } |", r"\gets", r"\frac{\partial x}{\partial a} = d_{x}"],
    ),
    (
        "s = 0; for i in 1..4 { t = i; for j in 1..i { t = t*x + j }; s = s + t }; s*y", [],
        [r"\quad \textbf{for }", r"\quad \quad", r"\frac{\partial f}{\partial y} = s"],
    ),
    (
        "h = x; repeat 3 { h = tanh(W @ h) }; sum(h)", ["--wrt", "W", "W=[[1, 2], [3, 4]]", "x=[1, 2]"],
        [r"\textbf{function } f(", r"\textbf{return }", r"D f(W)^{\top}[\mathbf{1}_{2}]"],
    ),
]  # fmt: skip


@for_each(("text", "options", "parts"), DERIVATIVES)
def test_derivatives_of_loops(text: str, options: list[str], parts: list[str], capsys: Capture) -> None:
    answer = cg(capsys, "diff", "--latex", text, *options)
    assert answer.code == 0
    for part in parts:
        assert part in answer.out


def test_a_block_within_an_equation_has_no_form(capsys: Capture) -> None:
    program = "f(x) = { y = x; while y > 1 { y = y/2 }; y }; solve(f(x)*x = 0.5, x=a)"
    assert "solve has no form in LaTeX where a loop is within" in cg(capsys, "simplify", "--latex", program).err


def test_simplify_writes_latex(capsys: Capture) -> None:
    assert cg(capsys, "simplify", "--latex", "sum(i=1..n, x*i + x*i)").out == "\\sum_{i=1}^{n} 2 i x\n"
    assert cg(capsys, "simplify", "--latex", "--exact", "1*x/2").out == "\\frac{x}{2}\n"


def test_katex_takes_it(capsys: Capture) -> None:
    if KATEX is None:
        pytest.skip("no KaTeX")
    formulas = [latex(lower(parse(text, functions=FUNCTIONS.__contains__))) for text in PROGRAMS]
    formulas += [cg(capsys, "diff", "--latex", text, *options).out for text, options, _ in DERIVATIVES]
    assert in_katex(RENDER, formulas) == []
