"""Files of word pairs and of analogies, as the literature hands them out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from trainer.errors import JobError

_COMMENTS = ("#", "//")
_SECTION = ":"


class Question(NamedTuple):
    """What word vectors are asked, and what people answered.

    Attributes:
        line: Its line in the file, from 1.
        words: Two of a pair; four of an analogy, a is to b as c is to d.
        section: The analogy's section; empty for pairs.
        score: The pair's similarity as people see it; 0 for analogies.
    """

    line: int
    words: tuple[str, ...]
    section: str = ""
    score: float = 0.0


Reader = Callable[[bytes, str], list[Question]]
"""From a file's content, and what messages name as its place, to its questions in their order."""


def read_pairs(content: bytes, place: str) -> list[Question]:
    """Reads two words and a score a line, with a tab, a comma or spaces between; what follows is left out.

    The first line may name the columns. Lines that start with `#` or `//` are comments.

    Args:
        content: The file, UTF-8.
        place: What messages name as its place.

    Raises:
        JobError: If a line is no pair, or there is none.
    """
    found: list[Question] = []
    bad: list[tuple[int, str]] = []
    for index, (number, line) in enumerate(_lines(content, place)):
        separator = next((sign for sign in "\t," if sign in line), None)
        fields = [field.strip() for field in line.split(separator)]
        pair = _pair(number, fields)
        if pair is not None:
            found.append(pair)
        elif index > 0 or not _is_header(fields):
            bad.append((number, line))
    _require(found, bad, place, "pairs of words", "two words and a number, with a tab, a comma or spaces between")
    return found


def read_analogies(content: bytes, place: str) -> list[Question]:
    """Reads four words a line, with white space between, below lines `: section`.

    Args:
        content: The file, UTF-8.
        place: What messages name as its place.

    Raises:
        JobError: If a line is no analogy, stands before the first section, or there is none.
    """
    found: list[Question] = []
    bad: list[tuple[int, str]] = []
    section = ""
    for number, line in _lines(content, place):
        words = tuple(line.split())
        if line.startswith(_SECTION):
            section = line.removeprefix(_SECTION).strip()
        elif len(words) == 4 and section:
            found.append(Question(number, words, section))
        else:
            bad.append((number, line))
    _require(found, bad, place, "analogies", "four words, below a line `: section`")
    return found


def _lines(content: bytes, place: str) -> Iterator[tuple[int, str]]:
    """Yields the lines that say something, with their numbers from 1."""
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            line = raw.decode().strip()
        except UnicodeDecodeError as error:
            byte = f"the byte 0x{raw[error.start]:02x}"
            raise JobError("The file is not UTF-8.", where=f"{place}:{number}", found=byte) from error
        if line and not line.startswith(_COMMENTS):
            yield number, line


def _pair(line: int, fields: list[str]) -> Question | None:
    try:
        first, second, score = fields[0], fields[1], float(fields[2])
    except (IndexError, ValueError):
        return None
    return Question(line, (first, second), score=score) if first and second and math.isfinite(score) else None


def _is_header(fields: list[str]) -> bool:
    """Whether the third column has a name; a number with a typing error is none."""
    return len(fields) > 2 and not any(character.isdigit() for character in fields[2])


def _require(found: list[Question], bad: list[tuple[int, str]], place: str, what: str, expected: str) -> None:
    if bad:
        numbers = ", ".join(str(number) for number, _ in bad[:10])
        raise JobError(
            f"{len(bad)} line{'s' * (len(bad) > 1)} of a file of {what} cannot be read.",
            where=f"{place}:{bad[0][0]}",
            found=repr(bad[0][1][:200]),
            expected=expected,
            fix=f"mend or remove line{'s' * (len(bad) > 1)} {numbers}{' and more' * (len(bad) > 10)}",
        )
    if not found:
        raise JobError(f"The file holds no {what}.", where=place, expected=f"lines of {expected}")
