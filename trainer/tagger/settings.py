"""Typed settings of the tagger, read from the job's YAML."""

from __future__ import annotations

from pydantic import Field

from trainer.recurrent.settings import SequenceSettings


class TaggerSettings(SequenceSettings):
    """The tagger and how it is trained."""

    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the target spread evenly over all tags in training, against overconfidence.",
    )
