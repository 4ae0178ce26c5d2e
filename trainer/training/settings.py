"""Typed settings of training, which all tasks with targets share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from trainer.settings import Settings


class TrainingSettings(Settings):
    """How a model is trained."""

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
    label_smoothing: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the target that all classes get alike in training, against overconfidence.",
    )
    jit_compile: bool = Field(False, description="Compile the step with XLA; rules the fused GPU kernel out.")
