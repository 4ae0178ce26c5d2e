"""Two devices that share every batch end where one device does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
PLAIN = {
    **{"embedding": 4, "units": 3, "word_dropout": 0, "spatial_dropout": 0, "dropout": 0, "learning_rate": 0.05},
    "bigrams": {"buckets": 20, "width": 2},
}
CASES = {
    "adam": {},
    "sparse": {"optimizer": "adagrad", "clip_norm": 0.1},
    "gathered": {"accumulate": 3, "optimizer": {"name": "sgd", "momentum": 0.9}},
    "dropout": {"dropout": 0.5, "recurrent_dropout": 0.2},
}
TWO_DEVICES = """
import json, sys, tempfile
import numpy as np
import tensorflow as tf

(processor,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)

import keras
from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.training import strategies
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop

# The last batch has a single document, which cannot be shared.
SIZES = (4, 5, 7, 2, 1)


def batches(seed):
    random = np.random.default_rng(seed)
    for rows in SIZES:
        length = random.integers(1, 7, rows)
        tokens = np.where(np.arange(6) < length[:, None], random.integers(4, 10, (rows, 6)), 0)
        batch = {"tokens": tokens, "length": length, "label": tokens[:, 0] % 2}
        yield {name: tf.constant(values) for name, values in batch.items()}


def trained(values, strategy):
    settings = ClassifierSettings.model_validate({**values, "strategy": strategy, "epochs": 2})
    keras.utils.set_random_seed(1)
    with strategies.make(settings.strategy).scope():
        model = classifier.build(settings, 10, 2)
        loop = Loop(model, SingleLabel(settings, "ab"), [1.0, 2.0])
    checkpoints = Checkpoints(tempfile.mkdtemp(), model.variables, loop.variables)
    state = loop.run(lambda epoch, _: batches(epoch), list(batches(9)), sum(SIZES), checkpoints, lambda *epoch: None)
    copies = [
        [copy.numpy().ravel().tolist() for copy in tf.distribute.get_strategy().experimental_local_results(v.value)]
        if strategy == "one_device" else [copy.numpy().ravel().tolist() for copy in v.value.values]
        for v in model.trainable_variables
    ]
    names = ("loss", "accuracy", "eval_loss", "eval_accuracy", "largest_gradient_norm")
    return copies, [[figures[name] for name in names] for figures in state.history]


cases = json.loads(sys.argv[1])
print(json.dumps([[trained(values, strategy) for strategy in ("one_device", "mirrored")] for values in cases]))
"""


@pytest.fixture(scope="module")
def found() -> dict:
    """What one and two devices make of each case."""
    argument = json.dumps([{**PLAIN, **values} for values in CASES.values()])
    process = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, argument],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return dict(zip(CASES, json.loads(process.stdout), strict=True))


@pytest.mark.parametrize("case", ["adam", "sparse", "gathered"])
def test_two_devices_train_as_one(found: dict, case: str) -> None:
    (one, history), (two, shared) = found[case]
    np.testing.assert_allclose(shared, history, rtol=1e-4)
    for (weights,), copies in zip(one, two, strict=True):
        assert len(copies) == 2
        for copy in copies:
            np.testing.assert_allclose(copy, weights, atol=1e-5)


def test_two_devices_keep_the_same_weights_with_dropout(found: dict) -> None:
    _, (two, shared) = found["dropout"]
    assert np.isfinite(shared).all()
    for first, second in two:
        assert first == second
