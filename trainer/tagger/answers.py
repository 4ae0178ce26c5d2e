"""Answers of a published tagger: tokens with their tags and scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trainer.data import kinds as f
from trainer.jobs.saved_model import answer_rows, answer_texts, load, shortest, text


class TagAnswers:
    """A loaded tagger.

    The signature `serving_default` takes `text`, string [batch], and returns `tokens` and `tags`, string [batch, time],
    `scores`, float32 [batch, time], and `length`, int64 [batch].

    Raises:
        JobError: If it cannot be loaded.
    """

    def __init__(self, directory: str) -> None:
        self._model = load(directory)

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Returns {"text", "tokens", "tags", "scores"} for each text of a batch."""
        return _answers(texts, answer_texts(self._model, texts))

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        """Returns the same for each sentence of a batch, given by its tokens, which may hold white space.

        The signature `serve_examples` takes `examples`, serialized raw SequenceExamples, string [batch].
        """
        rows = answer_rows(self._model, "serve_examples", examples=[_example(tokens) for tokens in sentences])
        return _answers(map(" ".join, sentences), rows)


def _answers(texts: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "text": given,
            "tokens": [text(token) for token in row["tokens"][: row["length"]]],
            "tags": [text(tag) for tag in row["tags"][: row["length"]]],
            "scores": [shortest(score) for score in row["scores"][: row["length"]]],
        }
        for given, row in zip(texts, rows, strict=True)
    ]


def _example(tokens: Sequence[str]) -> bytes:
    import tensorflow as tf

    steps = [tf.train.Feature(bytes_list={"value": [token.encode()]}) for token in tokens]
    lists = tf.train.FeatureLists(feature_list={f.TOKENS: tf.train.FeatureList(feature=steps)})
    return bytes(tf.train.SequenceExample(feature_lists=lists).SerializeToString())
