"""Finds, opens and fingerprints the files of a corpus."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import zstandard
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from trainer.errors import JobError

_CHUNK_BYTES = 1 << 20


class _ZstdFile(io.RawIOBase):
    """The frames of a Zstandard file; a truncated frame is an error, which zstandard's own reader ignores."""

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self._frame: Any = None
        self._compressed = self._plain = b""

    def readable(self) -> bool:
        """Returns True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer; returns the number of bytes, 0 at the end."""
        while not self._plain:
            self._compressed = self._compressed or self._stored.read(_CHUNK_BYTES)
            if not self._compressed:
                if self._frame is not None:
                    raise EOFError("Zstandard file ended before the end-of-frame marker was reached")
                return 0
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._plain = self._frame.decompress(self._compressed)
            self._compressed = self._frame.unused_data if self._frame.eof else b""
            self._frame = None if self._frame.eof else self._frame
        size = min(len(buffer), len(self._plain))
        buffer[:size], self._plain = self._plain[:size], self._plain[size:]
        return size


_DECOMPRESSORS: dict[str, Callable[[BinaryIO], Any]] = {
    ".gz": lambda stored: gzip.GzipFile(fileobj=stored),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": lambda stored: io.BufferedReader(_ZstdFile(stored), _CHUNK_BYTES),
    ".zstd": lambda stored: io.BufferedReader(_ZstdFile(stored), _CHUNK_BYTES),
}
_UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


class CorpusFile(NamedTuple):
    """A file on a Beam filesystem: its stored size in bytes and its modification time in seconds."""

    path: str
    size: int
    modified: float


def match_files(pattern: str) -> list[CorpusFile]:
    """Returns the files that match a path or glob of any Beam filesystem, sorted by path; may be empty."""
    try:
        found = FileSystems.match([pattern])[0].metadata_list
    except (BeamIOError, ValueError) as error:
        raise JobError(
            "The corpus path cannot be resolved.",
            where=pattern,
            found=str(error),
            expected="a path, a glob or the URL of a Beam filesystem",
            fix="Check corpus.path, and that the filesystem's Beam extra is installed.",
        ) from error
    files = [CorpusFile(item.path, item.size_in_bytes, item.last_updated_in_seconds) for item in found]
    return sorted(file for file in files if not _is_folder(file.path))


def require_files(pattern: str) -> list[CorpusFile]:
    """Returns the files that match.

    Raises:
        JobError: If no file matches, or the path is a folder.
    """
    files = match_files(pattern)
    if files:
        return files
    if _is_folder(pattern):
        raise JobError(
            "The corpus is a folder.",
            where=pattern,
            found="a folder",
            expected="a file, or a glob of files",
            fix=f"Name its files: corpus.path: {pattern.rstrip('/')}/*.csv",
        )
    raise JobError(
        "The corpus has no files.",
        where=pattern,
        found="no matching file",
        expected="at least one file",
        fix="Check corpus.path; a relative path is resolved from the folder of the configuration.",
    )


@contextlib.contextmanager
def open_file(path: str) -> Iterator[BinaryIO]:
    """Opens a file of any Beam filesystem; .gz, .bz2, .xz, .zst and .zstd are decompressed.

    Beam's own decompression does not detect truncated archives.

    Raises:
        JobError: From anywhere in the block, if the file cannot be read or is truncated.
    """
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stored:
            if not is_compressed(path):
                yield stored
                return
            with _DECOMPRESSORS[_suffix(path)](stored) as file:
                yield cast(BinaryIO, file)
    except _UNREADABLE as error:
        raise JobError(
            "A corpus file cannot be read.",
            where=path,
            found="a folder" if _is_folder(path) else f"{type(error).__name__}: {error}",
            expected="a readable file, not truncated if it is compressed",
            fix="Name the files in the folder." if _is_folder(path) else "Repair the file or its permissions.",
        ) from error


def is_compressed(path: str) -> bool:
    """Whether the file's suffix is that of a compressed file."""
    return _suffix(path) in _DECOMPRESSORS


def count_bytes(path: str, value: bytes, stop: int) -> int:
    """Counts the occurrences of a byte in a file before position `stop`."""
    found = 0
    with open_file(path) as file:
        while stop > 0 and (chunk := file.read(min(stop, _CHUNK_BYTES))):
            found += chunk.count(value)
            stop -= len(chunk)
    return found


def fingerprint(files: list[CorpusFile]) -> str:
    """Returns a hash of all paths, sizes and modification times."""
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(f"{file.path}\0{file.size}\0{file.modified!r}\n".encode())
    return f"files:{len(files)},bytes:{sum(file.size for file in files)},blake2b:{digest.hexdigest()}"


def _suffix(path: str) -> str:
    return Path(path).suffix.lower()


def _is_folder(path: str) -> bool:
    return FileSystems.get_scheme(path) is None and Path(path).is_dir()
