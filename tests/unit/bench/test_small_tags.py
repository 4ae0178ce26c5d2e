"""The benchmark of small tagged corpora: its draws, its peer and its table."""

import random
from pathlib import Path

import pytest

from bench.small_data import small_tags
from bench.small_data.small_tags import JudgedTags


def test_sentences_are_read_with_the_first_and_the_last_column(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("Lea NNP B-PER\nran VBD O\n\n\nHi UH O\n", encoding="utf-8")
    assert small_tags.read(tmp_path / "a.conll") == [(["Lea", "ran"], ["B-PER", "O"]), (["Hi"], ["O"])]


def test_a_draw_and_its_remainder_are_all_sentences_and_follow_the_seed() -> None:
    sentences = [([f"w{number}"], ["O"]) for number in range(20)]
    drawn, unseen = small_tags.draw(sentences, 8, 1)
    assert len(drawn) == 8
    assert sorted([*drawn, *unseen]) == sorted(sentences)
    assert small_tags.draw(sentences, 8, 1) == (drawn, unseen)
    assert small_tags.draw(sentences, 8, 2) != (drawn, unseen)


def test_features_of_a_token() -> None:
    found = small_tags.seen(["In", "Bad2Ems", "."], 1)
    assert found["shape"] == "Aa0Aa"
    assert (found["first 2"], found["last 3"], found["title"]) == ("Ba", "Ems", True)
    assert [found[f"word {step}"] for step in ("-2", "-1", "+1", "+2")] == ["<s>", "in", ".", "</s>"]


def test_the_linear_crf_knows_unseen_words_by_their_ends() -> None:
    pytest.importorskip("sklearn_crfsuite")
    draw = random.Random(1)

    def sentence() -> tuple[list[str], list[str]]:
        stems = ["".join(draw.choices("abcdefgh", k=5)) for _ in range(4)]
        tags = draw.choices(["O", "B-LOC"], k=4)
        return [stem + ("burg" if tag == "B-LOC" else "ed") for stem, tag in zip(stems, tags, strict=True)], tags

    train, held, unseen = ([sentence() for _ in range(count)] for count in (40, 10, 10))
    answers = small_tags.linear_crf(train, held)(unseen)
    assert small_tags.judge(answers, unseen, 0.0) == (1.0, 1.0, 0.0)


def test_a_row_has_the_means_and_the_error_of_the_difference() -> None:
    pairs = [(JudgedTags(0.5, 0.9, 10), JudgedTags(0.6, 0.9, 1)), (JudgedTags(0.7, 0.9, 20), JudgedTags(0.6, 0.8, 2))]
    assert small_tags.row(1_000, pairs) == [
        *("1,000", "0.6000", "0.6000", "0.9000", "0.8500", "15.0", "1.5"),
        *("+0.0000 ± 0.1000", "+0.0500 ± 0.0500"),
    ]
