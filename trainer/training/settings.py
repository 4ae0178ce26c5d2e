"""Typed settings of the training loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from trainer.errors import Problem
from trainer.settings import MAX_SEED, Settings
from trainer.training.optimization.optimizer_settings import Optimizer, OptimizerSettings
from trainer.training.optimization.schedule_settings import Schedule, ScheduleSettings

AUTO: Literal["auto"] = "auto"
"""Stands for a number that suits the size of the train split; see `trainer.training.pace`."""

MAX_WEIGHT = 1_000_000
"""The largest weight of a class."""


def _weights(value: Any) -> Any:
    """Rejects other forms with one message; a union would give one message per form."""
    if value is None or value == "balanced":
        return value
    numbers = value.values() if isinstance(value, dict) and value else [None]
    if all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n <= MAX_WEIGHT for n in numbers):
        return value
    raise ValueError(f"it is neither balanced nor a mapping of classes to numbers from 0 to {MAX_WEIGHT:,}")


ClassWeights = Annotated[
    Literal["balanced"] | dict[str, Annotated[float, Field(ge=0, le=MAX_WEIGHT)]], BeforeValidator(_weights)
]
"""Weights by class name, or `balanced`: the same total weight for all classes."""


def _auto_or(kind: type[int] | type[float], highest: float) -> BeforeValidator:
    """Rejects other forms with one message; a union would give one message per form."""

    def check(value: Any) -> Any:
        number = isinstance(value, (int, kind)) and not isinstance(value, bool)
        if value == AUTO or (number and 0 < value <= highest):
            return value
        what, bound = ("whole number", f"{highest:,}") if kind is int else ("number", f"{highest:g}")
        raise ValueError(f"it is neither auto nor a {what} above 0, at most {bound}")

    return BeforeValidator(check)


_MAX_EPOCHS, _MAX_BATCH_TOKENS, _MAX_BATCH_DOCUMENTS, _MAX_RATE = 1_000_000, 100_000_000, 10_000_000, 1e38

Epochs = Annotated[Literal["auto"] | Annotated[int, Field(gt=0, le=_MAX_EPOCHS)], _auto_or(int, _MAX_EPOCHS)]
BatchTokens = Annotated[
    Literal["auto"] | Annotated[int, Field(gt=0, le=_MAX_BATCH_TOKENS)], _auto_or(int, _MAX_BATCH_TOKENS)
]
BatchDocuments = Annotated[
    Literal["auto"] | Annotated[int, Field(gt=0, le=_MAX_BATCH_DOCUMENTS)], _auto_or(int, _MAX_BATCH_DOCUMENTS)
]
LearningRate = Annotated[Literal["auto"] | Annotated[float, Field(gt=0, le=_MAX_RATE)], _auto_or(float, _MAX_RATE)]


N = TypeVar("N", int, float)


def given(value: Literal["auto"] | N) -> N:
    """Returns the number of a setting.

    Raises:
        ValueError: If the size of the train split has not replaced `auto` yet.
    """
    if value == AUTO:
        raise ValueError("a setting is auto where its number is needed")
    return value


class TrainingSettings(Settings):
    """The settings of a training run."""

    seed: int = Field(
        1, ge=0, le=MAX_SEED, description="Seed of the initial weights, dropout and the order of documents."
    )
    warm_start: bool = Field(
        False,
        description="Start from the weights of the last blessed model of the root; words and classes are matched by"
        " name.",
    )
    epochs: Epochs = Field(
        AUTO, description="Maximum number of passes over the train split; auto: by its size, more for a small one."
    )
    batch_tokens: BatchTokens = Field(
        AUTO,
        description="Maximum number of tokens in a batch, including padding; auto: by the size of the train split.",
    )
    batch_documents: BatchDocuments = Field(
        AUTO,
        description="Maximum number of documents in a batch, so that short documents keep their influence; auto: by the"
        " size of the train split.",
    )
    window: int = Field(
        6_400, gt=0, le=1_000_000_000, description="Number of documents sorted by length together before batching."
    )
    accumulate: int = Field(
        1,
        gt=0,
        le=1_000_000,
        description="Number of batches whose gradients are combined in one step, which acts as one larger batch.",
    )
    optimizer: Optimizer = Field(
        OptimizerSettings(), description="adam, adamw, sgd, rmsprop or adagrad, or a section with name and keys."
    )
    learning_rate: LearningRate = Field(AUTO, description="Peak learning rate; auto: one that suits Adam.")
    schedule: Schedule = Field(
        ScheduleSettings(),
        description="linear, constant, step, cosine, one_cycle, reduce_on_plateau, or a section with name and keys.",
    )
    warmup: float = Field(
        0.0,
        ge=0,
        le=1e9,
        description="Linear rise of the learning rate, times the schedule: a share of the run (below 1) or steps.",
    )
    clip_norm: float | None = Field(
        1.0,
        gt=0,
        le=1e9,
        description="Maximum global norm of the gradients, which are scaled down to it; null: no limit.",
    )
    patience: int = Field(2, gt=0, le=1_000_000, description="Epochs without a better eval loss before training stops.")
    label_smoothing: float = Field(
        0.1, ge=0, lt=1, description="Share of the target spread evenly over all classes, against overconfidence."
    )
    class_weights: ClassWeights | None = Field(
        None,
        description="Weight of each class in training by name, 1 for classes not named; balanced: the same total"
        " weight for all classes; null: the same weight for all targets.",
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="Precision of GPU computations; weights stay float32. float16 scales the loss."
    )
    strategy: Literal["one_device", "mirrored", "multi_worker"] = Field(
        "one_device",
        description="mirrored: this machine's GPUs share each batch; multi_worker: those of all workers in TF_CONFIG.",
    )
    jit_compile: bool = Field(False, description="Compile the step with XLA; the fused GPU kernel is not used then.")
    log_steps: int = Field(
        100, gt=0, le=1_000_000_000, description="Steps between points of the curves in TensorBoard."
    )
    checkpoint_steps: int = Field(
        1_000,
        gt=0,
        le=1_000_000_000,
        description="Steps between checkpoints within an epoch; every epoch ends with a checkpoint.",
    )
    samples: int = Field(5, ge=0, le=100, description="Eval documents shown in TensorBoard with their predictions.")
    sanity: bool = Field(
        False, description="Check first that the loss starts at chance level and that two batches can be overfitted."
    )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        plateau = self.schedule.constant("patience") if self.schedule.name == "reduce_on_plateau" else 0
        if self.warmup and self.schedule.name == "one_cycle":
            found, fix = "schedule one_cycle, which has its own rise", "remove warmup, or set schedule.rise"
            yield Problem(("warmup",), "warmup cannot be combined with schedule one_cycle.", found, fix=fix)
        if self.warmup > 1 and self.warmup != int(self.warmup):
            expected = "a share of the run below 1, or a whole number of steps"
            yield Problem(("warmup",), "warmup is not a whole number of steps.", f"{self.warmup:g}", expected)
        if plateau >= self.patience:
            found = f"schedule.patience {plateau:g}, patience {self.patience}"
            fix = "raise trainer.patience, or lower schedule.patience"
            what = "schedule reduce_on_plateau cannot take effect before training stops."
            yield Problem(("schedule", "patience"), what, found, f"less than {self.patience}", fix)
        if self.precision == "float16" and self.strategy != "one_device":
            fix = "set precision: bfloat16, or strategy: one_device"
            what = "precision float16 needs strategy one_device."
            yield Problem(("precision",), what, f"strategy {self.strategy}", fix=fix)
