"""`seqloom backfill`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.operate.operating import operating, require_spans
from pipeline.cli.options import ConfigPath, Overrides, RootPath, checked_job
from pipeline.console.printing import echo
from pipeline.operate.backfilling import Backfill, OnlyState, due_spans, exit_code
from pipeline.operate.operator_locks import only_one
from pipeline.operate.span_run import SpanRunner
from pipeline.operate.span_table import span_table
from pipeline.runs.state import RunState
from trainer.errors import JobError


def backfill(
    config: ConfigPath,
    first: Annotated[str, typer.Option("--from", metavar="SPAN", help="The first span: a date, or a number.")],
    last: Annotated[str, typer.Option("--to", metavar="SPAN", help="The last span.")],
    root: RootPath = None,
    overrides: Overrides = None,
    only: Annotated[OnlyState | None, typer.Option("--only", help="Run only spans in this state.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the spans and their states only.")] = False,
) -> None:
    """Runs a job for each span of a period that was not run, has failed, or whose files have changed since.

    Exit codes: 0 all done; 1 a span has failed; 2 usage error; 3 a model did not pass its gates; 130 interrupted.
    """
    with exits_with(USAGE):
        job = checked_job(config, overrides)
        spans = require_spans(job, config, "A backfill")
        start, end = spans.parse(first, "--from"), spans.parse(last, "--to")
        if start > end:
            raise JobError("The period is empty.", where="--from, --to", found=f"{first} to {last}")
    where = root or Path("runs") / job.name
    with operating(where) as clock:
        runner = SpanRunner(where, config, overrides or (), clock, echo)
        work = Backfill(spans, runner, start, end)
        rows = work.rows()
        if not dry_run:
            echo(f"{len(due_spans(rows, only))} of {len(rows)} spans are due.")
            with only_one(where, "backfill"):
                work.run(rows, only)
            rows = work.rows()
        Console(highlight=False).print(span_table(rows, spans))
        stopped = clock.stops > 0
    if stopped:
        echo(RunState.INTERRUPTED.sentence, err=True)
        raise typer.Exit(RunState.INTERRUPTED.exit_code)
    raise typer.Exit(0 if dry_run else exit_code({row.state for row in rows}))
