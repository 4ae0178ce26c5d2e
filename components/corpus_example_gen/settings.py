"""Typed settings of the corpus and of its splits, read from the job's YAML."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, RootModel

from components.corpus_example_gen.format_keys import FORMATS_OF_KEYS, TAG_FORMATS, ColumnSettings
from components.corpus_example_gen.value_types import (
    DATE,
    SPAN,
    Column,
    Columns,
    CorpusPath,
    Delimiter,
    Encoding,
    Header,
    Labels,
    Name,
    SplitName,
    SplitValues,
    Tags,
    split_paths,
)
from trainer.data import kinds
from trainer.errors import Problem
from trainer.settings import Settings

_USUAL_SPLITS = ("train", "eval", "test")
_INTEGER = re.compile(r"[+-]?[0-9]+")
FOLDER = "folder"
"""The `label` of a text corpus with one folder per class."""


class CorpusSettings(Settings):
    """The corpus files and how to read a record."""

    format: Literal[
        "text",
        "fasttext",
        "csv",
        "tsv",
        "jsonl",
        "json",
        "parquet",
        "tf_example",
        "tf_sequence_example",
        "conll",
        "conllu",
    ] = Field(description="Format of the files.")
    path: CorpusPath = Field(
        description="File, folder, glob, URL of a Beam filesystem, or package:<package>/<file> for a file of an"
        " installed package; or a list of these; or one of these for each split. {SPAN}, {VERSION} and"
        " {YYYY}{MM}{DD} are placeholders of a span.",
    )
    text: Columns = Field(
        "text",
        description="Column, key or feature of the document's text, or a list of them, joined by line ends. A key of an"
        " object inside an object has dots: user.name.",
    )
    label: Column | None = Field(
        None,
        description="Column, key or feature of the class; for format text only: folder, the name of the folder that"
        " holds the file. null: no labels.",
    )
    multi_label: bool = Field(
        False,
        description="A document has any number of labels, including none: label holds a list, or text to split at"
        " label_separator.",
    )
    label_separator: Name | None = Field(None, description="Separator of labels in one text; null: a comma.")
    source: Column | None = Field(
        None,
        description="Column or key of a document's origin; null: the file's name, with label: folder after that of its"
        " folder.",
    )
    id: Column | None = Field(None, description="Column or key of a document's identifier; null: a hash of its text.")
    split: Column | None = Field(None, description="Column or key of a document's split; null: splits by hash.")
    weight: Column | None = Field(
        None,
        description="Column or key of a document's weight in the training loss, a number of 0 or more; null: 1.",
    )
    split_values: SplitValues | None = Field(
        None, description="Mapping of values in the split column to splits; train, eval and test need no entry."
    )
    labels: Labels | None = Field(
        None,
        description="Mapping of values in the corpus to class names, in the order of the class ids, or a list if both"
        " are the same; integers, other than in text, number the names of a list from 0. null: any label is allowed.",
    )
    tokens: Name = Field("tokens", description="List (column, key or feature) of the tokens of a tagged sentence.")
    tag: Name | None = Field(
        None,
        description="List of the tags, one per token; null: the corpus has no tags. In conllu files: upos, xpos"
        " or the name of a feature such as Case; null: upos.",
    )
    tags: Tags | None = Field(
        None,
        description="Tags of a tagged corpus in the order of their ids, which integers in the corpus stand for; null:"
        " the tags of the train split, sorted.",
    )
    records: Name | None = Field(
        None, description="Key of the array in a json file that is an object, with dots inside objects: data.items."
    )
    document: Literal["line", "paragraph", "file"] | None = Field(
        None, description="Unit of a text file that is one document; a paragraph ends at a blank line. null: a line."
    )
    segment: Literal["document", "line", "paragraph"] = Field(
        "document", description="Unit of a document's text that is one segment, i.e. one step of the feature list text."
    )
    delimiter: Delimiter | None = Field(
        None, description="Separator of the columns in csv or conll files; null: a comma in csv, white space in conll."
    )
    header: Header = Field(
        True,
        description="Whether the first row of a csv or tsv file names its columns; or their names, for files without"
        " such a row. false: columns are named by their numbers, from 1.",
    )
    quoting: Literal["minimal", "none"] | None = Field(
        None,
        description="minimal: fields in double quotes may hold delimiters and line ends; none: quotes are characters"
        " like others. null: minimal in csv, none in tsv.",
    )
    escape: Delimiter | None = Field(
        None,
        description="Character that makes the next one part of the field, e.g. a backslash; in tsv, \\t, \\n and others"
        " are characters, and a field \\N is missing, as in MySQL and PostgreSQL. null: none.",
    )
    skip_blanks: bool = Field(False, description="Skip blanks behind a delimiter.")
    short_rows: bool = Field(False, description="Allow rows without their last columns, whose values are missing.")
    columns: ColumnSettings | None = Field(None, description="Columns of a conll file; null: token first, tag last.")
    encoding: Encoding = Field("utf-8", description="Encoding of the files: the name of a Python codec.")
    encoding_errors: Literal["quarantine", "replace"] = Field(
        "quarantine", description="How to handle records with invalid bytes; replace: replace the bytes by U+FFFD."
    )
    dedupe: bool = Field(False, description="Keep one of several documents with the same content, across splits too.")
    span: Literal["latest"] | Annotated[int, Field(ge=0, le=10**18)] | None = Field(
        None, description="Span of the path to read; latest or null: the newest that exists."
    )
    rolling: int | None = Field(
        None, gt=0, le=1_000_000, description="Number of consecutive spans to read, ending with span."
    )
    max_bad_fraction: float = Field(0.01, ge=0, le=1, description="Fail if a larger share of records is quarantined.")

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        yield from self._format_problems()
        yield from self._missing_keys()
        yield from self._column_problems()
        yield from self._tag_problems()
        if self.split is not None and isinstance(self.path, dict):
            found, fix = "both a column (split) and files (a path for each split)", "remove split, or set one path"
            yield Problem(("split",), "The splits cannot have two definitions.", found, fix=fix)
        larger = {"line": ("paragraph", "file"), "paragraph": ("file",)}.get(self.segment, ())
        if self.format == "text" and larger and self.document not in larger:
            found = f"segment {self.segment}, document {self.document or 'line'}"
            what, expected = "A segment cannot be as large as a document.", f"document {' or '.join(larger)}"
            yield Problem(("segment",), what, found, expected)

    def _format_problems(self) -> Iterator[Problem]:
        if self.format == "text" and self.label not in (None, FOLDER):
            found, expected = f"label {self.label}", f"label: {FOLDER}, or a format with columns such as csv"
            yield Problem(("label",), "Format text has no labels but the names of folders.", found, expected)
        for key, formats in FORMATS_OF_KEYS.items():
            changed = getattr(self, key) != type(self).model_fields[key].default
            if changed and self.format not in formats:
                what, expected = f"{key} does not apply to format {self.format}.", f"format {', '.join(formats)}"
                yield Problem((key,), what, f"format {self.format}", expected, f"remove {key}")

    def _missing_keys(self) -> Iterator[Problem]:
        """Yields the keys that need another key."""
        spans = "{SPAN} or {YYYY}{MM}{DD} in path"
        needs: tuple[tuple[str, object, str, str], ...] = (
            ("labels", self.is_labelled, "label", "the column or key of the class under label"),
            ("multi_label", self.is_labelled, "label", "the column or key of the labels under label"),
            ("label_separator", self.multi_label, "multi_label", "multi_label: true"),
            ("split_values", self.split, "split", "the column or key of the split under split"),
            ("span", self.has_span, "a span in path", spans),
            ("rolling", self.has_span, "a span in path", spans),
        )
        for key, given, other, expected in needs:
            if getattr(self, key) != type(self).model_fields[key].default and not given:
                yield Problem((key,), f"{key} needs {other}.", expected=expected, fix=f"set {other}, or remove {key}")

    def _column_problems(self) -> Iterator[Problem]:
        roles: dict[str, str] = {}
        for role in ("text", "label", "source", "id", "split", "weight"):
            for column in self.text_columns if role == "text" else [getattr(self, role)]:
                if column in roles:
                    yield Problem((role,), f"One column cannot be both {roles[column]} and {role}.", column)
                elif column is not None:
                    roles[column] = role

    def _tag_problems(self) -> Iterator[Problem]:
        if self.tag is not None and self.label is not None:
            found, fix = f"label {self.label}, tag {self.tag}", "remove label or tag"
            yield Problem(("tag",), "A record cannot have both a label and tags.", found, fix=fix)
        if self.tag is None and self.tokens != "tokens":
            yield Problem(("tokens",), "tokens needs tag.", expected="tag: the list of the tags")
        if self.tag == self.tokens:
            yield Problem(("tag",), "One list cannot be both tokens and tag.", self.tag)
        if self.tags is not None and not self.kind.tokenized:
            expected = "format conll or conllu, or tag: the list of the tags"
            yield Problem(("tags",), "tags needs a tagged corpus.", f"format {self.format}", expected, "remove tags")

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The classes or tags in the order of their ids, or None if they are collected from the corpus."""
        if self.kind.tokenized:
            return self.tags
        return None if self.labels is None else tuple(dict.fromkeys(self.labels.values()))

    @property
    def kind(self) -> kinds.CorpusKind:
        """The kind of corpus, which also names its curated schema."""
        if self.format in ("conll", "conllu") or self.tag is not None:
            return kinds.TAGGED_TEXT
        if not self.is_labelled:
            return kinds.PLAIN_TEXT
        return kinds.MULTI_LABELLED_TEXT if self.multi_label else kinds.LABELLED_TEXT

    @property
    def is_labelled(self) -> bool:
        """Whether the documents have labels."""
        return self.label is not None or self.format == "fasttext"

    @property
    def label_is_folder(self) -> bool:
        """Whether the label of a document is the name of the folder that holds its file."""
        return self.format == "text" and self.label == FOLDER

    @property
    def takes_tags(self) -> bool:
        """Whether the format has tags if `tag` names them."""
        return self.format in TAG_FORMATS

    @functools.cached_property
    def text_columns(self) -> tuple[str, ...]:
        """The columns of the text."""
        return (self.text,) if isinstance(self.text, str) else self.text

    @functools.cached_property
    def numbered(self) -> tuple[str, ...]:
        """The names of classes or tags that integers in the corpus stand for; empty if integers are names themselves.

        Only a list numbers its names, and only if none of them is an integer.
        """
        pairs = {tag: tag for tag in self.tags or ()} if self.kind.tokenized else self.labels or {}
        is_list = all(value == name and not _INTEGER.fullmatch(name) for value, name in pairs.items())
        return tuple(pairs) if is_list else ()

    @property
    def split_names(self) -> dict[str, str]:
        """The values allowed in the split column with the split of each; empty without such a column."""
        if self.split is None:
            return {}
        given = self.split_values or {}
        return {**{name: name for name in (*_USUAL_SPLITS, *given.values())}, **given}

    @property
    def has_span(self) -> bool:
        """Whether the path has placeholders of a span."""
        return any(mark in path for _, path in split_paths(self.path) for mark in (SPAN, *DATE))


_Weight = Annotated[int, Field(gt=0, le=1_000_000)]


class SplitSettings(RootModel[dict[str, _Weight]]):
    """The splits by name with their weights: {train: 8, eval: 1, test: 1} means 80, 10 and 10 %."""

    model_config = ConfigDict(frozen=True)

    root: dict[SplitName, _Weight] = Field(
        default={"train": 8, "eval": 1, "test": 1},
        description="Weight of each split by name; train and eval are required.",
    )

    @property
    def weights(self) -> dict[str, int]:
        """A copy of the weights by split, in the order of the configuration."""
        return dict(self.root)
