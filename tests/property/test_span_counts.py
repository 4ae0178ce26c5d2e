"""The counts of a rolling window from those of its spans, against counts of all its documents."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from pathlib import Path

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.sequence_transform import span_counts
from components.sequence_transform.shard_work import count_shard_spans
from components.sequence_transform.vocabulary import TokenCounts
from components.shared.span_records import SpanRecords, read_digests, read_spans
from trainer.data import kinds
from trainer.settings import TransformSettings

SETTINGS = TransformSettings(tokenizer="whitespace", lowercase=False)
KIND = kinds.LABELLED_TEXT

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "dd", "é"]), min_size=1, max_size=4).map(" ".join)
SPANS = st.lists(st.lists(st.tuples(TEXTS, st.sampled_from("xy")), max_size=6), min_size=1, max_size=5)


def write(folder: Path, spans: list[list[tuple[str, str]]], shards: int, order: list[int]) -> list[str]:
    """Writes the documents of spans, mixed, to shards with the spans of their records."""
    documents = [(span, text, label) for span, given_ in enumerate(spans) for text, label in given_]
    mixed = sorted(documents, key=lambda document: (order[len(document[1]) % len(order)], document[1:]))
    paths = []
    for shard in range(shards):
        path = folder / "Split-train" / f"data_tfrecord-{shard:05d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        records = SpanRecords(len(spans))
        with tf.io.TFRecordWriter(str(path)) as writer:
            for span, text, label in mixed[shard::shards]:
                record = encode(Document((text,), label, "s", text, 1))
                writer.write(record)
                records.add(span, record)
        records.write(str(path))
        paths.append(str(path))
    return paths


def analyse(folder: Path, shards: list[str], counts: Path) -> tuple[TokenCounts, tuple[int, ...]]:
    kept = span_counts.open_counts(str(counts), shards, SETTINGS, KIND, "1")
    assert kept is not None
    missing = kept.missing
    found: dict[int, TokenCounts] = {}
    for shard in shards if missing else ():
        for span, each in count_shard_spans(shard, missing, SETTINGS, KIND).items():
            found.setdefault(span, TokenCounts()).add(each)
    return kept.total(found), missing


def expected(spans: list[list[tuple[str, str]]]) -> TokenCounts:
    documents = [document for span in spans for document in span]
    tokens = Counter(word for text, _ in documents for word in text.split(" "))
    return TokenCounts(tokens, Counter(label for _, label in documents), len(documents))


@settings(max_examples=10, deadline=None)
@given(SPANS, SPANS, st.integers(1, 3), st.integers(1, 3), st.permutations(range(5)))
def test_a_window_has_the_counts_of_all_its_documents_and_known_spans_are_not_counted(
    first: list[list[tuple[str, str]]],
    new: list[list[tuple[str, str]]],
    shards: int,
    more_shards: int,
    order: list[int],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        before = write(place / "1", first, shards, order)
        found, missing = analyse(place, before, place / "counts")
        assert found == expected(first)
        assert missing == tuple(range(len(first)))
        window = [*first[1:], *new]
        after = write(place / "2", window, more_shards, order[::-1])
        found, missing = analyse(place, after, place / "counts")
        assert found == expected(window)
        known = [sorted(span) for span in first]
        assert missing == tuple(number for number, span in enumerate(window) if sorted(span) not in known)
        assert sorted(number for path in after for number in read_spans(path).tolist()) == sorted(
            number for number, span in enumerate(window) for _ in span
        )
        digests = read_digests(after)
        assert digests is not None
        assert [a == b for a, b in itertools.pairwise(digests)] == [
            sorted(a) == sorted(b) for a, b in itertools.pairwise(window)
        ]
