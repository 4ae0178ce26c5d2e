"""Typed settings of the classifier, read from the job's YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt

from trainer.errors import Problem
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
"""The encoders that use a key; all encoders use the other keys."""

DEFAULT_THRESHOLD = 0.5
"""The lowest probability of a predicted label."""


def _thresholds(value: Any) -> Any:
    """Rejects other forms with one message; a union would give one message per form."""
    if value == "tuned":
        return value
    numbers = value.values() if isinstance(value, dict) and value else [value]
    if all(isinstance(n, int | float) and not isinstance(n, bool) and 0 < n < 1 for n in numbers):
        return value
    raise ValueError("it is neither tuned nor a number between 0 and 1, nor a mapping of classes to such numbers")


Thresholds = Annotated[Literal["tuned"] | float | dict[str, float], BeforeValidator(_thresholds)]
"""One threshold, thresholds by class name, or `tuned`: those that maximize each class' F1 on the eval split."""


class BigramSettings(Settings):
    """Vectors of pairs of adjacent words."""

    buckets: PositiveInt = Field(131_072, description="Rows of the table that pairs are hashed into.")
    width: PositiveInt = Field(8, description="Width of the vectors.")


class NgramSettings(Settings):
    """A linear classifier of n-grams."""

    longest: PositiveInt = Field(3, le=8, description="Length of the longest n-gram, in words.")
    min_documents: PositiveInt = Field(2, description="Drop n-grams found in fewer training documents than this.")
    max_size: PositiveInt = Field(2_000_000, description="Maximum number of n-grams, by number of documents.")


class ClassifierSettings(SequenceSettings):
    """The classifier and its training."""

    encoder: Literal["rnn", "cnn", "average", "rnn+attention", "hierarchical"] = Field(
        "rnn",
        description="How to encode a document as a vector: rnn, cnn (convolutions), average (the mean of its word"
        " vectors), rnn+attention, or hierarchical (words to segments, segments to the document), which needs"
        " `transform.eos: segment` or `transform.bos: segment`.",
    )
    pooling: Literal["max+mean", "last"] = Field(
        "max+mean", description="How encoder rnn reduces the states of a document to one vector."
    )
    bigrams: BigramSettings | None = Field(
        BigramSettings(), description="Vectors of hashed word pairs, in addition to the encoder; null: none."
    )
    ngrams: NgramSettings | None = Field(
        None, description="A second head, linear in n-grams, with weights counted in the train split; null: none."
    )
    pool_words: bool = Field(True, description="Pool the word vectors too, with encoder rnn and pooling max+mean.")
    filters: PositiveInt = Field(100, description="Number of convolutions of each width, with encoder cnn.")
    filter_widths: tuple[PositiveInt, ...] = Field(
        (3, 4, 5), min_length=1, description="Widths of the convolutions in words, with encoder cnn."
    )
    attention_units: PositiveInt = Field(64, description="Width of the attention of rnn+attention and hierarchical.")
    thresholds: Thresholds = Field(
        DEFAULT_THRESHOLD,
        description="With corpus.multi_label, the lowest probability of a predicted label: one for all classes, one for"
        " each class by name, or tuned: those with the highest F1 on the eval split.",
    )

    @property
    def recurrent(self) -> bool:
        """Whether the model has a recurrent layer."""
        return self.encoder in _RECURRENT

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.encoder == "rnn" and self.pooling == "last" and self.residual:
            found = "pooling last, which drops the steps that residual adds to"
            fix = "set pooling: max+mean, or remove residual"
            yield Problem(("pooling",), "pooling last cannot be combined with residual.", found, fix=fix)
        if self.encoder == "hierarchical" and self.jit_compile:
            found = "segments, whose number depends on the data; XLA needs fixed shapes"
            what = "jit_compile cannot be combined with encoder hierarchical."
            yield Problem(("jit_compile",), what, found, fix="remove jit_compile")
        if len(set(self.filter_widths)) < len(self.filter_widths):
            found = ", ".join(map(str, self.filter_widths))
            yield Problem(("filter_widths",), "filter_widths has a duplicate.", found, fix="raise filters instead")
