"""Typed settings of the transform and the trainer, read from the job's YAML."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class Settings(BaseModel):
    """A frozen section of the configuration in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TruncateSettings(Settings):
    """How long documents are cut."""

    to: PositiveInt = Field(description="Longest sequence kept, in tokens.")
    keep: Literal["head", "tail", "head+tail"] = Field(
        "head", description="Which end is kept; head+tail keeps the first quarter and the last three."
    )


class TransformSettings(Settings):
    """Raw text to token ids."""

    tokenizer: Literal["words"] = Field("words", description="How text is cut into tokens.")
    lowercase: bool = Field(True, description="Lower-case the text (Unicode).")
    max_size: PositiveInt = Field(20_000, description="Words in the vocabulary, reserved ids not counted.")
    min_count: PositiveInt = Field(2, description="A word seen less often in train is unknown.")
    truncate: TruncateSettings | None = Field(None, description="Cut long documents; null keeps them whole.")


class OutputSettings(Settings):
    """How TFRecord files are written."""

    compression: Literal["gzip", "none"] = Field("gzip", description="gzip: a third of the bytes; none: plain files.")
    shard_mb: PositiveInt = Field(32, description="Megabytes of corpus that go into one file, before compression.")

    @property
    def suffix(self) -> str:
        """The end of the files' names, `.gz` or nothing."""
        return ".gz" if self.compression == "gzip" else ""


class TrainerSettings(Settings):
    """The classifier and how it is trained."""

    seed: int = Field(1, ge=0, description="Seeds initial weights, dropout and the order of documents.")
    epochs: PositiveInt = Field(4, description="Most passes over the train split.")
    batch_tokens: PositiveInt = Field(16_384, description="Tokens a batch holds at most, padding included.")
    batch_documents: PositiveInt = Field(
        64, description="Documents a batch holds at most: a step's mean gradient must not drown short documents."
    )
    window: PositiveInt = Field(
        6_400, description="Documents sorted by length together before they are cut into batches."
    )
    learning_rate: PositiveFloat = Field(2e-3, description="Adam's learning rate at the start.")
    decay: Literal["linear", "none"] = Field(
        "linear", description="linear: the learning rate falls to zero over all epochs; none: it stays."
    )
    clip_norm: PositiveFloat | None = Field(1.0, description="Gradients are scaled to this global norm; null: never.")
    patience: PositiveInt = Field(2, description="Epochs without a better eval loss before training stops.")
    embedding: PositiveInt = Field(64, description="Width of the word vectors.")
    cell: Literal["lstm", "gru"] = Field("gru", description="The recurrent cell.")
    units: PositiveInt = Field(64, description="Width of the recurrent state, each direction.")
    bidirectional: bool = Field(True, description="Read each document in both directions.")
    pooling: Literal["max+mean", "last"] = Field(
        "max+mean", description="How the states of a document become one vector."
    )
    pool_words: bool = Field(True, description="Pool the word vectors beside the recurrent states; not with last.")
    activation: str = Field(
        "tanh", description="The cell's activation; anything but tanh rules the fused GPU kernel out."
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="Dropout before the output layer.")
    word_dropout: float = Field(0.2, ge=0, lt=1, description="Share of words that training replaces by <unk>.")
    spatial_dropout: float = Field(0.4, ge=0, lt=1, description="Dropout of whole word-vector channels.")
    label_smoothing: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the target that all classes get alike in training, against overconfidence.",
    )
    recurrent_dropout: float = Field(
        0.0, ge=0, lt=1, description="Dropout of the recurrent state; above 0 rules the fused GPU kernel out."
    )
    jit_compile: bool = Field(False, description="Compile the step with XLA; rules the fused GPU kernel out.")
