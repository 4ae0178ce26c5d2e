"""Monitoring of training: curves, neighbors of frequent words, and finally the projector."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorboard.plugins import projector

from trainer.vectors import vector_files
from trainer.vectors.nearest import VectorTable
from trainer.vectors.vector_words import Vocabulary
from trainer.word2vec.model import Tables
from trainer.word2vec.settings import Word2vecSettings

_SHOWN = 6
_FROM, _TO = 100, 1_000
_logger = logging.getLogger("seqloom.trainer")


class NeighborMonitor:
    """Writes to the log and to TensorBoard's default writer.

    Shows the neighbors of alphabetic words, evenly spread among the frequent ones but without the most frequent:
    words that are adjacent to every word are not informative.

    Args:
        settings: The trainer section of the configuration.
        vocabulary: The words.
        tables: Their vectors.
        steps: Steps done before.
    """

    def __init__(self, settings: Word2vecSettings, vocabulary: Vocabulary, tables: Tables, steps: int = 0) -> None:
        self._settings, self._vocabulary, self._tables = settings, vocabulary, tables
        rows = np.array([row for row, word in enumerate(vocabulary.words) if word.isalpha()], np.int64)
        frequent = rows[_FROM:_TO] if len(rows) > _TO else rows
        places = np.linspace(0, len(frequent) - 1, min(settings.neighbors, len(frequent))).astype(int)
        self._rows: list[int] = frequent[places].tolist()
        self._steps = self._shown_at = steps

    def step(self, steps: int, figures: Mapping[str, float]) -> None:
        """Shows figures by name and neighbors every `log_steps`; `steps` is the number since the last call."""
        self._steps += steps
        if self._steps - self._shown_at < self._settings.log_steps:
            return
        self._shown_at = self._steps
        for name, value in figures.items():
            tf.summary.scalar(f"step/{name}", value, step=self._steps)
        lines = [f"{word}: {', '.join(names)}" for word, names in self.neighbors().items()]
        tf.summary.text("neighbors", "\n\n".join(lines), step=self._steps)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        _logger.info("step %s: %s\n%s", self._steps, shown, "\n".join(lines))

    def neighbors(self) -> dict[str, list[str]]:
        """Finds the nearest words of the shown words with one matrix product."""
        if not self._rows:
            return {}
        vectors = self._tables.word_vectors()
        k = min(_SHOWN, len(vectors) - 1)
        _, nearest = VectorTable(vectors).nearest(vectors[self._rows], tf.constant(self._rows, tf.int64)[:, None], k)
        words = self._vocabulary.words
        return {
            words[row]: [words[other] for other in others]
            for row, others in zip(self._rows, nearest.numpy().tolist(), strict=True)
        }

    def write_projector(self, directory: str) -> None:
        """Writes the vectors with their words and counts for TensorBoard's projector."""
        vectors = vector_files.WordVectors(self._vocabulary.words, self._tables.word_vectors())
        vector_files.write_projector(directory, vectors, self._vocabulary.counts.tolist())
        config = projector.ProjectorConfig()
        config.embeddings.add(tensor_name="words", tensor_path="vectors.tsv", metadata_path="metadata.tsv")
        projector.visualize_embeddings(directory, config)
