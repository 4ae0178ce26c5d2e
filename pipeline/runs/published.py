"""Finds published models."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.config.locations import exists
from pipeline.config.plain_paths import plain_path
from pipeline.runs import record as history
from trainer.errors import JobError

_VERSION = re.compile("[0-9]+")


def find_model(path: Path) -> Path:
    """Returns the folder of a SavedModel: the path itself, or the newest published version of the root of a run.

    Its path has no characters of globs, which TensorFlow cannot load models from.

    Raises:
        JobError: If the path has none; the message includes the outcome of the last run in that root.
    """
    if not exists(path, "The model or root", where=str(path)) or not path.is_dir():
        raise JobError("The model or root does not exist.", where=str(path), fix="run `seqloom run` first")
    path = plain_path(path)
    if (path / "saved_model.pb").is_file():
        return path
    published = [file for file in path.glob("serving/*/saved_model.pb") if _VERSION.fullmatch(file.parent.name)]
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
