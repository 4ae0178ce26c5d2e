import hashlib

import pytest

from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.writing.split_assignment import (
    SplitRule,
    Splitter,
    order_key,
    shard_counts,
    shard_of,
)

WEIGHTS = {"train": 8, "eval": 1, "test": 1}


@pytest.mark.parametrize(
    ("identity", "split", "order"),
    [
        ("a", "train", "69e115e714ba0e3d"),
        ("b", "test", "41dfbfb2be539a49"),
        ("c", "train", "0b4c248c255b058c"),
        ("review-1", "eval", "3f856f10fca8938b"),
        ("é", "train", "d25de739eaa69d7f"),
    ],
)
def test_splits_and_order_never_change(identity: str, split: str, order: str) -> None:
    assert Splitter(WEIGHTS).split(identity.encode()) == split
    assert order_key(identity.encode()).hex() == order


def test_splits_are_ranges_of_the_hash_and_independent_of_the_order() -> None:
    splitter, halves = Splitter(WEIGHTS), Splitter({"train": 1, "eval": 1})
    low = {"train": 0, "eval": 0}
    for number in range(20_000):
        identity = str(number).encode()
        part = int(hashlib.blake2b(identity, digest_size=8, salt=b"split").hexdigest(), 16) / 2**64
        assert splitter.split(identity) == ("train" if part < 0.8 else "eval" if part < 0.9 else "test")
        low[halves.split(identity)] += order_key(identity) < b"\x80"
    assert low == pytest.approx({"train": 5_000, "eval": 5_000}, abs=200)


def test_shards_are_ranges_of_the_order() -> None:
    keys = (bytes(8), b"\x40" + bytes(7), b"\xbf" + b"\xff" * 7, b"\xff" * 8)
    assert [shard_of(key, 4) for key in keys] == [0, 1, 2, 3]
    assert shard_of(b"\xff" * 8, 1) == 0


@pytest.mark.parametrize(
    ("mebibytes", "expected"), [(0, (1, 1, 1)), (40, (1, 1, 1)), (41, (2, 1, 1)), (640, (16, 2, 2))]
)
def test_shards_have_a_maximum_size(mebibytes: int, expected: tuple[int, ...]) -> None:
    sizes = SplitRule("hash", WEIGHTS).sizes([(None, CorpusFile("a.csv", mebibytes << 20, 0))])
    assert shard_counts(sizes, 32 << 20) == dict(zip(WEIGHTS, expected, strict=True))


def test_sizes_of_splits_are_upper_bounds() -> None:
    files = [CorpusFile("a.csv", 100, 0), CorpusFile("b.csv.gz", 100, 0), CorpusFile("c.parquet", 10, 0)]
    together = [(None, file) for file in files]
    assert SplitRule("hash", {"train": 3, "eval": 1}).sizes(together) == {"train": 323, "eval": 108}
    # A column may put all documents into any split.
    assert SplitRule("column", WEIGHTS).sizes(together) == dict.fromkeys(WEIGHTS, 430)
    given = zip(("train", "eval", "train"), files, strict=True)
    assert SplitRule("file", {"train": 1, "eval": 1}).sizes(given) == {"train": 130, "eval": 300}
