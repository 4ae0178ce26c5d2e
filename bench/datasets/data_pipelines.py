"""Two TFX pipelines of the same shape from a CSV file to transformed examples: ours and stock TFX's.

Run `python -m bench.datasets.data_pipelines SIDE CSV ROOT`. A pipeline is an ExampleGen, a given schema and a
Transform; statistics, validation and the other steps of a job are not part of the comparison.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf
import tensorflow_transform as tft
from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode

from components.corpus_example_gen.component import CorpusExampleGen
from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.sequence_transform.component import SequenceTransform
from pipeline.runners.local_beam import LOCAL_BEAM
from schema import curated
from trainer.data import features as f
from trainer.settings import TransformSettings
from trainer.text.preprocessing import tokenize

_STOCK_SCHEMA = "\n".join(
    f'feature {{ name: "{name}" type: {kind} presence {{ min_fraction: 1 }} shape {{}} }}'
    for name, kind in ((f.ID, "BYTES"), (f.TEXT, "BYTES"), (f.LABEL, "INT"), (f.SOURCE, "BYTES"))
)


def ours(corpus: Path, root: Path) -> list[BaseNode]:
    """CorpusExampleGen and SequenceTransform with the defaults of a job, whole documents."""
    settings = CorpusSettings(format="csv", path=str(corpus), id="id", text="text", label="label", source="source")
    example_gen = CorpusExampleGen(
        corpus=[SplitPattern(ALL_SPLITS, str(corpus))],
        settings=settings,
        splits=SplitSettings(),
        code="",
        quarantine_dir=str(root / "quarantine"),
        inputs_dir=str(root / "inputs"),
    )
    examples = example_gen.outputs["examples"]
    schema_gen = tfx.components.ImportSchemaGen(schema_file=str(curated.path(settings.kind.name)))
    transform = SequenceTransform(
        examples=examples, schema=schema_gen.outputs["schema"], settings=TransformSettings(), kind=settings.kind
    )
    return [example_gen, schema_gen, transform]


def stock(corpus: Path, root: Path) -> list[BaseNode]:
    """CsvExampleGen and Transform to tf.Example, with Transform's statistics and its analyzer cache switched off."""
    schema = root / "schema.pbtxt"
    schema.write_text(_STOCK_SCHEMA)
    splits = [
        tfx.proto.SplitConfig.Split(name=name, hash_buckets=weight) for name, weight in SplitSettings().weights.items()
    ]
    output = tfx.proto.Output(split_config=tfx.proto.SplitConfig(splits=splits))
    example_gen = tfx.components.CsvExampleGen(input_base=str(corpus.parent), output_config=output)
    schema_gen = tfx.components.ImportSchemaGen(schema_file=str(schema))
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn="bench.datasets.data_pipelines.preprocessing_fn",
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    return [example_gen, schema_gen, transform]


def preprocessing_fn(inputs: f.Features) -> f.Features:
    """Preprocesses as the stock job: our tokens, TensorFlow Transform's vocabulary of the same size."""
    settings = TransformSettings()
    text = tf.RaggedTensor.from_tensor(tf.reshape(inputs[f.TEXT], [-1, 1, 1]), ragged_rank=2)
    tokens = tokenize(text, settings)
    ids = tft.compute_and_apply_vocabulary(
        tokens, top_k=settings.max_size, frequency_threshold=settings.min_count, num_oov_buckets=1
    )
    return {
        f.ID: inputs[f.ID],
        f.SOURCE: inputs[f.SOURCE],
        f.LABEL: inputs[f.LABEL],
        f.LENGTH: tokens.row_lengths(),
        # Sparse, so that it becomes an ordinary VarLenFeature with that name.
        f.TOKENS: ids.to_sparse(),
    }


_SIDES: Mapping[str, Callable[[Path, Path], list[BaseNode]]] = {"seqloom": ours, "stock TFX": stock}


def run(side: str, corpus: Path, root: Path) -> None:
    """Converts a CSV file, alone in its folder, with one side's pipeline."""
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="bench",
        pipeline_root=str(root / "artifacts"),
        components=_SIDES[side](corpus, root),
        enable_cache=False,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(root / "metadata.sqlite")
        ),
        beam_pipeline_args=list(LOCAL_BEAM),
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
