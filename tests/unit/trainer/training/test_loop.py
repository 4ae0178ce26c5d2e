"""Training: one step against a reference, early stopping, and resumption to the bit."""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.errors import JobError
from trainer.training import precision
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop

SMALL = {
    "label_smoothing": 0,
    "schedule": "constant",
    "embedding": 4,
    "units": 3,
    "bigrams": {"buckets": 50, "width": 2},
    "bidirectional": False,
    "learning_rate": 0.05,
    "epochs": 3,
    "patience": 3,
}
AVERAGE = {"encoder": "average"}
"""A model that is traced in a fraction of the time, for tests that work with any model."""
VOCABULARY, BATCHES, ROWS, TIME = 10, 5, 4, 6


def make_batches(seed: int, flipped: bool = False) -> list[dict[str, np.ndarray]]:
    """Documents whose class is whether id 4 is among their tokens, or the opposite if flipped."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(BATCHES):
        length = random.integers(1, TIME + 1, ROWS)
        real = np.arange(TIME) < length[:, None]
        tokens = np.where(real, random.integers(4, VOCABULARY, (ROWS, TIME)), 0)
        label = ((tokens == 4).any(axis=1) ^ flipped).astype(np.int64)
        found.append({"tokens": tokens, "length": length, "label": label})
    return found


def read(epoch: int, position: Sequence[int] | None) -> tf.data.Dataset:
    """The batches of an epoch after a position, each with the position after it."""
    batches = make_batches(epoch)
    for number, batch in enumerate(batches, 1):
        batch["position"] = np.array([epoch, 0, number, 0])
    done = 0 if position is None else position[2]
    return dataset(batches).skip(done)


def dataset(batches: list[dict[str, np.ndarray]]) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices({name: np.stack([b[name] for b in batches]) for name in batches[0]})


class Trained:
    """A model trained in the given directory."""

    def __init__(
        self,
        directory: Path,
        flipped: bool = False,
        documents: int = BATCHES * ROWS,
        on_epoch: Callable[[int, dict[str, float]], None] = lambda number, figures: None,
        read: Callable[[int, Sequence[int] | None], Iterable[dict]] = read,
        **values: object,
    ) -> None:
        settings = ClassifierSettings.model_validate({**SMALL, **values})
        keras.utils.set_random_seed(settings.seed)
        with precision.policy(settings):
            self.model = classifier.build(settings, VOCABULARY, 2)
            self.loop = Loop(self.model, SingleLabel(settings, "ab"))
        self.state = self.loop.run(
            train=read,
            evaluate=dataset(make_batches(99, flipped)),
            total=documents,
            checkpoints=Checkpoints(str(directory), self.model.variables, self.loop.variables),
            on_epoch=on_epoch,
        )

    @property
    def weights(self) -> list[bytes]:
        return [weight.numpy().tobytes() for weight in self.model.trainable_variables]

    @property
    def history(self) -> list[dict[str, float]]:
        """The figures of the epochs, except times."""
        timed = ("seconds", "tokens_per_second", "input_wait")
        return [{name: value for name, value in f.items() if name not in timed} for f in self.state.history]


@pytest.fixture(scope="module")
def three_epochs(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("three"))


def test_training_learns_and_returns_its_figures(three_epochs: Trained) -> None:
    figures = three_epochs.state.history
    assert len(figures) == three_epochs.state.epoch == 3
    assert figures[-1]["loss"] < figures[0]["loss"]
    real = sum(int(batch["length"].sum()) for batch in make_batches(0))
    assert figures[0]["padding_waste"] == pytest.approx(1 - real / (BATCHES * ROWS * TIME))
    assert figures[0]["steps"] == BATCHES
    assert 0 <= figures[0]["input_wait"] <= 1
    assert set(figures[0]) == {
        *("loss", "accuracy", "eval_loss", "eval_accuracy", "seconds", "steps"),
        *("tokens_per_second", "padding_waste", "input_wait", "largest_gradient_norm", "learning_rate"),
    }
    # Evaluation is the mean over documents, without dropout.
    batches, names = make_batches(99), ("tokens", "length", "label")
    tokens, length, label = (np.concatenate([batch[name] for batch in batches]) for name in names)
    logits = three_epochs.model([tokens, length], training=False).numpy().astype(np.float64)
    loss = np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[range(len(label)), label])
    accuracy = pytest.approx(np.mean(logits.argmax(axis=1) == label))
    found = three_epochs.loop.evaluate(dataset(batches))
    assert found == {"loss": pytest.approx(loss, rel=1e-5), "accuracy": accuracy}


def test_a_run_that_stops_between_epochs_resumes_to_the_bit(three_epochs: Trained, tmp_path: Path) -> None:
    Trained(tmp_path / "same", epochs=1)
    resumed = Trained(tmp_path / "same")
    assert resumed.weights == three_epochs.weights
    assert resumed.history == three_epochs.history
    assert resumed.state == dataclasses.replace(three_epochs.state, history=resumed.state.history)
    assert Trained(tmp_path / "other", seed=2, epochs=1).history[0] != three_epochs.history[0]


def test_the_learning_rate_follows_the_share_of_the_run_that_is_done(tmp_path: Path) -> None:
    trained = Trained(tmp_path, **AVERAGE, schedule="linear", learning_rate=0.5, epochs=2)
    rates = [figures["learning_rate"] for figures in trained.history]
    assert rates == pytest.approx([0.5 * 6 / (2 * BATCHES), 0.5 / (2 * BATCHES)])


def test_the_last_progress_of_an_epoch_has_its_loss_and_accuracy(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="seqloom.progress")
    trained = Trained(tmp_path, **AVERAGE, epochs=2)
    reports = [getattr(record, "progress") for record in caplog.records if hasattr(record, "progress")]  # noqa: B009
    last = {report.values["epoch"]: report for report in reports}
    assert [(report.done, report.total) for report in last.values()] == [(BATCHES * ROWS, BATCHES * ROWS)] * 2
    found = [{name: report.values[name] for name in ("loss", "accuracy")} for report in last.values()]
    assert found == [{name: figures[name] for name in ("loss", "accuracy")} for figures in trained.history]


def test_a_finished_run_does_not_train_and_reports_its_epochs_again(tmp_path: Path) -> None:
    seen: list[tuple[int, dict[str, float]]] = []
    first, second = (Trained(tmp_path, **AVERAGE, epochs=2, on_epoch=lambda *epoch: seen.append(epoch)) for _ in "12")
    assert [number for number, _ in seen] == [1, 2, 1, 2]
    assert seen[:2] == seen[2:]
    assert second.weights == first.weights


def test_training_stops_after_patience_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    # The eval split contradicts the train split, so the first epoch stays the best.
    stopped = Trained(tmp_path / "long", flipped=True, **AVERAGE, epochs=9, patience=2, learning_rate=0.1)
    losses = [figures["eval_loss"] for figures in stopped.state.history]
    best = int(np.argmin(losses)) + 1
    assert stopped.state.best_epoch == best
    assert stopped.state.best_loss == min(losses)
    assert stopped.state.epoch == best + 2 < 9
    cut = Trained(tmp_path / "short", flipped=True, **AVERAGE, epochs=best, learning_rate=0.1)
    assert cut.weights == stopped.weights
    assert stopped.loop.evaluate(dataset(make_batches(99, flipped=True)))["loss"] == min(losses)


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_divergence_is_an_error_with_its_location(clip_norm: float | None, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="diverged") as caught:
        Trained(tmp_path, **AVERAGE, learning_rate=1e38, clip_norm=clip_norm)
    for part in ("Trainer, epoch 1, step ", "gradient norm ", "learning rate 1e+38", "Lower trainer.learning_rate"):
        assert part in str(caught.value)


def test_an_epoch_with_lost_documents_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="all documents exactly once") as caught:
        Trained(tmp_path, documents=21, **AVERAGE)
    assert (caught.value.found, caught.value.expected) == ("20 documents", "21")


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    Trained(tmp_path, **AVERAGE, epochs=1)
    with pytest.raises((ValueError, tf.errors.OpError)):
        Trained(tmp_path, **AVERAGE, embedding=5)


MIDDLE = [
    {"checkpoint_steps": 1},
    {"checkpoint_steps": 3, "optimizer": {"name": "sgd", "momentum": 0.9}, "schedule": "linear", "warmup": 4},
    {"checkpoint_steps": 2, "accumulate": 2, "recurrent_dropout": 0.3, "optimizer": "rmsprop"},
    {"checkpoint_steps": 2, "precision": "float16", "schedule": "reduce_on_plateau"},
]


@pytest.mark.parametrize(
    "values", [MIDDLE[0], *(pytest.param(values, marks=pytest.mark.slow) for values in MIDDLE[1:])]
)
def test_a_run_that_stops_within_an_epoch_resumes_there(values: dict, three_epochs: Trained, tmp_path: Path) -> None:
    # Checkpoints do not change a run.
    straight = Trained(tmp_path / "straight", **values) if len(values) > 1 else three_epochs
    began: list[Sequence[int] | None] = []

    def failing(epoch: int, position: Sequence[int] | None) -> Iterator[dict]:
        began.append(position)
        for number, batch in enumerate(read(epoch, position)):
            if (epoch, number, len(began)) == (1, 3, 2):
                raise InterruptedError
            yield batch

    with pytest.raises(InterruptedError):
        Trained(tmp_path / "cut", **values, read=failing)
    resumed = Trained(tmp_path / "cut", **values, read=failing)
    assert len(began) == 4
    assert began[2] is not None
    assert began[2][0] == 1
    assert 0 < began[2][2] < BATCHES
    assert resumed.weights == straight.weights
    assert resumed.history == straight.history


def test_steps_of_several_batches_end_with_the_epoch(tmp_path: Path) -> None:
    # Five batches: two steps of two, one of the last.
    trained = Trained(tmp_path, **AVERAGE, accumulate=2, epochs=2)
    assert [figures["steps"] for figures in trained.history] == [3, 3]
    assert trained.state.step == 6
