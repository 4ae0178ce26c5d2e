"""Lines, and blocks of lines between blank ones, of a part of a file; parts never split a line or block."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import BinaryIO

from components.corpus_example_gen.documents import MAX_DOCUMENT_BYTES, Part
from components.corpus_example_gen.inputs.files import count_bytes
from components.corpus_example_gen.readers import text_encoding
from components.corpus_example_gen.settings import CorpusSettings

_CHUNK_BYTES = 1 << 20


class Lines:
    """The lines that start within a part, as bytes with their end, without the byte order mark.

    Lines longer than `MAX_DOCUMENT_BYTES` are truncated one byte after it. The file must be seekable if the part does
    not start at 0. `encoding` is the file's `TextEncoding`.
    """

    def __init__(self, file: BinaryIO, part: Part, settings: CorpusSettings) -> None:
        self._part = part
        if part.start:
            # A line starts with the part if the byte before it ends a line.
            file.seek(part.start - 1)
        head = b"" if part.start else file.read(text_encoding.MARK_BYTES)
        self.encoding, mark = text_encoding.detect(head, part.path, settings)
        self._raw = _raw_lines(file, head[mark:], part.start - 1 if part.start else mark, self.encoding.newline)
        if part.start:
            next(self._raw, None)

    def __iter__(self) -> Iterator[bytes]:
        """Yields the lines."""
        stop = self._part.stop
        for offset, line in self._raw:
            if stop is not None and offset >= stop:
                return
            yield line

    def blocks(self, limit: int) -> Iterator[tuple[int, bytes]]:
        """Yields runs of lines between blank ones, each with the number of its first line, from 1.

        A block belongs to the part in which the last blank line before it starts. Blocks longer than a limit are
        truncated after the line that exceeds it.
        """
        stop, is_blank = self._part.stop, self.encoding.is_blank
        is_ours = self._part.start == 0
        block = bytearray()  # A list of lines would take many times the memory if they are short.
        first = 0
        for number, (offset, line) in enumerate(self._raw, 1):
            if is_blank(line):
                if block:
                    yield first, bytes(block)
                if stop is not None and offset >= stop:
                    return
                is_ours, block = True, bytearray()
            elif is_ours and len(block) <= limit:
                first = first if block else number
                block += line
        if block:
            yield first, bytes(block)


def lines_before(part: Part) -> int:
    """Counts the lines of a file before a part's first line; this reads all of them."""
    # The line of the byte before the part ends in the part, or with that byte.
    return count_bytes(part.path, b"\n", part.start - 1) + 1 if part.start else 0


def _raw_lines(file: BinaryIO, head: bytes, offset: int, newline: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields each line with the offset of its first byte; `head` holds the bytes already read, from `offset` on."""
    width, pending, cut, cut_bytes = len(newline), b"", b"", 0
    for chunk in itertools.chain([head], iter(lambda: file.read(_CHUNK_BYTES), b"")):
        lines = _split(pending + chunk, newline)
        pending = lines.pop()
        if cut and lines:
            yield offset, cut
            offset += cut_bytes + len(lines.pop(0)) + width
            cut, cut_bytes = b"", 0
        for line in lines:
            yield offset, line + newline
            offset += len(line) + width
        if cut or len(pending) > MAX_DOCUMENT_BYTES:
            cut = cut or pending[: MAX_DOCUMENT_BYTES + 1]
            # An incomplete character stays, so that line ends are still found at character boundaries.
            complete = len(pending) // width * width
            cut_bytes += complete
            pending = pending[complete:]
    if cut or pending:
        yield offset, cut or pending


def _split(data: bytes, newline: bytes) -> list[bytes]:
    """Splits at the line ends that start at a character boundary."""
    width = len(newline)
    if width == 1:
        return data.split(newline)
    lines, start, position = [], 0, data.find(newline)
    while position >= 0:
        if position % width:
            position = data.find(newline, position + 1)
            continue
        lines.append(data[start:position])
        start = position + width
        position = data.find(newline, start)
    return [*lines, data[start:]]
