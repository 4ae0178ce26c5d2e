"""CorpusExampleGen as a TFX component."""

from __future__ import annotations

from collections.abc import Mapping

from tfx import types
from tfx.components.example_gen import component
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import component_spec, standard_artifacts, standard_component_specs

from components.corpus_example_gen.driver import CorpusDriver
from components.corpus_example_gen.executor import CorpusExampleGenExecutor
from components.corpus_example_gen.inputs.split_patterns import ALL_SPLITS
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from trainer.settings import OutputSettings


class CorpusExampleGenSpec(component_spec.ComponentSpec):
    """The parameters of FileBasedExampleGen and our own."""

    PARAMETERS = {  # noqa: RUF012 - TFX's declaration
        **standard_component_specs.FileBasedExampleGenSpec.PARAMETERS,
        "settings": component_spec.ExecutionParameter(type=str),
        "splits": component_spec.ExecutionParameter(type=str),
        "output": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
        "quarantine_dir": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = standard_component_specs.FileBasedExampleGenSpec.INPUTS
    OUTPUTS = standard_component_specs.FileBasedExampleGenSpec.OUTPUTS


class CorpusExampleGen(component.FileBasedExampleGen):
    """Text corpora to raw `tf.SequenceExample` splits.

    The output `examples` has as custom properties `records_read`, `records_quarantined` and `duplicates_removed`
    (int); `split_documents`, `split_duplicates` and `quarantine_reasons` (JSON objects of counts); `span`, `version`
    and `input_fingerprint` as those of any TFX ExampleGen, of several spans the newest.

    Args:
        input_base: Folder of the corpus.
        pattern: File or glob below it, or one for each split; may hold {SPAN}, {VERSION} and dates as in any TFX
            ExampleGen.
        settings: How a record is read, and which spans.
        splits: Weights of the splits; not regarded where each split has its pattern.
        code: Hash of the package's source; edited code is not served from the cache.
        output: How the shards are written.
        quarantine_dir: Folder in which each execution with bad records makes `<execution>/records.jsonl`.
    """

    SPEC_CLASS = CorpusExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(CorpusExampleGenExecutor)
    DRIVER_CLASS = CorpusDriver

    def __init__(
        self,
        *,
        input_base: str,
        pattern: str | Mapping[str, str],
        settings: CorpusSettings,
        splits: SplitSettings,
        code: str,
        quarantine_dir: str,
        output: OutputSettings | None = None,
    ) -> None:
        patterns = {ALL_SPLITS: pattern} if isinstance(pattern, str) else pattern
        weights = splits.weights if isinstance(pattern, str) else dict.fromkeys(pattern, 1)
        spec = CorpusExampleGenSpec(
            input_base=input_base,
            input_config=example_gen_pb2.Input(
                splits=[example_gen_pb2.Input.Split(name=name, pattern=each) for name, each in patterns.items()]
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
            examples=types.Channel(type=standard_artifacts.Examples),
        )
        # FileBasedExampleGen's own constructor knows only its own spec.
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)
