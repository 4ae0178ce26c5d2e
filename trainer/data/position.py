"""The position to resume from in an epoch, and the workers that share the epoch."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from trainer.errors import JobError

POSITION = "position"
"""Name of the feature with the position after each batch: int64 [4]."""


class Position(NamedTuple):
    """Where to resume in an epoch; `json.dumps` writes it as a list, `Position(*values)` reads that.

    Attributes:
        epoch: Number of the pass.
        window: Windows of documents that are done.
        batch: Batches of the next window that are done.
        arguments: Digest of the file names and of all arguments that determine the batches.
    """

    epoch: int
    window: int
    batch: int
    arguments: int

    @classmethod
    def after(cls, batch: Mapping[str, Any]) -> Position:
        """Returns the position after a batch, as tensors or as NumPy arrays."""
        return cls(*(int(value) for value in batch[POSITION]))


@dataclasses.dataclass(frozen=True)
class Worker:
    """One of the `count` processes that share an epoch, numbered from 0."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.count:
            raise ValueError(f"worker: expected (number, count) with 0 <= number < count, found {self}")


def start(epoch: int, files: Sequence[str], arguments: Sequence[int | str | None]) -> Position:
    """Returns the start of an epoch.

    Args:
        epoch: Number of the pass.
        files: Files sorted by name.
        arguments: Everything except the epoch that determines the documents of each batch.
    """
    digested = json.dumps([[path.rpartition("/")[2] for path in files], *arguments])
    return Position(epoch, 0, 0, zlib.crc32(digested.encode()))


def remaining(origin: Position, window: tf.Tensor, batches: tf.Tensor | Mapping[str, tf.Tensor]) -> tf.data.Dataset:
    """Returns the batches of a window that are not done, each with the position after it.

    Args:
        origin: Where the reading begins, in this window or an earlier one; tensors, int64 [] each.
        window: The window's number, int64 [].
        batches: All batches of the window, [batches, ...].

    Returns:
        A dataset of pairs: a batch, [...], and a position, int64 [4].
    """
    count = tf.shape(tf.nest.flatten(batches)[0], tf.int64)[0]

    def with_position(number: tf.Tensor, batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        place = tf.where(number < count, tf.stack([window, number]), tf.stack([window + 1, tf.zeros_like(number)]))
        return batch, tf.concat([[origin.epoch], place, [origin.arguments]], 0)

    done = tf.where(window == origin.window, origin.batch, 0)
    return tf.data.Dataset.from_tensor_slices(batches).enumerate(1).skip(done).map(with_position)


def resume(start: Position, position: Sequence[int] | None) -> Position:
    """Returns the position to resume from.

    Args:
        start: The start of the epoch with the current arguments.
        position: The position of an earlier read; None for the start.

    Raises:
        JobError: If the position belongs to another epoch or other arguments.
    """
    if position is None:
        return start
    found = Position(*position)
    fixes = {
        "epoch": "Read with epoch=position.epoch.",
        "arguments": "Read with the same files, limits, window, seed and number of workers, or without a position.",
    }
    for name, fix in fixes.items():
        old, new = (f"{name} {getattr(position, name)}" for position in (found, start))
        if old != new:
            what = f"The position to resume from does not match the {name}."
            raise JobError(what, where="position", found=old, expected=new, fix=fix)
    return found
