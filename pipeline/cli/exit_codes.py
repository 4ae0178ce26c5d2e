"""Exit codes of the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import typer

from pipeline.console.printing import echo
from trainer.errors import JobError

USAGE = 2
"""The exit code after a usage error; the others belong to `pipeline.runs.state.RunState`."""


@contextlib.contextmanager
def exits_with(code: int) -> Iterator[None]:
    """Prints a JobError to stderr and exits with a code."""
    try:
        yield
    except JobError as error:
        echo(str(error), err=True)
        raise typer.Exit(code) from error
