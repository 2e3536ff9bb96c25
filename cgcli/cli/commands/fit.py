"""cg fit: the parameters of an equation that fit the rows of a table."""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.cli.expression import expression_command
from cgcli.cli.options import JSON_OPTION, PRECISION_OPTION, flag, option
from cgcli.cli.request import Request
from cgcli.cli.searches import BOUNDS_OPTION, PARAMS_OPTION, STARTS_OPTIONS, STEPS_OPTIONS
from cgcli.errors import UsageError

_EXAMPLE = "cg fit 'y = a*x + b' data.csv a=1 b=0"
_OPTIONS = (
    BOUNDS_OPTION,
    option("--weights", metavar="EXPR", help="How much a row counts: a column, or an expression of columns."),
    option("--sigma", metavar="EXPR", help="The standard deviation of a row instead; its weight is 1/EXPR^2."),
    flag("--absolute", help="These are known as they are, and not only up to a factor."),
    option("--loss", default="squares", metavar="LOSS",
           help="huber:1.5, soft_l1:1, cauchy:1: residuals beyond that size count less (default: squares)."),
    option("--by", metavar="COLUMN", help="A fit for the rows of each value of COLUMN."),
    option("--level", default="0.95", metavar="P", help="The level of the intervals (default: 0.95)."),
    *STARTS_OPTIONS,
    *STEPS_OPTIONS,
    PARAMS_OPTION,
    option("--cov", metavar="FILE", help="Write the covariance of the parameters to FILE, of any format of rows."),
    flag("--predict", help="Print each row with its fit, residual, std_error and interval: low, high."),
    option("--plot", metavar="FILE", help="Draw rows, curve, band and residuals: .svg, .png or .pdf."),
    option("--theme", metavar="light|dark|print|colorblind", default="light", help="The colours of the plot."),
)  # fmt: skip


@expression_command(
    "fit",
    *_OPTIONS,
    JSON_OPTION,
    PRECISION_OPTION,
    takes_rows=True,
    without=("called", "shard"),
    fixing=True,
    example=_EXAMPLE,
)
def command(request: Request, **settings: Any) -> int:
    """Fit the parameters of an equation LEFT = RIGHT to rows; exit 5 where they are not found.

    \b
    cg fit 'y = b1*(1 - exp(-b2*x))' data.csv b1=250 b2=0.0005
    cg fit 'ln(y) = a - k*t' data.csv a=1 k==2        k is held at 2
    cg fit 'y = w @ x' rows.jsonl 'w=[0,0]'           the parameter is an array

    Names with a value are parameters, and begin there; the others are columns of the rows. The
    sum of the squares of RIGHT - LEFT is made least, by exact derivatives, with the method of
    Levenberg and Marquardt. Printed are, for each parameter, its value, standard error, t, p, and
    interval; then the standard deviation and the sum of squares of the residuals, R squared,
    AIC and BIC as R counts them, and why it stopped.

    \b
    cg fit … --params | xargs cg eval 'b1*(1 - exp(-b2*100))'
    cg fit … --predict -o fitted.csv --plot fit.svg

    {what is read}.
    """
    if not request.operands.over_rows:
        raise UsageError(
            "there are no rows to fit", hint=f"they come from a file, or from standard input as '-': {_EXAMPLE}"
        )
    from cgcli.cli.rows import fitted

    return fitted.run(request, settings)
