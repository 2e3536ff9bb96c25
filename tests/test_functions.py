"""`cg functions`: every entry of the table has a card, and what the card says is true."""

from __future__ import annotations

import itertools
import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest

from cgcli.api import cards
from cgcli.api.cards import FORMS
from cgcli.graph.node import toposort
from cgcli.graph.operation import Operation, Shorthand
from cgcli.graph.rules import Partial, Partials
from cgcli.lowering import lower as lowering
from cgcli.lowering.formula import expand
from cgcli.ops import table
from cgcli.ops.table import AGAIN, CONSTANTS, FUNCTIONS, NAMED_NUMBERS, Entry, entries, entries_of, operations
from cgcli.printing import card
from cgcli.transform.formulas import partial
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.support import gap, node, tame_points, value

ALL = for_each("entry", list(entries()))
OF_MATRICES = [entry for entry in entries() if re.search(r"(det|eigvalsh)\(a\)", entry.domain)]
ELEMENTWISE = [entry for entry in entries() if card.domain(entry) is not None and entry not in OF_MATRICES]
WITH_PARTIALS = [entry for entry in operations() if entry.rules and isinstance(entry.rules[0], Partial | Partials)]
FIELDS = [
    "name", "signature", "family", "aliases", "written", "meaning", "domain", "derivative", "kink",
    "accuracy", "example", "value",
]  # fmt: skip


# ---- the examples ---------------------------------------------------------------------


@ALL
def test_an_example_shows_its_operation_and_is_finite(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the reader of a card: its example is one of this very entry, and has a value."""
    expanded = []

    def recorded(*call: object) -> object:
        expanded.append(call[0])
        return expand(*call)  # type: ignore[arg-type]

    monkeypatch.setattr(lowering, "expand", recorded)
    output = node(entry.example, {})
    assert np.all(np.isfinite(value(output, {})))
    used = expanded if isinstance(entry, Shorthand) else [part.op for part in toposort([output])]
    assert entry in used


# ---- the domain -----------------------------------------------------------------------


@for_each("entry", ELEMENTWISE)
def test_a_value_is_finite_just_where_the_domain_says(entry: Entry) -> None:
    """Protects the domain on the card, its edges above all: sqrt(0) is in it, ln(0) is not."""
    names = [f"x{at}" for at in range(3)] if entry.variadic else list(entry.arrays)
    call = f"{_callable_name(entry)}({', '.join(names)})"
    for point in itertools.product((-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0), repeat=len(names)):
        at = dict(zip(names, point, strict=True))
        if at.get("base") == 0:
            continue  # no base, although ln(x)/ln(0) has the limit 0
        stated = bool(value(node(entry.domain, at), at)) if entry.domain else True
        itself = node(call, at)
        number = value(itself, at)
        assert bool(np.isfinite(number)) == stated, (call, at)
        if np.isnan(number) and isinstance(entry, Operation) and any(entry.rules) and entry.name != "divide":
            assert all(np.isnan(value(partial(itself, each), at)) for each in range(len(names))), (call, at)


ANOTHER_DECIDES = {"power", "hypot", "fmax", "fmin", "where", "heaviside"}  # alone, as in IEEE 754 and in numpy
NAN_STAYS = [
    entry for entry in ELEMENTWISE
    if entry.name not in {*ANOTHER_DECIDES, "nan_to_num"} and (isinstance(entry, Shorthand) or entry.truth is None)
]  # fmt: skip


@for_each("entry", NAN_STAYS)
def test_nan_in_is_nan_out(entry: Entry) -> None:
    """Protects who looks for what is wrong: no number of another argument, not even an edge, hides a nan."""
    names = [f"x{at}" for at in range(3)] if entry.variadic else list(entry.arrays)
    call = f"{_callable_name(entry)}({', '.join(names)})"
    for place in range(len(names)):
        for others in itertools.product((-math.inf, -2.5, -1.0, 0.0, 1.0, 2.5, math.inf), repeat=len(names) - 1):
            at = dict(zip(names, (*others[:place], math.nan, *others[place:]), strict=True))
            assert np.isnan(value(node(call, at), at)), (call, at)


@for_each("entry", OF_MATRICES)
@for_each("matrix", [[[1, 2], [2, 4]], [[0, 0], [0, 0]], [[2, 1], [1, 1]], [[0, 1], [1, 0]]])
def test_a_matrix_is_in_the_domain_just_where_it_says(entry: Entry, matrix: list[list[float]]) -> None:
    """Protects the same for matrices: singular ones, and those of negative determinant."""
    at = dict.fromkeys(entry.arrays, matrix)
    finite = np.all(np.isfinite(value(node(f"{entry.name}({', '.join(at)})", at), at)))
    assert finite == bool(value(node(entry.domain, {"a": matrix}), {"a": matrix}))


def _callable_name(entry: Entry) -> str:
    """A function of that name; one whose name is a word of the language is defined here."""
    words = {"and": "f(x, y) = x and y; f", "or": "f(x, y) = x or y; f"}
    return words.get(entry.name, entry.name)


# ---- the derivative -------------------------------------------------------------------


@for_each("operation", WITH_PARTIALS)
def test_a_shown_partial_derivative_is_the_rule(operation: Operation) -> None:
    """Protects the formulas on cards: read as text, they give what cg differentiates with, all over the domain."""
    names = [f"{operation.arrays[0][1:]}{at}" for at in (1, 2)] if operation.variadic else list(operation.arrays)
    points = tame_points(operation, 20, np.random.default_rng(5))
    statics = "".join(f"{static.name} = {static.default}; " for static in operation.statics)
    for point in zip(*points[: len(names)], strict=True):
        at = dict(zip(names, point, strict=True))
        itself = node(f"{operation.name}({', '.join(names)})", at)
        known = {**at, "out": value(itself, at)}
        for name, program in _shown(operation).items():
            truth = value(partial(itself, names.index(name)), at)
            assert gap(value(node(statics + program, known), known), truth) < 1e-13, program


def _shown(operation: Operation) -> dict[str, str]:
    """The derivative by each argument on the card, as a program."""
    programs: dict[str, str] = {}
    for line in card.derivative(operation, ()):
        match = re.fullmatch(r"d/d(\w+) = (.*)", line)
        if match:
            programs[match[1]] = match[2]
        elif line.startswith("with "):
            last = list(programs)[-1]
            programs[last] = f"{line.removeprefix('with ')}; {programs[last]}"
    return programs


def test_every_card_says_what_the_derivative_is() -> None:
    """Protects against an empty line: a formula, a law, what it is made of, or the reason why there is none."""
    for entry, shown in zip(entries(), cards.cards(()), strict=False):
        assert shown.derivative, shown.name
        without = isinstance(entry, Operation) and not any(entry.rules) and not entry.expansion
        assert shown.derivative.startswith("none: ") == without, shown.name
        assert len(shown.derivative.removeprefix("none: ")) > 4, shown.name


@for_each(
    ("name", "line"),
    [
        ("sin", "d/dx = cos(x)"),
        ("ln", "d/dx = 1/x"),  # not where(x < 0, nan, 1/x)
        ("divide", "out is the value"),
        ("inv", "the tangent da of a becomes -out @ da @ out"),
        ("norm", "with length = norm(x, axis=axis, keepdims=1)"),
        ("sum", "linear in x: the derivative is the operation itself, applied to the tangent"),
        ("where", "by yes: only where this branch is taken"),
        ("mse", "that of mean((x - y)^2)"),
        ("avg_pool2d", "that of the operations it is made of: unfold, sum, divide"),
        ("max", "d/dx1 = (x1 == out)/((x1 == out) + (x2 == out))"),
        ("zeros", "none: it is constant"),
    ],
)
def test_each_kind_of_rule_has_its_words(name: str, line: str) -> None:
    """Protects the wording: one line of each kind of rule, as the reader sees it."""
    assert line in (cards.cards((name,))[0].derivative or "").split("\n")


# ---- how it is written ----------------------------------------------------------------


@for_each(
    ("operation", "notation"),
    [(operation, notation) for operation in operations() for notation in card.notations(operation)],
)
def test_a_notation_reads_as_its_operation(operation: Operation, notation: str) -> None:
    """Protects the line `written`: whoever types it gets this operation."""
    shape = [[1.0, 2.0], [3.0, 4.0]]
    at = {name: shape for name in re.findall(r"[a-z]\w*", notation) if name not in ("not", "and", "or", "key")}
    assert node(notation.replace("key", "0"), at).op is operation


@for_each(
    ("name", "signatures"),
    [
        ("log", ["ln(x)", "log(x, base)"]),
        ("max", ["max(x1, x2, …)", "max(x, *, axis=…, keepdims=0)"]),
        ("arcsin", ["asin(x)"]),
        ("+", ["add(x, y)"]),
        ("-", ["subtract(x, y)", "neg(x)"]),
        ("^", ["power(x, y)"]),
        ("**", ["power(x, y)"]),
        ("%", ["mod(x, y)"]),
        ("@", ["matmul(a, b)"]),
        ("<=", ["less_equal(x, y)"]),
        ("≤", ["less_equal(x, y)"]),
        ("×", ["multiply(x, y)"]),
        ("√", ["sqrt(x)"]),
        ("?:", ["where(condition, yes, no)"]),
        ("[]", ["stack(x1, x2, …, axis=0)", "index(x, key…)"]),
        (".T", ["transpose(x, axes=…)"]),
        ("and", ["x and y"]),
        ("&&", ["x and y"]),
        ("not", ["not x"]),
        ("π", ["pi"]),
        ("e", ["e"]),
    ],
)
def test_a_name_or_a_symbol_finds_its_cards(name: str, signatures: list[str]) -> None:
    """Protects the ways to ask: a name, an alias, an operator as it is typed, a constant."""
    assert [found.signature for found in cards.cards((name,))] == signatures


# ---- the command ----------------------------------------------------------------------


def test_the_table_has_one_line_for_each_entry(capsys: Capture) -> None:
    """Protects `cg functions | grep`: a line says the whole of an entry, and none is missing."""
    done = cg(capsys, "functions")
    assert (done.code, done.err) == (0, "")
    lines = [line.strip() for line in done.out.splitlines()]
    known = [*entries(), *FORMS, *NAMED_NUMBERS]
    assert sum(line.endswith(f"  {item.doc}") for item in known for line in lines) >= len(known)
    assert len([line for line in done.out.splitlines() if line.startswith("  ")]) == len(known)
    assert all(re.search(rf"^  (.*, )?{name}[ ,]", done.out, re.MULTILINE) for name in CONSTANTS)


def test_cards_stand_one_after_another(capsys: Capture) -> None:
    """Protects the layout of a card, and two names at once; an entry that both name stands once."""
    done = cg(capsys, "functions", "ln", "log", "pi")
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == """\
ln(x)
  natural logarithm

  family      functions
  aliases     log
  domain      x > 0
  derivative  d/dx = 1/x
  example     ln(e^2) = 2

log(x, base)
  logarithm of x to a base

  family      shorthands
  domain      x > 0 and base > 0 and base != 1
  derivative  that of the operations it is made of: ln, divide
  example     log(81, 3) = 4

pi
  half a turn in radians

  family      constants
  aliases     π
  value       3.141592653589793
"""
    )


def test_cards_fit_a_terminal(capsys: Capture) -> None:
    """Protects readers at 80 columns: no line of any card is longer."""
    done = cg(capsys, "functions", *FUNCTIONS)
    assert max(map(len, done.out.splitlines())) <= 80


def test_json_is_a_list_with_one_object_for_each_entry(capsys: Capture) -> None:
    """Protects programs that read it: the same fields everywhere, numbers as numbers, null where there is nothing."""
    everything = json.loads(cg(capsys, "functions", "--json").out)
    assert len(everything) == len([*entries(), *FORMS, *NAMED_NUMBERS])
    assert all(list(entry) == FIELDS for entry in everything)
    assert {entry["name"] for entry in everything} >= {entry.name for entry in entries()}
    reduction, *_ = [entry for entry in everything if entry["signature"] == "softmax(x, axis=-1)"]
    assert reduction["value"] == [0.09003057317038046, 0.24472847105479764, 0.6652409557748218]
    assert reduction["kink"] is reduction["domain"] is None
    absolute, constant, unknown = json.loads(cg(capsys, "functions", "abs", "tau", "nan", "--json").out)
    assert (absolute["domain"], absolute["derivative"]) == ("any number", "d/dx = sign(x)")
    assert absolute["kink"] == "the derivative of abs at 0 is taken as 0"
    assert (constant["value"], constant["example"]) == (6.283185307179586, None)
    assert unknown["value"] is None  # JSON has no nan


@for_each(
    ("name", "hint"),
    [
        ("sni", "did you mean 'sin'?"),
        ("SQRT", "did you mean 'sqrt'?"),
        (
            "matrix",
            "these have to do with 'matrix': eye, diag, matmul, inv, cofactor, trace, matrix_power, "
            "pinv, expm, norm, identity",
        ),
        ("nCr", "write binomial(x, y)"),
        ("besselj", "write jv(x, y)"),
        ("curve_fit", "a fit is a command: cg fit 'y = a*x + b' data.csv a=1 b=0"),
        ("zzz", "'cg functions' lists them all"),
        ("", "'cg functions' lists them all"),
        ("<>", "'cg functions' lists them all"),
    ],
)
def test_an_unknown_name_is_an_error_with_a_way_on(name: str, hint: str, capsys: Capture) -> None:
    """Protects whoever does not know what it is called: by spelling, by subject, or the way to the table."""
    done = cg(capsys, "functions", "sin", name)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"cg: error: there is no function '{name}'\n  {hint}\n"


def test_help_of_the_command_needs_no_table() -> None:
    """Protects the start of `cg functions --help`: it imports neither numpy nor lark."""
    code = (
        "import sys; from cgcli.cli.main import run; run(['functions', '--help']); "
        "print({'numpy', 'lark', 'scipy'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stderr, done.stdout.startswith("Usage: cg functions")) == ("set()\n", True)


def test_a_name_is_found_with_all_its_entries() -> None:
    """Protects names of several entries: a family is imported when a name is looked for, and some stand in two."""
    named: dict[str, list[Entry]] = {}
    for entry in entries():
        for name in (entry.name, *entry.aliases):
            named.setdefault(name, []).append(entry)
    assert dict(FUNCTIONS) == {name: (*found,) for name, found in named.items()}
    assert {name for name, found in named.items() if len(found) > 1} >= {*AGAIN}
    assert (entries_of("nosuchfunction"), "nosuchfunction" in FUNCTIONS) == ((), False)
    assert [entry for members in table.FAMILIES.values() for entry in members] == [*entries()]
