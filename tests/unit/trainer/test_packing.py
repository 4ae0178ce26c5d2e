"""Rows of joined documents, against a concatenation in NumPy."""

import functools
import itertools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.data.reading import Position, Usage, pack
from trainer.errors import JobError

RANDOM = np.random.default_rng(0)
DOCUMENTS = [RANDOM.integers(4, 99, length).tolist() for length in RANDOM.integers(0, 20, 120)]
EOS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_transformed) -> str:
    folder: Path = tmp_path_factory.mktemp("packing")
    for shard in range(2):
        documents = [{"id": b"%d" % n, "tokens": DOCUMENTS[n]} for n in range(shard * 60, shard * 60 + 60)]
        write_transformed(folder / f"data_tfrecord-{shard}.gz", documents, label=False)
    return str(folder)


def uncached_batches(folder: str, **values: object) -> list[dict[str, np.ndarray]]:
    return list(pack(folder, **{"rows": 3, "time": 7, "window": 25, **values}).as_numpy_iterator())


batches = functools.cache(uncached_batches)


def streams(found: list[dict[str, np.ndarray]], name: str) -> np.ndarray:
    """Each row of all batches as one stream."""
    return np.concatenate([batch[name] for batch in found], axis=1)


@pytest.mark.parametrize("eos", [EOS, None])
def test_one_row_is_the_concatenation_and_its_targets_the_next_ids(folder: str, eos: int | None) -> None:
    found = batches(folder, rows=1, eos=eos)
    joined = np.concatenate(DOCUMENTS if eos is None else [[EOS], *([*document, EOS] for document in DOCUMENTS)])
    tokens, targets, segment, offset = (streams(found, n)[0] for n in ("tokens", "targets", "segment", "offset"))
    real = len(joined) - 1
    assert 0 <= len(tokens) - real < 7
    np.testing.assert_array_equal(tokens[:real], joined[:-1])
    np.testing.assert_array_equal(targets[:real], joined[1:])
    assert np.count_nonzero(segment) == real
    sizes = np.array([len(document) + (eos is not None) for document in DOCUMENTS])
    starts = np.cumsum([0, *sizes])[:-1]
    np.testing.assert_array_equal(np.flatnonzero(offset[:real] == 0), starts[(sizes > 0) & (starts < real)])
    for name in ("tokens", "targets", "segment", "offset"):
        assert not streams(found, name)[0, real:].any()
        assert found[0][name].dtype == np.int64
        assert {batch[name].shape for batch in found} == {(1, 7)}


def rows_of(found: list[dict[str, np.ndarray]]) -> list[list[list[int]]]:
    """The documents of each row, from its inputs, targets, segments and offsets."""
    rows = []
    tokens, targets, segments, offsets = (streams(found, n) for n in ("tokens", "targets", "segment", "offset"))
    for ids, following, segment, offset in zip(tokens, targets, segments, offsets, strict=True):
        real = int(np.count_nonzero(segment))
        assert segment[:real].all()
        np.testing.assert_array_equal(ids[1:real], following[: real - 1])
        starts = [*np.flatnonzero(offset[:real] == 0), real]
        documents = []
        for start, stop in itertools.pairwise(starts):
            assert ids[start] == EOS
            assert following[stop - 1] == EOS
            np.testing.assert_array_equal(offset[start:stop], np.arange(stop - start))
            documents.append(following[start : stop - 1].tolist())
        rows.append(documents)
    return rows


@pytest.mark.parametrize("values", [{}, {"seed": 1}, {"seed": 1, "window": 3, "rows": 5}, {"window": 500, "time": 40}])
def test_rows_are_streams_of_whole_documents_each_once(folder: str, values: dict) -> None:
    rows = rows_of(batches(folder, **values))
    assert sorted(document for row in rows for document in row) == sorted(DOCUMENTS)
    sizes = [sum(len(document) + 1 for document in row) for row in rows]
    assert max(sizes) - min(sizes) <= 2 * max(map(len, DOCUMENTS))


def test_usage_counts_documents_inputs_and_padding(folder: str, tmp_path: Path) -> None:
    usage, found = Usage(), batches(folder)
    for batch in pack(folder, rows=3, time=7, window=25):
        usage.count(batch)
    tokens = sum(map(len, DOCUMENTS)) + len(DOCUMENTS)
    assert usage == Usage(documents=len(DOCUMENTS), steps=len(found), tokens=tokens, padded=len(found) * 21)
    tf.io.TFRecordWriter(str(tmp_path / "tfrecord")).close()
    assert batches(str(tmp_path)) == []


def test_segments_distinguish_documents_of_a_batch(folder: str) -> None:
    for batch in batches(folder, seed=1):
        for segment, offset in zip(batch["segment"], batch["offset"], strict=True):
            real = segment[segment > 0]
            changes = np.flatnonzero(np.diff(real)) + 1
            np.testing.assert_array_equal(changes, np.flatnonzero(offset[: len(real)][1:] == 0) + 1)
            assert len(set(real.tolist())) == len(changes) + (len(real) > 0)


def test_the_order_depends_on_seed_and_epoch(folder: str) -> None:
    first = rows_of(batches(folder, seed=1))
    assert rows_of(uncached_batches(folder, seed=1)) == first
    assert rows_of(batches(folder, seed=2)) != first
    assert rows_of(batches(folder, seed=1, epoch=1)) != first


def test_workers_share_the_rows_and_take_as_many_steps(folder: str) -> None:
    together = batches(folder, rows=6, seed=1)
    workers = [batches(folder, rows=2, seed=1, worker=(number, 3)) for number in range(3)]
    assert {len(found) for found in workers} == {len(together)}
    for name in ("tokens", "targets", "offset"):
        joined = np.concatenate([streams(found, name) for found in workers])
        np.testing.assert_array_equal(joined, streams(together, name))


def test_any_position_gives_the_remaining_batches(folder: str) -> None:
    found = batches(folder, seed=1, time=20)
    windows = {Position.after(batch).window for batch in found}
    assert len(windows) > 3
    for done in range(1, len(found) + 1, 4):
        rest = batches(folder, seed=1, time=20, position=Position.after(found[done - 1]))
        assert len(rest) == len(found) - done
        for again, first in zip(rest, found[done:], strict=True):
            for name in ("tokens", "targets", "offset", "position"):
                np.testing.assert_array_equal(again[name], first[name])


def test_a_position_from_other_arguments_is_an_error(folder: str) -> None:
    position = Position.after(batches(folder)[0])
    for values in ({"rows": 2}, {"time": 8}, {"eos": None}, {"seed": 1}):
        with pytest.raises(JobError, match="does not match the arguments"):
            batches(folder, **values, position=position)
