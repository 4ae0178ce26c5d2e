"""Typed settings of the learning rate's schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, model_validator

from trainer.settings import Settings

ScheduleName = Literal["linear", "constant", "step", "cosine", "one_cycle", "reduce_on_plateau"]

DEFAULTS: Mapping[ScheduleName, Mapping[str, float | int]] = {
    "linear": {"end": 0.0},
    "constant": {},
    "step": {"after": 6, "factor": 1 / 1.2},
    "cosine": {"end": 0.0},
    "one_cycle": {"rise": 0.3, "start": 0.04, "end": 0.0},
    "reduce_on_plateau": {"factor": 0.5, "patience": 1},
}
"""The keys of each schedule and what they are where nothing is said."""


class ScheduleSettings(Settings):
    """How the learning rate changes over the run; a key that its schedule has no use for is an error."""

    name: ScheduleName = Field(
        "linear",
        description="linear: falls evenly; constant: stays; step: falls by a factor each epoch after some; cosine:"
        " falls by half a cosine; one_cycle: rises, then falls; reduce_on_plateau: falls where the eval loss does not.",
    )
    end: float | None = Field(
        None,
        ge=0,
        le=1,
        description="linear, cosine, one_cycle: share of the learning rate at the end; 0 where it is not given.",
    )
    after: PositiveInt | None = Field(
        None, description="step: epochs at the full learning rate; 6 where it is not given."
    )
    factor: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="step, reduce_on_plateau: what the learning rate is multiplied by; 1 / 1.2 and 0.5 where it is not"
        " given.",
    )
    rise: float | None = Field(
        None, gt=0, lt=1, description="one_cycle: share of the run in which it rises; 0.3 where it is not given."
    )
    start: float | None = Field(
        None, ge=0, le=1, description="one_cycle: share of the learning rate at the start; 0.04 where it is not given."
    )
    patience: PositiveInt | None = Field(
        None,
        description="reduce_on_plateau: epochs without a better eval loss before it falls; 1 where it is not given.",
    )

    @model_validator(mode="after")
    def _keys_fit(self) -> ScheduleSettings:
        own = DEFAULTS[self.name]
        for key, value in self:
            if key != "name" and value is not None and key not in own:
                others = [name for name, keys in DEFAULTS.items() if key in keys]
                has = f"it has {', '.join(own)}" if own else "it has no keys"
                raise ValueError(f"{self.name} has no {key}, {has}: remove it, or set name to {' or '.join(others)}")
        return self

    def constant(self, key: str) -> float:
        """Returns the value of one of the schedule's keys."""
        value = getattr(self, key)
        return float(DEFAULTS[self.name][key] if value is None else value)


def _named(value: Any) -> Any:
    """A name is short for a section with the name alone."""
    return {"name": value} if isinstance(value, str) else value


Schedule = Annotated[ScheduleSettings, BeforeValidator(_named, json_schema_input_type=ScheduleName | ScheduleSettings)]
"""The section, or the name alone."""
