"""Declares Publisher."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.pusher.executor import PusherExecutor


class PublisherSpec(ComponentSpec):
    """Inputs, outputs and parameters of Publisher."""

    PARAMETERS = {  # noqa: RUF012 - TFX's declaration
        "directory": ExecutionParameter(type=str),
        "keep": ExecutionParameter(type=int),
        "run": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    OUTPUTS = {"pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)}  # noqa: RUF012


class Publisher(base_component.BaseComponent):
    """Publishes a blessed model into a serving directory.

    Args:
        model: The trained model.
        model_blessing: The Evaluator's verdict.
        directory: The serving directory.
        keep: Versions that stay.
        run: Names the run: the serving directory may have changed since the last one, so its result
            is never taken from the cache.
    """

    SPEC_CLASS = PublisherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(PusherExecutor)

    def __init__(
        self, model: types.BaseChannel, model_blessing: types.BaseChannel, directory: str, keep: int, run: str
    ) -> None:
        spec = PublisherSpec(
            model=model,
            model_blessing=model_blessing,
            directory=directory,
            keep=keep,
            run=run,
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        super().__init__(spec=spec)
