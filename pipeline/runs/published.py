"""Finds published models, and loads the code of their task that answers a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.runs import record as history
from pipeline.tasks.registry import TASKS
from trainer.errors import JobError
from trainer.jobs import dotted, saved_model


def find_model(path: Path) -> Path:
    """Returns the folder of a SavedModel: the path itself, or the newest published version of the root of a run.

    Raises:
        JobError: If the path has none; the message includes the outcome of the last run in that root.
    """
    if (path / "saved_model.pb").is_file():
        return path
    if not path.is_dir():
        raise JobError("The model or root does not exist.", where=str(path), fix="run `seqloom run` first")
    published = [folder for folder in path.glob("serving/*/saved_model.pb") if folder.parent.name.isdecimal()]
    if published:
        return max((file.parent for file in published), key=lambda folder: int(folder.name))
    runs = history.read_all(path)
    found = None
    if runs:
        reasons = "; ".join(runs[-1].verdict.reasons) or (runs[-1].error or "").partition("\n")[0]
        state = runs[-1].state.value.replace("_", " ")
        found = f"the last run in this root is {state}" + (f": {reasons}" if reasons else "")
    raise JobError(
        "The root has no published model.",
        where=str(path / "serving"),
        found=found,
        expected="a SavedModel, or the root of a run that published one",
        fix="run `seqloom run` first" if not runs else None,
    )


def open_answers(model: Path, command: str) -> Any:
    """Loads a SavedModel as the class that answers a command, such as `predict`, for its task.

    Raises:
        JobError: If the model does not name its task, does not support the command, or cannot be loaded.
    """
    name = saved_model.made_by(str(model))
    if name is None or name not in TASKS:
        raise JobError(
            "The model does not name the task that produced it.",
            where=str(model),
            found="no known task in assets.extra/seqloom.json" if name is None else f"the task {name}",
            expected=f"a model published by `seqloom run`, of task {', '.join(TASKS)}",
            fix="publish it again with `seqloom run`",
        )
    classes = TASKS[name].answers()
    if command not in classes:
        raise JobError(
            f"The model does not support `seqloom {command}`.",
            where=str(model),
            found=f"a {name} model",
            fix=f"use {' or '.join(f'`seqloom {other}`' for other in classes)}" if classes else None,
        )
    return dotted.load(classes[command])(str(model))
