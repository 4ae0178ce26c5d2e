"""Runs a job for the commands that start one: shows the run, and exits with the code of its outcome."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.cli.exit_codes import exits_with
from pipeline.config.job import Job
from pipeline.runs.state import RunState
from pipeline.tasks.task import Goal


def execute(job: Job, root: Path | None, goal: Goal, until: str | None, *, use_cache: bool) -> None:
    """Runs a job in a root, by default runs/<name>.

    Raises:
        typer.Exit: Always, with the exit code of the run's state.
    """
    try:
        # TensorFlow and TFX are imported only after the command line and the YAML have been checked.
        from pipeline.console.live import RunConsole
        from pipeline.runners import job_run

        with exits_with(RunState.FAILED.exit_code), RunConsole() as console:
            where = root or Path("runs") / job.name
            record = job_run.run(job, root=where, goal=goal, until=until, use_cache=use_cache, console=console)
            console.result(record)
    except KeyboardInterrupt:
        # CPython dies by the signal, whatever the exit code, if Ctrl-C interrupted an exec of a string, which happens
        # during imports; executing another string resets that.
        exec("")  # noqa: S102
        typer.echo(RunState.INTERRUPTED.sentence, err=True)
        raise typer.Exit(RunState.INTERRUPTED.exit_code) from None
    raise typer.Exit(record.state.exit_code)
