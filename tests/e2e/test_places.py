"""Roots and corpora with special names, in other spellings, and moved."""

import dataclasses
import os

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def done(new_job, ran):
    job = new_job("a [1] #%é*")
    return job, ran(job)


def test_a_root_may_have_any_name(done, ask):
    job, first = done
    assert first.process.returncode == 0, first.process.stderr + first.process.stdout
    assert first.record["pushed"]["path"] == f"{job.root}/serving/{first.versions[0]}"
    assert ask(job, job.root, "A witty, warm film.")[0]["label"] == "good"
    assert ask(job, first.record["pushed"]["path"], "A dull film.")[0]["label"] == "bad"


def test_spellings_and_times_do_not_matter(done, ran):
    job, _ = done
    os.utime(job.folder / "data.csv", (1, 1))
    (job.folder / "link").symlink_to(job.folder)
    again = ran(job, "--root", f"link/../{job.folder.name}/./root/", "--set", "corpus.path=./link/data.csv")
    assert again.record["state"] == "unchanged", again.process.stderr
    done_anew = {name for name, state in again.states.items() if state != "cached"}
    assert done_anew == {"PreviousStatistics", "Baseline", "Pusher"}


def test_a_moved_root_still_compares_with_its_last_blessed_model(done, ran):
    job, first = done
    lines = (job.folder / "data.csv").read_text().splitlines(keepends=True)
    moved = dataclasses.replace(job, folder=job.folder.rename(job.folder.with_name("elsewhere")))
    (moved.folder / "data.csv").write_text("".join(lines[:-20]))
    after = ran(moved)
    assert after.record["state"] == "pushed", after.process.stderr + after.process.stdout
    assert any("the last blessed model's" in reason for reason in after.record["verdict"]["reasons"])
    assert after.versions[:1] == first.versions
