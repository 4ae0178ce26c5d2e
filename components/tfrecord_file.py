"""TFRecord files, written plain or as GZIP.

The format is that of `tensorflow/core/lib/io/record_writer.h`. Compression is zlib-ng's: of TensorFlow's own zlib
files of this size take ten times as long.
"""

from __future__ import annotations

import struct
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import google_crc32c
import tensorflow as tf
from zlib_ng import zlib_ng

_GZIP_WINDOW = 31
_MEMORY_LEVEL = 8
_BUFFER_BYTES = 1 << 20
_BUFFERS_AHEAD = 4


class TFRecordFile:
    """A TFRecord file of any filesystem that TensorFlow knows; close it, or use it as a context.

    A thread of its own compresses and writes.

    Args:
        path: Where it is written.
        compression: GZIP or plain.
        level: From 1, fast, to 9, small.
    """

    def __init__(self, path: str, compression: str, level: int) -> None:
        self._file = tf.io.gfile.GFile(path, "wb")
        gzip = compression == "gzip"
        self._compressor: Any = (
            zlib_ng.compressobj(level, zlib_ng.DEFLATED, _GZIP_WINDOW, _MEMORY_LEVEL) if gzip else None
        )
        self._records: list[bytes] = []
        self._record_bytes = 0
        self._thread = ThreadPoolExecutor(1)
        self._pending: deque[Future[None]] = deque()

    def __enter__(self) -> TFRecordFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, record: bytes) -> None:
        """Appends a record."""
        length = struct.pack("<Q", len(record))
        self._records += (length, masked_checksum(length), record, masked_checksum(record))
        self._record_bytes += len(record)
        if self._record_bytes >= _BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """Writes what waits and closes the file."""
        try:
            self._flush()
            while self._pending:
                self._pending.popleft().result()
            if self._compressor is not None:
                self._file.write(self._compressor.flush())
        finally:
            self._thread.shutdown()
            self._file.close()

    def _flush(self) -> None:
        """Hands the records to the thread; waits where it is far behind."""
        if len(self._pending) >= _BUFFERS_AHEAD:
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(self._write, self._records))
        self._records, self._record_bytes = [], 0

    def _write(self, records: list[bytes]) -> None:
        data = b"".join(records)
        self._file.write(data if self._compressor is None else self._compressor.compress(data))


def masked_checksum(data: bytes) -> bytes:
    """The checksum of the format: a CRC-32C, rotated and shifted so that one of a checksum is no weaker."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
