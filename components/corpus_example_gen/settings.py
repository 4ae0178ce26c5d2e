"""Typed settings of the corpus and of its splits, read from the job's YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, RootModel

from components.corpus_example_gen.value_types import (
    DATE,
    SPAN,
    Column,
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
_COLUMN_FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "tf_example", "tf_sequence_example")
"""Formats whose records have named values; the others have none, except for CoNLL-U's comments."""
_FORMATS_OF_KEYS = {
    "delimiter": ("csv", "conll"),
    "document": ("text",),
    "columns": ("conll",),
    **dict.fromkeys(("header", "quoting", "escape", "skip_blanks"), ("csv", "tsv")),
    # Other formats define their own encoding, UTF-8.
    "encoding": ("text", "csv", "tsv", "jsonl", "json", "conll", "conllu"),
    **dict.fromkeys(("text", "label", "split", "weight"), _COLUMN_FORMATS),
    **dict.fromkeys(("source", "id"), (*_COLUMN_FORMATS, "conllu")),
    "tokens": ("tf_sequence_example",),
    "tag": ("tf_sequence_example", "conllu"),
    "segment": (*_COLUMN_FORMATS, "text"),
}
"""The formats that use a key; all formats use the other keys."""


class ColumnSettings(Settings):
    """The columns of a conll file, numbered from 1; negative numbers count from the last column."""

    token: int = Field(1, ge=-100_000, le=100_000, description="Column of the token: 1 is the first, -1 the last.")
    tag: int = Field(-1, ge=-100_000, le=100_000, description="Column of the tag: 1 is the first, -1 the last.")
    comment: Name | None = Field(None, description="Prefix of lines to skip; null: none.")
    uneven: bool = Field(
        False,
        description="Allow lines of a sentence to differ in their number of columns, e.g. where an annotation tool left"
        " a column out.",
    )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        for key in ("token", "tag"):
            if getattr(self, key) == 0:
                expected = "1 for the first column, -1 for the last"
                yield Problem((key,), "A column number cannot be 0.", f"{key} 0", expected)
        if self.token == self.tag:
            yield Problem(("tag",), "One column cannot hold both the token and the tag.", f"column {self.tag}")


class CorpusSettings(Settings):
    """The corpus files and how to read a record."""

    format: Literal[
        "text", "csv", "tsv", "jsonl", "json", "parquet", "tf_example", "tf_sequence_example", "conll", "conllu"
    ] = Field(description="Format of the files.")
    path: CorpusPath = Field(
        description="File, folder, glob, URL of a Beam filesystem, or package:<package>/<file> for a file of an"
        " installed package; or a list of these; or either for each split. {SPAN}, {VERSION} and"
        " {YYYY}{MM}{DD} are placeholders of a span.",
    )
    text: Column = Field("text", description="Column, key or feature of the document's text.")
    label: Column | None = Field(None, description="Column, key or feature of the class; null: no labels.")
    multi_label: bool = Field(
        False,
        description="A document has any number of labels, including none: label holds a list, or text to split at"
        " label_separator.",
    )
    label_separator: Name | None = Field(None, description="Separator of labels in one text; null: a comma.")
    source: Column | None = Field(None, description="Column or key of a document's origin; null: the file's name.")
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
        " are the same; null: any label is allowed.",
    )
    tokens: Name = Field("tokens", description="Feature list of the tokens of a tagged sentence.")
    tag: Name | None = Field(
        None,
        description="Feature list of the tags, one per token; null: the corpus has no tags. In conllu files: upos, xpos"
        " or the name of a feature such as Case; null: upos.",
    )
    tags: Tags | None = Field(
        None,
        description="Tags of a tagged corpus in the order of their ids; null: the tags of the train split, sorted.",
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
        None, description="Character that makes the next one part of the field, e.g. a backslash; null: none."
    )
    skip_blanks: bool = Field(False, description="Skip blanks behind a delimiter.")
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
        for key, formats in _FORMATS_OF_KEYS.items():
            changed = getattr(self, key) != type(self).model_fields[key].default
            if changed and self.format not in formats:
                what, expected = f"{key} does not apply to format {self.format}.", f"format {', '.join(formats)}"
                yield Problem((key,), what, f"format {self.format}", expected, f"remove {key}")

    def _missing_keys(self) -> Iterator[Problem]:
        """Yields the keys that need another key."""
        spans = "{SPAN} or {YYYY}{MM}{DD} in path"
        needs: tuple[tuple[str, object, str, str], ...] = (
            ("labels", self.label, "label", "the column or key of the class under label"),
            ("multi_label", self.label, "label", "the column or key of the labels under label"),
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
            column = getattr(self, role)
            if column in roles:
                yield Problem((role,), f"One column cannot be both {roles[column]} and {role}.", column)
            elif column is not None:
                roles[column] = role

    def _tag_problems(self) -> Iterator[Problem]:
        if self.tag is not None and self.label is not None:
            found, fix = f"label {self.label}, tag {self.tag}", "remove label or tag"
            yield Problem(("tag",), "A record cannot have both a label and tags.", found, fix=fix)
        if self.tag is None and self.tokens != "tokens":
            yield Problem(("tokens",), "tokens needs tag.", expected="tag: the feature list of the tags")
        if self.tag == self.tokens:
            yield Problem(("tag",), "One feature list cannot be both tokens and tag.", self.tag)
        if self.tags is not None and not self.kind.tokenized:
            expected = "format conll or conllu, or tag: the feature list of the tags"
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
        if self.label is None:
            return kinds.PLAIN_TEXT
        return kinds.MULTI_LABELLED_TEXT if self.multi_label else kinds.LABELLED_TEXT

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
