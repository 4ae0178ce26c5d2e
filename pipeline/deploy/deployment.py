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
        arguments: The further arguments of every component, without the run, the span and the component.
        has_span: Whether each run reads a span of the corpus.
    """

    name: str
    components: tuple[PlannedComponent, ...]
    program: tuple[str, ...]
    arguments: tuple[str, ...]
    has_span: bool


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
            fix="set trainer.strategy to one_device or mirrored, or run one command per worker by hand",
        )
