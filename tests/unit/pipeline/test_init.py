"""`seqloom init`: from files of each format to a YAML with which the readers yield the right documents."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.inputs.patterns import local_files
from components.corpus_example_gen.readers import formats
from pipeline.cli import app
from pipeline.config.locations import resolve_corpus_path
from pipeline.tasks.loading import load
from tests.unit.pipeline.unknown_corpora import FORMATS, NAMED, PAIRS, PLAIN, TAGGED, TEXTS, TOKENS, lines, table

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(files) -> None:
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def init(*arguments):
    return CliRunner().invoke(app.app, ["init", *map(str, arguments)], env={"COLUMNS": "80"})


def documents(job):
    found = []
    for _, pattern, _ in resolve_corpus_path(job.corpus.path, job.folder):
        for path in local_files(pattern):
            found += formats.read(formats.Part(path), job.corpus)
    return found


def outcome(record):
    assert isinstance(record, Document), record
    if record.tokens:
        return [*record.tokens], [*record.tags]
    return "\n".join(record.segments), record.labels or record.label


def check(yaml: str, task: str | None = None):
    """The job of a YAML that `seqloom config check` accepts."""
    done = CliRunner().invoke(app.app, ["config", "check", yaml])
    assert (done.exit_code, done.stderr) == (0, "")
    job = load(Path(yaml))
    assert task in (None, job.task)
    return job


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_recognized_and_read(name):
    path, content, settings, expected = FORMATS[name]
    put({path: content})
    result = init(path)
    assert (result.exit_code, result.stderr) == (0, "")
    job = check("a.yaml" if path != "SMS" else "SMS.yaml")
    values = job.corpus.model_dump(mode="json", exclude_unset=True)
    assert {key: values.get(key) for key in settings} == settings
    assert list(map(outcome, documents(job))) == expected
    assert job.task == ("tagger" if name in TOKENS else "word2vec" if name in PLAIN else "classifier")
    assert f"looked at all {len(expected)} records" in result.stdout
    assert result.stdout.splitlines()[-2] == f"  seqloom run {Path(path).name.partition('.')[0]}.yaml"


@pytest.mark.parametrize("name", FORMATS)
def test_the_suggested_gate_and_labels_are_valid(name):
    path, content, *_ = FORMATS[name]
    put({path: content})
    text = init(path, "--output", "-").stdout
    text = re.sub(r"^# gates:\n#   ", "gates:\n  ", text, flags=re.MULTILINE)
    Path("b.yaml").write_text(re.sub(r"^  # (labels: |dedupe)", r"  \1", text, flags=re.MULTILINE))
    job = check("b.yaml")
    assert job.gates
    assert (job.corpus.labels is not None) == (job.corpus.label is not None)


def test_tfrecords_are_recognized(transformed_record):
    import tensorflow as tf

    def text(value):
        return tf.train.Feature(bytes_list={"value": [value.encode()]})

    with tf.io.TFRecordWriter("plain.tfrecord") as writer:
        for body, label in PAIRS:
            features = {"feature": {"review": text(body), "label": text(label)}}
            writer.write(tf.train.Example(features=features).SerializeToString())
    with tf.io.TFRecordWriter("lists.tfrecord.gz", "GZIP") as writer:
        for tokens, tags in TAGGED:
            lists = {"tokens": map(text, tokens), "tags": map(text, tags)}
            lists = {name: tf.train.FeatureList(feature=values) for name, values in lists.items()}
            example = tf.train.SequenceExample(feature_lists={"feature_list": lists})
            writer.write(example.SerializeToString())
    for name, format_, expected in (("plain", "tf_example", PAIRS), ("lists", "tf_sequence_example", TAGGED)):
        result = init(next(Path.cwd().glob(f"{name}.tfrecord*")))
        assert result.exit_code == 0, result.stderr
        job = check(f"{name}.yaml")
        assert job.corpus.format == format_
        assert list(map(outcome, documents(job))) == expected


CLASSES = {f"{label}/{n}.txt": f"{text}\n\nIts second line." for n, (text, label) in enumerate(PAIRS)}


def test_a_folder_per_class_gives_the_labels():
    put({f"acl/{name}": content for name, content in CLASSES.items()})
    put({"acl/README.md": "About it", "acl/unsup/1.txt": "No class"})
    result = init("acl")
    assert "Left out: the folder unsup" in result.stdout
    job = check("acl.yaml", "classifier")
    assert (job.corpus.label, job.corpus.document, job.corpus.path) == (
        "folder",
        "file",
        ("acl/neg/*.txt", "acl/pos/*.txt"),
    )
    assert sorted({record.label for record in documents(job)}) == ["neg", "pos"]
    assert len(documents(job)) == len(PAIRS)
    Path("acl/unsup/1.txt").unlink()
    Path("acl/unsup").rmdir()
    assert init("acl", "--force").exit_code == 0
    assert check("acl.yaml").corpus.path == "acl/*/*.txt"


def test_a_large_file_per_class_holds_a_document_per_line():
    put({f"c/{name}/all.txt": lines(*(text for text, label in PAIRS if label == name)) for name in ("neg", "pos")})
    assert init("c").exit_code == 0
    job = check("c.yaml", "classifier")
    assert sorted(map(outcome, documents(job))) == sorted(PAIRS)


def test_the_folders_of_spans_are_no_classes():
    put({f"logs/{day}/a.txt": lines(*TEXTS) for day in ("1", "2")})
    assert init("logs/{SPAN}/*.txt").exit_code == 0
    job = check("logs.yaml", "word2vec")
    assert (job.corpus.path, job.corpus.label) == ("logs/{SPAN}/*.txt", None)


def test_the_outer_folder_of_one_folder_stands_for_it():
    put({f"outer/acl/{name}": content for name, content in CLASSES.items()})
    assert init("outer").exit_code == 0
    assert check("outer.yaml", "classifier").corpus.path == "outer/acl/*/*.txt"


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (("train.csv", "dev.csv", "test.csv"), {"train": "c/train.csv", "eval": "c/dev.csv", "test": "c/test.csv"}),
        (("en-train.csv", "en-valid.csv", "en-test.csv"), {"train": "c/en-train.csv", "eval": "c/en-valid.csv",
                                                          "test": "c/en-test.csv"}),
        (("train-0.csv", "train-1.csv", "validation-0.csv", "test-0.csv"),
         {"train": "c/train-*.csv", "eval": "c/validation-0.csv", "test": "c/test-0.csv"}),
        (("train.csv", "test.csv"), "c/train.csv"),
        (("one.csv", "two.csv"), "c"),
    ],
)  # fmt: skip
def test_files_that_are_named_after_splits_are_given_splits(names, path):
    put({f"c/{name}": table(NAMED) for name in names})
    result = init("c")
    assert result.exit_code == 0, result.stderr
    assert check("c.yaml", "classifier").corpus.path == path
    assert ("Left out: test.csv" in result.stdout) == (path == "c/train.csv")


def test_folders_that_are_named_after_splits_are_given_splits():
    put({f"c/{split}/{name}": content for split in ("train", "dev", "test") for name, content in CLASSES.items()})
    assert init("c").exit_code == 0
    job = check("c.yaml", "classifier")
    assert job.corpus.path == {split: f"c/{name}/*/*.txt" for split, name in
                               (("train", "train"), ("eval", "dev"), ("test", "test"))}  # fmt: skip
    assert job.corpus.label == "folder"


def test_a_folder_is_read_without_what_lies_beside_the_data():
    put({"c/a.csv": table(NAMED), "c/b.csv": table(NAMED), "c/README": "x", "c/_SUCCESS": "", "c/job.yaml": "a: b"})
    assert init("c").exit_code == 0
    assert check("c.yaml").corpus.path == "c/*.csv"


def test_paths_start_from_the_folder_of_the_yaml():
    put({"data/a b.csv": table(NAMED), "jobs/keep": ""})
    assert init("data/a b.csv", "--output", "jobs/My Job.yaml").exit_code == 0
    job = check("jobs/My Job.yaml")
    assert (job.corpus.path, job.name) == ("../data/a b.csv", "my-job")
    assert len(documents(job)) == len(PAIRS)


def test_a_glob_is_kept():
    put({"data/a-1.csv": table(NAMED), "data/a-2.csv": table(NAMED), "data/b.csv": "x"})
    assert init("data/a-*.csv").exit_code == 0
    assert check("data.yaml").corpus.path == "data/a-*.csv"


def test_an_existing_yaml_is_kept_unless_forced():
    put({"a.csv": table(NAMED), "a.yaml": "mine"})
    result = init("a.csv")
    assert result.exit_code == 2
    assert "The YAML already exists." in result.stderr
    assert "--force" in result.stderr
    assert Path("a.yaml").read_text() == "mine"
    assert init("a.csv", "--force").exit_code == 0
    assert check("a.yaml", "classifier")


def test_the_yaml_goes_to_stdout_and_the_rest_to_stderr():
    put({"a.csv": table(NAMED)})
    result = init("a.csv", "--output", "-")
    assert not Path("a.yaml").exists()
    assert "looked at all 20 records" in result.stderr
    Path("b.yaml").write_text(result.stdout)
    assert len(documents(check("b.yaml"))) == len(PAIRS)


def test_named_columns_are_taken_and_rivals_are_named():
    rows = [(f"A longer title than {text}", text, label, "ab"[n // 10]) for n, (text, label) in enumerate(PAIRS)]
    rows.insert(0, ("title", "body", "label", "topic"))
    put({"a.csv": table(rows)})
    shown = init("a.csv", "--output", "-").stderr
    assert "title may hold texts too: --text COLUMN" in shown
    assert "topic may be the label too: --label COLUMN" in shown
    init("a.csv", "--text", "title", "--label", "topic")
    corpus = check("a.yaml", "classifier").corpus
    assert (corpus.text, corpus.label) == ("title", "topic")
    init("a.csv", "--label", "", "--force")
    assert check("a.yaml", "word2vec").corpus.label is None


def test_unreadable_records_are_counted_and_allowed():
    put({"a.csv": table([NAMED[0], *PAIRS * 5, ("no label", ""), ("none", ""), ("x", "y", "z")])})
    result = init("a.csv")
    assert "3 records: no label 2, wrong number of columns 1; the first in" in result.stdout
    assert check("a.yaml").corpus.max_bad_fraction == 0.06


def test_a_large_corpus_is_judged_by_its_start():
    put({"a.csv": table([NAMED[0], *((f"{n} {text}", "neg") for n in range(1_100) for text in TEXTS), ("end", "pos")])})
    result = init("a.csv")
    assert result.exit_code == 0, result.stderr
    # A second class is looked for behind the first 20,000 records.
    assert "2 classes: neg 22,000, pos 1" in result.stdout
    put({"a.csv": table([NAMED[0], *((f"{n} {text}", label) for n in range(1_100) for text, label in PAIRS)])})
    result = init("a.csv", "--force")
    assert "not all, but the first 20,000 records" in result.stdout
    assert "labels:" not in Path("a.yaml").read_text()


def test_names_and_values_cannot_break_the_yaml():
    label, text = 'odd: "\x1b[2J" # \\ é', "- {text}\u2028"
    rows = [{text: one, label: f"{name}: # \x1b"} for one, name in PAIRS]
    put({"sub [1]/~it's.jsonl": lines(*map(json.dumps, rows))})
    result = init("sub [1]/~it's.jsonl", "--text", text, "--label", label, "--output", "o.yaml")
    assert result.exit_code == 0, result.stderr
    job = check("o.yaml")
    assert (job.corpus.text, job.corpus.label) == (text, label)
    assert len(documents(job)) == len(PAIRS)
    assert "\x1b" not in Path("o.yaml").read_text() + result.stdout


ERRORS = {
    "missing": ({}, ["a.csv"], ["The corpus file does not exist."]),
    "near": ({"b.csv": "x"}, ["a.csv"], ["did you mean b.csv?"]),
    "empty": ({"a.csv": ""}, ["a.csv"], ["The corpus is empty."]),
    "blank": ({"a.csv": "\n\n"}, ["a.csv"], ["The corpus is empty."]),
    "header only": ({"a.csv": "text,label\n"}, ["a.csv"], ["The corpus has no records.", "a header row only"]),
    "binary": ({"a.csv": bytes(range(256)) * 9}, ["a.csv"], ["The corpus is not text.", "a binary file"]),
    "archive": ({"a.zip": b"PK\x03\x04" + bytes(60)}, ["a.zip"], ["A corpus file is an archive.", "Unpack"]),
    "empty folder": ({"c/README": "x"}, ["c"], ["The folder has no files with texts."]),
    "unknown text": (
        {"a.csv": table(NAMED)},
        ["a.csv", "--text", "txet"],
        ["The corpus has no column 'txet'.", "text, label", "did you mean --text text?"],
    ),
    "unknown label": ({"a.csv": table(NAMED)}, ["a.csv", "--label", "stars"], ["no column 'stars'"]),
    "no columns": (
        {"a.txt": lines(*TEXTS)},
        ["a.txt", "--label", "y"],
        ["format without columns", "leave --label out"],
    ),
    "one column for both": (
        {"a.csv": table(NAMED)},
        ["a.csv", "--text", "text", "--label", "text"],
        ["One column cannot be both text and label."],
    ),
    "one class": (
        {"a.csv": table([NAMED[0], *((text, "pos") for text in TEXTS)])},
        ["a.csv"],
        ["The corpus has only one class.", "pos in all 20 documents, in the column label", "--label"],
    ),
    "one given class": (
        {"a.csv": table([("text", "x"), *((text, "pos") for text in TEXTS)])},
        ["a.csv", "--label", "x"],
        ["The corpus has only one class."],
    ),
    "a name twice": ({"a.csv": table([("text", "text"), *PAIRS])}, ["a.csv"], ["The header row has a name twice."]),
    "no texts": ({"a.csv": table([("a", "b"), *((n, n) for n in range(20))])}, ["a.csv"], ["no column with texts"]),
    "url": ({}, ["gs://bucket/a.csv"], ["A URL cannot be examined."]),
    "unwritable": ({"a.csv": table(NAMED)}, ["a.csv", "--output", "a.csv/b.yaml"], ["The YAML cannot be written."]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_used_is_reported(name):
    files, arguments, parts = ERRORS[name]
    put(files)
    result = init(*arguments)
    assert result.exit_code == 2
    assert [part for part in parts if part not in result.stderr] == []
    assert "Traceback" not in result.output
    assert list(Path.cwd().glob("*.yaml")) == []


def test_it_starts_without_tensorflow_beam_and_tfx():
    put({"a.csv": table(NAMED)})
    code = (
        "import sys; from pipeline.cli.app import app; app(['init', 'a.csv'], standalone_mode=False);"
        " print({name.partition('.')[0] for name in sys.modules} & {'tensorflow', 'apache_beam', 'tfx', 'keras'})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
