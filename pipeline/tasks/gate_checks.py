"""Checks of the gates against the metrics of a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.config.job import Job
from pipeline.config.sections import GateSettings, SliceGateSettings
from pipeline.tasks.metric import Metric
from trainer.errors import Problem
from trainer.text.suggestions import did_you_mean

OVER_LINEAR = ("min_over_linear", "max_over_linear")
"""The keys of a gate that compare with the linear model, where a higher and where a lower value is better."""


def gate_problems(job: Job, metrics: Mapping[str, Metric]) -> Iterator[Problem]:
    """Yields gates on unknown metrics, and thresholds that do not fit the metric, given the job's metrics by name."""
    subject = f"A {job.task} job" + " with multi_label" * job.corpus.kind.multi_label
    known = [name for name, metric in metrics.items() if metric.gated]
    for name, gate in job.gates.items():
        path = ("gates", name)
        if not known:
            yield Problem(path, f"{subject} cannot have gates.", name, "no gates: the job publishes no model")
        elif name in metrics and name not in known:
            yield Problem(path, f"{name} is only reported and cannot have a gate.", name, ", ".join(known))
        elif name not in known:
            fix = did_you_mean(name, known)
            yield Problem(path, f"{subject} has no metric {name}.", name, ", ".join(known), fix)
        else:
            yield from _threshold_problems(path, name, metrics[name], gate)
            yield from _linear_problems(path, name, metrics, gate)
            for source, limits in gate.slices.items():
                slice_path, sources = (*path, "slices", source), metrics[name].sources
                yield from _threshold_problems(slice_path, name, metrics[name], limits)
                if sources and source not in sources:
                    fix = did_you_mean(source, sources)
                    yield Problem(slice_path, f"{name} is not measured on {source}.", source, ", ".join(sources), fix)


def _threshold_problems(path: tuple[str, ...], name: str, metric: Metric, gate: SliceGateSettings) -> Iterator[Problem]:
    keys = ("min", "max_drop", OVER_LINEAR[0]), ("max", "max_rise", OVER_LINEAR[1])
    right, wrong = keys[:: 1 if metric.higher_is_better else -1]
    for key, instead in zip(wrong, right, strict=True):
        if getattr(gate, key, None) is not None:
            what = f"{key} does not apply to {name}: {metric.better} is better."
            yield Problem((*path, key), what, key, " and ".join(right), f"did you mean {instead}?")
    for key in right[:2]:
        value = getattr(gate, key, None)
        if value is not None and not metric.lowest <= value <= metric.highest:
            fix = f"did you mean {value / 100:g}?" if 1 < value <= 100 else None
            low, high = f"{metric.lowest:g}", f"{metric.highest:g}"
            what = f"{name} is always between {low} and {high}."
            yield Problem((*path, key), what, f"{value:g}", f"{low} to {high}", fix)


def _linear_problems(
    path: tuple[str, ...], name: str, metrics: Mapping[str, Metric], gate: GateSettings
) -> Iterator[Problem]:
    metric, compared = metrics[name], [other for other, metric in metrics.items() if metric.linear]
    key = OVER_LINEAR[0 if metric.higher_is_better else 1]
    value = getattr(gate, key)
    if value is None:
        return
    width = metric.highest - metric.lowest
    if name not in compared:
        what = f"{name} has no value of a linear model to compare with."
        yield Problem((*path, key), what, key, ", ".join(compared) or f"no {key}: the job has no linear model")
    elif abs(value) > width:
        fix = f"did you mean {value / 100:g}?" if abs(value) <= 100 else None
        what = f"Two values of {name} are never more than {width:g} apart."
        yield Problem((*path, key), what, f"{value:g}", f"{-width:g} to {width:g}", fix)
