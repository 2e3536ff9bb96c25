"""Programs that could break the code of another language: words of it as names, signs that end a comment or a quote,
names that are the same once they are spelled in ASCII, numbers at the ends of float64, much of everything.

Each gives code that compiles without a warning and computes what cg computes, or one clear error.
"""

from __future__ import annotations

import builtins
import keyword
import math
import subprocess
from collections.abc import Callable
from functools import cache, partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import cgcli
from cgcli.errors import CgError
from cgcli.exporting.targets import TARGETS
from tests.command import Capture, cg
from tests.exported import (
    Case,
    Found,
    cases,
    functions,
    in_c,
    in_duckdb,
    in_javascript,
    in_postgres,
    in_python,
    is_exported,
    need,
)
from tests.for_each import for_each
from tests.test_export import programs_of_sql, scalar_programs

_C = """
    alignas alignof asm auto bool break case char const constexpr continue default do double else enum extern float
    for fortran goto if inline int long nullptr register restrict return short signed sizeof static struct switch
    typedef typeof typeof_unqual union unsigned void volatile while and_eq bitand bitor catch class co_await compl
    concept const_cast decltype delete explicit export friend mutable namespace new noexcept operator private
    protected public requires static_cast template this throw try typeid typename using virtual xor linux unix errno
    NULL EOF NAN INFINITY HUGE_VAL M_PI FP_NAN isnan main abs div index time printf malloc strlen y0 jn gamma
"""
_JAVASCRIPT = """
    arguments await debugger eval function implements in instanceof interface let null package super var with yield
    async of get set undefined NaN Infinity Math Number Array Float64Array Object globalThis module exports
"""
_SQL = """
    select from where group order having limit offset table join on as and or not null is case when then end cast
    distinct union all between like exists values default user row rows over partition window data cg cg_row cg_0
    struct
"""
_PYTHON = (*keyword.kwlist, *keyword.softkwlist, *(name for name in dir(builtins) if not name.startswith("_")))


def _sum_of(names: str) -> str:
    """A program of names, of which those count once that differ in capitals alone, as they do in databases."""
    distinct = {name.lower(): name for name in names.split()}
    return " + ".join(f"{at}*`{name}`" for at, name in enumerate(distinct.values(), 1))


HOSTILE = (
    *map(_sum_of, (_C, _JAVASCRIPT, _SQL, " ".join(_PYTHON))),
    "`a\"b`*`a'b` + `a``b`^2 + `*/`*`/*` + `\\`*`\"\"\"` + `--`*`%s`".replace("``", "` * `"),
    "`a b`*a_b + a_b_2*`a-b` + `a b`*`1a`*_a*v_1a*`\u202e`",
    "θ*theta*Ж + theta_2*`Φ`^2*é*e_",
    "cg_1*_x*v__x*out*f_rows*n*row*result*k + cg_1*d_x*value_2",
    "t1 = x^2 + y; t2 = t1*t1; t3 = t2*x; a1 = t3*t3; value = t1*t2 + a1; d_x = value*2; value*d_x",
    "y = x; y = y*2; y = y + x; exp = y^2; sin = exp*y + exp(y/9); np = sin*2; math = np^2; out = math + 1; out*sin(x)",
    "int = x*2; Math = int*int; lambda = Math + x; class = lambda^2; SELECT = class*x; f = SELECT + 1; f*f_rows",
    "x*y # */ ; \" ''' \"\"\" \u202e \u2066 \x07 ??/ \\\n# /* \\",
    "x + 9007199254740993*y + 123456789012345678901234567890*z",
    "x*0 + 1e400*y - 1e400", "inf*x + nan*y", "x*1e-300*1e300 + 1e-400*y", "x*(-0.0) + 0*-y - -0.0",
    "-(-(-x))^-3 - -y - -2",
    "1.7976931348623157e308*sin(x) - 2.2250738585072014e-308*y", "x == nan or y != nan ? min(x, nan) : max(2, x, 1)",
    "x > 1/3 and 1 > 2 or y < sqrt(2) ? sin(1)*x : ln(0)", "x - (-y) + (-2)*(-x) - -(x + y) - (-x)^2",
    "x - -2^2 - (-3)*y/-4 + -(-x*y)", "x*2 and y or not x == y == 1",
)  # fmt: skip
_DEEP = ("sin({})", "({} + x)*0.5", "(x > 0.1 ? {} : y)", "-({} - y)", "abs({})/2 + 1")
LARGE = (
    *("".join([*[begin] * 100, "x", *[end] * 100]) for begin, _, end in (around.partition("{}") for around in _DEEP)),
    " + ".join(f"{at}*x{at}" for at in range(1, 400)),
    " + ".join(f"sin({at}*x{at})" for at in range(1, 100)),
    "; ".join(["t0 = x", *(f"t{at + 1} = (t{at}*y + sin(t{at}))/2" for at in range(100)), "t100"]),
)
_EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, -3.0, math.inf, -math.inf, math.nan, 1e300, -1e300, -1e-300, 1e16,
          1.0 - 1e16, 710.0, -746.0, 2.0**52 + 1, 1e-8, 1e-310, -1e-310)  # fmt: skip
_LESS_AT_EDGES = (
    "gammainc(",
    "gammaincc(",
    "betainc(",
    "jv(",
    "yv(",
    "iv(",
    "kv(",
    "betaln(",
    "binomial(",
    "zeta(",
    "beta(",
    "digamma_difference(",
)


@cache
def hostile_cases() -> list[Case]:
    return cases((*HOSTILE, *LARGE))


@cache
def edge_cases() -> list[Case]:
    """Each function at the ends of float64, alone and together; but for series, and for what loses digits there."""
    found = []
    for at, text in enumerate(scalar_programs()):
        names = cgcli.parse(text).inputs
        if names and not text.startswith(_LESS_AT_EDGES):
            values = np.array([*product(_EDGES if len(names) < 2 else _EDGES[:: len(names)], repeat=len(names))])
            found.append(Case(text, at, {name: values[:, k] for k, name in enumerate(names)}))
    assert len(found) > 70
    return found


def wrong_in(language: str, every: list[Case], folder: Path) -> list[str]:
    """Where the results of a language are not those of cg."""
    found: Callable[[list[Case]], Found] = {
        "c": partial(in_c, folder=folder, optimized="-O0"), "js": partial(in_javascript, folder=folder),
        "python": partial(in_python, target="python"), "numpy": partial(in_python, target="numpy"), "duckdb": in_duckdb,
    }[language]  # type: ignore[assignment]  # fmt: skip
    return [why for case, results in found(every) for why in case.differences(results)]


@for_each("language", ("c", "js", "python", "numpy", "duckdb"))
def test_hostile_programs(language: str, tmp_path: Path) -> None:
    need("gcc", "g++", "node")
    every = hostile_cases()
    if language == "duckdb":  # whose results have other names where the table's columns have theirs
        every = [case for case in every if not {*case.names} & {*case.inputs} and is_exported(case.text, "sql")]
    assert wrong_in(language, every, tmp_path) == []


@for_each("language", ("c", "js", "python", "duckdb"))
def test_functions_at_the_ends_of_float64(language: str, tmp_path: Path) -> None:
    """Protects infinities, signs of zero, nan and arguments for which a function overflows on its way."""
    need("gcc", "g++", "node")
    of_sql = programs_of_sql() if language == "duckdb" else ()
    every = [case for case in edge_cases() if language != "duckdb" or case.text in of_sql]
    assert wrong_in(language, every, tmp_path) == []


def test_words_of_sql_in_postgres() -> None:
    assert [why for case, found in in_postgres(cases([_sum_of(_SQL)])) for why in case.differences(found)] == []


REFUSED = (  # the options of a command, and what is said
    ("--to c --name 1f", "'1f' cannot be the name of a function"), ("--to js --name é", "'é' cannot be the name"),
    ("--to c --name a-b", "'a-b' cannot be the name"), ("--to c --name _f", "'_f' cannot be the name"),
    ("--to c --name cg_f", "'cg_f' cannot be the name"), ("--to c --name int", "'int' is a word of c"),
    ("--to c --name printf", "'printf' is a word of c"), ("--to c --name sinf", "'sinf' is a word of c"),
    ("--to js --name class", "'class' is a word of js"), ("--to python --name sum", "'sum' is a word of python"),
    ("--to numpy --name int", "'int' is a word of numpy"), ("--to torch --name torch", "'torch' is a word of torch"),
    ("--to sql --name f", "sql has no option 'name'"), ("--to js --header", "js has no option 'header'"),
    ("--to sql --table a..b", "'a..b' is no name of a table"), ("--to sql --dialect mysql", "no dialect 'mysql'"),
    ("--to c --wrt x,x", "'x,x' is no list of different names"), ("--to c --wrt x --only-value", "--wrt has no effect"),
    ("--to c -o nowhere/f.c", "cannot write 'nowhere/f.c'"), ("-o f.txt", "the language is missing"),
)  # fmt: skip


@for_each("options, message", REFUSED)
def test_what_is_refused(
    options: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cg(capsys, "export", "x^2", *options.split())
    assert (done.code in (1, 2), done.out, done.err.count("error:")) == (True, "", 1)
    assert message in done.err
    assert [*tmp_path.iterdir()] == []


LACKING = (  # operations on arrays that some languages lack
    "A: [2, 2]; sum(eigvalsh(A))", "A: [3, 2]; sum(svdvals(A))", "A: [2, 2]; sum(eigvecsh(A))",
    "A: [2, 3]; sum(pinv(A))", "A: [3, 2]; q, r = qr(A); sum(r)", "A: [2, 2, 2]; sum(inv(A))",
    "A: [7, 7]; det(A)", "A: [2, 2]; sum(cofactor(A))",
)  # fmt: skip


def test_a_refusal_names_the_languages_that_have_it() -> None:
    """Protects a hint that people follow: of each operation that a target lacks, those that write it, and no others."""
    lacking = [text for text in functions() if not is_exported(text, "sql", only_value=True)]
    assert len(lacking) > 5
    for text in (*LACKING, *lacking):
        have = [target for target in TARGETS if is_exported(text, target)]
        said = f"{', '.join(have[:-1])} and {have[-1]} have it" if have[1:] else f"{have[0]} has it"
        for target in TARGETS:
            if target not in have and not (target == "sql" and "[" in text):
                with pytest.raises(CgError, match="cg does not write") as caught:
                    cgcli.export(text, target)
                assert str(caught.value.hint).startswith(f"{said}; "), (text, target, caught.value.hint)


def test_a_name_that_the_program_lacks_has_derivative_0(capsys: Capture) -> None:
    done = cg(capsys, "export", "x^2", "--to", "python", "--wrt", "x,q")
    assert "out: value, d_x, d_q" in done.out
    assert "q" in done.err


def test_a_function_has_no_name_of_the_compiler(tmp_path: Path) -> None:
    """Protects a caller from warnings of functions that compilers know: each is refused, or compiles."""
    need("gcc", "g++")
    names = {*_C.split(), "exp10", "sincos", "csinf", "clogl", "conjf", "isdigit", "tolower", "labs", "strain", "total"}
    codes = [cgcli.export("x", "c", only_value=True, name=name) for name in sorted(names) if _is_allowed(name)]
    assert 1 < len(codes) < 9
    (tmp_path / "all.c").write_text("\n".join(codes), encoding="utf-8")
    for compiler in (["gcc", "-std=c99"], ["gcc"], ["g++", "-x", "c++"]):
        subprocess.run([*compiler, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", tmp_path / "all.c"], check=True)


def _is_allowed(name: str) -> bool:
    try:
        cgcli.export("x", "c", name=name)
    except CgError:
        return False
    return True
