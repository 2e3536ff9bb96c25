"""Once it is imported, pyarrow does not import pandas where that is installed, in the time of the whole start."""

from __future__ import annotations

import sys


class _NoPandas:
    """Finds nothing, and says of pandas that it is not there."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Raises ImportError for pandas."""
        if name == "pandas":
            raise ImportError("cg uses no pandas")


sys.meta_path.insert(0, _NoPandas())
