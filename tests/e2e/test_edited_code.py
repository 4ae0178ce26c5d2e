"""Edited code is not served from cache, and code of other tasks does not matter."""

from pathlib import Path

import pytest

from pipeline.tasks.registry import TASKS

pytestmark = pytest.mark.slow

NAMES = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "SequenceTransform", "Trainer")
"""Components up to the Trainer that can come from cache, in order."""

SENTENCES = "".join(f"w{n % 7}\tO\nin\tO\nNice{n % 3}\tB-LOC\n\n" for n in range(120))
SMALL = "{epochs: 1, units: 4, embedding: 4, batch_tokens: 512}"
TABLE = "corpus: {format: csv, path: data.csv, text: body, id: key%s}\ntransform: {min_count: 1}"
JOBS = {
    "classifier": f"{TABLE % ', label: stars'}\ntrainer: {SMALL}\n",
    "tagger": "corpus: {format: conll, path: data.conll, columns: {token: 1, tag: -1}}\n"
    f"transform: {{tokenizer: whitespace, min_count: 1}}\ntrainer: {SMALL}\n",
    "word2vec": f"{TABLE % ''}\ntrainer: {{dimensions: 4, epochs: 1}}\n",
}
EDITS = {
    "trainer/classifier/model.py": "Trainer",
    "trainer/text/preprocessing.py": "SequenceTransform",
    "components/corpus_example_gen/documents.py": "CorpusExampleGen",
}
"""Code of the classifier and the first component that depends on it."""


def test_every_task_that_trains_is_covered():
    assert set(JOBS) == {
        name for name, task in TASKS.items() if "Trainer" in task.components(task.job.model_construct(tune=None))
    }


@pytest.mark.parametrize("task", JOBS)
def test_only_an_edit_of_code_that_a_component_depends_on_runs_it_again(task, new_job, ran):
    job = new_job(f"{task}-alone", yaml=f"name: a\ntask: {task}\n{JOBS[task]}", count=200, own_code=True)
    (job.folder / "data.conll").write_text(SENTENCES)
    made = ran(job)
    assert made.record["state"] == "pushed", made.process.stderr
    assert set(worked(made).values()) == {"done"}
    for other in TASKS.keys() - {task}:
        for path in (*(job.code / "trainer" / other).glob("*.py"), job.code / "pipeline" / "tasks" / f"{other}.py"):
            edit(path)
    again = ran(job)
    assert again.record["state"] == "unchanged", again.process.stderr
    states = worked(again)
    assert states.pop("Pusher") in ("cached", "done")
    assert set(states.values()) == {"cached"}
    assert {"Trainer", "Evaluator"} <= states.keys()
    for file, component in EDITS.items() if task == "classifier" else ():
        before = NAMES[: NAMES.index(component)]
        edit(job.code / file)
        edited = ran(job, "--until", component)
        assert worked(edited) == {**dict.fromkeys(before, "cached"), component: "done"}
        assert edited.executions.pop("PreviousStatistics", "COMPLETE") == "COMPLETE"
        assert edited.executions == {**dict.fromkeys(before, "CACHED"), component: "COMPLETE"}


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "\nEDITED = True\n")


def worked(ran) -> dict[str, str]:
    """States of the components that ran, except the resolvers, which always do."""
    resolvers = ("PreviousStatistics", "Baseline")
    return {name: state for name, state in ran.states.items() if state != "skipped" and name not in resolvers}
