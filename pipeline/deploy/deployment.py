"""What a file for another system needs to know of a job."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.config.job import Job
from pipeline.runners.planning import PlannedComponent
from trainer.errors import JobError


class Deployment(NamedTuple):
    """A job whose components another system runs, each by a command of its own.

    Attributes:
        name: The job's name.
        components: The components in order.
        program: The command `seqloom` where the components run, and its first arguments.
        config: The path of the job's YAML.
        root: The path of the root.
        overrides: The arguments that override keys in every run.
        has_span: Whether each run reads a span of the corpus.
        epochs: The job's `trainer.epochs`; None if it has no such key.
    """

    name: str
    components: tuple[PlannedComponent, ...]
    program: tuple[str, ...]
    config: str
    root: str
    overrides: tuple[str, ...]
    has_span: bool
    epochs: str | None


def check_single_processes(job: Job) -> None:
    """Checks that one command suffices for each component of a job.

    Raises:
        JobError: If several workers train its model.
    """
    if getattr(job.trainer, "strategy", None) == "multi_worker":
        raise JobError(
            "A training by several workers cannot be compiled.",
            where=str(job.path),
            found="trainer.strategy: multi_worker",
            expected="a Trainer that is one process",
            fix="set trainer.strategy to mirrored, for all GPUs of one machine, or run the Trainer's step by hand,"
            " once per worker, each with its TF_CONFIG",
        )
