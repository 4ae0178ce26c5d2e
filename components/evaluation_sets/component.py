"""Declares EvaluationSets."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import standard_artifacts

from components.evaluation_sets.settings import EvaluationSettings
from components.shared.artifacts import make_spec, new_outputs
from components.shared.late_executors import LateExecutor


class EvaluationSets(base_component.BaseComponent):
    """Writes the evaluation data of word vectors as SequenceExamples of one split, `test`.

    The artifact's custom property `coverage` holds the share of each set that the vocabulary covers.

    Args:
        examples: Raw SequenceExamples; the documents of the eval split are part of the evaluation.
        transform_graph: The graph with the vocabulary.
        settings: The evaluation section of the configuration, with content-addressed copies of its files.
        code: A digest of the component's code, so that edited code invalidates the cache.
    """

    SPEC_CLASS = make_spec(
        inputs={"examples": standard_artifacts.Examples, "transform_graph": standard_artifacts.TransformGraph},
        outputs={"evaluation_examples": standard_artifacts.Examples},
        parameters={"settings": str, "code": str},
    )
    EXECUTOR_SPEC = LateExecutor("components.evaluation_sets.executor.EvaluationSetsExecutor")

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        settings: EvaluationSettings,
        code: str = "",
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                transform_graph=transform_graph,
                settings=settings.model_dump_json(),
                code=code,
                **new_outputs(self.SPEC_CLASS),
            )
        )
