"""Transform graphs of every kind of corpus, created by TensorFlow Transform, saved and loaded."""

from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from apache_beam.options.pipeline_options import PipelineOptions
from tfx.utils import io_utils
from tfx_bsl.tfxio.tf_sequence_example_record import TFSequenceExampleBeamRecord

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.sequence_transform.vocabulary import write_classes, write_vocabulary
from pipeline.runners.local_beam import LOCAL_BEAM
from schema import curated
from tests.unit.components.corpus_records import sequence_example
from trainer.data import features, kinds
from trainer.settings import TransformSettings
from trainer.text import subwords
from trainer.text.normalization import register_operations
from trainer.text.preprocessing import make_preprocessing_fn


def record(identity: str, *segments: str, label: str | None = None, source: str = "s") -> bytes:
    return encode(Document(segments, label, source, identity, 1))


def graph(
    directory: Path, settings: TransformSettings, kind: kinds.CorpusKind, **assets: str
) -> Callable[[list[bytes]], dict[str, list]]:
    """Creates the transform graph, and loads it without the files it was created from."""
    schema = io_utils.SchemaReader().read(str(curated.path(kind.name)))
    adapter = TFSequenceExampleBeamRecord("shards", ["test"], schema).TensorAdapterConfig()
    with (
        beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM))) as pipeline,
        tft_beam.Context(temp_dir=str(directory / "tft"), force_tf_compat_v1=False),
    ):
        nothing = pipeline | beam.Create([])
        made = (nothing, adapter) | tft_beam.AnalyzeDataset(make_preprocessing_fn(settings, kind, **assets))
        made | tft_beam.WriteTransformFn(str(directory))
    for asset in assets.values():
        Path(asset).unlink()  # The graph carries its own copies.
    register_operations()
    loaded = tf.saved_model.load(str(directory / "transform_fn"))

    def run(records: list[bytes]) -> dict[str, list]:
        outputs = loaded.transform_fn(features.parse_raw(tf.constant(records), kind))
        return {
            name: value.to_list() if isinstance(value, tf.RaggedTensor) else value.numpy().tolist()
            for name, value in outputs.items()
        }

    return run


def vocabulary(directory: Path, words: list[str]) -> str:
    return write_vocabulary(str(directory), [(word, 1) for word in words])


def test_text_with_marks_buckets_and_unknown_labels(tmp_path: Path) -> None:
    settings = TransformSettings(
        bos="document", eos="segment", oov_buckets=3, nfkc=True, max_token_bytes=8, min_length=2, truncate={"to": 7}
    )
    assets = {
        "vocabulary": vocabulary(tmp_path, ["the", "film"]),
        "classes": write_classes(f"{tmp_path}/labels.txt", ["n", "p"]),
    }
    run = graph(tmp_path, settings, kinds.LABELLED_TEXT, **assets)
    long = record("a", "The \uff26ilm", "was <pad>", "the", label="p")
    short, words = record("b", "the", label="?"), record("c", "the incomprehensible", label="n")
    was, left = (6 + int(tf.strings.to_hash_bucket_fast(word, 3)) for word in ("was", "<"))
    pad = 6 + int(tf.strings.to_hash_bucket_fast("pad", 3))
    assert run([long, short, words]) == {
        "id": [b"a", b"b", b"c"],
        "source": [b"s"] * 3,
        "label": [1, -1, 0],
        "length": [7, 0, 4],
        "tokens": [[2, 4, 5, 3, was, left, pad], [], [2, 4, 1, 3]],
    }


def test_text_without_labels_as_characters(tmp_path: Path) -> None:
    words = ["a", " ", "\\n", "\u2028", "\\r", "\0"]
    settings = TransformSettings(tokenizer="characters")
    run = graph(tmp_path, settings, kinds.PLAIN_TEXT, vocabulary=vocabulary(tmp_path, words))
    found = run([record("a", "a\n\r", "\u2028 \0b\u0085", source="")])
    assert found == {"id": [b"a"], "source": [b""], "length": [8], "tokens": [[4, 6, 8, 7, 5, 9, 1, 1]]}


def test_tagged_text(tmp_path: Path) -> None:
    settings = TransformSettings(tokenizer="whitespace", nfkc=True, max_token_bytes=8, truncate={"to": 4})
    assets = {
        "vocabulary": vocabulary(tmp_path, ["New York", "The"]),
        "classes": write_classes(f"{tmp_path}/tags.txt", ["O", "LOC"]),
    }
    run = graph(tmp_path, settings, kinds.TAGGED_TEXT, **assets)
    sentence = ("\uff34he", "New York", "overlong!", "é\0", "y"), ("O", "LOC", "?", "O", "O")
    empty = sequence_example({"id": b"b", "source": b"s"})
    assert run([encode(Document((), None, "s", "a", 1, None, *sentence)), empty]) == {
        "id": [b"a", b"b"],
        "source": [b"s", b"s"],
        "length": [4, 0],
        "tokens": [[5, 4, 1, 1], []],
        "words": [[b"The", b"New York", b"", "é\0".encode()], []],
        "tags": [[0, 1, -1, 0], []],
    }


def test_a_model_with_subwords_is_saved_again(tmp_path: Path) -> None:
    """A SavedModel around the graph, as exports make it, answers in the same way."""
    settings = TransformSettings(tokenizer="subwords", subwords={"size": 300})
    model = subwords.train(["the film was good"] * 30, settings.subwords)
    (tmp_path / "subwords.model").write_bytes(model)
    words = vocabulary(tmp_path, subwords.pieces(model))
    graph(tmp_path, settings, kinds.PLAIN_TEXT, vocabulary=words, subword_model=str(tmp_path / "subwords.model"))

    class Servable(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transform = tf.saved_model.load(str(tmp_path / "transform_fn"))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve(self, serialized: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"length": self.transform.transform_fn(features.parse_raw(serialized, kinds.PLAIN_TEXT))["length"]}

    servable = Servable()
    tf.saved_model.save(servable, str(tmp_path / "export"), {"serving_default": servable.serve})
    again = tf.saved_model.load(str(tmp_path / "export")).signatures["serving_default"]
    records = tf.constant([record("a", "the film ☃")])
    pieces = subwords.Subwords(model)(tf.constant(["the film ☃"]))
    assert again(records)["length"].numpy().tolist() == pieces.row_lengths().numpy().tolist()
