"""The learning rate as a function of the progress of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from trainer.training.optimization.schedule_settings import ScheduleName, ScheduleSettings
from trainer.training.settings import TrainingSettings, given


class Moment(NamedTuple):
    """The progress of a run before a step.

    Attributes:
        done: The share of all epochs' documents read so far, 0 to 1.
        epoch: Epochs finished.
        step: Steps taken.
        eval_losses: The eval loss of each finished epoch.
    """

    done: float
    epoch: int
    step: int
    eval_losses: Sequence[float] = ()


def learning_rate(settings: TrainingSettings, moment: Moment) -> float:
    """Returns the learning rate of the next step: the peak rate times the schedule times the warm-up."""
    factor = _FACTORS[settings.schedule.name](settings.schedule, moment)
    return given(settings.learning_rate) * (factor * warmup(settings.warmup, moment))


def warmup(length: float, moment: Moment) -> float:
    """Rises linearly to 1 over a share of the run (below 1) or over a number of steps; the first step is above zero."""
    if length == 0:
        return 1.0
    return min(1.0, moment.done / length if length < 1 else (moment.step + 1) / length)


def linear(schedule: ScheduleSettings, moment: Moment) -> float:
    """Falls linearly from 1 to `end`."""
    end = schedule.constant("end")
    return 1 - moment.done * (1 - end)


def constant(_: ScheduleSettings, __: Moment) -> float:
    """Stays 1."""
    return 1.0


def step(schedule: ScheduleSettings, moment: Moment) -> float:
    """Stays 1 for `after` epochs, then falls by `factor` at each (Zaremba et al. 2014, section 4.1)."""
    return schedule.constant("factor") ** max(moment.epoch + 1 - int(schedule.constant("after")), 0)


def cosine(schedule: ScheduleSettings, moment: Moment) -> float:
    """Falls from 1 to `end` along half a cosine: one period of Loshchilov and Hutter (2017), SGDR, equation 5."""
    return _anneal(1.0, schedule.constant("end"), moment.done)


def one_cycle(schedule: ScheduleSettings, moment: Moment) -> float:
    """Rises from `start` to 1 over the share `rise` of the run, then falls to `end`, both along half a cosine.

    After Smith and Topin (2018), Super-Convergence, section 3, but with curved slopes and constant momentum.
    """
    rise = schedule.constant("rise")
    if moment.done < rise:
        return _anneal(schedule.constant("start"), 1.0, moment.done / rise)
    return _anneal(1.0, schedule.constant("end"), (moment.done - rise) / (1 - rise))


def reduce_on_plateau(schedule: ScheduleSettings, moment: Moment) -> float:
    """Falls by `factor` each time that the eval loss has not improved for `patience` epochs."""
    reductions, best, waited = 0, math.inf, 0
    for loss in moment.eval_losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == schedule.constant("patience"):
            reductions, waited = reductions + 1, 0
    return schedule.constant("factor") ** reductions


def _anneal(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


_FACTORS: Mapping[ScheduleName, Callable[[ScheduleSettings, Moment], float]] = {
    "linear": linear,
    "constant": constant,
    "step": step,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "reduce_on_plateau": reduce_on_plateau,
}
