"""Where the reading of an epoch stands, and how its work is split between workers."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from trainer.errors import JobError

POSITION = "position"
"""Name of the feature that tells, in every batch, the position after it: int64 [4]."""


class Position(NamedTuple):
    """Where to go on in an epoch; `json.dumps` writes it as a list, `Position(*values)` reads that.

    Attributes:
        epoch: Number of the pass.
        window: Windows of documents read to their end.
        batch: Batches done of the window after these.
        reading: Digest of the files' names and of all arguments that decide the batches.
    """

    epoch: int
    window: int
    batch: int
    reading: int

    @classmethod
    def after(cls, batch: Mapping[str, Any]) -> Position:
        """Returns the position after a batch, as tensors or as NumPy arrays."""
        return cls(*(int(value) for value in batch[POSITION]))


@dataclasses.dataclass(frozen=True)
class Worker:
    """One of the processes that share an epoch.

    Attributes:
        number: Its number, from 0.
        count: How many there are.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.count:
            raise ValueError(f"worker: expected (number, count) with 0 <= number < count, found {self}")


def start(epoch: int, files: Sequence[str], arguments: Sequence[int | str | None]) -> Position:
    """Returns the start of an epoch.

    Args:
        epoch: Number of the pass.
        files: Files in the order of their names.
        arguments: All that decides which documents make a batch, other than the epoch.
    """
    reading = json.dumps([[path.rpartition("/")[2] for path in files], *arguments])
    return Position(epoch, 0, 0, zlib.crc32(reading.encode()))


def remaining(origin: Position, window: tf.Tensor, batches: tf.Tensor | Mapping[str, tf.Tensor]) -> tf.data.Dataset:
    """Returns the batches of a window that are not done, each with the position after it.

    Args:
        origin: Where the reading begins, in this window or before it; of tensors, int64 [] each.
        window: The window's number, int64 [].
        batches: All batches of the window, [batches, ...].

    Returns:
        A dataset of pairs: a batch, [...], and a position, int64 [4].
    """
    count = tf.shape(tf.nest.flatten(batches)[0], tf.int64)[0]

    def with_position(number: tf.Tensor, batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        place = tf.where(number < count, tf.stack([window, number]), tf.stack([window + 1, tf.zeros_like(number)]))
        return batch, tf.concat([[origin.epoch], place, [origin.reading]], 0)

    done = tf.where(window == origin.window, origin.batch, 0)
    return tf.data.Dataset.from_tensor_slices(batches).enumerate(1).skip(done).map(with_position)


def resume(start: Position, position: Sequence[int] | None) -> Position:
    """Returns the position to go on from.

    Args:
        start: The start of the epoch as it would be read now.
        position: Where an earlier reading stood; None for the start.

    Raises:
        JobError: If the position is of another epoch or another way of reading.
    """
    if position is None:
        return start
    found = Position(*position)
    if found.epoch != start.epoch:
        raise JobError(
            "The position to resume from belongs to another epoch.",
            where="position",
            found=f"epoch {found.epoch}",
            expected=f"epoch {start.epoch}, as the argument epoch says",
            fix="Read with epoch=position.epoch.",
        )
    if found.reading != start.reading:
        raise JobError(
            "The position to resume from belongs to another reading.",
            where="position",
            found=f"digest {found.reading}",
            expected=f"digest {start.reading}, of these files, limits, window, seed and number of workers",
            fix="Read with what the position was saved with, or begin the epoch anew without a position.",
        )
    return found
