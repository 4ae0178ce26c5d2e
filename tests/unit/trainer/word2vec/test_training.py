"""Training on two groups of words that never occur together: what it learns, publishes, shows, and how it resumes."""

import csv
import dataclasses
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer.errors import JobError
from trainer.jobs.training_job import TrainingJob
from trainer.settings import TransformSettings
from trainer.training.checkpoint import Checkpoints, TrainingState
from trainer.vectors import vector_reading
from trainer.vectors.vector_words import Vocabulary
from trainer.word2vec.settings import Word2vecSettings
from trainer.word2vec.training import WORD2VEC, Training

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
GROUPS = [[f"{name}{letter}" for letter in "bcdfghklmnpr"] for name in ("aa", "oo")]
WORDS = [word for pair in zip(*GROUPS, strict=True) for word in pair]
ALIKE = np.array([[a[0] == b[0] for b in WORDS] for a in WORDS])
TIMED = ("seconds", "words_per_second", "pairs_per_second")
SETTINGS = {"epochs": 2, "dimensions": 8, "window": 3, "step_tokens": 16, "subsample": None, "neighbors": 4}
SETTINGS |= {"learning_rate": 0.05, "log_steps": 100}
THREE_DEVICES = """
import json, sys
import tensorflow as tf

(processor,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 3)

from trainer.errors import JobError
from trainer.word2vec.settings import Word2vecSettings
from trainer.word2vec.training import Training
from trainer.vectors.vector_words import Vocabulary

values, graph, files = json.loads(sys.argv[1])
found = []
for more in ({"strategy": "one_device"}, {"strategy": "mirrored"}, {"strategy": "mirrored", "step_tokens": 64}):
    try:
        training = Training(Word2vecSettings(**{**values, **more}), Vocabulary.read(graph), files)
    except JobError as error:
        found.append(str(error.found))
    else:
        loss, tables = training.epoch(0)["loss"], training.tables
        found.append([loss, *(table.numpy().tobytes().hex() for table in (tables.input, tables.output))])
print(json.dumps(found))
"""
PUBLISHED = {
    *("saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra"),
    *("vectors.txt", "vectors.bin", "vectors.tsv", "metadata.tsv", "counts.txt"),
}


def documents_of(split: str, number: int) -> list[list[str]]:
    """Documents of the words of one group each, and a word without a vector."""
    drawn = random.Random(split)
    return [[*drawn.sample(GROUPS[place % 2], 12), "unknown"] for place in range(number)]


# In train 3,072 words: 192 steps of 16.
DOCUMENTS = {"train": documents_of("train", 256), "eval": documents_of("eval", 20)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work(TrainingJob):
    """A job and how it is trained."""

    settings: Word2vecSettings = dataclasses.field(default_factory=Word2vecSettings)


@pytest.fixture(scope="module")
def make_job(tmp_path_factory: pytest.TempPathFactory, write_transformed, transform_graph):
    """A function from settings to a job in a folder of its own, on the same examples and transform graph."""
    graph = Path(transform_graph(WORDS, TransformSettings())).parent
    counts = [sum(document.count(word) for document in DOCUMENTS["train"]) for word in WORDS]
    (graph / "counts.txt").write_text("".join(f"{count}\n" for count in [0] * 4 + counts))
    (graph / "settings.json").write_text(json.dumps({**TransformSettings().model_dump(), "kind": "text"}))
    ids = {word: number for number, word in enumerate(WORDS, 4)}
    for split, documents in DOCUMENTS.items():
        records = [{"id": b"%d" % n, "tokens": [ids.get(w, 1) for w in words]} for n, words in enumerate(documents)]
        write_transformed(graph / f"{split}.gz", records, label=False)

    def make(**values) -> Work:
        folder, settings = tmp_path_factory.mktemp("job"), Word2vecSettings.model_validate({**SETTINGS, **values})
        files = ([str(graph / f"{split}.gz")] for split in ("train", "eval"))
        outputs = (str(folder / name) for name in ("model", "log", "checkpoints"))
        return Work(*files, str(graph), *outputs, settings=settings)

    return make


def training_of(job: Work) -> Training:
    return Training(job.settings, Vocabulary.read(job.transform_graph), job.train_files)


def report_of(job: Work) -> dict:
    return json.loads(Path(job.log_directory, "training.json").read_text())


@pytest.fixture(scope="module")
def words(make_job) -> Work:
    job = make_job()
    WORD2VEC.run(job, job.settings)
    return job


@pytest.fixture(scope="module")
def ngrams(make_job) -> Work:
    job = make_job(model="cbow", loss="hierarchical_softmax", ngrams={"min": 3, "max": 3, "buckets": 40})
    WORD2VEC.run(job, job.settings)
    return job


@pytest.fixture(params=["words", "ngrams"])
def done(request: pytest.FixtureRequest) -> Work:
    return request.getfixturevalue(request.param)


def test_all_files_are_published_and_words_that_occur_together_are_similar(done: Work) -> None:
    folder = Path(done.model_directory)
    assert {path.name for path in folder.iterdir()} == PUBLISHED
    counts = [line.split() for line in (folder / "counts.txt").read_text().splitlines()]
    train = [word for document in DOCUMENTS["train"] for word in document]
    assert counts == [[word, str(train.count(word))] for word in WORDS]
    found = vector_reading.read(str(folder / "vectors.bin"))
    assert found.words == WORDS
    unit = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)
    cosine = unit @ unit.T
    assert cosine[ALIKE & ~np.eye(len(WORDS), dtype=bool)].min() > 0.5
    assert cosine[~ALIKE].mean() < 0.2


def test_the_published_model_reproduces_the_eval_loss_and_answers(done: Work, judgement_record) -> None:
    model = tf.saved_model.load(done.model_directory)
    records = [judgement_record("documents", text=(" ".join(document),)) for document in DOCUMENTS["eval"]]
    judged = model.signatures["judge"](tf.constant(records))
    loss = judged["loss"].numpy().sum() / judged["pairs"].numpy().sum()
    assert loss == pytest.approx(report_of(done)["history"][-1]["eval_loss"], rel=1e-4)
    found = model.signatures["neighbors"](words=tf.constant([WORDS[0].upper()]), k=tf.constant(11))
    assert {word.decode() for word in found["neighbors"][0].numpy()} == set(GROUPS[0]) - {WORDS[0]}
    composed = model.signatures["vectors"](words=tf.constant(["aabcd"]))
    assert not composed["known"].numpy().any()
    assert composed["vectors"].numpy().any() == bool(done.settings.ngrams)


def test_the_report_of_a_training_run(done: Work) -> None:
    report = report_of(done)
    history = report.pop("history")
    assert report.pop("device")
    assert report.pop("best_eval_loss") == history[-1]["eval_loss"]
    expected = {"epochs": 2, "best_epoch": 2, "resumed_after_epoch": 0, "words": 24, "dimensions": 8}
    assert report == {**expected, "index_recall_at_10": None}
    assert [set(figures) for figures in history] == [{"loss", "eval_loss", "steps", *TIMED}] * 2
    assert [figures["steps"] for figures in history] == [192, 192]
    assert history[1]["loss"] < history[0]["loss"]
    assert all(figures[name] > 0 for figures in history for name in TIMED)


def test_curves_neighbors_and_vectors_are_shown(done: Work) -> None:
    events = EventAccumulator(done.log_directory, {"tensors": 0}).Reload()
    points = {name: [event.step for event in events.Tensors(name)] for name in events.Tags()["tensors"]}
    # 64 steps are taken at a time; figures are shown at the first such point after every 100.
    assert points["neighbors"] == points["step/loss"] == points["step/learning_rate"] == [128, 256, 384]
    rates = [tf.make_ndarray(event.tensor_proto).item() for event in events.Tensors("step/learning_rate")]
    # The rate of the first of the 64, which falls over both epochs.
    assert rates == pytest.approx([0.05 * (1 - step / 384) for step in (64, 192, 320)])
    assert points["epoch/loss"] == points["epoch/eval_loss"] == points["device"] == [1, 2]
    losses = [tf.make_ndarray(event.tensor_proto).item() for event in events.Tensors("epoch/eval_loss")]
    assert losses == pytest.approx([figures["eval_loss"] for figures in report_of(done)["history"]])
    with Path(done.log_directory, "metadata.tsv").open(encoding="utf-8", newline="") as file:
        assert [row[0] for row in csv.reader(file, delimiter="\t")][1:] == WORDS


def test_a_resumed_run_reports_it_and_continues_the_step_count(words: Work, make_job) -> None:
    job = make_job()
    training = training_of(job)
    checkpoints = Checkpoints(job.checkpoints, [training.tables.input, training.tables.output])

    def stop(epoch: int, figures: dict[str, float]) -> None:
        raise InterruptedError(epoch)

    with pytest.raises(InterruptedError):
        training.run(job.eval_files, checkpoints, stop)
    WORD2VEC.run(job, job.settings)
    assert report_of(job)["resumed_after_epoch"] == 1
    for name in ("vectors.bin", "vectors.txt"):
        assert Path(job.model_directory, name).read_bytes() == Path(words.model_directory, name).read_bytes()
    events = EventAccumulator(job.log_directory, {"tensors": 0}).Reload()
    assert [event.step for event in events.Tensors("epoch/loss")] == [1, 2]
    # The step count continues from the 192 of the previous epoch.
    assert [event.step for event in events.Tensors("step/loss")] == [320]


@pytest.mark.parametrize(("step_tokens", "step"), [(16, 65), (64, 64)])
def test_a_diverged_run_reports_its_step(step_tokens: int, step: int, make_job) -> None:
    """At the next sample of the loss or, where there is none, after the last step."""
    job = make_job(learning_rate=1e6, epochs=1, step_tokens=step_tokens)
    training = training_of(job)
    checkpoints = Checkpoints(job.checkpoints, [training.tables.input, training.tables.output])
    with pytest.raises(JobError, match="diverged") as caught:
        training.run(job.eval_files, checkpoints, lambda epoch, figures: None)
    assert caught.value.where == f"Trainer, epoch 1, step {step}"
    assert "nan, learning rate " in caught.value.found
    assert "learning_rate" in caught.value.fix
    assert checkpoints.restore() == TrainingState()


def test_devices_that_share_steps_give_the_result_of_one(make_job) -> None:
    job = make_job(step_tokens=48)
    arguments = json.dumps([job.settings.model_dump(), job.transform_graph, job.train_files])
    command = [sys.executable, "-c", THREE_DEVICES, arguments]
    processors = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    ended = subprocess.run(command, cwd=ROOT, env=processors, stdout=subprocess.PIPE, text=True, check=True)
    one, three, uneven = json.loads(ended.stdout.splitlines()[-1])
    assert three == one
    assert uneven == "64 on 3 devices"


def test_the_learning_rate_falls_from_the_first_step_to_the_last(make_job) -> None:
    training = training_of(make_job(learning_rate=0.1, min_learning_rate=0.001))
    found = [training._rates(epoch, np.arange(200)) for epoch in (0, 1)]
    assert found[0].dtype == np.float32
    # Repeats and the padding of the last steps change nothing after the end of an epoch.
    linear = np.maximum(np.linspace(0.1, 0, 385), 0.001)
    np.testing.assert_allclose(found[0], [*linear[:192], *[linear[192]] * 8], rtol=1e-5)
    np.testing.assert_allclose(found[1], [*linear[192:384], *[0.001] * 8], rtol=1e-5)


@pytest.mark.parametrize("documents", [[], [{"id": b"1", "tokens": [1, 1]}]])
def test_a_split_without_words_is_reported(documents: list[dict], make_job, write_transformed, tmp_path: Path) -> None:
    write_transformed(tmp_path / "train.gz", documents, label=False)
    training = training_of(dataclasses.replace(make_job(), train_files=[str(tmp_path / "train.gz")]))
    start = training.tables.word_vectors()
    with pytest.raises(JobError, match="no words to train on"):
        training.epoch(0)
    assert np.isnan(training.evaluate([str(tmp_path / "train.gz")]))
    np.testing.assert_array_equal(training.tables.word_vectors(), start)


def test_subsampling_that_drops_all_words_is_reported(make_job) -> None:
    job = make_job(subsample=1e-30)
    with pytest.raises(JobError, match="no words to train on") as caught:
        WORD2VEC.run(job, job.settings)
    assert caught.value.where == "Trainer, epoch 1"
    assert "trainer.subsample" in caught.value.fix
    assert not Path(job.model_directory).exists()


def test_epochs_read_in_one_go_equal_epochs_read_alone(make_job) -> None:
    """An epoch reads the same whether or not the epochs before it are read."""
    together, apart = (training_of(make_job(epochs=3)) for _ in range(2))
    read = [list(together._reader.read(epoch)) for epoch in range(3)]
    for epoch in (2, 0):
        for found, expected in zip(apart._reader.read(epoch), read[epoch], strict=True):
            for name, values in expected.items():
                np.testing.assert_array_equal(found[name], values)
