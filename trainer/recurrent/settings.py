"""Typed settings of recurrent layers and their input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from trainer.errors import Problem
from trainer.settings import Settings
from trainer.training.settings import TrainingSettings
from trainer.vectors.settings import Embedding, EmbeddingSettings

_UNIFORM_SCALE = 0.1


class WordSettings(Settings):
    """The input of a model: word vectors and their dropout."""

    embedding: Embedding = Field(EmbeddingSettings(width=64), description="Width of the word vectors, or a section.")
    word_dropout: float = Field(0.2, ge=0, lt=1, description="Share of words that training replaces by `<unk>`.")
    spatial_dropout: float = Field(0.4, ge=0, lt=1, description="Dropout of whole channels of the word vectors.")


class StackSettings(Settings):
    """One or more recurrent layers, each reading the states of the one below."""

    cell: Literal["lstm", "gru", "rnn"] = Field(
        "gru", description="The recurrent cell; rnn is the simple one, which cannot use the fused GPU kernel."
    )
    layers: int = Field(1, gt=0, le=1_000, description="Number of stacked recurrent layers.")
    units: int = Field(64, gt=0, le=65_536, description="Width of the recurrent state in each direction.")
    bidirectional: bool = Field(True, description="Read each document in both directions.")
    merge: Literal["concat", "sum", "mul", "ave"] = Field(
        "concat", description="How to combine the states of both directions: concatenation, sum, product or mean."
    )
    activation: Literal["tanh", "relu", "elu", "sigmoid", "softsign", "linear"] = Field(
        "tanh", description="The cell's activation; only tanh can use the fused GPU kernel."
    )
    input_dropout: float = Field(0.0, ge=0, lt=1, description="Dropout of each layer's input, drawn at each step.")
    output_dropout: float = Field(
        0.0, ge=0, lt=1, description="Dropout of the last layer's states, drawn at each step."
    )
    recurrent_dropout: float = Field(
        0.0, ge=0, lt=1, description="Dropout of the state, one mask for all steps; rules out the fused GPU kernel."
    )
    layer_norm: bool = Field(False, description="Normalize the states between layers; needs two layers.")
    residual: bool = Field(False, description="From the third layer on, add a layer's input to its states.")
    kernel_initializer: Literal["glorot", "orthogonal", "uniform"] = Field(
        "glorot", description="Initial input weights."
    )
    recurrent_initializer: Literal["orthogonal", "glorot", "uniform", "identity"] = Field(
        "orthogonal", description="Initial weights of the recurrent state; identity: for cell rnn with activation relu."
    )
    uniform_scale: float = Field(
        _UNIFORM_SCALE, gt=0, le=1_000, description="Largest absolute value of initializer uniform."
    )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.merge != "concat" and not self.bidirectional:
            fix = "set bidirectional: true, or remove merge"
            yield Problem(("merge",), f"merge {self.merge} needs two directions.", "bidirectional false", fix=fix)
        for key, least in (("layer_norm", 2), ("residual", 3)):
            if getattr(self, key) and self.layers < least:
                found, expected = f"layers {self.layers}", f"layers {least} or more"
                fix = f"set layers to {least}, or remove {key}"
                yield Problem((key,), f"{key} needs at least {least} layers.", found, expected, fix)
        if self.recurrent_initializer == "identity" and self.cell != "rnn":
            what, fix = "recurrent_initializer identity needs cell rnn.", "set cell: rnn, or choose another initializer"
            yield Problem(("recurrent_initializer",), what, f"cell {self.cell}", fix=fix)
        initializers = {key: getattr(self, key) for key in ("kernel_initializer", "recurrent_initializer")}
        if self.uniform_scale != _UNIFORM_SCALE and "uniform" not in initializers.values():
            found = ", ".join(f"{key} {value}" for key, value in initializers.items())
            fix = "set one of them to uniform, or remove uniform_scale"
            yield Problem(("uniform_scale",), "uniform_scale has no effect.", found, "an initializer uniform", fix)


class RecurrentSettings(StackSettings, WordSettings):
    """Word vectors and recurrent layers."""

    dropout: float = Field(0.5, ge=0, lt=1, description="Dropout before the output layer.")


class SequenceSettings(RecurrentSettings, TrainingSettings):
    """A recurrent model and its training."""

    @property
    def recurrent(self) -> bool:
        """Whether the model has a recurrent layer."""
        return True
