"""Declares Publisher."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.types import standard_artifacts

from components.shared.artifacts import make_spec, new_outputs
from components.shared.late_executors import LateExecutor


class Publisher(base_component.BaseComponent):
    """Publishes a blessed model into a serving directory.

    Args:
        examples: The raw examples, which name the files of the corpus.
        model: The trained model.
        model_blessing: The Evaluator's verdict.
        directory: The serving directory.
        keep: The number of versions to keep.
        inputs_dir: The folder of the names and hashes of the corpus's files.
        code: A digest of the code that trained the model.
        run: The id of the run. It keeps the result out of the cache: the serving directory may have changed since.
    """

    SPEC_CLASS = make_spec(
        inputs={
            "examples": standard_artifacts.Examples,
            "model": standard_artifacts.Model,
            "model_blessing": standard_artifacts.ModelBlessing,
        },
        outputs={"pushed_model": standard_artifacts.PushedModel},
        parameters={"directory": str, "keep": int, "inputs_dir": str, "code": str, "run": str},
    )
    EXECUTOR_SPEC = LateExecutor("components.pusher.executor.PusherExecutor")

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        directory: str,
        keep: int,
        inputs_dir: str,
        code: str,
        run: str,
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                model=model,
                model_blessing=model_blessing,
                directory=directory,
                keep=keep,
                inputs_dir=inputs_dir,
                code=code,
                run=run,
                **new_outputs(self.SPEC_CLASS),
            )
        )
