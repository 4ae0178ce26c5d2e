"""The base class of all jobs, typed and frozen. Imports no TensorFlow."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import Field, PrivateAttr

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.corpus_validator.settings import ValidationSettings
from components.sequence_transform.given_words import read_words
from pipeline.config.beam_settings import BeamSettings
from pipeline.config.checks import split_problems
from pipeline.config.event_settings import EventSettings
from pipeline.config.job_files import JobFile
from pipeline.config.metadata_settings import Metadata, MetadataSettings
from pipeline.config.sections import GateSettings, ResourceSettings, ServingSettings
from trainer.errors import Problem
from trainer.settings import OutputSettings, Settings, TransformSettings

J = TypeVar("J", bound="Job")


class Job(Settings):
    """One job: a corpus, how to process it, and when to publish the result; each task has a subclass."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=64,
        description="Name of the job, in lower-case letters, digits, - and _; runs go to runs/<name>.",
    )
    task: str
    corpus: CorpusSettings = Field(description="The corpus files and how to read a record.")
    splits: SplitSettings = Field(default_factory=SplitSettings, description="Weights of the splits.")
    validation: ValidationSettings = Field(default_factory=ValidationSettings, description="How to handle anomalies.")
    transform: TransformSettings = Field(
        default_factory=TransformSettings, description="How to turn raw text into token ids."
    )
    output: OutputSettings = Field(default_factory=OutputSettings, description="How to write the examples.")
    trainer: Settings = Field(default_factory=Settings, description="The model and its training.")
    gates: dict[str, GateSettings] = Field(
        default_factory=dict, description="Thresholds that each metric must meet before the model is published."
    )
    serving: ServingSettings = Field(default_factory=ServingSettings, description="How to handle published models.")
    beam: BeamSettings = Field(default_factory=BeamSettings, description="How to run Beam.")
    events: EventSettings = Field(default_factory=EventSettings, description="Who learns of the events of a run.")
    schema_path: str | None = Field(
        None, alias="schema", min_length=1, description="A schema .pbtxt; null: the curated schema for the corpus kind."
    )
    metadata: Metadata = Field(default_factory=MetadataSettings, description="Where to keep ML Metadata.")
    resources: dict[str, ResourceSettings] = Field(
        default_factory=dict, description="What components need, by component; `seqloom plan` shows it to schedulers."
    )
    required_splits: ClassVar[tuple[str, ...]] = ("train", "eval")
    _path: Path | None = PrivateAttr(None)

    @property
    def path(self) -> Path | None:
        """The absolute path of the job's YAML, or None if the job was built in code."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from: that of the YAML, or the current one."""
        return self._path.parent if self._path else Path.cwd()

    def loaded_from(self: J, path: Path) -> J:
        """Sets the absolute path of the job's YAML and returns the job."""
        self._path = path
        return self

    def files(self) -> Iterator[JobFile]:
        """Yields the files that the job names besides its corpus."""
        if self.schema_path:
            yield JobFile(("schema",), self.schema_path, "schema")
        if self.transform.vocabulary:
            parse = functools.partial(read_words, settings=self.transform, tokenized=self.corpus.kind.tokenized)
            yield JobFile(("transform", "vocabulary"), self.transform.vocabulary, "vocabulary", parse)

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        yield from split_problems(self.corpus, self.splits, self.required_splits)
        obstacle = self.transform.obstacle(self.corpus.kind)
        if obstacle:
            yield obstacle.below("transform")
