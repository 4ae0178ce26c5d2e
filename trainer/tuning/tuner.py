"""The entry point that TFX's Tuner calls: each trial is an ordinary training run with its own settings."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import tensorflow as tf
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FailedTrialError, FatalError

from trainer.errors import JobError
from trainer.jobs import dotted, keyed_directory, progress
from trainer.jobs.learnable_task import LearnableTask, S
from trainer.jobs.training_job import TrainingJob, files
from trainer.training.pace import paced
from trainer.training.settings import given
from trainer.tuning import oracle
from trainer.tuning.settings import TuneSettings
from trainer.tuning.values import trainer_values, with_values

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

logger = logging.getLogger("seqloom.trainer")


class TunerFnResult(NamedTuple):
    """The result type of TFX's Tuner: a tuner, and the arguments of its trials."""

    tuner: BaseTuner
    fit_kwargs: dict[str, Any]


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Creates the tuner, which resumes a killed search.

    Args:
        fn_args: TFX's arguments; `custom_config` holds `training` (the dotted path of a `LearnableTask`), `settings`
            (the trainer section as JSON), `tune` (the tune section as JSON), `directory` (of the search's state) and
            `code` (a digest of the code).
    """
    custom = fn_args.custom_config
    key = [fn_args.transform_graph_path, fn_args.train_files, fn_args.eval_files]
    key += [custom[name] for name in ("training", "settings", "tune", "code")]
    job = TrainingJob(files(fn_args.train_files), files(fn_args.eval_files), fn_args.transform_graph_path)
    directory = keyed_directory.prepare(custom["directory"], key)
    tune = TuneSettings.model_validate_json(custom["tune"])
    task: LearnableTask[Any] = dotted.load(custom["training"])
    settings = task.settings.model_validate_json(custom["settings"])
    return TunerFnResult(start(task, job, settings, tune, directory), {})


def start(task: LearnableTask[S], job: TrainingJob, settings: S, tune: TuneSettings, directory: str) -> TrialTuner:
    """Returns a tuner that resumes from the directory, or starts over if a kill truncated a file there."""
    try:
        return TrialTuner(task, job, settings, tune, directory)
    except json.JSONDecodeError:
        tf.io.gfile.rmtree(directory)
        return TrialTuner(task, job, settings, tune, directory)


class TrialTuner(BaseTuner):
    """Trains the trials one after another and records their results."""

    def __init__(
        self, task: LearnableTask[S], job: TrainingJob, settings: S, tune: TuneSettings, directory: str
    ) -> None:
        """Reads the state of an earlier search in the directory, if any.

        Args:
            task: The task to train.
            job: The data to train on.
            settings: The trainer section; trials replace its values.
            tune: The search.
            directory: A directory for exactly this search.
        """
        self._task, self._job, self._settings, self._tune = task, job, settings, tune
        epochs = given(paced(settings, job.size(), task.plan(settings)).epochs)
        self._failure = "all trials failed"
        self._trials = oracle.count_trials(tune, epochs)
        made = oracle.make(tune, oracle.space(tune, settings), epochs)
        super().__init__(made, directory=directory, project_name="trials")

    def run_trial(self, trial: Trial, *_: Any, **__: Any) -> dict[str, float]:
        """Trains with a trial's values; returns the objective at the best epoch."""
        keras.backend.clear_session()
        directory = f"{self.get_trial_dir(trial.trial_id)}/training"
        settings = with_values(self._settings, trial.hyperparameters.values)
        number = len(self.oracle.end_order) + 1
        shown = {"trial": number, "trials": self._trials, **self._best_values()}
        try:
            with progress.within(shown):
                state = self._task.train(self._job.within(directory), settings).state
        except (JobError, tf.errors.ResourceExhaustedError) as error:
            values = ", ".join(f"{key} {value}" for key, value in trainer_values(trial.hyperparameters.values).items())
            logger.warning("Trial %d failed (%s): %s", number, values, error)
            self._failure = str(error).replace("\n", "\n  ")
            raise FailedTrialError(str(error)) from error
        except Exception as error:
            # keras-tuner counts any other error as a failed trial and continues.
            raise FatalError(f"{type(error).__name__}: {error}") from error
        return {self._tune.objective: state.history[state.best_epoch - 1][self._tune.objective]}

    def on_trial_end(self, trial: Trial) -> None:
        """Saves the state of the search and removes the files of the trial's training."""
        super().on_trial_end(trial)
        # The state that keras-tuner has saved so far lists the trial as running, so it would run again.
        self.oracle.save()
        training = f"{self.get_trial_dir(trial.trial_id)}/training"
        if tf.io.gfile.exists(training):
            tf.io.gfile.rmtree(training)
        progress.report(len(self.oracle.end_order), self._trials, "trials", self._best_values())

    def on_search_end(self) -> None:
        """Removes the state of the search.

        Raises:
            JobError: If all trials failed.
        """
        tf.io.gfile.rmtree(self.project_dir)
        if not self._best_values():
            raise JobError(
                "Every trial has failed.",
                where="Tuner",
                found=self._failure,
                expected="at least one trained model",
                fix="Remove the values that make trials fail from tune.space, e.g. the highest learning rates.",
            )

    def _best_values(self) -> dict[str, float]:
        """The objective of the best trial so far by its name in the progress; empty if no trial has succeeded."""
        done = [trial for trial in self.oracle.get_best_trials(1) if trial.status == TrialStatus.COMPLETED]
        return {f"best_{self._tune.objective}": float(trial.score) for trial in done}
