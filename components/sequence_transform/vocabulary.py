"""Token counts and the vocabulary made of them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

import tensorflow as tf

from trainer import features as f
from trainer.errors import JobError
from trainer.settings import TransformSettings


@dataclasses.dataclass
class TokenCounts:
    """What one pass over documents finds.

    Attributes:
        tokens: Occurrences by token.
        labels: Documents by label.
        documents: Documents seen.
    """

    tokens: Counter[str] = dataclasses.field(default_factory=Counter)
    labels: Counter[str] = dataclasses.field(default_factory=Counter)
    documents: int = 0

    def add(self, other: TokenCounts) -> None:
        """Adds another pass' counts to these."""
        self.tokens.update(other.tokens)
        self.labels.update(other.labels)
        self.documents += other.documents


def select_words(counts: Mapping[str, int], settings: TransformSettings) -> list[tuple[str, int]]:
    """Chooses the vocabulary: falling count, ties by the word's bytes (which UTF-8 orders as code points).

    Args:
        counts: Occurrences by token.
        settings: `max_size` and `min_count`.

    Returns:
        Words with their counts, without the reserved words.

    Raises:
        JobError: If no token is frequent enough.
    """
    frequent = [(w, n) for w, n in counts.items() if n >= settings.min_count and w not in f.RESERVED_WORDS]
    if not frequent:
        raise JobError(
            "The vocabulary would be empty.",
            where="SequenceTransform, train split",
            found=f"{len(counts)} distinct tokens, the most frequent seen {max(counts.values(), default=0)} times",
            expected=f"at least one token seen transform.min_count = {settings.min_count} times",
            fix="Check that corpus.text names the text, add documents, or lower transform.min_count.",
        )
    return sorted(frequent, key=lambda item: (-item[1], item[0]))[: settings.max_size]


def write_vocabulary(directory: str, words: list[tuple[str, int]]) -> str:
    """Writes `vocabulary.txt` (reserved words first) and `counts.txt`, line by line alike.

    Returns:
        The path of `vocabulary.txt`.
    """
    lines = [*((word, 0) for word in f.RESERVED_WORDS), *words]
    path = f"{directory}/vocabulary.txt"
    _write_lines(path, [word for word, _ in lines])
    _write_lines(f"{directory}/counts.txt", [str(count) for _, count in lines])
    return path


def write_labels(directory: str, labels: list[str]) -> str:
    """Writes `labels.txt`, class names in the order of their ids, and returns its path.

    Raises:
        JobError: If a name is not one line.
    """
    broken = [label for label in labels if len(label.splitlines()) != 1]
    if broken:
        raise JobError(
            "A class name is empty or has a line break.",
            where="SequenceTransform, labels",
            found=repr(broken[0]),
            expected="one line of text",
            fix="Map it to another name under corpus.labels.",
        )
    path = f"{directory}/labels.txt"
    _write_lines(path, labels)
    return path


def _write_lines(path: str, lines: list[str]) -> None:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
