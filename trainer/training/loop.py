"""The training loop: epochs of steps, evaluation, early stopping and checkpoints, between and within epochs."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.data import features as f
from trainer.data.reading import POSITION, Usage
from trainer.errors import JobError
from trainer.jobs import progress
from trainer.training.checkpoint import Checkpoints, TrainingState, Variables
from trainer.training.monitor import Monitor
from trainer.training.objective import Counted, Objective
from trainer.training.optimization.schedules import Moment, learning_rate
from trainer.training.settings import TrainingSettings, given
from trainer.training.step import Step
from trainer.training.totals import Totals

_READ_STEPS = 20

Read = Callable[[int, Sequence[int] | None], tf.data.Dataset]
"""From an epoch's number from 0 and the position to resume from, None for its start, to its batches."""


@dataclasses.dataclass
class Pass(Usage):
    """The progress in an epoch; `steps` counts the batches.

    Attributes:
        updates: Steps of the optimizer.
        seconds: Time taken.
        waited: Seconds spent waiting for the next batch.
        reading: The totals as last read from the device.
        position: The position after the last batch.
    """

    updates: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    reading: Totals = dataclasses.field(default_factory=Totals)
    position: Sequence[int] | None = None

    def __post_init__(self) -> None:
        self.reading = Totals(*self.reading)  # A checkpoint's JSON holds a list.

    def fetch(self, batches: Iterator[f.Features], number: int) -> list[f.Features]:
        """Returns the next batches, none at the end, and adds the waiting time."""
        begun = time.perf_counter()
        fetched = list(itertools.islice(batches, number))
        self.waited += time.perf_counter() - begun
        return fetched

    def counted(self, unit: Counted) -> int:
        """Returns the number of documents or tokens read."""
        return self.documents if unit == "documents" else self.tokens

    def add(self, batches: Sequence[f.Features]) -> None:
        """Adds the batches of a step."""
        for batch in batches:
            self.count(batch)
        self.updates += 1
        self.position = np.asarray(batches[-1][POSITION]).tolist() if POSITION in batches[-1] else None


class Loop:
    """Trains a model; the arguments are those of its `step`."""

    def __init__(
        self,
        model: keras.Model,
        objective: Objective[Any],
        class_weights: Sequence[float] | None = None,
        *,
        weighted: bool = False,
    ) -> None:
        self.model = model
        self.settings: TrainingSettings = objective.settings
        self._epochs = given(self.settings.epochs)
        self.step = Step(model, objective, class_weights, weighted=weighted)
        self.optimizer = self.step.optimizer
        self._counted = objective.counted
        self._monitor: Monitor | None = None

    @property
    def variables(self) -> Variables:
        """The variables that a checkpoint saves besides the model: those of the optimizer and the carried state."""
        return [*self.optimizer.variables, *self.step.carried.variables]

    def run(
        self,
        train: Read,
        evaluate: tf.data.Dataset,
        total: int,
        checkpoints: Checkpoints,
        on_epoch: Callable[[int, dict[str, float]], None],
        monitor: Monitor | None = None,
    ) -> TrainingState:
        """Trains from the last checkpoint to the end and leaves the best epoch's weights in the model.

        Args:
            train: Reads the batches of an epoch, with their `position` if an epoch can resume in its middle.
            evaluate: The batches of the eval split.
            total: The documents or tokens of an epoch, as the objective counts.
            checkpoints: Store the state.
            on_epoch: Called with each epoch's number from 1 and its figures, including restored ones.
            monitor: Shows the progress.

        Raises:
            JobError: If training diverges, or an epoch misses or repeats a document or token.
        """
        state, self._monitor = checkpoints.restore(), monitor
        for number, figures in enumerate(state.history, 1):
            on_epoch(number, figures)
        while state.epoch < self._epochs and state.epoch - state.best_epoch < self.settings.patience:
            figures = self._epoch(train, total, state, checkpoints)
            figures.update({f"eval_{name}": value for name, value in self.evaluate(evaluate).items()})
            state.epoch, state.within = state.epoch + 1, None
            state.history.append(figures)
            if figures["eval_loss"] < state.best_loss:
                state.best_loss, state.best_epoch = figures["eval_loss"], state.epoch
            checkpoints.save(state)
            on_epoch(state.epoch, figures)
            if monitor is not None:
                monitor.epoch(state.epoch)
        checkpoints.restore_best()
        return state

    def evaluate(self, batches: tf.data.Dataset) -> dict[str, float]:
        """Returns mean loss and accuracy over batches, without dropout."""
        self.step.begin_evaluation()
        for batch in batches:
            progress.working("evaluation", batch[f.TOKENS].shape)
            self.step.evaluate(batch)
        reading, _ = self.step.evaluated.read()
        return reading.figures()

    def _epoch(self, train: Read, total: int, state: TrainingState, checkpoints: Checkpoints) -> dict[str, float]:
        """Trains an epoch, or the rest of it."""
        done = Pass(**(state.within or {}))
        self.step.running.reset(done.reading)
        if done.position is None:
            self.step.carried.reset()
        losses = [figures["eval_loss"] for figures in state.history]
        begun, batches = time.perf_counter() - done.seconds, iter(train(state.epoch, done.position))
        while group := done.fetch(batches, self.settings.accumulate):
            share = (state.epoch + done.counted(self._counted) / total) / self._epochs
            moment = Moment(share, state.epoch, state.step, losses)
            self.optimizer.learning_rate.assign(learning_rate(self.settings, moment))
            self._take(group, state)
            done.add(group)
            done.seconds = time.perf_counter() - begun
            self._after_step(done, total, state, checkpoints)
        self._read(done, state.epoch)
        done.seconds = time.perf_counter() - begun
        self._report(done, total, state)
        _require_complete(done.counted(self._counted), total, self._counted, state.epoch)
        return {
            **done.reading.figures(),
            "seconds": done.seconds,
            "steps": done.updates,
            "learning_rate": self._rate,
            "tokens_per_second": done.tokens / done.seconds,
            "padding_waste": done.waste,
            "input_wait": done.waited / done.seconds,
            "largest_gradient_norm": done.reading.largest_norm,
        }

    def _take(self, batches: Sequence[f.Features], state: TrainingState) -> None:
        """Takes the step of one batch or of several gathered ones."""
        state.step += 1
        for batch in batches:
            progress.working(f"step {state.step:,}", batch[f.TOKENS].shape)
            if self.settings.accumulate == 1:
                self.step.train(batch, state.step)
                return
            self.step.gather(batch)
        self.step.apply_gathered(state.step)

    def _after_step(self, done: Pass, total: int, state: TrainingState, checkpoints: Checkpoints) -> None:
        """Reports the progress, and shows and saves it at the steps that the settings select."""
        shows = self._monitor is not None and state.step % self.settings.log_steps == 0
        stops = progress.stopping.is_set()
        keeps = done.position is not None and (stops or state.step % self.settings.checkpoint_steps == 0)
        if shows or keeps or done.updates % _READ_STEPS == 0:
            self._read(done, state.epoch)
        if keeps:
            state.within = dataclasses.asdict(done)
            checkpoints.save(state)
        self._report(done, total, state)
        if shows and self._monitor is not None:
            figures = {"learning_rate": self._rate, "gradient_norm": done.reading.norm, "padding_waste": done.waste}
            figures["tokens_per_second"] = done.tokens / done.seconds
            self._monitor.step(state.step, {**done.reading.figures(), **figures})

    def _report(self, done: Pass, total: int, state: TrainingState) -> None:
        """Reports the progress of an epoch, with the figures as last read."""
        values = {"epoch": state.epoch + 1, "epochs": self._epochs, **done.reading.figures()}
        values["tokens/s"] = done.tokens / done.seconds
        progress.report(done.counted(self._counted), total, self._counted, values)

    def _read(self, done: Pass, epoch: int) -> None:
        """Reads the totals from the device."""
        done.reading, diverged = self.step.running.read()
        if diverged is not None:
            raise JobError(
                "Training diverged: the loss or its gradient is not a finite number.",
                where=f"Trainer, epoch {epoch + 1}, step {diverged.step}",
                found=f"loss {diverged.loss}, gradient norm {diverged.norm}, learning rate {diverged.rate:g}",
                expected="finite numbers",
                fix="Lower trainer.learning_rate or trainer.clip_norm.",
            )

    @property
    def _rate(self) -> float:
        return float(self.optimizer.learning_rate.numpy())


def _require_complete(done: int, total: int, unit: Counted, epoch: int) -> None:
    if done != total:
        raise JobError(
            f"An epoch has not read all {unit} exactly once.",
            where=f"Trainer, epoch {epoch + 1}",
            found=f"{done} {unit}",
            expected=f"{total}",
            fix="Run again with --no-cache to transform the examples again.",
        )
