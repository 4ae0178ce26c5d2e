"""Code that was edited is not served from cache."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_each_edit_runs_what_depends_on_it_and_no_more(new_job, ran, copy_packages):
    job = new_job("edited", code=copy_packages())
    made = ran(job, "--until", "Trainer")
    assert made.process.returncode == 0, made.process.stderr
    names = ("CorpusExampleGen", "SchemaGen", "SequenceTransform", "Trainer")
    assert worked(made) == dict.fromkeys(names, "done")
    edit(job.code / "trainer" / "classifier.py")
    trained = ran(job, "--until", "Trainer")
    assert worked(trained) == {**dict.fromkeys(names, "cached"), "Trainer": "done"}
    assert trained.executions == {**dict.fromkeys(names, "CACHED"), "Trainer": "COMPLETE"}
    edit(job.code / "trainer" / "preprocessing.py")
    transformed = ran(job, "--until", "SequenceTransform")
    assert worked(transformed) == {**dict.fromkeys(names[:2], "cached"), "SequenceTransform": "done"}
    edit(job.code / "components" / "corpus_example_gen" / "records.py")
    read = ran(job, "--until", "CorpusExampleGen")
    assert worked(read) == {"CorpusExampleGen": "done"}


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "\nEDITED = True\n")


def worked(ran) -> dict[str, str]:
    return {name: state for name, state in ran.states.items() if state != "skipped"}
