"""Lines on standard output and standard error. What cannot be said on the latter changes no result and no exit code."""

from __future__ import annotations

import sys


def echo(text: str, *, err: bool = False) -> None:
    """A line on standard output, or on standard error; both may be closed."""
    stream = sys.stderr if err else sys.stdout
    if stream is None:
        return
    try:
        stream.write(f"{text}\n")
    except UnicodeEncodeError:  # such as for ASCII alone: click knows how to write there all the same
        import click

        click.echo(text, err=err)
    stream.flush()


def say(text: str) -> None:
    """A line on standard error, if anybody takes it."""
    try:
        echo(text, err=True)
    except (OSError, ValueError):  # its reader is gone, the disk is full; it is closed
        return
