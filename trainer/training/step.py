"""One step of training, compiled: logits, gradients and weights, on one device or shared by several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.data import features as f
from trainer.training.carried_state import CarriedState
from trainer.training.objective import WEIGHTS, Objective, Outcome
from trainer.training.optimization import optimizers
from trainer.training.optimization.gradients import Gradient, clip, distinct_rows
from trainer.training.settings import TrainingSettings
from trainer.training.totals import DeviceTotals, Sums

_NUMBER = tf.TensorSpec([], tf.int64)
_SUM = tf.distribute.ReduceOp.SUM


class Step:
    """Steps of a model, created in the scope of the strategy that shares them.

    Each of several devices computes every n-th document of the same batch. Losses and gradients are sums over all
    devices, divided by the sum of the targets' weights, so that they equal those of one device.

    Args:
        model: From the objective's inputs to logits.
        objective: The inputs, targets, loss and settings.
        class_weights: The weight of each class of the first target in training; None: 1.
        weighted: Whether documents have weights.
    """

    def __init__(
        self,
        model: keras.Model,
        objective: Objective[Any],
        class_weights: Sequence[float] | None = None,
        *,
        weighted: bool = False,
    ) -> None:
        settings: TrainingSettings = objective.settings
        self.model, self.optimizer = model, optimizers.build(settings)
        self.optimizer.build(model.trainable_variables)
        self.running, self.evaluated = DeviceTotals(), DeviceTotals()
        self.carried, self._evaluation = (CarriedState(objective.initial_state()) for _ in range(2))
        self._objective, self._settings = objective, settings
        self._strategy = tf.distribute.get_strategy()
        self._target = objective.target
        self._class_weights = None if class_weights is None else tf.constant(class_weights, tf.float32)
        self._numbers = {**objective.inputs, **objective.targets, **(WEIGHTS if weighted else {})}
        self._sparse_updates = optimizers.sparse_updates(settings) and self._strategy.num_replicas_in_sync == 1
        accumulates = settings.accumulate > 1
        shapes = [variable.shape for variable in model.trainable_variables] if accumulates else []
        self._gathered = [tf.Variable(tf.zeros(shape), trainable=False) for shape in shapes]
        self._gathered_sums = tf.Variable(tf.zeros([2]), trainable=False)
        self._scale = self.optimizer.dynamic_scale if settings.precision == "float16" else None
        self._train = self._compile(self._step, _NUMBER)
        self._gather = self._compile(self._add_gradients)
        self._apply_gathered = tf.function(self._step_of_gathered, input_signature=[_NUMBER], autograph=False)
        self._evaluate = self._compile(self._add_evaluated)
        # Without a graph, each step of a recurrent layer would be a call from Python.
        self._logits = tf.function(self._answer, autograph=False, reduce_retracing=True)

    def train(self, batch: f.Features, number: int) -> None:
        """Takes a step; its number from 1 identifies the first step that is not finite."""
        self._train(self._numeric_features(batch), tf.constant(number, tf.int64))

    def gather(self, batch: f.Features) -> None:
        """Adds the gradient of a batch to those gathered before, without a step."""
        self._gather(self._numeric_features(batch))

    def apply_gathered(self, number: int) -> None:
        """Takes the step, with its number from 1, of all batches gathered since the last one."""
        self._apply_gathered(tf.constant(number, tf.int64))

    def begin_evaluation(self) -> None:
        """Resets the evaluation."""
        self.evaluated.reset()
        self._evaluation.reset()

    def evaluate(self, batch: f.Features) -> None:
        """Adds a batch to the evaluation, without dropout."""
        self._evaluate(self._numeric_features(batch))

    def logits(self, batch: f.Features, documents: int) -> tf.Tensor:
        """Returns the float32 logits of the first documents of a pass, given its first batch, without dropout."""
        # A carried state has the rows of a whole batch.
        rows = None if self.carried.variables else documents
        return self._logits({name: batch[name][:rows] for name in self._objective.inputs})[:documents]

    def _answer(self, batch: f.Features) -> tf.Tensor:
        logits, _ = self._objective.call(self.model, batch, self._objective.initial_state(), training=False)
        return tf.cast(logits, tf.float32)

    def _step(self, batch: f.Features, step: tf.Tensor) -> None:
        sums, gradients = self._sum_replicas(lambda share: self._gradients(share, mean=True), batch)
        self.running.add(sums)
        self._update(gradients, tf.math.divide_no_nan(sums.loss, sums.weight), step)

    def _add_gradients(self, batch: f.Features) -> None:
        sums, gradients = self._sum_replicas(lambda share: self._gradients(share, mean=False), batch)
        self.running.add(sums)
        self._gathered_sums.assign_add(tf.stack([sums.loss, sums.weight]))
        for gathered, gradient in zip(self._gathered, gradients, strict=True):
            if isinstance(gradient, tf.IndexedSlices):
                gathered.scatter_add(gradient)
            else:
                gathered.assign_add(gradient)

    def _step_of_gathered(self, step: tf.Tensor) -> None:
        loss, weight = tf.unstack(self._gathered_sums)
        gradients = [tf.math.divide_no_nan(gathered, weight) for gathered in self._gathered]
        self._update(gradients, tf.math.divide_no_nan(loss, weight), step)
        for variable in (*self._gathered, self._gathered_sums):
            variable.assign(tf.zeros_like(variable))

    def _update(self, gradients: Sequence[Gradient], loss: tf.Tensor, step: tf.Tensor) -> None:
        """Clips the gradient of the mean loss, applies it and records the step."""
        summed = list(map(distinct_rows if self._sparse_updates else tf.convert_to_tensor, gradients))
        clipped, norm = clip(summed, self._settings.clip_norm)
        finite = tf.math.is_finite(loss) & tf.math.is_finite(norm)
        if self._scale is not None:
            # The optimizer skips an overflow and halves the scale; otherwise it undoes the scale.
            finite |= tf.math.is_finite(loss) & (self._scale > 1)
            clipped = [gradient * self._scale for gradient in clipped]
        self.running.end_step(step, loss, norm, tf.convert_to_tensor(self.optimizer.learning_rate), finite)
        self.optimizer.apply(clipped, self.model.trainable_variables)

    def _gradients(self, batch: f.Features, *, mean: bool) -> tuple[Sums, list[Gradient]]:
        """Differentiates one replica's part of the mean, or the sum, of the losses of all replicas."""
        own, real = _share(batch)
        with tf.GradientTape() as tape:
            outcome = self._outcome(own, real, self.carried, training=True)
            sums = Sums.of(outcome, self._weights_of_targets(own, outcome))
            loss = tf.math.divide_no_nan(sums.loss, _over_replicas(sums.weight)) if mean else sums.loss
            scaled = loss if self._scale is None else loss * self._scale
        gradients = tape.gradient(scaled, [variable.value for variable in self.model.trainable_variables])
        if self._scale is not None:
            gradients = [tf.convert_to_tensor(gradient) / self._scale for gradient in gradients]
        return sums, gradients

    def _add_evaluated(self, batch: f.Features) -> None:
        def of_share(batch: f.Features) -> tuple[Sums, list[Gradient]]:
            return Sums.of(self._outcome(*_share(batch), self._evaluation, training=False)), []

        self.evaluated.add(self._sum_replicas(of_share, batch)[0])

    def _outcome(self, batch: f.Features, real: tf.Tensor | None, carried: CarriedState, *, training: bool) -> Outcome:
        logits, state = self._objective.call(self.model, batch, carried.read(), training=training)
        carried.write(state)
        smoothing = self._settings.label_smoothing if training else 0.0
        outcome = self._objective.judge(batch, tf.cast(logits, tf.float32), smoothing)
        if real is None:
            return outcome
        return outcome._replace(weights=outcome.weights * _of_documents(real, outcome))

    def _weights_of_targets(self, batch: f.Features, outcome: Outcome) -> tf.Tensor | float:
        """The weights of targets: the weight of the class times the weight of the document."""
        weights: tf.Tensor | float = 1.0
        if self._class_weights is not None:
            weights = tf.cast(tf.gather(self._class_weights, batch[self._target]), outcome.weights.dtype)
        if f.WEIGHT in self._numbers:
            weights *= _of_documents(batch[f.WEIGHT], outcome)
        return weights

    def _sum_replicas(
        self, of_share: Callable[[f.Features], tuple[Sums, list[Gradient]]], batch: f.Features
    ) -> tuple[Sums, list[Gradient]]:
        """Sums the results of the replicas for their shares of a batch."""
        sums, gradients = self._strategy.run(of_share, (batch,))
        if self._strategy.num_replicas_in_sync == 1:
            return sums, gradients
        return Sums(*map(self._reduce, sums)), [self._reduce(gradient) for gradient in gradients]

    def _reduce(self, value: Any) -> Any:
        return self._strategy.reduce(_SUM, value, axis=None)

    def _compile(self, function: Callable[..., None], *more: tf.TensorSpec) -> tf.types.experimental.GenericFunction:
        options = {"input_signature": [self._numbers, *more], "jit_compile": self._settings.jit_compile or None}
        return tf.function(function, autograph=False, **options)

    def _numeric_features(self, batch: f.Features) -> f.Features:
        """The features of the step, without strings, which XLA cannot compile."""
        return {name: batch[name] for name in self._numbers}


def _of_documents(values: tf.Tensor, outcome: Outcome) -> tf.Tensor:
    """Reshapes values of documents, [batch], to broadcast over targets."""
    shape = [-1] + [1] * (outcome.weights.shape.rank - 1)
    return tf.reshape(tf.cast(values, outcome.weights.dtype), shape)


def _share(batch: f.Features) -> tuple[f.Features, tf.Tensor | None]:
    """Takes one replica's documents of a batch, every n-th.

    Returns:
        The documents, and which of them are real, bool [share], None if all are. If the documents cannot be shared
        evenly, copies of the last one fill the shares.
    """
    replica = tf.distribute.get_replica_context()
    count = replica.num_replicas_in_sync
    if count == 1:
        return batch, None
    documents = tf.shape(next(iter(batch.values())))[0]
    own = tf.range((documents + count - 1) // count) * count + replica.replica_id_in_sync_group
    rows = tf.minimum(own, documents - 1)
    return {name: tf.gather(values, rows) for name, values in batch.items()}, own < documents


def _over_replicas(value: tf.Tensor) -> tf.Tensor:
    replica = tf.distribute.get_replica_context()
    return value if replica.num_replicas_in_sync == 1 else replica.all_reduce(_SUM, value)
