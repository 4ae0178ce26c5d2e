import hashlib

import pytest

from components.corpus_example_gen.splits import Splitter, order_key, shard_of

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
