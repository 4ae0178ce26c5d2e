"""A training in a process of its own that is killed in the middle of an epoch, and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
DOCUMENTS, KILLED_IN = 60, 2
SETTINGS = {
    **{"embedding": 4, "units": 3, "epochs": 3, "patience": 3, "batch_tokens": 40, "window": 20, "seed": 5},
    "bigrams": {"buckets": 50, "width": 2},
}
TRAIN = """
import hashlib, json, logging, os, signal, sys
import keras
from trainer.classifier import model as classifier
from trainer.classifier.settings import ClassifierSettings
from trainer.classifier.training import SingleLabel
from trainer.data.reading import read
from trainer.training.checkpoint import Checkpoints
from trainer.training.loop import Loop

values, files, directory, killed_at = json.loads(sys.argv[1])
settings = ClassifierSettings.model_validate(values)
seen = []


class Killer(logging.Handler):
    def emit(self, record):
        found = record.progress
        if killed_at and (found.values["epoch"], found.done) >= tuple(killed_at):
            os.kill(os.getpid(), signal.SIGKILL)


def train(epoch, position):
    seen.append([epoch, position])
    return read(files, seed=settings.seed, epoch=epoch, position=position,
                batch_tokens=settings.batch_tokens, window=settings.window)


logging.getLogger("seqloom.progress").addHandler(Killer())
logging.getLogger("seqloom.progress").setLevel(logging.INFO)
keras.utils.set_random_seed(settings.seed)
model = classifier.build(settings, 12, 2)
loop = Loop(model, SingleLabel(settings, "ab"))
checkpoints = Checkpoints(directory, model.variables, loop.variables)
state = loop.run(train, read(files, batch_tokens=40), DOCUMENTS, checkpoints, lambda number, figures: None)
digest = hashlib.sha256(b"".join(variable.numpy().tobytes() for variable in model.variables)).hexdigest()
timed = ("seconds", "tokens_per_second", "input_wait")
history = [{name: value for name, value in figures.items() if name not in timed} for figures in state.history]
print(json.dumps([digest, history, state.step, seen]))
""".replace("DOCUMENTS", str(DOCUMENTS))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, write_transformed) -> list[str]:
    """Documents of two classes in two files."""
    random, folder = np.random.default_rng(1), tmp_path_factory.mktemp("train")
    documents = []
    for number in range(DOCUMENTS):
        tokens = random.integers(4, 12, random.integers(1, 16)).tolist()
        documents.append({"id": b"%d" % number, "tokens": tokens, "label": int(4 in tokens)})
    for place in range(2):
        write_transformed(folder / f"{place}.gz", documents[place::2])
    return sorted(str(path) for path in folder.iterdir())


def train(files: list[str], directory: Path, killed_at: tuple[int, int] | None = None, **values: object):
    """Trains in a process of its own, and returns its exit code and what it tells."""
    argument = json.dumps([{**SETTINGS, **values}, files, str(directory), killed_at])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, "-c", TRAIN, argument], env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode in (0, -signal.SIGKILL), process.stderr
    return process.returncode, json.loads(process.stdout) if process.stdout else None


def test_a_killed_run_ends_as_one_that_was_not(files: list[str], tmp_path: Path) -> None:
    values = {"checkpoint_steps": 4, "accumulate": 2, "optimizer": "adamw", "schedule": "cosine", "warmup": 0.2}
    code, (digest, history, steps, _) = train(files, tmp_path / "straight", **values)
    assert code == 0
    for done in (DOCUMENTS // 2, DOCUMENTS - 6):
        code, told = train(files, tmp_path / "cut", (KILLED_IN, done), **values)
        assert (code, told) == (-signal.SIGKILL, None)
    code, (resumed, again, steps_again, seen) = train(files, tmp_path / "cut", **values)
    epoch, position = seen[0]
    assert epoch == KILLED_IN - 1
    assert position[0] == epoch
    assert position[1:3] != [0, 0]
    assert [number for number, _ in seen] == [1, 2]
    assert (resumed, steps_again) == (digest, steps)
    assert again == history
