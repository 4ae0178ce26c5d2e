"""TFRecord files against TensorFlow's own reader and writer, and what is left if writing fails."""

import gzip
import re
import resource
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components.shared.tfrecord_file import TFRecordFile, remove_partials
from trainer.settings import OutputSettings

PLAIN = OutputSettings(compression="none")
GZIP = OutputSettings(compression="gzip")

RECORDS = st.lists(st.binary(max_size=200) | st.integers(0, 70_000).map(bytes), max_size=6)
MEGABYTE = bytes(range(256)) * 4096
"""The bytes that are buffered before they are written."""


@given(RECORDS)
@example([b"", bytes(3_000_000), b"a", MEGABYTE, bytes(2_000_000), b"b"])
@example([MEGABYTE[:-1], b"a", *[MEGABYTE] * 6, b"b"])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tensorflow_reads_the_records_and_writes_the_same_plain_file(tmp_path: Path, records: list[bytes]) -> None:
    with tf.io.TFRecordWriter(str(tmp_path / "reference")) as writer:
        for record in records:
            writer.write(record)
    reference = (tmp_path / "reference").read_bytes()
    for output, level in ((PLAIN, 9), (GZIP, 1), (GZIP, 9)):
        path = tmp_path / "Split-train" / f"shard{output.suffix}"
        with TFRecordFile(str(path), output, level) as file:
            for record in records:
                file.write(record)
        content = path.read_bytes()
        assert (gzip.decompress(content) if output.suffix else content) == reference
        compression = "GZIP" if output.suffix else ""
        # Like tf.data's reader, without the cost of its iterator.
        assert list(tf.compat.v1.io.tf_record_iterator(str(path), tf.io.TFRecordOptions(compression))) == records


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def write_megabytes(file: TFRecordFile, count: int) -> None:
    for _ in range(count):
        file.write(bytes(1 << 20))


def test_a_file_stays_in_the_parent_folder_until_it_is_complete(tmp_path: Path) -> None:
    with TFRecordFile(str(tmp_path / "Split-train" / "shard"), PLAIN, 9) as file:
        write_megabytes(file, 8)  # More than is buffered in memory.
        (partial,) = files(tmp_path)
        assert re.fullmatch("partial-[0-9a-f]{32}", partial)
    assert files(tmp_path) == ["Split-train/shard"]


@pytest.mark.parametrize("megabytes", [0, 8])
def test_an_error_in_the_block_leaves_only_what_was_there(tmp_path: Path, megabytes: int) -> None:
    path = tmp_path / "Split-train" / "shard"

    def write() -> None:
        with TFRecordFile(str(path), GZIP, 1) as file:
            write_megabytes(file, megabytes)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write()
    assert files(tmp_path) == []
    path.write_bytes(b"whole")
    with pytest.raises(InterruptedError):
        write()
    assert files(tmp_path) == ["Split-train/shard"]
    assert path.read_bytes() == b"whole"


def test_a_file_over_the_size_limit_leaves_nothing(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 19, limits[1]))
    try:
        for megabytes in (2, 8):
            with pytest.raises(tf.errors.OpError), TFRecordFile(str(tmp_path / "Split-train" / "a"), PLAIN, 1) as file:
                write_megabytes(file, megabytes)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files(tmp_path) == []


def test_a_file_that_cannot_be_renamed_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "Split-train" / "shard" / "in-the-way").mkdir(parents=True)
    with pytest.raises(tf.errors.OpError), TFRecordFile(str(tmp_path / "Split-train" / "shard"), GZIP, 1) as file:
        file.write(b"a")
    assert files(tmp_path) == []


def test_partial_files_of_killed_attempts_are_removed(tmp_path: Path) -> None:
    (tmp_path / "Split-train").mkdir()
    for name in ("partial-1", "partial-2", "Split-train/shard", "train.dataset.json"):
        (tmp_path / name).write_bytes(b"a")
    remove_partials(str(tmp_path))
    assert files(tmp_path) == ["Split-train/shard", "train.dataset.json"]
    remove_partials(str(tmp_path / "not-made-yet"))
