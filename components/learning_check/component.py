"""Declares LearningCheck."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import standard_artifacts

from components.shared.artifacts import make_spec, new_outputs
from components.shared.late_executors import LateExecutor

FINDINGS = "learning_check.json"
"""The file in the artifact, with the fields of `trainer.training.sanity.Findings`."""


class LearningCheck(base_component.BaseComponent):
    """Checks on real examples that a model can learn, without training it; the artifact holds `learning_check.json`.

    Args:
        examples: Transformed SequenceExamples; only the train split is read.
        transform_graph: The graph that produced them.
        training: The dotted path of a `LearnableTask`, `trainer.<task>.training:<TASK>`.
        settings: The trainer section of the configuration as JSON.
        code: A digest of the component's code, so that edited code invalidates the cache.
    """

    SPEC_CLASS = make_spec(
        inputs={"examples": standard_artifacts.Examples, "transform_graph": standard_artifacts.TransformGraph},
        outputs={"model_run": standard_artifacts.ModelRun},
        parameters={"training": str, "settings": str, "code": str},
    )
    EXECUTOR_SPEC = LateExecutor("components.learning_check.executor.LearningCheckExecutor")

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        training: str,
        settings: str,
        code: str = "",
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                transform_graph=transform_graph,
                training=training,
                settings=settings,
                code=code,
                **new_outputs(self.SPEC_CLASS),
            )
        )
