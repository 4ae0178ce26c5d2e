"""The interface of a task. Imports no TensorFlow."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, TypeVar

from components.evaluation_sets.settings import EvaluationSettings
from pipeline.config.job import Job
from pipeline.tasks.metric import Metric
from trainer.data.kinds import CorpusKind
from trainer.tuning.settings import TuneSettings

J = TypeVar("J", bound=Job)

Goal = Literal["publish", "tune", "check"]
"""The goal of a run: to publish a model, to find the best hyperparameters, or to check that the job can run."""

DATA = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "PreviousStatistics", "ExampleValidator", "SequenceTransform")
"""The components of every task, up to the transformed examples."""

MODEL = ("Trainer", "Baseline", "Evaluator", "Pusher")
"""The components that train, evaluate and publish a model."""

WARM_START = "WarmStart"
"""The resolver that finds the model whose weights the Trainer starts from."""


class Task(abc.ABC, Generic[J]):
    """A task. It names its heavy parts by dotted path, so that no lower package imports a task.

    Attributes:
        name: Its name in the YAML.
        about: Short description of the result.
        job: The class of its jobs.
        suits: The kinds of corpora that `seqloom init` proposes the task for, each with an example of a gate.
        evaluated: The component and the channel of the examples, with a test split, that evaluate a model.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    job: type[J]
    suits: ClassVar[Mapping[CorpusKind, str]] = MappingProxyType({})
    evaluated: ClassVar[tuple[str, str]] = ("CorpusExampleGen", "examples")

    def components(self, job: J, goal: Goal = "publish") -> tuple[str, ...]:
        """Returns the components that a goal needs, in the order they run."""
        del job, goal
        return DATA

    def learns(self, job: J) -> bool:
        """Returns whether a hyperparameter search and a learning check make sense."""
        del job
        return False

    def training(self, job: J) -> str:
        """Returns the dotted path of the training, `trainer.<task>.training:<TASK>`; empty: no training."""
        del job
        return ""

    def metrics(self, job: J) -> Mapping[str, Metric]:
        """Returns the metrics of the Evaluator by name."""
        del job
        return {}

    def judged_by(self, job: J) -> str:
        """Returns the signature of the model that the Evaluator calls with raw examples."""
        del job
        return "judge"

    def slices(self, job: J) -> Sequence[Sequence[str]]:
        """Returns the features to slice the evaluation by, in addition to the overall slice.

        By default it is the source, unless each document is a file of its own and thus the only one of its source.
        """
        return [] if job.corpus.document == "file" else [["source"]]

    def evaluation(self, job: J) -> EvaluationSettings:
        """Returns the settings of the EvaluationSets component, for tasks that have it."""
        del job
        return EvaluationSettings()

    def search(self, job: J) -> TuneSettings | None:
        """Returns the hyperparameter search that the job declares."""
        del job
        return None

    def answers(self) -> Mapping[str, str]:
        """Returns the dotted path of the class that answers each command about a published model, by command.

        An option that needs a class of its own is part of its command: `predict --explain`.
        """
        return {}

    def probes(self, job: J) -> Mapping[str, str]:
        """Returns the signatures that must agree on the same documents, by the form of their input.

        The forms are `text` (raw strings), `raw` and `transformed` (serialized SequenceExamples).
        """
        del job
        return {}

    def report(self, training: Mapping[str, Any]) -> Iterator[str]:
        """Yields findings to print about a training run, from its section of the run's record: its warm start."""
        start = training.get("warm_start")
        if not start:
            return
        if "reason" in start:
            yield f"started from scratch: {start['reason']}"
            return
        rows = ", ".join(
            f"{start[kind]:,} {kind} from it, {start[f'new_{kind}']:,} new"
            for kind in ("words", "classes")
            if kind in start
        )
        yield f"started from the model {start['model']}: {rows}"
