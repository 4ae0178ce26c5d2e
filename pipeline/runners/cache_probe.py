"""Finds out which components of a job would come from the cache, without running any."""

from __future__ import annotations

import contextlib

from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import execution_result_pb2, pipeline_pb2

from pipeline.dag.edges import inputs
from pipeline.runners import local
from pipeline.runners.engines.preflight import flags_of
from pipeline.runners.metadata_copy import on_copy
from pipeline.runs.prepare import PreparedRun
from pipeline.runs.state import ComponentState


class _MissError(Exception):
    """A component is not in the cache."""


class _Probe(local.LateOperator):
    """Runs no executor: TFX asks for one after it has found nothing in the cache."""

    def run_executor(self, execution_info: data_types.ExecutionInfo) -> execution_result_pb2.ExecutorOutput | None:
        del execution_info
        raise _MissError


class _Prober(local.NodeRunner):
    """Launches nodes one after another, and continues after those that are not in the cache."""

    def run_node(self, pipeline: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> None:
        """Launches one node."""
        with contextlib.suppress(_MissError):
            super().run_node(pipeline, node)


class _Findings(dict[str, ComponentState]):
    """Observes which components complete."""

    def started(self, component: str) -> None:
        """Nothing is known yet."""

    def ended(self, component: str, state: ComponentState) -> None:
        """Remembers the state."""
        self[component] = state


def cached_components(prepared: PreparedRun) -> frozenset[str]:
    """Returns the components of a run whose results TFX would take from the cache.

    They are launched on a copy of the root's ML Metadata, each up to the moment when its executor would run. Those that
    read outputs that do not exist yet are not launched.
    """
    edges = inputs(prepared.job, prepared.goal)
    findings = _Findings()
    with on_copy(prepared) as copy:
        launching = local.Launching(lambda name: findings.keys() >= set(edges[name]), operator=_Probe)
        _Prober(copy.run_id, findings, launching).run(copy.pipeline(flags_of(prepared.job)))
    return frozenset(name for name, state in findings.items() if state is ComponentState.CACHED)
