"""TFRecord files, written plain or as GZIP.

The format is that of `tensorflow/core/lib/io/record_writer.h`. Compression is zlib-ng's: of TensorFlow's own zlib
files of this size take ten times as long.
"""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Any

import google_crc32c
import tensorflow as tf
from zlib_ng import zlib_ng

_GZIP_WINDOW = 31
_MEMORY_LEVEL = 8
_BUFFER_BYTES = 1 << 20


class TFRecordFile:
    """A TFRecord file of any filesystem that TensorFlow knows; close it, or use it as a context.

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
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def __enter__(self) -> TFRecordFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, record: bytes) -> None:
        """Appends a record."""
        length = struct.pack("<Q", len(record))
        self._waiting += (length, masked_checksum(length), record, masked_checksum(record))
        self._waiting_bytes += len(record)
        if self._waiting_bytes >= _BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """Writes what waits and closes the file."""
        self._flush()
        if self._compressor is not None:
            self._file.write(self._compressor.flush())
        self._file.close()

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._file.write(data if self._compressor is None else self._compressor.compress(data))
        self._waiting.clear()
        self._waiting_bytes = 0


def masked_checksum(data: bytes) -> bytes:
    """The checksum of the format: a CRC-32C, rotated and shifted so that one of a checksum is no weaker."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
