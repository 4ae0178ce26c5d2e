"""Runs of a classifier: what the first prints, leaves and answers, and what later ones reuse, compare and publish."""

import collections
import json
import math
import re

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

pytestmark = pytest.mark.slow

UPSTREAM = (
    *("CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "SequenceTransform", "LinearBaseline"),
)
RESOLVERS = ("PreviousStatistics", "Baseline")
COMPONENTS = {*UPSTREAM, *RESOLVERS, "Trainer", "Evaluator", "Pusher"}
TEXTS = ("A superb, warm and witty film.", "Awful; dull and stale!")
PLAIN_LINES = (
    rf"({'|'.join(COMPONENTS)}): (running|done, (\d+\.\d|\d+ min \d+) s(, 400 records, [\d,]+/s)?)",
    rf"({'|'.join(COMPONENTS)}): running, \d+ min \d\d s(, .*)?",
    r"Trainer: epoch [123]/3, documents \d+/\d+, loss [\d.]+, accuracy [\d.]+, [\d,.]+ tokens/s",
    r" slice +accuracy +auc +loss +documents",
    r" ─+",
    r" (overall|forum|news) +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+",
    r" (linear model|most frequent class) +[\d.]+ +[\d.]+ +[\d.]+",
    r"Published as version \d+\.",
    r"- best model from epoch [123] of 3, with an eval loss of [\d.]+",
    r"- auto, for \d+ train documents of [\d,]+ tokens: batch_documents 64",
    r"- the model adds the encoder times [\d.]+ and [\d,]+ n-grams times [\d.]+, with an eval loss of [\d.]+",
    r"- the encoder adds nothing to the n-grams and is left out: .* [\d,]+ n-grams times [\d.]+, with an eval loss .*",
    r"- (accuracy|auc|loss).*",
    r"- the model does not beat the linear model: accuracy [\d.]+ (equals|is below) the linear model's [\d.]+",
    r"- the test split is small: from \d\d documents, the 95 % interval \(Wilson\) of accuracy is [\d.]+ to [\d.]+",
    r"Model: root/serving/\d+",
    r"Log:   root/logs/\w+\.\w+-\w+/run\.log",
)


@pytest.fixture(scope="module")
def first(new_job, ran):
    """The first run of a job on a CSV of 400 documents, in a process that starts as a user's does."""
    job = new_job("job")
    return job, ran(job, fresh=True)


@pytest.fixture(scope="module")
def answers(first, ask):
    """Answers of the first run's model to the test split and then to `TEXTS`, one per line of the standard input."""
    job, done = first
    texts = [*(row["text"][0] for row in read(job, "CorpusExampleGen/examples")["test"]), *TEXTS]
    return ask(job, done.record["pushed"]["path"], given="".join(f"{text}\n" for text in texts))


@pytest.fixture(scope="module")
def cached(first, ran):
    """The same again."""
    return ran(first[0])


@pytest.fixture(scope="module")
def uncached(first, ran, cached):
    """The same again, without the cache."""
    return ran(first[0], "--no-cache")


@pytest.fixture(scope="module")
def changed(first, ran, uncached):
    """Another seed, and a recurrent dropout."""
    return ran(first[0], "--set", "trainer.seed=2", "--set", "trainer.recurrent_dropout=0.2")


@pytest.fixture(scope="module")
def worse(first, ran, changed):
    """A model that learned nothing: good enough for the gates, but worse than the last."""
    gates = '{"accuracy": {"min": 0.1, "max_drop": 0.1}, "loss": {"max_rise": 0.2}}'
    return ran(
        first[0], "--set", "trainer.learning_rate=1e-9", "--set", "trainer.ngrams=null", "--set", f"gates={gates}"
    )


@pytest.fixture(scope="module")
def refused(first, ran, worse):
    """Gates that no model passes."""
    gates = ("loss.max=0", "accuracy.slices.nowhere.min=0.5", "accuracy.min_over_linear=1")
    return ran(first[0], *(word for gate in gates for word in ("--set", f"gates.{gate}")))


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
    metrics, verdict = done.record["metrics"], done.record["verdict"]
    assert verdict["blessed"] is True
    assert verdict["reasons"] == [
        f"accuracy is {metrics['overall']['accuracy']:.4f}, which meets at least 0.7",
        f"accuracy on source=news is {metrics['source=news']['accuracy']:.4f}, which meets at least 0.6",
        "accuracy: no earlier blessed model to compare with",
        over_linear(done, -0.5),
        f"auc is {metrics['overall']['auc']:.4f}, which meets at least 0.7",
        f"loss is {metrics['overall']['loss']:.4f}, which meets at most 0.8",
        "loss: no earlier blessed model to compare with",
    ]


def test_the_screen_has_known_lines_only_and_the_log_the_rest(first):
    job, done = first
    assert done.process.stderr == ""
    lines = [line.rstrip() for line in done.process.stdout.splitlines() if line.strip()]
    assert [line for line in lines if not any(re.fullmatch(pattern, line) for pattern in PLAIN_LINES)] == []
    assert [line.partition(":")[0] for line in lines if line.endswith(": running")].count("Trainer") == 1
    assert sum(line.startswith("Trainer: epoch") for line in lines) == 3
    log = job.root / "logs" / done.record["run_id"] / "run.log"
    assert "Component Trainer is running." in log.read_text()
    assert str(log.relative_to(job.root.parent)) in done.process.stdout


def test_both_stages_are_sequence_examples_of_the_data_contract(first):
    job, done = first
    raw = read(job, "CorpusExampleGen/examples")
    transformed = read(job, "SequenceTransform/transformed_examples")
    assert {split: len(rows) for split, rows in raw.items()} == done.record["details"]["corpus"]["documents"]
    # The documents end in a full stop and have no other punctuation.
    tokens = {
        split: [" ".join(row["text"]).lower().replace(".", " .").split() for row in rows] for split, rows in raw.items()
    }
    counts = collections.Counter(word for document in tokens["train"] for word in document)
    ids = {word: number for number, word in enumerate(sorted(counts, key=lambda word: (-counts[word], word)), start=4)}
    for split, rows in raw.items():
        for before, after, document in zip(rows, transformed[split], tokens[split], strict=True):
            assert after == {
                "id": before["id"],
                "source": before["source"],
                "label": ["bad", "good"].index(before["label"]),
                "length": len(document),
                "tokens": [ids.get(word, 1) for word in document],
            }


def test_metrics_are_those_of_the_published_model_on_the_test_split(first, answers):
    done = first[1]
    rows = read(first[0], "CorpusExampleGen/examples")["test"]
    assert [answer["text"] for answer in answers] == [*(row["text"][0] for row in rows), *TEXTS]
    metrics = done.record["metrics"]
    assert set(metrics) == {"overall", "source=news", "source=forum"}
    for place, values in metrics.items():
        chosen = [
            (row["label"], answer)
            for row, answer in zip(rows, answers, strict=False)
            if place in ("overall", f"source={row['source']}")
        ]
        assert values["documents"] == len(chosen)
        right = [label == answer["label"] for label, answer in chosen]
        assert values["accuracy"] == pytest.approx(sum(right) / len(right))
        losses = [-math.log(max(answer["probabilities"][label], 1e-7)) for label, answer in chosen]
        assert values["loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-3)
        assert values["auc"] == pytest.approx(area(chosen), abs=2e-3)


def test_the_linear_model_is_scikit_learns(first):
    job, done = first
    rows = read(job, "CorpusExampleGen/examples")
    text = {split: [" ".join(row["text"]) for row in found] for split, found in rows.items()}
    label = {split: [row["label"] for row in found] for split, found in rows.items()}
    details = done.record["details"]["baselines"]
    # Single letters are words too, unlike in scikit-learn's default.
    terms = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+")
    model = LogisticRegression(C=details["linear"]["strength"], max_iter=1000)
    model.fit(terms.fit_transform(text["train"]), label["train"])
    features, found = terms.transform(text["test"]), details["linear"]["metrics"]
    assert found["accuracy"] == pytest.approx(model.score(features, label["test"]), abs=1e-6)
    assert found["loss"] == pytest.approx(log_loss(label["test"], model.predict_proba(features)), abs=1e-6)
    (most, _), *_ = collections.Counter(label["train"]).most_common()
    assert details["most_frequent"]["labels"] == [most]
    assert details["most_frequent"]["metrics"]["accuracy"] == label["test"].count(most) / len(label["test"])
    (small,) = done.record["details"]["small_test"]
    assert small["low"] < done.record["metrics"]["overall"]["accuracy"] < small["high"]


def test_predict_answers_arguments_and_lines_alike(first, ask, answers):
    found = ask(first[0], first[0].root, *TEXTS)
    assert [answer["label"] for answer in found] == ["good", "bad"]
    for answer, of_line in zip(found, answers[-2:], strict=True):
        assert set(answer) == {"text", "label", "probability", "probabilities"}
        assert answer["probability"] == answer["probabilities"][answer["label"]] > 0.5
        assert answer["probabilities"] == pytest.approx(of_line["probabilities"], abs=1e-6)


def test_the_same_again_comes_from_cache(first, cached):
    assert cached.process.returncode == 0
    assert cached.record["state"] == "unchanged"
    expected = {name: "done" if name in (*RESOLVERS, "Pusher") else "cached" for name in COMPONENTS}
    assert cached.states == expected
    states = {"done": "COMPLETE", "cached": "CACHED"}
    assert cached.executions == {name: states[state] for name, state in expected.items()}
    assert cached.versions == first[1].versions
    for key in ("metrics", "verdict", "pushed"):
        assert cached.record[key] == first[1].record[key]
    assert "Nothing new to publish: this model is already published." in cached.process.stdout


def test_without_the_cache_the_model_is_the_same_and_not_published_again(first, uncached):
    job, done = first
    assert uncached.process.returncode == 0
    assert set(uncached.states.values()) == {"done"}
    assert uncached.record["metrics"] == alike(done.record["metrics"])
    assert uncached.record["state"] == "unchanged"
    assert uncached.versions == done.versions
    graphs = sorted(job.root.glob("artifacts/SequenceTransform/transform_graph/*"))
    assert len(graphs) == 2
    assert len({(graph / "vocabulary.txt").read_bytes() for graph in graphs}) == 1
    assert figures(uncached) == figures(done)


def test_another_seed_trains_again_and_is_compared_with_the_last_model(first, changed):
    assert changed.process.returncode == 0
    assert changed.states == {name: "cached" if name in UPSTREAM else "done" for name in COMPONENTS}
    assert figures(changed) != figures(first[1])
    assert changed.record["state"] == "pushed"
    assert changed.versions[0] == first[1].versions[0]
    assert changed.record["pushed"]["version"] == changed.versions[1]
    assert comparison("accuracy", changed, first[1], 0.1) in changed.record["verdict"]["reasons"]
    assert comparison("loss", changed, first[1], 0.3) in changed.record["verdict"]["reasons"]
    (warning,) = [line for line in changed.process.stdout.splitlines() if line.startswith("Warning: ")]
    assert "cuDNN" in warning
    assert "trainer.recurrent_dropout: 0.2" in warning
    assert changed.process.stderr == ""


def test_a_worse_model_is_not_published(changed, worse):
    assert worse.process.returncode == 3
    assert worse.states == {name: "cached" if name in UPSTREAM else "done" for name in COMPONENTS}
    assert worse.record["state"] == "not_blessed"
    assert worse.record["pushed"] is None
    assert worse.versions == changed.versions
    verdict, accuracy = worse.record["verdict"], worse.record["metrics"]["overall"]["accuracy"]
    assert verdict["blessed"] is False
    assert verdict["reasons"] == [
        comparison("accuracy", worse, changed, 0.1),
        comparison("loss", worse, changed, 0.2),
        f"accuracy is {accuracy:.4f}, which meets at least 0.1",
    ]
    assert "Not published: the model did not pass its gates." in worse.process.stdout
    assert f"- {verdict['reasons'][0]}" in worse.process.stdout


def test_other_gates_judge_the_cached_model(first, changed, refused):
    assert refused.process.returncode == 3
    assert refused.states["Trainer"] == "cached"
    assert refused.record["metrics"] == alike(first[1].record["metrics"])
    assert refused.record["verdict"]["reasons"][:3] == [
        "accuracy on source=nowhere: no such documents in the test split",
        over_linear(refused, 1),
        f"loss is {refused.record['metrics']['overall']['loss']:.4f}, but must be at most 0",
    ]
    assert refused.versions == changed.versions


def test_runs_lists_all_of_them(first, refused):
    job, done = first
    text = " ".join(job.seqloom("runs", job.root).stdout.split())
    for part in ("tiny", "pushed", f"version {done.versions[0]}", "overall", "news", "which meets at least 0.7"):
        assert part in text
    records = json.loads(job.seqloom("runs", job.root, "--json").stdout)
    states = [record["state"] for record in records]
    assert states == ["pushed", "unchanged", "unchanged", "pushed", "not_blessed", "not_blessed"]
    assert records[0] == done.record


def alike(metrics: dict[str, dict[str, float]]) -> dict:
    """Metrics to compare with those of another run of the Evaluator.

    Beam sizes its batches by their duration, which changes the order of TFMA's float32 sums of losses; all other
    metrics are counts and equal.
    """
    return {
        place: {name: pytest.approx(value, rel=1e-6) if name == "loss" else value for name, value in values.items()}
        for place, values in metrics.items()
    }


def over_linear(ran, least: float) -> str:
    own = ran.record["metrics"]["overall"]["accuracy"]
    linear = ran.record["details"]["baselines"]["linear"]["metrics"]["accuracy"]
    relation = f"{abs(own - linear):.4f} {'better' if own > linear else 'worse'} than" if own != linear else "equal to"
    bound = f"{'which meets' if own - linear >= least else 'but must be'} at least {least:g}"
    return f"accuracy is {own:.4f}, {relation} the linear model's {linear:.4f}, {bound}"


def area(chosen: list[tuple[str, dict]]) -> float:
    """The area under the ROC curve: how often a good document has a higher probability than a bad one."""
    good, bad = ([a["probabilities"]["good"] for label, a in chosen if label == name] for name in ("good", "bad"))
    return sum((a > b) + (a == b) / 2 for a in good for b in bad) / (len(good) * len(bad))


def figures(ran) -> list[dict[str, float]]:
    """The measurements of each epoch, except times."""
    timed = ("seconds", "tokens_per_second", "input_wait")
    history = ran.record["details"]["training"]["history"]
    return [{name: value for name, value in epoch.items() if name not in timed} for epoch in history]


def comparison(metric: str, ran, before, margin: float) -> str:
    now, then = (run.record["metrics"]["overall"][metric] for run in (ran, before))
    worse = now < then if metric == "accuracy" else now > then
    within = not worse or abs(now - then) <= margin
    relation = f"{abs(now - then):.4f} {'worse' if worse else 'better'} than" if now != then else "equal to"
    text = f"{metric} is {relation} the last blessed model's {then:.4f}"
    return f"{text}, {'within' if within else 'beyond'} the margin of {margin:g}"


def read(job, artifact: str) -> dict[str, list[dict]]:
    """Reads all features of the first run's splits with TensorFlow's own messages, one value per step."""
    import tensorflow as tf

    def value(feature: tf.train.Feature) -> object:
        (found,) = getattr(feature, feature.WhichOneof("kind")).value
        return found.decode() if isinstance(found, bytes) else found

    execution = min(job.root.glob(f"artifacts/{artifact}/*"), key=lambda path: int(path.name))
    rows: dict[str, list[dict]] = {}
    for path in sorted(execution.glob("Split-*/data_tfrecord-*.gz")):
        split = rows.setdefault(path.parent.name.removeprefix("Split-"), [])
        for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
            example = tf.train.SequenceExample.FromString(record)
            row = {name: value(feature) for name, feature in example.context.feature.items()}
            lists = example.feature_lists.feature_list.items()
            split.append({**row, **{name: [value(step) for step in steps.feature] for name, steps in lists}})
    return rows
