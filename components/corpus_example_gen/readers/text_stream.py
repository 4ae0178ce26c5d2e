"""The text of a file, decoded piece by piece, for formats that do not go by lines."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

from components.corpus_example_gen.documents import RecordError
from components.corpus_example_gen.readers import text_encoding
from components.corpus_example_gen.settings import CorpusSettings

_CHUNK_BYTES = 1 << 20
_MARK = re.compile("[\udc00-\udcff]")
_MARK_ERRORS = "seqloom.mark"


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Stands for each invalid byte with a lone surrogate, which no decoded text holds."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARK_ERRORS, _mark)


class TextStream:
    """Text that is read from `position` on and grows on demand; the byte order mark is removed.

    Args:
        file: The open file.
        path: Its path, for messages.
        settings: Name of the encoding.

    Attributes:
        encoding: The file's encoding.
        text: What has been read and not been dropped.
        position: The place in the text up to which all is done.
        line: The line of that place, from 1.
        at_end: Whether nothing more can be read.
        is_marked: Whether invalid bytes have been met; `check` tells where.
    """

    def __init__(self, file: BinaryIO, path: str, settings: CorpusSettings) -> None:
        self._file = file
        head = file.read(text_encoding.MARK_BYTES)
        self.encoding, mark = text_encoding.detect(head, path, settings)
        make = codecs.getincrementaldecoder(self.encoding.codec)
        self._strict = make("replace" if self.encoding.replaces else "strict")
        self._lenient = make(_MARK_ERRORS)
        self.at_end = self.is_marked = False
        self.text, self.position, self.line = self._decode(head[mark:]), 0, 1

    def more(self) -> bool:
        """Reads more text and drops what is done; returns whether there was any, and moves `position`."""
        if self.at_end:
            return False
        # As much again as is waiting, so that a long element is looked at only a few times.
        data = self._file.read(max(_CHUNK_BYTES, len(self.text) - self.position))
        self.at_end = not data
        self.text, self.position = self.text[self.position :] + self._decode(data, final=not data), 0
        return True

    def skip(self, position: int) -> None:
        """Moves on to a place in the text."""
        self.line += self.text.count("\n", self.position, position)
        self.position = position

    def check(self, start: int, end: int) -> None:
        """Raises RecordError if the text between two places has an invalid byte."""
        found = _MARK.search(self.text, start, end)
        if found:
            before = len(self.text[start : found.start()].encode(self.encoding.codec))
            byte = ord(found.group()) - 0xDC00
            raise RecordError(f"invalid {self.encoding.codec.upper()}: 0x{byte:02x} at byte {before} of the record")

    def raw(self, start: int, end: int) -> bytes:
        """Returns the text between two places as bytes."""
        try:
            return self.text[start:end].encode(self.encoding.codec, "surrogateescape")
        except UnicodeError:
            return self.text[start:end].encode(self.encoding.codec, "replace")

    def _decode(self, data: bytes, final: bool = False) -> str:
        state = self._strict.getstate()
        try:
            return self._strict.decode(data, final)
        except UnicodeDecodeError:
            self.is_marked = True
        self._lenient.setstate(state)
        text = self._lenient.decode(data, final)
        self._strict.setstate(self._lenient.getstate())
        return text
