"""The peers: text classifiers as in their own documentation, with settings picked on the eval split."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.documents import Split

_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORDS = 20_000
_LENGTH = 200
_EPOCHS = 3
_BATCH = 64

_Trial = tuple[str, float, Callable[[Split], Sequence[str]]]
"""A setting, its training seconds and its predictor."""
_Weigh = Callable[[Sequence[str]], Any]
"""Turns texts into weights, sparse [document, feature]."""


@dataclasses.dataclass(frozen=True)
class Prediction:
    """A peer's classes for the test split, the setting picked on eval, and the training time of that setting."""

    labels: Sequence[str]
    setting: str
    seconds: float


def _best(trials: Iterator[_Trial], splits: Mapping[str, Split]) -> Prediction:
    """Picks the trial with the best accuracy on eval, the first of equals, and predicts test with it."""
    best: tuple[float, Prediction] | None = None
    for setting, seconds, predict in trials:
        accuracy = float(np.mean(np.asarray(predict(splits["eval"])) == np.asarray(splits["eval"].labels)))
        if best is None or accuracy > best[0]:
            best = accuracy, Prediction(predict(splits["test"]), setting, seconds)
    if best is None:
        raise ValueError("a peer needs at least one setting")
    return best[1]


def _regression(
    splits: Mapping[str, Split], weigh: _Weigh, weights: Any, seconds: float, strengths: Sequence[float], **options: Any
) -> Prediction:
    """Logistic regression on the train split's weights, which took `seconds` to make; C picked on eval."""
    from sklearn.linear_model import LogisticRegression

    def predict(model: LogisticRegression, split: Split) -> Sequence[str]:
        return [str(label) for label in model.predict(weigh(split.texts))]

    def trials() -> Iterator[_Trial]:
        for strength in strengths:
            start = time.perf_counter()
            model = LogisticRegression(C=strength, **options).fit(weights, splits["train"].labels)
            yield f"C {strength:g}", seconds + time.perf_counter() - start, functools.partial(predict, model)

    return _best(trials(), splits)


def tfidf(splits: Mapping[str, Split]) -> Prediction:
    """TF-IDF of 1- and 2-grams with logistic regression (scikit-learn); C picked on eval."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    start = time.perf_counter()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, preprocessor=_plain)
    weights = vectorizer.fit_transform(splits["train"].texts)
    seconds = time.perf_counter() - start
    return _regression(splits, vectorizer.transform, weights, seconds, (1.0, 4.0, 16.0, 64.0), max_iter=1000)


def nbsvm(splits: Mapping[str, Split]) -> Prediction:
    """Log-count ratios of 1- to 3-grams with logistic regression (Wang and Manning 2012); C picked on eval."""
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer

    train = splits["train"]
    positive = np.array(train.labels) == max(train.labels)
    start = time.perf_counter()
    vectorizer = CountVectorizer(
        ngram_range=(1, 3), tokenizer=_TOKEN.findall, token_pattern=None, preprocessor=_plain, binary=True, min_df=2
    )
    found = vectorizer.fit_transform(train.texts)
    shares = [np.asarray(1 + found[rows].sum(0)).ravel() for rows in (positive, ~positive)]
    ratios = np.log(shares[0] / shares[0].sum()) - np.log(shares[1] / shares[1].sum())

    def weighed(counts: sparse.csr_matrix) -> sparse.csr_matrix:
        number = np.maximum(np.asarray(counts.sum(1)).ravel(), 1)
        return sparse.diags(number**-0.5) @ counts.multiply(ratios).tocsr()

    weights = weighed(found)
    seconds = time.perf_counter() - start
    dual = {"solver": "liblinear", "dual": True, "max_iter": 200, "random_state": 1}
    return _regression(
        splits, lambda texts: weighed(vectorizer.transform(texts)), weights, seconds, (1.0, 10.0, 100.0), **dual
    )


def fasttext(splits: Mapping[str, Split]) -> Prediction:
    """fastText, supervised, with bigrams; learning rate and epochs picked on eval; repeatable with one thread."""
    import fasttext as library

    train = splits["train"]
    names = sorted(set(train.labels))
    ids = {name: f"__label__{index}" for index, name in enumerate(names)}
    classes = {label: name for name, label in ids.items()}
    lines = [f"{ids[label]} {_tokens(text)}\n" for text, label in zip(train.texts, train.labels, strict=True)]
    # fastText reads in the file's order: sorted by class, it would remember only the last one.
    random.Random(1).shuffle(lines)

    def predict(model: library.FastText._FastText, split: Split) -> Sequence[str]:
        # With a list, predict avoids a copy that NumPy 2 forbids.
        labels, _ = model.predict([_tokens(text) for text in split.texts])
        return [classes[found[0]] if found else names[0] for found in labels]

    def trials() -> Iterator[_Trial]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "train.txt"
            file.write_text("".join(lines), encoding="utf-8")
            for rate, epochs in itertools.product((0.1, 0.5, 1.0), (5, 10, 25)):
                start = time.perf_counter()
                model = library.train_supervised(
                    str(file), lr=rate, epoch=epochs, wordNgrams=2, minCount=2, thread=1, verbose=0
                )
                seconds = time.perf_counter() - start
                yield f"lr {rate:g}, {epochs} epochs", seconds, functools.partial(predict, model)

    return _best(trials(), splits)


def bilstm(splits: Mapping[str, Split]) -> Prediction:
    """A bidirectional LSTM on texts truncated and padded to 200 words, as in Keras' tutorials; epoch picked on eval."""
    import keras

    keras.utils.set_random_seed(1)
    train = splits["train"]
    names = sorted(set(train.labels))
    start = time.perf_counter()
    vectorizer = keras.layers.TextVectorization(_WORDS, output_sequence_length=_LENGTH)
    vectorizer.adapt([_plain(text) for text in train.texts])

    def ids(split: Split) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        return np.asarray(vectorizer([_plain(text) for text in split.texts]))

    model = keras.Sequential(
        [
            keras.layers.Embedding(_WORDS, 128, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(64)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(len(names), activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    inputs, targets = ids(train), np.asarray([names.index(label) for label in train.labels])
    preparing = time.perf_counter() - start

    def predict(split: Split) -> Sequence[str]:
        return [names[index] for index in model.predict(ids(split), batch_size=256, verbose=0).argmax(axis=1)]

    def trials() -> Iterator[_Trial]:
        seconds = preparing
        for epoch in range(1, _EPOCHS + 1):
            start = time.perf_counter()
            model.fit(inputs, targets, batch_size=_BATCH, epochs=1, verbose=0)
            seconds += time.perf_counter() - start
            yield f"{epoch} epochs", seconds, predict

    return _best(trials(), splits)


def _plain(text: str) -> str:
    return _LINE_BREAK.sub(" ", text).lower()


def _tokens(text: str) -> str:
    return " ".join(_TOKEN.findall(_plain(text)))


PEERS: Mapping[str, tuple[str, Callable[[Mapping[str, Split]], Prediction]]] = {
    "tfidf": ("TF-IDF 1-2-grams, logistic regression", tfidf),
    "nbsvm": ("log-count ratios of 1-3-grams, logistic regression", nbsvm),
    "fasttext": ("fastText, bigrams", fasttext),
    "bilstm": (f"BiLSTM, truncated to {_LENGTH} words", bilstm),
}
"""The peers by short name: the name in the table and the training function."""
