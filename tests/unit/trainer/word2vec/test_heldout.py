"""The loss of held-out documents against a loop over their pairs."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from trainer.vectors.vector_words import Vocabulary
from trainer.word2vec.heldout import HeldOut
from trainer.word2vec.model import lookup
from trainer.word2vec.settings import Word2vecSettings

WORDS = 9
COUNTS = np.arange(2 * WORDS, WORDS, -1)
VOCABULARY = Vocabulary([f"w{row}" for row in range(WORDS)], COUNTS)
MODELS = [(model, loss) for model in ("skipgram", "cbow") for loss in ("negative_sampling", "hierarchical_softmax")]
BOS, EOS = 2, 3
# Reserved words, words, buckets of unknown words.
DOCUMENTS = st.lists(st.lists(st.integers(0, 3 + WORDS + 3), max_size=30), max_size=8)


class Measured:
    """A function from documents of ids to their losses and predictions."""

    def __init__(self, model: str, loss: str, **values) -> None:
        self.settings = Word2vecSettings.model_validate({"model": model, "loss": loss, "window": 3, **values})
        random, outputs = np.random.default_rng(1), WORDS - (loss == "hierarchical_softmax")
        drawn = (random.normal(size=(rows, 5)) for rows in (WORDS, outputs))
        self.inputs, self.outputs = (tf.Variable(values, dtype=tf.float32) for values in drawn)
        held_out = HeldOut(self.settings, VOCABULARY)
        signature = [tf.RaggedTensorSpec([None, None], tf.int64, 1, tf.int64)]
        self._measure = tf.function(
            lambda tokens: held_out(tokens, lookup(self.inputs), lookup(self.outputs)), input_signature=signature
        )

    def __call__(self, documents: list[list[int]]) -> tuple[list[float], list[float]]:
        values = tf.constant([token for document in documents for token in document], tf.int64)
        lengths = tf.constant([len(document) for document in documents], tf.int64)
        loss, predictions = self._measure(tf.RaggedTensor.from_row_lengths(values, lengths))
        assert loss.dtype == predictions.dtype == tf.float32
        return loss.numpy().tolist(), predictions.numpy().tolist()


SEGMENTED = [(model, "negative_sampling", "segment") for model in ("skipgram", "cbow")]


@pytest.fixture(scope="module", params=[*((*names, "document") for names in MODELS), *SEGMENTED], ids="-".join)
def measured(request: pytest.FixtureRequest) -> Measured:
    """With an exponent at which every negative is the most frequent word."""
    model, loss, boundary = request.param
    return Measured(model, loss, noise_exponent=200.0, boundary=boundary)


def expected(pair_by_pair, measured: Measured, documents: list[list[int]]) -> tuple[list[float], list[float]]:
    """Sums of whole windows within each stretch of text between the boundaries."""
    settings = measured.settings
    reference = pair_by_pair(settings, COUNTS, measured.inputs.numpy(), measured.outputs.numpy())
    losses, predictions = [], []
    for document in documents:
        stretches: list[list[int]] = [[]]
        for token in document:
            if settings.boundary == "segment" and token in (BOS, EOS):
                stretches.append([])
            elif 4 <= token < 4 + WORDS:
                stretches[-1].append(token - 4)
        loss = predicted = 0
        for rows in stretches:
            left = [min(settings.window, place) for place in range(len(rows))]
            right = left[::-1]
            sizes = np.add(left, right)
            loss += reference.step(rows, left, right, [[0]] * len(rows), 0.0)[0].sum()
            predicted += sizes.sum() if settings.model == "skipgram" else (sizes > 0).sum()
        losses.append(loss)
        predictions.append(predicted)
    return losses, predictions


def test_documents_have_the_sums_of_their_pairs(measured: Measured, pair_by_pair) -> None:
    @hypothesis_settings(max_examples=15)
    @given(DOCUMENTS)
    @example([])
    @example([[], [5], [1, 0, 99, 3]])
    @example([[BOS, 4, 5, 6, EOS, BOS, 7, EOS, BOS, 4, 4, EOS], [BOS, EOS], [5, 6]])
    def check(documents: list[list[int]]) -> None:
        losses, predictions = expected(pair_by_pair, measured, documents)
        found = measured(documents)
        np.testing.assert_allclose(found[0], losses, rtol=1e-4, atol=1e-4)
        assert found[1] == predictions

    check()


def test_words_have_no_neighbors_in_other_documents(measured: Measured) -> None:
    """Even with more words than are measured together."""
    documents = [[4 + (7 * number + place) % WORDS for place in range(number)] for number in range(0, 200, 4)]
    assert sum(map(len, documents)) > 4_096
    together = measured(documents)
    alone = [measured([document]) for document in documents]
    np.testing.assert_allclose(together[0], [loss for (loss,), _ in alone], rtol=1e-5)
    assert together[1] == [predicted for _, (predicted,) in alone]


@pytest.mark.parametrize(("model", "loss"), MODELS)
def test_measurements_do_not_depend_on_random_draws_in_training(model: str, loss: str) -> None:
    documents = [[4 + (number * place + number) % WORDS for place in range(20)] for number in range(10)]
    tf.random.set_seed(1)
    first = Measured(model, loss, seed=1, subsample=1e-9, window_reduction=True, shared_negatives=3)
    found = first(documents)
    tf.random.set_seed(2)
    # Settings of random draws in training have no effect here.
    other = Measured(model, loss, seed=2, subsample=None, window_reduction=False, shared_negatives=9)
    assert first(documents) == found
    assert other(documents) == found
