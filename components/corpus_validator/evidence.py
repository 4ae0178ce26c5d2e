"""Raw SequenceExamples as the validator looks at them: documents that show an anomaly, and the script of letters."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.corpus_validator.scripts import ScriptRule, count_letters, share
from schema import curated
from trainer.data import features
from trainer.data.tfrecords import stream

SHOWN = 3
"""How many documents are named with an anomaly."""

Steps = list[list[bytes]]
"""The values of a feature of a document by step; a context feature's are one step."""
Shows = Callable[[Steps | None], bool]
"""Whether the values of a document, None where it has none, show an anomaly."""


def read_file(file: str) -> Iterator[tuple[str, tf.train.SequenceExample]]:
    """Yields the documents of a TFRecord file with their ids, or the place in the file where one has none."""
    for number, record in enumerate(stream([file]).as_numpy_iterator(), 1):
        example = tf.train.SequenceExample.FromString(record)
        ids = example.context.feature[features.ID].bytes_list.value
        name = ids[0].decode(errors="backslashreplace") if ids else f"{posixpath.basename(file)}, record {number}"
        yield name, example


def steps_of(example: tf.train.SequenceExample, path: tuple[str, ...]) -> Steps | None:
    """Returns a feature's values by step, None where the document has no such feature."""
    if path[0] == curated.SEQUENCE:
        if path[-1] not in example.feature_lists.feature_list:
            return None
        return [_values(step) for step in example.feature_lists.feature_list[path[-1]].feature]
    if path[-1] not in example.context.feature or not example.context.feature[path[-1]].WhichOneof("kind"):
        return None
    return [_values(example.context.feature[path[-1]])]


def find(files: Sequence[str], path: tuple[str, ...], shows: Shows) -> tuple[str, ...]:
    """Looks for documents that show an anomaly.

    Args:
        files: Files of raw SequenceExamples.
        path: The path of the feature.
        shows: Says which values do.

    Returns:
        Ids of the first three, in the order of the files.
    """
    found: list[str] = []
    for file in files:
        for name, example in read_file(file):
            if shows(steps_of(example, path)):
                found.append(name)
                if len(found) == SHOWN:
                    return tuple(found)
    return tuple(found)


@dataclasses.dataclass(frozen=True)
class Letters:
    """The letters of a feature in some documents.

    Attributes:
        counts: Their number by script, as `count_letters` returns it.
        ids: Ids of the first three documents that break the rule.
    """

    counts: NDArray[np.int64]
    ids: tuple[str, ...]


class CountFile(beam.DoFn):
    """Counts the letters of a file of raw SequenceExamples by script.

    Args:
        rules: What is asked, by feature.
    """

    def __init__(self, rules: dict[tuple[str, ...], ScriptRule]) -> None:
        self._rules = rules

    def process(self, element: tuple[str, str]) -> Iterator[dict[str, Any]]:
        """Yields what one file holds of each feature, as JSON values."""
        split, file = element
        counts = {path: count_letters("") for path in self._rules}
        ids: dict[tuple[str, ...], list[str]] = {path: [] for path in self._rules}
        for name, example in read_file(file):
            for path, rule in self._rules.items():
                found = count_letters(text_of(steps_of(example, path)))
                counts[path] += found
                if len(ids[path]) < SHOWN and share(found, rule.scripts) < rule.share:
                    ids[path].append(name)
        for path in self._rules:
            values = {"counts": counts[path].tolist(), "ids": ids[path]}
            yield {"split": split, "file": file, "path": list(path), **values}


def merge(counted: list[dict[str, Any]]) -> dict[tuple[str, tuple[str, ...]], Letters]:
    """Adds up what `CountFile` yields.

    Args:
        counted: What it yielded, in any order.

    Returns:
        The letters by split and feature.
    """
    merged: dict[tuple[str, tuple[str, ...]], Letters] = {}
    for entry in sorted(counted, key=lambda entry: str(entry["file"])):
        key = entry["split"], tuple(entry["path"])
        before = merged.get(key, Letters(count_letters(""), ()))
        ids = (*before.ids, *entry["ids"])[:SHOWN]
        merged[key] = Letters(before.counts + np.array(entry["counts"], np.int64), ids)
    return merged


def text_of(steps: Steps | None) -> str:
    """Joins the values of a document to one text; bytes that are no UTF-8 become signs that are no letters."""
    return "\n".join(value.decode(errors="replace") for step in steps or () for value in step)


def _values(feature: tf.train.Feature) -> list[bytes]:
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else []
    return [value if isinstance(value, bytes) else str(value).encode() for value in values]
