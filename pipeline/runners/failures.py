"""What users see of an exception that ends a run."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from components.corpus_validator.anomalies import AnomalyError
from pipeline.runners.transient import as_transient, passes
from pipeline.runs import disk
from pipeline.runs.details import AnomalyDetails
from pipeline.runs.interrupts import Interrupts, Preempted
from pipeline.runs.state import RETRY
from trainer.errors import JobError, TransientError

_LOST_WORKER = re.compile("Collective ops is aborted by: (?:Error reported from [^ ]+ )?(.*)")
"""TensorFlow's error of the remaining workers."""


def failure_of(
    error: BaseException, component: str | None, root: Path, log: Path, interrupts: Interrupts
) -> BaseException:
    """Returns what ended a run as a JobError, or as an interrupt even if a library made another error of it.

    Args:
        error: The exception.
        component: The running component; None before the first one.
        root: The root of the run.
        log: The log of the process.
        interrupts: The signals that the process got.
    """
    if not isinstance(error, Exception):
        return error
    if interrupts.pressed:
        return interrupts.error()
    found = error if isinstance(error, JobError) else _explain(error, component, root, log)
    return as_transient(found) if passes(error) and not isinstance(found, TransientError) else found


def anomalies_of(failure: BaseException) -> tuple[AnomalyDetails, ...]:
    """Returns the anomalies that ended a run; from the error, because TFX deletes a failed component's outputs."""
    if not isinstance(failure, AnomalyError):
        return ()
    return tuple(AnomalyDetails.model_validate(dataclasses.asdict(anomaly)) for anomaly in failure.anomalies)


def text_of(failure: BaseException) -> str | None:
    """Returns the text of a failure, None for an interrupt."""
    return (str(failure) or type(failure).__name__) if isinstance(failure, Exception) else None


def exit_code_of(failure: BaseException) -> int | None:
    """Returns the exit code of a command that a failure ends, None if it is that of the state of the run."""
    return RETRY if isinstance(failure, (TransientError, Preempted)) else None


def _explain(error: Exception, component: str | None, root: Path, log: Path) -> JobError:
    lost = _LOST_WORKER.search(str(error))
    if lost:
        fix = "run the same command again in all workers: training resumes from its last checkpoint"
        return TransientError("A worker of the training is lost.", where=component, found=lost[1], fix=fix)
    return disk.full_or_refused(error, root) or JobError(
        f"{component or 'The preparation of the run'} has failed.",
        where=component,
        found=f"{type(error).__name__}: {str(error).strip() or 'no message'}"[:2000],
        fix=f"see the full log: {log}",
    )
