"""cg minimize: the names of an expression that make it least."""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.cli import searches
from cgcli.cli.expression import expression_command
from cgcli.cli.options import JSON_OPTION, PRECISION_OPTION, flag, option
from cgcli.cli.request import Request
from cgcli.errors import UsageError

_EXAMPLE = "cg minimize '(x - 1)^2 + (y - x^2)^2' x=3 y=0"
_OPTIONS = (
    flag("--max", name="maximize", help="Seek the greatest value instead."),
    searches.BOUNDS_OPTION,
    option("--subject-to", metavar="RELATION", multiple=True, help="What holds in the end: 'x + y <= 1', 'x*y = 2'."),
    flag("--sum", name="total", help="Over rows, make the sum of the values least, and not their mean."),
    *searches.STARTS_OPTIONS,
    *searches.STEPS_OPTIONS,
    searches.PARAMS_OPTION,
)


@expression_command(
    "minimize", *_OPTIONS, JSON_OPTION, PRECISION_OPTION, takes_rows=True, fixing=True, example=_EXAMPLE,
    without=("called", "output", "output_format", "only", "shard"),
)  # fmt: skip
def command(request: Request, **settings: Any) -> int:
    """Find the names that make EXPR least; exit 5 where no minimum is reached.

    \b
    cg minimize '(1 - x)^2 + 100*(y - x^2)^2' x=-1.2 y=1
    cg minimize 'x*y' x=1 y=2 --max --subject-to 'x + 2*y <= 4'
    cg minimize '(y - a*x)^2' rows.csv a=1            the mean over rows
    cg minimize 'x^2 + k*x' x=1 k==2                  k is held at 2

    Names with a value on the command line change, and begin there, but those held with '=='; the
    values of --vars are held, too, and columns are those of the rows. Derivatives are exact: to 50
    numbers a step is taken within a region of trust, by the Hessian; beyond, by L-BFGS; with
    constraints by SLSQP. Printed are the point, the value, whether it is a minimum, and why: a
    minimum, a saddle (exit 5), or an edge of what is allowed, as the Hessian there says.

    {what is read}.
    """
    from cgcli.searches.minimum import minimum
    from cgcli.searches.parameters import Search, check_starts

    search = Search(**searches.search_settings(settings, "value"))
    names, relations = searches.starts(request), settings["subject_to"]
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
