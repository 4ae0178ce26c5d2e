"""The optimizers, and whether they update single rows of a table."""

from __future__ import annotations

import keras
import tensorflow as tf

from trainer.training.settings import TrainingSettings, given

_KINDS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
}


class Adagrad(keras.optimizers.Adagrad):
    """Adagrad that updates only the rows of a table that have a gradient; the others would not change.

    Follows Duchi et al. (2011), Adaptive Subgradient Methods, figure 1, diagonal case.
    """

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable, rate: tf.Tensor) -> None:
        """Updates a variable by its gradient; each row of an `IndexedSlices` may occur once."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, rate)
            return
        accumulator, rows = self._accumulators[self._get_variable_index(variable)], gradient.indices
        self.assign_add(accumulator, tf.IndexedSlices(tf.square(gradient.values), rows))
        root = tf.sqrt(tf.gather(accumulator.value, rows) + self.epsilon)
        self.assign_sub(variable, tf.IndexedSlices(tf.cast(rate, root.dtype) * gradient.values / root, rows))


def build(settings: TrainingSettings) -> keras.optimizers.Optimizer:
    """Builds the optimizer of the settings, for `float16` with loss scaling.

    Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), RMSprop (Tieleman and Hinton 2012, lecture 6.5)
    and SGD with momentum keep moving a word's vector after the steps that saw the word. None of them is lazy here:
    each step updates every row of a table, as in their papers. SGD without momentum and Adagrad do not change a row
    without a gradient, so they update only the rows of a batch's words, with the same result.
    """
    name, rate, constants = settings.optimizer.name, given(settings.learning_rate), settings.optimizer.constants()
    if name == "adagrad":
        optimizer = Adagrad(rate, constants["initial_accumulator"], constants["epsilon"])
    else:
        optimizer = _KINDS[name](rate, **constants)
    return keras.optimizers.LossScaleOptimizer(optimizer) if settings.precision == "float16" else optimizer


def sparse_updates(settings: TrainingSettings) -> bool:
    """Whether the optimizer updates only the rows of a table that have a gradient."""
    if settings.precision == "float16" or settings.accumulate > 1:
        return False
    return settings.optimizer.name == "adagrad" or (
        settings.optimizer.name == "sgd" and not settings.optimizer.momentum
    )
