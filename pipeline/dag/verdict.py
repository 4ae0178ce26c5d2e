"""Explains whether a model passes each gate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from components.evaluator.margins import ROUNDING, Margin
from components.evaluator.results import OVERALL, Metrics, slice_name
from pipeline.config.job import Job
from pipeline.config.sections import SliceGateSettings
from pipeline.dag.gates import linear_margins, margin
from pipeline.tasks.metric import Metric
from pipeline.tasks.registry import task_of
from trainer.jobs.counting import Undefined

_ONLY_SECTION = re.compile(r"source=(.*),section=\1")
"""The slice of a source's only section, which equals the slice of the source."""


def failed_metrics(directory: str) -> list[str]:
    """Returns the sorted names of the metrics that fail the validation of TensorFlow Model Analysis."""
    import tensorflow_model_analysis as tfma

    result = tfma.load_validation_result(directory)
    return sorted({f.metric_key.name for s in result.metric_validations_per_slice for f in s.failures})


def visible(job: Job, metrics: Metrics) -> Metrics:
    """Returns the metrics to show: those with a value, without slices that exist only for gates or repeat another."""
    gate_features = sorted({feature for metric in task_of(job).metrics(job).values() for feature in metric.slice})
    gate_values = re.compile(rf"(^|,)({'|'.join(gate_features)})=[^,]*$") if gate_features else None
    found: dict[str, dict[str, float]] = {}
    for place, values in metrics.items():
        kept = place if gate_values is None else gate_values.sub("", place)
        if kept and not _ONLY_SECTION.fullmatch(kept):
            found[kept] = {name: value for name, value in values.items() if not math.isnan(value)}
    return found


def undefined(job: Job, metrics: Metrics) -> Iterator[str]:
    """Yields why metrics of all documents have no value, a sentence each."""
    for name, metric in task_of(job).metrics(job).items():
        value = metrics.get(OVERALL, {}).get(name)
        if isinstance(value, Undefined):
            yield _no_value(name, value, metric.records)


def judge(
    job: Job,
    candidate: Metrics,
    baseline: Metrics | None,
    uncovered: Mapping[str, float] = MappingProxyType({}),
    linear: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[tuple[bool, str]]:
    """Judges each bound of each gate.

    Args:
        job: The job.
        candidate: The metrics of the model.
        baseline: The metrics of the last blessed model, if any.
        uncovered: Coverage by source, of the sources whose coverage is too low for gates.
        linear: The metrics of the linear model of the run.

    Yields:
        Whether the model meets the bound, and a sentence that explains why.
    """
    metrics, margins = task_of(job).metrics(job), linear_margins(job)
    for name, gate in job.gates.items():
        metric = metrics[name]
        sources = metric.sources or ()
        skipped = [source for source in sources if source in uncovered]
        rest = [source for source in sources if source not in uncovered]
        for source in skipped:
            yield bool(rest), f"{_format_coverage(source, uncovered[source])}: {name} excludes it"
        if skipped and not rest:
            yield False, f"{name} cannot be measured: no set is covered"
            continue
        subject = f"{name} over {', '.join(rest)}" if skipped else name
        overall = slice_name(metric.slice)
        value = candidate.get(overall, {}).get(name, math.nan)
        yield from _bounds(subject, gate, value, metric.records)
        for source, limits in gate.slices.items():
            where, on_source = slice_name({"source": source, **metric.slice}), f"{name} on source={source}"
            if source in uncovered:
                yield False, f"{on_source} cannot be measured: {_format_coverage(source, uncovered[source])}"
            else:
                yield from _bounds(on_source, limits, candidate.get(where, {}).get(name), f"source={source}")
        yield from _change(subject, metric, gate, candidate, baseline, name)
        if name in margins and not math.isnan(value):
            yield _over_linear(subject, margins[name], value, linear.get(name))


def _format_coverage(source: str, share: float) -> str:
    return f"the vocabulary covers only {math.floor(100 * share) / 100:.2f} of {source}, too little for a gate"


def _bounds(subject: str, gate: SliceGateSettings, value: float | None, records: str) -> Iterator[tuple[bool, str]]:
    if value is None:
        yield False, f"{subject}: no such documents in the test split"
        return
    if math.isnan(value):
        yield False, _no_value(subject, value, records)
        return
    for limit, sign in ((gate.min, 1), (gate.max, -1)):
        if limit is not None:
            met = (value - limit) * sign >= 0
            bound = "at least" if sign > 0 else "at most"
            relation = "which meets" if met else "but must be"
            yield met, f"{subject} is {_format(value, limit)}, {relation} {bound} {limit:g}"


def _no_value(subject: str, value: float, records: str) -> str:
    return f"{subject} has no value" + (f": {records} {value.reason}" if isinstance(value, Undefined) else "")


def _format(value: float, limit: float) -> str:
    """Formats a value with four decimals, or as many as tell it from a limit that it does not equal."""
    texts = (f"{value:.{decimals}f}" for decimals in range(4, 17))
    apart = abs(value - limit) > ROUNDING
    return next((text for text in texts if not apart or float(text) != limit), repr(value))


def _change(
    subject: str, metric: Metric, gate: SliceGateSettings, candidate: Metrics, baseline: Metrics | None, name: str
) -> Iterator[tuple[bool, str]]:
    allowed, overall = margin(gate), slice_name(metric.slice)
    value = candidate.get(overall, {}).get(name, math.nan)
    if allowed is None or math.isnan(value):
        return
    if baseline is None:
        yield True, f"{name}: no earlier blessed model to compare with"
        return
    before = baseline.get(overall, {}).get(name, math.nan)
    if math.isnan(before):
        yield False, f"{subject} is {value:.4f}, but the last blessed model has no value to compare with"
        return
    worse_by = before - value if metric.higher_is_better else value - before
    met = worse_by <= allowed + ROUNDING
    relation = (
        f"{_format(abs(worse_by), allowed)} {'worse' if worse_by > 0 else 'better'} than" if worse_by else "equal to"
    )
    text = f"{subject} is {relation} the last blessed model's {before:.4f}"
    yield met, f"{text}, {'within' if met else 'beyond'} the margin of {allowed:g}"


def _over_linear(subject: str, margin: Margin, value: float, linear: float | None) -> tuple[bool, str]:
    if linear is None:
        return False, f"{subject} is {value:.4f}, but the linear model has no value to compare with"
    higher, met = margin.higher_is_better, margin.met(value, linear)
    over, limit = value - linear, margin.least if higher else 0 - margin.least
    relation = f"{_format(abs(over), abs(limit))} {'better' if (over > 0) == higher else 'worse'} than"
    bound = f"{'which meets' if met else 'but must be'} {'at least' if higher else 'at most'} {limit:g}"
    return met, f"{subject} is {value:.4f}, {relation if over else 'equal to'} the linear model's {linear:.4f}, {bound}"
