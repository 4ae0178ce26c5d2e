"""Typed settings of training, which all tasks with targets share."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from trainer.settings import Settings
from trainer.training.optimization.optimizer_settings import Optimizer, OptimizerSettings
from trainer.training.optimization.schedule_settings import Schedule, ScheduleSettings


def _weights(value: Any) -> Any:
    """Refuses all but the two forms in one sentence, where a union would tell of each for itself."""
    if value is None or value == "balanced":
        return value
    numbers = value.values() if isinstance(value, dict) and value else [None]
    if all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n < math.inf for n in numbers):
        return value
    raise ValueError("it is neither balanced nor names of classes with a number, 0 or more, each")


ClassWeights = Annotated[Literal["balanced"] | dict[str, float], BeforeValidator(_weights)]
"""Weights by the name of the class, or those that make all classes count alike."""


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
    accumulate: PositiveInt = Field(
        1, description="Batches whose gradients make one step, as of one batch of that many times the size."
    )
    optimizer: Optimizer = Field(
        OptimizerSettings(),
        description="adam, adamw, sgd, rmsprop or adagrad, or a section with the name and its keys.",
    )
    learning_rate: PositiveFloat = Field(2e-3, description="The highest learning rate; the default is one for Adam.")
    schedule: Schedule = Field(
        ScheduleSettings(),
        description="linear, constant, step, cosine, one_cycle or reduce_on_plateau, or a section with the name and its"
        " keys.",
    )
    warmup: float = Field(
        0.0,
        ge=0,
        description="The learning rate rises from zero, multiplied with the schedule: below 1 over this share of the"
        " run, from 1 on over this number of steps.",
    )
    clip_norm: PositiveFloat | None = Field(1.0, description="Gradients are scaled to this global norm; null: never.")
    patience: PositiveInt = Field(2, description="Epochs without a better eval loss before training stops.")
    label_smoothing: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the target that all classes get alike in training, against overconfidence.",
    )
    class_weights: ClassWeights | None = Field(
        None,
        description="What each class counts in training, by its name, 1 where it is not named; balanced: all classes"
        " alike, however rare; null: all targets alike.",
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="What a GPU computes in; the weights stay float32. float16 scales the loss."
    )
    strategy: Literal["one_device", "mirrored", "multi_worker"] = Field(
        "one_device",
        description="mirrored: every GPU of this machine takes a share of each batch's documents; multi_worker: those"
        " of all workers that TF_CONFIG names.",
    )
    jit_compile: bool = Field(False, description="Compile the step with XLA; rules the fused GPU kernel out.")
    log_steps: PositiveInt = Field(100, description="Steps between points of the curves in TensorBoard.")
    checkpoint_steps: PositiveInt = Field(
        1_000, description="Steps between checkpoints inside an epoch; every epoch ends with one."
    )
    samples: int = Field(5, ge=0, le=100, description="Eval documents that TensorBoard shows with their predictions.")
    sanity: bool = Field(
        False,
        description="Before training, check that the loss is at chance level and that two batches can be overfitted.",
    )

    @model_validator(mode="after")
    def _parts_go_together(self) -> TrainingSettings:
        if self.warmup and self.schedule.name == "one_cycle":
            raise ValueError("one_cycle rises by itself: remove warmup, or set schedule.rise")
        if self.warmup > 1 and self.warmup != int(self.warmup):
            raise ValueError(f"warmup {self.warmup:g} is no number of steps: give a whole number, or a share below 1")
        plateau = self.schedule.constant("patience") if self.schedule.name == "reduce_on_plateau" else 0
        if plateau >= self.patience:
            raise ValueError(
                f"reduce_on_plateau waits {plateau:g} epochs, and training stops after {self.patience} (patience):"
                " raise trainer.patience, or lower schedule.patience"
            )
        if self.precision == "float16" and self.strategy != "one_device":
            raise ValueError("float16 goes with one device alone: set precision to bfloat16, which scales no loss")
        return self
