"""Trainings of the cases, once for all tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.cases import CLASSES, Case, Published, documents, places
from trainer.jobs import dotted


@pytest.fixture(scope="session")
def published(transform_documents, tmp_path_factory) -> Callable[[Case], Published]:
    """A function that trains a case once."""
    done: dict[str, Published] = {}

    def train(case: Case) -> Published:
        if str(case) not in done:
            from trainer.jobs.training_job import TrainingJob

            given = {split: documents(case.kind, split, count) for split, count in (("train", 120), ("eval", 20))}
            classes = CLASSES["tags" if case.kind.tokenized else "labels"] if case.kind.target else ()
            transform = case.job.transform.model_dump()
            corpus = transform_documents(f"contract-{case.kind.name}", given, case.kind, transform, classes)
            folder = tmp_path_factory.mktemp(str(case))
            dotted.load(case.task.training(case.job)).run(TrainingJob(**places(corpus, folder)), case.job.trainer)
            done[str(case)] = Published(case, corpus, folder)
        return done[str(case)]

    return train
