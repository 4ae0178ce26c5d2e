"""Imports TFX's core for a run; its executors follow when they run."""

from __future__ import annotations

import importlib

from trainer.jobs.light_imports import defer, import_tensorflow, without

_OPTIONAL_FOR_BEAM = ("google.cloud.bigquery", "google.cloud.bigquery_storage_v1", "google.cloud.pubsub")
"""The clients of sources that this project does not read. Beam does without them."""


def import_tfx() -> None:
    """Imports TensorFlow, Beam and TFX without what only executors use.

    TFX's launcher imports `tfx.components` for one constant, and with it every component and its libraries; of
    TensorFlow Model Analysis a pipeline needs only its protocol buffers.
    """
    import_tensorflow()
    with without(_OPTIONAL_FOR_BEAM):
        importlib.import_module("apache_beam")
    for package in ("tensorflow_model_analysis", "tfx.components"):
        defer(package)
