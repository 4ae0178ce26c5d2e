"""The entry point that TFX's Trainer calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from trainer.jobs import dotted, keyed_directory
from trainer.jobs.training_job import TrainingJob, files, weights_directory
from trainer.jobs.training_task import TrainingTask
from trainer.tuning.values import with_values

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs


def run_fn(fn_args: FnArgs) -> None:
    """Trains, and writes the SavedModel, TensorBoard's events and `training.json`.

    Args:
        fn_args: TFX's arguments; `custom_config` holds `training` (the dotted path of a `TrainingTask`), `settings`
            (the trainer section as JSON), `checkpoints` (a directory) and `code` (a digest of the code); values in
            `hyperparameters` replace those of the section; `base_model` is the SavedModel of a warm start, if any.
    """
    custom = fn_args.custom_config
    task: TrainingTask[Any] = dotted.load(custom["training"])
    given = task.settings.model_validate_json(custom["settings"])
    settings = with_values(given, (fn_args.hyperparameters or {}).get("values", {}))
    # Checkpoints of other data, settings or code are removed.
    key = [fn_args.transform_output, fn_args.train_files, fn_args.eval_files]
    key += [custom["training"], settings.model_dump_json(), custom["code"], fn_args.base_model]
    job = TrainingJob(
        train_files=files(fn_args.train_files),
        eval_files=files(fn_args.eval_files),
        transform_graph=fn_args.transform_output,
        model_directory=fn_args.serving_model_dir,
        log_directory=fn_args.model_run_dir,
        base=weights_directory(fn_args.base_model) if fn_args.base_model else "",
        checkpoints=keyed_directory.prepare(custom["checkpoints"], key),
    )
    task.run(job, settings)
    if task.is_chief(settings):
        tf.io.gfile.rmtree(custom["checkpoints"])
