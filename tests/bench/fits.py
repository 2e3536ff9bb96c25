"""`cgcli.fit` against statsmodels, lmfit and scipy: every figure of its table, and the time beside curve_fit's.

pip install statsmodels lmfit; python tests/bench/fits.py
"""

from __future__ import annotations

import resource
from typing import Any

import lmfit
import numpy as np
import statsmodels.api as sm
from scipy.optimize import curve_fit

import cgcli

Figures = dict[str, Any]


def linear(weights: Any, *, absolute: bool = False) -> tuple[Figures, Figures]:
    """A line: ours, and statsmodels'."""
    found = cgcli.fit(
        "y = a + b*x", {"x": X, "y": LINE, "w": weights}, {"a": 0, "b": 0}, weights="w", absolute=absolute
    )
    model = sm.WLS(LINE, sm.add_constant(X), weights=weights)
    truth = model.fit(cov_type="fixed scale", use_t=False) if absolute else model.fit()
    low, high = np.transpose(truth.conf_int())
    said = {
        "value": truth.params, "std_error": truth.bse, "t": truth.tvalues, "p": truth.pvalues, "low": low, "high": high,
        "rss": truth.ssr, "dof": truth.df_resid, "r2": truth.rsquared,
    }  # fmt: skip
    if not absolute:  # statsmodels does not count the variance
        said |= {"residual_sd": np.sqrt(truth.scale), "aic": truth.aic + 2, "bic": truth.bic + np.log(len(X))}
    return _figures(found), said


def robust() -> tuple[Figures, Figures]:
    """A line with outliers, by Huber's loss: ours, and statsmodels'."""
    found = cgcli.fit("y = a + b*x", {"x": X, "y": OUTLIERS}, {"a": 0, "b": 0}, loss="huber:1.345")
    model = sm.RLM(OUTLIERS, sm.add_constant(X), M=sm.robust.norms.HuberT(1.345))
    truth = model.fit(scale_est=_One(), tol=1e-13, maxiter=500, cov="H1")
    return _figures(found), {"value": truth.params, "std_error": truth.bse}


class _One:
    """The scale of residuals, which is known."""

    def __call__(self, *_: Any) -> float:
        return 1.0


def curve() -> tuple[Figures, Figures]:
    """An exponential: ours, and lmfit's."""
    found = cgcli.fit("y = a*exp(-k*x) + c", {"x": X, "y": DECAY}, {"a": 1, "k": 1, "c": 0})
    model = lmfit.Model(lambda x, a, k, c: a * np.exp(-k * x) + c)
    truth = model.fit(DECAY, x=X, a=1, k=1, c=0, fit_kws={"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15})
    names = ("a", "k", "c")
    return _figures(found), {
        "value": [truth.params[name].value for name in names],
        "std_error": [truth.params[name].stderr for name in names],
        "rss": truth.chisqr, "dof": truth.nfree, "r2": truth.rsquared, "residual_sd": np.sqrt(truth.redchi),
    }  # fmt: skip


def _figures(found: cgcli.Fit) -> Figures:
    columns = {name: [row[at] for _, row in found.lines()] for at, name in enumerate(found.COLUMNS)}
    return {**columns, **{name: getattr(found, name) for name in found.FIGURES}}


def _seconds(call: Any) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    call()
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


RNG = np.random.default_rng(1)
X = np.linspace(0, 10, 40)
LINE = 2 + 0.5 * X + RNG.normal(0, 0.3, 40)
OUTLIERS = np.where(np.arange(40) % 9 == 4, LINE + 12, LINE + RNG.normal(0, 1, 40))
DECAY = 5 * np.exp(-0.7 * X) + 1 + RNG.normal(0, 0.05, 40)
SIGMA = RNG.uniform(0.1, 0.5, 40)

if __name__ == "__main__":
    for what, (ours, theirs) in {
        "line, statsmodels": linear(np.ones(40)), "weights, statsmodels": linear(SIGMA**-2),
        "absolute, statsmodels": linear(SIGMA**-2, absolute=True), "Huber, statsmodels": robust(),
        "exponential, lmfit": curve(),
    }.items():  # fmt: skip
        for name, truth in theirs.items():
            gap = np.max(np.abs(np.asarray(ours[name]) - truth) / (np.abs(truth) + 1e-300))
            print(f"{what:24s} {name:12s} {gap:8.1e}")
    x = RNG.uniform(0, 1000, 10**6)
    y = 238.9 * (1 - np.exp(-0.00055 * x)) + RNG.normal(0, 1, len(x))
    own = _seconds(lambda: cgcli.fit("y = a*(1 - exp(-b*x))", {"x": x, "y": y}, {"a": 250, "b": 0.0005}))
    scipy = _seconds(lambda: curve_fit(lambda x, a, b: a * (1 - np.exp(-b * x)), x, y, [250, 0.0005]))
    print(f"1,000,000 rows in memory: {own / scipy:.2f} x scipy's curve_fit")
