"""Opens a published model as the class of its task that answers a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.tasks.registry import TASKS
from trainer.errors import JobError
from trainer.jobs import dotted, saved_model


def open_answers(model: Path, command: str) -> Any:
    """Loads a SavedModel as the class that answers a command, such as `predict` or `predict --explain`, for its task.

    Raises:
        JobError: If the model does not name its task, does not support the command, cannot be loaded, or is
            not the one that was published.
    """
    name = saved_model.made_by(str(model))
    if name is None or name not in TASKS:
        raise JobError(
            "The model does not name the task that produced it.",
            where=str(model),
            found="no known task in assets.extra/seqloom.json" if name is None else f"the task {name}",
            expected=f"a model published by `seqloom run`, of task {', '.join(n for n in TASKS if TASKS[n].answers())}",
            fix="publish it again with `seqloom run`",
        )
    classes = TASKS[name].answers()
    if command not in classes:
        able = [other for other, task in TASKS.items() if command in task.answers()]
        raise JobError(
            f"The model does not support `seqloom {command}`.",
            where=str(model),
            found=f"a {name} model",
            expected=f"a model of task {' or '.join(able)}" if able else None,
            fix=f"use {' or '.join(f'`seqloom {other}`' for other in classes)}" if classes else None,
        )
    from components.pusher.version_fingerprints import require_unchanged

    require_unchanged(str(model))
    return dotted.load(classes[command])(str(model))
