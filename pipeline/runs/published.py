"""Published models: where they are, and what they take."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.runs import record as history
from trainer.errors import JobError


class _Kind(NamedTuple):
    name: str
    command: str


_KINDS = {
    "text": _Kind("a classifier or tagger", "seqloom predict"),
    "words": _Kind("word vectors", "seqloom neighbors, seqloom analogy or seqloom vectors"),
}
"""Models by what their signature `serving_default` takes, and the commands that ask them."""


def find_model(path: Path) -> Path:
    """Finds a model.

    Args:
        path: A SavedModel, or the root of a run, of which the newest published version is taken.

    Returns:
        The folder of the SavedModel.

    Raises:
        JobError: If there is none; it says how the last run at that root ended.
    """
    if (path / "saved_model.pb").is_file():
        return path
    if not path.is_dir():
        raise JobError("There is no such model or root.", where=str(path), fix="run `seqloom run` first")
    published = [folder for folder in path.glob("serving/*/saved_model.pb") if folder.parent.name.isdecimal()]
    if published:
        return max((file.parent for file in published), key=lambda folder: int(folder.name))
    runs = history.read_all(path)
    found = None
    if runs:
        reasons = "; ".join(runs[-1].verdict.reasons) or (runs[-1].error or "").partition("\n")[0]
        state = runs[-1].state.replace("_", " ")
        found = f"the last run there ended as {state}" + (f": {reasons}" if reasons else "")
    raise JobError(
        "There is no published model.",
        where=str(path / "serving"),
        found=found,
        expected="a SavedModel, or the root of a run that published one",
        fix="run `seqloom run` first" if not runs else None,
    )


def load(path: Path, takes: str, *gives: Collection[str]) -> Any:
    """Loads a model, without a word of TensorFlow's on the standard error.

    Args:
        path: The folder of a SavedModel.
        takes: What its signature `serving_default` has to take, `text` or `words`.
        gives: What that has to give, among others: all of one of these.

    Returns:
        What `tf.saved_model.load` gives. Its tables live only as long as it does.

    Raises:
        JobError: If it cannot be loaded or is another kind of model.
    """
    with _quiet():
        import tensorflow as tf

        from trainer.text.normalization import register_operations

        register_operations()
        try:
            loaded = tf.saved_model.load(str(path))
        except (OSError, ValueError, tf.errors.OpError) as error:
            message = str(error).partition("\n")[0]
            raise JobError("The model cannot be loaded.", where=str(path), found=message) from error
    serve = loaded.signatures.get("serving_default")
    inputs = set(serve.structured_input_signature[1]) if serve else set()
    outputs = set(serve.structured_outputs) if serve else set()
    if inputs != {takes} or not any(outputs >= set(names) for names in gives):
        names = f"serving_default from {sorted(inputs)} to {sorted(outputs)}"
        other = _KINDS.get("".join(inputs)) if inputs != {takes} else None
        raise JobError(
            f"The model does not take {takes.removesuffix('s')}s.",
            where=str(path),
            found=(f"{other.name}, {names}" if other else names) if serve else "no signature serving_default",
            expected=f"{_KINDS[takes].name} that `seqloom run` published",
            fix=f"ask it with {other.command}" if other else None,
        )
    return loaded


def shortest(number: object) -> float:
    """Gives a float32 as the shortest decimal that names it: 0.98, not 0.9800000190734863."""
    return float(str(number))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what TensorFlow's C++ says while it starts off the screen; its failures come as exceptions."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
