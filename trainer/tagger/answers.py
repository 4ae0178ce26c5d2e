"""Answers of a published tagger: tokens with their tags and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainer.jobs.saved_model import answer_texts, load, shortest, text


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
        return [
            {
                "text": given,
                "tokens": [text(token) for token in row["tokens"][: row["length"]]],
                "tags": [text(tag) for tag in row["tags"][: row["length"]]],
                "scores": [shortest(score) for score in row["scores"][: row["length"]]],
            }
            for given, row in zip(texts, answer_texts(self._model, texts), strict=True)
        ]
