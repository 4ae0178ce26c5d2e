"""The words of a text, in runs of consecutive ones, and the text without one of them."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from trainer.text.unspaced import UNSPACED

MAX_RUNS = 200
"""The most runs of a text."""

_WORD = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]+")


class WordRun(NamedTuple):
    """One or more consecutive words of a text.

    Attributes:
        position: The number of words before it.
        start: Its first character.
        end: The character after its last.
    """

    position: int
    start: int
    end: int


def word_runs(given: str) -> list[WordRun]:
    """Cuts a text into its words, or if these are more than `MAX_RUNS`, into runs of as many words each.

    Words are separated by white space. Where a script has none, each character is a word, with its combining marks.
    """
    words: list[tuple[int, int]] = []
    for match in _WORD.finditer(given):
        start, end = match.span()
        if words and words[-1][1] == start and unicodedata.category(given[start]).startswith("M"):
            words[-1] = words[-1][0], end
        else:
            words.append((start, end))
    size = -(-len(words) // MAX_RUNS) or 1
    first = range(0, len(words), size)
    return [WordRun(number, words[number][0], words[min(number + size, len(words)) - 1][1]) for number in first]


def without(given: str, run: WordRun) -> str:
    """Leaves a run out of a text, with the white space after it, or before it if it is the last one."""
    before, after = given[: run.start], given[run.end :].lstrip()
    return before + after if after else before.rstrip()
