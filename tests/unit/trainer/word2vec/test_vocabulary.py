"""Words and counts of a transform graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.sequence_transform.vocabulary import write_vocabulary
from trainer.errors import JobError
from trainer.vectors.vector_words import Vocabulary


def test_it_holds_words_and_counts_without_the_reserved_ones(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.txt").write_text("<pad>\n<unk>\n<bos>\n<eos>\nthe\nfilm\n")
    (tmp_path / "counts.txt").write_text("0\n0\n0\n0\n9000000000\n0\n")
    found = Vocabulary.read(str(tmp_path))
    assert found.words == ["the", "film"]
    assert found.counts.dtype == np.int64
    assert found.counts.tolist() == [9_000_000_000, 0]


def test_it_reads_what_the_transform_writes(tmp_path: Path) -> None:
    """Words that a reader of lines might part."""
    words = [("caf\u00e9", 5), ("a b", 4), ("\u2028", 3), ("x\x85y", 2), ("\ufeff", 2), ("\x1c", 1), (" ", 1)]
    write_vocabulary(str(tmp_path), words)
    found = Vocabulary.read(str(tmp_path))
    assert list(zip(found.words, found.counts.tolist(), strict=True)) == words


def test_a_vocabulary_of_reserved_words_is_rejected(tmp_path: Path) -> None:
    write_vocabulary(str(tmp_path), [])
    with pytest.raises(JobError, match="no word") as caught:
        Vocabulary.read(str(tmp_path))
    assert caught.value.where == f"{tmp_path}/vocabulary.txt"
    assert "min_count" in caught.value.fix
