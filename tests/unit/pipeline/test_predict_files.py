"""`seqloom predict --input` with files of every corpus format."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from typer.testing import CliRunner

from pipeline.cli import app
from tests.unit.components.corpus_records import example, sequence_example, write_records

CLASSIFIER = "name: a\ntask: classifier\ncorpus: {format: csv, path: none.csv, label: label, %s}\n"
TAGGER = "name: a\ntask: tagger\ntransform: {tokenizer: whitespace}\ncorpus: {format: %s, path: none, %s}\n"


class Shout(tf.Module):
    """Labels a text by its own capitals."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text):
        ones = tf.ones_like(text, tf.float32)
        label = tf.strings.upper(text, "utf-8")
        return {"label": label, "probability": ones, "labels": label[:, None], "probabilities": ones[:, None]}


class Tag(tf.Module):
    """Tags each token with its own capitals."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(self, text):
        return self._tag(tf.strings.split(text))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def examples(self, examples):
        features = {"tokens": tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64)}
        _, lists, _ = tf.io.parse_sequence_example(examples, sequence_features=features)
        return self._tag(lists["tokens"].merge_dims(1, 2))

    def _tag(self, tokens):
        words = tokens.to_tensor("")
        scores = tf.ones_like(words, tf.float32)
        return {"tokens": words, "tags": tf.strings.upper(words), "scores": scores, "length": tokens.row_lengths()}


def saved(module, folder, about, **signatures):
    tf.saved_model.save(module, str(folder), signatures)
    (folder / "assets.extra").mkdir()
    (folder / "assets.extra" / "seqloom.json").write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier") / "saved"
    module = Shout()
    return saved(module, folder, {"task": "classifier", "kind": "labelled_text"}, serving_default=module.serve)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    folder, module = tmp_path_factory.mktemp("tagger") / "saved", Tag()
    return saved(module, folder, {"task": "tagger"}, serving_default=module.serve, serve_examples=module.examples)


@pytest.fixture
def ask(tmp_path):
    """Runs the command on a file; returns the id (if any) and the answer to each record, the exit code and stderr."""

    def run(model, name, data, job=None, *overrides):
        path, options = tmp_path / name, []
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        if job is not None:
            (tmp_path / "job.yaml").write_text(job)
            options = ["--config", tmp_path / "job.yaml", *(word for each in overrides for word in ("--set", each))]
        result = CliRunner().invoke(app.app, ["predict", *map(str, [model, "--input", path, *options])])
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        found = [(row.get("id"), row.get("label") or row["tags"]) for row in rows]
        return found, result.exit_code, result.stderr

    return run


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


BODY = 'text\na\n"b, c"\n'


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", BODY, [(None, "A"), (None, "B, C")]),
        ("a.csv", "\ufeffid,label,text\n7,x,a\n8,,b\n", [("7", "A"), ("8", "B")]),
        ("a.csv.gz", gzip.compress(BODY.encode(), mtime=0), [(None, "A"), (None, "B, C")]),
        ("b.csv", gzip.compress(BODY.encode(), mtime=0), [(None, "A"), (None, "B, C")]),
        ("a.tsv", 'text\tid\na "b\t1\n', [("1", 'A "B')]),
        ("a.json", '[{"text": "a", "id": 1},\n{"text": "b", "id": 2}]', [("1", "A"), ("2", "B")]),
        ("a.json", '[{"text": "a"}]', [(None, "A")]),
        ("a.parquet", parquet(text=["a", "b"], id=[3, 4]), [("3", "A"), ("4", "B")]),
        ("a.txt", "\ufeffa b\n\nc\n", [(None, "A B"), (None, "C")]),
        ("a.jsonl", '\ufeff{"text": "a", "id": 1}\n"b"\n{"text": "c", "id": "x"}', [(1, "A"), (None, "B"), ("x", "C")]),
        ("a", '"a"\n', [(None, "A")]),
        ("a.jsonl.gz", gzip.compress(b'"a"\n', mtime=0), [(None, "A")]),
    ],
)
def test_a_suffix_names_the_format(classifier, ask, name, data, expected):
    assert ask(classifier, name, data) == (expected, 0, "")


@pytest.mark.parametrize(
    ("keys", "name", "data", "expected"),
    [
        ("text: [t, b], id: key", "new.dat", "b,key,t,more\nbody,k,title,\n", [("k", "TITLE\nBODY")]),
        ("text: body, delimiter: ';', source: at, split: fold, weight: w", "a", "body;id\na,b;1\n", [("1", "A,B")]),
        ("text: 2, header: false, labels: {0: n, 1: p}", "a.csv", "9,a\n,b\n", [(None, "A"), (None, "B")]),
        ("text: id", "a.csv", "id\nx\n", [(None, "X")]),
        ("encoding: latin-1", "a.csv", "text\ncaf\xe9\n".encode("latin-1"), [(None, "CAF\xc9")]),
    ],
)
def test_a_job_says_how_to_read_the_file(classifier, ask, keys, name, data, expected):
    assert ask(classifier, name, data, CLASSIFIER % keys) == (expected, 0, "")


def test_an_override_changes_how_the_file_is_read(classifier, ask):
    job = CLASSIFIER % "text: body"
    assert ask(classifier, "a.csv", '{"body": "a", "id": 1}\n', job, "corpus.format=jsonl") == ([("1", "A")], 0, "")
    nested = '{"d": [{"u": {"t": "a"}}]}'
    options = ("corpus.format=json", "corpus.text=u.t", "corpus.records=d")
    assert ask(classifier, "a", nested, job, *options) == ([(None, "A")], 0, "")
    records = "name: a\ntask: dataset\ncorpus: {format: fasttext, path: none}\n"
    assert ask(classifier, "a", "__label__x __label__y a\nb\n", records)[0] == [(None, "A"), (None, "B")]
    folders = "name: a\ntask: dataset\ncorpus: {format: text, path: none, document: file, label: folder}\n"
    assert ask(classifier, "a", "a\nb\n", folders)[0] == [(None, "A\nB")]


def test_examples_are_read_by_their_features(classifier, ask, tmp_path):
    job = CLASSIFIER % "text: body"
    features = {"body": b"a", "id": b"1"}
    for format_, record in (("tf_example", example(**features)), ("tf_sequence_example", sequence_example(features))):
        data = write_records(tmp_path / "records", [record]).read_bytes()
        assert ask(classifier, "a.tfrecord", data, job, f"corpus.format={format_}") == ([("1", "A")], 0, "")


def test_bad_records_are_reported_with_their_lines(classifier, ask, tmp_path):
    found, code, errors = ask(classifier, "a.csv", b"text,n\na,1\nb\nc,\xff\n,2\nd,3\n")
    assert ([answer for _, answer in found], code) == (["A", "D"], 1)
    for number, reason in ((3, "wrong number of columns"), (4, "invalid UTF-8"), (5, "no text")):
        assert f"where: {tmp_path / 'a.csv'}:{number}\n  found: {reason}" in errors
    assert errors.endswith("3 records cannot be read.\n")
    found, code, errors = ask(classifier, "a.csv", "body\na\n")
    assert (found, code) == ([], 2)
    assert "'text' (corpus.text) is missing" in errors
    found, code, errors = ask(classifier, "a.csv.gz", gzip.compress(BODY.encode())[:-9])
    assert code == 2
    assert "complete and undamaged" in errors


CONLLU = "# sent_id = s1\n1\tNew York\t_\t{0}\t_\t_\t_\t_\t_\t_\n2\tis\t_\t{0}\t_\t_\t_\t_\t_\t_\n\n"


@pytest.mark.parametrize(
    ("name", "data", "job", "expected"),
    [
        ("a.conll", "by O\nLea B\n\nhi O\n", None, [(None, ["BY", "LEA"]), (None, ["HI"])]),
        ("a.conll", "by\nLea\n\nhi\n", None, [(None, ["BY", "LEA"]), (None, ["HI"])]),
        (
            *("a", "1\tNew York\tx\n", TAGGER % ("conll", 'delimiter: "\\t", tags: [A, B], columns: {token: 2}')),
            [(None, ["NEW YORK"])],
        ),
        ("a.conllu", CONLLU.format("X"), None, [(None, ["NEW YORK", "IS"])]),
        ("a", CONLLU.format("_"), TAGGER % ("conllu", "tag: xpos, id: sent_id"), [("s1", ["NEW YORK", "IS"])]),
        *(
            ("a", data, TAGGER % (format_, "tokens: w, tag: ner, tags: [O, B]"), [("7", ["A", "B C"])])
            for format_, data in (
                ("jsonl", '{"w": ["a", "b c"], "id": 7}'),
                ("json", '[{"w": ["a", "b c"], "ner": [5], "id": 7}]'),
                ("parquet", parquet(w=[["a", "b c"]], id=[7])),
            )
        ),
        ("a.csv", "text\nby Lea\n", None, [(None, ["BY", "LEA"])]),
        ("a.txt", "by Lea\n", None, [(None, ["BY", "LEA"])]),
    ],
)
def test_a_tagger_takes_sentences_of_tagged_formats_with_or_without_tags(tagger, ask, name, data, job, expected):
    assert ask(tagger, name, data, job) == (expected, 0, "")


def test_a_classifier_takes_the_tokens_of_a_sentence_as_its_text(classifier, ask):
    assert ask(classifier, "a.conll", "by O\nLea B\n\n") == ([(None, "BY LEA")], 0, "")
