"""`cg solve` over rows: each row of a table, or each point of a sweep, gets its root beside it."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping, Sequence
from cgcli.cli.request import Request
from cgcli.cli.rows.flow import computed
from cgcli.cli.rows.prepared import Prepared
from cgcli.cli.rows.table import opened, output_format, write
from cgcli.errors import UsageError
from cgcli.searches.parameters import check_starts
from cgcli.searches.root import system
from cgcli.searches.solve import Roots


def run(request: Request, settings: Mapping[str, Any], names: Sequence[str], chosen: Sequence[str] | None) -> None:
    """Solve for all rows, and write them. Raises CgError, at the first row without a root where none may be."""
    for name, value in (
        ("starts", settings["starts"] > 1),
        ("log", settings["log"]),
        ("params", settings["as_params"]),
    ):
        if value:
            raise UsageError(f"--{name} is for one point, and not for rows", hint="leave it out")
    kind = output_format(request)
    with opened(request, Prepared(request, equations="system"), kind=kind, check=check_starts) as rows:
        point = rows.points[0]
        report = rows.report(request)
        bound = Roots(system(point, names, chosen), rows.threads, grad=settings["grad"], max_iter=settings["max_iter"])
        report.tell_all(point.notices())
        flow = write(request, rows, bound, computed(rows.selected, bound), kind)
    flow.summarise()
