"""`cg eval` and `cg grad` over rows: tables of command lines, with files, and everything that they print."""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import itertools
import json
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from threading import Timer
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow.ipc
import pyarrow.parquet
import pytest

from cgcli.cli.main import run
from cgcli.cli.rows import progress
from cgcli.tables.grid import Axis, grid
from tests.command import CG, Capture, cg
from tests.for_each import for_each

BOOK = "ln(x1) + x1*x2 - sin(x2)"
ADVICE = "  --on-error skip leaves such rows out, --on-error null leaves their results empty\n"
POINTS = "id,x1,x2\n007,2,5\n008,1,3\n"
BAD = "x,y\n1,2\n-1,3\nabc,3\n,4\n4\n4,5,6\n4,5\n"


class Case(NamedTuple):
    """A command line, the files that it may read, and what comes of it."""

    arguments: list[str]
    out: str
    files: Mapping[str, str] = MappingProxyType({"p.csv": POINTS})
    err: str = ""
    code: int = 0


def checked(case: Case, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command line in a folder with its files."""
    monkeypatch.chdir(tmp_path)
    for name, content in case.files.items():
        (tmp_path / name).write_bytes(content.encode("utf-8"))
    assert tuple(cg(capsys, *case.arguments)) == (case.code, case.out, case.err)


# ---- what comes out -------------------------------------------------------------------

RESULTS = [
    Case(["eval", "x1", "p.csv", "--only", "-o", "-", "--to", "jsonl"], '{"value":2}\n{"value":1}\n'),
    # objects of any length
    Case(["eval", "x", "p.json", "--only", "--to", "csv"], "value\n2\n",
         {"p.json": f'[{{"t": "{"a" * 3_000_000}", "x": 2}}]'}),
    Case(["eval", "x", "p.jsonl", "--only", "--to", "csv"], "value\n2\n",
         {"p.jsonl": f'{{"t": "{"a" * 3_000_000}", "x": 2}}\n'}),
    # columns pass through as they stand, and the results are behind them
    Case(["grad", BOOK, "p.csv"],
         "id,x1,x2,value,d_x1,d_x2\n007,2,5,11.652071455223084,5.5,1.7163378145367738\n"
         "008,1,3,2.8588799919401326,4,1.9899924966004454\n"),
    Case(["eval", "x1 + x2", "p.csv"], "id,x1,x2,value\n007,2,5,7\n008,1,3,4\n"),
    Case(["eval", "1 + 1", "p.csv"], "id,x1,x2,value\n007,2,5,2\n008,1,3,2\n"),
    Case(["eval", "id", "p.csv", "--only"], "value\n7\n8\n"),
    Case(["eval", "x*y", "p.csv"], "x,text,y,value\n 2 ,\"a, b\",1e3,2000\n-0.5,\"\"\"c\"\"\",2,-1\n",
         {"p.csv": "x,text,y\n 2 ,\"a, b\",1e3\n-.5,\"\"\"c\"\"\",2\n".replace("-.5", "-0.5")}),
    # names of the results
    Case(["grad", "x1*x2", "p.csv", "--only", "--as", "f", "--prefix", "g:"], "f,g:x1,g:x2\n10,5,2\n3,3,1\n"),
    Case(["grad", "a = x1*x2; (a, x1 + 1)", "p.csv", "--only", "--wrt", "x1"],
         "a,d_a/d_x1,x1 + 1,d_(x1 + 1)/d_x1\n10,5,3,1\n3,3,2,1\n"),
    Case(["grad", "x1*x2", "p.csv", "--only", "--wrt", "x2,x1"], "value,d_x2,d_x1\n10,2,5\n3,1,3\n"),
    # values that hold for all rows
    Case(["grad", "k*x1", "k=3", "p.csv", "--only"], "value,d_k,d_x1\n6,2,3\n3,1,3\n"),
    Case(["grad", "k*x1", "k=3", "p.csv", "--only", "--wrt", "x1"], "value,d_x1\n6,3\n3,3\n"),
    Case(["eval", "x1 + y", "--vars", "v.json", "p.csv", "--only"], "value\n12\n11\n",
         {"p.csv": POINTS, "v.json": '{"y": 10}'}),
    Case(["eval", "sum(w*[x1, x2])", "w=[1,10]", "p.csv", "--only"], "value\n52\n31\n"),
    # arrays: a column for each element, or a list
    Case(["eval", "[x1, x2]*2", "p.csv", "--only"], "value[0],value[1]\n4,10\n2,6\n"),
    Case(["grad", "sum(w*x1)", "w=[1,10]", "p.csv", "--only"], "value,d_w[0],d_w[1],d_x1\n22,2,2,11\n11,1,1,11\n"),
    Case(["eval", "[x1, x2]*2", "p.csv", "--to", "jsonl", "--only"], '{"value":[4,10]}\n{"value":[2,6]}\n'),
    Case(["grad", "sum(w^2)", "l.jsonl"],
         '{"w": [1, 2], "t": "é","value":5,"d_w":[2,4]}\n{"w": [3, 4],"value":25,"d_w":[6,8]}\n',
         {"l.jsonl": '{"w": [1, 2], "t": "é"}\n{"w": [3, 4]}\n'}),
    Case(["grad", "sum(w^2)", "e.csv", "--only"], "value,d_w[0],d_w[1]\n5,2,4\n25,8,6\n",
         {"e.csv": "w[1],k,w[0]\n2,a,1\n3,b,4\n"}),
    Case(["eval", "det(m)", "e.csv", "--only"], "value\n6\n",
         {"e.csv": '"m[0,0]","m[0,1]","m[1,0]","m[1,1]"\n2,0,0,3\n'}),
    Case(["eval", "sum(w)", "e.csv"], "w[0],w[1],value\n", {"e.csv": "w[0],w[1]\n"}),
    Case(["eval", "sum(w)", "e.csv", "--on-error", "skip", "-q"], "w[0],w[1],value\n", {"e.csv": "w[0],w[1]\n,2\n"}),
    Case(["eval", "sum(w)", "a.jsonl", "b.jsonl", "--only"], '{"value":3}\n',
         {"a.jsonl": '{"w[0]":1,"w[1]":2}\n', "b.jsonl": '{"w[0]":1}\n'},
         "cg: error: b.jsonl, line 1: 'w' has shape [1] here, and [2] in the rows before\n"
         "  --on-error skip leaves such rows out, --on-error null leaves their results empty\n", 1),
    Case(["eval", "e*x", "e.csv", "--only"], "value[0],value[1]\n3,6\n", {"e.csv": "e[0],e[1],x\n1,2,3\n"},
         "cg: warning: 'e' is the column here, and not the constant\n"),
    Case(["eval", "w*x", "w=[3]", "e.csv", "--only"], "value[0]\n6\n", {"e.csv": "w[0],x\n1,2\n"},
         "cg: warning: 'w' has a value for all rows, so its column is not read\n"),
    Case(["eval", "c1 + c2", "e.csv"], "", {"e.csv": "1,2.5\n3,4\n"},
         "cg: error: no value for 'c1', 'c2'\n  c1 + c2\n  ^^   ^^\n"
         "  the columns are called 1, 2.5: --no-header, if these are no names\n", 2),
    Case(["eval", "a", "e.csv"], "", {"e.csv": "a;b\n3;4\n"}, "cg: error: no value for 'a'\n  a\n  ^\n"
         "  the first line is one cell: what stands between cells is said by --delimiter ';'\n", 2),
    Case(["eval", "`w[0]` + 1", "e.csv"], "w[0],w[1],value\n1,2,2\n", {"e.csv": "w[0],w[1]\n1,2\n"}),
    Case(["eval", "sum(w)", "e.csv"], "w[0],w[1],value\n1,2,3\n", {"e.csv": "w[0],w[1]\n1,2\n3,\n"},
         "cg: error: e.csv, line 3: column 'w[1]' holds an empty cell\n"
         "  --on-error skip leaves such rows out, --on-error null leaves their results empty\n", 1),
    Case(["eval", "sum(w)", "e.csv"], "", {"e.csv": "w[0],w[2]\n1,2\n"},
         "cg: error: no value for 'w'\n  sum(w)\n      ^\n  the columns are: w[0], w[2]\n", 2),
    # names with blanks, names of functions and constants
    Case(["grad", "`a b`^2 + max", "p.csv", "--only"], "value,d_a b,d_max\n10,6,1\n", {"p.csv": "a b,max\n3,1\n"}),
    Case(["eval", "2*e + pi*0", "p.csv", "--only"], "value\n6\n", {"p.csv": "e,x\n3,1\n"},
         "cg: warning: 'e' is the column here, and not the constant\n"),
    # several files, and other formats
    Case(["eval", "2*x", "a.csv", "b.csv"], "x,value\n1,2\n2,4\n3,6\n", {"a.csv": "x\n1\n2\n", "b.csv": "x\n3\n"}),
    Case(["eval", "2*x", "a.tsv"], "x\ty\tvalue\n1\ta,b\t2\n", {"a.tsv": "x\ty\n1\ta,b\n"}),
    # TSV has no quotes, and spells tabs and lines' ends with backslashes, which other formats do not
    Case(["eval", "y", "a.tsv"], 'name\ty\tvalue\n5" pipe\t2\t2\n"C:\\dir\\\\\t3\t3\n',
         {"a.tsv": 'name\ty\n5" pipe\t2\n"C:\\dir\\\\\t3\n'}),
    Case(["eval", "2*x", "a.tsv", "--to", "csv"], 'x,a\tb,value\n1,"l\nl",2\n',
         {"a.tsv": "x\ta\\tb\n1\tl\\nl\n"}),
    Case(["eval", "x", "a.csv", "b.tsv", "--to", "tsv"], "x\tt\tvalue\n1\t\\\\n\t1\n2\t\\n\t2\n",
         {"a.csv": "x,t\n1,\\n\n", "b.tsv": "x\tt\n2\t\\n\n"}),
    Case(["eval", "x", "a.tsv", "--on-error", "null", "--only", "-q"], "value\n\n2\n\n", {"a.tsv": "x\n\n2\na\n"}),
    Case(["eval", "2*x", "a.txt", "-i", "csv", "--to", "tsv"], "x\tvalue\n1\t2\n", {"a.txt": "x\n1\n"}),
    Case(["eval", "c1 + c2", "a.csv", "--no-header"], "c1,c2,value\n1,2,3\n3,4,7\n", {"a.csv": "1,2\n3,4\n"}),
    Case(["eval", "x/3", "a.csv", "--precision", "3"], "x,value\n1,0.333\n", {"a.csv": "x\n1\n"}),
    Case(["eval", "2*x", "a.csv", "--json"], '{"x":1,"value":2}\n', {"a.csv": "x\n1\n"}),
    # nothing but a header
    Case(["grad", "2*x", "a.csv"], "x,value,d_x\n", {"a.csv": "x\n"}),
    Case(["grad", "2*x", "a.jsonl"], "", {"a.jsonl": ""}),
    # numbers that are no numbers pass through
    Case(["grad", "2*x", "a.csv"], "x,value,d_x\nnan,nan,2\ninf,inf,2\n", {"a.csv": "x\nnan\ninf\n"}),
    Case(["eval", "x > 0 ? x : nan", "a.csv"], "x,value\n-1,nan\n1,1\n", {"a.csv": "x\n-1\n1\n"}),
]  # fmt: skip


@for_each("case", RESULTS)
def test_each_row_gets_its_results(
    case: Case, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects users: what stands in the table stays unchanged, and the results are behind it, under their names."""
    checked(case, capsys, tmp_path, monkeypatch)


# ---- sweeps ---------------------------------------------------------------------------

SWEEPS = [
    Case(["eval", "x^2", "x=0:1:5"], "x,value\n0,0\n0.25,0.0625\n0.5,0.25\n0.75,0.5625\n1,1\n", {}),
    Case(["eval", "x", "x=0:1:11", "--only"], "value\n0\n0.1\n0.2\n0.3\n0.4\n0.5\n0.6\n0.7\n0.8\n0.9\n1\n", {}),
    Case(["eval", "x", "x=0.1:0.7:7", "--only"], "value\n0.1\n0.2\n0.3\n0.4\n0.5\n0.6\n0.7\n", {}),
    Case(["grad", "x*y", "x=1:2:2", "y=3:1:3"],
         "x,y,value,d_x,d_y\n1,3,3,3,1\n1,2,2,2,1\n1,1,1,1,1\n2,3,6,3,2\n2,2,4,2,2\n2,1,2,1,2\n", {}),
    Case(["grad", "a*x", "x=0:pi:2", "a=2", "--to", "tsv"],
         "x\tvalue\td_a\td_x\n0\t0\t0\t2\n3.141592653589793\t6.283185307179586\t3.141592653589793\t2\n", {}),
    Case(["eval", "x", "x=5:9:1", "--json"], '{"x":5,"value":5}\n', {}),
    Case(["eval", "x", "x=0:10"], "", {}, "cg: error: the sweep of 'x' is start:stop:count, and not '0:10'\n"
         "  write x=0:10:101 for 101 points\n", 2),
    Case(["eval", "x", "x=0:10:0.1"], "", {}, "cg: error: the sweep of 'x' has 0.1 points\n"
         "  the count comes last, as in: x=0:10:101, which is 101 points from 0 to 10\n", 2),
    Case(["eval", "x", "x=0:[1,2]:3"], "", {}, "cg: error: the sweep of 'x' goes over numbers, not over arrays\n"
         "  as in: x=0:10:101, which is 101 points from 0 to 10\n", 2),
    Case(["eval", "x", "x=0:1:3", "x=0:1:3"], "", {},
         "cg: error: 'x' is bound twice\n  give one sweep for each name\n", 2),
    Case(["eval", "x", "x=0:1:3", "x=3"], "", {}, "cg: error: 'x' is bound twice\n  give a value or a sweep\n", 2),
    Case(["eval", "x1", "x=0:1:3", "p.csv"], "", {"p.csv": POINTS},
         "cg: error: 'x=0:1:3' makes rows, and so does 'p.csv'\n  give either a sweep or files\n", 2),
    Case(["eval", "x", "x=0:1:3", "-i", "csv"], "", {},
         "cg: error: --input-format is for rows that are read, and a sweep makes its own\n", 2),
    Case(["jacobian", "x", "x=0:1:3"], "", {}, "cg: error: 'x=0:1:3' is a sweep, and only cg eval, grad, jvp, "
         "hessian, fit, minimize, solve and train compute many points\n"
         "  a value is as in: 3, pi/2, [1,2], @x.npy\n", 2),
    Case(["eval", "ln(x)", "x=1:-1:3"], "x,value\n1,0\n0,-inf\n", {},
         f"cg: error: the sweep, x=-1: ln(-1) is nan\n  ln(x)\n  ^^^^^\n{ADVICE}", 1),
    Case(["eval", "x[1:2][0]", "x=[1,2,3][0:2]"], "2\n", {}),  # colons that belong to slices and choices
    Case(["eval", "x", "x=1 > 0 ? 3 : 4"], "3\n", {}),
]  # fmt: skip


@for_each("case", SWEEPS)
def test_a_sweep_makes_rows(case: Case, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who tabulates a function: both ends are points, decimal steps are what they say, grids are in order."""
    checked(case, capsys, tmp_path, monkeypatch)


# ---- bad rows -------------------------------------------------------------------------


def stopped(message: str, extra: str = "") -> str:
    return f"cg: error: {message}\n{extra}{ADVICE}"


KINDS = (
    " (2 with another number of cells, 1 with something else than a number, 1 without a number, "
    "1 with a result that is no number)"
)
BAD_ROWS = [
    Case(["eval", "ln(x)", "b.csv"], "x,value\n1,0\n", {"b.csv": "x\n1\n-1\n2\n"},
         stopped("b.csv, line 3: ln(-1) is nan", "  ln(x)\n  ^^^^^\n"), 1),
    Case(["eval", "2*x", "b.csv"], "x,value\n1,2\n", {"b.csv": "x\n1\nabc\n2\n"},
         stopped("b.csv, line 3: column 'x' holds 'abc'"), 1),
    Case(["eval", "2*x", "b.csv"], "x,y,value\n1,1,2\n", {"b.csv": "x,y\n1,1\n,2\n"},
         stopped("b.csv, line 3: column 'x' holds an empty cell"), 1),
    Case(["eval", "2*x", "a.csv", "b.csv"], "x,value\n1,2\n", {"a.csv": "x\n1\n", "b.csv": "x\nabc\n"},
         stopped("b.csv, line 2: column 'x' holds 'abc'"), 1),
    Case(["eval", "2*x", "b.csv"], 'x,y,value\n1,"a\nb",2\n', {"b.csv": 'x,y\n1,"a\nb"\nabc,3\n'},
         stopped("b.csv, line 4: column 'x' holds 'abc'"), 1),
    Case(["eval", "2*x", "b.jsonl"], '{"x":1,"value":2}\n', {"b.jsonl": '{"x":1}\n{"x":null}\n'},
         stopped("b.jsonl, line 2: there is no 'x', or it is null"), 1),
    Case(["eval", "sum(w)", "b.jsonl"], '{"w":[1,2],"value":3}\n', {"b.jsonl": '{"w":[1,2]}\n{"w":[1]}\n'},
         stopped("b.jsonl, line 2: column 'w' holds a list of shape [1] instead of a list of shape [2]"), 1),
    Case(["eval", "ln(x) + y", "b.csv", "--on-error", "skip"],
         "x,y,value\n1,2,2\n4,5,6.386294361119891\n", {"b.csv": BAD},
         f"cg: warning: 5 of 7 rows are left out{KINDS}; the first: b.csv, line 3: ln(-1) is nan\n"),
    Case(["grad", "ln(x) + y", "b.csv", "--on-error", "null", "--only"],
         "value,d_x,d_y\n2,1,1\n,,\n,,\n,,\n,,\n,,\n6.386294361119891,0.25,1\n", {"b.csv": BAD},
         f"cg: warning: 5 of 7 rows have no results{KINDS}; the first: b.csv, line 3: ln(-1) is nan\n"),
    Case(["eval", "sum(w)", "b.jsonl", "--on-error", "null"],
         '{"value":null}\n{"w":[1,2],"value":3}\n', {"b.jsonl": '{}\n{"w":[1,2]}\n'},
         "cg: warning: 1 of 2 rows has no results; the first: b.jsonl, line 1: there is no 'w', or it is null\n"),
    Case(["eval", "2*x", "b.csv", "--on-error", "skip", "-q"], "x,value\n1,2\n", {"b.csv": "x\nabc\n1\n"}),
    # infinities are results
    Case(["eval", "1/x", "b.csv"], "x,value\n0,inf\n1,1\n0,inf\n", {"b.csv": "x\n0\n1\n0\n"},
         "cg: warning: in 2 of 3 rows a result is infinite; the first: b.csv, line 2: 1/0 is infinite\n"),
    Case(["eval", "1/x", "b.csv", "-q"], "x,value\n0,inf\n", {"b.csv": "x\n0\n"}),
    Case(["eval", "1/x", "b.csv", "--strict"], "x,value\n1,1\n", {"b.csv": "x\n1\n0\n"},
         stopped("b.csv, line 3: 1/0 is infinite", "  1/x\n  ^^^\n"), 1),
]  # fmt: skip


@for_each("case", BAD_ROWS)
def test_bad_rows_stop_are_left_out_or_have_no_results(
    case: Case, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects data: no bad row passes in silence, and its place and what it holds are said."""
    checked(case, capsys, tmp_path, monkeypatch)


# ---- mistakes -------------------------------------------------------------------------

MISTAKES = [
    Case(["eval", "x1", "p.csv", "none.csv"], "", err="cg: error: cannot read 'none.csv': no such file or directory\n",
         code=1),
    Case(["eval", "x1", "p.csv", "data"], "", {"p.csv": POINTS, "data": POINTS},
         "cg: error: cannot take data from 'data': it has no suffix of a format that cg reads; -i FORMAT says which it "
         "is\n  the shell has put file names in place of '*': quote the expression, as in: 'x*y'\n", 2),
    Case(["eval", "x1 + y + z2", "p.csv"], "",
         err="cg: error: no value for 'y', 'z2'\n  x1 + y + z2\n       ^   ^^\n  the columns are: id, x1, x2\n",
         code=2),
    Case(["eval", "lenght^2", "p.csv"], "", {"p.csv": "length,x\n1,2\n"},
         "cg: error: no value for 'lenght'\n  lenght^2\n"
         "  ^^^^^^\n  did you mean 'length'? the columns are: length, x\n", 2),
    Case(["eval", "2*time", "p.csv"], "", {"p.csv": "time (s),x y,w[0],a.b,2nd\n1,2,3,4,5\n"},
         "cg: error: no value for 'time'\n  2*time\n    ^^^^\n"
         "  the columns are: `time (s)`, `x y`, w[0], a.b, `2nd`\n", 2),
    Case(["eval", "2*`time (s)` + `x y` + w[0] + a.b + `2nd`", "p.csv"],
         "time (s),x y,w[0],a.b,2nd,value\n1,2,3,4,5,16\n", {"p.csv": "time (s),x y,w[0],a.b,2nd\n1,2,3,4,5\n"}),
    Case(["eval", "2*x", "absent.csv"], "", {}, "cg: error: cannot read 'absent.csv': no such file or directory\n", 1),
    Case(["eval", "2*x", "3"], "", {}, "cg: error: cannot take data from '3': there is no such file\n"
         "  give values as name=value, or in a JSON object with --vars FILE.json\n", 2),
    Case(["eval", "2*x", "x->-3"], "", {}, "cg: error: cannot take data from 'x->-3': there is no such file\n"
         "  to give a value, write x=-3\n", 2),
    Case(["grad", "2*x1", "p.csv", "--as", "x2"], "",
         err="cg: error: p.csv has a column 'x2' already, and a result would be called so too\n"
         "  name the results with --as or --prefix, or leave the input's columns out with --only\n", code=2),
    Case(["eval", "(x1, x2)", "p.csv", "--as", "a", "--only"], "",
         err="cg: error: --as 'a' names one value, and the program has 2\n", code=2),
    Case(["eval", "x1", "p.csv", "--to", "cvs"], "",
         err="cg: error: unknown format 'cvs'\n  did you mean 'csv'?\n", code=2),
    Case(["eval", "x1", "p.csv", "--json", "--to", "tsv"], "",
         err="cg: error: --json means --to jsonl over rows, and there is --to tsv\n", code=2),
    Case(["eval", "-", "-"], "", {}, "cg: error: standard input cannot be both the program and the rows\n"
         "  put the program into a file: -f program.cg\n", 2),
    Case(["eval", "x", "-", "-"], "", {}, "cg: error: standard input can be read only once\n", 2),
    Case(["grad", "x1", "p.csv", "--mode", "forward"], "",
         err="cg: error: over rows, cg grad computes first derivatives in reverse mode\n  leave out --mode\n", code=2),
    Case(["eval", "1 + 1", "--to", "csv"], "", {}, "cg: error: --to is for rows, and there are none\n"
         "  rows come from a file, from standard input as '-', or from a sweep: x=0:10:101\n", 2),
    Case(["vjp", "x1", "p.csv"], "",
         err="cg: error: cannot take data from 'p.csv': only cg eval, grad, jvp, hessian, fit, minimize, solve and "
             "train read rows\n"
         "  give values as name=value, or in a JSON object with --vars FILE.json\n", code=2),
    Case(["eval", "x1*x2", "x2=3", "p.csv", "--only"], "value\n6\n3\n",
         err="cg: warning: 'x2' has a value for all rows, so its column is not read\n"),
    Case(["eval", "x", "a.json", "--to", "csv"], "x,value\n1,1\n", {"a.json": '[{"x":1}, null]'},
         "cg: error: a.json, line 1: 'null' where an object was expected\n", 1),
    Case(["eval", "x", "a.jsonl"], '{"x":1,"value":1}\n', {"a.jsonl": '{"x":1}\nnull\n'},
         f"cg: error: a.jsonl, line 2: 'null' where an object was expected\n{ADVICE}", 1),
    Case(["eval", "x1", "k=3", "p.csv", "--only"], "value\n2\n1\n",
         err="cg: warning: 'k' is bound, but the expression does not use it\n"),
    Case(["grad", "x1", "p.csv", "--only", "--wrt", "x2"], "value,d_x2\n2,0\n1,0\n",
         err="cg: warning: 'x2' is not in the expression: its derivative is 0\n"),
]  # fmt: skip


@for_each("case", MISTAKES)
def test_mistakes_are_named(case: Case, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects users from wrong tables: a name, a file or an option that does not fit is an error that says so."""
    checked(case, capsys, tmp_path, monkeypatch)


NO_ROWS = {  # JSON documents that hold no row, and what is said of the first value
    "null": "'null'", "null\nnull\n": "'null'", "[null]": "'null'", '"text"': "'\"text\"'", "3": "'3'",
    "true": "'true'", "[[1]]": "'[1]'", "[[[1], [2]]]": "'[[1], [2]]'", '[3, {"x": 1}]': "'3'",
}  # fmt: skip


@for_each("text", NO_ROWS)
@for_each("kind", ["json", "jsonl"])
def test_json_that_is_no_row_is_one_error(
    text: str, kind: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the process: pyarrow's own reader of JSON ended it without a word at the document `null`."""
    monkeypatch.chdir(tmp_path)
    message = f"line 1: {NO_ROWS[text]} where an object was expected\n"
    (tmp_path / f"a.{kind}").write_text(text, encoding="utf-8")
    for arguments, source in ((["-", "-i", kind], "standard input"), ([f"a.{kind}"], f"a.{kind}")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        found = cg(capsys, "eval", "x", *arguments)
        assert (found.code, found.err) == (1, f"cg: error: {source}, {message}")


@for_each("text", ["null", "[null]", '"text"', "true", "{}", '{"x": null}'])
def test_json_that_is_no_value_is_one_error(text: str, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_text(text, encoding="utf-8")
    at, objects = cg(capsys, "eval", "x", f"x=@{path}"), cg(capsys, "eval", "x", "--vars", str(path))
    assert (at.code, at.err.count("cg: error: ")) == (1, 1)
    assert (objects.code, objects.err.count("cg: error: ")) == (2 if text == "{}" else 1, 1)


def test_progress_says_how_much_is_done(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who waits, and who does not: nothing is said on a pipe, nor in the first two seconds."""
    for silent, terminal, expected in ((0, True, " 131k/300k "), (0, False, ""), (60, True, "")):
        monkeypatch.setattr(progress, "_SILENT", silent)
        monkeypatch.setattr(progress, "_PAUSE", 0)
        monkeypatch.setattr(sys.stderr, "isatty", lambda shown=terminal: shown)
        shown = progress.Progress(quiet=False, rows=300_000)
        for batch in shown.of(islice(grid([Axis("x", 0, 1, 300_000)]), 3)):
            shown.add(batch)
        shown.clear()
        said = capsys.readouterr().err
        assert (expected in said and said.endswith("\r")) if expected else not said


@pytest.mark.parametrize(("columns", "expected"), [(60, 60), (0, 80)])
def test_progress_is_seen_on_a_terminal(columns: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that another program has opened may say that it has no columns, which would be no bar."""
    terminal, ours = os.openpty()
    size = struct.pack("4H", 24 * (columns > 0), columns, 0, 0)
    fcntl.ioctl(ours, termios.TIOCSWINSZ, size)
    monkeypatch.setattr(progress, "_SILENT", 0)
    with os.fdopen(ours, "w", encoding="utf-8") as stderr, os.fdopen(terminal, "rb", buffering=0) as seen:
        monkeypatch.setattr(sys, "stderr", stderr)
        shown = progress.Progress(quiet=False, rows=300_000)
        for batch in shown.of(islice(grid([Axis("x", 0, 1, 300_000)]), 1)):
            shown.add(batch)
        bar = seen.read(4096).decode().rpartition("\r")[2]
        shown.clear()
    assert " 0.00/300k " in bar
    assert len(bar) in (expected - 1, expected)


def test_progress_knows_how_many_rows_parquet_files_hold(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.parquet", "b.parquet"):
        assert cg(capsys, "eval", "x", "x=0:1:30000", "-o", name).code == 0
    monkeypatch.setattr(progress, "_SILENT", 0)
    monkeypatch.setattr(progress, "_PAUSE", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = progress.Progress(quiet=False, files=["a.parquet", "b.parquet"])
    for batch in shown.of(2 * [next(grid([Axis("x", 0, 1, 15_000)]))]):
        shown.add(batch)
    shown.clear()
    assert " 15.0k/60.0k " in capsys.readouterr().err


# ---- pipes ----------------------------------------------------------------------------


def started(*arguments: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own, between two pipes, as a terminal starts it; it ends within a minute."""
    process = subprocess.Popen(
        [*CG, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=_mind_signals,
    )  # fmt: skip
    watch = Timer(60, process.kill)
    watch.daemon = True
    watch.start()
    return process


def _mind_signals() -> None:
    """As it is where neither nohup nor a script in the background has these ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def answers(process: subprocess.Popen[bytes], row: bytes, lines: int) -> bytes:
    """What comes for a row while the pipe stays open: so many lines."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(row)
    process.stdin.flush()
    return b"".join(process.stdout.readline() for _ in range(lines))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([b"x,y\n1,2\n", b"3,4\n", b"5,6\n"], [b"x,y,value,d_x\n1,2,3,1\n", b"3,4,7,1\n", b"5,6,11,1\n"]),
        ([b'{"x":1,"y":2}\n', b'{"x":3,"y":4}\n'],
         [b'{"x":1,"y":2,"value":3,"d_x":1}\n', b'{"x":3,"y":4,"value":7,"d_x":1}\n']),
    ],
)  # fmt: skip
def test_a_row_is_answered_while_the_pipe_stays_open(rows: list[bytes], expected: list[bytes]) -> None:
    """Protects `tail -f`: no row waits for the next."""
    with started("grad", "x + y", "--wrt", "x", "-") as process:
        for row, answer in zip(rows, expected, strict=True):
            assert answers(process, row, answer.count(b"\n")) == answer
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    """Protects `| head`: a sweep of a million million points ends when nobody reads on, and says nothing."""
    with started("eval", "2*x", "x=0:1:1000000000001") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(3)]
        process.stdout.close()
        process.stdin.close()
        assert process.stderr is not None
        assert (process.wait(timeout=20), process.stderr.read()) == (0, b"")
    assert first == [b"x,value\n", b"0,0\n", b"1e-12,2e-12\n"]


def test_an_interrupt_leaves_whole_lines() -> None:
    """Protects whoever presses Ctrl-C: what was written can be read."""
    with started("eval", "2*x", "x=0:1:1000000001") as process:
        assert process.stdout is not None
        begin = os.read(process.stdout.fileno(), 1 << 16)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    lines = (begin + out).decode().split("\n")
    assert (process.returncode, err.strip(), lines.pop()) == (130, b"", "")
    assert all(line.count(",") == 1 for line in lines)


def test_a_signal_leaves_no_file_in_the_making_that_nobody_takes_back(tmp_path: Path) -> None:
    """It may come when the file is there, and before its writer is."""
    script = (
        "import os, signal, sys; from cgcli.cli import main; from cgcli.tables import formats\n"
        "make = formats.Compressed\n"
        "formats.Compressed = lambda *given: os.kill(os.getpid(), signal.SIGTERM) or make(*given)\n"
        "main.main()"
    )
    command = [sys.executable, "-c", script, "eval", "2*x", "x=1:9:9", "-o", "o.csv.gz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr, os.listdir(tmp_path)) == (143, b"", [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
def test_a_signal_leaves_no_half_file(number: int, tmp_path: Path) -> None:
    """Batch schedulers and closed terminals send these; a temporary file must not stay behind either."""
    target = tmp_path / "out.csv"
    process = subprocess.Popen(
        [*CG, "eval", "x^2", "-", "-o", str(target)], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=partial(signal.signal, number, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(b"x\n1\n" + b"2\n" * 100_000)
    process.stdin.flush()
    for _ in range(100):
        if any(tmp_path.iterdir()):
            break
        time.sleep(0.1)
    assert any(tmp_path.iterdir())
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (128 + number, b"")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("threads", ["1", "2"])
def test_no_copy_of_the_input_stays_behind_an_error(threads: str, tmp_path: Path) -> None:
    """What cannot be read as it comes is put into a temporary file, and that is as large as the input."""
    (tmp_path / "tmp").mkdir()
    np.savez(tmp_path / "a.npz", x=np.array([1.0, -1.0]))
    done = subprocess.run(
        [*CG, "eval", "sqrt(x)", "-", "--to", "csv", "--threads", threads], capture_output=True, check=False,
        input=(tmp_path / "a.npz").read_bytes(), env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, b"x,value\n1,1\n")
    assert not any((tmp_path / "tmp").iterdir())


def test_an_interrupt_that_the_caller_ignores_is_ignored() -> None:
    """As scripts have it for commands in the background."""
    process = subprocess.Popen(
        [*CG, "eval", "x", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"x\n2\n")
    process.stdin.flush()
    assert os.read(process.stdout.fileno(), 1)  # it is at work, and waits for more rows
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(b"2\n" * 200_000, timeout=60)
    assert (process.returncode, out.count(b"\n")) == (0, 200_002)


def test_many_small_arrays_take_linear_time(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 arrays of two rows, each on its line, once took a minute and a half."""
    rows = b"".join(b'[{"x":%d},{"x":2}]\n' % at for at in range(20_000)).decode()
    out = "".join(f"{at}\n2\n" for at in range(20_000))
    checked(Case(["eval", "x", "a.json", "--only", "--to", "csv"], f"value\n{out}", {"a.json": rows}), capsys, tmp_path,
            monkeypatch)  # fmt: skip


# Formats, and how other programs read their rows from standard output.
READ: dict[str, Callable[[bytes], list[Any]]] = {
    "csv": lambda out: list(csv.DictReader(io.StringIO(out.decode()))),
    "jsonl": lambda out: [json.loads(line) for line in out.splitlines()],
    "json": json.loads,
    "parquet": lambda out: pyarrow.parquet.read_table(io.BytesIO(out)).to_pylist(),
    "arrow": lambda out: pyarrow.ipc.open_stream(io.BytesIO(out)).read_all().to_pylist(),
    "npy": lambda out: np.load(io.BytesIO(out)).tolist(),
    "npz": lambda out: list(zip(*np.load(io.BytesIO(out)).values(), strict=True)),
}
ENDED = [kind for kind in READ if kind not in ("csv", "jsonl")]  # what has an end


@pytest.mark.parametrize("to", READ)
def test_rows_before_a_bad_one_can_be_read(
    to: str, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects what is there after an error of the data: the format has its end, even where no row came before."""
    for rows, most in ((b"x\n1\n2\nabc\n4\n", 2), (b"x\nabc\n4\n", 0), (b"x\n" + b"1\n" * 70_000 + b"abc\n", 70_000)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(rows)))
        code = run(["eval", "2*x", "-", "--to", to])
        out, err = capfdbinary.readouterr()
        assert (code, len(READ[to](out))) == (1, most)
        assert err.decode().startswith(f"cg: error: standard input, line {most + 2}: column 'x' holds 'abc'")


SIGNALS = [*zip(READ, cycle([signal.SIGINT, signal.SIGTERM])), ("json", signal.SIGHUP)]


@pytest.mark.parametrize(("to", "number"), SIGNALS)
def test_rows_before_a_signal_can_be_read(to: str, number: signal.Signals) -> None:
    """Protects what came out until then, while the input waits for more and the reader for nothing."""
    out = b""
    for pause in (1, 3, 10):  # a busy machine has computed nothing so soon
        with started("eval", "2*x", "-", "--to", to) as process:
            assert process.stdin is not None
            process.stdin.write(b"x\n" + b"1\n" * 100_000)
            process.stdin.flush()
            time.sleep(pause)
            process.send_signal(number)
            time.sleep(0.3)
            assert process.stdout is not None
            out = process.stdout.read()
            assert process.wait(timeout=20) == (130 if number == signal.SIGINT else 128 + number)
            assert process.stderr is not None
            assert process.stderr.read().strip() == b""
        if out and READ[to](out):
            break
    assert 0 < len(READ[to](out)) <= 100_000


@pytest.mark.parametrize("to", ["jsonl", "json", "parquet", "npz"])
def test_a_second_signal_waits_for_no_reader(to: str) -> None:
    """Protects from a command that cannot be ended: nobody reads the pipe that what came out still needs."""
    with started("eval", "2*x", "x=0:1:1000000000001", "--to", to) as process:
        assert process.stdout is not None
        select.select([process.stdout], [], [], 2)  # what is written last of all, an npz, is not waited for
        for _ in range(60):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            if process.poll() is not None:
                break
        process.kill()
    assert process.returncode == 130


@pytest.mark.parametrize("to", ENDED)
def test_where_nothing_can_be_written_there_is_one_error_at_most(to: str) -> None:
    """Protects `| head`, and full disks: no end is written there, and of two errors the first is told."""
    sweep, bad = ["eval", "2*x", "x=0:1:20001", "--to", to], ["eval", "2*x", "-", "--to", to]
    with started(*sweep) as process:
        assert process.stdout is not None
        assert len(process.stdout.read(10)) == 10
        process.stdout.close()
        assert process.stderr is not None
        assert (process.wait(timeout=20), process.stderr.read()) == (0, b"")
    if not os.path.exists("/dev/full"):
        return
    full_disk, bad_row = "cg: error: No space left", "cg: error: standard input, line 70002: column 'x' holds 'abc'"
    for arguments, messages in ((sweep, (full_disk,)), (bad, (full_disk, bad_row))):
        with open("/dev/full", "wb") as full:
            found = subprocess.run([*CG, *arguments], input=b"x\n" + b"1\n" * 70_000 + b"abc\n", stdout=full,
                                   stderr=subprocess.PIPE, timeout=20)  # fmt: skip
        message = found.stderr.decode()
        assert (found.returncode, message.count("cg: "), message.startswith(messages)) == (1, 1, True)


def test_wide_tables_take_linear_time(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 columns once took a minute; a table may have 8,192."""
    names = ",".join(f"x{at}" for at in range(8_000))
    ones = ",".join("1" * 8_000)
    checked(Case(["eval", "x1", "w.csv"], f"{names},value\n{ones},1\n", {"w.csv": f"{names}\n{ones}\n"}), capsys,
            tmp_path, monkeypatch)  # fmt: skip


def test_a_file_appears_whole_or_not_at_all(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects results from earlier: a bad row leaves the file as it was, and nothing beside it."""
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("x\n1\nabc\n", encoding="utf-8")
    Path("o.csv").write_text("earlier", encoding="utf-8")
    assert cg(capsys, "eval", "x", "a.csv", "-o", "o.csv").code == 1
    assert Path("o.csv").read_text(encoding="utf-8") == "earlier"
    assert cg(capsys, "eval", "2*x", "a.csv", "-o", "a.csv", "--on-error", "skip", "-q") == (0, "", "")
    assert Path("a.csv").read_text(encoding="utf-8") == "x,value\n1,2\n"
    assert sorted(os.listdir()) == ["a.csv", "o.csv"]


def test_a_large_file_that_replaces_another_is_on_its_way_to_the_disk_before_it_is_whole(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part once, and nothing of a new file; what is written is the same."""
    parts: list[tuple[int, int]] = []
    monkeypatch.setattr("cgcli.files._begin_to_store", lambda _, begin, size: parts.append((begin, size)))
    monkeypatch.setattr("cgcli.files._FLUSHED", 100)
    monkeypatch.setattr("cgcli.tables.output._PART", 30)
    names = [str(tmp_path / name) for name in ("new.csv", "old.csv")]
    Path(names[1]).write_bytes(b"earlier")
    for name in names:
        assert cg(capsys, "eval", "2*x", "x=1:99:99", "-o", name).code == 0
        if name == names[0]:
            assert not parts
    content = Path(names[0]).read_bytes()
    assert Path(names[1]).read_bytes() == content
    assert sum(size for _, size in parts) <= len(content) < parts[-1][0] + parts[-1][1] + 100
    assert all(begin + size == following for (begin, size), (following, _) in itertools.pairwise(parts))


STANDARD_INPUT = [
    (["eval", "2*x", "-"], b"x\n1\n", "x,value\n1,2\n"),
    (["eval", "2*x", "-"], b"\xef\xbb\xbfx\r\n1\r\n", "x,value\n1,2\n"),
    (["eval", "2*x", "-"], "x\n1\n".encode("utf-16"), "x,value\n1,2\n"),
    (["eval", "2*x", "-"], gzip.compress(b"x\n1\n", mtime=0), "x,value\n1,2\n"),
    (["eval", "2*x", "-"], b"x\ty\n1\t2\n", "x\ty\tvalue\n1\t2\t2\n"),
    (["eval", "2*x", "-"], b'{"x":1}\n{"x":2}\n', '{"x":1,"value":2}\n{"x":2,"value":4}\n'),
    (["eval", "2*x", "-"], b'[{"x":1}, {"x":2}]', '[\n{"x":1,"value":2},\n{"x":2,"value":4}\n]\n'),
    (["eval", "2*x", "p.csv", "-"], b"x\n3\n", "x,value\n1,2\n3,6\n"),
    (["eval", "-", "p.csv"], b"2*x", "x,value\n1,2\n"),
    (["eval", "-f", "-", "p.csv"], b"2*x", "x,value\n1,2\n"),
    (["eval", "-", "x=0:1:2"], b"2*x", "x,value\n0,0\n1,2\n"),
]


@pytest.mark.parametrize(("arguments", "given", "expected"), STANDARD_INPUT)
def test_standard_input_holds_rows_or_the_program(
    arguments: list[str], given: bytes, expected: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects pipelines: whatever text arrives is told apart by itself."""
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text("x\n1\n", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    assert cg(capsys, *arguments) == (0, expected, "")


def test_one_point_needs_nothing_of_rows() -> None:
    """Protects the start of `cg eval 1+1`: pyarrow, and all that is about rows, is left alone."""
    script = "import sys; from cgcli.cli.main import run; run(['eval', '1+1']); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout.split()
    assert modules[0] == "2"
    assert not [
        name for name in modules if name.startswith(("pyarrow", "orjson", "cgcli.tables", "cgcli.evaluate.batched"))
    ]


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.jsonl"])
def test_rows_of_text_need_no_module_of_all_functions(name: str, tmp_path: Path) -> None:
    """Protects the start over rows: `pyarrow.compute` takes as long to import as ten thousand rows to compute.

    pyarrow would import pandas, too, which takes longer.
    """
    texts = {"p.csv": "name,x\na,2.5\n", "p.tsv": "name\tx\na\t2.5\n", "p.jsonl": '{"name": "a", "x": 2.5}\n'}
    (tmp_path / name).write_text(texts[name], encoding="utf-8")
    script = "from cgcli.cli.start import main; main()"
    command = [sys.executable, "-X", "importtime", "-c", script, "grad", "x^2", name]
    found = subprocess.run(command, capture_output=True, check=True, text=True, cwd=tmp_path)
    modules = [line.rpartition("|")[2].strip() for line in found.stderr.splitlines()]
    assert "6.25" in found.stdout
    assert "pyarrow" in modules
    assert "pyarrow.compute" not in modules
    assert not [module for module in modules if module.startswith("pandas.")]


# ---- formats and many rows ------------------------------------------------------------

NAMES = ["a.csv", "a.tsv.gz", "a.jsonl.zst", "a.json", "a.parquet", "a.arrow", "a.npz", "a.csv.gz", "a.feather"]


@for_each(("begin", "end"), [*zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True)])
def test_rows_go_from_any_format_to_any_other(
    begin: str, end: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects numbers on their way: what one format holds, the next holds to the last bit."""
    monkeypatch.chdir(tmp_path)
    assert cg(capsys, "grad", "exp(x)/3", "x=-20:20:41", "-o", begin) == (0, "", "")
    assert cg(capsys, "eval", "value/exp(x)", begin, "--as", "third", "-o", end) == (0, "", "")
    again = cg(capsys, "eval", "[x, value, d_x, third]", end, "--only", "--to", "csv").out
    values = np.array([line.split(",") for line in again.splitlines()[1:]], np.float64)
    x = np.linspace(-20, 20, 41)
    exponential = np.exp(x) / 3
    np.testing.assert_array_equal(values[:, 0], x)
    np.testing.assert_allclose(values[:, 1:], np.stack([exponential, exponential, x * 0 + 1 / 3], 1), rtol=4e-16)


@pytest.mark.parametrize("to", ["parquet", "arrow"])
def test_binary_rows_pass_through_pipes(to: str) -> None:
    """Protects `cg … --to parquet | cg …`: the format is known by how the bytes begin."""
    first = subprocess.run([*CG, "eval", "2*x", "x=0:1:3", "--to", to], capture_output=True, check=True)
    command = [*CG, "eval", "value + 1", "-", "--as", "z", "--to", "csv"]
    second = subprocess.run(command, input=first.stdout, capture_output=True, check=True)
    assert second.stdout == b"x,value,z\n0,0,1\n0.5,1,2\n1,2,3\n"


def test_many_rows_are_those_of_numpy_however_they_are_cut(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the batched way: 100,000 rows agree with numpy's formulas, and no thread or file's end changes a bit."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    x1, x2 = random.uniform(0.5, 5, 100_000), random.uniform(-5, 5, 100_000)
    lines = [f"{first!r},{second!r}\n" for first, second in zip(x1.tolist(), x2.tolist(), strict=True)]
    Path("a.csv").write_text("x1,x2\n" + "".join(lines), encoding="utf-8")
    Path("b.csv").write_text("x1,x2\n" + "".join(lines[:777]), encoding="utf-8")
    Path("c.csv").write_text("x1,x2\n" + "".join(lines[777:]), encoding="utf-8")
    one = cg(capsys, "grad", BOOK, "a.csv", "--threads", "1").out
    assert cg(capsys, "grad", BOOK, "a.csv", "--threads", "3").out == one
    assert cg(capsys, "grad", BOOK, "b.csv", "c.csv").out == one
    sweep = ["grad", BOOK, "x1=1:5:300", "x2=-5:5:300", "--threads"]  # in batches that threads share
    assert cg(capsys, *sweep, "3").out == cg(capsys, *sweep, "1").out
    found = np.array([line.split(",") for line in one.splitlines()[1:]], np.float64).T
    expected = [x1, x2, np.log(x1) + x1 * x2 - np.sin(x2), 1 / x1 + x2, x1 - np.cos(x2)]
    np.testing.assert_allclose(found, expected, rtol=1e-15, atol=1e-15)
