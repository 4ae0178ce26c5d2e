"""Declares EvaluationSets."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.evaluation_sets.executor import EvaluationSetsExecutor
from components.evaluation_sets.settings import EvaluationSettings


class EvaluationSetsSpec(ComponentSpec):
    """Inputs, outputs and parameters of EvaluationSets."""

    PARAMETERS = {  # noqa: RUF012 - TFX's declaration
        "settings": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012 - TFX's declaration
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {  # noqa: RUF012 - TFX's declaration
        "evaluation_examples": ChannelParameter(type=standard_artifacts.Examples),
    }


class EvaluationSets(base_component.BaseComponent):
    """Writes what word vectors are judged by as SequenceExamples of one split, `test`.

    The artifact's custom property `coverage` tells how much of each set the vocabulary knows.
    """

    SPEC_CLASS = EvaluationSetsSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(EvaluationSetsExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        settings: EvaluationSettings,
        code: str = "",
    ) -> None:
        """Declares the component.

        Args:
            examples: Raw SequenceExamples, whose eval split is judged, too.
            transform_graph: What knows the vocabulary.
            settings: The evaluation section of the configuration, its files named by their content.
            code: A digest of the code that runs, so that edited code is not served from cache.
        """
        super().__init__(
            EvaluationSetsSpec(
                examples=examples,
                transform_graph=transform_graph,
                settings=settings.model_dump_json(),
                code=code,
                evaluation_examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
