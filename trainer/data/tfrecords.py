"""Files of transformed SequenceExamples as windows of serialized records."""

from __future__ import annotations

import os
import posixpath
import random
from collections.abc import Sequence

import tensorflow as tf

from trainer.data import kinds, parsing
from trainer.errors import JobError

PARALLEL = max(2, min(8, os.cpu_count() or 2))
"""Threads that read or parse. tf.data.AUTOTUNE would begin every epoch with one and search anew."""

DRAWN = (tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int32), tf.TensorSpec([4], tf.int64))
"""What a compiled pass takes: what `drawn` gives, and where it begins."""

_COUNTED_TOGETHER = 4_096
_READ_TOGETHER = 128
_FILES_OPEN = 4


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset without tf.data's tuning thread.

    Every iterator joins that thread at its end, which sleeps for up to 60 seconds. All numbers of threads and buffers
    are given, so it has nothing to tune.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def find(files: str | Sequence[str]) -> list[str]:
    """Lists TFRecord files.

    Args:
        files: Folders (their files named `*tfrecord*`), glob patterns or files, or one of these.

    Returns:
        The files, sorted by name.

    Raises:
        JobError: If there are none, or plain and GZIP files are mixed.
    """
    asked = [files] if isinstance(files, str) else list(files)
    found = sorted({path for entry in asked for path in _expand(entry)})
    if not found:
        raise JobError(
            "There are no TFRecord files to read.",
            where=", ".join(asked) or "the list of files",
            found="no file",
            expected="a folder of files named *tfrecord*, a pattern that matches files, or files",
            fix="Name the folder of a split, such as Split-train.",
        )
    plain = [path for path in found if not compression(path)]
    if 0 < len(plain) < len(found):
        raise JobError(
            "Plain and GZIP files cannot be read together.",
            where=", ".join(asked),
            found=f"{len(plain)} files without .gz, {plain[0]} the first, and {len(found) - len(plain)} with it",
            expected="all with .gz, or none",
            fix="Name files of one kind only.",
        )
    return found


def compression(path: str) -> str:
    """Returns TensorFlow's name of how a TFRecord file is compressed: GZIP with the suffix `.gz`, else empty."""
    return "GZIP" if path.endswith(".gz") else ""


def stream(paths: Sequence[str]) -> tf.data.Dataset:
    """Returns the serialized records of files of one kind, string [], one file after another."""
    return without_autotune(tf.data.TFRecordDataset(list(paths), compression(paths[0])))


def count(files: str | Sequence[str]) -> int:
    """Counts the records of files, folders or patterns."""
    batches = stream(find(files)).batch(_COUNTED_TOGETHER)
    return int(batches.reduce(tf.constant(0, tf.int64), lambda total, batch: total + tf.size(batch, tf.int64)))


def kind(paths: Sequence[str]) -> kinds.CorpusKind:
    """Tells the kind of corpus from the first record; without one, it is labelled text."""
    for record in stream(paths).take(1):
        return parsing.kind_of(record.numpy())
    return kinds.LABELLED_TEXT


def drawn(paths: Sequence[str], seed: int | None, epoch: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws the order of files for a pass, string [files], and its seed, int32 []; without one, 0 and as they are."""
    if seed is None:
        return tf.constant(list(paths)), tf.constant(0)
    mixed = mix(seed, epoch)
    return tf.constant(shuffled(paths, mixed)), tf.constant(mixed)


def weighted(paths: Sequence[str]) -> bool:
    """Tells from the first record whether documents have weights."""
    return any(parsing.has_weight(record.numpy()) for record in stream(paths).take(1))


def windows(paths: tf.Tensor, codec: str, size: int, seed: tf.Tensor | None) -> tf.data.Dataset:
    """Returns the records in windows, none of them empty.

    Args:
        paths: Files of one kind in the order of reading, string [files].
        codec: How they are compressed, as `compression` tells.
        size: Records in a window; the last ones may hold fewer.
        seed: Mixes each window with the records that the windows before left over, int32 []. None keeps the
            order of the files.

    Returns:
        Serialized records, string [records].
    """
    if seed is None:
        return tf.data.TFRecordDataset(paths, codec).batch(size)
    return mixed_windows(paths, codec, size, seed)


def shuffled(paths: Sequence[str], seed: int) -> list[str]:
    """Returns files in an order drawn from a seed."""
    order = list(paths)
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    return order


def mixed_windows(paths: Sequence[str] | tf.Tensor, codec: str, size: int, seed: int | tf.Tensor) -> tf.data.Dataset:
    """Returns the records of files in windows, each mixed with the records that the windows before left over.

    Args:
        paths: Files in the order of reading.
        codec: How they are compressed, as `compression` tells.
        size: Records in a window; the last ones may hold fewer.
        seed: Draws what is left over.

    Returns:
        Serialized records, string [records].
    """

    # Dataset.shuffle would do the same record by record, and its order would depend on the global seed, too.
    def blend(
        state: tuple[tf.Tensor, tf.Tensor], block: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]:
        (kept, number), (fresh, last) = state, block
        pool = tf.concat([kept, fresh], 0)
        drawn = permutation(tf.size(pool), [seed, number])
        keep = tf.where(last, 0, size)
        return (tf.gather(pool, drawn[:keep]), number + 1), tf.gather(pool, drawn[keep:])

    chunks = tf.data.Dataset.from_tensor_slices(paths).interleave(
        lambda path: tf.data.TFRecordDataset(path, codec).batch(_READ_TOGETHER),
        cycle_length=_FILES_OPEN,
        num_parallel_calls=PARALLEL,
        deterministic=True,
    )
    blocks = with_end(chunks.rebatch(size))
    initial = tf.zeros([0], tf.string), tf.constant(0)
    return blocks.scan(initial, blend).filter(lambda window: tf.size(window) > 0)


def with_end(blocks: tf.data.Dataset) -> tf.data.Dataset:
    """Returns pairs of a block, string [records], and whether it is the last, an empty one after all others."""
    end = tf.data.Dataset.from_tensors((tf.zeros([0], tf.string), True))
    return blocks.map(lambda block: (block, False)).concatenate(end)


def permutation(size: tf.Tensor, seed: Sequence[int | tf.Tensor]) -> tf.Tensor:
    """Returns the numbers below `size` in an order drawn from two integers, int32 [size]."""
    return tf.random.experimental.stateless_shuffle(tf.range(size), tf.stack([tf.cast(s, tf.int32) for s in seed]))


def mix(seed: int, epoch: int) -> int:
    """One seed of two numbers; neighbouring pairs share none."""
    return (seed * 1_000_003 + epoch) % (2**31 - 1)


def _expand(entry: str) -> list[str]:
    if tf.io.gfile.isdir(entry):
        return [posixpath.join(entry, name) for name in tf.io.gfile.listdir(entry) if "tfrecord" in name]
    found: list[str] = [entry] if tf.io.gfile.exists(entry) else tf.io.gfile.glob(entry)
    return found
