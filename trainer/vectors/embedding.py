"""Embedding tables that are initialized with pretrained vectors."""

from __future__ import annotations

import dataclasses
import logging
import posixpath
from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.data import features as f
from trainer.errors import JobError
from trainer.vectors import vector_reading
from trainer.vectors.settings import EmbeddingSettings
from trainer.vectors.vector_files import WordVectors
from trainer.vectors.vector_words import Vocabulary

_ABSENT = -1
_WHERE = "trainer.embedding.from"
_EXAMPLES = 5
_logger = logging.getLogger("seqloom.trainer")


@dataclasses.dataclass(frozen=True, eq=False)
class Start:
    """The initial values of an embedding table.

    Attributes:
        vectors: A row for each id, float32 [ids, width].
        coverage: The values for `training.json`: the `file`, its `width` and number of `words`; `found`, the number
            of vocabulary words that it has; `type_coverage` and `token_coverage`, their share of the vocabulary and
            of the vocabulary's occurrences in the train split, 0 to 1.
    """

    vectors: NDArray[np.float32]
    coverage: dict[str, str | int | float]


def read(settings: EmbeddingSettings, transform_graph: str, seed: int) -> Start | None:
    """Reads the pretrained vectors of a vocabulary's words.

    Words that the file lacks are looked up again ignoring case. `<pad>` is zeros. Words without a vector get a random
    one, uniform with the variance of the vectors found (Kim 2014, "Convolutional Neural Networks for Sentence
    Classification", section 4.3).

    Args:
        settings: The section `trainer.embedding` of the configuration.
        transform_graph: The transform graph's directory.
        seed: Seed of the random vectors.

    Returns:
        The table's initial values, or None if the settings name no vectors.

    Raises:
        JobError: If the file cannot be read, has none of the words, or a vector is not finite.
    """
    path = settings.source
    if path is None:
        return None
    given, vocabulary = vector_reading.read(path), Vocabulary.read(transform_graph)
    rows = _rows(vocabulary.words, given.words)
    found = rows != _ABSENT
    if not found.any():
        raise _nothing_found(path, given.words, vocabulary.words)
    of_types = float(found.mean())
    of_tokens = float(vocabulary.counts[found].sum() / max(vocabulary.counts.sum(), 1))
    shares = f"{of_types:.1%} of the vocabulary, {of_tokens:.1%} of its occurrences"
    _logger.info("%s words start from %s: %s", int(found.sum()), path, shares)
    coverage: dict[str, str | int | float] = {
        "file": posixpath.basename(path),
        "width": given.vectors.shape[1],
        "words": len(given.words),
        "found": int(found.sum()),
        "type_coverage": of_types,
        "token_coverage": of_tokens,
    }
    return Start(_table(given, rows, f.vocabulary_size(transform_graph), seed), coverage)


def layer(
    settings: EmbeddingSettings, vocabulary_size: int, vectors: NDArray[np.float32] | None = None
) -> keras.layers.Embedding:
    """Builds a layer from ids, int64 [batch, time], to vectors, float [batch, time, width].

    Args:
        settings: Its width, and whether it is trained.
        vocabulary_size: Ids in the vocabulary, including reserved ones.
        vectors: Initial vectors, float32 [vocabulary_size, width]; None: random ones.
    """
    width = settings.width if vectors is None else vectors.shape[1]
    table = keras.layers.Embedding(vocabulary_size, width, trainable=not settings.frozen, name="embedding")
    if vectors is not None:
        table.build()
        # Not by an initializer: the model's config would then contain all values.
        table.embeddings.assign(vectors)
    return table


def _rows(words: Sequence[str], given: Sequence[str]) -> NDArray[np.int64]:
    """Finds each word among the given ones: unchanged, else in lower case, else the first that differs only in case."""
    exact = {word: row for row, word in enumerate(given)}
    folded: dict[str, int] = {}
    for row, word in enumerate(given):
        folded.setdefault(word.lower(), row)
    lower = [word.lower() for word in words]
    found = [exact.get(w, exact.get(low, folded.get(low, _ABSENT))) for w, low in zip(words, lower, strict=True)]
    return np.array(found, np.int64)


def _table(given: WordVectors, rows: NDArray[np.int64], size: int, seed: int) -> NDArray[np.float32]:
    """Builds a table, float32 [size, width], of the given vectors at `rows` and random ones for other ids."""
    found = np.flatnonzero(rows != _ABSENT)
    values = given.vectors[rows[found]]
    bound = np.sqrt(3) * values.std(dtype=np.float64)
    table = np.random.default_rng(seed).uniform(-bound, bound, [size, values.shape[1]]).astype(np.float32)
    table[f.PAD] = 0
    table[len(f.RESERVED_WORDS) + found] = values
    return table


def _nothing_found(path: str, given: Sequence[str], words: Sequence[str]) -> JobError:
    return JobError(
        "The word vectors have none of the vocabulary's words.",
        where=f"{_WHERE}, {path}",
        found=f"{len(given):,} words, for example {', '.join(given[:_EXAMPLES])}" if given else "no words",
        expected=f"some of the vocabulary's {len(words):,} words, for example {', '.join(words[:_EXAMPLES])}",
        fix="Use vectors that match the corpus' language and tokenizer.",
    )
