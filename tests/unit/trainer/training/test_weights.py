"""Weights of documents in the training loss, against repeated documents and NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.multi_label import MultiLabel
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.tagger import model as tagger
from trainer.tagger.settings import TaggerSettings
from trainer.tagger.training import TagHead
from trainer.training.step import Step

PLAIN = {
    **{"embedding": 4, "units": 3, "bidirectional": False, "label_smoothing": 0, "learning_rate": 0.1},
    **{"word_dropout": 0, "spatial_dropout": 0, "dropout": 0, "optimizer": "sgd"},
}
TASKS: Mapping[str, tuple[Any, ...]] = {
    "classifier": (ClassifierSettings, classifier.build, SingleLabel),
    "multi_label": (ClassifierSettings, classifier.build, MultiLabel),
    "tagger": (TaggerSettings, tagger.build, TagHead),
}
COUNTS = [1, 2, 0, 3, 1, 1]


def make(task: str, weighted: bool, class_weights: list[float] | None = None, **values: object) -> Step:
    settings_class, build, head = TASKS[task]
    settings = settings_class.model_validate({**PLAIN, **values})
    keras.utils.set_random_seed(1)
    return Step(build(settings, 10, 3), head(settings, "abc"), class_weights, weighted=weighted)


def batch() -> dict[str, tf.Tensor]:
    random = np.random.default_rng(0)
    length = random.integers(1, 7, 6)
    tokens = np.where(np.arange(6) < length[:, None], random.integers(4, 10, (6, 6)), 0)
    numbers = {"tokens": tokens, "length": length, "label": tokens[:, 0] % 3, "tags": tokens % 3}
    numbers["labels"] = np.stack([tokens[:, 0] % 3, np.where(length > 3, -1, 2)], axis=1)
    return {**{name: tf.constant(value) for name, value in numbers.items()}, "weight": tf.constant(COUNTS, tf.float32)}


def repeated() -> dict[str, tf.Tensor]:
    return {name: tf.repeat(values, COUNTS, axis=0) for name, values in batch().items()}


@pytest.mark.parametrize(("task", "class_weights"), [(t, None) for t in TASKS] + [("classifier", [3.0, 1.0, 0.5])])
def test_a_document_of_weight_2_counts_as_two(task: str, class_weights: list[float] | None) -> None:
    weighted, plain = make(task, True, class_weights), make(task, False, class_weights)
    weighted.train(batch(), 1)
    plain.train(repeated(), 1)
    for one, other in zip(weighted.model.variables, plain.model.variables, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    (found, _), (expected, _) = weighted.running.read(), plain.running.read()
    assert (found.loss, found.weight) == pytest.approx((expected.loss, expected.weight), rel=1e-6)
    assert found.targets == (6 if task != "tagger" else int(tf.reduce_sum(batch()["length"])))


def test_gathered_batches_make_the_step_of_one_batch() -> None:
    whole, gathered = make("classifier", True), make("classifier", True, accumulate=2)
    whole.train(batch(), 1)
    for part in (slice(0, 2), slice(2, 6)):
        gathered.gather({name: values[part] for name, values in batch().items()})
    gathered.apply_gathered(1)
    for one, other in zip(whole.model.variables, gathered.model.variables, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_loss_is_the_weighted_mean_of_class_weight_times_weight_in_numpy() -> None:
    step, by_class = make("classifier", True, [3.0, 1.0, 0.5]), np.array([3.0, 1.0, 0.5])
    given = batch()
    logits = step.logits(given).numpy().astype(np.float64)
    labels = given["label"].numpy()
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(6), labels]
    weights = np.array(COUNTS) * by_class[labels]
    step.train(given, 1)
    reading, _ = step.running.read()
    assert reading.figures()["loss"] == pytest.approx((losses * weights).sum() / weights.sum(), rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_evaluation_stays_unweighted(task: str) -> None:
    weighted, plain = make(task, True), make(task, False)
    for step in (weighted, plain):
        step.evaluate(batch())
    assert weighted.evaluated.read() == plain.evaluated.read()
