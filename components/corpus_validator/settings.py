"""Typed settings of the validation, read from the job's YAML."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from trainer.settings import Settings

AnomalyKind = Literal["missing", "domain", "length", "type", "new", "size", "script", "drift", "skew", "other"]
"""What can be wrong with a feature: values missing, outside the domain, too few or too many, of another type,
a feature that the schema does not know, too few or many documents, letters of another script, a distribution
that moved from the examples before (drift) or from what serving logs (skew)."""

KINDS: tuple[str, ...] = get_args(AnomalyKind)
CORPUS = "corpus"
"""The name under which anomalies of a whole split are told and lowered."""


class ValidationSettings(Settings):
    """What happens to anomalies, and what else the examples are compared with."""

    warn: tuple[str, ...] = Field(
        (),
        description="Anomalies that are told but do not fail the run: a feature's name (label), or one kind of anomaly"
        f" of it (label:drift). Kinds: {', '.join(KINDS)}.",
    )
    serving_logs: str | None = Field(
        None,
        min_length=1,
        description="TFRecords of raw SequenceExamples that serving logged, a path as corpus.path; null: no skew.",
    )

    @field_validator("warn")
    @classmethod
    def _check_warn(cls, warn: tuple[str, ...]) -> tuple[str, ...]:
        for entry in warn:
            feature, colon, kind = entry.partition(":")
            if not feature:
                raise ValueError(f"an entry names a feature, as in label or label:drift, found {entry!r}")
            if colon and kind not in KINDS:
                raise ValueError(f"{entry!r} names no kind of anomaly: expected one of {', '.join(KINDS)}")
        return warn

    def lowers(self, feature: str, kind: str) -> bool:
        """Returns whether an anomaly is a warning only."""
        return feature in self.warn or f"{feature}:{kind}" in self.warn
