"""Adding an operation is one entry, and one line that says what it is in many digits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cgcli

ENTRY = """    elementwise("angle", "x degrees in radians", "radians", "pi/180", facts=ODD | INCREASING,
                example="angle(180)"),
"""
REFERENCE = """    "angle": lambda x: x * mp.pi / 180,
"""
TABLE_TESTS = ["test_operations_values", "test_derivatives_elementwise", "test_facts", "test_functions"]


def put(line: str, before: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, line + before), encoding="utf-8")


def run(place: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=place, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(place), **environment}, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program and its tests, with one operation more."""
    copy = tmp_path_factory.mktemp("copy")
    tests = Path(__file__).parent
    without = shutil.ignore_patterns("__pycache__", "bench")
    shutil.copytree(Path(cgcli.__file__).parent, copy / "cgcli", ignore=without)
    shutil.copytree(tests, copy / "tests", ignore=without)
    if not (copy / "cgcli" / "grammar").exists():
        shutil.copytree(tests.parent / "grammar", copy / "grammar", ignore=without)
    put(ENTRY, "    SINH,\n    COSH,\n", copy / "cgcli" / "ops" / "functions.py")
    put(REFERENCE, '    "sinh": mp.sinh,\n', copy / "tests" / "reference_values.py")
    return copy


def test_every_part_of_the_program_reads_the_entry(place: Path) -> None:
    """Parser, evaluator, derivatives, simplification by its facts, printer, cards."""
    commands = [
        ("eval", "angle(180)"),
        ("grad", "angle(x)", "x=90"),
        ("simplify", "angle(-y) + angle(x)"),
        ("functions", "angle"),
    ]
    program = f"from cgcli.cli.main import run\nfor command in {commands}:\n    assert run(command) == 0"
    value, _, slope, formula, *card = run(place, "-c", program).splitlines()
    assert value == "3.141592653589793"
    assert slope == "d_x\t0.017453292519943295"
    assert formula == "angle(x) - angle(y)"
    assert card[1] == "  x degrees in radians"
    assert {"  derivative  d/dx = pi/180", "  example     angle(180) = 3.141592653589793"} <= set(card)


def test_the_tests_of_the_table_hold_it_against_its_reference(place: Path) -> None:
    files = [f"tests/{name}.py" for name in TABLE_TESTS]
    summary = run(place, "-m", "pytest", "--assert=plain", "-p", "no:cacheprovider", "-c", os.devnull,
                  "--rootdir", ".", *files, "-k", "angle or of_rows", "-rN", ROW="angle")  # fmt: skip
    assert int(summary.splitlines()[-1].strip("= ").split(" passed")[0]) >= 12, summary
