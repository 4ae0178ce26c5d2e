"""Code that was edited is not served from cache."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DATA = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator")
"""What comes before the transform and can come from cache."""


def test_each_edit_runs_what_depends_on_it_and_no_more(new_job, ran, copy_packages):
    job = new_job("edited", code=copy_packages())
    made = ran(job, "--until", "Trainer")
    assert made.process.returncode == 0, made.process.stderr
    names = (*DATA, "SequenceTransform", "Trainer")
    assert worked(made) == dict.fromkeys(names, "done")
    edit(job.code / "trainer" / "classifier" / "model.py")
    trained = ran(job, "--until", "Trainer")
    assert worked(trained) == {**dict.fromkeys(names, "cached"), "Trainer": "done"}
    executions = {**dict.fromkeys(names, "CACHED"), "Trainer": "COMPLETE", "PreviousStatistics": "COMPLETE"}
    assert trained.executions == executions
    edit(job.code / "trainer" / "text" / "preprocessing.py")
    transformed = ran(job, "--until", "SequenceTransform")
    assert worked(transformed) == {**dict.fromkeys(DATA, "cached"), "SequenceTransform": "done"}
    edit(job.code / "components" / "corpus_example_gen" / "documents.py")
    read = ran(job, "--until", "CorpusExampleGen")
    assert worked(read) == {"CorpusExampleGen": "done"}


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "\nEDITED = True\n")


def worked(ran) -> dict[str, str]:
    """States of the components that ran, but for the resolver, which always does."""
    return {name: state for name, state in ran.states.items() if state != "skipped" and name != "PreviousStatistics"}
