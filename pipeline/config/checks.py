"""Cross-section checks of a job: settings that are valid alone but not together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from pipeline.config.sections import GateSettings, SliceGateSettings
from pipeline.config.suggestions import did_you_mean
from pipeline.tasks.metric import Metric
from trainer.errors import Problem
from trainer.settings import TransformSettings


def split_problems(corpus: CorpusSettings, splits: SplitSettings, required: Collection[str]) -> Iterator[Problem]:
    """Yields the splits that a task requires and the corpus does not have."""
    by_hash = isinstance(corpus.path, str)
    names = list(splits.weights if by_hash else corpus.path)
    missing = [split for split in required if split not in names]
    if missing:
        what = f"The split {' and '.join(missing)} is missing."
        path = ("splits",) if by_hash else ("corpus", "path")
        yield Problem(path, what, f"the splits {', '.join(names)}", f"the splits {', '.join(required)}")


def segment_problems(path: tuple[str, ...], value: str, transform: TransformSettings) -> Iterator[Problem]:
    """Yields a key whose value needs segments, if the tokens do not mark them."""
    if "segment" not in (transform.bos, transform.eos):
        key, found = path[-1], "neither transform.eos nor transform.bos is segment"
        fix = f"set transform.eos: segment, or another {key}"
        yield Problem(path, f"{key} {value} needs marked segments.", found, "<bos> or <eos> at each segment", fix)


def gate_problems(
    gates: Mapping[str, GateSettings], metrics: Mapping[str, Metric], multi_label: bool, task: str
) -> Iterator[Problem]:
    """Yields the gates that do not fit the metrics of a task."""
    job = f"A job of task {task}" + " with multi_label" * multi_label
    for name, gate in gates.items():
        path = ("gates", name)
        if not metrics:
            yield Problem(path, f"{job} cannot have gates.", name, "no gates: the job publishes no model")
        elif name not in metrics:
            fix = did_you_mean(name, metrics)
            yield Problem(path, f"{job} has no metric {name}.", name, ", ".join(metrics), fix)
        else:
            yield from _threshold_problems(path, name, metrics[name], gate)
            for source, limits in gate.slices.items():
                yield from _threshold_problems((*path, "slices", source), name, metrics[name], limits)


def _threshold_problems(path: tuple[str, ...], name: str, metric: Metric, gate: SliceGateSettings) -> Iterator[Problem]:
    right, wrong = (("min", "max_drop"), ("max", "max_rise"))[:: 1 if metric.better == "higher" else -1]
    for key, instead in zip(wrong, right, strict=True):
        if getattr(gate, key, None) is not None:
            what = f"{key} does not apply to {name}: {metric.better} is better."
            yield Problem((*path, key), what, key, " and ".join(right), f"did you mean {instead}?")
    for key in right:
        value = getattr(gate, key, None)
        if value is not None and not metric.lowest <= value <= metric.highest:
            fix = f"did you mean {value / 100:g}?" if 1 < value <= 100 else None
            low, high = f"{metric.lowest:g}", f"{metric.highest:g}"
            what = f"{name} is always between {low} and {high}."
            yield Problem((*path, key), what, f"{value:g}", f"{low} to {high}", fix)
