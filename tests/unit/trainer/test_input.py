"""Batches of transformed documents: which documents, in which order, how padded."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from components.sequence_encoding import Int64Steps, bytes_feature, int64_feature, sequence_example
from trainer.input import batch_bounds, pad, read

LENGTHS = [random.Random(number).choice([0, 1, number % 60]) for number in range(299)] + [200]


def tokens_of(number: int) -> list[int]:
    return [4 + (number + position) % 50 for position in range(LENGTHS[number])]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder: Path = tmp_path_factory.mktemp("input")
    paths = [str(folder / f"{shard}.gz") for shard in range(3)]
    for shard, path in enumerate(paths):
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for number in range(shard, len(LENGTHS), 3):
                context = {"id": bytes_feature(b"%d" % number), "source": bytes_feature(b"s%d" % (number % 2))}
                context |= {"label": int64_feature(number % 3), "length": int64_feature(LENGTHS[number])}
                writer.write(sequence_example(context, {"tokens": Int64Steps().encode(tokens_of(number))}))
    return paths


def batches(files: list[str], **values: int | None) -> list[dict[str, np.ndarray]]:
    return list(read(files, **{"batch_tokens": 100, "window": 30, **values}).as_numpy_iterator())


def order(files: list[str], **values: int | None) -> list[int]:
    return [int(identifier) for batch in batches(files, **values) for identifier in batch["id"]]


@pytest.mark.parametrize("values", [{}, {"seed": 1}, {"seed": 1, "window": 1000}, {"seed": 2, "epoch": 5, "window": 1}])
def test_an_epoch_holds_every_document_once_whole_and_padded_right(files: list[str], values: dict) -> None:
    seen = []
    for batch in batches(files, **values):
        width = batch["tokens"].shape[1]
        assert width == max(batch["length"])
        for identifier, source, label, length, row in zip(
            *(batch[name] for name in ("id", "source", "label", "length", "tokens")), strict=True
        ):
            number = int(identifier)
            seen.append(number)
            tokens = tokens_of(number)
            assert row.tolist() == tokens + [0] * (width - len(tokens))
            assert (length, label, source) == (max(len(tokens), 1), number % 3, b"s%d" % (number % 2))
        assert batch["tokens"].dtype == batch["length"].dtype == batch["label"].dtype == np.int64
    assert sorted(seen) == list(range(len(LENGTHS)))


def test_batches_stay_within_the_budget_but_for_a_longer_document_alone(files: list[str]) -> None:
    found = batches(files, seed=1)
    assert [batch["id"].tolist() for batch in found if batch["tokens"].size > 100] == [[b"299"]]
    assert max(batch["tokens"].size for batch in found if batch["tokens"].shape[1] < 200) > 80


def test_sorting_saves_padding(files: list[str]) -> None:
    def waste(window: int) -> float:
        found = batches(files, window=window, batch_tokens=400)
        return 1 - sum(LENGTHS) / sum(batch["tokens"].size for batch in found)

    records = [len(tokens_of(number)) for shard in range(3) for number in range(shard, len(LENGTHS), 3)]
    unsorted = [records[start : start + 10] for start in range(0, len(records), 10)]
    padded = sum(max(rows) * len(rows) for rows in unsorted)
    assert waste(100) < waste(20) < 1 - sum(LENGTHS) / padded


def test_the_order_depends_on_seed_and_epoch_alone(files: list[str]) -> None:
    first = order(files, seed=1, epoch=0)
    assert order(files, seed=1, epoch=0) == first
    others = [order(files, seed=1, epoch=1), order(files, seed=2, epoch=0), order(files, seed=2, epoch=1)]
    assert len({tuple(numbers) for numbers in [first, *others]}) == 4


def test_a_dataset_read_again_gives_the_same_order(files: list[str]) -> None:
    dataset = read(files, batch_tokens=100, window=30, seed=1, epoch=2)
    passes = [[batch["id"].tolist() for batch in dataset.as_numpy_iterator()] for _ in range(2)]
    assert passes[0] == passes[1]


def test_documents_are_mixed_over_windows_and_batches_over_lengths(files: list[str]) -> None:
    in_file_order = order(files)
    assert sorted(order(files, seed=1)[:30]) != sorted(in_file_order[:30])
    widths = [batch["tokens"].shape[1] for batch in batches(files, seed=1, window=1000)]
    assert widths != sorted(widths, reverse=True)


def test_without_a_seed_windows_follow_the_files_and_lengths_fall(files: list[str]) -> None:
    records = [number for shard in range(3) for number in range(shard, len(LENGTHS), 3)]
    windows = [records[start : start + 30] for start in range(0, len(records), 30)]
    expected = [n for window in windows for n in sorted(window, key=lambda number: -LENGTHS[number])]
    assert order(files) == expected


def greedy(lengths: list[int], budget: int, documents: int) -> list[tuple[int, int]]:
    """Adds documents to a batch while it stays within the budget."""
    bounds, start = [], 0
    for row in range(1, len(lengths) + 1):
        too_many_ids = max(lengths[start], 1) * (row - start + 1) > budget
        if row == len(lengths) or too_many_ids or row - start == documents:
            bounds.append((start, row))
            start = row
    return bounds


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 120), st.integers(1, 9))
@hypothesis_settings(deadline=None)
def test_batches_are_as_large_as_the_budget_allows(lengths: list[int], budget: int, documents: int) -> None:
    falling = sorted(lengths, reverse=True)
    for limits, most in (((budget,), len(lengths)), ((budget, documents), documents)):
        starts, stops = batch_bounds(tf.constant(falling, tf.int64), *limits)
        found = list(zip(starts.numpy().tolist(), stops.numpy().tolist(), strict=True))
        assert found == greedy(falling, budget, most)


def test_batches_hold_no_more_documents_than_allowed(files: list[str]) -> None:
    sizes = [len(batch["id"]) for batch in batches(files, seed=1, batch_documents=7)]
    assert max(sizes) == 7
    assert sum(sizes) == len(LENGTHS)


@given(st.lists(st.lists(st.integers(1, 99), max_size=9), max_size=6))
@hypothesis_settings(deadline=None)
def test_padding_gives_every_document_at_least_one_step(rows: list[list[int]]) -> None:
    values = tf.constant([value for row in rows for value in row], tf.int64)
    tokens, length = pad(tf.RaggedTensor.from_row_lengths(values, tf.constant([len(r) for r in rows], tf.int64)))
    width = max([1, *map(len, rows)])
    assert tokens.shape == (len(rows), width)
    assert tokens.numpy().tolist() == [row + [0] * (width - len(row)) for row in rows]
    assert length.numpy().tolist() == [max(len(row), 1) for row in rows]


def test_a_split_without_documents_gives_no_batches(tmp_path: Path) -> None:
    path = str(tmp_path / "empty.gz")
    tf.io.TFRecordWriter(path, "GZIP").close()
    assert batches([path], seed=1) == []
