"""What a published classifier answers to a person: labels with their probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.jobs.saved_model import load, shortest, text


class LabelAnswers:
    """A loaded classifier.

    Args:
        directory: The folder of a SavedModel whose signature `serving_default` takes `text`, string [batch], and gives
            `labels` string [batch, classes], `probabilities` float32 [batch, classes] and, of one label a document,
            `label` string [batch] and `probability` float32 [batch], of any number `predicted` bool [batch, classes].

    Raises:
        JobError: If it cannot be loaded.
    """

    def __init__(self, directory: str) -> None:
        self._loaded = load(directory)
        self._serve = self._loaded.signatures["serving_default"]

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Answers one batch of texts.

        Returns:
            For each text {"text", "label", "probability", "probabilities"}, or with any number of labels a document
            {"text", "labels", "probabilities"}.
        """
        import tensorflow as tf

        result = {name: value.numpy() for name, value in self._serve(text=tf.constant(texts)).items()}
        rows = ({name: values[index] for name, values in result.items()} for index in range(len(texts)))
        return [{"text": given, **_answer(row)} for given, row in zip(texts, rows, strict=True)]


def _answer(row: Mapping[str, Any]) -> dict[str, Any]:
    names = [text(label) for label in row["labels"]]
    values = (shortest(probability) for probability in row["probabilities"])
    probabilities = dict(zip(names, values, strict=True))
    if "predicted" in row:
        labels = [name for name, predicted in zip(names, row["predicted"], strict=True) if predicted]
        return {"labels": labels, "probabilities": probabilities}
    probability = shortest(row["probability"])
    return {"label": text(row["label"]), "probability": probability, "probabilities": probabilities}
