"""The README is true: its commands run and print what stands there, and its table names every command."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from cgcli.ops import functions
from tests.command import Capture, cg
from tests.for_each import for_each

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The part of the README under a heading."""
    found = re.search(rf"^## {title}$(.*?)(?=^## )", README, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def transcript(block: str) -> list[tuple[str, str]]:
    """A console block as (command, what it prints)."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A shell command, with the `cg` beside this Python first on the path; both streams as one, as on a terminal."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, encoding="utf-8", check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def printed(command: str, folder: Path, capsys: Capture) -> str:
    """What a command prints, both streams as one: a shell runs it, where there is something for a shell to do."""
    words = shlex.shlex(command, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    name, *arguments = words
    if name != "cg" or any(set(word) <= set("|&;<>()") for word in arguments) or re.search(r"`|\$\(|~/", command):
        return run(command, folder).stdout
    found = cg(capsys, *arguments)
    return found.err + found.out


TOUR = section("A tour")
PIPELINE = section("In a pipeline") + section("Fits") + section("In other languages")
SET_UP = [line for block in blocks("sh") for line in block.splitlines()]


def test_every_command_prints_what_the_readme_says(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects readers: a tour whose output has drifted teaches the wrong thing."""
    commands = [step for block in blocks("console", TOUR) for step in transcript(block)]
    assert len(commands) >= 10
    monkeypatch.chdir(tmp_path)
    for command, expected in commands:
        assert printed(command, tmp_path, capsys) == expected, command
    assert (tmp_path / "neuron.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_every_pipeline_prints_what_the_readme_says(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects who pastes a pipeline: it runs with the programs as they are, and prints what stands there."""
    programs = {"mlr", "gnuplot", "jq", "xargs", "parallel"}
    missing = {program for program in programs if shutil.which(program) is None}
    shown = set()
    monkeypatch.chdir(tmp_path)
    for command, expected in [step for block in blocks("console", PIPELINE) for step in transcript(block)]:
        used = set(re.findall(r"[|&] (\w+)", command)) & programs
        shown |= used
        if not used & missing:
            assert printed(command, tmp_path, capsys) == expected, command
    assert shown == programs
    for picture in tmp_path.glob("*.svg"):
        assert picture.read_text(encoding="utf-8").rstrip().endswith("</svg>")
    if missing:
        pytest.skip(f"{', '.join(sorted(missing))}: not installed")


def test_recipes_in_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who pastes them: exported code that is compiled and called, and a view in a database."""
    if shutil.which("cc") is None:
        pytest.skip("cc: not installed")
    recipes = blocks("python", section("In other languages"))
    assert len(recipes) == 2
    monkeypatch.chdir(tmp_path)
    exec("\n".join(recipes), {})


def test_set_up_commands_are_one_shell_line_each(tmp_path: Path) -> None:
    """Protects whoever pastes them: two lines, each a chain that makes its own environment and stops at a failure."""
    assert len(SET_UP) == 2
    for line in SET_UP:
        assert run(f"bash -n <<'END'\n{line}\nEND", tmp_path).stdout == ""
        first, *rest = line.split(" && ")
        assert first == "python3 -m venv .venv"
        assert all(step.startswith(".venv/bin/") for step in rest), line


def test_main_job_of_the_set_up_command_runs(tmp_path: Path) -> None:
    """Protects the first minute with cg: a value, its gradient and a picture come of the first set-up command."""
    steps = [step for step in SET_UP[0].split(" && ") if step.startswith(".venv/bin/cg ")]
    done = run(" && ".join(step.removeprefix(".venv/bin/") for step in steps), tmp_path)
    assert done.stdout == "value\t11.652071455223084\nd_x1\t5.5\nd_x2\t1.7163378145367738\n"
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_test_command_names_an_extra_that_exists() -> None:
    """Protects contributors: pip only warns of an unknown extra, and pytest would then be missing."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (extra,) = re.findall(r"'\.\[(\w+)\]'", SET_UP[1])
    assert any(requirement.startswith("pytest") for requirement in extras[extra])
    assert SET_UP[1].endswith(" && .venv/bin/python -m pytest")


def test_command_of_the_picture_makes_a_picture(tmp_path: Path) -> None:
    """Protects the picture at the top: the command under it is the one that makes it."""
    (command,) = re.findall(r"^    (cg render .*)$", README, re.MULTILINE)
    (shown,) = re.findall(r"!\[.*\]\((.*)\)", README)
    (tmp_path / "examples").mkdir()
    assert run(command, tmp_path).stdout == ""
    assert (tmp_path / shown).read_bytes()[:4] == (ROOT / shown).read_bytes()[:4] == b"\x89PNG"


def test_table_of_commands_is_that_of_the_program(tmp_path: Path) -> None:
    """Protects both ways: no command is undocumented, and none is promised that does not exist."""
    listed = re.search(r"^Commands:\n((?:  +\w.*\n)+)", run("cg --help", tmp_path).stdout, re.MULTILINE)
    assert listed is not None
    program = re.findall(r"^  (\w+)", listed[1], re.MULTILINE)
    assert re.findall(r"^\| `cg (\w+)", README, re.MULTILINE) == program


def test_example_entry_for_contributors_is_a_real_one() -> None:
    """Protects whoever adds an operation: the entry to copy is one that the program uses."""
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (entry,) = re.findall(r"^```\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    assert textwrap.indent(entry, "    ") in inspect.getsource(functions)


@for_each("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_to_files(link: str) -> None:
    """Protects readers from dead ends within the repository."""
    assert (ROOT / link).exists()


@for_each(
    ("command", "code", "printed"),
    [
        ("cg eval -x^2 x=3", 0, "-9"),
        ("cg eval -- --x x=3", 0, "3"),
        ("cg eval '-2^2'", 0, "-4"),
        ("cg eval '2^3^2'", 0, "512"),
        ("cg eval 'sin(90*deg)'", 0, "1"),
        ("cg eval 'e' e=3", 0, "3"),
        ("cg eval 2x x=1", 2, "write 2*x"),
        ("cg eval x x=@missing.npy", 1, "missing.npy"),
        ("cg eval 'sqrt(x)' x=-1 --strict", 1, "sqrt(-1) is nan"),
        ("cg eval x", 2, "no value for 'x'"),
    ],
)
def test_statements_of_the_text(command: str, code: int, printed: str, capsys: Capture) -> None:
    """Protects the sentences between the blocks: exit codes, leading minus, conventions."""
    done = cg(capsys, *shlex.split(command)[1:])
    assert (done.code, printed in done.out + done.err) == (code, True), done
