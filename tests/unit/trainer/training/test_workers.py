"""Two processes that share every batch end where one does, also when one of them is killed on the way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
TRAIN = """
import json, logging, os, signal, sys
import numpy as np
import tensorflow as tf
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.training import strategies

values, directory, killed_at = json.loads(sys.argv[1])
settings = ClassifierSettings.model_validate(values)
strategy = strategies.make(settings.strategy)

import keras
from trainer.classifier import model as classifier
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop

# The last batch has a single document, which cannot be shared.
SIZES = (4, 5, 7, 2, 6, 1)


class Killer(logging.Handler):
    def emit(self, record):
        found = record.progress
        if killed_at and (found.values["epoch"], found.done) >= tuple(killed_at):
            os.kill(os.getpid(), signal.SIGKILL)


def batches(epoch, position=None):
    random = np.random.default_rng(epoch)
    for number, rows in enumerate(SIZES, 1):
        length = random.integers(1, 7, rows)
        tokens = np.where(np.arange(6) < length[:, None], random.integers(4, 10, (rows, 6)), 0)
        place = np.array([epoch, 0, number, 0])
        batch = {"tokens": tokens, "length": length, "label": tokens[:, 0] % 2, "position": place}
        if position is None or number > position[2]:
            yield {name: tf.constant(values) for name, values in batch.items()}


logging.getLogger("seqloom.progress").addHandler(Killer())
logging.getLogger("seqloom.progress").setLevel(logging.INFO)
keras.utils.set_random_seed(1)
with strategy.scope():
    model = classifier.build(settings, 10, 2)
    loop = Loop(model, SingleLabel(settings, "ab"))
chief = strategies.is_chief(settings.strategy)
checkpoints = Checkpoints(directory, model.variables, loop.variables, writes=chief)
began = checkpoints.restore()
state = loop.run(batches, list(batches(99)), sum(SIZES), checkpoints, lambda *epoch: None)
names = ("loss", "accuracy", "eval_loss", "eval_accuracy", "largest_gradient_norm")
history = [[figures[name] for name in names] for figures in state.history]
weights = [variable.numpy().ravel().tolist() for variable in model.trainable_variables]
print(json.dumps([weights, history, began.step]))
"""
SETTINGS = {
    **{"embedding": 4, "units": 3, "word_dropout": 0, "spatial_dropout": 0, "dropout": 0, "bigrams": None},
    **{"learning_rate": 0.05, "epochs": 2, "patience": 2, "checkpoint_steps": 2},
}


@contextlib.contextmanager
def started(strategy: str, directory: Path, worker: int = 0, ports: tuple[int, ...] = (), killed_at=None):
    """Starts a process; what is left of it at the end is killed."""
    argument = json.dumps([{**SETTINGS, "strategy": strategy}, str(directory), killed_at])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if ports:
        cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
        environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": worker}})
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", TRAIN, argument], env=environment, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        for listening in (one, two):
            listening.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def test_two_workers_train_as_one_also_when_one_is_killed(tmp_path: Path) -> None:
    with started("one_device", tmp_path / "one") as process:
        out, err = process.communicate()
        assert process.returncode == 0, err
        weights, history, _ = json.loads(out)
    shared, ports = tmp_path / "two", free_ports()
    with (
        started("multi_worker", shared, 0, ports) as chief,
        started("multi_worker", shared, 1, ports, (2, 15)) as worker,
    ):
        _, err = worker.communicate()
        assert worker.returncode == -signal.SIGKILL, err
        # The one that is left cannot go on, and says so.
        _, err = chief.communicate()
        assert chief.returncode != 0
    ports = free_ports()
    with started("multi_worker", shared, 0, ports) as chief, started("multi_worker", shared, 1, ports) as worker:
        out, err = chief.communicate()
        assert chief.returncode == 0, err
        _, err = worker.communicate()
        assert worker.returncode == 0, err
    found, again, began = json.loads(out)
    # The second epoch's steps are 7 to 12, and 15 documents are past its third.
    assert began == 8
    np.testing.assert_allclose(again, history, rtol=1e-4)
    for one, two in zip(weights, found, strict=True):
        np.testing.assert_allclose(two, one, atol=1e-5)
