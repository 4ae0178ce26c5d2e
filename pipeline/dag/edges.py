"""The edges between the components of a job. Imports no TFX; the nodes that TFX runs have the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.config.job import Job
from pipeline.tasks.registry import task_of
from pipeline.tasks.task import Goal

AFTER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"SequenceTransform": ("ExampleValidator",), "LinearBaseline": ("SequenceTransform",)}
)
"""Dependencies without a channel, so that lowering an anomaly to a warning does not rerun transform and training.

The linear model is fitted to examples that are checked.
"""

_INPUTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "StatisticsGen": ("CorpusExampleGen",),
        "PreviousStatistics": ("StatisticsGen",),
        "ExampleValidator": ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "PreviousStatistics"),
        "SequenceTransform": ("CorpusExampleGen", "SchemaGen"),
        "EvaluationSets": ("CorpusExampleGen", "SequenceTransform"),
        "LinearBaseline": ("CorpusExampleGen",),
        "WarmStart": ("SequenceTransform",),
        "Trainer": ("SequenceTransform", "BestHyperparameters", "WarmStart"),
        "Tuner": ("SequenceTransform",),
        "LearningCheck": ("SequenceTransform",),
        "Baseline": ("Trainer",),
        "Evaluator": ("Trainer", "Baseline"),
        "Pusher": ("CorpusExampleGen", "Trainer", "Evaluator"),
    }
)
"""The components whose outputs each component reads, where the job has them."""


def inputs(job: Job, goal: Goal = "publish") -> dict[str, tuple[str, ...]]:
    """Returns the components whose outputs each component of a job reads, both in the order they run."""
    task = task_of(job)
    margins = any(gate.min_over_linear is not None or gate.max_over_linear is not None for gate in job.gates.values())
    chosen = {"Evaluator": (task.evaluated[0], *(("LinearBaseline",) if margins else ()))}
    components = task.components(job, goal)
    found = {}
    for component in components:
        wanted = {*_INPUTS.get(component, ()), *chosen.get(component, ())}
        found[component] = tuple(name for name in components if name in wanted)
    return found


def upstream(job: Job, goal: Goal = "publish") -> dict[str, tuple[str, ...]]:
    """Returns the components that each component of a job waits for, both in the order they run."""
    edges = inputs(job, goal)
    return {
        component: tuple(name for name in edges if name in {*before, *AFTER.get(component, ())})
        for component, before in edges.items()
    }


def downstream(component: str, edges: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Returns the components that depend on one, directly or not, in the order of the edges' keys."""
    reached = {component}
    for name, before in edges.items():  # They are in topological order.
        if reached.intersection(before):
            reached.add(name)
    return tuple(name for name in edges if name in reached and name != component)
