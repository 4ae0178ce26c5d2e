"""Typed settings of recurrent layers and what they read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from trainer.settings import Embedding, EmbeddingSettings, Settings
from trainer.training.settings import TrainingSettings

_UNIFORM_SCALE = 0.1


class WordSettings(Settings):
    """From tokens to their vectors."""

    embedding: Embedding = Field(EmbeddingSettings(width=64), description="Width of the word vectors, or a section.")
    word_dropout: float = Field(0.2, ge=0, lt=1, description="Share of words that training replaces by <unk>.")
    spatial_dropout: float = Field(0.4, ge=0, lt=1, description="Dropout of whole word-vector channels.")


class StackSettings(Settings):
    """One recurrent layer, or several, each of which reads the states of the one below."""

    cell: Literal["lstm", "gru", "rnn"] = Field(
        "gru", description="The recurrent cell; rnn, the simple one, rules the fused GPU kernel out."
    )
    layers: PositiveInt = Field(1, description="Recurrent layers, stacked.")
    units: PositiveInt = Field(64, description="Width of the recurrent state, each direction.")
    bidirectional: bool = Field(True, description="Read each document in both directions.")
    merge: Literal["concat", "sum", "mul", "ave"] = Field(
        "concat",
        description="How the states of both directions become one: side by side, or their sum, product or mean.",
    )
    activation: Literal["tanh", "relu", "elu", "sigmoid", "softsign", "linear"] = Field(
        "tanh", description="The cell's activation; anything but tanh rules the fused GPU kernel out."
    )
    input_dropout: float = Field(
        0.0, ge=0, lt=1, description="Dropout of what each recurrent layer reads, drawn anew at each step."
    )
    output_dropout: float = Field(
        0.0, ge=0, lt=1, description="Dropout of the states of the last recurrent layer, drawn anew at each step."
    )
    recurrent_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Dropout of the recurrent state, one mask for all steps; above 0 rules the fused GPU kernel out.",
    )
    layer_norm: bool = Field(False, description="Normalise the states between two layers.")
    residual: bool = Field(False, description="From the third layer on, add what a layer reads to its states.")
    kernel_initializer: Literal["glorot", "orthogonal", "uniform"] = Field(
        "glorot", description="How the weights of what a layer reads start."
    )
    recurrent_initializer: Literal["orthogonal", "glorot", "uniform", "identity"] = Field(
        "orthogonal", description="How the weights of the recurrent state start; identity: for cell rnn with relu."
    )
    uniform_scale: PositiveFloat = Field(
        _UNIFORM_SCALE, description="Initializers uniform draw from minus this to this."
    )

    @model_validator(mode="after")
    def _layers_fit_together(self) -> StackSettings:
        if self.merge != "concat" and not self.bidirectional:
            raise ValueError(f"merge {self.merge} joins two directions: set bidirectional, or remove merge")
        if self.layer_norm and self.layers < 2:
            raise ValueError(
                "layer_norm stands between layers, and there is one: set layers to 2 or more, or remove it"
            )
        if self.residual and self.layers < 3:
            raise ValueError(
                f"residual begins at the third layer, and layers is {self.layers}: set layers to 3, or remove it"
            )
        return self

    @model_validator(mode="after")
    def _initializers_fit(self) -> StackSettings:
        if self.recurrent_initializer == "identity" and self.cell != "rnn":
            raise ValueError(
                f"recurrent_initializer identity is for cell rnn: the gates of {self.cell} have weights of their own"
            )
        drawn = "uniform" in (self.kernel_initializer, self.recurrent_initializer)
        if self.uniform_scale != _UNIFORM_SCALE and not drawn:
            raise ValueError(
                "uniform_scale has no use: neither kernel_initializer nor recurrent_initializer is uniform"
            )
        return self


class RecurrentSettings(StackSettings, WordSettings):
    """From tokens to the states of recurrent layers."""

    dropout: float = Field(0.5, ge=0, lt=1, description="Dropout before the output layer.")


class SequenceSettings(RecurrentSettings, TrainingSettings):
    """A recurrent model and how it is trained."""

    @property
    def recurrent(self) -> bool:
        """Whether the model has a recurrent layer."""
        return True
