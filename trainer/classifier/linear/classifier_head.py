"""The head of a classifier: it fits the linear classifier after training and joins it with the encoder."""

from __future__ import annotations

import abc
import logging
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.classifier.linear import fitting, ngram_documents, weighted_sum, word_parts
from trainer.classifier.linear.fitting import Fitted, Losses
from trainer.classifier.linear.ngram_documents import NgramDocuments
from trainer.classifier.linear.ngrams import LinearLogits
from trainer.classifier.linear.weighted_sum import WeightedSum
from trainer.classifier.linear.word_parts import WordParts
from trainer.classifier.settings import ClassifierSettings, NgramSettings
from trainer.data import features as f
from trainer.data.features import vocabulary_size
from trainer.jobs import progress
from trainer.jobs.training_job import TrainingJob
from trainer.supervised import class_weights
from trainer.supervised.head import Head
from trainer.training.pace import SplitSize

logger = logging.getLogger("seqloom.trainer")

_TOO_FEW = "The n-gram classifier is left out: no n-gram is in %s or more documents of the train split."


class Joint(NamedTuple):
    """A model of an encoder and a linear classifier, and its entries in `training.json`."""

    model: keras.Model
    details: Mapping[str, Any]


class ClassifierHead(Head[ClassifierSettings]):
    """The head of documents' classes.

    Attributes:
        exclusive: Whether each document has exactly one class.
    """

    exclusive: ClassVar[bool]

    @abc.abstractmethod
    def wanted(self, batch: f.Features) -> NDArray[np.float64]:
        """Returns the targets of a batch as 0 and 1, [batch, classes]."""

    @property
    def losses(self) -> Losses:
        """The loss of documents, from logits and targets."""
        return fitting.softmax_losses if self.exclusive else fitting.sigmoid_losses

    def join(self, model: keras.Model, job: TrainingJob) -> Joint:
        """Fits the linear classifier that the settings describe, and chooses its share on the eval split.

        Args:
            model: The trained encoder with its logits.
            job: The examples.

        Returns:
            A model with the same inputs and outputs, without the encoder if its share is 0; the given one if the
            settings exclude n-grams or no n-gram is frequent enough.
        """
        ngrams = self.settings.ngrams
        if ngrams is None:
            return Joint(model, {})
        progress.working("n-gram classifier", whole=False)
        parts = _word_parts(job) if word_parts.wanted(ngrams.parts, job.size().tokens) else None
        evaluated = self._collect(job.eval_files, job.size("eval"), ngrams, parts)
        fitted = self._fit(job, ngrams, evaluated, parts)
        if fitted is None:
            logger.warning(_TOO_FEW, ngrams.min_documents)
            return Joint(model, {})
        both = self._model(model, fitted, ngrams.longest, parts)
        encoder, linear, targets, weights = self._both(both, job.eval_files)
        chosen = weighted_sum.choose(encoder, linear, targets, weights, self.losses)
        # Without a share, the encoder would only take time in each answer.
        first = 0 if chosen.encoder else 1
        output = WeightedSum(tuple(chosen[first:]), name="shares")(both.outputs[first:])
        logits = chosen.encoder * encoder + chosen.linear * linear
        details = {
            "ngrams": len(fitted.weights.keys),
            "parts": parts is not None,
            "penalty": fitted.penalty,
            "ngram_eval_loss": fitted.eval_loss,
            "encoder_share": chosen.encoder,
            "ngram_share": chosen.linear,
            "eval_loss": fitting.mean_loss(self.losses(logits, targets), weights),
            "eval_accuracy": float(self._correct(logits, targets).mean()),
        }
        return Joint(keras.Model(model.inputs, output, name="classifier"), {"joint": details})

    def _both(self, both: keras.Model, files: list[str]) -> tuple[NDArray[np.float64], ...]:
        """Returns both logits and the targets of a split, [documents, classes] each, and the weights, [documents]."""
        answer = tf.function(lambda *inputs: both(list(inputs), training=False), reduce_retracing=True, autograph=False)
        found: list[tuple[NDArray[np.float64], ...]] = []
        for batch in self.batches(files):
            encoder, linear = (np.asarray(part, np.float64) for part in answer(*(batch[name] for name in self.inputs)))
            found.append((encoder, linear, self.wanted(batch), ngram_documents.weights(batch)))
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))

    def _correct(self, logits: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Returns whether the answer for each document is right, bool [documents]."""
        if self.exclusive:
            right: NDArray[np.bool_] = logits.argmax(1) == targets.argmax(1)
            return right
        return np.asarray(((logits >= 0) == (targets > 0.5)).all(1))

    def _fit(
        self, job: TrainingJob, ngrams: NgramSettings, evaluated: NgramDocuments, parts: WordParts | None
    ) -> Fitted | None:
        train = self._collect(job.train_files, job.size(), ngrams, parts)
        if self.exclusive:
            labels = train.targets.argmax(1)
            weights = class_weights.resolve(
                self.settings, self.classes, lambda: np.bincount(labels, minlength=len(self.classes))
            )
            if weights is not None:
                train = train._replace(weights=train.weights * np.asarray(weights)[labels])
        limits = ngrams.model_dump(include={"min_documents", "max_size"})
        return fitting.fit(train, evaluated, exclusive=self.exclusive, **limits)

    def _collect(
        self, files: list[str], size: SplitSize, ngrams: NgramSettings, parts: WordParts | None
    ) -> NgramDocuments:
        """Reads the n-grams of a split."""
        step = ngram_documents.every(size, ngrams.longest + (ngram_documents.PARTS_PER_TOKEN if parts else 0))
        return ngram_documents.collect(self.batches(files), self.wanted, longest=ngrams.longest, parts=parts, step=step)

    def _model(self, model: keras.Model, fitted: Fitted, longest: int, parts: WordParts | None) -> keras.Model:
        """Returns a model with the logits of the encoder and of the linear classifier as outputs."""
        tokens, length = model.inputs
        keys = fitted.weights.keys
        rows = parts.rows(keys) if parts else word_parts.NONE
        sizes = {"words": len(rows.splits) - 1, "parts": len(rows.keys)}
        layer = LinearLogits(len(keys), len(self.classes), longest, **sizes, dtype="float32", name="ngrams")
        steps = model.get_layer("mask")(tokens, length)
        logits = layer(tokens, steps)
        layer.fill(fitted.weights, *rows)
        return keras.Model(model.inputs, [model.output, logits])


def _word_parts(job: TrainingJob) -> WordParts:
    words = job.text("vocabulary.txt").split("\n")[:-1]
    return word_parts.of_words(words, vocabulary_size(job.transform_graph))
