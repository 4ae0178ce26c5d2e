"""A directory for work that may be interrupted, keyed so that only the same work resumes from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def prepare(parent: str, key: Sequence[Any]) -> str:
    """Returns the directory of a key, creates its parent, and removes the directories of other keys.

    The key is everything that determines what the work produces, as JSON values.
    """
    own = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    tf.io.gfile.makedirs(parent)
    for other in tf.io.gfile.listdir(parent):
        if other.rstrip("/") != own:
            tf.io.gfile.rmtree(f"{parent}/{other}")
    return f"{parent}/{own}"
