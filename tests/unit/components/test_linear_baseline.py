"""The most frequent class and the linear model against scikit-learn, fitted by itself to the same raw texts."""

import math
import random
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.linear_baseline import simple_models
from components.linear_baseline.linear_model import WORDS
from trainer.data import kinds

ONE, MANY = "trainer.classifier.metrics.one_label", "trainer.classifier.metrics.many_labels"
FIGURES = {"accuracy": f"{ONE}:accuracy", "loss": f"{ONE}:mean_loss", "auc": f"{ONE}:auc"}
SETS = {name: f"{MANY}:{name}" for name in ("macro_f1", "micro_f1")}
SETS |= {"accuracy": f"{MANY}:exact_match", "loss": f"{MANY}:mean_loss"}
TOPICS = {"art": "museum paint gallery", "food": "bread soup oven", "sport": "goal team ball"}


class Text(NamedTuple):
    text: str
    labels: tuple[str, ...]
    weight: float | None = None


Splits = dict[str, list[Text]]


def write(folder: Path, splits: Splits, *, multi_label: bool = False, parts: int = 1) -> dict[str, list[str]]:
    """Writes raw examples, each text in a number of segments, in two files a split."""
    files: dict[str, list[str]] = {}
    for split, rows in splits.items():
        files[split] = [str(folder / f"{split}-{number}") for number in range(2)] if rows else []
        writers = [tf.io.TFRecordWriter(path) for path in files[split]]
        for number, row in enumerate(rows):
            words = row.text.split("\n") if parts > 1 else [row.text]
            one = {"label": None, "labels": row.labels} if multi_label else {"label": row.labels[0]}
            document = Document(tuple(words), source="x", id=str(number), line=1, weight=row.weight, **one)  # type: ignore[arg-type]
            writers[number * 2 // len(rows)].write(encode(document))
        for writer in writers:
            writer.close()
    return files


def measure(folder: Path, splits: Splits, classes: tuple[str, ...] = (), **options: Any) -> dict[str, Any]:
    multi_label = options.pop("multi_label", False)
    files = write(folder, splits, multi_label=multi_label, parts=options.pop("parts", 1))
    counts = {split: len(rows) for split, rows in splits.items()}
    kind, figures = (kinds.MULTI_LABELLED_TEXT, SETS) if multi_label else (kinds.LABELLED_TEXT, FIGURES)
    found = simple_models.measure(files, counts, kind, classes, figures, **options)
    assert found.pop("documents") == counts
    return found


def texts(count: int, seed: int, *, weighted: bool = False) -> list[Text]:
    """Documents of three topics, of which one word in three is of their own, and one label in ten wrong."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        topic = draw.choice(["art", "food", "food", "sport"])
        words = draw.choices([f"w{word}" for word in range(30)], k=draw.randint(2, 9))
        words += draw.choices(TOPICS[topic].split(), k=len(words) // 2)
        draw.shuffle(words)
        label = topic if draw.random() < 0.9 else draw.choice(sorted(TOPICS))
        rows.append(Text(" ".join(words).title(), (label,), draw.choice([0.5, 1, 3]) if weighted else None))
    return rows


def splits(**options: bool) -> Splits:
    return {"train": texts(240, 1, **options), "eval": texts(60, 2, **options), "test": texts(90, 3, **options)}


def fitted(made: Splits, target: Any, train: list[Text]) -> tuple[float, Any, Any]:
    """C, the model and the features of the test split, with C by the loss on the eval split."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+")
    features = vectorizer.fit_transform([row.text for row in train])
    other, test = (vectorizer.transform([row.text for row in made[split]]) for split in ("eval", "test"))
    weights = [1 if row.weight is None else row.weight for row in train]
    found = []
    for strength in (0.1, 1, 10, 100):
        model = LogisticRegression(C=strength, max_iter=1000).fit(features, [*map(target, train)], weights)
        loss = log_loss([*map(target, made["eval"])], model.predict_proba(other), labels=model.classes_)
        found.append((loss, strength, model))
    _, strength, model = min(found, key=lambda each: each[:2])
    return strength, model, test


def label(row: Text) -> str:
    return row.labels[0]


@pytest.mark.parametrize(("weighted", "parts"), [(False, 1), (True, 3)])
def test_the_linear_model_is_scikit_learns_on_the_same_splits(tmp_path, weighted, parts):
    made = splits(weighted=weighted)
    if parts > 1:
        made = {split: [row._replace(text=row.text.replace(" ", "\n", 2)) for row in made[split]] for split in made}
    found = measure(tmp_path, made, tuple(TOPICS), parts=parts)
    strength, model, test = fitted(made, label, made["train"])
    wanted, probabilities = [label(row) for row in made["test"]], model.predict_proba(test)
    linear = found["linear"]
    assert (linear["documents"], linear["train_documents"], linear["strength"]) == (240, 240, strength)
    assert linear["terms"] == test.shape[1]
    assert linear["metrics"]["accuracy"] == pytest.approx(accuracy_score(wanted, model.predict(test)), abs=1e-6)
    assert linear["metrics"]["loss"] == pytest.approx(log_loss(wanted, probabilities), abs=1e-6)
    areas = [roc_auc_score([name == own for own in wanted], probabilities[:, n]) for n, name in enumerate(TOPICS)]
    assert linear["metrics"]["auc"] == pytest.approx(min(areas), abs=2e-3)


def test_the_most_frequent_class_has_the_shares_of_the_classes(tmp_path):
    made = splits()
    found = measure(tmp_path, made)["most_frequent"]
    shares = {name: sum(label(row) == name for row in made["train"]) / 240 for name in TOPICS}
    assert found["labels"] == ["food"]
    assert found["metrics"]["accuracy"] == sum(label(row) == "food" for row in made["test"]) / 90
    assert found["metrics"]["loss"] == pytest.approx(sum(-math.log(shares[label(row)]) for row in made["test"]) / 90)
    assert found["metrics"]["auc"] == 0.5


def test_of_many_documents_every_nth_is_fitted(tmp_path):
    made = splits()
    found = measure(tmp_path, made, limit=100)
    sample = made["train"][::3]
    strength, model, test = fitted(made, label, sample)
    assert (found["linear"]["documents"], found["linear"]["train_documents"]) == (len(sample), 240)
    assert found["linear"]["strength"] == strength
    wanted = [label(row) for row in made["test"]]
    assert found["linear"]["metrics"]["loss"] == pytest.approx(log_loss(wanted, model.predict_proba(test)), abs=1e-6)
    # The most frequent class is that of all documents.
    assert found["most_frequent"] == measure(tmp_path, made)["most_frequent"]


def test_the_result_is_the_same_again(tmp_path):
    assert measure(tmp_path, splits()) == measure(tmp_path, splits())


def sets(count: int, seed: int) -> list[Text]:
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        names = sorted(draw.sample(sorted(TOPICS), draw.choice([0, 1, 1, 2])))
        words = draw.choices([f"w{word}" for word in range(20)], k=draw.randint(2, 6))
        words += [draw.choice(TOPICS[name].split()) for name in names if draw.random() < 0.9]
        draw.shuffle(words)
        rows.append(Text(" ".join(words), tuple(names)))
    return rows


def test_any_number_of_labels_is_one_model_per_class_against_the_rest(tmp_path):
    made = {"train": sets(300, 1), "eval": sets(80, 2), "test": sets(100, 3)}
    found = measure(tmp_path, made, tuple(TOPICS), multi_label=True)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+")
    features = vectorizer.fit_transform([row.text for row in made["train"]])
    other, test = (vectorizer.transform([row.text for row in made[split]]) for split in ("eval", "test"))
    hot = {split: np.array([[name in row.labels for name in TOPICS] for row in made[split]]) for split in made}
    choices = []
    for strength in (0.1, 1, 10, 100):
        columns = hot["train"].T
        models = [LogisticRegression(C=strength, max_iter=1000).fit(features, column) for column in columns]
        losses = [log_loss(hot["eval"][:, n], model.predict_proba(other)) for n, model in enumerate(models)]
        choices.append((np.mean(losses), strength, models))
    _, strength, models = min(choices, key=lambda each: each[:2])
    probabilities = np.stack([model.predict_proba(test)[:, 1] for model in models], axis=1)
    predicted, wanted, metrics = probabilities >= 0.5, hot["test"], found["linear"]["metrics"]
    assert found["linear"]["strength"] == strength
    assert metrics["accuracy"] == pytest.approx(accuracy_score(wanted, predicted), abs=1e-6)
    loss = np.mean([log_loss(wanted[:, n], probabilities[:, n]) for n in range(3)])
    assert metrics["loss"] == pytest.approx(loss, abs=1e-6)
    for average in ("micro", "macro"):
        score = f1_score(wanted, predicted, average=average)
        assert metrics[f"{average}_f1"] == pytest.approx(score, abs=1e-6)
    rows = [row.labels for row in made["train"]]
    most = max(sorted(set(rows)), key=rows.count)
    assert found["most_frequent"]["labels"] == list(most)
    right = sum(row.labels == most for row in made["test"]) / 100
    assert found["most_frequent"]["metrics"]["accuracy"] == right
    shares = hot["train"].mean(axis=0)
    loss = np.mean([log_loss(wanted[:, n], np.full(100, shares[n])) for n in range(3)])
    assert found["most_frequent"]["metrics"]["loss"] == pytest.approx(loss)


def test_unknown_labels_of_the_test_split_are_wrong_and_missing_classes_leave_out_the_auc(tmp_path):
    train = [Text(f"{word} x{n}", (name,)) for n in range(20) for word, name in (("bread", "food"), ("goal", "sport"))]
    test = [Text("bread", ("food",)), Text("bread", ("art",))]
    found = measure(tmp_path, {"train": train, "eval": train[:9], "test": test})
    for metrics in (found["linear"]["metrics"], found["most_frequent"]["metrics"]):
        assert metrics.keys() == {"accuracy", "loss"}
        assert metrics["accuracy"] == 0.5
        assert metrics["loss"] > -math.log(1e-7) / 2
    # Of several labels, an unknown one is one more class.
    found = measure(tmp_path, {"train": train, "eval": train[:9], "test": test}, multi_label=True)
    assert found["linear"]["metrics"]["accuracy"] == 0.5
    assert found["linear"]["metrics"]["loss"] > -math.log(1e-7) / 6


@pytest.mark.parametrize("multi_label", [False, True])
def test_empty_texts_and_a_single_class_have_the_shares_of_the_classes(tmp_path, multi_label):
    train = [Text(" ", ("a",)), Text("", ("a",)), Text("...", ("b",))]
    test = [Text("a word", ("a",)), Text("", ("b",))]
    found = measure(tmp_path, {"train": train, "eval": [], "test": test}, multi_label=multi_label)
    assert (found["linear"]["terms"], found["linear"]["strength"]) == (0, 1)
    assert found["linear"]["metrics"]["accuracy"] == 0.5
    assert found["linear"]["metrics"]["loss"] == pytest.approx(-(math.log(2 / 3) + math.log(1 / 3)) / 2)
    same = {"train": train[:2], "eval": train[:1], "test": test[:1]}
    metrics = measure(tmp_path, same, ("a", "b"), multi_label=multi_label)["linear"]["metrics"]
    assert (metrics["accuracy"], metrics["loss"]) == (1, 0)


def test_weights_of_zero_count_for_nothing_unless_all_are_zero(tmp_path):
    train = [Text("same text", ("a",), 0.0)] * 8 + [Text("same text", ("b",), 1.0)] * 4
    test = [Text("same text", ("b",))]
    found = measure(tmp_path, {"train": train, "eval": train, "test": test})
    assert found["linear"]["metrics"]["accuracy"] == 1
    train = [row._replace(weight=0.0) for row in train]
    found = measure(tmp_path, {"train": train, "eval": train, "test": test})
    assert found["linear"]["metrics"]["accuracy"] == 0
    assert found["linear"]["metrics"]["loss"] == pytest.approx(math.log(3), rel=1e-3)


def test_words_of_single_documents_count_if_no_word_is_in_two(tmp_path):
    train = [Text("one two", ("a",)), Text("three four", ("b",))]
    found = measure(tmp_path, {"train": train, "eval": [], "test": [Text("two", ("a",)), Text("four", ("b",))]})
    assert found["linear"]["terms"] == 6
    assert found["linear"]["metrics"]["accuracy"] == 1


SCRIPTS = {
    "Japanese": ("とても良い映画", "良い日", "悪い映画だ", "悪い日"),
    "Cyrillic": ("Очень хороший фильм", "хороший", "плохой фильм", "плохой"),
    "Hindi": ("फिल्म अच्छी है", "अच्छी", "फिल्म बुरी है", "बुरी"),
    "emoji": ("👍🎬", "👍🏽", "👎🎬", "👎"),
    "single letters": ("a x", "x a", "b x", "x b"),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_any_script_has_words(tmp_path, script):
    long, short, bad_long, bad_short = SCRIPTS[script]
    train = [Text(text, (name,)) for text, name in ((long, "good"), (bad_long, "bad")) for _ in range(4)]
    test = [Text(short, ("good",)), Text(bad_short, ("bad",))]
    found = measure(tmp_path, {"train": train, "eval": test, "test": test})
    assert found["linear"]["metrics"]["accuracy"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's 5 o'clock, a_b!", ["It", "s", "5", "o", "clock", "a_b"]),
        ("映画はNHKで", ["映", "画", "は", "NHK", "で"]),
        ("अच्छी फिल्म।", ["अच्छी", "फिल्म"]),
        ("cafe\u0301 naïve", ["cafe\u0301", "naïve"]),
        ("so 👍👍 <br>", ["so", "👍", "👍", "br"]),
        (" .,;!? \t", []),
    ],
)
def test_words_are_runs_of_letters_and_single_signs(text, words):
    assert re.findall(WORDS, text) == words
