"""Declares SequenceTransform."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.sequence_transform.executor import SequenceTransformExecutor
from trainer.data import kinds
from trainer.settings import OutputSettings, TransformSettings


class SequenceTransformSpec(ComponentSpec):
    """Inputs, outputs and parameters of SequenceTransform."""

    PARAMETERS = {  # noqa: RUF012
        "settings": ExecutionParameter(type=str),
        "output": ExecutionParameter(type=str),
        "kind": ExecutionParameter(type=str),
        "labels": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
    }
    OUTPUTS = {  # noqa: RUF012
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "transformed_examples": ChannelParameter(type=standard_artifacts.Examples),
    }


class SequenceTransform(base_beam_component.BaseBeamComponent):
    """Turns raw SequenceExamples into token ids, and keeps the graph that did it."""

    SPEC_CLASS = SequenceTransformSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(SequenceTransformExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        settings: TransformSettings,
        output: OutputSettings | None = None,
        kind: kinds.CorpusKind = kinds.LABELLED_TEXT,
        labels: str = "[]",
        code: str = "",
    ) -> None:
        """Declares the component.

        Args:
            examples: Raw SequenceExamples.
            schema: Their curated schema.
            settings: The transform section of the configuration.
            output: How the files are written.
            kind: The kind of corpus.
            labels: Names of the classes or tags in the order of their ids, as a JSON list; empty: those
                of the train split, sorted.
            code: A digest of the code that runs, so that edited code is not served from cache.
        """
        super().__init__(
            SequenceTransformSpec(
                examples=examples,
                schema=schema,
                settings=settings.model_dump_json(),
                output=(output or OutputSettings()).model_dump_json(),
                kind=kind.name,
                labels=labels,
                code=code,
                transform_graph=types.Channel(type=standard_artifacts.TransformGraph),
                transformed_examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
