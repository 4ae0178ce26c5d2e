"""Declares the Evaluator of jobs whose gates compare the model with the linear one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.evaluator.executor import LinearGatedExecutor
from components.evaluator.margins import Margin


class LinearGatedSpec(standard_component_specs.EvaluatorSpec):
    """TFX's spec of the Evaluator with the linear model's metrics and the margins over them."""

    PARAMETERS = {  # noqa: RUF012 - TFX's declaration
        **standard_component_specs.EvaluatorSpec.PARAMETERS,
        "margins": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        **standard_component_specs.EvaluatorSpec.INPUTS,
        "linear_baseline": ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }


class LinearGatedEvaluator(base_beam_component.BaseBeamComponent):
    """TFX's Evaluator, which blesses only a model that also keeps its margins over the linear one.

    Args:
        examples: Raw SequenceExamples.
        example_splits: The splits to evaluate on.
        model: The trained model.
        baseline_model: The last blessed model, if any.
        eval_config: The metrics, their thresholds and slices.
        linear_baseline: The output of LinearBaseline.
        margins: The margin of each compared metric, by name.
    """

    SPEC_CLASS = LinearGatedSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(LinearGatedExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        example_splits: Sequence[str],
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        eval_config: config_pb2.EvalConfig,
        linear_baseline: types.BaseChannel,
        margins: Mapping[str, Margin],
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                example_splits=json.dumps(list(example_splits)),
                model=model,
                baseline_model=baseline_model,
                eval_config=eval_config,
                fairness_indicator_thresholds="null",
                linear_baseline=linear_baseline,
                margins=json.dumps(dict(margins)),
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
