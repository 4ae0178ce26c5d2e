"""What of the corpus' settings cannot be, though each by itself is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from components.corpus_example_gen.settings import CorpusSettings

_COLUMN_FORMATS = ("csv", "tsv", "jsonl", "json", "parquet", "tf_example", "tf_sequence_example")
"""Formats whose records have named values; text and conll files have none."""
_BYTE_FORMATS = ("text", "csv", "tsv", "jsonl", "json", "conll")
"""Formats whose encoding is the file's own affair; the others say UTF-8."""


def problems(corpus: CorpusSettings) -> Iterator[str]:
    """Yields what is wrong, in words."""
    yield from _misplaced(corpus)
    yield from _contradictions(corpus)
    yield from _tags(corpus)


def _misplaced(corpus: CorpusSettings) -> Iterator[str]:
    """Settings that the format does not know."""
    belongs: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
        ("delimiter", corpus.delimiter is not None, ("csv", "conll")),
        ("document", corpus.document is not None, ("text",)),
        ("columns", corpus.columns is not None, ("conll",)),
        ("encoding", corpus.encoding != "utf-8", _BYTE_FORMATS),
        ("text", corpus.text != "text", _COLUMN_FORMATS),
        ("label", corpus.label is not None, _COLUMN_FORMATS),
        ("tokens", corpus.tokens != "tokens", ("tf_sequence_example",)),
        ("tag", corpus.tag is not None, ("tf_sequence_example",)),
        ("source", corpus.source is not None, _COLUMN_FORMATS),
        ("id", corpus.id is not None, _COLUMN_FORMATS),
        ("split", corpus.split is not None, _COLUMN_FORMATS),
        ("weight", corpus.weight is not None, _COLUMN_FORMATS),
        ("segment", corpus.segment != "document", (*_COLUMN_FORMATS, "text")),
    )
    for key, given, formats in belongs:
        if given and corpus.format not in formats:
            yield f"{key} belongs to format {', '.join(formats)}, found format {corpus.format}"


def _contradictions(corpus: CorpusSettings) -> Iterator[str]:
    """Settings that exclude each other."""
    if corpus.labels is not None and corpus.label is None:
        yield "labels needs label: the column or key to which they belong"
    if corpus.multi_label and corpus.label is None:
        yield "multi_label needs label: the column or key that holds the labels"
    if corpus.label_separator is not None and not corpus.multi_label:
        yield "label_separator needs multi_label: true, a document has one label otherwise"
    if corpus.split_values is not None and corpus.split is None:
        yield "split_values needs split: the column or key to which they belong"
    if corpus.split is not None and not isinstance(corpus.path, str):
        yield "splits are given by a column (split) or by files (a path for each), found both"
    for key in ("label", "id", "split"):
        if getattr(corpus, key) == corpus.text:
            yield f"text and {key} are the same column: {corpus.text}"
    if corpus.split is not None and corpus.split in (corpus.label, corpus.id):
        yield f"split and {'label' if corpus.split == corpus.label else 'id'} are the same column: {corpus.split}"
    if corpus.format == "text" and corpus.document in (None, "line") and corpus.segment != "document":
        yield f"segment: {corpus.segment} needs document: paragraph or file, a document is one line here"
    if corpus.document == "paragraph" and corpus.segment == "paragraph":
        yield "segment: paragraph needs document: file, a document is one paragraph here"
    if not corpus.has_span and (corpus.rolling is not None or corpus.span is not None):
        key = "rolling" if corpus.rolling is not None else "span"
        yield f"{key} needs {{SPAN}} or {{YYYY}}{{MM}}{{DD}} in the path"


def _tags(corpus: CorpusSettings) -> Iterator[str]:
    """What a tagged corpus cannot have."""
    if corpus.tag is not None and corpus.label is not None:
        yield "a record has one label (label) or a tag for each token (tag), found both"
    if corpus.tag is None and corpus.tokens != "tokens":
        yield "tokens needs tag: the feature list of their tags"
    if corpus.tag == corpus.tokens:
        yield f"tokens and tag are the same feature list: {corpus.tag}"
    if corpus.tags is not None and not corpus.kind.tokenized:
        yield "tags needs format conll, or tag: the feature list to which they belong"
