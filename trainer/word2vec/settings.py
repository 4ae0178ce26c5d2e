"""Typed settings of word vectors and their training, read from the job's YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from trainer.errors import Problem
from trainer.settings import MAX_SEED, Settings


class CharacterNgramSettings(Settings):
    """Character n-grams that words are composed of (Bojanowski et al. 2017, "Enriching Word Vectors", section 3.2)."""

    min: int = Field(
        3, gt=0, le=100, description="Shortest n-gram in characters, including `<` and `>` around each word."
    )
    max: int = Field(6, gt=0, le=100, description="Longest n-gram in characters.")
    buckets: int = Field(200_000, gt=0, le=100_000_000, description="Rows of the table that n-grams are hashed into.")

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.max < self.min:
            yield Problem(("max",), "max is smaller than min.", f"min {self.min}, max {self.max}")


class Word2vecSettings(Settings):
    """The vectors and their training (Mikolov et al. 2013, "Distributed Representations of Words and Phrases")."""

    seed: int = Field(
        1, ge=0, le=MAX_SEED, description="Seed of initial vectors, windows, negatives and the order of documents."
    )
    warm_start: bool = Field(
        False,
        description="Start from the weights of the last blessed model of the root; words and classes are matched by"
        " name.",
    )
    epochs: int = Field(5, gt=0, le=1_000_000, description="Number of passes over the train split.")
    model: Literal["skipgram", "cbow"] = Field(
        "skipgram",
        description="skipgram: each word predicts its neighbors; cbow: the mean of the neighbors predicts the word.",
    )
    loss: Literal["negative_sampling", "hierarchical_softmax"] = Field(
        "negative_sampling",
        description="negative_sampling: random words as negatives; hierarchical_softmax: a Huffman tree of the words.",
    )
    dimensions: int = Field(100, gt=0, le=65_536, description="Width of the vectors.")
    window: int = Field(5, gt=0, le=10_000, description="Number of words on each side of a word to train it with.")
    window_reduction: bool = Field(True, description="Draw each word's window from 1 to `window`, as the paper does.")
    boundary: Literal["document", "segment"] = Field(
        "document", description="Boundary that no window crosses; segment needs `transform.eos` or `bos: segment`."
    )
    negatives: int = Field(
        5, gt=0, le=1_000_000, description="Weight of the negatives, as a number of negatives per pair."
    )
    shared_negatives: int = Field(
        32,
        gt=0,
        le=1_000_000,
        description="Number of negatives drawn for 64 adjacent words, which share them at that weight.",
    )
    noise_exponent: float = Field(
        0.75, ge=-1_000, le=1_000, description="Exponent of the word counts by which negatives are drawn."
    )
    subsample: float | None = Field(
        1e-3,
        gt=0,
        le=1,
        description="Share of the corpus above which occurrences of a word are dropped at random; null: keep all.",
    )
    learning_rate: float = Field(0.025, gt=0, le=1e38, description="Initial learning rate of SGD.")
    min_learning_rate: float = Field(1e-4, gt=0, le=1e38, description="Final learning rate, after a linear decrease.")
    step_tokens: int = Field(
        512,
        gt=0,
        le=100_000_000,
        multiple_of=16,
        description="Number of words in a step; limited automatically for small vocabularies; raise it on GPUs.",
    )
    strategy: Literal["one_device", "mirrored"] = Field(
        "one_device",
        description="mirrored: every GPU of this machine takes a share of each step, with the same result.",
    )
    ngrams: CharacterNgramSettings | None = Field(
        None, description="Compose words from character n-grams, so that unseen words have vectors; null: whole words."
    )
    neighbors: int = Field(16, ge=0, le=10_000, description="Number of frequent words whose neighbors the log shows.")
    log_steps: int = Field(
        2_000, gt=0, le=1_000_000_000, description="Steps between log lines and between points of the curves."
    )
    index: Literal["hnsw"] | None = Field(
        None, description="Approximate index of neighbors in addition to the exact search; needs the extra `index`."
    )
