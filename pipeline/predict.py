"""Asks a published classifier: texts in, labels and probabilities out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline import models, questions


class Model:
    """A loaded model that is called with texts.

    Args:
        path: The folder of a SavedModel with the signature `serving_default`: `text` string [batch] in; `label`
            string [batch], `probability` float32 [batch], `labels` string [batch, classes] and `probabilities`
            float32 [batch, classes] out.

    Raises:
        JobError: If it cannot be loaded or has no such signature.
    """

    def __init__(self, path: Path) -> None:
        self._loaded = models.load(path, takes="text", gives={"label", "probability", "labels", "probabilities"})
        self._serve = self._loaded.signatures["serving_default"]

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Answers one batch.

        Args:
            texts: The batch.

        Returns:
            One answer a text: {"text", "label", "probability", "probabilities"}.
        """
        import tensorflow as tf

        result = {name: value.numpy() for name, value in self._serve(text=tf.constant(texts)).items()}
        return [
            {
                "text": text,
                "label": _name(result["label"][index]),
                "probability": models.shortest(result["probability"][index]),
                "probabilities": {
                    _name(label): models.shortest(probability)
                    for label, probability in zip(result["labels"][index], result["probabilities"][index], strict=True)
                },
            }
            for index, text in enumerate(texts)
        ]


def predict(model: Path, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Asks a model.

    Args:
        model: The folder of a SavedModel.
        texts: Any number of texts; read in batches.

    Yields:
        One answer a text, in their order, as `Model` gives it.

    Raises:
        JobError: From `Model` or from `texts`; what was read before is answered first.
    """
    loaded: Model | None = None
    for batch in questions.batches(texts):
        # Loaded late: a broken first line is told at once.
        loaded = loaded or Model(model)
        yield from loaded(batch)


def _name(label: bytes) -> str:
    return label.decode("utf-8", "replace")
