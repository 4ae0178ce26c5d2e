"""Typed settings of validation, read from the job's YAML."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from trainer.settings import Settings

AnomalyKind = Literal["missing", "domain", "length", "type", "new", "size", "script", "drift", "skew", "other"]
"""Kinds of anomalies of a feature: missing values, values outside the domain, too few or too many values, a wrong type,
a feature that is not in the schema, too few or too many documents, letters of another script, a distribution that
differs from that of the previous examples (drift) or of the serving logs (skew)."""

ANOMALIES: tuple[str, ...] = get_args(AnomalyKind)
CORPUS = "corpus"
"""The feature name of anomalies of a whole split, in reports and in `warn`."""


class ValidationSettings(Settings):
    """How anomalies are handled, and what else the examples are compared with."""

    warn: tuple[str, ...] = Field(
        (),
        description=f"Anomalies that are reported but do not fail the run: a feature's name (label), or one kind of"
        f" anomaly of a feature (label:drift). Kinds: {', '.join(ANOMALIES)}.",
    )
    serving_logs: str | None = Field(
        None,
        min_length=1,
        description="TFRecords of raw SequenceExamples logged in serving, a path like corpus.path; null: no skew"
        " check.",
    )

    @field_validator("warn")
    @classmethod
    def _check_warn(cls, warn: tuple[str, ...]) -> tuple[str, ...]:
        for entry in warn:
            feature, colon, kind = entry.partition(":")
            if not feature:
                raise ValueError(f"an entry must name a feature, for example label or label:drift, found {entry!r}")
            if colon and kind not in ANOMALIES:
                raise ValueError(f"{entry!r} has an unknown kind of anomaly: expected one of {', '.join(ANOMALIES)}")
        return warn

    def lowers(self, feature: str, kind: str) -> bool:
        """Returns whether an anomaly is only a warning."""
        return feature in self.warn or f"{feature}:{kind}" in self.warn
