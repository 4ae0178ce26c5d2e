"""Builds the TFX pipeline of a job.

Names are imported from the modules that define them: `tfx.v1` imports Google Cloud's client, which is slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.pipeline import Pipeline

from pipeline.config.job import Job
from pipeline.dag.edges import AFTER
from pipeline.dag.gates import linear_margins
from pipeline.dag.layout import Layout
from pipeline.dag.nodes import Nodes
from pipeline.dag.sources import Sources
from pipeline.tasks.registry import task_of
from pipeline.tasks.task import Goal

_CODE_MODULES: Mapping[str, tuple[str, ...]] = {
    "CorpusExampleGen": ("components.corpus_example_gen.executor",),
    "StatisticsGen": ("components.stock.executor",),
    "ExampleValidator": ("components.corpus_validator.executor",),
    "SequenceTransform": ("components.sequence_transform.executor",),
    "EvaluationSets": ("components.evaluation_sets.executor",),
    "Trainer": ("trainer.jobs.entry_point",),
    "LinearBaseline": ("components.linear_baseline.executor",),
    "Evaluator": ("components.evaluator.figure_metric",),
    "LearningCheck": ("components.learning_check.executor",),
    "Tuner": ("trainer.tuning.tuner",),
}
"""The modules behind each component of this project, without the ones they load by dotted path."""


def code_modules(job: Job) -> dict[str, tuple[str, ...]]:
    """Returns the modules whose code, including their imports, determines the results of each component of a job."""
    task = task_of(job)
    training = task.training(job).partition(":")[0]
    figures = sorted({metric.figure.partition(":")[0] for metric in task.metrics(job).values() if metric.figure})
    loaded = {
        **dict.fromkeys(("Trainer", "Tuner", "LearningCheck"), (training,) if training else ()),
        "LinearBaseline": tuple(figures),
        "Evaluator": (*figures, *(("components.evaluator.executor",) if linear_margins(job) else ())),
    }
    return {component: (*modules, *loaded.get(component, ())) for component, modules in _CODE_MODULES.items()}


def create_pipeline(
    job: Job,
    layout: Layout,
    sources: Sources,
    *,
    code: Mapping[str, str],
    run_id: str,
    name: str | None = None,
    metadata: mlmd.ConnectionConfig | None = None,
    beam_args: Sequence[str] = (),
    goal: Goal = "publish",
    until: str | None = None,
    use_cache: bool = True,
) -> Pipeline:
    """Builds the pipeline of a job.

    Args:
        job: The job.
        layout: The files and folders below the root.
        sources: The pipeline's external inputs.
        code: Digest of the code by component, for every key of `code_modules`.
        run_id: The run's id.
        name: The pipeline's name in ML Metadata; None: the job's.
        metadata: The connection to ML Metadata; None: the runner has its own.
        beam_args: The runner's Beam flags, which precede the job's.
        goal: What the run is for.
        until: The last component to run, together with those it depends on; None: all components.
        use_cache: Whether to reuse results of earlier runs.
    """
    built = Nodes(job, layout, sources, code, run_id)
    for component in task_of(job).components(job, goal):
        built.build(component)
    nodes = built.nodes
    wanted = list(nodes.values()) if until is None else _needed(nodes, until)
    # TFX rejects a node whose upstream node is not in the pipeline.
    for node in wanted:
        for earlier in AFTER.get(node.id, ()):
            node.add_upstream_node(nodes[earlier])
    return Pipeline(
        pipeline_name=name or job.name,
        pipeline_root=layout.artifacts,
        components=wanted,
        enable_cache=use_cache,
        metadata_connection_config=metadata,
        beam_pipeline_args=[*beam_args, *job.beam.options],
    )


def _needed(nodes: Mapping[str, BaseNode], until: str) -> list[BaseNode]:
    wanted, waiting = set(), [until]
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting += [node for channel in nodes[name].inputs.values() for node in channel.get_data_dependent_node_ids()]
        waiting += AFTER.get(name, ())
    return [node for name, node in nodes.items() if name in wanted]
