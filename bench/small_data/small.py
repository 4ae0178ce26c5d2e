"""Trains on small corpora with the defaults and on their splits with TF-IDF, and judges both on unseen documents.

Run `python -m bench.small_data.small`, or `make bench-small`. Each corpus is a draw of the film reviews; the documents
that it leaves over are read only to judge.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench import documents
from bench.measuring import data_tables
from bench.small_data import small_corpora
from bench.small_data.small_corpora import CORPORA, Corpus, Review
from bench.small_data.small_runs import publish

_BATCH = 64
_BINS = 10
_LEAST = 1e-7
_STRENGTHS = (0.25, 1.0, 4.0, 16.0, 64.0, 256.0)


class Judged(NamedTuple):
    """One model on unseen documents.

    Attributes:
        accuracy: Share of documents with exactly the right answer.
        macro_f1: Mean over the classes.
        loss: Mean cross-entropy in nats, of several labels the mean over the classes.
        calibration: Expected calibration error in ten bins, of the probabilities of all classes.
        seconds: From the file to the model.
    """

    accuracy: float
    macro_f1: float
    loss: float
    calibration: float
    seconds: float


def judge(probabilities: NDArray[Any], wanted: NDArray[np.bool_], seconds: float, *, exclusive: bool) -> Judged:
    """Judges probabilities, float [documents, classes], by the classes that are wanted."""
    if exclusive:
        answers = np.eye(wanted.shape[1], dtype=bool)[probabilities.argmax(1)]
        losses = -np.log(np.maximum(probabilities[wanted], _LEAST))
    else:
        answers = probabilities >= 0.5
        losses = -np.log(np.maximum(np.where(wanted, probabilities, 1 - probabilities), _LEAST)).mean(1)
    found, given, both = answers.sum(0), wanted.sum(0), (answers & wanted).sum(0)
    f1 = np.divide(2 * both, found + given, out=np.zeros(len(found)), where=found + given > 0)
    bins = np.minimum((probabilities.ravel() * _BINS).astype(int), _BINS - 1)
    gaps = [abs((probabilities.ravel() - wanted.ravel())[bins == one].sum()) for one in range(_BINS)]
    accuracy = float((answers == wanted).all(1).mean())
    return Judged(accuracy, float(f1.mean()), float(losses.mean()), sum(gaps) / probabilities.size, seconds)


def multi_hot(labels: Sequence[Sequence[str]], classes: Sequence[str]) -> NDArray[np.bool_]:
    """Returns labels as bool [documents, classes]."""
    return np.array([[name in given for name in classes] for given in labels], bool)


def ours(
    folder: Path, drawn: Sequence[Review], unseen: Sequence[Review], corpus: Corpus, sets: Sequence[str]
) -> Judged:
    """Runs the job of a corpus, and judges the published model."""
    version, seconds = publish(small_corpora.write(drawn, corpus.multi_label, folder), sets)
    import tensorflow as tf

    from trainer.jobs import saved_model

    serve = saved_model.load(str(version)).signatures["serving_default"]
    order = sorted(range(len(unseen)), key=lambda number: len(unseen[number].text))
    probabilities: dict[int, NDArray[np.float32]] = {}
    classes: list[str] = []
    for first in range(0, len(order), _BATCH):
        numbers = order[first : first + _BATCH]
        found = serve(text=tf.constant([unseen[number].text for number in numbers]))
        classes = [name.decode() for name in found["labels"].numpy()[0]]
        probabilities.update(zip(numbers, found["probabilities"].numpy(), strict=True))
    rows = np.stack([probabilities[number] for number in range(len(unseen))])
    wanted = multi_hot([one.labels for one in unseen], classes)
    return judge(rows, wanted, seconds, exclusive=not corpus.multi_label)


def splits(root: Path) -> dict[str, tuple[list[str], list[list[str]]]]:
    """Returns the texts and labels of the splits of a run."""
    found = {}
    for split in documents.SPLITS:
        rows = list(documents.raw_examples(root, split))
        labels = [_labels(row) for row in rows]
        found[split] = [" ".join(documents.steps(row, "text")) for row in rows], labels
    return found


def _labels(example: Any) -> list[str]:
    """Returns the labels of a raw SequenceExample."""
    label = example.context.feature["label"].bytes_list.value
    return [label[0].decode()] if label else documents.steps(example, "labels")


def peer(root: Path, unseen: Sequence[Review], *, exclusive: bool) -> Judged:
    """Fits TF-IDF of words and pairs with logistic regression to the splits of a run; C by the loss on eval."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    found = splits(root)
    start = time.perf_counter()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    (train, train_labels), (held, held_labels) = found["train"], found["eval"]
    rows, eval_rows = vectorizer.fit_transform(train), vectorizer.transform(held)
    classes = sorted({name for given in train_labels for name in given})
    targets, eval_targets = (multi_hot(labels, classes) for labels in (train_labels, held_labels))
    models = []
    for strength in _STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=1000)
        if exclusive:
            model.fit(rows, targets.argmax(1))
        else:
            model = OneVsRestClassifier(model).fit(rows, targets)
        judged = judge(model.predict_proba(eval_rows), eval_targets, 0.0, exclusive=exclusive)
        models.append((judged.loss, strength, model))
    best = min(models, key=lambda one: one[:2])[2]
    seconds = time.perf_counter() - start
    probabilities = best.predict_proba(vectorizer.transform([one.text for one in unseen]))
    return judge(probabilities, multi_hot([one.labels for one in unseen], classes), seconds, exclusive=exclusive)


def row(name: str, size: str, pairs: Sequence[tuple[Judged, Judged]]) -> list[str]:
    """Makes the row of a corpus of one size: means over the draws, ours beside the peer's."""
    cells = [name, size]
    for field, digits in (("accuracy", 4), ("macro_f1", 4), ("loss", 4), ("calibration", 4), ("seconds", 1)):
        means = [statistics.mean(getattr(side, field) for side in sides) for sides in zip(*pairs, strict=True)]
        cells += [f"{mean:.{digits}f}" for mean in means]
    ahead = [one.accuracy - other.accuracy for one, other in pairs]
    error = statistics.stdev(ahead) / len(ahead) ** 0.5 if len(ahead) > 1 else float("nan")
    return [*cells, f"{statistics.mean(ahead):+.4f} ± {error:.4f}"]


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.small_data.small", description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", choices=CORPORA, action="append", help="by default reviews; repeatable")
    parser.add_argument("--sizes", default="300,1000,3000,10000", help="documents, separated by commas; all: 99999999")
    parser.add_argument("--seeds", type=int, default=5, help="draws of each size")
    parser.add_argument("--unseen", type=int, default=4_000, help="least number of documents to judge on")
    parser.add_argument("--most-unseen", type=int, help="judge on so many of the unseen documents, not on all")
    parser.add_argument("--folder", type=Path, default=Path("runs/bench-small"), help="for corpora, roots and results")
    parser.add_argument("--set", action="append", default=[], help="as in seqloom run, for comparisons")
    arguments = parser.parse_args()
    header = ["corpus", "documents"]
    for field in ("accuracy", "macro F1", "log loss", "calibration error", "seconds"):
        header += [field, f"{field}, TF-IDF"]
    lines = [[*header, "accuracy ahead"]]
    for name in arguments.corpus or ["reviews"]:
        corpus = CORPORA[name]
        for size in map(int, arguments.sizes.split(",")):
            pairs, taken = [], 0
            for seed in range(1, arguments.seeds + 1):
                drawn, unseen = small_corpora.draw(corpus, size, seed, arguments.unseen)
                taken, unseen = len(drawn), unseen[: arguments.most_unseen]
                folder = arguments.folder.absolute() / f"{name}-{size}-{seed}"
                own = ours(folder, drawn, unseen, corpus, arguments.set)
                pairs.append((own, peer(folder / "root", unseen, exclusive=not corpus.multi_label)))
                print(json.dumps([name, taken, seed, *pairs[-1]]), file=sys.stderr, flush=True)
            lines.append(row(f"{name} ({corpus.about})", f"{taken:,}", pairs))
    print(data_tables.table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
