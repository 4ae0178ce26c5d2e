"""Evidence in raw SequenceExamples: the documents that show an anomaly, and the scripts of their letters."""

from __future__ import annotations

import dataclasses
import itertools
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
"""The number of documents that an anomaly names."""

Steps = list[list[bytes]]
"""A document's values of a feature by step; a context feature has one step."""
Shows = Callable[[Steps | None], bool]
"""Takes a document's values of a feature, or None; returns whether they show an anomaly."""


def read_file(file: str) -> Iterator[tuple[str, tf.train.SequenceExample]]:
    """Yields the documents of a TFRecord file with their ids, or with file and record number if they have none."""
    for number, record in enumerate(stream([file]).as_numpy_iterator(), 1):
        example = tf.train.SequenceExample.FromString(record)
        ids = example.context.feature[features.ID].bytes_list.value
        name = ids[0].decode(errors="backslashreplace") if ids else f"{posixpath.basename(file)}, record {number}"
        yield name, example


def steps_of(example: tf.train.SequenceExample, path: tuple[str, ...]) -> Steps | None:
    """Returns a feature's values by step, or None if the document lacks the feature."""
    if path[0] == curated.SEQUENCE:
        if path[-1] not in example.feature_lists.feature_list:
            return None
        return [_values(step) for step in example.feature_lists.feature_list[path[-1]].feature]
    if path[-1] not in example.context.feature or not example.context.feature[path[-1]].WhichOneof("kind"):
        return None
    return [_values(example.context.feature[path[-1]])]


def find(files: Sequence[str], path: tuple[str, ...], shows: Shows) -> tuple[str, ...]:
    """Returns the ids of the first three documents whose values of a feature show an anomaly, in the files' order."""
    documents = itertools.chain.from_iterable(map(read_file, files))
    return tuple(itertools.islice((name for name, example in documents if shows(steps_of(example, path))), SHOWN))


@dataclasses.dataclass(frozen=True)
class Letters:
    """The letters of a feature in some documents.

    Attributes:
        counts: The counts by script that `count_letters` returns.
        ids: Ids of the first three documents that violate the rule.
    """

    counts: NDArray[np.int64]
    ids: tuple[str, ...]


class CountFile(beam.DoFn):
    """Counts the letters of a file of raw SequenceExamples by script, for the features that have a rule."""

    def __init__(self, rules: dict[tuple[str, ...], ScriptRule]) -> None:
        self._rules = rules

    def process(self, element: tuple[str, str]) -> Iterator[dict[str, Any]]:
        """Yields the counts of each feature in a file as JSON values."""
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
    """Sums the outputs of `CountFile`, given in any order, by split and feature."""
    merged: dict[tuple[str, tuple[str, ...]], Letters] = {}
    for entry in sorted(counted, key=lambda entry: str(entry["file"])):
        key = entry["split"], tuple(entry["path"])
        total = merged.get(key, Letters(count_letters(""), ()))
        ids = (*total.ids, *entry["ids"])[:SHOWN]
        merged[key] = Letters(total.counts + np.array(entry["counts"], np.int64), ids)
    return merged


def text_of(steps: Steps | None) -> str:
    """Joins the values of a document into one text; invalid UTF-8 becomes U+FFFD, which is not a letter."""
    return "\n".join(value.decode(errors="replace") for step in steps or () for value in step)


def _values(feature: tf.train.Feature) -> list[bytes]:
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else []
    return [value if isinstance(value, bytes) else str(value).encode() for value in values]
