"""The report of a training run: figures for TensorBoard, and `training.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from trainer.training.checkpoint import TrainingState


def device() -> str:
    """Names the devices that compute."""
    devices = tf.config.list_physical_devices("GPU") or tf.config.list_physical_devices("CPU")
    return ", ".join(found.name.removeprefix("/physical_device:") for found in devices)


def write_scalars(epoch: int, figures: Mapping[str, float]) -> None:
    """Writes an epoch's figures to TensorBoard's default writer."""
    for name, value in figures.items():
        tf.summary.scalar(f"epoch/{name}", value, step=epoch)
    tf.summary.text("device", device(), step=epoch)


def write_report(directory: str, state: TrainingState, resumed: int, more: Mapping[str, Any]) -> None:
    """Writes `training.json`: the final state, the epochs finished before training resumed, and further entries."""
    report = {
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "best_eval_loss": state.best_loss,
        "resumed_after_epoch": resumed,
        **more,
        "device": device(),
        "history": state.history,
    }
    with tf.io.gfile.GFile(f"{directory}/training.json", "w") as file:
        file.write(json.dumps(report, indent=2))
