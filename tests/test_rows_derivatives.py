"""Derivatives of every kind over rows: of higher order, along a direction, by pairs; each is what one point gives."""

from __future__ import annotations

import csv
import json

import pytest
import torch

from tests.command import Capture, cg
from tests.for_each import for_each

GRID = ["x=0.5:2:4", "y=-1:1:3"]
# A command, and the columns that it writes behind the two of the grid.
COLUMNS = [
    ("grad x^3*y --wrt x --order 3", ["value", "d_x", "d2_x", "d3_x"]),
    ("grad x^3*y --wrt y --taylor --order 2", ["c0", "c1", "c2"]),
    ("grad a=x*y;b=x^2;(a,b) --wrt x --order 2", ["a", "d_a/d_x", "d2_a/d_x", "b", "d_b/d_x", "d2_b/d_x"]),
    ("grad x^3*y --wrt x --order 2 --prefix p_ --as v", ["v", "p_x", "p2_x"]),
    ("jvp sin(x*y) --tangent x=1,y=2", ["value", "jvp"]),
    ("jvp sin(x*y) --tangent x=1 --order 3", ["value", "jvp", "jvp2", "jvp3"]),
    ("jvp a=x*y;b=x^2;(a,b) --tangent x=1", ["a", "jvp_a", "b", "jvp_b"]),
    ("hessian x^2*exp(y)", ["value", "h_x_x", "h_x_y", "h_y_y"]),
    ("hessian x^2*exp(y) --wrt y", ["value", "h_y_y"]),
    ("hessian a=x*y;b=x^2;(a,b) --cotangent (2,1) --wrt y,x", ["a", "b", "h_y_y", "h_y_x", "h_x_x"]),
]


@for_each(("line", "names"), COLUMNS)
def test_each_row_is_what_its_point_gives(line: str, names: list[str], capsys: Capture) -> None:
    """Protects from rows that are right alone, or at the first point: 12 points, to 1e-12."""
    found = cg(capsys, *line.split(), *GRID)
    assert (found.code, found.err) == (0, "")
    rows = [*csv.DictReader(found.out.splitlines())]
    assert [*rows[0]] == ["x", "y", *names]
    for row in rows:
        words = [word for word in line.split() if word not in ("--prefix", "p_", "--as", "v")]
        point = json.loads(cg(capsys, *words, f"x={row['x']}", f"y={row['y']}", "--json").out)
        numbers = [float(row[name]) for name in names]
        assert numbers == pytest.approx(_in_order(point, words), rel=1e-12, abs=1e-14)


def _in_order(point: dict[str, object], words: list[str]) -> list[float]:
    """The numbers of one point's JSON object, as rows have them."""
    several = isinstance(point["value"], dict)
    outputs = ["a", "b"] if several else [""]

    def of(member: object, output: str) -> list[float]:
        part = member[output] if output and isinstance(member, dict) else member
        while isinstance(part, dict):
            (part,) = part.values()
        return part if isinstance(part, list) else [part]  # type: ignore[list-item]

    if "hessian" in point:
        matrix = point["hessian"]
        assert isinstance(matrix, dict)
        by = [*matrix]
        pairs = [matrix[one][other] for at, one in enumerate(by) for other in by[at:]]
        return [*(number for name in outputs for number in of(point["value"], name)), *pairs]
    if "taylor" in point:
        return of(point["taylor"], "")
    higher = point.get("derivatives", point.get("jvp"))
    return [number for name in outputs for part in (point["value"], higher) for number in of(part, name)]


def test_second_derivatives_are_those_of_pytorch(capsys: Capture) -> None:
    """To 1e-12, over 12 points."""
    found = cg(capsys, "hessian", "ln(x)*sin(x*y) + y^3", *GRID, "--only", "--to", "jsonl")

    def function(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.log(x) * torch.sin(x * y) + y**3

    points = [(x, y) for x in (0.5, 1, 1.5, 2) for y in (-1.0, 0, 1)]
    for line, (x, y) in zip(found.out.splitlines(), points, strict=True):
        row = json.loads(line)
        given = tuple(torch.tensor(float(number), dtype=torch.float64) for number in (x, y))
        (xx, xy), (_, yy) = torch.autograd.functional.hessian(function, given)  # type: ignore[no-untyped-call]
        ours = [row["h_x_x"], row["h_x_y"], row["h_y_y"]]
        assert ours == pytest.approx([xx.item(), xy.item(), yy.item()], rel=1e-12, abs=1e-14)


MISTAKES = [
    ("hessian sum(x^2) x=[1,2] y=0:1:2 --wrt x", "over rows, second derivatives are by numbers, and 'x' is an array"),
    ("hessian x^2 x=0:1:2 --tangent x=1", "over rows, cg hessian has no product with a vector"),
    ("grad x*y x=0:1:2 y=2 --order 2", "--order goes by one input that is a number"),
    ("grad x^2 x=0:1:2 --order 2 --mode reverse", "over rows, cg grad computes higher derivatives in forward mode"),
    ("grad x^2 x=0:1:2 --mode forward", "over rows, cg grad computes first derivatives in reverse mode"),
    ("grad x^2 x=0:1:2 --order 2 --cotangent 2", "--order is for each result, and --cotangent adds them up"),
    ("grad tan(x)^x x=0.5:1:2 --order 60", "the derivative of order "),
    ("jvp x*y x=0:1:2 y=2", "in which direction do the inputs move?"),
    ("hessian a=x;b=x;(a,b) x=0:1:2", "the program has 2 results, and how much does each of them count?"),
    (
        "vjp x x=0:1:2",
        "'x=0:1:2' is a sweep, and only cg eval, grad, jvp, hessian, fit, minimize, solve",
    ),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_what_rows_do_not_have_is_said(line: str, message: str, capsys: Capture) -> None:
    found = cg(capsys, *line.split())
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"cg: error: {message}")
