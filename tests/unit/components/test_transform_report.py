"""`dataset.json` against figures computed from the individual lengths."""

import statistics
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from components.sequence_transform.shard_report import ShardReport, dataset
from trainer.settings import PadSettings

LENGTHS = st.lists(st.integers(0, 60) | st.integers(0, 40_000), min_size=1, max_size=60)


def report(lengths: list[int]) -> ShardReport:
    total = sum(lengths)
    return ShardReport("train", len(lengths), 0, total, total, total // 3, Counter(lengths))


def waste(lengths: list[int], steps: int) -> float:
    return 1 - sum(lengths) / steps if steps else 0.0


@given(LENGTHS)
def test_lengths_and_padding_match_the_documents(lengths: list[int]) -> None:
    found = dataset(report(lengths), None)
    assert found["documents"] == len(lengths)
    assert found["tokens"] == sum(lengths)
    assert found["empty"] == lengths.count(0)
    assert found["length"]["longest"] == max(lengths)
    assert found["length"]["median"] == statistics.median_low(lengths)
    for place in found["length"]["histogram"]:
        inside = [length for length in lengths if place["from"] <= length <= place["to"]]
        assert place["documents"] == len(inside)
    assert sum(place["documents"] for place in found["length"]["histogram"]) == len(lengths)
    assert found["padding"]["to_longest"] == waste(lengths, len(lengths) * max(lengths))
    ordered, steps = sorted((length for length in lengths if length), reverse=True), 0
    while ordered:
        rows = max(16_384 // ordered[0], 1)
        steps += len(ordered[:rows]) * ordered[0]
        ordered = ordered[rows:]
    assert found["padding"]["by_length"] == waste(lengths, steps)
    assert found["padding"]["on_disk"] == 0


def test_padding_on_disk_and_coverage_count_every_document() -> None:
    assert dataset(report([2, 4, 0]), PadSettings(to=8))["padding"]["on_disk"] == 1 - 6 / 24
    # A split without words is covered.
    assert ShardReport("train").coverage == 1
    assert ShardReport("train", words=8, unknown=2).coverage == 0.75
