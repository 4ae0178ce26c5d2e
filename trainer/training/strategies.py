"""Which devices share the steps of a training."""

from __future__ import annotations

from typing import Literal

import tensorflow as tf


def make(name: Literal["one_device", "mirrored"]) -> tf.distribute.Strategy:
    """Returns the strategy of this name.

    `mirrored` has a copy of the weights on every GPU of this machine, or on every logical CPU device where there is
    none.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])
