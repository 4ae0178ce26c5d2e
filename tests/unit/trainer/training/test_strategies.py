"""Two devices or two processes that share every batch end like one device, even if one process is killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
PLAIN = {
    **{"embedding": 4, "units": 3, "word_dropout": 0, "spatial_dropout": 0, "dropout": 0, "learning_rate": 0.05},
    **{"bigrams": {"buckets": 20, "width": 2}, "epochs": 2, "patience": 2, "checkpoint_steps": 2},
}
CASES = {
    "adam": {},
    "sparse": {"optimizer": "adagrad", "clip_norm": 0.1},
    "gathered": {"accumulate": 3, "optimizer": {"name": "sgd", "momentum": 0.9}},
    "dropout": {"dropout": 0.5, "recurrent_dropout": 0.2},
}
TRAIN = """
import json, sys
import keras
import numpy as np
import tensorflow as tf
from tests.processes import kill_when
from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.jobs import workers
from trainer.training import strategies
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop

cases, killed_at = json.loads(sys.argv[1])
if any(values["strategy"] == "mirrored" for values, _ in cases):
    (processor,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
# The last batch has a single document, which cannot be shared.
SIZES = (4, 5, 7, 2, 6, 1)


def batches(epoch, position=None):
    random = np.random.default_rng(epoch)
    for number, rows in enumerate(SIZES, 1):
        length = random.integers(1, 7, rows)
        tokens = np.where(np.arange(6) < length[:, None], random.integers(4, 10, (rows, 6)), 0)
        place = np.array([epoch, 0, number, 0])
        batch = {"tokens": tokens, "length": length, "label": tokens[:, 0] % 2, "position": place}
        if position is None or number > position[2]:
            yield {name: tf.constant(values) for name, values in batch.items()}


def trained(values, directory):
    settings = ClassifierSettings.model_validate(values)
    strategy = strategies.make(settings.strategy)
    keras.utils.set_random_seed(1)
    with strategy.scope():
        model = classifier.build(settings, 10, 2)
        loop = Loop(model, SingleLabel(settings, "ab"), [1.0, 2.0])
    chief = workers.is_chief(settings.strategy)
    checkpoints = Checkpoints(directory, model.variables, loop.variables, writes=chief)
    began = checkpoints.restore().step
    state = loop.run(batches, list(batches(99)), sum(SIZES), checkpoints, lambda *epoch: None)
    names = ("loss", "accuracy", "eval_loss", "eval_accuracy", "largest_gradient_norm")
    history = [[figures[name] for name in names] for figures in state.history]
    local = [strategy.experimental_local_results(variable.value) for variable in model.trainable_variables]
    return [[copy.numpy().ravel().tolist() for copy in copies] for copies in local], history, began


if killed_at:
    kill_when(lambda found: (found.values["epoch"], found.done) >= tuple(killed_at))
print(json.dumps([trained(*case) for case in cases]))
"""


@contextlib.contextmanager
def started(
    cases: list, worker: int = 0, ports: tuple[int, ...] = (), killed_at: tuple[int, int] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Starts a process that trains; it is killed if it is still running at the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if ports:
        cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
        environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": worker}})
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", TRAIN, json.dumps([cases, killed_at])]
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def result(process: subprocess.Popen[str]) -> list:
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The results of one and of two devices for each case."""
    ways = ("one_device", "mirrored")
    values = [{**PLAIN, **values, "strategy": way} for values in CASES.values() for way in ways]
    with started([[one, str(tmp_path_factory.mktemp("devices"))] for one in values]) as process:
        results = result(process)
    return dict(zip(CASES, zip(results[::2], results[1::2], strict=True), strict=True))


def assert_same(one: list, other: list) -> None:
    """Asserts that all copies of the weights and the figures are those of one device."""
    np.testing.assert_allclose(other[1], one[1], rtol=1e-4)
    for (weights,), copies in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(copies, [weights] * len(copies), atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_two_devices_train_like_one_and_keep_the_same_weights(found: dict, case: str) -> None:
    one, two = found[case]
    assert all(first == second for first, second in two[0])
    assert np.isfinite(two[1]).all()
    if case != "dropout":
        assert_same(one, two)


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        for listening in (one, two):
            listening.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def test_two_workers_train_like_one_even_if_one_is_killed(tmp_path: Path) -> None:
    with started([[{**PLAIN, "strategy": "one_device"}, str(tmp_path / "one")]]) as process:
        (alone,) = result(process)
    shared, ports = [[{**PLAIN, "strategy": "multi_worker"}, str(tmp_path / "two")]], free_ports()
    with started(shared, 0, ports) as chief, started(shared, 1, ports, (2, 15)) as worker:
        _, err = worker.communicate()
        assert worker.returncode == -signal.SIGKILL, err
        # The remaining worker cannot continue, and fails.
        chief.communicate()
        assert chief.returncode != 0
    ports = free_ports()
    with started(shared, 0, ports) as chief, started(shared, 1, ports) as worker:
        (together,) = result(chief)
        result(worker)
    # The second epoch's steps are 7 to 12; its first 15 documents are in more than two of them.
    assert together[2] == 8
    assert_same(alone, together)
