"""CorpusExampleGen as a TFX component."""

from __future__ import annotations

from collections.abc import Sequence

from tfx.dsl.components.base import base_beam_component
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts

from components.corpus_example_gen.driver import CorpusDriver
from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.shared.artifacts import make_spec, new_outputs
from components.shared.late_executors import LateBeamExecutor
from trainer.settings import OutputSettings


class CorpusExampleGen(base_beam_component.BaseBeamComponent):
    """Converts text corpora to splits of raw `tf.SequenceExample` records.

    The output `examples` has the custom properties `records_read`, `records_quarantined` and `duplicates_removed`
    (int); `split_documents`, `split_duplicates` and `quarantine_reasons` (JSON objects of counts); and TFX's `span`,
    `version` and `input_fingerprint`, the first two of the newest span.

    Args:
        corpus: Files or globs; may hold TFX's {SPAN}, {VERSION} and date placeholders.
        settings: How to read a record, and which spans.
        splits: Weights of the splits; ignored if each split has its own patterns.
        code: Hash of the package's source, so that edited code invalidates the cache.
        output: How to write the shards.
        quarantine_dir: Folder in which each execution with bad records writes `<execution>/records.jsonl`.
        inputs_dir: Folder for the list of the files to read and the hashes of their contents.
    """

    SPEC_CLASS = make_spec(
        inputs={},
        outputs={"examples": standard_artifacts.Examples},
        parameters={
            # The parameters of TFX's FileBasedExampleGen, then our own.
            "input_base": str,
            "input_config": example_gen_pb2.Input,
            "output_config": example_gen_pb2.Output,
            "output_data_format": int,
            "output_file_format": int,
            **dict.fromkeys(("settings", "splits", "output", "code", "quarantine_dir", "inputs_dir"), str),
        },
    )
    EXECUTOR_SPEC = LateBeamExecutor("components.corpus_example_gen.executor.CorpusExampleGenExecutor")
    DRIVER_CLASS = CorpusDriver

    def __init__(
        self,
        *,
        corpus: Sequence[SplitPattern],
        settings: CorpusSettings,
        splits: SplitSettings,
        code: str,
        quarantine_dir: str,
        inputs_dir: str,
        output: OutputSettings | None = None,
    ) -> None:
        names = dict.fromkeys(pattern.name for pattern in corpus)
        weights = splits.weights if ALL_SPLITS in names else dict.fromkeys(names, 1)
        spec = self.SPEC_CLASS(
            input_base="",
            input_config=example_gen_pb2.Input(
                splits=[example_gen_pb2.Input.Split(name=name, pattern=pattern) for name, pattern, _ in corpus]
            ),
            output_config=example_gen_pb2.Output(
                split_config=example_gen_pb2.SplitConfig(
                    splits=[
                        example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=weight)
                        for name, weight in weights.items()
                    ]
                )
            ),
            output_data_format=example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE,
            output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
            settings=settings.model_dump_json(),
            splits=splits.model_dump_json(),
            output=(output or OutputSettings()).model_dump_json(),
            code=code,
            quarantine_dir=quarantine_dir,
            inputs_dir=inputs_dir,
            **new_outputs(self.SPEC_CLASS),
        )
        super().__init__(spec)
