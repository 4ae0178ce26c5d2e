"""Files of word pairs and of analogies in the formats of the literature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from trainer.errors import JobError

_COMMENTS = ("#", "//")
_SECTION = ":"


class Question(NamedTuple):
    """A question for word vectors, with the human answer.

    Attributes:
        line: Its line in the file, from 1.
        words: The two words of a pair, or the four of an analogy: a is to b as c is to d.
        section: The analogy's section; empty for pairs.
        score: The pair's human similarity rating; 0 for analogies.
    """

    line: int
    words: tuple[str, ...]
    section: str = ""
    score: float = 0.0


Reader = Callable[[bytes, str], list[Question]]
"""Takes a file's content and its path, for messages; returns its questions in order."""


def read_pairs(content: bytes, path: str) -> list[Question]:
    """Reads two words and a score per line, separated by a tab, a comma or spaces; ignores further columns.

    The first line may name the columns. Lines that start with `#` or `//` are comments.

    Args:
        content: The file, UTF-8.
        path: The file's path, for messages.

    Raises:
        JobError: If a line is not a pair, or the file has no pairs.
    """
    found: list[Question] = []
    bad: list[tuple[int, str]] = []
    for index, (number, line) in enumerate(_lines(content, path)):
        separator = next((sign for sign in "\t," if sign in line), None)
        fields = [field.strip() for field in line.split(separator)]
        pair = _pair(number, fields)
        if pair is not None:
            found.append(pair)
        # A header has no digit in its third column; a mistyped number does.
        elif index > 0 or len(fields) < 3 or any(character.isdigit() for character in fields[2]):
            bad.append((number, line))
    _require(found, bad, path, "word pairs", "two words and a number, separated by a tab, a comma or spaces")
    return found


def read_analogies(content: bytes, path: str) -> list[Question]:
    """Reads four words per line, separated by white space, under lines `: section`; arguments as for `read_pairs`.

    Raises:
        JobError: If a line is not an analogy or comes before the first section, or the file has no analogies.
    """
    found: list[Question] = []
    bad: list[tuple[int, str]] = []
    section = ""
    for number, line in _lines(content, path):
        words = tuple(line.split())
        if line.startswith(_SECTION):
            section = line.removeprefix(_SECTION).strip()
        elif len(words) == 4 and section:
            found.append(Question(number, words, section))
        else:
            bad.append((number, line))
    _require(found, bad, path, "analogies", "four words, under a line `: section`")
    return found


def _lines(content: bytes, path: str) -> Iterator[tuple[int, str]]:
    """Yields the lines that are neither empty nor comments, with their numbers from 1."""
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            line = raw.decode().strip()
        except UnicodeDecodeError as error:
            byte = f"the byte 0x{raw[error.start]:02x}"
            raise JobError("The file is not UTF-8.", where=f"{path}:{number}", found=byte) from error
        if line and not line.startswith(_COMMENTS):
            yield number, line


def _pair(line: int, fields: list[str]) -> Question | None:
    try:
        first, second, score = fields[0], fields[1], float(fields[2])
    except (IndexError, ValueError):
        return None
    return Question(line, (first, second), score=score) if first and second and math.isfinite(score) else None


def _require(found: list[Question], bad: list[tuple[int, str]], path: str, what: str, expected: str) -> None:
    if bad:
        numbers = ", ".join(str(number) for number, _ in bad[:10])
        raise JobError(
            f"{len(bad)} line{'s' * (len(bad) > 1)} of a file of {what} cannot be parsed.",
            where=f"{path}:{bad[0][0]}",
            found=repr(bad[0][1][:200]),
            expected=expected,
            fix=f"correct or remove line{'s' * (len(bad) > 1)} {numbers}{' and more' * (len(bad) > 10)}",
        )
    if not found:
        raise JobError(f"The file has no {what}.", where=path, expected=f"lines of {expected}")
