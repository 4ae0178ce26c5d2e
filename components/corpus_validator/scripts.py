"""Which script the letters of a text are of, and what a schema asks of them.

A feature of the schema may carry `annotation { tag: "script:Latin>=0.95" }`: of all its letters (Unicode's categories
L*) at least that share is of the script. Scripts are joined by +, as in `script:Han+Hiragana+Katakana>=0.9`.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tensorflow_metadata.proto.v0 import schema_pb2

from trainer.errors import JobError

PREFIX = "script:"
_TAG = re.compile(r"script:([A-Za-z]+(?:\+[A-Za-z]+)*)>=(0?\.\d+|1(?:\.0*)?)")

RANGES: dict[str, str] = {
    "Latin": "0041-005A 0061-007A 00AA 00BA 00C0-02AF 1D00-1D25 1D2C-1D5C 1D62-1D65 1D6B-1D77 1D79-1DBE 1E00-1EFF 2071"
    " 207F 2090-209C 212A-212B 2132 214E 2183-2184 2C60-2C7F A722-A787 A78B-A7FF AB30-AB64 AB66-AB69 FB00-FB06"
    " FF21-FF3A FF41-FF5A 10780-107BF 1DF00-1DFFF",
    "Greek": "0370-03E1 03F0-03FF 1D26-1D2A 1D66-1D6A 1F00-1FFF 2126 AB65",
    "Cyrillic": "0400-052F 1C80-1C8F 1D2B 1D78 2DE0-2DFF A640-A69F 1E030-1E08F",
    "Armenian": "0530-058F FB13-FB17",
    "Hebrew": "0590-05FF FB1D-FB4F",
    "Arabic": "0600-06FF 0750-077F 0870-08FF FB50-FDFF FE70-FEFC 10EC0-10EFF 1EE00-1EEFF",
    "Devanagari": "0900-097F A8E0-A8FF 11B00-11B5F",
    "Bengali": "0980-09FF",
    "Gurmukhi": "0A00-0A7F",
    "Gujarati": "0A80-0AFF",
    "Tamil": "0B80-0BFF",
    "Telugu": "0C00-0C7F",
    "Kannada": "0C80-0CFF",
    "Malayalam": "0D00-0D7F",
    "Sinhala": "0D80-0DFF",
    "Thai": "0E00-0E7F",
    "Lao": "0E80-0EFF",
    "Tibetan": "0F00-0FFF",
    "Myanmar": "1000-109F A9E0-A9FF AA60-AA7F 116D0-116E3",
    "Georgian": "10A0-10FF 1C90-1CBF 2D00-2D2F",
    "Ethiopic": "1200-139F 2D80-2DDF AB01-AB2F 1E7E0-1E7FF",
    "Khmer": "1780-17FF",
    "Mongolian": "1800-18AF 11660-1166C",
    "Hangul": "1100-11FF 3131-318E A960-A97F AC00-D7FF FFA0-FFDC",
    "Hiragana": "3041-309F 1B001-1B11F 1B132 1B150-1B152",
    "Katakana": "30A1-30FF 31F0-31FF FF66-FF9F 1AFF0-1AFFF 1B000 1B120-1B122 1B155 1B164-1B167",
    "Han": "2E80-2FDF 3005-3007 3021-3029 3038-303B 3400-4DBF 4E00-9FFF F900-FAFF 20000-323AF",
}
"""Code points of each script, as its Unicode blocks have them."""

_OTHER = len(RANGES) + 1


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
    unknown = [name for name in match[1].split("+") if name not in RANGES] if match else []
    if match is None or unknown or len(tags) > 1:
        raise JobError(
            "The script of a feature cannot be read from the schema.",
            where=f"schema, annotation of {feature.name}",
            found=", ".join(tags),
            expected='one tag like "script:Latin>=0.95" or "script:Han+Hiragana>=0.9"; scripts: ' + ", ".join(RANGES),
        )
    return ScriptRule(tuple(match[1].split("+")), float(match[2]))


def count_letters(text: str) -> NDArray[np.int64]:
    """Counts the letters of a text by script.

    Args:
        text: Any text.

    Returns:
        int64 [2 + scripts]: signs that are no letters, letters of each script in the order of `RANGES`, other letters.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
    return np.bincount(_table()[codes], minlength=_OTHER + 1).astype(np.int64)


def shares(counts: NDArray[np.int64]) -> dict[str, float]:
    """Returns the share of each script that occurs among the letters counted, the largest first."""
    letters = int(counts[1:].sum())
    found = {name: int(counts[number]) / letters for number, name in enumerate(RANGES, 1) if counts[number]}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def share(counts: NDArray[np.int64], scripts: tuple[str, ...]) -> float:
    """Returns the share of some scripts among the letters counted; 1 where there are none."""
    letters = int(counts[1:].sum())
    return sum(int(counts[1 + list(RANGES).index(name)]) for name in scripts) / letters if letters else 1.0


@functools.lru_cache(maxsize=1)
def _table() -> NDArray[np.uint8]:
    """The place in the counts of each code point."""
    table = np.zeros(sys.maxunicode + 1, np.uint8)
    letters = np.fromiter((unicodedata.category(chr(code))[0] == "L" for code in range(len(table))), bool, len(table))
    table[letters] = _OTHER
    for number, ranges in enumerate(RANGES.values(), 1):
        for span in ranges.split():
            first, _, last = span.partition("-")
            part = slice(int(first, 16), int(last or first, 16) + 1)
            table[part] = np.where(letters[part], number, table[part])
    return table
