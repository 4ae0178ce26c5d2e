"""What all jobs have in common, typed and frozen. Light: imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.corpus_validator.settings import ValidationSettings
from pipeline.config import checks
from pipeline.config.job_files import JobFile
from pipeline.config.sections import BeamSettings, GateSettings, ServingSettings
from trainer.settings import OutputSettings, Settings, TransformSettings

J = TypeVar("J", bound="Job")


class Job(Settings):
    """The sections of a job that all tasks share; each task has a subclass."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=64,
        description="Name of the job: small letters, digits, - and _; runs go to runs/<name>.",
    )
    task: str
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

    def loaded_from(self: J, path: Path) -> J:
        """Returns the job with the absolute path of its YAML."""
        self._path = path
        return self

    def files(self) -> Iterator[JobFile]:
        """Yields the files that the job names besides its corpus."""
        if self.schema_path:
            yield JobFile(("schema",), self.schema_path, "schema")
        if self.transform.vocabulary:
            yield JobFile(("transform", "vocabulary"), self.transform.vocabulary, "vocabulary")

    @model_validator(mode="after")
    def _check_possible(self) -> Job:
        problems = list(self.problems())
        if problems:
            texts = ["; ".join(filter(None, [p.what.rstrip("."), p.found and f"found {p.found}"])) for p in problems]
            context: dict[str, Any] = {"problems": problems, "message": "; ".join(texts).replace("{", "(")}
            raise PydanticCustomError("impossible", "{message}", context)
        return self

    def problems(self) -> Iterator[checks.Problem]:
        """Yields settings that are valid alone but not together."""
        return checks.shared(self)
