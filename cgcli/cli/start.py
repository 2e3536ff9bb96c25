"""The start of the command `cg`: a signal that comes before all is imported ends it without a traceback."""

from __future__ import annotations

import gc

from cgcli.annotations import NoReturn
from cgcli.lean import signal


def main() -> NoReturn:
    """The entry point of the console script."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # one short run: a graph of a million nodes has no cycles worth looking for
    from cgcli.cli.main import main as main_

    main_()
