"""A classifier that starts from the last blessed model while its corpus gets new words and a new class."""

import csv
import json
import random
import shutil

import pytest

pytestmark = pytest.mark.slow

YAML = """\
name: daily
task: classifier
corpus: {format: csv, path: "span-{SPAN}.csv", text: body, label: kind}
transform: {min_count: 1}
trainer: {epochs: 2, encoder: average, embedding: 16, bigrams: null, ngrams: null, batch_tokens: 256, warm_start: true,
          learning_rate: 0.01, word_dropout: 0, spatial_dropout: 0, dropout: 0, label_smoothing: 0}
validation: {warn: [label, text]}
baselines: off
"""
WORDS = {"good": [f"fine{number}" for number in range(30)], "poor": [f"dull{number}" for number in range(30)]}
NEW = {**WORDS, "average": [f"plain{number}" for number in range(30)]}


def write(path, words, count, more=()):
    draw = random.Random(path.name)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["body", "kind"])
        for number in range(count):
            kind = sorted(words)[number % len(words)]
            rows.writerow([" ".join([*draw.choices(words[kind], k=5), *draw.choices(more, k=len(more) and 1)]), kind])


@pytest.fixture(scope="module")
def daily(new_job, ran):
    """A job with two spans that were run one after the other, and the second one without the first."""
    job = new_job("daily", yaml=YAML, count=0)
    write(job.folder / "span-1.csv", WORDS, 1200)
    write(job.folder / "span-2.csv", NEW, 600, ["fresh", "rare"])
    first = ran(job, "--set", "corpus.span=1")
    second = ran(job, "--set", "corpus.span=2")
    return job, first, second


def training(done):
    assert done.process.returncode == 0, done.process.stderr
    return done.record["details"]["training"]


def test_the_first_run_starts_from_scratch_and_says_so(daily):
    _, first, _ = daily
    assert training(first)["warm_start"] == {"reason": "no model of other data has been blessed in this root before"}
    assert "started from scratch: no model of other data" in " ".join(first.process.stdout.split())


def test_the_next_span_starts_from_the_model_before_it(daily):
    job, _, second = daily
    found = training(second)["warm_start"]
    # The four reserved ids, and the words of both classes; those of the new one and two more are new.
    assert {name: found[name] for name in ("words", "new_words", "classes", "new_classes")} == {
        "words": 4 + 60,
        "new_words": 30 + 2,
        "classes": 2,
        "new_classes": 1,
    }
    (weights,) = (job.root / "artifacts").glob(f"{found['model']}/weights/index.json")
    assert json.loads(weights.read_text())["labels"]["classes"] == ["good", "poor"]
    said = " ".join(second.process.stdout.split())
    assert f"started from the model {found['model']}: 64 words from it, 32 new, 2 classes from it, 1 new" in said
    assert second.states["WarmStart"] == "done"


def test_its_first_eval_loss_is_lower_than_that_of_a_start_from_scratch(daily):
    job, _, second = daily
    cold = job.seqloom("run", "job.yaml", "--root", job.folder / "cold", "--set", "corpus.span=2")
    assert cold.returncode == 0, cold.stderr
    (record,) = (job.folder / "cold").glob("logs/*/run.json")
    losses = json.loads(record.read_text())["details"]["training"]["history"]
    assert training(second)["history"][0]["eval_loss"] < losses[0]["eval_loss"]


def test_repeated_runs_of_both_spans_come_from_the_cache(daily, ran):
    job, *_ = daily
    for span in (2, 1, 2):
        again = ran(job, "--set", f"corpus.span={span}")
        assert again.process.returncode == 0, again.process.stderr
        assert again.states["Trainer"] == "cached"


def test_a_span_trained_again_without_the_cache_gives_the_same_model(daily):
    job, *_ = daily
    shutil.copytree(job.root, job.folder / "copy")
    done = job.seqloom("run", "job.yaml", "--root", job.folder / "copy", "--set", "corpus.span=2", "--no-cache")
    assert done.returncode == 0, done.stderr
    models = sorted(
        (job.folder / "copy" / "artifacts" / "Trainer" / "model").iterdir(), key=lambda path: int(path.name)
    )
    about = [json.loads((model / "Format-Serving" / "assets.extra" / "seqloom.json").read_text()) for model in models]
    first, second, again = (each["digest"] for each in about)
    assert first != second == again
    assert (models[1] / "weights" / "values.npy").read_bytes() == (models[2] / "weights" / "values.npy").read_bytes()
