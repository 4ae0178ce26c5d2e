"""Token counts and the vocabulary made of them."""

from __future__ import annotations

import dataclasses
import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping

import tensorflow as tf

from trainer.data import features as f
from trainer.errors import JobError
from trainer.settings import TransformSettings


@dataclasses.dataclass
class TokenCounts:
    """What one pass over documents finds.

    Attributes:
        tokens: Occurrences by token.
        classes: Documents by label, where one of several labels counts for each; or tokens by tag.
        documents: Documents seen.
    """

    tokens: Counter[str] = dataclasses.field(default_factory=Counter)
    classes: Counter[str] = dataclasses.field(default_factory=Counter)
    documents: int = 0

    def add(self, other: TokenCounts) -> None:
        """Adds another pass' counts to these."""
        self.tokens.update(other.tokens)
        self.classes.update(other.classes)
        self.documents += other.documents


def select_words(
    counts: Mapping[str, int], settings: TransformSettings, pieces: Iterable[str] = ()
) -> list[tuple[str, int]]:
    """Chooses the vocabulary of the configuration.

    It begins with `settings.reserved`. Then come the words of the given vocabulary in its order; or all
    pieces of the subword model; or the train split's words that are frequent enough, as many as
    allowed. The latter two go by falling count, ties by the word's bytes (which UTF-8 orders as code
    points).

    Args:
        counts: Occurrences by token.
        settings: The transform section of the configuration.
        pieces: All pieces of the subword model, with `tokenizer: subwords`.

    Returns:
        Words with their counts, without the four reserved words.

    Raises:
        JobError: If no token is frequent enough, or the given vocabulary cannot be used.
    """
    if settings.vocabulary is not None:
        chosen = given_words(settings.vocabulary, settings.reserved)
    elif settings.tokenizer == "subwords":
        chosen = _by_count(set(pieces) - set(settings.reserved), counts)
    else:
        chosen = _frequent_words(counts, settings)
    return [(word, counts.get(word, 0)) for word in (*settings.reserved, *chosen)]


def _frequent_words(counts: Mapping[str, int], settings: TransformSettings) -> list[str]:
    reserved = {*f.RESERVED_WORDS, *settings.reserved}
    frequent = [w for w, n in counts.items() if n >= settings.min_count and w not in reserved and _is_line(w)]
    if not frequent:
        raise JobError(
            "The vocabulary would be empty.",
            where="SequenceTransform, train split",
            found=f"{len(counts)} distinct tokens, the most frequent seen {max(counts.values(), default=0)} times",
            expected=f"at least one token seen transform.min_count = {settings.min_count} times",
            fix="Check that corpus.text names the text, add documents, or lower transform.min_count.",
        )
    return _by_count(frequent, counts)[: settings.max_size]


def _by_count(words: Iterable[str], counts: Mapping[str, int]) -> list[str]:
    return sorted(words, key=lambda word: (-counts.get(word, 0), word))


def _is_line(word: str) -> bool:
    """Whether a lookup table that is read from lines can hold the word."""
    return word != "" and "\n" not in word and "\r" not in word


def given_words(path: str, reserved: tuple[str, ...] = ()) -> list[str]:
    """Reads a given vocabulary: UTF-8, one word a line.

    The four reserved words may stand at its beginning, so that `vocabulary.txt` of another run can be
    given.

    Args:
        path: The file.
        reserved: Words of the configuration that have ids already.

    Raises:
        JobError: If it cannot be read, is empty, or has an empty line, a word twice or a reserved word.
    """
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            lines = file.read().decode("utf-8-sig").removesuffix("\n").split("\n")
    except (tf.errors.OpError, UnicodeDecodeError) as error:
        raise JobError(
            "The vocabulary cannot be read.",
            where=f"transform.vocabulary, {path}",
            found=str(error).partition("\n")[0],
            expected="a UTF-8 text file, one word a line",
        ) from error
    words = [line.removesuffix("\r") for line in lines]
    header = len(f.RESERVED_WORDS) if tuple(words[: len(f.RESERVED_WORDS)]) == f.RESERVED_WORDS else 0
    lines_of: dict[str, int] = {}
    for number, word in enumerate(words[header:], start=header + 1):
        fault = _fault(word, lines_of, reserved)
        if fault is not None:
            raise JobError(
                "The vocabulary has a line that cannot be a word.",
                where=f"{path}, line {number}",
                found=fault,
                expected="one word a line, each once, none of them reserved",
                fix="Remove the line.",
            )
        lines_of[word] = number
    return list(lines_of)


def _fault(word: str, lines_of: Mapping[str, int], reserved: tuple[str, ...]) -> str | None:
    if word in f.RESERVED_WORDS:
        return f"{word!r}, which every vocabulary has"
    if word in reserved:
        return f"{word!r}, which transform.reserved lists already"
    if word in lines_of:
        return f"{word!r} again, first in line {lines_of[word]}"
    return None if _is_line(word) else repr(word)


def check_coverage(
    split: str, known: int, tokens: int, unknown_counts: Mapping[str, int], settings: TransformSettings
) -> None:
    """Compares the share of a split's tokens that have ids of their own with `transform.min_coverage`.

    Args:
        split: The split's name.
        known: Tokens that have ids of their own.
        tokens: All tokens, marks not counted; a split without any passes.
        unknown_counts: Occurrences by unknown token, as far as they were counted.
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
        fix="Raise transform.max_size, lower transform.min_count or min_coverage, or look at what these tokens are.",
    )


def unknown_counts(counts: Mapping[str, int], words: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Those counts whose tokens are not in the vocabulary that `select_words` gave."""
    known = {word for word, _ in words}
    return {token: count for token, count in counts.items() if token not in known}


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


def write_classes(path: str, names: list[str]) -> str:
    """Writes the names of classes in the order of their ids, one a line, and returns the path.

    Raises:
        JobError: If a name is not one line.
    """
    broken = [name for name in names if len(name.splitlines()) != 1]
    if broken:
        raise JobError(
            "The name of a class is empty or has a line break.",
            where=f"SequenceTransform, {posixpath.basename(path)}",
            found=repr(broken[0]),
            expected="one line of text",
            fix="Correct it in the corpus, or map a label to another name under corpus.labels.",
        )
    _write_lines(path, names)
    return path


def _write_lines(path: str, lines: list[str]) -> None:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
