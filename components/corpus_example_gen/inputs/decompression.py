"""Compressed files, known by their first bytes. Every byte belongs to a sound stream, or the file is unreadable.

The standard library's readers of bzip2 and xz take an error in a later stream for the end of the file.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import zstandard

HEAD_BYTES = 512
"""Bytes at the start of a file that tell what it is."""
_DICTIONARY_BYTES = 1 << 30


class Codec(NamedTuple):
    """A way of compression.

    Attributes:
        name: Its name in messages.
        suffixes: Suffixes of its files.
        starts: The possible first bytes of a stream.
        decompressor: Makes an object that decompresses one stream.
        chunk: Size of the pieces to read.
        limits: Arguments of `decompress` behind the piece that bound the plain bytes; empty if the piece does.
        padded: Whether zeros may follow a stream.
    """

    name: str
    suffixes: tuple[str, ...]
    starts: tuple[bytes, ...]
    decompressor: Callable[[], Any]
    chunk: int = 1 << 18
    limits: tuple[int, ...] = (1 << 20,)
    padded: bool = False


CODECS = (
    Codec("gzip", (".gz",), (b"\x1f\x8b\x08",), lambda: zlib.decompressobj(31), padded=True),
    Codec(
        "bzip2",
        (".bz2",),
        tuple(b"BZh%d%s" % (size, end) for size in range(1, 10) for end in (b"1AY&SY", b"\x17rE8P\x90")),
        bz2.BZ2Decompressor,
    ),
    Codec(
        "xz",
        (".xz",),
        (b"\xfd7zXZ\x00",),
        lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DICTIONARY_BYTES),
        padded=True,
    ),
    Codec(
        "Zstandard",
        (".zst", ".zstd"),
        (b"\x28\xb5\x2f\xfd", *(b"%c\x2a\x4d\x18" % number for number in range(0x50, 0x60))),
        lambda: zstandard.ZstdDecompressor().decompressobj(),
        chunk=1 << 11,  # A block of 128 KiB can take four bytes, so this is at most 64 MiB.
        limits=(),
    ),
)
ARCHIVES = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
_DOCUMENTS = (
    (
        re.compile(rb"PK\x03\x04.{26}(\[Content_Types\]|_rels/|docProps/|word/|xl/|ppt/)", re.DOTALL),
        "an Office document",
    ),
    (re.compile(rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", re.DOTALL), "an OpenDocument file"),
    (re.compile(rb"PK\x03\x04.{26}mimetypeapplication/epub", re.DOTALL), "an EPUB book"),
)
"""Documents that are zip archives, by the name of the first file in them."""
UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)
"""What reading a damaged or truncated file raises."""


def codec_of(head: bytes) -> Codec | None:
    """Returns the codec of a file by its first bytes; None for files that are not compressed."""
    return next((codec for codec in CODECS if head.startswith(codec.starts)), None)


def codec_named(path: str) -> Codec | None:
    """Returns the codec that a file's name promises."""
    return next((codec for codec in CODECS if path.lower().endswith(codec.suffixes)), None)


def archive_of(head: bytes) -> str | None:
    """Returns the kind of archive by its first bytes; None for other files."""
    if head[257:262] == b"ustar":
        return "tar"
    return next((kind for start, kind in ARCHIVES.items() if head.startswith(start)), None)


def document_of(head: bytes) -> str | None:
    """Returns the kind of document by its first bytes, if it is one that is stored as a zip archive."""
    return next((kind for pattern, kind in _DOCUMENTS if pattern.match(head)), None)


class Streams(io.RawIOBase):
    """The plain bytes of all streams of a compressed file.

    Args:
        stored: The file, at its start.
        codec: The codec of all its streams.
    """

    def __init__(self, stored: BinaryIO, codec: Codec) -> None:
        self._stored, self._codec = stored, codec
        self._stream: Any = None
        self._rest = self._plain = b""
        self._read = self._start = 0

    def readable(self) -> bool:
        """Returns True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer; returns the number of bytes, 0 at the end.

        Raises:
            OSError: If a stream is damaged or truncated.
        """
        while not self._plain:
            if not self._rest and (self._stream is None or getattr(self._stream, "needs_input", True)):
                self._rest = self._stored.read(self._codec.chunk)
                self._read += len(self._rest)
                if not self._rest:
                    if self._stream is not None:
                        raise EOFError(f"the {self._codec.name} stream from byte {self._start:,} is truncated")
                    return 0
            self._plain = self._step()
        size = min(len(buffer), len(self._plain))
        buffer[:size], self._plain = self._plain[:size], self._plain[size:]
        return size

    def _step(self) -> bytes:
        if self._stream is None:
            self._rest = self._rest.lstrip(b"\0") if self._codec.padded and self._read > len(self._rest) else self._rest
            if not self._rest:
                return b""
            self._start, self._stream = self._read - len(self._rest), self._codec.decompressor()
        try:
            plain: bytes = self._stream.decompress(self._rest, *self._codec.limits)
        except UNREADABLE as error:
            what = f"the {self._codec.name} stream from byte {self._start:,} is damaged, or is none"
            raise OSError(f"{what}: {error}") from error
        # zlib hands back what it did not take; bz2 and lzma keep it.
        self._rest = getattr(self._stream, "unconsumed_tail", b"")
        if self._stream.eof:
            self._rest, self._stream = self._stream.unused_data, None
        return plain
