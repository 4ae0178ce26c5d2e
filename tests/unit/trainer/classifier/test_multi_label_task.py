"""Documents with any number of labels through the transform, training and the signatures of the saved model."""

import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.corpus_example_gen.documents import Document
from components.corpus_example_gen.writing.encode import encode
from components.sequence_transform import shard_work
from trainer.classifier import thresholds
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import CLASSIFIER
from trainer.data.features import parse_raw
from trainer.data.kinds import MULTI_LABELLED_TEXT
from trainer.data.reading import read
from trainer.errors import JobError
from trainer.jobs.training_job import TrainingJob
from trainer.settings import OutputSettings, TransformSettings

CLASSES = ("war", "comedy", "crime")
TRANSFORM = {"max_size": 60, "min_count": 1, "min_length": 1}
EMPTY = 7
"""The number of a train document that is dropped, because it has no words."""
SETTINGS = {
    **{"embedding": 8, "units": 4, "bidirectional": False, "epochs": 6, "patience": 6, "learning_rate": 0.05},
    **{"batch_tokens": 300, "word_dropout": 0, "spatial_dropout": 0, "dropout": 0, "samples": 2},
}


def documents(split: str, count: int) -> list[Document]:
    draw = random.Random(split)
    made = []
    for number in range(count):
        labels = tuple(name for name in CLASSES if draw.random() < 0.4)
        words = [*draw.choices([f"w{word}" for word in range(20)], k=draw.randrange(6)), *labels]
        draw.shuffle(words)
        text = " " if (split, number) == ("train", EMPTY) else " ".join(words) or "w1"
        made.append(Document((text,), None, "s", f"{split}-{number}", number + 1, labels=labels))
    return made


@pytest.fixture(scope="module")
def corpus(transform_documents):
    made = {"train": documents("train", 80), "eval": documents("eval", 40)}
    return transform_documents("films", made, MULTI_LABELLED_TEXT, TRANSFORM, CLASSES)


@pytest.fixture(scope="module")
def job(corpus, job_in, tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    return job_in(corpus, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def model(job: TrainingJob):
    CLASSIFIER.run(job, ClassifierSettings.model_validate({**SETTINGS, "thresholds": "tuned"}))
    return tf.saved_model.load(job.model_directory)


@pytest.fixture(scope="module")
def report(job: TrainingJob, model) -> dict:
    return json.loads(Path(job.log_directory, "training.json").read_text())


def test_labels_are_counted_and_become_ascending_ids(corpus) -> None:
    assert corpus.counts["classes"] == Counter(name for one in corpus.documents["train"] for name in one.labels)
    for split, dropped in (("train", {EMPTY}), ("eval", set())):
        found = {}
        for batch in read(corpus.transformed[split], batch_tokens=100).as_numpy_iterator():
            found |= dict(zip(batch["id"].tolist(), batch["labels"].tolist(), strict=True))
        kept = [document for number, document in enumerate(corpus.documents[split]) if number not in dropped]
        assert len(found) == len(kept)
        for document in kept:
            row = found[document.id.encode()]
            ids = [number for number, name in enumerate(CLASSES) if name in document.labels]
            assert row == ids + [-1] * (len(row) - len(ids))


def test_unknown_labels_are_counted_by_name(corpus, tmp_path) -> None:
    labels = [("war",), CLASSES, (), ("war", "opera"), ("zen", "opera")]
    with tf.io.TFRecordWriter(str(tmp_path / "raw.gz"), "GZIP") as writer:
        for number, names in enumerate(labels):
            writer.write(encode(Document(("w1",), None, "s", str(number), 1, labels=names)))
    job = shard_work.ShardJob(TransformSettings(**TRANSFORM), OutputSettings(), MULTI_LABELLED_TEXT, 64)
    graph = str(corpus.graph / "transform_fn")
    report = shard_work.transform_shard(str(tmp_path / "raw.gz"), str(tmp_path / "out.gz"), "eval", graph, job)
    assert report.unknown_classes == Counter(opera=2, zen=1)


def test_predictions_reach_the_thresholds_tuned_on_the_eval_split_and_are_right(corpus, report, model) -> None:
    made = corpus.documents["eval"]
    hot = np.array([[name in document.labels for name in CLASSES] for document in made])
    served = model.signatures["serving_default"](tf.constant([document.segments[0] for document in made]))
    assert {name: (value.dtype, value.shape) for name, value in served.items()} == {
        "labels": (tf.string, (40, 3)),
        "probabilities": (tf.float32, (40, 3)),
        "predicted": (tf.bool, (40, 3)),
    }
    assert served["labels"].numpy()[0].tolist() == [name.encode() for name in CLASSES]
    chosen = np.array([report["thresholds"][name] for name in CLASSES], np.float32)
    np.testing.assert_array_equal(served["predicted"], served["probabilities"].numpy() >= chosen)
    np.testing.assert_allclose(chosen, thresholds.tuned(served["probabilities"].numpy(), hot), atol=1e-5)
    assert (served["predicted"].numpy() == hot).mean() > 0.8
    assert model.signatures["serving_default"](tf.constant([], tf.string))["predicted"].shape == (0, 3)
    assert set(model.signatures) == {"serving_default", "serve_examples", "evaluate", "judge"}


def test_judge_returns_the_loss_of_training_and_names_of_labels(corpus, report, model, records) -> None:
    raw = tf.constant(records(corpus.raw["eval"]))
    judged = model.signatures["judge"](raw)
    assert float(tf.reduce_mean(judged["loss"])) == pytest.approx(report["joint"]["eval_loss"], rel=1e-4)
    given = parse_raw(raw, MULTI_LABELLED_TEXT)["labels"].merge_dims(1, 2).to_list()
    assert [[name for name in row if name] for row in judged["given"].numpy().tolist()] == given
    unlike = Document(("war",), None, "s", "u", 1, labels=("opera", "war"))
    alike = unlike._replace(labels=("war",))
    losses = model.signatures["judge"](tf.constant([encode(alike), encode(unlike)]))["loss"].numpy()
    assert losses[1] == pytest.approx((3 * losses[0] - np.log(1e-7)) / 4)


def test_a_threshold_of_an_unknown_class_is_an_error_before_training(job: TrainingJob) -> None:
    settings = ClassifierSettings.model_validate({**SETTINGS, "thresholds": {"opera": 0.5}})
    with pytest.raises(JobError, match="unknown class"):
        CLASSIFIER.run(job, settings)
