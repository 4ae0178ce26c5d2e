"""Translates the gates of a job into the Evaluator's configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.margins import ROUNDING, Margin
from components.evaluator.names import FIGURE_METRIC
from pipeline.config.job import Job
from pipeline.config.sections import GateSettings, SliceGateSettings
from pipeline.tasks.metric import Metric
from pipeline.tasks.registry import task_of

_LOWER, _HIGHER = config_pb2.MetricDirection.LOWER_IS_BETTER, config_pb2.MetricDirection.HIGHER_IS_BETTER


def eval_config(job: Job, code: str = "") -> config_pb2.EvalConfig:
    """Builds the Evaluator's configuration; `code` is a digest of the code behind the metrics."""
    task = task_of(job)
    metrics = task.metrics(job)
    figures = [_gated(_config(name, metric, code), job, name) for name, metric in metrics.items()]
    documents = config_pb2.MetricConfig(class_name="ExampleCount", config=json.dumps({"name": "documents"}))
    # Without any threshold (no gates, or only margins and no baseline), the Evaluator blesses nothing.
    documents.threshold.value_threshold.lower_bound.value = 1
    # Models read raw examples, each through its own transform graph, because their token ids differ.
    model = config_pb2.ModelSpec(signature_name=task.judged_by(job))
    spec = config_pb2.MetricsSpec(metrics=[*figures, documents])
    slices = [config_pb2.SlicingSpec(feature_keys=list(keys)) for keys in ((), *task.slices(job))]
    return config_pb2.EvalConfig(model_specs=[model], slicing_specs=slices, metrics_specs=[spec])


def margin(gate: SliceGateSettings) -> float | None:
    """Returns how much worse than the last blessed model's a value may be, or None if they are not compared."""
    if not isinstance(gate, GateSettings):
        return None
    return gate.max_drop if gate.max_drop is not None else gate.max_rise


def linear_margins(job: Job) -> dict[str, Margin]:
    """Returns the margin over the linear model by metric, of the gates that have one."""
    found = {}
    for name, gate in job.gates.items():
        if gate.min_over_linear is not None:
            found[name] = Margin(gate.min_over_linear, higher_is_better=True)
        elif gate.max_over_linear is not None:
            found[name] = Margin(-gate.max_over_linear, higher_is_better=False)
    return found


def _config(name: str, metric: Metric, code: str) -> config_pb2.MetricConfig:
    module, class_name = FIGURE_METRIC
    return config_pb2.MetricConfig(
        class_name=class_name,
        module=module,
        config=json.dumps({"name": name, "figure": metric.figure, "code": code}),
    )


def _gated(config: config_pb2.MetricConfig, job: Job, name: str) -> config_pb2.MetricConfig:
    """Adds the thresholds of the job's gate on the metric, if it has one."""
    gate = job.gates.get(name)
    if gate is not None:
        metric = task_of(job).metrics(job)[name]
        slices: list[tuple[Mapping[str, str], SliceGateSettings]] = [(metric.slice, gate)]
        slices += [({"source": source, **metric.slice}, limits) for source, limits in gate.slices.items()]
        for values, limits in slices:
            spec = config_pb2.SlicingSpec(feature_values=dict(values))
            config.per_slice_thresholds.add(slicing_specs=[spec], threshold=_threshold(metric, limits))
    return config


def _threshold(metric: Metric, gate: SliceGateSettings) -> config_pb2.MetricThreshold:
    threshold = config_pb2.MetricThreshold()
    # Set even if the gate has no bound, because an undefined metric passes where it has no value threshold.
    threshold.value_threshold.lower_bound.value = metric.lowest if gate.min is None else gate.min
    if gate.max is not None:
        threshold.value_threshold.upper_bound.value = gate.max
    allowed = margin(gate)
    if allowed is not None:
        allowed += ROUNDING
        threshold.change_threshold.absolute.value = -allowed if metric.higher_is_better else allowed
        threshold.change_threshold.direction = _HIGHER if metric.higher_is_better else _LOWER
    return threshold
