"""Detects the encoding of a text file from its bytes."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from components.corpus_example_gen.detection.guess import Sample
from components.corpus_example_gen.detection.other_content import not_text

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b")
_MAX_CONTROLS = 0.05
_MANY_NULS = 0.2
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SHOWN = "set corpus.encoding if letters such as é look wrong"


class FoundEncoding(NamedTuple):
    """An encoding: the name of a Python codec, and why; no reason for UTF-8 without faults."""

    name: str
    reason: str = ""


def encoding_of(sample: Sample) -> FoundEncoding:
    """Returns the encoding of a file.

    Raises:
        JobError: If the file is not text.
    """
    data = sample.data
    if data.startswith(_UTF32_MARKS):
        return FoundEncoding("utf-32", "a byte order mark")
    if data.startswith(_UTF16_MARKS):
        return FoundEncoding("utf-16", "a byte order mark")
    if not data.startswith(codecs.BOM_UTF8) and (wide := _without_mark(data)):
        return FoundEncoding(wide, "every second byte is zero")
    if len(data.translate(None, delete=_CONTROLS)) < (1 - _MAX_CONTROLS) * len(data):
        raise not_text(sample)
    return _eight_bits(data, sample)


def decode(sample: Sample, encoding: str) -> str:
    """Returns the text of a sample, without a byte order mark; invalid bytes become U+FFFD."""
    return sample.data.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace").removeprefix("\ufeff")


def _without_mark(data: bytes) -> str | None:
    """Returns UTF-16 with its byte order if half of the bytes are zeros."""
    size = max(len(data) // 2, 1)
    even, odd = data[::2].count(0) / size, data[1::2].count(0) / size
    if max(even, odd) < _MANY_NULS or min(even, odd) > _MANY_NULS / 10:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _eight_bits(data: bytes, sample: Sample) -> FoundEncoding:
    lines = data.splitlines(keepends=True)
    if not sample.is_complete and not data.endswith(b"\n"):
        lines = [data.rpartition(b" ")[0]]
    lines = [line for line in lines if _NOT_ASCII.search(line)]
    invalid = [line for line in lines if not _decodes(line, "utf-8")]
    if not invalid:
        return FoundEncoding("utf-8")
    if len(invalid) <= len(lines) / 2:
        found = f"{len(invalid):,} of {len(lines):,} lines with other letters than ASCII are invalid"
        return FoundEncoding("utf-8", f"{found}; their records are bad, or set encoding_errors: replace")
    # The five bytes that Windows leaves undefined are no printable characters in Latin-1 either.
    if all(_decodes(line, "cp1252") for line in invalid):
        return FoundEncoding("cp1252", f"not UTF-8, but valid in Windows' extension of Latin-1; {_SHOWN}")
    return FoundEncoding("latin-1", f"not UTF-8; every byte is valid in Latin-1; {_SHOWN}")


def _decodes(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
