"""numpy and scipy for kernels, imported when the first of them runs: reading the table needs neither."""

from __future__ import annotations

from cgcli.annotations import TYPE_CHECKING
from cgcli.lean import Later

__all__ = ["np", "special"]

if TYPE_CHECKING:
    import numpy as np
    from scipy import special
else:
    np, special = Later("numpy"), Later("scipy.special")
