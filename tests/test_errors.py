"""What goes wrong: one message with its place and a fix, the right exit code, nothing on stdout, no traceback."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import cgcli
from cgcli.errors import CgError, ParseError
from cgcli.ops.table import FUNCTIONS
from cgcli.syntax.elsewhere import INSTEAD
from cgcli.syntax.parser import parse
from tests.command import CG, Capture, cg
from tests.for_each import for_each

BOUND = ["x=2", "v=[1,2,3]", "M=[[1,2,3],[4,5,6]]", "-q"]


def cells(text: str) -> int:
    """The width of a text on the terminal, for the characters of these tests."""
    return sum(2 if ord(character) > 0x2E80 else 1 for character in text)


def marked(text: str, carets: str) -> list[str]:
    """The pieces of a shown line that the carets below it underline."""
    cell, under = 0, ""
    for character in text:
        under += carets[cell : cell + 1] or " "
        cell += cells(character)
    return [text[slice(*match.span())] for match in re.finditer(r"\^+", under)]


def row_of(line: str) -> tuple[str, str, str, str]:
    """The four columns of a line of the table."""
    text, message, underlined, hint = (part.strip(" ") for part in f"{line} ".rsplit(" | ", 3))
    return text.replace("\\t", "\t"), message, underlined, hint


MISTAKES = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
ROWS = [row_of(line) for line in MISTAKES if not line.startswith("# ")]


@for_each(("text", "message", "underlined", "hint"), ROWS)
def test_an_error_names_the_place_in_the_text(
    text: str, message: str, underlined: str, hint: str, capsys: Capture
) -> None:
    result = cg(capsys, "eval", text, *BOUND)
    assert (result.code, result.out) == (2, "")
    first, shown, carets, *rest = result.err.splitlines()
    assert first == f"cg: error: {message}"
    assert shown == "  " + text.replace("\t", " ")
    assert [piece.strip(" ") for piece in marked(shown, carets)] == re.split(" {2,}", underlined)
    assert "".join(rest).strip() == hint
    assert len(rest) == bool(rest)


FIX = re.compile(r"write (?!'|.*…)(.+?)(?:,? (?:or|which) |; (?=[a-z]+,? [a-z])| for | to |$)")


def mistake_in(text: str) -> ParseError | None:
    """What the parser has against a text."""
    try:
        parse(text, "", FUNCTIONS.__contains__)
    except ParseError as error:
        return error
    return None


def test_what_a_hint_says_to_write_can_be_read() -> None:
    """The underlined text, replaced by what the hint gives, leads past that mistake."""
    tried = 0
    for text, *_ in ROWS:
        error = mistake_in(text)
        fix = FIX.search(error.hint) if error else None
        if error is None or fix is None or error.span is None or error.also:
            continue
        tried += 1
        mended = text[: error.span.start] + fix[1] + text[error.span.end :]
        another = mistake_in(mended)
        if another is not None and another.span is not None:
            beyond = another.span.start >= error.span.start + len(fix[1])
            assert beyond or another.message != error.message, (text, mended)
    assert tried > 100


def test_what_stands_for_another_tools_function_is_there() -> None:
    """No name of the table is a function of the language, and each function that is offered is one."""
    for name, hint in INSTEAD.items():
        assert name not in FUNCTIONS
        assert {*re.findall(r"(\w+)\(", str(hint))} <= {*FUNCTIONS, "D"}


def refused(text: str, values: dict[str, object]) -> CgError | None:
    """What is wrong with a text, if anything."""
    try:
        cgcli.value(text)(**values)
    except CgError as error:
        return error
    return None


def mended(text: str, bound: list[str]) -> NDArray[np.float64]:
    """The value of a text after all that the hints say was done, one after the other."""
    values = {name: json.loads(value) for name, _, value in (item.partition("=") for item in bound)}
    for _ in range(8):
        error = refused(text, values)
        if error is None:
            return np.asarray(cgcli.value(text)(**values))
        fix = FIX.search(error.hint) or re.search("did you mean '(.*)'", error.hint)
        assert error.span is not None, (text, error.message)
        assert fix or error.hint.startswith("take it away"), (text, error.hint)
        text = text[: error.span.start] + (fix[1] if fix else "") + text[error.span.end :]
    raise AssertionError(f"the hints do not lead to a value: {text}")


MENDED = [
    line.rsplit(" -> ", 1)
    for line in Path(__file__).with_name("mended.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("# ")
]


@pytest.mark.filterwarnings("ignore:.*is bound, but:cgcli.CgWarning")
@for_each(("text", "value"), MENDED)
def test_the_hints_lead_to_what_was_meant(text: str, value: str) -> None:
    """One hint after the other is followed to the letter; the value is that of the other tool."""
    found = mended(text.replace("⏎", "\n"), [*BOUND[:3], "A=[[2,0],[0,4]]", "b=[2,4]"])
    assert found.shape == np.shape(json.loads(value))
    assert np.allclose(found, json.loads(value), rtol=1e-9)


INVISIBLE = [
    ("1 + \0", 5, "U+0000"),
    ("x\u200b+1", 2, "ZERO WIDTH SPACE"),
    ("x\u200f+1", 2, "RIGHT-TO-LEFT MARK"),
    ("\u2060x", 1, "WORD JOINER"),
    ("日本\u00ad", 3, "SOFT HYPHEN"),
]


@for_each(("text", "column", "name"), INVISIBLE)
def test_what_cannot_be_seen_is_named(text: str, column: int, name: str, capsys: Capture) -> None:
    message, shown, carets, hint = cg(capsys, "eval", text).err.splitlines()
    assert message == f"cg: error: an invisible character ({name}) cannot stand here"
    assert marked(shown, carets) == ["\ufffd"]
    assert shown[2:].index("\ufffd") == column - 1
    assert hint == "  take it away"


PLACES = [
    ("1 +\n 2", "line 1, column 3:"),
    ("x = 1\n\n\n  y = 2 + sni(x)\n y", "line 4, column 11:"),
    ("a = (1 +\n  2 +\n  sni(1))\na", "line 3, column 3:"),
    ("日本 = 1\n日本 + é́", "line 2, column 7:"),
    ("# one\r\nx = 1\r\n2x", "line 3, column 1:"),
    ("f(a) = a +\n  1", "line 1, column 10:"),
    ("v = [1, 2, 3]\nw = [1, 2]\n\nsum(v*\tw)", "line 4, column 5:"),
    ("f(p) = p + [1, 2]\nf([1,\n 2, 3])", "line 1, column 8:"),
    ("[1,\n [2]]", "line 1, column 2:"),
    ("(1 +\n 2]", "line 2, column 3:"),
    ("a = 1\nb = np.sin(a)\nb", "line 2, column 5:"),
]


@for_each(("text", "place"), PLACES)
def test_a_program_of_several_lines_names_line_and_column(text: str, place: str, capsys: Capture) -> None:
    result = cg(capsys, "eval", text)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"cg: error: {place}")


def test_a_file_is_named_in_the_message(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "p.cg"
    path.write_text("a = 1\n2 + sni(a)\n", encoding="utf-8")
    assert cg(capsys, "eval", "-f", str(path)).err == (
        f"cg: error: {path}:2:5: unknown function 'sni'\n  2 + sni(a)\n      ^^^\n  did you mean 'sin'?\n"
    )


SEVERAL_LINES = [
    (
        "v = [1, 2, 3]\nhypot(v,\n  [1, 2])",
        ["line 2, column 7: hypot: shapes [3] and [2] do not broadcast",
         "  hypot(v,", "        ^", "    [1, 2])", "    ^^^^^^",
         "  sizes must be equal, or 1, counted from the last axis"],
    ),
    ("f(1,\n  [2\n)", ["line 3, column 1: '[' is closed by ')'", "    [2", "    ^", "  )", "  ^", "  write ']'"]),
    (
        "f(p, q) = p*q\nf([1, 2],\n  [1, 2, 3])",
        ["line 1, column 11: shapes [2] and [3] do not broadcast, in the call f([1, 2], [1, 2, 3])", "  f(p, q) = p*q",
         "            ^ ^", "  sizes must be equal, or 1, counted from the last axis"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "lines"), SEVERAL_LINES)
def test_each_line_with_a_part_of_the_mistake_is_shown(text: str, lines: list[str], capsys: Capture) -> None:
    assert cg(capsys, "eval", text).err.splitlines() == [f"cg: error: {lines[0]}", *lines[1:]]


def test_operands_far_apart_on_one_line_are_both_shown(capsys: Capture) -> None:
    lines = cg(capsys, "eval", "[1, 2" + " " * 500 + "] + [1, 2, 3]").err.splitlines()
    assert len(lines) == 6
    assert all(len(line) < 85 for line in lines)
    assert lines[4].endswith("   " + "^" * 9)


def test_the_underline_of_an_accent_stands_under_its_letter(capsys: Capture) -> None:
    assert cg(capsys, "eval", "2 + e\u0301").err.splitlines()[1:] == [
        "  2 + e\u0301",
        "      ^",
        "  write 'é' as one character",
    ]


def test_a_long_line_is_cut_to_a_window_around_the_mistake(capsys: Capture) -> None:
    _, shown, carets, hint = cg(capsys, "eval", "1+" * 5000 + "sni(1)" + "+1" * 5000).err.splitlines()
    assert len(shown) < 85
    assert shown[carets.index("^") :].startswith("sni(")
    assert hint == "  did you mean 'sin'?"


@pytest.mark.parametrize("text", ["x" * 1_000_000, "`" + "é" * 1_000_000 + "`", "sni" * 100_000 + "(1)"])
def test_a_long_name_makes_no_long_message(text: str, capsys: Capture) -> None:
    result = cg(capsys, "eval", text)
    assert (result.code, result.out) == (2, "")
    assert len(result.err) < 2500


@for_each("text", ["1 + \0", "`a\x1b[31mb`", "sni\x1b[31m(1)", "1\r2", "\x07", "1\u202e2", "\udcff + 1"])
def test_control_characters_do_not_reach_the_terminal(text: str, capsys: Capture) -> None:
    result = cg(capsys, "eval", text)
    assert (result.code, result.out) == (2, "")
    assert all(character.isprintable() for character in result.err.replace("\n", ""))


NAMES = [
    (["max*max(max, 1)", "max=3"], "9"),
    (["e*2", "e=3"], "6"),
    (["sin = 2; sin(0*sin)"], "0"),
    (["x₁ + θ + größe + имя", "x₁=1", "θ=2", "größe=3", "имя=4"], "10"),
    (["`a b` + `x.y` + `😀`", "`a b`=1", "`x.y`=2", "`😀`=3"], "6"),
    (["`e\u0301`*2", "`e\u0301`=3"], "6"),
    (["x + X", "x=1", "X=2"], "3"),
    (["y" * 10_000, "y" * 10_000 + "=7"], "7"),
]


@for_each(("arguments", "value"), NAMES)
def test_a_name_is_any_word_of_the_user(arguments: list[str], value: str, capsys: Capture) -> None:
    assert cg(capsys, "eval", *arguments) == (0, f"{value}\n", "")


@for_each("piece", ["x ", "(", "1,000 ", "|", "'", "[1 ", "- ", "sin x ", "{", "if x then ", "e\u0301"])
def test_a_mistake_in_a_long_text_is_told(piece: str) -> None:
    assert mistake_in(piece * (9_000 // len(piece)) + "2 2x ?") is not None


# ---- operands and options -------------------------------------------------------------

COMMAND_LINES = [
    (["eval"], 2, "there is no expression", "cg eval"),
    (["eval", ""], 2, "there is no expression", "cg eval"),
    (["diff", " "], 2, "there is no expression", "cg diff 'x^2 + 1'"),
    (["eval", " \n # only a comment"], 2, "there is no expression", "x^2 + 1"),
    (["grad", "x=1", "x*y", "y=2"], 2, "the expression 'x*y' stands after the value x=1", "comes first"),
    (["grad", "x", "-f", "p.cg"], 2, "two programs, 'x' and that of 'p.cg'", "EXPR or -f, not both"),
    (["grad", "x*y", "x=1", "y=2", "--wrt", "x y"], 2, "--wrt 'x y' is no name", "--wrt x,y"),
    (["grad", "x*tau", "x=1", "--wrt", "tau"], 2, "no value for 'tau'", "as in: tau=3"),
    (["eval", "a_max", "a=1"], 2, "no value for 'a_max'", "as in: a_max=3"),
    (["grad", "x^2", "x=1", "--order", "2", "--mode", "reverse"], 2, "--order 2", "leave out --mode reverse"),
    (["grad", "(x, sum(x))", "x=[1,2]", "--cotangent", "[1,1],1"], 2, "a comma cannot stand", "brackets: '([1,1],1)'"),
    (["grad", "x^2", "x=1", "--taylor", "--cotangent", "1"], 2, "--taylor is for each", "weigh the elements"),
    (["grad", "sum(x^2)", "x=[1,2]", "--order", "2"], 2, "x [2]", "cg jvp --tangent 'x=[1, 0, …]' --order 2"),
    (["grad", "a*b", "a=1", "b=2", "--order", "2"], 2, "a, b", "--wrt a; or go along a direction"),
    (["eval", "x"], 2, "no value for 'x'", "x=3"),
    (["eval", "x₁ + 1", "x1=1"], 2, "no value for 'x₁'", "did you mean 'x1'?"),
    (["eval", "x1 + 1", "x₁=1"], 2, "no value for 'x1'", "did you mean 'x₁'?"),
    (["eval", "α*β", "alpha=1", "beta=2"], 2, "no value for 'α', 'β'", "did you mean 'alpha'?"),
    (["eval", "lambda_1", "λ₁=1"], 2, "no value for 'lambda_1'", "did you mean 'λ₁'?"),
    (["eval", "x + xy", "x=1", "y=2"], 2, "no value for 'xy'", "to multiply, write x*y"),
    (["eval", "zeta(1.0001)", "--digits", "1000"], 2, "with 1015 digits takes", "ask for fewer digits"),
    (["eval", "longname", "longnmae=3"], 2, "no value for 'longname'", "did you mean 'longnmae'"),
    (["eval", "x", "X=3"], 2, "no value for 'x'", "did you mean 'X'"),
    (["eval", "sum(i=1..3, x_i)", "x=[1,2,3]"], 2, "no value for 'x_i'", "an element of 'x' is x[i]"),
    (["eval", "x_1", "x=[1,2,3]"], 2, "no value for 'x_1'", "is x[1], and the first one has the index 0"),
    (["eval", "x", "x=1", "x=2"], 2, "'x' is bound twice", "one value"),
    (["eval", "x", "x="], 2, "the value of 'x' is missing", "pi/2"),
    (["eval", "x", "x=abc"], 2, "the value of 'x' is not a number: 'abc'", "an array [1, 2]"),
    (["eval", "x", "x=1,2"], 2, "the value of 'x': a comma", "[1,2]"),
    (["eval", "x", "x=1e"], 2, "the value of 'x': a number's exponent", "1e5"),
    (["eval", "x", "x=[1,2"], 2, "the value of 'x': '[' is never closed", "add ']'"),
    (["eval", "x", "x=zeros(10^12)"], 2, "the value of 'x': zeros", "limit"),
    (["eval", "x", "x==3"], 2, "'x==3' gives no value", "x=3"),
    (["eval", "x", "=3"], 2, "'=3' gives no value", "x=3"),
    (["eval", "x", "3=4"], 2, "'3=4' gives no value", "x=3"),
    (["eval", "x", "a b=4"], 2, "'a b=4' gives no value", "`a b`=3"),
    (["eval", "x", "x=1.000,5"], 2, "the value of 'x': a number has a decimal point", ""),
    (["eval", "x", "x=[1 2]"], 2, "the value of 'x': elements are set apart by commas", "write 1, 2"),
    (["eval", "x", "x=½"], 2, "the value of 'x': '½' is not read as a fraction", "(1/2)"),
    (["eval", "x", "x=3!!"], 2, "the value of 'x': a double factorial", "prod(arange(3, 0, -2))"),
    (["eval", "x", "=", "3"], 2, "'=' gives no value", "write x=3 without blanks"),
    (["eval", "x", "x=", "3"], 2, "cannot take data from '3'", "name=value"),
    (["eval", "x", "x:3"], 2, "cannot take data from 'x:3'", "write x=3"),
    (["eval", "x", "x->-3"], 2, "cannot take data from 'x->-3'", "write x=-3"),
    (["eval", "x", "+", "1"], 2, "cannot take data from '+'", "quote the whole expression, as in: 'x + 1'"),
    (["eval", "x", __file__, __file__], 2, "cannot take data", "the shell has put file names in place of '*'"),
    (["eval", "sinx", "x=3"], 2, "no value for 'sinx'", "did you mean sin(x)?"),
    (["eval", "log2x"], 2, "no value for 'log2x'", "did you mean log2(x)?"),
    (["eval", "`a\tb`"], 2, "a name cannot hold a control character", "rename it"),
    (["eval", "`a\x1b[31mb`"], 2, "a name cannot hold a control character", "rename it"),
    (["eval", "x", "--x=3"], 2, "no such option: --x", ""),
    (["eval", "x", "-x=3"], 2, "no such option: -x", "name=value"),
    (["eval", "x", "--", "--json"], 2, "'--json'", ""),
    (["eval", "x^2 x=3"], 2, "no operator between two values", "as in: cg eval 'x^2' x=3"),
    (["grad", "f(x) = x^^2", "x=3"], 2, "'^^' is not an operator", "write ^"),
    (["grad", "f(x) = |x|", "x=3"], 2, "an absolute value is not written with bars", "write abs(x)"),
    (["grad", "f'(x) = x", "x=3"], 2, "a derivative is not written with a prime", "cg grad"),
    (["eval", "x", "data.csv"], 1, "cannot read 'data.csv': no such file or directory", ""),
    (["vjp", "x", "data.csv"], 2, "cannot take data from 'data.csv'", "--vars FILE.json"),
    (["vjp", "x", "-"], 2, "cannot take data from '-'", "name=value"),
    (["eval", "x", "--precision", "0"], 2, "--precision", "cg eval --help"),
    (["eval", "x", "--precision", "18"], 2, "--precision", "cg eval --help"),
    (["eval", "x", "--precision", "a"], 2, "--precision", "cg eval --help"),
    (["eval", "x", "--precision"], 2, "option '--precision' needs a value", "cg eval --help"),
    (["eval", "x", "--vars"], 2, "option '--vars' needs a value", "cg eval --help"),
    (["eval", "-f"], 2, "option '-f' needs a value", "cg eval --help"),
    (["eval", "x", "--precison", "3"], 2, "no such option: --precison", "did you mean '--precision'"),
    (["eval", "x", "--jsno"], 2, "no such option: --jsno", "did you mean '--json'"),
    (["eval", "x", "-z"], 2, "no such option: -z", ""),
    (["eval", "x", "--wrt", "x"], 2, "no such option: --wrt", "it is an option of cg grad, "),
    (["check", "x", "--jobs", "2"], 2, "no such option: --jobs", "it is an option of cg eval, cg grad, cg "),
    (["eval", "x", "--x-y"], 2, "no such option: --x-y", "goes after '--'"),
    (["eval", "1", "--strict=3"], 2, "'--strict'", ""),
    (["grad", "x", "x=1", "--mode", "sideways"], 2, "'sideways'", "cg grad --help"),
    (["grad", "x", "x=1", "--wrt", ""], 2, "--wrt ''", "--wrt x,y"),
    (["grad", "x", "x=1", "--wrt", ","], 2, "--wrt ','", "--wrt x,y"),
    (["grad", "x", "x=1", "--wrt", "x,x"], 2, "--wrt 'x,x'", "--wrt x,y"),
    (["grad", "a = x*2; a^2", "x=1", "--wrt", "a"], 2, "it is computed by the program", "the inputs are: x"),
    (["evla", "1"], 2, "no such command: evla", "did you mean 'eval'"),
    (["x^2"], 2, "no such command: x^2", "cg eval 'x^2'"),
    (["--foo"], 2, "--foo", "cg --help"),
]  # fmt: skip


@for_each(("arguments", "code", "message", "hint"), COMMAND_LINES)
def test_a_wrong_command_line_is_one_message(
    arguments: list[str], code: int, message: str, hint: str, capsys: Capture
) -> None:
    result = cg(capsys, *arguments)
    assert (result.code, result.out) == (code, "")
    assert result.err.count("cg: error: ") == 1
    assert message in result.err.splitlines()[0]
    assert hint in result.err


# ---- files ----------------------------------------------------------------------------

FILES: dict[str, bytes] = {
    "broken.json": b'{"x": 1,}',
    "empty.json": b"",
    "deep.json": b"[" * 100_000 + b"]" * 100_000,
    "list.json": b"[1, 2]",
    "raw.txt": b"\xff\xfe1",
    "text.json": b'{"x": "a"}',
    "null.json": b'{"x": null}',
    "true.json": b'{"x": true}',
    "object.json": b'{"x": {"y": 1}}',
    "ragged.json": b'{"x": [[1, 2], [3]]}',
    "twice.json": b'{"x": 1, "x": 2}',
    "latin.json": '{"é": 1}'.encode("latin-1"),
    "latin.cg": "é + 1".encode("latin-1"),
    "utf16.cg": "x + 1".encode("utf-16"),
    "nul.cg": b"x + \0 1",
    "header.csv": b"a,b\n1,2\n",
    "ragged.csv": b"1,2\n3\n",
    "hole.csv": b"1,2\n3,\n",
    "garbage.npy": b"garbage",
    "empty.npy": b"",
    "note.txt": b"1",
}

UNUSABLE = [
    (["eval", "x", "--vars", "nope.json"], 1, "cannot read 'nope.json': no such file"),
    (["eval", "x", "--vars", "folder"], 1, "cannot read 'folder': is a directory"),
    (["eval", "x", "--vars", "broken.json"], 1, "'broken.json' is not JSON"),
    (["eval", "x", "--vars", "empty.json"], 1, "'empty.json' is not JSON"),
    (["eval", "x", "--vars", "deep.json"], 1, "'deep.json' is nested too deeply"),
    (["eval", "x", "--vars", "list.json"], 1, "'list.json' holds no JSON object"),
    (["eval", "x", "--vars", "text.json"], 1, "'x' is not a number"),
    (["eval", "x", "--vars", "null.json"], 1, "'x' is not a number"),
    (["eval", "x", "--vars", "true.json"], 1, "'x' is not a number"),
    (["eval", "x", "--vars", "object.json"], 1, "'x' is not a number"),
    (["eval", "x", "--vars", "ragged.json"], 1, "rows differ in length"),
    (["eval", "x", "--vars", "twice.json"], 1, "'x' stands in it twice"),
    (["eval", "x", "--vars", "latin.json"], 1, "'latin.json' is not UTF-8 text (byte 2)"),
    (["eval", "x", "--vars", "array.npy"], 2, "no value for 'x'"),
    (["eval", "x", "--vars", "raw.txt"], 1, "raw.txt begins as UTF-16 text, and is none"),
    (["eval", "-f", "nope.cg"], 1, "cannot read 'nope.cg': no such file"),
    (["eval", "-f", "folder"], 1, "cannot read 'folder': is a directory"),
    (["eval", "-f", "latin.cg"], 1, "'latin.cg' is not UTF-8 text (byte 0)"),
    (["eval", "-f", "utf16.cg"], 1, "'utf16.cg' is not UTF-8 text (byte 0)"),
    (["eval", "-f", "nul.cg"], 2, "nul.cg:1:5: an invisible character (U+0000)"),
    (["eval", "x", "x=@nope.npy"], 1, "cannot read 'nope.npy': no such file"),
    (["eval", "x", "x=@garbage.npy"], 1, "holds no array"),
    (["eval", "x", "x=@objects.npy"], 1, "or one of Python objects"),
    (["eval", "x", "x=@empty.npy"], 1, "'empty.npy' is not an array file"),
    (["eval", "x", "x=@short.npy"], 1, "'short.npy' is not an array file"),
    (["eval", "x", "x=@complex.npy"], 1, "no array of real numbers"),
    (["eval", "x", "x=@words.npy"], 1, "no array of real numbers"),
    (["eval", "x", "x=@header.csv"], 1, "row 1, column 1 holds 'a'"),
    (["eval", "x", "x=@hole.csv"], 1, "row 2, column 2 holds ''"),
    (["eval", "x", "x=@ragged.csv"], 1, "number of columns changed from 2 to 1 at row 2"),
    (["eval", "x", "x=@note.txt"], 2, "'note.txt' has no known suffix"),
    (["eval", "x", "x=@folder"], 2, "'folder' has no known suffix"),
    (["eval", "x", "x=@"], 2, "no known suffix"),
]  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of files that cannot be used, as the current one."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "array.npy", np.arange(3.0))
    np.save(tmp_path / "complex.npy", np.array([1j]))
    np.save(tmp_path / "words.npy", np.array(["a"]))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "short.npy").write_bytes((tmp_path / "array.npy").read_bytes()[:-5])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@for_each(("arguments", "code", "message"), UNUSABLE)
def test_an_unusable_file_is_one_message(
    arguments: list[str], code: int, message: str, files: Path, capsys: Capture
) -> None:
    result = cg(capsys, *arguments)
    assert (result.code, result.out) == (code, "")
    assert message in result.err.splitlines()[0]
    assert result.err.count("cg: error: ") == 1
    assert "pickle" not in result.err


def test_a_file_without_permission_is_one_message(
    files: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cgcli.api.value_files.open", refuse, raising=False)
    result = cg(capsys, "eval", "x", "--vars", "list.json")
    assert result == (1, "", "cg: error: cannot read 'list.json': permission denied\n")


# ---- size and depth -------------------------------------------------------------------

N = 1_200  # more than Python nests calls
DOUBLING = [f"f{at}(x) = f{at - 1}(x) + f{at - 1}(x + 1)" for at in range(1, 41)]

# Each is read, computed and differentiated, or refused with one message: in time that grows with its length.
LARGE: dict[str, tuple[str, str]] = {
    "brackets": ("(" * N + "x" + ")" * N, "1"),
    "calls": ("sin(" * N + "0*x" + ")" * N, "0"),
    "user's calls": ("f(x) = x*1; " + "f(" * N + "x" + ")" * N, "1"),
    "minus signs": ("-" * N + "x", "1"),
    "nots": ("not " * N + "x", "1"),
    "roots": ("√" * N + "x", "1"),
    "superscripts": ("x" + "² " * N, "1"),
    "transposes": ("x" + ".T" * N, "1"),
    "choices": ("x ? 1 : " * N + "2", "1"),
    "choices inside": ("x ? " * N + "1" + " : 2" * N, "1"),
    "powers": ("x^" * N + "1", "1"),
    "nines": ("^".join("9" * N), "inf"),
    "sums": ("+".join(["x"] * N), str(N)),
    "products": ("*".join(["x"] * N), "1"),
    "comparisons": ("<".join(["x"] * N), "0"),
    "ands": (" and ".join(["x"] * N), "1"),
    "statements": ("\n".join(f"a{at} = x + {at}" for at in range(N)) + "\na5", "6"),
    "chained statements": ("a0 = x; " + "; ".join(f"a{at} = a{at - 1}*1" for at in range(1, N)), "1"),
    "definitions": ("; ".join(f"f{at}(x) = x" for at in range(N)) + "; f7(x)", "1"),
    "chained functions": ("f0(x) = x; " + "; ".join(f"f{at}(x) = f{at - 1}(x)*1" for at in range(1, N)), "1"),
    "a function of 1000": (f"f({','.join(f'p{at}' for at in range(1000))}) = p7; f({','.join(['x'] * 1000)})", "1"),
    "functions that double": ("; ".join(["f0(x) = x*0", *DOUBLING, "f40(x)"]), "0"),
    "an array": ("sum([" + ",".join(["x"] * N) + "])", str(N)),
    "arguments": ("max(" + ",".join(["x"] * 1000) + ")", "1"),
    "blanks": (" " * 1_000_000 + "x", "1"),
    "empty lines": ("\n" * 1_000_000 + "x", "1"),
    "digits": ("0*x + " + "1" * 1_000_000, "inf"),
    "open brackets": ("(" * N, "'(' is never closed"),
    "closed brackets": (")" * N, "')' closes nothing"),
    "arrays inside": ("[" * N + "1" + "]" * N, "axes; the limit is 32"),
    "indices": ("x" + "[0]" * N, "a scalar has no elements"),
    "index items": ("[1][" + ",".join(["0"] * N) + "]", f"{N} indices for 1 axis"),
    "unknown functions": ("sni(" * N + "x" + ")" * N, "unknown function 'sni'"),
    "unknown names": ("+".join(f"a{at}" for at in range(N)), "no value for 'a0', 'a1'"),
    "keywords": (f"sum(x, {','.join(f'a{at}=1' for at in range(N))})", "no parameter 'a0'"),
    "declarations": ("; ".join(f"x{at}: [2]" for at in range(N)), "no result"),
    "values in a row": ("x " * N, "no operator"),
    "commas": ("," * N, "missing before ','"),
    "quotes": ('"' * N, "cannot stand here"),
    "points": ("." * N, "an ellipsis stands in an index only"),
    "NUL bytes": ("\0" * N, "U+0000"),
    "accents": ("e" + "\u0301" * N, "accent"),
    "static parameters": ("i = 1\n" + "i = i*1\nj = [x, 2*x, 3][i]\n" * 4_000 + "j", "2"),
    "10 MB": ("1+" * 5_000_000 + "1", "the limit is 4000000"),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_no_text_is_too_long_or_too_deep(name: str, tmp_path: Path, capsys: Capture) -> None:
    text, expected = LARGE[name]
    path = tmp_path / "large.cg"
    path.write_text(text, encoding="utf-8")
    result = cg(capsys, "grad", "-q", "-f", str(path), "x=1")
    assert "Traceback" not in result.err
    assert len(result.err) < 2500
    if result.code == 0:
        assert result.out.startswith(f"value\t{expected}\n")
    else:
        assert (result.code, result.out) == (2, "")
        assert expected in result.err


@pytest.mark.parametrize("text", ["(" * 60_000 + "x" + ")" * 60_000, "-" * 60_000 + "x"])
def test_a_deep_graph_is_taken_down_without_a_crash(text: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.cg"
    path.write_text(text, encoding="utf-8")
    command = [*CG, "grad", "-f", str(path), "x=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "value\t1\nd_x\t1\n", "")


# What once gave a traceback, a hang, a silent wrong number or a warning too many.
ONCE_WRONG = [
    (["eval", "softmax(ones(0))"], 0, ""),
    (["eval", "digamma(1, order=1e9)"], 2, "at most 100"),
    (["eval", "tril([[1, 2], [3, 4]], 1e30)"], 2, "at most"),
    (["eval", "onehot(ones(0), 1e30)"], 2, "numbers"),
    (["eval", "put([1, 1], 1e30)"], 2, "put would make"),
    (["eval", "unfold([1, 2, 3], [2], [0])"], 2, "from 1"),
    (["eval", "arange(nan)"], 2, "no end"),
    (["eval", "max_pool2d(ones([1, 1, 3000, 3000]), 1000, stride=1)"], 2, "pooling would make"),
    (["eval", "; ".join(["f0(x) = x*1.0001 + x", *(f"f{n + 1}(x) = f{n}(f{n}(x))" for n in range(40)), "f40(1)"])],
     2, "expand to more than"),
    (["grad", "cross_entropy(x, 5)", "x=[1,2,3]", "--strict"], 1, "cross_entropy(…) is nan"),
    (["eval", "cos(x)=x", "x=1", "--strict"], 1, "'cos' is a function of the language, and is defined anew here\n"),
    (["eval", "ln(x)=3", "--strict"], 1, "to compare, write =="),
    (["diff", "sqrt(u)=4"], 2, "this defines 'sqrt' anew, with no names in it; to compare, write =="),
    (["diff", "f(x)=4"], 2, "the expression has no names, as in: x^2"),
    (["eval", "relu(x) = max(x, 0); relu(3)", "--strict"], 0, ""),
    (["diff", "x^2", "x=3", "--strict"], 1, "for the number, use cg grad"),
    (["eval", "1e400", "--strict"], 1, "the constant '1e400' is infinite\n  1e400\n  ^^^^^\n"),
    (["grad", "x*inf", "x=1", "--strict"], 1, "the constant 'inf' is infinite"),
    (["grad", "gammainc(a, x)", "a=2", "x=1", "--strict"], 1, "gammainc has no derivative by a, for no formula of it"),
    (["grad", "betainc(2, b, x) + jv(2, x)", "b=2", "x=0.5", "--strict"], 1, "betainc has no derivative by b,"),
    (["grad", "gammainc(a, x)", "a=2", "x=1", "--wrt", "x", "--strict"], 0, ""),
    (["eval", "D(gammainc(a, x), a)", "a=2", "x=1", "--strict"], 1, "gammainc has no derivative by a,"),
    (["diff", "kv(v, x)", "--wrt", "v", "--strict"], 1, "kv has no derivative by v,"),
    (["diff", "kv(v, x)", "--wrt", "x", "--strict"], 0, ""),
    (["grad", "tanh(x)", "x=1000", "--strict"], 0, ""),
    (["grad", "max(x, y, z)", "x=1", "y=1", "z=5", "--strict"], 0, ""),
    (["grad", "x^y", "x=0", "y=0", "--strict"], 1, "kink"),
    (["grad", "std(x)", "x=[1,1]", "--strict"], 1, "kink"),
    (["render", "where(x > 0, sqrt(x), -x)", "x=-1", "--strict", "--grad", "-o", "-"], 0, ""),
    (["eval", "log(x, b)", "x=-1", "b=3"], 0, "  log(x, b)\n  ^^^^^^^^^"),
]  # fmt: skip


@for_each(("arguments", "code", "message"), ONCE_WRONG)
def test_what_was_once_wrong(arguments: list[str], code: int, message: str, capsys: Capture) -> None:
    done = cg(capsys, *arguments)
    assert done.code == code, done.err
    assert message in done.err
    assert "should not" not in done.err


def test_forward_mode_says_each_thing_once(capsys: Capture) -> None:
    result = cg(capsys, "grad", "sum(1/x)", "x=[0,0,0]", "--mode", "forward")
    assert result.out == "value\tinf\nd_x\t[-inf, -inf, -inf]\n"
    assert result.err.count("1/0 is infinite") == 1


# command line | what is warned of, without what is underlined; nothing where all is as it should be
WARNINGS = [
    (["eval", "repeat n { x = x/2 }; x", "x=1", "n=2.5"],
     ["'n' is 2.5, and only whole trips are made: 2", "round(x) is the nearest whole number"]),
    (["eval", "repeat n { x = x/2 }; x", "x=1", "n=3"], []),
    (["eval", "for i in 1..n { x = x/2 }; x", "x=1", "n=2.5"], []),
    (["eval", "A^-1 @ b", "A=[[1,2],[3,4]]", "b=[1,2]"],
     ["'^' acts on each element of a matrix", "the inverse is inv(A), and inv(A) @ b is solve(A, b)"]),
    (["eval", "inv(A)*b", "A=[[1,2],[3,4]]", "b=[1,2]"],
     ["'*' acts on each element of a matrix", "the product of arrays is inv(A) @ b"]),
    (["eval", "inv(A)*A", "A=[[1,2],[3,4]]"], []),
    (["eval", "A^2 @ b", "A=[[1,2],[3,4]]", "b=[1,2]"], []),
    (["eval", "a^-1", "a=[1,2]"], []),
    (["eval", "sum((X@w - y)^2)", "X=[[1,2],[3,4]]", "w=[1,2]", "y=[[1],[2]]"],
     ["a vector [2] and a column [2, 1] make [2, 2], each with each",
      "for one with one, give both the same shape: reshape(x, size(x)) of a column is a vector"]),
    (["eval", "sum(abs(expand(x, 1) - x))", "x=[1,2]"], []),
    (["eval", "X - m", "X=[[1,2],[3,4]]", "m=[1,2]"], []),
    (["eval", "cross_entropy(z, t)", "z=[[1,2],[3,4]]", "t=[0,2]"],
     ["cross_entropy(…) is nan", "the label 2 is none of the 2 classes: they are 0 to 1"]),
    (["eval", "sum(i=1..3, x[i])", "x=[1,2,3]"],
     ["element(…) is nan", "there is no element 3: indices go from 0 to 2"]),
    (["eval", "x[i]", "x=[1,2,3]", "i=0.5"], ["element(…) is nan", "an index is a whole number, and not 0.5"]),
    (["eval", "onehot(t, 3)", "t=[1,0.5]"],
     ["onehot(…) is nan (element [1, 0])", "the label 0.5 is none of the 3 classes: they are 0 to 2"]),
    (["grad", "sum(max_pool2d(relu(x), 2))", "x=[[-1,-2],[-3,-4]]"], []),
    (["grad", "max(relu(x), relu(y))", "x=-1", "y=-2"], []),
    (["grad", "max(x, -x)", "x=0"],
     ["max(0, -0) is at a kink: equal arguments of an extreme share its derivative equally"]),
    (["grad", "max(x)", "x=[1,1]"],
     ["max(…) is at a kink: equal elements of an extreme share its derivative equally"]),
]  # fmt: skip


@for_each(("arguments", "expected"), WARNINGS)
def test_a_warning_says_what_is_mostly_meant(arguments: list[str], expected: list[str], capsys: Capture) -> None:
    result = cg(capsys, *arguments)
    lines = [line.removeprefix("cg: warning: ").strip() for line in result.err.splitlines()]
    text = arguments[1]
    assert result.code == 0
    assert [line for line in lines if line != text and line.strip("^ ")] == expected


# what people read | what programs read
ZEROS = [
    (["eval", "-ln(1)"], "0\n"), (["eval", "[-0.0, 1]"], "[0, 1]\n"),
    (["grad", "-ln(x)", "x=1"], "value\t0\nd_x\t-1\n"),
    (["hessian", "-0.0*x", "x=1"], "\tx\nx\t0\n"), (["eval", "1/(-ln(1))", "-q"], "-inf\n"),
    (["eval", "-ln(1)", "--json"], '{"value": -0.0, "warnings": []}\n'), (["simplify", "--exact", "-0.0*x"], "-0*x\n"),
]  # fmt: skip


@for_each(("arguments", "out"), ZEROS)
def test_a_zero_has_a_sign_for_programs_and_none_for_people(arguments: list[str], out: str, capsys: Capture) -> None:
    assert cg(capsys, *arguments).out == out
