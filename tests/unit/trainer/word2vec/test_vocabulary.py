"""Words and counts of a transform graph."""

from pathlib import Path

import numpy as np
import pytest

from components.sequence_transform.vocabulary import write_vocabulary
from trainer.errors import JobError
from trainer.vectors.vector_words import Vocabulary


def test_it_reads_what_the_transform_writes(tmp_path: Path) -> None:
    """Words that a line reader might split."""
    names = ["the", "caf\u00e9", "a b", "\u2028", "x\x85y", "\ufeff", "\x1c", " "]
    words = list(zip(names, [9_000_000_000, 5, 4, 3, 2, 2, 1, 0], strict=True))
    write_vocabulary(str(tmp_path), words)
    found = Vocabulary.read(str(tmp_path))
    assert list(zip(found.words, found.counts.tolist(), strict=True)) == words
    assert found.counts.dtype == np.int64


def test_a_vocabulary_of_reserved_words_is_rejected(tmp_path: Path) -> None:
    write_vocabulary(str(tmp_path), [])
    with pytest.raises(JobError, match="no word") as caught:
        Vocabulary.read(str(tmp_path))
    assert caught.value.where == f"{tmp_path}/vocabulary.txt"
    assert "min_count" in caught.value.fix
