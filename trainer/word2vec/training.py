"""Training of word vectors: epochs with a decreasing learning rate, each followed by an evaluation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data import parsing, tfrecords
from trainer.errors import JobError
from trainer.jobs import kept_weights, progress, warm_start
from trainer.jobs.kept_weights import Weights
from trainer.jobs.training_job import TrainingJob
from trainer.jobs.training_task import TrainingTask
from trainer.training import strategies, training_report
from trainer.training.checkpoint import Checkpoints, TrainingState
from trainer.vectors.vector_words import Vocabulary
from trainer.word2vec import windows
from trainer.word2vec.heldout import HeldOut
from trainer.word2vec.model import Tables, lookup
from trainer.word2vec.neighbor_monitor import NeighborMonitor
from trainer.word2vec.sampling import NoiseTable, keep_probabilities
from trainer.word2vec.servable import WordVectorsServable
from trainer.word2vec.settings import Word2vecSettings

_EVAL_BATCH = 256
_SMALL_STEP = 64


class Word2vec(TrainingTask[Word2vecSettings]):
    """The training of word vectors."""

    name = "word2vec"
    settings = Word2vecSettings

    def run(self, job: TrainingJob, settings: Word2vecSettings) -> None:
        """Trains from the last checkpoint, and writes the model and its report.

        Raises:
            JobError: If there are no words to train on, or training diverges.
        """
        vocabulary = Vocabulary.read(job.transform_graph)
        training = Training(settings, vocabulary, job.train_files)
        weights = Weights(
            self.name, settings.model_dump(mode="json"), {"words": vocabulary.words}, *training.tables.parts()
        )
        warm = warm_start.start(weights, job.base) if settings.warm_start else {}
        checkpoints = Checkpoints(job.checkpoints, [training.tables.input, training.tables.output])
        restored = checkpoints.restore()
        steps = sum(int(figures["steps"]) for figures in restored.history)
        with tf.summary.create_file_writer(job.log_directory).as_default():
            monitor = NeighborMonitor(settings, vocabulary, training.tables, steps)
            state = training.run(job.eval_files, checkpoints, training_report.write_scalars, monitor)
            monitor.write_projector(job.log_directory)
        kept_weights.write(job.weights, weights)
        servable = _servable(job, training)
        recall = servable.save(job.model_directory)
        self.sign(job, servable.digest())
        more = {"words": len(vocabulary.words), "dimensions": settings.dimensions, "index_recall_at_10": recall, **warm}
        training_report.write_report(job.log_directory, state, restored.epoch, more)


WORD2VEC = Word2vec()


class Training:
    """The vectors of a vocabulary and their training on the TFRecord files of a train split."""

    def __init__(self, settings: Word2vecSettings, vocabulary: Vocabulary, train_files: Sequence[str]) -> None:
        settings = _limit_step(settings, len(vocabulary.words))
        self.settings, self.vocabulary = settings, vocabulary
        with _strategy(settings).scope():
            self.tables = Tables(settings, vocabulary)
        self.held_out = HeldOut(settings, vocabulary)
        keep = keep_probabilities(vocabulary.counts, settings.subsample)
        self._words, self._kept = float(vocabulary.counts.sum()), float(vocabulary.counts @ keep)
        noise = NoiseTable(vocabulary.counts, settings.noise_exponent)
        self._reader = _EpochReader(
            lambda epochs: windows.steps(train_files, settings, tf.constant(keep), noise, epochs), settings.epochs
        )
        self._measure = tf.function(self._held_out, input_signature=[tf.TensorSpec([None], tf.string)])

    def run(
        self,
        eval_files: Sequence[str],
        checkpoints: Checkpoints,
        on_epoch: Callable[[int, dict[str, float]], None],
        monitor: NeighborMonitor | None = None,
    ) -> TrainingState:
        """Trains from the last checkpoint to the end.

        Args:
            eval_files: TFRecord files of the eval split.
            checkpoints: Storage of the state.
            on_epoch: Called with the number, from 1, and figures of each epoch, including restored ones.
            monitor: Shows the progress.
        """
        state = checkpoints.restore()
        for number, figures in enumerate(state.history, 1):
            on_epoch(number, figures)
        while state.epoch < self.settings.epochs:
            figures = self.epoch(state.epoch, monitor)
            figures["eval_loss"] = self.evaluate(eval_files)
            state.epoch += 1
            state.history.append(figures)
            checkpoints.save(state)
            on_epoch(state.epoch, figures)
        # The schedule of the learning rate ends with the last epoch, so that is the one to keep.
        state.best_epoch, state.best_loss = state.epoch, state.history[-1]["eval_loss"]
        return state

    def epoch(self, epoch: int, monitor: NeighborMonitor | None = None) -> dict[str, float]:
        """Trains on one pass over the train split.

        Args:
            epoch: Its number from 0.
            monitor: Shows the progress.

        Returns:
            `loss`, sampled during the pass, in nats per prediction, `seconds`, `steps`, `words_per_second` of the text
            and `pairs_per_second` (with CBOW: windows).

        Raises:
            JobError: If there are no words to train on, or training diverges.
        """
        start, steps, pairs, losses = time.perf_counter(), 0, 0.0, []
        for chunk in self._reader.read(epoch):
            number = chunk[windows.LEFT].shape[0]
            rates = self._rates(epoch, steps + np.arange(number))
            losses.append(float(self.tables.train(chunk, tf.constant(rates))))
            _require_finite("loss", losses[-1], epoch, steps, float(rates[0]))
            steps += number
            pairs += float(tf.reduce_sum(windows.predictions(chunk, self.settings.model)))
            done, seconds = min(steps * self.settings.step_tokens / self._kept, 1.0), time.perf_counter() - start
            speeds = {"words_per_second": done * self._words / seconds, "pairs_per_second": pairs / seconds}
            figures = {"epoch": epoch + 1, "epochs": self.settings.epochs, "loss": losses[-1]}
            figures["words/s"] = speeds["words_per_second"]
            progress.report(int(done * self._words), int(self._words), "words", figures)
            if monitor is not None:
                monitor.step(number, {"loss": losses[-1], "learning_rate": float(rates[0]), **speeds})
        if not steps:
            raise JobError(
                "The train split has no words to train on.",
                where=f"Trainer, epoch {epoch + 1}",
                found="no word that is in the vocabulary and is kept by subsampling",
                fix="Raise trainer.subsample or set it to null, add text, or lower transform.min_count.",
            )
        # Losses are computed before the steps: the effect of the last ones is only visible in the vectors.
        rate = float(self._rates(epoch, np.array([steps - 1]))[0])
        _require_finite("sum of the vectors", float(tf.reduce_sum(self.tables.input)), epoch, steps - 1, rate)
        seconds = time.perf_counter() - start
        speeds = {"words_per_second": self._words / seconds, "pairs_per_second": pairs / seconds}
        return {"loss": float(np.mean(losses)), "seconds": seconds, "steps": steps, **speeds}

    def evaluate(self, files: Sequence[str]) -> float:
        """Returns the loss of held-out documents, in nats per prediction; NaN without predictions."""
        batches = tfrecords.stream(tfrecords.find(files)).batch(_EVAL_BATCH)
        loss, predictions = sum((np.array(self._measure(batch)) for batch in batches), start=np.zeros(2))
        return float(loss / predictions) if predictions else math.nan

    def _held_out(self, serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the sums of losses and of predictions, float64 [] each."""
        found = self.held_out(parsing.tokens(serialized), self.tables.lookup, lookup(self.tables.output))
        return tuple(tf.reduce_sum(tf.cast(values, tf.float64)) for values in found)

    def _rates(self, epoch: int, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the learning rates of an epoch's steps, float32 [steps], which decrease linearly over all epochs."""
        done = (epoch + np.minimum(steps * self.settings.step_tokens / self._kept, 1)) / self.settings.epochs
        highest, lowest = self.settings.learning_rate, self.settings.min_learning_rate
        rates: NDArray[np.float32] = np.maximum(highest * (1 - done), lowest).astype(np.float32)
        return rates


class _EpochReader:
    """Reads epochs in order from one dataset.

    Args:
        steps: Returns the steps of epochs, each with the number of its epoch.
        epochs: Number of epochs.
    """

    def __init__(self, steps: Callable[[Sequence[int]], tf.data.Dataset], epochs: int) -> None:
        self._steps, self._epochs = steps, epochs
        self._next: int | None = None
        self._opened: Iterator[tuple[tf.Tensor, windows.StepTensors]] = iter(())
        self._ahead: tuple[tf.Tensor, windows.StepTensors] | None = None

    def read(self, epoch: int) -> Iterator[windows.StepTensors]:
        """Yields the steps of an epoch, many at a time; the next epoch continues the same dataset."""
        if epoch != self._next:
            self._opened = iter(self._steps(range(epoch, max(self._epochs, epoch + 1))))
            self._ahead = next(self._opened, None)
        self._next = epoch + 1
        while self._ahead is not None and int(self._ahead[0]) == epoch:
            yield self._ahead[1]
            self._ahead = next(self._opened, None)


def _servable(job: TrainingJob, training: Training) -> WordVectorsServable:
    tables, vocabulary = training.tables, training.vocabulary

    def held_out(tokens: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Measures with the published vectors."""
        return training.held_out(tokens, lookup(servable.input_vectors), lookup(servable.output_vectors))

    words, counts, vectors, outputs = vocabulary.words, vocabulary.counts.tolist(), tables.word_vectors(), tables.output
    transform = job.graph, job.transform_settings
    servable = WordVectorsServable(
        words, vectors, outputs.numpy(), counts, training.settings, *transform, held_out, tables.ngram_vectors()
    )
    return servable


def _limit_step(settings: Word2vecSettings, words: int) -> Word2vecSettings:
    """Limits a step to about the size of the vocabulary: sums of many updates of the same words diverge."""
    most = max(words // windows.BLOCK * windows.BLOCK, _SMALL_STEP)
    if settings.strategy != "one_device" or settings.step_tokens <= most:
        return settings
    return settings.model_copy(update={"step_tokens": most})


def _strategy(settings: Word2vecSettings) -> tf.distribute.Strategy:
    strategy = strategies.make(settings.strategy)
    devices = strategy.num_replicas_in_sync
    if windows.groups_of(settings.step_tokens) % devices:
        what, where = "trainer.step_tokens is not divisible by the number of devices.", "trainer.step_tokens"
        found, expected = f"{settings.step_tokens} on {devices} devices", f"a multiple of {windows.SHARING * devices}"
        raise JobError(what, where=where, found=found, expected=expected)
    return strategy


def _require_finite(name: str, value: float, epoch: int, step: int, rate: float) -> None:
    if not math.isfinite(value):
        where, found = f"Trainer, epoch {epoch + 1}, step {step + 1}", f"{name} {value}, learning rate {rate:g}"
        fix = "Lower trainer.learning_rate or trainer.step_tokens."
        raise JobError(f"Training diverged: the {name} is not finite.", where=where, found=found, fix=fix)
