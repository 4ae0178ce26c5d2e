"""Reads files of word vectors, whatever tool has written them; the content decides about the format, not the name.

A file is read as a whole, without a byte left over, or refused: vectors that are shifted by a byte look like others.
"""

from __future__ import annotations

import gzip
import re
import zlib
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.csv
import tensorflow as tf
from numpy.typing import NDArray

from trainer.errors import JobError
from trainer.vectors.vector_files import WordVectors, unescape

_BLOCK_BYTES = 1 << 24  # The maximum length of a line.
_SIZES = re.compile(rb"(\d{1,18}) (\d{1,18})\s*")
_NUMBER = re.compile(rb"(?i)[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[-+]?(nan|inf|infinity)")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"

Vectors = NDArray[np.float32]


class _LineLayout(NamedTuple):
    """The layout of a text file: number of header lines, then lines of numbers, perhaps after a word."""

    separator: str
    header: int
    word: bool
    dimensions: int
    # The original word2vec ends each line with a space.
    trailing: bool = False


def read(path: str, content: bytes | None = None) -> WordVectors:
    """Reads vectors: the projector's if the name ends in `.tsv`, else word2vec's binary or text; perhaps gzipped.

    Text starts with word2vec's line of sizes or, in GloVe format, without it; the last columns of a line are its
    numbers, and the word may contain spaces. Of lines with the same word the first counts. A `.tsv` needs a
    `metadata.tsv` in the same folder. `content` is that of the file, if it is already known.

    Raises:
        JobError: With the file and line, or the word of a binary file, that cannot be read.
    """
    content = _decompress(_content(path) if content is None else content, path)
    if path.endswith(".tsv"):
        return _finite(_read_projector(content, path), path)
    start = content.find(b"\n", 0, 64) + 1
    sizes = _sizes(content[:start])
    if sizes is not None and sizes[1] > 0 and _is_binary(content, path, start, sizes):
        return _finite(_read_binary(content, path, start, sizes), path)
    return _finite(_read_text(content, path), path)


def read_metadata(path: str) -> list[str]:
    """Reads the words of a projector's `metadata.tsv`; raises JobError if it is missing or not UTF-8."""
    content = _content(path)
    try:
        lines = content.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise JobError("A line is not UTF-8.", where=f"{path}:{line}") from None
    return [unescape(line.partition("\t")[0]) for line in lines[1:]]


def _content(path: str) -> bytes:
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            return bytes(file.read())
    except tf.errors.OpError as error:
        raise JobError("The vectors cannot be read.", where=path, found=error.message) from error


def _decompress(content: bytes, path: str) -> bytes:
    if content.startswith(_ZIP):
        raise JobError("The vectors are in an archive.", where=path, found="a zip archive", fix="unpack it")
    try:
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except (OSError, EOFError, zlib.error) as error:
        raise JobError("The vectors cannot be read.", where=path, found=str(error)) from error


def _is_binary(content: bytes, path: str, start: int, sizes: tuple[int, int]) -> bool:
    """Whether the numbers of the first word are bytes: text has them as columns of its line."""
    fields = _first_line(content, start).split()[-sizes[1] :]
    if len(fields) == sizes[1] and all(map(_NUMBER.fullmatch, fields)):
        return False
    return (
        path.removesuffix(".gz").endswith(".bin") or _CONTROL.search(content[start : start + 4 * sizes[1]]) is not None
    )


def _finite(found: WordVectors, path: str) -> WordVectors:
    """Returns vectors of finite numbers; raises JobError at others."""
    bad = np.flatnonzero(~np.isfinite(found.vectors).all(axis=1))
    if bad.size:
        word, vector = found.words[bad[0]], found.vectors[bad[0]]
        value = vector[~np.isfinite(vector)][0]
        raise JobError(
            "A vector has a value that is not finite.",
            where=path,
            found=f"{value} in the vector of {word!a}; {bad.size} such vectors",
            expected="finite numbers",
            fix="remove these words from the file",
        )
    return found


def _first_line(content: bytes, start: int) -> bytes:
    end = content.find(b"\n", start)
    return content[start : end if end >= 0 else None].rstrip(b"\r")


def _unique(words: list[str], vectors: NDArray[np.float32]) -> WordVectors:
    rows: dict[str, int] = {}
    for row, word in enumerate(words):
        rows.setdefault(word, row)
    if len(rows) < len(words):
        vectors = vectors[list(rows.values())]
    return WordVectors(list(rows), vectors)


def _sizes(line: bytes) -> tuple[int, int] | None:
    """Returns the numbers of words and dimensions if the line is two integers."""
    found = _SIZES.fullmatch(line)
    return (int(found[1]), int(found[2])) if found else None


def _check_count(path: str, sizes: tuple[int, int] | None, found: int) -> None:
    if sizes and found != sizes[0]:
        what, expected = "The file has the wrong number of words.", f"{sizes[0]} words, according to its first line"
        raise JobError(what, where=path, found=f"{found} words", expected=expected, fix="copy it again if truncated")


def _read_text(content: bytes, path: str) -> WordVectors:
    start = content.find(b"\n") + 1
    sizes = _sizes(content[:start])
    start = start if sizes else 0
    line = _first_line(content, start)
    dimensions = sizes[1] if sizes else _columns(content)
    layout = _LineLayout(" ", int(sizes is not None), True, dimensions, line.endswith(b" "))
    if dimensions == 0:
        raise JobError("The file has no vectors.", where=path, expected="lines of a word and numbers")
    if line and dimensions > len(line) // 2:
        _check_line(line.rstrip(b" "), f"{path}:{layout.header + 1}", layout)
    words, vectors = _read_lines(content, path, layout) if line else ([], np.zeros([0, dimensions], np.float32))
    _check_count(path, sizes, len(words))
    return _unique(words, vectors)


def _columns(content: bytes) -> int:
    """Returns how many numbers most lines of a file without sizes have; some words contain spaces."""
    lines = [line.strip(b" \r") for line in content[:_BLOCK_BYTES].split(b"\n")[:100]]
    counts = [line.count(b" ") for line in lines if line]
    return max(counts, key=lambda count: (counts.count(count), count), default=0)


def _read_projector(content: bytes, path: str) -> WordVectors:
    metadata = f"{path.removesuffix(path.rpartition('/')[2])}metadata.tsv"
    words = read_metadata(metadata)
    if not content:
        raise JobError("The file has no vectors.", where=path, expected="lines of numbers")
    layout = _LineLayout("\t", 0, False, _first_line(content, 0).count(b"\t") + 1)
    _, vectors = _read_lines(content, path, layout)
    if len(words) != len(vectors):
        found = f"{len(words)} words and {len(vectors)} vectors"
        raise JobError("The projector's files have different lengths.", where=f"{metadata}, {path}", found=found)
    return _unique(words, vectors)


def _read_lines(content: bytes, path: str, layout: _LineLayout) -> tuple[list[str], Vectors]:
    """Parses the lines after the header: words, if the layout has them, and vectors."""
    numbers = [str(number) for number in range(layout.dimensions)]
    names = [*["word"] * layout.word, *numbers, *["trailing"] * layout.trailing]
    types = {name: pa.float32() if name in numbers else pa.string() for name in names}
    spaced: list[Any] = []

    def collect(row: Any) -> str:
        if not layout.word or row.actual_columns < row.expected_columns:
            return "error"
        spaced.append(row)
        return "skip"

    try:
        columns = pa.csv.read_csv(
            pa.BufferReader(content),
            # Threads are not faster, do not know the numbers of lines, and may outlive the interpreter.
            pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, skip_rows=layout.header, column_names=names),
            pa.csv.ParseOptions(
                delimiter=layout.separator, quote_char=False, double_quote=False, invalid_row_handler=collect
            ),
            pa.csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        _explain(content, path, layout, str(error))
    if layout.trailing and any(columns["trailing"].to_pylist()):
        _explain(content, path, layout, "more columns than before")
    words = [unescape(word) for word in columns["word"].to_pylist()] if layout.word else []
    vectors = np.empty([columns.num_rows, layout.dimensions], np.float32)
    for number, name in enumerate(numbers):
        vectors[:, number] = columns[name].to_numpy()
    return _with_spaced(words, vectors, spaced, path, layout)


def _with_spaced(
    words: list[str], vectors: Vectors, rows: list[Any], path: str, layout: _LineLayout
) -> tuple[list[str], Vectors]:
    """Puts the words that contain spaces where their lines are."""
    added, places = [], []
    for count, row in enumerate(rows):
        word, *numbers = row.text.rstrip(" ").rsplit(layout.separator, layout.dimensions)
        _check_numbers(numbers, f"{path}:{row.number}", layout)
        places.append(min(row.number - layout.header - 1 - count, len(vectors)))
        words.insert(places[-1] + count, unescape(word))
        added.append(np.array(numbers, np.float32))
    return words, np.insert(vectors, places, added, axis=0) if added else vectors


def _explain(content: bytes, path: str, layout: _LineLayout, message: str) -> NoReturn:
    """Reports the first malformed line, which the fast parser does not name."""
    for number, line in enumerate(content.split(b"\n"), start=1):
        if number > layout.header and line.strip(b"\r"):
            _check_line(line.rstrip(b" \r"), f"{path}:{number}", layout)
    raise JobError("The vectors cannot be read.", where=path, found=message)


def _check_line(line: bytes, where: str, layout: _LineLayout) -> None:
    try:
        numbers = line.decode().split(layout.separator)[int(layout.word) :]
    except UnicodeDecodeError as error:
        found = f"the byte 0x{line[error.start]:02x} at column {error.start + 1}"
        raise JobError("A line is not UTF-8.", where=where, found=found) from None
    _check_numbers(numbers[-layout.dimensions :] if layout.word else numbers, where, layout)


def _check_numbers(numbers: list[str], where: str, layout: _LineLayout) -> None:
    if len(numbers) != layout.dimensions:
        found, expected = f"{len(numbers)} numbers", f"{layout.dimensions} numbers, like the previous lines"
        raise JobError("A line has the wrong number of columns.", where=where, found=found, expected=expected)
    for number in numbers:
        try:
            float(number)
        except ValueError:
            raise JobError("A vector has a value that is not a number.", where=where, found=repr(number)) from None


def _read_binary(content: bytes, path: str, start: int, sizes: tuple[int, int]) -> WordVectors:
    count, dimensions = sizes
    row_bytes = 4 * dimensions
    # Limited by the file's size, in case the first line is wrong.
    vectors = np.empty([min(count, (len(content) - start) // (row_bytes + 1)), dimensions], np.float32)
    words: list[str] = []
    # Only some writers end each vector with a line feed.
    first = content.find(b" ", start) + 1 + row_bytes
    end = b"\n" if content[first : first + 1] == b"\n" else b""
    for number in range(count):
        space = content.find(b" ", start)
        if space < 0 or space + 1 + row_bytes > len(content):
            _check_count(path, sizes, number)
        text = content[start:space].lstrip(b"\n")
        start = space + 1 + row_bytes
        vectors[number] = np.frombuffer(content, "<f4", dimensions, space + 1)
        if start < len(content) and not content.startswith(end, start):
            _fail_binary(path, number, text, "the vector does not end where the others do")
        if _CONTROL.search(text) or b"\n" in text:
            _fail_binary(path, number, text, "it contains a control character")
        try:
            words.append(unescape(text.decode()))
        except UnicodeDecodeError:
            _fail_binary(path, number, text, "it is not UTF-8")
    rest = len(content[start:].removeprefix(b"\n"))
    if rest:
        _fail_binary(path, count - 1, text if count else b"", f"{rest:,} bytes are left behind the last vector")
    return _unique(words, vectors)


def _fail_binary(path: str, number: int, text: bytes, reason: str) -> NoReturn:
    raise JobError(
        "The binary vectors do not follow their first line.",
        where=f"{path}, word {number + 1}",
        found=f"{text[:32]!r}: {reason}",
        expected="words without white space, each before a space and its numbers",
        fix="write the file again, as text if its words contain spaces; copy it again if it is damaged",
    )
