"""Anomalies with readable descriptions, and the error that fails a run because of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from components.corpus_validator.settings import AnomalyKind
from trainer.errors import JobError


@dataclasses.dataclass(frozen=True)
class Anomaly:
    """One anomaly of a feature in a split.

    Attributes:
        split: The split's name.
        feature: The feature's name, or `corpus` for anomalies of the whole split.
        kind: The kind of anomaly.
        what: A sentence that describes it.
        expected: The schema's requirement.
        found: The observed values.
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


class AnomalyError(JobError):
    """The examples do not fit their schema; at least one of the anomalies is not a warning."""

    def __init__(self, anomalies: Sequence[Anomaly]) -> None:
        self.anomalies = tuple(anomalies)
        failing = [anomaly for anomaly in anomalies if not anomaly.warning]
        entries = ", ".join(dict.fromkeys(f"{anomaly.feature}:{anomaly.kind}" for anomaly in failing))
        documents = [f" (documents {', '.join(anomaly.ids)})" if anomaly.ids else "" for anomaly in failing]
        found = [f"{anomaly.what}: {anomaly.found}{ids}" for anomaly, ids in zip(failing, documents, strict=True)]
        super().__init__(
            f"The examples do not fit their schema: {', '.join(dict.fromkeys(one.feature for one in failing))}.",
            where=f"ExampleValidator, split {', '.join(dict.fromkeys(anomaly.split for anomaly in failing))}",
            found="; ".join(dict.fromkeys(found)),
            expected="; ".join(dict.fromkeys(f"{anomaly.feature}: {anomaly.expected}" for anomaly in failing)),
            fix=f"correct the corpus or the schema, or let it pass with validation: {{warn: [{entries}]}}",
        )

    def __reduce__(self) -> tuple[object, ...]:
        return AnomalyError, (self.anomalies,)
