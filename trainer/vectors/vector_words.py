"""The words of a vocabulary that have vectors."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainer.data.features import RESERVED_WORDS
from trainer.errors import JobError


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The words of a transform graph without the reserved ones; row r has the id r + 4.

    Attributes:
        words: Unique words, by decreasing count.
        counts: Occurrences in the train split, int64 [words].
    """

    words: list[str]
    counts: NDArray[np.int64]

    @classmethod
    def read(cls, transform_graph: str) -> Vocabulary:
        """Reads `vocabulary.txt` and `counts.txt` of a transform graph; raises JobError if they have no words."""
        lines = []
        for name in ("vocabulary", "counts"):
            with tf.io.gfile.GFile(f"{transform_graph}/{name}.txt", "rb") as file:
                lines.append(file.read().decode().split("\n")[:-1])
        words, counts = lines
        first = len(RESERVED_WORDS)
        if len(words) == first:
            where, found = f"{transform_graph}/vocabulary.txt", "only reserved words"
            fix = "Lower transform.min_count, or add text."
            raise JobError("The vocabulary has no words.", where=where, found=found, fix=fix)
        return cls(words[first:], np.array(counts[first:], np.int64))
