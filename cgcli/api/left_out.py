"""Once it is imported, packages do not import others that they can do without, in the time of the whole start."""

from __future__ import annotations

import sys

UNUSED = ("pandas", "jinja2")  # of which pyarrow and Dask have what is shown in a notebook


class _Leaves:
    """Finds nothing, and says of those that they are not there."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Raises ImportError for one that is left out."""
        if name in UNUSED:
            raise ImportError(f"cg uses no {name}")


sys.meta_path.insert(0, _Leaves())
