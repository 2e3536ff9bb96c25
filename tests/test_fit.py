"""`cg fit` and `cgcli.fit`: certified results, other programs' figures, what is printed, and fits that go wrong."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

import cgcli
from cgcli.fitting.losses import LOSSES, Loss
from cgcli.fitting.statistics import quantile, two_sided
from cgcli.fitting.summary import summary
from cgcli.records import NamedTuple
from cgcli.tables.kept import Kept
from tests.command import CG, Capture, cg
from tests.for_each import for_each

MISRA = "y = b1*(1 - exp(-b2*x))"


class Problem(NamedTuple):
    """One of NIST's. params: starts, certified value and standard deviation by name; columns: by name, as typed."""

    model: str
    rss: float
    residual_sd: float
    params: dict[str, list[float]]
    columns: dict[str, list[str]]


def problems() -> dict[str, Problem]:
    """The nonlinear regression problems of NIST's Statistical Reference Datasets."""
    found = {}
    text = (Path(__file__).parent / "nist.txt").read_text(encoding="utf-8")
    for block in text.split("\n\n")[1:]:
        head, *lines = block.splitlines()
        name, model, rss, spread = head.split(" | ")
        columns = dict(line.strip().split(": ") for line in lines if ":" in line)
        params = {name: list(map(float, rest)) for name, *rest in (line.split() for line in lines if ":" not in line)}
        cells = {name: text.split() for name, text in columns.items()}
        found[name] = Problem(model, float(rss), float(spread), params, cells)
    return found


NIST = problems()


def table(path: Path, columns: dict[str, Any]) -> str:
    """A CSV file of columns; its name."""
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


@pytest.fixture
def misra(tmp_path: Path) -> str:
    return table(tmp_path / "misra.csv", NIST["Misra1a"].columns)


@for_each("start", [0, 1])
@for_each("name", NIST)
def test_certified_results_from_both_starts(name: str, start: int, tmp_path: Path, capsys: Capture) -> None:
    """All 27 problems of NIST through the command line: values to 6 digits, standard errors to 4, and the sums."""
    problem = NIST[name]
    starts = [f"{each}={numbers[start]}" for each, numbers in problem.params.items()]
    done = cg(capsys, "fit", problem.model, table(tmp_path / "data.csv", problem.columns), *starts, "--json")
    found = json.loads(done.out)
    assert (done.code, done.err, found["converged"], found["warnings"]) == (0, "", True, [])
    for each, (_, _, value, error) in problem.params.items():
        assert found["params"][each]["value"] == pytest.approx(value, rel=1e-6)
        assert found["params"][each]["std_error"] == pytest.approx(error, rel=1e-4)
    assert found["rss"] == pytest.approx(problem.rss, rel=1e-4)
    assert found["residual_sd"] == pytest.approx(problem.residual_sd, rel=1e-4)


# ---- figures, against statsmodels 0.15 and scipy ----------------------------------------

X = [0, 1, 2, 3, 4, 5, 6, 7]
Y = [2.1, 2.4, 3.2, 3.4, 9.0, 4.7, 4.9, 5.6]
S = [0.1, 0.2, 0.1, 0.3, 0.5, 0.2, 0.1, 0.4]
LINE = {"x": X, "y": Y, "s": S}
FIGURES = [  # of statsmodels: OLS, WLS, WLS with a fixed scale, RLM with HuberT(0.5), scale 1 and the covariance H1
    ({}, {
        "value": [2.45, 0.5607142857142852], "std_error": [1.2208810733392883, 0.2918463974899999],
        "t": [2.006747465827193, 1.921265057703849], "p": [0.09156621815641826, 0.10308515546063668],
        "low": [-0.5373883671925062, -0.1534081230179637], "high": [5.437388367192506, 1.2748366944465341],
        "rss": 21.463928571428568, "r2": 0.38088542069072084, "residual_sd": 1.8913808258971614,
        "aic": 36.598474480127805, "bic": 36.836799105167316, "dof": 6,
    }),
    ({"sigma": "s"}, {
        "value": [2.1573328939550183, 0.48426450802150045], "std_error": [0.32732557145555263, 0.08815207973725893],
        "t": [6.59078630600653, 5.493512001814043], "p": [0.000586056153630247, 0.0015240617159498577],
        "low": [1.356396073977624, 0.26856413940932444], "high": [2.9582697139324123, 0.6999648766336765],
        "rss": 102.12801361162143, "r2": 0.8341564430724736, "residual_sd": 4.125692136107213,
        "aic": 23.19721705096499, "bic": 23.435541676004497,
    }),
    ({"weights": "1/s^2", "absolute": True}, {
        "std_error": [0.07933834146054336, 0.021366616031712585],
        "p": [8.174229014470283e-163, 1.0029194467238256e-113],
        "low": [2.0018326020992125, 0.44238671012784764], "high": [2.312833185810824, 0.5261423059151532],
    }),
    ({"loss": "huber:0.5"}, {
        "value": [2.084931506849316, 0.5085616438356162], "std_error": [0.19843252537934, 0.04743444627117207],
    }),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "figures"), FIGURES)
def test_figures_are_those_of_statsmodels(settings: dict[str, Any], figures: dict[str, Any]) -> None:
    """Protects every column and every figure of the table, with weights and without."""
    found = cgcli.fit("y = a + b*x", LINE, {"a": 1, "b": 1}, **settings)
    for name, truth in figures.items():
        ours = getattr(found, name) if name in found.FIGURES else [row[found.COLUMNS.index(name)]
                                                                   for _, row in found.lines()]  # fmt: skip
        assert ours == pytest.approx(truth, rel=1e-9), name


@for_each("loss", LOSSES)
@for_each("bounds", [None, (0.0, 0.4)])
def test_robust_losses_and_bounds_are_those_of_scipy(loss: str, bounds: tuple[float, float] | None) -> None:
    """The same optimum as scipy.optimize.least_squares, which keeps some way off a bound."""
    limits = {"a": (0, 2.2)} if bounds else {}
    found = cgcli.fit("y = a*exp(b*x)", LINE, {"a": 1, "b": 0.1}, loss=f"{loss}:0.3", bounds=limits)
    x, y = np.array(X), np.array(Y)
    truth = optimize.least_squares(
        lambda p: p[0] * np.exp(p[1] * x) - y, [1, 0.1], loss=loss, f_scale=0.3, xtol=1e-15, ftol=1e-15, gtol=1e-15,
        bounds=([0, -np.inf], [2.2, np.inf]) if bounds else (-np.inf, np.inf),
    )  # fmt: skip
    assert found.converged
    assert found.values == pytest.approx(truth.x, rel=1e-4 if bounds else 1e-6)
    assert found.summary.cost == pytest.approx(2 * truth.cost, rel=1e-6)


@for_each("dof", [1, 2, 3, 7, 30, 1000, 10**6, math.inf])
def test_students_t_is_that_of_scipy(dof: float) -> None:
    for t in (0.0, 1e-3, 0.7, 2, 9, 80):
        truth = 2 * (stats.t.sf(t, dof) if dof < math.inf else stats.norm.sf(t))
        assert two_sided(t, dof) == pytest.approx(truth, rel=1e-9)
        assert two_sided(-t, dof) == two_sided(t, dof)
    for level in (0.1, 0.5, 0.68, 0.95, 0.9999):
        truth = stats.t.ppf(0.5 + level / 2, dof) if dof < math.inf else stats.norm.ppf(0.5 + level / 2)
        assert quantile(level, dof) == pytest.approx(truth, rel=1e-8)


@pytest.mark.parametrize("name", LOSSES)
def test_the_slopes_of_losses_are_right(name: str) -> None:
    loss, r, h = Loss(name, 0.7), np.array([-3.0, -0.2, 0.1, 0.69, 2.0]), 1e-6
    _, slopes, curves = loss.parts(r)
    costs = [[loss.parts(np.array([each + step]))[0] for each in r] for step in (-h, h)]
    assert np.subtract(costs[1], costs[0]) / (4 * h) == pytest.approx(slopes, rel=1e-6)
    ends = [loss.parts(r + step)[1] for step in (-h, h)]
    assert (ends[1] - ends[0]) / (2 * h) == pytest.approx(curves, rel=1e-6, abs=1e-9)


def test_predictions_have_the_band_of_statsmodels(tmp_path: Path, capsys: Capture) -> None:
    data = table(tmp_path / "line.csv", LINE)
    done = cg(capsys, "fit", "y = a + b*x", data, "a=1", "b=1", "--predict", "--to", "jsonl")
    first, second, *_ = map(json.loads, done.out.splitlines())
    assert [*first] == ["x", "y", "s", "fit", "residual", "std_error", "low", "high"]
    for row, truth in (
        (first, [2.45, 1.2208810733392883, -0.5373883671925062, 5.437388367192506]),
        (second, [3.0107142857142852, 0.9896992860817606, 0.5890073735311008, 5.43243119789747]),
    ):
        assert [row[name] for name in ("fit", "std_error", "low", "high")] == pytest.approx(truth, rel=1e-5)
        assert row["residual"] == pytest.approx(row["fit"] - float(row["y"]))


# ---- the command line -------------------------------------------------------------------


def test_the_table_of_a_fit(misra: str, capsys: Capture) -> None:
    done = cg(capsys, "fit", MISRA, misra, "b1=500", "b2=0.0001", "--precision", "8")
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert (done.code, done.err) == (0, "")
    assert lines[0] == ["name", "value", "std_error", "t", "p", "low", "high"]
    assert lines[1][:3] == ["b1", "238.94213", "2.7070075"]
    assert [line[0] for line in lines[3:]] == [*cgcli.Fit.FIGURES]
    assert lines[-2] == ["converged", "yes"]


def test_parameters_go_on_to_the_next_command(misra: str, capsys: Capture) -> None:
    done = cg(capsys, "fit", MISRA, misra, "b1=500", "b2=0.0001", "--params")
    value = cg(capsys, "eval", "b1*(1 - exp(-b2*x))", "x=100", *done.out.split())
    assert float(value.out) == pytest.approx(238.94212918 * -math.expm1(-5.5015643181e-2), rel=1e-8)


def test_a_held_parameter_and_a_side_that_is_an_expression(tmp_path: Path, capsys: Capture) -> None:
    """`k==2` is held, and `ln(y)` is no definition of ln."""
    t = np.linspace(0, 1, 9)
    data = table(tmp_path / "decay.csv", {"t": t, "y": np.exp(1.5 - 2 * t)})
    done = cg(capsys, "fit", "scale = 1; ln(y)*scale = a - k*t", data, "a=1", "k==2", "--json")
    found = json.loads(done.out)
    assert (done.code, done.err, [*found["params"]]) == (0, "", ["a"])
    assert found["params"]["a"]["value"] == pytest.approx(1.5)


def test_array_parameters_files_and_standard_input_give_one_fit(tmp_path: Path, capsys: Capture) -> None:
    """Protects rows from several files, and a parameter of three elements."""
    rng = np.random.default_rng(0)
    design = rng.normal(size=(30, 3))
    y = design @ [1, 2, 3] + rng.normal(size=30)
    lines = [json.dumps({"x": x, "y": each}) for x, each in zip(design.tolist(), y.tolist(), strict=True)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines[:13]) + "\n")
    (tmp_path / "b.jsonl").write_text("\n".join(lines[13:]) + "\n")
    command = ["fit", "y = w @ x", "w=[0,0,0]", "--json"]
    files = cg(capsys, *command, str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl"))
    piped = subprocess.run([*CG, *command, "-"], input="\n".join(lines), capture_output=True, text=True, check=True)
    w = json.loads(files.out)["params"]["w"]
    assert w["value"] == pytest.approx(np.linalg.lstsq(design, y)[0])
    assert json.loads(piped.stdout)["params"]["w"]["value"] == pytest.approx(w["value"], rel=1e-12)
    assert [*json.loads(files.out)["covariance"]] == ["w[0]", "w[1]", "w[2]"]


@for_each("name", ["g.csv", "g.jsonl"])
def test_groups_are_called_as_their_cells_stand(name: str, capsys: Capture, tmp_path: Path) -> None:
    """Also where all are numbers, in all rows that come together or in some."""
    keys = ["1", "2"] if name == "g.jsonl" else ["007", "1"]
    rows = [(key, x, (at + 2) * x) for at, key in enumerate(keys) for x in (1, 2, 3)]
    line = '{"g":%s,"x":%d,"y":%d}\n' if name == "g.jsonl" else "%s,%d,%d\n"
    text = "".join(line % row for row in rows)
    (tmp_path / name).write_text(text if name == "g.jsonl" else f"g,x,y\n{text}", encoding="utf-8")
    done = cg(capsys, "fit", "y = a*x", str(tmp_path / name), "a=1", "--by", "g", "--params")
    assert [line.split("\t")[0] for line in done.out.splitlines()] == keys


def test_a_fit_for_each_group(tmp_path: Path, capsys: Capture) -> None:
    data = table(tmp_path / "groups.csv", {"g": list("abab"), "x": [1, 1, 2, 2], "y": [3, 10, 6, 20]})
    done = cg(capsys, "fit", "y = a*x", data, "a=1", "--by", "g", "--json")
    first, second = map(json.loads, done.out.splitlines())
    assert (first["g"], first["params"]["a"]["value"]) == ("a", pytest.approx(3))
    assert (second["g"], second["params"]["a"]["value"]) == ("b", pytest.approx(10))
    params = cg(capsys, "fit", "y = a*x", data, "a=1", "--by", "g", "--params")
    assert [line.split("\t")[0] for line in params.out.splitlines()] == ["a", "b"]
    whole = cg(capsys, "fit", "y = a*x", data, "a=1", "--by", "g")
    assert [line.split("\t")[:2] for line in whole.out.splitlines()][:3] == [["g", "name"], ["a", "a"], ["b", "a"]]


def test_random_starts_find_what_one_start_misses(tmp_path: Path, capsys: Capture) -> None:
    x = np.linspace(0, 6, 60)
    data = table(tmp_path / "wave.csv", {"x": x, "y": np.sin(5 * x)})
    once = cg(capsys, "fit", "y = a*sin(w*x)", data, "a=1", "w=1", "--json")
    many = cg(
        capsys,
        "fit",
        "y = a*sin(w*x)",
        data,
        "a=1",
        "w=1",
        "--starts",
        "6",
        "--seed",
        "3",
        "--json",
        "--bounds",
        "w=0:10",
    )
    assert json.loads(once.out)["rss"] > 1
    assert json.loads(many.out)["rss"] < 1e-20
    assert json.loads(many.out)["params"]["w"]["value"] == pytest.approx(5)


def test_covariance_log_and_plot(misra: str, tmp_path: Path, capsys: Capture) -> None:
    cov, svg = tmp_path / "cov.csv", tmp_path / "fit.svg"
    done = cg(
        capsys, "fit", MISRA, misra, "b1=250", "b2=0.0005", "--log", "--cov", str(cov), "--plot", str(svg), "--json"
    )
    lines = [line.split("\t") for line in done.err.splitlines()]
    assert lines[0] == ["step 0", "cost 44.771277", "b1=250 b2=0.0005"]
    assert len(lines) == json.loads(done.out)["iterations"]
    header, first, _ = (line.split(",") for line in cov.read_text().splitlines())
    assert (header, first[0]) == (["name", "b1", "b2"], "b1")
    assert math.sqrt(float(first[1])) == pytest.approx(2.7070075241)
    picture = ElementTree.fromstring(svg.read_text(encoding="utf-8"))
    kinds = [each.get("class") for each in picture.iter() if each.get("class")]
    assert kinds == ["background", "band", "rows", "residuals", "curve", "zero"]
    rows, residuals = (each for each in picture.iter() if each.get("class") in ("rows", "residuals"))
    assert len(rows) == len(residuals) == 14


def test_rows_are_chosen_and_bad_ones_left_out(tmp_path: Path, capsys: Capture) -> None:
    data = table(tmp_path / "bad.csv", {"x": [1, 2, 3, 4, 99], "y": [2, 4, "n/a", 8, 0]})
    failed = cg(capsys, "fit", "y = a*x", data, "a=1", "--where", "x < 9")
    assert failed.code == 1
    assert "line 4: column 'y' holds 'n/a'" in failed.err
    done = cg(capsys, "fit", "y = a*x", data, "a=1", "--where", "x < 9", "--on-error", "skip", "--params")
    assert done.code == 0
    assert float(done.out.removeprefix("a=")) == pytest.approx(2)
    assert "1 of 4 rows are left out" in done.err


# ---- fits that go wrong -----------------------------------------------------------------

OPEN = [  # equation, starts, what is said; exit 5, and the table is printed all the same
    ("y = a*exp(b - k*x)", ["a=1", "b=1", "k=1"], "only a combination of 'a' and 'b' is determined"),
    ("y = a*exp(-k*x) + 0*c", ["a=1", "k=-0.1", "c=1"], "'c' does nothing: no residual changes with it"),
    ("y = a*exp(-k*(x + 1))", ["a=1", "k=1e4"], "'a', 'k' have no effect at the start, which is flat; start elsewhere"),
    ("y = a*exp(k*x)", ["a=1", "k=0.1", "--max-iter", "2"], "2 iterations were not enough"),
]


@pytest.mark.parametrize(("equation", "starts", "said"), OPEN)
def test_a_fit_that_finds_nothing_says_why(
    equation: str, starts: list[str], said: str, tmp_path: Path, capsys: Capture
) -> None:
    """Exit 5 with the results, and what leaves parameters open."""
    done = cg(capsys, "fit", equation, table(tmp_path / "line.csv", LINE), *starts)
    assert done.code == 5
    assert said in done.err
    assert "converged\tno" in done.out
    assert "nan" not in done.out


WRONG = [  # operands, exit code, what the message holds
    (["y = a*x", "DATA"], 2, "'a' is no column, and without a start"),
    (["y = a*x + b", "DATA"], 2, "give each a start, as in: a=1 b=1; the columns are: x, y, s"),
    (["y = x", "DATA"], 2, "no name of the equation has a start"),
    (["y == a*x", "DATA", "a=1"], 2, "write '=' between the sides; '==' compares"),
    (["a*x", "DATA", "a=1"], 2, "the model is an equation"),
    (["y = 2x*a", "DATA", "a=1"], 2, "2*x"),
    (["x^2 = 3; y = a*x", "DATA", "a=1"], 2, "only a name or a function can stand to the left of '='"),
    (["y = a*x", "a=1"], 2, "there are no rows to fit"),
    (["y = a*x", "DATA", "a=1", "x=2"], 2, "'x' has a start, and is a column of"),
    (["y = a*[x, x]", "DATA", "a=1"], 2, "the right side has shape [2]"),
    (["y = a*x", "DATA", "a=1", "--bounds", "a=3:2"], 2, "the bounds of 'a' are crossed: 3 is not below 2"),
    (["y = a*x", "DATA", "a=1", "--bounds", "a=2:3"], 2, "'a' starts at 1, outside of its bounds"),
    (["y = a*x", "DATA", "a=1", "--bounds", "b=2:3"], 2, "bounds for 'b', which is no parameter"),
    (["y = a*x", "DATA", "a=1", "--bounds", "a"], 2, "as in: --bounds a=0:1,b=0:"),
    (["y = a*x", "DATA", "a=1", "--loss", "hubert"], 2, "did you mean 'huber'?"),
    (["y = a*x", "DATA", "a=1", "--loss", "huber:x"], 2, "as in: huber:1.5"),
    (["y = a*x", "DATA", "a=1", "--level", "95"], 2, "between 0 and 1"),
    (["y = a*x", "DATA", "a=1", "--sigma", "s", "--weights", "s"], 2, "give one of them"),
    (["y = a*x", "DATA", "a=1", "--absolute"], 2, "as in: --sigma s --absolute"),
    (["y = a*x", "DATA", "a=1", "--weights", "0*s"], 1, "all weights are 0"),
    (["y = a*x", "DATA", "a=1", "--weights", "x - 3"], 1, "line 2: a weight is 0 or more, and this one is -3"),
    (["y = a*x", "DATA", "a=1", "--sigma", "x"], 1, "line 2: a standard deviation is positive"),
    (["y = a*ln(b - x)", "DATA", "a=1", "b=4"], 1, "line 6: ln(0) is infinite, at the start"),
    (["y = a*sqrt(b - x)", "DATA", "a=1", "b=-1"], 1, "line 2: sqrt(-1) is nan, at the start"),
    (["y = a*x", "DATA", "a=1", "--where", "x > 9"], 1, "there are no rows to fit"),
    (["y = a + b*x + c*x^2", "DATA", "a=1", "b=1", "c=1", "--limit", "2"], 1, "2 rows, and 3 parameters"),
    (["y = a*x", "DATA", "a=1", "--by", "g"], 1, "no column 'g'"),
    (["y = a*x", "DATA", "a=1", "--plot", "fit.gif"], 2, "as in: --plot fit.svg"),
    (["y = a*x", "DATA", "a=1", "-o", "fit.csv"], 2, "--predict"),
    (["y = a*x", "DATA", "a=1", "--by", "x", "--predict"], 2, "--by makes several"),
    (["y = a*x", "DATA", "a=0..1"], 2, "is a range"),
]  # fmt: skip


@for_each(("operands", "code", "said"), WRONG)
def test_wrong_input_has_one_clear_error(
    operands: list[str], code: int, said: str, tmp_path: Path, capsys: Capture
) -> None:
    data = table(tmp_path / "line.csv", LINE)
    done = cg(capsys, "fit", *(data if each == "DATA" else each for each in operands))
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("cg: error: ") == 1


def test_equal_left_sides_have_no_r2(tmp_path: Path, capsys: Capture) -> None:
    data = table(tmp_path / "flat.csv", {"x": [1, 2, 3], "y": [5, 5, 5]})
    done = cg(capsys, "fit", "y = a + b*x", data, "a=1", "b=1", "--json")
    assert (done.code, json.loads(done.out)["r2"]) == (0, None)
    assert "r2 has no meaning" in done.err


def test_an_equation_stands_nowhere_else() -> None:
    """Other commands read `=` as before."""
    with pytest.raises(cgcli.CgError, match="only a name or a function"):
        cgcli.parse("x^2 = a")


# ---- the library ------------------------------------------------------------------------


def test_the_library_takes_tables_of_any_kind(misra: str) -> None:
    import pyarrow

    columns = {name: list(map(float, cells)) for name, cells in NIST["Misra1a"].columns.items()}
    tables = (columns, misra, [misra], pyarrow.table(columns), pyarrow.RecordBatch.from_pydict(columns))
    fits = [cgcli.fit(MISRA, data, {"b1": 250, "b2": 0.0005}) for data in tables]
    assert {each.params["b1"].value for each in fits} == {fits[0].params["b1"].value}
    assert "<th>b1</th><td>238.942</td>" in fits[0]._repr_html_()
    told = dataclasses.asdict(pickle.loads(pickle.dumps(dataclasses.replace(fits[0], rows=1))))
    assert (told["rows"], told["params"]["b1"]["value"], told["notes"]) == (1, fits[0].params["b1"].value, [])
    by = cgcli.fit("y = a*x", {"g": ["u", "v", "u", "v"], "x": [1, 1, 2, 2], "y": [3, 4, 6, 8]}, {"a": 1}, by="g")
    assert {key: each.params["a"].value for key, each in by.items()} == pytest.approx({"u": 3, "v": 4})
    for data in ({"x": [1, 2], "y": [1]}, 3):
        with pytest.raises(cgcli.CgError):
            cgcli.fit("y = a*x", data, {"a": 1})


def test_summaries_of_parts_merge_and_are_pickled() -> None:
    """Protects fits whose rows are on several machines."""
    rng = np.random.default_rng(3)
    block, left, weights = rng.normal(size=(500, 4)), rng.normal(size=500) + 1e6, rng.uniform(size=500)
    whole = summary(block, left, weights)
    parts = [pickle.loads(pickle.dumps(summary(block[part], left[part], weights[part])))
             for part in (slice(0, 2), slice(2, 90), slice(90, None))]  # fmt: skip
    merged = parts[0].merged(parts[1]).merged(parts[2])
    assert np.abs(merged.factor) == pytest.approx(np.abs(whole.factor))
    assert (merged.rows, merged.rss, merged.mean, merged.spread) == pytest.approx(
        (500, np.sum(block[:, -1] ** 2), np.average(left, weights=weights), whole.spread)
    )


def test_rows_beyond_the_memory_for_them_wait_in_a_file() -> None:
    arrays = [[np.arange(5.0) + at, np.ones((5, 2))] for at in range(4)]
    kept = Kept(most_bytes=250)
    for each in arrays:
        kept.add(each, 5)
    assert (kept.spilled, kept.rows) == (True, 20)
    for _ in range(2):
        assert [block[0].tolist() for block in kept] == [each[0].tolist() for each in arrays]
