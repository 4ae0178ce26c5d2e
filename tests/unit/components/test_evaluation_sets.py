"""What word vectors are judged by: files, coverage and records."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gensim
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.evaluation_sets.question_records import encode_documents, encode_questions
from components.evaluation_sets.set_files import Question, Reader, read_analogies, read_pairs
from components.evaluation_sets.sets import QuestionSet, SetCoverage, coverage, read_sets
from components.evaluation_sets.settings import EvaluationSettings
from trainer.errors import JobError
from trainer.settings import TransformSettings
from trainer.vectors.lookup import WordLookup

FILES = Path(gensim.__file__).parent / "test" / "test_data"


def pairs(text: str) -> list[tuple[tuple[str, ...], float]]:
    return [(question.words, question.score) for question in read_pairs(text.encode(), "x.tsv")]


@pytest.mark.parametrize("separator", ["\t", ",", ", ", " ", "   "])
def test_pairs_stand_apart_by_a_tab_a_comma_or_spaces(separator: str) -> None:
    lines = [("love", "sex", "6.77"), ("Zürich", "Genève", "-1e1"), ("a", "b", "7", "N", "8")]
    text = "".join(separator.join(line) + "\n" for line in lines)
    assert pairs(text) == [(("love", "sex"), 6.77), (("Zürich", "Genève"), -10.0), (("a", "b"), 7.0)]


def test_words_of_a_pair_may_hold_spaces_and_commas_between_tabs() -> None:
    assert pairs("New York\t1,000\t2\n") == [(("New York", "1,000"), 2.0)]


@pytest.mark.parametrize("header", ["", "Word 1,Word 2,Human (mean)\n", "word1\tword2\tscore\n"])
def test_a_header_comments_blank_lines_and_marks_are_no_pairs(header: str) -> None:
    text = f"\ufeff# a comment\r\n\r\n{header}// another\na\tb\t1\r\n#c\td\t2\n  \n"
    assert pairs(text) == [(("a", "b"), 1.0)]


def test_a_question_names_its_line() -> None:
    assert [question.line for question in read_pairs(b"# x\na b 1\n\nc d 2", "x")] == [2, 4]


BAD_PAIRS = [
    ("a b 1\nc d\n", "x.tsv:2", "'c d'", "line 2"),
    ("a b 1\nc d x\n", "x.tsv:2", "'c d x'", "line 2"),
    ("a b 6.7o\nc d 1\n", "x.tsv:1", "'a b 6.7o'", "line 1"),
    ("a b\nc d 1\n", "x.tsv:1", "'a b'", "line 1"),
    ("a,b,1\n,b,1\n", "x.tsv:2", "',b,1'", "line 2"),
    ("a\tb\t1\na\t\t1\n", "x.tsv:2", "'a\\t\\t1'", "line 2"),
    ("a b 1\na b nan\n", "x.tsv:2", "'a b nan'", "line 2"),
    ("a b 1\na b inf\n", "x.tsv:2", "'a b inf'", "line 2"),
    ("# x\na b score\nd e f\n\ng h i\n", "x.tsv:3", "'d e f'", "lines 3, 5"),
]


@pytest.mark.parametrize(("text", "place", "found", "lines"), BAD_PAIRS)
def test_a_line_that_is_no_pair_is_told_with_its_place(text: str, place: str, found: str, lines: str) -> None:
    with pytest.raises(JobError, match="of a file of pairs of words cannot be read") as caught:
        pairs(text)
    error = caught.value
    assert (error.where, error.found, error.fix) == (place, found, f"mend or remove {lines}")
    assert "two words and a number" in str(error.expected)


def test_many_bad_lines_are_told_by_the_first_ten() -> None:
    with pytest.raises(JobError, match="12 lines of a file of pairs") as caught:
        pairs("a b 1\n" + "x\n" * 12)
    assert caught.value.fix == "mend or remove lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and more"


@pytest.mark.parametrize("read", [read_pairs, read_analogies])
def test_a_file_without_questions_or_of_another_encoding_is_an_error(read: Reader) -> None:
    for content in (b"", b"# nothing\n", b"\n\n"):
        with pytest.raises(JobError, match="The file holds no"):
            read(content, "x")
    with pytest.raises(JobError, match="not UTF-8") as caught:
        read(b": s\na b c d\n caf\xe9 b c d\n", "x")
    assert (caught.value.where, caught.value.found) == ("x:3", "the byte 0xe9")


def test_analogies_stand_below_their_sections() -> None:
    text = "// 2013\n: capitals\nAthens Greece  Oslo\tNorway\n\n:family\nking queen man woman\n"
    assert read_analogies(text.encode(), "x") == [
        Question(3, ("Athens", "Greece", "Oslo", "Norway"), "capitals"),
        Question(6, ("king", "queen", "man", "woman"), "family"),
    ]


@pytest.mark.parametrize("line", ["a b c", "a b c d e", "a b c d\n: s"])
def test_a_line_that_is_no_analogy_is_told_with_its_place(line: str) -> None:
    text = f"{line}\nw x y z\n" if "\n" in line else f": s\n{line}\nw x y z\n"
    with pytest.raises(JobError, match=r"where: x:[12]\n  found: 'a b c") as caught:
        read_analogies(text.encode(), "x")
    assert "four words, below a line" in str(caught.value)


@pytest.mark.parametrize("read", [read_pairs, read_analogies])
@given(st.text(st.sampled_from(" \t,:#ab1.\n\r\x85é")))
@settings(deadline=None)
def test_any_text_is_questions_or_an_error(read: Reader, text: str) -> None:
    with contextlib.suppress(JobError):
        questions = read(text.encode(), "x")
        assert questions
        assert all(word and word == word.strip() for question in questions for word in question.words)


def test_gensim_counts_the_same_questions_and_the_same_unknown_ones() -> None:
    """Its evaluation is the reference for what a vocabulary knows."""
    sets = EvaluationSettings(
        pairs={name: str(FILES / name) for name in ("wordsim353.tsv", "simlex999.txt")},
        analogies={"questions": str(FILES / "questions-words.txt")},
    )
    found = {asked.name: asked for asked in read_sets(sets)}
    assert {name: len(asked.questions) for name, asked in found.items()} == {
        "wordsim353.tsv": 353,
        "simlex999.txt": 999,
        "questions": 19_544,
    }
    every = sorted(
        {word.lower() for asked in found.values() for question in asked.questions for word in question.words}
    )
    words = every[::2]
    reference = gensim.models.KeyedVectors(2)
    reference.add_vectors(words, np.random.default_rng(1).normal(size=[len(words), 2]))
    vocabulary = WordLookup(words, TransformSettings())
    for name in sets.pairs:
        known = coverage(vocabulary, found[name], 0.5)
        *_, unknown = reference.evaluate_word_pairs(sets.pairs[name])
        assert 0 < known.known < known.asked
        assert 100 * (1 - known.known / known.asked) == pytest.approx(unknown)
    _, sections = reference.evaluate_word_analogies(sets.analogies["questions"])
    for section in sections[:-1]:
        asked = [question for question in found["questions"].questions if question.section == section["section"]]
        judged = len(section["correct"]) + len(section["incorrect"])
        assert coverage(vocabulary, QuestionSet("q", "analogy", asked), 0.5).known == judged


PAIRS = [Question(1, ("Äpfel", "Birnen")), Question(2, ("Haus", "Baum")), Question(3, ("Tür", "Tor"))]


@pytest.mark.parametrize(
    ("words", "transform", "known"),
    [
        (["äpfel", "birnen", "haus"], {}, 1),
        (["ÄPFEL", "birnen"], {"lowercase": False}, 1),
        (["Äpfel", "birnen", "HAUS", "baum"], {"lowercase": False}, 2),
        (["äpfel"], {}, 0),
    ],
)
def test_words_are_found_whatever_their_case(words: list[str], transform: dict[str, Any], known: int) -> None:
    found = coverage(WordLookup(words, TransformSettings(**transform)), QuestionSet("s", "similarity", PAIRS), 0.5)
    assert found == SetCoverage(3, known, gates=known >= 2)


def test_words_are_normalised_as_the_corpus_was() -> None:
    vocabulary = WordLookup(["0000", "b"], TransformSettings(digits=True))
    asked = QuestionSet("q", "analogy", [Question(1, ("1984", "B", "2001", "b"))])
    assert coverage(vocabulary, asked, 1.0) == SetCoverage(1, 1, gates=True)


@pytest.mark.parametrize(
    ("task", "known", "least", "gates"),
    [
        ("similarity", 2, 0.0, True),
        ("similarity", 2, 0.66, True),
        ("similarity", 2, 0.67, False),
        ("similarity", 3, 1.0, True),
        # One pair has no rank correlation, however little is asked of the coverage.
        ("similarity", 1, 0.0, False),
        ("similarity", 1, 0.3, False),
        ("analogy", 1, 0.3, True),
        ("analogy", 1, 0.34, False),
        ("analogy", 0, 0.0, False),
    ],
)
def test_a_set_gates_where_enough_of_it_is_known(task: str, known: int, least: float, gates: bool) -> None:
    vocabulary = WordLookup(
        ["x", "äpfel", "birnen", "haus", "baum", "tür", "tor"][: 1 + 2 * known], TransformSettings()
    )
    found = coverage(vocabulary, QuestionSet("s", task, PAIRS), least)
    assert found.to_json() == {"asked": 3, "known": known, "share": known / 3, "gates": gates}


def parse(records: Iterable[bytes]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    found = []
    for record in records:
        example = tf.train.SequenceExample.FromString(record)
        context = {name: tuple(value) for name, value in _values(example.context)}
        lists = {
            name: [tuple(step.bytes_list.value) for step in steps.feature]
            for name, steps in example.feature_lists.feature_list.items()
        }
        found.append((context, lists))
    return found


def _values(context: tf.train.Features) -> list[tuple[str, Iterable[Any]]]:
    return [(name, getattr(value, value.WhichOneof("kind")).value) for name, value in context.feature.items()]


def test_questions_become_records() -> None:
    asked = QuestionSet("ws", "similarity", [Question(7, ("Ä", "b"), score=1.5)])
    assert parse(encode_questions(asked, gates=True)) == [
        (
            {
                "id": (b"ws:7",),
                "source": (b"ws",),
                "task": (b"similarity",),
                "section": (b"ws",),
                "score": (1.5,),
                "gates": (1,),
            },
            {"tokens": [("Ä".encode(),), (b"b",)]},
        )
    ]
    asked = QuestionSet("qs", "analogy", [Question(2, ("a", "b", "c", "d"), "capitals")])
    ((context, lists),) = parse(encode_questions(asked, gates=False))
    assert (context["section"], context["score"], context["gates"]) == ((b"capitals",), (0.0,), (0,))
    assert lists == {"tokens": [(b"a",), (b"b",), (b"c",), (b"d",)]}


def test_documents_keep_their_ids_and_segments() -> None:
    raw = [
        encode(Document(("One.", "", "Twö."), "fine", "blog", "d1", 1)),
        encode(Document(("x",), None, "b", "d2", 1)),
    ]
    first, second = parse(encode_documents(raw))
    assert first == (
        {
            "id": (b"d1",),
            "source": (b"eval",),
            "task": (b"documents",),
            "section": (b"eval",),
            "score": (0.0,),
            "gates": (1,),
        },
        {"text": [(b"One.",), (b"",), ("Twö.".encode(),)]},
    )
    assert second[0]["id"] == (b"d2",)


def test_equal_questions_have_equal_bytes() -> None:
    asked = QuestionSet("qs", "analogy", [Question(2, ("a", "b", "c", "d"), "s")] * 2)
    first, second = encode_questions(asked, gates=True)
    assert first == second
