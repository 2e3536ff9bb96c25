"""Whatever the text, each command answers or complains in one message: no traceback, no hang, no half an answer.

A few of each kind here; `tests/bench/fuzz.py` looks further, guided by coverage, and at time and memory too. What it
finds ends up here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgcli.syntax.lalr import grammar_file
from tests.command import Capture, cg
from tests.for_each import for_each
from tests.fuzzing import EXAMPLES, WORDS, Grammar, broken, mutated, outcomes

MISTAKES = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8").splitlines()
TEXTS = [
    *(path.read_text(encoding="utf-8") for path in EXAMPLES),
    *(row.partition(" | ")[0] for row in MISTAKES if not row.startswith("# ")),
]


@cache
def grammar() -> Grammar:
    """That of the language."""
    return Grammar(Path(grammar_file("cg.lark")).read_text(encoding="utf-8"))


randoms = st.randoms(use_true_random=False)
thorough = settings(max_examples=25, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck))  # fmt: skip


def assert_promises_kept(content: bytes) -> None:
    """Every command keeps its promises."""
    for result in outcomes(content):
        assert not broken(result), result.arguments


@thorough
@given(randoms, st.integers(1, 60))
def test_a_text_of_the_grammar_has_a_value_or_a_message(random: Random, length: int) -> None:
    assert_promises_kept(grammar().text(random, length).encode())


@thorough
@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS), randoms)
def test_a_text_with_a_mistake_has_a_value_or_a_message(text: str, other: str, random: Random) -> None:
    assert_promises_kept(mutated(text, other, random).encode())


@thorough
@given(st.lists(st.sampled_from(WORDS), max_size=30).map("".join) | st.text(max_size=100))
def test_a_jumble_has_a_value_or_a_message(text: str) -> None:
    assert_promises_kept(text.encode("utf-8", "replace"))


@thorough
@given(st.binary(max_size=100))
def test_bytes_that_are_no_text_have_a_message(content: bytes) -> None:
    assert_promises_kept(content)


# What the fuzzers once found. Each broke a promise.
ONCE_WRONG = [
    "`a\x1b[31mb`",  # simplify printed a name of which the terminal's colours were taken away: another name
    "` ; nan ;\x1b[`",
]


@pytest.mark.parametrize("text", ONCE_WRONG)
def test_what_the_fuzzers_found(text: str) -> None:
    assert_promises_kept(text.encode())


# ---- what a short text cannot make the machine do ---------------------------------------

# Each asks for much in a few characters: it is refused before any of it is done.
GREEDY = {
    "zeros([10000, 10000])": "100000000 numbers, made of nothing but the text",
    "ones(10^6)": "1000000 numbers",
    "sum(ones(10^8))": "more than 200 MB",
    "sum(ones([5000, 5000]) @ ones([5000, 5000]))": "takes 2.53e+11 steps",
    "sum(v, axis=ones(10^6))": "axis cannot be an array of 1000000 numbers",
    "v[sum(v[0:2], axis=ones(10^8))]": "axis cannot be an array",
}


@for_each("text", GREEDY)
def test_a_short_text_does_not_take_the_machine(text: str, capsys: Capture) -> None:
    result = cg(capsys, "eval", text, "v=[1,2,3]")
    assert (result.code, result.out) == (2, "")
    assert GREEDY[text] in result.err


def test_the_data_of_a_file_may_be_large(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds are for what a text makes, not for what a user has."""
    import numpy as np

    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones(3 * 10**6))
    result = cg(capsys, "eval", "sum([x, x, x, x, x, x, x, x, x])", "x=@x.npy")
    assert result == (0, "27000000\n", "")


def test_notes_that_take_too_much_memory_are_left_out_with_a_warning(capsys: Capture) -> None:
    """Values are computed one after another, but a search for the origin of a nan keeps them all."""
    result = cg(capsys, "eval", "sum(ln(zeros(5*10^6)) + 1 + 1 + 1 + 1)")
    assert (result.code, result.out) == (0, "-inf\n")
    assert "is not looked for: the arrays held at once take more than 200 MB" in result.err
