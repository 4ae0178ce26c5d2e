"""Token counts, and the vocabulary chosen from them."""

from __future__ import annotations

import dataclasses
import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from components.sequence_transform.given_words import is_line, read_words, unreadable
from trainer.data import features as f
from trainer.errors import JobError
from trainer.settings import TransformSettings


@dataclasses.dataclass
class TokenCounts:
    """The counts of one pass over documents.

    Attributes:
        tokens: Occurrences by token.
        classes: Documents by label (a document with several labels counts for each of them), or tokens by tag.
        documents: The number of documents.
    """

    tokens: Counter[str] = dataclasses.field(default_factory=Counter)
    classes: Counter[str] = dataclasses.field(default_factory=Counter)
    documents: int = 0

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TokenCounts:
        """Returns the counts whose `vars` were written as JSON."""
        return cls(Counter(values["tokens"]), Counter(values["classes"]), values["documents"])

    def add(self, other: TokenCounts) -> None:
        """Adds the counts of other documents."""
        self.tokens.update(other.tokens)
        self.classes.update(other.classes)
        self.documents += other.documents


def select_words(
    counts: Mapping[str, int], settings: TransformSettings, pieces: Iterable[str] = (), *, tokenized: bool = False
) -> list[tuple[str, int]]:
    """Chooses the vocabulary as configured.

    It starts with `settings.reserved`, followed by the words of a given vocabulary in its order, all pieces of the
    subword model, or the frequent words of the train split up to the maximum size. Pieces and frequent words are in
    descending order of their counts, ties in the order of the word's bytes (for UTF-8 that of the code points).

    Args:
        counts: Occurrences by token.
        settings: The transform section of the configuration.
        pieces: All pieces of the subword model, with `tokenizer: subwords`.
        tokenized: Whether the corpus consists of tokens.

    Returns:
        Words with their counts, without the four words that every vocabulary has.

    Raises:
        JobError: If no token is frequent enough, or the given vocabulary is invalid or has no token of the corpus.
    """
    if settings.vocabulary is not None:
        chosen = _given_words(settings.vocabulary, settings, tokenized=tokenized)
        _require_known(chosen, counts, settings)
    elif settings.tokenizer == "subwords":
        chosen = _by_count(set(pieces) - set(settings.reserved), counts)
    else:
        chosen = _frequent_words(counts, settings, settings.least_count(tokenized=tokenized))
    return [(word, counts.get(word, 0)) for word in (*settings.reserved, *chosen)]


def _frequent_words(counts: Mapping[str, int], settings: TransformSettings, least: int) -> list[str]:
    reserved = {*f.RESERVED_WORDS, *settings.reserved}
    frequent = [w for w, n in counts.items() if n >= least and w not in reserved and is_line(w)]
    if not frequent:
        raise JobError(
            "The vocabulary would be empty.",
            where="SequenceTransform, train split",
            found=f"{len(counts)} distinct tokens, the most frequent one {max(counts.values(), default=0)} times",
            expected=f"at least one token that occurs transform.min_count = {least} times",
            fix="Check that corpus.text names the text, add documents, or lower transform.min_count.",
        )
    return _by_count(frequent, counts)[: settings.max_size]


def _by_count(words: Iterable[str], counts: Mapping[str, int]) -> list[str]:
    return sorted(words, key=lambda word: (-counts.get(word, 0), word))


def _given_words(path: str, settings: TransformSettings, *, tokenized: bool) -> list[str]:
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            content = file.read()
    except tf.errors.OpError as error:
        raise unreadable(path, error) from error
    return read_words(content, path, settings, tokenized=tokenized)


def _require_known(words: list[str], counts: Mapping[str, int], settings: TransformSettings) -> None:
    """Checks that a given vocabulary has a token of the train split, if this has any."""
    if not counts or any(counts.get(word) for word in words):
        return
    frequent = ", ".join(repr(token) for token in _by_count(counts, counts)[:5])
    listed = ", ".join(map(repr, words[:5])) + ", ..." * (len(words) > 5)
    capitals = settings.lowercased and any(word != word.lower() for word in words)
    raise JobError(
        "No word of the vocabulary is in the train split.",
        where="transform.vocabulary",
        found=f"{listed}; the most frequent tokens are {frequent}",
        expected="tokens of the corpus, as transform.tokenizer makes them",
        fix="Lower-case the words, or set transform.lowercase to false." if capitals else "Correct the words.",
    )


def check_coverage(
    split: str, known: int, tokens: int, unknown_counts: Mapping[str, int], settings: TransformSettings
) -> None:
    """Compares the share of a split's tokens that are in the vocabulary with `transform.min_coverage`.

    Args:
        split: The split's name.
        known: The number of tokens in the vocabulary.
        tokens: The number of tokens, without marks; a split without tokens passes.
        unknown_counts: The unknown tokens of the train split with their counts, for the message.
        settings: The transform section of the configuration.

    Raises:
        JobError: If the share is too small.
    """
    if settings.min_coverage is None or tokens == 0 or known / tokens >= settings.min_coverage:
        return
    frequent = [f"{word!r} ({unknown_counts[word]})" for word in _by_count(unknown_counts, unknown_counts)[:10]]
    raise JobError(
        f"Too many tokens of the {split} split are unknown.",
        where=f"SequenceTransform, split {split}",
        found=f"{known / tokens:.4f} of {tokens} tokens known"
        + (f"; the most frequent unknown ones: {', '.join(frequent)}" if frequent else ""),
        expected=f"at least transform.min_coverage = {settings.min_coverage}",
        fix="Raise transform.max_size, lower transform.min_count or min_coverage, or check these tokens.",
    )


def unknown_counts(counts: Mapping[str, int], words: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Returns the counts of the tokens that are not in the result of `select_words`."""
    known = {word for word, _ in words}
    return {token: count for token, count in counts.items() if token not in known}


def write_vocabulary(directory: str, words: list[tuple[str, int]]) -> str:
    """Writes `vocabulary.txt`, reserved words first, and `counts.txt` line by line; returns the path of the former."""
    lines = [*((word, 0) for word in f.RESERVED_WORDS), *words]
    path = f"{directory}/vocabulary.txt"
    _write_lines(path, [word for word, _ in lines])
    _write_lines(f"{directory}/counts.txt", [str(count) for _, count in lines])
    return path


def write_classes(path: str, names: list[str]) -> str:
    """Writes the names of classes in the order of their ids, one per line, and returns the path.

    Raises:
        JobError: If a name is empty or has a line break.
    """
    invalid = [name for name in names if len(name.splitlines()) != 1]
    if invalid:
        raise JobError(
            "A class name is empty or has a line break.",
            where=f"SequenceTransform, {posixpath.basename(path)}",
            found=repr(invalid[0]),
            expected="one line of text",
            fix="Correct it in the corpus, or map the label to another name under corpus.labels.",
        )
    _write_lines(path, names)
    return path


def _write_lines(path: str, lines: list[str]) -> None:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
