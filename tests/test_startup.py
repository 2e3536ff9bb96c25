"""What a plain call of each command may import: a module that is new on the way makes every call slower."""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import cgcli
from cgcli.cli import main

BOOK = "ln(x1) + x1*x2 - sin(x2)"
# Modules besides our own, those in packages and in C apart: what any call may import, and what formulas need beyond.
ANY = {
    "__future__", "abc", "errno", "gc", "genericpath", "itertools", "math", "os", "posixpath", "stat",
}  # fmt: skip
FORMULAS = {
    "collections", "contextlib", "copyreg", "decimal", "enum", "fractions", "functools", "keyword",
    "numbers", "operator", "re", "reprlib", "struct", "types", "unicodedata", "warnings", "weakref",
}  # fmt: skip
WORDS = {
    "copyreg", "collections", "enum", "functools", "keyword", "operator", "re", "reprlib", "textwrap", "types",
}  # fmt: skip
CALLS = {
    ("eval", "1+1"): ANY,
    ("eval", "sqrt(x^2+y^2)", "x=3", "y=4"): ANY,
    ("grad", BOOK, "x1=2", "x2=5"): ANY,
    ("jvp", "x^2", "x=2"): ANY,
    ("vjp", "x^2", "x=2"): ANY,
    ("hessian", "x^2", "x=2"): ANY,
    ("jacobian", "(x^2, x*y)", "x=2", "y=3"): ANY,
    ("eval", "a = x^2; (a, 2 < a, -a)", "x=2"): ANY,
    ("eval", "1 - cos(x)", "x=1e-5"): ANY | FORMULAS,
    ("diff", "x^2*sin(x)"): ANY | FORMULAS,
    ("diff", "e: []; 1 - e^2"): ANY | FORMULAS,
    ("simplify", "x + x"): ANY | FORMULAS,
    ("trace", BOOK, "x1=2", "x2=5"): ANY | FORMULAS | {"csv"},
    ("solve", "x^2 = a", "x=1", "a=2"): ANY | FORMULAS,
    ("plan", BOOK, "--grad"): ANY | FORMULAS,
    ("fit", "y = a*x"): ANY | FORMULAS,
    ("render", BOOK, "-o", "-", "--format", "svg"): ANY | {"select"},
    ("functions",): ANY | WORDS,
    ("functions", "sin"): ANY | WORDS,
    ("--help",): ANY,
}
RUN = "from cgcli.cli.main import run; run(sys.argv[1:])"


def _imported(code: str, *arguments: str) -> set[str]:
    """The modules that some code imports, in a Python that has imported next to nothing."""
    script = (
        f"import sys; sys.path += {sys.path!r}; before = {{*sys.modules}}; {code}; "
        "print(); print(*({*sys.modules} - before))"
    )
    command = [sys.executable, "-S", "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {*done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("arguments", CALLS, ids=" ".join)
def test_a_plain_call_imports_what_it_may(arguments: tuple[str, ...]) -> None:
    """Protects the start of every command on numbers: neither numpy, lark nor click, nor anything else that is new."""
    found = {name.partition(".")[0] for name in _imported(RUN, *arguments) if name[0] != "_" or name == "__future__"}
    assert found - {"cgcli"} <= CALLS[arguments]


def test_a_check_imports_no_package_but_those_of_numbers() -> None:
    """Its differences are taken in numpy's arrays, a scalar's too; the other packages wait for those who need them."""
    found = {name.partition(".")[0] for name in _imported(RUN, "check", BOOK, "x1=2", "x2=5")}
    assert found.isdisjoint({"click", "graphviz", "lark", "orjson", "pyarrow", "scipy"})


# The short way of the command, beside Python's own: what is imported, and how it is described.
SHORT = "from cgcli.cli import start; start.import_quickly(); "
DESCRIBED = """; print(*(
    [name, module.__file__, module.__cached__, module.__package__, [*getattr(module, "__path__", ())],
     module.__spec__.origin, module.__spec__.has_location, module.__doc__]
    for name, module in sorted(sys.modules.items())
    if name.startswith("cgcli.")), sep="\\n")"""
# The modules that are to be loaded ahead, and that an import has asked for all the same.
WAITED = """; print(); print([name for names in start._AHEAD.values() for name in names.split()
    if "cgcli." + name.rstrip(".") in asked])"""
ASKED = """from cgcli.cli import start; asked, find = [], start._Finder.find_spec
def asking(finder, name, *others): asked.append(name); return find(finder, name, *others)
start._Finder.find_spec = asking; start.import_quickly()
"""
LOADERS = "; print({type(sys.modules[name].__loader__).__name__ for name in ('cgcli.graph', 'cgcli.cli.main')})"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package beside its compiled modules, as an installer leaves it."""
    place = tmp_path_factory.mktemp("installed")
    package = Path(cgcli.__file__).parent
    grammar = next(folder for folder in (package / "grammar", package.parent / "grammar") if folder.exists())
    for folder in (package, grammar):
        shutil.copytree(folder, place / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(place, quiet=1)
    return place


def _run(place: Path, code: str, *arguments: str) -> str:
    """What some code prints where the package is that of a folder."""
    script = f"import sys; sys.path = [{str(place)!r}, *{sys.path!r}]; {code}"
    command = [sys.executable, "-S", "-B", "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("arguments", [("eval", "1+1"), ("grad", BOOK, "x1=2", "x2=5"), ("functions", "sin")])
def test_the_short_way_of_the_command_finds_what_python_finds(arguments: tuple[str, ...], compiled: Path) -> None:
    """Whoever asks a module where it is from is told the same, and no module is loaded that nobody asks for."""
    assert _run(compiled, SHORT + RUN + LOADERS, *arguments).endswith("{'_Compiled'}\n")
    assert _run(compiled, SHORT + RUN + DESCRIBED, *arguments) == _run(
        compiled, "import cgcli.cli.start; " + RUN + DESCRIBED, *arguments
    )


AHEAD = [("grad", BOOK, "x1=2", "x2=5"), ("render", BOOK, "-o", "-", "--format", "svg")]


@pytest.mark.parametrize("arguments", AHEAD, ids=" ".join)
def test_modules_that_are_loaded_ahead_stand_behind_what_they_import(
    arguments: tuple[str, ...], compiled: Path
) -> None:
    """Protects the start: an import within another one takes Python three times as long."""
    assert _run(compiled, ASKED + RUN + WAITED, *arguments).endswith("\n[]\n")


@pytest.mark.parametrize("fault", ["older", "moved", "missing", "cut", "of another Python"])
def test_compiled_modules_that_are_not_as_expected_are_left_to_python(
    fault: str, compiled: Path, tmp_path: Path
) -> None:
    """Protects edits of the source, environments that are copied, and files that are broken."""
    place = tmp_path / "copy"
    shutil.copytree(compiled, place)
    (module,) = (place / "cgcli" / "cli" / "__pycache__").glob("say.*.pyc")
    content = module.read_bytes()
    if fault == "older":
        with open(place / "cgcli" / "cli" / "say.py", "a", encoding="utf-8") as source:
            source.write("\n\ndef echo(text: str) -> None:\n    print('edited')\n")
    elif fault == "missing":
        module.unlink()
    elif fault == "cut":
        module.write_bytes(content[:10])
    elif fault == "of another Python":
        module.write_bytes(b"\0\0" + content[2:])
    loader = "; print(type(sys.modules['cgcli.cli.say'].__loader__).__name__, main.say.__code__.co_filename)"
    found = _run(place, SHORT + "from cgcli.cli import main; " + RUN + loader, "eval", "1+1")
    said = "edited" if fault == "older" else "2"
    assert found == f"{said}\nSourceFileLoader {place / 'cgcli' / 'cli' / 'say.py'}\n"


# Families of operations that plain calls need, and no others.
FAMILIES = {
    ("eval", "1+1"): {"arithmetic"},
    ("eval", "sqrt(x^2+y^2)", "x=3", "y=4"): {"arithmetic"},
    ("eval", "ln(sin(x))", "x=1"): {"arithmetic", "functions"},
    ("grad", BOOK, "x1=2", "x2=5"): {"arithmetic", "functions", "logic", "fitting"},
    ("eval", "log(8, 2)"): {"arithmetic", "functions", "shorthands", "linalg", "shaping", "indexing", "sums"},
}
NO_FAMILIES = {"entry", "floats", "lazily", "masks", "statics", "table"}


@pytest.mark.parametrize("arguments", FAMILIES, ids=" ".join)
def test_a_plain_call_imports_few_operations(arguments: tuple[str, ...]) -> None:
    """Protects the start: a family is imported when a program uses it, or another one builds on it."""
    found = {name.split(".")[2] for name in _imported(RUN, *arguments) if name.startswith("cgcli.ops.")}
    assert found - NO_FAMILIES == FAMILIES[arguments]


def test_help_imports_a_handful() -> None:
    """Protects `cg --help`: it needs no room but that of the command line."""
    rooms = {name.split(".")[1] for name in _imported(RUN, "--help") if name.startswith("cgcli.")}
    assert rooms == {"annotations", "cli", "errors", "lean", "records", "signals"}


def test_the_package_imports_nothing() -> None:
    """Protects `import cgcli`: what it holds is imported when it is used."""
    assert _imported("import cgcli") <= {"__future__", "_collections_abc", "abc", "_abc", "cgcli", "cgcli.annotations"}


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_an_import_that_a_signal_breaks_off_is_no_fault_of_ours() -> None:
    """numpy's own start makes an ImportError of it, which was told as a failure inside."""
    program = """
import os, signal, sys
from cgcli import signals
from cgcli.cli import main

def broken(arguments):
    try:
        os.kill(os.getpid(), getattr(signal, arguments[0]))
    except BaseException:
        raise ImportError("something else")

signals.install()
main._run = broken
sys.exit(main.run(sys.argv[1:]))
"""
    for number in (signal.SIGINT, signal.SIGTERM):
        done = subprocess.run([sys.executable, "-c", program, number.name], capture_output=True, check=False,
                              preexec_fn=partial(signal.signal, number, signal.default_int_handler))  # fmt: skip
        assert (done.returncode, done.stderr) == (128 + number, b"")


@pytest.mark.parametrize(
    ("given", "arguments", "limit"),
    [
        ({}, ["eval", "[1, 2] + 1"], "1"),
        ({}, ["eval", "X @ X", "X=@small.npy"], "1"),
        ({}, ["eval", "X @ X", "X=@large.npy"], None),
        ({}, ["eval", "X @ X", "X=@missing.npy"], "1"),
        ({"OPENBLAS_NUM_THREADS": "3"}, ["eval", "1+1"], "3"),
        ({"OMP_NUM_THREADS": "3"}, ["eval", "1+1"], None),
    ],
)
def test_numpy_has_one_thread_where_more_do_not_pay(
    given: dict[str, str], arguments: list[str], limit: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects products of small matrices from threads that wait for each other in a loop."""
    (tmp_path / "small.npy").write_bytes(b"0" * 1000)
    (tmp_path / "large.npy").write_bytes(b"0" * 3_000_000)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", given)
    main.limit_threads(arguments)
    assert os.environ.get("OPENBLAS_NUM_THREADS") == limit
