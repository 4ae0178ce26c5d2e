"""Declares the corpus validator."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.corpus_validator.executor import CorpusValidatorExecutor
from components.corpus_validator.settings import ValidationSettings


class CorpusValidatorSpec(ComponentSpec):
    """Inputs, outputs and parameters of the corpus validator."""

    PARAMETERS = {  # noqa: RUF012 - TFX's declaration
        "settings": ExecutionParameter(type=str),
        "serving_logs": ExecutionParameter(type=str),
        "serving_fingerprint": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012 - TFX's declaration
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "previous_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012 - TFX's declaration
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
    }


class CorpusValidator(base_beam_component.BaseBeamComponent):
    """Takes the place of TFX's ExampleValidator: its anomalies fail the run, and are told in plain words.

    The output `anomalies` holds `SchemaDiff.pb` for each split, as TFX's component writes it, and beside it
    `anomalies.json`: a list of objects with the fields of `components.corpus_validator.anomalies.Anomaly`.
    """

    SPEC_CLASS = CorpusValidatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(CorpusValidatorExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        settings: ValidationSettings,
        previous_statistics: types.BaseChannel | None = None,
        serving_logs: tuple[str, str] = ("", ""),
        code: str = "",
    ) -> None:
        """Declares the component.

        Args:
            examples: Raw SequenceExamples.
            statistics: Their statistics.
            schema: Their schema.
            settings: The validation section of the configuration.
            previous_statistics: Those of the examples before, for drift.
            serving_logs: The pattern of the TFRecord files that serving logged, for skew, and a fingerprint of them,
                so that new ones are not missed by the cache; empty: no skew.
            code: A digest of the code that runs, so that edited code is not served from cache.
        """
        pattern, fingerprint = serving_logs
        super().__init__(
            CorpusValidatorSpec(
                examples=examples,
                statistics=statistics,
                schema=schema,
                previous_statistics=previous_statistics,
                settings=settings.model_dump_json(exclude={"serving_logs"}),
                serving_logs=pattern,
                serving_fingerprint=fingerprint,
                code=code,
                anomalies=types.Channel(type=standard_artifacts.ExampleAnomalies),
            )
        )
