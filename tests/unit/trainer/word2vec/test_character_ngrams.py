"""Character n-grams against gensim's, which are those of fastText."""

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


@pytest.mark.parametrize(("shortest", "longest"), LENGTHS)
@pytest.mark.parametrize("word", ["", *WORDS, "невиданное", "\ufeff", "a\0b", "\U0010ffff"])
def test_ids_match_gensim(word: str, shortest: int, longest: int) -> None:
    settings = CharacterNgramSettings(min=shortest, max=longest)
    assert ngram_ids(word, settings) == ft_ngram_hashes(word, shortest, longest, settings.buckets)


@given(
    words=st.lists(st.text(CHARACTERS, max_size=12) | st.text("ab<>é日😀\0", max_size=30), max_size=6),
    lengths=st.tuples(st.integers(1, 7), st.integers(0, 5)),
    buckets=st.sampled_from([1, 7, 200_000, 100_000_000]),
)
def test_the_graph_gives_the_same_ids(words: list[str], lengths: tuple[int, int], buckets: int) -> None:
    shortest, more = lengths
    settings = CharacterNgramSettings(min=shortest, max=shortest + more, buckets=buckets)
    assert lookup(tf.constant(words, tf.string), settings).to_list() == [ngram_ids(word, settings) for word in words]


def test_invalid_bytes_count_as_the_replacement_character() -> None:
    found = lookup(tf.constant([b"a\xffb", "a\ufffdb".encode()]), DEFAULT).to_list()
    assert found[0] == found[1] == ngram_ids("a\ufffdb", DEFAULT)
