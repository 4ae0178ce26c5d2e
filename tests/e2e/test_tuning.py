"""A search for hyperparameters and the run that takes them; a dry run before."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TUNE = """\
tune:
  trials: 3
  space:
    trainer.learning_rate: {min: 1e-3, max: 5e-2, scale: log}
    trainer.units: {values: [4, 8]}
    trainer.dropout: {min: 0.1, max: 0.3, step: 0.1}
"""


@pytest.fixture(scope="module")
def job(new_job):
    made = new_job("tuned")
    (made.folder / "job.yaml").write_text((made.folder / "job.yaml").read_text() + TUNE)
    return made


@pytest.fixture(scope="module")
def checked(job, ran):
    """A dry run in a root that is still empty."""
    return ran(job, "--dry-run")


@pytest.fixture(scope="module")
def tuned(job, checked):
    """A search: its process and its record."""
    process = job.seqloom("tune", "job.yaml", "--root", job.root)
    return process, job.records()[-1]


@pytest.fixture(scope="module")
def used(job, ran, tuned):
    """A training with the best hyperparameters."""
    return ran(job, "--set", "tune.use=true", "--until", "Trainer")


def test_a_dry_run_reads_the_corpus_checks_the_model_and_trains_nothing(checked):
    assert checked.process.returncode == 0, checked.process.stderr
    assert checked.record["state"] == "checked"
    assert checked.states["SequenceTransform"] == checked.states["LearningCheck"] == "done"
    assert "Trainer" not in checked.executions
    assert checked.versions == []
    findings = checked.record["details"]["learning_check"]
    assert findings["start_loss"] == pytest.approx(0.693147, rel=0.1)
    assert findings["overfitted_loss"] <= 0.2 * 0.693148
    for part in ("Checked: the job can run.", "400 records: ", "overfitted two batches"):
        assert part in checked.process.stdout


def test_a_search_lists_its_trials_best_first(job, tuned):
    process, record = tuned
    assert process.returncode == 0, process.stderr
    assert record["state"] == "tuned"
    states = {component["name"]: component["state"] for component in record["components"]}
    assert (states["SequenceTransform"], states["Tuner"]) == ("cached", "done")
    tuning = record["details"]["tuning"]
    losses = [trial["eval_loss"] for trial in tuning["trials"]]
    assert losses == sorted(losses)
    assert sorted(trial["trial"] for trial in tuning["trials"]) == [1, 2, 3]
    for trial in tuning["trials"]:
        assert 1e-3 <= trial["values"]["trainer.learning_rate"] <= 5e-2
        assert trial["values"]["trainer.units"] in (4, 8)
        assert trial["values"]["trainer.dropout"] in (0.1, 0.2, 0.3)
    assert "Tuner: trial 3/3, epoch 3/3" in process.stdout
    path = Path(tuning["path"]).relative_to(job.root.parent)
    assert f"Best:  {path}" in process.stdout
    assert not list(job.root.glob("tuning/*/trials/trial_*"))


def test_a_run_takes_the_best_values_and_trains_like_their_trial(tuned, used):
    best = tuned[1]["details"]["tuning"]["trials"][0]
    assert used.process.returncode == 0, used.process.stderr
    assert used.states["BestHyperparameters"] == "done"
    assert used.record["details"]["hyperparameters"]["values"] == best["values"]
    assert used.record["details"]["training"]["best_eval_loss"] == best["eval_loss"]
    assert "trained with the best hyperparameters: trainer.learning_rate" in used.process.stdout


def test_the_same_search_comes_from_cache(job, tuned, used):
    process, record = job.seqloom("tune", "job.yaml", "--root", job.root), job.records()[-1]
    assert process.returncode == 0, process.stderr
    states = {component["name"]: component["state"] for component in record["components"]}
    assert states["Tuner"] == "cached"
    assert record["details"]["tuning"] == tuned[1]["details"]["tuning"]
