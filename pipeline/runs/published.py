"""Published models: where they are, and what they accept."""

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
"""Models by the input of their signature `serving_default`, and the commands that query them."""


def find_model(path: Path) -> Path:
    """Finds a model.

    Args:
        path: A SavedModel, or the root of a run, which stands for its newest published version.

    Returns:
        The folder of the SavedModel.

    Raises:
        JobError: If there is none; the message says how the last run at that root ended.
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
        found = f"the last run at this root is {state}" + (f": {reasons}" if reasons else "")
    raise JobError(
        "The root has no published model.",
        where=str(path / "serving"),
        found=found,
        expected="a SavedModel, or the root of a run that published one",
        fix="run `seqloom run` first" if not runs else None,
    )


def load(path: Path, takes: str, *gives: Collection[str]) -> Any:
    """Loads a model while keeping TensorFlow quiet on stderr.

    Args:
        path: The folder of a SavedModel.
        takes: The input that its signature `serving_default` must have, `text` or `words`.
        gives: Sets of outputs; the signature must have all outputs of at least one set.

    Returns:
        The result of `tf.saved_model.load`. Its tables live only as long as it does.

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
            f"The model does not accept {takes.removesuffix('s')}s.",
            where=str(path),
            found=(f"{other.name}, {names}" if other else names) if serve else "no signature serving_default",
            expected=f"{_KINDS[takes].name} that `seqloom run` published",
            fix=f"query it with {other.command}" if other else None,
        )
    return loaded


def shortest(number: object) -> float:
    """Returns a float32 as the shortest decimal that identifies it: 0.98, not 0.9800000190734863."""
    return float(str(number))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides what TensorFlow's C++ code prints while it starts; its failures are raised as exceptions."""
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
