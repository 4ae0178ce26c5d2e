"""Compares training on batches of similar lengths with the batches of common tutorials, and prints a table.

Run `python -m bench.batching --root runs/sentiment`, or `make bench-batching`. All methods have the same budget of
padded tokens and the same model, and take turns of equal length. The first steps of each, which trace, do not count.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bench.documents import newest
from bench.measuring.data_tables import table
from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.data import features as f
from trainer.data import tfrecords
from trainer.data.reading import Usage, read
from trainer.errors import JobError
from trainer.training.settings import given
from trainer.training.step import Step

_SEED = 1
_WARM_UP = 3
_MIN_RATIO = 2.5

Batches = Callable[[Sequence[str], int], Iterator[f.Features]]
"""Makes endless batches from files and a budget: `tokens` int64 [batch, time], `length` and `label` int64 [batch]."""


@dataclasses.dataclass
class Turns:
    """Results of one batching method: the contents of its batches, and documents per second by turn."""

    usage: Usage = dataclasses.field(default_factory=Usage)
    rates: list[float] = dataclasses.field(default_factory=list)


def similar(files: Sequence[str], batch_tokens: int) -> Iterator[f.Features]:
    """`trainer.data.reading.read`, epoch after epoch."""
    for epoch in itertools.count():
        yield from read(files, batch_tokens=batch_tokens, seed=_SEED, epoch=epoch)


def random_order(files: Sequence[str], batch_tokens: int, *, to_corpus: bool) -> Iterator[f.Features]:
    """Documents in random order, as many per batch as fit when padded to the longest of the batch or the corpus."""
    documents, random = _documents(files), np.random.default_rng(_SEED)
    longest = max(len(document[f.TOKENS]) for document in documents) if to_corpus else None
    while True:
        waiting: list[dict[str, NDArray[Any]]] = []
        for number in random.permutation(len(documents)):
            width = longest or max(len(one[f.TOKENS]) for one in [*waiting, documents[number]])
            if waiting and width * (len(waiting) + 1) > batch_tokens:
                yield _padded(waiting, longest)
                waiting = []
            waiting.append(documents[number])
        yield _padded(waiting, longest)


METHODS: Mapping[str, Batches] = {
    "similar lengths (seqloom)": similar,
    "random order, padded to the batch's longest": functools.partial(random_order, to_corpus=False),
    "random order, padded to the corpus' longest": functools.partial(random_order, to_corpus=True),
}
"""The batching methods by name, ours first."""


def _documents(files: Sequence[str]) -> list[dict[str, NDArray[Any]]]:
    """Loads the documents into memory, so that reading costs the peers nothing."""
    batches = read(files, batch_tokens=1 << 20)
    return [
        {f.TOKENS: row[:length], f.LABEL: label}
        for batch in batches.as_numpy_iterator()
        for row, length, label in zip(batch[f.TOKENS], batch[f.LENGTH], batch[f.LABEL], strict=True)
    ]


def _padded(documents: Sequence[Mapping[str, NDArray[Any]]], longest: int | None) -> f.Features:
    length = np.array([len(document[f.TOKENS]) for document in documents])
    tokens = np.zeros((len(documents), longest or length.max()), np.int64)
    for row, document in zip(tokens, documents, strict=True):
        row[: len(document[f.TOKENS])] = document[f.TOKENS]
    label = np.array([document[f.LABEL] for document in documents])
    return {name: tf.constant(value) for name, value in ((f.TOKENS, tokens), (f.LENGTH, length), (f.LABEL, label))}


def _measure(files: Sequence[str], settings: ClassifierSettings, turns: int, seconds: float) -> dict[str, Turns]:
    keras.utils.set_random_seed(settings.seed)
    words = 1 + max(int(document[f.TOKENS].max()) for document in _documents(files))
    step = Step(classifier.build(settings, words, 2), SingleLabel(settings, "ab"))
    batches = {name: method(files, given(settings.batch_tokens)) for name, method in METHODS.items()}
    numbers, found = itertools.count(1), {name: Turns() for name in METHODS}
    for name in METHODS:
        for batch in itertools.islice(batches[name], _WARM_UP):
            step.train(batch, next(numbers))
    for _ in range(turns):
        for name, done in found.items():
            documents, start = done.usage.documents, time.perf_counter()
            while time.perf_counter() - start < seconds:
                batch = next(batches[name])
                step.train(batch, next(numbers))
                done.usage.count(batch)
            step.running.read()
            done.rates.append((done.usage.documents - documents) / (time.perf_counter() - start))
    return found


def _report(found: Mapping[str, Turns]) -> str:
    ours = next(iter(found.values()))
    lines, ratios = [["batches", "documents/s", "padding", "ours / this"]], []
    for name, done in found.items():
        ratios.append(statistics.median(one / other for one, other in zip(ours.rates, done.rates, strict=True)))
        lines.append([name, f"{statistics.median(done.rates):,.0f}", f"{done.usage.waste:.1%}", f"{ratios[-1]:.2f}"])
    outcome = "met" if ratios[1] >= _MIN_RATIO else "missed"
    return f"{table(lines)}\n\nOurs / batch's longest: {ratios[1]:.2f}, limit {_MIN_RATIO}: {outcome}"


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.batching", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path("runs/sentiment"), help="root of a run with its examples")
    parser.add_argument("--batch-tokens", type=int, default=16_384, help="padded tokens per batch")
    parser.add_argument("--turns", type=int, default=5, help="turns per method")
    parser.add_argument("--seconds", type=float, default=8, help="seconds per turn")
    arguments = parser.parse_args()
    limits = {"batch_tokens": arguments.batch_tokens, "batch_documents": 64}
    settings = ClassifierSettings(epochs=1, learning_rate=2e-3, **limits)
    try:
        examples = newest(arguments.root, "SequenceTransform", "transformed_examples", "train")
        files = tfrecords.find(str(examples / "Split-train"))
        print(_report(_measure(files, settings, arguments.turns, arguments.seconds)))
    except JobError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
