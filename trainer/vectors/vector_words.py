"""The words that have vectors."""

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
        words: Each once, by falling count.
        counts: Occurrences in the train split, int64 [words].
    """

    words: list[str]
    counts: NDArray[np.int64]

    @classmethod
    def read(cls, transform_graph: str) -> Vocabulary:
        """Reads `vocabulary.txt` and `counts.txt`.

        Args:
            transform_graph: The transform graph's directory.

        Raises:
            JobError: If there is no word in it.
        """
        words, counts = (_lines(f"{transform_graph}/{name}.txt") for name in ("vocabulary", "counts"))
        first = len(RESERVED_WORDS)
        if len(words) == first:
            raise JobError(
                "There is no word to make a vector of.",
                where=f"{transform_graph}/vocabulary.txt",
                found="reserved words alone",
                expected="words of the train split",
                fix="Lower transform.min_count, or give more text.",
            )
        return cls(words[first:], np.array(counts[first:], np.int64))


def _lines(path: str) -> list[str]:
    with tf.io.gfile.GFile(path, "rb") as file:
        content: bytes = file.read()
    return content.decode().split("\n")[:-1]
