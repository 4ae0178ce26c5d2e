"""Typed sections of a job's YAML that no component owns: gates, serving."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from trainer.errors import Problem
from trainer.settings import Settings


class SliceGateSettings(Settings):
    """Absolute thresholds of a metric on the documents of one source."""

    min: float | None = Field(
        None, ge=-1e12, le=1e12, description="Lowest value allowed, for metrics where higher is better."
    )
    max: float | None = Field(
        None, ge=-1e12, le=1e12, description="Highest value allowed, for metrics where lower is better."
    )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if all(value in (None, {}) for _, value in self):
            *keys, last = type(self).model_fields
            expected = f"a threshold under {', '.join(keys)} or {last}"
            yield Problem((), "A gate needs a threshold.", "none", expected, "add one, or remove the gate")


class GateSettings(SliceGateSettings):
    """Thresholds that a metric must meet before the model is published."""

    max_drop: float | None = Field(
        None,
        ge=0,
        le=1e12,
        description="Largest allowed drop below the last blessed model, for metrics where higher is better.",
    )
    max_rise: float | None = Field(
        None,
        ge=0,
        le=1e12,
        description="Largest allowed rise above the last blessed model, for metrics where lower is better.",
    )
    min_over_linear: float | None = Field(
        None,
        ge=-1e12,
        le=1e12,
        description="Lowest value allowed of the metric minus the linear model's, where higher is better; "
        "below 0: how much worse the model may be.",
    )
    max_over_linear: float | None = Field(
        None,
        ge=-1e12,
        le=1e12,
        description="Highest value allowed of the metric minus the linear model's, where lower is better; "
        "above 0: how much worse the model may be.",
    )
    slices: dict[str, SliceGateSettings] = Field(
        default_factory=dict, description="Absolute thresholds for single sources, by source."
    )


class ServingSettings(Settings):
    """How published models are kept."""

    keep: int = Field(5, gt=0, le=100_000, description="Number of published versions to keep.")


class ResourceSettings(Settings):
    """What a machine needs to run one component, for schedulers that place it."""

    cpu: float | None = Field(None, gt=0, le=1024, description="Number of cores, e.g. 0.5 or 4.")
    memory: float | None = Field(None, gt=0, le=65_536, description="Memory in GiB.")
    gpu: int = Field(0, ge=0, le=64, description="Number of GPUs.")
