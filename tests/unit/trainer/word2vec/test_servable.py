"""The signatures of published word vectors, against gensim, NumPy and in a process of their own."""

import json
import shutil
from pathlib import Path

import gensim.models
import numpy as np
import pytest
import tensorflow as tf

from trainer.settings import TransformSettings
from trainer.vectors import vector_reading
from trainer.word2vec import character_ngrams
from trainer.word2vec.settings import CharacterNgramSettings

WORDS = [f"w{number}" for number in range(200)]
VECTORS = np.random.default_rng(1).normal(size=(200, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def servable(make_servable):
    return make_servable(WORDS, VECTORS)


@pytest.fixture(scope="module")
def peer() -> gensim.models.KeyedVectors:
    peer = gensim.models.KeyedVectors(VECTORS.shape[1])
    peer.add_vectors(WORDS, VECTORS)
    return peer


def texts(*values: str) -> tf.Tensor:
    return tf.constant(values, tf.string)


def assert_ranked(found: dict, key: str, row: int, expected: list[tuple[str, float]]) -> None:
    """The same words in the same order, with the same cosines."""
    assert [word.decode() for word in found[key][row].numpy()] == [word for word, _ in expected]
    np.testing.assert_allclose(found["similarity"][row], [value for _, value in expected], atol=1e-5)


def test_neighbors_similarities_and_analogies_match_gensim(servable, peer) -> None:
    found = servable.neighbors(texts(*WORDS), 10)
    assert found["neighbors"].shape == (200, 10)
    assert found["known"].numpy().all()
    for row, word in enumerate(WORDS):
        assert_ranked(found, "neighbors", row, peer.most_similar(word, topn=10))
    others = WORDS[::-1]
    found = servable.similarity(texts(*WORDS), texts(*others))
    expected = [peer.similarity(*pair) for pair in zip(WORDS, others, strict=True)]
    np.testing.assert_allclose(found["similarity"], expected, atol=1e-6)
    assert found["known"].numpy().all()
    random = np.random.default_rng(2)
    questions = [random.choice(WORDS, 3).tolist() for _ in range(50)] + [["w1", "w1", "w2"], ["w3", "w3", "w3"]]
    found = servable.analogy(*(texts(*words) for words in zip(*questions, strict=True)), 7)
    for row, (a, b, c) in enumerate(questions):
        assert_ranked(found, "answers", row, peer.most_similar(positive=[b, c], negative=[a], topn=7))


def test_many_queries_over_many_words_match_numpy(make_servable) -> None:
    words = [f"w{number}" for number in range(70_000)]
    vectors = np.random.default_rng(3).normal(size=(70_000, 4)).astype(np.float32)
    asked = words[::120]
    servable = make_servable(words, vectors)
    found = servable.neighbors(texts(*asked), 3)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row, place in enumerate(range(0, 70_000, 120)):
        similarity = units @ units[place]
        similarity[place] = -2
        best = np.sort(np.partition(similarity, -3)[-3:])[::-1]
        np.testing.assert_allclose(found["similarity"][row], best, atol=1e-5)
        near = [int(word[1:]) for word in found["neighbors"][row].numpy()]
        np.testing.assert_allclose(similarity[near], found["similarity"][row], atol=1e-5)
        assert place not in near


def test_the_more_frequent_of_words_with_equal_cosines_comes_first(make_servable) -> None:
    # Powers of two, so that cosines are exact.
    vectors = np.array([[0, 1], [2, 0], [4, 0], [1, 0], [-1, 0], [8, 0]], np.float32)
    servable = make_servable(list("abcdef"), vectors)
    found = servable.neighbors(texts("d", "a"), 5)
    assert found["neighbors"].numpy().tolist() == [[b"b", b"c", b"f", b"a", b"e"], [b"b", b"c", b"d", b"e", b"f"]]
    assert found["similarity"].numpy().tolist() == [[1, 1, 1, 0, -1], [0, 0, 0, 0, 0]]


@pytest.mark.parametrize("delimiter", ["_", "\\1", "+"])
def test_phrases_are_queried_with_spaces(make_servable, delimiter: str) -> None:
    words = ["new", f"new{delimiter}york", "york"]
    servable = make_servable(words, np.eye(3, dtype=np.float32), transform={"phrases": {"delimiter": delimiter}})
    found = servable.vectors(texts("New York", f"new{delimiter}york", " new  york\n", "new new"))["word"].numpy()
    assert found.tolist() == [words[1].encode()] * 3 + [b""]


def test_words_are_found_unchanged_or_normalized(make_servable) -> None:
    vectors = np.eye(4, dtype=np.float32)
    words = ["film", "0000", "Film", "<num>"]
    servable = make_servable(words, vectors, transform={"digits": True, "strip_html": True})
    found = servable.vectors(texts("film", "FILM", "Film", "1984", "fi\u0131lm", "<num>", "&lt;num>"))
    assert found["word"].numpy().tolist() == [b"film", b"film", b"Film", b"0000", b"", b"<num>", b"<num>"]
    cased = make_servable(words, vectors, transform={"lowercase": False})
    assert cased.vectors(texts("FILM", "Film", "1984"))["word"].numpy().tolist() == [b"", b"Film", b""]


def test_unknown_words_are_marked_in_every_signature(servable) -> None:
    found = servable.vectors(texts("w7", "w7\0", "w0", "\xff"))
    np.testing.assert_array_equal(found["vectors"], [VECTORS[7], np.zeros(16), VECTORS[0], np.zeros(16)])
    assert found["known"].numpy().tolist() == [True, False, True, False]
    assert found["word"].numpy().tolist() == [b"w7", b"", b"w0", b""]
    asked = [[texts("x" if place == word else "w1", f"w{word}") for word in range(3)] for place in range(3)]
    answers = [servable.neighbors(texts("w1\0x", "w1"), 2), *(servable.analogy(*words, 2) for words in asked)]
    for key, found in zip(["neighbors", *["answers"] * 3], answers, strict=True):
        assert found["known"].numpy().tolist() == [False, True]
        assert found[key][0].numpy().tolist() == [b"", b""]
        assert found["similarity"][0].numpy().tolist() == [0, 0]
        assert all(found[key][1].numpy())
    pair = servable.similarity(texts("w1", "x", "x", "w1"), texts("x", "w1", "x", "w2"))
    assert pair["known"].numpy().tolist() == [False, False, False, True]
    assert pair["similarity"].numpy().tolist()[:3] == [0, 0, 0]


def test_few_words_and_zero_vectors_are_answered_as_far_as_possible(make_servable) -> None:
    alone = make_servable(["a"], np.array([[3, 4]], np.float32))
    assert alone.neighbors(texts("a", "x"), 10)["neighbors"].shape == (2, 0)
    assert alone.analogy(texts("a"), texts("a"), texts("a"), 10)["answers"].shape == (1, 0)
    assert alone.similarity(texts("a"), texts("A"))["similarity"].numpy() == pytest.approx(1)
    two = make_servable(["a", "b"], np.array([[1, 0], [0, 1]], np.float32))
    assert two.neighbors(texts("b", "a", "x"), 10)["neighbors"].numpy().tolist() == [[b"a"], [b"b"], [b""]]
    assert two.analogy(texts("a"), texts("b"), texts("b"), 1)["answers"].shape == (1, 0)
    zeros = make_servable(["a", "zero", "b"], np.array([[1, 2], [0, 0], [-1, 1]], np.float32))
    assert zeros.similarity(texts("zero"), texts("a"))["similarity"].numpy().tolist() == [0]
    found = zeros.neighbors(texts("a", "zero"), 2)
    assert found["neighbors"].numpy().tolist() == [[b"b", b"zero"], [b"", b""]]
    assert found["known"].numpy().tolist() == [True, True]


@pytest.mark.parametrize(("k", "found"), [(-1, 0), (0, 0), (1, 1), (199, 199), (200, 199), (10**6, 199)])
def test_k_is_limited_to_the_number_of_answers(servable, k: int, found: int) -> None:
    neighbors = servable.neighbors(texts("w5", "w6"), k)["neighbors"].numpy()
    assert neighbors.shape == (2, found)
    assert b"w5" not in neighbors[0]
    assert servable.analogy(texts("w5"), texts("w6"), texts("w7"), k)["answers"].shape == (1, min(found, 197))
    assert servable.neighbors(texts(), k)["neighbors"].shape == (0, found)
    assert servable.analogy(texts(), texts(), texts(), k)["answers"].shape == (0, min(found, 197))
    assert servable.vectors(texts())["vectors"].shape == (0, 16)
    assert servable.similarity(texts(), texts())["similarity"].shape == (0,)


def test_unseen_words_have_the_mean_of_their_ngrams(make_servable, peer) -> None:
    settings = CharacterNgramSettings(min=3, max=4, buckets=50)
    table = np.random.default_rng(4).normal(size=(50, 16)).astype(np.float32)
    servable = make_servable(WORDS, VECTORS, ngram_vectors=table, ngrams=settings)
    found = servable.vectors(texts("Unseen", "w1", "", "\u65e5\u672c", "x"))
    assert found["known"].numpy().tolist() == [False, True, False, False, False]
    assert found["word"].numpy().tolist() == [b"", b"w1", b"", b"", b""]
    unseen = [
        table[character_ngrams.ngram_ids(word, settings)].mean(axis=0) for word in ("unseen", "\u65e5\u672c", "x")
    ]
    np.testing.assert_allclose(found["vectors"], [unseen[0], VECTORS[1], np.zeros(16), *unseen[1:]], atol=1e-6)
    near = servable.neighbors(texts("Unseen", ""), 5)
    assert near["known"].numpy().tolist() == [False, False]
    assert_ranked(near, "neighbors", 0, peer.similar_by_vector(unseen[0], topn=5))
    assert near["neighbors"][1].numpy().tolist() == [b""] * 5
    compared = servable.similarity(texts("unseen"), texts("w3"))
    assert compared["similarity"].numpy() == pytest.approx(peer.cosine_similarities(unseen[0], VECTORS[3:4]), abs=1e-6)
    assert compared["known"].numpy().tolist() == [False]
    assert all(servable.analogy(texts("unseen"), texts("w3"), texts("w4"), 2)["answers"][0].numpy())


def test_vectors_and_counts_are_saved_next_to_the_model(servable, make_servable, tmp_path: Path) -> None:
    assert servable.save(str(tmp_path)) is None
    for name in ("vectors.txt", "vectors.bin"):
        path, counts = str(tmp_path / name), str(tmp_path / "counts.txt")
        found = gensim.models.KeyedVectors.load_word2vec_format(path, counts, binary=name.endswith("bin"))
        assert found.index_to_key == WORDS
        np.testing.assert_array_equal(found.vectors, VECTORS)
        assert [found.get_vecattr(word, "count") for word in WORDS] == list(range(200, 0, -1))
    projector = vector_reading.read(str(tmp_path / "vectors.tsv"))
    assert projector.words == WORDS
    np.testing.assert_array_equal(projector.vectors, VECTORS)
    assert not (tmp_path / "neighbors.faiss").exists()
    assert make_servable(WORDS, VECTORS, index="hnsw").save(str(tmp_path)) == pytest.approx(1, abs=0.02)
    assert (tmp_path / "neighbors.faiss").exists()


@pytest.mark.slow
def test_the_model_answers_in_a_process_without_the_project(
    make_servable, judgement_record, ask_elsewhere, tmp_path: Path
) -> None:
    words = [word.encode() for word in ("don't", "caf\u00e9", '"', "\u65e5\u672c", "film")]
    vectors = np.random.default_rng(5).normal(size=(5, 3)).astype(np.float32)
    servable = make_servable([word.decode() for word in words], vectors)
    servable.save(str(tmp_path / "written"))
    shutil.move(tmp_path / "written", tmp_path / "moved")
    asked = {
        "serving_default": {"words": [b"Film", b"x"]},
        "vectors": {"words": [b"Film", b"x"]},
        "neighbors": {"words": words, "k": 3},
        "similarity": {"a": words, "b": words[::-1]},
        "analogy": {"a": [b"film"], "b": ["CAF\u00c9".encode()], "c": [b'"'], "k": 9},
        "judge": {"examples": [judgement_record("documents", text=("a film",))]},
    }
    found = ask_elsewhere(tmp_path / "moved", **{name: (name, inputs) for name, inputs in asked.items()})
    assert found.pop("signatures") == sorted(asked)
    assert found["serving_default"] == found["vectors"]
    for name, inputs in asked.items():
        given = {key: value if key == "k" else tf.constant(value) for key, value in inputs.items()}
        expected = getattr(servable, name.replace("serving_default", "vectors"))(**given)
        plain = {
            key: json.loads(json.dumps(value.numpy().tolist(), default=bytes.decode)) for key, value in expected.items()
        }
        assert found[name] == plain
    assert (found["judge"]["loss"], found["judge"]["pairs"]) == ([1 + 8], [2])


def test_the_digest_covers_what_determines_the_answers(make_servable, transform_graph) -> None:
    words, vectors = ["a", "b"], np.eye(2, dtype=np.float32)
    graph = transform_graph(words, TransformSettings())
    first = make_servable(words, vectors, graph=graph, log_steps=1).digest()
    assert make_servable(words, vectors, graph=graph, log_steps=2).digest() == first
    ngrams = {"ngrams": CharacterNgramSettings(buckets=2), "ngram_vectors": vectors}
    others = [
        make_servable(words, vectors + np.float32(1e-6), graph=graph),
        make_servable(["a", "c"], vectors, graph=graph),
        make_servable(words, vectors, graph=graph, transform={"digits": True}),
        make_servable(words, vectors, graph=graph, index="hnsw"),
        make_servable(words, vectors, graph=graph, **ngrams),
        make_servable(words, vectors, graph=graph, **{**ngrams, "ngram_vectors": -vectors}),
    ]
    assert len({other.digest() for other in others} | {first}) == 7
