"""The SavedModel: from raw text or records to class names and probabilities."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from trainer.classifier.attention import explained
from trainer.data import features as f
from trainer.data import kinds, parsing
from trainer.data.reading import pad
from trainer.supervised.model_servable import EXAMPLES_INPUT, TEXT_INPUT, ModelServable

PROBABILITIES = "probabilities"


class ClassifierServable(ModelServable):
    """A classifier with its transform graph."""

    _kind = kinds.LABELLED_TEXT

    def __init__(self, model: keras.Model, transform_graph: str, classes: Sequence[str]) -> None:
        """Joins the parts as in `ModelServable`, and adds `explain` if the model has attention."""
        super().__init__(model, transform_graph, classes)
        self._explained: keras.Model = explained(model)
        if self._explained is not None:
            number, line = tf.lookup.TextFileIndex.LINE_NUMBER, tf.lookup.TextFileIndex.WHOLE_LINE
            path = f"{posixpath.dirname(transform_graph)}/vocabulary.txt"
            words = tf.lookup.TextFileInitializer(path, tf.int64, number, tf.string, line)
            self._words = tf.lookup.StaticHashTable(words, f.RESERVED_WORDS[f.UNK])
            # Without a decorator, because saving traces every decorated method, and this one needs attention layers.
            self.explain = tf.function(self._explain, TEXT_INPUT, autograph=False)

    @tf.function(input_signature=TEXT_INPUT, autograph=False)
    def serve_text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies documents, string [batch], UTF-8."""
        return self._classify(self._raw(text))

    @tf.function(input_signature=EXAMPLES_INPUT, autograph=False)
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies serialized raw SequenceExamples, string [batch]."""
        return self._classify(f.parse_raw(examples, self._kind))

    @tf.function(input_signature=EXAMPLES_INPUT, autograph=False)
    def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the probabilities of serialized transformed SequenceExamples, string [batch]."""
        batch = parsing.padded_batch(examples, self._kind)
        return {PROBABILITIES: self._probabilities(batch[f.TOKENS], batch[f.LENGTH])}

    def signatures(self) -> Mapping[str, tf.types.experimental.GenericFunction]:
        """Returns one signature per method; `serve_text` is `serving_default`; `explain` needs attention."""
        signatures = {"serving_default": self.serve_text, "serve_examples": self.serve_examples}
        explain = {} if self._explained is None else {"explain": self.explain}
        return {**signatures, "evaluate": self.evaluate, **explain}

    def _classify(self, raw: f.Features) -> dict[str, tf.Tensor]:
        tokens, length = pad(self._transform.transform_fn(raw)[f.TOKENS].merge_dims(1, -1))
        return self._answer(self._probabilities(tokens, length))

    def _explain(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies documents, string [batch], UTF-8, and returns the attention.

        Returns:
            The outputs of `serve_text`; `tokens`, string [batch, time], as the model reads them (unknown words are
            `<unk>`); `weights`, float32 [batch, time], which sum to 1 in each document with a token; `length`, int64
            [batch]. After the length, tokens are empty and weights 0.
        """
        ids = self._transform.transform_fn(self._raw(text))[f.TOKENS].merge_dims(1, -1)
        tokens, length = pad(ids)
        logits, weights = self._explained([tokens, length], training=False)
        real = tf.sequence_mask(ids.row_lengths(), tf.shape(tokens)[1])
        return {
            **self._answer(self._activation(logits)),
            f.TOKENS: tf.where(real, self._words.lookup(tokens), ""),
            "weights": tf.where(real, weights, 0),
            f.LENGTH: ids.row_lengths(),
        }

    def _answer(self, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
        best = tf.argmax(probabilities, axis=-1)
        return {
            "label": tf.gather(self._classes, best),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "labels": self._names(probabilities),
            PROBABILITIES: probabilities,
        }

    def _names(self, probabilities: tf.Tensor) -> tf.Tensor:
        """The names of all classes for each document, string [batch, classes]."""
        return tf.tile(tf.expand_dims(self._classes, 0), [tf.shape(probabilities)[0], 1])

    def _probabilities(self, tokens: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        return self._activation(self._model([tokens, length], training=False))

    def _activation(self, logits: tf.Tensor) -> tf.Tensor:
        """From logits to probabilities, float32 [batch, classes]."""
        return tf.nn.softmax(logits)

    def _raw(self, text: tf.Tensor) -> f.Features:
        """Raw features of documents of one segment each, string [batch], without a label."""
        rows = tf.range(tf.size(text, tf.int64) + 1)
        segments = tf.RaggedTensor.from_nested_row_splits(text, [rows, rows])
        lists = {f.TEXT: segments, f.LABELS: segments[:, :0]}
        absent = tf.fill(tf.shape(text), "")
        return {name: lists.get(name, absent) for name in self._kind.raw}
