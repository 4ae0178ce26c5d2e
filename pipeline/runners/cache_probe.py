"""Finds out which components of a job would come from the cache, without running any."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from google.protobuf.message import Message
from ml_metadata.proto.metadata_store_pb2 import ConnectionConfig
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import executable_spec_pb2, execution_result_pb2, pipeline_pb2
from tfx.utils import proto_utils

from pipeline.dag.edges import inputs
from pipeline.runners import local
from pipeline.runners.engines.preflight import flags_of
from pipeline.runners.metadata_copy import on_copy
from pipeline.runners.runner import Observer
from pipeline.runs.prepare import PreparedRun
from pipeline.runs.state import ComponentState


class Miss(NamedTuple):
    """What TFX has not found in the cache.

    Attributes:
        properties: The parameters that the driver has resolved, as ML Metadata would store them.
        inputs: The ids of the input artifacts by channel; None for a component that was not launched.
        beam: Beam's flags; None if the component does not use Beam.
    """

    properties: Mapping[str, Any]
    inputs: Mapping[str, tuple[int, ...]] | None
    beam: tuple[str, ...] | None


class Probed(NamedTuple):
    """What a run would find in the cache.

    Attributes:
        metadata: The copy of ML Metadata, in which cached components have an execution in the run.
        cached: The components whose results TFX would take from the cache.
        missed: The others, except resolvers.
    """

    metadata: ConnectionConfig
    cached: frozenset[str]
    missed: Mapping[str, Miss]


class _MissError(Exception):
    """A component is not in the cache."""

    def __init__(self, miss: Miss) -> None:
        super().__init__()
        self.miss = miss


class _Probe(local.LateOperator):
    """Runs no executor: TFX asks for one after it has found nothing in the cache."""

    def run_executor(self, execution_info: data_types.ExecutionInfo) -> execution_result_pb2.ExecutorOutput | None:
        inputs = {name: tuple(each.id for each in found) for name, found in execution_info.input_dict.items()}
        properties = {name: _stored(value) for name, value in execution_info.exec_properties.items()}
        raise _MissError(Miss(_given(properties), inputs, _flags(self._executor_spec)))


class _Prober(local.NodeRunner):
    """Launches nodes one after another, and continues after those that are not in the cache."""

    def __init__(self, run_id: str, observer: Observer, launching: local.Launching) -> None:
        super().__init__(run_id, observer, launching)
        self.missed: dict[str, Miss] = {}

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, **options: Any) -> None:
        """Launches the nodes whose inputs exist, and reads the parameters of the others."""
        super().run_with_ir(pipeline, **options)
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        for node in (each.pipeline_node for each in pipeline.nodes):
            name = node.node_info.id
            if not self._launching.wanted(name) and name in deployment.executor_specs:
                values = {key: each.field_value for key, each in node.parameters.parameters.items()}
                properties = {key: getattr(value, value.WhichOneof("value")) for key, value in values.items()}
                spec = runner_utils.extract_executor_spec(deployment, name)
                self.missed[name] = Miss(_given(properties), None, _flags(spec))

    def run_node(self, pipeline: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> None:
        """Launches one node."""
        try:
            super().run_node(pipeline, node)
        except _MissError as error:
            self.missed[node.node_info.id] = error.miss


class _Findings(dict[str, ComponentState]):
    """Observes which components complete."""

    def started(self, component: str) -> None:
        """Nothing is known yet."""

    def ended(self, component: str, state: ComponentState) -> None:
        """Remembers the state."""
        self[component] = state


@contextlib.contextmanager
def probed(prepared: PreparedRun) -> Iterator[Probed]:
    """Yields what a run would find in the cache.

    Components are launched on a copy of the root's ML Metadata, each up to the moment when its executor would run.
    Those that read outputs that do not exist yet are not launched.
    """
    edges = inputs(prepared.job, prepared.goal)
    findings = _Findings()
    with on_copy(prepared) as copy:
        launching = local.Launching(lambda name: findings.keys() >= set(edges[name]), operator=_Probe)
        prober = _Prober(copy.run_id, findings, launching)
        prober.run(copy.pipeline(flags_of(prepared.job)))
        cached = frozenset(name for name, state in findings.items() if state is ComponentState.CACHED)
        yield Probed(copy.metadata, cached, prober.missed)


def cached_components(prepared: PreparedRun) -> frozenset[str]:
    """Returns the components of a run whose results TFX would take from the cache; see `probed`."""
    with probed(prepared) as found:
        return found.cached


def _stored(value: Any) -> Any:
    return proto_utils.proto_to_json(value) if isinstance(value, Message) else value


def _given(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


def _flags(spec: Message) -> tuple[str, ...] | None:
    if not isinstance(spec, executable_spec_pb2.BeamExecutableSpec):
        return None
    return tuple(flag.value.string_value for flag in spec.beam_pipeline_args_placeholders)
