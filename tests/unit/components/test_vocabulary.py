"""The choice and order of the vocabulary, and its files."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sequence_transform import vocabulary
from components.sequence_transform.given_words import read_words
from components.sequence_transform.vocabulary import TokenCounts, check_coverage, select_words
from trainer.data import features
from trainer.errors import JobError
from trainer.settings import TransformSettings


def select(counts: dict[str, int], **values: object) -> list[tuple[str, int]]:
    return select_words(counts, TransformSettings.model_validate({"min_count": 1, **values}))


RESERVED = dict.fromkeys(features.RESERVED_WORDS, 9)
TIES = {"b": 2, "é": 2, "a": 2, "z": 5, "\U0001f600": 2, "\ufffd": 2}


@pytest.mark.parametrize(
    ("counts", "settings", "expected"),
    [
        (TIES, {}, [("z", 5), ("a", 2), ("b", 2), ("é", 2), ("\ufffd", 2), ("\U0001f600", 2)]),
        ({"a": 3, "b": 2, "c": 1, "d": 2}, {"min_count": 2}, [("a", 3), ("b", 2), ("d", 2)]),
        ({"a": 3, "b": 2, "c": 1, "d": 2}, {"max_size": 2}, [("a", 3), ("b", 2)]),
        ({**RESERVED, "a": 1}, {"max_size": 1}, [("a", 1)]),
        ({"a": 3, "<s>": 5, "b": 1}, {"reserved": ["<s>", "z"], "max_size": 1}, [("<s>", 5), ("z", 0), ("a", 3)]),
        ({"": 9, "a\nb": 8, "a\rb": 7, "\u2028": 2, " ": 1}, {}, [("\u2028", 2), (" ", 1)]),
    ],
)
def test_words_are_chosen_by_count_and_ordered_by_bytes(counts, settings, expected):
    assert select(counts, **settings) == expected


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 5), min_size=1),
    st.integers(1, 10),
    st.integers(1, 5),
)
def test_no_omitted_word_ranks_before_a_chosen_one(counts: dict[str, int], max_size: int, min_count: int) -> None:
    def rank(word: str) -> tuple[int, bytes]:
        return -counts[word], word.encode()

    lines = [word for word in counts if word and "\n" not in word and "\r" not in word]
    allowed = [word for word in lines if counts[word] >= min_count and word not in features.RESERVED_WORDS]
    if not allowed:
        with pytest.raises(JobError):
            select(counts, max_size=max_size, min_count=min_count)
        return
    chosen = select(counts, max_size=max_size, min_count=min_count)
    assert len(chosen) == min(max_size, len(allowed))
    words = [word for word, _ in chosen]
    assert words == sorted(words, key=rank)
    assert all(rank(words[-1]) < rank(word) for word in set(allowed) - set(words))


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({}, "0 distinct tokens, the most frequent one 0 times"),
        ({"a": 2, "b": 1}, "2 distinct tokens, the most frequent one 2 times"),
        ({"<pad>": 9}, "1 distinct tokens"),
    ],
)
def test_an_empty_vocabulary_is_an_error_with_a_fix(counts: dict[str, int], found: str) -> None:
    with pytest.raises(JobError, match="vocabulary would be empty") as caught:
        select(counts, min_count=3)
    parts = (found, "transform.min_count = 3", "lower transform.min_count")
    assert [part for part in parts if part not in str(caught.value)] == []


def test_counts_of_two_passes_add_up() -> None:
    total = TokenCounts(Counter(a=1, b=2), Counter(x=1), 1)
    total.add(TokenCounts(Counter(b=3), Counter(x=1, y=4), 5))
    assert total == TokenCounts(Counter(a=1, b=5), Counter(x=2, y=4), 6)


def given_file(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_given_vocabulary_keeps_its_order_and_all_its_words(tmp_path: Path) -> None:
    path = given_file(tmp_path / "words.txt", "\ufeffz\r\na\r\nnew\u00a0york\r\n")
    counts = {"a": 3, "b": 9}
    expected = [("<user>", 0), ("z", 0), ("a", 3), ("new\u00a0york", 0)]
    assert select(counts, vocabulary=path, reserved=["<user>"], max_size=1, min_count=5) == expected


def test_a_written_vocabulary_has_a_line_per_id_and_can_be_given(tmp_path: Path) -> None:
    words = [("the", 7), ("\u2028", 2), ("été", 2)]
    path = vocabulary.write_vocabulary(str(tmp_path), words)
    assert Path(path).read_bytes() == "<pad>\n<unk>\n<bos>\n<eos>\nthe\n\u2028\nété\n".encode()
    assert (tmp_path / "counts.txt").read_text() == "0\n0\n0\n0\n7\n2\n2\n"
    assert select(dict(words), vocabulary=path) == words


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("a\nb\na\n", ["words.txt, line 3", "'a', which is already in line 1"]),
        ("a\n<unk>\n", ["words.txt, line 2", "'<unk>', which every vocabulary has"]),
        ("<pad>\n<unk>\n<bos>\n<eos>\na\na\n", ["line 6", "already in line 5"]),
        ("a\n<user>\n", ["line 2", "which transform.reserved already lists"]),
        ("a\n\nb\n", ["line 2", "''"]),
        ("", ["line 1", "''"]),
        ("1000 great\n999 fun\n", ["line 1", "'1000 great', but no token has white space", "only the word of each"]),
        ("a\ngreat\t1000\n", ["line 2", "'great\\t1000', but no token has white space", "only the word of each"]),
        ("a\n new york\n", ["line 2", "' new york', but no token", "Remove the line"]),
        ("A\nB\n", ["No word of the vocabulary is in the train split", "'A', 'B'", "are 'a'", "Lower-case the words"]),
        ("b\nc\n", ["No word of the vocabulary", "'b', 'c'", "Correct the words"]),
        (b"a\n\xff\n", ["cannot be read", "transform.vocabulary", "UTF-8"]),
        (None, ["cannot be read", "words.txt"]),
    ],
)
def test_an_invalid_given_vocabulary_is_an_error(tmp_path: Path, content: str | bytes | None, parts: list[str]) -> None:
    path = str(tmp_path / "words.txt") if content is None else given_file(tmp_path / "words.txt", content)
    with pytest.raises(JobError) as caught:
        select({"a": 1}, vocabulary=path, reserved=["<user>"])
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("tokenizer", "content", "found"),
    [
        ("whitespace", "a\nnew york\n", "'new york', but no token has white space"),
        ("characters", "a\nab\n", "'ab', but every token of tokenizer characters is one character"),
        ("characters", "a\n \n\\n\n\u65e5\n", None),
        ("words", "a\nit's\n", None),
    ],
)
def test_a_word_that_no_token_can_equal_is_refused(tokenizer: Any, content: str, found: str | None) -> None:
    settings = TransformSettings(tokenizer=tokenizer)
    if found is None:
        assert read_words(content.encode(), "w.txt", settings, tokenized=False) == content.splitlines()
        return
    with pytest.raises(JobError) as caught:
        read_words(content.encode(), "w.txt", settings, tokenized=False)
    assert (caught.value.where, caught.value.found) == ("w.txt, line 2", found)
    # Tokens that are given with the corpus may hold anything.
    assert read_words(content.encode(), "w.txt", settings, tokenized=True) == content.splitlines()


@pytest.mark.parametrize(
    ("min_count", "tokenized", "expected"), [(None, True, "ab"), (None, False, "a"), (2, True, "a")]
)
def test_rare_tokens_with_tags_are_known_by_default(min_count: int | None, tokenized: bool, expected: str) -> None:
    found = select_words({"a": 2, "b": 1}, TransformSettings(min_count=min_count), tokenized=tokenized)
    assert [word for word, _ in found] == list(expected)


def test_an_empty_train_split_needs_no_known_word(tmp_path: Path) -> None:
    assert select({}, vocabulary=given_file(tmp_path / "words.txt", "a\n")) == [("a", 0)]


def test_all_pieces_of_a_subword_model_are_kept() -> None:
    settings = TransformSettings(tokenizer="subwords", max_size=1, min_count=9, reserved=("<user>",))
    pieces = ["\u2581the", "<0x0A>", "<0x0B>", "<user>", "film"]
    chosen = select_words({"film": 4, "\u2581the": 4, "<user>": 1}, settings, pieces)
    assert chosen == [("<user>", 1), ("film", 4), ("\u2581the", 4), ("<0x0A>", 0), ("<0x0B>", 0)]


def test_insufficient_coverage_is_an_error_with_the_unknown_words() -> None:
    settings = TransformSettings(min_coverage=0.9)
    counts = {"the": 80, "film": 9, "xx": 6, "yy": 5}
    missing = vocabulary.unknown_counts(counts, [("the", 80), ("film", 9)])
    assert missing == {"xx": 6, "yy": 5}
    with pytest.raises(JobError, match="tokens of the eval split are unknown") as caught:
        check_coverage("eval", 89, 100, missing, settings)
    for known, tokens, least in ((90, 100, 0.9), (0, 0, 1.0), (0, 9, None), (5, 5, 1.0)):
        check_coverage("train", known, tokens, {}, TransformSettings(min_coverage=least))
    for part in ("0.8900 of 100 tokens", "'xx' (6), 'yy' (5)", "transform.min_coverage = 0.9", "max_size"):
        assert part in str(caught.value)


def test_classes_are_written_in_order_and_must_be_lines(tmp_path: Path) -> None:
    path = f"{tmp_path}/tags.txt"
    assert Path(vocabulary.write_classes(path, ["O", "été"])).read_bytes() == "O\nété\n".encode()
    with pytest.raises(JobError, match=r"tags\.txt[\s\S]*''") as caught:
        vocabulary.write_classes(path, ["O", ""])
    assert "A class name is empty or has a line break" in str(caught.value)
