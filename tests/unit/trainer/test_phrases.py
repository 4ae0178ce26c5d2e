"""Joined phrases against joining word by word in Python; counts against a Counter."""

import itertools
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainer.settings import PhraseSettings
from trainer.text.phrases import Phrase, Phrases, count_pairs, write

WORDS = st.sampled_from(["a", "b", "c", "new", "york", "日本", "_", "word" * 9])
SENTENCES = st.lists(st.lists(WORDS, max_size=12), max_size=5)
MANY_SENTENCES = st.lists(st.lists(WORDS, max_size=12), max_size=15)
PAIRS = st.sets(st.tuples(WORDS, WORDS), min_size=1, max_size=20)


def ragged(sentences: list[list[str]]) -> tf.RaggedTensor:
    words = [word for sentence in sentences for word in sentence]
    lengths = tf.constant([len(sentence) for sentence in sentences], tf.int64, shape=[len(sentences)])
    return tf.RaggedTensor.from_row_lengths(tf.constant(words, tf.string, shape=[len(words)]), lengths)


def text(tokens: tf.RaggedTensor) -> list[list[str]]:
    return [[token.decode() for token in row] for row in tokens.to_list()]


def phrases(path: Path, *passes: set[tuple[str, str]], **options: object) -> Phrases:
    write(str(path), [[Phrase(first, second, 9, 12.5) for first, second in sorted(pairs)] for pairs in passes])
    return Phrases(str(path), PhraseSettings.model_validate(options))


def join(sentence: list[str], pairs: set[tuple[str, str]]) -> list[str]:
    """Joins phrases from the left, each word once."""
    joined, rest = [], list(sentence)
    while rest:
        size = 2 if tuple(rest[:2]) in pairs else 1
        joined.append("-".join(rest[:size]))
        rest = rest[size:]
    return joined


@settings(max_examples=200)
@given(MANY_SENTENCES, PAIRS, st.none() | PAIRS)
@example([["a"] * 7, ["a"], [], ["a", "a"]], {("a", "a")}, None)
@example([["a", "b", "c", "a", "b"], ["c", "a"]], {("a", "b"), ("b", "c"), ("c", "a")}, None)
@example([], {("a", "b")}, None)
@example([[], []], {("a", "b")}, None)
def test_each_pass_joins_pairs_from_the_left_without_overlap(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[str]], first: set, second: set | None
) -> None:
    of_joined = {("-".join(pair), word) for pair in first for word in ("a", "york")}
    passes = [first] if second is None else [first, second | of_joined]
    joined = phrases(tmp_path_factory.mktemp("phrases") / "phrases.txt", *passes, delimiter="-")(ragged(sentences))
    expected = sentences
    for pairs in passes:
        expected = [join(sentence, pairs) for sentence in expected]
    assert text(joined) == expected
    assert joined.row_splits.dtype == tf.int64


def test_many_phrases_are_all_found(tmp_path: Path) -> None:
    pairs = {(f"first{number}", f"second{number}") for number in range(9_000)}
    sentences = [[*pair, "x", *reversed(pair)] for pair in sorted(pairs)]
    assert text(phrases(tmp_path / "phrases.txt", pairs)(ragged(sentences))) == [
        [f"{a}_{b}", "x", b, a] for a, b in sorted(pairs)
    ]


def test_the_file_has_pass_words_count_and_score(tmp_path: Path) -> None:
    path = tmp_path / "phrases.txt"
    first = [Phrase("new", "york", 12, 40.25), Phrase("é", "\u00a0", 7, 1e9 / 3)]
    write(str(path), [first, [Phrase("a_b", "c", 6, 11)]])
    expected = "1 new york\t12\t40.25\n1 é \u00a0\t7\t3.33333e+08\n2 a_b c\t6\t11\n"
    assert path.read_bytes().decode() == expected
    write(str(path), [])
    assert path.read_bytes() == b""


def test_a_file_that_grew_is_reread(tmp_path: Path) -> None:
    """As between two passes: a table that still exists must not be mistaken for the new one."""
    one = phrases(tmp_path / "phrases.txt", {("a", "b")})
    two = phrases(tmp_path / "phrases.txt", {("b", "c")}, {("a", "b_c")})
    assert text(one(ragged([["a", "b", "c"]]))) == [["a_b", "c"]]
    assert text(two(ragged([["a", "b", "c"]]))) == [["a_b_c"]]


def test_a_saved_model_joins_without_the_file(tmp_path: Path) -> None:
    class Servable(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.phrases = phrases(tmp_path / "phrases.txt", {("new", "york")}, {("new_york", "city")})

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve(self, sentences: tf.Tensor) -> tf.RaggedTensor:
            return self.phrases(tf.strings.split(sentences))

    tf.saved_model.save(Servable(), str(tmp_path / "model"))
    (tmp_path / "phrases.txt").unlink()
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    found = text(loaded.serve(tf.constant(["in new york city", "", "new york"])))
    assert found == [["in", "new_york_city"], [], ["new_york"]]


@given(SENTENCES)
@example([])
@example([["a"], ["b"]])
def test_counts_match_a_counter(sentences: list[list[str]]) -> None:
    words, counts, pairs, pair_counts = (part.numpy().tolist() for part in count_pairs(ragged(sentences)))
    names = [word.decode() for word in words]
    assert dict(zip(names, counts, strict=True)) == Counter(word for sentence in sentences for word in sentence)
    found = {(names[pair >> 32], names[pair & 0xFFFFFFFF]): n for pair, n in zip(pairs, pair_counts, strict=True)}
    assert found == Counter(pair for sentence in sentences for pair in itertools.pairwise(sentence))
    assert len(found) == len(pairs)
