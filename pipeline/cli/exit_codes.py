"""How the command line ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import typer

from trainer.errors import JobError

FAILED, USAGE, NOT_BLESSED, INTERRUPTED = 1, 2, 3, 130


@contextlib.contextmanager
def ends_with(code: int) -> Iterator[None]:
    """Tells a JobError on the standard error and ends with an exit code."""
    try:
        yield
    except JobError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(code) from error
