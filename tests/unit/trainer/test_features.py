"""Raw records of every kind of corpus, parsed by the data contract."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.data import features, kinds
from trainer.settings import TransformSettings


def record(context: dict[str, bytes], lists: dict[str, list[bytes]]) -> bytes:
    """A record made by TensorFlow's own protocol buffers."""

    def feature(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    steps = {name: tf.train.FeatureList(feature=map(feature, values)) for name, values in lists.items()}
    scalars = {name: feature(value) for name, value in context.items()}
    example = tf.train.SequenceExample(context={"feature": scalars}, feature_lists={"feature_list": steps})
    return example.SerializeToString()


def plain(batch: features.Features) -> dict:
    return {
        name: value.to_list() if isinstance(value, tf.RaggedTensor) else value.numpy().tolist()
        for name, value in batch.items()
    }


CONTEXT = {"id": b"a", "source": b"s"}
TEXT = record({**CONTEXT, "label": b"x"}, {"text": [b"one", b"two"], "labels": [b"y", b"z"]})
TAGGED = record(CONTEXT, {"tokens": [b"The", b"film"], "tags": [b"D", b"N"]})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (kinds.PLAIN_TEXT, {"text": [[[b"one"], [b"two"]], []]}),
        (kinds.LABELLED_TEXT, {"text": [[[b"one"], [b"two"]], []], "label": [b"x", b""]}),
        (kinds.MULTI_LABELLED_TEXT, {"text": [[[b"one"], [b"two"]], []], "labels": [[[b"y"], [b"z"]], []]}),
        (kinds.TAGGED_TEXT, {"tokens": [[], [[b"The"], [b"film"]]], "tags": [[], [[b"D"], [b"N"]]]}),
    ],
    ids=lambda value: str(value) if isinstance(value, kinds.CorpusKind) else "",
)
def test_raw_records_of_a_kind_have_its_features(kind: kinds.CorpusKind, expected: dict) -> None:
    records = tf.constant([TEXT, TAGGED])
    assert plain(features.parse_raw(records, kind)) == {"id": [b"a", b"a"], "source": [b"s", b"s"], **expected}
    assert set(expected) | {"id", "source"} == set(kind.raw)
    weighted = features.parse_raw(records, kind, weighted=True)
    assert np.isnan(weighted["weight"]).all()


def test_the_size_of_a_vocabulary_counts_lines_and_buckets(tmp_path: Path) -> None:
    # U+0085 and U+2028 end lines for Python, but not for a lookup table.
    lines = [*features.RESERVED_WORDS, "\u0085", "\u2028", " "]
    (tmp_path / "vocabulary.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (tmp_path / "settings.json").write_text(
        json.dumps({**TransformSettings(oov_buckets=3).model_dump(), "kind": "text"})
    )
    assert features.vocabulary_size(str(tmp_path)) == 10
