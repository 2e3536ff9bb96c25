"""`cg minimize`: at one point, or over rows."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping
from cgcli.cli import searches
from cgcli.cli.request import Request
from cgcli.errors import UsageError
from cgcli.searches.minimum import minimum
from cgcli.searches.parameters import Search, check_starts


def run(request: Request, settings: Mapping[str, Any]) -> int:
    """Find the least value, and print where it is; the exit code. Raises CgError."""
    search = Search(**searches.search_settings(settings, "value"))
    relations, names = settings["subject_to"], searches.starts(request)
    how = {"maximize": settings["maximize"], "total": settings["total"]}
    if request.operands.over_rows:
        from cgcli.cli.rows.apart import to_search

        with to_search(request) as (rows, searched):
            point, report = rows.points[0], rows.report(request)
            found = minimum(point, names, search, relations, rows=searched, first=rows.first,
                            on_error=rows.policy.for_all, threads=rows.threads, **how)  # fmt: skip
    else:
        if settings["total"]:
            raise UsageError("--sum is for rows, and there are none", hint="leave it out")
        point = request.point()
        check_starts(point)
        report = request.report(point)
        found = minimum(point, names, search, relations, **how)
    report.tell_all(point.notices())
    report.tell_all(found.events)
    searches.tell(request, report, found, "minimum")
    return searches.show(request, report, found, as_params=settings["as_params"])
