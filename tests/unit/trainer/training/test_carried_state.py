"""A toy task of packed rows whose recurrent state is carried from step to step, also through a kill."""

import hashlib
import itertools
import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import processes
from trainer.data import features as f
from trainer.data import parsing, tfrecords
from trainer.data.packing import OFFSET, SEGMENT, TARGETS, pack
from trainer.data.reading import Usage
from trainer.errors import JobError
from trainer.training.carried_state import CarriedState
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop
from trainer.training.objective import Objective, Outcome
from trainer.training.settings import TrainingSettings

VOCABULARY, UNITS, ROWS, TIME, WINDOW = 12, 3, 2, 4, 10
SETTINGS = {"epochs": 3, "patience": 3, "seed": 5, "label_smoothing": 0, "learning_rate": 0.05}


class ResettingCell(keras.layers.SimpleRNNCell):
    """A cell whose state is zero before each step that has a one as its last input."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        super().build((*shape[:-1], shape[-1] - 1))

    def call(self, inputs: tf.Tensor, states: Any, training: bool = False) -> tuple[tf.Tensor, Any]:
        output, _ = super().call(inputs[:, :-1], [states[0] * (1 - inputs[:, -1:])], training=training)
        return output, [output]


class NextToken(Objective[TrainingSettings]):
    """Predicts the next token of packed rows."""

    _ROW: ClassVar = tf.TensorSpec([None, TIME], tf.int64)
    inputs: ClassVar[Mapping[str, tf.TensorSpec]] = {f.TOKENS: _ROW, OFFSET: _ROW}
    targets: ClassVar[Mapping[str, tf.TensorSpec]] = {TARGETS: _ROW, SEGMENT: _ROW}
    counted = "tokens"

    def batches(self, files: Sequence[str], **reading: Any) -> tf.data.Dataset:
        return pack(files, rows=ROWS, time=TIME, window=WINDOW, **reading)

    def total(self, files: Sequence[str]) -> int:
        # The tokens of each document follow a mark, which is an input, too.
        lengths = [int(parsing.lengths(record[tf.newaxis])[0]) for record in tfrecords.stream(files)]
        return sum(lengths) + len(lengths)

    def initial_state(self) -> dict[str, tf.Tensor]:
        return {"rnn": tf.zeros([ROWS, UNITS])}

    def call(self, model: keras.Model, batch: f.Features, state: Any, *, training: bool) -> tuple[tf.Tensor, Any]:
        logits, last = model([batch[f.TOKENS], batch[OFFSET], state["rnn"]], training=training)
        return logits, {"rnn": last}

    def judge(self, batch: f.Features, logits: tf.Tensor, smoothing: float = 0.0) -> Outcome:
        assert smoothing == 0
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(batch[TARGETS], logits)
        return Outcome(losses, tf.cast(batch[SEGMENT] > 0, losses.dtype), tf.argmax(logits, -1) == batch[TARGETS])


def make(dropout: float = 0.0, **values: object) -> Loop:
    """The loop of a model of tokens, offsets [rows, time] and a state [rows, units]."""
    settings = TrainingSettings.model_validate({**SETTINGS, **values})
    keras.utils.set_random_seed(settings.seed)
    tokens, offset = (keras.Input([TIME], batch_size=ROWS, dtype="int64") for _ in range(2))
    state = keras.Input([UNITS], batch_size=ROWS)
    vectors = keras.layers.Dropout(dropout)(keras.layers.Embedding(VOCABULARY, 4)(tokens))
    begins = keras.layers.Lambda(lambda place: tf.cast(place == 0, tf.float32)[..., tf.newaxis])(offset)
    layer = keras.layers.RNN(ResettingCell(UNITS), return_sequences=True, return_state=True)
    states, last = layer(keras.layers.Concatenate()([vectors, begins]), initial_state=[state])
    logits = keras.layers.Dense(VOCABULARY)(states)
    return Loop(keras.Model([tokens, offset, state], [logits, last]), NextToken(settings))


def run(loop: Loop, files: Sequence[str], directory: str) -> Any:
    objective = NextToken(loop.settings)
    return loop.run(
        train=lambda epoch, position: objective.batches(files, seed=5, epoch=epoch, position=position),
        evaluate=objective.batches(files),
        total=objective.total(files),
        checkpoints=Checkpoints(directory, loop.model.variables, loop.variables),
        on_epoch=lambda number, figures: None,
    )


def train(values: dict[str, Any], files: list[str], directory: str, killed_at: tuple[int, int] | None) -> None:
    """Trains, and writes a digest of the weights, the figures except times, and where reading began."""
    if killed_at:
        processes.kill_when(lambda found: (found.unit, found.values["epoch"], found.done) >= ("tokens", *killed_at))
    loop = make(dropout=0.2, **values)
    began = Checkpoints(directory, loop.model.variables, loop.variables).restore().within
    state = run(loop, files, directory)
    digest = hashlib.sha256(b"".join(variable.numpy().tobytes() for variable in loop.model.variables)).hexdigest()
    timed = ("seconds", "tokens_per_second", "input_wait")
    history = [{name: value for name, value in figures.items() if name not in timed} for figures in state.history]
    result = [digest, history, state.step, began and began["position"]]
    Path(directory, "result.json").write_text(json.dumps(result))


GATHERED = {"checkpoint_steps": 1, "accumulate": 2, "optimizer": "adamw", "schedule": "cosine", "warmup": 0.2}
DOCUMENTS = [np.random.default_rng(n).integers(4, VOCABULARY, 1 + n % 11).tolist() for n in range(24)]
TOKENS = sum(len(document) + 1 for document in DOCUMENTS)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, write_transformed: Any) -> list[str]:
    path = tmp_path_factory.mktemp("packed") / "train.gz"
    write_transformed(path, [{"id": b"%d" % n, "tokens": tokens} for n, tokens in enumerate(DOCUMENTS)], label=False)
    return [str(path)]


def mean_loss(model: keras.Model) -> float:
    """The mean over the tokens of all documents, each read by itself from a zero state in NumPy."""
    table, kernel, recurrent, bias, out, out_bias = (variable.numpy() for variable in model.trainable_variables)
    losses = []
    for document in DOCUMENTS:
        ids, state = [f.EOS, *document, f.EOS], np.zeros(UNITS)
        for token, following in itertools.pairwise(ids):
            state = np.tanh(table[token] @ kernel + state @ recurrent + bias)
            logits = state @ out + out_bias
            losses.append(np.log(np.exp(logits).sum()) - logits[following])
    assert len(losses) == TOKENS
    return float(np.mean(losses))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_documents_across_steps_are_read_as_if_whole(files: list[str], tmp_path: Path, accumulate: int) -> None:
    # At this rate the weights do not change.
    loop = make(learning_rate=1e-30, epochs=2, accumulate=accumulate)
    expected = mean_loss(loop.model)
    history = run(loop, files, str(tmp_path)).history
    for figures in history:
        assert figures["loss"] == pytest.approx(expected, rel=1e-5)
        assert figures["eval_loss"] == pytest.approx(expected, rel=1e-5)
    last = list(NextToken(loop.settings).batches(files, seed=5, epoch=1))[-1]
    usage = Usage()
    usage.count(last)
    if accumulate == 1:
        share = (TOKENS - usage.tokens) / TOKENS
        assert history[1]["learning_rate"] == pytest.approx(1e-30 * (1 - (1 + share) / 2), rel=1e-4)


def test_the_logits_of_some_rows_are_those_of_the_whole_batch(files: list[str]) -> None:
    loop = make()
    batch = next(iter(NextToken(loop.settings).batches(files)))
    logits = loop.step.logits(batch, ROWS)
    assert np.array_equal(loop.step.logits(batch, 1), logits[:1])


@pytest.mark.slow
@pytest.mark.parametrize("values", [{"checkpoint_steps": 2}, GATHERED])
def test_a_killed_run_resumes_with_its_state_to_the_bit(values: dict, files: list[str], tmp_path: Path) -> None:
    def end(directory: str, killed_at: tuple[int, int] | None = None) -> tuple[int, Any]:
        place = tmp_path / directory
        code = processes.exit_code(processes.forked(), train, values, files, str(place), killed_at)
        return code, json.loads((place / "result.json").read_text()) if code == 0 else None

    straight = end("straight")
    assert straight[0] == 0
    for tokens in (TOKENS // 2, TOKENS - 10):
        assert end("cut", (2, tokens)) == (-signal.SIGKILL, None)
    code, (*cut, began) = end("cut")
    assert (code, [*cut, None]) == straight
    assert began[0] == 1
    assert began[1:3] != [0, 0]


def test_a_state_cannot_be_shared_by_several_devices() -> None:
    with tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"]).scope(), pytest.raises(JobError, match="several devices"):
        CarriedState({"rnn": tf.zeros([1, 1])})
