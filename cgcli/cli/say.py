"""Standard error: errors, warnings and notes. What cannot be said there changes no result and no exit code."""

from __future__ import annotations

import contextlib

import click


def say(text: str) -> None:
    """A line on standard error, if anybody takes it."""
    with contextlib.suppress(OSError, ValueError):  # its reader is gone, the disk is full; it is closed
        click.echo(text, err=True)
