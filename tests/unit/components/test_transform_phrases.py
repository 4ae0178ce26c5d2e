"""Counts of pairs against Counter, and the phrases of shards against gensim."""

import pickle
from collections import Counter

import numpy as np
import pytest

from components.sequence_transform.phrase_counts import PairCounts, choose
from trainer.settings import TransformSettings
from trainer.text.phrases import Phrase


def batch(counts: Counter[tuple[bytes, bytes]]) -> tuple[list[bytes], np.ndarray, np.ndarray, np.ndarray]:
    """Pairs in the form of a batch; each word occurs once more than the pairs that it begins."""
    words = sorted({word for pair in counts for word in pair}, reverse=True)
    word_counts = Counter(words)
    for (first, _), count in counts.items():
        word_counts[first] += count
    place = {word: number for number, word in enumerate(words)}
    keys = np.array([place[a] << 32 | place[b] for a, b in counts], np.int64)
    return words, np.array([word_counts[word] for word in words]), keys, np.array(list(counts.values()))


def read(counts: PairCounts) -> tuple[dict[bytes, int], dict[tuple[bytes, bytes], int]]:
    names = list(counts.ids)
    words, pairs, pair_counts = counts.arrays()
    assert (np.diff(pairs) > 0).all()
    found = zip(pairs.tolist(), pair_counts.tolist(), strict=True)
    return (
        dict(zip(names, words.tolist(), strict=True)),
        {(names[pair >> 32], names[pair & 0xFFFFFFFF]): count for pair, count in found},
    )


def drawn(seed: int, words: int, pairs: int) -> Counter[tuple[bytes, bytes]]:
    draw = np.random.default_rng(seed).integers(0, words, (pairs, 2)).tolist()
    return Counter((b"%d" % first, b"%d" % second) for first, second in draw)


def test_sums_of_many_batches_are_exact_in_any_grouping() -> None:
    batches = [drawn(seed, 40 * (seed + 1), 40_000) for seed in range(12)]
    expected_pairs, expected_words = Counter[tuple[bytes, bytes]](), Counter[bytes]()
    for counts in batches:
        expected_pairs.update(counts)
        words, word_counts, _, _ = batch(counts)
        expected_words.update(dict(zip(words, word_counts.tolist(), strict=True)))
    one, left, right = PairCounts(), PairCounts(), PairCounts()
    for number, counts in enumerate(batches):
        one.add_batch(*batch(counts))
        (left if number % 3 else right).add_batch(*batch(counts))
    assert read(one) == (expected_words, expected_pairs)
    left.add(pickle.loads(pickle.dumps(right)))
    assert read(left) == (expected_words, expected_pairs)
    limits = TransformSettings(phrases={"min_count": 1, "threshold": 0.1})
    assert choose(one, limits) == choose(left, limits) != []


def test_no_counts_give_no_phrases() -> None:
    empty = PairCounts()
    empty.add(PairCounts())
    empty.add_batch([], *(np.zeros(0, np.int64) for _ in range(3)))
    assert read(empty) == ({}, {})
    assert choose(empty, TransformSettings(phrases={})) == []


def test_phrases_and_scores_match_those_computed_by_hand() -> None:
    counts = PairCounts()
    pairs = Counter({(b"new", b"york"): 7, (b"a", b"b"): 7, (b"b", b"a"): 8, (b"x", b"y"): 5, (b"<unk>", b"x"): 99})
    counts.add_batch(*batch(pairs))  # new 8, a 8, b 9, x 6, york and y 1; 6 words and 4 pairs: 10.
    limits = {"phrases": {"min_count": 5, "threshold": 0.2}}
    assert choose(counts, TransformSettings.model_validate(limits)) == [
        Phrase("b", "a", 8, pytest.approx(3 / 72 * 10)),
        Phrase("a", "b", 7, pytest.approx(2 / 72 * 10)),
        Phrase("new", "york", 7, pytest.approx(2 / 8 * 10)),
    ]
    limits["phrases"]["threshold"] = 3 / 72 * 10
    assert [phrase.first for phrase in choose(counts, TransformSettings.model_validate(limits))] == ["new"]
