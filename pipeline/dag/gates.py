"""Gates of the configuration as TFX's evaluation config, and their outcome in words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tensorflow_model_analysis.proto import config_pb2

from components.evaluation_sets.settings import EvaluationSettings
from pipeline.config.job import GateSettings, RunConfig, SliceGateSettings, TaggerConfig, Word2vecConfig
from pipeline.tasks.metric import SPAN
from trainer.tagger.spans import not_span_tags

OVERALL = "overall"
LABEL_ID = "label_id"
TWIN = "gated_"
"""How the name of a metric starts whose value leaves out the sets that gate nothing; people never see it."""

_OWN_METRICS = "components.evaluator.metrics"


def eval_config(config: RunConfig, code: str = "") -> config_pb2.EvalConfig:
    """Builds the Evaluator's configuration.

    Args:
        config: The job.
        code: A digest of this project's metrics, so that edited code is not served from cache.
    """
    if isinstance(config, Word2vecConfig):
        return _of_word_vectors(config, code)
    if isinstance(config, TaggerConfig):
        return _of_tagger(config, code)
    if config.corpus.kind.multi_label:
        return _of_multi_label(config, code)
    return _of_classifier(config)


def _of_classifier(config: RunConfig) -> config_pb2.EvalConfig:
    """Models read raw examples, each through its own transform graph: ids of one vocabulary mean nothing to another.

    The AUC is that of the last of two classes; of more classes, each against the rest, and the lowest counts.
    """
    by_label = [_gated(_metric(class_name, name=name), config, name) for name, class_name in _BY_LABEL.items()]
    specs = [config_pb2.MetricsSpec(metrics=[*by_label, _documents()])]
    classes = range(len(config.corpus.class_names or ()))
    if classes:
        each = config_pb2.BinarizationOptions(class_ids={"values": classes if len(classes) > 2 else [1]})
        auc = _gated(_metric("AUC", name="auc"), config, "auc")
        specs.append(config_pb2.MetricsSpec(metrics=[auc], binarize=each))
    model = config_pb2.ModelSpec(
        signature_name="serve_examples",
        preprocessing_function_names=["label_ids"],
        prediction_key="probabilities",
        label_key=LABEL_ID,
    )
    return config_pb2.EvalConfig(model_specs=[model], slicing_specs=_slices([], ["source"]), metrics_specs=specs)


_BY_LABEL = {"accuracy": "SparseCategoricalAccuracy", "loss": "SparseCategoricalCrossentropy"}


def _of_tagger(config: TaggerConfig, code: str) -> config_pb2.EvalConfig:
    """Tags are compared by name, for the ids of one model's tags mean nothing to another.

    Metrics of spans are left out where the tags are known and mark none.
    """
    skipped = (SPAN,) if not_span_tags(config.corpus.tags or ()) else ()
    metrics = [
        _gated(_own(class_name, name, code), config, name)
        for name, class_name in _BY_TAG.items()
        if not name.startswith(skipped)
    ]
    return _judged_by_name(metrics)


def _of_multi_label(config: RunConfig, code: str) -> config_pb2.EvalConfig:
    """Labels are compared by name, as tags are."""
    return _judged_by_name([_gated(_own(class_name, name, code), config, name) for name, class_name in _BY_SET.items()])


def _judged_by_name(metrics: list[config_pb2.MetricConfig]) -> config_pb2.EvalConfig:
    return config_pb2.EvalConfig(
        model_specs=[config_pb2.ModelSpec(signature_name="judge")],
        slicing_specs=_slices([], ["source"]),
        metrics_specs=[config_pb2.MetricsSpec(metrics=[*metrics, _documents()])],
    )


_BY_SET = {
    "accuracy": "ExactLabels",
    "loss": "LabelLoss",
    "macro_f1": "MacroF1",
    "micro_f1": "MicroF1",
    "micro_precision": "MicroPrecision",
    "micro_recall": "MicroRecall",
}

_BY_TAG = {
    "token_accuracy": "TokenAccuracy",
    "loss": "TokenLoss",
    "span_f1": "SpanF1",
    "span_precision": "SpanPrecision",
    "span_recall": "SpanRecall",
}


def _of_word_vectors(config: Word2vecConfig, code: str) -> config_pb2.EvalConfig:
    """Thresholds cannot know that a set is covered too little: they stand on twins that leave such sets out."""
    metrics = []
    for name, class_name in (("spearman", "Spearman"), ("analogy_accuracy", "AnalogyAccuracy")):
        if config.evaluation.judged_by(name):
            metrics.append(_own(class_name, name, code))
        if name in config.gates:
            metrics.append(_gated(_own(class_name, TWIN + name, code, gated=True), config, name))
    if metrics:
        metrics.append(_own("Coverage", "coverage", code))
    metrics += [_gated(_own("HeldOutLoss", "loss", code), config, "loss"), _documents()]
    return config_pb2.EvalConfig(
        model_specs=[config_pb2.ModelSpec(signature_name="judge")],
        slicing_specs=_slices([], ["source"], ["source", "section"]),
        metrics_specs=[config_pb2.MetricsSpec(metrics=metrics)],
    )


def _slices(*features: list[str]) -> list[config_pb2.SlicingSpec]:
    return [config_pb2.SlicingSpec(feature_keys=keys) for keys in features]


def _metric(class_name: str, **options: str | bool) -> config_pb2.MetricConfig:
    return config_pb2.MetricConfig(class_name=class_name, config=json.dumps(options))


def _own(class_name: str, name: str, code: str, **options: bool) -> config_pb2.MetricConfig:
    """A metric of this project."""
    metric = _metric(class_name, name=name, code=code, **options)
    metric.module = _OWN_METRICS
    return metric


def _documents() -> config_pb2.MetricConfig:
    metric = _metric("ExampleCount", name="documents")
    # Without any threshold, as with no gates, or margins alone and no baseline, the Evaluator blesses nothing.
    metric.threshold.value_threshold.lower_bound.value = 1
    return metric


def _gated(metric: config_pb2.MetricConfig, config: RunConfig, name: str) -> config_pb2.MetricConfig:
    """Adds the thresholds that the job has for the metric of this name."""
    gate = config.gates.get(name)
    if gate is not None:
        places = {source: config_pb2.SlicingSpec(feature_values={"source": source}) for source in gate.slices}
        for place, limits in [(config_pb2.SlicingSpec(), gate), *((places[s], gate.slices[s]) for s in places)]:
            metric.per_slice_thresholds.add(slicing_specs=[place], threshold=_threshold(config, name, limits))
    return metric


def _threshold(config: RunConfig, name: str, gate: SliceGateSettings) -> config_pb2.MetricThreshold:
    threshold, metric = config_pb2.MetricThreshold(), config.metrics[name]
    if metric.undefined:  # Without any bound a metric without a value would pass.
        threshold.value_threshold.lower_bound.value = metric.lowest
    if gate.min is not None:
        threshold.value_threshold.lower_bound.value = gate.min
    if gate.max is not None:
        threshold.value_threshold.upper_bound.value = gate.max
    margin = _margin(gate)
    if margin is not None:
        higher = metric.better == "higher"
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


def reasons(
    config: RunConfig,
    candidate: Metrics,
    baseline: Metrics | None,
    uncovered: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[tuple[bool, str]]:
    """Says of each threshold whether the candidate meets it, in words.

    Args:
        config: The job.
        candidate: The metrics of the model.
        baseline: Those of the last blessed model, None where there was none.
        uncovered: The coverage of the sets that gate nothing, because too little of them is known.

    Yields:
        Whether the threshold is met, and the sentence.
    """
    evaluation = config.evaluation if isinstance(config, Word2vecConfig) else EvaluationSettings()
    for name, gate in config.gates.items():
        sets = evaluation.judged_by(name)
        gating = [one for one in sets if one not in uncovered]
        yield from ((True, _left_out(evaluation, one, uncovered[one])) for one in sets if one in uncovered)
        if sets and not gating:
            continue
        key = TWIN + name if sets else name
        subject = name if len(gating) == len(sets) else f"{name} over {', '.join(gating)}"
        metric = config.metrics[name]
        if metric.undefined and math.isnan(candidate[OVERALL].get(key, 0.0)):
            yield False, f"{subject} has no value: {metric.undefined}"
            continue
        yield from _limits(subject, gate, candidate[OVERALL].get(key))
        for source, limits in gate.slices.items():
            if source not in uncovered:
                place = f"source={source}"
                yield from _limits(f"{name} on {place}", limits, candidate.get(place, {}).get(key))
        margin = _margin(gate)
        if margin is not None and baseline is not None:
            yield _change(subject, margin, candidate[OVERALL][key], baseline[OVERALL][key], metric.better)
        elif margin is not None:
            yield True, f"{name}: no earlier blessed model to compare with"


def _left_out(evaluation: EvaluationSettings, name: str, share: float) -> str:
    found, least = math.floor(100 * share) / 100, evaluation.min_coverage
    return f"coverage {found:.2f} of {name} is below evaluation.min_coverage {least:g}: not gated"


def _limits(subject: str, limits: SliceGateSettings, value: float | None) -> Iterator[tuple[bool, str]]:
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
    if math.isnan(before):
        return False, f"{name} is {value:.4f}, and the last blessed model has none to compare with"
    worse_by = before - value if better == "higher" else value - before
    met = worse_by <= margin
    relation = f"{abs(worse_by):.4f} {'worse' if worse_by > 0 else 'better'} than" if worse_by else "equal to"
    text = f"{name} is {relation} the last blessed model's {before:.4f}"
    return met, f"{text}, {'within' if met else 'beyond'} the margin of {margin:g}"
