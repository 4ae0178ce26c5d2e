"""The entry point that TFX's Trainer calls."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import tensorflow as tf

from trainer import records
from trainer.job import Job
from trainer.tasks import TASKS
from trainer.training import strategies

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs


def run_fn(fn_args: FnArgs) -> None:
    """Trains, and writes the SavedModel, TensorBoard's events and `training.json`.

    Args:
        fn_args: TFX's arguments; `custom_config` holds `task`, `settings` (the trainer section as
            JSON), `checkpoints` (a directory) and `code` (a digest of the code).
    """
    custom = fn_args.custom_config
    job = Job(
        settings=custom["settings"],
        train_files=_files(fn_args.train_files),
        eval_files=_files(fn_args.eval_files),
        transform_graph=fn_args.transform_output,
        model_directory=fn_args.serving_model_dir,
        log_directory=fn_args.model_run_dir,
        checkpoints=_own_directory(fn_args),
    )
    TASKS[custom["task"]](job)
    if strategies.is_chief(json.loads(custom["settings"]).get("strategy")):
        tf.io.gfile.rmtree(custom["checkpoints"])


def _own_directory(fn_args: FnArgs) -> str:
    """A checkpoint directory for exactly these data, settings and code; those of others are removed."""
    parent: str = fn_args.custom_config["checkpoints"]
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
