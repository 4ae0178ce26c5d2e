"""Typed settings of the search for hyperparameters, read from the job's YAML."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from trainer.settings import Settings

Value = bool | int | float | str
"""A value that is tried."""

MOST_VALUES = 1_000
"""Values that a range with steps may have."""


class DimensionSettings(Settings):
    """The values of one key: a list, or a range."""

    values: tuple[Value, ...] | None = Field(None, description="The values, all numbers, all texts or true and false.")
    min: int | float | None = Field(None, allow_inf_nan=False, description="The lowest value of a range.")
    max: int | float | None = Field(None, allow_inf_nan=False, description="The highest value of a range.")
    scale: Literal["linear", "log"] = Field(
        "linear", description="log: as many values are tried from 0.001 to 0.01 as from 0.01 to 0.1."
    )
    step: int | float | None = Field(
        None, gt=0, allow_inf_nan=False, description="The distance of neighbouring values; null: any value."
    )

    @model_validator(mode="after")
    def _is_a_list_or_a_range(self) -> DimensionSettings:
        if self.values is not None:
            if self.model_fields_set != {"values"}:
                raise ValueError("values stand alone: remove min, max, scale and step")
            self._require_one_type(self.values)
        elif self.min is None or self.max is None:
            raise ValueError("it needs either values, or min and max")
        else:
            self._require_range(self.min, self.max)
        return self

    @staticmethod
    def _require_one_type(values: tuple[Value, ...]) -> None:
        kinds = {float if type(value) is int else type(value) for value in values}
        if len(kinds) != 1:
            raise ValueError("values must be all numbers, all texts, or true and false")
        if len(set(values)) < len(values):
            raise ValueError("a value is there twice")

    def _require_range(self, low: float, high: float) -> None:
        if low >= high:
            raise ValueError(f"min {low:g} is not below max {high:g}")
        if self.scale == "log" and low <= 0:
            raise ValueError(f"a log scale needs a min above 0, found {low:g}")
        if self.scale == "log" and self.step is not None:
            raise ValueError("step goes with a linear scale: list the values instead")
        if self.step is not None and (high - low) / self.step >= MOST_VALUES:
            raise ValueError(f"step {self.step:g} gives more than {MOST_VALUES} values")

    @property
    def listed(self) -> tuple[Value, ...] | None:
        """All values of a list, or of a range with steps; None: any value of the range."""
        if self.values is not None:
            mixed = {type(value) for value in self.values} == {int, float}
            return tuple(map(float, self.values)) if mixed else self.values
        if self.step is None:
            return None
        # Decimal, so that three steps of 0.1 are 0.3.
        low, high, step = (Decimal(str(number)) for number in (self.min, self.max, self.step))
        kind = int if all(isinstance(number, int) for number in (self.min, self.step)) else float
        return tuple(kind(low + step * number) for number in range(int((high - low) / step) + 1))

    @property
    def tested(self) -> tuple[Value, ...]:
        """The values that tell whether all are allowed: all that are listed, or the ends of the range."""
        if self.listed is not None:
            return self.listed
        return tuple(end for end in (self.min, self.max) if end is not None)


class TuneSettings(Settings):
    """The search for hyperparameters that `seqloom tune` makes."""

    space: dict[str, DimensionSettings] = Field(
        min_length=1, description="What is tried, by key as in --set: {trainer.units: {values: [32, 64]}}."
    )
    trials: PositiveInt = Field(
        10, description="Most trainings; hyperband ends by itself after as many as trainer.epochs give."
    )
    algorithm: Literal["random", "bayesian", "hyperband"] = Field(
        "random",
        description="random: any values; bayesian: a Gaussian process of the trials so far proposes the next;"
        " hyperband: many trials of few epochs, and more epochs for the best.",
    )
    objective: Literal["eval_loss", "eval_accuracy"] = Field(
        "eval_loss", description="What is best, at the best epoch of a trial."
    )
    seed: int = Field(1, ge=0, description="Seeds what is tried; trainer.seed stays that of each training.")
    use: bool = Field(
        False, description="Let `seqloom run` train with the best values found at this root, instead of trainer's."
    )
