"""Answers to judgement records, against gensim's evaluation and a corpus that was really transformed."""

import itertools
from pathlib import Path

import gensim.models
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from trainer.data import features, parsing

# Mixed case: gensim ignores case, and takes the most frequent of words that differ only in case.
WORDS = [f"w{number}" for number in range(30)]
WORDS += ["W3", "W4", "Film", "film", "FILM", "stra\u00dfe", "STRASSE", "caf\u00c9"]
VECTORS = np.random.default_rng(1).normal(size=(len(WORDS), 6)).astype(np.float32)
ASKED = [*WORDS, "fILM", "Caf\u00e9", "unknown", "W29"]


@pytest.fixture(scope="module")
def record(judgement_record):
    return judgement_record


def judge(servable, records: list[bytes]) -> dict:
    return {key: value.numpy() for key, value in servable.judge(tf.constant(records, tf.string)).items()}


@pytest.fixture(scope="module")
def peer() -> gensim.models.KeyedVectors:
    peer = gensim.models.KeyedVectors(VECTORS.shape[1])
    peer.add_vectors(WORDS, VECTORS)
    return peer


@pytest.fixture(scope="module")
def servable(make_servable):
    return make_servable(WORDS, VECTORS, transform={"lowercase": False})


def test_pairs_are_answered_as_in_gensim(servable, peer, record, tmp_path: Path) -> None:
    pairs = list(itertools.product(ASKED, ASKED))
    found = judge(servable, [record("similarity", pair) for pair in pairs])
    known = np.array(["unknown" not in pair for pair in pairs])
    np.testing.assert_array_equal(found["known"], known)
    np.testing.assert_array_equal(found["similarity"][~known], 0)
    gold = np.random.default_rng(2).random(len(pairs))
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{a}\t{b}\t{score}\n" for (a, b), score in zip(pairs, gold, strict=True)))
    pearson, _, unknown = peer.evaluate_word_pairs(str(path))
    assert unknown == pytest.approx(100 * (1 - known.mean()))
    expected = stats.pearsonr(gold[known], found["similarity"][known]).statistic
    assert expected == pytest.approx(pearson.statistic, abs=1e-6)


def test_analogies_are_answered_as_in_gensim(servable, peer, record, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    questions = [tuple(random.choice(ASKED, 4, replace=number % 3 == 0).tolist()) for number in range(400)]
    for number, (a, b, c, _) in enumerate(questions[:200]):
        if {a, b, c} <= set(WORDS):
            best, _ = peer.most_similar(positive=[b, c], negative=[a], topn=4)[number % 2]
            questions[number] = (a, b, c, best.lower())
    path = tmp_path / "questions.txt"
    path.write_text(": all\n" + "".join(" ".join(question) + "\n" for question in questions))
    _, (section, *_) = peer.evaluate_word_analogies(str(path))
    answers = dict.fromkeys(section["incorrect"], False) | dict.fromkeys(section["correct"], True)
    found = judge(servable, [record("analogy", question) for question in questions])
    folded = [tuple(word.upper() for word in question) for question in questions]
    assert found["known"].tolist() == [question in answers for question in folded]
    assert found["correct"].tolist() == [answers.get(question, False) for question in folded]
    assert 50 < sum(found["correct"]) < 300
    assert 0 < sum(found["known"]) < 400


def test_an_analogy_over_too_few_words_has_no_answer(make_servable, record) -> None:
    two = make_servable(["a", "b"], np.eye(2, dtype=np.float32))
    found = judge(two, [record("analogy", ("a", "b", "a", "b")), record("analogy", ("a", "a", "a", "b"))])
    assert found["known"].tolist() == [1, 1]
    assert found["correct"].tolist() == [0, 1]


def test_words_are_normalized_like_the_corpus(make_servable, record) -> None:
    servable = make_servable(["0000", "film"], np.array([[1, 0], [1, 1]], np.float32), transform={"digits": True})
    found = judge(servable, [record("similarity", ("1984", "FILM"))])
    assert found["similarity"] == pytest.approx(np.sqrt(0.5))


def test_records_without_their_words_are_not_known(servable, record) -> None:
    short = [("similarity", ("w1",)), ("similarity", ()), ("analogy", ("w1", "w2", "w3")), ("other", ())]
    records = [record(task, words) for task, words in short]
    for values in judge(servable, [*records, tf.train.SequenceExample().SerializeToString()]).values():
        assert values.tolist() == [0] * 5
    for values in judge(servable, []).values():
        assert values.shape == (0,)


def test_documents_go_through_the_transform_graph_of_the_corpus(corpus, make_servable, record, records) -> None:
    """The graph of a labelled corpus, which needs a label, and questions between the documents."""
    words = (corpus.graph / "vocabulary.txt").read_text().splitlines()[4:]
    vectors = np.random.default_rng(4).normal(size=(len(words), 3)).astype(np.float32)
    transform = features.transform_settings(str(corpus.graph)).model_dump()
    servable = make_servable(words, vectors, transform=transform, graph=str(corpus.graph / "transform_fn"))
    asked = []
    for document in corpus.documents["eval"]:
        asked += [record("documents", text=document.segments, name=document.id)]
        asked += [record("similarity", (words[0], words[1].upper())), record("analogy", tuple(words[:4]))]
    transformed = records(corpus.transformed["eval"])
    examples = map(tf.train.SequenceExample.FromString, transformed)
    names = [example.context.feature["id"].bytes_list.value[0].decode() for example in examples]
    ids = parsing.tokens(tf.constant(transformed)).to_list()
    expected = {name: (sum(row), len(row)) for name, row in zip(names, ids, strict=True)}
    found = judge(servable, asked)
    documents = [expected[document.id] for document in corpus.documents["eval"]]
    assert found["loss"][::3].tolist() == [total for total, _ in documents]
    assert found["pairs"][::3].tolist() == [length for _, length in documents]
    assert found["known"].tolist() == [0, 1, 1] * len(documents)
    for name in ("loss", "pairs"):
        assert not found[name][1::3].any()
        assert not found[name][2::3].any()
    cosine = vectors[0] @ vectors[1] / np.linalg.norm(vectors[0]) / np.linalg.norm(vectors[1])
    np.testing.assert_allclose(found["similarity"][1::3], cosine, atol=1e-6)
