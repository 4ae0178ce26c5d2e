"""Declares the components that TFX itself has.

TFX's declarations import the executors of all components, with TensorFlow Data Validation, TensorFlow Model Analysis,
Keras Tuner and Kubernetes' client: seconds, even if all results come from the cache. Inputs, outputs and parameters are
those of `tfx.types.standard_component_specs`, as far as they are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tfx import types
from tfx.dsl.components.base import base_beam_component, base_component
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs
from tfx.types import standard_artifacts
from tfx.utils import json_utils, proto_utils

from components.shared.artifacts import make_spec
from components.shared.late_executors import LateBeamExecutor, LateExecutor

if TYPE_CHECKING:
    from tensorflow_model_analysis.proto import config_pb2


class Declaration(NamedTuple):
    """The types of a component's inputs, outputs and parameters by name; see `make_spec`."""

    inputs: Mapping[str, type[types.Artifact]]
    outputs: Mapping[str, type[types.Artifact]]
    parameters: Mapping[str, type]
    optional: Sequence[str] = ()


EVALUATOR = Declaration(
    inputs={
        "examples": standard_artifacts.Examples,
        "model": standard_artifacts.Model,
        "baseline_model": standard_artifacts.Model,
    },
    outputs={"evaluation": standard_artifacts.ModelEvaluation, "blessing": standard_artifacts.ModelBlessing},
    parameters={"eval_config": str, "example_splits": str, "fairness_indicator_thresholds": str},
    optional=("baseline_model",),
)
"""The declaration of the Evaluator."""

_TRAINED = {"examples": standard_artifacts.Examples, "transform_graph": standard_artifacts.TransformGraph}


class ImportSchemaGen(base_component.BaseComponent):
    """TFX's ImportSchemaGen; imports the schema in a file."""

    SPEC_CLASS = make_spec(inputs={}, outputs={"schema": standard_artifacts.Schema}, parameters={"schema_file": str})
    EXECUTOR_SPEC = LateExecutor("tfx.components.schema_gen.import_schema_gen.executor.Executor")

    def __init__(self, schema_file: str) -> None:
        schema = types.Channel(type=standard_artifacts.Schema)
        super().__init__(self.SPEC_CLASS(schema_file=schema_file, schema=schema))


class StatisticsGen(base_beam_component.BaseBeamComponent):
    """TFX's StatisticsGen, without Beam for few documents; `code` is a digest of the code of its executor."""

    SPEC_CLASS = make_spec(
        inputs={"examples": standard_artifacts.Examples},
        outputs={"statistics": standard_artifacts.ExampleStatistics},
        parameters={"code": str},
    )
    EXECUTOR_SPEC = LateBeamExecutor("components.stock.executor.StatisticsGenExecutor")

    def __init__(self, examples: types.BaseChannel, code: str) -> None:
        statistics = types.Channel(type=standard_artifacts.ExampleStatistics)
        super().__init__(self.SPEC_CLASS(examples=examples, code=code, statistics=statistics))


class Trainer(base_component.BaseComponent):
    """TFX's Trainer; calls the function at the dotted path `run_fn`."""

    SPEC_CLASS = make_spec(
        inputs={**_TRAINED, "hyperparameters": standard_artifacts.HyperParameters},
        outputs={"model": standard_artifacts.Model, "model_run": standard_artifacts.ModelRun},
        parameters={"train_args": TrainArgs, "eval_args": EvalArgs, "run_fn": str, "custom_config": str},
        optional=["hyperparameters"],
    )
    EXECUTOR_SPEC = LateExecutor("tfx.components.trainer.executor.GenericExecutor")

    def __init__(
        self,
        *,
        run_fn: str,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        hyperparameters: types.BaseChannel | None,
        train_args: TrainArgs,
        eval_args: EvalArgs,
        custom_config: Mapping[str, Any],
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                transform_graph=transform_graph,
                hyperparameters=hyperparameters,
                train_args=train_args,
                eval_args=eval_args,
                run_fn=run_fn,
                custom_config=json_utils.dumps(custom_config),
                model=types.Channel(type=standard_artifacts.Model),
                model_run=types.Channel(type=standard_artifacts.ModelRun),
            )
        )


class Tuner(base_component.BaseComponent):
    """TFX's Tuner; runs the tuner that the function at the dotted path `tuner_fn` returns."""

    SPEC_CLASS = make_spec(
        inputs=_TRAINED,
        outputs={
            "best_hyperparameters": standard_artifacts.HyperParameters,
            "tuner_results": standard_artifacts.TunerResults,
        },
        parameters={"train_args": TrainArgs, "eval_args": EvalArgs, "tuner_fn": str, "custom_config": str},
    )
    EXECUTOR_SPEC = LateExecutor("tfx.components.tuner.executor.Executor")

    def __init__(
        self,
        *,
        tuner_fn: str,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        train_args: TrainArgs,
        eval_args: EvalArgs,
        custom_config: Mapping[str, Any],
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                transform_graph=transform_graph,
                train_args=train_args,
                eval_args=eval_args,
                tuner_fn=tuner_fn,
                custom_config=json_utils.dumps(custom_config),
                best_hyperparameters=types.Channel(type=standard_artifacts.HyperParameters),
                tuner_results=types.Channel(type=standard_artifacts.TunerResults),
            )
        )


class Evaluator(base_beam_component.BaseBeamComponent):
    """TFX's Evaluator; evaluates and judges a model, and compares it with a baseline model if there is one."""

    SPEC_CLASS = make_spec(**EVALUATOR._asdict())
    EXECUTOR_SPEC = LateBeamExecutor("tfx.components.evaluator.executor.Executor")

    def __init__(
        self,
        examples: types.BaseChannel,
        example_splits: Sequence[str],
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        eval_config: config_pb2.EvalConfig,
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                eval_config=proto_utils.proto_to_json(eval_config),
                example_splits=json_utils.dumps(example_splits),
                fairness_indicator_thresholds="null",
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
