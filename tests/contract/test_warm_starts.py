"""What every training that starts from an earlier model owes: rows by name, and the same model after a kill."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import processes
from tests.contract.cases import CLASSES, TRAINED, Case, documents, outcome, places, train

pytestmark = pytest.mark.slow

STILL = {"learning_rate": 1e-38, "min_learning_rate": 1e-38, "epochs": 1}
"""Settings with which training changes no weight."""

NEW_CLASSES = {"labels": ("neutral", "positive", "negative"), "tags": ("B-ORG", "I-LOC", "O", "B-LOC")}


@pytest.fixture
def changed(transform_documents) -> Any:
    """A function that returns the corpus of a case with other words and classes than those of the first training."""

    def corpus(case: Case) -> Any:
        counts = (("train", 120), ("eval", 20))
        given = {split: documents(case.kind, split, count, first=10) for split, count in counts}
        classes = NEW_CLASSES["tags" if case.kind.tokenized else "labels"] if case.kind.target else ()
        name = f"contract-changed-{case.kind.name}"
        return transform_documents(name, given, case.kind, case.job.transform.model_dump(), classes)

    return corpus


def section(case: Case, **values: Any) -> str:
    known = {name: value for name, value in values.items() if name in type(case.job.trainer).model_fields}
    return type(case.job.trainer).model_validate({**case.job.trainer.model_dump(), **known}).model_dump_json()


def arrays(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The index of the weights in a folder, and their values by name."""
    index = json.loads((folder / "weights" / "index.json").read_text())
    with (folder / "weights" / "values.npy").open("rb") as file:
        return index, {part["name"]: np.load(file) for part in index["parts"]}


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "logs" / "training.json").read_text())["warm_start"]


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_rows_of_known_words_and_classes_start_from_the_earlier_model(case: Case, published, changed, tmp_path) -> None:
    base, corpus, place = published(case).folder, changed(case), case.task.training(case.job)
    train(place, section(case, **STILL), places(corpus, tmp_path / "cold"))
    fields = {**places(corpus, tmp_path / "warm"), "base": str(base / "weights")}
    train(place, section(case, **STILL, warm_start=True), fields)
    (old_index, old), (_, cold), (index, warm) = (
        arrays(folder) for folder in (base, tmp_path / "cold", tmp_path / "warm")
    )
    assert old.keys() == cold.keys() == warm.keys()
    kinds = set()
    for part in index["parts"]:
        name, kind = part["name"], part["rows"]
        kinds.add(kind)
        if part["ids"]:
            np.testing.assert_array_equal(warm[name], cold[name])
        elif not kind:
            np.testing.assert_array_equal(warm[name], old[name])
        else:
            axis = part["axis"]
            for row, label in enumerate(index["labels"][kind]):
                known = label in old_index["labels"][kind]
                place_of = old_index["labels"][kind].index(label) if known else row
                expected = np.take(old[name] if known else cold[name], place_of, axis)
                np.testing.assert_array_equal(np.take(warm[name], row, axis), expected, err_msg=f"{name} of {label!r}")
    assert kinds >= ({"words", "classes"} if case.kind.target else {"words"})
    found = record(tmp_path / "warm")
    assert found["model"].endswith(base.name)
    words = [word for word in index["labels"]["words"] if word not in old_index["labels"]["words"]]
    assert (found["new_words"], found["words"]) == (len(words), len(index["labels"]["words"]) - len(words))
    assert set(words) >= {f"w{number}" for number in range(20, 30)}
    if case.kind.target:
        assert (found["classes"], found["new_classes"]) == (
            len(CLASSES["tags" if case.kind.tokenized else "labels"]),
            1,
        )


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_a_killed_warm_start_resumes_to_the_same_model(case: Case, published, changed, tmp_path) -> None:
    base, corpus = str(published(case).folder / "weights"), changed(case)
    given = (case.task.training(case.job), section(case, warm_start=True))

    def fields(name: str) -> dict[str, Any]:
        return {**places(corpus, tmp_path / name), "base": base}

    train(*given, fields("straight"))
    saves = "checkpoint_steps" in type(case.job.trainer).model_fields
    killed = processes.exit_code(processes.forked(), train, *given, fields("killed"), 0.5 if saves else 0.0)
    assert killed == -signal.SIGKILL
    assert processes.exit_code(processes.forked(), train, *given, fields("killed")) == 0
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "straight")
    assert record(tmp_path / "killed") == record(tmp_path / "straight")


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_a_training_without_a_usable_model_starts_from_scratch_and_says_why(
    case: Case, published, changed, tmp_path
) -> None:
    corpus, place, base = changed(case), case.task.training(case.job), published(case).folder / "weights"
    width = {"embedding": 7, "dimensions": 7}
    for name, folder, values in (("cold", "", width), ("other", str(base), {**width, "warm_start": True})):
        train(place, section(case, **STILL, **values), {**places(corpus, tmp_path / name), "base": folder})
    assert "warm_start" not in json.loads((tmp_path / "cold" / "logs" / "training.json").read_text())
    reason = record(tmp_path / "other")["reason"]
    key = "trainer.dimensions" if case.task.name == "word2vec" else "trainer.embedding.width"
    assert f"{key} is 7, was " in reason
    assert "words x 7" in reason
    cold, other = (arrays(tmp_path / name)[1] for name in ("cold", "other"))
    for part, value in cold.items():
        np.testing.assert_array_equal(other[part], value)
