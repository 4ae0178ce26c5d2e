"""Answers of a published classifier: labels with their probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.data import kinds
from trainer.errors import JobError
from trainer.jobs.saved_model import about, answer_texts, load, shortest, text


class LabelAnswers:
    """A loaded classifier.

    The signature `serving_default` takes `text`, string [batch], and returns `labels`, string [batch, classes],
    `probabilities`, float32 [batch, classes], and either `label`, string [batch], and `probability`, float32 [batch],
    or with any number of labels per document `predicted`, bool [batch, classes].

    Raises:
        JobError: If it cannot be loaded, or does not name its kind of corpus.
    """

    def __init__(self, directory: str) -> None:
        self._model = load(directory)
        kind = kinds.KINDS.get(about(directory).get("kind", ""))
        if kind is None:
            what, fix = "The model does not name its kind of corpus.", "publish it again with `seqloom run`"
            raise JobError(what, where=directory, fix=fix)
        self._multi_label = kind.multi_label

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Returns {"text", "label", "probability", "probabilities"} for each text of a batch.

        With any number of labels per document the keys are {"text", "labels", "probabilities"}.
        """
        rows = answer_texts(self._model, texts)
        return [{"text": given, **self._answer(row)} for given, row in zip(texts, rows, strict=True)]

    def _answer(self, row: Mapping[str, Any]) -> dict[str, Any]:
        names = [text(label) for label in row["labels"]]
        values = (shortest(probability) for probability in row["probabilities"])
        probabilities = dict(zip(names, values, strict=True))
        if self._multi_label:
            labels = [name for name, predicted in zip(names, row["predicted"], strict=True) if predicted]
            return {"labels": labels, "probabilities": probabilities}
        probability = shortest(row["probability"])
        return {"label": text(row["label"]), "probability": probability, "probabilities": probabilities}
