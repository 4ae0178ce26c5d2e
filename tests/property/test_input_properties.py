"""Any corpus, limits, number of workers and point of interruption: each document is read once."""

import contextlib
import functools
import itertools
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.reading import Position, pack, read

Batch = dict[str, np.ndarray]

CORPUS = {
    "lengths": st.lists(st.integers(0, 40), min_size=1, max_size=40),
    "suffix": st.sampled_from(["", ".gz"]),
    "workers": st.integers(1, 4),
    "data": st.data(),
}
LIMITS = {"batch_tokens": st.integers(1, 200), "batch_documents": st.none() | st.integers(1, 9)}
FEW_EXAMPLES = settings(deadline=None, max_examples=15)
pytestmark = pytest.mark.slow


def arguments(**own: st.SearchStrategy) -> st.SearchStrategy[dict]:
    """Arguments of a reader: its own, and those that all readers share."""
    seeds = st.none() | st.integers(0, 2**31)
    return st.fixed_dictionaries({**own, "window": st.integers(1, 50), "seed": seeds, "epoch": st.integers(0, 9)})


def documents(lengths: list[int]) -> list[list[int]]:
    """Makes documents without common ids."""
    firsts = np.cumsum([4, *lengths]).tolist()
    return [list(range(first, stop)) for first, stop in itertools.pairwise(firsts)]


def read_by_workers(
    reader: Callable[..., tf.data.Dataset], arguments: dict, workers: int, data: st.DataObject
) -> list[list[Batch]]:
    """Returns the batches of each worker: as many for each, and the same when resumed from a random position."""

    def batches(worker: int, position: list[int] | None = None) -> list[Batch]:
        return list(reader(**arguments, worker=(worker, workers), position=position).as_numpy_iterator())

    found = [batches(worker) for worker in range(workers)]
    worker = data.draw(st.integers(0, workers - 1))
    done = data.draw(st.integers(1, len(found[worker])))
    position = json.loads(json.dumps(Position.after(found[worker][done - 1])))
    require_equal(batches(worker, position), found[worker][done:])
    assert len({len(batches) for batches in found}) == 1
    return found


def require_equal(found: Iterable[Batch], expected: Iterable[Batch]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.fixture(scope="session")
def written(write_transformed) -> Callable[[list[int], str], AbstractContextManager[str]]:
    """Writes documents of the given lengths to two files in a temporary folder."""

    @contextlib.contextmanager
    def write(lengths: list[int], suffix: str) -> Iterator[str]:
        records = [{"id": b"%d" % number, "tokens": ids} for number, ids in enumerate(documents(lengths))]
        with tempfile.TemporaryDirectory() as folder:
            for shard in range(2):
                write_transformed(Path(folder, f"tfrecord-{shard}{suffix}"), records[shard::2])
            yield folder

    return write


@FEW_EXAMPLES
@given(**CORPUS, limits=arguments(**LIMITS))
def test_batches(written, lengths: list[int], suffix: str, limits: dict, workers: int, data: st.DataObject) -> None:
    with written(lengths, suffix) as folder:
        found = read_by_workers(functools.partial(read, folder), limits, workers, data)
    seen: Counter[int] = Counter()
    for batch in itertools.chain(*found):
        rows, width = batch["tokens"].shape
        assert rows <= 1 or rows * width <= limits["batch_tokens"]
        assert rows <= (limits["batch_documents"] or rows)
        assert width == max([1, *batch["length"]])
        for identifier, length, row in zip(batch["id"], batch["length"], batch["tokens"], strict=True):
            number = int(identifier)
            seen[number] += 1
            document = documents(lengths)[number]
            assert length == max(len(document), 1)
            assert row.tolist() == document + [0] * (width - len(document))
    assert seen == Counter(range(len(lengths)))


@FEW_EXAMPLES
@given(**CORPUS, shape=arguments(rows=st.integers(1, 4), time=st.integers(1, 30)))
def test_packed_rows(written, lengths: list[int], suffix: str, shape: dict, workers: int, data: st.DataObject) -> None:
    with written(lengths, suffix) as folder:
        found = read_by_workers(functools.partial(pack, folder), shape, workers, data)
    packed = []
    for batches in found:
        tokens, targets, real = (
            np.concatenate([batch[name] for batch in batches], axis=1) for name in ("tokens", "targets", "segment")
        )
        for ids, following, segment in zip(tokens, targets, real > 0, strict=True):
            used = int(segment.sum())
            assert segment[:used].all()
            assert not ids[used:].any()
            assert not following[used:].any()
            np.testing.assert_array_equal(ids[:used], [3, *following[: used - 1]][:used])
            packed += np.split(following[:used], np.flatnonzero(following[:used] == 3) + 1)[:-1]
    assert sorted(document.tolist() for document in packed) == sorted([*ids, 3] for ids in documents(lengths))
