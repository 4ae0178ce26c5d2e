"""Explains whether a model passes each gate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from components.evaluator.margins import ROUNDING, Margin
from components.evaluator.results import OVERALL, Metrics, slice_name
from pipeline.config.job import Job
from pipeline.config.sections import GateSettings, SliceGateSettings
from pipeline.dag.gates import linear_margins, margin
from pipeline.tasks.metric import Metric
from pipeline.tasks.registry import task_of
from trainer.jobs.counting import Undefined

_ONLY_SECTION = re.compile(r"source=(.*),section=\1")
"""The slice of a source's only section, which equals the slice of the source."""


class GateSentence(str):
    """Why a model meets one bound of a gate or does not, in a sentence that has its numbers.

    Attributes:
        metric: The metric.
        slice: "overall", or the slice of a source: "source=imdb".
        bound: The key of the bound, such as `max_drop`; None if the metric has no value to compare.
        limit: The value of that key.
        value: The metric of the model.
    """

    metric: str
    slice: str
    bound: str | None
    limit: float | None
    value: float | None

    def __new__(
        cls, text: str, metric: str, where: str, value: float | None, bound: tuple[str, float] | None = None
    ) -> GateSentence:
        """Creates a sentence; NaN is no value."""
        sentence = str.__new__(cls, text)
        sentence.metric, sentence.slice = metric, where
        sentence.bound, sentence.limit = bound or (None, None)
        sentence.value = None if value is None or math.isnan(value) else value
        return sentence


_Judged = Iterator[tuple[bool, GateSentence]]


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
) -> _Judged:
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
            text = f"{_format_coverage(source, uncovered[source])}: {name} excludes it"
            yield bool(rest), GateSentence(text, name, f"source={source}", None)
        if skipped and not rest:
            yield False, GateSentence(f"{name} cannot be measured: no set is covered", name, OVERALL, None)
            continue
        subject = f"{name} over {', '.join(rest)}" if skipped else name
        value = candidate.get(slice_name(metric.slice), {}).get(name, math.nan)
        yield from _bounds(name, OVERALL, gate, value, metric.records, subject)
        for source, limits in gate.slices.items():
            where, on_source = slice_name({"source": source, **metric.slice}), f"{name} on source={source}"
            if source in uncovered:
                text = f"{on_source} cannot be measured: {_format_coverage(source, uncovered[source])}"
                yield False, GateSentence(text, name, f"source={source}", None)
            else:
                found = candidate.get(where, {}).get(name)
                yield from _bounds(name, f"source={source}", limits, found, f"source={source}", on_source)
        yield from _change(subject, metric, gate, candidate, baseline, name)
        if name in margins and not math.isnan(value):
            yield _over_linear(subject, name, margins[name], value, linear.get(name))


def _format_coverage(source: str, share: float) -> str:
    return f"the vocabulary covers only {math.floor(100 * share) / 100:.2f} of {source}, too little for a gate"


def _bounds(name: str, where: str, gate: SliceGateSettings, value: float | None, records: str, subject: str) -> _Judged:
    if value is None:
        yield False, GateSentence(f"{subject}: no such documents in the test split", name, where, value)
        return
    if math.isnan(value):
        yield False, GateSentence(_no_value(subject, value, records), name, where, value)
        return
    for key, limit, sign in (("min", gate.min, 1), ("max", gate.max, -1)):
        if limit is not None:
            met = (value - limit) * sign >= 0
            bound = "at least" if sign > 0 else "at most"
            relation = "which meets" if met else "but must be"
            text = f"{subject} is {_format(value, limit)}, {relation} {bound} {limit:g}"
            yield met, GateSentence(text, name, where, value, (key, limit))


def _no_value(subject: str, value: float, records: str) -> str:
    return f"{subject} has no value" + (f": {records} {value.reason}" if isinstance(value, Undefined) else "")


def _format(value: float, limit: float) -> str:
    """Formats a value with four decimals, or as many as tell it from a limit that it does not equal."""
    texts = (f"{value:.{decimals}f}" for decimals in range(4, 17))
    apart = abs(value - limit) > ROUNDING
    return next((text for text in texts if not apart or float(text) != limit), repr(value))


def _change(
    subject: str, metric: Metric, gate: GateSettings, candidate: Metrics, baseline: Metrics | None, name: str
) -> _Judged:
    allowed, overall = margin(gate), slice_name(metric.slice)
    value = candidate.get(overall, {}).get(name, math.nan)
    if allowed is None or math.isnan(value):
        return
    bound = ("max_drop" if gate.max_drop is not None else "max_rise", allowed)
    if baseline is None:
        text = f"{name}: no earlier blessed model to compare with"
        yield True, GateSentence(text, name, OVERALL, value, bound)
        return
    before = baseline.get(overall, {}).get(name, math.nan)
    if math.isnan(before):
        text = f"{subject} is {value:.4f}, but the last blessed model has no value to compare with"
        yield False, GateSentence(text, name, OVERALL, value, bound)
        return
    worse_by = before - value if metric.higher_is_better else value - before
    met = worse_by <= allowed + ROUNDING
    relation = (
        f"{_format(abs(worse_by), allowed)} {'worse' if worse_by > 0 else 'better'} than" if worse_by else "equal to"
    )
    text = f"{subject} is {relation} the last blessed model's {before:.4f}"
    text = f"{text}, {'within' if met else 'beyond'} the margin of {allowed:g}"
    yield met, GateSentence(text, name, OVERALL, value, bound)


def _over_linear(
    subject: str, name: str, margin: Margin, value: float, linear: float | None
) -> tuple[bool, GateSentence]:
    higher = margin.higher_is_better
    limit = margin.least if higher else 0 - margin.least
    bound = ("min_over_linear" if higher else "max_over_linear", limit)
    if linear is None:
        text = f"{subject} is {value:.4f}, but the linear model has no value to compare with"
        return False, GateSentence(text, name, OVERALL, value, bound)
    over, met = value - linear, margin.met(value, linear)
    relation = f"{_format(abs(over), abs(limit))} {'better' if (over > 0) == higher else 'worse'} than"
    ending = f"{'which meets' if met else 'but must be'} {'at least' if higher else 'at most'} {limit:g}"
    text = f"{subject} is {value:.4f}, {relation if over else 'equal to'} the linear model's {linear:.4f}, {ending}"
    return met, GateSentence(text, name, OVERALL, value, bound)
