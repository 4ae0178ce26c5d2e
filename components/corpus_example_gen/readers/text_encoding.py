"""The encoding of a text file."""

from __future__ import annotations

import codecs

from components.corpus_example_gen.documents import RecordError
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError

MARK_BYTES = 4
"""Length of the longest byte order mark."""
_MARKS = {
    "utf-8": ((codecs.BOM_UTF8, "utf-8"),),
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
    "utf-16-le": ((codecs.BOM_UTF16_LE, "utf-16-le"),),
    "utf-16-be": ((codecs.BOM_UTF16_BE, "utf-16-be"),),
    "utf-32-le": ((codecs.BOM_UTF32_LE, "utf-32-le"),),
    "utf-32-be": ((codecs.BOM_UTF32_BE, "utf-32-be"),),
}
_FOREIGN_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class TextEncoding:
    """Decodes the records of one file.

    Args:
        codec: Name of the codec, with the byte order.
        errors: `encoding_errors` of the settings.

    Attributes:
        codec: Name of the codec, with the byte order.
        newline: The bytes that end a line.
        replaces: Whether invalid bytes are replaced.
    """

    def __init__(self, codec: str, errors: str) -> None:
        self.codec = codec
        self.newline = "\n".encode(codec)
        self.replaces = errors == "replace"
        self._nul = "\0".encode(codec)
        self._is_ascii_like = self.newline == b"\n" and len(self._nul) == 1

    def decode(self, raw: bytes) -> str:
        """Returns the text of a record.

        Raises:
            RecordError: If the bytes are invalid and not replaced.
        """
        try:
            return raw.decode(self.codec, "replace" if self.replaces else "strict")
        except UnicodeDecodeError as error:
            reason = f"0x{raw[error.start]:02x} at byte {error.start} of the record"
        except UnicodeError as error:
            reason = str(error)
        raise RecordError(f"invalid {self.codec.upper()}: {reason}")

    def decode_leniently(self, raw: bytes) -> str:
        """Returns the text of a bad record with invalid bytes replaced, to parse its structure."""
        return raw.decode(self.codec, "replace")

    def find_nul(self, raw: bytes) -> int:
        """Returns the offset of the first NUL character of a record, or -1."""
        width = len(self._nul)
        position = raw.find(self._nul)
        while position % width and position >= 0:
            position = raw.find(self._nul, position + 1)
        return position

    def is_blank(self, raw: bytes) -> bool:
        """Whether a line holds only white space."""
        return not raw or raw.isspace() if self._is_ascii_like else not self.decode_leniently(raw).strip()

    def excerpt(self, raw: bytes, limit: int) -> str:
        """Returns the first characters of a record, with invalid bytes escaped."""
        return raw[: 4 * limit].decode(self.codec, "backslashreplace").rstrip("\r\n")[:limit]


def detect(head: bytes, path: str, settings: CorpusSettings) -> tuple[TextEncoding, int]:
    """Returns a file's encoding and the length of its byte order mark.

    Args:
        head: The first `MARK_BYTES` bytes of the file; empty if the part starts later.
        path: Path of the file, for messages.
        settings: Name of the encoding.

    Raises:
        JobError: If the byte order mark belongs to another encoding.
    """
    name = codecs.lookup(settings.encoding).name
    marks = _MARKS.get(name, ())
    for mark, codec in marks:
        if head.startswith(mark):
            return TextEncoding(codec, settings.encoding_errors), len(mark)
    foreign = next((found for mark, found in _FOREIGN_MARKS if head.startswith(mark)), None)
    if foreign and name == "utf-8":
        raise JobError(
            "A corpus file is not UTF-8.",
            where=f"{path}, line 1",
            found=f"a {foreign} byte order mark",
            expected="UTF-8, with or without a byte order mark (corpus.encoding)",
            fix=f"Set corpus.encoding: {foreign.lower()}, or convert it: iconv -f {foreign} -t UTF-8 {path} > new",
        )
    # Without a mark, UTF-16 and UTF-32 are little-endian, as in Python and Windows.
    codec = marks[0][1] if marks else name
    return TextEncoding(codec, settings.encoding_errors), 0
