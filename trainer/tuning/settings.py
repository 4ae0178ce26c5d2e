"""Typed settings of the search for hyperparameters, read from the job's YAML."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from trainer.errors import Problem
from trainer.settings import MAX_SEED, Settings

_Integer = Annotated[int, Field(ge=-(10**15), le=10**15)]
_Float = Annotated[float, Field(ge=-1e100, le=1e100)]
Scalar = bool | _Integer | _Float | str
"""A value to try."""

MAX_VALUES = 1_000
"""Maximum number of values of a range with steps."""


class DimensionSettings(Settings):
    """The values of one key: a list, or a range."""

    values: tuple[Scalar, ...] | None = Field(None, description="Values: only numbers, only text, or true and false.")
    min: _Integer | _Float | None = Field(None, description="The lowest value of a range.")
    max: _Integer | _Float | None = Field(None, description="The highest value of a range.")
    scale: Literal["linear", "log"] = Field(
        "linear", description="log: sample as many values from 0.001 to 0.01 as from 0.01 to 0.1."
    )
    step: _Integer | _Float | None = Field(None, gt=0, description="Distance between adjacent values; null: any value.")

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if self.values is not None:
            yield from self._list_problems(self.values)
        elif self.min is None or self.max is None:
            yield Problem((), "The dimension has neither values nor a range.", expected="values, or both min and max")
        else:
            yield from self._range_problems(self.min, self.max)

    def _list_problems(self, values: tuple[Scalar, ...]) -> Iterator[Problem]:
        kinds = {float if type(value) is int else type(value) for value in values}
        if self.model_fields_set != {"values"}:
            others = " and ".join(sorted(self.model_fields_set - {"values"}))
            yield Problem(("values",), "values cannot be combined with a range.", others, fix=f"remove {others}")
        if len(kinds) != 1:
            found = ", ".join(map(str, values)) or "no value"
            expected = "only numbers, only text, or true and false"
            yield Problem(("values",), "values is empty or has several types.", found, expected)
        elif len(set(values)) < len(values):
            yield Problem(("values",), "values has a duplicate.", ", ".join(map(str, values)))

    def _range_problems(self, low: float, high: float) -> Iterator[Problem]:
        if low >= high:
            yield Problem(("min",), "min is not below max.", f"min {low:g}, max {high:g}")
        if self.scale == "log" and low <= 0:
            yield Problem(("min",), "scale log needs a min above 0.", f"min {low:g}")
        if self.scale == "log" and self.step is not None:
            yield Problem(("step",), "step cannot be combined with scale log.", fix="list the values instead")
        elif self.step is not None and (high - low) / self.step >= MAX_VALUES:
            found = f"{(high - low) / self.step:,.0f} values"
            yield Problem(("step",), "The range has too many values.", found, f"at most {MAX_VALUES:,}", "raise step")

    @property
    def listed(self) -> tuple[Scalar, ...] | None:
        """All values of a list, or of a range with steps; None for a range without steps."""
        if self.values is not None:
            mixed = {type(value) for value in self.values} == {int, float}
            return tuple(map(float, self.values)) if mixed else self.values
        if self.step is None:
            return None
        # With Decimal, three steps of 0.1 are 0.3.
        low, high, step = (Decimal(str(number)) for number in (self.min, self.max, self.step))
        kind = int if all(isinstance(number, int) for number in (self.min, self.step)) else float
        return tuple(kind(low + step * number) for number in range(int((high - low) / step) + 1))

    @property
    def tested(self) -> tuple[Scalar, ...]:
        """The values to validate: all listed ones, or the ends of the range."""
        if self.listed is not None:
            return self.listed
        return tuple(end for end in (self.min, self.max) if end is not None)


class TuneSettings(Settings):
    """The search for hyperparameters by `seqloom tune`."""

    space: dict[str, DimensionSettings] = Field(
        min_length=1, description="Values to try for each key, named as in --set: {trainer.units: {values: [32, 64]}}."
    )
    trials: int = Field(
        10,
        gt=0,
        le=100_000,
        description="Maximum number of trials; hyperband stops earlier, after the number that trainer.epochs implies.",
    )
    algorithm: Literal["random", "bayesian", "hyperband"] = Field(
        "random",
        description="random; bayesian: a Gaussian process over the finished trials proposes the next one; hyperband:"
        " many trials of few epochs, and more epochs for the best.",
    )
    objective: Literal["eval_loss", "eval_accuracy"] = Field(
        "eval_loss", description="Metric to optimize, taken at the best epoch of a trial."
    )
    seed: int = Field(
        1, ge=0, le=MAX_SEED, description="Seed of the values to try; each trial trains with trainer.seed."
    )
    use: bool = Field(
        False,
        description="Let `seqloom run` train with the best values found at its root instead of those under trainer.",
    )
