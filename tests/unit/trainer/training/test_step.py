"""A step: accumulation, weights of classes and documents, precision, updates of single rows, and its graph."""

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
from trainer.training import precision
from trainer.training.step import Step

DROPOUTS = {"word_dropout": 0, "spatial_dropout": 0, "dropout": 0, "label_smoothing": 0, "learning_rate": 0.1}
PLAIN = {"encoder": "average", "embedding": 4, "bigrams": None}
RECURRENT = {"embedding": 4, "units": 3, "bidirectional": False}
RNN = {"encoder": "rnn", **RECURRENT}
VOCABULARY = 10
TASKS: Mapping[str, tuple[Any, ...]] = {
    "classifier": (ClassifierSettings, classifier.build, SingleLabel),
    "multi_label": (ClassifierSettings, classifier.build, MultiLabel),
    "tagger": (TaggerSettings, tagger.build, TagHead),
}


def documents(rows: int, seed: int = 0) -> dict[str, tf.Tensor]:
    """Documents of three classes with targets of all tasks, of weights 0 to 3."""
    random = np.random.default_rng(seed)
    length = random.integers(1, 7, rows)
    tokens = np.where(np.arange(6) < length[:, None], random.integers(1, VOCABULARY, (rows, 6)), 0)
    found = {"tokens": tokens, "length": length, "label": tokens[:, 0] % 3, "tags": tokens % 3}
    found["labels"] = np.stack([tokens[:, 0] % 3, np.where(length > 3, -1, 2)], axis=1)
    found["weight"] = (np.arange(rows) % 4).astype(np.float32)
    return {name: tf.constant(values) for name, values in found.items()}


def make(
    class_weights: list[float] | None = None, *, task: str = "classifier", weighted: bool = False, **values: object
) -> Step:
    model, build, head = TASKS[task]
    settings = model.model_validate({**(RECURRENT if task == "tagger" else PLAIN), **DROPOUTS, **values})
    keras.utils.set_random_seed(1)
    with precision.policy(settings):
        return Step(build(settings, VOCABULARY, 3), head(settings, "abc"), class_weights, weighted=weighted)


def weights(step: Step) -> list[np.ndarray]:
    return [variable.numpy() for variable in step.model.trainable_variables]


def differences(step: Step, other: Step) -> float:
    return max(np.abs(a - b).max() for a, b in zip(weights(step), weights(other), strict=True))


@pytest.mark.parametrize(
    "values", [{"optimizer": "adam", **RNN}, {"optimizer": "sgd"}, {"optimizer": "sgd", "weighted": True}]
)
@pytest.mark.parametrize("class_weights", [None, [3.0, 1.0, 0.2]])
def test_gathered_batches_equal_one_large_batch(values: dict, class_weights: list[float] | None) -> None:
    # With different sizes the mean of means is a different gradient. Clipping applies to the whole.
    whole = make(class_weights, **values, clip_norm=0.1)
    gathered = make(class_weights, **values, clip_norm=0.1, accumulate=3)
    for number in (1, 2):
        batch = documents(12, number)
        whole.train(batch, number)
        for bounds in ((0, 2), (2, 5), (5, 12)):
            gathered.gather({name: values[slice(*bounds)] for name, values in batch.items()})
        gathered.apply_gathered(number)
    assert differences(whole, gathered) < 1e-6
    (one, _), (other, _) = whole.running.read(), gathered.running.read()
    np.testing.assert_allclose(other, one, rtol=1e-5)
    assert one.largest_norm > 0.1


WEIGHTS = [*((task, None) for task in TASKS), ("classifier", [3.0, 1.0, 0.5]), ("classifier", "doubled")]


@pytest.mark.parametrize(("task", "class_weights"), WEIGHTS)
def test_a_document_or_class_of_weight_2_counts_twice(task: str, class_weights: Any) -> None:
    batch, doubled = documents(6), class_weights == "doubled"
    times = 1 + tf.cast(batch["label"] == 1, tf.int32) if doubled else tf.cast(batch["weight"], tf.int32)
    weighted = make([1.0, 2.0, 1.0] if doubled else class_weights, task=task, weighted=not doubled, optimizer="sgd")
    plain = make(None if doubled else class_weights, task=task, optimizer="sgd")
    weighted.train(batch, 1)
    plain.train({name: tf.repeat(values, times, axis=0) for name, values in batch.items()}, 1)
    assert differences(weighted, plain) < 1e-6
    (found, _), (expected, _) = weighted.running.read(), plain.running.read()
    assert (found.loss, found.weight) == pytest.approx((expected.loss, expected.weight), rel=1e-6)
    assert found.targets == (6 if task != "tagger" else int(tf.reduce_sum(batch["length"])))


@pytest.mark.parametrize("class_weights", [None, [3.0, 1.0, 0.5]])
@pytest.mark.parametrize("clip_norm", [None, 1e6, 0.01])
def test_a_step_follows_the_clipped_gradient_of_the_weighted_mean(clip_norm, class_weights) -> None:
    step = make(class_weights, weighted=bool(class_weights), optimizer="sgd", clip_norm=clip_norm)
    batch, before = documents(6), weights(step)
    given = np.array(class_weights)[batch["label"].numpy()] * batch["weight"].numpy() if class_weights else np.ones(6)
    with tf.GradientTape() as tape:
        logits = step.model([batch["tokens"], batch["length"]], training=False)
        losses = -tf.gather(tf.nn.log_softmax(logits), batch["label"], batch_dims=1)
        mean = tf.reduce_sum(losses * given.astype(np.float32)) / given.sum()
    sparse = tape.gradient(mean, [variable.value for variable in step.model.trainable_variables])
    gradients = [tf.convert_to_tensor(gradient).numpy() for gradient in sparse]
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    step.train(batch, 1)
    reading, diverged = step.running.read()
    assert diverged is None
    assert (reading.weight, reading.targets) == (given.sum(), 6)
    assert reading.figures()["loss"] == pytest.approx(float(mean), rel=1e-5)
    assert reading.correct == (logits.numpy().argmax(axis=1) == batch["label"].numpy()).sum()
    assert reading.norm == reading.largest_norm == pytest.approx(norm, rel=1e-5)
    scale = 1 if clip_norm is None else min(1, clip_norm / norm)
    for weight, start, gradient in zip(weights(step), before, gradients, strict=True):
        np.testing.assert_allclose(weight, start - 0.1 * scale * gradient, atol=2e-6)


@pytest.mark.parametrize("task", TASKS)
def test_evaluation_is_unweighted(task: str) -> None:
    weighted, plain = make([5.0, 0.0, 1.0] if task == "classifier" else None, task=task, weighted=True), make(task=task)
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
def test_rows_of_words_outside_the_batch_do_not_change(optimizer: str) -> None:
    step, batch = make(optimizer=optimizer), documents(2)
    before = step.model.get_layer("embedding").embeddings.numpy()
    step.train(batch, 1)
    changed = (step.model.get_layer("embedding").embeddings.numpy() != before).any(axis=1)
    real = [tokens[:length] for tokens, length in zip(batch["tokens"].numpy(), batch["length"].numpy(), strict=True)]
    assert set(np.flatnonzero(changed)) <= set(np.concatenate(real))
    assert changed.any()


@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_lower_precision_takes_about_the_same_step_with_float32_weights(kind: str) -> None:
    lower, full = make(precision=kind, optimizer="sgd", **RNN), make(optimizer="sgd", **RNN)
    for step in (lower, full):
        step.train(documents(8), 1)
    assert {variable.dtype for variable in lower.model.trainable_variables} == {"float32"}
    assert lower.model.get_layer("gru").compute_dtype == kind
    assert differences(lower, full) < 2e-3
    assert lower.running.read()[0].loss == pytest.approx(full.running.read()[0].loss, rel=2e-2)
    assert keras.config.dtype_policy().name == "float32"


def test_float16_skips_a_step_that_overflows_and_halves_the_scale() -> None:
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
def test_a_step_is_one_graph_without_calls_to_the_host(values: dict) -> None:
    step = make(**values, **RNN)
    gathers = step._settings.accumulate > 1
    for function in (step._gather, step._apply_gathered) if gathers else (step._train, step._evaluate):
        graph = function.get_concrete_function().graph.as_graph_def()
        nodes = [*graph.node, *(node for inner in graph.library.function for node in inner.node_def)]
        assert not {node.op for node in nodes} & {"PyFunc", "EagerPyFunc", "PyFuncStateless", "HostCompute", "Print"}


def test_the_first_step_that_is_not_finite_is_reported_later() -> None:
    step = make(optimizer="sgd", learning_rate=1e38, clip_norm=None)
    for number in range(1, 6):
        step.train(documents(8, number), number)
    _, diverged = step.running.read()
    assert diverged is not None
    assert 1 < diverged.step < 5
    assert diverged.rate == pytest.approx(1e38)
    assert not (np.isfinite(diverged.loss) and np.isfinite(diverged.norm))
