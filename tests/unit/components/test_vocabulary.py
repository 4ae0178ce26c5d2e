"""Which words make the vocabulary, in which order, and what is written of them."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sequence_transform.vocabulary import TokenCounts, select_words, write_labels, write_vocabulary
from trainer import features
from trainer.errors import JobError
from trainer.settings import TransformSettings


def select(counts: dict[str, int], **values: int) -> list[tuple[str, int]]:
    return select_words(counts, TransformSettings.model_validate({"min_count": 1, **values}))


def test_words_fall_by_count_and_ties_by_bytes() -> None:
    counts = {"b": 2, "é": 2, "a": 2, "z": 5, "\U0001f600": 2, "\ufffd": 2}
    assert select(counts) == [("z", 5), ("a", 2), ("b", 2), ("é", 2), ("\ufffd", 2), ("\U0001f600", 2)]


def test_rare_words_and_words_beyond_the_size_are_left_out() -> None:
    counts = {"a": 3, "b": 2, "c": 1, "d": 2}
    assert select(counts, min_count=2) == [("a", 3), ("b", 2), ("d", 2)]
    assert select(counts, max_size=2) == [("a", 3), ("b", 2)]


def test_reserved_words_are_dropped_and_take_no_place() -> None:
    counts = {**dict.fromkeys(features.RESERVED_WORDS, 9), "a": 1}
    assert select(counts, max_size=1) == [("a", 1)]


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 5), min_size=1),
    st.integers(1, 10),
    st.integers(1, 5),
)
def test_no_word_left_out_comes_before_one_chosen(counts: dict[str, int], max_size: int, min_count: int) -> None:
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
        ({}, "0 distinct tokens, the most frequent seen 0 times"),
        ({"a": 2, "b": 1}, "2 distinct tokens, the most frequent seen 2 times"),
        ({"<pad>": 9}, "1 distinct tokens"),
    ],
)
def test_an_empty_vocabulary_is_an_error_that_says_what_to_do(counts: dict[str, int], found: str) -> None:
    with pytest.raises(JobError, match="vocabulary would be empty") as caught:
        select(counts, min_count=3)
    assert found in str(caught.value)
    assert "transform.min_count = 3" in str(caught.value)
    assert "lower transform.min_count" in str(caught.value)


def test_files_have_a_line_an_id(tmp_path: Path) -> None:
    path = write_vocabulary(str(tmp_path), [("the", 7), ("été", 2)])
    assert Path(path).read_bytes() == "<pad>\n<unk>\n<bos>\n<eos>\nthe\nété\n".encode()
    assert (tmp_path / "counts.txt").read_text() == "0\n0\n0\n0\n7\n2\n"
    assert Path(write_labels(str(tmp_path), ["neg", "été"])).read_bytes() == "neg\nété\n".encode()


def test_counts_of_two_passes_add_up() -> None:
    total = TokenCounts(Counter(a=1, b=2), Counter(x=1), 1)
    total.add(TokenCounts(Counter(b=3), Counter(x=1, y=4), 5))
    assert total == TokenCounts(Counter(a=1, b=5), Counter(x=2, y=4), 6)
