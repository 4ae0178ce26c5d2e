"""Declares LinearBaseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components.linear_baseline.executor import LinearBaselineExecutor
from components.shared.artifacts import make_spec
from trainer.data.kinds import CorpusKind


class LinearBaseline(base_component.BaseComponent):
    """Measures the most frequent class and a linear model on the test split; the artifact holds `baselines.json`.

    Args:
        examples: Raw SequenceExamples with the splits train, eval and test.
        kind: The kind of corpus, with one label per document or any number.
        classes: The names of the classes in order; empty: those of the train split.
        figures: The dotted path of the function of counts that computes each metric, by the metric's name.
        code: A digest of the component's code, so that edited code invalidates the cache.
    """

    SPEC_CLASS = make_spec(
        inputs={"examples": standard_artifacts.Examples},
        outputs={"evaluation": standard_artifacts.ModelEvaluation},
        parameters={"kind": str, "classes": str, "figures": str, "code": str},
    )
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(LinearBaselineExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        kind: CorpusKind,
        classes: Sequence[str],
        figures: Mapping[str, str],
        code: str = "",
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                kind=kind.name,
                classes=json.dumps(list(classes)),
                figures=json.dumps(dict(figures)),
                code=code,
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            )
        )
