"""The interface of a task: all that the pipeline asks of one. Light: imports no TensorFlow."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar

from components.evaluation_sets.settings import EvaluationSettings
from pipeline.config.job import Job
from pipeline.tasks.metric import JudgedBy, Metric
from trainer.tuning.settings import TuneSettings

J = TypeVar("J", bound=Job)

Goal = Literal["publish", "tune", "check"]
"""What a run is for: a published model, the best hyperparameters, or only to check that the job can run."""

DATA = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "PreviousStatistics", "ExampleValidator", "SequenceTransform")
"""The components of every task up to its transformed examples."""

MODEL = ("Trainer", "Baseline", "Evaluator", "Pusher")
"""The components that make and publish a model."""


class Task(abc.ABC, Generic[J]):
    """A task; its heavy halves are named by dotted path, so that nothing below imports it.

    Attributes:
        name: Its name in the YAML.
        about: What it trains, in a few words.
        job: The class its YAML is read as.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    job: type[J]

    def components(self, job: J, goal: Goal = "publish") -> tuple[str, ...]:
        """Returns the components that lead to a goal, in the order in which they run."""
        del job, goal
        return DATA

    def learns(self, job: J) -> bool:
        """Tells whether a search for hyperparameters and a learning check make sense."""
        del job
        return False

    def training(self, job: J) -> str:
        """Returns the place of what trains, as in `trainer.tagger.training:TAGGER`; empty: nothing is trained."""
        del job
        return ""

    def metrics(self, job: J) -> Mapping[str, Metric]:
        """Returns the metrics of the Evaluator by name."""
        del job
        return {}

    def judged_by(self, job: J) -> JudgedBy:
        """Returns how the Evaluator asks the model."""
        del job
        return JudgedBy()

    def slices(self, job: J) -> Sequence[Sequence[str]]:
        """Returns the features whose values part the evaluation, besides the overall slice."""
        del job
        return [["source"]]

    def evaluation(self, job: J) -> EvaluationSettings:
        """Returns the evaluation sets that EvaluationSets writes, where it is among the components."""
        del job
        return EvaluationSettings()

    def search(self, job: J) -> TuneSettings | None:
        """Returns the search for hyperparameters that the job declares."""
        del job
        return None

    def answers(self) -> Mapping[str, str]:
        """Returns what answers a command about a published model, by the name of the command, as a dotted place."""
        return {}

    def probes(self, job: J) -> Mapping[str, str]:
        """Returns the signatures that must agree on the same documents, by the form they take.

        The forms are `text` (raw strings), `raw` and `transformed` (serialized SequenceExamples).
        """
        del job
        return {}

    def report(self, training: Mapping[str, Any]) -> Iterator[str]:
        """Yields what a person should know of a training, in sentences.

        Args:
            training: The training's section of the run's record.
        """
        del training
        return iter(())
