"""Asks a published model: texts in, labels and probabilities out."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pipeline import history
from pipeline.spelling import nearest
from trainer.errors import JobError

BATCH = 256


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


class Model:
    """A loaded model that is called with texts.

    Args:
        path: The folder of a SavedModel with the signature `serving_default`: `text` string [batch] in; `label`
            string [batch], `probability` float32 [batch], `labels` string [batch, classes] and `probabilities`
            float32 [batch, classes] out.

    Raises:
        JobError: If it cannot be loaded or has no such signature.
    """

    def __init__(self, path: Path) -> None:
        with _quiet():
            import tensorflow as tf

            from trainer.normalization import register_operations

            register_operations()
            try:
                # Held for its tables, which live only as long as it does.
                self._loaded = tf.saved_model.load(str(path))
            except (OSError, ValueError, tf.errors.OpError) as error:
                message = str(error).partition("\n")[0]
                raise JobError("The model cannot be loaded.", where=str(path), found=message) from error
        self._constant = tf.constant
        self._serve = self._loaded.signatures.get("serving_default")
        inputs = set(self._serve.structured_input_signature[1]) if self._serve else set()
        outputs = set(self._serve.structured_outputs) if self._serve else set()
        if inputs != {"text"} or not outputs >= {"label", "probability", "labels", "probabilities"}:
            names = f"serving_default from {sorted(inputs)} to {sorted(outputs)}"
            raise JobError(
                "The model does not take texts.",
                where=str(path),
                found=names if self._serve else "no signature serving_default",
                expected="a classifier that `seqloom run` published",
            )

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Answers one batch.

        Args:
            texts: The batch.

        Returns:
            One answer a text: {"text", "label", "probability", "probabilities"}.
        """
        result = {name: value.numpy() for name, value in self._serve(text=self._constant(texts)).items()}
        return [
            {
                "text": text,
                "label": _name(result["label"][index]),
                "probability": _short(result["probability"][index]),
                "probabilities": {
                    _name(label): _short(probability)
                    for label, probability in zip(result["labels"][index], result["probabilities"][index], strict=True)
                },
            }
            for index, text in enumerate(texts)
        ]


def predict(model: Path, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Asks a model.

    Args:
        model: The folder of a SavedModel.
        texts: Any number of texts; read in batches.

    Yields:
        One answer a text, in their order, as `Model` gives it.

    Raises:
        JobError: From `Model` or from `texts`; what was read before is answered first.
    """
    loaded: Model | None = None
    for batch in _batches(texts):
        # Loaded late: a broken first line is told at once.
        loaded = loaded or Model(model)
        yield from loaded(batch)


def read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Reads one text a line.

    Args:
        stream: UTF-8 lines.
        name: What messages call the stream.

    Yields:
        The texts, empty ones too.

    Raises:
        JobError: With the line that is not UTF-8.
    """
    for line_number, line in enumerate(stream, start=1):
        yield _decode(line, f"{name}:{line_number}").rstrip("\r\n")


def read_json_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Reads one text a line from JSON strings or from objects with the key "text"; blank lines are skipped.

    Args:
        stream: UTF-8 lines.
        name: What messages call the stream.

    Yields:
        The texts.

    Raises:
        JobError: With the line that holds no text.
    """
    for line_number, line in enumerate(stream, start=1):
        where = f"{name}:{line_number}"
        if line.strip():
            yield _encodable(_text_in(_decode(line, where), where), where)


def check_texts(texts: Iterable[str]) -> Iterator[str]:
    """Passes texts of the command line on, unless their bytes were no UTF-8."""
    for number, text in enumerate(texts, start=1):
        yield _encodable(text, f"TEXT {number}")


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    try:
        for text in texts:
            batch.append(text)
            if len(batch) == BATCH:
                full, batch = batch, []
                yield full
    except JobError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _name(label: bytes) -> str:
    return label.decode("utf-8", "replace")


def _short(probability: object) -> float:
    """A float32 as the shortest decimal that names it: 0.98, not 0.9800000190734863."""
    return float(str(probability))


def _decode(line: bytes, where: str) -> str:
    try:
        return line.decode("utf-8-sig" if where.endswith(":1") else "utf-8")
    except UnicodeDecodeError as error:
        byte = f"the byte 0x{line[error.start]:02x} at column {error.start + 1}"
        raise JobError("A line is not UTF-8.", where=where, found=byte) from None


def _encodable(text: str, where: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise JobError("A text is not valid Unicode.", where=where, found=ascii(text[error.start])) from None
    return text


def _text_in(line: str, where: str) -> str:
    expected = '{"text": "..."} or "..."'
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise JobError("A line is not JSON.", where=where, found=str(error), expected=expected) from None
    if isinstance(value, dict):
        if "text" not in value:
            near = nearest("text", value)
            found = "the keys " + ", ".join(value) if value else "no keys"
            fix = f'rename "{near}" to "text"' if near else None
            raise JobError('A line has no key "text".', where=where, found=found, expected=expected, fix=fix)
        value = value["text"]
    if not isinstance(value, str):
        raise JobError("A line holds no text.", where=where, found=line.strip()[:80], expected=expected)
    return value


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
