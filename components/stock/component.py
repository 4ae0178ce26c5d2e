"""Declares the components that TFX itself has.

TFX's declarations import the executors of all components, with TensorFlow Data Validation, TensorFlow Model Analysis,
Keras Tuner and Kubernetes' client: seconds, even if all results come from the cache. Inputs, outputs and parameters are
those of `tfx.types.standard_component_specs`, as far as they are used.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from tfx.dsl.components.base import base_beam_component, base_component
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs
from tfx.types import standard_artifacts
from tfx.types.component_spec import ComponentSpec
from tfx.utils import json_utils, proto_utils

from components.shared.artifacts import make_spec, new_outputs
from components.shared.late_executors import LateBeamExecutor, LateExecutor

_TRAINED = {"examples": standard_artifacts.Examples, "transform_graph": standard_artifacts.TransformGraph}
_TRAINING = {"train_args": TrainArgs, "eval_args": EvalArgs, "custom_config": str}


class _Declared:
    """A component whose arguments are the inputs and parameters of its spec, by name.

    Messages and collections become JSON where the spec has a string.
    """

    SPEC_CLASS: type[ComponentSpec]

    def __init__(self, **values: Any) -> None:
        texts = {name for name, parameter in self.SPEC_CLASS.PARAMETERS.items() if parameter.type is str}
        encoded = {name: _encode(value) if name in texts else value for name, value in values.items()}
        super().__init__(self.SPEC_CLASS(**encoded, **new_outputs(self.SPEC_CLASS)))  # type: ignore[call-arg]


def _encode(value: Any) -> str:
    if isinstance(value, str):
        return value
    text: str = proto_utils.proto_to_json(value) if isinstance(value, Message) else json_utils.dumps(value)
    return text


class ImportSchemaGen(_Declared, base_component.BaseComponent):
    """TFX's ImportSchemaGen; imports the schema in a file."""

    SPEC_CLASS = make_spec(inputs={}, outputs={"schema": standard_artifacts.Schema}, parameters={"schema_file": str})
    EXECUTOR_SPEC = LateExecutor("tfx.components.schema_gen.import_schema_gen.executor.Executor")


class StatisticsGen(_Declared, base_beam_component.BaseBeamComponent):
    """TFX's StatisticsGen, without Beam for few documents; `code` is a digest of the code of its executor."""

    SPEC_CLASS = make_spec(
        inputs={"examples": standard_artifacts.Examples},
        outputs={"statistics": standard_artifacts.ExampleStatistics},
        parameters={"code": str},
    )
    EXECUTOR_SPEC = LateBeamExecutor("components.stock.executor.StatisticsGenExecutor")


class Trainer(_Declared, base_component.BaseComponent):
    """TFX's Trainer; calls the function at the dotted path `run_fn`."""

    SPEC_CLASS = make_spec(
        inputs={
            **_TRAINED,
            "hyperparameters": standard_artifacts.HyperParameters,
            "base_model": standard_artifacts.Model,
        },
        outputs={"model": standard_artifacts.Model, "model_run": standard_artifacts.ModelRun},
        parameters={**_TRAINING, "run_fn": str},
        optional=["hyperparameters", "base_model"],
    )
    EXECUTOR_SPEC = LateExecutor("tfx.components.trainer.executor.GenericExecutor")


class Tuner(_Declared, base_component.BaseComponent):
    """TFX's Tuner; runs the tuner that the function at the dotted path `tuner_fn` returns."""

    SPEC_CLASS = make_spec(
        inputs=_TRAINED,
        outputs={
            "best_hyperparameters": standard_artifacts.HyperParameters,
            "tuner_results": standard_artifacts.TunerResults,
        },
        parameters={**_TRAINING, "tuner_fn": str},
    )
    EXECUTOR_SPEC = LateExecutor("tfx.components.tuner.executor.Executor")


class Evaluator(_Declared, base_beam_component.BaseBeamComponent):
    """TFX's Evaluator; evaluates and judges a model, and compares it with a baseline model if there is one."""

    SPEC_CLASS = make_spec(
        inputs={
            "examples": standard_artifacts.Examples,
            "model": standard_artifacts.Model,
            "baseline_model": standard_artifacts.Model,
        },
        outputs={"evaluation": standard_artifacts.ModelEvaluation, "blessing": standard_artifacts.ModelBlessing},
        parameters={"eval_config": str, "example_splits": str, "fairness_indicator_thresholds": str},
        optional=["baseline_model"],
    )
    EXECUTOR_SPEC = LateBeamExecutor("tfx.components.evaluator.executor.Executor")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values, fairness_indicator_thresholds=None)
