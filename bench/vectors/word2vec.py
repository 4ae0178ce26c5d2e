"""Compares the training of word vectors with gensim and Keras' tutorials; prints Markdown tables.

Run `python -m bench.vectors.word2vec`, or `make bench-vectors`. Both sides are measured in pairs, with the first side
alternating; every measurement runs in its own process. Pair n has seed n on both sides.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.datasets import data_corpus
from bench.datasets.data import alternate, between
from bench.measuring.data_process import run_python
from bench.measuring.data_tables import Limit, pair_row, ratio_table
from bench.vectors import word2vec_corpus, word2vec_quality
from bench.vectors.word2vec_corpus import Corpus
from bench.vectors.word2vec_quality import Judgement
from bench.vectors.word2vec_sides import GENSIM, KERAS, OURS, Trained
from trainer.errors import JobError

_RATE, _PEAK = "words/s", "peak memory of the process, GB"
_FASTER, _LINEAR = Limit(1.4), Limit(0.9)


@dataclasses.dataclass(frozen=True)
class Measured:
    """Words per second (counting unknown ones and all epochs), peak memory and vector file of a training run."""

    rate: float
    peak_bytes: int
    vectors: Path


class Bench:
    """The benchmarks on one corpus, with the command's arguments and a folder for all output."""

    def __init__(self, folder: Path, corpus: Corpus, arguments: argparse.Namespace) -> None:
        self._folder, self._corpus, self._given = folder, corpus, arguments

    def describe(self) -> str:
        """Describes the measurement in one line."""
        words = len(word2vec_corpus.vocabulary(self._corpus.graph))
        return (
            f"{self._corpus.documents:,} documents, {self._corpus.tokens:,} words, {words:,} in the vocabulary;"
            f" skip-gram, {self._given.epochs} epochs, medians of {self._given.seeds} alternating pairs"
        )

    def train(self) -> Iterator[str]:
        """Compares speed, memory and quality with gensim, for each width."""
        for dimensions in self._given.dimensions:
            sides = {side: functools.partial(self._measure, side, dimensions) for side in (OURS, GENSIM)}
            pairs = alternate(sides, self._given.seeds)
            judged = {side: [self._judge(done.vectors) for done in runs] for side, runs in pairs.items()}
            rates = _table(pairs, _FASTER)
            yield f"### {dimensions} dimensions\n\n{rates}\n\n{word2vec_quality.comparison(judged)}\n"

    def scale(self) -> Iterator[str]:
        """Measures our speed and memory on a corpus many times as large."""
        large = word2vec_corpus.repeat(self._corpus, self._folder / "large", self._given.scale)
        width, small = self._given.dimensions[0], self._corpus
        sides = {
            f"{corpus.tokens:,} words": functools.partial(self._measure, OURS, width, corpus=corpus, epochs=epochs)
            for corpus, epochs in ((large, 1), (small, self._given.epochs))
        }
        times, usual = self._given.scale, self._given.epochs
        note = f"The larger corpus repeats the smaller {times} times, for one epoch instead of {usual}."
        yield f"### scale, {width} dimensions\n\n{note}\n\n{_table(alternate(sides, self._given.seeds), _LINEAR)}\n"

    def tutorial(self) -> Iterator[str]:
        """Compares our speed with one call of Keras per pair."""
        dimensions = self._given.dimensions[0]
        sides = {side: functools.partial(self._measure, side, dimensions) for side in (OURS, KERAS)}
        note = (
            "Keras makes the pairs with `skipgrams` and trains each in one call of `train_on_batch`;"
            " it is measured on a few thousand pairs and the words that form them."
        )
        yield f"### tutorial, {dimensions} dimensions\n\n{note}\n\n{_table(alternate(sides, 1), None)}\n"

    def _measure(
        self, side: str, dimensions: int, pair: int, *, corpus: Corpus | None = None, epochs: int | None = None
    ) -> Measured:
        vectors = self._folder / f"{side}-{dimensions}-{pair}.bin"
        training = {"dimensions": dimensions, "epochs": epochs or self._given.epochs, "seed": pair + 1}
        job = {**dataclasses.asdict(corpus or self._corpus), **training, "vectors": str(vectors)}
        done = run_python(["-m", "bench.vectors.word2vec_sides", side, json.dumps(job)], vectors.with_suffix(".log"))
        # Libraries may print before the result.
        trained = Trained(**json.loads(done.output.splitlines()[-1]))
        return Measured(trained.words / trained.seconds, done.peak_bytes, vectors)

    def _judge(self, vectors: Path) -> dict[str, Judgement]:
        done = run_python(["-m", "bench.vectors.word2vec_quality", str(vectors)], vectors.with_suffix(".log"))
        return {name: Judgement(**found) for name, found in json.loads(done.output).items()}


def _table(sides: Mapping[str, Sequence[Measured]], limit: Limit | None) -> str:
    rate = pair_row(_RATE, sides, lambda done: done.rate, limit=limit)
    peak = pair_row(_PEAK, sides, lambda done: done.peak_bytes / 1e9, digits=2)
    return ratio_table([rate, peak], *sides)


BENCHMARKS: Mapping[str, Callable[[Bench], Iterator[str]]] = {
    "train": Bench.train,
    "scale": Bench.scale,
    "tutorial": Bench.tutorial,
}
"""The benchmarks by name."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.vectors.word2vec", description=__doc__.splitlines()[0])
    corpus = parser.add_mutually_exclusive_group()
    corpus.add_argument("--root", type=Path, help="root of a run with transformed examples")
    corpus.add_argument(
        "--limit", type=between(1), default=data_corpus.REVIEWS, help="reviews to transform without --root"
    )
    parser.add_argument("--seeds", type=between(1), default=3, help="measured pairs, each with its own seed")
    parser.add_argument("--epochs", type=between(1), default=5, help="passes over the corpus")
    parser.add_argument("--dimensions", type=between(1), nargs="+", default=[100, 300], help="widths of the vectors")
    parser.add_argument("--scale", type=between(2), default=10, help="copies that make the large corpus")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="run only this one; repeatable")
    return parser.parse_args()


def main() -> int:
    """Runs the command; returns its exit code."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="bench-word2vec-") as name:
        folder = Path(name)
        try:
            root, limit = arguments.root, arguments.limit
            made = word2vec_corpus.find(root) if root else word2vec_corpus.make(folder / "corpus", limit)
            corpus = word2vec_corpus.as_text(made, folder / "sentences.txt")
            bench = Bench(folder, corpus, arguments)
            print(f"{bench.describe()}\n", flush=True)
            for chosen in arguments.only or BENCHMARKS:
                for text in BENCHMARKS[chosen](bench):
                    print(text, flush=True)
        except JobError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
