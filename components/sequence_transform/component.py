"""Declares SequenceTransform."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.types import standard_artifacts

from components.shared.artifacts import make_spec, new_outputs
from components.shared.late_executors import LateBeamExecutor
from trainer.data import kinds
from trainer.settings import OutputSettings, TransformSettings


class SequenceTransform(base_beam_component.BaseBeamComponent):
    """Turns raw SequenceExamples into token ids, and keeps the transform graph.

    Args:
        examples: Raw SequenceExamples.
        schema: Their curated schema.
        settings: The transform section of the configuration.
        output: How to write the files.
        kind: The kind of corpus.
        labels: Names of the classes or tags in the order of their ids, as a JSON list; empty: those of the train
            split, sorted.
        learned: Whether a model learns to predict the classes or tags, which must then be at least two.
        counts_dir: Folder in which the counts of the spans of a rolling window are kept; empty: they are not.
        code: A digest of the component's code, so that edited code invalidates the cache.
    """

    SPEC_CLASS = make_spec(
        inputs={"examples": standard_artifacts.Examples, "schema": standard_artifacts.Schema},
        outputs={
            "transform_graph": standard_artifacts.TransformGraph,
            "transformed_examples": standard_artifacts.Examples,
        },
        parameters={
            **dict.fromkeys(("settings", "output", "kind", "labels", "counts_dir", "code"), str),
            "learned": int,
        },
    )
    EXECUTOR_SPEC = LateBeamExecutor("components.sequence_transform.executor.SequenceTransformExecutor")

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        settings: TransformSettings,
        output: OutputSettings | None = None,
        kind: kinds.CorpusKind = kinds.LABELLED_TEXT,
        labels: str = "[]",
        *,
        learned: bool = False,
        counts_dir: str = "",
        code: str = "",
    ) -> None:
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                schema=schema,
                settings=settings.model_dump_json(),
                output=(output or OutputSettings()).model_dump_json(),
                kind=kind.name,
                labels=labels,
                learned=int(learned),
                counts_dir=counts_dir,
                code=code,
                **new_outputs(self.SPEC_CLASS),
            )
        )
