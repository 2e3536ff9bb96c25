"""Searches over rows that others hold: the same bits, whoever passes over them; no row comes back."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import optimize

import cgcli
from cgcli.api.point import Point, at_values
from cgcli.api.pool import Workers
from cgcli.api.program import read_text
from cgcli.api.workers import workers
from cgcli.fitting.losses import loss_of
from cgcli.searches import parts as rows_in_parts
from cgcli.searches.fit import Options, fits
from cgcli.searches.minimum import minimum
from cgcli.searches.model import Model
from cgcli.searches.parameters import Search
from cgcli.searches.parts import Parts
from cgcli.searches.train import Training, trained
from cgcli.tables.batch import Batch
from cgcli.tables.listing import Source
from cgcli.tables.source import batches
from tests.command import Capture, cg
from tests.for_each import for_each

MODEL, LOSS = "y = a*exp(-k*x) + w[0]", "(a*exp(-k*x) + w[0] - y)^2"
START = {"a": 1.0, "k": 1.0, "w": np.array([0.5])}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three files of rows, one of them with rows that do not count."""
    folder, random, found = tmp_path_factory.mktemp("rows"), np.random.default_rng(7), []
    for at in range(3):
        x = random.uniform(0, 4, 3000 + at)
        y = 5 * np.exp(-0.5 * x) + 1 + random.standard_t(3, len(x)) / 10
        y[:at] = np.nan
        columns = {"x": x, "y": y, "s": random.uniform(0.5, 2, len(x))}
        found.append(str(folder / f"{at}.parquet"))
        pq.write_table(pa.table(columns), found[-1], row_group_size=1000)
    return found


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    with workers(2, holding=True) as found:
        yield found


def rows_of(log: Path, name: str) -> Iterator[Batch]:
    """The rows of a file; its name goes to the end of another."""
    with log.open("a") as file:
        file.write(f"{name}\n")
    return batches([Source(name)])


class Watched(NamedTuple):
    """Workers of whom it is seen how many bytes travel, and of whom one is killed in its first pass.

    path: of a file that says that one has died; '' for none that is killed.
    """

    workers: Any
    sizes: list[int]
    path: str

    def run(self, task: Any, parts: Collection[Any]) -> Iterator[Any]:
        """As of the workers."""
        for result in self.workers.run(partial(once_dead, task, self.path) if self.path else task, parts):
            self.sizes.append(len(pickle.dumps((task, result))))
            yield result


def once_dead(task: Any, path: str, part: Any) -> Any:
    """The task; but a process is killed in its first pass, unless another was before."""
    if part[1] and not os.path.exists(path):
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return task(part)


def point_of(text: str, equations: str = "") -> Point:
    """A program at the start, where x, y and s are columns."""
    program = read_text(text, known=START, equations=equations)
    columns: dict[str, tuple[int, ...]] = {name: () for name in ("x", "y", "s") if name in program.open_names}
    return at_values(program, {name: each for name, each in START.items() if name in program.open_names}, columns)


Rows = Iterable[Batch] | Parts


def fitted(loss: str, rows: Rows) -> Any:
    points = [point_of(MODEL, "model"), point_of("s")]
    model = Model(points, [*START], (), is_sigma=True)
    ((_, found, _),) = fits(model, rows, Options(loss=loss_of(loss)), on_error="skip")
    return found.content(), found.notes


def least(rows: Rows) -> Any:
    found = minimum(point_of(LOSS), [*START], Search(), rows=rows, total=True, on_error="skip")
    return found.content(), found.notes


def learnt(rows: Rows) -> Any:
    training = Training("adam", 0.1, epochs=20)
    found = trained(point_of(LOSS), [*START], training, rows=rows, on_error="skip")
    return found.content(), found.notes, found.losses


SEARCHES: dict[str, Callable[[Rows], Any]] = {
    "fit": partial(fitted, "squares"),
    "robust": partial(fitted, "cauchy:0.2"),
    "minimize": least,
    "train": learnt,
}


@for_each("name", SEARCHES)
def test_no_number_of_workers_changes_a_bit(name: str, files: list[str], two: Workers, tmp_path: Path) -> None:
    """All rows here, and parts in processes, of which one is killed in the middle of a fit. Rows do not travel."""
    run = SEARCHES[name]
    expected = repr(run(batches([Source(each) for each in files])))
    assert "3 of 9003 rows are left out" in expected
    watched = Watched(two, [], str(tmp_path / "dead") if name == "robust" else "")
    log = tmp_path / f"read by {name}"
    assert repr(run(Parts(partial(rows_of, log), files, watched))) == expected
    assert os.path.exists(watched.path) == bool(watched.path)
    assert watched.path or sorted(log.read_text().split("\n")) == ["", *files]  # once, by whom its passes are given to
    assert max(watched.sizes) < 4000 < 3000 * 8


@for_each(("most", "times"), [(1 << 28, 1), (0, 22)])
def test_rows_are_held_between_passes_as_long_as_there_is_room(
    files: list[str], most: int, times: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Protects the time of passes, and memory: 20 epochs and the loss in the end."""
    expected = repr(learnt(batches([Source(each) for each in files])))
    monkeypatch.setattr(rows_in_parts, "_MOST_HELD", most)
    log = tmp_path / f"log of {times}"
    assert repr(learnt(Parts(partial(rows_of, log), files, workers()))) == expected
    assert log.read_text().splitlines() == files * times


def test_the_command_finds_the_same_whoever_passes_over_the_rows(
    files: list[str], capsys: Capture, cluster: str
) -> None:
    """Here, in processes and on a cluster; against scipy."""
    folder = os.path.dirname(files[0])
    arguments = ["fit", MODEL, folder, "a=1", "k=1", "w=[0.5]", "--on-error", "skip", "--json"]
    alone = cg(capsys, *arguments, "--threads", "2")
    assert alone.code == 0, alone.err
    assert cg(capsys, *arguments, "--on", cluster) == alone
    assert cg(capsys, *arguments, "--jobs", "2") == alone
    rows = pa.concat_tables([pq.read_table(name) for name in files]).to_pydict()
    x, y = (np.array(rows[name]) for name in "xy")
    good = np.isfinite(y)
    theirs, _ = optimize.curve_fit(lambda x, a, k, w: a * np.exp(-k * x) + w, x[good], y[good], [1, 1, 0.5])
    found = json.loads(alone.out)["params"]
    ours = [found["a"]["value"], found["k"]["value"], *found["w"]["value"]]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


LIBRARY: list[tuple[Any, list[str]]] = [  # what the library is asked for, and the command line
    (partial(cgcli.fit, MODEL), ["fit", MODEL]),
    (partial(cgcli.minimize, LOSS), ["minimize", LOSS]),
    (partial(cgcli.train, LOSS, epochs=3), ["train", LOSS, "--epochs", "3"]),
]


@for_each(("search", "command"), LIBRARY)
def test_the_library_finds_the_same_whoever_passes_over_the_rows(
    search: partial[Any], command: list[str], files: list[str], cluster: str, capsys: Capture
) -> None:
    """Files by a pattern, a folder and their names: here, in processes, on a cluster, and by the command."""
    folder = os.path.dirname(files[0])
    done = cg(capsys, *command, folder, "a=1", "k=1", "w=[0.5]", "--on-error", "skip", "--json", "--jobs", "2")
    expected = json.loads(done.out)
    del expected["warnings"]
    for names, who in ((folder, {}), (f"{folder}/*.parquet", {"jobs": 2}), (files, {"on": cluster})):
        arguments = (START, names) if search.func is not cgcli.fit else (names, START)
        found = search(*arguments, on_error="skip", **who)
        assert json.loads(json.dumps(found.content(), default=np.ndarray.tolist)) == expected
        assert found.notes == ["3 of 9003 rows are left out; the first: " + found.notes[0].split("first: ")[1]]


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    ({"x": [1.0], "y": [2.0]}, {"jobs": 2}, "jobs is for files, and there are none"),
    (None, {"jobs": 2}, "jobs is for files, and there are none"),
    ("{}", {"jobs": 0}, "jobs are 1 or more, and not 0"),
    ("{}", {"jobs": 2, "on": "dask://127.0.0.1:1"}, "jobs is of this machine, and on has a cluster work"),
    ("{}", {"on": "127.0.0.1"}, "'127.0.0.1' is no address of a cluster"),
    ("{}", {"jobs": 2}, "1.parquet, row 1: column 'y' holds nan"),
]


@for_each(("data", "who", "message"), WRONG)
def test_what_does_not_go_with_workers_is_said_by_the_library(
    data: Any, who: dict[str, Any], message: str, files: list[str]
) -> None:
    data = data.format(os.path.dirname(files[0])) if isinstance(data, str) else data
    with pytest.raises(cgcli.CgError, match=re.escape(message)):
        cgcli.minimize(LOSS, START, data, **who)


def test_files_that_lack_a_column_have_bad_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Protects a fit over files of which some have other columns: it is that of one process, whichever comes first."""
    monkeypatch.chdir(tmp_path)
    for name, rows in (("a", "x,y\n1,2\n3,oops\n4,5\n"), ("b", "x,z\n1,2\n"), ("c", "x,y\n2,2\n")):
        (tmp_path / f"{name}.csv").write_text(rows)
    for files in (["."], ["b.csv", "c.csv", "a.csv"]):
        arguments = ["fit", "y = a*x", *files, "a=1", "--on-error", "skip", "--json"]
        alone = cg(capsys, *arguments)
        assert "2 of 5 rows are left out" in alone.err
        assert json.loads(alone.out)["params"]["a"]["value"] == pytest.approx(26 / 21, rel=1e-9)
        assert cg(capsys, *arguments, "--jobs", "2") == alone
        for jobs in (1, 2):
            found = cgcli.fit("y = a*x", files, {"a": 1}, on_error="skip", jobs=jobs)
            assert found.params["a"].value == json.loads(alone.out)["params"]["a"]["value"]
            assert all(f"warning: {note}\n" in alone.err for note in found.notes)


MISTAKES = [
    ("fit y=a*x {} a=1 --jobs 2 --predict", 2, "--predict is of rows that are here"),
    ("fit y=a*x {} a=1 --jobs 2 --plot a.svg", 2, "--plot is of rows that are here"),
    ("fit y=a*x {} a=1 --jobs 2 --by s", 2, "rows of one value of a column lie in many parts"),
    ("fit y=a*x {} a=1 --jobs 2 --skip 3", 2, "--skip is of all rows together"),
    ("fit y=a*x x=0:1:3 a=1 --jobs 2", 2, "--jobs is for files, and there are none"),
    ("fit y=a*z {} a=1 --jobs 2", 2, "'z' is no column, and without a start"),
    ("fit y=a*x {} a=1 --jobs 2", 1, "1.parquet, row 1: column 'y' holds nan"),
    ("minimize a^2 a=1 --jobs 2", 2, "--jobs is for rows, and there are none"),
    ("minimize (a*x)^2 {} a=1 --on dask://127.0.0.1:1", 1, "there is no scheduler of Dask"),
    ("train (a*x)^2 {} a=1 --jobs 2 --batch 5", 2, "rows that workers hold are taken together"),
    ("solve x=a*s {} a=1 --jobs 2", 2, "--jobs"),
]


@for_each(("line", "code", "message"), MISTAKES)
def test_what_does_not_go_with_workers_is_said(
    line: str, code: int, message: str, files: list[str], capsys: Capture
) -> None:
    """Protects who asks workers for rows that stay with them, and who mistakes a name."""
    found = cg(capsys, *line.format(os.path.dirname(files[0])).split())
    assert (found.code, found.out) == (code, "")
    assert message in found.err
