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


def test_split_is_the_part_of_the_hash_space() -> None:
    splitter = Splitter(WEIGHTS)
    for number in range(1000):
        identity = str(number).encode()
        part = int(hashlib.blake2b(identity, digest_size=8, salt=b"split").hexdigest(), 16) / 2**64
        assert splitter.split(identity) == ("train" if part < 0.8 else "eval" if part < 0.9 else "test")


def test_order_is_independent_of_the_split() -> None:
    splitter = Splitter({"train": 1, "eval": 1})
    halves = {"train": 0, "eval": 0}
    for number in range(20_000):
        identity = str(number).encode()
        halves[splitter.split(identity)] += order_key(identity) < b"\x80"
    assert halves["train"] / 10_000 == pytest.approx(0.5, abs=0.02)
    assert halves["eval"] / 10_000 == pytest.approx(0.5, abs=0.02)


def test_shards_are_ranges_of_the_order() -> None:
    assert [shard_of(key, 4) for key in (bytes(8), b"\x40" + bytes(7), b"\xbf" + b"\xff" * 7, b"\xff" * 8)] == [
        0,
        1,
        2,
        3,
    ]
    assert shard_of(b"\xff" * 8, 1) == 0


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, {"train": 1, "eval": 1, "test": 1}),
        (40 << 20, {"train": 1, "eval": 1, "test": 1}),
        (41 << 20, {"train": 2, "eval": 1, "test": 1}),
        (640 << 20, {"train": 16, "eval": 2, "test": 2}),
    ],
)
def test_shards_hold_no_more_than_they_may(size: int, expected: dict[str, int]) -> None:
    sizes = SplitRule("hash", WEIGHTS).sizes([(None, CorpusFile("a.csv", size, 0))])
    assert shard_counts(sizes, 32 << 20) == expected


def test_sizes_of_splits_are_bounds() -> None:
    files = [CorpusFile("a.csv", 100, 0), CorpusFile("b.csv.gz", 100, 0), CorpusFile("c.parquet", 10, 0)]
    assert SplitRule("hash", {"train": 3, "eval": 1}).sizes([(None, file) for file in files]) == {
        "train": 323,
        "eval": 108,
    }
    # Nobody knows which documents a column puts where.
    assert SplitRule("column", WEIGHTS).sizes([(None, file) for file in files]) == dict.fromkeys(WEIGHTS, 430)
    given = zip(("train", "eval", "train"), files, strict=True)
    assert SplitRule("file", {"train": 1, "eval": 1}).sizes(given) == {"train": 130, "eval": 300}
