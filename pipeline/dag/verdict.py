"""What the Evaluator found: metrics by slice, and in words whether each gate is passed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import tensorflow_model_analysis as tfma

from pipeline.config.job import Job
from pipeline.config.sections import SliceGateSettings
from pipeline.dag.gates import margin
from pipeline.tasks.metric import Metric
from pipeline.tasks.registry import task_of

OVERALL = "overall"

Metrics = Mapping[str, Mapping[str, float]]
"""Value by metric, by slice: "overall", "source=imdb"."""

_ONLY_SECTION = re.compile(r"source=(.*),section=\1")
"""The slice of the only section of a source, which is all of the source."""


def read_metrics(directory: str, model: str | None = None) -> Metrics:
    """Reads the metrics of a model; of those computed class by class the lowest.

    Args:
        directory: The Evaluator's output.
        model: `candidate` or `baseline` where both were judged.
    """
    result = tfma.load_eval_result(directory, model_name=model)
    return {_place(dict(key)): _lowest(values[""]) for key, values in result.slicing_metrics}


def failed_metrics(directory: str) -> list[str]:
    """Returns the names of the metrics for which TensorFlow Model Analysis refuses a model, sorted."""
    result = tfma.load_validation_result(directory)
    return sorted({f.metric_key.name for s in result.metric_validations_per_slice for f in s.failures})


def shown(job: Job, metrics: Metrics) -> Metrics:
    """Returns the metrics as people see them: with a value, on slices that add something.

    Args:
        job: The job.
        metrics: Its model's metrics, as `read_metrics` returns them.
    """
    helpers = sorted({feature for metric in task_of(job).metrics(job).values() for feature in metric.slice})
    helping = re.compile(rf"(^|,)({'|'.join(helpers)})=[^,]*$") if helpers else None
    found: dict[str, dict[str, float]] = {}
    for place, values in metrics.items():
        kept = place if helping is None else helping.sub("", place)
        if kept and not _ONLY_SECTION.fullmatch(kept):
            found[kept] = {name: value for name, value in values.items() if not math.isnan(value)}
    return found


def judge(
    job: Job,
    candidate: Metrics,
    baseline: Metrics | None,
    uncovered: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[tuple[bool, str]]:
    """Decides each bound of each gate.

    Args:
        job: The job.
        candidate: The metrics of the model.
        baseline: Those of the last blessed model; None: there is none.
        uncovered: The coverage of each source of which the model knows too little to be gated.

    Yields:
        Whether the model passes, and the sentence that says so.
    """
    metrics = task_of(job).metrics(job)
    for name, gate in job.gates.items():
        metric = metrics[name]
        sources = metric.sources or ()
        skipped = [source for source in sources if source in uncovered]
        rest = [source for source in sources if source not in uncovered]
        yield from (
            (bool(rest), f"{_too_little(source, uncovered[source])}: {name} leaves it out") for source in skipped
        )
        if skipped and not rest:
            yield False, f"{name} could not be measured: no set is covered"
            continue
        subject = f"{name} over {', '.join(rest)}" if skipped else name
        place = _place(metric.slice)
        yield from _bounds(subject, metric, gate, candidate.get(place, {}).get(name, math.nan))
        for source, limits in gate.slices.items():
            where = _place({"source": source, **metric.slice})
            if source in uncovered:
                yield (
                    False,
                    f"{name} on source={source} could not be measured: {_too_little(source, uncovered[source])}",
                )
            else:
                yield from _bounds(f"{name} on source={source}", metric, limits, candidate.get(where, {}).get(name))
        yield from _change(subject, metric, gate, candidate, baseline, name)


def _place(values: Mapping[str, Any]) -> str:
    """Names a slice by its values, the source first."""
    ordered = sorted(values.items(), key=lambda pair: pair[0] != "source")
    return ",".join(f"{name}={value}" for name, value in ordered) or OVERALL


def _lowest(by_class: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for metrics in by_class.values():
        for name, value in metrics.items():
            # Differences from the baseline are left out; NaN and infinity are texts.
            if "doubleValue" in value and not name.endswith("_diff"):
                number = float(value["doubleValue"])
                known = found.get(name, number)
                found[name] = math.nan if math.isnan(number) or math.isnan(known) else min(number, known)
    return found


def _too_little(source: str, share: float) -> str:
    return f"the vocabulary covers {math.floor(100 * share) / 100:.2f} of {source}, which is too little to gate"


def _bounds(subject: str, metric: Metric, gate: SliceGateSettings, value: float | None) -> Iterator[tuple[bool, str]]:
    if value is None:
        yield False, f"{subject}: no such documents in the test split"
        return
    if math.isnan(value):
        yield False, f"{subject} has no value" + (f": {metric.undefined}" if metric.undefined else "")
        return
    for limit, sign in ((gate.min, 1), (gate.max, -1)):
        if limit is not None:
            met = (value - limit) * sign >= 0
            bound = "at least" if sign > 0 else "at most"
            yield met, f"{subject} is {value:.4f}, {'which meets' if met else 'but must be'} {bound} {limit:g}"


def _change(
    subject: str,
    metric: Metric,
    gate: SliceGateSettings,
    candidate: Metrics,
    baseline: Metrics | None,
    name: str,
) -> Iterator[tuple[bool, str]]:
    allowed, place = margin(gate), _place(metric.slice)
    value = candidate.get(place, {}).get(name, math.nan)
    if allowed is None or math.isnan(value):
        return
    if baseline is None:
        yield True, f"{name}: no earlier blessed model to compare with"
        return
    before = baseline.get(place, {}).get(name, math.nan)
    if math.isnan(before):
        yield False, f"{subject} is {value:.4f}, and the last blessed model has none to compare with"
        return
    worse_by = before - value if metric.better == "higher" else value - before
    met = worse_by <= allowed
    relation = f"{abs(worse_by):.4f} {'worse' if worse_by > 0 else 'better'} than" if worse_by else "equal to"
    text = f"{subject} is {relation} the last blessed model's {before:.4f}"
    yield met, f"{text}, {'within' if met else 'beyond'} the margin of {allowed:g}"
