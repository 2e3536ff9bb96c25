"""Training: parameters that go down the gradient of a loss, of all rows at once or batch by batch, epoch by epoch."""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence
from cgcli.api.apart import Crew
from cgcli.api.arguments import holding_kinds, of_kind
from cgcli.api.columns import Bound
from cgcli.api.point import Point, at_values
from cgcli.api.program import Program, read
from cgcli.api.values import arrays_of
from cgcli.errors import UsageError, did_you_mean
from cgcli.fitting.optimizers import optimizer
from cgcli.graph.node import constant
from cgcli.records import Record
from cgcli.searches.data import opened
from cgcli.searches.minimum import check_loss
from cgcli.searches.parameters import check_starts
from cgcli.searches.parts import Here, Parts, Rows, gathered
from cgcli.searches.reached import Reached
from cgcli.searches.reading import Passes, check_apart
from cgcli.transform.differentiate import pullback

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.tables.batch import Batch

    Floats = NDArray[np.float64]

_MOST_NUMBERS = 1 << 22  # in the derivatives of rows that are computed at once
_SMALLER = "a smaller learning rate may help"


class Trained(Reached):
    """Where a training has ended: `train` makes it. losses: that of each epoch, as its steps met it."""

    losses: Sequence[float] = ()


class Training(Record):
    """How parameters are trained.

    optimizer: sgd, momentum or adam. lr: the learning rate. batch: how many rows make a batch, all unless given.
    accumulate: how many batches' gradients are added before a step. shuffle: take the rows of each epoch in another
    order, of a seed. total: the loss of a batch is the sum of its rows', and not their mean. log: told of each epoch.
    """

    optimizer: str = "sgd"
    lr: float = 0.01
    momentum: float = 0.9
    epochs: int = 100
    batch: int | None = None
    accumulate: int = 1
    shuffle: bool = False
    seed: int = 0
    total: bool = False
    log: Callable[[int, float], None] | None = None

    @property
    def apart(self) -> bool:
        """Whether an epoch takes rows in batches, or in an order of its own."""
        return bool(self.batch or self.shuffle)


@holding_kinds
def train(
    program: Program | str, start: Mapping[str, Any], data: Any = None, *,
    fixed: Mapping[str, Any] | None = None, on_error: str = "fail", jobs: int = 1, on: str = "", **settings: Any,
) -> Trained:  # fmt: skip
    """The parameters after so many epochs down the gradient of a loss.

    program: the loss, of a row where there are rows. start: the parameters, numbers or arrays, where they begin; fixed:
    values of other names. data: arrays by name, a table (of pyarrow, pandas, polars), the name of a file, or several;
    without, the loss is that of the values alone. on_error: fail, or skip: what becomes of rows with cells that are no
    numbers. jobs, on: as of `fit`. settings: fields of `Training`: optimizer, lr, momentum, epochs, batch, accumulate,
    shuffle, seed, total, log. Steps are those of PyTorch's SGD and Adam.

    >>> found = train("(a*x + b - y)^2", {"a": 0.5, "b": 0}, {"x": [1, 2, 3, 4], "y": [2, 3, 4, 5]})
    >>> round(found.losses[0], 4), round(found.losses[-1], 4)
    (5.375, 0.051)

    Raises UsageError for a loss that is no number, and what reading rows raises. A loss that is not finite ends it, and
    with one that has grown it has not converged.
    """
    values = {**arrays_of(start), **arrays_of(fixed or {})}
    training = _training(settings)
    crew = Crew(jobs, on)
    if data is None and not crew.is_of_others:
        point = at_values(read(program), values)
        check_starts(point)
        return trained(point, [*start], training)
    with opened([read(program)], values, data, crew, patient=on_error != "fail") as ((point,), first, rows):
        return trained(point, [*start], training, rows=rows, first=first, on_error=on_error)


def _training(settings: Mapping[str, Any]) -> Training:
    """The settings by name. Raises UsageError for one that there is not, or of another kind."""
    kinds = Training.__annotations__
    for name in settings:
        if name not in kinds:
            raise UsageError(f"there is no setting '{name}'",
                             hint=did_you_mean(name, kinds) or f"known: {', '.join(kinds)}")  # fmt: skip
    return Training(**{name: of_kind(name, kinds[name], value) for name, value in settings.items()})


def trained(
    point: Point, names: Sequence[str], training: Training, *, rows: Iterable[Batch] | Parts | None = None,
    first: Sequence[Batch] = (), on_error: str = "fail", threads: int = 1,
) -> Trained:  # fmt: skip
    """As `train`, of a program at a point. first: the first batches of the rows."""
    for name in ("epochs", "accumulate", "batch"):
        if (count := getattr(training, name)) is not None and count < 1:
            raise UsageError(f"the {name} are at least 1, not {count}")
    losses = _Losses(point, names, threads, total=training.total)
    step = optimizer(training.optimizer, training.lr, training.momentum)
    if rows is None:
        if training.apart:
            raise UsageError("batches are of rows, and there are none", hint="rows come from a file, or as columns")
    else:
        check_apart(names, first)
        losses.read(rows, on_error, apart=training.apart)
    return _run(losses, step, training)


class _Losses:
    """The loss of some rows and its gradient, at any values of the parameters. notes: on rows that were read.

    total: whether the loss of rows is their sum, and not their mean.
    """

    weights = None

    def __init__(self, point: Point, names: Sequence[str], threads: int, *, total: bool) -> None:
        self.parameters = check_loss(point, names, "least")
        loss = point.graph.output
        slopes = pullback([loss], [constant(1.0)], self.parameters.nodes)
        self.first = Bound(point, [("loss", loss)], threads)
        self._made = point, [*names], threads, total
        self._passes = Passes(point, self.parameters, [loss, *slopes], threads)
        self._only_losses = Passes(point, self.parameters, [loss], threads)
        self._total, self._threads = total, threads
        self._rows: Rows | None = None  # of one point there are none
        self._arrays: Sequence[Any] = []  # all rows, where any may be wanted at any time
        self.rows, self.notes = 1, list[str]()

    def __reduce__(self) -> tuple[object, ...]:
        return _again, self._made

    def read(self, batches: Iterable[Batch] | Parts, on_error: str, *, apart: bool) -> None:
        """The rows to train on; apart: any of them may be wanted. Raises DataError as `read_rows`, and for no rows."""
        groups, self.notes = gathered(self, batches, "train on", on_error=on_error)
        self._rows = groups[""]
        self.rows = self._rows.rows
        if apart:
            if not isinstance(self._rows, Here):
                raise UsageError("rows that workers hold are taken together, and not in batches or in another order",
                                 hint="leave out --batch and --shuffle, or train in this process")  # fmt: skip
            self._arrays = [np.concatenate(arrays) for arrays in zip(*self._rows, strict=True)]

    def batches(self, random: np.random.Generator, size: int, *, shuffle: bool) -> Iterator[Sequence[Any]]:
        """The rows of one epoch, so many at a time."""
        order = random.permutation(self.rows) if shuffle else np.arange(self.rows)
        for begin in range(0, self.rows, size):
            chosen = order[begin : begin + size]
            yield [array[chosen] for array in self._arrays]

    def at(self, values: Floats, batch: Sequence[Any] | None) -> tuple[float, Floats, int]:
        """The loss of a batch, or of all rows, its gradient, and how many rows these are."""
        if batch is None:
            count = self.rows
            found = self.sums(([],), values) if self._rows is None else sum(self._rows.each("sums", values))
        else:
            count = len(batch[0])
            found = self.sums((batch,), values)
        found = found / (1 if self._total else count)
        return float(found[0]), found[1:], count

    def sums(self, blocks: Iterable[Sequence[Any]], values: Floats) -> Floats:
        """The sums of the loss and of its gradient over rows."""
        run = self._passes.at(values)
        found = np.zeros(1 + len(values))
        most = max(_MOST_NUMBERS // len(found), 1)
        for arrays in blocks:
            count = len(arrays[0]) if arrays else 1
            for begin in range(0, count, most):
                part = [array[begin : begin + most] for array in arrays]
                sums = run(part, min(most, count - begin), threads=self._threads)
                found += np.concatenate([np.ravel(each.sum(axis=0)) for each in sums])
        return found

    def value(self, values: Floats) -> float:
        """The loss of all rows."""
        total = self.losses(([],), values) if self._rows is None else float(sum(self._rows.each("losses", values)))
        return total if self._total else total / self.rows

    def losses(self, blocks: Iterable[Sequence[Any]], values: Floats) -> float:
        """The sum of the losses of rows."""
        run = self._only_losses.at(values)
        return sum(float(run(arrays, len(arrays[0]) if arrays else 1, threads=self._threads)[0].sum())
                   for arrays in blocks)  # fmt: skip


def _again(point: Point, names: Sequence[str], threads: int, total: bool) -> _Losses:
    """The losses that were pickled."""
    return _Losses(point, names, threads, total=total)


class _Steps:
    """The parameters on their way: a step for each sum of the gradients of so many batches.

    values: where they are. waiting: how many gradients are added up for the next step.
    """

    def __init__(self, start: Floats, step: Callable[[Floats], Floats], accumulate: int) -> None:
        self.values, self.waiting = start, 0
        self._step, self._accumulate = step, accumulate
        self._gradient = np.zeros_like(start)

    def take(self, slopes: Floats) -> None:
        """Add the gradient of a batch, and step where it was the last one."""
        self._gradient, self.waiting = self._gradient + slopes, self.waiting + 1
        if self.waiting == self._accumulate:
            self.values = self.values + self._step(self._gradient)
            self._gradient, self.waiting = np.zeros_like(self.values), 0


def _epoch(losses: _Losses, steps: _Steps, training: Training, random: np.random.Generator) -> float:
    """Take the steps of an epoch; the loss, as they met it."""
    batches: Iterable[Sequence[Any] | None] = (None,)  # all rows
    if training.apart:
        batches = losses.batches(random, training.batch or losses.rows, shuffle=training.shuffle)
    total = 0.0
    for batch in batches:
        loss, slopes, count = losses.at(steps.values, batch)
        total += loss * (1 if training.total else count)
        steps.take(slopes)
    return total if training.total else total / losses.rows


def _run(losses: _Losses, step: Callable[[Floats], Floats], training: Training) -> Trained:
    """All epochs, as long as the loss is finite."""
    steps = _Steps(losses.parameters.start, step, training.accumulate)
    random = np.random.default_rng(training.seed)
    told: list[float] = []
    with np.errstate(all="ignore"):
        for epoch in range(1, training.epochs + 1):
            told.append(_epoch(losses, steps, training, random))
            if training.log:
                training.log(epoch, told[-1])
            if not math.isfinite(told[-1]):
                break
        end = losses.value(steps.values)
    notes = list(losses.notes)
    if steps.waiting:
        notes.append(f"the gradients of the last {steps.waiting} batches were not enough for a step")
    wrong = _diverged(told, end)
    return Trained(
        point=losses.parameters.named(steps.values), value=end, converged=not wrong, iterations=len(told), notes=notes,
        reason=wrong or f"{len(told)} epochs; the loss was {told[0]:.4g} at first", losses=told,
    )  # fmt: skip


def _diverged(told: Sequence[float], end: float) -> str:
    """What is wrong with the losses; '' for nothing."""
    last = [*told, end]
    if not math.isfinite(end) or not math.isfinite(told[-1]):
        epoch = next(at for at, loss in enumerate(last, 1) if not math.isfinite(loss))
        kind = "nan" if math.isnan(last[epoch - 1]) else "infinite"
        return f"the loss is {kind} in epoch {min(epoch, len(told))}; {'start elsewhere' if epoch == 1 else _SMALLER}"
    if end > told[0]:
        since = int(np.argmin(last)) + 1
        return f"the loss grows since epoch {since}: {told[0]:.4g} at first, {end:.4g} now; {_SMALLER}"
    return ""
