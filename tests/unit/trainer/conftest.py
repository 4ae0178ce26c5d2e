"""Recurrent layers in NumPy, one document at a time without padding; trainings, and SavedModels in other processes."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ASK = """
import importlib.util, json, sys
sys.path.append(sys.argv[1])
import tensorflow as tf

assert importlib.util.find_spec("trainer") is None

def plain(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value.tolist()

def tensor(value):
    return tf.constant([one.encode("latin-1") for one in value], tf.string) if isinstance(value, list) else value

model, answers = tf.saved_model.load(sys.argv[2]), {}
for name, (signature, given) in json.load(sys.stdin).items():
    inputs = {key: tensor(value) for key, value in given.items()} if isinstance(given, dict) else {}
    outputs = model.signatures[signature](*([] if inputs else [tensor(given)]), **inputs)
    answers[name] = {key: value.numpy() for key, value in outputs.items()}
print(json.dumps({"signatures": sorted(model.signatures), **answers}, default=plain))
"""

Weight = Callable[[str], np.ndarray]
"""From a part of a variable's path to its value."""


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "sigmoid": sigmoid}


def lstm(x, states, kernel, recurrent, bias, activation) -> tuple[np.ndarray, np.ndarray]:
    state, cell = states
    i, f, c, o = np.split(x @ kernel + state @ recurrent + bias, 4)
    cell = sigmoid(f) * cell + sigmoid(i) * activation(c)
    return sigmoid(o) * activation(cell), cell


def gru(x, states, kernel, recurrent, bias, activation) -> tuple[np.ndarray, np.ndarray]:
    """The reset gate follows the product, as by default in Keras and in cuDNN."""
    state, unused = states
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3)
    s_z, s_r, s_h = np.split(state @ recurrent + bias[1], 3)
    update = sigmoid(x_z + s_z)
    return update * state + (1 - update) * activation(x_h + sigmoid(x_r + s_r) * s_h), unused


def rnn(x, states, kernel, recurrent, bias, activation) -> tuple[np.ndarray, np.ndarray]:
    state, unused = states
    return activation(x @ kernel + state @ recurrent + bias), unused


CELLS = {"lstm": lstm, "gru": gru, "rnn": rnn}
MERGES = {
    "concat": lambda forward, backward: np.concatenate([forward, backward], axis=-1),
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
}


def layer(settings, weight: Weight, inputs: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """States at all steps, float [time, units], and at the end of each direction, float [units]."""

    def states(inputs: np.ndarray, place: str) -> np.ndarray:
        weights = [weight(f"{place}_cell/{part}") for part in ("kernel", "recurrent_kernel", "bias")]
        state, found = np.zeros((2, len(weights[1]))), []
        for x in inputs:
            state = CELLS[settings.cell](x, state, *weights, ACTIVATIONS[settings.activation])
            found.append(state[0])
        return np.array(found)

    cell = {"rnn": "simple_rnn"}.get(settings.cell, settings.cell)
    if not settings.bidirectional:
        forward = states(inputs, f"{name}/{cell}")
        return forward, forward[-1]
    merge = MERGES[settings.merge]
    forward = states(inputs, f"bidirectional_{name}/forward_{name}/{cell}")
    backward = states(inputs[::-1], f"bidirectional_{name}/backward_{name}/{cell}")[::-1]
    return merge(forward, backward), merge(forward[-1], backward[0])


def stack(settings, weight: Weight, inputs: np.ndarray, prefix: str = "") -> tuple[np.ndarray, np.ndarray]:
    """As `layer`, for stacked layers without dropout; with residual connections the last states are meaningless."""
    for number in range(1, settings.layers + 1):
        name = f"{prefix}{settings.cell}" + (f"_{number}" if number > 1 else "")
        states, last = layer(settings, weight, inputs, name)
        if settings.residual and number > 2:
            states = states + inputs
        if settings.layer_norm and number < settings.layers:
            centered = states - states.mean(axis=1, keepdims=True)
            deviation = np.sqrt(states.var(axis=1, keepdims=True) + 1e-3)
            states = centered / deviation * weight(f"{name}_norm/gamma") + weight(f"{name}_norm/beta")
        inputs = states
    return states, last


@pytest.fixture(scope="session")
def recurrent_reference() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """The function `stack`."""
    return stack


@pytest.fixture(scope="session")
def randomized() -> Callable[[object], Weight]:
    """A function that draws a model's weights and returns them by a part of their paths, as float64."""

    def draw(model) -> Weight:
        random = np.random.default_rng(0)
        for variable in model.trainable_variables:
            variable.assign(random.normal(scale=0.5, size=variable.shape))
        values = {variable.path: variable.numpy().astype(np.float64) for variable in model.trainable_variables}

        def weight(part: str) -> np.ndarray:
            (found,) = [value for path, value in values.items() if part in f"/{path}/"]
            return found

        return weight

    return draw


@pytest.fixture(scope="session")
def job_in() -> Callable[..., Any]:
    """A function that makes the TrainingJob of a transformed corpus with all outputs in a folder."""
    from trainer.jobs.training_job import TrainingJob

    def job(corpus, folder: Path) -> TrainingJob:
        outputs = (str(folder / name) for name in ("model", "logs", "checkpoints"))
        return TrainingJob(corpus.transformed["train"], corpus.transformed["eval"], str(corpus.graph), *outputs)

    return job


@pytest.fixture(scope="session")
def records() -> Callable[[list[str]], list[bytes]]:
    """A function that reads the records of compressed files."""
    import tensorflow as tf

    return lambda paths: [record.numpy() for record in tf.data.TFRecordDataset(paths, "GZIP")]


@pytest.fixture(scope="session")
def ask_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """A function that calls signatures of a SavedModel in a process that cannot import this project."""

    def ask(model: Path, **questions: tuple[str, Any]) -> dict[str, Any]:
        """Returns the signatures' names, and the outputs by question: a signature and its strings or arguments."""
        # Without `site` Python reads no .pth file, which would make an editable installation importable.
        command = [sys.executable, "-I", "-S", "-c", ASK, sysconfig.get_path("purelib"), str(model)]
        where, given = (
            tmp_path_factory.mktemp("elsewhere"),
            json.dumps(questions, default=lambda value: value.decode("latin-1")).encode(),
        )
        done = subprocess.run(command, cwd=where, input=given, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        answers: dict[str, Any] = json.loads(done.stdout)
        return answers

    return ask
