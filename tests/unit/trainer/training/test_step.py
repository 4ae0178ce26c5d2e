"""A step: accumulation, weights of classes, precision, tables of which rows alone are touched, and its graph."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.training import precision
from trainer.training.step import Step

PLAIN = {
    **{"encoder": "average", "embedding": 4, "bigrams": None, "label_smoothing": 0},
    **{"word_dropout": 0, "spatial_dropout": 0, "dropout": 0, "learning_rate": 0.1},
}
RECURRENT = {"encoder": "rnn", "units": 3, "bidirectional": False}
VOCABULARY = 10


def documents(rows: int, seed: int = 0) -> dict[str, tf.Tensor]:
    """Documents of three classes."""
    random = np.random.default_rng(seed)
    length = random.integers(1, 7, rows)
    tokens = np.where(np.arange(6) < length[:, None], random.integers(1, VOCABULARY, (rows, 6)), 0)
    return {name: tf.constant(v) for name, v in {"tokens": tokens, "length": length, "label": tokens[:, 0] % 3}.items()}


def part(batch: dict[str, tf.Tensor], start: int, stop: int) -> dict[str, tf.Tensor]:
    return {name: values[start:stop] for name, values in batch.items()}


def make(class_weights: list[float] | None = None, **values: object) -> Step:
    settings = ClassifierSettings.model_validate({**PLAIN, **values})
    keras.utils.set_random_seed(1)
    with precision.policy(settings):
        model = classifier.build(settings, VOCABULARY, 3)
        return Step(model, SingleLabel(settings, "abc"), class_weights)


def weights(step: Step) -> list[np.ndarray]:
    return [variable.numpy() for variable in step.model.trainable_variables]


def differences(step: Step, other: Step) -> float:
    return max(np.abs(a - b).max() for a, b in zip(weights(step), weights(other), strict=True))


@pytest.mark.parametrize("values", [{"optimizer": "adam", **RECURRENT}, {"optimizer": "sgd"}])
@pytest.mark.parametrize("class_weights", [None, [3.0, 1.0, 0.2]])
def test_gathered_batches_make_the_step_of_one_batch(values: dict, class_weights: list[float] | None) -> None:
    # Of unlike sizes: a mean of means would be another gradient. Clipping is of the whole.
    whole = make(class_weights, **values, clip_norm=0.1)
    gathered = make(class_weights, **values, clip_norm=0.1, accumulate=3)
    for number in (1, 2):
        batch = documents(12, number)
        whole.train(batch, number)
        for bounds in ((0, 2), (2, 5), (5, 12)):
            gathered.gather(part(batch, *bounds))
        gathered.apply_gathered(number)
    assert differences(whole, gathered) < 1e-6
    (one, _), (other, _) = whole.running.read(), gathered.running.read()
    np.testing.assert_allclose(other, one, rtol=1e-5)
    assert one.largest_norm > 0.1


def test_a_weight_of_2_counts_as_the_document_twice() -> None:
    batch = documents(8)
    labels = batch["label"].numpy()
    twice = np.concatenate([np.arange(8), np.flatnonzero(labels == 1)])
    weighted, doubled = make([1.0, 2.0, 1.0]), make()
    weighted.train(batch, 1)
    doubled.train({name: tf.gather(values, twice) for name, values in batch.items()}, 1)
    assert differences(weighted, doubled) < 1e-6
    reading, _ = weighted.running.read()
    assert (reading.weight, reading.targets) == (len(twice), 8)
    expected, _ = doubled.running.read()
    assert reading.loss == pytest.approx(expected.loss, rel=1e-6)


def test_weights_of_classes_leave_evaluation_as_it_is() -> None:
    weighted, plain = make([5.0, 0.0, 1.0]), make()
    for step in (weighted, plain):
        step.evaluate(documents(8))
    assert weighted.evaluated.read() == plain.evaluated.read()


def test_a_batch_without_weight_changes_nothing() -> None:
    step = make([0.0, 0.0, 0.0], optimizer="sgd")
    before = weights(step)
    step.train(documents(4), 1)
    for weight, start in zip(weights(step), before, strict=True):
        np.testing.assert_array_equal(weight, start)
    assert step.running.read()[1] is None


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
def test_rows_of_words_that_are_not_in_a_batch_stay(optimizer: str) -> None:
    step, batch = make(optimizer=optimizer), documents(2)
    before = step.model.get_layer("embedding").embeddings.numpy()
    step.train(batch, 1)
    changed = (step.model.get_layer("embedding").embeddings.numpy() != before).any(axis=1)
    real = [tokens[:length] for tokens, length in zip(batch["tokens"].numpy(), batch["length"].numpy(), strict=True)]
    assert set(np.flatnonzero(changed)) <= set(np.concatenate(real))
    assert changed.any()


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_a_lower_precision_takes_about_the_same_step_of_float32_weights(kind: str) -> None:
    lower, full = make(precision=kind, optimizer="sgd", **RECURRENT), make(optimizer="sgd", **RECURRENT)
    for step in (lower, full):
        step.train(documents(8), 1)
    assert {variable.dtype for variable in lower.model.trainable_variables} == {"float32"}
    assert lower.model.get_layer("gru").compute_dtype == kind
    assert differences(lower, full) < 2e-3
    assert lower.running.read()[0].loss == pytest.approx(full.running.read()[0].loss, rel=2e-2)
    assert keras.config.dtype_policy().name == "float32"


def test_float16_leaves_a_step_out_that_overflows_and_halves_the_scale() -> None:
    step, batch = make(precision="float16", optimizer="sgd"), documents(8)
    step.optimizer.dynamic_scale.assign(2.0**40)
    before = weights(step)
    step.train(batch, 1)
    for weight, start in zip(weights(step), before, strict=True):
        np.testing.assert_array_equal(weight, start)
    assert float(step.optimizer.dynamic_scale) == 2.0**39
    assert step.running.read()[1] is None
    step.optimizer.dynamic_scale.assign(2.0**10)
    step.train(batch, 2)
    assert step.running.read()[0].norm > 0


@pytest.mark.parametrize("values", [{}, {"accumulate": 2}, {"precision": "float16"}, {"optimizer": "adagrad"}])
def test_a_step_is_one_graph_that_calls_nothing_on_the_host(values: dict) -> None:
    step = make(**values, **RECURRENT)
    functions = (
        [step._train, step._evaluate] if step._settings.accumulate == 1 else [step._gather, step._apply_gathered]
    )
    for function in functions:
        graph = function.get_concrete_function().graph.as_graph_def()
        nodes = [*graph.node, *(node for inner in graph.library.function for node in inner.node_def)]
        assert not {node.op for node in nodes} & {"PyFunc", "EagerPyFunc", "PyFuncStateless", "HostCompute", "Print"}


def test_the_first_step_that_is_not_finite_is_told_when_it_is_read_later() -> None:
    step = make(optimizer="sgd", learning_rate=1e38, clip_norm=None)
    for number in range(1, 6):
        step.train(documents(8, number), number)
    _, diverged = step.running.read()
    assert diverged is not None
    assert 1 < diverged.step < 5
    assert diverged.rate == pytest.approx(1e38)
    assert not (np.isfinite(diverged.loss) and np.isfinite(diverged.norm))
