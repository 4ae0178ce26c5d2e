"""Schedules of the learning rate, against values worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.training.optimization.schedule_settings import ScheduleSettings
from trainer.training.optimization.schedules import Moment, learning_rate
from trainer.training.settings import TrainingSettings


def rate(moment: Moment, schedule: str | dict, warmup: float = 0, learning_rate_: float = 2.0) -> float:
    settings = TrainingSettings(learning_rate=learning_rate_, schedule=schedule, warmup=warmup)
    return learning_rate(settings, moment)


def at(done: float, step: int = 0) -> Moment:
    return Moment(done, 0, step)


ONE_CYCLE = {"name": "one_cycle", "rise": 0.4, "start": 0.1, "end": 0.05}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("linear", {0: 2, 0.25: 1.5, 0.5: 1, 1: 0}),
        ({"name": "linear", "end": 0.1}, {0.5: 1.1, 1: 0.2}),
        ("constant", {0: 2, 0.5: 2, 1: 2}),
        ("cosine", {0: 2, 1 / 3: 1.5, 0.5: 1, 2 / 3: 0.5, 1: 0}),
        ({"name": "cosine", "end": 0.5}, {0.5: 1.5}),
        (ONE_CYCLE, {0: 0.2, 0.2: 1.1, 0.4: 2, 0.7: 1.05, 1: 0.1}),
    ],
)
def test_the_rate_at_shares_of_the_run(schedule: str | dict, expected: dict[float, float]) -> None:
    assert {done: rate(at(done), schedule) for done in expected} == pytest.approx(expected)


def test_step_falls_at_each_epoch_after_the_first_ones() -> None:
    schedule = {"name": "step", "after": 2, "factor": 0.5}
    assert [rate(Moment(0.9, epoch, 0), schedule) for epoch in range(5)] == [2, 2, 1, 0.5, 0.25]
    # The default is a recipe for the Penn Treebank: rate 1 for 6 epochs, then divided by 1.2 at each.
    rates = [rate(Moment(0, epoch, 0), "step", learning_rate_=1.0) for epoch in range(9)]
    assert rates == pytest.approx([1] * 6 + [1 / 1.2, 1 / 1.44, 1 / 1.728])


@pytest.mark.parametrize(
    ("values", "losses", "expected"),
    [
        # A tie with the best is no improvement.
        ({"factor": 0.1, "patience": 1}, [0.9, 0.8, 0.8, 0.85, 0.7, 0.75], [1, 1, 1, 0.1, 0.01, 0.01, 0.001]),
        # It waits again after each reduction.
        ({"factor": 0.5, "patience": 2}, [1.0, 1.1, 1.2, 1.3, 1.4, 0.5], [1, 1, 1, 0.5, 0.5, 0.25, 0.25]),
    ],
)
def test_a_plateau_reduces_the_rate(values: dict, losses: list[float], expected: list[float]) -> None:
    schedule = {"name": "reduce_on_plateau", **values}
    settings = TrainingSettings(learning_rate=1, patience=9, schedule=schedule)
    found = [learning_rate(settings, Moment(0, epoch, 0, losses[:epoch])) for epoch in range(7)]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("schedule", ["linear", "constant", "cosine"])
def test_warm_up_multiplies_the_schedule(schedule: str) -> None:
    plain = [rate(at(done), schedule) for done in (0, 0.05, 0.1, 0.5)]
    warm = [rate(at(done), schedule, warmup=0.1) for done in (0, 0.05, 0.1, 0.5)]
    assert [rate(at(0, step), "constant", warmup=4) for step in range(6)] == [0.5, 1, 1.5, 2, 2, 2]
    assert warm == pytest.approx([factor * value for factor, value in zip((0, 0.5, 1, 1), plain, strict=True)])


@pytest.mark.parametrize("schedule", sorted(ScheduleSettings.defaults))
@given(st.floats(0, 1), st.integers(0, 99), st.integers(0, 999), st.sampled_from([0, 7]))
def test_a_rate_is_between_zero_and_the_peak(schedule: str, done: float, epoch: int, step: int, warmup: float) -> None:
    found = rate(Moment(done, epoch, step, [1.0] * epoch), schedule, 0 if schedule == "one_cycle" else warmup)
    assert 0 <= found <= 2 + 1e-12
    assert math.isfinite(found)
