"""What a published tagger answers to a person: tokens with their tags and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainer.jobs.saved_model import load, shortest, text


class TagAnswers:
    """A loaded tagger.

    Args:
        directory: The folder of a SavedModel whose signature `serving_default` takes `text`, string [batch], and gives
            `tokens` and `tags` string [batch, time], `scores` float32 [batch, time] and `length` int64 [batch].

    Raises:
        JobError: If it cannot be loaded.
    """

    def __init__(self, directory: str) -> None:
        self._loaded = load(directory)
        self._serve = self._loaded.signatures["serving_default"]

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Answers one batch of texts, with {"text", "tokens", "tags", "scores"} each."""
        import tensorflow as tf

        found = {name: value.numpy() for name, value in self._serve(text=tf.constant(texts)).items()}
        return [
            {
                "text": given,
                "tokens": [text(token) for token in found["tokens"][row, :length]],
                "tags": [text(tag) for tag in found["tags"][row, :length]],
                "scores": [shortest(score) for score in found["scores"][row, :length]],
            }
            for row, (given, length) in enumerate(zip(texts, found["length"].tolist(), strict=True))
        ]
