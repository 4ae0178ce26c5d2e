"""The SavedModel: raw text or records in, a tag for every token out."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from trainer.data import features as f
from trainer.data import kinds, parsing
from trainer.data.reading import pad
from trainer.jobs.counting import MIN_PROBABILITY
from trainer.supervised.model_servable import EXAMPLES_INPUT, TEXT_INPUT, ModelServable
from trainer.tagger.model import real_lengths

SCORES = "scores"
Answers = dict[str, tf.Tensor]


class TaggerServable(ModelServable):
    """A tagger with its transform graph.

    All answers are padded on the right to the longest sentence of the batch, with at least one step: strings with "",
    numbers with 0. `length`, int64 [batch], is the number of real tokens, which may be 0.
    """

    @tf.function(input_signature=TEXT_INPUT, autograph=False)
    def serve_text(self, text: tf.Tensor) -> Answers:
        """Tags sentences, string [batch], UTF-8, with tokens separated by ASCII white space.

        Returns:
            `tokens` and `tags`, string [batch, time], `scores`, the tags' probabilities, float32 [batch, time], and
            `length`, int64 [batch].
        """
        words = tf.strings.split(text)
        each = tf.RaggedTensor.from_row_splits(words.values, tf.range(tf.size(words.values, tf.int64) + 1))
        tokens = words.with_values(each)
        absent = tf.fill(tf.shape(text), "")
        return self._tag({f.ID: absent, f.SOURCE: absent, f.TOKENS: tokens, f.TAGS: tokens[:, :0]})

    @tf.function(input_signature=EXAMPLES_INPUT, autograph=False)
    def serve_examples(self, examples: tf.Tensor) -> Answers:
        """Tags the tokens of serialized raw SequenceExamples, string [batch], as `serve_text`; they need no `tags`."""
        return self._tag(f.parse_raw(examples, kinds.TAGGED_TEXT))

    @tf.function(input_signature=EXAMPLES_INPUT, autograph=False)
    def evaluate(self, examples: tf.Tensor) -> Answers:
        """Tags serialized transformed SequenceExamples, string [batch].

        Returns:
            `tags`, `scores` and `length` as `serve_text`, and `probabilities`, float32 [batch, time, tags].
        """
        batch = parsing.padded_batch(examples, kinds.TAGGED_TEXT)
        tokens, length = batch[f.TOKENS], batch[f.LENGTH]
        probabilities, tags = self._answer(tokens, length, batch[f.WORDS])
        real = real_lengths(tokens, length)
        steps = tf.expand_dims(tf.sequence_mask(real, tf.shape(tokens)[1]), -1)
        return {**self._best(probabilities, tags, real), "probabilities": tf.where(steps, probabilities, 0.0)}

    @tf.function(input_signature=EXAMPLES_INPUT, autograph=False)
    def judge(self, examples: tf.Tensor) -> Answers:
        """Tags serialized raw SequenceExamples, string [batch], for their evaluation.

        Returns:
            `tags` and `length` as `serve_text`; `given`, the examples' own tags, string [batch, time]; `loss`, summed
            over the tokens of each sentence, in nats, float32 [batch]. Unknown tags have the minimum probability.
        """
        raw = f.parse_raw(examples, kinds.TAGGED_TEXT)
        transformed = self._transform.transform_fn(raw)
        tokens, length = pad(transformed[f.TOKENS])
        width = tf.shape(tokens, tf.int64)[1]
        probabilities, tags = self._answer(tokens, length, _padded(transformed[f.WORDS], width, ""))
        wanted = _padded(transformed[f.TAGS], width, -1)
        found = tf.gather(probabilities, tf.maximum(wanted, 0), batch_dims=2)
        losses = -tf.math.log(tf.maximum(tf.where(wanted >= 0, found, 0.0), MIN_PROBABILITY))
        real = transformed[f.TOKENS].row_lengths()
        return {
            **{name: value for name, value in self._best(probabilities, tags, real).items() if name != SCORES},
            "given": _padded(raw[f.TAGS].merge_dims(1, 2), width, ""),
            "loss": tf.reduce_sum(tf.where(tf.sequence_mask(real, width), losses, 0.0), axis=1),
        }

    def signatures(self) -> Mapping[str, tf.types.experimental.GenericFunction]:
        """Returns one signature per method; `serve_text` is `serving_default`."""
        return {
            "serving_default": self.serve_text,
            "serve_examples": self.serve_examples,
            "evaluate": self.evaluate,
            "judge": self.judge,
        }

    def _tag(self, raw: f.Features) -> Answers:
        transformed = self._transform.transform_fn(raw)
        tokens, length = pad(transformed[f.TOKENS])
        width = tf.shape(tokens, tf.int64)[1]
        given, words = (_padded(rows, width, "") for rows in (raw[f.TOKENS].merge_dims(1, 2), transformed[f.WORDS]))
        probabilities, tags = self._answer(tokens, length, words)
        return {f.TOKENS: given, **self._best(probabilities, tags, transformed[f.TOKENS].row_lengths())}

    def _best(self, probabilities: tf.Tensor, tags: tf.Tensor, length: tf.Tensor) -> Answers:
        """Returns the tags, by name and with their probabilities, of sentences with these true lengths."""
        real = tf.sequence_mask(length, tf.shape(probabilities)[1])
        names, scores = tf.gather(self._classes, tags), tf.gather(probabilities, tags, batch_dims=2)
        return {f.TAGS: tf.where(real, names, ""), SCORES: tf.where(real, scores, 0.0), f.LENGTH: length}

    def _answer(self, tokens: tf.Tensor, length: tf.Tensor, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the probabilities of tags, float32 [batch, time, tags], and the best ones, int64 [batch, time]."""
        # Only a model with a linear chain has the last input and finds the tags itself.
        if len(self._model.inputs) == 3:
            logs, tags = self._model([tokens, length, words], training=False)
            return tf.exp(logs), tags
        probabilities = tf.nn.softmax(self._model([tokens, length], training=False))
        return probabilities, tf.argmax(probabilities, axis=-1)


def _padded(rows: tf.RaggedTensor, width: tf.Tensor, filler: str | int) -> tf.Tensor:
    """Pads or truncates ragged rows to a width, [batch, width]."""
    filled = rows.to_tensor(filler, shape=tf.stack([tf.constant(-1, tf.int64), width]))
    return tf.ensure_shape(filled, [None, None])
