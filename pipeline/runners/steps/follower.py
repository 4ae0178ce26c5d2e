"""The workers of a distributed training besides the chief, which alone writes the results and their metadata."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.config.job import Job
from pipeline.config.plain_paths import plain_path
from pipeline.console.live import RunConsole
from pipeline.dag.layout import Layout
from pipeline.runners.failures import failure_of
from pipeline.runners.steps import manifest
from pipeline.runners.steps.step_locks import StepLock, metadata_lock
from pipeline.runners.watch import Watch
from pipeline.runs import record as history
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.record import run_dir
from pipeline.runs.redirect import redirect_output
from pipeline.runs.temporary import temporary_folder
from pipeline.store.passwords import secrets_of
from trainer.errors import JobError, TransientError
from trainer.jobs import workers

TRAINER = "Trainer"


def is_follower(job: Job, only: Sequence[str]) -> bool:
    """Returns whether this process is a worker, but not the chief, of a job's training."""
    return TRAINER in only and not workers.is_chief(getattr(job.trainer, "strategy", ""))


def check(job: Job, root: Path, run_id: str, only: Sequence[str]) -> None:
    """Checks that this process can take part in the training of a run.

    Raises:
        JobError: If the run is not prepared, or other components are to run as well.
    """
    if tuple(only) != (TRAINER,):
        fix = "run --only Trainer in the workers, and the other components in one process"
        raise JobError("A worker can only run the Trainer.", where="TF_CONFIG", found=", ".join(only), fix=fix)
    stored = manifest.read(root, run_id)
    if stored is None:
        raise JobError("Trainer has no inputs in this run: SequenceTransform must end first.", where=f"run {run_id}")
    manifest.check(stored, job, plain_path(root), run_id)


def follow(job: Job, root: Path, run_id: str, *, console: RunConsole) -> None:
    """Takes part in the training of a run that `check` has checked; the chief's step runs at the same time.

    Raises:
        TransientError: If another run uses the root, or a worker is lost.
        JobError: If training fails.
    """
    task = workers.config().get("task", {})
    name = f"{TRAINER}-{task.get('type')}-{task.get('index')}"
    log = run_dir(root, run_id) / f"{name}.log"
    interrupts = Interrupts(console.restore_terminal)
    with StepLock(root, run_id) as lock, interrupts.handled():
        place, stored, record = plain_path(root), manifest.read(root, run_id), history.read(root, run_id)
        if stored is None or record is None:
            raise TransientError("The run is being prepared.", where=f"run {run_id}")
        lock.share()
        watch = Watch(record, lambda _: None, console, (TRAINER,), interrupts)
        temporary = Path(Layout(place).temporary, name)
        try:
            with temporary_folder(temporary), redirect_output(log, tuple(secrets_of(job))):
                _train(stored, job, place, run_id, watch)
        except BaseException as error:
            failure = failure_of(error, watch.current, root, log, interrupts)
            if failure is error:
                raise
            raise failure from error


def _train(stored: manifest.Manifest, job: Job, place: Path, run_id: str, watch: Watch) -> None:
    from pipeline.runners.tfx_imports import import_tfx

    import_tfx()

    from pipeline.runners import local
    from pipeline.runners.metadata_copy import on_copy
    from pipeline.runners.steps.worker_operator import WorkerOperator

    prepared = manifest.restore(stored, job, place, run_id, use_cache=True)
    with on_copy(prepared, metadata_lock(place)) as copy, watch.following((TRAINER,)):
        local.run(copy, watch, local.Launching(lambda component: component == TRAINER, operator=WorkerOperator))
