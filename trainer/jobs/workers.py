"""The workers of a training, which the environment variable `TF_CONFIG` names. Imports no TensorFlow."""

from __future__ import annotations

import json
import os
from typing import Any


def config() -> dict[str, Any]:
    """Returns the value of `TF_CONFIG`, empty if it is not set or no JSON object."""
    try:
        found = json.loads(os.environ.get("TF_CONFIG", ""))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_chief(strategy: str) -> bool:
    """Whether this process writes the results of training; of several workers the first one does."""
    if strategy != "multi_worker":
        return True
    cluster, task = config().get("cluster", {}), config().get("task", {})
    return (task.get("type"), task.get("index")) == ("chief" if "chief" in cluster else "worker", 0)
