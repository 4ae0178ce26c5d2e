"""Runs that are killed or interrupted: how they end, and how they resume."""

import json
import re
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.slow

# Epochs of many steps: most of the training is left when the first epoch is reported, and checkpoints are frequent.
LONG = ("trainer.epochs=6", "trainer.patience=6", "trainer.batch_tokens=24", "trainer.checkpoint_steps=20")
OPTIONS = [part for setting in LONG for part in ("--set", setting)]
INTERRUPTED = "Interrupted; run the same command again to resume.\n"


@pytest.fixture(scope="module")
def stopped(new_job):
    """A job interrupted in training by Ctrl-C."""
    job = new_job("stopped")
    with job.started(*OPTIONS) as process:
        epoch = wait_for_an_epoch(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    return job, process.returncode, out, err, epoch, job.records()


@pytest.fixture(scope="module")
def killed(stopped):
    """The same job, started again and killed at its next epoch."""
    job = stopped[0]
    with job.started(*OPTIONS) as process:
        epoch = wait_for_an_epoch(process)
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    return job, epoch, json.loads(job.seqloom("runs", job.root, "--json").stdout)


@pytest.fixture(scope="module")
def resumed(killed, ran):
    """The same job, run to its end."""
    return ran(killed[0], *OPTIONS)


@pytest.fixture(scope="module")
def whole(killed, resumed, ran):
    """The same training, uninterrupted and with fewer checkpoints, which keeps it from the cache."""
    return ran(killed[0], *OPTIONS, "--set", "trainer.checkpoint_steps=1000", "--until", "Trainer")


def test_ctrl_c_during_training_prints_one_line(stopped):
    _, code, out, err, _, (record,) = stopped
    assert (code, err) == (130, INTERRUPTED)
    assert "Traceback" not in out
    assert re.search(r"^Trainer: interrupted, ", out, re.MULTILINE)
    assert (record["state"], record["error"]) == ("interrupted", None)
    states = {component["name"]: component["state"] for component in record["components"]}
    assert (states["SequenceTransform"], states["Trainer"]) == ("done", "interrupted")
    assert states["Evaluator"] == "waiting"


def test_a_killed_run_is_listed_as_interrupted(killed):
    job, _, records = killed
    assert [record["state"] for record in records] == ["interrupted", "interrupted"]
    states = {component["name"]: component["state"] for component in records[-1]["components"]}
    assert (states["SequenceTransform"], states["Trainer"]) == ("cached", "interrupted")
    text = job.seqloom("runs", job.root).stdout
    assert text.count(INTERRUPTED.strip()) == 2
    assert job.executions()["Trainer"] == "RUNNING"
    assert job.versions() == []


def test_training_resumes_where_it_was_killed(stopped, killed, resumed):
    assert resumed.process.returncode == 0, resumed.process.stderr
    assert killed[1] > stopped[4] >= 1
    assert 6 > resumed.record["details"]["training"]["resumed_after_epoch"] >= killed[1]
    shown = [int(number) for number in re.findall(r"Trainer: epoch (\d)/6", resumed.process.stdout)]
    assert shown == list(range(resumed.record["details"]["training"]["resumed_after_epoch"] + 1, 7))
    for name in ("CorpusExampleGen", "SchemaGen", "SequenceTransform"):
        assert resumed.states[name] == "cached"
    assert resumed.states["Trainer"] == "done"
    assert len(resumed.versions) == 1
    assert not (killed[0].root / "checkpoints").exists()


def test_a_resumed_run_gives_the_model_of_an_uninterrupted_one(killed, resumed, whole):
    assert whole.record["details"]["training"]["resumed_after_epoch"] == 0
    assert losses(whole) == losses(resumed)
    # The digest covers all weights, the vocabulary and the structure.
    abouts = killed[0].root.glob("artifacts/Trainer/model/*/**/assets.extra/seqloom.json")
    first, second = (json.loads(path.read_text())["digest"] for path in abouts)
    assert first == second


def test_ctrl_c_during_startup_and_a_second_run_at_the_same_root(new_job):
    job = new_job("early")
    with job.started() as process:
        while not list(job.root.glob("logs/*/run.log")):
            assert process.poll() is None
            time.sleep(0.01)
        second = job.run()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert second.returncode == 75
    assert "Another run is already using this root." in second.stderr
    assert f"found: process {process.pid}" in second.stderr
    assert second.stdout == ""
    assert (process.returncode, err) == (130, INTERRUPTED)
    assert "Traceback" not in out
    (record,) = job.records()
    assert record["state"] == "interrupted"


def wait_for_an_epoch(process: subprocess.Popen[str]) -> int:
    """Reads the output until an epoch is reported, which is after its checkpoint; returns the epoch."""
    for line in process.stdout:
        if match := re.match(r"Trainer: epoch (\d)/6", line):
            assert match[1] != "6", "the training was over before it could be stopped"
            return int(match[1])
    raise AssertionError(f"the run ended before its training: {process.stderr.read()}")


def losses(ran) -> list[tuple[float, float]]:
    return [(epoch["loss"], epoch["eval_loss"]) for epoch in ran.record["details"]["training"]["history"]]
