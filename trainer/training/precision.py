"""The precision of a model's computations."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import keras
import tensorflow as tf

from trainer.training.settings import TrainingSettings

_logger = logging.getLogger("seqloom.trainer")


@contextlib.contextmanager
def policy(settings: TrainingSettings) -> Iterator[None]:
    """Sets the precision of the layers built in this context; their weights are float32.

    Follows Micikevicius et al. (2018), Mixed Precision Training, sections 3.1 and 3.2.
    """
    before = keras.config.dtype_policy()
    if settings.precision != "float32":
        if not tf.config.list_physical_devices("GPU"):
            _logger.warning("trainer.precision: %s has no advantage without a GPU and may be slow.", settings.precision)
        keras.config.set_dtype_policy(f"mixed_{settings.precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
