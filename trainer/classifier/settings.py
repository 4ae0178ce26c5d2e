"""Typed settings of the classifier, read from the job's YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from trainer.recurrent.settings import SequenceSettings, StackSettings
from trainer.settings import Settings

_RECURRENT = ("rnn", "rnn+attention", "hierarchical")

USED_BY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(StackSettings.model_fields, _RECURRENT),
    "pooling": ("rnn",),
    "pool_words": ("rnn",),
    "filters": ("cnn",),
    "filter_widths": ("cnn",),
    "attention_units": ("rnn+attention", "hierarchical"),
}
"""The encoders that a key is for; all others are for every encoder."""


DEFAULT_THRESHOLD = 0.5
"""The probability from which on a document has a label."""


def _thresholds(value: Any) -> Any:
    """Refuses all but the three forms in one sentence, where a union would tell of each for itself."""
    if value == "tuned":
        return value
    numbers = value.values() if isinstance(value, dict) and value else [value]
    if all(isinstance(n, int | float) and not isinstance(n, bool) and 0 < n < 1 for n in numbers):
        return value
    raise ValueError("it is neither tuned nor a number between 0 and 1, nor names of classes with such a number each")


Thresholds = Annotated[Literal["tuned"] | float | dict[str, float], BeforeValidator(_thresholds)]
"""One threshold, those of classes by their names, or those that make each class' F1 on the eval split highest."""


class BigramSettings(Settings):
    """Vectors of pairs of neighbouring words."""

    buckets: PositiveInt = Field(131_072, description="Rows of the table that pairs are hashed to.")
    width: PositiveInt = Field(8, description="Width of the vectors.")


class NgramSettings(Settings):
    """A linear classifier of n-grams."""

    longest: PositiveInt = Field(3, le=8, description="Words of the longest n-gram.")
    min_documents: PositiveInt = Field(2, description="N-grams that fewer training documents have are left out.")
    max_size: PositiveInt = Field(2_000_000, description="Most n-grams that are kept, those in the most documents.")


class ClassifierSettings(SequenceSettings):
    """The classifier and how it is trained."""

    encoder: Literal["rnn", "cnn", "average", "rnn+attention", "hierarchical"] = Field(
        "rnn",
        description="How a document becomes a vector: rnn, cnn (convolutions), average (the mean of its word vectors), "
        "rnn+attention, or hierarchical (words to segments, segments to the document), which needs "
        "`transform.eos: segment` or `transform.bos: segment`.",
    )
    pooling: Literal["max+mean", "last"] = Field(
        "max+mean", description="How the states of a document become one vector, with encoder rnn."
    )
    bigrams: BigramSettings | None = Field(
        BigramSettings(), description="Pairs of words, hashed and averaged, beside the encoder; null: none."
    )
    ngrams: NgramSettings | None = Field(
        None,
        description="A second head beside the encoder, linear in the n-grams of a document; its start is counted in "
        "the train split; null: none.",
    )
    pool_words: bool = Field(
        True, description="Pool the word vectors beside the recurrent states, with encoder rnn; not with last."
    )
    filters: PositiveInt = Field(100, description="Convolutions of each width, with encoder cnn.")
    filter_widths: tuple[PositiveInt, ...] = Field(
        (3, 4, 5), min_length=1, description="Words that a convolution reads at a time, with encoder cnn."
    )
    attention_units: PositiveInt = Field(
        64, description="Width of the layer that weighs words, with encoder rnn+attention or hierarchical."
    )
    thresholds: Thresholds = Field(
        DEFAULT_THRESHOLD,
        description="With corpus.multi_label, the probability from which on a document has a label: one for all"
        " classes, those of classes by name, or tuned: those with the highest F1 on the eval split.",
    )

    @property
    def recurrent(self) -> bool:
        """Whether the model has a recurrent layer."""
        return self.encoder in _RECURRENT

    @model_validator(mode="after")
    def _encoder_fits(self) -> ClassifierSettings:
        if self.encoder == "rnn" and self.pooling == "last" and self.residual:
            raise ValueError("pooling last keeps no steps that residual could add: set pooling to max+mean")
        if self.encoder == "hierarchical" and self.jit_compile:
            raise ValueError("jit_compile needs shapes that encoder hierarchical finds in the data: remove jit_compile")
        if len(set(self.filter_widths)) < len(self.filter_widths):
            raise ValueError("filter_widths names a width twice: raise filters instead")
        return self
