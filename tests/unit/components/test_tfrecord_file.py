"""TFRecord files against TensorFlow's own reader and writer."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.tfrecord_file import TFRecordFile

RECORDS = st.lists(st.binary(max_size=200) | st.integers(0, 3_000_000).map(bytes), max_size=6)


@given(RECORDS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tensorflow_reads_the_records_and_writes_the_same_plain_file(tmp_path: Path, records: list[bytes]) -> None:
    with tf.io.TFRecordWriter(str(tmp_path / "reference")) as writer:
        for record in records:
            writer.write(record)
    reference = (tmp_path / "reference").read_bytes()
    for compression, level in (("none", 9), ("gzip", 1), ("gzip", 9)):
        path = tmp_path / compression
        with TFRecordFile(str(path), compression, level) as file:
            for record in records:
                file.write(record)
        content = path.read_bytes()
        assert (gzip.decompress(content) if compression == "gzip" else content) == reference
        read = tf.data.TFRecordDataset(str(path), "GZIP" if compression == "gzip" else "")
        assert list(read.as_numpy_iterator()) == records


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_the_same_records_give_the_same_bytes(tmp_path: Path, compression: str) -> None:
    for name in ("a", "b"):
        with TFRecordFile(str(tmp_path / name), compression, 9) as file:
            for number in range(1000):
                file.write(b"word " * (number % 50))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
