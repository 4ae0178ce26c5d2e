"""Gates of the configuration as TFX's evaluation config, and their outcome in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from tensorflow_model_analysis.proto import config_pb2

from pipeline.config import GateSettings, RunConfig, SliceGateSettings
from pipeline.metrics import METRICS

OVERALL = "overall"
LABEL_ID = "label_id"


def eval_config(config: RunConfig) -> config_pb2.EvalConfig:
    """Builds the Evaluator's configuration.

    Models read raw examples, each through its own transform graph: ids of one vocabulary mean nothing
    to a baseline with another. The AUC is that of the last of two classes; of more classes, each
    against the rest, and the lowest counts.
    """
    specs = [config_pb2.MetricsSpec(metrics=[_metric(config, *pair) for pair in _BY_LABEL.items()])]
    classes = range(len(config.corpus.class_names or ()))
    if classes:
        each = config_pb2.BinarizationOptions(class_ids={"values": classes if len(classes) > 2 else [1]})
        specs.append(config_pb2.MetricsSpec(metrics=[_metric(config, "auc", "AUC")], binarize=each))
    model = config_pb2.ModelSpec(
        signature_name="serve_examples",
        preprocessing_function_names=["label_ids"],
        prediction_key="probabilities",
        label_key=LABEL_ID,
    )
    slices = [config_pb2.SlicingSpec(), config_pb2.SlicingSpec(feature_keys=["source"])]
    return config_pb2.EvalConfig(model_specs=[model], slicing_specs=slices, metrics_specs=specs)


_BY_LABEL = {
    "accuracy": "SparseCategoricalAccuracy",
    "loss": "SparseCategoricalCrossentropy",
    "documents": "ExampleCount",
}


def _metric(config: RunConfig, name: str, class_name: str) -> config_pb2.MetricConfig:
    metric = config_pb2.MetricConfig(class_name=class_name, config=json.dumps({"name": name}))
    if name == "documents":
        # Without any threshold, as with no gates, or margins alone and no baseline, the Evaluator blesses nothing.
        metric.threshold.value_threshold.lower_bound.value = 1
    gate = config.gates.get(name)
    if gate is not None:
        places = {source: config_pb2.SlicingSpec(feature_values={"source": source}) for source in gate.slices}
        for place, limits in [(config_pb2.SlicingSpec(), gate), *((places[s], gate.slices[s]) for s in places)]:
            metric.per_slice_thresholds.add(slicing_specs=[place], threshold=_threshold(config, name, limits))
    return metric


def _threshold(config: RunConfig, name: str, gate: SliceGateSettings) -> config_pb2.MetricThreshold:
    threshold = config_pb2.MetricThreshold()
    if gate.min is not None:
        threshold.value_threshold.lower_bound.value = gate.min
    if gate.max is not None:
        threshold.value_threshold.upper_bound.value = gate.max
    margin = _margin(gate)
    if margin is not None:
        higher = METRICS[config.task][name].better == "higher"
        threshold.change_threshold.absolute.value = -margin if higher else margin
        direction = (
            config_pb2.MetricDirection.HIGHER_IS_BETTER if higher else config_pb2.MetricDirection.LOWER_IS_BETTER
        )
        threshold.change_threshold.direction = direction
    return threshold


def _margin(gate: SliceGateSettings) -> float | None:
    if not isinstance(gate, GateSettings):
        return None
    return gate.max_drop if gate.max_drop is not None else gate.max_rise


Metrics = Mapping[str, Mapping[str, float]]
"""Value by metric, by slice: "overall", "source=imdb"."""


def reasons(config: RunConfig, candidate: Metrics, baseline: Metrics | None) -> Iterator[tuple[bool, str]]:
    """Says of each threshold whether the candidate meets it, in words.

    Args:
        config: The job.
        candidate: The metrics of the model.
        baseline: Those of the last blessed model, None where there was none.

    Yields:
        Whether the threshold is met, and the sentence.
    """
    for name, gate in config.gates.items():
        for place, limits in [(OVERALL, gate), *((f"source={s}", limits) for s, limits in gate.slices.items())]:
            yield from _limits(name, place, limits, candidate.get(place, {}).get(name))
        margin = _margin(gate)
        if margin is not None and baseline is not None:
            yield _change(
                name, margin, candidate[OVERALL][name], baseline[OVERALL][name], METRICS[config.task][name].better
            )
        elif margin is not None:
            yield True, f"{name}: no earlier blessed model to compare with"


def _limits(name: str, place: str, limits: SliceGateSettings, value: float | None) -> Iterator[tuple[bool, str]]:
    subject = name if place == OVERALL else f"{name} on {place}"
    for limit, sign in ((limits.min, 1), (limits.max, -1)):
        if limit is None:
            continue
        if value is None:
            yield False, f"{subject}: no such documents in the test split"
            continue
        met = (value - limit) * sign >= 0
        bound = "at least" if sign > 0 else "at most"
        yield met, f"{subject} is {value:.4f}, {'which meets' if met else 'but must be'} {bound} {limit:g}"


def _change(name: str, margin: float, value: float, before: float, better: str) -> tuple[bool, str]:
    worse_by = before - value if better == "higher" else value - before
    met = worse_by <= margin
    relation = f"{abs(worse_by):.4f} {'worse' if worse_by > 0 else 'better'} than" if worse_by else "equal to"
    text = f"{name} is {relation} the last blessed model's {before:.4f}"
    return met, f"{text}, {'within' if met else 'beyond'} the margin of {margin:g}"
