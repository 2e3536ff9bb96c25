"""Who computes the parts of a work: this process, processes of our own, or a cluster."""

from __future__ import annotations

import re

from cgcli.annotations import Sequence
from cgcli.api.pool import Here, Workers
from cgcli.errors import UsageError

_ADDRESS = re.compile(r"dask://(?P<host>\[[0-9a-fA-F:.]+\]|[^\s/:@[\]]+)(:(?P<port>\d{1,5}))?/?")
_PORT, _LAST_PORT = 8786, 65535


def workers(
    jobs: int = 1, on: str = "", modules: Sequence[str] = (), *, copies: bool = False, holding: bool = False
) -> Workers:
    """So many processes, or the cluster at an address, `dask://host:8786`.

    modules: that the tasks of processes will import; they do it once for all, while this process goes on.
    copies: whether they may be copies of this one, where it is a command: it has opened nothing in an object store.
    holding: whether they hold what they have read of a part for its next task.

    Raises UsageError for another address, MissingProgramError without Dask, DataError where no scheduler answers, and
    where its workers have no cgcli, or one of another version.
    """
    if not on:
        if jobs == 1:
            return Here()
        from cgcli.api.processes import Processes

        return Processes(jobs, modules, copies=copies, holding=holding)
    from cgcli.api.clusters import cluster

    return cluster(on, *address_of(on), holding=holding)


def address_of(on: str) -> tuple[str, int]:
    """The host and the port of `dask://host:8786`. Raises UsageError for another text."""
    match = _ADDRESS.fullmatch(on)
    port = int(match["port"] or _PORT) if match else 0
    if match is None or not 0 < port <= _LAST_PORT:
        raise UsageError(f"'{on}' is no address of a cluster", hint="as in: dask://host:8786")
    return match["host"].strip("[]"), port
