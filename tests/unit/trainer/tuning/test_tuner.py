"""The search on a small corpus: its figures, its resumption, and trials that fail."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import CLASSIFIER
from trainer.errors import JobError
from trainer.jobs.progress import logger as progress_logger
from trainer.jobs.training_job import TrainingJob
from trainer.settings import RESERVED_WORDS, TransformSettings
from trainer.tuning.settings import TuneSettings
from trainer.tuning.tuner import TrialTuner, start
from trainer.tuning.values import with_values

pytestmark = pytest.mark.slow

BASE = ClassifierSettings.model_validate(
    {"embedding": 4, "units": 2, "bigrams": None, "epochs": 2, "bidirectional": False, "batch_documents": 8}
)
SPACE = {"trainer.learning_rate": {"values": [0.001, 0.02]}, "trainer.dropout": {"values": [0.0, 0.5]}}
WORDS = 8


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, write_transformed: Any) -> TrainingJob:
    """Documents whose class is whether id 4 is among their words."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "settings.json").write_text(json.dumps({**TransformSettings().model_dump(), "kind": "labelled_text"}))
    sizes = {"train": {"documents": 32, "tokens": 128}, "eval": {"documents": 16, "tokens": 64}}
    lengths = {split: {**size, "length": {"longest": WORDS}} for split, size in sizes.items()}
    (folder / "summary.json").write_text(json.dumps(lengths))
    (folder / "labels.txt").write_text("without\nwith\n")
    (folder / "vocabulary.txt").write_text("".join(f"{word}\n" for word in [*RESERVED_WORDS, *"abcdefgh"]))
    random = np.random.default_rng(1)
    files = []
    for split, count in (("train", 32), ("eval", 16)):
        rows = [random.integers(4, 4 + WORDS, random.integers(2, 7)).tolist() for _ in range(count)]
        files.append(folder / f"{split}_tfrecord.gz")
        write_transformed(
            files[-1], [{"id": b"%d" % n, "label": int(4 in row), "tokens": row} for n, row in enumerate(rows)]
        )
    return TrainingJob([str(files[0])], [str(files[1])], str(folder))


def tune(job: TrainingJob, directory: Path, **values: Any) -> TrialTuner:
    search = TuneSettings.model_validate({"space": SPACE, "trials": 3, **values})
    return start(CLASSIFIER, job, BASE, search, str(directory))


def results(tuner: TrialTuner) -> list[tuple[dict[str, Any], str, float | None]]:
    trials = [trial for _, trial in sorted(tuner.oracle.trials.items())]
    return [(trial.hyperparameters.values, trial.status, trial.score) for trial in trials]


@pytest.fixture(scope="module")
def whole(job: TrainingJob, tmp_path_factory: pytest.TempPathFactory) -> TrialTuner:
    tuner = tune(job, tmp_path_factory.mktemp("whole"))
    tuner.search()
    return tuner


@pytest.mark.parametrize("objective", ["eval_loss", "eval_accuracy"])
def test_a_trial_is_a_training_run_with_its_settings(
    job: TrainingJob, whole: TrialTuner, tmp_path: Path, objective: str
) -> None:
    tuner = whole
    if objective == "eval_accuracy":
        tuner = tune(job, tmp_path / "accuracy", objective=objective, trials=1)
        tuner.search()
    values, status, score = results(tuner)[0]
    settings = with_values(BASE, values)
    state = CLASSIFIER.train(job.within(str(tmp_path / "plain")), settings).state
    assert status == "COMPLETED"
    assert score == state.history[state.best_epoch - 1][objective]


def test_each_combination_is_tried_once_and_the_best_is_the_lowest(whole: TrialTuner) -> None:
    found = results(whole)
    assert len({json.dumps(values, sort_keys=True) for values, _, _ in found}) == 3
    lowest = min(found, key=lambda trial: trial[2] or 0)
    assert whole.get_best_hyperparameters()[0].values == lowest[0]


class Interrupt(logging.Handler):
    """Ctrl-C as soon as a trial reaches an epoch."""

    def __init__(self, trial: int, epoch: int) -> None:
        super().__init__(logging.INFO)
        self.at = {"trial": trial, "epoch": epoch}

    def emit(self, record: logging.LogRecord) -> None:
        values = record.progress.values if hasattr(record, "progress") else {}
        if {name: values.get(name) for name in self.at} == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("trial", [1, 2])
def test_an_interrupted_search_resumes(job, whole: TrialTuner, tmp_path: Path, trial: int, caplog) -> None:
    caplog.set_level(logging.INFO, logger=progress_logger.name)
    interrupt = Interrupt(trial, 2)
    progress_logger.addHandler(interrupt)
    with pytest.raises(KeyboardInterrupt):
        tune(job, tmp_path).search()
    progress_logger.removeHandler(interrupt)
    assert len(list(tmp_path.glob("trials/trial_*/training/checkpoints/last*"))) == 1
    rest = tune(job, tmp_path)
    rest.search()
    assert results(rest) == results(whole)
    assert not list(tmp_path.glob("trials/trial_*"))


def test_a_trial_that_diverges_is_skipped_unless_all_do(
    job: TrainingJob, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tuner = tune(job, tmp_path / "one", trials=2, space={"trainer.learning_rate": {"values": [1e38, 0.02]}})
    tuner.search()
    assert sorted(status for _, status, _ in results(tuner)) == ["COMPLETED", "FAILED"]
    assert tuner.get_best_hyperparameters()[0].values == {"trainer.learning_rate": 0.02}
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "failed (trainer.learning_rate 1e+38)" in warning
    assert "Training diverged" in warning
    tuner = tune(job, tmp_path / "all", space={"trainer.learning_rate": {"values": [1e38, 2e38]}})
    with pytest.raises(JobError, match=r"(?s)Every trial has failed\..*Training diverged"):
        tuner.search()
    assert not list(tmp_path.glob("all/trials/trial_*"))


@pytest.mark.parametrize("cut", ["oracle.json", "tuner0.json", "trial_0/trial.json"])
def test_a_search_with_a_truncated_state_starts_over(job: TrainingJob, tmp_path: Path, cut: str) -> None:
    earlier = tune(job, tmp_path)
    earlier.oracle.create_trial("tuner0")
    earlier.save()
    assert len(tune(job, tmp_path).oracle.trials) == 1
    path = tmp_path / "trials" / cut
    path.write_text(path.read_text()[:-1])
    assert tune(job, tmp_path).oracle.trials == {}
