"""cg train: parameters that go down the gradient of a loss."""

from __future__ import annotations

from cgcli.annotations import Any
from cgcli.cli.expression import expression_command
from cgcli.cli.options import JSON_OPTION, PRECISION_OPTION, Whole, flag, option
from cgcli.cli.request import Request
from cgcli.cli.searches import PARAMS_OPTION

_MOST = 10**9 - 1
_OPTIONS = (
    option("--optimizer", metavar="NAME", default="sgd", help="sgd, momentum or adam (default: sgd)."),
    option("--lr", metavar="RATE", default="0.01", help="The learning rate (default: 0.01)."),
    option("--momentum", metavar="M", default="0.9", help="That of the optimizer momentum (default: 0.9)."),
    option("--epochs", kind=Whole(1, _MOST), default=100, metavar="N", help="Passes over the rows (default: 100)."),
    option("--batch", kind=Whole(1, _MOST), metavar="N", help="A step for each N rows (default: for all rows)."),
    option("--accumulate", kind=Whole(1, _MOST), default=1, metavar="K", help="Add the gradients of K batches up."),
    flag("--shuffle", help="Take the rows of each epoch in another order."),
    option("--seed", kind=Whole(0, _MOST), default=0, metavar="N", help="Of that order."),
    flag("--sum", name="total", help="The loss of a batch is the sum of its rows', and not their mean."),
    option("--show", kind=Whole(1, _MOST), metavar="N", help="Print the loss of every N-th epoch."),
    option("--curve", metavar="FILE", help="Draw the loss of all epochs: .svg, .png or .pdf."),
    option("--theme", metavar="light|dark|print|colorblind", default="light", help="The colours of the curve."),
    PARAMS_OPTION,
)  # fmt: skip


@expression_command(
    "train", *_OPTIONS, JSON_OPTION, PRECISION_OPTION, takes_rows=True, fixing=True,
    without=("called", "output", "output_format", "only", "shard"),
    example="cg train '(a*x + b - y)^2' data.csv a=0 b=0",
)  # fmt: skip
def command(request: Request, **settings: Any) -> int:
    """Train the parameters of a LOSS by its gradient; exit 5 where the loss is nan, or grows.

    \b
    cg train '(a*x + b - y)^2' data.csv a=0.5 b=0 --lr 0.01 --epochs 100 --show 10
    cg train '(w @ x - y)^2' rows.jsonl 'w=[0,0]' --optimizer adam --batch 32 --shuffle
    cg train 'mean((X@w - y)^2)' --vars data.json 'w=[0,0]'

    Names with a value are parameters, and begin there, but those held with '=='; the values of
    --vars are held, too. The loss is that of a row; each step goes down the gradient of the mean
    over a batch, which is the whole table unless --batch says otherwise, in the order of the rows.
    Without rows the loss is that of the values alone. Optimizers take the steps of PyTorch's.

    {what is read}.
    """
    from cgcli.cli.rows import trained

    return trained.run(request, settings)
