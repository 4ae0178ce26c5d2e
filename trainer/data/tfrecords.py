"""Files of transformed SequenceExamples as windows of serialized records."""

from __future__ import annotations

import os
import posixpath
import random
from collections.abc import Callable, Sequence

import tensorflow as tf

from trainer.data import features as f
from trainer.data import kinds, parsing
from trainer.errors import JobError

PARALLEL = max(2, min(8, os.cpu_count() or 2))
"""Threads that read or parse. tf.data.AUTOTUNE would restart its search at one thread every epoch."""

ReadPass = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.data.Dataset]
"""A compiled pass, from the results of `ordered` and the position to start from."""

PASS_SIGNATURE = (tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int32), tf.TensorSpec([4], tf.int64))
"""The input signature of a compiled pass."""

_COUNT_BATCH = 4_096
_READ_BATCH = 128
_FILES_OPEN = 4


def without_autotune(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset without tf.data's tuning thread.

    Every iterator joins that thread at its end, which can sleep for 60 seconds. It has nothing to tune, since all
    numbers of threads and buffers are set.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def find(files: str | Sequence[str]) -> list[str]:
    """Lists TFRecord files, sorted by name.

    Args:
        files: One or several folders (with files named `*tfrecord*`), glob patterns or files.

    Raises:
        JobError: If there are none, or plain and GZIP files are mixed.
    """
    entries = [files] if isinstance(files, str) else list(files)
    found: set[str] = set()
    for entry in entries:
        if tf.io.gfile.isdir(entry):
            found.update(posixpath.join(entry, name) for name in tf.io.gfile.listdir(entry) if "tfrecord" in name)
        else:
            found.update([entry] if tf.io.gfile.exists(entry) else tf.io.gfile.glob(entry))
    if not found:
        expected = "a folder of files named *tfrecord*, for example Split-train, a pattern that matches files, or files"
        raise JobError("No TFRecord files found.", where=", ".join(entries) or "the list of files", expected=expected)
    plain = sorted(path for path in found if not compression(path))
    if 0 < len(plain) < len(found):
        counts = f"{len(plain)} files without .gz (the first: {plain[0]}) and {len(found) - len(plain)} with it"
        what, expected = "Plain and GZIP files cannot be read together.", "all with .gz, or none"
        raise JobError(what, where=", ".join(entries), found=counts, expected=expected)
    return sorted(found)


def compression(path: str) -> str:
    """Returns TensorFlow's name of a file's compression: GZIP with the suffix `.gz`, else empty."""
    return "GZIP" if path.endswith(".gz") else ""


def stream(paths: Sequence[str]) -> tf.data.Dataset:
    """Returns the serialized records, string [], of files of one compression, file by file."""
    return without_autotune(tf.data.TFRecordDataset(list(paths), compression(paths[0])))


def count(files: str | Sequence[str]) -> int:
    """Counts the records of files, folders or patterns."""
    batches = stream(find(files)).batch(_COUNT_BATCH)
    return int(batches.reduce(tf.constant(0, tf.int64), lambda total, batch: total + tf.size(batch, tf.int64)))


def kind(paths: Sequence[str]) -> kinds.CorpusKind:
    """Returns the kind of corpus of the first record; labelled text if there are no records."""
    for record in stream(paths).take(1):
        return parsing.kind_of(record.numpy())
    return kinds.LABELLED_TEXT


def ordered(paths: Sequence[str], seed: int | None, epoch: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the order of files for a pass, string [files], and its seed, int32 []; unchanged and 0 without a seed."""
    if seed is None:
        return tf.constant(list(paths)), tf.constant(0)
    mixed = mix(seed, epoch)
    return tf.constant(shuffled(paths, mixed)), tf.constant(mixed)


def weighted(paths: Sequence[str]) -> bool:
    """Returns whether the first record has a weight."""
    records = (tf.train.SequenceExample.FromString(record.numpy()) for record in stream(paths).take(1))
    return any(f.WEIGHT in record.context.feature for record in records)


def shuffled(paths: Sequence[str], seed: int) -> list[str]:
    """Returns files in a random order that depends on the seed alone."""
    order = list(paths)
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    return order


def windows(paths: tf.Tensor, codec: str, size: int, seed: tf.Tensor | None) -> tf.data.Dataset:
    """Returns the records of files in windows, each mixed with records held back from previous windows.

    Args:
        paths: Files in the order of reading, string [files].
        codec: Their compression, as `compression` returns it.
        size: Records in a window; the last ones may hold fewer.
        seed: Determines which records are held back, int32 []. None keeps the order of the files.

    Returns:
        Serialized records, string [records], never empty.
    """
    if seed is None:
        return tf.data.TFRecordDataset(paths, codec).batch(size)

    # Dataset.shuffle works record by record, and its order also depends on the global seed.
    def blend(
        state: tuple[tf.Tensor, tf.Tensor], block: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]:
        (kept, number), (fresh, last) = state, block
        pool = tf.concat([kept, fresh], 0)
        drawn = permutation(tf.size(pool), [seed, number])
        keep = tf.where(last, 0, size)
        return (tf.gather(pool, drawn[:keep]), number + 1), tf.gather(pool, drawn[keep:])

    chunks = tf.data.Dataset.from_tensor_slices(paths).interleave(
        lambda path: tf.data.TFRecordDataset(path, codec).batch(_READ_BATCH),
        cycle_length=_FILES_OPEN,
        num_parallel_calls=PARALLEL,
        deterministic=True,
    )
    blocks = with_end(chunks.rebatch(size))
    initial = tf.zeros([0], tf.string), tf.constant(0)
    return blocks.scan(initial, blend).filter(lambda window: tf.size(window) > 0)


def with_end(blocks: tf.data.Dataset) -> tf.data.Dataset:
    """Returns pairs of a block, string [records], and False, followed by an empty block and True."""
    end = tf.data.Dataset.from_tensors((tf.zeros([0], tf.string), True))
    return blocks.map(lambda block: (block, False)).concatenate(end)


def permutation(size: tf.Tensor, seed: Sequence[int | tf.Tensor]) -> tf.Tensor:
    """Returns the numbers below `size` in a random order that depends on two integers alone, int32 [size]."""
    return tf.random.experimental.stateless_shuffle(tf.range(size), tf.stack([tf.cast(s, tf.int32) for s in seed]))


def mix(seed: int, epoch: int) -> int:
    """Combines a seed and an epoch into one seed; nearby pairs give different ones."""
    return (seed * 1_000_003 + epoch) % (2**31 - 1)
