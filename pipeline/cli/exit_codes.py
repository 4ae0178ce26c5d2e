"""Exit codes of the command line, which tell a scheduler what to do next.

| code | meaning | retry |
|---|---|---|
| 0 | done, or nothing to do | |
| 1 | failed because of the data, the model or a full disk | no |
| 2 | wrong usage or configuration | no |
| 3 | the model did not pass its gates, or was rolled back | no |
| 75 | failed because of something that passes: a network, a lost worker, another run in the root, SIGTERM | yes |
| 130 | interrupted by Ctrl-C | |

`pipeline.runs.state.RunState` has the code of each state of a run, `RETRY` beside it is 75.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import typer

from pipeline.console.printing import echo
from pipeline.runs.state import RETRY
from trainer.errors import JobError, TransientError

USAGE = 2
"""The exit code after wrong usage or configuration."""


@contextlib.contextmanager
def exits_with(code: int) -> Iterator[None]:
    """Prints a JobError to stderr and exits with a code, or with `RETRY` after a `TransientError`."""
    try:
        yield
    except JobError as error:
        echo(str(error), err=True)
        raise typer.Exit(RETRY if isinstance(error, TransientError) else code) from error
