"""Declares the Evaluator of jobs whose gates compare the model with the linear one."""

from __future__ import annotations

from tfx.types import standard_artifacts

from components.shared.artifacts import extend_spec
from components.shared.late_executors import LateBeamExecutor
from components.stock.component import Evaluator


class LinearGatedEvaluator(Evaluator):
    """TFX's Evaluator, which blesses only a model that also keeps its margins over the linear one.

    Its further arguments are `linear_baseline`, the output of LinearBaseline, and `margins`, the margin of each
    compared metric by name.
    """

    SPEC_CLASS = extend_spec(
        Evaluator.SPEC_CLASS,
        inputs={"linear_baseline": standard_artifacts.ModelEvaluation},
        parameters={"margins": str},
    )
    EXECUTOR_SPEC = LateBeamExecutor("components.evaluator.executor.LinearGatedExecutor")
