"""The evaluation data of word vectors: files, coverage and records."""

import contextlib
import itertools
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
def test_pairs_are_separated_by_a_tab_a_comma_or_spaces(separator: str) -> None:
    lines = [("love", "sex", "6.77"), ("Zürich", "Genève", "-1e1"), ("a", "b", "7", "N", "8")]
    text = "".join(separator.join(line) + "\n" for line in lines)
    assert pairs(text) == [(("love", "sex"), 6.77), (("Zürich", "Genève"), -10.0), (("a", "b"), 7.0)]
    assert pairs("New York\t1,000\t2\n") == [(("New York", "1,000"), 2.0)]


@pytest.mark.parametrize("header", ["# a comment\n", "Word 1,Word 2,Human (mean)\n", "word1\tword2\tscore\n"])
def test_headers_comments_blank_lines_and_byte_order_marks_are_skipped(header: str) -> None:
    text = f"\ufeff# a comment\r\n\r\n{header}// another\na\tb\t1\r\n#c\td\t2\n  \n"
    assert read_pairs(text.encode(), "x") == [Question(5, ("a", "b"), score=1.0)]


SIMLEX = "word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\tconcQ\tAssoc(USF)\tSimAssoc333\tSD(SimLex)\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # SimLex-999, its three columns alone, and SimVerb-3500, which has no header.
        (SIMLEX + "old\tnew\tA\t1.58\t2.72\t2.81\t2\t7.25\t1\t0.41\n", [(("old", "new"), 1.58)]),
        ("word1\tword2\tSimLex999\nold\tnew\t1.58\n", [(("old", "new"), 1.58)]),
        ("take\tremove\tV\t6.81\tSYNONYMS\nwalk\ttrail\tV\t4.81\tCOHYPONYMS\n", 2 * [6.81]),
        # RG-65, with several separators.
        *((sign.join(("gem", "jewel", "3.94")) + "\n", [(("gem", "jewel"), 3.94)]) for sign in "\t; ,"),
        # WordSim-353: combined.csv, combined.tab, and set1.csv with the ratings of all subjects.
        ("Word 1,Word 2,Human (mean)\nlove,sex,6.77\n", [(("love", "sex"), 6.77)]),
        ("Word 1\tWord 2\tHuman (mean)\nlove\tsex\t6.77\n", [(("love", "sex"), 6.77)]),
        ("Word 1,Word 2,Human (Mean),1,2\nlove,sex,6.77,9,6\n", [(("love", "sex"), 6.77)]),
        # MEN: natural forms and lemmas; the rare words of Stanford, with ten ratings.
        ("sun sunlight 50.000000\n", [(("sun", "sunlight"), 50.0)]),
        ("sun-n sunlight-n 50.000000\nwalk-v red-j 2\n", [(("sun", "sunlight"), 50.0), (("walk", "red"), 2.0)]),
        ("sun-n well-known 50\n", [(("sun-n", "well-known"), 50.0)]),
        ("squishing\tsquirt\t5.88\t7\t7\t6\t1\t4\t6\t10\t5\t6\t7\n", [(("squishing", "squirt"), 5.88)]),
        # The header names the score among several numbers; without one, the first number is the score.
        ("w1,w2,frequency,similarity\na,b,900,0.5\n", [(("a", "b"), 0.5)]),
        ("w1,w2,x,y\na,b,900,0.5\n", [(("a", "b"), 900.0)]),
        ("a b 900 0.5\n", [(("a", "b"), 900.0)]),
        ("word 1 word 2 mean\na b 1\n", None),
    ],
)
def test_pairs_are_read_as_their_authors_publish_them(text: str, expected: Any) -> None:
    if expected is None:
        with pytest.raises(JobError, match="cannot be parsed"):
            pairs(text)
    elif expected == 2 * [6.81]:
        assert pairs(text) == [(("take", "remove"), 6.81), (("walk", "trail"), 4.81)]
    else:
        assert pairs(text) == expected


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
    ("a b 1\n" + "x\n" * 12, "x.tsv:2", "'x'", "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and more"),
]


@pytest.mark.parametrize(("text", "place", "found", "lines"), BAD_PAIRS)
def test_a_line_that_is_not_a_pair_is_an_error_with_its_location(text: str, place: str, found: str, lines: str) -> None:
    with pytest.raises(JobError, match=r"word pairs cannot be parsed[\s\S]*two words and a number") as caught:
        pairs(text)
    assert (caught.value.where, caught.value.found) == (place, found)
    assert caught.value.fix == f"correct or remove {lines}"


@pytest.mark.parametrize("read", [read_pairs, read_analogies])
def test_a_file_without_questions_or_in_another_encoding_is_an_error(read: Reader) -> None:
    for content in (b"", b"# nothing\n", b"\n\n"):
        with pytest.raises(JobError, match="The file has no"):
            read(content, "x")
    with pytest.raises(JobError, match="not UTF-8") as caught:
        read(b": s\na b c d\n caf\xe9 b c d\n", "x")
    assert (caught.value.where, caught.value.found) == ("x:3", "the byte 0xe9")


def test_analogies_belong_to_the_section_above_them() -> None:
    text = "// 2013\n: capitals\nAthens Greece  Oslo\tNorway\n\n:family\nking queen man woman\n"
    assert read_analogies(text.encode(), "x") == [
        Question(3, ("Athens", "Greece", "Oslo", "Norway"), "capitals"),
        Question(6, ("king", "queen", "man", "woman"), "family"),
    ]


def test_analogies_need_no_sections_and_may_name_a_relation() -> None:
    # Google's without sections; MSR's as hyperwords and as benchmarks publish them, and as its two files joined.
    assert read_analogies(b"Athens Greece Oslo Norway\na b c d\n", "x") == [
        Question(1, ("Athens", "Greece", "Oslo", "Norway")),
        Question(2, ("a", "b", "c", "d")),
    ]
    expected = [Question(1, ("good", "better", "rough", "rougher"), "JJ_JJR")]
    assert read_analogies(b"good better rough JJ_JJR rougher\n", "x") == expected
    assert read_analogies(b"good better rough JJ_JJR JJ_JJR rougher\n", "x") == expected
    for wrong in (b"a b c d e", b"a b c JJ_JJR NN_NNS d", b": s\ngood better rough JJ_JJR rougher"):
        with pytest.raises(JobError, match="cannot be parsed"):
            read_analogies(wrong + b"\n", "x")


def test_questions_without_their_answers_are_refused() -> None:
    with pytest.raises(JobError, match=r"only the questions[\s\S]*good better rough JJ_JJR[\s\S]*paste -d ' '"):
        read_analogies(b"good better rough JJ_JJR\nbetter good rougher JJR_JJ\n", "x")


@pytest.mark.parametrize("line", ["a b c", "a b c d e", "a b c d\n: s"])
def test_a_line_that_is_not_an_analogy_is_an_error_with_its_location(line: str) -> None:
    text = f"{line}\nw x y z\n" if "\n" in line else f": s\n{line}\nw x y z\n"
    with pytest.raises(JobError, match=r"where: x:[12]\n  found: 'a b c") as caught:
        read_analogies(text.encode(), "x")
    assert "four words, under a line" in str(caught.value)


@pytest.mark.parametrize("read", [read_pairs, read_analogies])
@given(st.text(st.sampled_from(" \t,:#ab1.\n\r\x85é")))
@settings(deadline=None)
def test_any_text_gives_questions_or_an_error(read: Reader, text: str) -> None:
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
    questions = itertools.chain.from_iterable(asked.questions for asked in found.values())
    words = sorted({word.lower() for question in questions for word in question.words})[::2]
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
def test_words_are_found_in_any_case(words: list[str], transform: dict[str, Any], known: int) -> None:
    found = coverage(WordLookup(words, TransformSettings(**transform)), QuestionSet("s", "similarity", PAIRS), 0.5)
    assert found == SetCoverage(3, known, gates=known >= 2)


def test_words_are_normalised_like_the_corpus() -> None:
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
        # One pair has no rank correlation, however low the minimum coverage is.
        ("similarity", 1, 0.0, False),
        ("similarity", 1, 0.3, False),
        ("analogy", 1, 0.3, True),
        ("analogy", 1, 0.34, False),
        ("analogy", 0, 0.0, False),
    ],
)
def test_a_set_gates_if_enough_of_it_is_known(task: str, known: int, least: float, gates: bool) -> None:
    words = ["x", "äpfel", "birnen", "haus", "baum", "tür", "tor"][: 1 + 2 * known]
    found = coverage(WordLookup(words, TransformSettings()), QuestionSet("s", task, PAIRS), least)
    assert found.to_json() == {"asked": 3, "known": known, "share": known / 3, "gates": gates}


def parse(records: Iterable[bytes]) -> list[tuple[dict[str, Any], dict[str, list[bytes]]]]:
    found = []
    for record in records:
        example = tf.train.SequenceExample.FromString(record)
        context = example.context.feature.items()
        lists = example.feature_lists.feature_list.items()
        values = {
            name: value for name, feature in context for value in getattr(feature, feature.WhichOneof("kind")).value
        }
        found.append((values, {name: [step.bytes_list.value[0] for step in steps.feature] for name, steps in lists}))
    return found


def test_questions_become_records() -> None:
    pairs = QuestionSet("ws", "similarity", [Question(7, ("Ä", "b"), score=1.5)])
    context = {"id": b"ws:7", "source": b"ws", "task": b"similarity", "section": b"ws", "score": 1.5, "gates": 1}
    assert parse(encode_questions(pairs, gates=True)) == [(context, {"tokens": ["Ä".encode(), b"b"]})]
    analogies = QuestionSet("qs", "analogy", [Question(2, ("a", "b", "c", "d"), "capitals")] * 2)
    (context, lists), again = parse(encode_questions(analogies, gates=False))
    assert (context, lists) == again
    assert (context["section"], context["score"], context["gates"]) == (b"capitals", 0.0, 0)
    assert lists == {"tokens": [b"a", b"b", b"c", b"d"]}


def test_documents_keep_their_ids_and_segments() -> None:
    documents = [Document(("One.", "", "Twö."), "fine", "blog", "d1", 1), Document(("x",), None, "b", "d2", 1)]
    first, second = parse(encode_documents(map(encode, documents)))
    context = {"id": b"d1", "source": b"eval", "task": b"documents", "section": b"eval", "score": 0.0, "gates": 1}
    assert first == (context, {"text": [b"One.", b"", "Twö.".encode()]})
    assert second[0]["id"] == b"d2"
