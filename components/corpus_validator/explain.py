"""Readable descriptions of TensorFlow Data Validation's anomalies, with predicates for documents that show them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components.corpus_validator.evidence import Shows, Steps
from components.corpus_validator.settings import CORPUS, AnomalyKind
from components.corpus_validator.statistics import FeaturePath, FeatureView, StatisticsView
from schema import curated

_SHOWN_VALUES = 5
_SHOWN_CHARACTERS = 40
ComparisonKind = Literal["drift", "skew"]
REFERENCES: dict[ComparisonKind, str] = {"drift": "previous examples", "skew": "serving logs"}
_Type = anomalies_pb2.AnomalyInfo
_KINDS: dict[int, AnomalyKind] = {
    **dict.fromkeys(
        (
            _Type.FEATURE_TYPE_LOW_FRACTION_PRESENT,
            _Type.FEATURE_TYPE_LOW_NUMBER_PRESENT,
            _Type.FEATURE_TYPE_NOT_PRESENT,
            _Type.FEATURE_TYPE_NO_VALUES,
            _Type.SCHEMA_MISSING_COLUMN,
        ),
        "missing",
    ),
    **dict.fromkeys((_Type.FEATURE_TYPE_HIGH_NUMBER_VALUES, _Type.FEATURE_TYPE_LOW_NUMBER_VALUES), "length"),
    **dict.fromkeys((_Type.INVALID_FEATURE_SHAPE, _Type.VALUE_NESTEDNESS_MISMATCH), "length"),
    **dict.fromkeys((_Type.COMPARATOR_LOW_NUM_EXAMPLES, _Type.COMPARATOR_HIGH_NUM_EXAMPLES), "size"),
    **dict.fromkeys((_Type.DATASET_LOW_NUM_EXAMPLES, _Type.DATASET_HIGH_NUM_EXAMPLES), "size"),
    _Type.ENUM_TYPE_UNEXPECTED_STRING_VALUES: "domain",
    _Type.SCHEMA_NEW_COLUMN: "new",
    _Type.UNEXPECTED_DATA_TYPE: "type",
}
_COMPARED = {_Type.COMPARATOR_L_INFTY_HIGH, _Type.COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH}
_MEASURES = {1: "largest difference in share", 2: "Jensen-Shannon divergence", 3: "normalized difference"}


@dataclasses.dataclass(frozen=True)
class Finding:
    """An anomaly of a feature; the fields it shares with `Anomaly` have the same meaning.

    Attributes:
        path: The path of the feature.
        shows: Which values show the anomaly; None: no single document does.
    """

    path: FeaturePath
    kind: AnomalyKind
    what: str
    expected: str
    found: str
    shows: Shows | None = None

    @property
    def feature(self) -> str:
        """The feature's name."""
        return self.path[-1]


def explain(
    anomalies: anomalies_pb2.Anomalies,
    schema: schema_pb2.Schema,
    statistics: StatisticsView,
    previous: StatisticsView | None = None,
    serving: StatisticsView | None = None,
) -> list[Finding]:
    """Describes the anomalies that TensorFlow Data Validation found in a split.

    Args:
        anomalies: TensorFlow Data Validation's result.
        schema: The schema that the statistics were validated against.
        statistics: The statistics of the split.
        previous: The statistics of the previous examples, if they were compared.
        serving: The statistics of the serving logs, if they were compared.

    Returns:
        One finding per feature and kind, by feature.
    """
    if anomalies.data_missing:
        return [Finding((CORPUS,), "size", "The split is empty", "at least one document", "none")]
    findings: dict[tuple[FeaturePath, str], Finding] = {}
    for _, info in sorted(anomalies.anomaly_info.items()):
        path = tuple(info.path.step)
        for finding in _feature(path, info, schema, statistics):
            findings.setdefault((path, finding.kind), finding)
    for reason in anomalies.dataset_anomaly_info.reason:
        kind, found = _KINDS.get(reason.type, "other"), f"{statistics.documents} documents"
        findings.setdefault(((CORPUS,), kind), Finding((CORPUS,), kind, *_stock_description(reason), found))
    for compared in _compared(anomalies, statistics, previous, serving):
        findings.setdefault((compared.path, compared.kind), compared)
    return list(findings.values())


def _feature(
    path: FeaturePath, info: anomalies_pb2.AnomalyInfo, schema: schema_pb2.Schema, statistics: StatisticsView
) -> Iterator[Finding]:
    feature = dict(curated.features(schema)).get(path)
    view = statistics.feature(path)
    kinds = {_KINDS.get(reason.type, "other") for reason in info.reason}
    for reason in info.reason:
        kind = _KINDS.get(reason.type, "other")
        if reason.type in _COMPARED or (reason.type == _Type.INVALID_FEATURE_SHAPE and "missing" in kinds):
            continue
        if kind == "missing" and feature is not None:
            yield _missing(path, feature, view, statistics.documents)
        elif kind == "domain" and feature is not None and view is not None:
            yield _domain(path, curated.domain(schema, feature), view)
        elif kind == "length" and feature is not None and view is not None:
            yield _length(path, feature, view)
        elif kind == "new" and view is not None:
            what, expected = f"{path[-1]} is not in the schema", "only features of the schema"
            yield Finding(path, kind, what, expected, f"in {view.present} documents", lambda steps: steps is not None)
        else:
            yield Finding(path, kind, *_stock_description(reason), reason.description.strip().rstrip("."))


def _missing(path: FeaturePath, feature: schema_pb2.Feature, view: FeatureView | None, documents: int) -> Finding:
    fraction = feature.presence.min_fraction
    expected = "in every document" if fraction >= 1 else f"in at least {fraction:.1%} of the documents"
    if feature.presence.min_count > 1:
        expected += f", at least {feature.presence.min_count}"
    present = view.present if view else 0
    what = f"{path[-1]} is missing in {documents - present} of {documents} documents"
    return Finding(path, "missing", what, expected, f"in {present} documents", lambda steps: not any(steps or ()))


def _domain(path: FeaturePath, allowed: tuple[str, ...], view: FeatureView) -> Finding:
    unknown = {value: count for value, count in view.values().items() if value not in allowed}
    shown = [f"{_shorten(value)} {count:.0f} times" for value, count in list(unknown.items())[:_SHOWN_VALUES]]
    more = f" and {len(unknown) - _SHOWN_VALUES} more values" if len(unknown) > _SHOWN_VALUES else ""
    known = {value.encode() for value in allowed}
    return Finding(
        path,
        "domain",
        f"{path[-1]} has unknown values",
        "one of " + ", ".join(map(_shorten, allowed[:20])) + (", ..." if len(allowed) > 20 else ""),
        ", ".join(shown) + more,
        lambda steps: any(value not in known for step in steps or () for value in step),
    )


def _length(path: FeaturePath, feature: schema_pb2.Feature, view: FeatureView) -> Finding:
    levels = list(feature.value_counts.value_count) or [feature.value_count]
    if not any(level.ListFields() for level in levels):
        levels = [schema_pb2.ValueCount(min=1, max=1)]
    for depth, level in enumerate(levels):
        lengths = view.lengths(depth)
        unit = ("steps per document", "values per step")[min(depth, 1)] if len(levels) > 1 else "values per document"
        if lengths.lowest < level.min or (level.max and lengths.highest > level.max):
            break
    long = bool(level.max) and lengths.highest > level.max
    expected = f"{level.min} to {level.max} {unit}" if level.max else f"at least {level.min} {unit}"

    def shows(steps: Steps | None) -> bool:
        counts = [len(steps or [])] if len(levels) > 1 and depth == 0 else [len(step) for step in steps or ()]
        return steps is not None and any(count < level.min or (level.max > 0 and count > level.max) for count in counts)

    what = f"{path[-1]} is too {'long' if long else 'short'} in some documents"
    return Finding(path, "length", what, expected, f"{lengths.lowest} to {lengths.highest} {unit}", shows)


def _compared(
    anomalies: anomalies_pb2.Anomalies,
    statistics: StatisticsView,
    previous: StatisticsView | None,
    serving: StatisticsView | None,
) -> Iterator[Finding]:
    for info in anomalies.drift_skew_info:
        path = tuple(info.path.step)
        for measurement in info.drift_measurements:
            if previous is not None and measurement.value > measurement.threshold:
                yield _difference(path, "drift", measurement, statistics, previous)
        for measurement in info.skew_measurements:
            if serving is not None and measurement.value > measurement.threshold:
                yield _difference(path, "skew", measurement, statistics, serving)


def _difference(
    path: FeaturePath,
    kind: ComparisonKind,
    measurement: anomalies_pb2.DriftSkewInfo.Measurement,
    statistics: StatisticsView,
    reference: StatisticsView,
) -> Finding:
    measure = _MEASURES.get(measurement.type, "distance")
    now, then = _shares(statistics, path), _shares(reference, path)
    found, shows = f"{measure} {measurement.value:.3g}", None
    if now or then:
        # Of two equal differences the positive one is reported: documents can show it.
        differences = {value: now.get(value, 0.0) - then.get(value, 0.0) for value in sorted({*now, *then})}
        value = max(differences, key=lambda value: (round(abs(differences[value]), 9), differences[value]))
        shares = f"{now.get(value, 0.0):.1%} here and {then.get(value, 0.0):.1%} in the {REFERENCES[kind]}"
        found += f": {_shorten(value)} is {shares}"
        encoded = value.encode()

        def shows(steps: Steps | None) -> bool:
            return any(found == encoded for step in steps or () for found in step)

    what = f"{path[-1]}'s distribution differs from that of the {REFERENCES[kind]}"
    return Finding(path, kind, what, f"{measure} at most {measurement.threshold:.3g}", found, shows)


def _shares(statistics: StatisticsView, path: FeaturePath) -> dict[str, float]:
    view = statistics.feature(path)
    return view.shares() if view else {}


def _stock_description(reason: anomalies_pb2.AnomalyInfo.Reason) -> tuple[str, str]:
    """Returns TensorFlow Data Validation's own description for the kinds without a specific one."""
    return reason.short_description.strip().rstrip("."), "values that fit the schema"


def _shorten(value: str) -> str:
    return repr(value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "...")
