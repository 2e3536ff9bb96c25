"""`cg eval --whole`: the program is computed once, with columns as vectors; its vectors are columns again."""

from __future__ import annotations

import numpy as np

from cgcli.annotations import Any, Iterator
from cgcli.api.columns import Computed, check_columns
from cgcli.api.files import Table
from cgcli.api.point import Point, at_values
from cgcli.cli.request import Request, Task
from cgcli.cli.rows.flow import Flow, Policy
from cgcli.cli.rows.progress import Progress
from cgcli.cli.rows.results import value
from cgcli.cli.rows.sources import sources_of
from cgcli.cli.rows.table import check_types, output_format, written
from cgcli.errors import DataError, UsageError
from cgcli.graph.shapes import shape_text
from cgcli.tables.batch import Batch

_NONE = np.zeros(0, np.int64)


def run(request: Request) -> None:
    """Compute the results for all rows at once, and write them. Raises CgError."""
    _check(request)
    options, kind = request.rows, output_format(request)
    table = Table(sources_of(request), options.input_format, options.reading)
    point = _at_columns(request, table)
    task = Task.begun(request, point)
    names = [name for name, _ in value(request, point, ())]
    results = {name: np.asarray(array) for name, array in zip(names, task.evaluate(point.graph.outputs), strict=True)}
    for name, array in results.items():
        if array.shape[:1] != (len(table),):
            what = f"an array of shape {shape_text(array.shape)}" if array.shape else "one number"
            raise UsageError(f"'{name}' is {what}, and {table.title} has {len(table)} rows",
                             hint="for a result that is not one for each row: --vars FILE")  # fmt: skip
    with written(request, kind, table.batches) as writer:
        progress = Progress(quiet=request.quiet, rows=len(table))
        flow = Flow(writer, [*results], _no_error, Policy.of(request), progress)
        flow.take(_parts(table, [*results.values()]))


def _check(request: Request) -> None:
    """Raise UsageError for what does not go with all rows at once."""
    options, operands = request.rows, request.operands
    apart = {"jobs": options.jobs > 1, "on": bool(options.on), "shard": bool(options.shard)}
    of_rows = {"where": bool(options.where), "skip": bool(options.skip), "limit": options.limit is not None,
               "on-error": options.on_error != "fail"}  # fmt: skip
    for name, is_given in apart.items():
        if is_given:
            raise UsageError(f"--{name} has each file computed by itself, and --whole has all rows for one vector",
                             hint=f"leave out --{name} or --whole")  # fmt: skip
    if not operands.over_rows:
        raise UsageError("--whole is for rows, and there are none", hint="as in: cg eval 'x - mean(x)' FILE --whole")
    for name, is_given in of_rows.items():
        if is_given:
            raise UsageError(f"--{name} does not go with --whole",
                             hint=f"before it: cg eval x FILE --as _ --{name} … | cg eval … --whole -")  # fmt: skip
    if operands.sweeps:
        raise UsageError("--whole is for rows that are read", hint="points are a vector with: x=linspace(0, 1, 11)")


def _at_columns(request: Request, table: Table) -> Point:
    """The program of a request at a point where the columns that it reads are vectors."""
    program, bindings = request.program([name for name in table.names if "." in name])
    check_types(request.rows.reading, table.batches, table.names)
    columns = table.vectors(name for name in program.open_names if name not in bindings)
    point = at_values(program, {**columns, **bindings})
    check_columns(point, table.names)
    return point


def _no_error(batch: Batch, row: int, _: Computed) -> DataError:
    """A nan is told of by the evaluation, of which all rows are a part."""
    return DataError(f"{batch.at(row)} has no result")


def _parts(table: Table, results: list[Any]) -> Iterator[tuple[Batch, Computed]]:
    """The rows of each batch with their results."""
    begin = 0
    for batch in table.batches:
        arrays = [array[begin : begin + len(batch)] for array in results]
        yield batch, Computed(arrays, {}, _NONE, _NONE, {})
        begin += len(batch)
