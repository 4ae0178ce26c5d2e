"""Typed settings of a model's embedding table, from the job's YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from trainer.errors import Problem
from trainer.settings import Settings


class EmbeddingSettings(Settings):
    """The table of word vectors: its width, or the vectors that initialize it."""

    # Components get their settings as JSON, which must be readable by alias.
    model_config = ConfigDict(serialize_by_alias=True)

    width: int | None = Field(None, gt=0, le=65_536, description="Width of randomly initialized vectors.")
    source: str | None = Field(
        None,
        alias="from",
        min_length=1,
        description="Pretrained vectors, which set the width: the root of a run that publishes word vectors, or a file"
        " in word2vec or GloVe format; an absolute path, a path relative to this file, or package:<package>/<file>.",
    )
    frozen: bool = Field(False, description="Keep the vectors of `from` unchanged in training.")

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.width is None and self.source is None:
            yield Problem(("width",), "The embedding has neither width nor from.", fix="set one of them")
        elif self.width is not None and self.source is not None:
            found = f"width {self.width} and from {self.source}, whose vectors have their own width"
            yield Problem(("width",), "width cannot be combined with from.", found, fix="remove width or from")
        if self.frozen and self.source is None:
            found = "vectors that start at random and would never be trained"
            yield Problem(("frozen",), "frozen needs from.", found, fix="set from, or remove frozen")


def _embedding(value: Any) -> Any:
    """Expands an integer into a section with only the width."""
    return {"width": value} if isinstance(value, int) and not isinstance(value, bool) else value


Embedding = Annotated[
    EmbeddingSettings,
    BeforeValidator(_embedding, json_schema_input_type=Annotated[int, Field(gt=0, le=65_536)] | EmbeddingSettings),
]
"""The section, or only the width."""
