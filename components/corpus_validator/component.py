"""Declares the corpus validator."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.types import standard_artifacts

from components.corpus_validator.settings import ValidationSettings
from components.shared.artifacts import make_spec, new_outputs
from components.shared.late_executors import LateBeamExecutor


class CorpusValidator(base_beam_component.BaseBeamComponent):
    """Replaces TFX's ExampleValidator: anomalies fail the run, with readable descriptions.

    For each split the output `anomalies` holds `SchemaDiff.pb` in the format of TFX's component, and `anomalies.json`,
    a list of objects with the fields of `components.corpus_validator.anomalies.Anomaly`.

    Args:
        examples: Raw SequenceExamples.
        statistics: Their statistics.
        schema: Their schema.
        settings: The validation section of the configuration.
        previous_statistics: The statistics of the previous examples, for drift.
        serving_logs: The pattern of the TFRecord files logged in serving, for skew, and their fingerprint, which
            invalidates the cache when they change; empty: no skew check.
        code: A digest of the component's code, so that edited code invalidates the cache.
    """

    SPEC_CLASS = make_spec(
        inputs={
            "examples": standard_artifacts.Examples,
            "statistics": standard_artifacts.ExampleStatistics,
            "schema": standard_artifacts.Schema,
            "previous_statistics": standard_artifacts.ExampleStatistics,
        },
        outputs={"anomalies": standard_artifacts.ExampleAnomalies},
        parameters=dict.fromkeys(("settings", "serving_logs", "serving_fingerprint", "code"), str),
        optional=["previous_statistics"],
    )
    EXECUTOR_SPEC = LateBeamExecutor("components.corpus_validator.executor.CorpusValidatorExecutor")

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
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                statistics=statistics,
                schema=schema,
                previous_statistics=previous_statistics,
                settings=settings.model_dump_json(exclude={"serving_logs"}),
                serving_logs=serving_logs[0],
                serving_fingerprint=serving_logs[1],
                code=code,
                **new_outputs(self.SPEC_CLASS),
            )
        )
