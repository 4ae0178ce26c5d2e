"""Trainings of the cases, once for all tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.cases import CLASSES, KILLED, ROOT, Case, Published, documents, places
from trainer.jobs import dotted


@pytest.fixture(scope="session")
def published(transform_documents, tmp_path_factory) -> Callable[[Case], Published]:
    """A function that trains a case once."""
    done: dict[str, Published] = {}

    def train(case: Case) -> Published:
        if str(case) not in done:
            from trainer.jobs.job import TrainingJob

            given = {split: documents(case.kind, split, count) for split, count in (("train", 120), ("eval", 20))}
            classes = CLASSES["tags" if case.kind.tokenized else "labels"] if case.kind.target else ()
            transform = case.job.transform.model_dump()
            corpus = transform_documents(f"contract-{case.kind.name}", given, case.kind, transform, classes)
            folder = tmp_path_factory.mktemp(str(case))
            dotted.load(case.task.training(case.job)).run(TrainingJob(**places(corpus, folder)), case.job.trainer)
            done[str(case)] = Published(case, corpus, folder)
        return done[str(case)]

    return train


@pytest.fixture(scope="session")
def train_apart() -> Callable[..., int]:
    """A function that trains in another process, killed in its second epoch where asked, and gives its exit code."""

    def train(case: Case, corpus: Any, folder: Path, *, kill: bool = False) -> int:
        section = case.job.trainer.model_dump_json()
        argument = json.dumps([case.task.training(case.job), section, places(corpus, folder), kill])
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", KILLED, argument]
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert process.returncode in (0, -signal.SIGKILL), process.stderr
        return process.returncode

    return train
