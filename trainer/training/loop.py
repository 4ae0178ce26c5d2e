"""The training loop: epochs with clipping, evaluation, early stopping and checkpoints."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from trainer import features as f
from trainer import progress
from trainer.errors import JobError
from trainer.input import Usage
from trainer.training.checkpoint import Checkpoints, TrainingState
from trainer.training.objective import Objective, Outcome
from trainer.training.settings import TrainingSettings

_INPUTS = {f.LENGTH: tf.TensorSpec([None], tf.int64), f.TOKENS: tf.TensorSpec([None, None], tf.int64)}


class Sums(NamedTuple):
    """Weighted sums over the targets of a batch: of their losses, of their weights and of the right answers."""

    loss: tf.Tensor
    weight: tf.Tensor
    correct: tf.Tensor

    @classmethod
    def of(cls, outcome: Outcome) -> Sums:
        """Sums an outcome, float [] each."""
        losses, weights, correct = outcome
        return cls(*(tf.reduce_sum(values * weights) for values in (losses, 1.0, tf.cast(correct, weights.dtype))))


@dataclasses.dataclass
class Totals(Usage):
    """Sums over the batches of a pass."""

    loss: float = 0.0
    weight: float = 0.0
    correct: float = 0.0

    def add(self, batch: f.Features, sums: Sums) -> None:
        """Adds a batch and the sums over its targets."""
        self.count(batch)
        self.loss += float(sums.loss)
        self.weight += float(sums.weight)
        self.correct += float(sums.correct)

    def figures(self) -> dict[str, float]:
        """Mean loss and accuracy."""
        return {"loss": self.loss / self.weight, "accuracy": self.correct / self.weight}


class Loop:
    """Trains a model that maps `tokens` and `length` to logits."""

    def __init__(
        self,
        model: keras.Model,
        objective: Objective,
        settings: TrainingSettings,
        targets: Mapping[str, tf.TensorSpec],
    ) -> None:
        self.model = model
        self.settings = settings
        self.optimizer = keras.optimizers.Adam(settings.learning_rate)
        self.optimizer.build(model.trainable_variables)
        self._objective = objective
        self._numbers = {**_INPUTS, **targets}
        self._train_step = self._compile(self._step)
        self._eval_step = self._compile(self._evaluate)

    def run(
        self,
        train: Callable[[int], tf.data.Dataset],
        evaluate: tf.data.Dataset,
        documents: int,
        checkpoints: Checkpoints,
        on_epoch: Callable[[int, dict[str, float]], None],
    ) -> TrainingState:
        """Trains from the last checkpoint to the end and leaves the best epoch's weights in the model.

        Args:
            train: The batches of an epoch, by its number from 0.
            evaluate: The batches of the eval split.
            documents: Documents in the train split.
            checkpoints: Where the state is kept.
            on_epoch: Called with each epoch's number from 1 and its figures, restored ones included.
        """
        state = checkpoints.restore()
        for number, figures in enumerate(state.history, 1):
            on_epoch(number, figures)
        while state.epoch < self.settings.epochs and state.epoch - state.best_epoch < self.settings.patience:
            figures = self._epoch(train(state.epoch), evaluate, documents, state.epoch)
            state.epoch += 1
            state.history.append(figures)
            if figures["eval_loss"] < state.best_loss:
                state.best_loss, state.best_epoch = figures["eval_loss"], state.epoch
            checkpoints.save(state)
            on_epoch(state.epoch, figures)
        checkpoints.restore_best()
        return state

    def _epoch(self, train: tf.data.Dataset, evaluate: tf.data.Dataset, documents: int, epoch: int) -> dict[str, float]:
        totals, start, shown = Totals(), time.perf_counter(), {"epoch": epoch + 1, "epochs": self.settings.epochs}
        gradient_norm = 0.0
        for batch in train:
            self._set_learning_rate((epoch + totals.documents / documents) / self.settings.epochs)
            sums, norm = self._train_step(self._only_numbers(batch))
            totals.add(batch, sums)
            gradient_norm = max(gradient_norm, float(norm))
            self._require_finite(totals.loss, float(norm), epoch, totals.steps)
            speed = totals.tokens / (time.perf_counter() - start)
            progress.report(totals.documents, documents, "documents", {**shown, **totals.figures(), "tokens/s": speed})
        seconds = time.perf_counter() - start
        if totals.documents != documents:
            raise JobError(
                "An epoch did not see every document once.",
                where=f"Trainer, epoch {epoch + 1}",
                found=f"{totals.documents} documents",
                expected=f"{documents}",
                fix="Run again with --no-cache, so that the transformed examples are made anew.",
            )
        evaluated = self.evaluate(evaluate)
        return {
            **totals.figures(),
            **{f"eval_{name}": value for name, value in evaluated.items()},
            "seconds": seconds,
            "steps": totals.steps,
            "tokens_per_second": totals.tokens / seconds,
            "padding_waste": totals.waste,
            "largest_gradient_norm": gradient_norm,
        }

    def evaluate(self, batches: tf.data.Dataset) -> dict[str, float]:
        """Returns mean loss and accuracy over batches, without dropout."""
        totals = Totals()
        for batch in batches:
            totals.add(batch, self._eval_step(self._only_numbers(batch)))
        return totals.figures()

    def _set_learning_rate(self, progress: float) -> None:
        """Sets the rate for a step, from the share of the run that lies behind it."""
        remaining = 1 - progress if self.settings.decay == "linear" else 1.0
        self.optimizer.learning_rate.assign(self.settings.learning_rate * remaining)

    def _step(self, batch: f.Features) -> tuple[Sums, tf.Tensor]:
        weights = [variable.value for variable in self.model.trainable_variables]
        with tf.GradientTape() as tape:
            logits = self.model([batch[f.TOKENS], batch[f.LENGTH]], training=True)
            sums = Sums.of(self._objective(batch, logits, smoothing=self.settings.label_smoothing))
            mean = sums.loss / sums.weight
        # Dense, so that a word's rows are summed: the norm would count each of its places for itself.
        gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(mean, weights)]
        norm = tf.linalg.global_norm(gradients)
        if self.settings.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self.settings.clip_norm, use_norm=norm)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return sums, norm

    def _evaluate(self, batch: f.Features) -> Sums:
        return Sums.of(self._objective(batch, self.model([batch[f.TOKENS], batch[f.LENGTH]], training=False)))

    def _compile(self, function: Callable[[f.Features], Any]) -> tf.types.experimental.GenericFunction:
        return tf.function(function, input_signature=[self._numbers], jit_compile=self.settings.jit_compile or None)

    def _only_numbers(self, batch: f.Features) -> f.Features:
        """What the step needs: XLA compiles no strings."""
        return {name: batch[name] for name in self._numbers}

    def _require_finite(self, loss: float, norm: float, epoch: int, step: int) -> None:
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise JobError(
                "Training diverged: the loss or its gradient is not a finite number.",
                where=f"Trainer, epoch {epoch + 1}, step {step}",
                found=f"loss {loss}, gradient norm {norm}, learning rate {float(self.optimizer.learning_rate):g}",
                expected="finite numbers",
                fix="Lower trainer.learning_rate or trainer.clip_norm.",
            )
