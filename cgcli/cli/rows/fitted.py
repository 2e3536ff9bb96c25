"""`cg fit` over rows: what the command line says of a fit, and how it is printed."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Sequence
from cgcli.cli import output, searches
from cgcli.cli.request import Request
from cgcli.cli.rows.apart import crew, to_search
from cgcli.cli.rows.flow import computed
from cgcli.cli.rows.prepared import Prepared
from cgcli.cli.rows.table import output_format, write
from cgcli.cli.say import echo
from cgcli.errors import DataError, UsageError
from cgcli.files import save
from cgcli.fitting.losses import loss_of
from cgcli.printing import values
from cgcli.searches.fit import Fit, Options, fits
from cgcli.searches.model import Model, Predictions
from cgcli.tables.batch import Batch
from cgcli.tables.formats import format_of, open_writer

if TYPE_CHECKING:
    from cgcli.cli.report import Report

_MOST_BYTES = 2**31  # of rows that are in memory at once, where each is printed


def run(request: Request, settings: Mapping[str, Any]) -> int:
    """Fit, and print what is asked for; the exit code. Raises CgError."""
    by, predicts = settings["by"], settings["predict"]
    _check(request, settings)
    kind = output_format(request) if predicts else None
    weights = {f"--{name}": settings[name] for name in ("weights", "sigma") if settings[name] is not None}
    with to_search(request, Prepared(request, weights, "model"), kind=kind, columns=[by] if by else ()) as (rows, some):
        starts = [name for name in rows.points[0].bindings if name not in request.operands.fixed]
        weighed = rows.points[: 1 + len(weights)]
        model = Model(weighed, starts, rows.first, is_sigma="--sigma" in weights, threads=rows.threads)
        report = rows.report(request)
        report.tell_all(rows.points[0].notices())
        batches: list[Batch] = []
        read = _kept(rows.selected, batches) if predicts else some
        found = list(fits(model, read, _options(request, settings), by=by, on_error=rows.policy.for_all))
        for key, fit, _ in found:
            searches.tell(request, report, fit, "fit", f" ({by} is {key})" if by else "")
        _, fit, kept = found[0]
        _write_files(model, fit, kept, settings)
        if predicts:
            bound = Predictions(model, fit.values, fit.root, fit.times, rows.threads)
            write(request, rows, bound, computed(batches, bound), kind).summarise()
    _print(request, report, [(key, fit) for key, fit, _ in found], settings)
    return 0 if all(fit.converged for _, fit, _ in found) else searches.NOT_REACHED


def _write_files(model: Model, fit: Fit, kept: object, settings: Mapping[str, Any]) -> None:
    """Write the files that were asked for besides. kept: the rows of the fit."""
    if settings["cov"]:
        _write_covariance(fit, settings["cov"])
    if settings["plot"]:
        from cgcli.searches.parts import Here
        from cgcli.searches.plots import check_plot, plotted

        assert isinstance(kept, Here)  # all rows of a command are read by it
        picture = check_plot(settings["plot"])
        save(plotted(model, fit, kept, picture, settings["theme"]), settings["plot"])


def _print(request: Request, report: Report, found: Sequence[tuple[str, Fit]], settings: Mapping[str, Any]) -> None:
    """Print fits, each with the value of the column by which there are several."""
    by = settings["by"]
    if settings["as_params"]:
        for key, fit in found:
            line = searches.bindings({name: each.value for name, each in fit.params.items()}, request.precision)
            echo(f"{key}\t{line}" if by else line)
    elif request.as_json:
        for key, fit in found:
            output.as_json({**({by: key} if by else {}), **fit.content()}, request.precision, report.entries)
    elif not settings["predict"] or request.rows.output is not None:
        echo("\n".join(_table(found, by, request.precision)))


def _check(request: Request, settings: Mapping[str, Any]) -> None:
    """Raise UsageError for what does not go together."""
    if settings["weights"] is not None and settings["sigma"] is not None:
        raise UsageError("--weights and --sigma both say how much a row counts", hint="give one of them")
    if settings["absolute"] and settings["weights"] is None and settings["sigma"] is None:
        raise UsageError(
            "--absolute is for standard deviations, and there are none", hint="as in: --sigma s --absolute"
        )
    for name in ("cov", "predict", "plot"):
        if settings["by"] is not None and settings[name]:
            raise UsageError(f"--{name} is for one fit, and --by makes several",
                             hint="take the rows of one with --where")  # fmt: skip
    for name in ("predict", "plot"):
        if settings[name] and crew(request).is_of_others:
            raise UsageError(f"--{name} is of rows that are here, and with --jobs and --on they stay with others",
                             hint="compute them with: cg eval RIGHT FILE $(cg fit … --params)")  # fmt: skip
    for name in ("output", "output_format", "only"):
        if getattr(request.rows, name) and not settings["predict"]:
            spelling = {"output_format": "to"}.get(name, name)
            raise UsageError(f"--{spelling} is for rows, and a fit has none to write but those of --predict")
    if settings["plot"]:
        from cgcli.searches.plots import check_plot

        check_plot(settings["plot"])
    if settings["as_params"] and (request.as_json or settings["predict"]):
        raise UsageError("--params, --json and --predict each say what is printed", hint="choose one")


def _options(request: Request, settings: Mapping[str, Any]) -> Options:
    """How the fit is made."""
    try:
        level = float(settings["level"])
    except ValueError:
        raise UsageError(f"--level '{settings['level']}' is no number", hint="as in: --level 0.95") from None

    return Options(**searches.search_settings(settings, "cost"), loss=loss_of(settings["loss"]),
                   absolute=settings["absolute"], level=level)  # fmt: skip


def _kept(batches: Iterable[Batch], kept: list[Batch]) -> Iterator[Batch]:
    """The batches, which are kept for later."""
    size = 0
    for batch in batches:
        size += batch.size
        if size > _MOST_BYTES:
            raise DataError(f"{batch.source} holds more than {_MOST_BYTES >> 30} GiB of rows, and --predict needs all",
                            hint="compute them with: cg eval RIGHT FILE $(cg fit … --params)")  # fmt: skip
        kept.append(batch)
        yield batch


def _table(found: Sequence[tuple[str, Fit]], by: str | None, precision: int | None) -> Iterator[str]:
    """The parameters of all fits, then their figures; with the value of the column in front, where there is one."""
    first = [by] if by else []
    yield "\t".join([*first, "name", *Fit.COLUMNS])
    for key, fit in found:
        for name, numbers in fit.lines():
            cells = (values.value(number, precision) for number in numbers)
            yield "\t".join([*([key] if by else []), values.on_one_line(name), *cells])
    if by:
        yield "\t".join([*first, *Fit.FIGURES])
        for key, fit in found:
            yield "\t".join([key, *(searches.figure(getattr(fit, name), precision) for name in Fit.FIGURES)])
        return
    for name in Fit.FIGURES:
        yield f"{name}\t{searches.figure(getattr(found[0][1], name), precision)}"


def _write_covariance(fit: Fit, path: str) -> None:
    """The covariance as rows, each with the name of its parameter."""
    from cgcli.tables.arrow import record_batches

    columns = {"name": list(fit.elements), **dict(zip(fit.elements, fit.covariance.tolist(), strict=True))}
    with open_writer(path, format_of(path)) as writer:
        for table in record_batches(columns):
            writer.write(Batch(table, "the covariance", str))
