"""Typed settings of the evaluation of word vectors, read from the job's YAML."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from trainer.settings import Settings

HELD_OUT = "eval"
"""The name under which the held-out documents stand among the sets."""

_SetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
_Path = Annotated[str, Field(min_length=1)]


class EvaluationSettings(Settings):
    """What word vectors are judged by, beside the loss on the eval split."""

    pairs: dict[_SetName, _Path] = Field(
        default_factory=dict,
        description="Files of word pairs with their similarity as people see it, by the set's name: a path, absolute or"
        " from this file's folder, or package:<package>/<file>.",
    )
    analogies: dict[_SetName, _Path] = Field(
        default_factory=dict, description="Files of analogies, four words a line under `: section` lines, likewise."
    )
    min_coverage: float = Field(
        0.5,
        ge=0,
        le=1,
        description="A set of which the vocabulary knows a smaller share is measured, but gates nothing.",
    )

    @model_validator(mode="after")
    def _names_differ(self) -> EvaluationSettings:
        for name in self.pairs:
            if name in self.analogies:
                raise ValueError(f"{name} names both pairs and analogies: rename one")
        if HELD_OUT in {**self.pairs, **self.analogies}:
            raise ValueError(f"{HELD_OUT} names the held-out documents: rename the set")
        return self

    def judged_by(self, metric: str) -> tuple[str, ...]:
        """Names the sets that a metric is measured on; none for a metric of the held-out documents."""
        return tuple({"spearman": self.pairs, "analogy_accuracy": self.analogies}.get(metric, ()))
