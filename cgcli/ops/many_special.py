"""Kernels on mpmath's numbers for the functions that fewer programs use, where mpmath has none of the same meaning.

Each takes mpmath's context first, as those of many.py do.
"""

from __future__ import annotations

from cgcli.annotations import Any


def logit(mp: Any, x: Any) -> Any:
    """ln(x/(1 - x))."""
    return mp.inf if x == 1 else mp.log(x / (1 - x)) if x else mp.ninf


def softsign(mp: Any, x: Any) -> Any:
    """x/(1 + |x|)."""
    return mp.sign(x) if mp.isinf(x) else x / (1 + abs(x))


def tanhshrink(mp: Any, x: Any) -> Any:
    """x - tanh(x), with more digits near 0, where it cancels."""
    with mp.extraprec(max(0, -2 * mp.mag(x)) if mp.isfinite(x) and x else 0):
        value = x - mp.tanh(x)
    return +value
