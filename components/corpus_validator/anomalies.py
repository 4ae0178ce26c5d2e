"""Anomalies in plain words, and the error that they end a run with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from components.corpus_validator.settings import AnomalyKind
from trainer.errors import JobError


@dataclasses.dataclass(frozen=True)
class Anomaly:
    """One thing that is wrong with a feature in a split.

    Attributes:
        split: The split's name.
        feature: The feature's name, `corpus` where it is about the whole split.
        kind: What kind of anomaly it is.
        what: A sentence that says what is wrong.
        expected: What the schema asks for.
        found: What was there.
        ids: Ids of up to three documents that show it, in the order of the files.
        warning: Whether the job's YAML lowers it to a warning.
    """

    split: str
    feature: str
    kind: AnomalyKind
    what: str
    expected: str
    found: str
    ids: tuple[str, ...] = ()
    warning: bool = False

    def to_json(self) -> dict[str, Any]:
        """Returns it as a JSON object."""
        return {**dataclasses.asdict(self), "ids": list(self.ids)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Anomaly:
        """Makes it of a JSON object."""
        return cls(**{**values, "ids": tuple(values["ids"])})


class AnomalyError(JobError):
    """The examples do not fit their schema.

    Args:
        anomalies: All that was found, warnings too; one at least is none.
    """

    def __init__(self, anomalies: Sequence[Anomaly]) -> None:
        self.anomalies = tuple(anomalies)
        failing = [anomaly for anomaly in anomalies if not anomaly.warning]
        entries = list(dict.fromkeys(f"{anomaly.feature}:{anomaly.kind}" for anomaly in failing))
        features = list(dict.fromkeys(anomaly.feature for anomaly in failing))
        super().__init__(
            f"The examples do not fit their schema: {', '.join(features)}.",
            where=f"ExampleValidator, split {', '.join(dict.fromkeys(anomaly.split for anomaly in failing))}",
            found="; ".join(_unique(f"{anomaly.what}: {anomaly.found}{_shown(anomaly.ids)}" for anomaly in failing)),
            expected="; ".join(_unique(f"{anomaly.feature}: {anomaly.expected}" for anomaly in failing)),
            fix=f"correct the corpus or the schema, or let it pass with validation: {{warn: [{', '.join(entries)}]}}",
        )

    def __reduce__(self) -> tuple[object, ...]:
        return AnomalyError, (self.anomalies,)


def _shown(ids: tuple[str, ...]) -> str:
    return f" (documents {', '.join(ids)})" if ids else ""


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
