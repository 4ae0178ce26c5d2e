"""Edited code is not served from cache, and code of other tasks does not matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tasks.registry import TASKS

pytestmark = pytest.mark.slow

DATA = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator")
"""What comes before the transform and can come from cache."""

SENTENCES = "".join(f"w{n % 7}\tO\nin\tO\nNice{n % 3}\tB-LOC\n\n" for n in range(120))
SMALL = "{epochs: 1, units: 4, embedding: 4, batch_tokens: 512}"
TABLE = "corpus: {format: csv, path: data.csv, text: body, id: key%s}\ntransform: {min_count: 1}"
JOBS = {
    "classifier": f"{TABLE % ', label: stars'}\ntrainer: {SMALL}\n",
    "tagger": "corpus: {format: conll, path: data.conll, columns: {token: 1, tag: -1}}\n"
    f"transform: {{tokenizer: whitespace, min_count: 1}}\ntrainer: {SMALL}\n",
    "word2vec": f"{TABLE % ''}\ntrainer: {{dimensions: 4, epochs: 1}}\n",
}


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


def test_every_task_that_trains_is_here():
    assert set(JOBS) == {
        name for name, task in TASKS.items() if "Trainer" in task.components(task.job.model_construct(tune=None))
    }


@pytest.mark.parametrize("task", JOBS)
def test_edited_code_of_all_other_tasks_leaves_everything_cached(task, new_job, ran, copy_packages):
    job = new_job(f"{task}-alone", yaml=f"name: a\ntask: {task}\n{JOBS[task]}", code=copy_packages(), count=200)
    (job.folder / "data.conll").write_text(SENTENCES)
    made = ran(job)
    assert made.record["state"] == "pushed", made.process.stderr
    for other in TASKS.keys() - {task}:
        files = [*(job.code / "trainer" / other).glob("*.py"), job.code / "pipeline" / "tasks" / f"{other}.py"]
        for path in files:
            edit(path)
    again = ran(job)
    assert again.record["state"] == "unchanged", again.process.stderr
    states = worked(again)
    assert states.pop("Pusher") in ("cached", "done")
    assert set(states.values()) == {"cached"}
    assert {"Trainer", "Evaluator"} <= states.keys()


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "\nEDITED = True\n")


def worked(ran) -> dict[str, str]:
    """States of the components that ran, but for the resolvers, which always do."""
    resolvers = ("PreviousStatistics", "Baseline")
    return {name: state for name, state in ran.states.items() if state != "skipped" and name not in resolvers}
