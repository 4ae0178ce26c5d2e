"""The optimizers by their settings, and which of them take the rows of a table alone."""

from __future__ import annotations

import keras
import tensorflow as tf

from trainer.training.optimization.optimizer_settings import OptimizerSettings
from trainer.training.settings import TrainingSettings


class Adagrad(keras.optimizers.Adagrad):
    """Adagrad that touches only the rows of a table that have a gradient; all others would stay as they are.

    Follows Duchi et al. (2011), Adaptive Subgradient Methods, figure 1, diagonal case.
    """

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable, rate: tf.Tensor) -> None:
        """Updates a variable by its gradient; of an `IndexedSlices` each row may occur once."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, rate)
            return
        accumulator, rows = self._accumulators[self._get_variable_index(variable)], gradient.indices
        self.assign_add(accumulator, tf.IndexedSlices(tf.square(gradient.values), rows))
        root = tf.sqrt(tf.gather(accumulator.value, rows) + self.epsilon)
        self.assign_sub(variable, tf.IndexedSlices(tf.cast(rate, root.dtype) * gradient.values / root, rows))


def build(settings: TrainingSettings) -> keras.optimizers.Optimizer:
    """Makes the optimizer that the settings name, for `float16` one that scales the loss.

    Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), RMSprop (Tieleman and Hinton 2012, lecture 6.5)
    and SGD with momentum go on moving a word's vector after the steps that saw the word. None of them is lazy here:
    each step computes every row of a table, as their papers say. SGD without momentum and Adagrad leave a row
    without a gradient as it is, and so compute the rows of a batch's words alone, to the same result.
    """
    optimizer = _plain(settings.optimizer, settings.learning_rate)
    return keras.optimizers.LossScaleOptimizer(optimizer) if settings.precision == "float16" else optimizer


def sparse_updates(settings: TrainingSettings) -> bool:
    """Whether the optimizer does with the rows of a table that have a gradient."""
    if settings.precision == "float16" or settings.accumulate > 1:
        return False
    return settings.optimizer.name == "adagrad" or (
        settings.optimizer.name == "sgd" and not settings.optimizer.momentum
    )


def _plain(settings: OptimizerSettings, rate: float) -> keras.optimizers.Optimizer:
    constants = settings.constants()
    if settings.name == "adagrad":
        return Adagrad(rate, constants["initial_accumulator"], constants["epsilon"])
    kinds = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
    }
    return kinds[settings.name](rate, **constants)
