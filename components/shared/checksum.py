"""The checksum of TFRecord files. Imports no TensorFlow."""

from __future__ import annotations

import struct

import google_crc32c


def masked_checksum(data: bytes) -> bytes:
    """Returns the masked CRC-32C of the format, which also protects data that contains CRCs."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
