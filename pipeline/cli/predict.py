"""Asks a published classifier or tagger: texts in, labels or tags out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.cli import inputs
from pipeline.runs import published

_LABELS = ("label", "probability", "labels", "probabilities")
_SETS = ("labels", "probabilities", "predicted")
_TAGS = ("tokens", "tags", "scores", "length")


class Model:
    """A loaded model that is called with texts.

    Args:
        path: The folder of a SavedModel whose signature `serving_default` takes `text`, string [batch]. A classifier
            gives `label` string [batch], `probability` float32 [batch], `labels` string [batch, classes] and
            `probabilities` float32 [batch, classes]; one of any number of labels `labels`, `probabilities` and
            `predicted` bool [batch, classes]; a tagger `tokens` and `tags` string [batch, time], `scores`
            float32 [batch, time] and `length` int64 [batch].

    Raises:
        JobError: If it cannot be loaded or has no such signature.
    """

    def __init__(self, path: Path) -> None:
        self._loaded = published.load(path, "text", _LABELS, _SETS, _TAGS)
        self._serve = self._loaded.signatures["serving_default"]
        gives = set(self._serve.structured_outputs)
        self._answer = next(
            answer
            for names, answer in ((_TAGS, _tagged), (_SETS, _of_any_number), (_LABELS, _labelled))
            if gives >= {*names}
        )

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Answers one batch.

        Args:
            texts: The batch.

        Returns:
            One answer a text: {"text", "label", "probability", "probabilities"} of a classifier; {"text", "labels",
            "probabilities"} of one of any number of labels; {"text", "tokens", "tags", "scores"} of a tagger.
        """
        import tensorflow as tf

        result = {name: value.numpy() for name, value in self._serve(text=tf.constant(texts)).items()}
        rows = ({name: values[index] for name, values in result.items()} for index in range(len(texts)))
        return [{"text": text, **self._answer(row)} for text, row in zip(texts, rows, strict=True)]


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
    for batch in inputs.batches(texts):
        # Loaded late: a broken first line is told at once.
        loaded = loaded or Model(model)
        yield from loaded(batch)


def _labelled(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": _text(row["label"]),
        "probability": published.shortest(row["probability"]),
        "probabilities": _probabilities(row),
    }


def _of_any_number(row: Mapping[str, Any]) -> dict[str, Any]:
    labels = [_text(label) for label, predicted in zip(row["labels"], row["predicted"], strict=True) if predicted]
    return {"labels": labels, "probabilities": _probabilities(row)}


def _probabilities(row: Mapping[str, Any]) -> dict[str, float]:
    probabilities = zip(row["labels"], row["probabilities"], strict=True)
    return {_text(label): published.shortest(probability) for label, probability in probabilities}


def _tagged(row: Mapping[str, Any]) -> dict[str, Any]:
    length = int(row["length"])
    return {
        "tokens": [_text(token) for token in row["tokens"][:length]],
        "tags": [_text(tag) for tag in row["tags"][:length]],
        "scores": [published.shortest(score) for score in row["scores"][:length]],
    }


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
