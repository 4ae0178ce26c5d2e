"""The tried values: from the declared space, the same for the same seed, even after a kill."""

import math
from pathlib import Path
from typing import Any

import keras_tuner
import pytest
from keras_tuner.engine.trial import TrialStatus

from trainer.classifier.settings import ClassifierSettings
from trainer.tuning import oracle
from trainer.tuning.settings import TuneSettings

SPACE = {
    "trainer.learning_rate": {"min": 1e-4, "max": 1e-2, "scale": "log"},
    "trainer.units": {"min": 3, "max": 6},
    "trainer.dropout": {"min": 0.1, "max": 0.3, "step": 0.1},
    "trainer.word_dropout": {"min": 0, "max": 1e-1},
    "trainer.cell": {"values": ["gru", "lstm"]},
}
EPOCHS = 4


def search(**values: Any) -> TuneSettings:
    return TuneSettings.model_validate({"space": SPACE, **values})


def start(tune: TuneSettings, directory: Path) -> keras_tuner.Oracle:
    """The oracle with the state that an earlier one saved in the directory."""
    made = oracle.make(tune, oracle.space(tune, ClassifierSettings()), EPOCHS)
    made._set_project_dir(str(directory), "trials")
    if (directory / "trials" / "oracle.json").exists():
        made.reload()
    return made


def loss(values: dict[str, Any]) -> float:
    return abs(math.log10(values["trainer.learning_rate"]) + 3) + values["trainer.dropout"]


def ask(tune: TuneSettings, directory: Path, most: int = 100) -> list[dict[str, Any]]:
    """The values of the next trials, each of which gets its loss."""
    made, found = start(tune, directory), []
    while len(found) < most:
        trial = made.create_trial("tuner")
        if trial.status == TrialStatus.STOPPED:
            break
        made.update_trial(trial.trial_id, {tune.objective: loss(trial.hyperparameters.values)})
        trial.status = TrialStatus.COMPLETED
        made.end_trial(trial)
        made.save()
        found.append(dict(trial.hyperparameters.values))
    return found


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_all_values_are_in_the_space_and_have_its_types(algorithm: str, tmp_path: Path) -> None:
    tune = search(algorithm=algorithm, trials=16)
    trials = ask(tune, tmp_path)
    assert len(trials) == oracle.count_trials(tune, EPOCHS)
    for values in trials:
        assert 1e-4 <= values["trainer.learning_rate"] <= 1e-2
        assert values["trainer.units"] in (3, 4, 5, 6)
        assert isinstance(values["trainer.units"], int)
        assert values["trainer.dropout"] in (0.1, 0.2, 0.3)
        assert 0 <= values["trainer.word_dropout"] <= 0.1
        assert isinstance(values["trainer.word_dropout"], float)
        assert values["trainer.cell"] in ("gru", "lstm")


def test_a_log_scale_gives_each_power_its_share_and_a_linear_one_does_not(tmp_path: Path) -> None:
    trials = ask(search(trials=100), tmp_path, 100)
    rates = [values["trainer.learning_rate"] for values in trials]
    assert 0.35 < sum(rate < 1e-3 for rate in rates) / len(rates) < 0.65
    dropouts = [values["trainer.word_dropout"] for values in trials]
    assert 0.35 < sum(dropout < 0.05 for dropout in dropouts) / len(dropouts) < 0.65
    assert {values["trainer.units"] for values in trials} == {3, 4, 5, 6}
    # A space of lists has no more trials than combinations.
    lists = {"trainer.dropout": SPACE["trainer.dropout"], "trainer.cell": {"values": ["gru"]}}
    assert oracle.count_trials(search(trials=9, space=lists), EPOCHS) == 3


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_a_resumed_search_tries_the_same_values(algorithm: str, tmp_path: Path) -> None:
    small = {key: SPACE[key] for key in ("trainer.learning_rate", "trainer.dropout")}
    tune = search(algorithm=algorithm, trials=8, space=small)
    whole = ask(tune, tmp_path / "whole")
    assert ask(tune, tmp_path / "again") == whole
    assert ask(tune, tmp_path / "parts", 7) + ask(tune, tmp_path / "parts") == whole
    assert ask(search(algorithm=algorithm, trials=8, space=small, seed=2), tmp_path / "other") != whole


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 9, 10, 30])
def test_the_trials_of_hyperbands_rounds_are_counted(epochs: int, tmp_path: Path) -> None:
    tune = search(algorithm="hyperband", trials=1000)
    made = oracle.make(tune, oracle.space(tune, ClassifierSettings()), epochs)
    brackets = range(made._get_num_brackets())
    rounds = [(bracket, number) for bracket in brackets for number in range(bracket + 1)]
    assert oracle.count_trials(tune, epochs) == sum(made._get_size(*pair) for pair in rounds)


def test_hyperband_gives_the_best_more_epochs(tmp_path: Path) -> None:
    trials = ask(search(algorithm="hyperband"), tmp_path)
    epochs = [values["tuner/epochs"] for values in trials]
    assert epochs == [2] * 5 + [4] * 5
    firsts = sorted(map(loss, trials[:5]))
    assert sorted(map(loss, trials[5:7])) == firsts[:2]
