"""Typed settings of the tagger, read from the job's YAML."""

from __future__ import annotations

from pydantic import Field

from trainer.recurrent.settings import SequenceSettings


class TaggerSettings(SequenceSettings):
    """The tagger and how it is trained."""

    spatial_dropout: float = Field(0.2, ge=0, lt=1, description="Dropout of whole channels of the word vectors.")
    patience: int = Field(6, gt=0, le=1_000_000, description="Epochs without a better eval loss before training stops.")
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the target spread evenly over all tags in training, against overconfidence.",
    )
    crf: bool = Field(
        True,
        description="Add a linear-chain CRF over the spelling of tokens, fitted to the train split, to the encoder's"
        " answer by shares that the eval split decides.",
    )
