"""cg export: code in another language."""

from __future__ import annotations

from cgcli.cli.expression import expression_command
from cgcli.cli.options import WRT_OPTION, flag, option
from cgcli.cli.request import Request
from cgcli.cli.say import echo
from cgcli.errors import UsageError


@expression_command(
    "export",
    option("--to", metavar="c|js|python|numpy|jax|torch|sql", help="The language, if not the suffix's of -o."),
    WRT_OPTION,
    flag("--only-value", help="Write the value alone, without derivatives."),
    option("--name", metavar="NAME", help="What the function is called (default: f)."),
    flag("--header", help="Of c: write the declarations alone."),
    option("--dialect", metavar="duckdb|spark|postgres", help="Of sql: whose."),
    option("--table", metavar="NAME", help="Of sql: the table that is read (default: data)."),
    option("-o", "--output", metavar="FILE", help="Where to write it, if not to stdout."),
    needs_values=False,
)  # fmt: skip
def command(
    request: Request, to: str | None, only_value: bool, name: str | None, header: bool, dialect: str | None,
    table: str | None, output: str | None,
) -> None:  # fmt: skip
    """Write EXPR and its derivatives as code that needs no cg.

    \b
    cg export 'ln(x1) + x1*x2 - sin(x2)' --to c
    cg export 'x^2*sin(y)' --wrt y -o slope.js
    cg export 'x/(x + k)' --to sql --dialect duckdb --table measured
    cg export 'X: [4, 3]; w: [3]; mean((X@w)^2)' --wrt w -o loss.py --name loss

    The results are the value, then its derivatives by the names of --wrt, or by all. A name that
    is given a value is a constant of the code. Shapes of arrays are declared, or those of values.
    What the language lacks is written in what it has; nan, kinks and where are as in cg grad, and
    the last digits may differ.
    """
    from cgcli.api.export import exported, target_of
    from cgcli.exporting.targets import TARGETS
    from cgcli.files import save

    by_suffix = (found for found in TARGETS if output is not None and output.endswith(TARGETS[found].suffixes))
    target = target_of(to) if to else TARGETS.get(next(by_suffix, ""))
    if target is None:
        raise UsageError("the language is missing", hint=f"as in: --to c; known: {', '.join(TARGETS)}")
    if only_value and request.wrt:
        raise UsageError("--only-value writes no derivatives, so that --wrt has no effect", hint="choose one")
    header = header or (output or "").endswith(".h")
    options = {"name": name, "header": header or None, "dialect": dialect, "table": table}
    point = request.point()
    report = request.report(point)
    names = [] if only_value else request.names(point)
    report.tell_all(point.notices(point.chosen(names)))
    code = exported(point, names, target, **{key: value for key, value in options.items() if value is not None})
    if output is None or output == "-":
        echo(code.removesuffix("\n"))
    else:
        save(code.encode(), output)
