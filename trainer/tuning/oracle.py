"""What chooses the values of the next trial: keras-tuner's oracles over the declared space."""

from __future__ import annotations

import json
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
"""Hyperband: of so many trials one goes on, with so many times the epochs."""


class _InOrder(keras_tuner.Oracle):
    """An oracle that goes on as if it had not been stopped."""

    trials: dict[str, Trial]

    def reload(self) -> None:
        """Takes up what was saved."""
        super().reload()
        # They come in the order of a folder's files, which proposals and ties would depend on.
        self.trials = dict(sorted(self.trials.items()))


class RandomOracle(_InOrder, oracles.RandomSearchOracle):
    """Any values."""


class HyperbandOracle(_InOrder, oracles.HyperbandOracle):
    """Many trials of few epochs, and more epochs for the best."""


class BayesianOracle(_InOrder, oracles.BayesianOptimizationOracle):
    """What a Gaussian process of the trials so far promises most of."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of a trial."""
        # The random state is not among what keras-tuner saves.
        self._random_state = np.random.RandomState([self.seed, len(self.trials)])
        response: dict[str, Any] = super().populate_space(trial_id)
        return response


def space(tune: TuneSettings, kind: type[Settings], settings: str) -> keras_tuner.HyperParameters:
    """The declared space.

    Args:
        tune: The search.
        kind: What the trainer section is read as.
        settings: The trainer section as JSON.
    """
    found, base = keras_tuner.HyperParameters(), json.loads(settings)
    for key, dimension in tune.space.items():
        if dimension.listed is not None:
            found.Choice(key, list(dimension.listed), ordered=False)
        elif dimension.min is not None and dimension.max is not None:
            number = found.Int if takes_integers(kind, base, key, dimension.min) else found.Float
            number(key, dimension.min, dimension.max, sampling=dimension.scale)
    return found


def make(tune: TuneSettings, hyperparameters: keras_tuner.HyperParameters, epochs: int) -> keras_tuner.Oracle:
    """The oracle of a search.

    Args:
        tune: The search.
        hyperparameters: Its space.
        epochs: Most epochs of a trial.
    """
    better = "min" if tune.objective == "eval_loss" else "max"
    common = {
        "objective": keras_tuner.Objective(tune.objective, better),
        "seed": tune.seed,
        "hyperparameters": hyperparameters,
        "allow_new_entries": False,
        # A trial may fail, as one that diverges; only when all do the search has failed.
        "max_consecutive_failed_trials": tune.trials + 1,
    }
    if tune.algorithm == "hyperband":
        oracle = HyperbandOracle(max_epochs=epochs, factor=_FACTOR, **common)
        oracle.max_trials = tune.trials
        return oracle
    kind = BayesianOracle if tune.algorithm == "bayesian" else RandomOracle
    return kind(max_trials=tune.trials, **common)


def count_trials(tune: TuneSettings, epochs: int) -> int:
    """How many trials a search has at most: as many as are asked for, or fewer where no more can be.

    A space of lists is exhausted when each combination was tried; Hyperband's rounds end by themselves (Li et al.
    2018, Hyperband, algorithm 1, with the numbers of trials as keras-tuner rounds them).
    """
    listed = [dimension.listed for dimension in tune.space.values()]
    combinations = math.prod(math.inf if values is None else len(values) for values in listed)
    if tune.algorithm == "hyperband":
        return min(tune.trials, _hyperband_trials(epochs))
    return int(min(tune.trials, combinations)) if tune.algorithm == "random" else tune.trials


def _hyperband_trials(epochs: int) -> int:
    brackets = 1
    while epochs >= _FACTOR**brackets:
        brackets += 1
    last = math.ceil(1 + math.log(epochs, _FACTOR))
    rounds = [(bracket, back) for bracket in range(brackets) for back in range(bracket + 1)]
    return sum(math.ceil(last / (bracket + 1) * _FACTOR**back) for bracket, back in rounds)
