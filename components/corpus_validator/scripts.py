"""Which script the letters of a text are of, and what a schema asks of them.

A feature of the schema may carry `annotation { tag: "script:Latin>=0.95" }`: of all its letters (Unicode's categories
L*) at least that share is of the script. Scripts are joined by +, as in `script:Han+Hiragana+Katakana>=0.9`.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2

from trainer.errors import JobError

PREFIX = "script:"
_TAG = re.compile(r"script:([A-Za-z]+(?:\+[A-Za-z]+)*)>=(0?\.\d+|1(?:\.0*)?)")

SCRIPTS = (
    *("Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Devanagari", "Bengali", "Gurmukhi", "Gujarati"),
    *("Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao", "Tibetan", "Myanmar", "Georgian"),
    *("Ethiopic", "Khmer", "Mongolian", "Hangul", "Katakana", "Hiragana", "Han"),
)
"""The scripts that a schema may name, as Unicode names them; a letter of several scripts counts for the first."""

_OTHER = len(SCRIPTS) + 1


class ScriptRule(NamedTuple):
    """What a schema asks of the letters of a feature.

    Attributes:
        scripts: The scripts that they may be of.
        share: The least share of them.
    """

    scripts: tuple[str, ...]
    share: float

    def __str__(self) -> str:
        return f"at least {self.share:.1%} of the letters {' or '.join(self.scripts)}"


def rule(feature: schema_pb2.Feature) -> ScriptRule | None:
    """Returns what a feature's annotation asks of its letters.

    Raises:
        JobError: If the annotation cannot be read or names a script that is not known.
    """
    tags = [tag for tag in feature.annotation.tag if tag.startswith(PREFIX)]
    if not tags:
        return None
    match = _TAG.fullmatch(tags[0])
    unknown = [name for name in match[1].split("+") if name not in SCRIPTS] if match else []
    if match is None or unknown or len(tags) > 1:
        raise JobError(
            "The script of a feature cannot be read from the schema.",
            where=f"schema, annotation of {feature.name}",
            found=", ".join(tags),
            expected='one tag like "script:Latin>=0.95" or "script:Han+Hiragana>=0.9"; scripts: ' + ", ".join(SCRIPTS),
        )
    return ScriptRule(tuple(match[1].split("+")), float(match[2]))


def count_letters(text: str) -> NDArray[np.int64]:
    """Counts the letters of a text by script.

    Args:
        text: Any text.

    Returns:
        int64 [2 + scripts]: signs that are no letters, letters of each script in the order of `SCRIPTS`, other letters.
    """
    return np.bincount(_table()[_codes(text)], minlength=_OTHER + 1).astype(np.int64)


def shares(counts: NDArray[np.int64]) -> dict[str, float]:
    """Returns the share of each script that occurs among the letters counted, the largest first."""
    letters = int(counts[1:].sum())
    found = {name: int(counts[number]) / letters for number, name in enumerate(SCRIPTS, 1) if counts[number]}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def share(counts: NDArray[np.int64], scripts: tuple[str, ...]) -> float:
    """Returns the share of some scripts among the letters counted; 1 where there are none."""
    letters = int(counts[1:].sum())
    return sum(int(counts[1 + SCRIPTS.index(name)]) for name in scripts) / letters if letters else 1.0


@functools.lru_cache(maxsize=1)
def _table() -> NDArray[np.uint8]:
    """Returns the place in the counts of each code point."""
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    letters = "".join(regex.findall(r"\p{L}", "".join(map(chr, range(len(table))))))
    table[_codes(letters)] = _OTHER
    # A letter of several scripts, such as the prolonged sound mark of Katakana and Hiragana, has no Script of its own.
    for script_property in ("Script_Extensions", "Script"):
        for number, name in reversed([*enumerate(SCRIPTS, 1)]):
            table[_codes("".join(regex.findall(rf"\p{{{script_property}={name}}}", letters)))] = number
    return table


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
