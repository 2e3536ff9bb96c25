"""Texts that a coverage-guided fuzzer finds, given to every command: no traceback, no hang, no flood of memory.

    python tests/bench/fuzz.py [SECONDS]       fuzz, half an hour unless told; then try the findings again
    python tests/bench/fuzz.py --again FILE    what every command makes of one text

The fuzzer (atheris, which is libFuzzer with Python's coverage) runs in a child; a child that
dies is a finding, and the next one goes on from its corpus. The limits are those of one
command on one text under 10 kB: a second of the processor, 500 MB for the process. Instrumented code is slow, so
what seems to take too long is measured again without it, and counts only if it is so.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))  # the tests' own modules

SECONDS = 1.0  # of the processor, for one command
MEGABYTES = 500  # of the whole process
SAME = 20  # findings of one kind that are kept
HANG = 30  # wall seconds after which a child is given up


def peak() -> float:
    """The most memory that this process held since `forget_peak`, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


def forget_peak() -> None:
    """Begin to measure the peak afresh."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def digest(data: bytes) -> str:
    """A short name for a text."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()[:12]


def complaints(text: bytes, seconds: float) -> list[str]:
    """The promises that the commands break on a text."""
    from tests.fuzzing import broken, outcomes

    found = []
    forget_peak()
    for result in outcomes(text):
        name = " ".join(word for word in result.arguments[:3] if word.isidentifier() or word.startswith("--"))
        if complaint := broken(result):
            found.append(f"{name}: {complaint}")
        if result.seconds > seconds:
            found.append(f"{name}: {result.seconds:.1f} s")
        if peak() > MEGABYTES:
            found.append(f"{name}: {peak():.0f} MB")
            forget_peak()
    return found


# ---- the child ------------------------------------------------------------------------


def child(findings: Path, arguments: list[str]) -> None:
    """Fuzz in this process until libFuzzer ends it."""
    import importlib
    import pkgutil

    import atheris

    import cgcli

    with atheris.instrument_imports(include=["cgcli"], enable_loader_override=False):
        for module in pkgutil.walk_packages(cgcli.__path__, "cgcli."):
            importlib.import_module(module.name)
    from cgcli.syntax.lalr import grammar_file
    from tests.fuzzing import LONGEST, Grammar, mutated

    grammar = Grammar(Path(grammar_file("cg.lark")).read_text(encoding="utf-8"))
    importlib.import_module("scipy.special")
    importlib.import_module("scipy.linalg")
    seeds = [path.read_text(encoding="utf-8") for path in (findings / "seeds").iterdir()]
    kinds: Counter[str] = Counter()

    def one_input(data: bytes) -> None:
        for complaint in complaints(data, 2 * SECONDS):
            kind = re.sub(r"\d+(\.\d+)?", "#", complaint.partition(" output b")[0])
            kinds[kind] += 1
            if kinds[kind] <= SAME:
                (findings / f"finding-{digest(data)}").write_bytes(data)
                print(f"FINDING {digest(data)} {complaint}", flush=True)

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.4:
            return bytes(atheris.Mutate(data, limit))
        other = random.choice(seeds) if random.random() < 0.7 else grammar.text(random, 20)
        changed = mutated(data.decode("utf-8", "ignore"), other, random)
        return changed.encode("utf-8", "ignore")[: min(limit, LONGEST)]

    atheris.Setup([sys.argv[0], *arguments], one_input, custom_mutator=mutate)
    atheris.Fuzz()


# ---- the parent -----------------------------------------------------------------------


def seeds() -> set[str]:
    """Every example program, every mistake, and every short text in the tests or in the table of operations."""
    root = HERE.parent.parent
    texts = {path.read_text(encoding="utf-8") for path in (root / "examples").glob("*.cg")}
    mistakes = (root / "tests" / "mistakes.txt").read_text(encoding="utf-8")
    texts.update(line.partition(" | ")[0] for line in mistakes.splitlines())
    for path in [*root.glob("tests/*.py"), *root.glob("cgcli/ops/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 500:
                texts.add(node.value)
    return texts


def prepare(folder: Path) -> None:
    """Write the seeds, an empty corpus and the dictionary of words into a folder."""
    from tests.fuzzing import WORDS

    (folder / "seeds").mkdir()
    (folder / "corpus").mkdir()
    for text in seeds():
        data = text.encode("utf-8", "ignore")
        (folder / "seeds" / digest(data)).write_bytes(data)
    escaped = ["".join(f"\\x{byte:02x}" for byte in word.encode()) for word in WORDS]
    (folder / "dictionary").write_text("".join(f'"{word}"\n' for word in escaped), encoding="ascii")


def fuzz(seconds: float, folder: Path) -> list[Path]:
    """Run children one after another until the time is over; the texts that they complained about."""
    prepare(folder)
    end = time.monotonic() + seconds
    executions = 0
    while (left := int(end - time.monotonic())) > 0:
        done, coverage = watch(folder, left, executions)
        executions += done
        if not done:
            break
    print(f"{executions} executions, {coverage}")
    return sorted(folder.glob("finding-*"))


def watch(folder: Path, seconds: int, before: int) -> tuple[int, str]:
    """Run one child for so long, and print its progress and findings; its executions and coverage."""
    from tests.fuzzing import LONGEST

    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={HANG}", "-rss_limit_mb=2000",
               f"-dict={folder}/dictionary", f"-artifact_prefix={folder}/finding-"]  # fmt: skip
    command = [sys.executable, __file__, "--child", str(folder), *options, f"{folder}/corpus", f"{folder}/seeds"]
    executed, coverage = 0, "no coverage"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if match := re.match(r"#(\d+)\s+(\w+)\s.*?(cov: \d+ ft: \d+ corp: \d+)", line):
                executed, coverage = int(match[1]), match[3]
                if match[2] == "pulse":
                    print(f"  {before + executed} executions, {coverage}", flush=True)
            elif line.startswith("FINDING") or "Error" in line or "ERROR: libFuzzer" in line:
                print(line.rstrip(), flush=True)
    return executed, coverage


def again(path: Path) -> list[str]:
    """What a fresh, uninstrumented process complains of."""
    command = [sys.executable, __file__, "--again", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10 * HANG, check=False)
    except subprocess.TimeoutExpired:
        return [f"still running after {10 * HANG} s"]
    return done.stdout.splitlines() or done.stderr.splitlines()[-1:]


def main() -> int:
    """Fuzz and report; 1 when a promise was broken."""
    match sys.argv[1:]:
        case ["--child", folder, *options]:
            child(Path(folder), options)
            return 0
        case ["--again", file]:
            found = complaints(Path(file).read_bytes(), SECONDS)
            print(*found, sep="\n", end="\n" if found else "")
            return 1 if found else 0
        case []:
            seconds = 1800.0
        case [number] if number.isdecimal():
            seconds = float(number)
        case _:
            print(__doc__)
            return 2
    if find_spec("atheris") is None:
        sys.exit(f"{sys.executable} has no atheris: pip install '.[bench]'")
    return report(fuzz(seconds, Path(tempfile.mkdtemp(prefix="cg-fuzz-"))))


def report(findings: list[Path]) -> int:
    """Try the findings again, and print those that come back; 1 when there are any."""
    confirmed = 0
    for path in findings:
        if found := again(path):
            confirmed += 1
            print(f"{path}: {'; '.join(found)}")
    print(f"{confirmed} of {len(findings)} findings are so without instrumentation too")
    if confirmed:
        print(f"to see one again: python {__file__} --again FILE")
    return 1 if confirmed else 0


if __name__ == "__main__":
    sys.exit(main())
