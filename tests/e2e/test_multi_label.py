"""A job on documents with any number of labels, from the corpus to the published model and its answers."""

import csv
import json
import random

import pytest
import tensorflow as tf

WORDS = {"comedy": ("funny", "silly"), "crime": ("murder", "police"), "love": ("kiss", "heart"), "war": ("tank",)}
YAML = """\
name: films
task: classifier
corpus:
  format: csv
  path: films.csv
  text: plot
  label: genres
  multi_label: true
  label_separator: "|"
  source: site
  id: key
  weight: votes
  labels: {Comedy: comedy, Crime: crime, Love: love, Romance: love, War: war}
transform: {min_count: 1}
trainer: {epochs: 12, patience: 3, units: 8, embedding: 16, batch_tokens: 400, learning_rate: 0.02, thresholds: tuned,
          sanity: true}
gates:
  micro_f1: {min: 0.8, max_drop: 0.1, slices: {news: {min: 0.5}}}
  macro_f1: {min: 0.6}
  loss: {max: 0.5, max_rise: 0.3}
"""
METRICS = ["accuracy", "documents", "loss", "macro_f1", "micro_f1", "micro_precision", "micro_recall"]

pytestmark = pytest.mark.slow


def films(count: int) -> list[tuple[str, str, set[str], str]]:
    """Key, plot, genres and site: a word of each genre among noise; one film in five has no genre."""
    draw = random.Random(1)
    made = []
    for number in range(count):
        genres = set(draw.sample(sorted(WORDS), draw.choice([0, 1, 1, 2, 3])))
        words = draw.choices([f"w{word}" for word in range(30)], k=draw.randint(3, 10))
        words += [draw.choice(WORDS[genre]) for genre in genres]
        draw.shuffle(words)
        made.append((str(number), " ".join(words), genres, draw.choice(["news", "forum"])))
    return made


@pytest.fixture(scope="module")
def done(new_job, ran):
    job = new_job("films", yaml=YAML)
    with (job.folder / "films.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("key", "plot", "genres", "site", "votes"))
        for key, plot, genres, site in films(400):
            spelled = sorted(genre.capitalize() for genre in genres)
            again = ["Romance"] if "love" in genres else []
            writer.writerow((key, plot, "|".join([*spelled, *again]), site, 1 + int(key) % 2))
        writer.writerow(("bad", "w1", "Comedy|Opera", "news", 1))
    return job, ran(job)


def test_the_model_is_published_with_its_thresholds(done):
    job, first = done
    assert first.process.returncode == 0, first.process.stderr + first.process.stdout
    assert first.record["state"] == "pushed"
    metrics = first.record["metrics"]
    assert set(metrics) == {"overall", "source=news", "source=forum"}
    assert all(sorted(values) == METRICS for values in metrics.values())
    assert f"micro_f1 is {metrics['overall']['micro_f1']:.4f}, which meets at least 0.8" in first.process.stdout
    (bad,) = (json.loads(line) for path in job.root.glob("quarantine/*/*.jsonl") for line in path.open())
    assert bad["reason"].startswith("unknown label: 'Opera'")
    details = first.record["details"]["training"]
    assert details["sanity"]["chance_loss"] == pytest.approx(0.693147, rel=1e-5)
    assert set(details["thresholds"]) == set(WORDS)


def test_metrics_match_scikit_learn_on_the_published_model_s_answers(done, ask, tmp_path):
    from sklearn.metrics import accuracy_score, f1_score

    job, first = done
    made = {key: (plot, genres, site) for key, plot, genres, site in films(400)}
    (examples,) = job.root.glob("artifacts/CorpusExampleGen/examples/*/Split-test")
    records = tf.data.TFRecordDataset([str(path) for path in examples.iterdir()], "GZIP")
    asked = []
    for record in records.as_numpy_iterator():
        example = tf.train.SequenceExample.FromString(record)
        key = example.context.feature["id"].bytes_list.value[0].decode()
        names = [step.bytes_list.value[0].decode() for step in example.feature_lists.feature_list["labels"].feature]
        assert names == [name for name in WORDS if name in made[key][1]]
        asked.append(made[key])
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": plot}) + "\n" for plot, _, _ in asked))
    answers = ask(job, job.root, "--input", texts)
    thresholds = first.record["details"]["training"]["thresholds"]
    for answer in answers:
        assert list(answer["probabilities"]) == list(WORDS)
        assert answer["labels"] == [name for name, p in answer["probabilities"].items() if p >= thresholds[name]]
    for place, site in (("overall", None), ("source=news", "news"), ("source=forum", "forum")):
        rows = [n for n, (_, _, where) in enumerate(asked) if site in (None, where)]
        wanted = [[name in asked[n][1] for name in WORDS] for n in rows]
        found = [[name in answers[n]["labels"] for name in WORDS] for n in rows]
        values = first.record["metrics"][place]
        assert values["documents"] == len(rows)
        assert values["accuracy"] == pytest.approx(accuracy_score(wanted, found))
        assert values["micro_f1"] == pytest.approx(f1_score(wanted, found, average="micro", zero_division=0))
        assert values["macro_f1"] == pytest.approx(f1_score(wanted, found, average="macro", zero_division=0))
