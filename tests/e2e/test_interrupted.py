"""Runs that are killed or interrupted: how they end, and how they go on."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.slow

# Epochs of many steps: most of the training still lies ahead when the first epoch is told, and its state is kept often.
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


def test_ctrl_c_in_training_ends_with_one_line(stopped):
    _, code, out, err, _, (record,) = stopped
    assert (code, err) == (130, INTERRUPTED)
    assert "Traceback" not in out
    assert re.search(r"^Trainer: interrupted, ", out, re.MULTILINE)
    assert (record["state"], record["error"]) == ("interrupted", None)
    states = {component["name"]: component["state"] for component in record["components"]}
    assert (states["SequenceTransform"], states["Trainer"]) == ("done", "interrupted")
    assert states["Evaluator"] == "waiting"


def test_a_killed_run_is_shown_as_interrupted(killed):
    job, _, records = killed
    assert [record["state"] for record in records] == ["interrupted", "interrupted"]
    states = {component["name"]: component["state"] for component in records[-1]["components"]}
    assert (states["SequenceTransform"], states["Trainer"]) == ("cached", "interrupted")
    text = job.seqloom("runs", job.root).stdout
    assert text.count(INTERRUPTED.strip()) == 2
    assert job.executions()["Trainer"] == "RUNNING"
    assert job.versions() == []


def test_training_goes_on_where_it_was_killed(stopped, killed, resumed):
    assert resumed.process.returncode == 0, resumed.process.stderr
    assert killed[1] > stopped[4] >= 1
    assert 6 > resumed.record["details"]["training"]["resumed_after_epoch"] >= killed[1]
    told = [int(number) for number in re.findall(r"Trainer: epoch (\d)/6", resumed.process.stdout)]
    assert told == list(range(resumed.record["details"]["training"]["resumed_after_epoch"] + 1, 7))
    for name in ("CorpusExampleGen", "SchemaGen", "SequenceTransform"):
        assert resumed.states[name] == "cached"
    assert resumed.states["Trainer"] == "done"
    assert not (killed[0].root / "checkpoints").exists()


def test_a_resumed_run_gives_the_model_of_an_uninterrupted_one(resumed, killed, new_job, ran, alike):
    whole = new_job("whole")
    at_once = ran(whole, *OPTIONS)
    assert at_once.record["details"]["training"]["resumed_after_epoch"] == 0
    assert at_once.record["metrics"] == alike(resumed.record["metrics"])
    assert losses(at_once) == losses(resumed)
    assert digest(whole, at_once) == digest(killed[0], resumed)


def test_ctrl_c_at_the_start_and_a_second_run_at_the_same_root(new_job):
    job = new_job("early")
    with job.started() as process:
        while not list(job.root.glob("logs/*/run.log")):
            assert process.poll() is None
            time.sleep(0.01)
        second = job.run()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert second.returncode == 1
    assert "Another run is already using this root." in second.stderr
    assert f"found: process {process.pid}" in second.stderr
    assert second.stdout == ""
    assert (process.returncode, err) == (130, INTERRUPTED)
    assert "Traceback" not in out
    (record,) = job.records()
    assert record["state"] == "interrupted"


def wait_for_an_epoch(process: subprocess.Popen[str]) -> int:
    """Reads the output until an epoch is told, which is after its checkpoint; returns the epoch."""
    for line in process.stdout:
        if match := re.match(r"Trainer: epoch (\d)/6", line):
            assert match[1] != "6", "the training was over before it could be stopped"
            return int(match[1])
    raise AssertionError(f"the run ended before its training: {process.stderr.read()}")


def losses(ran) -> list[tuple[float, float]]:
    return [(epoch["loss"], epoch["eval_loss"]) for epoch in ran.record["details"]["training"]["history"]]


def digest(job, ran) -> str:
    """The published model's digest of all weights, its vocabulary and its structure."""
    path = job.root / "serving" / ran.record["pushed"]["version"] / "assets.extra" / "seqloom.json"
    return json.loads(path.read_text())["digest"]
