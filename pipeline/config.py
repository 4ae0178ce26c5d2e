"""The typed, frozen configuration of a run. Imports nothing heavy, so that the command line starts at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, FiniteFloat, PositiveInt, PrivateAttr, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.corpus_validator.settings import ValidationSettings
from pipeline import config_errors, yaml_source
from pipeline.locations import resolve_corpus_path, resolve_file
from pipeline.spelling import nearest
from trainer.settings import OutputSettings, Settings, TrainerSettings, TransformSettings

__all__ = [
    "COMPONENTS",
    "METRICS",
    "BeamSettings",
    "GateSettings",
    "RunConfig",
    "ServingSettings",
    "SliceGateSettings",
    "json_schema",
    "load",
    "resolve_corpus_path",
    "resolve_file",
]

COMPONENTS = (
    "CorpusExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "PreviousStatistics",
    "ExampleValidator",
    "SequenceTransform",
    "Trainer",
    "Baseline",
    "Evaluator",
    "Pusher",
)
"""The components of the pipeline in the order in which they run."""

_LAST_COMPONENT = {"dataset": "SequenceTransform"}
"""Where a task ends that does not end with a published model."""

METRICS: Mapping[str, Mapping[str, Literal["higher", "lower"]]] = {
    "classifier": {"accuracy": "higher", "auc": "higher", "loss": "lower"},
    "dataset": {},
}
"""The metrics that each task's gates may name, and which way is better."""


class SliceGateSettings(Settings):
    """Absolute thresholds of a metric on the documents of one source."""

    min: FiniteFloat | None = Field(None, description="Worst value allowed, where higher is better.")
    max: FiniteFloat | None = Field(None, description="Worst value allowed, where lower is better.")


class GateSettings(SliceGateSettings):
    """What a metric must reach before the model is published."""

    max_drop: FiniteFloat | None = Field(
        None, ge=0, description="How far below the last blessed model's value it may be, where higher is better."
    )
    max_rise: FiniteFloat | None = Field(
        None, ge=0, description="How far above the last blessed model's value it may be, where lower is better."
    )
    slices: dict[str, SliceGateSettings] = Field(
        default_factory=dict, description="Absolute thresholds on single sources, by the source's name."
    )


class ServingSettings(Settings):
    """What happens to published models."""

    keep: PositiveInt = Field(5, description="Published versions that are kept.")


class BeamSettings(Settings):
    """Where Beam runs."""

    engine: Literal["local"] = Field("local", description="local: in this process.")
    options: list[str] = Field(default_factory=list, description="More Beam flags, passed on as they are.")


class RunConfig(Settings):
    """One job: a corpus, what is made of it, and what it must reach to be published."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=64,
        description="Name of the job: small letters, digits, - and _; runs go to runs/<name>.",
    )
    task: Literal["classifier", "dataset"] = Field(
        description="What is trained; dataset: nothing, the job ends with checked and transformed examples."
    )
    corpus: CorpusSettings = Field(description="The files and how a record is read.")
    splits: SplitSettings = Field(default_factory=SplitSettings, description="Weights of the splits.")
    validation: ValidationSettings = Field(
        default_factory=ValidationSettings, description="Which anomalies of the examples let a run pass."
    )
    transform: TransformSettings = Field(default_factory=TransformSettings, description="Raw text to token ids.")
    output: OutputSettings = Field(default_factory=OutputSettings, description="How the examples are written.")
    trainer: TrainerSettings = Field(default_factory=TrainerSettings, description="The model and its training.")
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
        return COMPONENTS[: COMPONENTS.index(_LAST_COMPONENT.get(self.task, COMPONENTS[-1])) + 1]

    @model_validator(mode="after")
    def _check_possible(self) -> RunConfig:
        problems = [*_combinations(self), *_gates(self)]
        if problems:
            texts = ["; ".join(filter(None, [p.what.rstrip("."), p.found and f"found {p.found}"])) for p in problems]
            context: dict[str, Any] = {"problems": problems, "message": "; ".join(texts).replace("{", "(")}
            raise PydanticCustomError("impossible", "{message}", context)
        return self


def load(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Reads a job's YAML.

    Args:
        path: The file.
        overrides: `KEY.PATH=VALUE` texts that replace what the file says.

    Returns:
        The configuration.

    Raises:
        JobError: With everything that is wrong, each with its file and line or its override.
    """
    source = yaml_source.read(path)
    yaml_source.override(source, overrides)
    problems = list(source.problems)
    try:
        # Strict JSON: a list may become a tuple, but "3" and true are no numbers.
        config = RunConfig.model_validate_json(json.dumps(source.data), strict=True)
    except ValidationError as error:
        problems += config_errors.explain(error, source, RunConfig)
    if problems:
        raise config_errors.combine(path, problems)
    config._path = path.absolute()
    return config


def json_schema() -> dict[str, Any]:
    """The JSON schema of a job's YAML, for editors and other tools."""
    return RunConfig.model_json_schema(by_alias=True)


class _Problem(NamedTuple):
    path: tuple[str, ...]
    what: str
    found: str | None = None
    expected: str | None = None
    fix: str | None = None


def _combinations(config: RunConfig) -> Iterator[_Problem]:
    corpus, truncate = config.corpus, config.transform.truncate
    if config.task == "classifier" and corpus.label is None:
        yield _Problem(
            ("corpus", "label"),
            "A classifier needs labels.",
            "no corpus.label",
            "the column or key that holds the class",
            "add label: to corpus:",
        )
    columns: dict[str, str] = {}
    for role in ("text", "label", "source", "id", "split"):
        column = getattr(corpus, role)
        if column in columns:
            found = f"{columns[column]} and {role} are both {column}"
            yield _Problem(("corpus", role), "One column is named for two things.", found)
        elif column is not None:
            columns[column] = role
    place, splits = _split_names(config)
    missing = [split for split in ("train", "eval") if split not in splits]
    if missing:
        found = "the splits " + ", ".join(splits)
        yield _Problem(place, f"The split {' and '.join(missing)} is missing.", found, "a path for train and for eval")
    if "test" not in splits and "Evaluator" in config.components:
        found = "the splits " + ", ".join(splits)
        yield _Problem(place, "The split test is missing; the Evaluator measures it.", found)
    obstacle = config.transform.obstacle(corpus.kind)
    if obstacle:
        yield _Problem(("transform",), "The transform does not fit the corpus.", f"{obstacle} ({corpus.kind})")
    if truncate and truncate.to > config.trainer.batch_tokens:
        yield _Problem(
            ("trainer", "batch_tokens"),
            "A batch cannot hold one document.",
            f"batch_tokens {config.trainer.batch_tokens} below transform.truncate.to {truncate.to}",
            f"{truncate.to} or more",
        )


def _split_names(config: RunConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The key that names the splits, and the splits."""
    if isinstance(config.corpus.path, str):
        return ("splits",), tuple(config.splits.weights)
    return ("corpus", "path"), tuple(config.corpus.path)


def _gates(config: RunConfig) -> Iterator[_Problem]:
    metrics = METRICS[config.task]
    for metric, gate in config.gates.items():
        path = ("gates", metric)
        if not metrics:
            yield _Problem(path, f"A job of task {config.task} publishes nothing.", "a gate", "no gates")
            continue
        if metric not in metrics:
            near = nearest(metric, metrics)
            fix = f"did you mean {near}?" if near else None
            yield _Problem(path, f"A {config.task} has no metric {metric}.", metric, ", ".join(metrics), fix)
            continue
        if metric == "auc" and config.corpus.labels is None:
            fix = "list the classes under corpus.labels"
            yield _Problem(path, "The AUC is measured class by class.", "no corpus.labels", "the classes", fix)
        if not gate.model_fields_set:
            yield _Problem(path, "A gate without a threshold lets everything pass.", "no key", "min, max_drop, ...")
        better = metrics[metric]
        yield from _direction(path, metric, better, gate)
        for name, slice_gate in gate.slices.items():
            yield from _direction((*path, "slices", name), metric, better, slice_gate)
        if not config.corpus.source and gate.slices:
            yield _Problem((*path, "slices"), "Thresholds by source need a source.", "no corpus.source")


def _direction(path: tuple[str, ...], metric: str, better: str, gate: SliceGateSettings) -> Iterator[_Problem]:
    right, wrong = (("min", "max_drop"), ("max", "max_rise"))[:: 1 if better == "higher" else -1]
    for key, instead in zip(wrong, right, strict=True):
        if getattr(gate, key, None) is not None:
            what = f"{key} does not fit {metric}: {'higher' if better == 'higher' else 'lower'} is better."
            yield _Problem((*path, key), what, key, " and ".join(right), f"did you mean {instead}?")
    for key in right:
        value = getattr(gate, key, None)
        if better == "higher" and value is not None and not 0 <= value <= 1:
            fix = f"did you mean {value / 100:g}?" if 1 < value <= 100 else None
            yield _Problem((*path, key), f"{metric} lies between 0 and 1.", f"{value:g}", "0 to 1", fix)
