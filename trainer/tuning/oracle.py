"""keras-tuner's oracles over the declared space; they choose the values of the next trial."""

from __future__ import annotations

import math
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner import oracles
from keras_tuner.engine.trial import Trial

from trainer.settings import Settings
from trainer.tuning.settings import TuneSettings
from trainer.tuning.values import takes_integers

_FACTOR = 3
"""Hyperband continues one in this many trials, with this many times the epochs."""


class _InOrder(keras_tuner.Oracle):
    """An oracle that resumes as if it had not been interrupted."""

    trials: dict[str, Trial]

    def reload(self) -> None:
        """Restores the saved state."""
        super().reload()
        # keras-tuner restores trials in directory order, but proposals and ties depend on the order.
        self.trials = dict(sorted(self.trials.items()))


class RandomOracle(_InOrder, oracles.RandomSearchOracle):
    """Random values."""


class HyperbandOracle(_InOrder, oracles.HyperbandOracle):
    """Many trials of few epochs, and more epochs for the best."""


class BayesianOracle(_InOrder, oracles.BayesianOptimizationOracle):
    """The most promising values by a Gaussian process over the finished trials."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of a trial."""
        # keras-tuner does not save the random state.
        self._random_state = np.random.RandomState([self.seed, len(self.trials)])
        response: dict[str, Any] = super().populate_space(trial_id)
        return response


def space(tune: TuneSettings, settings: Settings) -> keras_tuner.HyperParameters:
    """Returns the declared space of a search over a trainer section."""
    found, base = keras_tuner.HyperParameters(), settings.model_dump(mode="json")
    for key, dimension in tune.space.items():
        if dimension.listed is not None:
            found.Choice(key, list(dimension.listed), ordered=False)
        elif dimension.min is not None and dimension.max is not None:
            number = found.Int if takes_integers(type(settings), base, key, dimension.min) else found.Float
            number(key, dimension.min, dimension.max, sampling=dimension.scale)
    return found


def make(tune: TuneSettings, hyperparameters: keras_tuner.HyperParameters, epochs: int) -> keras_tuner.Oracle:
    """Returns the oracle of a search over a space; `epochs` is the maximum of a trial."""
    better = "min" if tune.objective == "eval_loss" else "max"
    common = {
        "objective": keras_tuner.Objective(tune.objective, better),
        "seed": tune.seed,
        "hyperparameters": hyperparameters,
        "allow_new_entries": False,
        # A trial may fail, e.g. diverge; the search fails only if all of them do.
        "max_consecutive_failed_trials": tune.trials + 1,
    }
    if tune.algorithm == "hyperband":
        oracle = HyperbandOracle(max_epochs=epochs, factor=_FACTOR, **common)
        oracle.max_trials = tune.trials
        return oracle
    kind = BayesianOracle if tune.algorithm == "bayesian" else RandomOracle
    return kind(max_trials=tune.trials, **common)


def count_trials(tune: TuneSettings, epochs: int) -> int:
    """Returns the maximum number of trials: those of the settings, or fewer if the search ends earlier.

    A space of lists ends when every combination was tried; Hyperband ends after its rounds (Li et al. 2018,
    Hyperband, algorithm 1, with the numbers of trials as keras-tuner rounds them).
    """
    listed = [dimension.listed for dimension in tune.space.values()]
    combinations = math.prod(math.inf if values is None else len(values) for values in listed)
    if tune.algorithm != "hyperband":
        return int(min(tune.trials, combinations)) if tune.algorithm == "random" else tune.trials
    brackets = 1
    while epochs >= _FACTOR**brackets:
        brackets += 1
    last = math.ceil(1 + math.log(epochs, _FACTOR))
    rounds = [(bracket, back) for bracket in range(brackets) for back in range(bracket + 1)]
    total: int = sum(math.ceil(last / (bracket + 1) * _FACTOR**back) for bracket, back in rounds)
    return min(tune.trials, total)
