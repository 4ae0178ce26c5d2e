"""Counts of pairs against Counter, and the phrases of shards against gensim."""

import itertools
import pickle
import random
import re
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from gensim.models.phrases import Phrases as GensimPhrases

from components.sequence_transform.phrase_counts import PairCounts, choose, count_shard_pairs
from components.sequence_transform.shard_work import count_shard
from trainer.settings import TransformSettings
from trainer.text.phrases import Phrase, write


def batch(counts: Counter[tuple[bytes, bytes]]) -> tuple[list[bytes], np.ndarray, np.ndarray, np.ndarray]:
    """Pairs as a batch has them; a word is as frequent as the pairs that it begins, and one more."""
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


def test_sums_of_many_batches_are_exact_however_they_are_added() -> None:
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


def test_nothing_counted_gives_no_phrases() -> None:
    empty = PairCounts()
    empty.add(PairCounts())
    empty.add_batch([], *(np.zeros(0, np.int64) for _ in range(3)))
    assert read(empty) == ({}, {})
    assert choose(empty, TransformSettings(phrases={})) == []


def test_scores_are_worked_out_by_hand_and_sorted() -> None:
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


def rare(draw: random.Random) -> str:
    """A word, most of which are rare, as in texts."""
    return f"w{int(draw.paretovariate(0.8)) % 90}"


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[list[str]]]:
    """Two shards of reviews, and their segments."""
    draw = random.Random(5)
    names = ["New York", "New York City", "Orson Welles", "San Francisco", "new", "city", "of", "special effects!"]
    folder, segments, paths = tmp_path_factory.mktemp("shards"), [], []
    for shard in range(2):
        paths.append(str(folder / f"data_tfrecord-{shard}.gz"))
        with tf.io.TFRecordWriter(paths[-1], "GZIP") as writer:
            for _ in range(1_100):
                lines = [f"{rare(draw)} {draw.choice(names)} {rare(draw)}" for _ in range(draw.randrange(3))]
                segments += lines
                example = tf.train.SequenceExample()
                for line in lines:
                    example.feature_lists.feature_list["text"].feature.add().bytes_list.value.append(line.encode())
                writer.write(example.SerializeToString())
    return paths, [re.findall(r"\w+|[.!?]", line.lower()) for line in segments]


def test_phrases_of_shards_are_those_of_gensim_in_two_passes(shards, tmp_path):
    paths, sentences = shards
    configured = TransformSettings(phrases={"threshold": 0.5}, truncate={"to": 3})
    found: list[list[Phrase]] = []
    for number in range(2):
        model = GensimPhrases(sentences, min_count=5, threshold=0.5)
        expected = {pair for sentence in sentences for pair in itertools.pairwise(sentence)}
        scores = {pair: model.score_candidate(*pair, [])[1] for pair in expected}
        counts = PairCounts()
        for path in paths:
            counts.add(count_shard_pairs(path, configured, str(tmp_path / f"{number}.txt") if found else None))
        chosen = choose(counts, configured)
        assert {(p.first, p.second): p.score for p in chosen} == {p: s for p, s in scores.items() if s is not None}
        assert all(phrase.occurrences == model.vocab[f"{phrase.first}_{phrase.second}"] for phrase in chosen)
        found.append(chosen)
        write(str(tmp_path / f"{number + 1}.txt"), found)
        sentences = [model[sentence] for sentence in sentences]
    assert {"new_york", "orson_welles", "special_effects"} <= {f"{p.first}_{p.second}" for p in found[0]}
    assert "new_york_city" in {f"{p.first}_{p.second}" for p in found[1]}
    whole = TransformSettings(phrases=configured.phrases)
    words = sum((count_shard(path, whole, "text", None, str(tmp_path / "2.txt")).tokens for path in paths), Counter())
    assert words == Counter(token for sentence in sentences for token in sentence)
