"""Valid and invalid configurations: the values that are read, and the errors with their lines."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.tasks import loading
from pipeline.tasks.classifier import ClassifierJob
from trainer.errors import JobError

GOOD = """\
name: small
task: classifier
corpus: {format: csv, path: data.csv, text: body, label: stars, source: site}
trainer:
  epochs: 3
"""
LABELS = "corpus.labels=[bad, good]"


def test_a_good_job_has_its_values_and_the_defaults(load, tmp_path):
    job = load(GOOD)
    assert (job.name, job.task, job.corpus.text, job.trainer.epochs) == ("small", "classifier", "body", 3)
    assert job.splits.weights == {"train": 8, "eval": 1, "test": 1}
    assert (job.serving.keep, job.beam.engine, job.beam.options, job.schema_path) == (5, "local", [], None)
    assert (job.path, job.folder) == (tmp_path / "job.yaml", tmp_path)


@pytest.mark.parametrize(
    ("written", "value"),
    [("1e-3", 0.001), ("1E3", 1000.0), (".5", 0.5), ("2", 2.0), ("!!float 2", 2.0), ("+1_000.5", 1000.5)],
)
def test_numbers_are_read_as_people_mean_them(load, written, value):
    assert load(GOOD.replace("epochs: 3", f"learning_rate: {written}")).trainer.learning_rate == value


def test_words_that_older_yaml_takes_for_booleans_dates_and_octals_stay_text(load):
    text = GOOD.replace("label: stars", "label: no, labels: {no: off, 010: 2024-01-01, 1:30: y}")
    corpus = load(text).corpus
    assert (corpus.label, corpus.labels) == ("no", {"no": "off", "010": "2024-01-01", "1:30": "y"})


SPELLINGS = ["True", "False", "+1", "-1", "1.50", "1_000", "1e3", "0", ".inf", ".nan"]
LISTED = f"[{', '.join(SPELLINGS)}]"


@pytest.mark.parametrize("labels", [LISTED, "{" + ", ".join(f"{each}: {each}" for each in SPELLINGS) + "}"])
def test_values_of_the_corpus_mean_what_is_written(load, labels):
    pairs = {"labels": labels, "header": LISTED, "split": "fold", "split_values": "{True: eval, 1.50: 1_0}"}
    written = GOOD.replace("source: site", "source: site, " + ", ".join(map(": ".join, pairs.items())))
    for job in (load(written), load(GOOD, *(f"corpus.{key}={value}" for key, value in pairs.items()))):
        assert job.corpus.labels == {spelling: spelling for spelling in SPELLINGS}
        assert job.corpus.header == tuple(SPELLINGS)
        assert job.corpus.split_values == {"True": "eval", "1.50": "1_0"}
    assert load(GOOD, "corpus.header=false", "corpus.text=2").corpus.header is False
    tagger = "name: t\ntask: tagger\ntransform: {tokenizer: whitespace}\ncorpus: {format: conll, path: data.conll}\n"
    assert load(tagger, "corpus.tags=[True, +1, 1.50]").corpus.tags == ("True", "+1", "1.50")
    with pytest.raises(JobError, match=r"corpus\.labels"):
        load(GOOD, "corpus.labels=[null, good]")


def test_an_alias_stands_for_its_anchor(load):
    job = load(GOOD + "gates: {accuracy: &g {min: 0.5}, auc: *g}\n", LABELS)
    assert job.gates["accuracy"].min == job.gates["auc"].min == 0.5


TRAINER = [
    ("epochs: x", [":5, trainer.epochs", 'found: the text "x"', "a whole number above 0"]),
    ('epochs: "3"', [":5, trainer.epochs", 'the text "3"', "write it without quotes"]),
    ("epochs: true", [":5, trainer.epochs", "found: true", "a whole number"]),
    ("epochs: 2.5", [":5, trainer.epochs", "found: 2.5", "a whole number"]),
    ("epochs: 0", [":5, trainer.epochs", "found: 0", "above 0"]),
    ("epochs:", [":5, trainer.epochs", "found: nothing (null)"]),
    ("epochs: [3]", [":5, trainer.epochs", "found: a list of 1"]),
    ("dropout: 1", [":5, trainer.dropout", "found: 1", "0 or more and below 1"]),
    ("dropout: .nan", [":5, trainer.dropout", "not finite", "found: .nan"]),
    ("learning_rate: .inf", [":5, trainer.learning_rate", "not finite", "found: .inf"]),
    ("learning_rate: 1e999", [":5, trainer.learning_rate", "not finite", "found: 1e999"]),
    ("cell: LSTM", [":5, trainer.cell", "one of lstm, gru, rnn", "did you mean lstm?"]),
    ("layers: 0", [":5, trainer.layers", "a whole number, above 0"]),
    ("encoder: cnn\n  units: 32", [":6, trainer.units", "encoder cnn.", "rnn or rnn+attention or", "remove units"]),
    ("filters: 32", [":5, trainer.filters", "no effect with encoder rnn", "expected: encoder cnn"]),
    ("attention_units: 9\n  encoder: average", [":5, trainer.attention_units", "rnn+attention or hierarchical"]),
    ("encoder: rnn+attention\n  pooling: last", [":6, trainer.pooling", "encoder rnn\n"]),
    ("residual: true", [":5, trainer.residual", "residual needs at least 3 layers", "set layers to 3"]),
    ("jit_compile: no", [":5, trainer.jit_compile", "true or false", "write false"]),
    ("epochs: 3\n  epochs: 4", [":6, trainer.epochs", "duplicated", "first is at", "job.yaml:5"]),
    ("epochs: !!int x", [":5, trainer.epochs", "does not match its YAML tag", "found: x tagged"]),
    ("epochs: !secret 3", [":5, trainer.epochs", "found: 3 tagged !secret"]),
    ("? [a]\n  : 3", [":5, trainer", "A key is not plain text"]),
    ("activation: &a [*a]", [":5, trainer.activation", "alias contains itself"]),
    ('activation: "\\ud800"', [":5, trainer.activation", "surrogate", "\\ud800"]),
]
"""Replacements of `epochs: 3`, and parts of the message."""

NO_GATE = [
    ":6, gates.loss",
    "A gate needs a threshold",
    "under min, max, max_drop, max_rise, min_over_linear, max_over_linear or",
]
NO_LIMIT = [":6, gates.loss.slices.a", "A gate needs a threshold", "a threshold under min or max"]
GATES = [
    ("{acuracy: {min: 1}}", [], [":6, gates.acuracy", "did you mean accuracy?"]),
    ("{accuracy: {max: 1}}", [], [":6, gates.accuracy.max", "higher is better"]),
    ("{auc: {min: 85}}", [LABELS], [":6, gates.auc.min", "found: 85", "mean 0.85?"]),
    ("{auc: {min: 0.5}}", [], [":6, gates.auc", "no corpus.labels", "list the classes"]),
    *((f"{{loss: {gate}}}", [], NO_GATE) for gate in ("{}", "{max: null}", "{slices: {}}")),
    *((f"{{loss: {{max: 1, slices: {{a: {gate}}}}}}}", [], NO_LIMIT) for gate in ("{}", "{max: null}")),
    ("{accuracy: {max_over_linear: 0}}", [], [":6, gates.accuracy.max_over_linear", "did you mean min_over_linear?"]),
    ("{loss: {min_over_linear: 0}}", [], [":6, gates.loss.min_over_linear", "did you mean max_over_linear?"]),
    ("{accuracy: {min_over_linear: 2}}", [], [":6, gates.accuracy.min_over_linear", "more than 1 apart", "mean 0.02?"]),
    ("{accuracy: {min_over_linear: 0}}", ["baselines=off"], ["needs the linear model", "found: baselines: off"]),
    (
        "{loss: {max_over_linear: -0.1}}",
        ["baselines=off"],
        [":6, gates.loss.max_over", "remove baselines: off, or max"],
    ),
    ("{accuracy: {slices: {a: {min_over_linear: 0}}}}", [], ["gates.accuracy.slices.a.min_over_linear", "is unknown"]),
    ("{loss: {slices: {a: {min: 1}}}}", [], [":6, gates.loss.slices.a.min", "did you mean max?"]),
]

OVERRIDES = [
    ("trainer.epochs=x", ["where: --set trainer.epochs=x", 'the text "x"', "a whole number"]),
    ("trainer.epoch=3", ["where: --set trainer.epoch=3", "did you mean epochs?"]),
    ("trainr.epochs=3", ["where: --set trainr.epochs=3", "did you mean trainer?"]),
    ("name.x=3", ["where: --set name.x=3", "name is not a section", 'found: the text "small"']),
    ("epochs", ["where: --set epochs", "not KEY=VALUE"]),
    ("=3", ["where: --set =3", "not KEY=VALUE"]),
    ("trainer.epochs=", ["where: --set trainer.epochs=", "trainer.epochs=null"]),
    ("trainer={", ["The YAML is invalid", "--set trainer={"]),
    ("trainer={epochs: x}", ["where: --set trainer={epochs: x}\n", 'the text "x"']),
    ("trainer={epochs: 2, epochs: 3}", ["--set trainer={epochs", "duplicated"]),
    ("transform.truncate.keep=head", ["truncate.to is missing", "--set transform.truncate.keep"]),
]

OTHERS = [
    (
        ("epochs", "epoch"),
        [],
        [":5, trainer.epoch", "epoch is unknown", "expected: seed, warm_start, epochs", "mean epochs?"],
    ),
    (("epochs: 3", "encoder: hierarchical"), ["transform.eos=document"], [":5, trainer.encoder", "needs marked"]),
    (("  epochs: 3", "  !run {epochs: 3}"), [], ["trainer", "tag is unknown", "found: !run"]),
    (("name: small", "name: Big Job"), [], [":1, name", 'the text "Big Job"', "lower-case letters"]),
    (("name: small\n", ""), [], ["The key name is missing", "job.yaml:1, name", "Name of the job"]),
    (("name: small", "name: 7"), [], [":1, name", "found: 7", 'put it in quotes: "7"']),
    (("classifier", "parser"), [], [":2, task", "one of classifier"]),
    (
        ("format: csv, ", ""),
        [],
        [":3, corpus.format", "corpus.format is missing", "one of text, fasttext, csv"],
    ),
    (("format: csv", "format: cvs"), [], [":3, corpus.format", "did you mean csv?"]),
    (("label: stars, ", ""), [], [":3, corpus.label", "A classifier needs labels", "add label:"]),
    (("source: site", "source: stars"), [], [":3, corpus.source", "cannot be both label and source", "found: stars"]),
    (("label: stars", "label: body"), [], [":3, corpus.label", "cannot be both text and label", "found: body"]),
    (("trainer:", "epochs: 4\ntrainer:"), [], [":4, epochs", "epochs belongs under trainer"]),
    (
        ("trainer:\n  epochs: 3", "trainer: 3"),
        [],
        [":4, trainer", "found: 3", "a section with the keys seed, warm_start, epochs"],
    ),
    (("trainer:", "splits: {train: 0, eval: 1, test: 1}\ntrainer:"), [], [":4, splits.train", "above 0"]),
    (("trainer:", "splits: {train: 1, eval: 1}\ntrainer:"), [], [":4, splits", "no split test"]),
    (("trainer:", "splits: {eval: 1}\ntrainer:"), [], [":4, splits", "no split train or test", "the splits eval"]),
    (("trainer:", "baselines: none\ntrainer:"), [], [":4, baselines", "one of on, off"]),
    (("trainer:", "splits: {}\ntrainer:"), [], [":4, splits", "no split train or eval or test", "found: no splits"]),
    (("path: data.csv", "path: {train: a.csv, eval: b.csv}"), [], [":3, corpus.path", "no split test"]),
    (("path: data.csv", "path: {train: a.csv, test: b.csv}"), [], [":3, corpus.path", "no split eval"]),
    (("label: stars", "label: stars, split: site"), [], [":3, corpus.split", "cannot be both source and split"]),
    (("  epochs: 3", "  batch_tokens: 30\ntransform: {truncate: {to: 40}}"), [], ["batch_tokens", "40 or more"]),
    (("trainer:", "gates:\n  loss: {max_drop: 0.1}\ntrainer:"), [], [":5, gates.loss.max_drop", "mean max_rise?"]),
    ((", source: site}", "}\ngates: {auc: {slices: {a: {min: 1}}}}"), [LABELS], ["auc.slices", "need corpus.source"]),
]

LAUGHS = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20))])
BROKEN = [
    ("", ["The configuration is empty", "job.yaml"]),
    ("# only a comment\n", ["The configuration is empty"]),
    ("- a\n- b\n", ["not a mapping", "job.yaml:1", "found: a list of 2"]),
    ("\n\nhello\n", ["not a mapping", "job.yaml:3", 'found: the text "hello"']),
    ("name: a\ntask: [classifier\nx: y\n", ["The YAML is invalid", "job.yaml:3:2"]),
    ("name: a\n\ttask: b\n", ["The YAML is invalid", "job.yaml:2:1", "spaces, not tabs"]),
    ("name: a: b\n", ["The YAML is invalid", "job.yaml:1:8"]),
    ("name: a\n---\nname: b\n", ["The YAML is invalid", "job.yaml:2:1", "another document"]),
    ("name: a\ntask: *x\n", ["The YAML is invalid", "job.yaml:2:7", "undefined alias"]),
    ("name: a\nx: \x07\n", ["an invalid character", "job.yaml:2:4", "U+0007"]),
    ("[" * 3000, ["nested too deeply", "job.yaml:1:101"]),
    (LAUGHS, ["too large", "aliases"]),
]

BAD = [
    *((GOOD.replace("epochs: 3", line), [], parts) for line, parts in TRAINER),
    *((f"{GOOD}gates: {gates}", overrides, parts) for gates, overrides, parts in GATES),
    *((GOOD, [override], parts) for override, parts in OVERRIDES),
    *((GOOD.replace(*change), overrides, parts) for change, overrides, parts in OTHERS),
    *((text, [], parts) for text, parts in BROKEN),
]


@pytest.mark.parametrize(("text", "overrides", "parts"), BAD)
def test_an_invalid_job_is_reported_with_its_location(message, text, overrides, parts):
    found = message(text, *overrides)
    assert [part for part in parts if part not in found] == []
    assert found.count("where:") == 1


def test_the_encoding_is_utf8_with_or_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert loading.load(path).name == "small"
    path.write_bytes(b"name: a\ntask: \xff\n")
    with pytest.raises(JobError, match="not UTF-8") as caught:
        loading.load(path)
    assert (caught.value.where, caught.value.found) == (f"{path}:2", "the byte 0xff")


def test_a_missing_file_error_suggests_the_closest(tmp_path):
    (tmp_path / "sentiment.yaml").touch()
    with pytest.raises(JobError, match=r"sentiment\.yaml\?") as caught:
        loading.load(tmp_path / "sentimnt.yaml")
    assert caught.value.where == str(tmp_path / "sentimnt.yaml")
    with pytest.raises(JobError, match=r"YAML files there: sentiment\.yaml"):
        loading.load(tmp_path / "q")
    with pytest.raises(JobError, match=r"the folder .*/none does not exist"):
        loading.load(tmp_path / "none" / "job.yaml")
    with pytest.raises(JobError, match=r"folder, not a file(.|\n)*sentiment\.yaml"):
        loading.load(tmp_path)


def test_all_errors_are_reported_together(message):
    text = "name: small\ntask: clasifier\ncorpus: {format: csv}\ntrainer: {epochs: 1, epochs: 2, x: 1}\n"
    found = message(text, "serving.keep=0", "what")
    parts = ["6 errors in", "job.yaml:4, trainer.epochs\n     found: the first is at", "where: --set what"]
    parts += ["mean classifier?", "corpus.path is missing", "trainer.x is unknown", "where: --set serving.keep=0"]
    assert [part for part in parts if part not in found] == []
    text = GOOD + "  residual: true\n  merge: sum\n  bidirectional: false\n"
    splits = "splits={train: 9, eval: 1}"
    found = message(text, splits, "corpus.id=stars", "gates.loss={}")
    parts = ["5 errors in", "job.yaml:6, trainer.residual", "job.yaml:7, trainer.merge", f"where: --set {splits}"]
    parts += ["where: --set corpus.id=stars", "where: --set gates.loss={}"]
    assert [part for part in parts if part not in found] == []
    # Checks across sections need values of the right types; checks within sections that have them run anyway.
    typo = message(text.replace("epochs: 3", "epochs: x"), "corpus.id=stars", splits)
    parts = ["trainer.epochs is not valid", "cannot be both label and id"]
    assert [part for part in parts if part not in typo] == []


def test_overrides_replace_add_and_clear(load):
    changes = ["trainer.epochs=1", "trainer.epochs=7", "transform.truncate.to=50", "trainer.clip_norm=null"]
    changes += ["trainer.learning_rate=1e-4", "gates={loss: {max: 0.5}}", "corpus.path=a=b.csv", "name=x"]
    job = load(GOOD, *changes)
    assert (job.trainer.epochs, job.trainer.clip_norm, job.trainer.learning_rate) == (7, None, 0.0001)
    assert (job.transform.truncate.to, job.gates["loss"].max) == (50, 0.5)
    assert (job.corpus.path, job.name) == ("a=b.csv", "x")


def test_a_job_is_frozen_and_checked_when_built_in_code(load):
    with pytest.raises(ValueError, match="frozen"):
        load(GOOD).name = "other"
    with pytest.raises(ValueError, match="A classifier needs labels"):
        ClassifierJob(name="a", task="classifier", corpus={"format": "csv", "path": "x"})


def test_loading_a_job_imports_nothing_heavy():
    code = "import pathlib, sys; from pipeline.tasks import loading\n"
    code += "loading.load(pathlib.Path('configs/sentiment.yaml')); print(*sys.modules)"
    command, root = [sys.executable, "-c", code], Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    heavy = {"tensorflow", "tfx", "apache_beam", "keras", "numpy", "pyarrow", "tensorflow_transform"}
    assert heavy.isdisjoint(done.stdout.split())
