"""Declares the Evaluator of jobs whose gates compare the model with the linear one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.evaluator.margins import Margin
from components.shared.artifacts import make_spec
from components.shared.late_executors import LateBeamExecutor
from components.stock.component import EVALUATOR

if TYPE_CHECKING:
    from tensorflow_model_analysis.proto import config_pb2


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

    SPEC_CLASS = make_spec(
        inputs={**EVALUATOR.inputs, "linear_baseline": standard_artifacts.ModelEvaluation},
        outputs=EVALUATOR.outputs,
        parameters={**EVALUATOR.parameters, "margins": str},
        optional=EVALUATOR.optional,
    )
    EXECUTOR_SPEC = LateBeamExecutor("components.evaluator.executor.LinearGatedExecutor")

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
                eval_config=proto_utils.proto_to_json(eval_config),
                fairness_indicator_thresholds="null",
                linear_baseline=linear_baseline,
                margins=json.dumps(dict(margins)),
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
