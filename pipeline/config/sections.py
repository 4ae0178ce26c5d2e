"""Typed sections of a job's YAML that belong to no component: gates, serving, Beam."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat, PositiveInt

from trainer.settings import Settings


class SliceGateSettings(Settings):
    """Absolute thresholds of a metric on the documents of one source."""

    min: FiniteFloat | None = Field(None, description="Worst value allowed, where higher is better.")
    max: FiniteFloat | None = Field(None, description="Worst value allowed, where lower is better.")


class GateSettings(SliceGateSettings):
    """What a metric must reach before the model is published."""

    max_drop: FiniteFloat | None = Field(
        None, ge=0, description="How far below the last blessed model's value it may be, where higher is better."
    )
    max_rise: FiniteFloat | None = Field(
        None, ge=0, description="How far above the last blessed model's value it may be, where lower is better."
    )
    slices: dict[str, SliceGateSettings] = Field(
        default_factory=dict, description="Absolute thresholds on single sources, by the source's name."
    )


class ServingSettings(Settings):
    """What happens to published models."""

    keep: PositiveInt = Field(5, description="Published versions that are kept.")


class BeamSettings(Settings):
    """Where Beam runs."""

    engine: Literal["local"] = Field("local", description="local: in this process.")
    options: list[str] = Field(default_factory=list, description="More Beam flags, passed on as they are.")
