"""Files of word pairs and of analogies in the formats of the literature."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from trainer.errors import JobError

_COMMENTS = ("#", "//")
_SECTION = ":"
_SCORE = re.compile(r"simlex|human|score|mean|average|rating|similarity|relatedness|gold", re.IGNORECASE)
"""The beginning of the name of a score's column."""
_TAGGED = re.compile(r"(.+)-[njv]")
"""A lemma with its part of speech, as in MEN."""
_SPEECH = re.compile(r"[A-Z]{1,5}|[a-z]")
"""A part of speech in a column of its own."""
_RELATION = re.compile(r"[A-Z]+_[A-Z]+")
"""A relation of MSR's analogies, such as `JJ_JJR`."""


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
    """Reads two words and a score per line, separated by a tab, a semicolon, a comma or spaces.

    The first line may name the columns. The score is the first column after the words with the name of a score, such as
    `SimLex999` or `Human (mean)`; without one, the third column, or the fourth after a part of speech. Further columns
    are ignored. Parts of speech at the end of all words, as in `sun-n`, are left out. Lines that start with `#` or `//`
    are comments.

    Args:
        content: The file, UTF-8.
        path: The file's path, for messages.

    Raises:
        JobError: If a line is not a pair, or the file has no pairs.
    """
    found: list[Question] = []
    bad: list[tuple[int, str]] = []
    column: int | None = None
    for index, (number, line) in enumerate(_lines(content, path)):
        separator = next((sign for sign in "\t;," if sign in line), None)
        fields = [field.strip() for field in line.split(separator)]
        if index == 0 and _is_header(fields):
            column = next((at for at, name in enumerate(fields[2:], 2) if _SCORE.match(name)), None)
            continue
        if column is None:
            column = 3 if _has_speech(fields) else 2
        pair = _pair(number, fields, column)
        if pair is None:
            bad.append((number, line))
        else:
            found.append(pair)
    _require(
        found, bad, path, "word pairs", "two words and a number, separated by a tab, a semicolon, a comma or spaces"
    )
    return _without_tags(found)


def read_analogies(content: bytes, path: str) -> list[Question]:
    """Reads four words per line, separated by white space, under lines `: section` or all without a section.

    In files without sections, MSR's relation, such as `JJ_JJR`, may precede the last word, once or twice; it is the
    section. Arguments as for `read_pairs`.

    Raises:
        JobError: If a line is not an analogy or comes before the first section, or the file has no analogies or only
            MSR's questions.
    """
    found: list[Question] = []
    bad: list[tuple[int, str]] = []
    lines = list(_lines(content, path))
    section: str | None = None if any(line.startswith(_SECTION) for _, line in lines) else ""
    for number, line in lines:
        *words, last = line.split()
        relations = {word for word in words[3:] if section == "" and _RELATION.fullmatch(word)}
        if line.startswith(_SECTION):
            section = line.removeprefix(_SECTION).strip()
        elif len(words) == 3 and section is not None:
            found.append(Question(number, (*words, last), section))
        elif len(relations) == 1 and len(words) in (4, 5) and relations.issuperset(words[3:]):
            found.append(Question(number, (*words[:3], last), relations.pop()))
        else:
            bad.append((number, line))
    expected = "four words, under a line `: section` or all without sections"
    if found and not bad and all(_RELATION.fullmatch(question.words[3]) for question in found):
        raise JobError(
            "The file has only the questions of analogies.",
            where=f"{path}:{found[0].line}",
            found=" ".join(found[0].words),
            expected=expected,
            fix="add the answers, line by line: paste -d ' ' word_relationship.questions word_relationship.answers",
        )
    _require(found, bad, path, "analogies", expected)
    return found


def _is_header(fields: Sequence[str]) -> bool:
    """Returns whether the fields of the first line name columns; a mistyped number has a digit."""
    if len(fields) < 3 or _has_speech(fields):
        return False
    return bool(_SCORE.match(fields[2])) or not any(character.isdigit() for character in fields[2])


def _has_speech(fields: Sequence[str]) -> bool:
    """Returns whether a part of speech precedes the score."""
    return len(fields) > 3 and bool(_SPEECH.fullmatch(fields[2])) and _is_number(fields[3])


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _without_tags(pairs: list[Question]) -> list[Question]:
    tagged = [[_TAGGED.fullmatch(word) for word in pair.words] for pair in pairs]
    if not all(match for matches in tagged for match in matches):
        return pairs
    return [
        pair._replace(words=tuple(match[1] for match in matches if match))
        for pair, matches in zip(pairs, tagged, strict=True)
    ]


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


def _pair(line: int, fields: Sequence[str], column: int) -> Question | None:
    if len(fields) <= column or not _is_number(fields[column]) or not all(fields[:2]):
        return None
    return Question(line, (fields[0], fields[1]), score=float(fields[column]))


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
