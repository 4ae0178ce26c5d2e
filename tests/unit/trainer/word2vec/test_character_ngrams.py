"""Character n-grams against fastText's own and gensim's."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from gensim.models.fasttext import ft_ngram_hashes
from hypothesis import given
from hypothesis import strategies as st

from trainer.word2vec.character_ngrams import lookup, ngram_ids
from trainer.word2vec.settings import CharacterNgramSettings

DEFAULT = CharacterNgramSettings()
LENGTHS = [(3, 6), (1, 3), (1, 1), (2, 2), (5, 9)]
WORDS = ["where", "a", "is", "café", "naïve", "日本語", "Ωmega", "😀", "a😀b", "don't", "x" * 40, "<>", "e\u0301"]
CHARACTERS = st.characters(exclude_categories=["Cs"])


def graph_ids(words: list[str], settings: CharacterNgramSettings) -> list[list[int]]:
    ids: list[list[int]] = lookup(tf.constant(words, tf.string), settings).to_list()
    return ids


@pytest.mark.parametrize(("shortest", "longest"), LENGTHS)
def test_ids_are_fasttexts(tmp_path: Path, shortest: int, longest: int) -> None:
    fasttext = pytest.importorskip("fasttext")
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(" ".join(WORDS) * 5, encoding="utf-8")
    model = fasttext.train_unsupervised(
        str(corpus), minn=shortest, maxn=longest, bucket=1_000, dim=2, epoch=1, minCount=1, thread=1, verbose=0
    )
    words = len(model.words)
    settings = CharacterNgramSettings(min=shortest, max=longest, buckets=1_000)
    for word in [*WORDS, "unseen", "невиданное"]:
        _, ids = model.get_subwords(word)
        assert ngram_ids(word, settings) == [int(number) - words for number in ids if number >= words]


@pytest.mark.parametrize(("shortest", "longest"), LENGTHS)
@pytest.mark.parametrize("word", ["", *WORDS, "\ufeff", "a\0b", "\U0010ffff"])
def test_ids_are_gensims(word: str, shortest: int, longest: int) -> None:
    settings = CharacterNgramSettings(min=shortest, max=longest)
    assert ngram_ids(word, settings) == ft_ngram_hashes(word, shortest, longest, settings.buckets)


@given(
    words=st.lists(st.text(CHARACTERS, max_size=12) | st.text("ab<>é日😀\0", max_size=30), max_size=6),
    lengths=st.tuples(st.integers(1, 7), st.integers(0, 5)),
    buckets=st.sampled_from([1, 7, 200_000, 2**31]),
)
def test_the_graph_gives_the_same_ids(words: list[str], lengths: tuple[int, int], buckets: int) -> None:
    shortest, more = lengths
    settings = CharacterNgramSettings(min=shortest, max=shortest + more, buckets=buckets)
    assert graph_ids(words, settings) == [ngram_ids(word, settings) for word in words]


def test_invalid_bytes_count_as_the_replacement_character() -> None:
    found = lookup(tf.constant([b"a\xffb", "a\ufffdb".encode()]), DEFAULT).to_list()
    assert found[0] == found[1] == ngram_ids("a\ufffdb", DEFAULT)
