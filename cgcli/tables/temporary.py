"""The system's temporary folder, whose files take what does not fit into memory; what is wrong with them is said."""

from __future__ import annotations

from contextlib import contextmanager

from cgcli.annotations import Iterator
from cgcli.errors import refused


@contextmanager
def keeping(what: str) -> Iterator[None]:
    """The system's complaints within the `with` block are a DataError: `what` cannot be kept."""
    try:
        yield
    except OSError as error:
        found = refused("keep", f"{what} in a temporary file", error)
        found.hint = "another folder for such files: TMPDIR=FOLDER cg …"
        raise found from None
