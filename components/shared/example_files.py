"""The file layout of an Examples artifact: one folder of shards per split."""

from __future__ import annotations

import posixpath

import tensorflow as tf

_SHARD = "data_tfrecord-"


def split_folder(uri: str, split: str) -> str:
    """Returns the folder of a split of an artifact by TFX's convention."""
    return posixpath.join(uri, f"Split-{split}")


def shard_path(uri: str, split: str, shard: int, shards: int, suffix: str) -> str:
    """Returns the path of a shard, counted from 0, of `shards`; the suffix is `.gz` or empty."""
    return posixpath.join(split_folder(uri, split), f"{_SHARD}{shard:05d}-of-{shards:05d}{suffix}")


def shard_paths(uri: str, split: str) -> list[str]:
    """Returns the paths of the existing shards of a split, in order."""
    return sorted(tf.io.gfile.glob(posixpath.join(split_folder(uri, split), f"{_SHARD}*")))
