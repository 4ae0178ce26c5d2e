"""What the commands that start runs over time share."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.cli.exit_codes import exits_with
from pipeline.config.job import Job
from pipeline.operate.clock import SystemClock
from pipeline.operate.corpus_spans import CorpusSpans
from pipeline.runs import disk
from pipeline.runs.state import RunState
from trainer.errors import JobError


@contextlib.contextmanager
def operating(root: Path) -> Iterator[SystemClock]:
    """Yields a clock that SIGINT and SIGTERM stop.

    Raises:
        typer.Exit: With 1 after a JobError, or if the disk of the root refuses a file.
    """
    with exits_with(RunState.FAILED.exit_code), SystemClock().listening() as clock:
        try:
            yield clock
        except OSError as error:
            raise disk.full_or_refused(error, root.absolute()) or JobError(
                "The root cannot be used.", where=str(error.filename or root), found=error.strerror or str(error)
            ) from error


def require_spans(job: Job, config: Path, needed_by: str) -> CorpusSpans:
    """Returns the spans of a job's corpus.

    Raises:
        JobError: If it has none, or reads a fixed one.
    """
    if not job.corpus.has_span:
        expected = "{YYYY}, {MM} and {DD}, or {SPAN} in corpus.path"
        raise JobError(f"{needed_by} needs a corpus with spans.", where=str(config), expected=expected)
    return CorpusSpans(job)


def own_program() -> tuple[str, ...]:
    """Returns the command of this installation, for other programs that start it."""
    script = Path(sys.prefix) / "bin" / "seqloom"
    return (str(script),) if script.is_file() else (sys.executable, "-m", "pipeline.cli")
