"""The columns of a file as vectors: --vars FILE, @FILE:NAME, --whole; and a sum over the one number of a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.command import Capture, cg
from tests.for_each import for_each

ROWS = "t,y,s,x[0],x[1]\n0,1,a,1,2\n1,3,b,3,4\n2,5,c,5,6\n"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the rows in it."""
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text(ROWS, encoding="utf-8")
    Path("e.json").write_text("[]", encoding="utf-8")
    Path("g.csv").write_text("t;s\n1,5;a\n2,5;b\n", encoding="utf-8")
    Path("h.txt").write_text('t,n\n# a comment\n"1,001",NA\n2,3\n', encoding="utf-8")
    Path("d.dat").write_text("1\n2\n", encoding="utf-8")


# Arguments of cg, the exit code, what is printed, and what an error or a warning begins with.
CASES = [
    ("eval t-mean(t) t=@d.csv:t", 0, "[-1, 0, 1]\n", ""),
    ("eval sum(t*y)+k --vars d.csv k=1", 0, "14\n", ""),
    ("eval x --vars d.csv", 0, "[[1, 2], [3, 4], [5, 6]]\n", ""),
    ("eval y*y --vars d.csv y=3", 0, "9\n", ""),
    ("grad mean((a*t+b-y)^2) --vars d.csv a=2 b=1 --wrt a,b", 0, "value\t0\nd_a\t0\nd_b\t0\n", ""),
    ("eval sum(t)+q --vars d.csv", 2, "",
     "no value for 'q'\n  sum(t)+q\n         ^\n  the columns are: t, y, s, x[0], x[1], x"),
    ("eval sum(t) --vars g.csv --delimiter ; --decimal ,", 0, "4\n", ""),
    ("eval sum(t) --vars g.csv", 2, "", "no value for 't'\n  sum(t)\n      ^\n  the first line is one cell"),
    ("eval sum(c1) --vars d.dat -i csv --no-header", 0, "3\n", ""),
    ("eval t --vars e.json --delimiter ;", 2, "", "--delimiter is for rows, and there are none"),
    ("eval sum(t) t=@g.csv:t --delimiter ; --decimal ,", 0, "4\n", ""),
    ("eval sum(t) t=@g.csv:t --delimiter ; --decimal , --digits 20", 0, "4\n", ""),
    ("jvp sum(t) t=1 t=@g.csv:t --delimiter ;", 2, "", "'t' is bound twice"),
    ("jvp sum(t^2) t=@g.csv:t --tangent t=@g.csv:t --delimiter ; --decimal ,", 0, "value\t8.5\njvp\t17\n", ""),
    ("vjp 2*t t=@g.csv:t --cotangent @g.csv:t --delimiter ; --decimal ,", 0, "value\t[3, 5]\nvjp_t\t[3, 5]\n", ""),
    ("jacobian sum(t^2) --vars g.csv --delimiter ; --decimal ,", 0, "\tt[0]\tt[1]\nvalue\t3\t5\n", ""),
    ("jacobian t^2 t=3 --delimiter ;", 2, "", "--delimiter is for rows, and there are none\n  a file's columns are"),
    ("eval sum(t) t=@g.csv:t", 1, "", "the value of 't': g.csv has no column 't'\n  the first line is one cell"),
    ("eval sum(t) t=@h.txt:t -i csv --comment # --null NA --thousands ,", 0, "1003\n", ""),
    ("eval sum(t) t=@h.txt:n -i csv --comment # --null NA", 1, "", "the value of 't': h.txt, line 3: column 'n' h"),
    ("eval sum(s) --vars d.csv", 1, "", "d.csv, line 2: column 's' holds 'a'"),
    ("eval sum(t) t=@d.csv:q", 1, "", "the value of 't': d.csv has no column 'q'\n  it has t, y, s"),
    ("eval sum(t) t=@e.csv:t", 1, "", "the value of 't': cannot read 'e.csv'"),
    ("eval t t=@d.parquet", 2, "", "the value of 't': 'd.parquet' has no known suffix"),
    # all rows at once
    ("eval t-mean(t) d.csv --whole --only", 0, "value\n-1\n0\n1\n", ""),
    ("eval a=cumsum(y);(a,b=y/k) d.csv --whole --only --to jsonl k=2", 2, "", ""),
    ("eval a=cumsum(y);b=y/k;(a,b) d.csv --whole --only --to jsonl k=2", 0,
     '{"a":1,"b":0.5}\n{"a":4,"b":1.5}\n{"a":9,"b":2.5}\n', ""),
    ("eval x@[1,10] d.csv --whole --only --as z", 0, "z\n21\n43\n65\n", ""),
    ("eval x/2 d.csv --whole --only", 0, "value[0],value[1]\n0.5,1\n1.5,2\n2.5,3\n", ""),
    ("eval 1/t d.csv --whole --only", 0, "value\ninf\n1\n0.5\n", "1/0 is infinite (element [0])"),
    ("eval (t,y) d.csv --whole", 2, "", "d.csv has a column 't' already"),
    ("eval t d.csv --whole --as y", 2, "", "d.csv has a column 'y' already"),
    ("eval ones(0) e.json --whole", 0, "[]\n", ""),
    ("eval mean(t) d.csv --whole", 2, "", "'value' is one number, and d.csv has 3 rows"),
    ("eval ones([2]) d.csv --whole", 2, "", "'value' is an array of shape [2], and d.csv has 3 rows"),
    ("eval t+q d.csv --whole", 2, "", "no value for 'q'\n  t+q\n    ^\n  the columns are: t, y, s"),
    ("eval t d.csv --whole --limit 2", 2, "", "--limit does not go with --whole"),
    ("eval t d.csv --whole --on-error skip", 2, "", "--on-error does not go with --whole"),
    ("eval t t=0:1:3 --whole", 2, "", "--whole is for rows that are read"),
    ("eval t t=3 --whole", 2, "", "--whole is for rows, and there are none"),
    # one number of a row where many were meant
    ("eval t-mean(t) d.csv --only", 0, "value\n0\n0\n0\n", "mean(t) is computed for each row, of its one number\n"
     "  t-mean(t)\n    ^^^^^^^\n  for all rows at once: --vars FILE instead of FILE, or --whole"),
    ("grad sum(t^2) d.csv --only", 0, "value,d_t\n0,0\n1,2\n4,4\n", ""),
    ("eval sum(x) d.csv --only", 0, "value\n3\n7\n11\n", ""),
    ("eval max(t,y) d.csv --only", 0, "value\n1\n3\n5\n", ""),
    ("eval mean(a)=a/2;mean(t) d.csv --only", 0, "value\n0\n0.5\n1\n", ""),
]  # fmt: skip


@for_each(("line", "code", "out", "error"), CASES)
def test_columns_are_vectors(line: str, code: int, out: str, error: str, capsys: Capture) -> None:
    """Protects a loss over a file in one line, and who took a row for the table."""
    found = cg(capsys, *line.split())
    assert (found.code, found.out) == (code, out)
    assert found.err.split(": ", 2)[-1].startswith(error) if error or code else not found.err


@for_each("name", ["d.csv.gz", "d.tsv", "d.jsonl", "d.json", "d.parquet", "d.arrow", "d.npz", "d.json.zst"])
def test_every_format_gives_vectors(name: str, capsys: Capture) -> None:
    assert cg(capsys, "eval", "0", "d.csv", "-o", name, "--as", "nothing").code == 0
    assert cg(capsys, "eval", "sum(y*t)", "--vars", name) == (0, "13\n", "")
    assert cg(capsys, "eval", "sum(v)", f"v=@{name}:y") == (0, "9\n", "")


def test_a_fit_over_a_file_has_the_gradient_of_pytorch(capsys: Capture) -> None:
    """To 1e-12 of the largest: three parameters, 500 rows of text."""
    rng = np.random.default_rng(4)
    t, y = rng.normal(size=500), rng.normal(size=500)
    np.savetxt("big.csv", np.stack([t, y], axis=1), delimiter=",", header="t,y", comments="", fmt="%.17g")
    values = {"a": 0.7, "b": -0.2, "c": 1.3}
    loss = "mean((a*exp(b*t) + c - y)^2)"
    found = cg(capsys, "grad", loss, "--vars", "big.csv", *(f"{k}={v}" for k, v in values.items()), "--wrt", "a,b,c")
    ours = [float(line.split("\t")[1]) for line in found.out.splitlines()]
    a, b, c = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values.values())
    theirs = ((a * torch.exp(b * torch.tensor(t)) + c - torch.tensor(y)) ** 2).mean()
    theirs.backward()  # type: ignore[no-untyped-call]
    expected = [theirs.item(), *(parameter.grad.item() for parameter in (a, b, c) if parameter.grad is not None)]
    assert np.abs(np.array(ours) - expected).max() < 1e-12 * np.abs(expected).max()
