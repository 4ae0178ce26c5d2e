"""Distribution strategies: the devices that share the steps of training."""

from __future__ import annotations

import os
from typing import Literal

import tensorflow as tf

from trainer.errors import JobError
from trainer.jobs import workers

StrategyName = Literal["one_device", "mirrored", "multi_worker"]


def make(name: StrategyName) -> tf.distribute.Strategy:
    """Returns the strategy of this name.

    `mirrored` keeps a copy of the weights on every GPU of this machine, or without GPUs on every logical CPU device;
    `multi_worker` on those of all workers in the environment variable `TF_CONFIG`, and must be created before
    TensorFlow computes anything.

    Raises:
        JobError: If `multi_worker` finds no workers in `TF_CONFIG`.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    if name == "multi_worker":
        if not workers.config().get("cluster"):
            raise JobError(
                "TF_CONFIG names no workers.",
                where="trainer.strategy, the environment variable TF_CONFIG",
                found=os.environ.get("TF_CONFIG") or "nothing",
                expected='{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}',
                fix="Set TF_CONFIG in each worker's process, or set trainer.strategy to mirrored or one_device.",
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])
