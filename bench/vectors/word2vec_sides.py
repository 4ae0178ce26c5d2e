"""Trains skip-gram vectors in this process: ours, gensim's or Keras' tutorials'.

Run `python -m bench.vectors.word2vec_sides SIDE JOB`, with the job as JSON; prints one JSON object.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.vectors.word2vec_corpus import TRAIN, Corpus, vocabulary

OURS, GENSIM, KERAS = "seqloom", "gensim", "Keras"

WINDOW, NEGATIVES, SUBSAMPLE = 5, 5, 1e-3
_GENSIM_WORKERS = 2
_KERAS_STEPS = 3_000


@dataclasses.dataclass(frozen=True)
class Job(Corpus):
    """A training run on a corpus: width, epochs and seed of the vectors, and the file for them."""

    dimensions: int
    epochs: int
    seed: int
    vectors: str


@dataclasses.dataclass(frozen=True)
class Trained:
    """The number of words trained on, including unknown ones and repetitions, and the duration."""

    words: float
    seconds: float


def with_seqloom(job: Job) -> Trained:
    """Trains from the TFRecord files; reading them and compiling the steps are timed."""
    from trainer.vectors import vector_files
    from trainer.vectors.vector_words import Vocabulary
    from trainer.word2vec.settings import Word2vecSettings
    from trainer.word2vec.training import Training

    method = {"window": WINDOW, "negatives": NEGATIVES, "subsample": SUBSAMPLE}
    settings = Word2vecSettings(seed=job.seed, epochs=job.epochs, dimensions=job.dimensions, **method)
    words = Vocabulary.read(job.graph)
    training = Training(settings, words, [str(Path(job.examples, TRAIN))])
    start = time.perf_counter()
    for epoch in range(job.epochs):
        training.epoch(epoch)
    seconds = time.perf_counter() - start
    vectors = vector_files.WordVectors(words.words, training.tables.word_vectors())
    vector_files.write_binary(job.vectors, vectors)
    return Trained(job.tokens * job.epochs, seconds)


def with_gensim(job: Job) -> Trained:
    """Trains with two workers on lists of words in memory and our vocabulary; making these is not timed."""
    from gensim.models import Word2Vec

    counts = {word: count for word, count in vocabulary(job.graph).items() if count}
    sentences = _sentences(job)
    method = {"sg": 1, "window": WINDOW, "negative": NEGATIVES, "sample": SUBSAMPLE, "min_count": 1}
    model = Word2Vec(vector_size=job.dimensions, workers=_GENSIM_WORKERS, seed=job.seed, **method)
    model.build_vocab_from_freq(counts, corpus_count=job.documents)
    start = time.perf_counter()
    model.train(sentences, total_examples=job.documents, epochs=job.epochs)
    seconds = time.perf_counter() - start
    model.wv.save_word2vec_format(job.vectors, binary=True)
    return Trained(job.tokens * job.epochs, seconds)


def with_keras(job: Job) -> Trained:
    """Trains as Keras' tutorials do: `skipgrams` makes pairs, and each pair is one call of `train_on_batch`.

    It uses a few thousand pairs and the words that form them. The first call, which traces, is not timed.
    """
    import numpy as np
    import tensorflow as tf

    tf.keras.utils.set_random_seed(job.seed)
    sequence = tf.keras.preprocessing.sequence
    # `skipgrams` does not treat row 0 as a word.
    rows = {word: row for row, word in enumerate(vocabulary(job.graph), 1)}
    size = len(rows) + 1
    table = sequence.make_sampling_table(size, sampling_factor=SUBSAMPLE)
    pairs: list[list[int]] = []
    labels: list[int] = []
    words = 0
    # From Python 3.12 on, `skipgrams` fails to draw a seed of its own.
    for seed, document in enumerate(_sentences(job), job.seed):
        ids = [rows.get(word, 0) for word in document]
        made = sequence.skipgrams(
            ids, size, window_size=WINDOW, negative_samples=NEGATIVES, sampling_table=table, seed=seed
        )
        pairs, labels, words = pairs + made[0], labels + made[1], words + len(ids)
        if len(pairs) > _KERAS_STEPS:
            break
    model = _keras_model(size, job.dimensions)
    steps = [
        ([np.array([center]), np.array([other])], np.array([label]))
        for (center, other), label in zip(pairs, labels, strict=True)
    ][: _KERAS_STEPS + 1]
    model.train_on_batch(*steps[0])
    start = time.perf_counter()
    for inputs, label in steps[1:]:
        model.train_on_batch(inputs, label)
    return Trained(words * (len(steps) - 1) / len(pairs), time.perf_counter() - start)


def _keras_model(size: int, dimensions: int) -> Any:
    import keras

    inputs = [keras.Input(()) for _ in range(2)]
    center, other = (keras.layers.Embedding(size, dimensions)(word) for word in inputs)
    model = keras.Model(inputs, keras.ops.sigmoid(keras.ops.sum(center * other, -1, keepdims=True)))
    model.compile(optimizer=keras.optimizers.SGD(0.025), loss="binary_crossentropy")
    return model


def _sentences(job: Job) -> list[list[str]]:
    # A word may be a character that Python treats as white space.
    with Path(job.sentences).open(encoding="utf-8", newline="\n") as file:
        return [line[:-1].split(" ") for line in file]


SIDES: Mapping[str, Callable[[Job], Trained]] = {OURS: with_seqloom, GENSIM: with_gensim, KERAS: with_keras}
"""The training functions by name."""


if __name__ == "__main__":
    side, job = sys.argv[1], Job(**json.loads(sys.argv[2]))
    print(json.dumps(dataclasses.asdict(SIDES[side](job))))
