"""Typed settings of the corpus and of its splits, read from the job's YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PositiveInt, RootModel, field_validator, model_validator

from trainer.settings import Settings

_SPLIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def _text(value: Any) -> Any:
    """Spells a YAML scalar as the corpus would: 1 is "1", true is "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _labels(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        value = [(item, item) for item in value]
    elif isinstance(value, Mapping):
        value = list(value.items())
    else:
        return value
    pairs = [(_text(raw), _text(name)) for raw, name in value]
    raws = [raw for raw, _ in pairs]
    repeated = sorted({repr(raw) for raw in raws if raws.count(raw) > 1})
    if repeated:
        raise ValueError(f"the label {', '.join(repeated)} is listed more than once")
    return dict(pairs)


Labels = Annotated[
    dict[str, str],
    BeforeValidator(_labels, json_schema_input_type=dict[str, str] | list[str | int | bool]),
]


class CorpusSettings(Settings):
    """Where the documents are and how a record is read."""

    format: Literal["csv", "jsonl"] = Field(description="How the files are written; csv files need a header row.")
    path: str = Field(
        min_length=1,
        description="File, glob, URL of a Beam filesystem, or package:<package>/<file> for an installed package's.",
    )
    text: str = Field("text", min_length=1, description="Column or key of the document's text.")
    label: str | None = Field(None, min_length=1, description="Column or key of the class; null: no labels.")
    source: str | None = Field(
        None, min_length=1, description="Column or key that tells where a document is from; null: the file's name."
    )
    id: str | None = Field(
        None, min_length=1, description="Column or key that names a document; null: a hash of its text."
    )
    labels: Labels | None = Field(
        None,
        description="Value in the corpus to class name, in the order of the class ids, or a list where both are the"
        " same; null: any label is allowed.",
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="What separates the columns of a csv file.")
    max_bad_fraction: float = Field(
        0.01, ge=0, le=1, description="The run fails if a greater part of the records is quarantined."
    )

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: dict[str, str] | None) -> dict[str, str] | None:
        if labels is None:
            return None
        if any(not text.strip() for pair in labels.items() for text in pair):
            raise ValueError("a label must not be empty")
        if len(set(labels.values())) < 2:
            raise ValueError(f"at least two classes are needed, found {sorted(set(labels.values()))}")
        return labels

    @field_validator("delimiter")
    @classmethod
    def _check_delimiter(cls, delimiter: str) -> str:
        if delimiter in '"\r\n\0':
            raise ValueError(f"{delimiter!r} cannot separate columns")
        return delimiter

    @model_validator(mode="after")
    def _check_together(self) -> CorpusSettings:
        if self.labels is not None and self.label is None:
            raise ValueError("labels needs label: the column or key to which they belong")
        if self.format != "csv" and self.delimiter != ",":
            raise ValueError(f"delimiter belongs to format csv, found format {self.format}")
        if self.text in (self.label, self.id):
            raise ValueError(
                f"text and {'label' if self.text == self.label else 'id'} are the same column: {self.text}"
            )
        return self

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes in the order of their ids, or None where the corpus decides."""
        return None if self.labels is None else tuple(dict.fromkeys(self.labels.values()))


class SplitSettings(RootModel[dict[str, PositiveInt]]):
    """The splits by name with their weights: {train: 8, eval: 1, test: 1} is 80, 10 and 10 %."""

    model_config = ConfigDict(frozen=True)

    root: dict[str, PositiveInt] = Field(
        default={"train": 8, "eval": 1, "test": 1},
        description="Weight of each split by name; train and eval are needed.",
    )

    @field_validator("root")
    @classmethod
    def _check_names(cls, weights: dict[str, int]) -> dict[str, int]:
        missing = [name for name in ("train", "eval") if name not in weights]
        if missing:
            raise ValueError(f"the split {' and '.join(missing)} is missing, found {', '.join(weights) or 'none'}")
        for name in weights:
            if not _SPLIT_NAME.fullmatch(name):
                raise ValueError(f"a split's name has only letters, digits, - and _, found {name!r}")
        return weights

    @property
    def weights(self) -> dict[str, int]:
        """A copy of the weights by split, in the order of the configuration."""
        return dict(self.root)
