"""Fits: the parameters of an equation that make its residuals over rows least, and how well the rows determine them."""

from __future__ import annotations

import math

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence
from cgcli.api.apart import Crew
from cgcli.api.arguments import holding_kinds
from cgcli.api.program import Program, read_text
from cgcli.api.values import arrays_of
from cgcli.errors import DataError, UsageError
from cgcli.fitting.bounds import Bounds
from cgcli.fitting.losses import Loss, loss_of
from cgcli.fitting.marquardt import Found, least_squares
from cgcli.fitting.statistics import determined, quantile, two_sided
from cgcli.records import EMPTY
from cgcli.searches.data import opened
from cgcli.searches.model import Model
from cgcli.searches.parameters import Limits, Search
from cgcli.searches.parts import Parts, Rows, gathered
from cgcli.searches.reached import Result, html_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cgcli.fitting.summary import Summary
    from cgcli.tables.batch import Batch

    Floats = NDArray[np.float64]

_WEAK = 1e-13  # the effect of a parameter, to the size of the left sides, that is as good as none
_ROUNDING = 1e-15  # residuals, to the size of the left sides, of which nothing is left but rounding,
_NEXT_TO_ROUNDING = 1e-11  # and of which it shows in a few digits,
_MOST_EXACT = 1000  # and in how many rows they are computed


class Parameter(Result):
    """What a fit says of a parameter; each field is a float, or an array of the parameter's shape.

    t: the value divided by its standard error; p: the probability of one so far from 0, were the parameter 0; low,
    high: the ends of its interval of confidence. Without degrees of freedom they are nan.
    """

    value: Any
    std_error: Any
    t: Any
    p: Any
    low: Any
    high: Any


class Fit(Result):
    """A fit: `fit` makes it.

    params: by name. elements: what the rows and columns of the covariance are called, `b1`, `w[0]`; it is infinite
    where the rows leave a parameter open. rss: the weighted sum of the squares of the residuals, right side - left
    side. residual_sd: the root of rss/dof; with a robust loss that of Huber's estimate. r2: 1 - rss/S, with S the
    weighted sum of the squares of the left sides about their mean. aic, bic: as R counts them, the variance being one
    more parameter; nan with a robust loss. converged, reason: whether the parameters were found, and why it stopped or
    what is wrong. summary: of all rows, at the end; those of parts of them merge. notes: what else is worth knowing.
    """

    params: Mapping[str, Parameter]
    elements: Sequence[str]
    covariance: Any
    residual_sd: float
    dof: int
    rss: float
    r2: float
    aic: float
    bic: float
    iterations: int
    converged: bool
    reason: str
    rows: int
    level: float
    absolute: bool
    summary: Summary
    values: Any
    root: Any
    notes: Sequence[str] = ()

    FIGURES = ("residual_sd", "dof", "rss", "r2", "aic", "bic", "iterations", "converged", "reason")
    COLUMNS = ("value", "std_error", "t", "p", "low", "high")

    @property
    def times(self) -> float:
        """How many standard errors an interval takes to each side."""
        return quantile(self.level, math.inf if self.absolute else self.dof)

    def lines(self) -> Iterator[tuple[str, list[float]]]:
        """The name of each element, and its figures in the order of COLUMNS."""
        columns = [np.concatenate([np.ravel(getattr(each, name)) for each in self.params.values()])
                   for name in self.COLUMNS]  # fmt: skip
        yield from zip(self.elements, np.stack(columns, axis=1).tolist(), strict=True)

    def content(self) -> dict[str, Any]:
        """All of it as an object of JSON."""
        params = {
            name: {column: getattr(each, column) for column in self.COLUMNS} for name, each in self.params.items()
        }
        rows = (dict(zip(self.elements, row, strict=True)) for row in self.covariance.tolist())
        covariance = dict(zip(self.elements, rows, strict=True))
        return {"params": params, "covariance": covariance, **{name: getattr(self, name) for name in self.FIGURES}}

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        figures = ", ".join(f"{name} {getattr(self, name):.6g}" for name in self.FIGURES[:6])
        return html_table(("", *self.COLUMNS), self.lines(), (figures, self.reason))


class Options(Search):
    """How a fit is made: as of `Search`, and as of `fit`."""

    loss: Loss | None = None
    absolute: bool = False
    level: float = 0.95

    def checked(self, model: Model) -> Bounds:
        """The bounds of each element. Raises UsageError for what cannot be, and for a start outside of its bounds."""
        if not 0 < self.level < 1:
            raise UsageError(f"the level of an interval is between 0 and 1, not {self.level:g}", hint="as in: 0.95")
        return model.parameters.bounds(self.bounds)


@holding_kinds
def fit(
    equation: str, data: Any, start: Mapping[str, Any], *,
    fixed: Mapping[str, Any] | None = None, bounds: Limits | None = None,
    weights: str | None = None, sigma: str | None = None, absolute: bool = False, loss: str = "squares",
    by: str | None = None, level: float = 0.95, starts: int = 1, seed: int = 0, max_iter: int = 5000,
    tol: float = 1e-12, on_error: str = "fail", log: Callable[[int, float, dict[str, Any]], None] | None = None,
    jobs: int = 1, on: str = "",
) -> Any:  # fmt: skip
    """The least squares fit of an equation to rows, by exact derivatives: a `Fit`, or with `by` a dict of them.

    equation: `LEFT = RIGHT`, either side an expression; what is made small is right - left. data: arrays by name, a
    table (of pyarrow, pandas, polars), the name of a file, or several. start: the parameters, numbers or arrays, where
    the search begins; fixed: values of other names. bounds: low and high, None where there is none. weights, sigma: a
    weight, or a standard deviation, for each row: an expression, such as the name of a column; absolute: the standard
    deviations are known, and not only up to a factor. loss: squares, huber, soft_l1 or cauchy, the robust ones with the
    size of a residual that is taken for ordinary: `huber:1.5`. by: a column, for whose every value there is a fit.
    level: of the intervals. starts: how many there are, random but for the first. max_iter, tol: as of
    `least_squares`. on_error: fail, or skip: what becomes of rows with cells that are no numbers.
    jobs, on: how many processes read files and hold their rows, or the cluster that does, `dask://host:8786`; the bits
    are the same.

    >>> found = fit("y = a*x + b", {"x": [1, 2, 3, 4], "y": [2, 3, 4, 6]}, {"a": 1, "b": 0})
    >>> found.params["a"].value, found.dof
    (1.3, 2)

    Raises ParseError and its kin, UnknownNameError for names that are neither columns nor have a value, DataError for
    rows that cannot be read, for fewer rows than parameters, and where the equation is not finite at the start.
    """
    program = read_text(equation, known={*start, *(fixed or {})}, equations="model")
    values = {**arrays_of(start), **arrays_of(fixed or {})}
    weighed = None if weights is None and sigma is None else read_text(weights or sigma or "", "weights")
    if weights is not None and sigma is not None:
        raise UsageError("weights and sigma both say how much a row counts", hint="give one of them")
    programs: list[Program] = [program, *([weighed] if weighed else [])]
    options = Options(bounds or EMPTY, starts, seed, max_iter, tol, log, loss_of(loss), absolute, level)
    with opened(programs, values, data, Crew(jobs, on), patient=on_error != "fail") as (points, first, rows):
        model = Model(points, [*start], first, is_sigma=sigma is not None)
        fits_by_key = {key: each for key, each, _ in fits(model, rows, options, by=by, on_error=on_error)}
    return fits_by_key if by is not None else fits_by_key[""]


def fits(
    model: Model, rows: Iterable[Batch] | Parts, options: Options, *, by: str | None = None, on_error: str = "fail"
) -> Iterator[tuple[str, Fit, Rows]]:
    """The fit of all rows, or of those of each value of a column: the value, the fit, the rows. Raises as `fit`."""
    bounds = options.checked(model)
    groups, notes = gathered(model, rows, "fit", by=by, on_error=on_error)
    for key, group in groups.items():
        found = _fitted(model, group, options, bounds, f" where {by} is {key}" if by is not None else "")
        yield key, Fit(**{**vars(found), "notes": [*found.notes, *notes]}), group


def _fitted(model: Model, rows: Rows, options: Options, bounds: Bounds, where: str) -> Fit:
    """The fit of some rows. where: which these are, in words."""
    size = len(model.parameters.start)
    if rows.rows < size:
        raise DataError(f"there are {rows.rows} rows{where}, and {size} parameters", hint="hold some of them: a==1")
    best, words = _best(model, rows, options, bounds)
    dof = _degrees(best.end, size, where)
    plain, rss, spread = _spread(model, rows, best, options.loss, dof)
    said = determined(plain.factor)
    problems = _problems(model, best, plain, said.tied)
    root = said.root * (1.0 if options.absolute else spread)
    covariance = root @ root.T
    covariance[said.open], covariance[:, said.open] = np.inf, np.inf
    aic, bic = _criteria(best.end, rss, size, options)
    notes = model.parameters.at_bounds(best.values, bounds)
    if not plain.spread > 0:
        notes.append("all left sides are the same, so that r2 has no meaning")
    return Fit(
        params=_parameters(model, best.values, np.sqrt(np.diag(covariance)), dof, options),
        elements=model.parameters.elements, covariance=covariance, residual_sd=spread, dof=dof, rss=rss,
        r2=1 - rss / plain.spread if plain.spread > 0 else math.nan, aic=aic, bic=bic, iterations=best.iterations,
        converged=best.converged and not problems, reason=("; ".join(problems) or best.reason) + words,
        rows=best.end.rows, level=options.level, absolute=options.absolute, summary=best.end, values=best.values,
        root=root, notes=notes,
    )  # fmt: skip


def _degrees(end: Summary, size: int, where: str) -> int:
    """The degrees of freedom. size: how many parameters there are. Raises DataError for too few rows with a weight."""
    if not end.weight > 0 or not end.rows:
        raise DataError(f"all weights are 0{where}")
    if end.rows < size:
        raise DataError(f"{end.rows} rows{where} have a weight that is not 0, and there are {size} parameters")
    return end.rows - size


def _best(model: Model, rows: Rows, options: Options, bounds: Bounds) -> tuple[Found, str]:
    """The fit of least cost from all starts, and words on the others."""

    def search(start: Floats, steps: int) -> Found | None:
        return least_squares(lambda values: model.at(values, rows, options.loss), start, bounds,
                             max_iter=steps, tol=options.tol, log=options.logged(model.parameters))  # fmt: skip

    best, words = options.best(model.parameters.start, bounds, search, lambda found: found.end.cost)
    if best is None:
        raise DataError("the equation is not finite at the start", hint="start elsewhere")
    return best, words


def _spread(model: Model, rows: Rows, best: Found, loss: Loss | None, dof: int) -> tuple[Summary, float, float]:
    """The summary without the loss, the sum of squares of the residuals, and the factor of standard errors."""
    if loss is not None:
        plain, factor = _robust(model, rows, best, loss, dof)
        return plain, plain.rss, factor
    end, rss = best.end, best.end.rss
    if _ROUNDING * end.size < math.sqrt(rss) <= _NEXT_TO_ROUNDING * end.size and rows.rows <= _MOST_EXACT:
        rss = _exact_rss(rows, best.values, rss)
    return end, rss, _deviation(rss, dof)


def _deviation(squares: float, dof: int) -> float:
    return math.sqrt(squares / dof) if dof else math.nan


def _exact_rss(rows: Rows, values: Floats, known: float) -> float:
    """The sum of squares of residuals that are next to rounding, computed with more digits.

    known: what it is where an operation has no kernel for so many digits.
    """
    parts = [*rows.each("exact_rss", values)]
    return known if None in parts else float(sum(parts))


def _robust(model: Model, rows: Rows, best: Found, loss: Loss, dof: int) -> tuple[Summary, float]:
    """The summary without the loss, and the factor of standard errors: Huber (1981), Robust statistics, 7.6.5."""
    plain = model.at(best.values, rows, None)
    assert plain is not None
    squares, total, total_of_squares = sum(rows.each("robust_sums", best.values, loss)).tolist()
    mean = total / plain.rows
    variance = total_of_squares / plain.rows - mean**2
    small = 1 + len(best.values) / plain.rows * variance / mean**2 if mean else math.nan
    return plain, small * _deviation(squares, dof) / mean if mean else math.nan


def _parameters(model: Model, values: Floats, errors: Floats, dof: int, options: Options) -> dict[str, Parameter]:
    """What the fit says of each parameter, by name. errors: the standard errors of their elements."""
    likely = math.inf if options.absolute else dof
    with np.errstate(all="ignore"):
        t = values / errors
        margin = quantile(options.level, likely) * errors
    p = np.array([two_sided(each, likely) for each in t.tolist()])
    columns = [model.parameters.arrays(each) for each in (values, errors, t, p, values - margin, values + margin)]
    return {name: Parameter(*each) for name, *each in zip(model.parameters.names, *columns, strict=True)}


def _criteria(end: Summary, rss: float, size: int, options: Options) -> tuple[float, float]:
    """The criteria of Akaike and of Schwarz, by which fits of several models are compared; nan with a robust loss."""
    if options.loss is not None:
        return math.nan, math.nan
    deviance = _deviance(end, rss, absolute=options.absolute)
    count = size + (not options.absolute)
    return deviance + 2 * count, deviance + math.log(end.rows) * count


def _deviance(end: Summary, rss: float, *, absolute: bool) -> float:
    """Minus twice the logarithm of the likelihood of normal residuals, at its largest unless their size is known."""
    known = end.rows * math.log(2 * math.pi) - end.logs
    if absolute:
        return known + rss
    return known + end.rows * (1 + (math.log(rss / end.rows) if rss > 0 else -math.inf))


def _problems(model: Model, best: Found, plain: Summary, tied: Sequence[Sequence[int]]) -> list[str]:
    """What leaves parameters open, in words."""
    names, start = model.parameters.elements, model.parameters.start
    least = max(plain.size, math.sqrt(plain.rss)) * _WEAK
    first, last = (np.linalg.norm(each.factor, axis=0) for each in (best.start, plain))
    weak = first * np.maximum(np.abs(start), 1.0) <= least
    still = last * np.maximum(np.abs(best.values), 1.0) <= least
    idle = [name in model.constant_elements for name in names]
    found = []
    for mask, one, several in (
        (idle, "does nothing: no residual changes with it", "do nothing: no residual changes with them"),
        (
            weak & still & ~np.array(idle),
            *[f"{word} no effect at the start, which is flat; start elsewhere" for word in ("has", "have")],
        ),
        (~weak & (last == 0), *[f"{word} gone where nothing changes any more" for word in ("has", "have")]),
    ):
        which = [f"'{name}'" for name, holds in zip(names, mask, strict=True) if holds]
        if which:
            found.append(f"{', '.join(which)} {several if len(which) > 1 else one}")
    for positions in tied:
        *others, last_name = (f"'{names[at]}'" for at in positions)
        if others:
            found.append(f"only a combination of {', '.join(others)} and {last_name} is determined")
    return found
