"""Weights of documents, from a corpus to the training batches."""

import json
from pathlib import Path

import pytest
import tensorflow as tf
from tfx_bsl.tfxio.tf_sequence_example_record import TFSequenceExampleBeamRecord

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.sequence_transform import shard_work
from components.sequence_transform.transform import graph_schema
from schema import curated
from tests.unit.components import corpus_records
from tests.unit.components.corpus_records import fields_or_reasons, sequence_example, write_records
from trainer.data import kinds
from trainer.data.reading import read as read_batches
from trainer.settings import OutputSettings, TransformSettings


def read(data: str | Path, format: str, **values: object) -> list[object]:
    """The weight of each document, the reason of each bad record."""
    return fields_or_reasons(corpus_records.read(data, format, weight="w", **values), "weight")


def test_a_weight_is_a_finite_number_of_0_or_more() -> None:
    good = {"2": 2, " 0.5 ": 0.5, "0": 0, "1e-3": 0.001, "+3.": 3, ".25": 0.25, "3e38": 3e38}
    bad = ["-1", "nan", "inf", "1e39", "x", "1_0", "1 2", "0x1", "\u0663", "-0"]
    data = "text,w\n" + "".join(f"t,{value}\n" for value in [*good, *bad, " "])
    reasons = [f"bad weight: {value!a} is not a finite number of 0 or more" for value in bad]
    assert read(data, "csv") == [*good.values(), *reasons, "no weight: 'w' is empty"]


def test_json_weights_are_numbers_or_text() -> None:
    values = [2, 0.5, "3", True, float("nan"), None, [1]]
    lines = [json.dumps({"text": "t", "w": value}) for value in values]
    assert read("\n".join([*lines, '{"text": "t"}']), "jsonl") == [
        *(2, 0.5, 3),
        "bad weight: 'true' is not a finite number of 0 or more",
        *(
            *["no weight: 'w' is empty"] * 2,
            "weight is not a string: found a list",
            "no weight: no key 'w' among 'text'",
        ),
    ]


def test_example_weights_are_numbers(tmp_path: Path) -> None:
    path = write_records(tmp_path / "x", [sequence_example({"w": 0.5}, words=[b"a", b"b"], tags=[b"O", b"O"])])
    assert read(path, "tf_sequence_example", tokens="words", tag="tags") == [0.5]


def test_weights_reach_batches_unchanged_by_the_transform(corpus, tmp_path: Path) -> None:
    weights = {"a": 0.1, "b": 0.0, "c": 3e38}
    source, target = tmp_path / "raw.gz", tmp_path / "out.gz"
    documents = [Document(("w1 ",), "positive", "s", name, 1, weight=weight) for name, weight in weights.items()]
    write_records(source, map(encode, documents), "GZIP")
    job = shard_work.ShardJob(TransformSettings(max_size=60), OutputSettings(), kinds.LABELLED_TEXT, 64)
    shard_work.transform_shard(str(source), str(target), "train", str(corpus.graph / "transform_fn"), job)
    (batch,) = read_batches(str(target), batch_tokens=100).as_numpy_iterator()
    assert batch["weight"].dtype == "float32"
    rounded = {name.encode(): float(tf.constant(weight)) for name, weight in weights.items()}
    assert dict(zip(batch["id"].tolist(), batch["weight"].tolist(), strict=True)) == rounded
    (plain, *_) = read_batches(corpus.transformed["eval"], batch_tokens=100)
    assert "weight" not in plain


@pytest.mark.parametrize("kind", curated.SCHEMAS)
def test_the_schema_of_weighted_documents_has_a_weight_but_the_transform_graph_does_not(kind: str) -> None:
    plain, weighted = (curated.for_corpus(kind, weighted=weighted) for weighted in (False, True))
    added = {path for path, _ in curated.features(weighted)} - {path for path, _ in curated.features(plain)}
    assert added == {("weight",)}
    reader = TFSequenceExampleBeamRecord("test", ["test"], graph_schema(weighted, kinds.by_name(kind)))
    assert set(reader.TensorRepresentations()) == set(kinds.KINDS[kind].raw)
