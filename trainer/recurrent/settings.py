"""Typed settings of recurrent layers and what they read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from trainer.settings import Embedding, EmbeddingSettings, Settings
from trainer.training.settings import TrainingSettings


class RecurrentSettings(Settings):
    """From tokens to the states of a recurrent layer."""

    embedding: Embedding = Field(EmbeddingSettings(width=64), description="Width of the word vectors, or a section.")
    word_dropout: float = Field(0.2, ge=0, lt=1, description="Share of words that training replaces by <unk>.")
    spatial_dropout: float = Field(0.4, ge=0, lt=1, description="Dropout of whole word-vector channels.")
    cell: Literal["lstm", "gru"] = Field("gru", description="The recurrent cell.")
    units: PositiveInt = Field(64, description="Width of the recurrent state, each direction.")
    bidirectional: bool = Field(True, description="Read each document in both directions.")
    activation: str = Field(
        "tanh", description="The cell's activation; anything but tanh rules the fused GPU kernel out."
    )
    recurrent_dropout: float = Field(
        0.0, ge=0, lt=1, description="Dropout of the recurrent state; above 0 rules the fused GPU kernel out."
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="Dropout before the output layer.")


class SequenceSettings(RecurrentSettings, TrainingSettings):
    """A recurrent model and how it is trained."""
