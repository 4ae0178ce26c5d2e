"""Typed settings of the classifier, read from the job's YAML."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from trainer.recurrent.settings import SequenceSettings
from trainer.settings import Settings


class BigramSettings(Settings):
    """Vectors of pairs of neighbouring words."""

    buckets: PositiveInt = Field(131_072, description="Rows of the table that pairs are hashed to.")
    width: PositiveInt = Field(8, description="Width of the vectors.")


class ClassifierSettings(SequenceSettings):
    """The classifier and how it is trained."""

    pooling: Literal["max+mean", "last"] = Field(
        "max+mean", description="How the states of a document become one vector."
    )
    bigrams: BigramSettings | None = Field(
        BigramSettings(), description="Pairs of words, hashed and averaged, beside the recurrent layer; null: none."
    )
    pool_words: bool = Field(True, description="Pool the word vectors beside the recurrent states; not with last.")
