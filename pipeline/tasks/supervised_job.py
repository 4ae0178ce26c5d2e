"""Base classes of jobs and tasks with targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from pipeline.config.job import Job
from pipeline.config.job_files import JobFile
from pipeline.config.tune_checks import search_problems
from pipeline.runs.pretrained import find_vectors, parse_vectors
from pipeline.tasks.task import DATA, MODEL, WARM_START, Goal, Task
from trainer.errors import Problem
from trainer.recurrent.settings import SequenceSettings
from trainer.tuning.settings import TuneSettings

BEST_HYPERPARAMETERS = "BestHyperparameters"
"""The resolver that finds the latest tuned hyperparameters of the root for the Trainer."""


class SupervisedJob(Job):
    """A job that trains a model with targets."""

    trainer: SequenceSettings = Field(default_factory=SequenceSettings, description="The model and its training.")
    required_splits: ClassVar[tuple[str, ...]] = ("train", "eval", "test")
    tune: TuneSettings | None = Field(None, description="The hyperparameter search of `seqloom tune`.")

    def files(self) -> Iterator[JobFile]:
        """Yields the files that the job names besides its corpus."""
        yield from super().files()
        if self.trainer.embedding.source:
            key = ("trainer", "embedding", "from")
            yield JobFile(key, self.trainer.embedding.source, "vectors", parse_vectors, find_vectors)

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.tune is not None:
            yield from search_problems(
                self.tune, self.trainer, lambda trainer: self.model_copy(update={"trainer": trainer, "tune": None})
            )


S = TypeVar("S", bound=SupervisedJob)


class SupervisedTask(Task[S]):
    """A task with targets."""

    def components(self, job: S, goal: Goal = "publish") -> tuple[str, ...]:
        """Returns the components that a goal needs, in the order they run."""
        if goal != "publish":
            return (*DATA, {"tune": "Tuner", "check": "LearningCheck"}[goal])
        tuned = (BEST_HYPERPARAMETERS,) if job.tune is not None and job.tune.use else ()
        warm = (WARM_START,) if job.trainer.warm_start else ()
        return (*DATA, *tuned, *warm, *MODEL)

    def learns(self, job: S) -> bool:
        """Returns whether a hyperparameter search and a learning check make sense."""
        del job
        return True

    def search(self, job: S) -> TuneSettings | None:
        """Returns the hyperparameter search that the job declares."""
        return job.tune

    def probes(self, job: S) -> Mapping[str, str]:
        """Returns the signatures that must agree on the same documents, by the form of their input."""
        del job
        return {"text": "serving_default", "raw": "serve_examples", "transformed": "evaluate"}

    def report(self, training: Mapping[str, Any]) -> Iterator[str]:
        """Yields also the epoch that the model comes from, and the settings chosen by the size of the train split."""
        yield from super().report(training)
        best, epochs = training["best_epoch"], training["epochs"]
        yield f"best model from epoch {best} of {epochs}, with an eval loss of {training['best_eval_loss']:.4f}"
        pace = training.get("pace") or {}
        if pace.get("automatic"):
            numbers = ", ".join(f"{key} {value:,g}" for key, value in pace["automatic"].items())
            yield f"auto, for {pace['documents']:,} train documents of {pace['tokens']:,} tokens: {numbers}"
