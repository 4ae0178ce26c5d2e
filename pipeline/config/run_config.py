"""What the jobs of all tasks have in common, as typed, frozen configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, PrivateAttr

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.corpus_validator.settings import ValidationSettings
from pipeline.config import checks, tune_checks
from pipeline.config.sections import BeamSettings, GateSettings, ServingSettings
from pipeline.tasks.metric import METRICS, Metric
from trainer.errors import Problem
from trainer.recurrent.settings import SequenceSettings
from trainer.settings import OutputSettings, Settings, TransformSettings
from trainer.tuning.settings import TuneSettings

TaskName = Literal["classifier", "dataset", "tagger", "word2vec"]

_DATA = (
    "CorpusExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "PreviousStatistics",
    "ExampleValidator",
    "SequenceTransform",
)
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "classifier": (*_DATA, "Trainer", "Baseline", "Evaluator", "Pusher"),
    "dataset": _DATA,
    "tagger": (*_DATA, "Trainer", "Baseline", "Evaluator", "Pusher"),
    "word2vec": (*_DATA, "EvaluationSets", "Trainer", "Baseline", "Evaluator", "Pusher"),
}
"""The components of each task's pipeline, in the order they run."""

BEST_HYPERPARAMETERS = "BestHyperparameters"
"""The component in front of a Trainer that uses the latest hyperparameters found at its root."""

Goal = Literal["publish", "tune", "check"]
"""The purpose of a run: to publish a model, to find the best hyperparameters, or only to check the job."""

TASK = Field(
    description="What to train: classifier, of documents; tagger, of tokens; word2vec, vectors of words; dataset:"
    " nothing, the job ends with validated and transformed examples."
)


class RunConfig(Settings):
    """One job: a corpus, how to process it, and when to publish the result; the keys that all tasks share."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=64,
        description="Name of the job: lower-case letters, digits, - and _; runs go to runs/<name>.",
    )
    task: Annotated[TaskName, TASK]
    corpus: CorpusSettings = Field(description="The corpus files and how to read a record.")
    splits: SplitSettings = Field(default_factory=SplitSettings, description="Weights of the splits.")
    validation: ValidationSettings = Field(default_factory=ValidationSettings, description="How to handle anomalies.")
    transform: TransformSettings = Field(default_factory=TransformSettings, description="Raw text to token ids.")
    output: OutputSettings = Field(default_factory=OutputSettings, description="How to write the examples.")
    trainer: Settings = Field(default_factory=Settings, description="The model and its training.")
    gates: dict[str, GateSettings] = Field(
        default_factory=dict, description="Thresholds that each metric must meet before the model is published."
    )
    serving: ServingSettings = Field(default_factory=ServingSettings, description="How to handle published models.")
    beam: BeamSettings = Field(default_factory=BeamSettings, description="How to run Beam.")
    schema_path: str | None = Field(
        None,
        alias="schema",
        min_length=1,
        description="A schema .pbtxt; null: the curated one for this kind of corpus.",
    )
    required_splits: ClassVar[tuple[str, ...]] = ("train", "eval")
    _path: Path | None = PrivateAttr(None)

    @property
    def path(self) -> Path | None:
        """The absolute path of the YAML file it was loaded from, or None if it was made in code."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self._path.parent if self._path else Path.cwd()

    @property
    def components(self) -> tuple[str, ...]:
        """The components that this task needs, in the order they run."""
        return COMPONENTS[self.task]

    @property
    def trained_task(self) -> str:
        """The task as `trainer.jobs.tasks` names it."""
        return self.task

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that gates may use."""
        return METRICS[self.task]

    def components_for(self, goal: Goal) -> tuple[str, ...]:
        """Returns the components that a goal needs, in the order they run."""
        return self.components if goal == "publish" else _DATA

    def files(self) -> Iterator[tuple[str, str]]:
        """Yields the key and the path of each file that the job names in addition to its corpus."""
        if self.schema_path:
            yield "schema", self.schema_path
        if self.transform.vocabulary:
            yield "transform.vocabulary", self.transform.vocabulary

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        yield from checks.split_problems(self.corpus, self.splits, self.required_splits)
        obstacle = self.transform.obstacle(self.corpus.kind)
        if obstacle:
            yield obstacle.below("transform")
        yield from checks.gate_problems(self.gates, self.metrics, self.corpus.multi_label, self.task)


class SupervisedConfig(RunConfig):
    """A job that trains a supervised model; the keys that all such tasks share."""

    trainer: SequenceSettings = Field(default_factory=SequenceSettings, description="The model and its training.")
    required_splits: ClassVar[tuple[str, ...]] = ("train", "eval", "test")
    tune: TuneSettings | None = Field(None, description="The hyperparameter search of `seqloom tune`.")

    @property
    def components(self) -> tuple[str, ...]:
        """The components that this task needs, in the order they run."""
        names = super().components
        before = names.index("Trainer")
        return (*names[:before], BEST_HYPERPARAMETERS, *names[before:]) if self.tune and self.tune.use else names

    def components_for(self, goal: Goal) -> tuple[str, ...]:
        """Returns the components that a goal needs, in the order they run."""
        last = {"publish": (), "tune": ("Tuner",), "check": ("LearningCheck",)}[goal]
        return (*super().components_for(goal), *last)

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.tune is not None:
            yield from tune_checks.search_problems(self.tune, self.trainer, self._problems_with)

    def _problems_with(self, trainer: SequenceSettings) -> Iterator[Problem]:
        """Yields the problems of this job, apart from its search, with another trainer section."""
        return self.model_copy(update={"trainer": trainer, "tune": None}).all_problems()
