"""Declares LinearBaseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import standard_artifacts

from components.shared.artifacts import make_spec, new_outputs
from components.shared.beam_results import read_json
from components.shared.late_executors import LateExecutor
from trainer.data.kinds import CorpusKind

RESULTS = "baselines.json"
"""The name of the file in the component's artifact."""


def read_results(uri: str) -> dict[str, Any]:
    """Reads what `simple_models.measure` found from the component's artifact."""
    results: dict[str, Any] = read_json(f"{uri}/{RESULTS}")
    return results


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
    EXECUTOR_SPEC = LateExecutor("components.linear_baseline.executor.LinearBaselineExecutor")

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
                **new_outputs(self.SPEC_CLASS),
            )
        )
