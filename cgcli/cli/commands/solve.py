"""cg solve: the names that make equations hold."""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.cli import searches
from cgcli.cli.expression import expression_command
from cgcli.cli.operands import names_of
from cgcli.cli.options import JSON_OPTION, PRECISION_OPTION, Whole, flag, option
from cgcli.cli.request import Request

_EXAMPLE = "cg solve 'x^2 = a' x=1 a=2"
_OPTIONS = (
    option("--for", name="unknowns", metavar="x,y", multiple=True, help="Solve for these names (default: the first)."),
    flag("--grad", help="Print the derivatives of the root by the other names, too."),
    *searches.STARTS_OPTIONS,
    option("--max-iter", kind=Whole(1, 10**6), default=200, metavar="N", help="Steps to try (default: 200)."),
    searches.LOG_OPTION,
    searches.PARAMS_OPTION,
)


@expression_command(
    "solve", *_OPTIONS, JSON_OPTION, PRECISION_OPTION, takes_rows=True, fixing=True, example=_EXAMPLE,
    without=("called", "jobs", "shard", "on"),
)  # fmt: skip
def command(request: Request, **settings: Any) -> int:
    """Find the names that make equations LEFT = RIGHT hold; exit 5 where no root is found.

    \b
    cg solve 'x^2 = a' x=1 a=2                        1.414…
    cg solve 'x + y = 3; x*y = 2' x=0 y=5             two equations, two unknowns
    cg solve 'x = cos(x)' x=1                         x has a value, so this is an equation
    cg solve 'x^2 = a' x=1 a=2 --grad                 how the root moves with a

    As many names as there are equations are solved for: the first that have a value on the command
    line, which is their start; those held, k==2, the others and those of --vars stay. --for says
    otherwise. A name without a value gets one, as in: k = 2; sin(x) = k/4. The method is Newton's,
    damped, with an exact Jacobian; it finds the root that it comes to first.

    \b
    cg solve 'x^2 = a' x=1 data.csv                   a root for each row, of its a
    cg solve 'x^2 = a' x=1 a=1:9:9 --grad             and for each point of a sweep

    {what is read and written}.
    """
    names = searches.starts(request)
    chosen = names_of(settings["unknowns"], {*names}, "--for")
    if request.operands.over_rows:
        from cgcli.cli.rows import solved

        solved.run(request, settings, names, chosen)
        return 0
    from cgcli.api.point import at_values
    from cgcli.searches import root as roots
    from cgcli.searches.parameters import check_complete

    point = at_values(*request.program(equations="system"))
    check_complete(point)
    report = request.report(point)
    system = roots.system(point, names, chosen)
    report.tell_all(point.notices())
    starts = roots.random_starts(system, settings["starts"], settings["seed"])
    log = searches.logged("distance") if settings["log"] else None
    found = roots.root(system, starts, max_iter=settings["max_iter"], grad=settings["grad"], log=log)
    report.tell_all(found.events)
    searches.tell(request, report, found, "root", span=point.program.syntax.statements[-1].span)
    return searches.show(request, report, found, as_params=settings["as_params"])
