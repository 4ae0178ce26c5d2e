"""Finds out which components of a job would come from the cache, without running any."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from pathlib import Path

from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import execution_result_pb2, pipeline_pb2

from pipeline.dag import lineage
from pipeline.dag.edges import inputs
from pipeline.dag.layout import Layout
from pipeline.runners import local
from pipeline.runners.local_beam import LOCAL_BEAM
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
    with tempfile.TemporaryDirectory() as folder:
        copied = str(Path(folder, "metadata.sqlite"))
        shutil.copyfile(prepared.layout.metadata, copied)
        layout = Layout(prepared.layout.root)
        layout.artifacts = str(Path(folder, "artifacts"))
        probed = dataclasses.replace(prepared, metadata=lineage.sqlite(copied), layout=layout)
        launching = local.Launching(lambda name: findings.keys() >= set(edges[name]), operator=_Probe)
        _Prober(prepared.run_id, findings, launching).run(probed.pipeline(LOCAL_BEAM))
    return frozenset(name for name, state in findings.items() if state is ComponentState.CACHED)
