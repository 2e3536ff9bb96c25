"""`cg check`: it finds a rule that is off by 0.05 %, and raises no false alarm."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cgcli
from cgcli.check.check import Check, check
from cgcli.check.complex_step import ComplexStep, takes_complex
from cgcli.check.text import as_text
from cgcli.check.verdict import KINDS
from cgcli.evaluate.evaluate import evaluate_all
from cgcli.graph.node import Graph, Node, apply, constant, variable
from cgcli.graph.operation import Operation, Rule
from cgcli.graph.rules import JointJvp, Jvp, Partial, Partials, Transpose, TransposeOf
from cgcli.ops.arithmetic import MULTIPLY
from cgcli.transform.differentiate import vjp
from tests import support
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.reference_cases_linear import cases
from tests.support import ELEMENTWISE, OTHERS, argument_names, defaults, differentiable, gap, literal, tame_points

EXAMPLES = Path(__file__).parent.parent / "examples"
WRONG = 1.0005
DOUBTS = ("mismatch", "unclear")


def seeded(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def checked(output: Node, bindings: Mapping[str, Any], cotangent: Any = 1.0, constants: tuple[str, ...] = ()) -> Check:
    wrt = [node for node in support.inputs(bindings) if node.params[0] not in constants]
    return check(Graph((output,)), [literal(cotangent)], wrt, bindings)


def at_point(operation: Operation, names: list[str], point: tuple[float, ...]) -> tuple[Node, dict[str, Any]]:
    """An elementwise operation on scalars, and their values."""
    return apply(operation, tuple(variable(name) for name in names), defaults(operation)), {
        name: np.float64(number) for name, number in zip(names, point, strict=True)
    }


# ---- no false alarm -------------------------------------------------------------------


def all_sizes(operation: Operation, count: int, rng: np.random.Generator) -> list[Any]:
    """Points of every size from 1e-8 to 1e8 inside the domain, and as near to its edges."""
    columns = []
    for low, high in support.intervals(operation):
        near = [at for at in (low, high, 0.0) if math.isfinite(at)]
        offsets = 10.0 ** rng.uniform(-8, 8, 400) * rng.choice([-1, 1], 400)
        points = np.concatenate([at + offsets for at in near])
        columns.append(rng.choice(points[(points > low) & (points < high)], count))
    return columns


@for_each("name", ELEMENTWISE)
def test_no_elementwise_operation_is_doubted(name: str) -> None:
    """Protects users from false alarms: numbers of every size, near the domain's edges too."""
    operation, names = ELEMENTWISE[name], argument_names(ELEMENTWISE[name])
    for point in zip(*all_sizes(operation, 8, seeded(name)), strict=True):
        if name in ("mod", "fmod") and abs(point[0] / point[1]) > 1e8:
            continue  # a period is hardly longer than the distance of two numbers there
        found = checked(*at_point(operation, names, point))
        assert not [row for row in found.rows if row.verdict.kind in DOUBTS], point


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_operation_is_doubted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the same for arrays: singular matrices, empty arrays and classes among them."""
    monkeypatch.setattr("cgcli.check.check._CALLS", 1_000)  # of hundreds of elements some say it all
    for case in cases(name)[:6]:
        sample = case.sample(1)
        output = support.node(case.program, sample)
        found = checked(output, sample, seeded(name).normal(size=output.shape), case.constants)
        assert not [row for row in found.rows if row.verdict.kind in DOUBTS], case.program


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("program", ["det(a)", "det(a @ b)", "det(a)^2"])
def test_rounding_where_the_truth_is_zero_is_no_mismatch(program: str, rank: int) -> None:
    """Protects from alarms by chance: all that any method finds at a singular matrix is rounding, and some of it 0."""
    random = seeded(program)
    for _ in range(4):
        a = random.normal(size=(4, rank)) @ random.normal(size=(rank, 4))
        bindings = {"a": a, "b": random.normal(size=(4, 4))} if "b" in program else {"a": a}
        assert not checked(support.node(program, bindings), bindings).mismatches


EXAMPLE_POINTS = [
    "arm θ1=0.4 θ2=0.5 θ3=0.3 l1=1 l2=1 l3=0.5 target=[1,2]",
    "black_scholes S=42 K=40 r=0.1 sigma=0.2 T=0.5",
    "convolution_loss --vars convolution.json",
    "cotangent x=[2,3] --cotangent [1,0]",
    "end_gauge lS=50000623 d=215 da=0 t=-0.1 aS=11.5e-6 dt=0",
    "linear_model --vars linear_model.json",
    "logistic --vars logistic.json",
    "lstm --vars lstm.json",
    "pendulum length\xa0of\xa0string=0.6 g=9.81 θ₀=20",
    "piecewise x=[-3,-0.5,0.25,4]",
    "shapes --vars shapes.json --cotangent [1,2,3]",
    "softmax --vars softmax.json",
    "sum x=1 y=2",
    "textbook x1=2 x2=5",
    "tour scale=2",
    "transformer --vars transformer.json",
    f"convolution --vars convolution.json --cotangent {str(np.ones((1, 2, 3, 3)).tolist()).replace(' ', '')}",
]


@pytest.mark.parametrize("line", EXAMPLE_POINTS, ids=lambda line: line.split()[0])
def test_no_example_is_doubted(line: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the examples, and shows that whole programs pass, the line and its slope included."""
    monkeypatch.chdir(EXAMPLES)
    name, *rest = line.split(" ")
    words = [f"`{left.replace(chr(160), ' ')}`={right}" if chr(160) in left else word
             for word in rest for left, _, right in [word.partition("=")]]  # fmt: skip
    code, out, _ = cg(capsys, "check", "-f", f"{name}.cg", *words, "--json", "-q")
    found = json.loads(out)
    assert (code, found["agrees"]) == (0, True)
    assert not {row["verdict"] for row in found["derivatives"]} & set(DOUBTS)
    assert all(slope is None or slope > 1.9 for slope in found["slope"])


def test_every_example_is_checked_or_wrong_on_purpose() -> None:
    names = {line.split()[0] for line in EXAMPLE_POINTS} | {"straight_through"}
    assert names == {path.stem for path in EXAMPLES.glob("*.cg")}


# ---- a wrong rule is found ------------------------------------------------------------


def scaled(formula: str) -> str:
    """A formula times 1.0005, its last statement if it is a program."""
    *before, last = formula.strip().replace("\n", ";").split(";")
    return ";".join([*before, f"{WRONG}*({last.strip()})"])


def wrong(rule: Rule | None) -> Rule | None:
    """A rule that is off by 0.05 %; a transpose in reverse mode alone, for its forward derivative is the operation."""
    off = constant(WRONG)
    if isinstance(rule, Partial | Jvp):
        return type(rule)(scaled(rule.formula))
    if isinstance(rule, Partials):
        build = rule.build
        return Partials(lambda args: tuple(apply(MULTIPLY, (off, part)) for part in build(args)))
    if isinstance(rule, JointJvp):
        tangent = rule.build
        return JointJvp(lambda *args: apply(MULTIPLY, (off, tangent(*args))))
    if isinstance(rule, Transpose | TransposeOf):
        back: Any = rule.build
        return rule._replace(build=lambda *args: apply(MULTIPLY, (off, back(*args))))
    return rule


def with_wrong_rule(operation: Operation, position: int) -> Operation:
    rules = list(operation.rules)
    at = 0 if operation.variadic else position
    rules[at] = wrong(rules[at])
    return support.with_rules(operation, *rules)


@for_each("name", [name for name in ELEMENTWISE if name != "where"])
def test_a_rule_that_is_off_by_half_a_thousandth_is_found(name: str) -> None:
    """Protects the command's purpose: each derivative of each operation, whatever method finds it."""
    operation, names = ELEMENTWISE[name], argument_names(ELEMENTWISE[name])
    for position in differentiable(operation):
        spoilt = with_wrong_rule(operation, position)
        for point in zip(*tame_points(operation, 5, seeded(name)), strict=True):
            (row,) = [row for row in checked(*at_point(spoilt, names, point)).rows if row.name == names[position]]
            by_complex = row.numbers.complex_step
            if row.numbers.reverse == 0:
                continue
            assert row.verdict.kind == "mismatch", (names[position], point)
            assert by_complex is None or row.numbers.reverse == pytest.approx(WRONG * by_complex, rel=1e-9)
            assert row.numbers.central.error < 1e-4 * abs(row.numbers.reverse)  # differences alone find it too


@for_each("name", [name for name, operation in OTHERS.items() if any(operation.rules)])
def test_a_wrong_rule_for_arrays_is_found(name: str) -> None:
    operation, case = OTHERS[name], cases(name)[0]
    sample = case.sample(1)
    output = support.node(case.program, sample)
    assert output.op is operation
    spoilt = apply(with_wrong_rule(operation, 0), output.args, output.params)
    found = checked(spoilt, sample, seeded(name).normal(size=output.shape), case.constants)
    assert found.mismatches


def test_a_wrong_rule_of_the_user_is_found_and_named(capsys: Capture) -> None:
    code, out, err = cg(capsys, "check", "f(x) = x^2; jvp f(x; dx) = 2.001*x*dx; f(x)", "x=2")
    assert (code, err) == (4, "")
    assert "mismatch: differences give 4\n" in out
    assert "falls as h^1.0" in out
    assert "'f' has a derivative rule of its own, which is not the derivative of its body\n" in out


def test_only_the_wrong_one_of_two_rules_is_named(capsys: Capture) -> None:
    program = "f(x) = x^2; jvp f(x; dx) = 2*x*dx; g(x) = f(x)*3; jvp g(x; dx) = 6*dx; f(x) + g(x)"
    code, out, _ = cg(capsys, "check", program, "x=2")
    assert code == 4
    assert "'g' has" in out
    assert "'f' has" not in out


def test_straight_through_estimators_are_mismatches(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects honesty: what is wrong on purpose is wrong, and the message says that it may be on purpose."""
    monkeypatch.chdir(EXAMPLES)
    code, out, _ = cg(capsys, "check", "-f", "straight_through.cg", "w=0.8", "x=1.1", "y=1")
    assert code == 4
    assert "straight-through" in out


def test_what_stop_gradient_holds_is_held_in_the_differences_too(capsys: Capture) -> None:
    assert cg(capsys, "check", "x + stop_gradient(round(x) - x)", "x=2.7").code == 0


# ---- kinks, edges, and other special points -------------------------------------------

# program | values | exit code | how the line of the table ends
ROOT = "y = x; while abs(y^2 - x) > 1e-12 { y = (y + x/y)/2 }"
SPECIAL = [
    ("abs(x)", "x=0", 0, "kink: left -1, right 1, chosen 0"),
    ("max(x, 1)", "x=1", 0, "kink: left 0, right 1, chosen 0.5"),
    ("x > 0 ? x : 0", "x=0", 0, "kink: left 0, right 1, chosen 0"),
    ("sqrt(x^2)", "x=0", 0, "kink: left -1, right 1, chosen nan"),
    ("norm([x, 0])", "x=0", 0, "kink: left -1, right 1, chosen 0"),
    ("sqrt(x)", "x=0", 0, "edge: no differences to the left, chosen inf"),
    ("ln(x)", "x=0", 0, "edge: the value is -inf, and there is none to the left"),
    ("ln(x)", "x=-1", 0, "not finite: the value is nan"),
    ("1/x^2", "x=0", 0, "not finite: the value is inf"),
    ("cbrt(x)", "x=0", 0, "steep: the differences grow without bound, chosen inf"),
    ("floor(x)", "x=2", 0, "jump: the value jumps, chosen 0"),
    ("floor(x)", "x=2.5", 0, "ok"),
    ("x < 3", "x=2.5", 0, "ok"),
    ("relu(x - 1)", "x=1.0000001", 0, "ok"),  # the kink is nearer than the usual step
    ("sqrt(x - 1)", "x=1.0000001", 0, "ok"),  # so is the edge of the domain
    ("abs(sin(1e6*x))", "x=1", 0, "ok"),
    ("(1 - cos(x))/x^2", "x=1e-5", 0, "ok: within rounding"),
    ("(x + 1e6) - 1e6", "x=1e-8", 0, "ok"),
    ("cos(1e8*x)", "x=0", 0, "ok"),
    # ---- at the ends of floats, and where a function changes between neighbours ----
    *((f"{name}", f"x={at}", 0, "ok") for name in ("x + 1", "sin(x)") for at in ("5e-324", "-1e-310")),
    *((f"{name}", f"x={at}", 0, "ok") for name in ("x + 1", "abs(x)", "1/x") for at in ("1e200", "-1e308", "1.7e308")),
    *(("sin(x)", f"x={at}", 0, "ok: within rounding") for at in ("1e16", "1e20", "1e100", "1e308")),
    ("x == 0 ? 0 : sin(x)", "x=0", 4, "mismatch: differences give 1"),
    ("x == 1 ? 0 : sin(x)", "x=1", 0, "jump: the value jumps, chosen 0"),
    ("sqrt(x^4)", "x=0", 4, "mismatch: differences give 0"),
    ("relu(x) - relu(-x)", "x=0", 4, "mismatch: differences give 1"),
    # ---- loops that make other trips beside the point, equations that have no root there ----
    (f"{ROOT}; y", "x=1", 0, "kink: the number of trips changes nearby, chosen 1"),
    (f"{ROOT}; y", "x=2", 0, "ok"),
    (f"f(x) = {{ {ROOT}; y }}; jvp f(x; dx) = 0.4*dx; f(x)", "x=1", 4, "differences along the same trips give 1"),
    ("while x > 1 { x = x/2 }; x", "x=4", 0, "kink: the number of trips changes nearby, chosen 0.25"),
    ("f(x) = { while x > 1 { x = x/2 }; x }; jvp f(x; dx) = dx; f(x)", "x=4", 4, "along the same trips give 0.25"),
    ("sum(i=1..x, i)", "x=3", 0, "kink: the number of trips changes nearby, chosen 0"),
    ("solve(y^2 - 2*y + x = 0, y=0)", "x=0.9999", 0, "ok"),
    ("solve(y^2 = x, y=1)", "x=1e-5", 0, "ok"),
]


@for_each(("program", "value", "code", "ending"), SPECIAL)
def test_special_points_are_recognised(program: str, value: str, code: int, ending: str, capsys: Capture) -> None:
    """Protects both ways: conventions at kinks and edges are no faults, and no fault hides behind them."""
    found = cg(capsys, "check", program, value, "-q")
    assert (found.code, found.out.splitlines()[1].endswith(ending)) == (code, True), found.out


# ---- the complex step -----------------------------------------------------------------


def complex_gap(output: Node, bindings: Mapping[str, Any], wrt: list[Node]) -> float | None:
    """How far complex steps are from the derivative; None where the point allows none."""
    steps = ComplexStep([output], evaluate_all([output], bindings))
    weights = np.random.default_rng(0).normal(size=output.shape)
    worst = 0.0
    for node, adjoint in zip(wrt, vjp(output, literal(weights), wrt), strict=True):
        found = np.zeros(node.shape)
        for index in np.ndindex(node.shape):
            size = abs(float(np.asarray(bindings[node.params[0]])[index])) or 1.0  # type: ignore[index]
            parts = steps.derivative(node, index, size)
            if parts is None:
                return None
            found[index] = np.sum(weights * parts[0])
        worst = max(worst, gap(found, support.value(adjoint, bindings), 1e-3))
    return worst


ALLOWED = [name for name, operation in {**ELEMENTWISE, **OTHERS}.items() if takes_complex(operation)]


@for_each("name", ALLOWED)
def test_a_complex_step_is_the_derivative_where_it_is_allowed(name: str) -> None:
    """Protects from kernels that take complex numbers and mean another function by it."""
    gaps: list[float | None] = []
    if name in ELEMENTWISE:
        operation, names = ELEMENTWISE[name], argument_names(ELEMENTWISE[name])
        for point in zip(*tame_points(operation, 20, seeded(name)), strict=True):
            output, bindings = at_point(operation, names, point)
            gaps.append(complex_gap(output, bindings, support.inputs(bindings)))
    else:
        for case in cases(name):
            bindings = case.sample(1)
            wrt = [node for node in support.inputs(bindings) if node.params[0] not in case.constants]
            gaps.append(complex_gap(support.node(case.program, bindings), bindings, wrt))
    assert any(found is not None for found in gaps)
    assert max(found for found in gaps if found is not None) < 1e-12


@for_each("name", ["abs", "sigmoid", "hypot", "atan2", "cbrt", "max...", "relu", "clip", "logdet", "max"])
def test_magnitude_and_order_allow_no_complex_step(name: str) -> None:
    assert not takes_complex({**ELEMENTWISE, **OTHERS}[name])


# ---- output ---------------------------------------------------------------------------


def test_json_has_every_element_and_every_method(capsys: Capture) -> None:
    """Protects readers by machine: all numbers, though the table shows the worst of each array."""
    found = json.loads(cg(capsys, "check", "sum(w^3)*x", "w=[1,2]", "x=3", "--json").out)
    assert (found["value"], found["agrees"], found["count"]) == (27, True, 3)
    assert [(row["name"], row["index"]) for row in found["derivatives"]] == [("w", [0]), ("w", [1]), ("x", [])]
    for row, exact in zip(found["derivatives"], [9, 36, 9], strict=True):
        assert row["analytic"] == row["forward"] == row["complex_step"] == exact
        assert row["central"] == pytest.approx(exact, abs=row["central_error"])
        assert row["central_error"] < 1e-6
        assert row["verdict"] in KINDS
    assert found["slope"][0] == pytest.approx(2, abs=0.05)


def test_python_prints_a_check_as_the_command_does(capsys: Capture) -> None:
    found = cgcli.check_grad("ln(x1) + x1*x2", x1=2, x2=5)
    assert "\n".join(as_text(found, (), None)) == cg(capsys, "check", "ln(x1) + x1*x2", "x1=2", "x2=5").out.rstrip()


def test_a_table_shows_the_worst_element_and_how_many_there_are(capsys: Capture) -> None:
    out = cg(capsys, "check", "sum(abs(x))", "x=[0,1,2]", "-q").out
    assert "d_x[0]" in out
    assert "kink (1 of 3): left -1, right 1, chosen 0" in out


def test_of_a_large_array_some_elements_are_checked_and_a_line_through_all(capsys: Capture, tmp_path: Path) -> None:
    """Protects from waiting: the work is bounded, what was left out is said, and a fault there shows on the line."""
    np.save(tmp_path / "x.npy", np.linspace(0.1, 1, 30_000))
    code, out, _ = cg(capsys, "check", "mean(sin(x))", f"x=@{tmp_path / 'x.npy'}")
    assert code == 0
    assert "along a line" in out
    assert "of 30000 derivatives were checked, and one along a line that all take part in" in out
    program = "f(x) = sum(sin(x)); jvp f(x; dx) = 1.001*sum(cos(x)*dx); f(x)"
    assert cg(capsys, "check", program, f"x=@{tmp_path / 'x.npy'}", "-q").code == 4


def test_several_results_each_have_their_lines(capsys: Capture) -> None:
    out = cg(capsys, "check", "a = x*y; (a, a^2)", "x=3", "y=4").out
    assert [line.split()[0] for line in out.splitlines()[1:5]] == ["d_a/d_x", "d_a/d_y", "d_(a^2)/d_x", "d_(a^2)/d_y"]


def test_a_program_without_inputs_has_nothing_to_check(capsys: Capture) -> None:
    assert cg(capsys, "check", "2 + 3") == (0, "there is nothing to differentiate by\n", "")


def test_an_absent_name_is_a_warning(capsys: Capture) -> None:
    code, _, err = cg(capsys, "check", "x^2", "x=1", "--wrt", "x,z")
    assert code == 0
    assert "'z' is not in the expression" in err


def test_kinks_are_warned_of_and_strict_refuses_them(capsys: Capture) -> None:
    assert "kink" in cg(capsys, "check", "abs(x)", "x=0").err
    assert cg(capsys, "check", "abs(x)", "x=0", "--strict").code == 1
