"""Any corpus, any limits, any number of workers, any place of interruption: each document once."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.input import Position, pack, read

Batch = dict[str, np.ndarray]

LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=40)
SEEDS = st.none() | st.integers(0, 2**31)
SLOW = settings(deadline=None, max_examples=15)


def write(write_transformed, lengths: list[int], folder: str, suffix: str) -> None:
    """Writes documents whose ids are all different over two files."""
    firsts = np.cumsum([4, *lengths])
    documents = [
        {"id": b"%d" % number, "tokens": list(range(first, first + length))}
        for number, (first, length) in enumerate(zip(firsts.tolist(), lengths, strict=False))
    ]
    for shard in range(2):
        write_transformed(Path(folder, f"tfrecord-{shard}{suffix}"), documents[shard::2])


def require_equal(found: Iterable[Batch], expected: Iterable[Batch]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@SLOW
@given(
    lengths=LENGTHS,
    suffix=st.sampled_from(["", ".gz"]),
    limits=st.fixed_dictionaries(
        {
            "batch_tokens": st.integers(1, 200),
            "batch_documents": st.none() | st.integers(1, 9),
            "window": st.integers(1, 50),
            "seed": SEEDS,
            "epoch": st.integers(0, 9),
        }
    ),
    workers=st.integers(1, 4),
    data=st.data(),
)
def test_batches(write_transformed, lengths: list[int], suffix: str, limits: dict, workers: int, data) -> None:
    firsts = np.cumsum([4, *lengths])
    with tempfile.TemporaryDirectory() as folder:
        write(write_transformed, lengths, folder, suffix)

        def batches(worker: int, position: list[int] | None = None) -> list[Batch]:
            return list(read(folder, **limits, worker=(worker, workers), position=position).as_numpy_iterator())

        found = [batches(worker) for worker in range(workers)]
        worker = data.draw(st.integers(0, workers - 1))
        done = data.draw(st.integers(1, len(found[worker])))
        position = json.loads(json.dumps(Position.after(found[worker][done - 1])))
        require_equal(batches(worker, position), found[worker][done:])

    assert len({len(batches) for batches in found}) == 1
    seen: Counter[int] = Counter()
    for batch in (batch for batches in found for batch in batches):
        rows, width = batch["tokens"].shape
        assert rows <= 1 or rows * width <= limits["batch_tokens"]
        assert rows <= (limits["batch_documents"] or rows)
        assert width == max([1, *batch["length"]])
        for identifier, length, row in zip(batch["id"], batch["length"], batch["tokens"], strict=True):
            number = int(identifier)
            seen[number] += 1
            assert length == max(lengths[number], 1)
            document = np.arange(firsts[number], firsts[number] + lengths[number])
            np.testing.assert_array_equal(row, np.pad(document, (0, width - len(document))))
    assert seen == Counter(range(len(lengths)))


@SLOW
@given(
    lengths=LENGTHS,
    suffix=st.sampled_from(["", ".gz"]),
    shape=st.fixed_dictionaries(
        {
            "rows": st.integers(1, 4),
            "time": st.integers(1, 30),
            "window": st.integers(1, 50),
            "seed": SEEDS,
            "epoch": st.integers(0, 9),
        }
    ),
    workers=st.integers(1, 3),
    data=st.data(),
)
def test_packed_rows(write_transformed, lengths: list[int], suffix: str, shape: dict, workers: int, data) -> None:
    firsts = np.cumsum([4, *lengths])
    with tempfile.TemporaryDirectory() as folder:
        write(write_transformed, lengths, folder, suffix)

        def batches(worker: int, position: list[int] | None = None) -> list[Batch]:
            return list(pack(folder, **shape, worker=(worker, workers), position=position).as_numpy_iterator())

        found = [batches(worker) for worker in range(workers)]
        worker = data.draw(st.integers(0, workers - 1))
        done = data.draw(st.integers(1, len(found[worker])))
        position = json.loads(json.dumps(Position.after(found[worker][done - 1])))
        require_equal(batches(worker, position), found[worker][done:])

    assert len({len(batches) for batches in found}) == 1
    documents = []
    for batches_ in found:
        tokens, targets, real = (
            np.concatenate([batch[name] for batch in batches_], axis=1) for name in ("tokens", "targets", "segment")
        )
        for ids, following, segment in zip(tokens, targets, real > 0, strict=True):
            used = int(segment.sum())
            assert segment[:used].all()
            assert not ids[used:].any()
            assert not following[used:].any()
            np.testing.assert_array_equal(ids[:used], [3, *following[: used - 1]][:used])
            documents += np.split(following[:used], np.flatnonzero(following[:used] == 3) + 1)[:-1]
    expected = [(*range(first, first + length), 3) for first, length in zip(firsts.tolist(), lengths, strict=False)]
    assert sorted(tuple(document.tolist()) for document in documents) == sorted(expected)
