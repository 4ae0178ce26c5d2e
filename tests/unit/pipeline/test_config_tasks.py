"""Jobs of the different tasks: which keys each has, and what each does not allow."""

import json
from pathlib import Path

import pytest
import ruamel.yaml
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.tasks import loading
from pipeline.tasks.registry import TASKS, task_of
from pipeline.tasks.supervised_job import SupervisedJob
from trainer.classifier.settings import ClassifierSettings
from trainer.errors import JobError
from trainer.word2vec.settings import Word2vecSettings

ROOT = Path(__file__).parents[3]
WORDS = """\
name: vectors
task: word2vec
corpus: {format: csv, path: data.csv, text: body}
trainer: {dimensions: 50}
evaluation: {pairs: {ws: ws.tsv}, analogies: {qs: qs.txt}}
"""
CLASSIFIER = """\
name: classes
task: classifier
corpus: {format: csv, path: data.csv, text: body, label: stars}
"""
DATASET = """\
name: ids
task: dataset
corpus: {format: csv, path: data.csv}
"""


def load(tmp_path, text, *overrides):
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return loading.load(path, overrides)


def message(tmp_path, text, *overrides):
    with pytest.raises(JobError) as caught:
        load(tmp_path, text, *overrides)
    return str(caught.value)


def test_each_task_has_its_own_trainer(tmp_path):
    job = load(tmp_path, WORDS)
    assert job.task == "word2vec"
    assert job.trainer == Word2vecSettings(dimensions=50)
    assert (job.evaluation.pairs, job.evaluation.analogies) == ({"ws": "ws.tsv"}, {"qs": "qs.txt"})
    assert job.evaluation.min_coverage == 0.5
    other = load(tmp_path, "name: a\ntask: classifier\ncorpus: {format: csv, path: x, label: y}\n")
    assert other.task == "classifier"
    assert other.trainer == ClassifierSettings()
    assert load(tmp_path, DATASET).task == "dataset"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_the_jobs_of_the_repository_are_valid(path):
    job = loading.load(path)
    assert type(job) is loading.JOBS[job.task]
    for file in job.files():
        assert file.locate(job.folder, where=file.name).is_file()


def components(job):
    return task_of(job).components(job)


def test_each_task_runs_its_own_components(tmp_path):
    data = components(load(tmp_path, DATASET))
    assert data[0] == "CorpusExampleGen"
    assert data[-1] == "SequenceTransform"
    after = ("EvaluationSets", "Trainer", "Baseline", "Evaluator", "Pusher")
    assert components(load(tmp_path, WORDS)) == (*data, *after)


GATED = WORDS + "gates: {spearman: {min: 0.5, slices: {ws: {min: -0.2}}}, loss: {max: 3, slices: {eval: {max: 4}}}}\n"


def test_word_vectors_are_gated_by_what_they_are_judged_on(tmp_path):
    job = load(tmp_path, GATED)
    assert job.gates["spearman"].slices["ws"].min == -0.2
    assert job.gates["loss"].slices["eval"].max == 4


@pytest.mark.parametrize(
    "overrides",
    [
        ("corpus.label=stars",),
        ("splits={train: 9, eval: 1}",),
        ("transform.truncate.to=100000",),
        ("transform.tokenizer=subwords",),
        ("trainer.boundary=segment", "transform.bos=segment"),
        ("trainer.boundary=segment", "transform.eos=segment"),
        ("evaluation=null", "evaluation={}"),
    ],
)
def test_word_vectors_allow(tmp_path, overrides):
    assert load(tmp_path, WORDS, *overrides).task == "word2vec"


BAD = [
    # (text, overrides, parts of the message)
    (
        WORDS.replace("word2vec", "word2vek"),
        (),
        [":2, task", '"word2vek"', "classifier, dataset, tagger, word2vec", "word2vec?"],
    ),
    (
        WORDS.replace("task: word2vec\n", ""),
        (),
        ["The key task is missing", "one of classifier, dataset, tagger, word2vec"],
    ),
    (
        WORDS.replace("word2vec", "[x]"),
        (),
        [":2, task", "found: a list of 1", "one of classifier, dataset, tagger, word2vec"],
    ),
    (WORDS, ("trainer.epoch=3",), ["key trainer.epoch is unknown", "did you mean epochs?"]),
    (WORDS, ("trainer.cell=gru",), ["key trainer.cell is unknown", "cell belongs to task classifier"]),
    (WORDS, ("trainer.window=0",), ["trainer.window=0", "a whole number, above 0", "each side"]),
    (WORDS, ("trainer.model=skip-gram",), ["one of skipgram, cbow", "did you mean skipgram?"]),
    (WORDS, ("trainer.ngrams={min: 4, max: 3}",), ["max is smaller than min", "min 4, max 3"]),
    (DATASET, ("evaluation={}",), ["key evaluation is unknown", "evaluation belongs to task word2vec"]),
    (
        DATASET,
        ("trainer.epochs=3",),
        ["key trainer.epochs is unknown", "no keys under trainer", "task classifier or tagger or word2vec"],
    ),
    (DATASET, ("gates.loss.max=3",), ["gates.loss", "A job of task dataset cannot have gates"]),
    (
        WORDS,
        ("corpus={format: conll, path: x}", "transform.tokenizer=whitespace"),
        ["needs plain text", "format conll"],
    ),
    (
        WORDS,
        ("trainer.boundary=segment",),
        ["trainer.boundary", "boundary segment needs marked", "transform.eos: segment"],
    ),
    (WORDS, ("trainer.boundary=segment", "transform.eos=document"), ["trainer.boundary", "needs marked segments"]),
    (WORDS, ("evaluation.pairs.eval=x",), ["eval is reserved for the held-out documents"]),
    (WORDS, ("evaluation.pairs.qs=x",), ["evaluation.analogies.qs", "qs cannot name both"]),
    (WORDS, ('evaluation.pairs={"a b": x}',), ["evaluation.pairs.a b is not valid", '"a b"']),
    (WORDS, ("evaluation.pairs={a: null}",), ["evaluation.pairs.a", "found: nothing (null)"]),
    (WORDS, ("evaluation.min_coverage=50",), ["evaluation.min_coverage", "0 or more and at most 1"]),
    (
        WORDS,
        ("gates.accuracy.min=0.5",),
        ["gates.accuracy", "has no metric accuracy", "spearman, analogy_accuracy, loss"],
    ),
    (WORDS, ("gates.spearman.min=1.5",), ["gates.spearman.min", "between -1 and 1", "did you mean 0.015?"]),
    (WORDS, ("gates.analogy_accuracy.min=-0.1",), ["gates.analogy_accuracy.min", "between 0 and 1", "found: -0.1"]),
    (WORDS, ("gates.spearman.max=0.5",), ["gates.spearman.max", "higher is better", "did you mean min?"]),
    (WORDS, ("gates.loss.min=0.5",), ["gates.loss.min", "lower is better", "did you mean max?"]),
    (WORDS, ("gates.spearman={min: 0, slices: {wss: {min: 0}}}",), ["gates.spearman", "measured on wss", "mean ws?"]),
    (WORDS, ("gates.spearman={min: 0, slices: {qs: {min: 0}}}",), ["not measured on qs", "expected: ws"]),
    (WORDS, ("gates.loss={max: 3, slices: {ws: {max: 3}}}",), ["not measured on ws", "expected: eval"]),
    (WORDS, ("gates.spearman.min=0", "evaluation={}"), ["gates.spearman", "no evaluation.pairs", "name a file under"]),
    (WORDS, ("gates.analogy_accuracy.min=0", "evaluation={}"), ["no evaluation.analogies", "name a file under"]),
]


@pytest.mark.parametrize(("text", "overrides", "parts"), BAD)
def test_a_bad_job_is_told_with_its_place(tmp_path, text, overrides, parts):
    found = message(tmp_path, text, *overrides)
    for part in parts:
        assert part in found
    assert " errors in " not in found


def test_what_an_unknown_task_hides_is_told_as_of_the_likeliest(tmp_path):
    found = message(tmp_path, WORDS.replace("word2vec", "word2vek"), "trainer.epoch=3")
    assert "2 errors in" in found
    assert "did you mean word2vec?" in found
    assert "did you mean epochs?" in found


def test_the_json_schema_has_the_keys_of_each_task():
    schema = loading.json_schema()
    assert schema["discriminator"]["propertyName"] == "task"
    assert schema["discriminator"]["mapping"].keys() == TASKS.keys()
    shared = ["name", "task", "corpus", "splits", "validation", "transform", "output", "trainer"]
    shared += ["gates", "serving", "beam", "schema"]
    for task, model in loading.JOBS.items():
        keys = schema["$defs"][model.__name__]
        own = ["tune"] * issubclass(model, SupervisedJob) + ["evaluation"] * (task == "word2vec")
        assert list(keys["properties"]) == shared + own
        assert keys["required"] == ["name", "task", "corpus"]
        assert keys["additionalProperties"] is False
        assert keys["properties"]["task"]["const"] == task
    assert schema["oneOf"] == [{"$ref": f"#/$defs/{model.__name__}"} for model in loading.JOBS.values()]


@pytest.mark.parametrize("text", [GATED, DATASET])
def test_a_job_shown_is_the_same_job(tmp_path, text):
    job = load(tmp_path, text)
    shown = CliRunner().invoke(app.app, ["config", "show", str(tmp_path / "job.yaml")])
    assert load(tmp_path, shown.stdout) == job
    assert ruamel.yaml.YAML(typ="safe").load(shown.stdout)["task"] == job.task


@pytest.mark.parametrize(
    "overrides",
    [
        ("trainer.encoder=hierarchical", "transform.bos=segment", "trainer.attention_units=9", "trainer.cell=lstm"),
        ("trainer.encoder=hierarchical", "transform.eos=segment"),
        ("trainer.encoder=cnn", "trainer.filter_widths=[2, 3]", "trainer.filters=9"),
        ("trainer.encoder=average", "trainer.embedding=9"),
        ("trainer.encoder=rnn+attention", "trainer.layers=3", "trainer.residual=true"),
    ],
)
def test_classifiers_of_each_encoder_are_allowed_and_read_as_shown(tmp_path, overrides):
    job = load(tmp_path, CLASSIFIER, *overrides)
    changes = [part for override in overrides for part in ("--set", override)]
    shown = CliRunner().invoke(app.app, ["config", "show", str(tmp_path / "job.yaml"), *changes])
    assert load(tmp_path, shown.stdout) == job


def test_the_command_prints_the_json_schema():
    printed = CliRunner().invoke(app.app, ["config", "schema"])
    assert json.loads(printed.stdout) == loading.json_schema()


def test_a_job_names_the_files_that_it_needs(tmp_path):
    more = ("schema=my.pbtxt", "transform.vocabulary=words.txt", "evaluation.pairs.sl=package:gensim/sl.txt")
    assert {file.name: file.path for file in load(tmp_path, WORDS, *more).files()} == {
        "schema": "my.pbtxt",
        "transform.vocabulary": "words.txt",
        "evaluation.pairs.ws": "ws.tsv",
        "evaluation.pairs.sl": "package:gensim/sl.txt",
        "evaluation.analogies.qs": "qs.txt",
    }
    assert list(load(tmp_path, DATASET).files()) == []
