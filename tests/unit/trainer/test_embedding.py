"""Tables that start from given vectors: against rows looked up by hand, in training and in what is served."""

import json
from pathlib import Path

import gensim
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import CLASSIFIER, SingleLabel
from trainer.errors import JobError
from trainer.settings import RESERVED_WORDS, TransformSettings
from trainer.training.loop import Loop
from trainer.vectors import embedding

WORDS = ["film", "Film", "london", "CAFÉ", "rare", "lost"]
COUNTS = [50, 20, 10, 5, 4, 1]
GIVEN = ["FILM", "film", "Paris", "LONDON", "London", "café", "rarely"]
ROWS = {"film": 1, "Film": 1, "london": 3, "CAFÉ": 5}
"""The row in the file of each word that is in it."""


def vectors(count: int, width: int = 4) -> np.ndarray:
    return np.random.default_rng(5).normal(0.3, 2, [count, width]).astype(np.float32)


def save(path: Path, words: list[str], values: np.ndarray, **options: object) -> Path:
    """Writes with gensim."""
    keyed = gensim.models.KeyedVectors(values.shape[1])
    keyed.add_vectors(words, values)
    keyed.save_word2vec_format(str(path), binary=path.suffix == ".bin", sort_attr="none", **options)
    return path


def make_graph(folder: Path, words: list[str], counts: list[int], buckets: int = 0) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "vocabulary.txt").write_text("".join(f"{word}\n" for word in [*RESERVED_WORDS, *words]))
    (folder / "counts.txt").write_text("".join(f"{count}\n" for count in [0, 0, 0, 0, *counts]))
    (folder / "settings.json").write_text(TransformSettings(oov_buckets=buckets).model_dump_json())
    return str(folder)


@pytest.fixture
def graph(tmp_path: Path) -> str:
    return make_graph(tmp_path / "graph", WORDS, COUNTS, buckets=3)


def starting(source: object) -> ClassifierSettings:
    return ClassifierSettings.model_validate({"embedding": {"from": str(source)}})


def read(path: Path, graph: str, seed: int = 1) -> embedding.Start:
    start = embedding.read(starting(path).embedding, graph, seed)
    assert start is not None
    return start


@pytest.mark.parametrize("name", ["vectors.bin", "vectors.txt", "glove.6B.4d.txt"])
def test_words_start_with_their_vectors_from_the_file(name: str, graph: str, tmp_path: Path) -> None:
    values = vectors(len(GIVEN))
    path = save(tmp_path / name, GIVEN, values, write_header=not name.startswith("glove"))
    start = read(path, graph)
    shares = {"type_coverage": 4 / 6, "token_coverage": 85 / 90}
    assert start.coverage == {"file": name, "width": 4, "words": 7, "found": 4, **shares}
    assert (start.vectors.shape, start.vectors.dtype) == ((4 + 6 + 3, 4), np.float32)
    for number, word in enumerate(WORDS, start=4):
        if word in ROWS:
            np.testing.assert_array_equal(start.vectors[number], values[ROWS[word]])
    np.testing.assert_array_equal(start.vectors[0], 0)
    others = start.vectors[[1, 2, 3, 8, 9, 10, 11, 12]]
    assert len(np.unique(others)) == others.size
    assert np.abs(others).max() <= np.sqrt(3) * values[[1, 1, 3, 5]].std() * (1 + 1e-6)


@pytest.mark.parametrize(("count", "coverage"), [(1, 1 / 3), (0, 0.0)])
def test_random_vectors_have_the_variance_of_those_found(tmp_path: Path, count: int, coverage: float) -> None:
    words = [f"w{number}" for number in range(3000)]
    values = vectors(1000, width=20)
    path = save(tmp_path / "vectors.bin", words[:1000], values)
    start = read(path, make_graph(tmp_path / "graph", words, [count] * 3000))
    drawn = start.vectors[1004:]
    assert drawn.std() == pytest.approx(values.std(), rel=0.02)
    assert drawn.mean() == pytest.approx(0, abs=0.05)
    # Words that the train split lacks cover nothing of it.
    assert (start.coverage["type_coverage"], start.coverage["token_coverage"]) == (1 / 3, coverage)


def test_only_the_seed_determines_the_random_vectors(graph: str, tmp_path: Path) -> None:
    path = save(tmp_path / "vectors.bin", GIVEN, vectors(len(GIVEN)))
    first, again, other = (read(path, graph, seed) for seed in (1, 1, 2))
    assert first.vectors.tobytes() == again.vectors.tobytes()
    same = (first.vectors == other.vectors).all(axis=1)
    assert np.flatnonzero(same).tolist() == [0, 4, 5, 6, 7]


LETTERS = st.sampled_from("aAbBéÉß\u1e9ei\u0130\u0131")


@given(st.lists(LETTERS, unique=True, min_size=1), LETTERS)
def test_a_word_is_found_if_another_differs_only_in_case(given_words: list[str], word: str) -> None:
    """A search through all of the file, the best match first."""
    matches = (
        [row for row, other in enumerate(given_words) if other == word],
        [row for row, other in enumerate(given_words) if other == word.lower()],
        [row for row, other in enumerate(given_words) if other.lower() == word.lower()],
    )
    expected = next((rows[0] for rows in matches if rows), -1)
    assert embedding._rows([word], given_words).tolist() == [expected]


def test_settings_without_vectors_start_at_random(graph: str) -> None:
    assert embedding.read(ClassifierSettings().embedding, graph, seed=1) is None
    settings = ClassifierSettings.model_validate({"embedding": 5})
    assert classifier.build(settings, 9, 2).get_layer("embedding").embeddings.shape == (9, 5)
    # The configuration of a model has none of its vectors.
    described = {classifier.build(starting("x.bin"), 50, 2, vectors(50) + add).to_json() for add in (0, 1)}
    assert len(described) == 1


def test_vectors_of_other_words_and_those_that_are_not_finite_are_rejected(graph: str, tmp_path: Path) -> None:
    path = save(tmp_path / "vectors.bin", ["ein", "<pad>", "Haus"], vectors(3))
    with pytest.raises(JobError, match="none of the vocabulary's words") as caught:
        read(path, graph)
    assert caught.value.where == f"trainer.embedding.from, {path}"
    assert caught.value.found == "3 words, for example ein, <pad>, Haus"
    assert "6 words, for example film, Film, london, CAFÉ, rare" in str(caught.value.expected)
    values = vectors(len(GIVEN))
    values[[0, 3], 1] = np.nan
    with pytest.raises(JobError, match=r"(?s)not finite.*2 such vectors"):
        read(save(path, GIVEN, values), graph)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_step_moves_the_table_unless_it_is_frozen(frozen: bool) -> None:
    keras.utils.set_random_seed(1)
    section = {"embedding": {"from": "x.bin", "frozen": frozen}, "units": 3, "bigrams": None, "epochs": 1}
    section["learning_rate"] = 2e-3
    settings, values = ClassifierSettings.model_validate(section), vectors(8)
    model = classifier.build(settings, 8, 2, values)
    table = model.get_layer("embedding").embeddings
    np.testing.assert_array_equal(table, values)
    others = [variable for variable in model.trainable_variables if variable is not table]
    before = [variable.numpy() for variable in others]
    batch = {"tokens": [[4, 5, 6], [7, 4, 0]], "length": [3, 2], "label": [0, 1]}
    features = {name: tf.constant(numbers, tf.int64) for name, numbers in batch.items()}
    Loop(model, SingleLabel(settings, "ab")).step.train(features, number=1)
    moved = (table.numpy() != values).any(axis=1)
    assert moved[4:].all() == moved.any() == (not frozen)
    assert all((variable.numpy() != start).any() for variable, start in zip(others, before, strict=True))


@pytest.mark.slow
def test_a_trained_model_serves_its_own_table(corpus, job_in, tmp_path: Path) -> None:
    words = (corpus.graph / "vocabulary.txt").read_text().splitlines()[4:]
    counts = [int(line) for line in (corpus.graph / "counts.txt").read_text().splitlines()[4:]]
    chosen = words[::2]
    values = vectors(len(chosen))
    path = save(tmp_path / "vectors.bin", chosen, values)
    settings = {"embedding": {"from": str(path), "frozen": True}, "units": 4, "epochs": 2, "batch_tokens": 2000}
    job = job_in(corpus, tmp_path)
    CLASSIFIER.run(job, ClassifierSettings.model_validate(settings))
    report = json.loads(Path(job.log_directory, "training.json").read_text())["embedding"]
    shares = (report["found"], report["type_coverage"], report["token_coverage"])
    assert shares == (
        len(chosen),
        pytest.approx(len(chosen) / len(words)),
        pytest.approx(sum(counts[::2]) / sum(counts)),
    )
    path.unlink()
    model = tf.saved_model.load(job.model_directory)
    tables = [variable for variable in model._state if variable.shape == (4 + len(words), 4)]
    np.testing.assert_array_equal(tables[0].numpy()[4::2], values)
    answers = model.signatures["serving_default"](tf.constant(["moving", "dull"]))
    np.testing.assert_allclose(tf.reduce_sum(answers["probabilities"], axis=1), 1, rtol=1e-5)
