"""Runs a prepared run on this machine, one component after another, each through TFX's launcher.

TFX's LocalDagRunner does the same, but does not report which component is running.
"""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import (
    base_executor_operator,
    data_types,
    launcher,
    runtime_parameter_utils,
    tfx_runner,
)
from tfx.proto.orchestration import executable_spec_pb2, execution_result_pb2, pipeline_pb2
from tfx.utils import telemetry_utils

from pipeline.runners.causes import conditions
from pipeline.runners.engines.faults import recognized
from pipeline.runners.engines.preflight import ready
from pipeline.runners.engines.servers import job_server
from pipeline.runners.runner import Observer
from pipeline.runs.prepare import PreparedRun
from pipeline.runs.state import ComponentState
from pipeline.store.server_store import is_server
from pipeline.store.store_types import register_types
from pipeline.store.tfx_metadata import StoreMetadata
from trainer.errors import JobError
from trainer.jobs.light_imports import run_deferred

_logger = logging.getLogger("seqloom.runner")

_STATES = {mlmd.Execution.COMPLETE: ComponentState.DONE, mlmd.Execution.CACHED: ComponentState.CACHED}


ON_STOCK = ("tfx.components.", "components.evaluator.")
"""Executors of TFX and those derived from them that rely on what the package `tfx.components` does when it is imported:
that of tfx 1.21 completes TensorFlow Model Analysis."""


class LateOperator(base_executor_operator.BaseExecutorOperator):
    """Runs an executor with TFX's own operator, which imports it; TFX creates operators even for cached results."""

    SUPPORTED_EXECUTOR_SPEC_TYPE = (
        executable_spec_pb2.PythonClassExecutableSpec,
        executable_spec_pb2.BeamExecutableSpec,
    )
    SUPPORTED_PLATFORM_CONFIG_TYPE = ()

    def run_executor(self, execution_info: data_types.ExecutionInfo) -> execution_result_pb2.ExecutorOutput | None:
        """Imports and runs the executor."""
        spec: Any = self._executor_spec
        if not isinstance(spec, executable_spec_pb2.BeamExecutableSpec):
            return self._run(spec, execution_info)
        with job_server([flag.value.string_value for flag in spec.beam_pipeline_args_placeholders]) as flags:
            served = copy.deepcopy(spec)
            for flag in flags:
                served.beam_pipeline_args_placeholders.add().value.string_value = flag
            return self._run(served, execution_info)

    def _run(self, spec: Any, execution_info: data_types.ExecutionInfo) -> execution_result_pb2.ExecutorOutput | None:
        if getattr(spec, "python_executor_spec", spec).class_path.startswith(ON_STOCK):
            run_deferred("tfx.components")
        operator = launcher.DEFAULT_EXECUTOR_OPERATORS[type(spec)]
        return operator(spec, self._platform_config).run_executor(execution_info)


@dataclasses.dataclass(frozen=True)
class Launching:
    """How the nodes of a pipeline are launched.

    Attributes:
        wanted: Whether a component runs, asked when its turn comes.
        connect: Makes TFX's connection to ML Metadata.
        operator: Runs the executors.
    """

    wanted: Callable[[str], bool] = bool
    connect: Callable[[mlmd.ConnectionConfig], metadata.Metadata] = StoreMetadata
    operator: type[base_executor_operator.BaseExecutorOperator] = LateOperator


DEFAULT = Launching()
"""Launches all nodes."""


class NodeRunner(tfx_runner.IrBasedRunner):
    """Runs the nodes of a compiled pipeline in order."""

    def __init__(self, run_id: str, observer: Observer, launching: Launching = DEFAULT) -> None:
        self._run_id, self._observer, self._launching = run_id, observer, launching

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, **_options: Any) -> None:
        """Runs a compiled pipeline, whose nodes are in topological order; called by TFX's `run`.

        Raises:
            JobError: If a node does not complete, for example because it finds no inputs.
        """
        parameters = {constants.PIPELINE_RUN_ID_PARAMETER_NAME: self._run_id}
        runtime_parameter_utils.substitute_runtime_parameter(pipeline, parameters)
        connection = _connection(runner_utils.extract_local_deployment_config(pipeline))
        if is_server(connection):
            register_types(pipeline, connection)
        with telemetry_utils.scoped_labels({telemetry_utils.LABEL_TFX_RUNNER: "local"}):
            for node in pipeline.nodes:
                if self._launching.wanted(node.pipeline_node.node_info.id):
                    self.run_node(pipeline, node.pipeline_node)

    def run_node(self, pipeline: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> None:
        """Runs one node, and reports it to the observer."""
        name = node.node_info.id
        _logger.info("Component %s is running.", name)
        self._observer.started(name)
        state = launch(pipeline, node, self._launching)
        _logger.info("Component %s is %s.", name, state)
        self._observer.ended(name, state)


def run(prepared: PreparedRun, observer: Observer, launching: Launching = DEFAULT) -> None:
    """Runs the components of a prepared run on its Beam engine, and writes its conditions; exceptions pass through.

    Raises:
        TransientError: If the engine loses a worker or its job server.
        JobError: If the engine is not ready.
    """
    flags = ready(prepared)
    current = conditions.of_job(prepared.job, [*flags, *prepared.job.beam.options])
    conditions.write(current, Path(prepared.layout.root), prepared.run_id)
    with recognized(prepared.job.beam):
        NodeRunner(prepared.run_id, observer, launching).run(prepared.pipeline(flags))


def launch(
    pipeline: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, launching: Launching = DEFAULT
) -> ComponentState:
    """Runs one node of a compiled pipeline, after those it depends on.

    Returns:
        The state in ML Metadata: done or cached.

    Raises:
        JobError: If it is neither, for example because it found no inputs.
    """
    deployment = runner_utils.extract_local_deployment_config(pipeline)
    connection = _connection(deployment)
    name = node.node_info.id
    execution = launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=launching.connect(connection),
        pipeline_info=pipeline.pipeline_info,
        pipeline_runtime_spec=pipeline.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, name),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
        custom_executor_operators=dict.fromkeys(LateOperator.SUPPORTED_EXECUTOR_SPEC_TYPE, launching.operator),
    ).launch()
    state = None
    if execution is not None and execution.execution_id is not None:
        with launching.connect(connection) as handle:
            (registered,) = handle.store.get_executions_by_id([execution.execution_id])
        state = registered.last_known_state
    if state not in _STATES:
        raise JobError(
            f"{name} did not complete.",
            where="ML Metadata",
            found="no execution in this run" if state is None else f"state {mlmd.Execution.State.Name(state)}",
            expected="state COMPLETE or CACHED",
            fix="see the log for missing inputs, or run again with --no-cache",
        )
    return _STATES[state]


def _connection(deployment: Any) -> mlmd.ConnectionConfig:
    config = deployment.metadata_connection_config
    return getattr(config, config.WhichOneof("connection_config"))
