"""Which formats of a corpus use which keys, and the settings of a format of its own."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from components.corpus_example_gen.value_types import Name
from trainer.errors import Problem
from trainer.settings import Settings

_TABLES = ("csv", "tsv")
_COLUMN_FORMATS = (*_TABLES, "jsonl", "json", "parquet", "tf_example", "tf_sequence_example")
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
    **dict.fromkeys(("text", "split", "weight"), _COLUMN_FORMATS),
    **dict.fromkeys(("label", "label_separator"), (*_COLUMN_FORMATS, "text")),
    **dict.fromkeys(("source", "id"), (*_COLUMN_FORMATS, "conllu")),
    "tokens": tuple(name for name in TAG_FORMATS if name != "conllu"),
    "tag": TAG_FORMATS,
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
