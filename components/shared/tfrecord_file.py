"""Writes TFRecord files, plain or GZIP, in the format of `tensorflow/core/lib/io/record_writer.h`.

Compresses with zlib-ng, because TensorFlow's own zlib takes ten times as long for files of this size.
"""

from __future__ import annotations

import posixpath
import struct
import uuid
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import tensorflow as tf
from zlib_ng import zlib_ng

from components.shared.checksum import masked_checksum
from trainer.settings import OutputSettings

_GZIP_WINDOW = 31
_MEMORY_LEVEL = 8
_BUFFER_BYTES = 1 << 20
_BUFFERS_AHEAD = 4
_PARTIAL = "partial-"


class TFRecordFile:
    """A TFRecord file on any file system that TensorFlow supports, written in a `with` block by its own thread.

    The file gets its name when it is complete. Until then it is `partial-<uuid>` in the parent of its folder, because
    every file in the folder of a split is read as a shard. A killed attempt leaves its partial file to
    `remove_partials`; a repeated attempt writes the same bytes under the same name.

    Args:
        path: The file; its folder is created.
        output: Whether the file is compressed.
        level: The GZIP level, from 1 (fastest) to 9.
    """

    def __init__(self, path: str, output: OutputSettings, level: int) -> None:
        folder = posixpath.dirname(path)
        tf.io.gfile.makedirs(folder)
        self._path = path
        self._partial = posixpath.join(posixpath.dirname(folder), f"{_PARTIAL}{uuid.uuid4().hex}")
        self._file = tf.io.gfile.GFile(self._partial, "wb")
        self._compressor = None
        if output.compression == "gzip":
            self._compressor = zlib_ng.compressobj(level, zlib_ng.DEFLATED, _GZIP_WINDOW, _MEMORY_LEVEL)
        self._records: list[bytes] = []
        self._record_bytes = 0
        self._thread = ThreadPoolExecutor(1)
        self._pending: deque[Future[None]] = deque()

    def __enter__(self) -> TFRecordFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._close(complete=kind is None)
            if kind is None:
                tf.io.gfile.rename(self._partial, self._path, overwrite=True)
        finally:
            if tf.io.gfile.exists(self._partial):
                tf.io.gfile.remove(self._partial)

    def write(self, record: bytes) -> None:
        """Appends a record."""
        length = struct.pack("<Q", len(record))
        self._records += (length, masked_checksum(length), record, masked_checksum(record))
        self._record_bytes += len(record)
        if self._record_bytes >= _BUFFER_BYTES:
            self._flush()

    def _close(self, *, complete: bool) -> None:
        """Closes the file, after writing the pending records if the file is to be complete."""
        try:
            if complete:
                self._flush()
                while self._pending:
                    self._pending.popleft().result()
                if self._compressor is not None:
                    self._file.write(self._compressor.flush())
        finally:
            self._thread.shutdown(cancel_futures=True)
            self._file.close()

    def _flush(self) -> None:
        """Hands the records to the thread; waits if the thread is far behind."""
        if len(self._pending) >= _BUFFERS_AHEAD:
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(self._write, self._records))
        self._records, self._record_bytes = [], 0

    def _write(self, records: list[bytes]) -> None:
        data = b"".join(records)
        self._file.write(data if self._compressor is None else self._compressor.compress(data))


def remove_partials(folder: str) -> None:
    """Removes partial files of killed attempts from the parent of their folders."""
    for name in tf.io.gfile.listdir(folder) if tf.io.gfile.isdir(folder) else ():
        if name.startswith(_PARTIAL):
            tf.io.gfile.remove(posixpath.join(folder, name))
