"""Recognizes files that are no corpora by their content: word vectors, images, documents, and other binary files."""

from __future__ import annotations

import math
import re
import struct

from components.corpus_example_gen.detection.guess import Sample
from trainer.errors import JobError

_KINDS = {
    b"%PDF-": ("a PDF document", "extract its text, for example with pdftotext, and name the text file"),
    b"{\\rtf": ("an RTF document", "save it as plain text or CSV, and name that file"),
    # Older Word, Excel and PowerPoint files.
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an Office document", "save it as plain text or CSV, and name that file"),
    b"SQLite format 3\0": ("an SQLite database", "export its table as CSV, and name that file"),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file, perhaps a Keras model", None),
    b"\x93NUMPY": ("a NumPy array", None),
    b"\x89PNG\r\n\x1a\n": ("a PNG image", None),
    b"\xff\xd8\xff": ("a JPEG image", None),
    b"GIF8": ("a GIF image", None),
    b"II*\0": ("a TIFF image", None),
    b"MM\0*": ("a TIFF image", None),
    b"\x7fELF": ("a program", None),
}
"""What a file is by its first bytes, and how it becomes a corpus, if it can."""
_SIZES = re.compile(rb"(\d{1,9}) (\d{1,5})[ \r]*\n")
_DECIMAL = re.compile(rb"[-+]?\d*\.\d+(e[-+]?\d+)?|[-+]?\d\.?\d*e[-+]?\d+", re.IGNORECASE)
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_LINES = 200
_MIN_LINES = 3
_MIN_DIMENSIONS = 4
"""Fewer decimal numbers behind a word may belong to a text."""
_MAX_COMPONENT, _MIN_LARGEST = 1e4, 1e-3
_MAX_WORD_BYTES = 1_000


def reject(sample: Sample) -> None:
    """Checks that a file is none of those that are recognized.

    Raises:
        JobError: With what the file is, and what to do.
    """
    for start, (kind, fix) in _KINDS.items():
        if sample.data.startswith(start):
            raise not_text(sample, kind, fix)
    dimensions = _binary_dimensions(sample.data) or _text_dimensions(sample.data)
    if dimensions:
        raise JobError(
            "The corpus is a file of word vectors.",
            where=sample.path,
            found=f"words with {dimensions} numbers each, as in files in word2vec or GloVe format",
            expected="a corpus of texts",
            fix="name the texts; the vectors can be the start of a model, with trainer.embedding:"
            f" {{from: {sample.path}}} in its YAML",
        )


def not_text(sample: Sample, kind: str | None = None, fix: str | None = None) -> JobError:
    """Returns the error of a binary file, of a known kind or not."""
    return JobError(
        "The corpus is not text.",
        where=sample.path,
        found=kind or f"a binary file that starts with {sample.data[:20]!r}",
        expected="lines, a table, JSON, CoNLL columns, Parquet or TFRecords, compressed or not",
        fix=fix or "name a file in one of these formats, or convert it",
    )


def _binary_dimensions(data: bytes) -> int:
    """Returns the number of dimensions of word2vec's binary format, 0 for other files."""
    sizes = _SIZES.match(data)
    if sizes is None:
        return 0
    dimensions = int(sizes[2])
    start = data.find(b" ", sizes.end(), sizes.end() + _MAX_WORD_BYTES) + 1
    vector = data[start : start + 4 * dimensions]
    if not start or not dimensions or len(vector) < 4 * dimensions:
        return 0
    numbers = [abs(one) for one in struct.unpack(f"<{dimensions}f", vector)]
    # The bytes of text are huge numbers or tiny ones.
    is_vector = all(math.isfinite(one) and one < _MAX_COMPONENT for one in numbers) and max(numbers) > _MIN_LARGEST
    return dimensions if is_vector else 0


def _text_dimensions(data: bytes) -> int:
    """Returns the number of dimensions of text with a word, which may have spaces, and its numbers in each line."""
    sizes = _SIZES.match(data)
    lines = data[sizes.end() if sizes else 0 :].split(b"\n", _LINES)
    # The last line may be cut off, or be all the others.
    rows = [fields for line in lines[: max(len(lines) - 1, 1)] if (fields := line.split())]
    if len(rows) < (1 if sizes else _MIN_LINES):
        return 0
    dimensions = int(sizes[2]) if sizes else min(map(len, rows)) - 1
    if dimensions < (1 if sizes else _MIN_DIMENSIONS) or min(map(len, rows)) <= dimensions:
        return 0
    numbers = [field for fields in rows for field in fields[-dimensions:]]
    # Texts with scores have several words, and a table of numbers has none.
    single = sum(len(fields) == dimensions + 1 for fields in rows)
    is_numeric = all(_NUMBER.fullmatch(fields[0]) for fields in rows)
    if single < len(rows) / 2 or is_numeric or not all(map(_NUMBER.fullmatch, numbers)):
        return 0
    decimals = sum(_DECIMAL.fullmatch(number) is not None for number in numbers)
    return dimensions if sizes or decimals > len(numbers) / 2 else 0
