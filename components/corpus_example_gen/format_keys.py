"""The formats of a corpus: which keys they use, their suffixes, and the settings of conll's columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import Field

from components.corpus_example_gen.value_types import Name
from trainer.errors import Problem
from trainer.settings import Settings

_TABLES = ("csv", "tsv")
COLUMN_FORMATS = (*_TABLES, "jsonl", "json", "parquet", "tf_example", "tf_sequence_example")
"""Formats whose records have named values; the others have none, except for CoNLL-U's comments."""
TAG_FORMATS = ("jsonl", "json", "parquet", "tf_example", "tf_sequence_example", "conllu")
"""Formats whose tags have a name."""

FORMATS_OF_KEYS = {
    "delimiter": ("csv", "conll"),
    "document": ("text",),
    "columns": ("conll",),
    "records": ("json",),
    **dict.fromkeys(("header", "quoting", "escape", "skip_blanks", "short_rows"), _TABLES),
    # Other formats define their own encoding, UTF-8.
    "encoding": ("text", "fasttext", *_TABLES, "jsonl", "json", "conll", "conllu"),
    **dict.fromkeys(("text", "split", "weight"), COLUMN_FORMATS),
    **dict.fromkeys(("label", "label_separator"), (*COLUMN_FORMATS, "text")),
    **dict.fromkeys(("source", "id"), (*COLUMN_FORMATS, "conllu")),
    "tokens": tuple(name for name in TAG_FORMATS if name != "conllu"),
    "tag": TAG_FORMATS,
    "segment": (*COLUMN_FORMATS, "text"),
}
"""The formats that use a key; all formats use the other keys."""

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".txt": "text",
    ".conll": "conll",
    ".conllu": "conllu",
}
_COMPRESSIONS = {".gz", ".bz2", ".xz", ".zst"}


def suffix_of(path: str) -> str:
    """Returns the suffix of a file's name, without that of its compression; empty if it has none."""
    suffixes = [suffix for suffix in PurePosixPath(path).suffixes if suffix not in _COMPRESSIONS]
    return suffixes[-1] if suffixes else ""


def format_of(path: str) -> str | None:
    """Returns the format that the suffix of a file's name stands for, if any."""
    return _SUFFIXES.get(suffix_of(path))


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
