"""Typed settings of the learning rate's schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from trainer.training.optimization.named_settings import NamedSettings, expand_name

ScheduleName = Literal["linear", "constant", "step", "cosine", "one_cycle", "reduce_on_plateau"]


class ScheduleSettings(NamedSettings):
    """How the learning rate changes over the run; a key of another schedule is an error."""

    title: ClassVar[str] = "Schedule"
    defaults: ClassVar[Mapping[str, Mapping[str, float | bool]]] = {
        "linear": {"end": 0.0},
        "constant": {},
        "step": {"after": 6, "factor": 1 / 1.2},
        "cosine": {"end": 0.0},
        "one_cycle": {"rise": 0.3, "start": 0.04, "end": 0.0},
        "reduce_on_plateau": {"factor": 0.5, "patience": 1},
    }

    name: ScheduleName = Field(
        "linear",
        description="linear: decreases linearly; constant: stays; step: decreases by a factor per epoch after some"
        " epochs; cosine: decreases along half a cosine; one_cycle: rises, then falls; reduce_on_plateau: decreases"
        " when the eval loss does not.",
    )
    end: float | None = Field(
        None, ge=0, le=1, description="linear, cosine, one_cycle: final share of the learning rate. Default: 0."
    )
    after: int | None = Field(
        None, gt=0, le=1_000_000, description="step: epochs at the full learning rate. Default: 6."
    )
    factor: float | None = Field(
        None, gt=0, lt=1, description="step, reduce_on_plateau: factor of each decrease. Defaults: 1 / 1.2 and 0.5."
    )
    rise: float | None = Field(
        None, gt=0, lt=1, description="one_cycle: share of the run in which the learning rate rises. Default: 0.3."
    )
    start: float | None = Field(None, ge=0, le=1, description="one_cycle: initial share of the rate. Default: 0.04.")
    patience: int | None = Field(
        None,
        gt=0,
        le=1_000_000,
        description="reduce_on_plateau: epochs without a better eval loss before a decrease. Default: 1.",
    )

    def constant(self, key: str) -> float:
        """Returns the value of one of the schedule's keys."""
        return float(self.constants()[key])


Schedule = Annotated[
    ScheduleSettings, BeforeValidator(expand_name, json_schema_input_type=ScheduleName | ScheduleSettings)
]
"""The section, or only the name."""
