"""Many steps against loops over pairs in NumPy, and twice to the bit."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.vectors.vector_words import Vocabulary
from trainer.word2vec import model as model_module
from trainer.word2vec import windows
from trainer.word2vec.character_ngrams import ngram_ids
from trainer.word2vec.model import Tables
from trainer.word2vec.settings import Word2vecSettings

MODELS = [(model, loss) for model in ("skipgram", "cbow") for loss in ("negative_sampling", "hierarchical_softmax")]
NGRAMS = {"min": 3, "max": 4, "buckets": 17}


def vocabulary_of(words: int) -> Vocabulary:
    return Vocabulary([f"word{number}" for number in range(words)], np.arange(2 * words, words, -1))


def settings_of(model: str, loss: str, **values) -> Word2vecSettings:
    return Word2vecSettings.model_validate(
        {"model": model, "loss": loss, "dimensions": 8, "shared_negatives": 6, "step_tokens": 64, **values}
    )


def random_steps(settings: Word2vecSettings, words: int, number: int) -> tuple[windows.StepTensors, list[tuple]]:
    """Steps over random words, few of them, so that rows repeat; and the same flat, for the reference."""
    random, flat, shaped = np.random.default_rng(3), [], []
    for _ in range(number):
        size = settings.step_tokens
        rows = random.integers(0, words, size).astype(np.int32)
        reach = random.integers(1, settings.window + 1, size).astype(np.int32)
        left, right = windows.extents(tf.constant(np.arange(size) // 23), tf.constant(reach))
        noise = random.integers(0, words, (windows.groups_of(size), settings.shared_negatives)).astype(np.int32)
        step = windows.frames(tf.constant(rows), left, right, settings.window)
        shaped.append({**step, "noise": tf.constant(noise)})
        flat.append((rows, left.numpy(), right.numpy(), noise))
    return {name: tf.stack([step[name] for step in shaped]) for name in shaped[0]}, flat


def reference_of(pair_by_pair, settings: Word2vecSettings, vocabulary: Vocabulary, tables: Tables):
    parts = None
    if settings.ngrams:
        words = len(vocabulary.words)
        parts = [[r, *(words + b for b in ngram_ids(w, settings.ngrams))] for r, w in enumerate(vocabulary.words)]
    return pair_by_pair(settings, vocabulary.counts, tables.input.numpy(), tables.output.numpy(), parts)


def require_trained_alike(pair_by_pair, settings: Word2vecSettings, words: int, rates: list[float]) -> Tables:
    """Trains random vectors on steps, and in NumPy; compares losses and tables."""
    vocabulary, random = vocabulary_of(words), np.random.default_rng(4)
    tables, (steps, flat) = Tables(settings, vocabulary), random_steps(settings, words, len(rates))
    start = [0.5 * random.normal(size=table.shape) for table in (tables.input, tables.output)]
    tables.input.assign(start[0])
    tables.output.assign(start[1])
    reference = reference_of(pair_by_pair, settings, vocabulary, tables)
    loss = tables.train(steps, tf.constant(rates, tf.float32))
    losses = [reference.train(*step, rate) for step, rate in zip(flat, rates, strict=True)]
    _, left, right, _ = flat[0]
    predicted = (left + right).sum() if settings.model == "skipgram" else ((left + right) > 0).sum()
    assert float(loss) == pytest.approx(losses[0].sum() / predicted, rel=1e-5)
    np.testing.assert_allclose(tables.input, reference.inputs, atol=1e-5)
    np.testing.assert_allclose(tables.output, reference.outputs, atol=1e-5)
    np.testing.assert_allclose(tables.word_vectors(), [reference.vector(word) for word in range(words)], atol=1e-5)
    if words > 1:
        assert all(np.abs(table - values).max() > 2e-3 for table, values in zip(tables.variables, start, strict=True))
    return tables


@pytest.mark.parametrize("ngrams", [None, NGRAMS])
@pytest.mark.parametrize(("model", "loss"), MODELS)
def test_steps_equal_those_of_pairs_with_repeated_rows_summed(model, loss, ngrams, pair_by_pair) -> None:
    settings = settings_of(model, loss, window=3, ngrams=ngrams)
    tables = require_trained_alike(pair_by_pair, settings, 12, [0.005, 0.01, 0.0, 0.005])
    # So few buckets that several n-grams of a word share one.
    assert ngrams is None or len(set(ngram_ids("word0", settings.ngrams))) < len(ngram_ids("word0", settings.ngrams))
    if ngrams is None:
        assert tables.ngram_vectors() is None
        for words in (1, 2):
            require_trained_alike(pair_by_pair, settings_of(model, loss, window=2), words, [0.004, 0.002])
    else:
        np.testing.assert_array_equal(tables.ngram_vectors(), tables.input[12:])


@pytest.mark.parametrize(("window", "rows"), [(10, range(1_024, 4_000)), (30, range(4_001, 99_999))])
def test_steps_of_many_rows_have_the_same_sums(window: int, rows: range, pair_by_pair) -> None:
    settings = settings_of("skipgram", "hierarchical_softmax", window=window, step_tokens=1_024)
    assert 1_024 // windows.BLOCK * (windows.BLOCK + 2 * window) in rows
    require_trained_alike(pair_by_pair, settings, 4, [0.002])


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_step_of_very_many_words_moves_no_vector_by_more_than_half(model: str, pair_by_pair) -> None:
    settings, vocabulary = settings_of(model, "negative_sampling", window=2, step_tokens=2_048), vocabulary_of(300)
    tables, (steps, flat) = Tables(settings, vocabulary), random_steps(settings, 300, 1)
    random = np.random.default_rng(4)
    tables.output.assign(random.normal(size=tables.output.shape) * np.linspace(0.1, 3, 300)[:, None])
    reference = reference_of(pair_by_pair, settings, vocabulary, tables)
    _, *deltas = reference.step(*flat[0], 0.05)
    lengths = np.linalg.norm(deltas[0], axis=1)
    assert lengths.min() < 0.5 < lengths.max()
    start = [table.numpy() for table in (tables.input, tables.output)]
    tables.train(steps, tf.constant([0.05]))
    for table, before, delta in zip((tables.input, tables.output), start, deltas, strict=True):
        lengths = np.linalg.norm(delta, axis=1, keepdims=True)
        np.testing.assert_allclose(table - before, delta * np.minimum(1, 0.5 / np.maximum(lengths, 1e-9)), atol=1e-5)


@pytest.mark.parametrize("more", [{"window": 10}, {"window": 10, "step_tokens": 4_096}, {"ngrams": NGRAMS}])
@pytest.mark.parametrize(("model", "loss"), MODELS)
def test_two_training_runs_are_identical_to_the_bit(model: str, loss: str, more: dict) -> None:
    """Few words, so that each has many rows in every update, whose sums depend on their order; wide enough to split."""
    settings = settings_of(model, loss, **{"step_tokens": 512, "dimensions": 128, **more})
    steps, _ = random_steps(settings, 40, 8)
    tables, found = Tables(settings, vocabulary_of(40)), set()
    start = [table.numpy() for table in tables.variables]
    for _ in range(6):
        for table, values in zip(tables.variables, start, strict=True):
            table.assign(values)
        tables.train(steps, tf.fill([8], 0.01))
        found.add(tuple(table.numpy().tobytes() for table in tables.variables))
    assert len(found) == 1
    again = Tables(settings, vocabulary_of(40))
    assert [table.numpy().tobytes() for table in again.variables] == [values.tobytes() for values in start]


def test_a_step_that_predicts_nothing_has_no_loss() -> None:
    settings = settings_of("skipgram", "negative_sampling")
    steps, _ = random_steps(settings, 5, 2)
    tables = Tables(settings, vocabulary_of(5))
    start = tables.input.numpy().tobytes()
    steps |= {name: tf.zeros_like(steps[name]) for name in ("left", "right")}
    assert float(tables.train(steps, tf.fill([2], 0.5))) == 0
    assert tables.input.numpy().tobytes() == start
    assert not tables.output.numpy().any()


@pytest.mark.parametrize(("loss", "outputs"), [("negative_sampling", 500), ("hierarchical_softmax", 499)])
def test_vectors_start_as_in_word2vec_c(loss: str, outputs: int) -> None:
    settings = settings_of("skipgram", loss, dimensions=20, ngrams=NGRAMS)
    tables = Tables(settings, vocabulary_of(500))
    assert tables.input.shape == (517, 20)
    assert tables.output.shape == (outputs, 20)
    assert not tables.output.numpy().any()
    values = np.sort(tables.input.numpy().ravel())
    np.testing.assert_allclose(values, np.linspace(-0.025, 0.025, len(values)), atol=1e-3)
    other = Tables(settings.model_copy(update={"seed": 2}), vocabulary_of(500))
    assert not (other.input.numpy() == tables.input.numpy()).any()
    # Vectors of many words are computed in parts.
    words = 2 * model_module._COMPOSE_BATCH + 5
    many = Tables(settings_of("skipgram", "negative_sampling", dimensions=2), vocabulary_of(words))
    np.testing.assert_array_equal(many.word_vectors(), many.input.numpy())
