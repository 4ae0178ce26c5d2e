"""The typed, frozen configuration of a run. Imports nothing heavy, so that the command line starts at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.corpus_validator.settings import ValidationSettings
from components.evaluation_sets.settings import EvaluationSettings
from pipeline.config import checks, tune_checks, validation_errors
from pipeline.config import source as yaml_source
from pipeline.config.job_files import JobFile
from pipeline.config.locations import resolve_corpus_path, resolve_file
from pipeline.config.sections import BeamSettings, GateSettings, ServingSettings, SliceGateSettings
from pipeline.config.suggestions import nearest
from pipeline.tasks.metric import METRICS, MULTI_LABEL, Metric
from trainer.classifier.settings import ClassifierSettings
from trainer.errors import JobError
from trainer.recurrent.settings import SequenceSettings
from trainer.settings import OutputSettings, Settings, TransformSettings
from trainer.tagger.settings import TaggerSettings
from trainer.tuning.settings import TuneSettings
from trainer.word2vec.settings import Word2vecSettings

__all__ = [
    "COMPONENTS",
    "TASKS",
    "TUNED",
    "BeamSettings",
    "ClassifierConfig",
    "DatasetConfig",
    "GateSettings",
    "Goal",
    "RunConfig",
    "ServingSettings",
    "SliceGateSettings",
    "SupervisedConfig",
    "TaggerConfig",
    "Word2vecConfig",
    "json_schema",
    "load",
    "resolve_corpus_path",
    "resolve_file",
]

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
"""The components of each task's pipeline in the order in which they run."""

TUNED = "BestHyperparameters"
"""What stands before a Trainer that takes the hyperparameters found last at its root."""

Goal = Literal["publish", "tune", "check"]
"""What a run is for: a published model, the best hyperparameters, or only to see whether the job would do."""


_TASK = Field(
    description="What is trained: classifier, of documents; tagger, of tokens; word2vec, vectors of words; dataset:"
    " nothing, the job ends with checked and transformed examples."
)


class RunConfig(Settings):
    """One job: a corpus, what is made of it, and what it must reach to be published; what all tasks share."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=64,
        description="Name of the job: small letters, digits, - and _; runs go to runs/<name>.",
    )
    task: Annotated[Literal["classifier", "dataset", "tagger", "word2vec"], _TASK]
    corpus: CorpusSettings = Field(description="The files and how a record is read.")
    splits: SplitSettings = Field(default_factory=SplitSettings, description="Weights of the splits.")
    validation: ValidationSettings = Field(
        default_factory=ValidationSettings, description="Which anomalies of the examples let a run pass."
    )
    transform: TransformSettings = Field(default_factory=TransformSettings, description="Raw text to token ids.")
    output: OutputSettings = Field(default_factory=OutputSettings, description="How the examples are written.")
    trainer: Settings = Field(default_factory=Settings, description="The model and its training.")
    gates: dict[str, GateSettings] = Field(
        default_factory=dict, description="What each metric must reach before the model is published."
    )
    serving: ServingSettings = Field(default_factory=ServingSettings, description="Published models.")
    beam: BeamSettings = Field(default_factory=BeamSettings, description="Where Beam runs.")
    schema_path: str | None = Field(
        None, alias="schema", min_length=1, description="A schema .pbtxt; null: the one for this kind of corpus."
    )
    _path: Path | None = PrivateAttr(None)

    @property
    def path(self) -> Path | None:
        """The YAML file it was loaded from, absolute, or None where it was made in code."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder that relative paths start at."""
        return self._path.parent if self._path else Path.cwd()

    @property
    def components(self) -> tuple[str, ...]:
        """The components that this task needs, in the order in which they run."""
        return COMPONENTS[self.task]

    @property
    def trained_task(self) -> str:
        """The task as `trainer.jobs.tasks` names it."""
        return self.task

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that the gates may name."""
        return METRICS[self.task]

    def toward(self, goal: Goal) -> tuple[str, ...]:
        """The components that lead to a goal, in the order in which they run."""
        return self.components if goal == "publish" else _DATA

    def files(self) -> Iterator[JobFile]:
        """Yields the files that the job names besides its corpus."""
        if self.schema_path:
            yield JobFile(("schema",), self.schema_path, "schema")
        if self.transform.vocabulary:
            yield JobFile(("transform", "vocabulary"), self.transform.vocabulary, "vocabulary")

    @model_validator(mode="after")
    def _check_possible(self) -> RunConfig:
        problems = list(self.problems())
        if problems:
            texts = ["; ".join(filter(None, [p.what.rstrip("."), p.found and f"found {p.found}"])) for p in problems]
            context: dict[str, Any] = {"problems": problems, "message": "; ".join(texts).replace("{", "(")}
            raise PydanticCustomError("impossible", "{message}", context)
        return self

    def problems(self) -> Iterator[checks.Problem]:
        """Yields what cannot be, though each key by itself is right."""
        yield from checks.shared(self)
        yield from self._own_problems()

    def _own_problems(self) -> Iterator[checks.Problem]:
        """Yields what this task does not allow."""
        return iter(())


class SupervisedConfig(RunConfig):
    """A job that trains a model with targets; what all such tasks share."""

    trainer: SequenceSettings = Field(default_factory=SequenceSettings, description="The model and its training.")
    tune: TuneSettings | None = Field(None, description="The search for hyperparameters that `seqloom tune` makes.")

    @property
    def components(self) -> tuple[str, ...]:
        """The components that this task needs, in the order in which they run."""
        names = super().components
        before = names.index("Trainer")
        return (*names[:before], TUNED, *names[before:]) if self.tune and self.tune.use else names

    def toward(self, goal: Goal) -> tuple[str, ...]:
        """The components that lead to a goal, in the order in which they run."""
        last = {"publish": (), "tune": ("Tuner",), "check": ("LearningCheck",)}[goal]
        return (*super().toward(goal), *last)

    def files(self) -> Iterator[JobFile]:
        """Yields the files that the job names besides its corpus."""
        yield from super().files()
        if self.trainer.embedding.source:
            yield JobFile(
                ("trainer", "embedding", "from"),
                self.trainer.embedding.source,
                "vectors",
                parse="pipeline.runs.pretrained:parse_vectors",
                find="pipeline.runs.pretrained:find_vectors",
            )

    def problems(self) -> Iterator[checks.Problem]:
        """Yields what cannot be, though each key by itself is right."""
        yield from super().problems()
        yield from tune_checks.tune(self)


class ClassifierConfig(SupervisedConfig):
    """A job that trains a classifier of documents."""

    task: Annotated[Literal["classifier"], _TASK]
    trainer: ClassifierSettings = Field(default_factory=ClassifierSettings, description="The model and its training.")

    @property
    def trained_task(self) -> str:
        """The task as `trainer.jobs.tasks` names it."""
        return "multi_label_classifier" if self.corpus.multi_label else self.task

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that the gates may name."""
        return MULTI_LABEL if self.corpus.multi_label else super().metrics

    def _own_problems(self) -> Iterator[checks.Problem]:
        return checks.classifier(self)


class DatasetConfig(RunConfig):
    """A job that ends with checked and transformed examples."""

    task: Annotated[Literal["dataset"], _TASK]


class TaggerConfig(SupervisedConfig):
    """A job that trains a tagger of tokens."""

    task: Annotated[Literal["tagger"], _TASK]
    trainer: TaggerSettings = Field(default_factory=TaggerSettings, description="The model and its training.")

    def _own_problems(self) -> Iterator[checks.Problem]:
        return checks.tagger(self)


class Word2vecConfig(RunConfig):
    """A job that trains vectors of words."""

    task: Annotated[Literal["word2vec"], _TASK]
    trainer: Word2vecSettings = Field(default_factory=Word2vecSettings, description="The vectors and their training.")
    evaluation: EvaluationSettings = Field(
        default_factory=EvaluationSettings, description="What the vectors are judged by, beside held-out documents."
    )

    def files(self) -> Iterator[JobFile]:
        """Yields the files that the job names besides its corpus."""
        yield from super().files()
        for kind in ("pairs", "analogies"):
            parse = f"components.evaluation_sets.set_files:read_{kind}"
            for name, path in getattr(self.evaluation, kind).items():
                yield JobFile(("evaluation", kind, name), path, "evaluation", parse)

    def _own_problems(self) -> Iterator[checks.Problem]:
        return checks.word2vec(self)


TASKS: Mapping[str, type[RunConfig]] = {
    "classifier": ClassifierConfig,
    "dataset": DatasetConfig,
    "tagger": TaggerConfig,
    "word2vec": Word2vecConfig,
}
"""What a job of each task is read as."""


class _TaskKey(BaseModel):
    """The key that says what the others are read as."""

    task: Annotated[Literal["classifier", "dataset", "tagger", "word2vec"], _TASK]


def load(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Reads a job's YAML.

    Args:
        path: The file.
        overrides: `KEY.PATH=VALUE` texts that replace what the file says.

    Returns:
        The configuration, of the class of its task.

    Raises:
        JobError: With everything that is wrong, each with its file and line or its override.
    """
    source = yaml_source.read(path)
    yaml_source.override(source, overrides)
    problems = list(source.problems)
    task, unknown = _task(source)
    try:
        config = _read_as(task, source)
    except ValidationError as error:
        problems += validation_errors.explain(error, source, TASKS[task], TASKS)
    problems += unknown
    if problems:
        raise validation_errors.combine(path, problems)
    config._path = path.absolute()
    return config


def _task(source: yaml_source.Source) -> tuple[str, list[JobError]]:
    """The task of a job, or the likeliest with what is wrong with the key."""
    try:
        return _TaskKey.model_validate(source.data, strict=True).task, []
    except ValidationError as error:
        near = nearest(str(source.data.get("task", "")), TASKS)
        likeliest = near or min(TASKS, key=lambda task: _count_errors(task, source))
        return likeliest, validation_errors.explain(error, source, _TaskKey)


def _read_as(task: str, source: yaml_source.Source) -> RunConfig:
    # Strict JSON: a list may become a tuple, but "3" and true are no numbers.
    return TASKS[task].model_validate_json(json.dumps({**source.data, "task": task}), strict=True)


def _count_errors(task: str, source: yaml_source.Source) -> int:
    try:
        _read_as(task, source)
    except ValidationError as error:
        return error.error_count()
    return 0


def json_schema() -> dict[str, Any]:
    """The JSON schema of a job's YAML, for editors and other tools."""
    job = Annotated[ClassifierConfig | DatasetConfig | TaggerConfig | Word2vecConfig, Field(discriminator="task")]
    return TypeAdapter(job).json_schema(by_alias=True)
