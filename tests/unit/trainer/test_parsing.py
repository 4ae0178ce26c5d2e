"""Transformed records of every kind of corpus, parsed by the batch."""

from collections.abc import Callable

import pytest
import tensorflow as tf

from trainer.data import features, kinds, parsing

Record = Callable[..., bytes]


def plain(batch: features.Features) -> dict:
    return {name: value.numpy().tolist() for name, value in batch.items()}


def test_text_without_labels_is_padded_to_the_longest(transformed_record: Record) -> None:
    rows = [{"id": b"a", "tokens": [4, 5]}, {"id": b"b", "tokens": []}]
    records = tf.constant([transformed_record(row, label=False) for row in rows])
    assert plain(parsing.padded_batch(records, kinds.PLAIN_TEXT)) == {
        "id": [b"a", b"b"],
        "source": [b"s", b"s"],
        "length": [2, 1],
        "tokens": [[4, 5], [0, 0]],
    }
    assert parsing.tokens(records).to_list() == [[4, 5], []]
    assert parsing.lengths(records).numpy().tolist() == [2, 0]


def test_tags_and_words_are_parsed_with_their_tokens(transformed_record: Record) -> None:
    lists = {"tokens": [4, 1], "tags": [0, -1], "words": ["é".encode(), b"\0 b"]}
    record = transformed_record({"id": b"a", **lists}, label=False)
    parsed = parsing.padded_batch(tf.constant([record]), kinds.TAGGED_TEXT)
    rows = {name: [values] for name, values in lists.items()}
    assert plain(parsed) == {"id": [b"a"], "source": [b"s"], "length": [2], **rows}
    assert parsed["tags"].dtype == parsed["tokens"].dtype == parsed["length"].dtype == tf.int64


def test_any_number_of_labels_is_padded_with_no_class(transformed_record: Record) -> None:
    rows = [([4, 5], [0, 2]), ([1], []), ([0, 6], [1])]
    records = [
        transformed_record(
            {"id": b"a", "length": len([t for t in tokens if t]), "tokens": tokens, "labels": labels}, False
        )
        for tokens, labels in rows
    ]
    parsed = plain(parsing.padded_batch(tf.constant(records), kinds.MULTI_LABELLED_TEXT))
    assert parsed["labels"] == [[0, 2], [-1, -1], [1, -1]]
    assert (parsed["tokens"], parsed["length"]) == ([[4, 5], [1, 0], [6, 0]], [2, 1, 1])
    alone = parsing.padded_batch(tf.constant(records[1:2]), kinds.MULTI_LABELLED_TEXT)
    assert alone["labels"].numpy().tolist() == [[-1]]


@pytest.mark.parametrize("left", [False, True], ids=["right", "left"])
def test_padding_in_the_records_is_left_out(left: bool, transformed_record: Record) -> None:
    rows = [([4, 5], [0, 1]), ([1], [2]), ([], [])]

    def padded(steps: list, filler: object = 0) -> list:
        return [filler, filler, *steps] if left else [*steps, filler, filler]

    def record(ids: list[int], tags: list[int]) -> bytes:
        lists = {"tokens": padded(ids), "tags": padded(tags), "words": padded([b"%d" % one for one in ids], b"")}
        return transformed_record({"id": b"a", "length": len(ids), **lists}, False)

    records = tf.constant([record(*row) for row in rows])
    parsed = plain(parsing.padded_batch(records, kinds.TAGGED_TEXT))
    assert parsed["words"] == [[b"4", b"5"], [b"1", b""], [b"", b""]]
    assert parsed["tokens"] == [[4, 5], [1, 0], [0, 0]]
    assert parsed["tags"] == [[0, 1], [2, 0], [0, 0]]
    assert parsed["length"] == [2, 1, 1]
    assert parsing.tokens(records).to_list() == [ids for ids, _ in rows]
    assert parsing.lengths(records).numpy().tolist() == [len(ids) for ids, _ in rows]


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=str)
def test_no_records_give_an_empty_batch(kind: str) -> None:
    records = tf.constant([], tf.string)
    parsed = parsing.padded_batch(records, kind)
    assert set(parsed) == set(kind.transformed)
    assert parsed["tokens"].shape == (0, 1)
    assert parsing.tokens(records).to_list() == []
    assert parsing.lengths(records).shape == (0,)


@pytest.mark.parametrize(
    ("kind", "lists"),
    [
        ("tagged_text", {"tags": [1], "words": [b"a", b"b"]}),
        ("tagged_text", {"tags": [1, 1], "words": [b"a"]}),
        ("labelled_text", {"length": 1}),
        ("labelled_text", {"length": 3}),
    ],
)
def test_lists_that_do_not_match_the_tokens_are_rejected(kind: str, lists: dict, transformed_record: Record) -> None:
    whole = {"id": b"whole", "tokens": [4], **({"tags": [0], "words": [b"a"]} if "tags" in lists else {})}
    rows = [whole, {"id": b"damaged", "tokens": [4, 5], **lists}]
    records = tf.constant([transformed_record(row, kind == "labelled_text") for row in rows])
    parsers = [lambda records: parsing.padded_batch(records, kinds.KINDS[kind])]
    for parse in parsers + [parsing.tokens] * ("length" in lists):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"Damaged records.*\[damaged\]"):
            tf.function(parse)(records)


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=str)
def test_the_kind_of_a_record_follows_from_its_features(kind: kinds.CorpusKind, transformed_record: Record) -> None:
    lists = {"tags": {"tags": [1]}, "labels": {"labels": []}}.get(kind.target, {})
    record = transformed_record({"id": b"a", "tokens": [4], **lists}, label=kind.target == "label")
    assert parsing.kind_of(record) == kind
