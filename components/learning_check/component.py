"""Declares LearningCheck."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.learning_check.executor import LearningCheckExecutor


class LearningCheckSpec(ComponentSpec):
    """Inputs, outputs and parameters of LearningCheck."""

    PARAMETERS = {  # noqa: RUF012 - TFX's declaration
        "training": ExecutionParameter(type=str),
        "settings": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012 - TFX's declaration
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {"model_run": ChannelParameter(type=standard_artifacts.ModelRun)}  # noqa: RUF012 - TFX's declaration


class LearningCheck(base_component.BaseComponent):
    """Checks on real examples that a model can learn, without training it.

    The artifact holds `learning_check.json`.
    """

    SPEC_CLASS = LearningCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(LearningCheckExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        training: str,
        settings: str,
        code: str = "",
    ) -> None:
        """Declares the component.

        Args:
            examples: Transformed SequenceExamples, of which the train split is read.
            transform_graph: What made them.
            training: The dotted path of a task with targets: `trainer.tagger.training:TAGGER`.
            settings: The trainer section of the configuration as JSON.
            code: A digest of the code that runs, so that edited code is not served from cache.
        """
        super().__init__(
            LearningCheckSpec(
                examples=examples,
                transform_graph=transform_graph,
                training=training,
                settings=settings,
                code=code,
                model_run=types.Channel(type=standard_artifacts.ModelRun),
            )
        )
