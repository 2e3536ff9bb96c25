"""Plots of a fit, whose curve is over the only column that the right side reads, and of the losses of a training."""

from __future__ import annotations

import os

import numpy as np

from cgcli.annotations import TYPE_CHECKING, Any, Sequence
from cgcli.errors import UsageError
from cgcli.graph.node import name_of, toposort, variables
from cgcli.rendering.plot import Plot, line_plot, plot
from cgcli.searches.model import Model, Predictions

if TYPE_CHECKING:
    from cgcli.searches.fit import Fit
    from cgcli.searches.parts import Here

_MOST_POINTS = 5000  # rows that are drawn
_CURVE = 301  # points of the curve
_DPI = 192


def check_plot(path: str) -> str:
    """The kind of picture that a file's name asks for. Raises UsageError for one that there is not."""
    kind = os.path.splitext(path)[1].lower().removeprefix(".")
    if kind not in ("svg", "png", "pdf"):
        raise UsageError(f"a plot is .svg, .png or .pdf, and not '{path}'", hint="as in: --plot fit.svg")
    return kind


def plotted(model: Model, fit: Fit, rows: Here, kind: str, theme: str = "light") -> bytes:
    """The plot of a fit as svg, png or pdf; of many rows a part is drawn."""
    names = model.columns
    every = max(rows.rows // _MOST_POINTS, 1)
    blocks = [[array[::every] for array in arrays[: len(names)]] for arrays in rows]
    columns = {name: np.concatenate([block[at] for block in blocks]) for at, name in enumerate(names)}
    told = Predictions(model, fit.values, fit.root, fit.times, 1)
    found, residuals, _, _, _ = told.of_arrays(columns, len(next(iter(columns.values()))))
    up, fitted_as = model.point.graph.names
    over = [node for node in variables(toposort([model.right])) if name_of(node) in columns]
    if len(over) == 1 and not over[0].shape:
        across = name_of(over[0])
        x = columns[across]
        line = np.linspace(x.min(), x.max(), _CURVE)
        grid = {
            name: line if name == across else np.ones((_CURVE, *array.shape[1:])) for name, array in columns.items()
        }
        curve, _, _, low, high = told.of_arrays(grid, _CURVE)
    else:
        across, x = f"fit: {fitted_as}", found
        line = curve = low = high = np.array([found.min(), found.max()])
    svg = plot(
        Plot(_pairs(x, found - residuals), _pairs(x, residuals), _pairs(line, curve), _pairs(low, high), across, up),
        theme,
    )
    return _painted(svg, kind)


def loss_curve(losses: Sequence[float], kind: str, theme: str = "light") -> bytes:
    """The plot of the loss of each epoch as svg, png or pdf."""
    every = max(len(losses) // _MOST_POINTS, 1)
    return _painted(line_plot([*enumerate(losses, 1)][::every], "epoch", "loss", theme), kind)


def _painted(svg: str, kind: str) -> bytes:
    if kind == "svg":
        return svg.encode()
    from cgcli.rendering.paint import as_pdf, as_png

    return as_pdf(svg) if kind == "pdf" else as_png(svg, _DPI)


def _pairs(one: Any, other: Any) -> list[tuple[float, float]]:
    return list(zip(one.tolist(), other.tolist(), strict=True))
