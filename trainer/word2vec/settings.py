"""Typed settings of the word-vector task, read from the job's YAML."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from trainer.settings import Settings


class CharacterNgramSettings(Settings):
    """Character n-grams that words are composed of (Bojanowski et al. 2017, "Enriching Word Vectors", section 3.2)."""

    min: PositiveInt = Field(3, description="Shortest n-gram, in characters, `<` and `>` around the word included.")
    max: PositiveInt = Field(6, description="Longest n-gram.")
    buckets: PositiveInt = Field(200_000, description="Rows of the table that n-grams are hashed to.")

    @model_validator(mode="after")
    def _ordered(self) -> CharacterNgramSettings:
        if self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}")
        return self


class Word2vecSettings(Settings):
    """The vectors and their training (Mikolov et al. 2013, "Distributed Representations of Words and Phrases")."""

    seed: int = Field(1, ge=0, description="Seeds initial vectors, windows, negatives and the order of documents.")
    epochs: PositiveInt = Field(5, description="Passes over the train split.")
    model: Literal["skipgram", "cbow"] = Field(
        "skipgram", description="skipgram: each word predicts its neighbours; cbow: their mean predicts the word."
    )
    loss: Literal["negative_sampling", "hierarchical_softmax"] = Field(
        "negative_sampling", description="hierarchical_softmax: a Huffman tree of the words, no negatives."
    )
    dimensions: PositiveInt = Field(100, description="Width of the vectors.")
    window: PositiveInt = Field(5, description="Words on each side that a word is trained with.")
    window_reduction: bool = Field(True, description="Draw each word's window from 1 to `window`, as the paper does.")
    boundary: Literal["document", "segment"] = Field(
        "document",
        description="What no window crosses; segment needs `transform.eos: segment` or `transform.bos: segment`.",
    )
    negatives: PositiveInt = Field(5, description="Weight of the negatives: as many as this for each pair.")
    shared_negatives: PositiveInt = Field(
        32, description="Negatives drawn for 64 neighbouring words, which share them at that weight."
    )
    noise_exponent: float = Field(0.75, description="Negatives are drawn by count to this power.")
    subsample: PositiveFloat | None = Field(
        1e-3, description="Share of the corpus above which a word is left out at random; null: none is."
    )
    learning_rate: PositiveFloat = Field(0.025, description="SGD's rate at the start.")
    min_learning_rate: PositiveFloat = Field(1e-4, description="The rate at the end, reached linearly.")
    step_tokens: PositiveInt = Field(
        512,
        multiple_of=16,
        description="Words that one step updates together, with few words in the vocabulary fewer; more on a GPU.",
    )
    strategy: Literal["one_device", "mirrored"] = Field(
        "one_device", description="mirrored: every GPU of the machine takes a share of each step, with the same result."
    )
    ngrams: CharacterNgramSettings | None = Field(
        None, description="Compose words of character n-grams, so that unseen words have vectors; null: whole words."
    )
    neighbors: int = Field(16, ge=0, description="Frequent words whose neighbours the log shows.")
    log_steps: PositiveInt = Field(2_000, description="Steps between two lines of the log and points of the curves.")
    index: Literal["hnsw"] | None = Field(
        None, description="hnsw: also write an approximate index of neighbours; needs the extra `index`."
    )
