"""Scripts of the letters of a text, and the rules of a schema for them.

A feature of the schema may carry `annotation { tag: "script:Latin>=0.95" }`: at least that share of its letters
(Unicode's categories L*) must belong to the script. A rule joins scripts by +: `script:Han+Hiragana+Katakana>=0.9`.
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
"""The scripts that a schema may name, with Unicode's names; a letter of several scripts counts for the first."""

_OTHER = len(SCRIPTS) + 1


class ScriptRule(NamedTuple):
    """The rule of a schema for the letters of a feature.

    Attributes:
        scripts: The allowed scripts.
        share: The minimum share of letters in these scripts.
    """

    scripts: tuple[str, ...]
    share: float

    def __str__(self) -> str:
        return f"at least {self.share:.1%} {' or '.join(self.scripts)} letters"


def rule(feature: schema_pb2.Feature) -> ScriptRule | None:
    """Returns the rule of a feature's annotation, or None.

    Raises:
        JobError: If the annotation cannot be parsed or names an unknown script.
    """
    tags = [tag for tag in feature.annotation.tag if tag.startswith(PREFIX)]
    if not tags:
        return None
    match = _TAG.fullmatch(tags[0])
    unknown = [name for name in match[1].split("+") if name not in SCRIPTS] if match else []
    if match is None or unknown or len(tags) > 1:
        raise JobError(
            "The script rule of a feature cannot be parsed.",
            where=f"schema, annotation of {feature.name}",
            found=", ".join(tags),
            expected='one tag like "script:Latin>=0.95" or "script:Han+Hiragana>=0.9"; scripts: ' + ", ".join(SCRIPTS),
        )
    return ScriptRule(tuple(match[1].split("+")), float(match[2]))


def count_letters(text: str) -> NDArray[np.int64]:
    """Counts the letters of a text by script.

    Returns:
        int64 [2 + scripts]: characters that are not letters, letters of each script in the order of `SCRIPTS`, other
        letters.
    """
    return np.bincount(_table()[_codes(text)], minlength=_OTHER + 1).astype(np.int64)


def shares(counts: NDArray[np.int64]) -> dict[str, float]:
    """Returns the share of each script that occurs in `count_letters`' result, largest first."""
    letters = int(counts[1:].sum())
    found = {name: int(counts[number]) / letters for number, name in enumerate(SCRIPTS, 1) if counts[number]}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def share(counts: NDArray[np.int64], scripts: tuple[str, ...]) -> float:
    """Returns the joint share of some scripts in `count_letters`' result; 1 without any letters."""
    letters = int(counts[1:].sum())
    return sum(int(counts[1 + SCRIPTS.index(name)]) for name in scripts) / letters if letters else 1.0


@functools.lru_cache(maxsize=1)
def _table() -> NDArray[np.uint8]:
    """Returns the index in the counts of each code point, uint8 [code points]."""
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    letters = "".join(regex.findall(r"\p{L}", "".join(map(chr, range(len(table))))))
    table[_codes(letters)] = _OTHER
    # A letter of several scripts has no Script of its own: the prolonged sound mark is both Katakana and Hiragana.
    for script_property in ("Script_Extensions", "Script"):
        for number, name in reversed([*enumerate(SCRIPTS, 1)]):
            table[_codes("".join(regex.findall(rf"\p{{{script_property}={name}}}", letters)))] = number
    return table


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
