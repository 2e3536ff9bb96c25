"""numpy and scipy for kernels, imported when the first of them runs: reading the table needs neither."""

from __future__ import annotations

from importlib import import_module

from cgcli.annotations import TYPE_CHECKING, Any

__all__ = ["np", "special"]


class _Module:
    """A module that is imported when something of it is first asked for; what was asked for once is at hand."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, item: str) -> Any:
        found = getattr(import_module(self._name), item)
        setattr(self, item, found)
        return found


if TYPE_CHECKING:
    import numpy as np
    from scipy import special
else:
    np, special = _Module("numpy"), _Module("scipy.special")
