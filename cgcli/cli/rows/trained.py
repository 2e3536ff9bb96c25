"""`cg train`: what the command line says of a training, and how it is printed."""

from __future__ import annotations

from cgcli.annotations import Any, Mapping
from cgcli.cli import searches
from cgcli.cli.request import Request, Task
from cgcli.cli.rows.apart import to_search
from cgcli.cli.say import echo, say
from cgcli.errors import UsageError
from cgcli.files import save
from cgcli.searches.parameters import check_starts
from cgcli.searches.plots import check_plot, loss_curve
from cgcli.searches.train import Training, trained

_NUMBERS = ("lr", "momentum")
_SETTINGS = ("optimizer", "epochs", "batch", "accumulate", "shuffle", "seed", "total")


def run(request: Request, settings: Mapping[str, Any]) -> int:
    """Train, and print what is asked for; the exit code. Raises CgError."""
    picture = check_plot(settings["curve"]) if settings["curve"] else ""
    names, training = searches.starts(request), _training(request, settings)
    if request.operands.over_rows:
        with to_search(request) as (rows, searched):
            point, report = rows.points[0], rows.report(request)
            report.tell_all(point.notices())
            found = trained(point, names, training, rows=searched, first=rows.first, on_error=rows.policy.for_all,
                            threads=rows.threads)  # fmt: skip
    else:
        point = request.point()
        check_starts(point)
        task = Task.begun(request, point)
        report = task.report
        task.evaluate(point.graph.outputs)
        found = trained(point, names, training)
    searches.tell(request, report, found, "train")
    if picture:
        save(loss_curve(found.losses, picture, settings["theme"]), settings["curve"])
    return searches.show(request, report, found, as_params=settings["as_params"])


def _training(request: Request, settings: Mapping[str, Any]) -> Training:
    """How the parameters are trained."""
    numbers = {}
    for name in _NUMBERS:
        try:
            numbers[name] = float(settings[name])
        except ValueError:
            raise UsageError(f"--{name} '{settings[name]}' is no number", hint=f"as in: --{name} 0.01") from None
    every, epochs = settings["show"], settings["epochs"]
    tell = say if request.as_json or settings["as_params"] else echo

    def log(epoch: int, loss: float) -> None:
        if epoch % every == 0:
            tell(f"Epoch [{epoch}/{epochs}], Loss: {loss:.4f}")

    return Training(
        lr=numbers["lr"],
        momentum=numbers["momentum"],
        **{name: settings[name] for name in _SETTINGS},
        log=log if every else None,
    )
