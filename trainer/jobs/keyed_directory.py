"""A directory of its own for work that may be cut short, so that only the same work goes on from what lies there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def prepare(parent: str, key: Sequence[Any]) -> str:
    """Returns the directory of a key below a parent, and removes those of others.

    Args:
        parent: The parent, made where it is missing.
        key: All that decides what the work makes, as JSON has it.
    """
    own = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    tf.io.gfile.makedirs(parent)
    for other in tf.io.gfile.listdir(parent):
        if other.rstrip("/") != own:
            tf.io.gfile.rmtree(f"{parent}/{other}")
    return f"{parent}/{own}"
