"""Batches of transformed documents: which documents, in which order, how padded."""

import functools
import random
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from trainer.data.reading import Position, Usage, batch_bounds, pad, read
from trainer.errors import JobError

LENGTHS = [random.Random(number).choice([0, 1, number % 60]) for number in range(299)] + [200]


def tokens_of(number: int) -> list[int]:
    return [4 + (number + position) % 50 for position in range(LENGTHS[number])]


def document(number: int) -> dict:
    context = {"id": b"%d" % number, "source": b"s%d" % (number % 2), "label": number % 3}
    return {**context, "tokens": tokens_of(number)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, write_transformed) -> tuple[str, ...]:
    folder: Path = tmp_path_factory.mktemp("input")
    paths = [folder / f"data_tfrecord-{shard}.gz" for shard in range(3)]
    for shard, path in enumerate(paths):
        write_transformed(path, [document(number) for number in range(shard, len(LENGTHS), 3)])
    (folder / "dataset.json").write_text("{}")
    return tuple(map(str, paths))


@functools.cache
def batches(files: str | tuple[str, ...], **values: int | None) -> list[dict[str, np.ndarray]]:
    return list(read(files, **{"batch_tokens": 100, "window": 30, **values}).as_numpy_iterator())


def order(found: list[dict[str, np.ndarray]]) -> list[int]:
    return [int(identifier) for batch in found for identifier in batch["id"]]


@pytest.mark.parametrize("values", [{}, {"seed": 1}, {"seed": 1, "window": 1000}, {"seed": 2, "epoch": 5, "window": 1}])
def test_an_epoch_has_every_document_once_complete_and_padded_right(files: tuple[str, ...], values: dict) -> None:
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


def test_batches_stay_within_the_budget_except_for_a_longer_document_alone(files: tuple[str, ...]) -> None:
    found = batches(files, seed=1)
    assert [batch["id"].tolist() for batch in found if batch["tokens"].size > 100] == [[b"299"]]
    assert max(batch["tokens"].size for batch in found if batch["tokens"].shape[1] < 200) > 80


def test_windows_follow_the_files_and_sorted_lengths_save_padding(files: tuple[str, ...]) -> None:
    records = [number for shard in range(3) for number in range(shard, len(LENGTHS), 3)]
    windows = [records[start : start + 30] for start in range(0, len(records), 30)]
    expected = [n for window in windows for n in sorted(window, key=lambda number: -LENGTHS[number])]
    assert order(batches(files)) == expected

    def padded(window: int) -> int:
        return sum(batch["tokens"].size for batch in batches(files, window=window, batch_tokens=400))

    unsorted = [[LENGTHS[n] for n in records[start : start + 10]] for start in range(0, len(records), 10)]
    assert padded(100) < padded(20) < sum(max(rows) * len(rows) for rows in unsorted)


def test_the_order_depends_only_on_seed_and_epoch_and_mixes_documents_and_lengths(files: tuple[str, ...]) -> None:
    first = order(batches(files, seed=1))
    tf.random.set_seed(3)
    dataset = read(files, batch_tokens=100, window=30, seed=1, epoch=0)
    assert [order(dataset.as_numpy_iterator()) for _ in range(2)] == [first, first]
    others = [order(batches(files, seed=seed, epoch=epoch)) for seed, epoch in ((1, 1), (2, 0), (2, 1))]
    assert len({tuple(numbers) for numbers in [first, *others]}) == 4
    assert sorted(first[:30]) != sorted(order(batches(files))[:30])
    widths = [batch["tokens"].shape[1] for batch in batches(files, seed=1, window=1000)]
    assert widths != sorted(widths, reverse=True)


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


@given(st.lists(st.lists(st.integers(1, 99), max_size=9), max_size=6))
@hypothesis_settings(deadline=None)
def test_padding_gives_every_document_at_least_one_step(rows: list[list[int]]) -> None:
    values = tf.constant([value for row in rows for value in row], tf.int64)
    tokens, length = pad(tf.RaggedTensor.from_row_lengths(values, tf.constant([len(r) for r in rows], tf.int64)))
    width = max([1, *map(len, rows)])
    assert tokens.shape == (len(rows), width)
    assert tokens.numpy().tolist() == [row + [0] * (width - len(row)) for row in rows]
    assert length.numpy().tolist() == [max(len(row), 1) for row in rows]


def test_a_folder_a_pattern_and_its_files_are_read_alike(files: tuple[str, ...]) -> None:
    folder = str(Path(files[0]).parent)
    expected = order(batches(files, seed=1))
    for asked in (folder, f"{folder}/*tfrecord*", (files[2], f"{folder}/*-[01]*")):
        assert order(batches(asked, seed=1)) == expected


def test_usage_sums_the_contents_of_batches(files: tuple[str, ...]) -> None:
    found, usage = batches(files, seed=1), Usage()
    for batch in read(files, batch_tokens=100, window=30, seed=1):
        usage.count(batch)
    padded = sum(batch["tokens"].size for batch in found)
    real = sum(max(length, 1) for length in LENGTHS)
    assert usage == Usage(documents=len(LENGTHS), steps=len(found), tokens=real, padded=padded)
    assert usage.waste == pytest.approx(1 - real / padded)
    assert Usage().waste == 0


def test_each_step_gives_workers_batches_of_about_the_same_width(files: tuple[str, ...]) -> None:
    found = [batches(files, seed=1, window=1000, worker=(number, 3)) for number in range(3)]
    assert len({len(worker) for worker in found}) == 1
    spreads = []
    for step in zip(*found, strict=True):
        widths = [batch["tokens"].shape[1] for batch in step]
        spreads.append(max(widths) - min(widths))
    assert np.median(spreads) <= 5


def test_surplus_workers_get_empty_batches(tmp_path: Path, write_transformed) -> None:
    write_transformed(tmp_path / "few", [document(1), document(2)])
    found = [batches(str(tmp_path / "few"), worker=(number, 4)) for number in range(4)]
    assert [len(worker) for worker in found] == [1] * 4
    shapes = [worker[0]["tokens"].shape for worker in found]
    assert sorted(rows for rows, _ in shapes) == [0, 0, 1, 1]
    assert all(width >= 1 for _, width in shapes)


@pytest.mark.parametrize("worker", [(-1, 2), (2, 2), (0, 0)])
def test_a_worker_number_must_be_below_the_count(files: tuple[str, ...], worker: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="worker"):
        read(files, batch_tokens=100, worker=worker)


def test_no_documents_give_no_batches_and_no_files_are_an_error(tmp_path: Path) -> None:
    tf.io.TFRecordWriter(str(tmp_path / "empty.gz"), "GZIP").close()
    assert batches(str(tmp_path / "empty.gz"), seed=1) == []
    with pytest.raises(JobError, match="No TFRecord files") as caught:
        read(str(tmp_path), batch_tokens=100)
    assert caught.value.where == str(tmp_path)

    for name in ("a_tfrecord", "b_tfrecord.gz"):
        (tmp_path / name).touch()
    with pytest.raises(JobError, match="Plain and GZIP"):
        read(str(tmp_path), batch_tokens=100)


def test_a_position_of_another_epoch_or_other_arguments_is_an_error(files: tuple[str, ...]) -> None:
    position = Position.after(batches(files, seed=1)[0])
    assert position[:3] == (0, 0, 1)
    with pytest.raises(JobError, match="does not match the epoch"):
        read(files, batch_tokens=100, window=30, seed=1, epoch=1, position=position)
    for values in ({"seed": 2}, {"window": 31}, {"batch_tokens": 101}, {"batch_documents": 9}, {"worker": (0, 2)}):
        with pytest.raises(JobError, match="does not match the arguments"):
            batches(files, **{"seed": 1, **values}, position=position)
    with pytest.raises(JobError, match="does not match the arguments"):
        batches(files[:2], seed=1, position=position)


def test_records_of_finished_windows_are_not_parsed(tmp_path: Path, write_transformed) -> None:
    path = str(tmp_path / "records")
    write_transformed(tmp_path / "records", [document(number) for number in (5, 7, 8)])
    whole = batches(path, window=1)
    first, _, last = list(tf.data.TFRecordDataset(path).as_numpy_iterator())
    with tf.io.TFRecordWriter(path) as writer:
        for record in (first, b"no protocol buffer", last):
            writer.write(record)
    (rest,) = batches(path, window=1, position=Position.after(whole[1]))
    assert rest["id"].tolist() == [b"8"]
