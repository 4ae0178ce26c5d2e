"""Roots after runs that were killed at several points, or found no space."""

import contextlib
import resource
import sqlite3
import subprocess

import pytest

pytestmark = pytest.mark.slow

POINTS = ("CorpusExampleGen: running", "SequenceTransform: running", "Trainer: running", "Evaluator: running")


def kill_at(job, line: str) -> None:
    with job.started() as process:
        assert any(text.startswith(line) for text in process.stdout), process.stderr.read()
        process.kill()


def test_the_next_run_removes_what_killed_ones_left_and_nothing_else(new_job, ran):
    job = new_job("killed-anywhere")
    for point in POINTS:
        kill_at(job, point)
        assert (job.root / "tmp").is_dir()
    (job.root / "serving").mkdir()
    (job.root / "serving" / f".17-{'0' * 32}").mkdir()
    last = ran(job)
    assert last.process.returncode == 0, last.process.stderr
    states = [last.states[name] for name in ("SequenceTransform", "Trainer", "Evaluator")]
    assert states == ["cached", "cached", "done"]
    with contextlib.closing(sqlite3.connect(job.root / "metadata.sqlite")) as database:
        uris = [uri for (uri,) in database.execute("select uri from Artifact")]
    folders = [folder for folder in job.root.glob("artifacts/*/*/*") if ".system" not in folder.parts]
    assert len(folders) > 10
    assert [folder for folder in folders if not any(uri.startswith(str(folder)) for uri in uris)] == []
    assert not (job.root / "tmp").exists()
    assert job.versions() == [last.record["pushed"]["version"]]
    again = ran(job)
    assert "done" not in {again.states[name] for name in ("CorpusExampleGen", "SequenceTransform", "Trainer")}


@pytest.mark.parametrize("limit", [20_000, 150_000])
def test_a_run_without_space_is_one_message_and_resumes(new_job, limit):
    job = new_job(f"limit-{limit}")
    bounded = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))}
    done = subprocess.run(
        **job._process(["run", "job.yaml", "--root", job.root]), capture_output=True, check=False, **bounded
    )
    # SQLite tells a limit on the size of files as an error of the disk, which may pass.
    code = {"The disk is full.\n": 1, "The disk cannot be written.\n": 75}
    assert done.returncode == code.get(done.stderr[: done.stderr.index("\n") + 1])
    assert "\n  where: /" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert {record["state"] for record in job.records()} <= {"failed", "running"}
    assert job.run("--until", "CorpusExampleGen").returncode == 0
