"""The bytes that `sequence_encoding` writes, read by TensorFlow."""

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.shared.sequence_encoding import (
    Int64Steps,
    bytes_feature,
    encode_texts,
    float_feature,
    int64_feature,
    sequence_example,
    step,
)
from trainer.data import features, kinds, parsing

INT64 = st.integers(-(2**63), 2**63 - 1)
ID_LISTS = st.lists(st.integers(0, 300) | st.integers(0, 40_000), max_size=8)
LARGE_IDS = [2_097_151, 0, 2_097_152, 3_000_000]
"""Around the first id of four bytes; a table for them takes long to build."""
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KINDS = {int: "int64_list", float: "float_list", bytes: "bytes_list"}


def encode(steps: Int64Steps, rows: list[list[int]]) -> list[bytes]:
    ragged = tf.ragged.constant(rows, tf.int64, ragged_rank=1, row_splits_dtype=tf.int64)
    return steps.encode_rows(ragged.flat_values.numpy(), ragged.row_splits.numpy())


@given(
    st.dictionaries(NAMES, INT64 | st.binary(max_size=300) | st.floats(width=32, allow_nan=False), max_size=4),
    st.dictionaries(NAMES, ID_LISTS | st.lists(st.binary(max_size=300), max_size=4), max_size=4),
)
@example({"a": -1}, {"ids": LARGE_IDS, "text": [b"x"]})
@settings(deadline=None)
def test_protocol_buffers_read_what_is_written(context: dict, lists: dict) -> None:
    steps = Int64Steps()
    encode_value = {int: int64_feature, float: float_feature, bytes: bytes_feature}
    encoded_context = {name: encode_value[type(value)](value) for name, value in context.items()}
    encoded_lists = {
        name: b"".join(step(bytes_feature(value)) for value in values)
        if any(isinstance(value, bytes) for value in values)
        else encode(steps, [values])[0]
        for name, values in lists.items()
    }
    expected = tf.train.SequenceExample()
    expected.context.SetInParent()
    expected.feature_lists.SetInParent()
    for name, value in context.items():
        getattr(expected.context.feature[name], KINDS[type(value)]).value.append(value)
    for name, values in lists.items():
        expected.feature_lists.feature_list[name].SetInParent()
        for value in values:
            getattr(expected.feature_lists.feature_list[name].feature.add(), KINDS[type(value)]).value.append(value)
    written = sequence_example(encoded_context, encoded_lists)
    assert tf.train.SequenceExample.FromString(written) == expected
    reordered = (dict(reversed(features.items())) for features in (encoded_context, encoded_lists))
    assert sequence_example(*reordered) == written


@given(st.lists(ID_LISTS, max_size=4), st.lists(ID_LISTS, max_size=4))
@example([[3]], [LARGE_IDS, [], [7]])
@example([LARGE_IDS], [[7, 300, 3_000_001]])
@settings(deadline=None)
def test_steps_do_not_depend_on_earlier_ones(first: list[list[int]], second: list[list[int]]) -> None:
    steps = Int64Steps()
    encode(steps, first)
    assert encode(steps, second) == [b"".join(step(int64_feature(value)) for value in row) for row in second]


@given(st.lists(st.lists(st.binary(max_size=300), max_size=4), max_size=4))
def test_texts_are_steps_of_one_value(rows: list[list[bytes]]) -> None:
    ragged = tf.ragged.constant(rows, tf.string, ragged_rank=1, row_splits_dtype=tf.int64)
    found = encode_texts(ragged.flat_values.numpy(), ragged.row_splits.numpy())
    assert found == [b"".join(step(bytes_feature(value)) for value in row) for row in rows]


def test_a_negative_id_is_an_error() -> None:
    with pytest.raises(ValueError, match="an id is negative: -2"):
        encode(Int64Steps(), [[3], [-2]])


def test_equal_values_give_equal_bytes_in_any_order_of_names() -> None:
    a, b = int64_feature(1), bytes_feature(b"x")
    assert sequence_example({"a": a, "b": b}, {}) == sequence_example({"b": b, "a": a}, {})


def transformed(identifier: bytes, source: bytes, label: int, tokens: list[int]) -> bytes:
    context = {"id": bytes_feature(identifier), "source": bytes_feature(source)}
    context |= {"label": int64_feature(label), "length": int64_feature(len(tokens))}
    return sequence_example(context, {"tokens": encode(Int64Steps(), [tokens])[0]})


ROWS = st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9), INT64, ID_LISTS), min_size=1, max_size=5)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def parse(records: tf.Tensor) -> tuple[features.Features, tf.RaggedTensor, tf.Tensor]:
    return parsing.padded_batch(records, kinds.LABELLED_TEXT), parsing.tokens(records), parsing.lengths(records)


@given(ROWS)
@example([(b"a", b"b", 1, LARGE_IDS), (b"", b"", -1, [])])
@settings(deadline=None)
def test_transformed_records_are_parsed_in_batches(rows: list[tuple[bytes, bytes, int, list[int]]]) -> None:
    batch, tokens, lengths = parse(tf.constant([transformed(*row) for row in rows]))
    width = max(1, *(len(row[3]) for row in rows))
    assert batch["id"].numpy().tolist() == [row[0] for row in rows]
    assert batch["source"].numpy().tolist() == [row[1] for row in rows]
    assert batch["label"].numpy().tolist() == [row[2] for row in rows]
    assert batch["tokens"].numpy().tolist() == [row[3] + [0] * (width - len(row[3])) for row in rows]
    assert batch["length"].numpy().tolist() == [max(1, len(row[3])) for row in rows]
    assert tokens.to_list() == [row[3] for row in rows]
    assert lengths.numpy().tolist() == [len(row[3]) for row in rows]
    assert batch["tokens"].dtype == batch["length"].dtype == batch["label"].dtype == tf.int64


RAW_ROWS = st.lists(
    st.tuples(st.binary(max_size=9), st.none() | st.binary(max_size=9), st.lists(st.binary(max_size=20), max_size=4)),
    min_size=1,
    max_size=5,
)


@given(RAW_ROWS)
@settings(deadline=None)
def test_raw_records_are_parsed_in_batches(rows: list[tuple[bytes, bytes | None, list[bytes]]]) -> None:
    records = []
    for identifier, label, segments in rows:
        context = {"id": bytes_feature(identifier), "source": bytes_feature(b"s")}
        context |= {} if label is None else {"label": bytes_feature(label)}
        text = b"".join(step(bytes_feature(segment)) for segment in segments)
        records.append(sequence_example(context, {"text": text}))
    raw = features.parse_raw(tf.constant(records), kinds.LABELLED_TEXT)
    assert raw["id"].numpy().tolist() == [row[0] for row in rows]
    assert raw["label"].numpy().tolist() == [row[1] or b"" for row in rows]
    assert raw["text"].to_list() == [[[segment] for segment in row[2]] for row in rows]
    assert raw["text"].row_splits.dtype == tf.int64


def test_a_transformed_record_has_a_label_only_if_its_kind_does() -> None:
    context = {"id": bytes_feature(b"a"), "source": bytes_feature(b"s"), "length": int64_feature(0)}
    labelled = sequence_example({**context, "label": int64_feature(-1)}, {"tokens": b""})
    label = parsing.padded_batch(tf.constant([labelled]), kinds.LABELLED_TEXT)["label"]
    assert (label.dtype, label.numpy().tolist()) == (tf.int64, [-1])
    records = tf.constant([sequence_example(context, {"tokens": b""})])
    with pytest.raises(tf.errors.InvalidArgumentError, match="label"):
        parsing.padded_batch(records, kinds.LABELLED_TEXT)
    assert parsing.padded_batch(records, kinds.PLAIN_TEXT)["id"].numpy().tolist() == [b"a"]
