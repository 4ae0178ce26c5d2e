"""Typed settings of the corpus and of its splits, read from the job's YAML."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PositiveInt, RootModel, field_validator, model_validator

from components.corpus_example_gen import settings_checks
from trainer.data import kinds
from trainer.settings import Settings

_SPLIT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NOT_FOR_FILES = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "iso2022_kr")
_USUAL_SPLITS = ("train", "eval", "test")
_SPAN, _VERSION, _DATE = "{SPAN", "{VERSION", ("{YYYY}", "{MM}", "{DD}")
"""How the marks of a span start; numbers may have a width, as in {SPAN:3}."""


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
Tags = Annotated[
    tuple[str, ...],
    BeforeValidator(
        lambda value: tuple(map(_text, value)) if isinstance(value, (list, tuple)) else value,
        json_schema_input_type=list[str | int | bool],
    ),
]
PathText = Annotated[str, Field(min_length=1)]


class ColumnSettings(Settings):
    """The columns of a conll file, from 1; negative numbers count from the last column."""

    token: int = Field(1, description="Column of the token, from 1, or from -1 backwards.")
    tag: int = Field(-1, description="Column of the tag, from 1, or from -1 backwards.")
    comment: str | None = Field(None, min_length=1, description="Lines that start so are skipped; null: none.")
    uneven: bool = Field(
        False,
        description="Lines of a sentence may differ in their number of columns, as where a tool knows a word less.",
    )

    @model_validator(mode="after")
    def _check_columns(self) -> ColumnSettings:
        if 0 in (self.token, self.tag):
            raise ValueError("columns are counted from 1, or from -1 backwards, found 0")
        if self.token == self.tag:
            raise ValueError(f"token and tag are the same column: {self.tag}")
        return self


class CorpusSettings(Settings):
    """Where the documents are and how a record is read."""

    format: Literal["text", "csv", "tsv", "jsonl", "json", "parquet", "tf_example", "tf_sequence_example", "conll"] = (
        Field(description="How the files are written; csv and tsv files need a header row.")
    )
    path: PathText | dict[str, PathText] = Field(
        description="File, glob, URL of a Beam filesystem, or package:<package>/<file> for an installed package's;"
        " or one of these for each split. {SPAN}, {VERSION} and {YYYY}{MM}{DD} stand for a span of the data.",
    )
    text: str = Field("text", min_length=1, description="Column, key or feature of the document's text.")
    label: str | None = Field(None, min_length=1, description="Column, key or feature of the class; null: no labels.")
    multi_label: bool = Field(
        False,
        description="A document has any number of labels, also none: label holds a list, or a text that is cut at"
        " label_separator.",
    )
    label_separator: str | None = Field(
        None, min_length=1, description="What stands between labels in one text, with multi_label; null: a comma."
    )
    source: str | None = Field(
        None, min_length=1, description="Column or key that tells where a document is from; null: the file's name."
    )
    id: str | None = Field(
        None, min_length=1, description="Column or key that names a document; null: a hash of its text."
    )
    split: str | None = Field(
        None, min_length=1, description="Column or key that names a document's split; null: splits by hash."
    )
    weight: str | None = Field(
        None,
        min_length=1,
        description="Column or key of what a document counts in the loss of training, a number, 0 or more; null: 1.",
    )
    split_values: Labels | None = Field(
        None, description="Value of the split column to split name; train, eval and test need no entry."
    )
    labels: Labels | None = Field(
        None,
        description="Value in the corpus to class name, in the order of the class ids, or a list where both are the"
        " same; null: any label is allowed.",
    )
    tokens: str = Field("tokens", min_length=1, description="Feature list of a tagged sentence's tokens.")
    tag: str | None = Field(
        None, min_length=1, description="Feature list of the tags, one for each token; null: the corpus has none."
    )
    tags: Tags | None = Field(
        None, description="Tags of a tagged corpus in the order of their ids; null: those of the train split, sorted."
    )
    document: Literal["line", "paragraph", "file"] | None = Field(
        None, description="What a document is in a text file; a paragraph ends at a blank line. null: a line."
    )
    segment: Literal["document", "line", "paragraph"] = Field(
        "document", description="How a document's text is cut into segments, one step of the feature list text each."
    )
    delimiter: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="What separates the columns of a csv or conll file; null: a comma in csv, white space in conll.",
    )
    columns: ColumnSettings | None = Field(None, description="Columns of a conll file; null: token first, tag last.")
    encoding: str = Field("utf-8", min_length=1, description="Encoding of the files: the name of a Python codec.")
    encoding_errors: Literal["quarantine", "replace"] = Field(
        "quarantine", description="What happens to a record with invalid bytes; replace: they become U+FFFD."
    )
    dedupe: bool = Field(False, description="Keep one of all documents with the same content, across splits too.")
    span: Literal["latest"] | Annotated[int, Field(ge=0)] | None = Field(
        None, description="Which span of the path is read; latest, which null means too: the newest that exists."
    )
    rolling: PositiveInt | None = Field(None, description="How many spans are read, the last of which is span.")
    max_bad_fraction: float = Field(
        0.01, ge=0, le=1, description="The run fails if a greater part of the records is quarantined."
    )

    @field_validator("path")
    @classmethod
    def _check_path(cls, path: str | dict[str, str]) -> str | dict[str, str]:
        if isinstance(path, dict):
            if not path:
                raise ValueError("a path for each split is needed, found none")
            for name in path:
                _check_split_name(name)
            if len({tuple(mark for mark in (_SPAN, _VERSION, *_DATE) if mark in one) for one in path.values()}) > 1:
                raise ValueError("the paths of all splits need the same of {SPAN}, {VERSION} and {YYYY}{MM}{DD}")
        for one in [path] if isinstance(path, str) else path.values():
            dates = [mark for mark in _DATE if mark in one]
            if dates and len(dates) < len(_DATE):
                raise ValueError(f"a date in the path needs {', '.join(_DATE)}, found {', '.join(dates)}")
            if dates and _SPAN in one:
                raise ValueError("a path has {SPAN} or {YYYY}{MM}{DD}, found both")
            if _VERSION in one and not dates and _SPAN not in one:
                raise ValueError("{VERSION} in the path needs {SPAN} or {YYYY}{MM}{DD}")
        return path

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

    @field_validator("tags")
    @classmethod
    def _check_tags(cls, tags: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for number, tag in enumerate(tags or ()):
            if not tag.strip() or tag in (tags or ())[:number]:
                raise ValueError(f"tags must differ and not be empty, found {tag!r}")
        if tags is not None and len(tags) < 2:
            raise ValueError(f"at least two tags are needed, found {list(tags)}")
        return tags

    @field_validator("split_values")
    @classmethod
    def _check_split_values(cls, values: dict[str, str] | None) -> dict[str, str] | None:
        for name in (values or {}).values():
            _check_split_name(name)
        return values

    @field_validator("delimiter")
    @classmethod
    def _check_delimiter(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and delimiter in '"\r\n\0':
            raise ValueError(f"{delimiter!r} cannot separate columns")
        return delimiter

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, encoding: str) -> str:
        try:
            name = codecs.lookup(encoding).name
            "\n".encode(encoding)
        except (LookupError, UnicodeError):
            raise ValueError(f"Python has no text encoding {encoding!r}, found no codec of that name") from None
        if name.replace("-", "_") in _NOT_FOR_FILES:
            raise ValueError(f"{encoding} is no encoding of text files")
        # The byte order mark is removed from any UTF-8 file.
        return "utf-8" if name in ("utf-8-sig", "utf-8") else encoding

    @model_validator(mode="after")
    def _check_together(self) -> CorpusSettings:
        for problem in settings_checks.problems(self):
            raise ValueError(problem)
        return self

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes or tags in the order of their ids, or None where the corpus decides."""
        if self.kind.tokenized:
            return self.tags
        return None if self.labels is None else tuple(dict.fromkeys(self.labels.values()))

    @property
    def kind(self) -> kinds.CorpusKind:
        """The kind of corpus."""
        if self.format == "conll" or self.tag is not None:
            return kinds.TAGGED_TEXT
        if self.label is None:
            return kinds.PLAIN_TEXT
        return kinds.MULTI_LABELLED_TEXT if self.multi_label else kinds.LABELLED_TEXT

    @property
    def split_names(self) -> dict[str, str]:
        """Values allowed in the split column, with the split that each names; empty without such a column."""
        if self.split is None:
            return {}
        given = self.split_values or {}
        return {**{name: name for name in (*_USUAL_SPLITS, *given.values())}, **given}

    @property
    def has_span(self) -> bool:
        """Whether the path names a span of the data."""
        paths = [self.path] if isinstance(self.path, str) else list(self.path.values())
        return any(mark in paths[0] for mark in (_SPAN, *_DATE))


def _check_split_name(name: str) -> None:
    if not _SPLIT_NAME.fullmatch(name):
        raise ValueError(f"a split's name has only letters, digits, - and _, found {name!r}")


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
            _check_split_name(name)
        return weights

    @property
    def weights(self) -> dict[str, int]:
        """A copy of the weights by split, in the order of the configuration."""
        return dict(self.root)
