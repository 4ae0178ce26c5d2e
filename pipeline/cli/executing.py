"""Runs a job for the commands that start one: shows the run, and exits with the code of its outcome."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.config.job import Job
from pipeline.runs.record import ComponentRecord
from pipeline.runs.state import RETRY, ComponentState, RunState
from pipeline.tasks.task import Goal


def execute(job: Job, root: Path | None, goal: Goal, until: str | None, *, use_cache: bool) -> None:
    """Runs a job in a root, by default runs/<name>.

    Raises:
        typer.Exit: Always, with the exit code of the run's state.
    """
    with _interruptible():
        # TensorFlow and TFX are imported only after the command line and the YAML have been checked.
        from pipeline.console.live import RunConsole
        from pipeline.runners import job_run

        with exits_with(RunState.FAILED.exit_code), RunConsole() as console:
            where = root or Path("runs") / job.name
            record = job_run.run(job, root=where, goal=goal, until=until, use_cache=use_cache, console=console)
            console.result(record)
    raise typer.Exit(record.state.exit_code)


def execute_step(job: Job, root: Path | None, run_id: str, only: Sequence[str], *, use_cache: bool) -> None:
    """Runs components of a run in a root, by default runs/<name>.

    Raises:
        typer.Exit: Always: 3 after the component that finds that the model does not pass its gates.
    """
    where = root or Path("runs") / job.name
    with _interruptible():
        from pipeline.console.live import RunConsole
        from pipeline.runners.steps import component_step, follower

        with exits_with(USAGE):
            ended = component_step.already_done(job, where, run_id, only)
        if ended is not None:
            _say_already_done(ended.record.components, only)
            raise typer.Exit
        if follower.is_follower(job, only):
            with exits_with(USAGE):
                follower.check(job, where, run_id, only)
            with exits_with(RunState.FAILED.exit_code), RunConsole() as console:
                console.start(only)
                follower.follow(job, where, run_id, console=console)
            raise typer.Exit
        with exits_with(RunState.FAILED.exit_code), RunConsole() as console, contextlib.ExitStack() as stack:
            with exits_with(USAGE):
                opening = component_step.opened(job, where, run_id, only, use_cache=use_cache, console=console)
                opened = stack.enter_context(opening)
            console.start(only)
            ended = opened.run()
            console.step_result(ended.record, ended.log)
    raise typer.Exit(RunState.NOT_BLESSED.exit_code if ended.rejected else 0)


def _say_already_done(components: Sequence[ComponentRecord], only: Sequence[str]) -> None:
    for row in components:
        if row.name in only:
            skipped = row.state is ComponentState.SKIPPED
            typer.echo(f"{row.name}: " + ("skipped, the model did not pass its gates" if skipped else "already done"))


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Ends with one line after a signal."""
    try:
        yield
    except KeyboardInterrupt as error:
        from pipeline.runs.interrupts import Preempted

        # CPython dies by the signal, whatever the exit code, if Ctrl-C interrupted an exec of a string, which happens
        # during imports; executing another string resets that.
        exec("")  # noqa: S102
        typer.echo(RunState.INTERRUPTED.sentence, err=True)
        raise typer.Exit(RETRY if isinstance(error, Preempted) else RunState.INTERRUPTED.exit_code) from None
