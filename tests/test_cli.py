"""The command line's interface: operands, options, plain and JSON output, streams, exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cgcli.api.formulas import diff
from cgcli.cli import commands
from cgcli.tables.formats import FORMATS
from tests.command import CG, Capture, cg
from tests.for_each import for_each

README = Path(__file__).parent.parent / "README.md"


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# ---- results --------------------------------------------------------------------------

TWO = ["ln(x1) + x1*x2 - sin(x2)", "x1=2", "x2=5"]

# Arguments and the exact standard output; exit code 0 and nothing on standard error.
RESULTS: list[tuple[list[str], str]] = [
    (["eval", *TWO], "11.652071455223084\n"),
    (["eval", "x^2 + 2*x + 1", "x=[2,3]"], "[9, 16]\n"),
    (["eval", *TWO, "--json"], '{"value": 11.652071455223084, "warnings": []}\n'),
    (["eval", "x", "x=[[1,2],[3,4]]", "--json"], '{"value": [[1, 2], [3, 4]], "warnings": []}\n'),
    (["grad", *TWO], "value\t11.652071455223084\nd_x1\t5.5\nd_x2\t1.7163378145367738\n"),
    (["grad", *TWO, "--json"],
     '{"value": 11.652071455223084, "grad": {"x1": 5.5, "x2": 1.7163378145367738}, "warnings": []}\n'),
    (["grad", "z = x + y", "x=1", "y=2"], "value\t3\nd_x\t1\nd_y\t1\n"),
    (["grad", "x^2 + 2*x + 1", "x=[2,3]", "--cotangent", "[1,1]"], "value\t[9, 16]\nd_x\t[6, 8]\n"),
    (["grad", "x^2 + 2*x + 1", "x=[2,3]", "--cotangent=[1,1]", "--json"],
     '{"value": [9, 16], "grad": {"x": [6, 8]}, "warnings": []}\n'),
    (["grad", "x^2", "x=3", "--cotangent", "2"], "value\t9\nd_x\t12\n"),
    (["grad", "x", "x=[1,2]", "--cotangent", "[1/2, pi/pi]"], "value\t[1, 2]\nd_x\t[0.5, 1]\n"),
    (["grad", "x*y", "x=2", "y=3", "--wrt", "y"], "value\t6\nd_y\t2\n"),
    (["grad", "x*y", "x=2", "y=3", "--wrt", "y", "--wrt", "x"], "value\t6\nd_y\t2\nd_x\t3\n"),
    (["grad", "x*y", "x=2", "y=3", "--wrt", " y , x "], "value\t6\nd_y\t2\nd_x\t3\n"),
    (["grad", "`a b`^2", "`a b`=3", "--wrt", "`a b`"], "value\t9\nd_a b\t6\n"),
    # several results: a line, or a block, for each
    (["eval", "r = x/y; (r, r^2)", "x=6", "y=2"], "r\t3\nr^2\t9\n"),
    (["eval", "(x, [x, 1])", "x=6", "--json"], '{"value": {"x": 6, "[x, 1]": [6, 1]}, "warnings": []}\n'),
    (["grad", "a = x*y; b = x + 1; (a, b)", "x=3", "y=2"],
     "a\t6\nd_a/d_x\t2\nd_a/d_y\t3\nb\t4\nd_b/d_x\t1\nd_b/d_y\t0\n"),
    (["grad", "a = x*y; b = x + 1; (a, b)", "x=3", "y=2", "--mode", "forward", "--wrt", "x", "--json"],
     '{"value": {"a": 6, "b": 4}, "grad": {"a": {"x": 2}, "b": {"x": 1}}, "warnings": []}\n'),
    (["grad", "(x, [x, x^2])", "x=3", "--cotangent", "(10, [1, 2])"],
     "x\t3\nd_x/d_x\t10\n[x, x^2]\t[3, 9]\nd_([x, x^2])/d_x\t13\n"),
    (["grad", "3"], "value\t3\n"),
    (["grad", "3", "--json"], '{"value": 3, "grad": {}, "warnings": []}\n'),
    # numbers: whole ones without a point, all others as Python's repr
    (["eval", "2.0"], "2\n"), (["eval", "-0.0"], "0\n"), (["eval", "1e15"], "1000000000000000\n"),
    (["eval", "1e16"], "1e+16\n"), (["eval", "0.1 + 0.2"], "0.30000000000000004\n"), (["eval", "1e-7"], "1e-07\n"),
    (["eval", "-0.0", "--json"], '{"value": -0.0, "warnings": []}\n'),
    (["eval", "[]"], "[]\n"), (["eval", "zeros([2,0])"], "[[], []]\n"),
    (["eval", "1/3", "--precision", "3"], "0.333\n"), (["eval", "2/3", "--precision=1"], "0.7\n"),
    (["eval", "[1/3, 12345678]", "--precision", "4"], "[0.3333, 1.235e+07]\n"),
    (["eval", "1/3", "--precision", "4", "--json"], '{"value": 0.3333, "warnings": []}\n'),
    (["grad", "x^3", "x=1/3", "--precision", "2"], "value\t0.037\nd_x\t0.33\n"),
    # expressions that begin with a minus sign work as typed
    (["eval", "-x^2", "x=3"], "-9\n"), (["eval", "-1"], "-1\n"), (["eval", "--1"], "1\n"), (["eval", "---1"], "-1\n"),
    (["eval", "-x", "x=-3"], "3\n"), (["eval", "--", "--x", "x=3"], "3\n"),
    (["grad", "-x^2", "x=3"], "value\t-9\nd_x\t-6\n"), (["eval", "-sin(0)"], "0\n"),
    # options stand anywhere
    (["eval", "--json", "x", "x=3"], '{"value": 3, "warnings": []}\n'), (["eval", "x", "-q", "x=3"], "3\n"),
    (["eval", "x=3"], "3\n"), (["eval", "x == 3", "x=3"], "1\n"),
    # values
    (["eval", "x", "x= 1_000 "], "1000\n"), (["eval", "x", "x=pi/2"], "1.5707963267948966\n"),
    (["eval", "x", "x=-2"], "-2\n"),
    (["eval", "x", "x=[1, [2][0]]"], "[1, 2]\n"), (["eval", "x", "x=2^10"], "1024\n"), (["eval", "x", "x=.5"], "0.5\n"),
    (["eval", "e", "e=3"], "3\n"), (["eval", "max + 1", "max=2"], "3\n"), (["eval", "θ", "θ=2"], "2\n"),
    (["eval", "`a b`", "`a b`=2"], "2\n"), (["eval", "x₁", "x₁ = 2"], "2\n"), (["eval", "9^9^9 > 1", "-q"], "1\n"),
]  # fmt: skip


@for_each(("arguments", "expected"), RESULTS)
def test_results_are_exact(arguments: list[str], expected: str, capsys: Capture) -> None:
    assert cg(capsys, *arguments) == (0, expected, "")


MODES = [
    ["sin(x)*y + y^2", "x=1", "y=2"],
    ["sum(softmax(M @ v)^2)", "M=[[1,2],[3,4]]", "v=[0.5,-1]"],
    ["x*y", "x=[1,2]", "y=3", "--cotangent", "[1,10]"],
    ["x*M", "x=2", "M=[[1,2],[3,4]]", "--cotangent", "[[1,0],[0,2]]", "--wrt", "M,x,z"],
    ["abs(x) + max(y, 0)", "x=0", "y=0"],
]


@for_each("arguments", MODES)
def test_both_modes_print_the_same(arguments: list[str], capsys: Capture) -> None:
    backward = cg(capsys, "grad", *arguments, "--precision", "12", "--mode", "reverse")
    assert cg(capsys, "grad", *arguments, "--precision", "12", "--mode", "forward") == backward
    assert backward.code == 0


# ---- values from files and streams ----------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs and values in files, in the current directory."""
    monkeypatch.chdir(tmp_path)
    np.save("v.npy", np.arange(3))
    np.save("scalar.npy", np.float32(0.5))
    np.save("fortran.npy", np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]))
    for name, text in {
        "v.json": "[1, 2.5]",
        "v.csv": "1\n2\n",
        "M.csv": "1,2\n3,4\n",
        "vars.json": '{"x": 3, "unused": [1], "big": 123456789012345678901234567890}',
        "huge.json": '{"x": 1' + "0" * 5000 + "}",
        "bom.json": '\ufeff{"x": 3}',
        "square.cg": "# the square\n\n# of x\nx^2\n",
        "dos.cg": "\ufeffa = x^2\r\na + 1\r\n",
    }.items():
        Path(name).write_text(text, encoding="utf-8")


FROM_FILES: list[tuple[list[str], str]] = [
    (["eval", "x", "x=@v.npy"], "[0, 1, 2]\n"),
    (["eval", "x", "x=@scalar.npy"], "0.5\n"),
    (["eval", "x[0]", "x=@fortran.npy"], "[1, 2]\n"),
    (["eval", "x", "x=@v.json"], "[1, 2.5]\n"),
    (["eval", "x", "x=@v.csv"], "[1, 2]\n"),
    (["eval", "x", "x=@M.csv"], "[[1, 2], [3, 4]]\n"),
    (["eval", "x", "--vars", "bom.json"], "3\n"),
    (["eval", "x", "--vars=bom.json"], "3\n"),
    (["eval", "x", "x=4", "--vars", "bom.json"], "4\n"),
    (["eval", "x > 1e308", "--vars", "huge.json"], "1\n"),
    (["eval", "-f", "square.cg", "x=3"], "9\n"),
    (["eval", "x=3", "-f", "square.cg"], "9\n"),
    (["eval", "--file", "dos.cg", "x=3"], "10\n"),
    (["grad", "-f", "square.cg", "--vars", "bom.json"], "value\t9\nd_x\t6\n"),
    (["grad", "x", "x=[1,2]", "--cotangent", "@v.csv"], "value\t[1, 2]\nd_x\t[1, 2]\n"),
]


@pytest.mark.usefixtures("files")
@for_each(("arguments", "expected"), FROM_FILES)
def test_values_and_programs_come_from_files(arguments: list[str], expected: str, capsys: Capture) -> None:
    assert cg(capsys, *arguments) == (0, expected, "")


@pytest.mark.usefixtures("files")
def test_a_big_whole_number_in_json_is_the_nearest_float(capsys: Capture) -> None:
    assert cg(capsys, "eval", "big", "--vars", "vars.json", "-q").out == "1.2345678901234568e+29\n"


@pytest.mark.parametrize("arguments", [["eval", "-", "x=3"], ["eval", "-f", "-", "x=3"], ["eval", "x=3", "-f", "-"]])
def test_the_program_comes_from_standard_input(
    arguments: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, "\ufeff# square\nx²\n".encode())
    assert cg(capsys, *arguments) == (0, "9\n", "")


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [(b"", 2, "no expression"), (b"\xff", 1, "not UTF-8"), (b"2x", 2, "<stdin>:1:1"), (b" " * 16_000_001, 1, "longer")],
)
def test_standard_input_that_is_no_program(
    data: bytes, code: int, message: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, data)
    result = cg(capsys, "eval", "-")
    assert (result.code, result.out) == (code, "")
    assert message in result.err


# ---- warnings -------------------------------------------------------------------------

# Arguments, standard output, the first lines of the warnings, and what the JSON says of each.
WARNED: list[tuple[list[str], str, list[str], list[dict[str, object]]]] = [
    (["eval", "1/0"], "inf", ["1/0 is infinite"], [{"kind": "infinity", "operation": "divide", "node": "1/0"}]),
    (["eval", "2 + sqrt(-1)"], "nan", ["sqrt(-1) is nan"],
     [{"kind": "nan", "operation": "sqrt", "node": "sqrt(-1)", "line": 1, "column": 5}]),
    (["eval", "x", "x=nan"], "nan", ["the input 'x' is nan"], [{"kind": "nan", "node": "x"}]),
    (["eval", "(-8)^(1/3)"], "nan", ["is nan"], [{"kind": "nan", "operation": "power"}]),
    (["eval", "(-1)!"], "inf", ["(-1)! is infinite"], [{"kind": "infinity", "operation": "factorial"}]),
    (["eval", "x*ln(x)", "x=0"], "nan", ["ln(0) is infinite", "0*(-inf) is nan"],
     [{"kind": "infinity"}, {"kind": "nan"}]),
    (["eval", "x", "x=1", "y=2"], "1", ["'y' is bound, but"], [{"kind": "unused"}]),
    (["eval", "1\n+2"], "2", ["line 1, column 1: nothing uses the value"], [{"kind": "unused"}]),
    (["grad", "abs(x)", "x=0"], "value\t0\nd_x\t0", ["abs(0) is at a kink"], [{"kind": "kink", "operation": "abs"}]),
    (["grad", "x^2", "x=3", "--wrt", "x,y"], "value\t9\nd_x\t6\nd_y\t0", ["'y' is not in the expression"],
     [{"kind": "absent"}]),
    (["grad", "x^2", "x=3", "y=[1,2]", "--wrt", "y"], "value\t9\nd_y\t[0, 0]", ["'y' is not in"], [{"kind": "absent"}]),
    (["grad", "sqrt(x)", "x=0"], "value\t0\nd_x\tinf", ["is infinite in the derivative"], [{"kind": "infinity"}]),
]  # fmt: skip


@for_each(("arguments", "out", "first_lines", "entries"), WARNED)
def test_a_warning_is_on_stderr_in_the_json_and_under_strict_an_error(
    arguments: list[str], out: str, first_lines: list[str], entries: list[dict[str, object]], capsys: Capture
) -> None:
    plain = cg(capsys, *arguments)
    assert (plain.code, plain.out) == (0, out + "\n")
    warned = [line for line in plain.err.splitlines() if line.startswith("cg: ")]
    assert len(warned) == len(first_lines)
    for line, expected in zip(warned, first_lines, strict=True):
        assert line.startswith("cg: warning: ")
        assert expected in line

    assert cg(capsys, *arguments, "-q") == (0, out + "\n", "")

    as_json = cg(capsys, *arguments, "--json")
    found = json.loads(as_json.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))["warnings"]
    assert as_json.err == plain.err
    assert [entry | expected for entry, expected in zip(found, entries, strict=True)] == found

    strict = cg(capsys, *arguments, "--strict")
    assert (strict.code, strict.out) == (1, "")
    assert strict.err.count("cg: error: ") == 1


# A program with its values, and the constants in it that may be meant as variables.
READ_AS_CONSTANTS: list[tuple[list[str], list[str]]] = [
    (["sin(pi/2)*x", "x=1"], []),
    (["2*pi*r", "r=2"], []),
    (["e^x", "x=2"], []),
    (["e**(-r*t)", "r=0.1", "t=2"], []),
    (["pow(e, x)", "x=2"], []),
    (["x*e^(2*pi)", "x=2"], []),
    (["exp(1)*x", "x=2"], []),
    (["e"], []),
    (["tau"], []),
    (["tau/2 + e^2"], ["tau is read as 2*pi", "e is read as exp(1)"]),
    (["a*(1 - e^2)", "a=2", "e=0.5"], []),
    (["e: []; a*(1 - e^2)", "a=2", "e=0.5"], []),
    (["e = 0.5; a*e", "a=2"], []),
    (["f(e) = e^2; f(a)", "a=2"], []),
    (["f(x, e) = x*e^2", "x=2", "e=0.5"], []),
    (["tau = 3; exp(-t/tau)", "t=2"], []),
    (["sum(e=1..3, e)"], []),
    (["s = 0; for tau in 1..3 { s = s + tau }; s"], []),
    (["(e, b) = (2, 3); e*b"], []),
    (["solve(e^2 = a, e=1)", "a=2"], []),
    (["sum(i=1..3, e*i)"], ["e is read as exp(1)"]),
    (["exp(-t/tau)", "t=2"], ["tau is read as 2*pi"]),
    (["x*τ", "x=1"], ["τ is read as 2*pi"]),
    (["a*(1 - e^2)", "a=2"], ["e is read as exp(1)"]),
    (["a*e^-1", "a=2"], ["e is read as exp(1)"]),
    (["e^(x*e)", "x=2"], ["e is read as exp(1)"]),
    (["f(x) = e*x; f(tau)*y + tau", "y=1"], ["e is read as exp(1)", "tau is read as 2*pi"]),
]


@for_each(("operands", "messages"), READ_AS_CONSTANTS)
def test_a_constant_that_may_be_meant_as_a_variable_is_named(
    operands: list[str], messages: list[str], capsys: Capture
) -> None:
    """Protects time constants and eccentricities, which would be numbers in silence; it is no fault of the numbers."""
    plain = cg(capsys, "eval", *operands)
    assert plain.code == 0
    found = [line.removeprefix("cg: warning: ") for line in plain.err.splitlines() if line.startswith("cg: ")]
    assert found == messages
    assert all(f"or declare it: {message.split()[0]}: []" in plain.err for message in messages)
    assert cg(capsys, "eval", *operands, "-q") == (0, plain.out, "")
    assert cg(capsys, "eval", *operands, "--strict") == plain
    entries = json.loads(cg(capsys, "eval", *operands, "--json").out)["warnings"]
    assert [(entry["kind"], entry["message"]) for entry in entries] == [("reading", message) for message in messages]
    for command in (["grad"], ["diff"], ["simplify"], ["trace"], ["render", "-o", "-"]):
        if any("=" in operand for operand in operands[1:]) and not (command == ["diff"] and len(operands) == 1):
            assert cg(capsys, command[0], *operands, *command[1:]).err.count(" is read as ") == len(messages)


def test_a_constant_is_a_name_where_one_differentiates_by_it(capsys: Capture) -> None:
    assert cg(capsys, "diff", "x*exp(-t/tau)", "--wrt", "tau") == (0, "tau: []\nt*x*exp(-t/tau)/tau^2\n", "")
    assert cg(capsys, "grad", "x*tau^2", "x=2", "tau=3", "--wrt", "tau") == (0, "value\t18\nd_tau\t12\n", "")
    assert cg(capsys, "diff", "a*(1 - e^2)", "--wrt", "a,e", "--latex").err == ""
    assert diff("a*(1 - e^2)", "e") == "e: []; -2*a*e"


def test_a_constant_is_a_name_among_the_parameters_of_the_program(capsys: Capture) -> None:
    assert cg(capsys, "diff", "f(x, e) = x*e^2", "--wrt", "x") == (0, "e: []\ne^2\n", "")
    missing = cg(capsys, "eval", "g(x) = x*tau; f(x, tau) = g(x)", "x=2")
    assert missing.code == 2
    assert "no value for 'tau'" in missing.err
    assert cg(capsys, "eval", "g(x) = x*tau; f(x, tau) = g(x)*tau", "x=2", "tau=3") == (0, "18\n", "")
    assert cg(capsys, "eval", "pi = 3; f(x, pi) = pi*x", "x=2") == (0, "6\n", "")


def test_what_cg_prints_is_read_without_a_note(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects pipes: a constant that the user meant is written so that nobody asks about it again."""
    for program in ["2*pi*x^2", "e^x*x^2", "exp(1)*x^2", "exp(x + 1)", "x*sin(x*acos(-1)*2)", "2^x*e^(-x)"]:
        formula = cg(capsys, "diff", program)
        assert (formula.code, formula.err) == (0, "")
        feed(monkeypatch, formula.out.encode())
        assert cg(capsys, "eval", "-", "x=0.5").err == ""
    feed(monkeypatch, b"x*tau")
    assert "tau is read as 2*pi" in cg(capsys, "eval", "-", "x=0.5").err


def test_json_writes_null_for_what_is_no_number(capsys: Capture) -> None:
    assert json.loads(cg(capsys, "eval", "[1/0, -1/0, 0/0, 1]", "--json").out)["value"] == [None, None, None, 1]


# ---- cotangents -----------------------------------------------------------------------

COTANGENTS = [
    ([], "--cotangent"),
    (["--cotangent", "1"], "the cotangent has shape [], and the value [2]"),
    (["--cotangent", "[1,2,3]"], "the cotangent has shape [3], and the value [2]"),
    (["--cotangent", "[[1,2]]"], "the cotangent has shape [1, 2]"),
    (["--cotangent", "abc"], "--cotangent is not a number: 'abc'"),
    (["--cotangent", "[1,y]"], "--cotangent is not a number: 'y'"),
    (["--cotangent", ""], "--cotangent is missing"),
    (["--cotangent"], "option '--cotangent' needs a value"),
]


@for_each(("arguments", "message"), COTANGENTS)
def test_a_value_that_is_no_scalar_needs_a_cotangent_of_its_shape(
    arguments: list[str], message: str, capsys: Capture
) -> None:
    result = cg(capsys, "grad", "x", "x=[1,2]", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_the_message_names_the_option_and_the_command_that_help(capsys: Capture) -> None:
    err = cg(capsys, "grad", "x", "x=[1,2]").err
    assert "--cotangent" in err
    assert "cg jacobian" in err


# ---- help -----------------------------------------------------------------------------

COMMANDS = list(commands.COMMANDS)


@for_each("command", COMMANDS)
def test_every_command_has_a_help_page(command: str, capsys: Capture) -> None:
    result = cg(capsys, command, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: cg {command} ")
    assert f"cg {command} " in result.out.split("Options:")[0].partition("\n")[2]
    assert cg(capsys, command, "-h") == result


def test_the_help_page_lists_every_command(capsys: Capture) -> None:
    result = cg(capsys, "--help")
    assert (result.code, result.err) == (0, "")
    assert all(f"\n  {command} " in result.out for command in COMMANDS)


def test_no_command_shows_the_help_page(capsys: Capture) -> None:
    result = cg(capsys)
    assert (result.code, result.out) == (2, "")
    assert result.err == cg(capsys, "--help").out


def test_the_readme_names_every_command() -> None:
    text = README.read_text(encoding="utf-8")
    assert all(f"cg {command}" in text for command in COMMANDS)


@pytest.mark.parametrize("command", ["eval", "grad"])
def test_help_and_readme_name_every_format(command: str, capsys: Capture) -> None:
    """Protects who adds a format: its entry is all that help needs, and the README is not forgotten."""
    page, readme = " ".join(cg(capsys, command, "--help").out.split()), README.read_text(encoding="utf-8")
    *names, last = FORMATS
    assert f"-i, --input-format FORMAT Read rows as {', '.join(names)} or {last} (default" in page
    *titles, last = (entry.title for entry in FORMATS.values())
    assert f"{', '.join(titles)} and {last}, compressed" in page
    assert all(title in readme for title in (*titles, last))


def test_help_imports_neither_numpy_nor_lark() -> None:
    code = (
        "import sys; from cgcli.cli.main import run; "
        "run(['--help']); run(['eval', '--help']); run(['grad', '--help']); "
        "print({'numpy', 'lark', 'scipy', 'graphviz', 'pyarrow'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"


# ---- the process ----------------------------------------------------------------------


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """A shell command in which $CG is the program."""
    program = f"'{sys.executable}' -c 'from cgcli.cli.main import main; main()'"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; cg() {{ {program} \"$@\"; }}; {command}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


# A command, its exit code, and what it prints on each stream.
PROCESSES = [
    ("cg eval 'zeros(5*10^5)' | head -c 7", 0, "[0, 0, ", ""),
    ("cg eval 'zeros(5*10^5)' --json | head -c 7", 0, '{"value', ""),
    ("cg --help | true", 0, "", ""),
    ("cg eval 1 | true", 0, "", ""),
    ("PYTHONUNBUFFERED= cg eval 1 > /dev/full", 1, "", "cg: error: No space left on device\n"),
    ("PYTHONUNBUFFERED=1 cg eval 1 > /dev/full", 1, "", "cg: error: No space left on device\n"),
    ("cg eval 1 >&-", 1, "", "cg: error: standard output is closed\n"),
    ("cg eval - <&-", 2, "", "cg: error: standard input is closed\n"),
    ("cg eval 1/0 2>&-", 0, "inf\n", ""),
    ("cg eval 1/0 2>/dev/full", 0, "inf\n", ""),
    ("PYTHONUNBUFFERED= cg eval 1/0 2> >(true)", 0, "inf\n", ""),
    ("cg eval '1+' 2>/dev/full", 2, "", ""),
    ("cg eval '1+' 2> >(true)", 2, "", ""),
    ("cg eval 1/x x=-1:1:3 --strict 2>/dev/full", 1, "x,value\n-1,-1\n", ""),
    ("echo 'x^2' | cg eval - x=3", 0, "9\n", ""),
    (
        "echo 'x\n1' | cg eval x",
        2,
        "",
        "cg: error: no value for 'x'\n  x\n  ^\n"
        "  as in: x=3; for the rows of standard input write '-' behind the expression\n",
    ),
    ("cg eval -f <(echo 'x^2') x=3", 0, "9\n", ""),
    ("cg eval x --vars <(echo '{\"x\": 3}')", 0, "3\n", ""),
    ("NO_COLOR=1 cg eval 2+sni", 2, "", "cg: error: no value for 'sni'\n  2+sni\n    ^^^\n  as in: sni=3\n"),
    ("PYTHONIOENCODING=ascii cg eval θ θ=2", 0, "2\n", ""),
    ("LC_ALL=C cg grad θ^2 θ=2", 0, "value\t4\nd_θ\t4\n", ""),
]


@pytest.mark.parametrize(("command", "code", "out", "err"), PROCESSES)
def test_the_process_and_its_streams(command: str, code: int, out: str, err: str) -> None:
    """Protects pipelines: no reader that goes, no full disk and no closed stream changes what the others get."""
    done = shell(command)
    assert (done.returncode, done.stdout, done.stderr) == (code, out, err)


ENDLESS = "x = 1; while x > 0 { for i in 1..1e6 { x = x + 1 } }; x"


@for_each("arguments, seconds", [
    (arguments, seconds) for arguments in (["-"], [ENDLESS, "--max-trips", "999999999999999"])
    for seconds in (0, 0.02, 0.1, 0.7)
])  # fmt: skip
def test_an_interrupt_ends_with_130(arguments: list[str], seconds: float) -> None:
    """Protects whoever waits: for the command to be imported, for input that does not come, or for a loop's trips.

    Before the command has its own answer to a signal it ends by that, which a shell calls 130, too.
    """
    begin = (
        "import os, signal; from cgcli.cli.start import main\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL); os.write(2, b'@'); main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", begin, "eval", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.read(1) == b"@"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (out, err.strip()) == (b"", b"")
    assert process.returncode in (130, -signal.SIGINT)


@for_each("place", [
    "class Freed:\n    def __del__(self): interrupt()\nmain._run = lambda arguments: Freed() and time.sleep(20)",
    "main.limit_threads = interrupt", "main.commands.command = interrupt",
    "import cgcli.cli.hints; cgcli.cli.hints.hint_of = interrupt", "main.say = interrupt",
])  # fmt: skip
def test_an_interrupt_at_any_place_ends_with_130(place: str) -> None:
    """Protects whoever waits: what Python calls while it frees memory drops exceptions, and errors become text."""
    begin = (
        "import os, signal, time; from cgcli.cli import main\n"
        "def interrupt(*given): os.kill(os.getpid(), signal.SIGINT); time.sleep(20)\n"
        f"signal.signal(signal.SIGINT, signal.SIG_DFL)\n{place}\nmain.main()"
    )
    done = subprocess.run([sys.executable, "-c", begin, "eval", "1 +"], capture_output=True, timeout=19)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, b"", b"")


def test_output_does_not_depend_on_the_terminal() -> None:
    """The same bytes whatever the environment says of colours and widths."""
    plain = subprocess.run([*CG, "grad", *TWO], capture_output=True, check=True).stdout
    wide = {**os.environ, "COLUMNS": "20", "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    assert subprocess.run([*CG, "grad", *TWO], capture_output=True, check=True, env=wide).stdout == plain
