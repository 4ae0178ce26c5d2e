"""The entry point that TFX's Trainer calls."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from trainer import fused, records
from trainer.checkpoint import Checkpoints, TrainingState
from trainer.features import vocabulary_size
from trainer.input import read
from trainer.loop import Loop
from trainer.settings import TrainerSettings
from trainer.tasks import TASKS

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

logger = logging.getLogger("seqloom.trainer")


def run_fn(fn_args: FnArgs) -> None:
    """Trains, and writes the SavedModel, TensorBoard's events and `training.json`.

    Args:
        fn_args: TFX's arguments; `custom_config` holds `task`, `settings` (the trainer section as
            JSON), `checkpoints` (a directory) and `code` (a digest of the code).
    """
    task = TASKS[fn_args.custom_config["task"]]
    settings = TrainerSettings.model_validate_json(fn_args.custom_config["settings"])
    for obstacle in fused.obstacles(settings):
        logger.warning("On a GPU the fused cuDNN kernel is ruled out by %s.", obstacle)
    keras.utils.set_random_seed(settings.seed)
    train_files, eval_files = _files(fn_args.train_files), _files(fn_args.eval_files)
    labels = _text(f"{fn_args.transform_output}/labels.txt").splitlines()
    model = task.build(settings, vocabulary_size(fn_args.transform_output), len(labels))
    loop = Loop(model, task.loss, settings)
    checkpoints = Checkpoints(_own_directory(fn_args), model, loop.optimizer)

    def batches(files: list[str], seed: int | None = None, epoch: int = 0) -> tf.data.Dataset:
        budget = {name: getattr(settings, name) for name in ("batch_tokens", "batch_documents", "window")}
        return read(files, **budget, seed=seed, epoch=epoch)

    resumed = checkpoints.restore().epoch
    with tf.summary.create_file_writer(fn_args.model_run_dir).as_default():
        state = loop.run(
            train=lambda epoch: batches(train_files, settings.seed, epoch),
            evaluate=batches(eval_files),
            documents=records.count(train_files),
            checkpoints=checkpoints,
            on_epoch=_write_scalars,
        )
    task.servable(model, f"{fn_args.transform_output}/transform_fn", labels).save(
        fn_args.serving_model_dir, _text(f"{fn_args.transform_output}/settings.json")
    )
    _write_report(fn_args.model_run_dir, state, model, resumed)
    tf.io.gfile.rmtree(fn_args.custom_config["checkpoints"])


def _own_directory(fn_args: FnArgs) -> str:
    """A checkpoint directory for exactly these data, settings and code; those of others are removed."""
    parent = fn_args.custom_config["checkpoints"]
    key = [fn_args.transform_output, fn_args.train_files, fn_args.eval_files]
    key += [fn_args.custom_config[name] for name in ("task", "settings", "code")]
    own = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    tf.io.gfile.makedirs(parent)
    for other in tf.io.gfile.listdir(parent):
        if other.rstrip("/") != own:
            tf.io.gfile.rmtree(f"{parent}/{other}")
    return f"{parent}/{own}"


def _files(patterns: list[str]) -> list[str]:
    """TFX gives a pattern for all that lies in a split's folder."""
    return records.find([pattern.removesuffix("/*") for pattern in patterns])


def _text(path: str) -> str:
    with tf.io.gfile.GFile(path) as file:
        text: str = file.read()
    return text


def _device() -> str:
    devices = tf.config.list_physical_devices("GPU") or tf.config.list_physical_devices("CPU")
    return ", ".join(device.name.removeprefix("/physical_device:") for device in devices)


def _write_scalars(epoch: int, figures: dict[str, float]) -> None:
    for name, value in figures.items():
        tf.summary.scalar(f"epoch/{name}", value, step=epoch)
    tf.summary.text("device", _device(), step=epoch)


def _write_report(directory: str, state: TrainingState, model: keras.Model, resumed: int) -> None:
    report: dict[str, Any] = {
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "best_eval_loss": state.best_loss,
        "resumed_after_epoch": resumed,
        "parameters": model.count_params(),
        "device": _device(),
        "history": state.history,
    }
    with tf.io.gfile.GFile(f"{directory}/training.json", "w") as file:
        file.write(json.dumps(report, indent=2))
