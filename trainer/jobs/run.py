"""The entry point that TFX's Trainer calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import tensorflow as tf

from trainer.jobs import keyed_directory
from trainer.jobs.job import TrainingJob, files
from trainer.jobs.tasks import TASKS
from trainer.training import strategies
from trainer.tuning.values import with_values

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs


def run_fn(fn_args: FnArgs) -> None:
    """Trains, and writes the SavedModel, TensorBoard's events and `training.json`.

    Args:
        fn_args: TFX's arguments; `custom_config` holds `task`, `settings` (the trainer section as
            JSON), `checkpoints` (a directory) and `code` (a digest of the code); the values of
            `hyperparameters`, if there are any, replace those of the section.
    """
    custom = fn_args.custom_config
    settings = with_values(custom["settings"], (fn_args.hyperparameters or {}).get("values"))
    job = TrainingJob(
        settings=settings,
        train_files=files(fn_args.train_files),
        eval_files=files(fn_args.eval_files),
        transform_graph=fn_args.transform_output,
        model_directory=fn_args.serving_model_dir,
        log_directory=fn_args.model_run_dir,
        checkpoints=_own_directory(fn_args, settings),
    )
    TASKS[custom["task"]](job)
    if strategies.is_chief(json.loads(settings).get("strategy")):
        tf.io.gfile.rmtree(custom["checkpoints"])


def _own_directory(fn_args: FnArgs, settings: str) -> str:
    """A checkpoint directory for exactly these data, settings and code; those of others are removed."""
    custom = fn_args.custom_config
    key = [fn_args.transform_output, fn_args.train_files, fn_args.eval_files, custom["task"], settings, custom["code"]]
    return keyed_directory.prepare(custom["checkpoints"], key)
