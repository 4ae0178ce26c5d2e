"""Jobs of the different tasks: the keys of each, and the settings that each rejects."""

from pathlib import Path

import pytest
import ruamel.yaml
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.tasks import loading
from pipeline.tasks.registry import TASKS
from pipeline.tasks.supervised_job import SupervisedJob
from trainer.classifier.settings import ClassifierSettings
from trainer.tagger.settings import TaggerSettings
from trainer.word2vec.settings import Word2vecSettings

ROOT = Path(__file__).parents[3]
WORDS = """\
name: vectors
task: word2vec
corpus: {format: csv, path: data.csv, text: body}
trainer: {dimensions: 50}
evaluation: {pairs: {ws: ws.tsv}, analogies: {qs: qs.txt}}
"""
CLASSIFIER = "name: classes\ntask: classifier\ncorpus: {format: csv, path: data.csv, text: body, label: stars}\n"
TAGGER = """\
name: names
task: tagger
corpus: {format: conll, path: data.conll, columns: {uneven: true}}
transform: {tokenizer: whitespace}
gates: {span_f1: {min: 0.5, slices: {data.conll: {min: 0.4}}}, token_accuracy: {max_drop: 0.01}, loss: {max: 0.3}}
"""
LISTS = """\
name: names
task: tagger
corpus: {format: tf_sequence_example, path: x, tokens: words, tag: ner, tags: [O, B-X, I-X], id: key}
transform: {tokenizer: whitespace}
"""
LABELS = """\
name: films
task: classifier
corpus: {format: csv, path: films.csv, label: genres, multi_label: true, source: site, labels: [comedy, crime]}
gates: {micro_f1: {min: 0.5, max_drop: 0.1, slices: {web: {min: 0.4}}}, macro_f1: {min: 0.4}, loss: {max: 0.5}}
"""
DATASET = "name: ids\ntask: dataset\ncorpus: {format: csv, path: data.csv}\n"
GATED = WORDS + "gates: {spearman: {min: 0.5, slices: {ws: {min: -0.2}}}, loss: {max: 3, slices: {eval: {max: 4}}}}\n"


def test_each_task_has_its_own_sections(load):
    job = load(WORDS)
    assert (job.task, job.trainer) == ("word2vec", Word2vecSettings(dimensions=50))
    assert (job.evaluation.pairs, job.evaluation.analogies) == ({"ws": "ws.tsv"}, {"qs": "qs.txt"})
    assert job.evaluation.min_coverage == 0.5
    for text, task, trainer in ((CLASSIFIER, "classifier", ClassifierSettings()), (TAGGER, "tagger", TaggerSettings())):
        job = load(text)
        assert (job.task, job.trainer) == (task, trainer)
    assert (job.trainer.bidirectional, job.trainer.label_smoothing) == (True, 0)
    assert (job.corpus.kind.name, job.corpus.class_names) == ("tagged_text", None)
    job = load(LISTS)
    assert (job.corpus.kind.name, job.corpus.class_names) == ("tagged_text", ("O", "B-X", "I-X"))


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_the_jobs_of_the_repository_are_valid(path):
    job = loading.load(path)
    assert type(job) is loading.JOBS[job.task]
    assert job.name == path.stem
    for file in job.files():
        assert file.locate(job.folder, where=file.name).is_file()


@pytest.mark.parametrize(
    "overrides",
    [
        *(["corpus.label=stars"], ["splits={train: 9, eval: 1}"], ["transform.truncate.to=100000"]),
        *(["transform.tokenizer=subwords"], ["evaluation=null", "evaluation={}"]),
        *(["trainer.boundary=segment", f"transform.{mark}=segment"] for mark in ("bos", "eos")),
    ],
)
def test_word_vectors_allow_these_settings(load, overrides):
    assert load(WORDS, *overrides).task == "word2vec"


NAMES = "one of classifier, dataset, tagger, word2vec"
BAD = [
    (WORDS.replace("word2vec", "word2vek"), [], [":2, task", '"word2vek"', NAMES, "word2vec?"]),
    # The keys of a job of an unknown task are checked as those of the most likely one.
    (
        WORDS.replace("word2vec", "word2vek"),
        ["trainer.epoch=3"],
        ["2 errors in", " errors in ", "word2vec?", "epochs?"],
    ),
    (WORDS.replace("task: word2vec\n", ""), [], ["The key task is missing", NAMES]),
    (WORDS.replace("word2vec", "[x]"), [], [":2, task", "found: a list of 1", NAMES]),
    (WORDS, ["trainer.epoch=3"], ["key trainer.epoch is unknown", "did you mean epochs?"]),
    (WORDS, ["trainer.cell=gru"], ["key trainer.cell is unknown", "cell belongs to task classifier"]),
    (WORDS, ["trainer.window=0"], ["trainer.window=0", "a whole number, above 0", "each side"]),
    (WORDS, ["trainer.model=skip-gram"], ["one of skipgram, cbow", "did you mean skipgram?"]),
    (WORDS, ["trainer.ngrams={min: 4, max: 3}"], ["max is smaller than min", "min 4, max 3"]),
    (DATASET, ["evaluation={}"], ["key evaluation is unknown", "evaluation belongs to task word2vec"]),
    (DATASET, ["trainer.epochs=3"], ["epochs is unknown", "no keys under trainer", "task classifier or tagger or"]),
    (WORDS, ["corpus={format: conll, path: x}", "transform.tokenizer=whitespace"], ["needs plain text", "conll"]),
    (WORDS, ["trainer.boundary=segment"], ["trainer.boundary", "needs marked", "transform.eos: segment"]),
    (WORDS, ["trainer.boundary=segment", "transform.eos=document"], ["trainer.boundary", "needs marked segments"]),
    (WORDS, ["evaluation.pairs.eval=x"], ["eval is reserved for the held-out documents"]),
    (WORDS, ["evaluation.pairs.qs=x"], ["evaluation.analogies.qs", "qs cannot name both"]),
    (WORDS, ['evaluation.pairs={"a b": x}'], ["evaluation.pairs.a b is not valid", '"a b"']),
    (WORDS, ["evaluation.pairs={a: null}"], ["evaluation.pairs.a", "found: nothing (null)"]),
    (WORDS, ["evaluation.min_coverage=50"], ["evaluation.min_coverage", "0 or more and at most 1"]),
    (WORDS, ["gates.coverage.min=0.5"], ["coverage is only reported", "spearman, analogy_accuracy, loss"]),
    (WORDS, ["gates.spearman.min=1.5"], ["gates.spearman.min", "between -1 and 1", "did you mean 0.015?"]),
    (WORDS, ["gates.analogy_accuracy.min=-0.1"], ["gates.analogy_accuracy.min", "between 0 and 1", "found: -0.1"]),
    (WORDS, ["gates.spearman.max=0.5"], ["gates.spearman.max", "higher is better", "did you mean min?"]),
    (WORDS, ["baselines=off"], ["key baselines is unknown", "baselines belongs to task classifier"]),
    (WORDS, ["gates.spearman.min_over_linear=0"], ["spearman has no value of a linear model", "has no linear model"]),
    (TAGGER, ["gates.loss.max_over_linear=0"], ["gates.loss.max_over_linear", "loss has no value of a linear model"]),
    (WORDS, ["gates.loss.min=0.5"], ["gates.loss.min", "lower is better", "did you mean max?"]),
    (WORDS, ["gates.spearman={min: 0, slices: {wss: {min: 0}}}"], ["gates.spearman", "measured on wss", "mean ws?"]),
    (WORDS, ["gates.spearman={min: 0, slices: {qs: {min: 0}}}"], ["not measured on qs", "expected: ws"]),
    (WORDS, ["gates.loss={max: 3, slices: {ws: {max: 3}}}"], ["not measured on ws", "expected: eval"]),
    (WORDS, ["gates.spearman.min=0", "evaluation={}"], ["gates.spearman", "no evaluation.pairs", "name a file under"]),
    (WORDS, ["gates.analogy_accuracy.min=0", "evaluation={}"], ["no evaluation.analogies", "name a file under"]),
    (TAGGER, ["corpus={format: text, path: x}"], ["a tag for each token", "format text", "conll"]),
    (LISTS, ["corpus={format: tf_sequence_example, path: x}"], ["a tag for each token", "without corpus.tag"]),
    (TAGGER, ["transform.tokenizer=words"], ["transform", "A tagged corpus needs tokenizer whitespace"]),
    (TAGGER, ["transform.truncate={to: 9}"], ["cannot have transform.truncate", "remove truncate"]),
    (TAGGER, ["transform.pad={to: 9}"], ["cannot have transform.pad"]),
    (TAGGER, ["transform.min_length=2"], ["cannot have transform.min_length"]),
    (
        TAGGER,
        ["corpus.tags=[DT, NN, O]"],
        ["gates.span_f1", "span_f1 needs BIO, BIOES", "DT, NN", "token_accuracy"],
    ),
    (TAGGER, ["corpus.tags=[O, O]"], ["corpus.tags", "distinct", "'O'"]),
    (TAGGER, ["corpus.tags=[O]"], ["at least two tags", "found O"]),
    (TAGGER, ["corpus.label=x"], ["label does not apply to format conll"]),
    (
        TAGGER,
        ["corpus.tag=x"],
        ["tag does not apply", "expected: format jsonl, json, parquet, tf_example, tf_sequence_example"],
    ),
    (LISTS, ["corpus.label=x"], ["cannot have both a label and tags"]),
    (LISTS, ["corpus.tokens=ner"], ["One list cannot be both", "found: ner"]),
    (LISTS, ["corpus.tag=null"], ["tokens needs tag", " errors in "]),
    (LISTS, ["corpus={format: csv, path: x, label: y, tags: [O, B]}"], ["tags needs a tagged corpus", " errors in "]),
    (LABELS, ["trainer.class_weights=balanced"], ["cannot be combined", "remove class_weights"]),
    (LABELS, ["trainer.class_weights={crime: 2}"], ["trainer.class_weights", "cannot be combined"]),
    (LABELS, ["trainer.thresholds={crim: 0.5}"], ["trainer.thresholds", "unknown class", "mean crime"]),
    (LABELS, ["trainer.thresholds=2"], ["trainer.thresholds", "neither tuned nor a number between 0 and 1"]),
    (LABELS, ["corpus.multi_label=false", "gates={}", "trainer.thresholds=0.4"], ["trainer.thresholds", "most likely"]),
    (LABELS, ["gates.auc={min: 0.5}"], ["with multi_label has no metric auc", "micro_f1"]),
    (LABELS, ["corpus.label=null", "corpus.labels=null"], ["multi_label needs label", " errors in "]),
    (LABELS, ["task=word2vec", "gates={}"], ["cannot have corpus.multi_label", "remove multi_label"]),
    (LABELS, ["task=tagger", "gates={}"], ["A tagger needs a tag for each token"]),
]


@pytest.mark.parametrize(("text", "overrides", "parts"), BAD)
def test_an_invalid_job_is_reported_with_its_location(message, text, overrides, parts):
    found = message(text, *overrides)
    assert [part for part in parts if part not in found] == []
    assert (" errors in " in found) == (" errors in " in parts)


def test_the_json_schema_has_the_keys_of_each_task():
    schema = loading.json_schema()
    assert schema["discriminator"]["propertyName"] == "task"
    assert schema["discriminator"]["mapping"].keys() == TASKS.keys()
    shared = ["name", "task", "corpus", "splits", "validation", "transform", "output", "trainer"]
    shared += ["gates", "serving", "beam", "events", "schema", "metadata", "resources"]
    for task, model in loading.JOBS.items():
        keys = schema["$defs"][model.__name__]
        own = ["tune"] * issubclass(model, SupervisedJob) + ["evaluation"] * (task == "word2vec")
        own += ["baselines"] * (task == "classifier")
        assert list(keys["properties"]) == shared + own
        assert keys["required"] == ["name", "task", "corpus"]
        assert keys["additionalProperties"] is False
        assert keys["properties"]["task"]["const"] == task
    assert schema["oneOf"] == [{"$ref": f"#/$defs/{model.__name__}"} for model in loading.JOBS.values()]


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        *((text, ()) for text in (GATED, DATASET, TAGGER, LABELS)),
        (CLASSIFIER, ("trainer.encoder=hierarchical", "transform.bos=segment", "trainer.attention_units=9")),
        (CLASSIFIER, ("trainer.encoder=hierarchical", "transform.eos=segment", "trainer.cell=lstm")),
        (CLASSIFIER, ("trainer.encoder=cnn", "trainer.filter_widths=[2, 3]", "trainer.filters=9")),
        (CLASSIFIER, ("trainer.encoder=average", "trainer.embedding=9")),
        (CLASSIFIER, ("trainer.embedding={from: vectors.bin, frozen: true}", "gates.loss.max=0.4")),
        (CLASSIFIER, ("trainer.encoder=rnn+attention", "trainer.layers=3", "trainer.residual=true")),
    ],
)
def test_config_show_prints_the_same_job(load, tmp_path, text, overrides):
    job = load(text, *overrides)
    changes = [part for override in overrides for part in ("--set", override)]
    shown = CliRunner().invoke(app.app, ["config", "show", str(tmp_path / "job.yaml"), *changes])
    assert load(shown.stdout) == job
    assert ruamel.yaml.YAML(typ="safe").load(shown.stdout)["task"] == job.task


def test_a_job_names_the_files_that_it_needs(load):
    more = {"schema": "my.pbtxt", "transform.vocabulary": "words.txt", "evaluation.pairs.sl": "package:gensim/sl.txt"}
    job = load(WORDS, *(f"{key}={path}" for key, path in more.items()))
    sets = {"evaluation.pairs.ws": "ws.tsv", "evaluation.analogies.qs": "qs.txt"}
    assert {file.name: file.path for file in job.files()} == {**more, **sets}
    assert list(load(DATASET).files()) == []


def test_numbers_and_booleans_are_tags_as_spelled(load):
    assert load(LISTS, "corpus.tags=[1, no, B-X]").corpus.tags == ("1", "no", "B-X")
    assert load(LISTS, "corpus.tags=[true, 2]").corpus.tags == ("true", "2")


def test_multi_label_jobs_have_thresholds(load):
    job = load(LABELS, "trainer.thresholds={crime: 0.3}")
    assert (job.corpus.kind.name, job.corpus.class_names) == ("multi_labelled_text", ("comedy", "crime"))
    assert job.trainer.thresholds == {"crime": 0.3}
    assert load(LABELS, "trainer.thresholds=tuned").trainer.thresholds == "tuned"
    assert load(LABELS, "corpus.labels=null").trainer.thresholds == 0.5
