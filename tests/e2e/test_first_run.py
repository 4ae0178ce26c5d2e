"""The first run of a job: what it prints, what it leaves, and what the model answers."""

from __future__ import annotations

import collections
import json
import math
import re
import subprocess

import pytest

pytestmark = pytest.mark.slow

COMPONENTS = (
    "CorpusExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "PreviousStatistics",
    "ExampleValidator",
    "SequenceTransform",
    "Trainer",
    "Baseline",
    "Evaluator",
    "Pusher",
)
PLAIN_LINES = (
    rf"({'|'.join(COMPONENTS)}): (running|done, \d+\.\d s(, 400 records, [\d,]+/s)?)",
    r"Trainer: epoch [123]/3, documents \d+/\d+, loss [\d.]+, accuracy [\d.]+, [\d,.]+ tokens/s",
    r" slice +accuracy +auc +loss +documents",
    r" ─+",
    r" (overall|forum|news) +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+",
    r"Published as version \d+\.",
    r"- (accuracy|auc|loss).*",
    r"Model: /.*/root/serving/\d+",
    r"Log:   /.*/root/logs/\w+\.\w+-\w+/run\.log",
)


def test_all_components_are_done_and_the_model_is_published(first):
    job, done = first
    assert done.process.returncode == 0
    assert done.states == dict.fromkeys(COMPONENTS, "done")
    assert done.executions == dict.fromkeys(COMPONENTS, "COMPLETE")
    (version,) = done.versions
    assert done.record["state"] == "pushed"
    assert done.record["pushed"] == {"version": version, "path": str(job.root / "serving" / version)}
    assert (job.root / "serving" / version / "saved_model.pb").is_file()
    assert not (job.root / "checkpoints").exists()
    assert done.record["details"]["corpus"]["records"] == 400
    assert sum(done.record["details"]["corpus"]["documents"].values()) == 400
    assert done.record["details"]["training"]["resumed_after_epoch"] == 0


def test_the_verdict_tells_each_gate_in_words(first):
    record = first[1].record
    accuracy, news = record["metrics"]["overall"]["accuracy"], record["metrics"]["source=news"]["accuracy"]
    assert record["verdict"]["blessed"] is True
    assert record["verdict"]["reasons"] == [
        f"accuracy is {accuracy:.4f}, which meets at least 0.7",
        f"accuracy on source=news is {news:.4f}, which meets at least 0.6",
        "accuracy: no earlier blessed model to compare with",
        f"auc is {record['metrics']['overall']['auc']:.4f}, which meets at least 0.7",
        f"loss is {record['metrics']['overall']['loss']:.4f}, which meets at most 0.8",
        "loss: no earlier blessed model to compare with",
    ]


def test_the_screen_has_known_lines_only_and_the_log_the_rest(first):
    job, done = first
    assert done.process.stderr == ""
    lines = [line.rstrip() for line in done.process.stdout.splitlines() if line.strip()]
    assert [line for line in lines if not any(re.fullmatch(pattern, line) for pattern in PLAIN_LINES)] == []
    assert [line.partition(":")[0] for line in lines if line.endswith(": running")].count("Trainer") == 1
    assert sum(line.startswith("Trainer: epoch") for line in lines) == 3
    log = (job.root / "logs" / done.record["run_id"] / "run.log").read_text()
    assert "Component Trainer is running." in log
    assert str(job.root / "logs" / done.record["run_id"] / "run.log") in done.process.stdout


def test_both_stages_are_sequence_examples_of_the_data_contract(first):
    job, done = first
    raw, transformed = (
        read(job, "CorpusExampleGen/examples", RAW),
        read(job, "SequenceTransform/transformed_examples", TRANSFORMED),
    )
    assert {split: len(rows) for split, rows in raw.items()} == done.record["details"]["corpus"]["documents"]
    tokens = {split: [words(row["text"]) for row in rows] for split, rows in raw.items()}
    counts = collections.Counter(word for document in tokens["train"] for word in document)
    ids = {word: number for number, word in enumerate(sorted(counts, key=lambda word: (-counts[word], word)), start=4)}
    for split, rows in raw.items():
        for before, after, document in zip(rows, transformed[split], tokens[split], strict=True):
            assert after["id"] == before["id"]
            assert after["source"] == before["source"]
            assert after["label"] == ["bad", "good"].index(before["label"])
            assert after["length"] == len(document)
            assert after["tokens"] == [ids.get(word, 1) for word in document]


def test_metrics_are_those_of_the_published_model_on_the_test_split(first, tmp_path):
    job, done = first
    rows = read(job, "CorpusExampleGen/examples", RAW)["test"]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": row["text"][0]}) + "\n" for row in rows))
    answers = ask(job, done.record["pushed"]["path"], "--input", texts)
    assert [answer["text"] for answer in answers] == [row["text"][0] for row in rows]
    metrics = done.record["metrics"]
    assert set(metrics) == {"overall", "source=news", "source=forum"}
    for place, values in metrics.items():
        chosen = [
            (row["label"], answer)
            for row, answer in zip(rows, answers, strict=True)
            if place in ("overall", f"source={row['source']}")
        ]
        assert values["documents"] == len(chosen)
        right = [label == answer["label"] for label, answer in chosen]
        assert values["accuracy"] == pytest.approx(sum(right) / len(right))
        losses = [-math.log(max(answer["probabilities"][label], 1e-7)) for label, answer in chosen]
        assert values["loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-3)
        assert values["auc"] == pytest.approx(area(chosen), abs=2e-3)


def test_predict_answers_arguments_and_lines_alike(first):
    job = first[0]
    texts = ["A superb, warm and witty film.", "Awful; dull and stale!"]
    answers = ask(job, job.root, *texts)
    assert [answer["label"] for answer in answers] == ["good", "bad"]
    for answer in answers:
        assert set(answer) == {"text", "label", "probability", "probabilities"}
        assert answer["probability"] == answer["probabilities"][answer["label"]] > 0.5
    assert ask(job, job.root, given="".join(f"{text}\n" for text in texts)) == answers


def test_runs_shows_the_run(first):
    job, done = first
    told = job.seqloom("runs", job.root)
    assert (told.returncode, told.stderr) == (0, "")
    text = " ".join(told.stdout.split())
    for part in ("tiny", "pushed", f"version {done.versions[0]}", "overall", "news", "which meets at least 0.7"):
        assert part in text
    records = json.loads(job.seqloom("runs", job.root, "--json").stdout)
    assert records[0] == done.record


def ask(job, model, *arguments, given: str | None = None) -> list[dict]:
    done: subprocess.CompletedProcess[str] = job.seqloom("predict", model, *arguments, given=given)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def area(chosen: list[tuple[str, dict]]) -> float:
    """The area under the ROC curve: how often a good document has a higher probability than a bad one."""
    good = [answer["probabilities"]["good"] for label, answer in chosen if label == "good"]
    bad = [answer["probabilities"]["good"] for label, answer in chosen if label == "bad"]
    return sum((a > b) + (a == b) / 2 for a in good for b in bad) / (len(good) * len(bad))


def words(segments: list[str]) -> list[str]:
    """The tokens of the made documents, which end in a full stop and have no other sign."""
    return " ".join(segments).lower().replace(".", " .").split()


RAW = ({"id": str, "source": str, "label": str}, {"text": str})
TRANSFORMED = ({"id": str, "source": str, "label": int, "length": int}, {"tokens": int})


def read(job, artifact: str, features: tuple[dict, dict]) -> dict[str, list[dict]]:
    """Reads the splits of the first run with TensorFlow's own parser, one value a step."""
    import tensorflow as tf

    types = {str: tf.string, int: tf.int64}
    context = {name: tf.io.FixedLenFeature([], types[kind]) for name, kind in features[0].items()}
    lists = {name: tf.io.FixedLenSequenceFeature([], types[kind]) for name, kind in features[1].items()}
    execution = min(job.root.glob(f"artifacts/{artifact}/*"), key=lambda path: int(path.name))
    rows: dict[str, list[dict]] = {}
    for path in sorted(execution.glob("Split-*/data_tfrecord-*.gz")):
        split = rows.setdefault(path.parent.name.removeprefix("Split-"), [])
        for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
            values, steps = tf.io.parse_single_sequence_example(record, context, lists)
            split.append({name: plain(value.numpy()) for name, value in {**values, **steps}.items()})
    return rows


def plain(value: object) -> object:
    """Python's own types of what TensorFlow gives."""
    if isinstance(value, bytes):
        return value.decode()
    return [plain(part) for part in value] if value.ndim else value.item()
