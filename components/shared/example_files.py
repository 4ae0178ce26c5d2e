"""Where the files of an Examples artifact lie: a folder for each split, its shards in it."""

from __future__ import annotations

import posixpath

import tensorflow as tf

_SHARD = "data_tfrecord-"


def split_folder(uri: str, split: str) -> str:
    """Returns the folder of a split of an artifact, as all of TFX names it."""
    return posixpath.join(uri, f"Split-{split}")


def shard_path(uri: str, split: str, shard: int, shards: int, suffix: str) -> str:
    """Returns the path of a shard.

    Args:
        uri: The artifact's folder.
        split: The split's name.
        shard: The shard's number, from 0.
        shards: How many shards the split has.
        suffix: The end of the name, `.gz` or nothing.
    """
    return posixpath.join(split_folder(uri, split), f"{_SHARD}{shard:05d}-of-{shards:05d}{suffix}")


def shard_paths(uri: str, split: str) -> list[str]:
    """Returns the paths of the shards of a split that are there, in order."""
    return sorted(tf.io.gfile.glob(posixpath.join(split_folder(uri, split), f"{_SHARD}*")))
