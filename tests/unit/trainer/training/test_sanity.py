"""The learning check: models that pass and fail, and no effect on the training."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.errors import JobError
from trainer.training import sanity
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop

VOCABULARY, CLASSES, ROWS, TIME = 12, 3, 6, 5
SETTINGS = ClassifierSettings.model_validate(
    {"embedding": 8, "units": 6, "bidirectional": False, "bigrams": None, "epochs": 2, "learning_rate": 2e-3}
)


def make_batches(count: int = 2) -> list[dict[str, tf.Tensor]]:
    """Documents of distinct words, with classes that skew to the first."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(count):
        tokens = np.stack([random.permutation(np.arange(4, VOCABULARY))[:TIME] for _ in range(ROWS)])
        label = random.choice(CLASSES, ROWS, p=[0.7, 0.2, 0.1])
        batch = {"tokens": tokens, "length": np.full(ROWS, TIME), "label": label}
        found.append({name: tf.constant(value) for name, value in batch.items()})
    return found


def build() -> keras.Model:
    keras.utils.set_random_seed(1)
    return classifier.build(SETTINGS, VOCABULARY, CLASSES)


def check(model: keras.Model, batches: list[dict[str, tf.Tensor]] | None = None) -> sanity.Findings:
    return sanity.check(model, SingleLabel(SETTINGS, "abc"), batches or make_batches())


def refused(model: keras.Model, *parts: str, batches: list[dict[str, tf.Tensor]] | None = None) -> None:
    """Asserts that the check fails with a message, and restores the weights."""
    before = values(model)
    with pytest.raises(JobError) as caught:
        check(model, batches)
    for part in parts:
        assert part in str(caught.value)
    assert values(model) == before


def values(model: keras.Model) -> list[bytes]:
    return [variable.numpy().tobytes() for variable in model.variables]


def test_a_sound_model_starts_at_the_entropy_of_a_uniform_guess_and_overfits() -> None:
    findings = check(build())
    assert findings.chance_loss == pytest.approx(math.log(CLASSES), rel=1e-6)
    assert findings.start_loss == pytest.approx(findings.chance_loss, rel=0.1)
    assert findings.overfitted_loss < 0.2 * math.log(CLASSES)
    assert 2 <= findings.steps <= 300


@pytest.mark.parametrize("scale", [100, np.nan])
def test_logits_of_a_wrong_scale_are_not_at_chance_level(scale: float) -> None:
    model = build()
    kernel = model.get_layer("logits").kernel
    kernel.assign(kernel * scale)
    refused(model, "the initial loss is not at chance level", "within 10% of 1.099")


@pytest.mark.parametrize("frozen", ["all", "cut"])
def test_without_a_gradient_two_batches_cannot_be_overfitted(frozen: str) -> None:
    model = build()
    if frozen == "all":
        model.trainable = False
    else:
        model = keras.Model(model.inputs, keras.layers.Lambda(tf.stop_gradient)(model.output))
    refused(model, "two batches cannot be overfitted", "no trained weight has a gradient")


def test_indistinguishable_documents_cannot_be_overfitted() -> None:
    model = build()
    for layer in model.layers:
        layer.trainable = layer.name == "logits"
    same = [{**batch, "tokens": tf.fill([ROWS, TIME], tf.constant(5, tf.int64))} for batch in make_batches()]
    refused(model, "two batches cannot be overfitted", "after 300 steps", batches=same)


def test_training_is_the_same_after_the_check(tmp_path: Path) -> None:
    found = []
    for checked in (True, False):
        model, batches = build(), make_batches()
        if checked:
            check(model)
        loop = Loop(model, SingleLabel(SETTINGS, "abc"))
        data = tf.data.Dataset.from_tensor_slices({name: np.stack([b[name] for b in batches]) for name in batches[0]})
        loop.run(
            train=lambda epoch, position, data=data: data,
            evaluate=data,
            total=2 * ROWS,
            checkpoints=Checkpoints(str(tmp_path / str(checked)), model.variables, loop.variables),
            on_epoch=lambda number, figures: None,
        )
        found.append(values(model))
    assert found[0] == found[1]
