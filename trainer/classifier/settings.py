"""Typed settings of the classifier, read from the job's YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

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


_Probability = Annotated[float, Field(gt=0, lt=1)]
Thresholds = Annotated[Literal["tuned"] | _Probability | dict[str, _Probability], BeforeValidator(_thresholds)]
"""One threshold, thresholds by class name, or `tuned`: those that maximize each class' F1 on the eval split."""


def _auto_or_bool(value: Any) -> Any:
    """Rejects other forms with one message; a union would give one message per form."""
    if value == "auto" or isinstance(value, bool):
        return value
    raise ValueError("it is neither auto nor true or false")


Parts = Annotated[Literal["auto"] | bool, BeforeValidator(_auto_or_bool)]
"""Whether to read parts of words; `auto`: if the train split has few tokens."""


class BigramSettings(Settings):
    """Vectors of pairs of adjacent words."""

    buckets: int = Field(131_072, gt=0, le=100_000_000, description="Rows of the table that pairs are hashed into.")
    width: int = Field(8, gt=0, le=65_536, description="Width of the vectors.")


class NgramSettings(Settings):
    """A linear classifier of n-grams, joined with the encoder."""

    longest: int = Field(3, gt=0, le=8, description="Length of the longest n-gram, in words.")
    parts: Parts = Field(
        "auto",
        description="Also read parts of words, 3 to 5 characters that two or more words have in common; auto: if the"
        " train split has few tokens.",
    )
    min_documents: int = Field(
        2, gt=0, le=1_000_000_000, description="Drop n-grams found in fewer training documents than this."
    )
    max_size: int = Field(
        2_000_000, gt=0, le=100_000_000, description="Maximum number of n-grams, by number of documents."
    )


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
        NgramSettings(),
        description="A linear classifier of n-grams, fitted to the train split and added to the encoder's answer by"
        " shares that the eval split decides; null: none.",
    )
    pool_words: bool = Field(True, description="Pool the word vectors too, with encoder rnn and pooling max+mean.")
    filters: int = Field(100, gt=0, le=65_536, description="Number of convolutions of each width, with encoder cnn.")
    filter_widths: tuple[Annotated[int, Field(gt=0, le=1_000)], ...] = Field(
        (3, 4, 5), min_length=1, description="Widths of the convolutions in words, with encoder cnn."
    )
    attention_units: int = Field(
        64, gt=0, le=65_536, description="Width of the attention of rnn+attention and hierarchical."
    )
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
