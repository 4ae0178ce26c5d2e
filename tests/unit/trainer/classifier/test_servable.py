"""The SavedModel of a small trained model, called in a process without this project."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.servable import ClassifierServable
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import CLASSIFIER
from trainer.jobs.entry_point import run_fn

SMALL = {"embedding": 8, "units": 4, "bidirectional": False}
SETTINGS = ClassifierSettings(
    **SMALL, epochs=5, patience=5, learning_rate=0.05, batch_tokens=400, word_dropout=0, spatial_dropout=0, dropout=0
)


@pytest.fixture(scope="module")
def model(corpus, job_in, tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    return CLASSIFIER.train(job_in(corpus, tmp_path_factory.mktemp("training")), SETTINGS).model


@pytest.fixture(scope="module")
def saved(corpus, model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SavedModel, moved away from where it was written."""
    folder = tmp_path_factory.mktemp("saved")
    ClassifierServable(model, str(corpus.graph / "transform_fn"), ["negative", "positive"]).save(
        str(folder / "written")
    )
    shutil.move(folder / "written", folder / "moved")
    return folder / "moved"


@pytest.fixture(scope="module")
def answers(corpus, saved: Path, records, ask_elsewhere) -> dict:
    odd = [b"", b"<br />", b"\xff", b"moving", b"MOVING", b"moving<br>"]
    return ask_elsewhere(
        saved,
        serving_default=("serving_default", [document.segments[0].encode() for document in corpus.documents["eval"]]),
        serve_examples=("serve_examples", records(corpus.raw["eval"])),
        none=("serving_default", []),
        none_transformed=("evaluate", []),
        odd=("serving_default", odd),
    )


def test_labels_are_named_and_correct(answers: dict, corpus) -> None:
    served = answers["serving_default"]
    assert answers["signatures"] == ["evaluate", "serve_examples", "serving_default"]
    probabilities = np.array(served["probabilities"])
    assert served["labels"] == [["negative", "positive"]] * 20
    assert served["label"] == [("negative", "positive")[best] for best in probabilities.argmax(axis=1)]
    assert served["probability"] == probabilities.max(axis=1).tolist()
    truth = [document.label for document in corpus.documents["eval"]]
    assert np.mean([found == label for found, label in zip(served["label"], truth, strict=True)]) > 0.8
    np.testing.assert_allclose(answers["serve_examples"]["probabilities"], probabilities, atol=1e-6)


def test_unusual_batches_are_answered(answers: dict) -> None:
    assert answers["none"] == {"label": [], "labels": [], "probabilities": [], "probability": []}
    assert answers["none_transformed"] == {"probabilities": []}
    odd = np.array(answers["odd"]["probabilities"])
    assert np.isfinite(odd).all()
    np.testing.assert_allclose(odd.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(odd[0], odd[1])  # neither holds a token
    np.testing.assert_array_equal(odd[3], odd[4])
    np.testing.assert_array_equal(odd[3], odd[5])
    assert answers["odd"]["label"][3:] == ["positive"] * 3


def test_the_digest_covers_weights_and_settings_but_not_files(corpus, model, saved: Path, tmp_path: Path) -> None:
    again = classifier.build(SETTINGS, len((corpus.graph / "vocabulary.txt").read_text().splitlines()), 2)
    for variable, trained in zip(again.variables, model.variables, strict=True):
        variable.assign(trained)
    graph, classes = str(corpus.graph / "transform_fn"), ["negative", "positive"]
    servable = ClassifierServable(again, graph, classes)
    servable.save(str(tmp_path / "same"))
    first = ClassifierServable(model, graph, classes).digest(str(saved), "")
    assert servable.digest(str(tmp_path / "same"), "") == first
    assert servable.digest(str(saved), "{}") != first
    (weight, *_) = again.trainable_variables
    weight.assign_add(np.eye(*weight.shape) * 1e-6)
    assert servable.digest(str(tmp_path / "same"), "") != first


@pytest.mark.slow
def test_the_entry_point_trains_saves_and_reports(corpus, tmp_path: Path) -> None:
    custom = {"training": "trainer.classifier.training:CLASSIFIER", "checkpoints": str(tmp_path / "checkpoints")}
    custom |= {"settings": json.dumps({**SMALL, "epochs": 2, "batch_tokens": 2000}), "code": "c0de"}
    arguments = SimpleNamespace(
        custom_config=custom,
        train_files=[f"{Path(corpus.transformed['train'][0]).parent}/*"],
        eval_files=[f"{Path(corpus.transformed['eval'][0]).parent}/*"],
        transform_output=str(corpus.graph),
        model_run_dir=str(tmp_path / "run"),
        serving_model_dir=str(tmp_path / "serving"),
        hyperparameters=None,
        base_model=None,
    )
    (tmp_path / "checkpoints" / "of-another-run").mkdir(parents=True)
    run_fn(arguments)
    report = json.loads((tmp_path / "run" / "training.json").read_text())
    assert report["epochs"] == len(report["history"]) == 2
    assert report["best_eval_loss"] == min(figures["eval_loss"] for figures in report["history"])
    assert (report["resumed_after_epoch"], bool(report["device"])) == (0, True)
    assert not (tmp_path / "checkpoints").exists()
    assert set(tf.saved_model.load(str(tmp_path / "serving")).signatures) >= {"serving_default", "evaluate"}
