"""Validates the statistics and the letters of a split against the schema."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, path_pb2, schema_pb2, statistics_pb2

from components.corpus_validator import evidence, scripts
from components.corpus_validator.anomalies import Anomaly
from components.corpus_validator.evidence import Letters
from components.corpus_validator.explain import REFERENCES, Finding, explain
from components.corpus_validator.settings import ValidationSettings
from components.corpus_validator.statistics import FeaturePath, StatisticsView
from schema import curated

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList


@dataclasses.dataclass(frozen=True)
class Split:
    """A split with its statistics.

    Attributes:
        name: The split's name.
        files: Its files of raw SequenceExamples, in order.
        statistics: Its statistics.
        letters: Its letters by feature, for every feature with a script rule.
        previous: The statistics of the previous examples, if it is compared with them.
        serving: The statistics of the serving logs, if it is compared with them.
    """

    name: str
    files: list[str]
    statistics: Statistics
    letters: dict[FeaturePath, Letters] = dataclasses.field(default_factory=dict)
    previous: Statistics | None = None
    serving: Statistics | None = None


def script_rules(schema: schema_pb2.Schema) -> dict[FeaturePath, scripts.ScriptRule]:
    """Returns the script rules of a schema by feature.

    Raises:
        JobError: If an annotation cannot be parsed.
    """
    rules = {path: scripts.rule(feature) for path, feature in curated.features(schema)}
    return {path: rule for path, rule in rules.items() if rule is not None}


def validate(
    split: Split, schema: schema_pb2.Schema, settings: ValidationSettings
) -> tuple[anomalies_pb2.Anomalies, list[Anomaly]]:
    """Validates a split against the schema of its raw examples; the settings lower some anomalies to warnings.

    Returns:
        TensorFlow Data Validation's result with the anomalies of the letters added, and all anomalies with readable
        descriptions.
    """
    comparable, gaps = _comparable(schema, split)
    found = tfdv.validate_statistics(
        split.statistics, comparable, previous_statistics=split.previous, serving_statistics=split.serving
    )
    view = StatisticsView(split.statistics)
    findings = explain(found, comparable, view, _view(split.previous), _view(split.serving))
    anomalies = [_anomaly(split, finding, settings) for finding in findings]
    for finding, ids in _letters(schema, split):
        anomalies.append(_anomaly(split, finding, settings, ids))
        _record(found, finding)
    return found, [*anomalies, *gaps]


def _view(statistics: Statistics | None) -> StatisticsView | None:
    return None if statistics is None else StatisticsView(statistics)


def _comparable(schema: schema_pb2.Schema, split: Split) -> tuple[schema_pb2.Schema, list[Anomaly]]:
    """Returns the schema without comparisons that have no reference, and a warning for each of these."""
    comparable = schema_pb2.Schema()
    comparable.CopyFrom(schema)
    gaps = []
    for kind, others in REFERENCES.items():
        reference = _view(split.previous if kind == "drift" else split.serving)
        for path, feature in curated.features(comparable):
            name, comparator = path[-1], f"{kind}_comparator"
            if reference is None or not feature.HasField(comparator) or reference.feature(path):
                continue
            feature.ClearField(comparator)
            what, found = f"{name} cannot be compared with the {others}", f"no {name} in the {others}"
            gaps.append(Anomaly(split.name, name, kind, what, f"{name} in both", found, warning=True))
    return comparable, gaps


def _anomaly(
    split: Split, finding: Finding, settings: ValidationSettings, ids: tuple[str, ...] | None = None
) -> Anomaly:
    if ids is None:
        ids = evidence.find(split.files, finding.path, finding.shows) if finding.shows else ()
    lowered = settings.lowers(finding.feature, finding.kind)
    return Anomaly(
        split.name, finding.feature, finding.kind, finding.what, finding.expected, finding.found, ids, lowered
    )


def _letters(schema: schema_pb2.Schema, split: Split) -> list[tuple[Finding, tuple[str, ...]]]:
    violations = []
    for path, rule in script_rules(schema).items():
        letters = split.letters[path]
        share = scripts.share(letters.counts, rule.scripts)
        if share < rule.share:
            most = ", ".join(f"{name} {part:.1%}" for name, part in list(scripts.shares(letters.counts).items())[:3])
            what = f"{path[-1]} is written in another script"
            violations.append((Finding(path, "script", what, str(rule), f"{share:.1%}; mostly {most}"), letters.ids))
    return violations


def _record(anomalies: anomalies_pb2.Anomalies, finding: Finding) -> None:
    """Adds a finding to TensorFlow Data Validation's anomalies."""
    reason = anomalies_pb2.AnomalyInfo.Reason(
        type=anomalies_pb2.AnomalyInfo.CUSTOM_VALIDATION,
        short_description=finding.what,
        description=f"{finding.what}: expected {finding.expected}, found {finding.found}.",
    )
    info = anomalies.anomaly_info[".".join(finding.path)]
    if info.reason:
        info.description, info.short_description = f"{info.description} {reason.description}", "Multiple errors"
    else:
        info.path.CopyFrom(path_pb2.Path(step=finding.path))
        info.description, info.short_description = reason.description, reason.short_description
    info.severity = anomalies_pb2.AnomalyInfo.ERROR
    info.reason.append(reason)
