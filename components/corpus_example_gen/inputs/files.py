"""Finds and opens the files of a corpus; imports Beam, which is slow, only for URLs."""

from __future__ import annotations

import contextlib
import io
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from components.corpus_example_gen.inputs import decompression, patterns
from trainer.errors import JobError

_CHUNK_BYTES = 1 << 20
_CLIENTS = ("google.", "botocore.", "azure.", "requests.", "urllib3.", "hdfs.")
"""Modules of the errors of object stores, which are no `OSError`."""
_URL = re.compile("[a-zA-Z][-a-zA-Z0-9+.]*://")
"""What Beam takes for the start of a URL."""


class CorpusFile(NamedTuple):
    """A file on a Beam filesystem: its stored size in bytes and its modification time in seconds."""

    path: str
    size: int
    modified: float


def match_files(pattern: str) -> list[CorpusFile]:
    """Returns the files that match a path or glob of any Beam filesystem, sorted by path; may be empty.

    Names that start with . or _ are left out, unless the pattern does so too.

    Raises:
        JobError: If the filesystem is unknown, or a match is not a readable file with a name in UTF-8.
    """
    if is_local(pattern):
        return sorted(map(_local_file, patterns.local_files(pattern)))
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        found = FileSystems.match([pattern])[0].metadata_list
    except (BeamIOError, ValueError) as error:
        raise JobError(
            "The corpus path cannot be resolved.",
            where=pattern,
            found="; ".join(_reasons(error)),
            expected="a path, a glob or the URL of a Beam filesystem",
            fix="Check corpus.path, the credentials and the network, and that the Beam extra is installed.",
        ) from error
    files = [CorpusFile(item.path, item.size_in_bytes, item.last_updated_in_seconds) for item in found]
    names = pattern.split("/")
    return sorted(file for file in files if not any(patterns.is_hidden(part, names) for part in file.path.split("/")))


def _reasons(error: BaseException) -> Iterator[str]:
    """Yields the errors that Beam's filesystems keep by path, or the error itself."""
    details = getattr(error, "exception_details", None)
    if not isinstance(details, dict) or not details:
        yield f"{type(error).__name__}: {error}"
    else:
        for one in details.values():
            yield from _reasons(one)


def require_files(pattern: str) -> list[CorpusFile]:
    """Returns the files that match; raises JobError if there are none."""
    files = match_files(pattern)
    if files:
        return files
    raise JobError(
        "The corpus has no files.",
        where=pattern,
        found="no matching file",
        expected="at least one file",
        fix="Check corpus.path; a relative path is resolved from the folder of the configuration.",
    )


def is_local(path: str) -> bool:
    """Whether a path or pattern is one of this machine, not a URL."""
    return _URL.match(path.strip()) is None


@contextlib.contextmanager
def open_file(path: str) -> Iterator[BinaryIO]:
    """Opens a file of any Beam filesystem, decompressed if its first bytes are those of a compressed file.

    Raises:
        JobError: From anywhere in the block, if the file cannot be read, is damaged or truncated, or is an archive.
    """
    with open_stored(path) as (stored, head):
        codec = decompression.codec_of(head)
        if codec is None:
            _reject_other_content(path, head)
            yield stored
            return
        with io.BufferedReader(decompression.Streams(stored, codec), _CHUNK_BYTES) as file:
            _reject_archive(path, file.peek(decompression.HEAD_BYTES))
            yield cast(BinaryIO, file)


def is_compressed(path: str) -> bool:
    """Whether the first bytes of a file are those of a compressed file.

    Raises:
        JobError: If the file cannot be read.
    """
    with open_stored(path) as (_, head):
        return decompression.codec_of(head) is not None


def count_bytes(path: str, value: bytes, stop: int) -> int:
    """Counts the occurrences of a byte in a file before position `stop`."""
    found = 0
    with open_file(path) as file:
        while stop > 0 and (chunk := file.read(min(stop, _CHUNK_BYTES))):
            found += chunk.count(value)
            stop -= len(chunk)
    return found


@contextlib.contextmanager
def open_stored(path: str) -> Iterator[tuple[BinaryIO, bytes]]:
    """Opens a file of any Beam filesystem as it is stored, at its start, and reads its first bytes.

    Raises:
        JobError: From anywhere in the block, if the file cannot be read.
    """
    try:
        with _open(path) as stored:
            head = stored.read(decompression.HEAD_BYTES)
            stored.seek(0)
            yield stored, head
    except decompression.UNREADABLE as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error
    except Exception as error:
        if is_local(path) or not type(error).__module__.startswith(_CLIENTS):
            raise
        raise _unreadable(path, f"{type(error).__name__}: {error}") from error


def _open(path: str) -> BinaryIO:
    if is_local(path):
        _local_file(path)
        return Path(path).open("rb")
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    opened: BinaryIO = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return opened


def _local_file(path: str) -> CorpusFile:
    """Returns a file of this machine; raises JobError if it is none, or its name is not UTF-8."""
    try:
        path.encode()
        status = Path(path).stat()
    except UnicodeEncodeError:
        raise JobError(
            "The name of a corpus file is not UTF-8.", where=ascii(path), fix="Rename the file or its folder."
        ) from None
    except OSError as error:
        raise _unreadable(path, f"{type(error).__name__}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        is_folder = stat.S_ISDIR(status.st_mode)
        raise _unreadable(path, "a folder" if is_folder else "a pipe, socket or device, not a file")
    return CorpusFile(path, status.st_size, status.st_mtime)


def _unreadable(path: str, found: str) -> JobError:
    return JobError(
        "A corpus file cannot be read.",
        where=path,
        found=found,
        expected="a readable file, complete and undamaged if it is compressed",
        fix="Name the files in the folder." if found == "a folder" else "Repair the file or its permissions.",
    )


def _reject_other_content(path: str, head: bytes) -> None:
    _reject_archive(path, head)
    promised = decompression.codec_named(path)
    if promised is not None and head:
        raise JobError(
            f"A corpus file is not {promised.name}.",
            where=path,
            found=f"a name that promises {promised.name}; the file starts with {head[:20]!r}",
            expected=f"a file that {promised.name} has compressed",
            fix="Rename the file if it is not compressed; otherwise it is damaged: replace it.",
        )


def _reject_archive(path: str, head: bytes) -> None:
    document = decompression.document_of(head)
    if document is not None:
        raise JobError(
            "A corpus file is not text.",
            where=path,
            found=document,
            expected="a file with records, alone or compressed with gzip, bzip2, xz or Zstandard",
            fix="Save it as plain text or CSV, and set corpus.path to that file.",
        )
    archive = decompression.archive_of(head)
    if archive is not None:
        raise JobError(
            "A corpus file is an archive.",
            where=path,
            found=f"a {archive} archive",
            expected="a file with records, alone or compressed with gzip, bzip2, xz or Zstandard",
            fix="Unpack the archive, and set corpus.path to the files in it.",
        )
