"""Checks of the gates against the metrics of a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.config.checks import Problem
from pipeline.config.job import Job
from pipeline.config.sections import SliceGateSettings
from pipeline.tasks.metric import Metric
from trainer.text.suggestions import closest


def gate_problems(job: Job, metrics: Mapping[str, Metric], subject: str) -> Iterator[Problem]:
    """Yields the gates that name no metric of the task, or that its values can never meet.

    Args:
        job: The job.
        metrics: The metrics of its task by name.
        subject: What messages call the job.
    """
    known = [name for name, metric in metrics.items() if metric.gated]
    for name, gate in job.gates.items():
        path = ("gates", name)
        if not known:
            yield Problem(path, f"{subject} publishes nothing.", "a gate", "no gates")
            continue
        if name not in known:
            near = closest(name, known)
            fix = f"did you mean {near}?" if near else None
            yield Problem(path, f"{subject} has no metric {name}.", name, ", ".join(known), fix)
            continue
        if not gate.model_fields_set:
            yield Problem(path, "A gate without a bound lets everything pass.", "no key", "min, max_drop, ...")
        yield from _bounds(path, name, metrics[name], gate)
        for source, bounds in gate.slices.items():
            yield from _bounds((*path, "slices", source), name, metrics[name], bounds)
            yield from _source((*path, "slices", source), name, metrics[name].sources)


def _bounds(path: tuple[str, ...], name: str, metric: Metric, gate: SliceGateSettings) -> Iterator[Problem]:
    right, wrong = (("min", "max_drop"), ("max", "max_rise"))[:: 1 if metric.better == "higher" else -1]
    for key, instead in zip(wrong, right, strict=True):
        if getattr(gate, key, None) is not None:
            what = f"{key} does not fit {name}: {metric.better} is better."
            yield Problem((*path, key), what, key, " and ".join(right), f"did you mean {instead}?")
    for key in right:
        value = getattr(gate, key, None)
        if value is not None and not metric.lowest <= value <= metric.highest:
            fix = f"did you mean {value / 100:g}?" if 1 < value <= 100 else None
            low, high = f"{metric.lowest:g}", f"{metric.highest:g}"
            yield Problem((*path, key), f"{name} lies between {low} and {high}.", f"{value:g}", f"{low} to {high}", fix)


def _source(path: tuple[str, ...], name: str, sources: tuple[str, ...] | None) -> Iterator[Problem]:
    source = path[-1]
    if sources is not None and source not in sources:
        near = closest(source, sources)
        fix = f"did you mean {near}?" if near else None
        yield Problem(path, f"{name} is not measured on {source}.", source, ", ".join(sources), fix)
