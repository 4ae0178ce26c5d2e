"""Answers of a published classifier: labels with their probabilities, and the words that moved them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from trainer.data import kinds
from trainer.errors import JobError
from trainer.jobs.saved_model import about, answer_rows, answer_texts, load, shortest, text
from trainer.text.word_runs import WordRun, without, word_runs

MAX_WORDS = 10
"""The most words of an explanation; with any number of labels per document, of each label."""

_BATCH = 256
_DECIMALS = 6  # Between batches of different widths, probabilities differ in the seventh.
_EXPLAIN = "explain"


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


class ExplainedAnswers(LabelAnswers):
    """A loaded classifier that explains its answers, by attention if it has the signature `explain`, else by occlusion.

    The signature `explain` returns what `serving_default` returns, and `tokens`, string [batch, time], `weights`,
    float32 [batch, time], and `length`, int64 [batch]. Occlusion uses `serving_default` alone.

    Raises:
        JobError: If it cannot be loaded, or does not name its kind of corpus.
    """

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Returns the answers of `LabelAnswers` to a batch, each with its `explanation`.

        An explanation is {"method": "attention" or "occlusion", "words": [...]}, and each of its words is {"word",
        "position", "effect"}: the most effective come first, words without an effect are left out, and at most
        `MAX_WORDS` remain. The effect is a token's weight, or the drop of the probability of the answer without the
        word. With any number of labels per document, occlusion explains each predicted label, or the most probable one
        if none is predicted: each word has its "label", and each label at most `MAX_WORDS` words.
        """
        attention = _EXPLAIN in self._model.signatures
        rows = answer_rows(self._model, _EXPLAIN if attention else "serving_default", text=texts)
        words = map(_attention, rows) if attention else self._occlusion(texts, rows)
        method = "attention" if attention else "occlusion"
        return [
            {"text": given, **self._answer(row), "explanation": {"method": method, "words": moved}}
            for given, row, moved in zip(texts, rows, words, strict=True)
        ]

    def _occlusion(self, texts: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
        """Leaves out each run of each text, those of all texts in batches of similar lengths."""
        explained = [self._explained_classes(row) for row in rows]
        drops: list[list[tuple[WordRun, Any]]] = [[] for _ in texts]
        questions = [(number, run) for number, given in enumerate(texts) for run in word_runs(given)]
        questions.sort(key=lambda question: len(texts[question[0]]) - (question[1].end - question[1].start))
        for start in range(0, len(questions), _BATCH):
            batch = questions[start : start + _BATCH]
            asked = [without(texts[number], run) for number, run in batch]
            answers = answer_texts(self._model, asked)
            for (number, run), answer in zip(batch, answers, strict=True):
                drop = rows[number]["probabilities"] - answer["probabilities"]
                drops[number].append((run, drop[explained[number]]))
        return [
            self._label_words(given, [text(row["labels"][class_]) for class_ in classes], dropped)
            for given, row, classes, dropped in zip(texts, rows, explained, drops, strict=True)
        ]

    def _explained_classes(self, row: Mapping[str, Any]) -> list[int]:
        predicted = [number for number, is_ in enumerate(row["predicted"]) if is_] if self._multi_label else []
        return predicted or [int(row["probabilities"].argmax())]

    def _label_words(
        self, given: str, labels: Sequence[str], drops: Sequence[tuple[WordRun, Any]]
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for column, label in enumerate(labels):
            effects = ((given[run.start : run.end], run.position, drop[column]) for run, drop in drops)
            owner = {"label": label} if self._multi_label else {}
            found += [{**owner, **word} for word in _strongest(effects)]
        return sorted(found, key=_strength)


def _attention(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    length = row["length"]
    tokens = zip(row["tokens"][:length], row["weights"][:length], strict=True)
    return _strongest((text(token), position, weight) for position, (token, weight) in enumerate(tokens))


def _strongest(effects: Iterable[tuple[str, int, float]]) -> list[dict[str, Any]]:
    """Returns the words with the strongest effects, from words, positions and effects."""

    def moving() -> Iterator[dict[str, Any]]:
        for word, position, effect in effects:
            rounded = round(float(effect), _DECIMALS)
            if rounded:
                yield {"word": word, "position": position, "effect": rounded}

    return sorted(moving(), key=_strength)[:MAX_WORDS]


def _strength(word: Mapping[str, Any]) -> tuple[float, int]:
    return -abs(word["effect"]), word["position"]
