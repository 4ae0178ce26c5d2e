r"""Word vectors in the formats of other tools: word2vec text and binary, GloVe, TensorBoard's projector.

The formats separate words by white space, so each white-space character in a word is written as `\u` and its code in
four hexadecimal digits: `New York` as `New\u0020York`. To make this reversible, the backslash of such a sequence in a
word is written as `\u005c`. All other words are written unchanged.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import tensorflow as tf
from numpy.typing import NDArray

from trainer.errors import JobError

_BLOCK_ROWS = 4096
_BLOCK_BYTES = 1 << 24  # The maximum length of a line.
_SPACES = "".join(chr(code) for code in range(0x10000) if chr(code).isspace())
_CODES = "|".join(f"{ord(character):04x}" for character in f"\\{_SPACES}")
_ESCAPED = re.compile(rf"\\u({_CODES})")
_SIZES = re.compile(rb"(\d{1,18}) (\d{1,18})\s*")
_TO_ESCAPE = re.compile(rf"[{_SPACES}]|\\(?=u(?:{_CODES}))")


@dataclasses.dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: Unique words.
        vectors: float32 [words, dimensions].
    """

    words: list[str]
    vectors: NDArray[np.float32]


class _LineLayout(NamedTuple):
    """The layout of a text file: number of header lines, then lines of numbers, perhaps after a word."""

    separator: str
    header: int
    word: bool
    dimensions: int
    # The original word2vec ends each line with a space.
    trailing: bool = False


def escape(word: str) -> str:
    """Replaces the white space of a word, reversibly by `unescape`."""
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", word)


def unescape(text: str) -> str:
    """Reverses `escape`."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\\" in text else text


def write_text(path: str, word_vectors: WordVectors) -> None:
    """Writes word2vec's text format: the sizes, then a line per word, with the shortest decimals that round-trip."""
    words, vectors = word_vectors.words, word_vectors.vectors
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for start in range(0, len(words), _BLOCK_ROWS):
            stop = start + _BLOCK_ROWS
            rows = zip(words[start:stop], _decimals(vectors[start:stop], " "), strict=True)
            file.write("".join(f"{escape(word)} {numbers}\n" for word, numbers in rows).encode())


def write_binary(path: str, word_vectors: WordVectors) -> None:
    """Writes word2vec's binary format: the sizes as text, then each word, a space and its float32 values."""
    vectors = np.ascontiguousarray(word_vectors.vectors, "<f4")
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(f"{len(word_vectors.words)} {vectors.shape[1]}\n".encode())
        for start in range(0, len(word_vectors.words), _BLOCK_ROWS):
            rows = zip(word_vectors.words[start : start + _BLOCK_ROWS], vectors[start:], strict=False)
            file.write(b"".join(b"%b %b\n" % (escape(word).encode(), vector.tobytes()) for word, vector in rows))


def write_projector(directory: str, word_vectors: WordVectors, counts: Sequence[int]) -> None:
    """Writes `vectors.tsv` and `metadata.tsv`, with each word's count, for https://projector.tensorflow.org."""
    words, vectors = word_vectors.words, word_vectors.vectors
    with tf.io.gfile.GFile(f"{directory}/vectors.tsv", "wb") as file:
        for start in range(0, len(words), _BLOCK_ROWS):
            file.write("".join(f"{row}\n" for row in _decimals(vectors[start : start + _BLOCK_ROWS], "\t")).encode())
    with tf.io.gfile.GFile(f"{directory}/metadata.tsv", "wb") as file:
        rows = zip(words, counts, strict=True)
        file.write(("word\tcount\n" + "".join(f"{escape(word)}\t{count}\n" for word, count in rows)).encode())


def read(path: str, content: bytes | None = None) -> WordVectors:
    """Reads vectors: binary if the name ends in `.bin`, the projector's if in `.tsv`, else text.

    Text starts with word2vec's line of sizes or, in GloVe format, without it. Of lines with the same word the first
    counts. A `.tsv` needs a `metadata.tsv` in the same folder. `content` is that of the file, if it is already known.

    Raises:
        JobError: With the file and line, or the word of a binary file, that cannot be read.
    """
    if content is None:
        content = _content(path)
    if path.endswith(".bin"):
        return _read_binary(path, content)
    return _read_projector(path, content) if path.endswith(".tsv") else _read_text(path, content)


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


def _first_line(content: bytes, start: int) -> bytes:
    end = content.find(b"\n", start)
    return content[start : end if end >= 0 else None].rstrip(b"\r")


def _decimals(vectors: NDArray[np.float32], separator: str) -> list[str]:
    """Formats a line of numbers for each vector."""
    numbers = pa.array(np.asarray(vectors, np.float32).ravel()).cast(pa.string())
    starts = np.arange(0, vectors.size + 1, vectors.shape[1], dtype=np.int32)
    lines: list[str] = pa.compute.binary_join(pa.ListArray.from_arrays(starts, numbers), separator).to_pylist()
    return lines


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


def _read_text(path: str, content: bytes) -> WordVectors:
    start = content.find(b"\n") + 1
    sizes = _sizes(content[:start])
    line = _first_line(content, start if sizes else 0)
    dimensions = sizes[1] if sizes else line.rstrip(b" ").count(b" ")
    layout = _LineLayout(" ", int(sizes is not None), True, dimensions, line.endswith(b" "))
    if dimensions == 0:
        raise JobError("The file has no vectors.", where=path, expected="lines of a word and numbers")
    words, vectors = _read_lines(content, path, layout) if line else ([], np.zeros([0, dimensions], np.float32))
    _check_count(path, sizes, len(words))
    return _unique(words, vectors)


def _read_projector(path: str, content: bytes) -> WordVectors:
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


def _read_lines(content: bytes, path: str, layout: _LineLayout) -> tuple[list[str], NDArray[np.float32]]:
    """Parses the lines after the header: words, if the layout has them, and vectors."""
    numbers = [str(number) for number in range(layout.dimensions)]
    names = [*["word"] * layout.word, *numbers, *["trailing"] * layout.trailing]
    types = {name: pa.float32() if name in numbers else pa.string() for name in names}
    words: list[str] = []
    blocks: list[NDArray[np.float32]] = []
    try:
        with pa.csv.open_csv(
            pa.BufferReader(content),
            pa.csv.ReadOptions(column_names=names, skip_rows=layout.header, block_size=_BLOCK_BYTES),
            pa.csv.ParseOptions(delimiter=layout.separator, quote_char=False, double_quote=False),
            pa.csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
        ) as reader:
            for batch in reader:
                columns = dict(zip(names, batch.columns, strict=True))
                if layout.trailing and any(columns["trailing"].to_pylist()):
                    _explain(content, path, layout, "more columns than before")
                words += map(unescape, columns["word"].to_pylist() if layout.word else [])
                blocks.append(np.stack([columns[name].to_numpy() for name in numbers], axis=1))
    except pa.ArrowInvalid as error:
        _explain(content, path, layout, str(error))
    return words, np.concatenate(blocks)


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
        fix = "if the vectors are binary, rename the file to end in .bin"
        raise JobError("A line is not UTF-8.", where=where, found=found, fix=fix) from None
    if len(numbers) != layout.dimensions:
        found, expected = f"{len(numbers)} numbers", f"{layout.dimensions} numbers, like the previous lines"
        raise JobError("A line has the wrong number of columns.", where=where, found=found, expected=expected)
    for number in numbers:
        try:
            float(number)
        except ValueError:
            raise JobError("A vector has a value that is not a number.", where=where, found=repr(number)) from None


def _read_binary(path: str, content: bytes) -> WordVectors:
    start = content.find(b"\n", 0, 64) + 1
    sizes = _sizes(content[:start])
    if sizes is None or sizes[1] == 0:
        found, expected = repr(content[: start or 32])[1:], "the numbers of words and dimensions"
        raise JobError("The file has no header of binary vectors.", where=path, found=found, expected=expected)
    count, dimensions = sizes
    row_bytes = 4 * dimensions
    # Limited by the file's size, in case the first line is wrong.
    vectors = np.empty([min(count, (len(content) - start) // (row_bytes + 1)), dimensions], np.float32)
    words: list[str] = []
    for number in range(count):
        space = content.find(b" ", start)
        if space < 0 or space + 1 + row_bytes > len(content):
            _check_count(path, sizes, number)
        # Only some writers end each vector with a line feed.
        text = content[start:space].lstrip(b"\n")
        start = space + 1 + row_bytes
        vectors[number] = np.frombuffer(content, "<f4", dimensions, space + 1)
        try:
            words.append(unescape(text.decode()))
        except UnicodeDecodeError:
            found = repr(text[:32])[1:]
            raise JobError("A word is not UTF-8.", where=f"{path}, word {number + 1}", found=found) from None
    return _unique(words, vectors)
