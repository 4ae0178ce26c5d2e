"""Vocabularies that a job gives as a file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trainer.errors import JobError
from trainer.settings import RESERVED_WORDS, TransformSettings

_COUNTED = re.compile(r"\d+\s+\S+|\S+\s+\d+")
"""A word with its count, as other tools write them."""
_LINE_BREAKS = (r"\n", r"\r")
"""The tokens of tokenizer characters for line breaks."""


def read_words(content: bytes, path: str, settings: TransformSettings, *, tokenized: bool) -> list[str]:
    """Reads a given vocabulary; it may start with the four words that every `vocabulary.txt` starts with.

    Args:
        content: The file, UTF-8, one word per line.
        path: The file's path, for messages.
        settings: The transform section of the configuration.
        tokenized: Whether the corpus consists of tokens, which may have white space.

    Raises:
        JobError: If a line is not a word, or repeats one.
    """
    try:
        lines = content.decode("utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise unreadable(path, error) from error
    words = [line.removesuffix("\r") for line in lines]
    header = len(RESERVED_WORDS) if tuple(words[: len(RESERVED_WORDS)]) == RESERVED_WORDS else 0
    lines_of: dict[str, int] = {}
    for number, word in enumerate(words[header:], start=header + 1):
        fault = _fault(word, lines_of, settings.reserved) or ("" if tokenized else _no_token(word, settings))
        if fault:
            raise JobError(
                "The vocabulary has an invalid line.",
                where=f"{path}, line {number}",
                found=fault,
                expected="one word per line, each only once, none of them reserved",
                fix="Keep only the word of each line." if _COUNTED.fullmatch(word) else "Remove the line.",
            )
        lines_of[word] = number
    return list(lines_of)


def unreadable(path: str, error: Exception) -> JobError:
    """Returns the error of a vocabulary that cannot be read."""
    return JobError(
        "The vocabulary cannot be read.",
        where=f"transform.vocabulary, {path}",
        found=str(error).partition("\n")[0],
        expected="a UTF-8 text file, one word per line",
    )


def is_line(word: str) -> bool:
    """Returns whether a lookup table that is read from lines can hold the word."""
    return word != "" and "\n" not in word and "\r" not in word


def _fault(word: str, lines_of: Mapping[str, int], reserved: tuple[str, ...]) -> str:
    if word in RESERVED_WORDS:
        return f"{word!r}, which every vocabulary has"
    if word in reserved:
        return f"{word!r}, which transform.reserved already lists"
    if word in lines_of:
        return f"{word!r}, which is already in line {lines_of[word]}"
    return "" if is_line(word) else repr(word)


def _no_token(word: str, settings: TransformSettings) -> str:
    """Returns why no token equals a word; empty if one can."""
    if settings.tokenizer == "characters":
        single = len(word) == 1 or word in _LINE_BREAKS
        return "" if single else f"{word!r}, but every token of tokenizer characters is one character"
    return f"{word!r}, but no token has white space" if re.search(r"\s", word, re.ASCII) else ""
