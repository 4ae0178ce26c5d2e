"""Recurrent layers in NumPy, one document at a time and without padding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

Weight = Callable[[str], np.ndarray]
"""From a part of a variable's path to its value."""


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "sigmoid": sigmoid}


def lstm(inputs, kernel, recurrent, bias, activation) -> np.ndarray:
    state, cell = np.zeros((2, len(recurrent)))
    states = []
    for x in inputs:
        i, f, c, o = np.split(x @ kernel + state @ recurrent + bias, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * activation(c)
        state = sigmoid(o) * activation(cell)
        states.append(state)
    return np.array(states)


def gru(inputs, kernel, recurrent, bias, activation) -> np.ndarray:
    """The reset gate stands after the product, as in Keras by default and in cuDNN."""
    state = np.zeros(len(recurrent))
    states = []
    for x in inputs:
        x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3)
        s_z, s_r, s_h = np.split(state @ recurrent + bias[1], 3)
        update = sigmoid(x_z + s_z)
        state = update * state + (1 - update) * activation(x_h + sigmoid(x_r + s_r) * s_h)
        states.append(state)
    return np.array(states)


def rnn(inputs, kernel, recurrent, bias, activation) -> np.ndarray:
    state = np.zeros(len(recurrent))
    states = []
    for x in inputs:
        state = activation(x @ kernel + state @ recurrent + bias)
        states.append(state)
    return np.array(states)


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
        return CELLS[settings.cell](inputs, *weights, ACTIVATIONS[settings.activation])

    cell = {"rnn": "simple_rnn"}.get(settings.cell, settings.cell)
    if not settings.bidirectional:
        forward = states(inputs, f"{name}/{cell}")
        return forward, forward[-1]
    merge = MERGES[settings.merge]
    forward = states(inputs, f"bidirectional_{name}/forward_{name}/{cell}")
    backward = states(inputs[::-1], f"bidirectional_{name}/backward_{name}/{cell}")[::-1]
    return merge(forward, backward), merge(forward[-1], backward[0])


def stack(settings, weight: Weight, inputs: np.ndarray, prefix: str = "") -> tuple[np.ndarray, np.ndarray]:
    """As `layer`, of stacked layers without dropout; with residual connections the last states are of no use."""
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
    """A function that draws a model's weights anew and gives them by a part of their paths, as float64."""

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
