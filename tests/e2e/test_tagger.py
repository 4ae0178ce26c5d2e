"""A tagger from CoNLL columns to the published model and its answers."""

import json
import random
import re

import pytest

pytestmark = pytest.mark.slow

YAML = """\
name: names
task: tagger
corpus:
  format: conll
  path: {train: "train-*.conll", eval: eval.conll, test: "test-*.conll"}
  columns: {token: 1, tag: -1}
transform: {tokenizer: whitespace, min_count: 1}
trainer:
  {epochs: 15, patience: 15, units: 16, embedding: 16, batch_tokens: 256, learning_rate: 0.02,
   word_dropout: 0.05, spatial_dropout: 0}
gates:
  token_accuracy: {min: 0.9, max_drop: 0.05}
  span_f1: {min: 0.6, slices: {test-a.conll: {min: 0.5}}}
  loss: {max: 0.6}
"""
NAMES = ("Lea", "Nice", "Bo", "Paris", "Mae")


def sentences(seed: str, count: int) -> list[list[tuple[str, str]]]:
    """Names whose kind follows from the word before, one in twenty of another kind."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        tokens = [(f"w{draw.randrange(30)}", "O") for _ in range(draw.randrange(1, 8))]
        for _ in range(draw.randrange(1, 4)):
            name = draw.choice(NAMES)
            place = [("in", "O"), (name, "B-LOC"), ("Bay", "I-LOC")]
            tokens += draw.choice([place, place[:2], [("by", "O"), (name, "B-PER")]])
            if draw.random() < 0.05:
                tokens[-1] = (tokens[-1][0], "B-ORG")
        made.append(tokens)
    return made


def conll(made: list[list[tuple[str, str]]]) -> str:
    return "\n\n".join("\n".join(f"{token}\tX\t{tag}" for token, tag in tokens) for tokens in made) + "\n"


@pytest.fixture(scope="module")
def done(new_job, ran):
    job = new_job("tagger", yaml=YAML)
    files = {"train-a": 150, "train-b": 150, "eval": 60, "test-a": 40, "test-b": 40}
    made = {name: sentences(name, count) for name, count in files.items()}
    for name, corpus in made.items():
        (job.folder / f"{name}.conll").write_text(conll(corpus))
    return job, ran(job), made


def test_the_tagger_is_published(done):
    job, first, _ = done
    assert first.process.returncode == 0, first.process.stderr + first.process.stdout
    assert first.record["state"] == "pushed"
    assert (job.root / "serving" / first.versions[0] / "saved_model.pb").is_file()
    metrics = first.record["metrics"]
    assert set(metrics) == {"overall", "source=test-a.conll", "source=test-b.conll"}
    names = ["documents", "loss", "span_f1", "span_precision", "span_recall", "token_accuracy"]
    assert all(sorted(values) == names for values in metrics.values())
    assert metrics["overall"]["documents"] == 80
    assert f"span_f1 is {metrics['overall']['span_f1']:.4f}, which meets at least 0.6" in first.process.stdout
    assert re.search(
        r"- the model adds the encoder times [\d.]+ and a CRF of [\d,]+ attributes times [\d.]+, with an eval loss of",
        first.process.stdout,
    )
    shown = " ".join(job.seqloom("runs", job.root).stdout.split())
    assert all(name in shown for name in ("span_f1", "token_accuracy", "test-a.conll", "pushed"))


def test_metrics_match_seqeval_on_the_published_model_s_answers(done, ask, tmp_path):
    from seqeval.metrics import accuracy_score, f1_score, precision_score, recall_score

    job, first, made = done
    asked = [*made["test-a"], *made["test-b"]]
    texts = [*(" ".join(word for word, _ in one) for one in asked), "w1 by Lea in Nice", ""]
    lines = tmp_path / "texts.jsonl"
    lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    *answers, answer, empty = ask(job, job.root, "--input", lines)
    assert (answer["tokens"], answer["tags"]) == (["w1", "by", "Lea", "in", "Nice"], ["O", "O", "B-PER", "O", "B-LOC"])
    assert len(answer["scores"]) == 5
    assert empty == {"text": "", "tokens": [], "tags": [], "scores": []}
    assert [answer["tokens"] for answer in answers] == [[word for word, _ in one] for one in asked]
    for place, count in {"overall": len(asked), "source=test-a.conll": len(made["test-a"])}.items():
        given = [[tag for _, tag in one] for one in asked[:count]]
        found = [answer["tags"] for answer in answers[:count]]
        values = first.record["metrics"][place]
        assert 0.5 < values["span_f1"] < 1
        assert values["token_accuracy"] == pytest.approx(accuracy_score(given, found))
        assert values["span_f1"] == pytest.approx(f1_score(given, found))
        assert values["span_precision"] == pytest.approx(precision_score(given, found))
        assert values["span_recall"] == pytest.approx(recall_score(given, found))
